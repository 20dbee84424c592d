/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layout of wait queues, for those who embed one; what to do with them is in wait.h.
 */
#ifndef _EVL_WAITQUEUE_H
#define _EVL_WAITQUEUE_H

#include <linux/hard_spinlock.h>
#include <linux/list.h>

struct evl_clock;
struct evl_thread;
struct evl_waitqueue;

#define EVL_WQ_PRIO	0
#define EVL_WQ_FIFO	1

/**
 * struct evl_wq_ops - what the owner of a queue wants to know; queue locked, no thread locked
 * @left:	a waiter was forced out: limit, unblocking, signal
 * @moved:	a waiter has another priority, and its new place; may be NULL
 *
 * Both return a thread whose priority changed in turn, with a reference, or NULL. See rank.c.
 */
struct evl_wq_ops {
	struct evl_thread *(*left)(struct evl_waitqueue *wq);
	struct evl_thread *(*moved)(struct evl_waitqueue *wq);
};

/**
 * struct evl_waitqueue - threads which wait for something
 * @lock: covers all below and, by convention, the state the waiters look at
 * @order: EVL_WQ_PRIO or EVL_WQ_FIFO
 * @dead: destroyed: nobody may wait any more
 * @clock: of the limits of waits
 * @waiters: by descending priority, or first in first out; linked by evl_thread.wait_next
 * @name: wait channel, for monitoring tools
 * @ops: NULL for those who need not know
 */
struct evl_waitqueue {
	hard_spinlock_t		lock;
	int			order;
	bool			dead;
	struct evl_clock	*clock;
	struct list_head	waiters;
	const char		*name;
	const struct evl_wq_ops	*ops;
};

void __evl_init_waitqueue(struct evl_waitqueue *wq, struct evl_clock *clock, int order, const char *name);
void evl_destroy_waitqueue(struct evl_waitqueue *wq);

#endif /* _EVL_WAITQUEUE_H */
