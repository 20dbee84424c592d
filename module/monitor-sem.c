// SPDX-License-Identifier: GPL-2.0-only
/*
 * Semaphores of applications. The shared count is positive: units; or minus the number of waiters. User space
 * changes it by itself as long as it does not become or stay negative. A unit which is put while there are waiters
 * goes straight to the first of them.
 *
 * The count follows the queue in one step: a waiter decrements it before it joins, who takes it out of the queue, for
 * whatever reason, increments it, all under the queue lock.
 */
#include "monitor.h"
#include "syscall.h"
#include "uaccess.h"

static atomic_t *sem_count(struct evl_monitor *mon)
{
	return evl_state_word(&mon->state->event.value);
}

static struct evl_thread *sem_waiter_left(struct evl_waitqueue *wq)
{
	atomic_inc(sem_count(evl_wq_monitor(wq)));
	return NULL;
}

static const struct evl_wq_ops sem_wq_ops = {
	.left	= sem_waiter_left,
};

static int init_sem(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs)
{
	if (attrs->initval > INT_MAX)
		return -EINVAL;

	atomic_set(sem_count(mon), attrs->initval);
	evl_init_monitor_queue(mon, &sem_wq_ops, "semaphore");

	return 0;
}

static void evict_sem(struct evl_monitor *mon)
{
	evl_destroy_waitqueue(&mon->wq);
}

/* Queue locked. 0: has one unit; else the error, or -EBUSY: has to wait, and is in the queue. */
static int take_or_join(struct evl_monitor *mon, ktime_t date, int wait_error)
{
	int count = atomic_dec_return(sem_count(mon)), ret;

	if (count >= 0)
		return 0;

	ret = wait_error ?: evl_join_queue(&mon->wq, date);
	if (!ret)
		return -EBUSY;

	atomic_inc(sem_count(mon));

	return ret;
}

static int wait_sem(struct evl_monitor *mon, ktime_t date, int wait_error)
{
	struct evl_clock *clock = mon->clock;
	unsigned long flags;
	int ret;

	evl_check_lock_sleep();
	ret = evl_begin_wait();
	if (ret)
		return ret;

	evl_wq_lock(&mon->wq, flags);
	ret = take_or_join(mon, date, wait_error);
	hard_spin_unlock(&mon->wq.lock);
	if (ret == -EBUSY)
		ret = evl_sleep_joined(clock, date);
	hard_local_irq_restore(flags);

	return evl_wait_error(ret);
}

static long sem_wait_ioctl(struct evl_monitor *mon, struct file *filp, unsigned long arg)
{
	struct evl_monitor_waitreq req;
	ktime_t date;
	int ret = evl_get_wait_request(&req, arg, &date);

	if (ret)
		return ret;
	if (req.gatefd || req.value)
		return -EINVAL;
	if (filp->f_flags & O_NONBLOCK)
		req.status = -EAGAIN;

	evl_get_element(&mon->element);
	evl_end_file_use(evl_current());
	ret = wait_sem(mon, date, req.status);
	evl_put_element(&mon->element);

	return ret;
}

static long sem_oob_ioctl(struct evl_monitor *mon, struct file *filp, unsigned int cmd, unsigned long arg)
{
	return cmd == EVL_MONIOC_WAIT ? sem_wait_ioctl(mon, filp, arg) : -ENOTTY;
}

static bool inc_below_max(atomic_t *count)
{
	int old = atomic_read(count);

	do
		if (old == INT_MAX)
			return false;
	while (!atomic_try_cmpxchg(count, &old, old + 1));

	return true;
}

static int put_sem(struct evl_monitor *mon)
{
	unsigned long flags;
	int ret = 0;

	evl_wq_lock(&mon->wq, flags);
	if (inc_below_max(sem_count(mon)))
		evl_wake_up_locked(&mon->wq, EVL_WAKE_GRANT);
	else
		ret = -EOVERFLOW;
	hard_spin_unlock(&mon->wq.lock);
	evl_notify_monitor(mon);
	evl_schedule();
	hard_local_irq_restore(flags);

	return ret;
}

static int flush_sem(struct evl_monitor *mon)
{
	unsigned long flags;

	evl_wq_lock(&mon->wq, flags);
	while (evl_wake_up_locked(&mon->wq, EVL_WAKE_FLUSHED))
		atomic_inc(sem_count(mon));
	hard_spin_unlock(&mon->wq.lock);
	evl_schedule();
	hard_local_irq_restore(flags);

	return 0;
}

static long sem_ioctl(struct evl_monitor *mon, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_MONIOC_SIGNAL:
		return put_sem(mon);
	case EVL_MONIOC_BROADCAST:
		return flush_sem(mon);
	case EVL_MONIOC_NOTIFY:
		evl_notify_monitor(mon);
		evl_schedule();
		return 0;
	default:
		return -ENOTTY;
	}
}

static __poll_t poll_sem(struct evl_monitor *mon)
{
	return atomic_read(sem_count(mon)) > 0 ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct evl_monitor_ops evl_monitor_sem_ops = {
	.init		= init_sem,
	.ioctl		= sem_ioctl,
	.oob_ioctl	= sem_oob_ioctl,
	.evict		= evict_sem,
	.poll		= poll_sem,
};
