/* SPDX-License-Identifier: MIT */
/* Short names for what compilers offer. Each is left alone if somebody has defined it already. */
#ifndef _EVL_COMPILER_H
#define _EVL_COMPILER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define __EVL_BEGIN_DECLS	extern "C" {
#define __EVL_END_DECLS		}
#define __evl_static_assert	static_assert
#else
#define __EVL_BEGIN_DECLS
#define __EVL_END_DECLS
#define __evl_static_assert	_Static_assert
#endif

/* Argument numbers of a printf-like function, counted from 1; 0 for a va_list. */
#define __evl_printf_like(__fmt, __args) \
	__attribute__((__format__(__printf__, __fmt, __args)))

#ifndef container_of
#define container_of(__ptr, __type, __member)	\
	((__type *)(void *)((char *)(__ptr) - offsetof(__type, __member)))
#endif

/* C++ has it as a keyword, C from 2011 in a header. */
#ifndef __cplusplus
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#include <stdalign.h>
#elif !defined(alignof)
#define alignof(__x)	__alignof__(__x)
#endif
#endif

#ifndef __stringify
#define __stringify_1(...)	#__VA_ARGS__
#define __stringify(...)	__stringify_1(__VA_ARGS__)
#endif

#ifndef __noreturn
#define __noreturn	__attribute__((__noreturn__))
#endif

#ifndef __must_check
#define __must_check	__attribute__((__warn_unused_result__))
#endif

#ifndef __weak
#define __weak		__attribute__((__weak__))
#endif

#ifndef __maybe_unused
#define __maybe_unused	__attribute__((__unused__))
#endif

#ifndef __always_inline
#define __always_inline	__inline__ __attribute__((__always_inline__))
#endif

#ifndef __deprecated
#define __deprecated	__attribute__((__deprecated__))
#endif

#ifndef __packed
#define __packed	__attribute__((__packed__))
#endif

#ifndef __fallthrough
#if defined(__has_attribute) && (!defined(__GNUC__) || __GNUC__ >= 7)
#define __fallthrough	__attribute__((__fallthrough__))
#else
#define __fallthrough	do { } while (0)
#endif
#endif

#ifndef __aligned
#define __aligned(__n)	__attribute__((__aligned__(__n)))
#endif

#ifndef __alloc_size
#define __alloc_size(...)	__attribute__((__alloc_size__(__VA_ARGS__)))
#endif

/* A size, rounded up to a multiple of a power of two. */
#ifndef __align_to
#define __align_to(__size, __al)	(((__size) + (__al) - 1) & ~((__al) - 1))
#endif

/* Bits from the most, or least significant one to the first which is set; all of them in 0. */
#define __evl_width(__x)	((int)sizeof(__x) * 8)
#define __evl_bits(__x)		((unsigned long long)(__x) & (~0ULL >> (64 - __evl_width(__x))))

#ifndef __lzcount
#define __lzcount(__x)								\
	__extension__ ({							\
		unsigned long long __evl_n = __evl_bits(__x);			\
										\
		__evl_n ? __builtin_clzll(__evl_n) - (64 - __evl_width(__x)) :	\
			__evl_width(__x);					\
	})
#endif

#ifndef __tzcount
#define __tzcount(__x)								\
	__extension__ ({							\
		unsigned long long __evl_n = __evl_bits(__x);			\
										\
		__evl_n ? __builtin_ctzll(__evl_n) : __evl_width(__x);		\
	})
#endif

/* The read is made, though its result is not used. */
#ifndef __force_read_access
#define __force_read_access(__var)	\
	__extension__ ({ (void)*(const volatile __typeof__(__var) *)&(__var); })
#endif

#ifndef compiler_barrier
#define compiler_barrier()	__asm__ __volatile__("" : : : "memory")
#endif

#ifndef __memoff
#define __memoff(__base, __addr)	((uintptr_t)(__addr) - (uintptr_t)(__base))
#endif

#ifndef __memptr
#define __memptr(__base, __off)		((void *)((uintptr_t)(__base) + (__off)))
#endif

#endif /* _EVL_COMPILER_H */
