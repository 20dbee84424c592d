/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_OBSERVABLE_H
#define _EVL_OBSERVABLE_H

#include "poll.h"

#include <linux/irq_work.h>
#include <linux/wait.h>

#include <evl/observable-abi.h>

struct evl_factory;

/*
 * struct evl_observable - where notices come in, and observers get them
 *
 * @lock covers all but the last three.
 */
struct evl_observable {
	hard_spinlock_t		lock;
	struct list_head	observers;	/* unicast: next one to serve first */
	u32			serial;
	bool			unicast;
	bool			dead;
	struct evl_pollq	pollq;
	wait_queue_head_t	inband;
	struct irq_work		wake_work;
};

struct evl_observable *evl_alloc_observable(bool unicast);
void evl_evict_observable(struct evl_observable *obs);
void evl_free_observable(struct evl_observable *obs);

bool evl_post_notice(struct evl_observable *obs, const struct evl_notice *ntc, pid_t issuer);
long evl_observable_ioctl(struct evl_observable *obs, unsigned int cmd, unsigned long arg, bool nonblock);
__poll_t evl_observable_oob_poll(struct evl_observable *obs, struct oob_poll_wait *wait);
__poll_t evl_observable_poll(struct evl_observable *obs, struct file *filp, struct poll_table_struct *pt);

extern struct evl_factory evl_observable_factory;

#endif /* _EVL_OBSERVABLE_H */
