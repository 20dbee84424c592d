// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with a bug: whatever request it gets, it masks interrupts, for long enough that some come in, and
 * returns to user mode so. The CPU has forgiven that ever since: the return to user mode unmasks.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#define MASKED_MS	30

static long masked_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	local_irq_disable();
	mdelay(MASKED_MS);

	return 0;
}

static const struct file_operations masked_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= masked_ioctl,
};

static struct miscdevice masked_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evl-masked-test",
	.fops	= &masked_fops,
	.mode	= 0600,
};

module_misc_device(masked_device);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Returns to user mode with interrupts masked, for tests");
