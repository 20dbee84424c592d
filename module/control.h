/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_CONTROL_H
#define _EVL_CONTROL_H

#include "factory.h"

extern struct evl_factory evl_control_factory;

#endif /* _EVL_CONTROL_H */
