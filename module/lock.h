/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks of the core: all are hard spinlocks, taken with interrupts masked in the CPU.
 *
 * Order, outermost first; a lock may be taken while holding any of those above it, never the reverse:
 *
 *   descriptor bucket (file.c), kernel thread descriptors
 *   (kthread.c)                                               never nest with anything below
 *   last handle (element.c)                                   only handle buckets inside
 *   wait queue (wait.c)
 *     thread (thread.h)
 *       run queue (sched.h)
 *         timer base (timer.c)                                leaf
 *     handle bucket (element.c)                               leaf
 *
 * Two exceptions, both by trylock: a thread lock is held while its wait queue is tried (wait.c explains),
 * and two run queue locks are taken together in order of CPU number (sched.c).
 * No lock of the core is held while user memory is touched, while a handler or a hook runs, or across
 * a context switch. docs/locking.md argues the whole.
 */
#ifndef _EVL_LOCK_H
#define _EVL_LOCK_H

#include <linux/dovetail.h>
#include <linux/hard_spinlock.h>
#include <linux/irq_pipeline.h>

/*
 * Lock for drivers, taken hard off (plain forms: by the caller): a hard spinlock which also holds back
 * rescheduling on this CPU, so that a wake-up sent under the lock takes effect when it is released.
 */
typedef struct evl_spinlock {
	hard_spinlock_t lock;
} evl_spinlock_t;

#define DEFINE_EVL_SPINLOCK(__name)	\
	evl_spinlock_t __name = { .lock = __HARD_SPIN_LOCK_UNLOCKED }

#define evl_spin_lock_init(__l)		hard_spin_lock_init(&(__l)->lock)

void evl_disable_preempt(void);
void evl_enable_preempt(void);

static inline void evl_spin_lock(evl_spinlock_t *l)
{
	evl_disable_preempt();
	hard_spin_lock(&l->lock);
}

static inline void evl_spin_unlock(evl_spinlock_t *l)
{
	hard_spin_unlock(&l->lock);
	evl_enable_preempt();
}

#define evl_spin_lock_irqsave(__l, __flags)		\
	do {						\
		(__flags) = hard_local_irq_save();	\
		evl_spin_lock(__l);			\
	} while (0)

static inline void evl_spin_unlock_irqrestore(evl_spinlock_t *l, unsigned long flags)
{
	evl_spin_unlock(l);
	hard_local_irq_restore(flags);
}

/* Checks of the callers' stage; a miss is a bug of the core or of a driver. */
#define evl_assert_hard_off()	WARN_ON_ONCE(IS_ENABLED(CONFIG_DEBUG_IRQ_PIPELINE) && !hard_irqs_disabled())
#define evl_assert_oob()	WARN_ON_ONCE(IS_ENABLED(CONFIG_DEBUG_IRQ_PIPELINE) && !running_oob())
#define evl_assert_inband()	WARN_ON_ONCE(IS_ENABLED(CONFIG_DEBUG_IRQ_PIPELINE) && !running_inband())

#endif /* _EVL_LOCK_H */
