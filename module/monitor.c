// SPDX-License-Identifier: GPL-2.0-only
/*
 * Monitors: what is common to mutexes, events, semaphores and flag groups of applications. Each kind has a file of
 * its own, monitor-*.c.
 */
#include "monitor.h"
#include "clock.h"
#include "factory.h"
#include "params.h"
#include "shm.h"
#include "syscall.h"
#include "timespec.h"
#include "uaccess.h"

#include <linux/slab.h>

static_assert(sizeof(struct evl_monitor_state) == 64);

static struct evl_monitor *element_monitor(struct evl_element *e)
{
	return container_of(e, struct evl_monitor, element);
}

static struct evl_monitor *file_monitor(struct file *filp)
{
	return element_monitor(evl_file_element(filp));
}

/* Monitor of @type behind a descriptor of the current process, with a reference; NULL if it is none. */
struct evl_monitor *evl_get_monitor_by_fd(int fd, u32 type)
{
	struct evl_file *efilp;
	struct evl_element *e = evl_get_element_by_fd(&evl_monitor_factory, fd, &efilp);
	struct evl_monitor *mon = NULL;

	if (!e)
		return NULL;

	if (element_monitor(e)->type == type) {
		mon = element_monitor(e);
		evl_get_element(e);
	}
	evl_put_file(efilp);

	return mon;
}

static int get_date(u64 timeout_ptr, ktime_t *date)
{
	struct __evl_timespec ts;

	*date = EVL_INFINITE;
	if (!timeout_ptr)
		return 0;

	if (evl_copy_from_user(&ts, evl_uptr(timeout_ptr), sizeof(ts)))
		return -EFAULT;

	if (!evl_timespec_is_sane(&ts))
		return -EINVAL;

	*date = evl_timespec_to_ktime(&ts);

	return 0;
}

/*
 * Fetch a wait request, and its limit. 0 or an error of the record itself; what is wrong with the limit matters
 * to those who have to wait only, and is left in req->status.
 */
int evl_get_wait_request(struct evl_monitor_waitreq *req, unsigned long arg, ktime_t *date)
{
	int ret = evl_copy_from_user(req, (void __user *)arg, sizeof(*req));

	if (ret)
		return ret;

	if (req->reserved || req->status)
		return -EINVAL;

	req->status = get_date(req->timeout_ptr, date);

	return 0;
}

void evl_init_monitor_queue(struct evl_monitor *mon, const struct evl_wq_ops *ops, const char *name)
{
	__evl_init_waitqueue(&mon->wq, mon->clock, EVL_WQ_PRIO, name);
	mon->wq.ops = ops;
}

/* A weak thread which sleeps on something but a mutex, while it owns one, asks for trouble. Out-of-band. */
void evl_check_lock_sleep(void)
{
	struct evl_thread *curr = evl_current();

	if (curr->nr_held && curr->state & EVL_T_WOLI)
		evl_demote_current(EVL_HMDIAG_LKSLEEP);
}

static long bind_monitor(struct evl_monitor *mon, unsigned long arg)
{
	struct evl_monitor_binding binding = {
		.type = mon->type,
		.protocol = mon->protocol,
		.eids.minor = mon->element.minor,
		.eids.fundle = mon->element.fundle,
		.eids.state_offset = mon->element.state_offset,
	};

	return evl_copy_to_user((void __user *)arg, &binding, sizeof(binding));
}

static long monitor_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_monitor *mon = file_monitor(filp);

	if (cmd == EVL_MONIOC_BIND)
		return bind_monitor(mon, arg);

	return mon->ops->ioctl(mon, cmd, arg);
}

static long monitor_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_monitor *mon = file_monitor(filp);
	long ret = mon->ops->oob_ioctl(mon, filp, cmd, arg);

	return ret == -ENOTTY ? monitor_ioctl(filp, cmd, arg) : ret;
}

/*
 * User space has to tell of its changes as long as somebody polls. Poll versus change: the mark is set before we look
 * at the value; user space changes the value before it looks at the mark. Both are fully ordered.
 */
static __poll_t monitor_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_monitor *mon = file_monitor(filp);

	if (!mon->ops->poll)
		return 0;

	evl_poll_register(&mon->pollq, wait);
	if (wait) {
		WRITE_ONCE(mon->state->event.polled, 1);
		smp_mb();
	}

	return mon->ops->poll(mon);
}

/* The value has changed. Any context, hard on or off, no queue locked; without rescheduling. */
void evl_notify_monitor(struct evl_monitor *mon)
{
	__poll_t events = mon->ops->poll(mon);

	if (events)
		evl_poll_notify_nosched(&mon->pollq, events);
}

static const struct file_operations monitor_fops = {
	.owner			= THIS_MODULE,
	.open			= evl_open_element,
	.release		= evl_release_element,
	.unlocked_ioctl		= monitor_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.oob_ioctl		= monitor_oob_ioctl,
	.compat_oob_ioctl	= monitor_oob_ioctl,
	.oob_poll		= monitor_poll,
};

static const struct evl_monitor_ops *find_ops(const struct evl_monitor_attrs *attrs)
{
	if (attrs->type == EVL_MONITOR_GATE)
		return &evl_monitor_gate_ops;
	if (attrs->type != EVL_MONITOR_EVENT)
		return NULL;

	switch (attrs->protocol) {
	case EVL_EVENT_GATED:
		return &evl_monitor_event_ops;
	case EVL_EVENT_COUNT:
		return &evl_monitor_sem_ops;
	case EVL_EVENT_MASK:
		return &evl_monitor_mask_ops;
	default:
		return NULL;
	}
}

static void free_monitor(struct evl_monitor *mon)
{
	if (mon->state)
		evl_free_shm(mon->state, sizeof(*mon->state));
	if (mon->clock)
		evl_put_clock(mon->clock);
	kfree(mon);
}

static int init_monitor(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs)
{
	mon->ops = find_ops(attrs);
	mon->clock = evl_get_clock_by_fd(attrs->clockfd);
	if (!mon->ops || !mon->clock)
		return -EINVAL;

	mon->state = evl_alloc_shm(sizeof(*mon->state));
	if (!mon->state)
		return -ENOMEM;

	mon->element.state_offset = evl_shm_offset(mon->state);
	mon->type = attrs->type;
	mon->protocol = attrs->protocol;
	evl_init_pollq(&mon->pollq);
	INIT_LIST_HEAD(&mon->next);

	return mon->ops->init(mon, attrs);
}

static struct evl_element *build_monitor(struct evl_factory *fac, const char *name, const void *attrs,
					 u32 clone_flags, struct file *filp)
{
	struct inode *inode = file_inode(filp);
	struct evl_monitor *mon = kzalloc(sizeof(*mon), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!mon)
		return ERR_PTR(-ENOMEM);

	ret = init_monitor(mon, attrs);
	if (ret)
		goto err_free;

	ret = evl_init_element(&mon->element, fac, name, clone_flags);
	if (ret)
		goto err_evict;

	evl_set_element_owner(&mon->element, inode->i_uid, inode->i_gid);
	ret = evl_publish_element(&mon->element);
	if (ret)
		goto err_cancel;

	return &mon->element;

err_cancel:
	evl_cancel_element(&mon->element);
err_evict:
	mon->ops->evict(mon);
err_free:
	free_monitor(mon);
	return ERR_PTR(ret);
}

static void evict_monitor(struct evl_element *e)
{
	struct evl_monitor *mon = element_monitor(e);

	mon->ops->evict(mon);
	evl_poll_drop(&mon->pollq);
}

static void dispose_monitor(struct evl_element *e)
{
	free_monitor(element_monitor(e));
}

struct evl_factory evl_monitor_factory = {
	.name		= EVL_MONITOR_DEV,
	.fops		= &monitor_fops,
	.flags		= EVL_FACTORY_CLONE,
	.attrs_size	= sizeof(struct evl_monitor_attrs),
	.build		= build_monitor,
	.evict		= evict_monitor,
	.dispose	= dispose_monitor,
};

void __init evl_init_monitor_limit(void)
{
	evl_monitor_factory.nrdev = evl_nr_monitors;
}
