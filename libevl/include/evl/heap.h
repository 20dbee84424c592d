/* SPDX-License-Identifier: MIT */
/* Heaps: blocks of any size, out of memory of the caller, in bounded time. */
#ifndef _EVL_HEAP_H
#define _EVL_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <evl/compiler.h>
#include <evl/mutex.h>

#define EVL_HEAP_PAGE_SHIFT	9
#define EVL_HEAP_PAGE_SIZE	(1UL << EVL_HEAP_PAGE_SHIFT)
#define EVL_HEAP_PAGE_MASK	(~(EVL_HEAP_PAGE_SIZE - 1))
#define EVL_HEAP_MIN_LOG2	4
#define EVL_HEAP_MIN_ALIGN	(1UL << EVL_HEAP_MIN_LOG2)
#define EVL_HEAP_MAX_BUCKETS	(EVL_HEAP_PAGE_SHIFT - EVL_HEAP_MIN_LOG2)
#define EVL_HEAP_MAX_EXTSZ	(4294967295U - EVL_HEAP_PAGE_SIZE + 1)

/* Of an extent: what describes it, alignment included; and what describes each of its pages. */
#define __EVL_HEAP_EXTENT_META	256UL
#define __EVL_HEAP_PAGE_META	24UL

/* What to set aside for so many bytes of blocks. */
#define EVL_HEAP_RAW_SIZE(__user_size)						\
	__align_to(__EVL_HEAP_EXTENT_META +					\
		   __align_to((__user_size), EVL_HEAP_PAGE_SIZE) +		\
		   (__align_to((__user_size), EVL_HEAP_PAGE_SIZE) >>		\
		    EVL_HEAP_PAGE_SHIFT) * __EVL_HEAP_PAGE_META, EVL_HEAP_PAGE_SIZE)

struct __evl_heap_extent;

struct evl_heap {
	struct evl_mutex lock;			/* unless it was made by an _unlocked form */
	struct __evl_heap_extent *extents;	/* latest first */
	size_t raw_size;
	size_t size;
	size_t used;
};

__EVL_BEGIN_DECLS

int evl_init_heap(struct evl_heap *heap, void *mem, size_t size);

int evl_extend_heap(struct evl_heap *heap, void *mem, size_t size);

void evl_destroy_heap(struct evl_heap *heap);

void *evl_alloc_block(struct evl_heap *heap, size_t size);

int evl_free_block(struct evl_heap *heap, void *block);

ssize_t evl_check_block(struct evl_heap *heap, void *block);

size_t evl_heap_raw_size(const struct evl_heap *heap);

size_t evl_heap_size(const struct evl_heap *heap);

size_t evl_heap_used(const struct evl_heap *heap);

/* Without locking: the caller sees to it that one thread at a time uses the heap. */
int evl_init_heap_unlocked(struct evl_heap *heap, void *mem, size_t size);

int evl_extend_heap_unlocked(struct evl_heap *heap, void *mem, size_t size);

void evl_destroy_heap_unlocked(struct evl_heap *heap);

void *evl_alloc_block_unlocked(struct evl_heap *heap, size_t size);

int evl_free_block_unlocked(struct evl_heap *heap, void *block);

ssize_t evl_check_block_unlocked(struct evl_heap *heap, void *block);

__EVL_END_DECLS

#endif /* _EVL_HEAP_H */
