/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Observables, be they elements or threads which were attached with EVL_CLONE_OBSERVABLE. All but subscriptions are
 * served by both forms of call; a thread which has detached gives -ESTALE.
 */
#ifndef _UAPI_EVL_OBSERVABLE_ABI_H
#define _UAPI_EVL_OBSERVABLE_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define EVL_NOTIFY_ALWAYS	0x0
#define EVL_NOTIFY_ONCHANGE	0x1	/* merge consecutive notices which are equal */
#define EVL_NOTIFY_MASK		EVL_NOTIFY_ONCHANGE

/* Lowest tag of applications. */
#define EVL_NOTICE_USER		64

struct evl_notice {
	__u32			tag;
	__u32			__pad;
	union evl_value		event;
};

/* date: monotonic. */
struct __evl_notification {
	__u32			tag;
	__u32			serial;
	__s32			issuer;
	__u32			__pad;
	union evl_value		event;
	struct __evl_timespec	date;
};

/* EVL_OBSIOC_SUBSCRIBE: the calling thread. -EEXIST, -EINVAL, -ENOMEM. UNSUBSCRIBE: -ENOENT. Ordinary calls only. */
struct evl_subscription {
	__u32	backlog_count;	/* 1 to EVL_BACKLOG_MAX */
	__u32	flags;
};

#define EVL_BACKLOG_MAX	(1U << 20)
#define EVL_NOTICES_MAX	(1 << 20)

/*
 * EVL_OBSIOC_UPDATE: array of struct evl_notice, EVL_NOTICES_MAX at most. Returns how many found an observer. -EINVAL: a
 * tag below EVL_NOTICE_USER, none was sent.
 * EVL_OBSIOC_READ: array of struct __evl_notification; waits for one. Returns how many were stored. -ENXIO: the caller
 * does not subscribe; -EAGAIN, -EINTR.
 */
struct evl_observable_req {
	__u64	array_ptr;
	__s32	nr;
	__u32	reserved;
};

#define EVL_OBSIOC_SUBSCRIBE	_IOW(EVL_IOC_MAGIC, 0x80, struct evl_subscription)
#define EVL_OBSIOC_UNSUBSCRIBE	_IO(EVL_IOC_MAGIC, 0x81)
#define EVL_OBSIOC_UPDATE	_IOW(EVL_IOC_MAGIC, 0x82, struct evl_observable_req)
#define EVL_OBSIOC_READ		_IOW(EVL_IOC_MAGIC, 0x83, struct evl_observable_req)

#endif /* _UAPI_EVL_OBSERVABLE_ABI_H */
