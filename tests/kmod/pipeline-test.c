// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exercises the interrupt pipeline without a core: stages, virtual masking, out-of-band IPIs, in-band
 * work raised from out-of-band, the shared tick device.
 *
 * The tests run once, when the module is loaded, in a thread bound to the first CPU. Results are in
 * debugfs, evl-pipeline-test/tap.
 */
#include "pipeline-test.h"
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/oob_tick.h>
#include <linux/seq_file.h>
#include <linux/workqueue.h>

/* Only a machine that counts instructions can keep a bound. */
unsigned long bound_ns;
module_param(bound_ns, ulong, 0444);
MODULE_PARM_DESC(bound_ns, "longest lateness allowed to an out-of-band timer shot, 0: not judged");

unsigned int rounds = 2000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "events of a device in each of its tests");

static char *only = "";
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "run this group alone: stage, masking, ipi, work, locks, tick, synthetic, device, virtio");

static const struct test_group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "stage", test_stage },
	{ "masking", test_masking },
	{ "ipi", test_ipi },
	{ "work", test_inband_work },
	{ "locks", test_hard_locks },
	{ "tick", test_tick },
	{ "synthetic", test_synthetic },
	{ "device", test_device },
	{ "virtio", test_virtio },
};

static struct {
	struct work_struct work;
	enum busy_kind kind;
	bool spinning;
	bool release;
} busy;

static void spin_until_released(void)
{
	WRITE_ONCE(busy.spinning, true);
	spin_for(READ_ONCE(busy.release), 5000);
}

static void keep_busy(struct work_struct *work)
{
	unsigned long flags;

	switch (busy.kind) {
	case BUSY_OPEN:
		spin_until_released();
		break;
	case BUSY_MASKED:
		local_irq_disable();
		spin_until_released();
		local_irq_enable();
		break;
	case BUSY_HARD:
		flags = hard_local_irq_save();
		spin_until_released();
		hard_local_irq_restore(flags);
		break;
	}
}

int busy_start(int cpu, enum busy_kind kind)
{
	busy.kind = kind;
	busy.spinning = false;
	busy.release = false;
	INIT_WORK(&busy.work, keep_busy);
	queue_work_on(cpu, system_highpri_wq, &busy.work);
	if (spin_for(READ_ONCE(busy.spinning), 5000))
		return 0;
	busy_stop();

	return -ETIMEDOUT;
}

void busy_stop(void)
{
	WRITE_ONCE(busy.release, true);
	flush_work(&busy.work);
}

/* A machine without a pipeline must say so, refuse, and go on. */
static void test_veto(void)
{
	static const struct oob_tick_ops no_ops;
	int ret;

	tap_ok(irq_pipeline_veto() != NULL, "without a pipeline, there is a reason");
	tap_note("reason: %s", irq_pipeline_veto() ?: "none");
	local_irq_disable();
	tap_ok(hard_irqs_disabled(), "without a pipeline, masking is the CPU's");
	ret = oob_tick_take(&no_ops);
	local_irq_enable();
	tap_ok(ret == -ENODEV, "without a pipeline, the tick device cannot be taken (%d)", ret);
	tap_ok(running_inband() && !running_oob(), "without a pipeline, all is in-band");
}

static int run_groups(void *done)
{
	int i;

	if (!irqs_pipelined()) {
		test_veto();
		complete(done);
		return 0;
	}

	tap_ok(irq_pipeline_veto() == NULL, "the machine is pipelined: no veto");
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		if (*only && strcmp(only, groups[i].name))
			continue;
		tap_note("group %s", groups[i].name);
		groups[i].run();
	}
	complete(done);

	return 0;
}

static int tap_file_show(struct seq_file *m, void *unused)
{
	tap_show(m);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tap_file);

static struct dentry *debugfs_dir;

static int __init pipeline_test_init(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *thread;

	thread = kthread_create_on_cpu(run_groups, &done, cpumask_first(cpu_online_mask), "pipeline-test/%u");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	wake_up_process(thread);
	wait_for_completion(&done);

	debugfs_dir = debugfs_create_dir("evl-pipeline-test", NULL);
	debugfs_create_file("tap", 0444, debugfs_dir, NULL, &tap_file_fops);
	pr_info("%u failed\n", tap_failures());

	return 0;
}

static void __exit pipeline_test_exit(void)
{
	debugfs_remove(debugfs_dir);
}

module_init(pipeline_test_init);
module_exit(pipeline_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test of the interrupt pipeline");
