// SPDX-License-Identifier: GPL-2.0-only
/*
 * The synthetic interrupt of a run: posted from the tick, handled in-band on the same CPU. What it measures is how
 * long in-band masks itself.
 */
#include "latmus.h"
#include "clock.h"

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_pipeline.h>
#include <linux/irqdomain.h>
#include <linux/percpu.h>

static irqreturn_t handle_sirq(int irq, void *data)
{
	ktime_t now = evl_ktime_monotonic();
	struct latmus_run *run = *(struct latmus_run **)data;
	unsigned long flags;
	s64 lat = 0;
	bool peak;

	evl_wq_lock(&run->wait, flags);
	peak = latmus_complete_tick(run, now, &lat);
	evl_wq_unlock(&run->wait, flags);
	latmus_trace_peak(peak, lat);

	return IRQ_HANDLED;
}

static int request_sirq(struct latmus_run *run)
{
	int cpu, ret;

	run->sirq_run = alloc_percpu(struct latmus_run *);
	if (!run->sirq_run)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		*per_cpu_ptr(run->sirq_run, cpu) = run;

	ret = __request_percpu_irq(run->sirq, handle_sirq, 0, "latmus", run->sirq_run);
	if (ret)
		free_percpu(run->sirq_run);

	return ret;
}

/* 0; -ENOSPC no synthetic interrupt is left; -ENOMEM. */
int latmus_get_sirq(struct latmus_run *run)
{
	int ret;

	run->sirq = irq_create_direct_mapping(synthetic_irq_domain);
	if (!run->sirq)
		return -ENOSPC;

	ret = request_sirq(run);
	if (ret) {
		irq_dispose_mapping(run->sirq);
		run->sirq = 0;
	}

	return ret;
}

/* The timer is gone, so that nobody posts it; the mapping goes once no CPU handles it. */
void latmus_put_sirq(struct latmus_run *run)
{
	if (!run->sirq)
		return;
	free_percpu_irq(run->sirq, run->sirq_run);
	irq_dispose_mapping(run->sirq);
	free_percpu(run->sirq_run);
	run->sirq = 0;
}

void latmus_post_sirq(struct latmus_run *run)
{
	run->tick_date = evl_ktime_monotonic();
	irq_post_inband(run->sirq);
}
