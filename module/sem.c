// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting semaphores for kernel code. A unit given while there are waiters goes straight to the first of
 * them, so that nobody can steal it, and the count is 0 whenever somebody waits.
 */
#include "sem.h"

/** evl_init_ksem - make a semaphore of @value units, INT_MAX at most */
void evl_init_ksem(struct evl_ksem *ksem, unsigned int value)
{
	WARN_ON_ONCE(value > INT_MAX);
	__evl_init_waitqueue(&ksem->wq, &evl_mono_clock, EVL_WQ_PRIO, "sem");
	ksem->count = value;
}
EVL_EXPORT(evl_init_ksem);

/** evl_destroy_ksem - end of a semaphore; waiters leave with -EIDRM; in-band or out-of-band thread */
void evl_destroy_ksem(struct evl_ksem *ksem)
{
	evl_destroy_waitqueue(&ksem->wq);
}
EVL_EXPORT(evl_destroy_ksem);

/**
 * evl_down_timeout - take one unit
 * @ksem: the semaphore
 * @timeout: how long to wait for it at most, 0 for no limit
 *
 * Core thread. 0, -ETIMEDOUT, -EINTR, -EIDRM, -EPERM.
 */
int evl_down_timeout(struct evl_ksem *ksem, ktime_t timeout)
{
	unsigned long flags;
	ktime_t date;
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	date = evl_wait_date(ksem->wq.clock, timeout, EVL_TMODE_REL);
	evl_wq_lock(&ksem->wq, flags);
	if (!ksem->count) {
		ret = __evl_wait(&ksem->wq, date);
		hard_local_irq_restore(flags);
		return ret;
	}
	ksem->count--;
	evl_wq_unlock(&ksem->wq, flags);

	return 0;
}
EVL_EXPORT(evl_down_timeout);

/** evl_trydown - take one unit if there is one; any context; 0 or -EAGAIN */
int evl_trydown(struct evl_ksem *ksem)
{
	guard(hard_spinlock_irqsave)(&ksem->wq.lock);
	if (!ksem->count)
		return -EAGAIN;
	ksem->count--;
	return 0;
}
EVL_EXPORT(evl_trydown);

static void give_unit(struct evl_ksem *ksem)
{
	guard(hard_spinlock_irqsave)(&ksem->wq.lock);
	if (!evl_wake_up_locked(&ksem->wq, EVL_WAKE_GRANT) && !WARN_ON_ONCE(ksem->count >= INT_MAX))
		ksem->count++;
}

/** evl_up - give one unit; any context */
void evl_up(struct evl_ksem *ksem)
{
	unsigned long flags = hard_local_irq_save();

	give_unit(ksem);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_up);

/** evl_broadcast - let all present waiters go on; the count does not change; any context */
void evl_broadcast(struct evl_ksem *ksem)
{
	evl_wake_up_all(&ksem->wq);
}
EVL_EXPORT(evl_broadcast);
