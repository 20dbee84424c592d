/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SCHED_LEVEL_H
#define _EVL_SCHED_LEVEL_H

#include <linux/bitmap.h>
#include <linux/list.h>

struct evl_thread;

#define EVL_MIN_PRIO	1
#define EVL_MAX_PRIO	99
#define EVL_NR_LEVELS	(EVL_MAX_PRIO + 1)

/*
 * What is ready to run, by priority level: highest level and both ends of each list are found in constant
 * time. Covered by the run queue lock.
 */
struct evl_levels {
	DECLARE_BITMAP(map, EVL_NR_LEVELS);	/* bit EVL_MAX_PRIO - level */
	struct list_head	heads[EVL_NR_LEVELS];
};

void evl_init_levels(struct evl_levels *lv);

void evl_add_node_head(struct evl_levels *lv, struct list_head *node, int prio);
void evl_add_node_tail(struct evl_levels *lv, struct list_head *node, int prio);
void evl_del_node(struct evl_levels *lv, struct list_head *node, int prio);
struct list_head *evl_first_node(const struct evl_levels *lv);
int evl_top_level(const struct evl_levels *lv);
void evl_merge_levels(struct evl_levels *to, struct evl_levels *from);

/* The same for threads, at their current priority. */
void evl_add_level_head(struct evl_levels *lv, struct evl_thread *thread);
void evl_add_level_tail(struct evl_levels *lv, struct evl_thread *thread);
void evl_del_level(struct evl_levels *lv, struct evl_thread *thread);
struct evl_thread *evl_pop_level(struct evl_levels *lv);

#endif /* _EVL_SCHED_LEVEL_H */
