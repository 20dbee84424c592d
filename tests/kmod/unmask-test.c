// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes hard masked sections away from the running kernel: as long as this module is loaded, each "cli" of one
 * function is skipped. What the sections protect gets hit, and a test which cannot tell is worth nothing.
 *
 * Parameter: function, a name. Fails to load if there is no "cli" in it that can be skipped.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define CLI		0xfa
#define MAX_SECTIONS	8

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "whose hard masked sections are taken away");

static struct kprobe sections[MAX_SECTIONS];
static unsigned int nr_sections;

static int skip_cli(struct kprobe *kp, struct pt_regs *regs)
{
	regs->ip = (unsigned long)kp->addr + 1;

	return 1;
}

/* Its presence keeps the probe from being turned into a jump, which could not skip anything. */
static void not_optimized(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static unsigned long size_of(void *addr)
{
	char text[KSYM_SYMBOL_LEN];
	unsigned long offset, size;

	sprint_symbol(text, (unsigned long)addr);
	if (sscanf(strchr(text, '+') ?: "", "+0x%lx/0x%lx", &offset, &size) != 2)
		return 0;

	return size;
}

/* Registration refuses what is no instruction: the byte may be part of another. */
static bool skip_at(void *addr)
{
	struct kprobe *kp = &sections[nr_sections];

	memset(kp, 0, sizeof(*kp));
	kp->addr = addr;
	kp->pre_handler = skip_cli;
	kp->post_handler = not_optimized;
	if (register_kprobe(kp))
		return false;
	pr_info("evl-unmask-test: %pS is skipped\n", addr);
	nr_sections++;

	return true;
}

static void *address_of(const char *name)
{
	struct kprobe kp = { .symbol_name = name };
	void *addr;

	if (register_kprobe(&kp))
		return NULL;
	addr = kp.addr;
	unregister_kprobe(&kp);

	return addr;
}

static void __exit unmask_exit(void)
{
	while (nr_sections)
		unregister_kprobe(&sections[--nr_sections]);
}

static int __init unmask_init(void)
{
	u8 *start = address_of(function), *at;
	unsigned long size;
	u8 byte;

	if (!start)
		return -ENOENT;
	size = size_of(start);
	for (at = start; at < start + size && nr_sections < MAX_SECTIONS; at++)
		if (!copy_from_kernel_nofault(&byte, at, 1) && byte == CLI)
			skip_at(at);

	return nr_sections ? 0 : -ENODATA;
}

module_init(unmask_init);
module_exit(unmask_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Hard masked sections taken away, for tests of tests");
