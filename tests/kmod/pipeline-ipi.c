// SPDX-License-Identifier: GPL-2.0-only
/* Out-of-band IPIs, and in-band work raised from out-of-band. */
#include "pipeline-test.h"
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#define ROUNDS	1000

struct ipi_log {
	unsigned int received;
	unsigned int misplaced;		/* not on the oob stage, or not hard off */
	unsigned int wrong_cpu;
};

static DEFINE_PER_CPU(struct ipi_log, ipi_log);
static DEFINE_PER_CPU(struct ipi_log, timer_ipi_log);

void (*ipi_extra)(void);

static irqreturn_t count_ipi(int irq, void *data)
{
	struct ipi_log *log = data;
	struct context_state s = context_state();

	log->misplaced += !s.oob || !s.hard_off || !s.masked || !s.nmi;
	log->wrong_cpu += log != this_cpu_ptr(&ipi_log) && log != this_cpu_ptr(&timer_ipi_log);
	if (irq == RESCHEDULE_OOB_IPI && ipi_extra)
		ipi_extra();
	WRITE_ONCE(log->received, log->received + 1);

	return IRQ_HANDLED;
}

int request_ipis(void)
{
	int ret;

	ret = __request_percpu_irq(RESCHEDULE_OOB_IPI, count_ipi, IRQF_OOB, "pipeline-test", &ipi_log);
	if (ret)
		return ret;
	ret = __request_percpu_irq(TIMER_OOB_IPI, count_ipi, IRQF_OOB, "pipeline-test", &timer_ipi_log);
	if (ret)
		free_percpu_irq(RESCHEDULE_OOB_IPI, &ipi_log);

	return ret;
}

void free_ipis(void)
{
	free_percpu_irq(TIMER_OOB_IPI, &timer_ipi_log);
	free_percpu_irq(RESCHEDULE_OOB_IPI, &ipi_log);
}

static unsigned int received_on(int cpu)
{
	return READ_ONCE(per_cpu(ipi_log, cpu).received);
}

/* Sends one IPI, and waits for its handler. */
static bool ping(int cpu)
{
	unsigned int before = received_on(cpu);

	irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(cpu));

	return spin_for(received_on(cpu) != before, 2000) && received_on(cpu) == before + 1;
}

static int ping_many(int cpu)
{
	int i, failed = 0;

	for (i = 0; i < ROUNDS && failed < 10; i++)
		failed += !ping(cpu);

	return failed;
}

static void ping_self(void)
{
	int self = smp_processor_id(), failed;
	unsigned int before;
	bool held;

	failed = ping_many(self);
	tap_ok(!failed, "oob IPI to self (%d of %d failed)", failed, ROUNDS);

	local_irq_disable();
	failed = ping_many(self);
	local_irq_enable();
	tap_ok(!failed, "oob IPI to self in a masked section (%d of %d failed)", failed, ROUNDS);

	before = received_on(self);
	hard_local_irq_disable();
	irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(self));
	spin_ns(10000);
	held = received_on(self) == before;
	hard_local_irq_enable();
	tap_ok(held && spin_for(received_on(self) == before + 1, 1000), "oob IPI waits for the CPU's mask");
}

static void ping_busy(int cpu, enum busy_kind kind, const char *name)
{
	int failed;

	if (!tap_ok(!busy_start(cpu, kind), "CPU%d got busy %s", cpu, name))
		return;
	failed = ping_many(cpu);
	busy_stop();
	tap_ok(!failed, "oob IPI to CPU%d, busy %s (%d of %d failed)", cpu, name, failed, ROUNDS);
}

static void ping_hard_off(int cpu)
{
	unsigned int before = received_on(cpu);
	bool held;

	if (!tap_ok(!busy_start(cpu, BUSY_HARD), "CPU%d got busy with its own mask set", cpu))
		return;
	irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(cpu));
	spin_ns(NSEC_PER_MSEC);
	held = received_on(cpu) == before;
	busy_stop();
	tap_ok(held && spin_for(received_on(cpu) == before + 1, 1000), "oob IPI to CPU%d waits for its own mask", cpu);
}

static void ping_others(void)
{
	int cpu, failed;

	if (num_online_cpus() == 1) {
		tap_skip("one CPU", "oob IPI to other CPUs");
		return;
	}
	for_each_online_cpu(cpu) {
		if (cpu == smp_processor_id())
			continue;
		failed = ping_many(cpu);
		tap_ok(!failed, "oob IPI to CPU%d, idle or not (%d of %d failed)", cpu, failed, ROUNDS);
		ping_busy(cpu, BUSY_OPEN, "with masks open");
		ping_busy(cpu, BUSY_MASKED, "in a masked section");
		ping_hard_off(cpu);
	}
}

static void ping_all(void)
{
	unsigned int before[NR_CPUS > 64 ? 64 : NR_CPUS];
	int cpu, i, failed = 0;

	for (i = 0; i < 100; i++) {
		for_each_online_cpu(cpu)
			before[cpu] = READ_ONCE(per_cpu(timer_ipi_log, cpu).received);
		irq_send_oob_ipi(TIMER_OOB_IPI, cpu_online_mask);
		for_each_online_cpu(cpu)
			failed += !spin_for(READ_ONCE(per_cpu(timer_ipi_log, cpu).received) == before[cpu] + 1, 1000);
	}
	tap_ok(!failed, "the other oob IPI, to all CPUs at once (%d failed)", failed);
}

static void judge_handlers(void)
{
	unsigned int misplaced = 0, wrong = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		misplaced += per_cpu(ipi_log, cpu).misplaced + per_cpu(timer_ipi_log, cpu).misplaced;
		wrong += per_cpu(ipi_log, cpu).wrong_cpu + per_cpu(timer_ipi_log, cpu).wrong_cpu;
	}
	tap_ok(!misplaced, "handlers ran out-of-band, hard off, NMI-like (%u not)", misplaced);
	tap_ok(!wrong, "handlers got their own CPU's data (%u not)", wrong);
}

void test_ipi(void)
{
	int ret = request_ipis();

	if (!tap_ok(!ret, "oob IPIs can be requested (%d)", ret))
		return;
	ret = __request_percpu_irq(RESCHEDULE_OOB_IPI, count_ipi, IRQF_OOB, "again", &ipi_log);
	tap_ok(ret == -EBUSY, "an oob IPI has one owner (%d)", ret);
	ping_self();
	ping_others();
	ping_all();
	judge_handlers();
	free_ipis();
}

/* In-band work raised on the oob stage. */
struct work_log {
	struct irq_work work;
	unsigned int queued;
	unsigned int runs;
	unsigned int wrong_cpu;
	unsigned int wrong_stage;
	int home;
};

static DEFINE_PER_CPU(struct work_log, work_log);

static void note_work(struct irq_work *work)
{
	struct work_log *log = container_of(work, struct work_log, work);

	log->wrong_cpu += log->home != raw_smp_processor_id();
	log->wrong_stage += running_oob() || in_nmi();
	WRITE_ONCE(log->runs, log->runs + 1);
}

static void queue_work_here(void)
{
	struct work_log *log = this_cpu_ptr(&work_log);

	log->queued += irq_work_queue(&log->work);
}

static int queue_work_oob(void *unused)
{
	queue_work_here();

	return 0;
}

static bool work_done(int cpu)
{
	struct work_log *log = per_cpu_ptr(&work_log, cpu);

	return spin_for(READ_ONCE(log->runs) == READ_ONCE(log->queued), 2000);
}

static void work_by_escalation(void)
{
	struct work_log *log = this_cpu_ptr(&work_log);
	int i, early = 0, lost = 0;

	for (i = 0; i < ROUNDS; i++) {
		local_irq_disable();
		run_oob_call(queue_work_oob, NULL);
		spin_ns(1000);
		early += READ_ONCE(log->runs) == log->queued;
		local_irq_enable();
		lost += !work_done(smp_processor_id());
	}
	tap_ok(!early, "irq_work from an oob call in a masked section waits for in-band (%d of %d)", early, ROUNDS);
	tap_ok(!lost, "irq_work from an oob call runs (%d of %d lost)", lost, ROUNDS);
}

static void work_by_ipi(int cpu)
{
	int i, lost = 0;

	for (i = 0; i < ROUNDS && lost < 10; i++)
		lost += !ping(cpu) || !work_done(cpu);
	tap_ok(!lost, "irq_work from an oob handler on CPU%d runs (%d lost)", cpu, lost);
}

static void work_on_masked_cpu(int cpu)
{
	struct work_log *log = per_cpu_ptr(&work_log, cpu);
	bool held;

	if (!tap_ok(!busy_start(cpu, BUSY_MASKED), "CPU%d got busy in a masked section", cpu))
		return;
	ping(cpu);
	spin_ns(NSEC_PER_MSEC);
	held = READ_ONCE(log->runs) != READ_ONCE(log->queued);
	busy_stop();
	tap_ok(held, "irq_work from an oob handler over a masked section of CPU%d waits", cpu);
	tap_ok(work_done(cpu), "and runs when CPU%d unmasks", cpu);
}

static int print_oob(void *unused)
{
	pr_info("printed on the out-of-band stage\n");

	return 0;
}

void test_inband_work(void)
{
	unsigned int wrong_cpu = 0, wrong_stage = 0;
	int cpu, ret = request_ipis();

	if (!tap_ok(!ret, "oob IPIs can be requested again (%d)", ret))
		return;
	for_each_possible_cpu(cpu) {
		per_cpu(work_log, cpu).work = IRQ_WORK_INIT_HARD(note_work);
		per_cpu(work_log, cpu).home = cpu;
	}
	work_by_escalation();
	ipi_extra = queue_work_here;
	for_each_online_cpu(cpu) {
		work_by_ipi(cpu);
		if (cpu != smp_processor_id())
			work_on_masked_cpu(cpu);
	}
	free_ipis();
	ipi_extra = NULL;
	for_each_online_cpu(cpu) {
		irq_work_sync(&per_cpu(work_log, cpu).work);
		wrong_cpu += per_cpu(work_log, cpu).wrong_cpu;
		wrong_stage += per_cpu(work_log, cpu).wrong_stage;
	}
	tap_ok(!wrong_cpu, "irq_work stayed on the CPU which raised it (%u not)", wrong_cpu);
	tap_ok(!wrong_stage, "irq_work ran in-band (%u not)", wrong_stage);
	tap_ok(!run_oob_call(print_oob, NULL), "printk() on the out-of-band stage returns");
}
