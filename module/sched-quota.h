/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SCHED_QUOTA_H
#define _EVL_SCHED_QUOTA_H

#include "sched-level.h"
#include "timer.h"

struct evl_quota_group;
struct evl_rq;

/* Part of the run queue: groups of this CPU. All under the run queue lock. */
struct evl_quota_rq {
	struct evl_levels	active;		/* groups with ready threads and some budget */
	struct evl_levels	stalled;	/* ready threads only; until the next period */
	struct evl_levels	unbound;	/* threads which run whatever their group has left */
	struct evl_quota_group	*running;	/* of the current thread, charged since... */
	ktime_t			since;
	u64			period;		/* number of the current one, from 1 */
	unsigned int		nr_members;	/* of all groups */
	int			sum;		/* of all quotas, percent */
	struct evl_timer	period_timer;	/* runs as long as there are members */
	struct evl_timer	limit_timer;	/* end of the budget of @running */
};

void evl_init_quota(struct evl_quota_rq *q, int cpu);
void evl_stop_quota(struct evl_quota_rq *q);
void evl_free_quota_groups(void);
void evl_meter_quota(struct evl_rq *rq, struct evl_quota_group *group);
long evl_control_quota(struct evl_rq *rq, const void __user *u_param, void __user *u_info);

#endif /* _EVL_SCHED_QUOTA_H */
