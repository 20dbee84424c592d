// SPDX-License-Identifier: GPL-2.0-only
/*
 * The class of the placeholders. One placeholder per CPU stands for the in-band stage; it is always
 * runnable, in no queue, and what remains when no other class has anything to run. It cannot be asked for.
 */
#include "sched.h"
#include "thread.h"

static struct evl_thread *idle_pick(struct evl_rq *rq)
{
	return rq->root;
}

static int idle_check(const struct evl_sched_attrs *attrs)
{
	return -EINVAL;
}

const struct evl_sched_class evl_sched_idle = {
	.name		= "idle",
	.rank		= 0,
	.pick		= idle_pick,
	.check		= idle_check,
};
