// SPDX-License-Identifier: GPL-2.0-only
/*
 * A GPIO chip of wires, for tests of out-of-band lines: what is written to an even line is read on the odd
 * one after it, whose interrupt it raises. No hardware, no sleep, no in-band lock.
 *
 * As hardware would, the chip interrupts once set() has returned and its caller has let go of its locks: by an
 * irq_work, so that an out-of-band interrupt too comes no earlier than in-band takes it.
 */
#include "compat.h"
#include "gpio.h"
#include "lock.h"

#include <linux/gpio/driver.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irq_pipeline.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define NR_LINES	8
#define NR_WIRES	(NR_LINES / 2)

struct wire {
	bool			level;
	bool			enabled;	/* interrupt of the odd line */
	unsigned int		type;
	int			irq;
	struct irq_work		work;		/* raises it */
};

static struct wire wires[NR_WIRES];
static DEFINE_HARD_SPINLOCK(wire_lock);
static struct platform_device *pdev;
static struct evl_gpio_chip *oob_chip;

static struct wire *wire_of_irq(struct irq_data *d)
{
	return irq_data_get_irq_chip_data(d);
}

static void wire_mask(struct irq_data *d)
{
	WRITE_ONCE(wire_of_irq(d)->enabled, false);
}

static void wire_unmask(struct irq_data *d)
{
	WRITE_ONCE(wire_of_irq(d)->enabled, true);
}

static int wire_set_type(struct irq_data *d, unsigned int type)
{
	if (!type || type & ~IRQ_TYPE_EDGE_BOTH)
		return -EINVAL;
	WRITE_ONCE(wire_of_irq(d)->type, type);

	return 0;
}

static struct irq_chip wire_irq_chip = {
	.name		= "gpio-wire",
	.irq_mask	= wire_mask,
	.irq_unmask	= wire_unmask,
	.irq_set_type	= wire_set_type,
	.flags		= IRQCHIP_PIPELINE_SAFE,
};

static void raise(struct irq_work *work)
{
	int irq = container_of(work, struct wire, work)->irq;

	if (irq_is_oob(irq_data_to_desc(irq_get_irq_data(irq))))
		irq_inject_pipeline(irq);
	else
		generic_handle_irq(irq);
}

static void chip_set(struct gpio_chip *gc, unsigned int offset, int value)
{
	struct wire *w = &wires[offset / 2];
	unsigned long flags;
	bool edge;

	hard_spin_lock_irqsave(&wire_lock, flags);
	edge = !(offset & 1) && w->level != !!value && w->enabled &&
		w->type & (value ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_EDGE_FALLING);
	if (!(offset & 1))
		w->level = value;
	hard_spin_unlock_irqrestore(&wire_lock, flags);
	if (edge)
		irq_work_queue(&w->work);
}

static int chip_get(struct gpio_chip *gc, unsigned int offset)
{
	return READ_ONCE(wires[offset / 2].level);
}

static int chip_direction_input(struct gpio_chip *gc, unsigned int offset)
{
	return offset & 1 ? 0 : -EINVAL;
}

static int chip_direction_output(struct gpio_chip *gc, unsigned int offset, int value)
{
	if (offset & 1)
		return -EINVAL;
	chip_set(gc, offset, value);

	return 0;
}

static int chip_to_irq(struct gpio_chip *gc, unsigned int offset)
{
	return offset & 1 ? wires[offset / 2].irq : -ENXIO;
}

static struct gpio_chip chip = {
	.label			= "evl-gpio-test",
	.owner			= THIS_MODULE,
	.base			= -1,
	.ngpio			= NR_LINES,
	.get			= chip_get,
	.set			= chip_set,
	.direction_input	= chip_direction_input,
	.direction_output	= chip_direction_output,
	.to_irq			= chip_to_irq,
};

static void free_irqs(void)
{
	unsigned int n;

	for (n = 0; n < NR_WIRES && wires[n].irq > 0; n++) {
		irq_work_sync(&wires[n].work);
		irq_free_desc(wires[n].irq);
		wires[n].irq = 0;
	}
}

/* Without an owner: the chip may go while its lines are in use, as one whose device is unbound. */
static int make_irqs(void)
{
	unsigned int n;

	for (n = 0; n < NR_WIRES; n++) {
		init_irq_work(&wires[n].work, raise);
		wires[n].irq = __irq_alloc_descs(-1, 1, 1, NUMA_NO_NODE, NULL, NULL);
		if (wires[n].irq < 0) {
			free_irqs();
			return -ENOMEM;
		}
		irq_set_chip_data(wires[n].irq, &wires[n]);
		irq_set_chip_and_handler(wires[n].irq, &wire_irq_chip, handle_simple_irq);
		irq_modify_status(wires[n].irq, IRQ_NOREQUEST, IRQ_NOPROBE);
	}

	return 0;
}

static int __init gpio_test_init(void)
{
	int ret;

	pdev = platform_device_register_simple("evl-gpio-test", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	ret = make_irqs();
	if (ret)
		goto err_pdev;
	chip.parent = &pdev->dev;
	ret = gpiochip_add_data(&chip, NULL);
	if (ret)
		goto err_irqs;
	oob_chip = evl_add_gpio_chip(&chip);
	ret = PTR_ERR_OR_ZERO(oob_chip);
	if (ret)
		goto err_chip;

	return 0;

err_chip:
	gpiochip_remove(&chip);
err_irqs:
	free_irqs();
err_pdev:
	platform_device_unregister(pdev);
	return ret;
}
module_init(gpio_test_init);

static void __exit gpio_test_exit(void)
{
	evl_remove_gpio_chip(oob_chip);
	gpiochip_remove(&chip);
	free_irqs();
	platform_device_unregister(pdev);
}
module_exit(gpio_test_exit);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("GPIO chip of wires, for tests");
