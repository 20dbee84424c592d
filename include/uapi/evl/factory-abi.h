/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Creating elements.
 *
 * Every class in which applications create elements has a device /dev/evl/<class>/clone; opening it
 * is the permission to create. EVL_IOC_CLONE on it makes one element and installs a descriptor which
 * refers to it. Public elements appear as /dev/evl/<class>/<name>, opened with plain open(2).
 */
#ifndef _UAPI_EVL_FACTORY_ABI_H
#define _UAPI_EVL_FACTORY_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>

/* Creation flags. The core owns bits 16-31, the library bits 0-15, which it never passes on. */
#define EVL_CLONE_PRIVATE	0x00000000	/* no device file: the absence of _PUBLIC */
#define EVL_CLONE_PUBLIC	0x00010000
#define EVL_CLONE_OBSERVABLE	0x00020000
#define EVL_CLONE_NONBLOCK	0x00040000
#define EVL_CLONE_UNICAST	0x00080000
#define EVL_CLONE_MASTER	EVL_CLONE_UNICAST
#define EVL_CLONE_INPUT		0x00100000
#define EVL_CLONE_OUTPUT	0x00200000
#define EVL_CLONE_MASK		0x7fff0000	/* all an application may pass */

/* Names of classes, directories of /dev/evl. */
#define EVL_CLOCK_DEV		"clock"
#define EVL_MONITOR_DEV		"monitor"
#define EVL_OBSERVABLE_DEV	"observable"
#define EVL_POLL_DEV		"poll"
#define EVL_PROXY_DEV		"proxy"
#define EVL_THREAD_DEV		"thread"
#define EVL_XBUF_DEV		"xbuf"

#define EVL_CLOCK_MONOTONIC_DEV	"monotonic"
#define EVL_CLOCK_REALTIME_DEV	"realtime"

#define EVL_CONTROL_DEV		"/dev/evl/control"

/* Longest element name, terminating zero excluded: it has to be a file name. */
#define EVL_NAME_MAX		255

struct evl_element_ids {
	__u32	minor;		/* minor number of the device of the element */
	__u32	fundle;		/* fundle_t */
	__u32	state_offset;	/* of the shared state in the control device mapping (control-abi.h) */
};

/*
 * EVL_IOC_CLONE: create an element. In-band, on a clone device.
 *
 * name_ptr:    address of a zero-terminated name, without slash, neither empty nor "." nor "..".
 *              "clone" is taken in every class.
 *              0: the core makes up a unique name, of the form <class>:<pid>.<n>; private only.
 * attrs_ptr, attrs_len: creation attributes of the class and their size; 0, 0 for classes
 *              which take none (thread).
 * clone_flags: EVL_CLONE_*; each class refuses those which mean nothing to it.
 * eids, efd:   results. efd is close-on-exec, O_RDWR, and non-blocking iff EVL_CLONE_NONBLOCK.
 *
 * On class "thread" the element is the calling thread, which is thereby attached: see thread-abi.h.
 *
 * -EINVAL bad flags, name, attributes or reserved member; -ENAMETOOLONG; -EEXIST name in use in the
 * class, be it private or public; -ENOMEM out of memory or of instances; -EMFILE, -ENFILE; -EFAULT.
 * On failure nothing has been created and the record is unchanged.
 */
struct evl_clone_req {
	__u64			name_ptr;
	__u64			attrs_ptr;
	__u32			attrs_len;
	__u32			clone_flags;
	struct evl_element_ids	eids;
	__s32			efd;
	__u32			reserved[2];
};

#define EVL_IOC_CLONE	_IOWR(EVL_IOC_MAGIC, 0x00, struct evl_clone_req)

/* Numbers 0x01-0x0f are kept for requests common to all elements. */

#endif /* _UAPI_EVL_FACTORY_ABI_H */
