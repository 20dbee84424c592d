// SPDX-License-Identifier: GPL-2.0-only
/*
 * Proxies: rings of bytes before an in-band file. What is written to the proxy, from either stage, is passed on to the
 * file by a worker; what can be read from the file is fetched by another, once somebody wants to read.
 *
 * Workers are work items, each queued at most once, which hold a reference to the element while they are queued or run.
 * A file which can be polled is only touched when it is ready, and its wait queue wakes the workers up, so that none is
 * stuck in a file when the proxy goes. The user's ends of the rings are used from both stages, which a
 * stage-exclusion lock keeps apart.
 */
#include "proxy.h"
#include "element.h"
#include "factory.h"
#include "ring.h"
#include "syscall.h"
#include "thread.h"

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <evl/proxy-abi.h>

/* An eventfd is not written to by kernel code, only signalled: as often as the value says, up to this. */
#define MAX_SIGNALS	(1U << 20)

/* What a file which says that it can be written to takes without blocking. */
#define POLLED_CHUNK	4096U

/* Wait queues of a file: one for each direction at most. */
#define TARGET_QUEUES	2

struct target_wait {
	wait_queue_entry_t	entry;
	wait_queue_head_t	*wqh;
	struct evl_proxy	*proxy;
};

struct evl_proxy {
	struct evl_element	element;
	poll_table		pt;
	struct target_wait	waits[TARGET_QUEUES];
	bool			polled;		/* @target can be polled */
	struct file		*target;
	struct eventfd_ctx	*eventfd;	/* of @target, if it is one */
	size_t			granularity;	/* 1: any */
	struct evl_ring		output, input;
	struct evl_stax		output_stax, input_stax;
	struct work_struct	output_work, input_work;
	struct irq_work		kick_output, kick_input;
	struct evl_pollq	pollq;
	wait_queue_head_t	pollers;	/* in-band; also who waits for the output to be written */
	struct irq_work		poll_work;
	bool			input_wanted;	/* somebody has read, or polled */
};

static struct evl_proxy *element_proxy(struct evl_element *e)
{
	return container_of(e, struct evl_proxy, element);
}

static struct evl_proxy *file_proxy(struct file *filp)
{
	return element_proxy(evl_file_element(filp));
}

static __poll_t proxy_events(struct evl_proxy *proxy)
{
	__poll_t events = 0;

	if (!proxy->output.size && !proxy->input.size)
		return EPOLLERR;
	if (proxy->output.size && !evl_ring_fill(&proxy->output))
		events |= EPOLLOUT | EPOLLWRNORM;
	if (proxy->input.size && (evl_ring_fill(&proxy->input) >= proxy->granularity ||
				  READ_ONCE(proxy->input.eof) || READ_ONCE(proxy->input.error)))
		events |= EPOLLIN | EPOLLRDNORM;

	return events;
}

static void wake_pollers(struct irq_work *work)
{
	struct evl_proxy *proxy = container_of(work, struct evl_proxy, poll_work);

	wake_up_poll(&proxy->pollers, EPOLLIN | EPOLLOUT);
}

static void notify(struct evl_proxy *proxy)
{
	evl_poll_notify(&proxy->pollq, proxy_events(proxy));
	irq_work_queue(&proxy->poll_work);
}

/* In-band. The reference of the worker is taken before it can run. */
static void queue_worker(struct evl_proxy *proxy, struct work_struct *work)
{
	if (!refcount_inc_not_zero(&proxy->element.refs))
		return;
	if (!queue_work(evl_element_queue, work))
		evl_put_element_later(&proxy->element);
}

/*
 * In-band, its locks may be held: something has changed with the target. POLLFREE says that the queue goes before the
 * file does, since it belongs to somebody else, as that of a signalfd: it is left here and now, and stays for as long
 * as RCU has it for whoever leaves it at the same time.
 */
static int target_event(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct target_wait *wait = container_of(entry, struct target_wait, entry);
	struct evl_proxy *proxy = wait->proxy;

	if (key_to_poll(key) & POLLFREE) {
		list_del_init(&entry->entry);
		/* Pairs with leave_queue(). The proxy may go from here on. */
		smp_store_release(&wait->wqh, NULL);
		return 0;
	}

	if (proxy->output.size && evl_ring_fill(&proxy->output))
		irq_work_queue(&proxy->kick_output);
	if (proxy->input.size && READ_ONCE(proxy->input_wanted))
		irq_work_queue(&proxy->kick_input);

	return 0;
}

static void watch_queue(struct file *file, wait_queue_head_t *wqh, poll_table *pt)
{
	struct evl_proxy *proxy = container_of(pt, struct evl_proxy, pt);
	int n;

	for (n = 0; n < TARGET_QUEUES; n++) {
		if (proxy->waits[n].wqh)
			continue;
		proxy->waits[n].wqh = wqh;
		proxy->waits[n].proxy = proxy;
		init_waitqueue_func_entry(&proxy->waits[n].entry, target_event);
		add_wait_queue(wqh, &proxy->waits[n].entry);
		return;
	}
}

static void watch_target(struct evl_proxy *proxy)
{
	proxy->polled = file_can_poll(proxy->target);
	if (!proxy->polled)
		return;

	init_poll_funcptr(&proxy->pt, watch_queue);
	vfs_poll(proxy->target, &proxy->pt);
}

static void leave_queue(struct target_wait *wait)
{
	wait_queue_head_t *wqh;

	guard(rcu)();
	/* Pairs with target_event(): NULL, its queue is gone and it was taken out; else it is there for some time. */
	wqh = smp_load_acquire(&wait->wqh);
	if (wqh)
		remove_wait_queue(wqh, &wait->entry);
}

static void unwatch_target(struct evl_proxy *proxy)
{
	int n;

	for (n = 0; n < TARGET_QUEUES; n++)
		leave_queue(&proxy->waits[n]);
}

/* If not, its wait queue tells when. */
static bool target_ready(struct evl_proxy *proxy, __poll_t events)
{
	return !proxy->polled || vfs_poll(proxy->target, NULL) & (events | EPOLLERR | EPOLLHUP);
}

static void kick_output(struct irq_work *work)
{
	struct evl_proxy *proxy = container_of(work, struct evl_proxy, kick_output);

	queue_worker(proxy, &proxy->output_work);
}

static void kick_input(struct irq_work *work)
{
	struct evl_proxy *proxy = container_of(work, struct evl_proxy, kick_input);

	queue_worker(proxy, &proxy->input_work);
}

/* Either stage. */
static void output_changed(struct evl_ring *ring)
{
	struct evl_proxy *proxy = container_of(ring, struct evl_proxy, output);

	if (evl_ring_fill(ring))
		irq_work_queue(&proxy->kick_output);
	notify(proxy);
}

/* Either stage. Nobody is told: who polls comes here, and would wake itself up for ever. */
static void want_input(struct evl_proxy *proxy)
{
	WRITE_ONCE(proxy->input_wanted, true);
	if (evl_ring_fill(&proxy->input) < proxy->input.size)
		irq_work_queue(&proxy->kick_input);
}

static void input_changed(struct evl_ring *ring)
{
	struct evl_proxy *proxy = container_of(ring, struct evl_proxy, input);

	want_input(proxy);
	notify(proxy);
}

/* The position is shared with everybody who has the file open. */
static ssize_t move_bytes(struct file *file, void *p, size_t len, bool write)
{
	bool locked = file->f_mode & FMODE_ATOMIC_POS;
	loff_t *pos = file->f_mode & FMODE_STREAM ? NULL : &file->f_pos;
	ssize_t ret;

	if (locked)
		mutex_lock(&file->f_pos_lock);
	ret = write ? kernel_write(file, p, len, pos) : kernel_read(file, p, len, pos);
	if (locked)
		mutex_unlock(&file->f_pos_lock);

	return ret;
}

static ssize_t signal_eventfd(struct eventfd_ctx *ctx, const void *p, size_t len)
{
	u64 value;

	if (len < sizeof(value))
		return -EINVAL;

	memcpy(&value, p, sizeof(value));
	if (value > MAX_SIGNALS)
		return -EINVAL;

	while (value--) {
		eventfd_signal(ctx);
		cond_resched();
	}

	return sizeof(value);
}

static ssize_t write_target(struct evl_proxy *proxy, void *p, size_t len)
{
	return proxy->eventfd ? signal_eventfd(proxy->eventfd, p, len) : move_bytes(proxy->target, p, len, true);
}

static bool is_transient(ssize_t ret)
{
	return ret == -EAGAIN || ret == -EINTR || ret == -ERESTARTSYS;
}

/* A file which refuses for good, or breaks a granule: what it was to get so far is lost. */
static void drop_output(struct evl_proxy *proxy, ssize_t error)
{
	size_t len = evl_ring_fill(&proxy->output);

	pr_warn_ratelimited("proxy %s: target refuses output (%zd), %zu bytes dropped\n",
			    proxy->element.name, error, len);
	evl_ring_consume(&proxy->output, len);
}

/* One chunk. False: nothing is left to do now. */
static bool pass_on(struct evl_proxy *proxy)
{
	size_t len;
	ssize_t ret;
	void *p;

	len = evl_ring_peek(&proxy->output, &p);
	if (proxy->granularity > 1)
		len = min(len, proxy->granularity);
	else if (proxy->polled)
		len = min(len, POLLED_CHUNK);
	if (!len || !target_ready(proxy, EPOLLOUT))
		return false;

	ret = write_target(proxy, p, len);
	if (is_transient(ret)) {
		schedule_timeout_uninterruptible(1);
		return true;
	}

	if (ret > 0 && (ret == len || proxy->granularity == 1))
		evl_ring_consume(&proxy->output, ret);
	else
		drop_output(proxy, ret);

	return true;
}

static void output_worker(struct work_struct *work)
{
	struct evl_proxy *proxy = container_of(work, struct evl_proxy, output_work);

	while (pass_on(proxy))
		cond_resched();
	evl_put_element(&proxy->element);
}

/* One chunk. False: no room, nothing more to come, or nobody to read it. */
static bool fetch(struct evl_proxy *proxy)
{
	size_t len;
	ssize_t ret;
	void *p;

	len = evl_ring_room(&proxy->input, &p);
	if (proxy->granularity > 1)
		len = len >= proxy->granularity ? proxy->granularity : 0;
	if (!len || !evl_element_is_open(&proxy->element) || !target_ready(proxy, EPOLLIN | EPOLLRDHUP))
		return false;

	ret = move_bytes(proxy->target, p, len, false);
	if (is_transient(ret)) {
		schedule_timeout_uninterruptible(1);
		return true;
	}
	if (ret <= 0) {
		evl_ring_end(&proxy->input, ret);
		return false;
	}
	evl_ring_produce(&proxy->input, ret);

	return true;
}

static void input_worker(struct work_struct *work)
{
	struct evl_proxy *proxy = container_of(work, struct evl_proxy, input_work);

	if (fetch(proxy))
		queue_worker(proxy, work);
	evl_put_element(&proxy->element);
}

static ssize_t write_proxy(struct evl_proxy *proxy, const char __user *u_buf, size_t count, bool nonblock)
{
	struct evl_ring_buf buf = { .user = (void __user *)u_buf };

	if (!proxy->output.size)
		return -ENXIO;
	if (count > proxy->output.size)
		return -EFBIG;
	if (count % proxy->granularity)
		return -EINVAL;

	return evl_ring_write(&proxy->output, buf, count, nonblock);
}

static ssize_t read_proxy(struct evl_proxy *proxy, char __user *u_buf, size_t count, bool nonblock)
{
	struct evl_ring_buf buf = { .user = u_buf };

	if (!proxy->input.size)
		return -ENXIO;
	if (count % proxy->granularity)
		return -EINVAL;

	return evl_ring_read(&proxy->input, buf, count, nonblock);
}

static ssize_t user_result(ssize_t ret)
{
	return ret == -EIDRM ? -EBADF : ret;
}

/* Closing does not wait for those who sleep here: the element stays as long as they do. */
static ssize_t oob_transfer(struct file *filp, char __user *u_buf, size_t count, bool write)
{
	struct evl_proxy *proxy = file_proxy(filp);
	bool nonblock = filp->f_flags & O_NONBLOCK;
	ssize_t ret;

	evl_get_element(&proxy->element);
	evl_end_file_use(evl_current());
	ret = write ? write_proxy(proxy, u_buf, count, nonblock) : read_proxy(proxy, u_buf, count, nonblock);
	evl_put_element(&proxy->element);

	return user_result(ret);
}

static ssize_t proxy_oob_read(struct file *filp, char __user *u_buf, size_t count)
{
	return oob_transfer(filp, u_buf, count, false);
}

static ssize_t proxy_oob_write(struct file *filp, const char __user *u_buf, size_t count)
{
	return oob_transfer(filp, (char __user *)u_buf, count, true);
}

static ssize_t proxy_read(struct file *filp, char __user *u_buf, size_t count, loff_t *ppos)
{
	return user_result(read_proxy(file_proxy(filp), u_buf, count, filp->f_flags & O_NONBLOCK));
}

static ssize_t proxy_write(struct file *filp, const char __user *u_buf, size_t count, loff_t *ppos)
{
	return user_result(write_proxy(file_proxy(filp), u_buf, count, filp->f_flags & O_NONBLOCK));
}

/* Who polls for input wants it fetched. */
static __poll_t look(struct evl_proxy *proxy)
{
	if (proxy->input.size && !evl_ring_fill(&proxy->input))
		want_input(proxy);

	return proxy_events(proxy);
}

static __poll_t proxy_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_proxy *proxy = file_proxy(filp);

	evl_poll_register(&proxy->pollq, wait);
	if (wait && proxy->input.size)
		want_input(proxy);

	return proxy_events(proxy);
}

static __poll_t proxy_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct evl_proxy *proxy = file_proxy(filp);

	poll_wait(filp, &proxy->pollers, pt);

	return look(proxy);
}

/* The mapping is the one of the target, with which it lives. */
static int proxy_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct file *target = file_proxy(filp)->target;

	if (!target->f_op->mmap)
		return -ENODEV;
	if (!(target->f_mode & FMODE_READ))
		return -EACCES;
	if (vma->vm_flags & VM_SHARED && !(target->f_mode & FMODE_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}

	vma_set_file(vma, target);

	return target->f_op->mmap(target, vma);
}

/* What was accepted is written out, unless the caller is killed meanwhile. Then nobody may wait any more. */
static void evict_proxy(struct evl_element *e)
{
	struct evl_proxy *proxy = element_proxy(e);

	if (evl_ring_fill(&proxy->output))
		wait_event_killable(proxy->pollers, !evl_ring_fill(&proxy->output));

	evl_evict_ring(&proxy->output);
	evl_evict_ring(&proxy->input);
	evl_poll_drop(&proxy->pollq);
}

/* stream_open() does not fail. */
static int proxy_open(struct inode *inode, struct file *filp)
{
	return evl_open_element(inode, filp) ?: stream_open(inode, filp);
}

static const struct file_operations proxy_fops = {
	.owner		= THIS_MODULE,
	.open		= proxy_open,
	.release	= evl_release_element,
	.read		= proxy_read,
	.write		= proxy_write,
	.poll		= proxy_poll,
	.mmap		= proxy_mmap,
	.oob_read	= proxy_oob_read,
	.oob_write	= proxy_oob_write,
	.oob_poll	= proxy_oob_poll,
};

/* In-band, nobody uses it: kicks may still be on their way, workers have ended, since they hold references. */
static void free_proxy(struct evl_proxy *proxy)
{
	unwatch_target(proxy);
	irq_work_sync(&proxy->kick_output);
	irq_work_sync(&proxy->kick_input);
	irq_work_sync(&proxy->poll_work);
	evl_destroy_ring(&proxy->output);
	evl_destroy_ring(&proxy->input);
	evl_destroy_stax(&proxy->output_stax);
	evl_destroy_stax(&proxy->input_stax);
	if (proxy->eventfd)
		eventfd_ctx_put(proxy->eventfd);
	if (proxy->target)
		fput(proxy->target);
	kfree(proxy);
}

static int check_direction(struct file *target, bool eventfd, u32 flags)
{
	if (flags & EVL_CLONE_OUTPUT) {
		if (!(target->f_mode & FMODE_WRITE))
			return -EBADF;
		if (!eventfd && (!target->f_op->write_iter || target->f_op->write))
			return -EINVAL;
	}
	if (flags & EVL_CLONE_INPUT) {
		if (!(target->f_mode & FMODE_READ))
			return -EBADF;
		if (!target->f_op->read_iter || target->f_op->read)
			return -EINVAL;
	}

	return 0;
}

static int attach_target(struct evl_proxy *proxy, const struct evl_proxy_attrs *attrs, u32 flags)
{
	struct eventfd_ctx *ctx;

	proxy->target = fget(attrs->fd);
	if (!proxy->target)
		return -EBADF;

	/* It would wait for itself. */
	if (proxy->target->f_op == &proxy_fops)
		return -EINVAL;

	ctx = eventfd_ctx_fileget(proxy->target);
	if (!IS_ERR(ctx))
		proxy->eventfd = ctx;

	/* Its values have eight bytes. */
	if (proxy->eventfd && flags & EVL_CLONE_OUTPUT && proxy->granularity != sizeof(u64))
		return -EINVAL;

	return check_direction(proxy->target, proxy->eventfd, flags);
}

static int init_side(struct evl_ring *ring, struct evl_stax *stax, size_t size, void (*changed)(struct evl_ring *ring))
{
	int ret = evl_init_ring(ring, size, changed);

	evl_init_stax(stax);
	ring->stax = stax;

	return ret;
}

static int init_rings(struct evl_proxy *proxy, u32 bufsz, u32 flags)
{
	int ret;

	ret = init_side(&proxy->output, &proxy->output_stax, flags & EVL_CLONE_OUTPUT ? bufsz : 0, output_changed);
	ret = init_side(&proxy->input, &proxy->input_stax, flags & EVL_CLONE_INPUT ? bufsz : 0, input_changed) ?: ret;
	proxy->input.granule = proxy->granularity;

	return ret;
}

static bool attrs_are_sane(const struct evl_proxy_attrs *attrs, u32 flags)
{
	if (attrs->bufsz > EVL_PROXY_MAXSZ || (attrs->granularity && attrs->bufsz % attrs->granularity))
		return false;

	return attrs->bufsz || !(flags & (EVL_CLONE_INPUT | EVL_CLONE_OUTPUT));
}

static int init_proxy(struct evl_proxy *proxy, const struct evl_proxy_attrs *attrs, u32 flags)
{
	int ret;

	if (attrs->bufsz && !(flags & (EVL_CLONE_INPUT | EVL_CLONE_OUTPUT)))
		flags |= EVL_CLONE_OUTPUT;

	proxy->granularity = max(attrs->granularity, 1U);
	evl_init_pollq(&proxy->pollq);
	init_waitqueue_head(&proxy->pollers);
	init_irq_work(&proxy->poll_work, wake_pollers);
	init_irq_work(&proxy->kick_output, kick_output);
	init_irq_work(&proxy->kick_input, kick_input);
	INIT_WORK(&proxy->output_work, output_worker);
	INIT_WORK(&proxy->input_work, input_worker);
	ret = init_rings(proxy, attrs->bufsz, flags) ?: attach_target(proxy, attrs, flags);
	if (!ret && attrs->bufsz)
		watch_target(proxy);

	return ret;
}

static struct evl_element *build_proxy(struct evl_factory *fac, const char *name, const void *attrs,
				       u32 clone_flags, struct file *filp)
{
	struct evl_proxy *proxy;
	int ret;

	if (!attrs_are_sane(attrs, clone_flags))
		return ERR_PTR(-EINVAL);

	proxy = kzalloc(sizeof(*proxy), GFP_KERNEL_ACCOUNT);
	if (!proxy)
		return ERR_PTR(-ENOMEM);

	ret = init_proxy(proxy, attrs, clone_flags);
	if (ret)
		goto err_free;

	ret = evl_init_element(&proxy->element, fac, name, clone_flags);
	if (ret)
		goto err_free;

	evl_set_element_owner(&proxy->element, file_inode(filp)->i_uid, file_inode(filp)->i_gid);
	ret = evl_publish_element(&proxy->element);
	if (ret)
		goto err_cancel;

	return &proxy->element;

err_cancel:
	evl_cancel_element(&proxy->element);
err_free:
	free_proxy(proxy);
	return ERR_PTR(ret);
}

static void dispose_proxy(struct evl_element *e)
{
	free_proxy(element_proxy(e));
}

struct evl_factory evl_proxy_factory = {
	.name		= EVL_PROXY_DEV,
	.fops		= &proxy_fops,
	.flags		= EVL_FACTORY_CLONE,
	.clone_mask	= EVL_CLONE_INPUT | EVL_CLONE_OUTPUT,
	.nrdev		= 4096,
	.attrs_size	= sizeof(struct evl_proxy_attrs),
	.build		= build_proxy,
	.evict		= evict_proxy,
	.dispose	= dispose_proxy,
};
