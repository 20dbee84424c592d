/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define NSEC_PER_SEC	1000000000L

/* The records which requests carry are what the C library uses, and pass through without a copy. */
_Static_assert(sizeof(struct timespec) == sizeof(struct __evl_timespec) &&
	       sizeof(((struct timespec *)0)->tv_sec) == 8 &&
	       sizeof(((struct timespec *)0)->tv_nsec) == 8 &&
	       offsetof(struct timespec, tv_nsec) == offsetof(struct __evl_timespec, tv_nsec),
	       "time records have to be translated on this platform");
_Static_assert(sizeof(struct itimerspec) == sizeof(struct __evl_itimerspec) &&
	       offsetof(struct itimerspec, it_value) == offsetof(struct __evl_itimerspec, it_value),
	       "timer records have to be translated on this platform");

/* ts is well-formed, and a date: far from where seconds overflow. */
void evl_timespec_add_us(struct timespec *ts, unsigned int usecs)
{
	ts->tv_sec += usecs / 1000000;
	ts->tv_nsec += (long)(usecs % 1000000) * 1000;

	if (ts->tv_nsec >= NSEC_PER_SEC) {
		ts->tv_nsec -= NSEC_PER_SEC;
		ts->tv_sec++;
	}
}
