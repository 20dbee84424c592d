// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trouble on the out-of-band stage, made when the module is loaded.
 *
 *   where=irq     escalated call, hard off, on top of in-band
 *   where=thread  kernel thread of the core
 *   how=          printk, warn, bug, fault (a NULL pointer), panic, lock (of in-band), unmask (in-band)
 */
#include "kthread.h"

#include <linux/completion.h>
#include <linux/irq_pipeline.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/spinlock.h>

static char *how = "";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "what happens: printk, warn, bug, fault, panic, lock, unmask");

static char *where = "";
module_param(where, charp, 0444);
MODULE_PARM_DESC(where, "on whose stack: irq, thread");

static void do_printk(void)
{
	pr_info("evl-oops-test: said out-of-band\n");
}

static void do_warn(void)
{
	WARN(1, "evl-oops-test: a warning out-of-band\n");
}

static void do_bug(void)
{
	BUG();
}

static void do_fault(void)
{
	*(volatile int *)8 = 0;
}

static void do_panic(void)
{
	panic("evl-oops-test: out-of-band");
}

static void do_lock(void)
{
	static DEFINE_RAW_SPINLOCK(lock);

	raw_spin_lock(&lock);
	raw_spin_unlock(&lock);
}

/* As a careless call of an in-band service does. Made up for, to see what is said about it. */
static void do_unmask(void)
{
	raw_local_irq_enable();
	raw_local_irq_disable();
}

static const struct trouble {
	const char *name;
	void (*make)(void);
} troubles[] = {
	{ "printk", do_printk }, { "warn", do_warn }, { "bug", do_bug }, { "fault", do_fault },
	{ "panic", do_panic }, { "lock", do_lock }, { "unmask", do_unmask },
};

static const struct trouble *trouble;
static DECLARE_COMPLETION(done);

static int make_it_on_the_stage(void *unused)
{
	trouble->make();
	return 0;
}

static void make_it_in_a_thread(void *unused)
{
	evl_switch_oob();
	trouble->make();
	evl_switch_inband();
	complete(&done);
}

static int run_thread(void)
{
	static struct evl_kthread kthread;
	int ret;

	ret = evl_run_kthread(&kthread, make_it_in_a_thread, NULL, 50, 0, "trouble");
	if (ret)
		return ret;
	/* A thread which dies of it cannot tell; the core stops those which do not. */
	wait_for_completion_timeout(&done, 2 * HZ);
	evl_stop_kthread(&kthread);

	return 0;
}

static int __init oops_test_init(void)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(troubles); n++)
		if (!strcmp(troubles[n].name, how))
			trouble = &troubles[n];
	if (!trouble)
		return -EINVAL;
	if (!strcmp(where, "irq"))
		return run_oob_call(make_it_on_the_stage, NULL);
	if (!strcmp(where, "thread"))
		return run_thread();

	return -EINVAL;
}

static void __exit oops_test_exit(void)
{
}

module_init(oops_test_init);
module_exit(oops_test_exit);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Trouble on the out-of-band stage");
