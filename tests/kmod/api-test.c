// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exercises what the core exports to drivers, from in-band, from its threads, from out-of-band interrupts.
 * The tests run once, when the module is loaded, in a thread on the first CPU of the core. Results are in
 * debugfs, evl-api-test/tap.
 */
#include "api-test.h"
#include <linux/debugfs.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "run this group alone");

int api_cpu, api_other_cpu;

static const struct test_group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "thread", test_thread },
	{ "stop", test_stop },
	{ "period", test_period },
	{ "flag", test_flag },
	{ "sem", test_sem },
	{ "waitqueue", test_waitqueue },
	{ "kmutex", test_kmutex },
	{ "stax", test_stax },
	{ "spinlock", test_spinlock },
	{ "timer", test_timer },
	{ "clock", test_clock },
	{ "work", test_work },
	{ "coremem", test_coremem },
};

/* Hands. The order is complete in-band, where completions live. */
static void hand_main(void *arg)
{
	struct api_hand *h = arg;

	while (!evl_down(&h->orders)) {
		h->ret = h->fn(h->arg);
		evl_switch_inband();
		complete(&h->done);
	}
}

bool hire(struct api_hand *h, const char *name, int prio, int cpu)
{
	int ret;

	memset(h, 0, sizeof(*h));
	evl_init_ksem(&h->orders, 0);
	init_completion(&h->done);
	ret = evl_run_kthread_on_cpu(&h->kthread, cpu, hand_main, h, prio, EVL_CLONE_PRIVATE, "api-%s", name);
	if (ret)
		tap_ok(false, "the thread api-%s starts (%d)", name, ret);

	return !ret;
}

void dismiss(struct api_hand *h)
{
	evl_stop_kthread(&h->kthread);
	evl_destroy_ksem(&h->orders);
}

void tell(struct api_hand *h, int (*fn)(void *arg), void *arg)
{
	h->fn = fn;
	h->arg = arg;
	evl_up(&h->orders);
}

int outcome(struct api_hand *h)
{
	return wait_for_completion_timeout(&h->done, 10 * HZ) ? h->ret : -ETIME;
}

int ask(struct api_hand *h, int (*fn)(void *arg), void *arg)
{
	tell(h, fn, arg);

	return outcome(h);
}

static u32 state_of(struct evl_kthread *kthread)
{
	return READ_ONCE(kthread->thread->state);
}

bool asleep(struct evl_kthread *kthread)
{
	return comes_true((state_of(kthread) & EVL_T_ASLEEP) && !(state_of(kthread) & EVL_T_INBAND));
}

/* Interrupts: one synthetic source, its handler runs before irq_inject_pipeline() returns. */
static unsigned int source;
static DEFINE_PER_CPU(struct api_call {
	int (*fn)(void *arg);
	void *arg;
	int ret;
}, calls);

static irqreturn_t run_call(int irq, void *data)
{
	struct api_call *call = data;

	if (running_oob() && hard_irqs_disabled() && on_pipeline_entry())
		call->ret = call->fn(call->arg);

	return IRQ_HANDLED;
}

int from_interrupt(int (*fn)(void *arg), void *arg)
{
	struct api_call *call = raw_cpu_ptr(&calls);
	int ret;

	*call = (struct api_call) { fn, arg, -EPROTO };
	ret = irq_inject_pipeline(source);

	return ret ?: call->ret;
}

int in_masked_section(int (*fn)(void *arg), void *arg)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = fn(arg);
	local_irq_restore(flags);

	return ret;
}

static int make_source(void)
{
	int ret;

	source = irq_create_direct_mapping(synthetic_irq_domain);
	if (!source)
		return -ENOSPC;
	ret = __request_percpu_irq(source, run_call, IRQF_OOB, "evl-api-test", &calls);
	if (ret)
		irq_dispose_mapping(source);

	return ret;
}

static void drop_source(void)
{
	free_percpu_irq(source, &calls);
	irq_dispose_mapping(source);
}

static int run_groups(void *done)
{
	int n;

	for (n = 0; n < ARRAY_SIZE(groups); n++) {
		if (*only && strcmp(only, groups[n].name))
			continue;
		tap_note("group %s", groups[n].name);
		groups[n].run();
	}
	kthread_complete_and_exit(done, 0);
}

static int tap_file_show(struct seq_file *m, void *unused)
{
	tap_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tap_file);

static struct dentry *debugfs_dir;

static void pick_cpus(void)
{
	api_cpu = cpumask_first(&evl_oob_cpus);
	api_other_cpu = cpumask_next(api_cpu, &evl_oob_cpus);
	if (api_other_cpu >= nr_cpu_ids)
		api_other_cpu = api_cpu;
}

static int __init api_test_init(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *p;
	int ret;

	pick_cpus();
	ret = make_source();
	if (ret)
		return ret;

	ret = misc_register(&api_device);
	if (ret) {
		drop_source();
		return ret;
	}

	p = kthread_create_on_cpu(run_groups, &done, api_cpu, "api-test/%u");
	if (IS_ERR(p)) {
		misc_deregister(&api_device);
		drop_source();
		return PTR_ERR(p);
	}
	wake_up_process(p);
	wait_for_completion(&done);

	debugfs_dir = debugfs_create_dir("evl-api-test", NULL);
	debugfs_create_file("tap", 0444, debugfs_dir, NULL, &tap_file_fops);
	pr_info("%u failed\n", tap_failures());

	return 0;
}
module_init(api_test_init);

static void __exit api_test_exit(void)
{
	debugfs_remove(debugfs_dir);
	misc_deregister(&api_device);
	drop_source();
}
module_exit(api_test_exit);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of the interface of the core to drivers");
