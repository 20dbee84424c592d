/* SPDX-License-Identifier: MIT */
/*
 * The names mode bits had before ABI level 31. They expand to calls, so that each use is reported by
 * the compiler; hence they are not constant expressions.
 */
#ifndef _EVL_COMPAT_H
#define _EVL_COMPAT_H

#include <evl/control-abi.h>
#include <evl/thread-abi.h>

#if EVL_ABI_LEVEL >= 31

#define __EVL_OLD_MODE_BIT(__bit)						\
	__attribute__((__deprecated__("this mode bit is now named EVL_" #__bit),\
		       __unused__))						\
	static inline int __evl_old_##__bit(void)				\
	{									\
		return EVL_##__bit;						\
	}									\
	struct __evl_old_##__bit##_end

__EVL_OLD_MODE_BIT(T_WOSS);
__EVL_OLD_MODE_BIT(T_WOLI);
__EVL_OLD_MODE_BIT(T_WOSX);
__EVL_OLD_MODE_BIT(T_WOSO);
__EVL_OLD_MODE_BIT(T_HMSIG);
__EVL_OLD_MODE_BIT(T_HMOBS);

#undef __EVL_OLD_MODE_BIT

#define T_WOSS	__evl_old_T_WOSS()
#define T_WOLI	__evl_old_T_WOLI()
#define T_WOSX	__evl_old_T_WOSX()
#define T_WOSO	__evl_old_T_WOSO()
#define T_HMSIG	__evl_old_T_HMSIG()
#define T_HMOBS	__evl_old_T_HMOBS()

#endif /* EVL_ABI_LEVEL >= 31 */

#endif /* _EVL_COMPAT_H */
