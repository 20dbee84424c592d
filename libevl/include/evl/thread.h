/* SPDX-License-Identifier: MIT */
#ifndef _EVL_THREAD_H
#define _EVL_THREAD_H

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <evl/compiler.h>
#include <evl/compat.h>
#include <evl/factory-abi.h>
#include <evl/observable-abi.h>
#include <evl/sched.h>
#include <evl/signal.h>
#include <evl/thread-abi.h>

/* A stack size, in bytes, which suits an EVL thread. Not a constant: the C library may compute it. */
#define EVL_STACK_DEFAULT	\
	((size_t)PTHREAD_STACK_MIN > 65536 ? (size_t)PTHREAD_STACK_MIN : (size_t)65536)

__EVL_BEGIN_DECLS

int evl_attach_thread(int flags, const char *fmt, ...)
	__evl_printf_like(2, 3);

#define evl_attach_self(...)	evl_attach_thread(EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_detach_thread(int flags);

int evl_detach_self(void);

int evl_get_self(void);

int evl_switch_oob(void);

int evl_switch_inband(void);

bool evl_is_inband(void);

int evl_get_state(int efd, struct evl_thread_state *statebuf);

int evl_unblock_thread(int efd);

int evl_demote_thread(int efd);

int evl_set_thread_mode(int efd, int mask, int *oldmask);

int evl_clear_thread_mode(int efd, int mask, int *oldmask);

int evl_subscribe(int ofd, unsigned int backlog_count, int flags);

int evl_unsubscribe(int ofd);

__EVL_END_DECLS

#endif /* _EVL_THREAD_H */
