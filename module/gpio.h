/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For drivers of GPIO chips: out-of-band service of their lines, by evl-gpio.ko.
 *
 * A driver which adds its chip states that get() and set() take no lock but hard or core ones, do not sleep,
 * may be called with hard interrupts off on either stage, and run no handler of an interrupt of the chip before
 * they return; and that the interrupts of its lines come from a chip with IRQCHIP_PIPELINE_SAFE, cascaded from
 * an out-of-band interrupt if at all.
 */
#ifndef _EVL_GPIO_H
#define _EVL_GPIO_H

struct evl_gpio_chip;
struct gpio_chip;

/*
 * evl_add_gpio_chip - lines of @gc may be asked for out-of-band, at /dev/evl-gpiochipN
 *
 * The chip was registered with gpiolib. Context A. An error pointer: -EINVAL it can sleep, or lacks get or
 * set; -ENOMEM; -EBUSY there is no minor left.
 */
struct evl_gpio_chip *evl_add_gpio_chip(struct gpio_chip *gc);

/*
 * evl_remove_gpio_chip - before the chip is removed from gpiolib
 *
 * Users are evicted; when it returns no line is requested, and neither get() nor set() is called any more.
 * Context A.
 */
void evl_remove_gpio_chip(struct evl_gpio_chip *chip);

#endif /* _EVL_GPIO_H */
