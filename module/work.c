// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deferred in-band work: an interrupt of the in-band stage, which out-of-band code may raise, starts a work
 * item.
 *
 * "pending" spans both steps. It is cleared before the function runs, so that what is posted while the
 * function looks around makes it run again.
 */
#include "work.h"
#include "compat.h"

/* In-band interrupt. */
static void start_work(struct irq_work *irq_work)
{
	schedule_work(&container_of(irq_work, struct evl_work, irq_work)->work);
}

static void run_work(struct work_struct *work)
{
	struct evl_work *w = container_of(work, struct evl_work, work);

	/* Full barrier: the function sees what was there when the last evl_queue_work() returned false. */
	atomic_xchg(&w->pending, 0);
	w->fn(w);
}

/** evl_init_work - make a work item, idle; @fn runs in-band, in process context, and may sleep; any context */
void evl_init_work(struct evl_work *w, void (*fn)(struct evl_work *w))
{
	init_irq_work(&w->irq_work, start_work);
	INIT_WORK(&w->work, run_work);
	w->fn = fn;
	atomic_set(&w->pending, 0);
}
EVL_EXPORT(evl_init_work);

/**
 * evl_queue_work - have the function of a work item run in-band, soon
 * @w: the item
 *
 * Any context. False: it is pending already, and will run after this call. Any number of calls before it runs
 * make it run once.
 */
bool evl_queue_work(struct evl_work *w)
{
	if (atomic_xchg(&w->pending, 1))
		return false;

	irq_work_queue(&w->irq_work);

	return true;
}
EVL_EXPORT(evl_queue_work);

/**
 * evl_flush_work - wait for a work item
 * @w: the item
 *
 * In-band, able to sleep; not from its own function. What was queued before the call has run on return. If
 * nobody queues it any more, its memory may go, and the text of its function.
 */
void evl_flush_work(struct evl_work *w)
{
	irq_work_sync(&w->irq_work);
	flush_work(&w->work);
}
EVL_EXPORT(evl_flush_work);
