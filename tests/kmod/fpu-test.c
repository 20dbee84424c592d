// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-band kernel code which uses the FPU: one thread per CPU loads patterns between kernel_fpu_begin() and
 * kernel_fpu_end(), lingers, and looks whether they are still there. Out-of-band threads may preempt it
 * anywhere in between. Counters are in debugfs, evl-fpu-test/.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <asm/fpu/api.h>

#define NR_REGS		4
#define REG_BYTES	16

static atomic64_t sections, errors;
static DEFINE_PER_CPU(struct task_struct *, users);
static struct dentry *dir;

/* The registers are loaded and stored with nothing of the compiler's in between. */
static void linger_with(const u8 *in, u8 *out, unsigned long laps)
{
	asm volatile("movdqu (%1), %%xmm0\n\t"
		     "movdqu 16(%1), %%xmm5\n\t"
		     "movdqu 32(%1), %%xmm10\n\t"
		     "movdqu 48(%1), %%xmm15\n"
		     "1:	dec %0\n\t"
		     "jnz 1b\n\t"
		     "movdqu %%xmm0, (%2)\n\t"
		     "movdqu %%xmm5, 16(%2)\n\t"
		     "movdqu %%xmm10, 32(%2)\n\t"
		     "movdqu %%xmm15, 48(%2)"
		     : "+r" (laps) : "r" (in), "r" (out) : "memory", "cc");
}

static void check_section(void)
{
	u8 in[NR_REGS * REG_BYTES], out[NR_REGS * REG_BYTES];

	get_random_bytes(in, sizeof(in));
	kernel_fpu_begin();
	linger_with(in, out, 50000);
	kernel_fpu_end();
	atomic64_inc(&sections);
	if (memcmp(in, out, sizeof(in)))
		atomic64_inc(&errors);
}

static int use_fpu(void *unused)
{
	while (!kthread_should_stop()) {
		check_section();
		usleep_range(20, 200);
	}

	return 0;
}

static int show_counter(void *counter, u64 *value)
{
	*value = atomic64_read(counter);

	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(counter_fops, show_counter, NULL, "%llu\n");

static void stop_users(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(users, cpu))
			kthread_stop(per_cpu(users, cpu));
}

static int __init fpu_test_init(void)
{
	struct task_struct *user;
	int cpu;

	for_each_online_cpu(cpu) {
		user = kthread_create_on_cpu(use_fpu, NULL, cpu, "fpu-test/%u");
		if (IS_ERR(user)) {
			stop_users();
			return PTR_ERR(user);
		}
		per_cpu(users, cpu) = user;
		wake_up_process(user);
	}
	dir = debugfs_create_dir("evl-fpu-test", NULL);
	debugfs_create_file_unsafe("sections", 0444, dir, &sections, &counter_fops);
	debugfs_create_file_unsafe("errors", 0444, dir, &errors, &counter_fops);

	return 0;
}

static void __exit fpu_test_exit(void)
{
	debugfs_remove(dir);
	stop_users();
}

module_init(fpu_test_init);
module_exit(fpu_test_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("In-kernel FPU user for tests");
