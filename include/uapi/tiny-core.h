/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface of module/examples/tiny-core.c to programs. /dev/tiny-core is opened by one process at a time
 * (-EBUSY); while it is open, the worker of the core runs every TINY_PERIOD_NS.
 */
#ifndef _UAPI_TINY_CORE_H
#define _UAPI_TINY_CORE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define TINY_DEV	"/dev/tiny-core"
#define TINY_CPU	0		/* all of it happens there */
#define TINY_PERIOD_NS	1000000ULL

/* Calls of the core: system call numbers with bit 31 set. */
#define TINY_SYSCALL_BIT	0x80000000U
/*
 * Wait out-of-band for the next run of the worker; its number, from 1. -EINTR: a signal; -EIDRM: the worker
 * stopped, or never ran; -EINVAL: the caller is not on TINY_CPU. Returns to user mode out-of-band.
 */
#define TINY_SYS_WAIT		0U
/* 1: called from the out-of-band stage, 0: from in-band. Does not change the stage. */
#define TINY_SYS_STAGE		1U

struct tiny_stats {
	__u64	runs;		/* of the worker */
	__u64	missed;		/* periods during which it could not run */
	__u64	inband_ticks;	/* passed on to in-band */
	__u32	demotions;	/* of the user thread, for whatever reason */
	__u32	errors;		/* checks of the core which failed */
};

/* The caller becomes the user thread of the core: -EBUSY, there is one; or is no more: -EPERM, it is not. */
#define TINY_IOC_ATTACH	_IO('t', 0)
#define TINY_IOC_DETACH	_IO('t', 1)
#define TINY_IOC_STATS	_IOR('t', 2, struct tiny_stats)

#endif /* _UAPI_TINY_CORE_H */
