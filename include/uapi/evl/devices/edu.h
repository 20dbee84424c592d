/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The example driver, module/examples/evl-edu.c, for the "edu" device of QEMU: computes factorials, and
 * interrupts when it is done. /dev/evl-edu has one user at a time (-EBUSY).
 *
 * oob_ioctl	EDU_OOBIOC_START, EDU_OOBIOC_RAISE
 * oob_read	struct edu_event, one at least, as many as there are and fit; blocks for the first unless O_NONBLOCK
 * oob_poll	POLLIN when there is an event; POLLERR and POLLHUP once the device has gone
 * ioctl	EDU_IOC_INFO
 * mmap		one page, read only: struct edu_page
 *
 * Once the device has gone (hot unplug, unbinding), requests fail with -ENODEV.
 */
#ifndef _UAPI_EVL_DEVICES_EDU_H
#define _UAPI_EVL_DEVICES_EDU_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define EDU_DEV		"/dev/evl-edu"

#define EDU_IOC_MAGIC	0xed

/* An interrupt of the device. */
struct edu_event {
	__u64	date;		/* CLOCK_MONOTONIC, ns: entry of the handler */
	__u32	serial;		/* counts from 0; a gap tells of events lost, the queue holds EDU_MAX_EVENTS */
	__u32	status;		/* EDU_STATUS_DONE, and what was raised by hand */
	__u32	result;		/* with EDU_STATUS_DONE: the factorial, modulo 2^32 */
	__u32	reserved;
};

#define EDU_STATUS_DONE		0x1U	/* the device's own */
#define EDU_STATUS_RAISE	0xfffffffeU	/* may be raised by hand */

#define EDU_MAX_EVENTS	16

/* Written by the driver while the file is open, without a lock: @serial is the last word to change. */
struct edu_page {
	__u64	date;		/* of the latest event */
	__u32	serial;		/* number of events so far */
	__u32	lost;		/* of these, how many found the queue full */
};

struct edu_info {
	__u32	id;		/* revision of the device: 0xRRrr00ed */
	__u32	cpu;		/* which takes its interrupt */
	__u32	reserved[2];
};

/* Begin computing the factorial of the argument. -EBUSY: it is computing. */
#define EDU_OOBIOC_START	_IOW(EDU_IOC_MAGIC, 0, __u32)
/* Interrupt by hand with these bits. -EINVAL: none of EDU_STATUS_RAISE, or another. */
#define EDU_OOBIOC_RAISE	_IOW(EDU_IOC_MAGIC, 1, __u32)
#define EDU_IOC_INFO		_IOR(EDU_IOC_MAGIC, 2, struct edu_info)

#endif /* _UAPI_EVL_DEVICES_EDU_H */
