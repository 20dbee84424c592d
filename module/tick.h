/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_TICK_H
#define _EVL_TICK_H

#include <linux/ktime.h>

struct evl_clock;
struct evl_rq;

void evl_program_tick_at(ktime_t date);
void evl_resume_inband_tick(struct evl_rq *rq);
void evl_program_tick(struct evl_clock *clock);
void evl_program_remote_tick(struct evl_clock *clock, struct evl_rq *rq);

int evl_enable_ticks(void);
void evl_disable_ticks(void);

#endif /* _EVL_TICK_H */
