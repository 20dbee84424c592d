/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_EVL_MONITOR_FWD_H
#define _UAPI_EVL_MONITOR_FWD_H

#include <evl/monitor-abi.h>

#endif /* _UAPI_EVL_MONITOR_FWD_H */
