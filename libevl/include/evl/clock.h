/* SPDX-License-Identifier: MIT */
#ifndef _EVL_CLOCK_H
#define _EVL_CLOCK_H

#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#include <evl/clock-abi.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>

__EVL_BEGIN_DECLS

int evl_read_clock(int clockfd, struct timespec *tp);

int evl_set_clock(int clockfd, const struct timespec *tp);

int evl_get_clock_resolution(int clockfd, struct timespec *tp);

int evl_sleep_until(int clockfd, const struct timespec *timeout);

int evl_usleep(useconds_t usecs);

__EVL_END_DECLS

#endif /* _EVL_CLOCK_H */
