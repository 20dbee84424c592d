/* SPDX-License-Identifier: MIT */
#ifndef _EVL_FLAGS_H
#define _EVL_FLAGS_H

#include <time.h>
#include <evl/monitor-obj.h>

struct evl_flags {
	struct __evl_monitor mon;
};

#define EVL_FLAGS_INITIALIZER(__name, __clockfd, __initval, __flags)	\
	__evl_static_init(evl_flags, __EVL_MONITOR_INIT(__EVL_FLAGS_MAGIC, __name, __clockfd, __initval, __flags))

#define DEFINE_EVL_FLAGS(__ident)	\
	struct evl_flags __ident = EVL_FLAGS_INITIALIZER(#__ident, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PRIVATE)

__EVL_BEGIN_DECLS

int evl_create_flags(struct evl_flags *flg, int clockfd, int initval, int flags, const char *fmt, ...)
	__evl_printf_like(5, 6);

#define evl_new_flags(__flg, ...)	\
	evl_create_flags(__flg, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_open_flags(struct evl_flags *flg, const char *fmt, ...)
	__evl_printf_like(2, 3);

int evl_close_flags(struct evl_flags *flg);

int evl_wait_flags(struct evl_flags *flg, int *r_bits);

int evl_timedwait_flags(struct evl_flags *flg, const struct timespec *timeout, int *r_bits);

int evl_trywait_flags(struct evl_flags *flg, int *r_bits);

int evl_wait_some_flags(struct evl_flags *flg, int bits, int *r_bits);

int evl_timedwait_some_flags(struct evl_flags *flg, int bits, const struct timespec *timeout, int *r_bits);

int evl_trywait_some_flags(struct evl_flags *flg, int bits, int *r_bits);

int evl_wait_exact_flags(struct evl_flags *flg, int bits);

int evl_timedwait_exact_flags(struct evl_flags *flg, int bits, const struct timespec *timeout);

int evl_trywait_exact_flags(struct evl_flags *flg, int bits);

int evl_post_flags(struct evl_flags *flg, int bits);

int evl_broadcast_flags(struct evl_flags *flg, int bits);

int evl_peek_flags(struct evl_flags *flg, int *r_bits);

__EVL_END_DECLS

#endif /* _EVL_FLAGS_H */
