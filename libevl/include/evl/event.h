/* SPDX-License-Identifier: MIT */
#ifndef _EVL_EVENT_H
#define _EVL_EVENT_H

#include <time.h>
#include <evl/monitor-obj.h>
#include <evl/mutex.h>

struct evl_event {
	struct __evl_monitor mon;
};

#define EVL_EVENT_INITIALIZER(__name, __clockfd, __flags)	\
	__evl_static_init(evl_event, __EVL_MONITOR_INIT(__EVL_EVENT_MAGIC, __name, __clockfd, 0, __flags))

#define DEFINE_EVL_EVENT(__ident)	\
	struct evl_event __ident = EVL_EVENT_INITIALIZER(#__ident, EVL_CLOCK_MONOTONIC, EVL_CLONE_PRIVATE)

__EVL_BEGIN_DECLS

int evl_create_event(struct evl_event *evt, int clockfd, int flags, const char *fmt, ...)
	__evl_printf_like(4, 5);

#define evl_new_event(__evt, ...)	\
	evl_create_event(__evt, EVL_CLOCK_MONOTONIC, EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_open_event(struct evl_event *evt, const char *fmt, ...)
	__evl_printf_like(2, 3);

int evl_close_event(struct evl_event *evt);

int evl_wait_event(struct evl_event *evt, struct evl_mutex *mutex);

int evl_timedwait_event(struct evl_event *evt, struct evl_mutex *mutex, const struct timespec *timeout);

int evl_signal_event(struct evl_event *evt);

int evl_signal_thread(struct evl_event *evt, int thrfd);

int evl_broadcast_event(struct evl_event *evt);

__EVL_END_DECLS

#endif /* _EVL_EVENT_H */
