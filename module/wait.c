// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait queues, sleeps, and wake-ups of all kinds.
 *
 * Lock order: wait queue lock > thread lock > run queue lock > timer base lock.
 *
 * Who wakes a thread up, for whatever reason, unlinks it from its queue in the same step, under both the
 * queue lock and the thread lock. Exactly one of a grant, a timeout, a forced unblocking and the removal of
 * the queue therefore succeeds, and a thread which was woken up needs not touch the queue again. The side
 * which comes from the queue takes the locks in order. The side which comes from the thread (timeout,
 * unblocking, kick) holds the thread lock, which keeps evl_thread.wchan and the memory behind it valid, and
 * may only try the queue lock; on failure it lets the thread lock go, lest the other side starve, and
 * starts over:
 *
 *   queue side                          thread side
 *   lock queue                          lock thread
 *   first waiter                        no longer waiting: done, lost the race
 *   lock thread                         try queue: busy: unlock thread, start over
 *   unlink, wchan = NULL, unblock       unlink, wchan = NULL, unlock queue, unblock
 *
 * Signal kick versus block: the kick raises EVL_I_KICKED under the thread lock, then wakes the thread
 * if it sleeps; the sleeper looks at it under the thread lock before it sleeps. One of them sees the other.
 *
 * The timer of a wait fires on the CPU of the thread. Hard interrupts are off there from the start of the
 * timer until the thread has left the CPU, and the thread stops it first thing when it is back: no expiry
 * reaches a later wait.
 */
#include "wait.h"
#include "rank.h"
#include "trace.h"

/**
 * __evl_init_waitqueue - make an empty wait queue
 * @wq: the queue
 * @clock: of the limits of waits
 * @order: EVL_WQ_PRIO or EVL_WQ_FIFO
 * @name: shown by monitoring tools, constant
 */
void __evl_init_waitqueue(struct evl_waitqueue *wq, struct evl_clock *clock, int order, const char *name)
{
	hard_spin_lock_init(&wq->lock);
	INIT_LIST_HEAD(&wq->waiters);
	wq->clock = clock;
	wq->order = order;
	wq->dead = false;
	wq->name = name;
	wq->ops = NULL;
}
EVL_EXPORT(__evl_init_waitqueue);

/* wq locked: behind those of the same priority. */
static void add_waiter(struct evl_waitqueue *wq, struct evl_thread *thread)
{
	struct evl_thread *pos;

	if (wq->order == EVL_WQ_PRIO) {
		list_for_each_entry_reverse(pos, &wq->waiters, wait_next) {
			if (!evl_outranks(thread, pos)) {
				list_add(&thread->wait_next, &pos->wait_next);
				return;
			}
		}
		list_add(&thread->wait_next, &wq->waiters);
		return;
	}

	list_add_tail(&thread->wait_next, &wq->waiters);
}

static u32 reason_to_info(int reason)
{
	switch (reason) {
	case EVL_WAKE_GRANT:
		return 0;
	case EVL_WAKE_REMOVED:
		return EVL_I_RMID;
	case EVL_WAKE_EXPIRED:
		return EVL_I_TIMEO;
	case EVL_WAKE_FLUSHED:
		return EVL_I_FLUSH;
	default:
		return EVL_I_BREAK;
	}
}

static int outcome(const struct evl_thread *curr)
{
	if (curr->info & EVL_I_RMID)
		return -EIDRM;
	if (curr->info & EVL_I_TIMEO)
		return -ETIMEDOUT;
	if (curr->info & (EVL_I_BREAK | EVL_I_SIGNAL))
		return -EINTR;
	if (curr->info & EVL_I_FLUSH)
		return -EAGAIN;
	return 0;
}

/* thread locked, and wq if there is one. */
static void wake_locked(struct evl_thread *thread, u32 info)
{
	if (thread->wchan) {
		list_del(&thread->wait_next);
		WRITE_ONCE(thread->wchan, NULL);
	}

	evl_trace(evl_wakeup, thread, thread->state & EVL_T_ASLEEP, info);
	evl_unblock_locked(thread, EVL_T_ASLEEP, info);
}

/*
 * Lock a thread and, if it waits in a queue, this queue as well. Hard off; the caller holds no queue lock.
 * Returns the queue.
 */
struct evl_waitqueue *evl_lock_thread_and_queue(struct evl_thread *thread)
{
	struct evl_waitqueue *wq;

	for (;;) {
		hard_spin_lock(&thread->lock);
		wq = thread->wchan;
		if (!wq || hard_spin_trylock(&wq->lock))
			return wq;
		hard_spin_unlock(&thread->lock);
		cpu_relax();
	}
}

void evl_unlock_thread_and_queue(struct evl_thread *thread, struct evl_waitqueue *wq)
{
	if (wq)
		hard_spin_unlock(&wq->lock);
	hard_spin_unlock(&thread->lock);
}

/*
 * Wake a thread up by force if it sleeps for one of @mask. Any context, hard off, without rescheduling.
 * Returns whether it did. The queue stays locked until its owner was told: nobody destroys it meanwhile.
 */
bool evl_wake_thread(struct evl_thread *thread, u32 mask, u32 info)
{
	struct evl_waitqueue *wq = evl_lock_thread_and_queue(thread);
	struct evl_thread *next = NULL;
	bool asleep = thread->state & mask && !(info & EVL_I_SIGNAL && thread->deaf);

	if (asleep)
		wake_locked(thread, info);
	hard_spin_unlock(&thread->lock);

	if (wq) {
		if (asleep && wq->ops)
			next = wq->ops->left(wq);
		hard_spin_unlock(&wq->lock);
	}
	evl_follow_rank(next);

	return asleep;
}

/*
 * The priority of @thread has changed: give it its new place in the queue it waits in. Hard off. Returns whose
 * priority this changes, see struct evl_wq_ops.
 */
struct evl_thread *evl_requeue_waiter(struct evl_thread *thread)
{
	struct evl_waitqueue *wq = evl_lock_thread_and_queue(thread);
	struct evl_thread *next = NULL;

	if (wq) {
		list_del(&thread->wait_next);
		add_waiter(wq, thread);
	}
	hard_spin_unlock(&thread->lock);

	if (wq) {
		if (wq->ops && wq->ops->moved)
			next = wq->ops->moved(wq);
		hard_spin_unlock(&wq->lock);
	}

	return next;
}

/*
 * A waiter goes on waiting elsewhere, without limit. Both queues and the thread locked, hard off.
 */
void evl_move_waiter_locked(struct evl_thread *thread, struct evl_waitqueue *to)
{
	struct evl_rq *rq = thread->rq;

	list_del(&thread->wait_next);
	add_waiter(to, thread);
	WRITE_ONCE(thread->wchan, to);

	/* An expiry from now on finds no limit running. */
	hard_spin_lock(&rq->lock);
	thread->state &= ~EVL_T_DELAY;
	thread->info |= EVL_I_MOVED;
	hard_spin_unlock(&rq->lock);
}

/**
 * evl_begin_wait - first step of any service which may block
 *
 * The caller has to be a core thread, and goes out-of-band if it
 * is not there. -EPERM, -EINTR (a signal is pending, nothing was done), -EINVAL (no CPU for it).
 */
int evl_begin_wait(void)
{
	if (!evl_current())
		return -EPERM;

	if (running_inband())
		return evl_switch_oob();

	if (WARN_ON_ONCE(evl_this_rq()->in_irq || evl_current_state()->preempt_count))
		return -EPERM;

	return 0;
}
EVL_EXPORT(evl_begin_wait);

/* What adds up safely for mainline is far in the future for a sum which is less than a part of it. */
static ktime_t date_after(struct evl_clock *clock, ktime_t delay)
{
	return delay > 0 ? ktime_add_safe(evl_read_clock(clock), delay) : 1;
}

/**
 * evl_wait_date - absolute date of a limit, EVL_INFINITE for none
 * @clock: what the date is of
 * @timeout: limit, 0 for none
 * @mode: EVL_TMODE_REL or EVL_TMODE_ABS
 *
 * Any context. The past is past, whatever its sign.
 */
ktime_t evl_wait_date(struct evl_clock *clock, ktime_t timeout, enum evl_tmode mode)
{
	if (!timeout)
		return EVL_INFINITE;

	return mode == EVL_TMODE_REL ? date_after(clock, timeout) : max_t(ktime_t, timeout, 1);
}
EVL_EXPORT(evl_wait_date);

/* The timer of a wait lives on the CPU of the thread, where the device of a driver's clock need not tick. */
static bool is_served(struct evl_clock *clock)
{
	return likely(clock->master == &evl_mono_clock) ||
		cpumask_test_cpu(raw_smp_processor_id(), &clock->affinity);
}

static bool is_past(struct evl_clock *clock, ktime_t date)
{
	return date != EVL_INFINITE && !ktime_after(date, evl_read_clock(clock));
}

/*
 * Leave the CPU until woken up, @date at the latest. Hard off, thread blocked, no lock held but @wq maybe,
 * which is let go. Hard off on return.
 */
static int sleep_until_woken(struct evl_thread *curr, struct evl_waitqueue *wq,
			     struct evl_clock *clock, ktime_t date)
{
	if (date != EVL_INFINITE) {
		evl_move_timer(&curr->rtimer, clock, curr->rq->cpu);
		evl_start_timer(&curr->rtimer, date, 0);
	}

	if (wq)
		hard_spin_unlock(&wq->lock);

	__evl_schedule();

	/* A handler that is late, on the CPU where the thread was, must not meet the next wait. */
	if (date != EVL_INFINITE)
		evl_cancel_timer(&curr->rtimer);

	return outcome(curr);
}

/*
 * First half of a wait: the caller is in the queue and blocked, but keeps the CPU until evl_sleep_joined().
 * Out-of-band, queue locked, hard off, and so on return. 0; -ETIMEDOUT, -EINTR, -EIDRM, -EINVAL: not queued.
 */
int evl_join_queue(struct evl_waitqueue *wq, ktime_t date)
{
	struct evl_thread *curr = evl_current();
	u32 mask = EVL_T_PEND;

	if (wq->dead)
		return -EIDRM;

	if (is_past(wq->clock, date))
		return -ETIMEDOUT;

	if (date != EVL_INFINITE && !is_served(wq->clock))
		return -EINVAL;

	guard(hard_spinlock)(&curr->lock);
	if (curr->info & (curr->deaf ? EVL_I_STOPPED : EVL_I_NOWAIT))
		return -EINTR;

	evl_trace(evl_wait, curr, wq->name);
	add_waiter(wq, curr);
	curr->nr_waits++;
	WRITE_ONCE(curr->wchan, wq);
	if (date != EVL_INFINITE)
		mask |= EVL_T_DELAY;
	evl_block_locked(curr, mask);

	return 0;
}

/* From here on signals do not end waits of the current thread, or do again. Hard off. */
void evl_set_deaf(bool deaf)
{
	struct evl_thread *curr = evl_current();

	guard(hard_spinlock)(&curr->lock);
	curr->deaf = deaf;
}

/*
 * Second half. Hard off since the first one, no lock held. The caller may have been woken up meanwhile, and
 * @clock is all that may be known of the queue: it may be gone.
 */
int evl_sleep_joined(struct evl_clock *clock, ktime_t date)
{
	return sleep_until_woken(evl_current(), NULL, clock, date);
}

/**
 * __evl_wait - wait in a queue
 * @wq: the queue
 * @date: limit, EVL_INFINITE for none
 *
 * Out-of-band, queue locked, hard off; returns with the queue unlocked and hard off.
 * 0 for a grant, -ETIMEDOUT, -EINTR, -EINVAL: the clock does not tick on this CPU, -EIDRM: the queue may be gone.
 */
int __evl_wait(struct evl_waitqueue *wq, ktime_t date)
{
	int ret = evl_join_queue(wq, date);

	if (ret) {
		hard_spin_unlock(&wq->lock);
		return ret;
	}

	return sleep_until_woken(evl_current(), wq, wq->clock, date);
}
EVL_EXPORT(__evl_wait);

/**
 * evl_wait_locked - wait in a queue which the caller has locked
 * @wq: locked, out-of-band; locked again on return, except for -EIDRM
 * @timeout: limit, 0 for none
 * @mode: EVL_TMODE_REL or EVL_TMODE_ABS
 *
 * Returns 0, -ETIMEDOUT, -EINTR, -EINVAL (see __evl_wait()), or -EIDRM: the queue has been destroyed and is left alone, only hard
 * interrupts are off.
 */
int evl_wait_locked(struct evl_waitqueue *wq, ktime_t timeout, enum evl_tmode mode)
{
	int ret = __evl_wait(wq, evl_wait_date(wq->clock, timeout, mode));

	if (ret != -EIDRM)
		hard_spin_lock(&wq->lock);

	return ret;
}
EVL_EXPORT(evl_wait_locked);

/* Wake up a waiter of a queue which is locked; no rescheduling. */
void evl_wake_waiter_locked(struct evl_thread *thread, int reason)
{
	guard(hard_spinlock)(&thread->lock);
	wake_locked(thread, reason_to_info(reason));
}

/** evl_wake_up_locked - wake up the first waiter for an EVL_WAKE_* reason; queue locked, no rescheduling */
struct evl_thread *evl_wake_up_locked(struct evl_waitqueue *wq, int reason)
{
	struct evl_thread *thread = evl_waitqueue_head(wq);

	if (thread)
		evl_wake_waiter_locked(thread, reason);

	return thread;
}
EVL_EXPORT(evl_wake_up_locked);

/**
 * evl_wake_up_all_locked - wake up all waiters
 * @wq: the queue
 * @reason: EVL_WAKE_*
 *
 * Queue locked, no rescheduling. Returns how many there were, which is bounded by the number of threads.
 */
int evl_wake_up_all_locked(struct evl_waitqueue *wq, int reason)
{
	int nr = 0;

	while (evl_wake_up_locked(wq, reason))
		nr++;

	return nr;
}
EVL_EXPORT(evl_wake_up_all_locked);

/** evl_wake_up_nosched - as evl_wake_up(), leaving rescheduling to the caller */
struct evl_thread *evl_wake_up_nosched(struct evl_waitqueue *wq)
{
	guard(hard_spinlock_irqsave)(&wq->lock);
	return evl_wake_up_locked(wq, EVL_WAKE_GRANT);
}
EVL_EXPORT(evl_wake_up_nosched);

/** evl_flush_waitqueue_nosched - as evl_flush_waitqueue(), leaving rescheduling to the caller */
int evl_flush_waitqueue_nosched(struct evl_waitqueue *wq, int reason)
{
	guard(hard_spinlock_irqsave)(&wq->lock);
	return evl_wake_up_all_locked(wq, reason);
}
EVL_EXPORT(evl_flush_waitqueue_nosched);

/** evl_wake_up_all_nosched - as evl_wake_up_all(), leaving rescheduling to the caller */
int evl_wake_up_all_nosched(struct evl_waitqueue *wq)
{
	return evl_flush_waitqueue_nosched(wq, EVL_WAKE_GRANT);
}
EVL_EXPORT(evl_wake_up_all_nosched);

/**
 * evl_wake_up - wake up the first waiter
 * @wq: the queue
 *
 * Any context. Hard interrupts stay off over the wake-up and the rescheduling: an in-band caller which was
 * moved to another CPU in between would reschedule there. Returns the thread, NULL if there was none.
 */
struct evl_thread *evl_wake_up(struct evl_waitqueue *wq)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_thread *thread = evl_wake_up_nosched(wq);

	evl_schedule();
	hard_local_irq_restore(flags);

	return thread;
}
EVL_EXPORT(evl_wake_up);

/**
 * evl_flush_waitqueue - wake up all waiters
 * @wq: the queue
 * @reason: EVL_WAKE_*, tells what their waits return
 *
 * Any context. Returns how many there were.
 */
int evl_flush_waitqueue(struct evl_waitqueue *wq, int reason)
{
	unsigned long flags = hard_local_irq_save();
	int nr = evl_flush_waitqueue_nosched(wq, reason);

	evl_schedule();
	hard_local_irq_restore(flags);

	return nr;
}
EVL_EXPORT(evl_flush_waitqueue);

/** evl_wake_up_all - wake up all waiters, whose waits return 0; any context; returns how many there were */
int evl_wake_up_all(struct evl_waitqueue *wq)
{
	return evl_flush_waitqueue(wq, EVL_WAKE_GRANT);
}
EVL_EXPORT(evl_wake_up_all);

/**
 * evl_destroy_waitqueue - end of a wait queue
 * @wq: the queue
 *
 * In-band or out-of-band thread. Waiters leave with -EIDRM, and so does who tries to wait from now on: a
 * request which began before may still get here. Who frees the memory makes sure first that all of them are
 * out; for a file, evl_release_file() does.
 */
void evl_destroy_waitqueue(struct evl_waitqueue *wq)
{
	unsigned long flags;

	evl_wq_lock(wq, flags);
	wq->dead = true;
	evl_wake_up_all_locked(wq, EVL_WAKE_REMOVED);
	hard_spin_unlock(&wq->lock);
	evl_schedule();
	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_destroy_waitqueue);

/**
 * evl_unblock_thread - force a thread out of its wait
 * @thread: kept by the caller
 * @reason: EVL_WAKE_*, tells what the wait returns
 *
 * Any context. 1: it was asleep; 0: it was not, and nothing is remembered.
 */
int evl_unblock_thread(struct evl_thread *thread, int reason)
{
	unsigned long flags = hard_local_irq_save();
	bool asleep = evl_wake_thread(thread, EVL_T_ASLEEP, reason_to_info(reason));

	evl_schedule();
	hard_local_irq_restore(flags);

	return asleep;
}
EVL_EXPORT(evl_unblock_thread);

/*
 * Sleep until @date of the clock of @wq, where nobody but the owner of @wq wakes anybody up. Out-of-band or
 * in-band core thread. 0, -EINTR, -EPERM, -EINVAL: no CPU, -EIDRM: the queue has gone.
 */
int evl_sleep_in(struct evl_waitqueue *wq, ktime_t date)
{
	unsigned long flags;
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	evl_wq_lock(wq, flags);
	ret = __evl_wait(wq, date);
	hard_local_irq_restore(flags);

	return ret == -ETIMEDOUT ? 0 : ret;
}

/*
 * Sleep until @date of @clock. Out-of-band or in-band core thread. 0, -EINTR, -EPERM, -EINVAL: no CPU.
 */
int evl_sleep_on_clock(ktime_t date, struct evl_clock *clock)
{
	struct evl_thread *curr = evl_current();
	unsigned long flags;
	int ret = evl_begin_wait();

	if (ret || is_past(clock, date))
		return ret;
	if (!is_served(clock))
		return -EINVAL;

	flags = hard_local_irq_save();
	hard_spin_lock(&curr->lock);
	if (curr->info & EVL_I_NOWAIT) {
		hard_spin_unlock(&curr->lock);
		ret = -EINTR;
	} else {
		evl_block_locked(curr, EVL_T_DELAY);
		hard_spin_unlock(&curr->lock);
		ret = sleep_until_woken(curr, NULL, clock, date);
	}
	hard_local_irq_restore(flags);

	return ret == -ETIMEDOUT ? 0 : ret;
}

/**
 * evl_delay - sleep
 * @timeout: date or duration
 * @timeout_mode: EVL_TMODE_ABS or EVL_TMODE_REL
 * @clock: the clock of @timeout
 *
 * Core thread. A duration is served by the monotonic clock, which cannot jump. Returns 0 when the whole delay
 * elapsed, or could not begin; else what remained of it.
 */
ktime_t evl_delay(ktime_t timeout, enum evl_tmode timeout_mode, struct evl_clock *clock)
{
	ktime_t date = timeout, left;

	if (timeout_mode == EVL_TMODE_REL) {
		if (clock->master == &evl_mono_clock)
			clock = &evl_mono_clock;
		date = date_after(clock, timeout);
	}

	if (evl_sleep_on_clock(max_t(ktime_t, date, 1), clock) != -EINTR)
		return 0;

	left = ktime_sub(date, evl_read_clock(clock));
	return max_t(ktime_t, left, 1);
}
EVL_EXPORT(evl_delay);

/** evl_sleep_until - sleep until a date of the monotonic clock; core thread; 0 or -EINTR */
int evl_sleep_until(ktime_t timeout)
{
	return evl_sleep_on_clock(max_t(ktime_t, timeout, 1), &evl_mono_clock);
}
EVL_EXPORT(evl_sleep_until);

/** evl_sleep - sleep for a while; core thread; 0 or -EINTR */
int evl_sleep(ktime_t delay)
{
	return evl_sleep_until(date_after(&evl_mono_clock, delay));
}
EVL_EXPORT(evl_sleep);
