/* SPDX-License-Identifier: MIT */
/* What mutexes, events, semaphores and flag groups have in common; not an interface. */
#ifndef _EVL_MONITOR_OBJ_H
#define _EVL_MONITOR_OBJ_H

#include <evl/clock.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>

struct evl_monitor_state;

/*
 * In-memory descriptor of an element. magic tells the kind and whether there is an element behind; name and the members
 * after it are what to create one from.
 */
struct __evl_monitor {
	unsigned int magic;
	int efd;
	struct evl_monitor_state *state;
	const char *name;
	int clockfd;
	unsigned int initval;
	int flags;
};

#define __EVL_MUTEX_MAGIC	0x6d75a001U
#define __EVL_EVENT_MAGIC	0x6576a002U
#define __EVL_SEM_MAGIC		0x7365a003U
#define __EVL_FLAGS_MAGIC	0x666ca004U
#define __EVL_RWLOCK_MAGIC	0x7277a005U

/* Not activated yet. */
#define __EVL_STATIC_MAGIC(__magic)	((__magic) ^ 0xf000U)

#define __EVL_MONITOR_INIT(__magic, __name, __clockfd, __initval, __flags)	\
	{ __EVL_STATIC_MAGIC(__magic), -1, 0, (__name), (__clockfd),		\
	  (unsigned int)(__initval), (int)(__flags) }

/* An expression, which also initialises objects of static storage duration. */
#ifdef __cplusplus
#define __evl_static_init(__type, ...)	__type { __VA_ARGS__ }
#else
#define __evl_static_init(__type, ...)	(__extension__ (struct __type) { __VA_ARGS__ })
#endif

#endif /* _EVL_MONITOR_OBJ_H */
