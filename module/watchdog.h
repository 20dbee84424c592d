/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_WATCHDOG_H
#define _EVL_WATCHDOG_H

#include "sched.h"

void evl_init_watchdog(struct evl_rq *rq);
void evl_watch_rq(struct evl_rq *rq);
void __evl_put_off_watchdog(struct evl_rq *rq);

/* Hard off, on the CPU of @rq: in-band lives, and wants its tick at @date. */
static inline void evl_put_off_watchdog(struct evl_rq *rq, ktime_t date)
{
	if (ktime_after(date, rq->watchdog_fresh))
		__evl_put_off_watchdog(rq);
}

#endif /* _EVL_WATCHDOG_H */
