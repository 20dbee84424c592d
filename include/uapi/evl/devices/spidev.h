/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Out-of-band transfers on an SPI bus, beside the requests of <linux/spi/spidev.h>, whose magic this shares and whose
 * numbers go up to 5. A device without such a driver answers -ENOTTY.
 *
 * SPI_IOC_ENABLE_OOB_MODE   ioctl(2). Reserves the bus. Takes frame_len, speed_hz, bits_per_word; returns what to
 *                           map from the descriptor and where in it frames go out and come in.
 * SPI_IOC_DISABLE_OOB_MODE  ioctl(2). Releases it.
 * SPI_IOC_RUN_OOB_XFER      out-of-band call. One frame each way.
 */
#ifndef _UAPI_EVL_DEVICES_SPIDEV_H
#define _UAPI_EVL_DEVICES_SPIDEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct spi_ioc_oob_setup {
	__u32	frame_len;
	__u32	speed_hz;
	__u8	bits_per_word;
	__u8	reserved[3];
	__u32	iobuf_len;
	__u32	tx_offset;
	__u32	rx_offset;
};

#define SPI_IOC_ENABLE_OOB_MODE		_IOWR('k', 50, struct spi_ioc_oob_setup)
#define SPI_IOC_DISABLE_OOB_MODE	_IO('k', 51)
#define SPI_IOC_RUN_OOB_XFER		_IO('k', 52)

#endif /* _UAPI_EVL_DEVICES_SPIDEV_H */
