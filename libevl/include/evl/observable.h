/* SPDX-License-Identifier: MIT */
/* Observables. evl_subscribe() and evl_unsubscribe() are in <evl/thread.h>. */
#ifndef _EVL_OBSERVABLE_H
#define _EVL_OBSERVABLE_H

#include <stdint.h>
#include <time.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>
#include <evl/observable-abi.h>
#include <evl/thread.h>
#include <evl/types.h>

struct evl_notification {
	uint32_t tag;
	uint32_t serial;
	int32_t issuer;		/* thread id, 0: the core */
	uint32_t __pad;
	union evl_value event;
	struct timespec date;	/* EVL_CLOCK_MONOTONIC */
};

__EVL_BEGIN_DECLS

int evl_create_observable(int flags, const char *fmt, ...)
	__evl_printf_like(2, 3);

#define evl_new_observable(...)	evl_create_observable(EVL_CLONE_PRIVATE, __VA_ARGS__)

int evl_update_observable(int ofd, const struct evl_notice *ntc, int nr);

int evl_read_observable(int ofd, struct evl_notification *nf, int nr);

__EVL_END_DECLS

#endif /* _EVL_OBSERVABLE_H */
