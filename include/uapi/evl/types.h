/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Types shared by every header of this directory.
 *
 * Layout rules, for all of them: fixed-width members at natural offsets, padding written out,
 * sizes that are multiples of 8 wherever a 64-bit member occurs. A record then has one layout for
 * 32 and 64-bit programs, and needs no translation in the core. Addresses travel as 64-bit
 * integers. Members named "reserved" must be zero on input; the core refuses anything else with
 * -EINVAL, and returns zeroes on output.
 */
#ifndef _UAPI_EVL_TYPES_H
#define _UAPI_EVL_TYPES_H

#include <linux/types.h>

/* Magic of all the ioctl requests but those of drivers. Free in the kernel's ioctl-number list. */
#define EVL_IOC_MAGIC	0xeb

/* Handle of an element, usable in one machine word. Allocated by the core, never reused at once. */
typedef __u32 fundle_t;

#define EVL_NO_HANDLE	((fundle_t)0)

/* Bits of a handle; the others are free for words which hold one, and something else. */
#define EVL_HANDLE_MASK	((fundle_t)0x3fffffff)

typedef __s64 __evl_time64_t;

/* A duration, or a date on the clock the request is about. 0 <= tv_nsec <= 999999999. */
struct __evl_timespec {
	__evl_time64_t	tv_sec;
	__s64		tv_nsec;
};

struct __evl_itimerspec {
	struct __evl_timespec	it_interval;
	struct __evl_timespec	it_value;
};

/* Opaque datum of the application. The pointer makes no sense to the core, which copies 8 bytes. */
union evl_value {
	__s32	val;
	__s64	lval;
	void	*ptr;
};

#ifndef __KERNEL__

#ifdef __cplusplus
static inline union evl_value evl_intval(__s64 x)
{
	union evl_value v;

	v.lval = x;
	return v;
}

static inline union evl_value evl_ptrval(void *p)
{
	union evl_value v;

	v.lval = 0;
	v.ptr = p;
	return v;
}

#define evl_intval(__x)	evl_intval(__x)
#define evl_ptrval(__p)	evl_ptrval(__p)
#else
#define evl_intval(__x)	(__extension__ (union evl_value){ .lval = (__s64)(__x) })
#define evl_ptrval(__p)	(__extension__ (union evl_value){ .ptr = (void *)(__p) })
#endif

#define evl_nil		evl_intval(0)

#endif /* !__KERNEL__ */

#endif /* _UAPI_EVL_TYPES_H */
