/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies from and to user memory, on either stage. A fault taken out-of-band demotes the caller, then is
 * served in-band, so that the stage may change over a copy. Hard interrupts on, no lock held.
 */
#ifndef _EVL_UACCESS_H
#define _EVL_UACCESS_H

#include <linux/irq_pipeline.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

static inline int evl_copy_from_user(void *dst, const void __user *src, size_t size)
{
	if (running_inband())
		return copy_from_user(dst, src, size) ? -EFAULT : 0;

	if (!access_ok(src, size))
		return -EFAULT;

	/* The size checks of copy_from_user() concern the caller's buffer, ours are all fixed records. */
	barrier_nospec();
	return raw_copy_from_user(dst, src, size) ? -EFAULT : 0;
}

static inline int evl_copy_to_user(void __user *dst, const void *src, size_t size)
{
	if (running_inband())
		return copy_to_user(dst, src, size) ? -EFAULT : 0;

	if (!access_ok(dst, size))
		return -EFAULT;

	return raw_copy_to_user(dst, src, size) ? -EFAULT : 0;
}

/* Can a result be stored there later on? @buf is scratch. The user's bytes stay what they are. */
static inline int evl_probe_user(void __user *dst, void *buf, size_t size)
{
	return evl_copy_from_user(buf, dst, size) ?: evl_copy_to_user(dst, buf, size);
}

/* Address carried by a 64-bit member of a record. */
#define evl_uptr(__u64val)	u64_to_user_ptr(__u64val)

#endif /* _EVL_UACCESS_H */
