/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Flag of open(2): ask a driver with optional out-of-band service for it. */
#ifndef _UAPI_EVL_FCNTL_H
#define _UAPI_EVL_FCNTL_H

#define O_OOB	0x40000000

#endif /* _UAPI_EVL_FCNTL_H */
