// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flag groups of applications. User space sets and clears bits of the shared value by itself as long as nobody waits.
 *
 * Post versus wait: a waiter counts itself in, then looks at the value; user space sets bits, then looks at the count
 * again, and has the core serve the waiters if it is not zero. Both steps of both sides are fully ordered: one of
 * them sees the other.
 */
#include "monitor.h"
#include "syscall.h"
#include "uaccess.h"

/* What a thread waits for; on its stack, covered by the queue lock while it is in the queue. */
struct mask_wait {
	u32	want;
	bool	exact;
	u32	got;
};

static atomic_t *mask_value(struct evl_monitor *mon)
{
	return evl_state_word(&mon->state->event.value);
}

static atomic_t *nr_waiters(struct evl_monitor *mon)
{
	return evl_state_word(&mon->state->event.waiters);
}

static struct evl_thread *mask_waiter_left(struct evl_waitqueue *wq)
{
	atomic_dec(nr_waiters(evl_wq_monitor(wq)));
	return NULL;
}

static const struct evl_wq_ops mask_wq_ops = {
	.left	= mask_waiter_left,
};

static int init_mask(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs)
{
	atomic_set(mask_value(mon), attrs->initval);
	evl_init_monitor_queue(mon, &mask_wq_ops, "flags");

	return 0;
}

static void evict_mask(struct evl_monitor *mon)
{
	evl_destroy_waitqueue(&mon->wq);
}

/* The bits of @value which satisfy the wait, 0 if they do not. */
static u32 match(const struct mask_wait *w, u32 value)
{
	u32 got = value & w->want;

	return w->exact && got != w->want ? 0 : got;
}

static u32 take_bits(struct evl_monitor *mon, const struct mask_wait *w)
{
	int old = atomic_read(mask_value(mon));
	u32 got;

	do {
		got = match(w, old);
		if (!got)
			return 0;
	} while (!atomic_try_cmpxchg(mask_value(mon), &old, old & ~got));

	return got;
}

/* Queue locked: the waiter has what it came for. */
static void satisfy(struct evl_monitor *mon, struct evl_thread *thread, u32 got)
{
	struct mask_wait *w = thread->wait_data;

	w->got = got;
	atomic_dec(nr_waiters(mon));
	evl_wake_waiter_locked(thread, EVL_WAKE_GRANT);
}

/* Queue locked: in the order of the queue, each takes what it may, and leaves the rest. */
static void serve_in_turn(struct evl_monitor *mon)
{
	struct evl_thread *thread, *tmp;
	u32 got;

	list_for_each_entry_safe(thread, tmp, &mon->wq.waiters, wait_next) {
		if (!atomic_read(mask_value(mon)))
			break;
		got = take_bits(mon, thread->wait_data);
		if (got)
			satisfy(mon, thread, got);
	}
}

/* Queue locked: all see the same value; what at least one of them got is cleared. */
static void serve_all(struct evl_monitor *mon)
{
	u32 value = atomic_read(mask_value(mon)), got, taken = 0;
	struct evl_thread *thread, *tmp;

	list_for_each_entry_safe(thread, tmp, &mon->wq.waiters, wait_next) {
		got = match(thread->wait_data, value);
		if (got) {
			taken |= got;
			satisfy(mon, thread, got);
		}
	}
	atomic_andnot(taken, mask_value(mon));
}

static int set_bits(struct evl_monitor *mon, u32 bits, void (*serve)(struct evl_monitor *mon))
{
	unsigned long flags;

	evl_wq_lock(&mon->wq, flags);
	atomic_or(bits, mask_value(mon));
	serve(mon);
	hard_spin_unlock(&mon->wq.lock);
	evl_notify_monitor(mon);
	evl_schedule();
	hard_local_irq_restore(flags);

	return 0;
}

/* Queue locked. 0: has its bits; -EBUSY: is in the queue. */
static int take_or_join(struct evl_monitor *mon, struct mask_wait *w, ktime_t date, int wait_error)
{
	int ret;

	atomic_inc(nr_waiters(mon));
	/* Pairs with the look at the count after user space has set bits. */
	smp_mb__after_atomic();
	w->got = take_bits(mon, w);
	if (w->got) {
		ret = 0;
	} else {
		evl_current()->wait_data = w;
		ret = wait_error ?: evl_join_queue(&mon->wq, date);
		if (!ret)
			return -EBUSY;
	}
	atomic_dec(nr_waiters(mon));

	return ret;
}

static int wait_mask(struct evl_monitor *mon, struct mask_wait *w, ktime_t date, int wait_error)
{
	struct evl_clock *clock = mon->clock;
	unsigned long flags;
	int ret;

	evl_check_lock_sleep();
	ret = evl_begin_wait();
	if (ret)
		return ret;

	evl_wq_lock(&mon->wq, flags);
	ret = take_or_join(mon, w, date, wait_error);
	hard_spin_unlock(&mon->wq.lock);
	if (ret == -EBUSY)
		ret = evl_sleep_joined(clock, date);
	else if (!ret)
		evl_notify_monitor(mon);
	hard_local_irq_restore(flags);

	return evl_wait_error(ret);
}

static long mask_wait_ioctl(struct evl_monitor *mon, struct file *filp, unsigned long arg, bool exact)
{
	struct evl_monitor_waitreq req;
	struct mask_wait w;
	ktime_t date;
	int ret = evl_get_wait_request(&req, arg, &date);

	if (ret)
		return ret;
	if (req.gatefd || !req.value)
		return -EINVAL;
	if (filp->f_flags & O_NONBLOCK)
		req.status = -EAGAIN;

	w.want = req.value;
	w.exact = exact;
	evl_get_element(&mon->element);
	evl_end_file_use(evl_current());
	ret = wait_mask(mon, &w, date, req.status);
	evl_put_element(&mon->element);
	if (ret)
		return ret;

	req.value = w.got;
	req.status = 0;

	return evl_copy_to_user((void __user *)arg, &req, sizeof(req));
}

static long mask_oob_ioctl(struct evl_monitor *mon, struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_MONIOC_WAIT:
		return mask_wait_ioctl(mon, filp, arg, false);
	case EVL_MONIOC_WAIT_EXACT:
		return mask_wait_ioctl(mon, filp, arg, true);
	default:
		return -ENOTTY;
	}
}

static long post_mask(struct evl_monitor *mon, unsigned long arg, void (*serve)(struct evl_monitor *mon))
{
	u32 bits;
	int ret = evl_copy_from_user(&bits, (void __user *)arg, sizeof(bits));

	if (ret)
		return ret;

	return bits ? set_bits(mon, bits, serve) : -EINVAL;
}

static long mask_ioctl(struct evl_monitor *mon, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_MONIOC_SIGNAL:
		return post_mask(mon, arg, serve_in_turn);
	case EVL_MONIOC_BROADCAST:
		return post_mask(mon, arg, serve_all);
	case EVL_MONIOC_NOTIFY:
		return set_bits(mon, 0, serve_in_turn);
	default:
		return -ENOTTY;
	}
}

static __poll_t poll_mask(struct evl_monitor *mon)
{
	return atomic_read(mask_value(mon)) ? EPOLLIN | EPOLLRDNORM : EPOLLOUT | EPOLLWRNORM;
}

const struct evl_monitor_ops evl_monitor_mask_ops = {
	.init		= init_mask,
	.ioctl		= mask_ioctl,
	.oob_ioctl	= mask_oob_ioctl,
	.evict		= evict_mask,
	.poll		= poll_mask,
};
