// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCHED_FIFO and SCHED_RR: fixed priorities 1 to 99. A round-robin thread is a FIFO one with a time slice:
 * the scheduler arms a timer of the run queue while it runs, see evl_start_slice() in sched.c.
 */
#include "sched.h"
#include "thread.h"

#include <linux/time64.h>

static void fifo_add_head(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_head(&rq->fifo, thread);
}

static void fifo_add_tail(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_tail(&rq->fifo, thread);
}

static void fifo_del(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_del_level(&rq->fifo, thread);
}

static struct evl_thread *fifo_pick(struct evl_rq *rq)
{
	return evl_pop_level(&rq->fifo);
}

static bool quantum_is_sane(const struct __evl_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_sec < KTIME_SEC_MAX &&
		ts->tv_nsec >= 0 && ts->tv_nsec < NSEC_PER_SEC &&
		(ts->tv_sec || ts->tv_nsec);
}

static int fifo_check(const struct evl_sched_attrs *attrs)
{
	if (attrs->sched_policy == SCHED_RR && !quantum_is_sane(&attrs->sched_rr_quantum))
		return -EINVAL;

	return evl_check_rt_priority(attrs);
}

static void fifo_set(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	if (attrs->sched_policy != SCHED_RR)
		return;

	thread->rr_quantum = ktime_set(attrs->sched_rr_quantum.tv_sec, attrs->sched_rr_quantum.tv_nsec);
	thread->rr_left = thread->rr_quantum;
	thread->state |= EVL_T_RRB;
}

static void fifo_get(struct evl_thread *thread, struct evl_sched_attrs *attrs)
{
	struct timespec64 ts;

	attrs->sched_policy = SCHED_FIFO;
	if (!(thread->state & EVL_T_RRB))
		return;

	ts = ktime_to_timespec64(thread->rr_quantum);
	attrs->sched_policy = SCHED_RR;
	attrs->sched_rr_quantum.tv_sec = ts.tv_sec;
	attrs->sched_rr_quantum.tv_nsec = ts.tv_nsec;
}

const struct evl_sched_class evl_sched_fifo = {
	.name		= "fifo",
	.rank		= 4,
	.add_head	= fifo_add_head,
	.add_tail	= fifo_add_tail,
	.del		= fifo_del,
	.pick		= fifo_pick,
	.check		= fifo_check,
	.set		= fifo_set,
	.get		= fifo_get,
};
