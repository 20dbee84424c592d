// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is ready by priority level, threads or groups of them: a bitmap of busy levels and a list for each. All
 * under the run queue lock.
 */
#include "sched-level.h"
#include "thread.h"

/* The highest level comes first in the map, so that the first bit set is the one to serve. */
static inline unsigned int level_bit(int prio)
{
	return EVL_MAX_PRIO - prio;
}

void evl_init_levels(struct evl_levels *lv)
{
	int n;

	bitmap_zero(lv->map, EVL_NR_LEVELS);
	for (n = 0; n < EVL_NR_LEVELS; n++)
		INIT_LIST_HEAD(lv->heads + n);
}

void evl_add_node_head(struct evl_levels *lv, struct list_head *node, int prio)
{
	unsigned int bit = level_bit(prio);

	list_add(node, lv->heads + bit);
	__set_bit(bit, lv->map);
}

void evl_add_node_tail(struct evl_levels *lv, struct list_head *node, int prio)
{
	unsigned int bit = level_bit(prio);

	list_add_tail(node, lv->heads + bit);
	__set_bit(bit, lv->map);
}

/* @prio is what it was added with. */
void evl_del_node(struct evl_levels *lv, struct list_head *node, int prio)
{
	unsigned int bit = level_bit(prio);

	list_del(node);
	if (list_empty(lv->heads + bit))
		__clear_bit(bit, lv->map);
}

/* A few words: cheaper by hand than by a call for any length. */
static inline unsigned int first_bit(const struct evl_levels *lv)
{
	unsigned int n;

	for (n = 0; n < BITS_TO_LONGS(EVL_NR_LEVELS); n++)
		if (lv->map[n])
			return n * BITS_PER_LONG + __ffs(lv->map[n]);
	return EVL_NR_LEVELS;
}

/* NULL: nothing there. */
struct list_head *evl_first_node(const struct evl_levels *lv)
{
	unsigned int bit = first_bit(lv);

	return bit < EVL_NR_LEVELS ? lv->heads[bit].next : NULL;
}

/* Highest busy level, -1: none. */
int evl_top_level(const struct evl_levels *lv)
{
	return EVL_MAX_PRIO - (int)first_bit(lv);
}

/* All of @from goes behind what @to has, level by level: as many steps as there are levels. */
void evl_merge_levels(struct evl_levels *to, struct evl_levels *from)
{
	unsigned int bit;

	for_each_set_bit(bit, from->map, EVL_NR_LEVELS)
		list_splice_tail_init(from->heads + bit, to->heads + bit);
	bitmap_or(to->map, to->map, from->map, EVL_NR_LEVELS);
	bitmap_zero(from->map, EVL_NR_LEVELS);
}

void evl_add_level_head(struct evl_levels *lv, struct evl_thread *thread)
{
	evl_add_node_head(lv, &thread->rq_next, thread->prio);
}

void evl_add_level_tail(struct evl_levels *lv, struct evl_thread *thread)
{
	evl_add_node_tail(lv, &thread->rq_next, thread->prio);
}

/* @thread->prio is still the one it was added with. */
void evl_del_level(struct evl_levels *lv, struct evl_thread *thread)
{
	evl_del_node(lv, &thread->rq_next, thread->prio);
}

struct evl_thread *evl_pop_level(struct evl_levels *lv)
{
	struct list_head *node = evl_first_node(lv);
	struct evl_thread *thread;

	if (!node)
		return NULL;

	thread = list_entry(node, struct evl_thread, rq_next);
	evl_del_level(lv, thread);

	return thread;
}
