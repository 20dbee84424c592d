// SPDX-License-Identifier: GPL-2.0-only
/* Synthetic interrupts on both stages, and lines of a cascaded controller. */
#include "pipeline-test.h"
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/percpu.h>

#define ROUNDS	1000

struct synthetic_log {
	unsigned int runs;
	unsigned int misplaced;
};

static DEFINE_PER_CPU(struct synthetic_log, oob_log);
static DEFINE_PER_CPU(struct synthetic_log, inband_log);

static irqreturn_t note_oob(int irq, void *data)
{
	struct synthetic_log *log = data;
	struct context_state s = context_state();

	log->misplaced += !s.oob || !s.hard_off || log != this_cpu_ptr(&oob_log) || !on_pipeline_entry();
	WRITE_ONCE(log->runs, log->runs + 1);

	return IRQ_HANDLED;
}

static irqreturn_t note_inband(int irq, void *data)
{
	struct synthetic_log *log = data;

	log->misplaced += running_oob() || !in_hardirq() || log != this_cpu_ptr(&inband_log);
	WRITE_ONCE(log->runs, log->runs + 1);

	return IRQ_HANDLED;
}

static int call_inject(void *irq)
{
	return irq_inject_pipeline((unsigned long)irq);
}

static void inject_oob(unsigned int irq)
{
	struct synthetic_log *log = this_cpu_ptr(&oob_log);
	unsigned int before = log->runs;
	int i, late = 0;
	bool held;

	for (i = 0; i < ROUNDS; i++) {
		late += irq_inject_pipeline(irq) || READ_ONCE(log->runs) != before + i + 1;
	}
	tap_ok(!late, "an oob synthetic interrupt runs before injection returns (%d of %d late)", late, ROUNDS);

	local_irq_disable();
	before = log->runs;
	late = irq_inject_pipeline(irq) || READ_ONCE(log->runs) != before + 1;
	local_irq_enable();
	tap_ok(!late, "also in a masked section");

	before = log->runs;
	hard_local_irq_disable();
	irq_post_oob(irq);
	irq_post_oob(irq);
	held = READ_ONCE(log->runs) == before;
	hard_local_irq_enable();
	tap_ok(held && spin_for(READ_ONCE(log->runs) == before + 1, 1000),
	       "posted twice hard off, it runs once, when hard on (%u)", log->runs - before);

	before = log->runs;
	late = run_oob_call(call_inject, (void *)(unsigned long)irq);
	tap_ok(!late && spin_for(READ_ONCE(log->runs) == before + 1, 1000), "injected from the oob stage");
	tap_ok(!log->misplaced, "it runs on its stage, hard off, with its CPU's data (%u not)", log->misplaced);
}

static void inject_inband(unsigned int irq)
{
	struct synthetic_log *log = this_cpu_ptr(&inband_log);
	unsigned int before = log->runs;
	bool held;

	tap_ok(!irq_inject_pipeline(irq) && spin_for(READ_ONCE(log->runs) == before + 1, 1000),
	       "an in-band synthetic interrupt runs");

	before = log->runs;
	local_irq_disable();
	run_oob_call(call_inject, (void *)(unsigned long)irq);
	run_oob_call(call_inject, (void *)(unsigned long)irq);
	spin_ns(1000);
	held = READ_ONCE(log->runs) == before;
	local_irq_enable();
	tap_ok(held && spin_for(READ_ONCE(log->runs) == before + 1, 1000),
	       "injected twice from oob over a masked section, it runs once afterwards (%u)", log->runs - before);
	tap_ok(!log->misplaced, "it runs in-band, with its CPU's data (%u not)", log->misplaced);
}

/* Slots are few, come back, and the one too many is refused. */
static void exhaust(void)
{
	static unsigned int irqs[256];
	unsigned int nr, again;

	for (nr = 0; nr < ARRAY_SIZE(irqs); nr++) {
		irqs[nr] = irq_create_direct_mapping(synthetic_irq_domain);
		if (!irqs[nr])
			break;
	}
	tap_ok(nr >= 62 && nr < ARRAY_SIZE(irqs), "there is an end of synthetic interrupts, after %u more", nr);
	for (again = 0; again < nr; again++)
		irq_dispose_mapping(irqs[again]);
	irqs[0] = irq_create_direct_mapping(synthetic_irq_domain);
	if (tap_ok(irqs[0], "disposed ones can be had again"))
		irq_dispose_mapping(irqs[0]);
}

/* A cascaded controller: the handler of its parent, an oob interrupt, decodes its lines. */
static unsigned int child_irq;
static unsigned int child_runs, child_misplaced;

static void nop_chip(struct irq_data *d)
{
}

static struct irq_chip safe_chip = {
	.name		= "pipeline-test",
	.irq_mask	= nop_chip,
	.irq_unmask	= nop_chip,
	.flags		= IRQCHIP_PIPELINE_SAFE,
};

static struct irq_chip unsafe_chip = {
	.name		= "pipeline-test-unsafe",
	.irq_mask	= nop_chip,
	.irq_unmask	= nop_chip,
};

static irqreturn_t child_handler(int irq, void *data)
{
	child_misplaced += !running_oob();
	child_runs++;

	return IRQ_HANDLED;
}

static irqreturn_t demultiplex(int irq, void *data)
{
	generic_handle_irq(child_irq);

	return IRQ_HANDLED;
}

static void test_cascade(unsigned int parent)
{
	int ret, cookie, i, failed = 0;

	child_irq = irq_alloc_desc(0);
	if (!tap_ok((int)child_irq > 0, "a line of a cascaded controller"))
		return;
	irq_set_chip_and_handler(child_irq, &unsafe_chip, handle_simple_irq);
	irq_modify_status(child_irq, IRQ_NOREQUEST, 0);
	ret = request_irq(child_irq, child_handler, IRQF_OOB, "child", &cookie);
	tap_ok(ret == -EINVAL, "a chip which is not marked as safe refuses (%d)", ret);

	irq_set_chip_and_handler(child_irq, &safe_chip, handle_simple_irq);
	ret = request_irq(child_irq, child_handler, IRQF_OOB, "child", &cookie);
	if (tap_ok(!ret, "one which is safe does not (%d)", ret)) {
		ret = __request_percpu_irq(parent, demultiplex, IRQF_OOB, "parent", &oob_log);
		tap_ok(!ret, "its parent is oob (%d)", ret);
		for (i = 0; i < ROUNDS && !ret; i++) {
			irq_inject_pipeline(parent);
			failed += child_runs != i + 1;
		}
		tap_ok(!failed && !child_misplaced, "its lines are handled out-of-band (%d of %d lost, %u misplaced)", failed,
		       ROUNDS, child_misplaced);
		if (!ret)
			free_percpu_irq(parent, &oob_log);
		free_irq(child_irq, &cookie);
	}
	irq_free_desc(child_irq);
}

void test_synthetic(void)
{
	unsigned int irq, other;
	int ret, ipi_ret;

	irq = irq_create_direct_mapping(synthetic_irq_domain);
	other = irq_create_direct_mapping(synthetic_irq_domain);
	if (!tap_ok(irq && other, "two synthetic interrupts"))
		return;
	tap_ok(irq_inject_pipeline(irq) == -EINVAL, "one nobody has requested cannot be injected");

	/* The IPI that carries them has to have an owner or not, it makes no difference. */
	ret = __request_percpu_irq(irq, note_oob, IRQF_OOB, "pipeline-test", &oob_log);
	if (tap_ok(!ret, "requested out-of-band (%d)", ret)) {
		inject_oob(irq);
		ipi_ret = request_ipis();
		tap_ok(!ipi_ret, "the oob IPIs get an owner (%d)", ipi_ret);
		inject_oob(irq);
		if (!ipi_ret)
			free_ipis();
		free_percpu_irq(irq, &oob_log);
	}
	ret = __request_percpu_irq(other, note_inband, 0, "pipeline-test", &inband_log);
	if (tap_ok(!ret, "requested in-band (%d)", ret)) {
		inject_inband(other);
		free_percpu_irq(other, &inband_log);
	}
	exhaust();
	test_cascade(irq);
	irq_dispose_mapping(other);
	irq_dispose_mapping(irq);
}
