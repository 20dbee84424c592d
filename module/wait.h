/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_WAIT_H
#define _EVL_WAIT_H

#include "thread.h"
#include "waitqueue.h"

/* No limit, for the dates of this file. */
#define EVL_INFINITE	((ktime_t)0)

#define __EVL_WAITQUEUE_INITIALIZER(__wq, __name) {			\
	.lock = __HARD_SPIN_LOCK_UNLOCKED,		\
	.order = EVL_WQ_PRIO,						\
	.clock = &evl_mono_clock,					\
	.waiters = LIST_HEAD_INIT((__wq).waiters),			\
	.name = __name,							\
}

#define DEFINE_EVL_WAITQUEUE(__wq)	\
	struct evl_waitqueue __wq = __EVL_WAITQUEUE_INITIALIZER(__wq, #__wq)

#define evl_init_waitqueue(__wq, __clock, __order)	\
	__evl_init_waitqueue(__wq, __clock, __order, #__wq)

#define evl_wq_lock(__wq, __flags)	hard_spin_lock_irqsave(&(__wq)->lock, __flags)
#define evl_wq_unlock(__wq, __flags)	hard_spin_unlock_irqrestore(&(__wq)->lock, __flags)

int evl_begin_wait(void);
ktime_t evl_wait_date(struct evl_clock *clock, ktime_t timeout, enum evl_tmode mode);
int __evl_wait(struct evl_waitqueue *wq, ktime_t date);
int evl_join_queue(struct evl_waitqueue *wq, ktime_t date);
void evl_set_deaf(bool deaf);
int evl_sleep_joined(struct evl_clock *clock, ktime_t date);
int evl_wait_locked(struct evl_waitqueue *wq, ktime_t timeout, enum evl_tmode mode);

void evl_wake_waiter_locked(struct evl_thread *thread, int reason);
struct evl_thread *evl_wake_up_locked(struct evl_waitqueue *wq, int reason);
int evl_wake_up_all_locked(struct evl_waitqueue *wq, int reason);
struct evl_thread *evl_wake_up_nosched(struct evl_waitqueue *wq);
int evl_wake_up_all_nosched(struct evl_waitqueue *wq);
int evl_flush_waitqueue_nosched(struct evl_waitqueue *wq, int reason);
struct evl_thread *evl_wake_up(struct evl_waitqueue *wq);
int evl_wake_up_all(struct evl_waitqueue *wq);
int evl_flush_waitqueue(struct evl_waitqueue *wq, int reason);

bool evl_wake_thread(struct evl_thread *thread, u32 mask, u32 info);
struct evl_thread *evl_requeue_waiter(struct evl_thread *thread);
void evl_move_waiter_locked(struct evl_thread *thread, struct evl_waitqueue *to);
struct evl_waitqueue *evl_lock_thread_and_queue(struct evl_thread *thread);
void evl_unlock_thread_and_queue(struct evl_thread *thread, struct evl_waitqueue *wq);

/* Both with the queue locked. */
static inline bool evl_waitqueue_active(struct evl_waitqueue *wq)
{
	return !list_empty(&wq->waiters);
}

static inline struct evl_thread *evl_waitqueue_head(struct evl_waitqueue *wq)
{
	return list_first_entry_or_null(&wq->waiters, struct evl_thread, wait_next);
}

/**
 * evl_wait_event_timeout - wait for a condition, no longer than told
 * @__wq: queue whose lock protects the state @__cond looks at
 * @__timeout: limit, 0 for none
 * @__mode: EVL_TMODE_REL or EVL_TMODE_ABS
 * @__cond: evaluated with the queue locked, hence short
 *
 * Out-of-band, or in-band from a core thread, which is switched first. 0: the condition holds; it wins
 * over anything else which happened meanwhile. -ETIMEDOUT, -EINTR, -EIDRM (the queue was not touched
 * any more), -EPERM not a core thread.
 */
#define evl_wait_event_timeout(__wq, __timeout, __mode, __cond)				\
({											\
	int __ret = evl_begin_wait();							\
											\
	if (!__ret) {									\
		ktime_t __date = evl_wait_date((__wq)->clock, __timeout, __mode);	\
		unsigned long __wqf;							\
											\
		evl_wq_lock(__wq, __wqf);						\
		for (;;) {								\
			if (__cond) {							\
				__ret = 0;						\
				evl_wq_unlock(__wq, __wqf);				\
				break;							\
			}								\
			if (__ret) {							\
				evl_wq_unlock(__wq, __wqf);				\
				break;							\
			}								\
			__ret = __evl_wait(__wq, __date);				\
			if (__ret == -EIDRM) {						\
				hard_local_irq_restore(__wqf);				\
				break;							\
			}								\
			hard_spin_lock(&(__wq)->lock);					\
		}									\
	}										\
	__ret;										\
})

/** evl_wait_event - wait for a condition, without limit; see evl_wait_event_timeout() */
#define evl_wait_event(__wq, __cond)	\
	evl_wait_event_timeout(__wq, EVL_INFINITE, EVL_TMODE_REL, __cond)

ktime_t evl_delay(ktime_t timeout, enum evl_tmode timeout_mode, struct evl_clock *clock);
int evl_sleep_in(struct evl_waitqueue *wq, ktime_t date);
int evl_sleep_on_clock(ktime_t date, struct evl_clock *clock);
int evl_sleep_until(ktime_t timeout);
int evl_sleep(ktime_t delay);

#endif /* _EVL_WAIT_H */
