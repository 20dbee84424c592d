/* SPDX-License-Identifier: MIT */
/* Timers. Expiries are collected with oob_read(). */
#ifndef _EVL_TIMER_H
#define _EVL_TIMER_H

#include <time.h>
#include <evl/clock-abi.h>
#include <evl/compiler.h>

__EVL_BEGIN_DECLS

int evl_new_timer(int clockfd);

int evl_set_timer(int efd, const struct itimerspec *value, struct itimerspec *ovalue);

int evl_get_timer(int efd, struct itimerspec *value);

__EVL_END_DECLS

#endif /* _EVL_TIMER_H */
