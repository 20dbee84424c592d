/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SCHED_TP_H
#define _EVL_SCHED_TP_H

#include "sched-level.h"
#include "timer.h"

struct evl_tp_plan;
struct evl_rq;

/* Part of the run queue: partitions of this CPU. All under the run queue lock. */
struct evl_tp_rq {
	struct evl_tp_plan	*plan;		/* NULL: none installed */
	unsigned long		serial;		/* one more with each plan */
	bool			running;
	ktime_t			frame_start;	/* of the current major frame */
	ktime_t			date;		/* end of the current window */
	struct evl_levels	*open;		/* partition which may run; NULL: none */
	struct evl_levels	*parts;		/* one each; from the first plan on */
	struct evl_levels	unbound;	/* threads which run in any window */
	struct evl_timer	timer;
};

void evl_init_tp(struct evl_tp_rq *tp, int cpu);
void evl_cleanup_tp(struct evl_tp_rq *tp);
long evl_control_tp(struct evl_rq *rq, const void __user *u_param, void __user *u_info);

#endif /* _EVL_SCHED_TP_H */
