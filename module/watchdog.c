// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchdog: in-band must not starve for longer than watchdog_s. While threads live on a CPU, a timer is set
 * for when time would be up. In-band puts it off as it programs its tick, that is, while it lives: a timer which
 * went off now and then to look would meet some wake-up of a thread some day, and make it late. On a CPU where in-band
 * sleeps without a tick for that long it still does, once in watchdog_s.
 * The thread which runs when time is up is brought in-band, and told so by SIGDEBUG. A kernel thread cannot be
 * forced; a message names it.
 *
 * rq->inband_preempted: written at the switch which preempts in-band, read here, by the same CPU, hard off.
 * rq->watchdog_fresh: read and written by the same CPU, hard off.
 */
#include "evl-arch.h"
#include "watchdog.h"
#include "params.h"
#include "sched.h"
#include "thread.h"

static u64 limit(void)
{
	return evl_watchdog_s * (u64)NSEC_PER_SEC;
}

/* Not to be put off again for a quarter of the time. */
static void set_watchdog(struct evl_rq *rq, ktime_t now, u64 delay)
{
	rq->watchdog_fresh = ktime_add_ns(now, limit() / 4);
	evl_start_timer(&rq->watchdog_timer, ktime_add_ns(now, delay), 0);
}

static void stop_runaway(struct evl_thread *curr)
{
	if (evl_thread_is_user(curr))
		evl_kick_thread(curr, EVL_I_KICKED | EVL_I_RUNAWAY);
	else
		pr_warn_ratelimited("kernel thread %s does not leave the CPU\n", curr->element.name);
}

static u64 inband_waiting(struct evl_rq *rq)
{
	if (rq->curr->state & EVL_T_ROOT)
		return 0;

	return evl_arch_cycles_to_ns(evl_arch_cycles() - rq->inband_preempted);
}

/* Context H. Nobody lives here any more: no need to look again. */
static void watchdog_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, watchdog_timer);
	u64 waiting = inband_waiting(rq);

	/* Pairs with evl_watch_rq(): one of us sees the other's thread, or that the timer is off. */
	smp_mb();
	if (!READ_ONCE(rq->nr_threads))
		return;

	if (waiting >= limit()) {
		rq->inband_preempted = evl_arch_cycles();
		stop_runaway(rq->curr);
		waiting = 0;
	}

	set_watchdog(rq, evl_ktime_monotonic(), max_t(u64, limit() - waiting, NSEC_PER_MSEC));
}

/* Hard off, on the CPU of @rq: in-band has not been heard of for some time, and may live. */
void __evl_put_off_watchdog(struct evl_rq *rq)
{
	ktime_t now;

	if (!READ_ONCE(rq->watchdog_timer.queued) || !READ_ONCE(rq->nr_threads))
		return;

	now = evl_ktime_monotonic();
	if (ktime_after(now, rq->watchdog_fresh))
		set_watchdog(rq, now, limit());
}

void evl_init_watchdog(struct evl_rq *rq)
{
	__evl_init_timer(&rq->watchdog_timer, &evl_mono_clock, watchdog_handler, rq->cpu,
			 EVL_TIMER_INTERNAL);
}

/* A thread has come to live on @rq. Any context. */
void evl_watch_rq(struct evl_rq *rq)
{
	/* Pairs with watchdog_handler(): nr_threads was raised before. */
	smp_mb();
	if (evl_watchdog_s && !READ_ONCE(rq->watchdog_timer.queued))
		evl_start_timer(&rq->watchdog_timer, ktime_add_ns(evl_ktime_monotonic(), limit()), 0);
}
