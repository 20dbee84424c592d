// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-band code as bad as it gets for a real-time thread on the same CPU: sections of milliseconds with
 * interrupts masked, and an interrupt storm on the in-band line of an "edu" PCI device of QEMU. Counters are in
 * debugfs, evl-disturb-test/.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>

#define EDU_STATUS	0x24
#define EDU_RAISE	0x60
#define EDU_ACK		0x64

static unsigned int mask_us;
module_param(mask_us, uint, 0444);
MODULE_PARM_DESC(mask_us, "length of the sections with interrupts masked, 0 for none");

static unsigned int storm_us;
module_param(storm_us, uint, 0444);
MODULE_PARM_DESC(storm_us, "time between interrupts of the device, 0 for none");

static u64 sections, interrupts;
static struct task_struct *masker, *raiser;
static struct pci_dev *edu;
static void __iomem *regs;
static struct dentry *dir;

static void mask_once(void)
{
	unsigned long flags;
	unsigned int ms;

	local_irq_save(flags);
	for (ms = mask_us; ms > 1000; ms -= 1000)
		udelay(1000);
	udelay(ms);
	local_irq_restore(flags);
}

static int mask_again_and_again(void *unused)
{
	while (!kthread_should_stop()) {
		mask_once();
		sections++;
		usleep_range(500, 600);
	}

	return 0;
}

static irqreturn_t storm_handler(int irq, void *unused)
{
	u32 status = readl(regs + EDU_STATUS);

	if (!status)
		return IRQ_NONE;
	writel(status, regs + EDU_ACK);
	interrupts++;

	return IRQ_HANDLED;
}

static int raise_again_and_again(void *unused)
{
	while (!kthread_should_stop()) {
		writel(1, regs + EDU_RAISE);
		udelay(storm_us);
		cond_resched();
	}

	return 0;
}

static int start_masker(void)
{
	if (!mask_us)
		return 0;

	masker = kthread_run(mask_again_and_again, NULL, "disturb/mask");

	return PTR_ERR_OR_ZERO(masker);
}

static int claim_edu(void)
{
	int ret;

	edu = pci_get_device(0x1234, 0x11e8, NULL);
	if (!edu)
		return -ENODEV;

	ret = pci_enable_device(edu);
	if (ret)
		goto err_put;

	pci_set_master(edu);
	regs = pci_iomap(edu, 0, 0);
	if (!regs) {
		ret = -ENOMEM;
		goto err_disable;
	}

	ret = pci_alloc_irq_vectors(edu, 1, 1, PCI_IRQ_MSI);
	if (ret < 0)
		goto err_unmap;

	ret = request_irq(pci_irq_vector(edu, 0), storm_handler, 0, "disturb", &interrupts);
	if (ret)
		goto err_free_vectors;

	return 0;

err_free_vectors:
	pci_free_irq_vectors(edu);
err_unmap:
	pci_iounmap(edu, regs);
err_disable:
	pci_disable_device(edu);
err_put:
	pci_dev_put(edu);
	return ret;
}

static void release_edu(void)
{
	free_irq(pci_irq_vector(edu, 0), &interrupts);
	pci_free_irq_vectors(edu);
	pci_iounmap(edu, regs);
	pci_disable_device(edu);
	pci_dev_put(edu);
}

static int start_raiser(void)
{
	int ret;

	if (!storm_us)
		return 0;

	ret = claim_edu();
	if (ret)
		return ret;

	raiser = kthread_run(raise_again_and_again, NULL, "disturb/raise");
	if (IS_ERR(raiser)) {
		release_edu();
		return PTR_ERR(raiser);
	}

	return 0;
}

static void stop_masker(void)
{
	if (mask_us)
		kthread_stop(masker);
}

static int __init disturb_init(void)
{
	int ret = start_masker();

	if (ret)
		return ret;

	ret = start_raiser();
	if (ret) {
		stop_masker();
		return ret;
	}

	dir = debugfs_create_dir("evl-disturb-test", NULL);
	debugfs_create_u64("sections", 0444, dir, &sections);
	debugfs_create_u64("interrupts", 0444, dir, &interrupts);

	return 0;
}

static void __exit disturb_exit(void)
{
	debugfs_remove(dir);
	stop_masker();
	if (storm_us) {
		kthread_stop(raiser);
		release_edu();
	}
}

module_init(disturb_init);
module_exit(disturb_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("In-band disturbances for tests");
