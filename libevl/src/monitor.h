/* SPDX-License-Identifier: MIT */
/*
 * Support for the elements of class "monitor".
 */
#ifndef _LIBEVL_MONITOR_H
#define _LIBEVL_MONITOR_H

#include <errno.h>
#include <evl/monitor-abi.h>
#include <evl/monitor-obj.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "internal.h"

/* What an element has to be to go with a descriptor object. */
struct monitor_kind {
	unsigned int magic;
	unsigned int type;
	unsigned int protocol;
	int flags;	/* those of the library which creation accepts */
};

int evl_create_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind, int clockfd,
		       unsigned int initval, int flags, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 6, 0)));

int evl_open_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 3, 0)));

int evl_close_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind);

int evl_activate_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind);

/* Pairs with the release in monitor.c: who sees the magic sees the rest. */
static inline bool evl_monitor_live(const struct __evl_monitor *mon, const struct monitor_kind *kind)
{
	return __atomic_load_n(&mon->magic, __ATOMIC_ACQUIRE) == kind->magic;
}

/* Ready for use, if need be by creating it now. */
static inline int evl_need_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind)
{
	return __builtin_expect(evl_monitor_live(mon, kind), 1) ? 0 : evl_activate_monitor(mon, kind);
}

/* A request which may wait: the caller goes out-of-band. */
static inline int evl_monitor_wait(struct __evl_monitor *mon, unsigned long request, void *arg)
{
	if (!evl_self_attached())
		return -EPERM;

	return (int)evl_backend_oob(sys_evl_ioctl, mon->efd, (long)request, (long)(uintptr_t)arg);
}

static inline int evl_monitor_request(struct __evl_monitor *mon, unsigned long request, void *arg)
{
	return evl_request(mon->efd, request, arg);
}

/* The value of a semaphore or flag group has changed: let those know who cannot see it. */
static inline int evl_monitor_changed(struct __evl_monitor *mon)
{
	if (__builtin_expect(read_once(mon->state->event.polled), 0))
		return evl_monitor_request(mon, EVL_MONIOC_NOTIFY, NULL);

	return 0;
}

#endif /* _LIBEVL_MONITOR_H */
