// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCHED_WEAK: threads which live in-band and visit the out-of-band stage for the time of a request.
 * Priority 0 stands for ordinary in-band threads, 1 to 99 for in-band real-time ones.
 */
#include "sched.h"
#include "thread.h"

static void weak_add_head(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_head(&rq->weak, thread);
}

static void weak_add_tail(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_tail(&rq->weak, thread);
}

static void weak_del(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_del_level(&rq->weak, thread);
}

static struct evl_thread *weak_pick(struct evl_rq *rq)
{
	return evl_pop_level(&rq->weak);
}

static int weak_check(const struct evl_sched_attrs *attrs)
{
	if (attrs->sched_priority < 0 || attrs->sched_priority > EVL_MAX_PRIO)
		return -EINVAL;
	return 0;
}

static void weak_set(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	thread->state |= EVL_T_WEAK;
}

static void weak_get(struct evl_thread *thread, struct evl_sched_attrs *attrs)
{
	attrs->sched_policy = SCHED_WEAK;
}

const struct evl_sched_class evl_sched_weak = {
	.name		= "weak",
	.rank		= 1,
	.add_head	= weak_add_head,
	.add_tail	= weak_add_tail,
	.del		= weak_del,
	.pick		= weak_pick,
	.check		= weak_check,
	.set		= weak_set,
	.get		= weak_get,
};
