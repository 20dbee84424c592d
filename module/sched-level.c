// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ready threads by priority level: a bitmap of busy levels and a list for each. All under the run queue lock.
 */
#include "sched.h"
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

void evl_add_level_head(struct evl_levels *lv, struct evl_thread *thread)
{
	unsigned int bit = level_bit(thread->prio);

	list_add(&thread->rq_next, lv->heads + bit);
	__set_bit(bit, lv->map);
}

void evl_add_level_tail(struct evl_levels *lv, struct evl_thread *thread)
{
	unsigned int bit = level_bit(thread->prio);

	list_add_tail(&thread->rq_next, lv->heads + bit);
	__set_bit(bit, lv->map);
}

/* @thread->prio is still the one it was added with. */
void evl_del_level(struct evl_levels *lv, struct evl_thread *thread)
{
	unsigned int bit = level_bit(thread->prio);

	list_del(&thread->rq_next);
	if (list_empty(lv->heads + bit))
		__clear_bit(bit, lv->map);
}

/* A few words: cheaper by hand than by a call for any length. */
static inline unsigned int first_level(const struct evl_levels *lv)
{
	unsigned int n;

	for (n = 0; n < BITS_TO_LONGS(EVL_NR_LEVELS); n++)
		if (lv->map[n])
			return n * BITS_PER_LONG + __ffs(lv->map[n]);
	return EVL_NR_LEVELS;
}

struct evl_thread *evl_pop_level(struct evl_levels *lv)
{
	unsigned int bit = first_level(lv);
	struct evl_thread *thread;

	if (bit >= EVL_NR_LEVELS)
		return NULL;

	thread = list_first_entry(lv->heads + bit, struct evl_thread, rq_next);
	evl_del_level(lv, thread);

	return thread;
}
