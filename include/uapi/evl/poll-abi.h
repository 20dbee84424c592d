/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Polling sets. Opening /dev/evl/poll makes one, empty; it lives as long as its descriptors. All requests come
 * by the out-of-band call.
 */
#ifndef _UAPI_EVL_POLL_ABI_H
#define _UAPI_EVL_POLL_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* A member which is ready. events: POLL* bits. */
struct evl_poll_event {
	__u32			fd;
	__u32			events;
	union evl_value		pollval;
};

#define EVL_POLL_CTLADD	0
#define EVL_POLL_CTLDEL	1
#define EVL_POLL_CTLMOD	2

/*
 * EVL_POLIOC_CTL: add, remove, change a member, which is known by its descriptor in the calling process.
 * -EBADF: no out-of-band file (add); -EEXIST; -ENOENT; -EINVAL: action, events, reserved; -ELOOP: a set would
 * contain itself, or too many levels; -ENOMEM.
 */
struct evl_poll_ctlreq {
	__u32			action;
	__s32			fd;
	__u32			events;
	__u32			reserved;
	union evl_value		pollval;
};

/*
 * EVL_POLIOC_WAIT: wait for members to be ready. Returns how many entries were stored at pollset_ptr, nrset at most.
 * timeout_ptr: struct __evl_timespec, a date of the monotonic clock; 0 or {0, 0}: no limit.
 * -EAGAIN: non-blocking, none is ready; -ETIMEDOUT, -EINTR, -EINVAL, -EFAULT.
 */
struct evl_poll_waitreq {
	__u64			timeout_ptr;
	__u64			pollset_ptr;
	__s32			nrset;
	__u32			reserved;
};

#define EVL_POLIOC_CTL	_IOW(EVL_IOC_MAGIC, 0x70, struct evl_poll_ctlreq)
#define EVL_POLIOC_WAIT	_IOW(EVL_IOC_MAGIC, 0x71, struct evl_poll_waitreq)

#endif /* _UAPI_EVL_POLL_ABI_H */
