// SPDX-License-Identifier: GPL-2.0-only
/*
 * Periodic timelines of kernel threads. Release points follow the first one at multiples of the period,
 * without drift. The thread lock covers the number of those which were not waited for yet.
 */
#include "kthread.h"
#include "thread.h"

/* Context H: release point. */
static void release_handler(struct evl_timer *timer)
{
	struct evl_thread *thread = container_of(timer, struct evl_thread, ptimer);

	hard_spin_lock(&thread->lock);
	thread->releases += 1 + evl_get_timer_overruns(timer);
	if (thread->state & EVL_T_WAIT)
		evl_unblock_locked(thread, EVL_T_ASLEEP, 0);
	hard_spin_unlock(&thread->lock);
}

void evl_init_period(struct evl_thread *thread)
{
	__evl_init_timer(&thread->ptimer, &evl_mono_clock, release_handler, thread->rq->cpu,
			 EVL_TIMER_GRAVITY_KERNEL);
}

static void reset_period(struct evl_thread *curr, bool set)
{
	guard(hard_spinlock_irqsave)(&curr->lock);
	curr->releases = 0;
	curr->period_set = set;
}

static ktime_t shortest_period(struct evl_clock *clock)
{
	ktime_t least = max_t(ktime_t, clock->master->gravity.kernel, clock->resolution);

	return max_t(ktime_t, least, EVL_MIN_PERIOD);
}

/**
 * evl_set_period - define the timeline of the current kernel thread
 * @clock: its clock
 * @idate: date of the first release, 0: one period from now
 * @period: time between releases, 0 cancels the timeline
 *
 * Core kernel thread. 0; -EINVAL: no clock, or not on this CPU, or the period is too short; -ETIMEDOUT: the date has passed;
 * -EPERM.
 */
int evl_set_period(struct evl_clock *clock, ktime_t idate, ktime_t period)
{
	struct evl_thread *curr = evl_current();
	ktime_t now;

	if (!curr || evl_thread_is_user(curr))
		return -EPERM;

	if (!period) {
		evl_cancel_timer(&curr->ptimer);
		reset_period(curr, false);
		return 0;
	}

	if (!clock || period < shortest_period(clock) || !cpumask_test_cpu(curr->rq->cpu, &clock->affinity))
		return -EINVAL;

	now = evl_read_clock(clock);
	if (!idate)
		idate = ktime_add_safe(now, period);
	else if (ktime_before(idate, now))
		return -ETIMEDOUT;

	evl_cancel_timer(&curr->ptimer);
	evl_move_timer(&curr->ptimer, clock, curr->rq->cpu);
	reset_period(curr, true);
	evl_start_timer(&curr->ptimer, idate, period);

	return 0;
}
EVL_EXPORT(evl_set_period);

/* Thread locked, hard off. */
static unsigned long take_releases(struct evl_thread *curr)
{
	unsigned long nr = curr->releases;

	curr->releases = 0;
	return nr;
}

/* Sleep until the next release point; thread locked on entry and return. */
static int wait_release(struct evl_thread *curr)
{
	int ret;

	if (curr->info & EVL_I_NOWAIT)
		return -EINTR;

	evl_block_locked(curr, EVL_T_WAIT);
	hard_spin_unlock(&curr->lock);
	__evl_schedule();
	hard_spin_lock(&curr->lock);

	ret = curr->info & EVL_I_OUTCOME ? -EINTR : 0;

	return ret;
}

/**
 * evl_wait_period - wait for the next release point
 * @overruns_r: where to store the number of release points missed, or NULL
 *
 * Core kernel thread. 0 on time; -ETIMEDOUT: points were missed, the next wait is for the next point to come;
 * -EINTR; -EAGAIN: there is no timeline; -EPERM.
 */
int evl_wait_period(unsigned long *overruns_r)
{
	struct evl_thread *curr = evl_current();
	unsigned long flags, missed;
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	hard_spin_lock_irqsave(&curr->lock, flags);
	missed = take_releases(curr);
	if (!curr->period_set) {
		ret = -EAGAIN;
	} else if (!missed) {
		ret = wait_release(curr);
		/* The point which was waited for is not a missed one. */
		missed = take_releases(curr);
		missed -= !!missed;
	}
	hard_spin_unlock_irqrestore(&curr->lock, flags);

	if (ret)
		return ret;
	if (overruns_r)
		*overruns_r = missed;

	return missed ? -ETIMEDOUT : 0;
}
EVL_EXPORT(evl_wait_period);
