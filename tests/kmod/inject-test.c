// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out-of-band interrupts at random points of in-band code (CONFIG_DEBUG_IRQ_PIPELINE), as long as this module is
 * loaded. Each wakes up a thread of the core on its CPU, so that in-band is preempted as a whole: a kernel thread of
 * our own, and the user thread which sleeps in a read of /dev/evl-inject-test, if there is one.
 *
 * Parameters: every, seed. Counters are in debugfs, evl-inject-test/.
 */
#include "file.h"
#include "kthread.h"
#include "lock.h"
#include "sem.h"
#include "uaccess.h"

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_inject.h>
#include <linux/irq_pipeline.h>
#include <linux/irqdomain.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>

static unsigned int every = 500;
module_param(every, uint, 0444);
MODULE_PARM_DESC(every, "inject at one point in that many, at least 2");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the random numbers");

/* Written by its CPU only, but for the creation. */
struct injected {
	struct evl_ksem		for_kthread;
	struct evl_ksem		for_reader;
	struct evl_kthread	kthread;
	unsigned int		readers;
	u64			interrupts;
	u64			wakeups;
};

static DEFINE_PER_CPU(struct injected, injected);
static cpumask_t served;
static unsigned int irq;
static struct dentry *dir;

static irqreturn_t wake_them_up(int nr, void *cookie)
{
	struct injected *in = cookie;

	in->interrupts++;
	if (!cpumask_test_cpu(raw_smp_processor_id(), &served))
		return IRQ_HANDLED;
	evl_up(&in->for_kthread);
	if (READ_ONCE(in->readers))
		evl_up(&in->for_reader);

	return IRQ_HANDLED;
}

static void be_woken_up(void *arg)
{
	struct injected *in = arg;

	while (!evl_kthread_should_stop())
		if (!evl_down(&in->for_kthread))
			in->wakeups++;
}

struct reader {
	struct evl_file		efile;
	struct injected		*in;
};

/* One wake-up, of the CPU on which the file was opened. */
static ssize_t inject_oob_read(struct file *filp, char __user *u_buf, size_t count)
{
	struct reader *reader = filp->private_data;
	int ret;

	if (count != sizeof(u64))
		return -EINVAL;
	ret = evl_down(&reader->in->for_reader);
	if (ret)
		return ret;
	if (evl_copy_to_user(u_buf, &reader->in->interrupts, sizeof(u64)))
		return -EFAULT;

	return sizeof(u64);
}

static int inject_open(struct inode *inode, struct file *filp)
{
	struct reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);
	int ret;

	if (!reader)
		return -ENOMEM;
	ret = evl_open_file(&reader->efile, filp);
	if (ret) {
		kfree(reader);
		return ret;
	}
	reader->in = raw_cpu_ptr(&injected);
	WRITE_ONCE(reader->in->readers, reader->in->readers + 1);
	filp->private_data = reader;

	return stream_open(inode, filp);
}

static int inject_release(struct inode *inode, struct file *filp)
{
	struct reader *reader = filp->private_data;

	WRITE_ONCE(reader->in->readers, reader->in->readers - 1);
	evl_release_file(&reader->efile);
	kfree(reader);

	return 0;
}

static const struct file_operations inject_fops = {
	.owner		= THIS_MODULE,
	.open		= inject_open,
	.release	= inject_release,
	.oob_read	= inject_oob_read,
};

static struct miscdevice inject_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evl-inject-test",
	.fops	= &inject_fops,
};

static void stop_kthreads(void)
{
	unsigned int cpu;

	for_each_cpu(cpu, &served) {
		cpumask_clear_cpu(cpu, &served);
		evl_stop_kthread(&per_cpu(injected, cpu).kthread);
	}
}

static int start_kthread(unsigned int cpu)
{
	struct injected *in = &per_cpu(injected, cpu);
	int ret;

	ret = evl_run_kthread_on_cpu(&in->kthread, cpu, be_woken_up, in, 98, 0, "inject:%u", cpu);
	if (!ret)
		cpumask_set_cpu(cpu, &served);

	return ret;
}

static int start_kthreads(void)
{
	unsigned int cpu;
	int ret;

	for_each_online_cpu(cpu) {
		ret = start_kthread(cpu);
		if (ret) {
			stop_kthreads();
			return ret;
		}
	}

	return 0;
}

static void init_semaphores(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		evl_init_ksem(&per_cpu(injected, cpu).for_kthread, 0);
		evl_init_ksem(&per_cpu(injected, cpu).for_reader, 0);
	}
}

static void destroy_semaphores(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		evl_destroy_ksem(&per_cpu(injected, cpu).for_kthread);
		evl_destroy_ksem(&per_cpu(injected, cpu).for_reader);
	}
}

static int claim_interrupt(void)
{
	int ret;

	irq = irq_create_direct_mapping(synthetic_irq_domain);
	if (!irq)
		return -ENOSPC;
	ret = __request_percpu_irq(irq, wake_them_up, IRQF_OOB, "inject-test", &injected);
	if (ret)
		irq_dispose_mapping(irq);

	return ret;
}

static void release_interrupt(void)
{
	free_percpu_irq(irq, &injected);
	irq_dispose_mapping(irq);
}

static int sum_of(u64 *sum, size_t offset)
{
	unsigned int cpu;

	*sum = 0;
	for_each_possible_cpu(cpu)
		*sum += *(u64 *)((char *)per_cpu_ptr(&injected, cpu) + offset);

	return 0;
}

static int get_interrupts(void *data, u64 *val)
{
	return sum_of(val, offsetof(struct injected, interrupts));
}
DEFINE_DEBUGFS_ATTRIBUTE(interrupts_fops, get_interrupts, NULL, "%llu\n");

static int get_wakeups(void *data, u64 *val)
{
	return sum_of(val, offsetof(struct injected, wakeups));
}
DEFINE_DEBUGFS_ATTRIBUTE(wakeups_fops, get_wakeups, NULL, "%llu\n");

static int __init inject_init(void)
{
	int ret;

	init_semaphores();
	ret = claim_interrupt();
	if (ret)
		goto err_semaphores;
	ret = start_kthreads();
	if (ret)
		goto err_interrupt;
	ret = misc_register(&inject_device);
	if (ret)
		goto err_threads;
	ret = irq_inject_start(irq, every, seed);
	if (ret)
		goto err_device;

	dir = debugfs_create_dir("evl-inject-test", NULL);
	debugfs_create_file("interrupts", 0444, dir, NULL, &interrupts_fops);
	debugfs_create_file("wakeups", 0444, dir, NULL, &wakeups_fops);

	return 0;

err_device:
	misc_deregister(&inject_device);
err_threads:
	stop_kthreads();
err_interrupt:
	release_interrupt();
err_semaphores:
	destroy_semaphores();
	return ret;
}
module_init(inject_init);

static void __exit inject_exit(void)
{
	debugfs_remove(dir);
	irq_inject_stop();
	misc_deregister(&inject_device);
	stop_kthreads();
	release_interrupt();
	destroy_semaphores();
}
module_exit(inject_exit);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Out-of-band interrupts at random points of in-band code");
