/* SPDX-License-Identifier: MIT */
#ifndef _EVL_MUTEX_H
#define _EVL_MUTEX_H

#include <time.h>
#include <evl/monitor-obj.h>

#define EVL_MUTEX_NORMAL	0x0
#define EVL_MUTEX_RECURSIVE	0x1

struct evl_mutex {
	struct __evl_monitor mon;
};

#define EVL_MUTEX_INITIALIZER(__name, __clockfd, __ceiling, __flags)	\
	__evl_static_init(evl_mutex, __EVL_MONITOR_INIT(__EVL_MUTEX_MAGIC, __name, __clockfd, __ceiling, __flags))

#define DEFINE_EVL_MUTEX(__ident)	\
	struct evl_mutex __ident =	\
		EVL_MUTEX_INITIALIZER(#__ident, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL | EVL_CLONE_PRIVATE)

__EVL_BEGIN_DECLS

int evl_create_mutex(struct evl_mutex *mutex, int clockfd, unsigned int ceiling, int flags, const char *fmt, ...)
	__evl_printf_like(5, 6);

#define evl_new_mutex(__mutex, ...)	\
	evl_create_mutex(__mutex, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL | EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_open_mutex(struct evl_mutex *mutex, const char *fmt, ...)
	__evl_printf_like(2, 3);

int evl_close_mutex(struct evl_mutex *mutex);

int evl_lock_mutex(struct evl_mutex *mutex);

int evl_timedlock_mutex(struct evl_mutex *mutex, const struct timespec *timeout);

int evl_trylock_mutex(struct evl_mutex *mutex);

int evl_unlock_mutex(struct evl_mutex *mutex);

int evl_set_mutex_ceiling(struct evl_mutex *mutex, unsigned int ceiling);

int evl_get_mutex_ceiling(struct evl_mutex *mutex);

__EVL_END_DECLS

#endif /* _EVL_MUTEX_H */
