// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for out-of-band code: blocks of powers of two, from an arena of constant size, allocated and freed
 * in bounded time. Free blocks are joined with their buddies at once.
 *
 * "map" has a byte for each unit of the arena: order of the block which begins there, and whether it is free;
 * 0 within a block. Everything is covered by coremem_lock, which is a leaf.
 */
#include "coremem.h"
#include "compat.h"
#include "lock.h"
#include "params.h"

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/vmalloc.h>

#define UNIT		64UL
#define NR_ORDERS	(ilog2(EVL_COREMEM_MAX_BLOCK / UNIT) + 1)

#define BLOCK_FREE	0x40
#define BLOCK_BUSY	0x80

static DEFINE_HARD_SPINLOCK(coremem_lock);
static void *arena;
static unsigned long nr_units;
static u8 *map;
static struct list_head free_blocks[NR_ORDERS];	/* linked by what a free block begins with */
static unsigned long free_orders;		/* those with a free block */
static unsigned long nr_busy;

static struct list_head *block_at(unsigned long unit)
{
	return arena + unit * UNIT;
}

static unsigned long unit_of(const void *block)
{
	return (block - arena) / UNIT;
}

static void add_block(unsigned long unit, int order)
{
	map[unit] = BLOCK_FREE | order;
	list_add(block_at(unit), &free_blocks[order]);
	__set_bit(order, &free_orders);
}

static void del_block(unsigned long unit, int order)
{
	map[unit] = 0;
	list_del(block_at(unit));
	if (list_empty(&free_blocks[order]))
		__clear_bit(order, &free_orders);
}

static int order_of(size_t size)
{
	return size <= UNIT ? 0 : order_base_2(size) - ilog2(UNIT);
}

/* Locked. Takes the smallest block which is large enough, and gives back what is beyond @order. */
static void *take_block(int order)
{
	unsigned long from = find_next_bit(&free_orders, NR_ORDERS, order), unit;

	if (from >= NR_ORDERS)
		return NULL;

	unit = unit_of(free_blocks[from].next);
	del_block(unit, from);
	while (from > order) {
		from--;
		add_block(unit + (1UL << from), from);
	}
	map[unit] = BLOCK_BUSY | order;
	nr_busy++;

	return block_at(unit);
}

/* Locked. */
static void give_block(unsigned long unit)
{
	int order = map[unit] & ~BLOCK_BUSY;
	unsigned long buddy;

	map[unit] = 0;
	nr_busy--;
	for (; order < NR_ORDERS - 1; order++) {
		buddy = unit ^ (1UL << order);
		if (buddy >= nr_units || map[buddy] != (BLOCK_FREE | order))
			break;
		del_block(buddy, order);
		unit = min(unit, buddy);
	}
	add_block(unit, order);
}

/**
 * evl_alloc_core - allocate memory from the heap of the core
 * @size: bytes, EVL_COREMEM_MAX_BLOCK at most
 *
 * In-band, or out-of-band thread; never from an interrupt, as the memory is zeroed. Takes the same time
 * whatever in-band does. Aligned to its size rounded up to a power of two, to 4096 at most. NULL: exhausted,
 * or not such a size.
 */
void *evl_alloc_core(size_t size)
{
	void *p = NULL;

	if (!size || size > EVL_COREMEM_MAX_BLOCK)
		return NULL;

	scoped_guard(hard_spinlock_irqsave, &coremem_lock)
		p = take_block(order_of(size));

	return p ? memset(p, 0, size) : NULL;
}
EVL_EXPORT(evl_alloc_core);

static bool is_block(const void *p)
{
	return p >= arena && p < arena + nr_units * UNIT && IS_ALIGNED(p - arena, UNIT) &&
		map[unit_of(p)] & BLOCK_BUSY;
}

/** evl_free_core - give memory back to the heap of the core; NULL is fine; in-band, or out-of-band thread */
void evl_free_core(void *p)
{
	if (!p)
		return;

	guard(hard_spinlock_irqsave)(&coremem_lock);
	if (!WARN_ON_ONCE(!is_block(p)))
		give_block(unit_of(p));
}
EVL_EXPORT(evl_free_core);

int evl_init_coremem(void)
{
	unsigned long unit;
	int order;

	nr_units = evl_coremem_kb * 1024UL / EVL_COREMEM_MAX_BLOCK << (NR_ORDERS - 1);
	arena = vzalloc(nr_units * UNIT);
	map = vzalloc(nr_units);
	if (!arena || !map) {
		vfree(arena);
		vfree(map);
		return -ENOMEM;
	}

	for (order = 0; order < NR_ORDERS; order++)
		INIT_LIST_HEAD(&free_blocks[order]);
	for (unit = 0; unit < nr_units; unit += 1UL << (NR_ORDERS - 1))
		add_block(unit, NR_ORDERS - 1);

	return 0;
}

void evl_cleanup_coremem(void)
{
	if (nr_busy)
		pr_warn("%lu blocks of the core's heap were not given back\n", nr_busy);
	vfree(map);
	vfree(arena);
}
