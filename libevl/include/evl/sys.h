/* SPDX-License-Identifier: MIT */
/* Building blocks for libraries and tools above this one. Applications have no use for them. */
#ifndef _EVL_SYS_H
#define _EVL_SYS_H

#include <stdarg.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>

/* Bits of evl_detect_fpu(), x86. */
#define EVL_FPU_X86_SSE2	0x1
#define EVL_FPU_X86_AVX		0x2
#define EVL_FPU_X86_AVX512	0x4

__EVL_BEGIN_DECLS

int evl_create_element(const char *type, const char *name, void *attrs,
		       int clone_flags, struct evl_element_ids *eids);

int evl_open_element_vargs(const char *type, const char *fmt, va_list ap)
	__evl_printf_like(2, 0);

int evl_open_element(const char *type, const char *path, ...)
	__evl_printf_like(2, 3);

int evl_open_raw(const char *type);

int evl_get_current_mode(void);

unsigned int evl_detect_fpu(void);

__EVL_END_DECLS

#endif /* _EVL_SYS_H */
