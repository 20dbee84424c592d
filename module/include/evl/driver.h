/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of the core to drivers, all of it: what a driver includes. docs/driver-api.md has the list;
 * other things these headers happen to declare are internals, and change without notice. See Kbuild.driver
 * for how to build.
 */
#ifndef _EVL_DRIVER_H
#define _EVL_DRIVER_H

#include "../../clock.h"
#include "../../compat.h"
#include "../../coremem.h"
#include "../../file.h"
#include "../../flag.h"
#include "../../gpio.h"
#include "../../kmutex.h"
#include "../../kthread.h"
#include "../../lock.h"
#include "../../params.h"
#include "../../poll.h"
#include "../../sched.h"
#include "../../sem.h"
#include "../../stax.h"
#include "../../thread.h"
#include "../../timer.h"
#include "../../uaccess.h"
#include "../../wait.h"
#include "../../work.h"
#include "../../xbuf.h"

#include <evl/clock-abi.h>

#endif /* _EVL_DRIVER_H */
