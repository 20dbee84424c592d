/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dates and durations between the core and user space.
 */
#ifndef _EVL_TIMESPEC_H
#define _EVL_TIMESPEC_H

#include <linux/ktime.h>
#include <linux/time64.h>

#include <evl/types.h>

static inline bool evl_timespec_is_sane(const struct __evl_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < NSEC_PER_SEC;
}

/* Dates beyond what ktime_t holds mean its end, some 292 years. */
static inline ktime_t evl_timespec_to_ktime(const struct __evl_timespec *ts)
{
	return ktime_set(ts->tv_sec, ts->tv_nsec);
}

static inline struct __evl_timespec evl_ktime_to_timespec(ktime_t t)
{
	struct timespec64 ts = ktime_to_timespec64(t);

	return (struct __evl_timespec){ .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };
}

#endif /* _EVL_TIMESPEC_H */
