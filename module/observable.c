// SPDX-License-Identifier: GPL-2.0-only
/*
 * Observables: notices of issuers are copied to the backlogs of observers, which are threads, attached or not.
 *
 * Lock order: lock of the observable > queue lock of an observer > thread lock.
 * Lifetime: an observer belongs to the observable from its subscription until it unsubscribes, which only the thread
 * itself does, so never while it reads; or until its task is found dead, when somebody else subscribes or
 * unsubscribes; or until the observable goes. An observable is kept by the file or element of whoever uses it.
 */
#include "observable.h"
#include "clock.h"
#include "factory.h"
#include "syscall.h"
#include "thread.h"
#include "timespec.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/slab.h>

struct observer {
	struct list_head	next;		/* lock of the observable */
	struct pid		*pid;
	u32			flags;
	struct evl_waitqueue	wq;		/* covers the rest */
	unsigned int		size, first, count;
	bool			seen_any;
	struct evl_notice	last;		/* delivered */
	struct __evl_notification backlog[] __counted_by(size);
};

/* In-band, after an event out-of-band. */
static void wake_inband(struct irq_work *work)
{
	struct evl_observable *obs = container_of(work, struct evl_observable, wake_work);

	wake_up_poll(&obs->inband, EPOLLIN | EPOLLOUT | EPOLLERR);
}

/* In-band. NULL: no memory. */
struct evl_observable *evl_alloc_observable(bool unicast)
{
	struct evl_observable *obs = kzalloc(sizeof(*obs), GFP_KERNEL_ACCOUNT);

	if (!obs)
		return NULL;

	hard_spin_lock_init(&obs->lock);
	INIT_LIST_HEAD(&obs->observers);
	obs->unicast = unicast;
	evl_init_pollq(&obs->pollq);
	init_waitqueue_head(&obs->inband);
	init_irq_work(&obs->wake_work, wake_inband);

	return obs;
}

/* Nothing comes in any more; readers leave with -EIDRM. In-band. */
void evl_evict_observable(struct evl_observable *obs)
{
	struct observer *o;
	unsigned long flags;

	hard_spin_lock_irqsave(&obs->lock, flags);
	obs->dead = true;
	list_for_each_entry(o, &obs->observers, next) {
		guard(hard_spinlock)(&o->wq.lock);
		o->wq.dead = true;
		evl_wake_up_all_locked(&o->wq, EVL_WAKE_REMOVED);
	}
	hard_spin_unlock(&obs->lock);
	evl_schedule();
	hard_local_irq_restore(flags);

	wake_up_all(&obs->inband);
	evl_poll_drop(&obs->pollq);
}

static void free_observer(struct observer *o)
{
	put_pid(o->pid);
	kvfree(o);
}

/* In-band, nobody uses it. */
void evl_free_observable(struct evl_observable *obs)
{
	struct observer *o, *tmp;

	irq_work_sync(&obs->wake_work);
	list_for_each_entry_safe(o, tmp, &obs->observers, next)
		free_observer(o);
	kfree(obs);
}

/* obs locked. */
static struct observer *find_observer(struct evl_observable *obs, struct pid *pid)
{
	struct observer *o;

	list_for_each_entry(o, &obs->observers, next)
		if (o->pid == pid)
			return o;
	return NULL;
}

/* The observer which the current thread is. It stays: nobody else removes it. */
static struct observer *current_observer(struct evl_observable *obs)
{
	guard(hard_spinlock_irqsave)(&obs->lock);
	return find_observer(obs, task_pid(current));
}

/* In-band: those whose tasks have exited without a word. */
static void purge_observers(struct evl_observable *obs)
{
	struct observer *o, *tmp;
	LIST_HEAD(dead);
	unsigned long flags;

	rcu_read_lock();
	hard_spin_lock_irqsave(&obs->lock, flags);
	list_for_each_entry_safe(o, tmp, &obs->observers, next)
		if (!pid_task(o->pid, PIDTYPE_PID))
			list_move(&o->next, &dead);
	hard_spin_unlock_irqrestore(&obs->lock, flags);
	rcu_read_unlock();

	list_for_each_entry_safe(o, tmp, &dead, next)
		free_observer(o);
}

static struct observer *alloc_observer(const struct evl_subscription *sub)
{
	struct observer *o = kvzalloc(struct_size(o, backlog, sub->backlog_count), GFP_KERNEL_ACCOUNT);

	if (!o)
		return NULL;

	o->size = sub->backlog_count;
	o->flags = sub->flags;
	o->pid = get_pid(task_pid(current));
	__evl_init_waitqueue(&o->wq, &evl_mono_clock, EVL_WQ_PRIO, "observable");

	return o;
}

static int add_observer(struct evl_observable *obs, struct observer *o)
{
	guard(hard_spinlock_irqsave)(&obs->lock);
	if (obs->dead)
		return -ESTALE;
	if (find_observer(obs, o->pid))
		return -EEXIST;
	list_add_tail(&o->next, &obs->observers);
	return 0;
}

/* In-band. */
static long subscribe(struct evl_observable *obs, unsigned long arg)
{
	struct evl_subscription sub;
	struct observer *o;
	int ret;

	if (copy_from_user(&sub, (void __user *)arg, sizeof(sub)))
		return -EFAULT;

	if (!sub.backlog_count || sub.backlog_count > EVL_BACKLOG_MAX || sub.flags & ~EVL_NOTIFY_MASK)
		return -EINVAL;

	purge_observers(obs);
	o = alloc_observer(&sub);
	if (!o)
		return -ENOMEM;

	ret = add_observer(obs, o);
	if (ret)
		free_observer(o);

	return ret;
}

/* In-band. */
static long unsubscribe(struct evl_observable *obs)
{
	struct observer *o;
	unsigned long flags;

	purge_observers(obs);
	hard_spin_lock_irqsave(&obs->lock, flags);
	o = find_observer(obs, task_pid(current));
	if (o)
		list_del(&o->next);
	hard_spin_unlock_irqrestore(&obs->lock, flags);
	if (!o)
		return -ENOENT;

	free_observer(o);

	return 0;
}

static bool is_repeated(const struct observer *o, const struct evl_notice *ntc)
{
	return o->flags & EVL_NOTIFY_ONCHANGE && o->seen_any &&
		o->last.tag == ntc->tag && o->last.event.lval == ntc->event.lval;
}

/* obs locked. Whether it was queued. */
static bool deliver(struct observer *o, const struct __evl_notification *nf, const struct evl_notice *ntc)
{
	guard(hard_spinlock)(&o->wq.lock);
	if (o->count == o->size || is_repeated(o, ntc))
		return false;

	o->backlog[(o->first + o->count++) % o->size] = *nf;
	o->last = *ntc;
	o->seen_any = true;
	evl_wake_up_all_locked(&o->wq, EVL_WAKE_GRANT);

	return true;
}

/* obs locked. Unicast: the one who got it goes to the end of the line. */
static bool dispatch(struct evl_observable *obs, const struct __evl_notification *nf, const struct evl_notice *ntc)
{
	struct observer *o;
	bool queued = false;

	list_for_each_entry(o, &obs->observers, next) {
		if (!deliver(o, nf, ntc))
			continue;
		queued = true;
		if (obs->unicast) {
			list_move_tail(&o->next, &obs->observers);
			break;
		}
	}

	return queued;
}

/*
 * Send a notice to the observers. Any context, without rescheduling. Returns whether somebody got it.
 */
bool evl_post_notice(struct evl_observable *obs, const struct evl_notice *ntc, pid_t issuer)
{
	struct __evl_notification nf = {
		.tag = ntc->tag,
		.issuer = issuer,
		.event = ntc->event,
	};
	unsigned long flags;
	bool queued = false;

	hard_spin_lock_irqsave(&obs->lock, flags);
	if (!obs->dead) {
		nf.serial = obs->serial++;
		nf.date = evl_ktime_to_timespec(evl_ktime_monotonic());
		queued = dispatch(obs, &nf, ntc);
	}
	hard_spin_unlock(&obs->lock);
	if (queued) {
		evl_poll_notify_nosched(&obs->pollq, EPOLLIN | EPOLLRDNORM);
		irq_work_queue(&obs->wake_work);
	}
	hard_local_irq_restore(flags);

	return queued;
}

static int get_request(struct evl_observable_req *req, unsigned long arg)
{
	int ret = evl_copy_from_user(req, (void __user *)arg, sizeof(*req));

	if (ret)
		return ret;

	return req->reserved || req->nr < 0 ? -EINVAL : 0;
}

static int get_notice(struct evl_notice *ntc, const struct evl_notice __user *u_ntc)
{
	int ret = evl_copy_from_user(ntc, u_ntc, sizeof(*ntc));

	if (ret)
		return ret;

	return ntc->tag < EVL_NOTICE_USER ? -EINVAL : 0;
}

static int check_notices(const struct evl_notice __user *u_ntc, int nr)
{
	struct evl_notice ntc;
	int n, ret = 0;

	for (n = 0; n < nr && !ret; n++)
		ret = get_notice(&ntc, u_ntc + n);

	return ret;
}

/* All of the notices are looked at first: if one is bad, none is sent. The user may change them meanwhile. */
static long update(struct evl_observable *obs, unsigned long arg)
{
	pid_t issuer = task_pid_nr(current);
	struct evl_observable_req req;
	struct evl_notice __user *u_ntc;
	struct evl_notice ntc;
	int n, ret, sent = 0;

	ret = get_request(&req, arg);
	if (ret)
		return ret;
	if (req.nr > EVL_NOTICES_MAX)
		return -EINVAL;

	u_ntc = evl_uptr(req.array_ptr);
	ret = check_notices(u_ntc, req.nr);
	for (n = 0; n < req.nr && !ret; n++) {
		ret = get_notice(&ntc, u_ntc + n);
		if (!ret)
			sent += evl_post_notice(obs, &ntc, issuer);
	}
	evl_schedule();

	return ret ?: sent;
}

static bool has_unread(struct observer *o)
{
	guard(hard_spinlock_irqsave)(&o->wq.lock);
	return o->count;
}

static int wait_unread(struct evl_observable *obs, struct observer *o)
{
	if (running_oob())
		return evl_wait_event(&o->wq, o->count);

	if (wait_event_interruptible(obs->inband, READ_ONCE(obs->dead) || has_unread(o)))
		return -EINTR;

	return READ_ONCE(obs->dead) ? -EIDRM : 0;
}

/* Only the observer itself takes notifications out, so that the first one stays while it is copied. */
static bool first_unread(struct observer *o, struct __evl_notification *nf)
{
	guard(hard_spinlock_irqsave)(&o->wq.lock);
	if (!o->count)
		return false;
	*nf = o->backlog[o->first];
	return true;
}

static void drop_first(struct observer *o)
{
	guard(hard_spinlock_irqsave)(&o->wq.lock);
	o->first = (o->first + 1) % o->size;
	o->count--;
}

static int collect(struct observer *o, struct __evl_notification __user *u_nf, int nr)
{
	struct __evl_notification nf;
	int n, ret = 0;

	for (n = 0; n < nr && first_unread(o, &nf); n++) {
		ret = evl_copy_to_user(u_nf + n, &nf, sizeof(nf));
		if (ret)
			break;
		drop_first(o);
	}

	return ret ?: n;
}

static long read_observable(struct evl_observable *obs, unsigned long arg, bool nonblock)
{
	struct evl_observable_req req;
	struct observer *o;
	int ret = get_request(&req, arg);

	if (ret || !req.nr)
		return ret;

	o = current_observer(obs);
	if (!o)
		return -ENXIO;

	if (!has_unread(o)) {
		ret = nonblock ? -EAGAIN : wait_unread(obs, o);
		if (ret)
			return ret;
	}

	ret = collect(o, evl_uptr(req.array_ptr), req.nr);
	/* Who waits for room for its notices. */
	evl_poll_notify(&obs->pollq, EPOLLOUT | EPOLLWRNORM);
	irq_work_queue(&obs->wake_work);

	return ret;
}

/* Either stage; the caller keeps the observable. */
long evl_observable_ioctl(struct evl_observable *obs, unsigned int cmd, unsigned long arg, bool nonblock)
{
	switch (cmd) {
	case EVL_OBSIOC_SUBSCRIBE:
		return running_inband() ? subscribe(obs, arg) : -ENOTTY;
	case EVL_OBSIOC_UNSUBSCRIBE:
		return running_inband() ? unsubscribe(obs) : -ENOTTY;
	case EVL_OBSIOC_UPDATE:
		return update(obs, arg);
	case EVL_OBSIOC_READ:
		return read_observable(obs, arg, nonblock);
	default:
		return -ENOTTY;
	}
}

static __poll_t observable_events(struct evl_observable *obs)
{
	__poll_t events = 0;
	struct observer *o;

	guard(hard_spinlock_irqsave)(&obs->lock);
	o = find_observer(obs, task_pid(current));
	if (!o)
		events |= EPOLLERR;
	else if (o->count)
		events |= EPOLLIN | EPOLLRDNORM;

	list_for_each_entry(o, &obs->observers, next)
		if (o->count < o->size)
			events |= EPOLLOUT | EPOLLWRNORM;

	return events;
}

__poll_t evl_observable_oob_poll(struct evl_observable *obs, struct oob_poll_wait *wait)
{
	evl_poll_register(&obs->pollq, wait);

	return observable_events(obs);
}

__poll_t evl_observable_poll(struct evl_observable *obs, struct file *filp, struct poll_table_struct *pt)
{
	poll_wait(filp, &obs->inband, pt);

	return observable_events(obs);
}

/*
 * Class "observable": elements which are nothing else.
 */
struct observable_element {
	struct evl_element	element;
	struct evl_observable	*obs;
};

static struct observable_element *to_observable(struct evl_element *e)
{
	return container_of(e, struct observable_element, element);
}

static struct observable_element *file_observable(struct file *filp)
{
	return to_observable(evl_file_element(filp));
}

static long observable_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return evl_observable_ioctl(file_observable(filp)->obs, cmd, arg, filp->f_flags & O_NONBLOCK);
}

/* A reader who sleeps does not keep the file from being closed. */
static long observable_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct observable_element *oe = file_observable(filp);
	bool nonblock = filp->f_flags & O_NONBLOCK;
	long ret;

	evl_get_element(&oe->element);
	evl_end_file_use(evl_current());
	ret = evl_observable_ioctl(oe->obs, cmd, arg, nonblock);
	evl_put_element(&oe->element);

	return ret == -EIDRM ? -EBADF : ret;
}

static __poll_t observable_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	return evl_observable_oob_poll(file_observable(filp)->obs, wait);
}

static __poll_t observable_poll(struct file *filp, struct poll_table_struct *pt)
{
	return evl_observable_poll(file_observable(filp)->obs, filp, pt);
}

static const struct file_operations observable_fops = {
	.owner			= THIS_MODULE,
	.open			= evl_open_element,
	.release		= evl_release_element,
	.poll			= observable_poll,
	.unlocked_ioctl		= observable_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.oob_ioctl		= observable_oob_ioctl,
	.compat_oob_ioctl	= observable_oob_ioctl,
	.oob_poll		= observable_oob_poll,
};

static void free_element(struct observable_element *oe)
{
	if (oe->obs)
		evl_free_observable(oe->obs);
	kfree(oe);
}

static struct evl_element *build_observable(struct evl_factory *fac, const char *name, const void *attrs,
					    u32 clone_flags, struct file *filp)
{
	struct observable_element *oe = kzalloc(sizeof(*oe), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!oe)
		return ERR_PTR(-ENOMEM);

	oe->obs = evl_alloc_observable(clone_flags & EVL_CLONE_UNICAST);
	if (!oe->obs)
		goto err_free;

	ret = evl_init_element(&oe->element, fac, name, clone_flags);
	if (ret)
		goto err_free;

	evl_set_element_owner(&oe->element, file_inode(filp)->i_uid, file_inode(filp)->i_gid);
	ret = evl_publish_element(&oe->element);
	if (ret)
		goto err_cancel;

	return &oe->element;

err_cancel:
	evl_cancel_element(&oe->element);
err_free:
	free_element(oe);
	return ERR_PTR(ret);
}

static void evict_element(struct evl_element *e)
{
	evl_evict_observable(to_observable(e)->obs);
}

static void dispose_observable(struct evl_element *e)
{
	free_element(to_observable(e));
}

struct evl_factory evl_observable_factory = {
	.name		= EVL_OBSERVABLE_DEV,
	.fops		= &observable_fops,
	.flags		= EVL_FACTORY_CLONE,
	.clone_mask	= EVL_CLONE_UNICAST,
	.nrdev		= 64,
	.build		= build_observable,
	.evict		= evict_element,
	.dispose	= dispose_observable,
};
