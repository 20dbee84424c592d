/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef _UAPI_EVL_FACTORY_H
#define _UAPI_EVL_FACTORY_H

#include <evl/factory-abi.h>

#endif /* _UAPI_EVL_FACTORY_H */
