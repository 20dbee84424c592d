/* SPDX-License-Identifier: MIT */
/* The main header. Timers need <evl/timer.h> in addition. */
#ifndef _EVL_EVL_H
#define _EVL_EVL_H

#include <signal.h>
#include <evl/clock.h>
#include <evl/compiler.h>
#include <evl/control.h>
#include <evl/event.h>
#include <evl/flags.h>
#include <evl/mutex.h>
#include <evl/poll.h>
#include <evl/proxy.h>
#include <evl/rwlock.h>
#include <evl/sched.h>
#include <evl/sem.h>
#include <evl/syscall.h>
#include <evl/thread.h>
#include <evl/xbuf.h>

/* Revision of this API. */
#define __EVL__		26

/* ABI revision the library needs from the core. */
#define EVL_ABI_PREREQ	32

#if EVL_ABI_LEVEL < EVL_ABI_PREREQ
#error "the headers of the core (include/uapi/evl) are older than this library needs: install matching ones"
#endif

struct evl_version {
	int api_level;			/* __EVL__ the library was built with */
	int abi_level;			/* of the running core, or EVL_ABI_PREREQ before evl_init() */
	const char *version_string;
};

__EVL_BEGIN_DECLS

int evl_init(void);

struct evl_version evl_get_version(void);

void evl_sigdebug_handler(int sig, siginfo_t *si, void *ctxt);

__EVL_END_DECLS

#endif /* _EVL_EVL_H */
