// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flags: a binary event for kernel code. A raise with waiters hands the event to the first of them and
 * leaves the flag lowered; without, the flag stays raised until consumed.
 */
#include "flag.h"

/** evl_init_flag - make a flag, lowered */
void evl_init_flag(struct evl_flag *wf)
{
	__evl_init_waitqueue(&wf->wq, &evl_mono_clock, EVL_WQ_PRIO, "flag");
	wf->raised = false;
}
EVL_EXPORT(evl_init_flag);

/** evl_destroy_flag - end of a flag; waiters leave with -EIDRM; in-band or out-of-band thread */
void evl_destroy_flag(struct evl_flag *wf)
{
	evl_destroy_waitqueue(&wf->wq);
}
EVL_EXPORT(evl_destroy_flag);

/**
 * evl_wait_flag_timeout - wait for a flag, and lower it
 * @wf: the flag
 * @timeout: limit, 0 for none
 * @timeout_mode: EVL_TMODE_REL or EVL_TMODE_ABS
 *
 * Core thread. 0, -ETIMEDOUT, -EINTR, -EIDRM, -EPERM.
 */
int evl_wait_flag_timeout(struct evl_flag *wf, ktime_t timeout, enum evl_tmode timeout_mode)
{
	unsigned long flags;
	ktime_t date;
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	date = evl_wait_date(wf->wq.clock, timeout, timeout_mode);
	evl_wq_lock(&wf->wq, flags);
	if (!wf->raised) {
		ret = __evl_wait(&wf->wq, date);
		hard_local_irq_restore(flags);
		return ret;
	}
	wf->raised = false;
	evl_wq_unlock(&wf->wq, flags);

	return 0;
}
EVL_EXPORT(evl_wait_flag_timeout);

/** evl_raise_flag_nosched - as evl_raise_flag(), leaving rescheduling to the caller */
void evl_raise_flag_nosched(struct evl_flag *wf)
{
	guard(hard_spinlock_irqsave)(&wf->wq.lock);
	if (!evl_wake_up_locked(&wf->wq, EVL_WAKE_GRANT))
		wf->raised = true;
}
EVL_EXPORT(evl_raise_flag_nosched);

/** evl_raise_flag - signal the event; any context */
void evl_raise_flag(struct evl_flag *wf)
{
	unsigned long flags = hard_local_irq_save();

	evl_raise_flag_nosched(wf);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_raise_flag);

/** evl_pulse_flag_nosched - as evl_pulse_flag(), leaving rescheduling to the caller */
void evl_pulse_flag_nosched(struct evl_flag *wf)
{
	guard(hard_spinlock_irqsave)(&wf->wq.lock);
	evl_wake_up_all_locked(&wf->wq, EVL_WAKE_GRANT);
	wf->raised = false;
}
EVL_EXPORT(evl_pulse_flag_nosched);

/** evl_pulse_flag - wake up all present waiters; the flag ends lowered; any context */
void evl_pulse_flag(struct evl_flag *wf)
{
	unsigned long flags = hard_local_irq_save();

	evl_pulse_flag_nosched(wf);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_pulse_flag);

/** evl_flush_flag_nosched - as evl_flush_flag(), leaving rescheduling to the caller */
void evl_flush_flag_nosched(struct evl_flag *wf, int reason)
{
	evl_flush_waitqueue_nosched(&wf->wq, reason);
}
EVL_EXPORT(evl_flush_flag_nosched);

/** evl_flush_flag - wake up all waiters with the code of an EVL_WAKE_* reason; any context */
void evl_flush_flag(struct evl_flag *wf, int reason)
{
	evl_flush_waitqueue(&wf->wq, reason);
}
EVL_EXPORT(evl_flush_flag);

/** evl_clear_flag - lower the flag; any context */
void evl_clear_flag(struct evl_flag *wf)
{
	guard(hard_spinlock_irqsave)(&wf->wq.lock);
	wf->raised = false;
}
EVL_EXPORT(evl_clear_flag);

/** evl_wait_flag_head - who would be woken up first; a hint; any context */
struct evl_thread *evl_wait_flag_head(struct evl_flag *wf)
{
	guard(hard_spinlock_irqsave)(&wf->wq.lock);
	return evl_waitqueue_head(&wf->wq);
}
EVL_EXPORT(evl_wait_flag_head);
