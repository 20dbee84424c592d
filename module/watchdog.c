// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchdog: in-band must not starve for longer than watchdog_s. While threads live on a CPU, a timer looks
 * now and then how long in-band has been waiting there. The thread which runs when time is up is brought
 * in-band, and told so by SIGDEBUG. A kernel thread cannot be forced; a message names it.
 *
 * rq->inband_preempted: written at the switch which preempts in-band, read here, by the same CPU, hard off.
 */
#include "evl-arch.h"
#include "watchdog.h"
#include "params.h"
#include "sched.h"
#include "thread.h"

/* Four looks per delay: a runaway thread is caught after one delay, and a quarter of it at most. */
static ktime_t look_interval(void)
{
	return ms_to_ktime(evl_watchdog_s * (u64)MSEC_PER_SEC / 4);
}

static void stop_runaway(struct evl_thread *curr)
{
	if (evl_thread_is_user(curr))
		evl_kick_thread(curr, EVL_I_KICKED | EVL_I_RUNAWAY);
	else
		pr_warn_ratelimited("kernel thread %s does not leave the CPU\n", curr->element.name);
}

/* Context H. Nobody lives here any more: no need to look again. */
static void watchdog_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, watchdog_timer);
	struct evl_thread *curr = rq->curr;
	u64 waiting = evl_arch_cycles_to_ns(evl_arch_cycles() - rq->inband_preempted);

	if (!READ_ONCE(rq->nr_threads))
		return;

	if (!(curr->state & EVL_T_ROOT) &&
	    waiting > evl_watchdog_s * (u64)NSEC_PER_SEC) {
		rq->inband_preempted = evl_arch_cycles();
		stop_runaway(curr);
	}

	evl_start_timer(timer, ktime_add(evl_ktime_monotonic(), look_interval()), 0);
}

void evl_init_watchdog(struct evl_rq *rq)
{
	__evl_init_timer(&rq->watchdog_timer, &evl_mono_clock, watchdog_handler, rq->cpu,
			 EVL_TIMER_INTERNAL);
}

/* A thread has come to live on @rq. Any context. */
void evl_watch_rq(struct evl_rq *rq)
{
	if (evl_watchdog_s && !READ_ONCE(rq->watchdog_timer.queued))
		evl_start_timer(&rq->watchdog_timer, ktime_add(evl_ktime_monotonic(), look_interval()), 0);
}
