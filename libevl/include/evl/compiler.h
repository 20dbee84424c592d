/* SPDX-License-Identifier: MIT */
/* Support for the other headers; not an interface. */
#ifndef _EVL_COMPILER_H
#define _EVL_COMPILER_H

#ifdef __cplusplus
#define __EVL_BEGIN_DECLS	extern "C" {
#define __EVL_END_DECLS		}
#else
#define __EVL_BEGIN_DECLS
#define __EVL_END_DECLS
#endif

/* Argument numbers of a printf-like function, counted from 1; 0 for a va_list. */
#define __evl_printf_like(__fmt, __args) \
	__attribute__((__format__(__printf__, __fmt, __args)))

#endif /* _EVL_COMPILER_H */
