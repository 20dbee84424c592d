/* SPDX-License-Identifier: MIT */
/* Atomic words of the size of int or more, signed or not, or pointers. Compiler builtins serve both languages. */
#ifndef _EVL_ATOMIC_H
#define _EVL_ATOMIC_H

#include <evl/compiler.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif

#if !defined(__cplusplus) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_ATOMICS__)
#include <stdatomic.h>
typedef atomic_int	atomic_t;
typedef atomic_uint	uatomic_t;
#else
typedef int		atomic_t;
typedef unsigned int	uatomic_t;
#endif

/* Arithmetic gives the type without the qualifier; the builtins of clang take no other. */
#define __evl_atomic_plain(__ptr)	__typeof__(*(__ptr) + 0)

#define __evl_atomic_cell(__ptr)	((__evl_atomic_plain(__ptr) *)(__ptr))

/* Acquire. */
#define atomic_read(__ptr)	__atomic_load_n(__evl_atomic_cell(__ptr), __ATOMIC_ACQUIRE)

#define __evl_atomic_cmpxchg(__ptr, __oldval, __newval, __success, __failure)		\
	__extension__ ({								\
		__evl_atomic_plain(__ptr) __evl_seen = (__oldval);			\
											\
		__evl_static_assert(sizeof(__evl_seen) == sizeof(*(__ptr)), "int or more");	\
		__atomic_compare_exchange_n(__evl_atomic_cell(__ptr), &__evl_seen,	\
					    (__newval), 0, __success, __failure);	\
		__evl_seen;								\
	})

/* The value found, which is oldval if, and only if, newval was stored. */
#define atomic_cmpxchg(__ptr, __oldval, __newval)	\
	__evl_atomic_cmpxchg(__ptr, __oldval, __newval, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* With less ordering. It does not fail without reason either: the caller could not tell. */
#define atomic_cmpxchg_weak(__ptr, __oldval, __newval)	\
	__evl_atomic_cmpxchg(__ptr, __oldval, __newval, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

#endif /* _EVL_ATOMIC_H */
