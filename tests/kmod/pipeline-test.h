/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_TESTS_PIPELINE_TEST_H
#define _EVL_TESTS_PIPELINE_TEST_H

#include <linux/interrupt.h>
#include <linux/irq_pipeline.h>
#include <linux/ktime.h>
#include <linux/processor.h>
#include <linux/timekeeping.h>
#include "tap.h"

/* Parameters of the module. */
extern unsigned long bound_ns;
extern unsigned int rounds;

/* What the running context looks like, as seen by the pipeline. */
struct context_state {
	bool oob;
	bool hard_off;		/* the CPU's own mask */
	bool masked;		/* irqs_disabled() */
	bool nmi;		/* in_nmi() */
	int preempt;
	int cpu;
};

static inline struct context_state context_state(void)
{
	return (struct context_state) {
		.oob = running_oob(),
		.hard_off = hard_irqs_disabled(),
		.masked = irqs_disabled(),
		.nmi = in_nmi(),
		.preempt = preempt_count(),
		.cpu = raw_smp_processor_id(),
	};
}

/* Busy wait for COND, at most MS milliseconds; whether it came true. Any context. */
#define spin_for(cond, ms) ({							\
	u64 __end = ktime_get_mono_fast_ns() + (ms) * (u64)NSEC_PER_MSEC;	\
	bool __met;								\
	while (!(__met = !!(cond)) && ktime_get_mono_fast_ns() < __end)		\
		cpu_relax();							\
	__met;									\
})

static inline void spin_ns(u64 ns)
{
	u64 end = ktime_get_mono_fast_ns() + ns;

	while (ktime_get_mono_fast_ns() < end)
		cpu_relax();
}

/*
 * A CPU held busy: spinning in-band with interrupts masked, hard masked or open, until it is released.
 * In-band, from the test thread, for another CPU than its own.
 */
enum busy_kind { BUSY_OPEN, BUSY_MASKED, BUSY_HARD };

int busy_start(int cpu, enum busy_kind kind);
void busy_stop(void);

/*
 * The oob IPIs, both counted by their handlers. ipi_extra is what the handler of RESCHEDULE_OOB_IPI does
 * beside that; it changes while no IPI is on its way.
 */
extern void (*ipi_extra)(void);
int request_ipis(void);
void free_ipis(void);

/* Groups of tests, run in this order by a thread bound to a CPU. */
void test_stage(void);
void test_masking(void);
void test_ipi(void);
void test_inband_work(void);
void test_hard_locks(void);
void test_tick(void);
void test_synthetic(void);
void test_device(void);
void test_virtio(void);

#endif /* _EVL_TESTS_PIPELINE_TEST_H */
