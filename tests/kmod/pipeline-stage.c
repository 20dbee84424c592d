// SPDX-License-Identifier: GPL-2.0-only
/* Stage predicates, escalation from every context, virtual masking. */
#include "pipeline-test.h"
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#define MAGIC	0x5a17

/* One escalation: the caller before and after, the callee in between. */
struct escalation {
	struct context_state before, inside, after;
	int returned;
};

static int escalated(void *arg)
{
	struct escalation *e = arg;

	e->inside = context_state();

	return MAGIC;
}

static void escalate(struct escalation *e)
{
	e->before = context_state();
	e->returned = run_oob_call(escalated, e);
	e->after = context_state();
}

static void from_task(struct escalation *e)
{
	escalate(e);
}

static void from_preempt_off(struct escalation *e)
{
	preempt_disable();
	escalate(e);
	preempt_enable();
}

static void from_bh_off(struct escalation *e)
{
	local_bh_disable();
	escalate(e);
	local_bh_enable();
}

static void from_masked(struct escalation *e)
{
	local_irq_disable();
	escalate(e);
	local_irq_enable();
}

static void from_spinlock(struct escalation *e)
{
	static DEFINE_SPINLOCK(lock);
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	escalate(e);
	spin_unlock_irqrestore(&lock, flags);
}

static void from_hard_off(struct escalation *e)
{
	hard_local_irq_disable();
	escalate(e);
	hard_local_irq_enable();
}

static void from_both_off(struct escalation *e)
{
	unsigned long flags;

	local_irq_disable();
	flags = hard_local_irq_save();
	escalate(e);
	hard_local_irq_restore(flags);
	local_irq_enable();
}

/* Timer (softirq) and irq_work (interrupt) hand their result back through these. */
static struct {
	struct timer_list timer;
	struct irq_work work;
	struct completion done;
	struct escalation *e;
} deferred;

static void escalate_in_softirq(struct timer_list *t)
{
	escalate(deferred.e);
	complete(&deferred.done);
}

static void escalate_in_hardirq(struct irq_work *work)
{
	escalate(deferred.e);
	complete(&deferred.done);
}

static void from_softirq(struct escalation *e)
{
	deferred.e = e;
	init_completion(&deferred.done);
	timer_setup(&deferred.timer, escalate_in_softirq, 0);
	mod_timer(&deferred.timer, jiffies + 1);
	wait_for_completion(&deferred.done);
	timer_delete_sync(&deferred.timer);
}

static void from_hardirq(struct escalation *e)
{
	deferred.e = e;
	init_completion(&deferred.done);
	deferred.work = IRQ_WORK_INIT_HARD(escalate_in_hardirq);
	irq_work_queue(&deferred.work);
	wait_for_completion(&deferred.done);
	irq_work_sync(&deferred.work);
}

static int escalate_again(void *arg)
{
	escalate(arg);

	return 0;
}

static void from_oob(struct escalation *e)
{
	run_oob_call(escalate_again, e);
}

static const struct {
	const char *name;
	void (*run)(struct escalation *e);
} contexts[] = {
	{ "a preemptible task", from_task },
	{ "a section without preemption", from_preempt_off },
	{ "a section without softirqs", from_bh_off },
	{ "a masked section", from_masked },
	{ "under spin_lock_irqsave()", from_spinlock },
	{ "a hard masked section", from_hard_off },
	{ "a section masked both ways", from_both_off },
	{ "a softirq", from_softirq },
	{ "an in-band interrupt", from_hardirq },
	{ "the out-of-band stage", from_oob },
};

static void note_state(const char *when, const struct context_state *s)
{
	tap_note("%s: oob=%d hard_off=%d masked=%d nmi=%d preempt=%#x cpu=%d",
		 when, s->oob, s->hard_off, s->masked, s->nmi, s->preempt, s->cpu);
}

static bool same_state(const struct context_state *a, const struct context_state *b)
{
	return a->oob == b->oob && a->hard_off == b->hard_off && a->masked == b->masked &&
		a->nmi == b->nmi && a->preempt == b->preempt;
}

static void judge_escalation(const char *name, const struct escalation *e)
{
	const struct context_state *in = &e->inside;
	bool good = true;

	good &= tap_ok(in->oob && in->hard_off && in->masked && in->nmi,
		       "run_oob_call() from %s: out-of-band, hard off, masked, NMI-like", name);
	good &= tap_ok(same_state(&e->before, &e->after) && e->returned == MAGIC,
		       "run_oob_call() from %s: caller unchanged, value returned", name);
	if (good)
		return;
	note_state("before", &e->before);
	note_state("inside", in);
	note_state("after", &e->after);
	tap_note("returned %#x", e->returned);
}

/* Interrupts of in-band do not get in, even with the CPU's mask open. */
struct open_oob {
	bool work_ran;
	bool pending;
};

static struct irq_work open_work;
static bool open_work_ran;

static void run_open_work(struct irq_work *work)
{
	WRITE_ONCE(open_work_ran, true);
}

static int spin_open(void *arg)
{
	struct open_oob *o = arg;

	hard_local_irq_enable();
	spin_ns(3 * NSEC_PER_MSEC);
	hard_local_irq_disable();
	o->work_ran = READ_ONCE(open_work_ran);
	o->pending = inband_irq_pending();

	return 0;
}

/* Three milliseconds are nearly a tick; the work makes sure that something waits. */
static void test_open_stage(void)
{
	struct open_oob o;
	int i, intrusions = 0, forgotten = 0, lost = 0;

	open_work = IRQ_WORK_INIT_HARD(run_open_work);
	for (i = 0; i < 100; i++) {
		WRITE_ONCE(open_work_ran, false);
		local_irq_disable();
		irq_work_queue(&open_work);
		run_oob_call(spin_open, &o);
		local_irq_enable();
		intrusions += o.work_ran;
		forgotten += !o.pending;
		lost += !spin_for(READ_ONCE(open_work_ran), 1000);
	}
	irq_work_sync(&open_work);
	tap_ok(!intrusions, "out-of-band with hard interrupts on: no in-band handler runs (%d of 100)", intrusions);
	tap_ok(!forgotten, "out-of-band: inband_irq_pending() tells of what waits (%d of 100 not)", forgotten);
	tap_ok(!lost, "what waited runs once in-band is back (%d of 100 lost)", lost);
}

void test_stage(void)
{
	struct escalation e;
	int i;

	tap_ok(running_inband() && !running_oob() && !in_nmi(), "a task is in-band, and not in an NMI");
	tap_ok(!hard_irqs_disabled() && !irqs_disabled(), "a task has both masks open");
	for (i = 0; i < ARRAY_SIZE(contexts); i++) {
		memset(&e, 0, sizeof(e));
		contexts[i].run(&e);
		judge_escalation(contexts[i].name, &e);
	}
	test_open_stage();
}

static struct irq_work probe_work;
static unsigned int probe_runs;

static void run_probe(struct irq_work *work)
{
	WRITE_ONCE(probe_runs, probe_runs + 1);
}

static void check_flags(void)
{
	unsigned long outer, inner, hard;
	bool nested, restored;

	local_irq_save(outer);
	local_irq_save(inner);
	nested = irqs_disabled() && irqs_disabled_flags(inner) && !irqs_disabled_flags(outer);
	local_irq_restore(inner);
	restored = irqs_disabled();
	local_irq_restore(outer);
	tap_ok(nested && restored && !irqs_disabled(), "local_irq_save()/restore() nest");

	hard = hard_local_irq_save();
	nested = hard_irqs_disabled() && !hard_irqs_disabled_flags(hard) &&
		hard_irqs_disabled_flags(hard_local_save_flags());
	hard_local_irq_restore(hard);
	tap_ok(nested && !hard_irqs_disabled(), "hard_local_irq_save()/restore() act on the CPU's mask");
}

/* One in-band interrupt raised while masked in a given way; runs after the unmask, not before. */
static void check_held(const char *name, void (*mask)(void), void (*unmask)(void))
{
	int i, early = 0, lost = 0, again = 0, unseen = 0;
	unsigned long flags;

	for (i = 0; i < 1000; i++) {
		probe_runs = 0;
		mask();
		irq_work_queue(&probe_work);
		spin_ns(2000);
		early += READ_ONCE(probe_runs) != 0;
		flags = hard_local_irq_save();
		unseen += !inband_irq_pending();
		hard_local_irq_restore(flags);
		unmask();
		lost += !spin_for(READ_ONCE(probe_runs), 1000);
		again += READ_ONCE(probe_runs) > 1;
	}
	tap_ok(!early, "%s: no in-band interrupt gets in (%d of 1000)", name, early);
	tap_ok(!unseen, "%s: inband_irq_pending() tells (%d of 1000 not)", name, unseen);
	tap_ok(!lost && !again, "%s: delivered after the unmask, once (%d lost, %d twice)", name, lost, again);
}

static void mask_soft(void)	{ local_irq_disable(); }
static void unmask_soft(void)	{ local_irq_enable(); }
static void mask_hard(void)	{ hard_local_irq_disable(); }
static void unmask_hard(void)	{ hard_local_irq_enable(); }

static unsigned long mask_flags;
static void mask_saved(void)	{ local_irq_save(mask_flags); }
static void unmask_saved(void)	{ local_irq_restore(mask_flags); }

void test_masking(void)
{
	bool soft_only;

	local_irq_disable();
	soft_only = irqs_disabled() && !hard_irqs_disabled();
	local_irq_enable();
	tap_ok(soft_only, "local_irq_disable() leaves the CPU's mask open");
	check_flags();

	probe_work = IRQ_WORK_INIT_HARD(run_probe);
	check_held("local_irq_disable()", mask_soft, unmask_soft);
	check_held("local_irq_save()", mask_saved, unmask_saved);
	check_held("hard_local_irq_disable()", mask_hard, unmask_hard);
	irq_work_sync(&probe_work);
}
