/* SPDX-License-Identifier: MIT */
/*
 * Queues of numbers without locks, for the headers of tubes and ring pointers; not an interface.
 *
 * Things numbered from 0 to count - 1 are in at most one queue each, or with a thread which took them out; so a queue
 * with as many slots as there are things never overflows. Whoever holds the number owns the thing: what is stored in
 * it before a push is seen after the pop, and nobody touches it in between.
 *
 * Positions count up for ever; position p uses slot p % count in lap p / count. A slot holds its turn beside the
 * number: 2 * lap, empty; then 2 * lap + 1, filled; then 2 * (lap + 1), empty for the next lap. A thread changes the
 * slot at the head or tail it has read, by one compare-and-swap which fails if that turn is over; then it moves head or
 * tail, or finds that somebody has. So a thread which is stopped anywhere keeps no other from going on.
 *
 * Turns wrap around: a thread would have to be stopped in the middle for a multiple of 2^31 laps to be misled.
 */
#ifndef _EVL_INDEX_QUEUE_H
#define _EVL_INDEX_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <evl/compiler.h>

/* 32-bit machines align it less by themselves, than atomic operations want. */
typedef uint64_t __evl_aligned_word __attribute__((__aligned__(8)));

struct __evl_index_queue {
	__evl_aligned_word head;	/* position of the next to take */
	__evl_aligned_word tail;	/* where to put the next */
};

/* Slots of one queue, which lie in some larger array. */
struct __evl_index_slots {
	__evl_aligned_word *first;
	size_t stride;
	uint32_t count;
};

#define __EVL_SLOT_FILLED	(1ULL << 32)

/* Slot n holds number n, exclusive-or n: all are alike in a queue with everything in it, in order. */
static __always_inline __evl_aligned_word *__evl_index_slot(struct __evl_index_slots s, uint64_t pos, uint32_t *n)
{
	*n = (uint32_t)(pos % s.count);

	return (__evl_aligned_word *)(void *)((char *)s.first + *n * s.stride);
}

static __always_inline uint32_t __evl_index_turn(struct __evl_index_slots s, uint64_t pos)
{
	return (uint32_t)(pos / s.count) * 2;
}

static __always_inline bool __evl_index_swap(__evl_aligned_word *p, uint64_t seen, uint64_t next)
{
	return __atomic_compare_exchange_n(p, &seen, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static __always_inline void __evl_index_push(struct __evl_index_queue *q, struct __evl_index_slots s, uint32_t index)
{
	__evl_aligned_word *slot;
	uint64_t tail, word;
	uint32_t turn, n;

	for (;;) {
		tail = __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
		turn = __evl_index_turn(s, tail);
		slot = __evl_index_slot(s, tail, &n);
		word = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
		if ((uint32_t)(word >> 32) == turn) {
			if (__evl_index_swap(slot, word, (uint64_t)(turn + 1) << 32 | (index ^ n)))
				break;
		} else if ((uint32_t)(word >> 32) == turn + 1) {
			__evl_index_swap(&q->tail, tail, tail + 1);
		}
	}
	__evl_index_swap(&q->tail, tail, tail + 1);
}

static __always_inline bool __evl_index_pop(struct __evl_index_queue *q, struct __evl_index_slots s, uint32_t *index)
{
	__evl_aligned_word *slot;
	uint64_t head, word;
	uint32_t turn, n;

	if (!s.count)
		return false;

	for (;;) {
		head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
		turn = __evl_index_turn(s, head);
		slot = __evl_index_slot(s, head, &n);
		word = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
		if ((uint32_t)(word >> 32) == turn) {
			/* Nobody has gone past an empty slot: so it was the head when we looked at it. */
			return false;
		} else if ((uint32_t)(word >> 32) == turn + 1) {
			if (__evl_index_swap(slot, word, (uint64_t)(turn + 2) << 32))
				break;
		} else if ((uint32_t)(word >> 32) == turn + 2) {
			__evl_index_swap(&q->head, head, head + 1);
		}
	}
	__evl_index_swap(&q->head, head, head + 1);
	*index = (uint32_t)word ^ n;

	return true;
}

/* Links of a thing: a slot in the queue of those which hold an item, and in the queue of the free ones. */
struct __evl_index_links {
	__evl_aligned_word full;
	__evl_aligned_word free;
};

/* Slots of one of the two queues: member is the offset in the links, with which each thing begins. */
static __always_inline struct __evl_index_slots
__evl_index_slots(void *things, size_t member, size_t stride, uint32_t count)
{
	struct __evl_index_slots s;

	s.first = (__evl_aligned_word *)((uintptr_t)things + member);
	s.stride = stride;
	s.count = count;

	return s;
}

/* All things are free. Not against concurrent use. */
static inline void __evl_index_reset(struct __evl_index_queue *full, struct __evl_index_slots in_full,
				     struct __evl_index_queue *free, struct __evl_index_slots in_free)
{
	uint64_t pos;
	uint32_t n;

	full->head = 0;
	full->tail = 0;
	free->head = 0;
	free->tail = in_free.count;
	for (pos = 0; pos < in_free.count; pos++) {
		*__evl_index_slot(in_full, pos, &n) = 0;
		*__evl_index_slot(in_free, pos, &n) = __EVL_SLOT_FILLED;
	}
}

#endif /* _EVL_INDEX_QUEUE_H */
