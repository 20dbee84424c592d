/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_POLL_H
#define _EVL_POLL_H

#include "lock.h"

#include <linux/list.h>
#include <linux/poll.h>

struct evl_factory;
struct evl_pollset;

/**
 * struct evl_pollq - source of events
 * @lock:	covers the list
 * @nodes:	who wants to know, evl_poll_node.next
 * @dead:	dropped: nobody may register any more
 */
struct evl_pollq {
	hard_spinlock_t		lock;
	struct list_head	nodes;
	bool			dead;
};

/* Link of a member to one of its sources. @pq: link lock of the set; NULL: not linked. */
struct evl_poll_node {
	struct list_head	next;
	struct evl_pollq	*pq;
	struct oob_poll_wait	*wait;
};

#define EVL_POLL_SOURCES	2

/* What file_operations.oob_poll() gets, to pass on to evl_poll_register(). */
struct oob_poll_wait {
	struct evl_pollset	*set;
	struct evl_poll_node	nodes[EVL_POLL_SOURCES];
};

void evl_init_pollq(struct evl_pollq *pq);
void evl_poll_register(struct evl_pollq *pq, struct oob_poll_wait *wait);
bool evl_poll_active(struct evl_pollq *pq);
void evl_poll_notify_nosched(struct evl_pollq *pq, __poll_t events);
void evl_poll_notify(struct evl_pollq *pq, __poll_t events);
void evl_poll_drop(struct evl_pollq *pq);

extern struct evl_factory evl_poll_factory;

#endif /* _EVL_POLL_H */
