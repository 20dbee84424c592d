/* SPDX-License-Identifier: MIT */
#ifndef _EVL_SEM_H
#define _EVL_SEM_H

#include <time.h>
#include <evl/monitor-obj.h>

struct evl_sem {
	struct __evl_monitor mon;
};

#define EVL_SEM_INITIALIZER(__name, __clockfd, __initval, __flags)	\
	__evl_static_init(evl_sem, __EVL_MONITOR_INIT(__EVL_SEM_MAGIC, __name, __clockfd, __initval, __flags))

#define DEFINE_EVL_SEM(__ident)	\
	struct evl_sem __ident = EVL_SEM_INITIALIZER(#__ident, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PRIVATE)

__EVL_BEGIN_DECLS

int evl_create_sem(struct evl_sem *sem, int clockfd, int initval, int flags, const char *fmt, ...)
	__evl_printf_like(5, 6);

#define evl_new_sem(__sem, ...)	\
	evl_create_sem(__sem, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_open_sem(struct evl_sem *sem, const char *fmt, ...)
	__evl_printf_like(2, 3);

int evl_close_sem(struct evl_sem *sem);

int evl_get_sem(struct evl_sem *sem);

int evl_timedget_sem(struct evl_sem *sem, const struct timespec *timeout);

int evl_tryget_sem(struct evl_sem *sem);

int evl_put_sem(struct evl_sem *sem);

int evl_flush_sem(struct evl_sem *sem);

int evl_peek_sem(struct evl_sem *sem, int *r_val);

__EVL_END_DECLS

#endif /* _EVL_SEM_H */
