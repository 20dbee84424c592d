/* SPDX-License-Identifier: MIT */
/*
 * Heaps. An extent is cut into pages. What describes the pages lies before them, so that a program which writes past a
 * block, or to a freed one, harms its own data only.
 *
 *   raw area:  [alignment] extent, tree, pages, [alignment], memory of the pages [rest]
 *
 * Runs of free pages are maximal: a run which is freed merges with its neighbours. The tree finds one which is long
 * enough: leaf n holds the length of the free run which begins at page n, or 0; each inner node the larger one of its
 * two children, which are nodes 2n and 2n + 1; the root is node 1. All takes as many steps as the tree has levels, at
 * most 24, whatever was allocated or freed before.
 *
 * Blocks up to 256 bytes share pages, each page of blocks of one size. Those with room for more are on the list of
 * their size, latest first.
 */
#include <errno.h>
#include <string.h>
#include <evl/heap.h>
#include "internal.h"

#define PAGE		EVL_HEAP_PAGE_SIZE
#define NO_PAGE		UINT32_MAX
#define DATA_ALIGN	64

enum page_kind {
	PAGE_INNER,	/* any other */
	PAGE_FREE,	/* first or last of a free run */
	PAGE_RUN,	/* first of a block of whole pages */
	PAGE_SHARED,	/* of small blocks */
};

struct page {
	uint16_t kind;
	uint16_t log2;		/* shared: of the size of a block */
	uint32_t map;		/* shared: blocks in use; otherwise length of the run, in pages */
	uint32_t next, prev;	/* shared, with room: others of this kind */
};

struct __evl_heap_extent {
	struct __evl_heap_extent *next;
	uint32_t *tree;		/* 2 * nr_pages words, the first one unused */
	struct page *pages;
	char *base;		/* memory of page 0 */
	uint32_t nr_pages;
	uint32_t shared[EVL_HEAP_MAX_BUCKETS];	/* first page with room, by size */
};

_Static_assert(sizeof(struct page) + 2 * sizeof(uint32_t) == __EVL_HEAP_PAGE_META, "meta-data of a page");
_Static_assert(sizeof(struct __evl_heap_extent) + EVL_HEAP_MIN_ALIGN + DATA_ALIGN <= __EVL_HEAP_EXTENT_META,
	       "meta-data of an extent");
_Static_assert(PAGE >> EVL_HEAP_MIN_LOG2 <= 32, "blocks of a page fit the map");

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The run which begins at a page has a new length; 0: none begins there any more. */
static void set_run(struct __evl_heap_extent *ext, uint32_t page, uint32_t length)
{
	uint32_t *tree = ext->tree, n = ext->nr_pages + page;

	tree[n] = length;
	for (n /= 2; n > 0; n /= 2)
		tree[n] = larger(tree[2 * n], tree[2 * n + 1]);
}

static void put_free_run(struct __evl_heap_extent *ext, uint32_t page, uint32_t length)
{
	struct page *first = &ext->pages[page], *last = first + length - 1;

	first->kind = last->kind = PAGE_FREE;
	first->map = last->map = length;
	set_run(ext, page, length);
}

/* The run is free no more: its length. */
static uint32_t drop_free_run(struct __evl_heap_extent *ext, uint32_t page)
{
	uint32_t length = ext->pages[page].map;

	ext->pages[page].kind = PAGE_INNER;
	ext->pages[page + length - 1].kind = PAGE_INNER;
	set_run(ext, page, 0);

	return length;
}

/* Where length pages are free, or NO_PAGE. */
static uint32_t find_run(struct __evl_heap_extent *ext, size_t length)
{
	uint32_t *tree = ext->tree, n = 1;

	if (tree[1] < length)
		return NO_PAGE;

	while (n < ext->nr_pages) {
		n *= 2;
		n += tree[n] < length;
	}

	return n - ext->nr_pages;
}

static uint32_t take_pages(struct __evl_heap_extent *ext, size_t length)
{
	uint32_t page = find_run(ext, length), room;

	if (page == NO_PAGE)
		return NO_PAGE;

	room = drop_free_run(ext, page);
	if (room > length)
		put_free_run(ext, page + (uint32_t)length, room - (uint32_t)length);
	ext->pages[page].kind = PAGE_RUN;
	ext->pages[page].map = (uint32_t)length;

	return page;
}

static void give_pages(struct __evl_heap_extent *ext, uint32_t page, uint32_t length)
{
	struct page *pages = ext->pages;
	uint32_t end = page + length;

	pages[page].kind = PAGE_INNER;
	if (end < ext->nr_pages && pages[end].kind == PAGE_FREE)
		length += drop_free_run(ext, end);
	if (page > 0 && pages[page - 1].kind == PAGE_FREE) {
		page -= pages[page - 1].map;
		length += drop_free_run(ext, page);
	}
	put_free_run(ext, page, length);
}

static void list_shared(struct __evl_heap_extent *ext, uint32_t page)
{
	struct page *p = &ext->pages[page];
	uint32_t *first = &ext->shared[p->log2 - EVL_HEAP_MIN_LOG2];

	p->prev = NO_PAGE;
	p->next = *first;
	if (*first != NO_PAGE)
		ext->pages[*first].prev = page;
	*first = page;
}

static void unlist_shared(struct __evl_heap_extent *ext, uint32_t page)
{
	struct page *p = &ext->pages[page];

	if (p->next != NO_PAGE)
		ext->pages[p->next].prev = p->prev;
	if (p->prev != NO_PAGE)
		ext->pages[p->prev].next = p->next;
	else
		ext->shared[p->log2 - EVL_HEAP_MIN_LOG2] = p->next;
}

static uint32_t full_map(unsigned int log2)
{
	return UINT32_MAX >> (32 - (PAGE >> log2));
}

static void *page_memory(struct __evl_heap_extent *ext, uint32_t page)
{
	return ext->base + ((size_t)page << EVL_HEAP_PAGE_SHIFT);
}

static bool add_shared(struct __evl_heap_extent *ext, unsigned int log2)
{
	uint32_t page = take_pages(ext, 1);

	if (page == NO_PAGE)
		return false;

	ext->pages[page].kind = PAGE_SHARED;
	ext->pages[page].log2 = (uint16_t)log2;
	ext->pages[page].map = 0;
	list_shared(ext, page);

	return true;
}

static void *take_from_shared(struct __evl_heap_extent *ext, unsigned int log2)
{
	uint32_t page = ext->shared[log2 - EVL_HEAP_MIN_LOG2];
	struct page *p = &ext->pages[page];
	unsigned int n = (unsigned int)__builtin_ctz(~p->map);

	p->map |= 1U << n;
	if (p->map == full_map(log2))
		unlist_shared(ext, page);

	return (char *)page_memory(ext, page) + ((size_t)n << log2);
}

/* Pages with room first, wherever they are: a page which is cut stays so as long as a block of it lives. */
static void *alloc_small(struct evl_heap *heap, unsigned int log2)
{
	struct __evl_heap_extent *ext;

	for (ext = heap->extents; ext; ext = ext->next)
		if (ext->shared[log2 - EVL_HEAP_MIN_LOG2] != NO_PAGE)
			return take_from_shared(ext, log2);

	for (ext = heap->extents; ext; ext = ext->next)
		if (add_shared(ext, log2))
			return take_from_shared(ext, log2);

	return NULL;
}

static void *alloc_large(struct evl_heap *heap, size_t size)
{
	struct __evl_heap_extent *ext;
	uint32_t page;

	for (ext = heap->extents; ext; ext = ext->next) {
		page = take_pages(ext, size >> EVL_HEAP_PAGE_SHIFT);
		if (page != NO_PAGE)
			return page_memory(ext, page);
	}

	return NULL;
}

/* Read by evl_heap_used() at any time. */
static void account(struct evl_heap *heap, size_t more)
{
	__atomic_store_n(&heap->used, heap->used + more, __ATOMIC_RELAXED);
}

static unsigned int small_log2(size_t size)
{
	return size <= EVL_HEAP_MIN_ALIGN ? EVL_HEAP_MIN_LOG2 : 64 - (unsigned int)__lzcount((uint64_t)(size - 1));
}

EVL_API void *evl_alloc_block_unlocked(struct evl_heap *heap, size_t size)
{
	void *block;

	if (!size || size > EVL_HEAP_MAX_EXTSZ)
		return NULL;

	if (size <= PAGE / 2) {
		size = (size_t)1 << small_log2(size);
		block = alloc_small(heap, small_log2(size));
	} else {
		size = __align_to(size, PAGE);
		block = alloc_large(heap, size);
	}
	if (block)
		account(heap, size);

	return block;
}

/* What there is to know about a block in use. */
struct block {
	struct __evl_heap_extent *ext;
	uint32_t page;
	uint32_t bit;		/* shared page: of the map */
	size_t size;
};

static struct __evl_heap_extent *find_extent(struct evl_heap *heap, uintptr_t addr)
{
	struct __evl_heap_extent *ext;

	for (ext = heap->extents; ext; ext = ext->next)
		if (addr - (uintptr_t)ext->base < (uintptr_t)ext->nr_pages << EVL_HEAP_PAGE_SHIFT)
			return ext;

	return NULL;
}

static bool find_small(struct block *b, struct page *p, size_t offset)
{
	b->size = (size_t)1 << p->log2;
	b->bit = 1U << (offset >> p->log2);

	return !(offset & (b->size - 1)) && (p->map & b->bit);
}

/* False: there is no block in use at this address. */
static bool find_block(struct evl_heap *heap, void *addr, struct block *b)
{
	size_t offset;
	struct page *p;

	b->ext = find_extent(heap, (uintptr_t)addr);
	if (!b->ext)
		return false;

	offset = (size_t)((char *)addr - b->ext->base);
	b->page = (uint32_t)(offset >> EVL_HEAP_PAGE_SHIFT);
	p = &b->ext->pages[b->page];
	offset &= ~EVL_HEAP_PAGE_MASK;
	if (p->kind == PAGE_SHARED)
		return find_small(b, p, offset);

	b->size = (size_t)p->map << EVL_HEAP_PAGE_SHIFT;

	return p->kind == PAGE_RUN && !offset;
}

static void free_small(struct block *b)
{
	struct page *p = &b->ext->pages[b->page];
	bool was_full = p->map == full_map(p->log2);

	p->map &= ~b->bit;
	if (was_full)
		list_shared(b->ext, b->page);
	if (!p->map) {
		unlist_shared(b->ext, b->page);
		give_pages(b->ext, b->page, 1);
	}
}

EVL_API int evl_free_block_unlocked(struct evl_heap *heap, void *block)
{
	struct block b;

	if (!find_block(heap, block, &b))
		return -EINVAL;

	if (b.size < PAGE)
		free_small(&b);
	else
		give_pages(b.ext, b.page, (uint32_t)(b.size >> EVL_HEAP_PAGE_SHIFT));
	account(heap, -b.size);

	return 0;
}

EVL_API ssize_t evl_check_block_unlocked(struct evl_heap *heap, void *block)
{
	struct block b;

	return find_block(heap, block, &b) ? (ssize_t)b.size : -EINVAL;
}

/* How many pages a raw area yields, the inverse of EVL_HEAP_RAW_SIZE(); 0 if it does not suit. */
static uint32_t count_pages(size_t raw_size)
{
	size_t nr;

	raw_size &= EVL_HEAP_PAGE_MASK;
	if (raw_size < __EVL_HEAP_EXTENT_META)
		return 0;

	nr = (raw_size - __EVL_HEAP_EXTENT_META) / (PAGE + __EVL_HEAP_PAGE_META);

	return nr > EVL_HEAP_MAX_EXTSZ >> EVL_HEAP_PAGE_SHIFT ? 0 : (uint32_t)nr;
}

static void *align(void *p, uintptr_t al)
{
	return (char *)p + (-(uintptr_t)p & (al - 1));
}

static struct __evl_heap_extent *make_extent(void *mem, uint32_t nr_pages)
{
	struct __evl_heap_extent *ext = align(mem, EVL_HEAP_MIN_ALIGN);
	unsigned int n;

	ext->nr_pages = nr_pages;
	ext->tree = (uint32_t *)(ext + 1);
	ext->pages = (struct page *)(ext->tree + 2 * (size_t)nr_pages);
	ext->base = align(ext->pages + nr_pages, DATA_ALIGN);
	memset(ext->tree, 0, nr_pages * __EVL_HEAP_PAGE_META);
	for (n = 0; n < EVL_HEAP_MAX_BUCKETS; n++)
		ext->shared[n] = NO_PAGE;
	put_free_run(ext, 0, nr_pages);

	return ext;
}

EVL_API int evl_extend_heap_unlocked(struct evl_heap *heap, void *mem, size_t size)
{
	uint32_t nr_pages = count_pages(size);
	struct __evl_heap_extent *ext;

	if (!nr_pages)
		return -EINVAL;

	ext = make_extent(mem, nr_pages);
	ext->next = heap->extents;
	heap->extents = ext;
	__atomic_store_n(&heap->raw_size, heap->raw_size + size, __ATOMIC_RELAXED);
	__atomic_store_n(&heap->size, heap->size + (size_t)nr_pages * PAGE, __ATOMIC_RELAXED);

	return 0;
}

EVL_API int evl_init_heap_unlocked(struct evl_heap *heap, void *mem, size_t size)
{
	if (!count_pages(size))
		return -EINVAL;

	memset(heap, 0, sizeof(*heap));

	return evl_extend_heap_unlocked(heap, mem, size);
}

EVL_API void evl_destroy_heap_unlocked(struct evl_heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

EVL_API int evl_init_heap(struct evl_heap *heap, void *mem, size_t size)
{
	struct evl_mutex lock;
	int ret;

	if (!count_pages(size))
		return -EINVAL;

	ret = evl_create_mutex(&lock, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_NORMAL | EVL_CLONE_PRIVATE, NULL);
	if (ret < 0)
		return ret;

	ret = evl_init_heap_unlocked(heap, mem, size);
	heap->lock = lock;

	return ret;
}

EVL_API void evl_destroy_heap(struct evl_heap *heap)
{
	evl_close_mutex(&heap->lock);
	evl_destroy_heap_unlocked(heap);
}

/* Signals cut the wait short: it goes on. */
static int lock_heap(struct evl_heap *heap)
{
	int ret;

	do
		ret = evl_lock_mutex(&heap->lock);
	while (ret == -EINTR);

	return ret;
}

EVL_API int evl_extend_heap(struct evl_heap *heap, void *mem, size_t size)
{
	int ret = lock_heap(heap);

	if (ret)
		return ret;

	ret = evl_extend_heap_unlocked(heap, mem, size);
	evl_unlock_mutex(&heap->lock);

	return ret;
}

EVL_API void *evl_alloc_block(struct evl_heap *heap, size_t size)
{
	void *block;

	if (lock_heap(heap))
		return NULL;

	block = evl_alloc_block_unlocked(heap, size);
	evl_unlock_mutex(&heap->lock);

	return block;
}

EVL_API int evl_free_block(struct evl_heap *heap, void *block)
{
	int ret = lock_heap(heap);

	if (ret)
		return ret;

	ret = evl_free_block_unlocked(heap, block);
	evl_unlock_mutex(&heap->lock);

	return ret;
}

EVL_API ssize_t evl_check_block(struct evl_heap *heap, void *block)
{
	ssize_t ret = lock_heap(heap);

	if (ret)
		return ret;

	ret = evl_check_block_unlocked(heap, block);
	evl_unlock_mutex(&heap->lock);

	return ret;
}

EVL_API size_t evl_heap_raw_size(const struct evl_heap *heap)
{
	return read_once(heap->raw_size);
}

EVL_API size_t evl_heap_size(const struct evl_heap *heap)
{
	return read_once(heap->size);
}

EVL_API size_t evl_heap_used(const struct evl_heap *heap)
{
	return read_once(heap->used);
}
