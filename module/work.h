/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_WORK_H
#define _EVL_WORK_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/workqueue.h>

/* Something to do in-band, in process context. Memory of the caller until evl_flush_work(). */
struct evl_work {
	struct irq_work		irq_work;
	struct work_struct	work;
	void			(*fn)(struct evl_work *w);
	atomic_t		pending;
};

void evl_init_work(struct evl_work *w, void (*fn)(struct evl_work *w));
bool evl_queue_work(struct evl_work *w);
void evl_flush_work(struct evl_work *w);

#endif /* _EVL_WORK_H */
