/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Lines of a GPIO chip with out-of-band service: flag of the handle and event requests of <linux/gpio.h>, version 1.
 * Linux 6.12 has flags up to bit 7. A chip without such a driver refuses the unknown flag with -EINVAL.
 */
#ifndef _UAPI_EVL_DEVICES_GPIO_H
#define _UAPI_EVL_DEVICES_GPIO_H

#include <linux/gpio.h>

#define GPIOHANDLE_REQUEST_OOB	(1UL << 30)

#endif /* _UAPI_EVL_DEVICES_GPIO_H */
