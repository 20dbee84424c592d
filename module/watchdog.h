/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_WATCHDOG_H
#define _EVL_WATCHDOG_H

struct evl_rq;

void evl_init_watchdog(struct evl_rq *rq);
void evl_watch_rq(struct evl_rq *rq);

#endif /* _EVL_WATCHDOG_H */
