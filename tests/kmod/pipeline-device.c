// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of devices handled out-of-band, on QEMU's "edu" PCI device: MSI, which is an edge and cannot be
 * masked in this device, and the level-triggered INTx line.
 */
#include "pipeline-test.h"
#include <linux/delay.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kthread.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64

#define MAX_EDU		16

struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	int irq;
	const char *kind;
	bool deaf;			/* the handler claims nothing */
	bool gone;			/* no handler may run any more */
	unsigned int calls;
	unsigned int events;
	unsigned int misplaced;
	unsigned int late;		/* calls when gone */
	unsigned int moves;		/* to another CPU */
	bool want_oob;
};

static struct edu edus[MAX_EDU];

static irqreturn_t edu_handler(int irq, void *data)
{
	struct edu *edu = data;
	struct context_state s = context_state();
	u32 status;

	WRITE_ONCE(edu->calls, edu->calls + 1);
	edu->late += READ_ONCE(edu->gone);
	edu->misplaced += s.oob != edu->want_oob || (s.oob && !s.hard_off) || !s.masked;
	if (READ_ONCE(edu->deaf))
		return IRQ_NONE;
	status = readl(edu->regs + EDU_STATUS);
	if (!status)
		return IRQ_NONE;
	writel(status, edu->regs + EDU_ACK);
	WRITE_ONCE(edu->events, edu->events + 1);

	return IRQ_HANDLED;
}

static int edu_request(struct edu *edu, unsigned long flags)
{
	edu->want_oob = flags & IRQF_OOB;
	return request_irq(edu->irq, edu_handler, flags, "pipeline-test", edu);
}

static void edu_raise(struct edu *edu)
{
	writel(1, edu->regs + EDU_RAISE);
}

/* One event, handled exactly once. */
static bool edu_roundtrip(struct edu *edu)
{
	unsigned int before = READ_ONCE(edu->events);

	edu_raise(edu);

	return spin_for(READ_ONCE(edu->events) != before, 2000) && READ_ONCE(edu->events) == before + 1;
}

static bool line_is_oob(struct edu *edu)
{
	return irq_is_oob(irq_data_to_desc(irq_get_irq_data(edu->irq)));
}

static int roundtrips(struct edu *edu)
{
	int failed = 0;
	unsigned int i;

	for (i = 0; i < rounds && failed < 10; i++)
		failed += !edu_roundtrip(edu);
	return failed;
}

static void check_delivery(struct edu *edu)
{
	unsigned int before;
	int failed = roundtrips(edu);

	tap_ok(!failed, "%s: each event is handled once (%d of %u failed)", edu->kind, failed, rounds);

	/* The handler of another CPU would do as well: bring it here. */
	irq_set_affinity(edu->irq, cpumask_of(smp_processor_id()));
	local_irq_disable();
	failed = roundtrips(edu);
	local_irq_enable();
	tap_ok(!failed, "%s: also while this CPU masks interrupts (%d of %u failed)", edu->kind, failed, rounds);

	before = edu->events;
	hard_local_irq_disable();
	edu_raise(edu);
	spin_ns(10000);
	failed = edu->events != before;
	hard_local_irq_enable();
	tap_ok(!failed && spin_for(READ_ONCE(edu->events) == before + 1, 2000), "%s: the CPU's own mask holds it",
	       edu->kind);
	tap_ok(!edu->misplaced, "%s: handlers ran out-of-band, hard off (%u not)", edu->kind, edu->misplaced);
}

static void check_disable(struct edu *edu)
{
	unsigned int before = edu->events;
	bool held;

	disable_irq(edu->irq);
	edu_raise(edu);
	held = !spin_for(READ_ONCE(edu->events) != before, 20);
	tap_ok(held, "%s: disable_irq() holds the line", edu->kind);
	enable_irq(edu->irq);
	tap_ok(spin_for(READ_ONCE(edu->events) == before + 1, 2000), "%s: enable_irq() delivers what came meanwhile",
	       edu->kind);
	tap_ok(edu_roundtrip(edu), "%s: and what comes later", edu->kind);
}

static int move_about(void *data)
{
	struct edu *edu = data;
	int cpu = 0;

	while (!kthread_should_stop()) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		if (irq_set_affinity(edu->irq, cpumask_of(cpu)))
			return -EIO;
		WRITE_ONCE(edu->moves, edu->moves + 1);
		usleep_range(50, 100);
	}
	return 0;
}

static void check_affinity(struct edu *edu)
{
	struct task_struct *mover;
	unsigned int laps = 0;
	int failed = 0, ret;

	if (num_online_cpus() == 1) {
		tap_skip("one CPU", "%s: affinity changes under fire", edu->kind);
		return;
	}
	edu->moves = 0;
	mover = kthread_run_on_cpu(move_about, edu, cpumask_last(cpu_online_mask), "pipeline-mover/%u");
	if (!tap_ok(!IS_ERR(mover), "%s: the mover runs", edu->kind))
		return;
	/* The mover may have to share our CPU. */
	do {
		failed += roundtrips(edu);
		usleep_range(50, 100);
	} while (++laps < 3 || (READ_ONCE(edu->moves) < 10 && laps < 100));
	ret = kthread_stop(mover);
	tap_ok(!ret && edu->moves >= 10 && !failed,
	       "%s: no event is lost or doubled by affinity changes (%d of %u, %u moves, %d)", edu->kind, failed,
	       laps * rounds, edu->moves, ret);
}

static int fire(void *data)
{
	struct edu *edu = data;

	while (!kthread_should_stop()) {
		edu_raise(edu);
		usleep_range(20, 40);
	}
	return 0;
}

/* Whoever still ran the handler after free_irq() would find the line "gone". */
static void check_free(struct edu *edu)
{
	struct task_struct *gun = kthread_run(fire, edu, "pipeline-gun");
	int i, failed = 0;

	if (!tap_ok(!IS_ERR(gun), "%s: the gun runs", edu->kind))
		return;
	for (i = 0; i < 200; i++) {
		free_irq(edu->irq, edu);
		WRITE_ONCE(edu->gone, true);
		usleep_range(100, 200);
		WRITE_ONCE(edu->gone, false);
		failed += !!edu_request(edu, IRQF_OOB | IRQF_SHARED);
	}
	kthread_stop(gun);
	tap_ok(!failed, "%s: freed and requested under fire (%d failed)", edu->kind, failed);
	tap_ok(!edu->late, "%s: no handler runs after free_irq() (%u did)", edu->kind, edu->late);
	/* QEMU's IO-APIC misses a level that rose while the line belonged to nobody: lower it. */
	usleep_range(1000, 2000);
	writel(~0, edu->regs + EDU_ACK);
	tap_ok(edu_roundtrip(edu), "%s: and the line still works", edu->kind);
}

static void check_switch(struct edu *edu)
{
	int failed, ret = irq_switch_oob(edu->irq, false);

	edu->want_oob = false;
	edu->misplaced = 0;
	failed = roundtrips(edu);
	tap_ok(!ret && !line_is_oob(edu) && !failed && !edu->misplaced,
	       "%s: irq_switch_oob() to in-band (%d; %d of %u failed, %u misplaced)", edu->kind, ret, failed, rounds,
	       edu->misplaced);

	ret = irq_switch_oob(edu->irq, true);
	edu->want_oob = true;
	edu->misplaced = 0;
	failed = roundtrips(edu);
	tap_ok(!ret && line_is_oob(edu) && !failed && !edu->misplaced,
	       "%s: irq_switch_oob() back (%d; %d of %u failed, %u misplaced)", edu->kind, ret, failed, rounds,
	       edu->misplaced);

	disable_irq(edu->irq);
	ret = irq_switch_oob(edu->irq, false) ?: irq_switch_oob(edu->irq, true);
	failed = edu->events;
	edu_raise(edu);
	spin_ns(NSEC_PER_MSEC);
	failed = edu->events != failed;
	enable_irq(edu->irq);
	tap_ok(!ret && !failed, "%s: a disabled line stays disabled over a switch (%d)", edu->kind, ret);
	usleep_range(1000, 2000);
	writel(~0, edu->regs + EDU_ACK);
}

static void check_inject(struct edu *edu)
{
	unsigned int before = edu->calls;
	int ret = irq_inject_pipeline(edu->irq);

	tap_ok(!ret && edu->calls == before + 1, "%s: an injected interrupt is handled at once (%d)", edu->kind, ret);
}

static irqreturn_t no_thread(int irq, void *data)
{
	return IRQ_HANDLED;
}

static void check_errors(struct edu *edu)
{
	int other, ret;

	ret = request_threaded_irq(edu->irq, edu_handler, no_thread, IRQF_OOB | IRQF_SHARED, "threaded", &other);
	tap_ok(ret == -EINVAL, "%s: an oob handler has no thread (%d)", edu->kind, ret);
	ret = request_irq(edu->irq, edu_handler, IRQF_SHARED, "in-band", &other);
	tap_ok(ret == -EBUSY, "%s: an in-band handler cannot join (%d)", edu->kind, ret);
	ret = request_irq(edu->irq, edu_handler, IRQF_OOB | IRQF_PERCPU, "per-cpu", &other);
	tap_ok(ret == -EINVAL, "%s: nor a per-CPU one (%d)", edu->kind, ret);
	tap_ok(irq_switch_oob(edu->irq, true) == 0, "%s: a switch to where it is does nothing", edu->kind);
	tap_ok(irq_switch_oob(~0U, true) == -EINVAL, "no such interrupt to switch");
	tap_ok(irq_inject_pipeline(~0U) == -EINVAL, "no such interrupt to inject");
}

/* Nobody serves the line: it must be cut off before it eats the machine. */
static void check_stuck(struct edu *edu)
{
	unsigned int before = edu->calls;

	WRITE_ONCE(edu->deaf, true);
	edu_raise(edu);
	tap_ok(spin_for(READ_ONCE(edu->calls) - before >= 1000, 5000), "%s: an unserved line storms (%u)", edu->kind,
	       edu->calls - before);
	usleep_range(20000, 30000);
	before = READ_ONCE(edu->calls);
	usleep_range(20000, 30000);
	tap_ok(READ_ONCE(edu->calls) == before, "%s: and is disabled", edu->kind);
	WRITE_ONCE(edu->deaf, false);
	writel(~0, edu->regs + EDU_ACK);
	enable_irq(edu->irq);
	tap_ok(edu_roundtrip(edu), "%s: enable_irq() gives it another chance", edu->kind);
}

static void test_line(struct edu *edu)
{
	int ret = edu_request(edu, IRQF_OOB | IRQF_SHARED);

	if (!tap_ok(!ret && line_is_oob(edu), "%s: irq %d requested out-of-band (%d)", edu->kind, edu->irq, ret))
		return;
	check_delivery(edu);
	check_disable(edu);
	check_inject(edu);
	check_errors(edu);
	check_affinity(edu);
	check_switch(edu);
	check_free(edu);
	if (irqd_is_level_type(irq_get_irq_data(edu->irq)))
		check_stuck(edu);
	free_irq(edu->irq, edu);
	tap_ok(!line_is_oob(edu), "%s: a free line is nobody's", edu->kind);

	ret = edu_request(edu, IRQF_SHARED);
	edu->misplaced = 0;
	tap_ok(!ret && !roundtrips(edu) && !edu->misplaced, "%s: requested in-band afterwards (%d, %u misplaced)",
	       edu->kind, ret, edu->misplaced);
	if (!ret)
		free_irq(edu->irq, edu);
}

static int edu_open(struct edu *edu, struct pci_dev *pdev)
{
	int ret = pci_enable_device(pdev);

	if (ret)
		return ret;
	pci_set_master(pdev);
	memset(edu, 0, sizeof(*edu));
	edu->regs = pci_iomap(pdev, 0, 0);
	if (!edu->regs) {
		pci_disable_device(pdev);
		return -ENOMEM;
	}
	edu->pdev = pci_dev_get(pdev);
	return 0;
}

static void edu_close(struct edu *edu)
{
	pci_iounmap(edu->pdev, edu->regs);
	pci_disable_device(edu->pdev);
	pci_dev_put(edu->pdev);
}

static int edu_vector(struct edu *edu, unsigned int type, const char *kind)
{
	int ret = pci_alloc_irq_vectors(edu->pdev, 1, 1, type);

	if (ret < 0)
		return ret;
	edu->kind = kind;
	edu->irq = pci_irq_vector(edu->pdev, 0);
	return 0;
}

/* The vectors of the oob class are few: the one too many is refused, and nothing is lost by that. */
static void test_exhaustion(int nr)
{
	int n, got = 0, ret = 0, odd = 0;

	if (nr < MAX_EDU - 2) {
		tap_skip("too few devices", "more oob lines than vectors");
		return;
	}
	for (n = 0; n < nr; n++) {
		if (edu_vector(&edus[n], PCI_IRQ_MSI, "MSI"))
			break;
		ret = edu_request(&edus[n], IRQF_OOB);
		got += !ret;
		odd += ret && ret != -ENOSPC;
		if (ret)
			odd += !!edu_request(&edus[n], 0);
	}
	tap_ok(got >= 10 && got < nr && !odd, "%d of %d lines got oob vectors, others -ENOSPC (%d odd)", got, n, odd);
	odd = 0;
	while (n-- > 0) {
		odd += !edu_roundtrip(&edus[n]);
		free_irq(edus[n].irq, &edus[n]);
		pci_free_irq_vectors(edus[n].pdev);
	}
	tap_ok(!odd, "all of them work, each on its stage (%d not)", odd);
}

void test_device(void)
{
	struct pci_dev *pdev = NULL;
	int nr = 0;

	while (nr < MAX_EDU && (pdev = pci_get_device(0x1234, 0x11e8, pdev)))
		nr += !edu_open(&edus[nr], pdev);
	pci_dev_put(pdev);
	if (!nr) {
		tap_skip("no edu device in this machine", "device interrupts");
		return;
	}

	if (tap_ok(!edu_vector(edus, PCI_IRQ_MSI, "MSI"), "the device has an MSI")) {
		test_line(edus);
		pci_free_irq_vectors(edus->pdev);
	}
	if (tap_ok(!edu_vector(edus, PCI_IRQ_INTX, "INTx"), "the device has an INTx line")) {
		test_line(edus);
		pci_free_irq_vectors(edus->pdev);
	}
	test_exhaustion(nr);
	while (nr-- > 0)
		edu_close(&edus[nr]);
}
