// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes for kernel code. gate.c does the work.
 */
#include "kmutex.h"
#include "clock.h"

/** evl_init_kmutex - make a mutex, free */
void evl_init_kmutex(struct evl_kmutex *kmutex)
{
	evl_init_gate(&kmutex->gate, &evl_mono_clock, 0, NULL, "kmutex");
}
EVL_EXPORT(evl_init_kmutex);

/** evl_destroy_kmutex - end of a mutex, which should be free; waiters leave with -EIDRM; in-band or out-of-band thread */
void evl_destroy_kmutex(struct evl_kmutex *kmutex)
{
	WARN_ON_ONCE(kmutex->gate.owner);
	evl_destroy_gate(&kmutex->gate);
}
EVL_EXPORT(evl_destroy_kmutex);

/**
 * evl_lock_kmutex - take a mutex, waiting for it if need be
 * @kmutex: the mutex
 *
 * Core thread; out-of-band on success. 0, -EDEADLK: the caller has it, or waits for itself, -EINTR: told to stop or
 * unblocked, -EIDRM, -EPERM. A signal is acted upon later.
 */
int evl_lock_kmutex(struct evl_kmutex *kmutex)
{
	return evl_lock_gate(&kmutex->gate, EVL_INFINITE, 0, true);
}
EVL_EXPORT(evl_lock_kmutex);

/** evl_trylock_kmutex - take a mutex if it is free; core thread; 0, -EAGAIN, -EDEADLK, -EIDRM, -EPERM */
int evl_trylock_kmutex(struct evl_kmutex *kmutex)
{
	return evl_trylock_gate(&kmutex->gate);
}
EVL_EXPORT(evl_trylock_kmutex);

/* What the caller does with a mutex which is not its own is a bug of the driver, and has no effect. */
static void report_misuse(void)
{
	struct evl_thread *curr = evl_current();

	WARN_ON_ONCE(1);
	if (curr && curr->state & EVL_T_WOLI && running_oob())
		evl_demote_current(EVL_HMDIAG_LKIMBALANCE);
}

/** evl_unlock_kmutex - drop a mutex; its owner */
void evl_unlock_kmutex(struct evl_kmutex *kmutex)
{
	if (!evl_current() || evl_unlock_gate(&kmutex->gate))
		report_misuse();
}
EVL_EXPORT(evl_unlock_kmutex);
