// SPDX-License-Identifier: GPL-2.0-only
/* Hard spinlocks between the stages. */
#include "pipeline-test.h"
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

/* The series adds them after the pipeline itself. */
#if __has_include(<linux/hard_spinlock.h>)
#include <linux/hard_spinlock.h>

/* A counter shared by in-band, masked or not, and oob handlers of all CPUs. */
static DEFINE_HARD_SPINLOCK(counter_lock);
static u64 counter, increments_oob;
static atomic64_t increments_inband;

static void count_locked_oob(void)
{
	hard_spin_lock(&counter_lock);
	counter++;
	increments_oob++;
	hard_spin_unlock(&counter_lock);
}

static void count_locked_inband(void)
{
	unsigned long flags;

	hard_spin_lock_irqsave(&counter_lock, flags);
	counter++;
	hard_spin_unlock_irqrestore(&counter_lock, flags);
	atomic64_inc(&increments_inband);
}

static struct delayed_work counters[8];
static bool counting;

static void keep_counting(struct work_struct *work)
{
	while (READ_ONCE(counting)) {
		count_locked_inband();
		cond_resched();
	}
}

void test_hard_locks(void)
{
	int i, cpu, ret = request_ipis();
	u64 end;

	if (!tap_ok(!ret, "oob IPIs can be requested once more (%d)", ret))
		return;
	ipi_extra = count_locked_oob;
	WRITE_ONCE(counting, true);
	i = 0;
	for_each_online_cpu(cpu) {
		if (cpu == smp_processor_id() || i == ARRAY_SIZE(counters))
			continue;
		INIT_DELAYED_WORK(&counters[i], keep_counting);
		queue_delayed_work_on(cpu, system_long_wq, &counters[i++], 0);
	}
	for (end = ktime_get_mono_fast_ns() + NSEC_PER_SEC; ktime_get_mono_fast_ns() < end; ) {
		irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpu_online_mask);
		count_locked_inband();
		usleep_range(50, 100);
	}
	WRITE_ONCE(counting, false);
	while (i--)
		flush_delayed_work(&counters[i]);
	free_ipis();
	ipi_extra = NULL;
	tap_note("%llu out-of-band, %lld in-band increments", increments_oob, atomic64_read(&increments_inband));
	tap_ok(increments_oob && counter == increments_oob + atomic64_read(&increments_inband),
	       "a counter under a hard spinlock is exact across stages and CPUs");
}

#else

void test_hard_locks(void)
{
	tap_skip("this kernel has none yet", "hard spinlocks");
}

#endif
