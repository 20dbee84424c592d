/* SPDX-License-Identifier: MIT */
/*
 * Rings of pointers without locks, for any number of producers and consumers on any stage. A ring of a given name and
 * order has operations of its own, which the compiler knows the size for. C only.
 *
 * Pointers lie in slots; two queues of slot numbers tell those which hold one from those which are free. So compare and
 * swap on a 64-bit word is all this takes.
 */
#ifndef _EVL_RING_PTR_H
#define _EVL_RING_PTR_H

#ifdef __cplusplus
#error "<evl/ring_ptr.h> is for C programs only"
#endif

#include <stdint.h>
#include <stdlib.h>
#include <evl/compiler.h>
#include <evl/index-queue.h>

#if UINTPTR_MAX == UINT64_MAX
#define EVL_RINGPTR_MINORDER	3
typedef uint64_t lfatomic_t;
typedef int64_t lfsatomic_t;
__extension__ typedef unsigned __int128 lfatomic_big_t;
#elif UINTPTR_MAX == UINT32_MAX
#define EVL_RINGPTR_MINORDER	4
typedef uint32_t lfatomic_t;
typedef int32_t lfsatomic_t;
typedef uint64_t lfatomic_big_t;
#else
#error "<evl/ring_ptr.h> is for machine words of 32 and 64 bits"
#endif

#define EVL_RING_CACHELINE_SHIFT	7
#define EVL_RING_CACHELINE_BYTES	(1U << EVL_RING_CACHELINE_SHIFT)
#define EVL_RING_ALIGNMENT		(2 * EVL_RING_CACHELINE_BYTES)

/* Of a producer: how many of its pointers the ring took. The ring itself has no use for it. */
struct evl_ring_cursor {
	lfatomic_t head;
};

struct __evl_ring_slot {
	struct __evl_index_links next;
	void *ptr;
};

#define __EVL_RINGPTR_SIZE(__order)	(1UL << (__order))

/* Head and tail of each queue are changed by everybody, those of the other one at other times. */
#define TYPEOF_EVL_RINGPTR(__name, __order)								\
	struct __name {											\
		_Static_assert((__order) >= EVL_RINGPTR_MINORDER && (__order) < 32,			\
			       "order of a ring of pointers");						\
		struct __evl_index_queue full __aligned(EVL_RING_ALIGNMENT);				\
		struct __evl_index_queue free __aligned(EVL_RING_CACHELINE_BYTES);			\
		struct __evl_ring_slot slots[__EVL_RINGPTR_SIZE(__order)]				\
			__aligned(EVL_RING_CACHELINE_BYTES);						\
	}

#define SIZEOF_EVL_RINGPTR(__order)	sizeof(TYPEOF_EVL_RINGPTR(, __order))

/* Empty: all the slots are in the queue of free ones, in their order. */
#define __EVL_RINGPTR_INITIALIZER(__order)								\
	{												\
		.free = { .head = 0, .tail = __EVL_RINGPTR_SIZE(__order) },				\
		.slots = { [0 ... __EVL_RINGPTR_SIZE(__order) - 1] =					\
				{ .next = { .free = __EVL_SLOT_FILLED } } },				\
	}

#define __evl_ring_slots(__slots, __order, __queue)							\
	__evl_index_slots(__slots, offsetof(struct __evl_index_links, __queue),				\
			  sizeof(struct __evl_ring_slot), (uint32_t)__EVL_RINGPTR_SIZE(__order))

#define DEFINE_EVL_RINGPTR_OPS(__name, __ring, __order)							\
													\
static __maybe_unused bool evl_enqueue_##__name(void *ptr, struct evl_ring_cursor *cursor)		\
{													\
	uint32_t n;											\
													\
	if (!__evl_index_pop(&(__ring).free, __evl_ring_slots((__ring).slots, __order, free), &n))	\
		return false;										\
	(__ring).slots[n].ptr = ptr;									\
	__evl_index_push(&(__ring).full, __evl_ring_slots((__ring).slots, __order, full), n);		\
	cursor->head++;											\
	return true;											\
}													\
													\
static __maybe_unused bool evl_dequeue_##__name(void **pptr)						\
{													\
	uint32_t n;											\
													\
	if (!__evl_index_pop(&(__ring).full, __evl_ring_slots((__ring).slots, __order, full), &n))	\
		return false;										\
	*pptr = (__ring).slots[n].ptr;									\
	__evl_index_push(&(__ring).free, __evl_ring_slots((__ring).slots, __order, free), n);		\
	return true;											\
}													\
													\
static __maybe_unused void evl_init_cursor_##__name(struct evl_ring_cursor *cursor)			\
{													\
	cursor->head = 0;										\
}													\
													\
static __maybe_unused void evl_clear_##__name(void)							\
{													\
	__evl_index_reset(&(__ring).full, __evl_ring_slots((__ring).slots, __order, full),		\
			  &(__ring).free, __evl_ring_slots((__ring).slots, __order, free));		\
}

#define DEFINE_EVL_RINGPTR_STATIC(__name, __order)							\
	TYPEOF_EVL_RINGPTR(__name, __order) __name = __EVL_RINGPTR_INITIALIZER(__order);		\
	DEFINE_EVL_RINGPTR_OPS(__name, __name, __order)

#define DEFINE_EVL_RINGPTR_DYNAMIC(__name, __order)							\
	TYPEOF_EVL_RINGPTR(__name, __order) *__name;							\
	DEFINE_EVL_RINGPTR_OPS(__name, *__name, __order)						\
													\
static __maybe_unused int evl_alloc_##__name(void)							\
{													\
	void *mem;											\
	int ret = posix_memalign(&mem, EVL_RING_ALIGNMENT, sizeof(*__name));				\
													\
	if (ret)											\
		return ret;										\
	__name = (struct __name *)mem;									\
	evl_clear_##__name();										\
	return 0;											\
}

#endif /* _EVL_RING_PTR_H */
