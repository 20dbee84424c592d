/* SPDX-License-Identifier: MIT */
/* What events need of mutexes. */
#ifndef _LIBEVL_MUTEX_H
#define _LIBEVL_MUTEX_H

#include <evl/mutex.h>
#include "monitor.h"

extern const struct monitor_kind evl_mutex_kind;

/* timeout NULL: no limit. */
int evl_lock_mutex_until(struct evl_mutex *mutex, const struct timespec *timeout);

bool evl_mutex_is_mine(struct evl_monitor_state *state);

static inline bool evl_mutex_live(const struct evl_mutex *mutex)
{
	return evl_monitor_live(&mutex->mon, &evl_mutex_kind);
}

/* Live, or waiting for its activation. */
static inline bool evl_mutex_usable(const struct evl_mutex *mutex)
{
	return evl_mutex_live(mutex) || mutex->mon.magic == __EVL_STATIC_MAGIC(evl_mutex_kind.magic);
}

#endif /* _LIBEVL_MUTEX_H */
