/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Clocks and timers. A clock is /dev/evl/clock/<name>; "monotonic" and "realtime" always exist. A timer
 * is an anonymous descriptor made from a clock descriptor. All dates are absolute.
 */
#ifndef _UAPI_EVL_CLOCK_ABI_H
#define _UAPI_EVL_CLOCK_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* Identifiers of the built-in clocks in the API; negative, so that no descriptor collides. The
 * library turns them into descriptors, the core never sees them. */
#define EVL_CLOCK_MONOTONIC	(-1)
#define EVL_CLOCK_REALTIME	(-2)

/*
 * Requests on a clock descriptor; arguments are addresses of the record named.
 *
 * SLEEP      out-of-band call only; promotes, sleeps until the date. 0 at once for a past date (so
 *            for {0,0}). -EINVAL ill-formed date; -EINTR signal, unblocking, demotion; -EPERM unattached.
 * GET_RES    resolution, non-zero, constant. Either form.
 * GET_TIME   current time. Either form.
 * SET_TIME   ioctl(2) only. -EINVAL ill-formed time or clock which cannot be set (monotonic);
 *            -EPERM without the privilege clock_settime(2) asks for.
 * NEW_TIMER  ioctl(2) only. A disarmed timer: descriptor in efd, close-on-exec, O_RDWR; flags: 0 or
 *            EVL_CLONE_NONBLOCK (factory-abi.h), else -EINVAL. -EMFILE, -ENFILE, -ENOMEM.
 */
struct evl_new_timer_req {
	__u32	flags;
	__s32	efd;
};

#define EVL_CLKIOC_SLEEP	_IOW(EVL_IOC_MAGIC, 0x40, struct __evl_timespec)
#define EVL_CLKIOC_GET_RES	_IOR(EVL_IOC_MAGIC, 0x41, struct __evl_timespec)
#define EVL_CLKIOC_GET_TIME	_IOR(EVL_IOC_MAGIC, 0x42, struct __evl_timespec)
#define EVL_CLKIOC_SET_TIME	_IOW(EVL_IOC_MAGIC, 0x43, struct __evl_timespec)
#define EVL_CLKIOC_NEW_TIMER	_IOWR(EVL_IOC_MAGIC, 0x44, struct evl_new_timer_req)

/*
 * Requests on a timer descriptor, in either form, by any thread.
 *
 * SET  value_ptr: struct __evl_itimerspec. it_value: first expiry; {0,0} disarms, it_interval is then
 *      ignored. it_interval: period, {0,0}: one-shot, else EVL_TIMER_MIN_PERIOD or more. Uncollected
 *      expiries are dropped. A first date in the past fires at once, and all the periods elapsed since
 *      then count.
 *      ovalue_ptr: if not 0, receives what GET would have told before. -EINVAL ill-formed; -EFAULT.
 * GET  next expiry and period; all zero if disarmed, or one-shot and expired.
 *
 * Out-of-band read: 8 bytes or more asked (else -EINVAL), one __u64 stored: expiries since the last read,
 * sleeping while there are none (-EAGAIN if O_NONBLOCK). read(2): -EINVAL. POLLIN | POLLRDNORM
 * while there is something to collect.
 */
#define EVL_TIMER_MIN_PERIOD	1000	/* ns; shorter ones: -EINVAL */

struct evl_timer_setreq {
	__u64	value_ptr;
	__u64	ovalue_ptr;
};

#define EVL_TFDIOC_SET		_IOW(EVL_IOC_MAGIC, 0x50, struct evl_timer_setreq)
#define EVL_TFDIOC_GET		_IOR(EVL_IOC_MAGIC, 0x51, struct __evl_itimerspec)

#endif /* _UAPI_EVL_CLOCK_ABI_H */
