/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_EVL_CONTROL_H
#define _UAPI_EVL_CONTROL_H

#include <evl/control-abi.h>

#endif /* _UAPI_EVL_CONTROL_H */
