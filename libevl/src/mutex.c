/* SPDX-License-Identifier: MIT */
/*
 * Mutexes. A free mutex is taken, and one nobody waits for is dropped, by changing the owner in the memory shared with
 * the core. This takes a thread which is out-of-band and not weak, and a mutex without ceiling: the core has to know
 * of the others.
 */
#include <limits.h>
#include <evl/mutex.h>
#include "monitor.h"
#include "mutex.h"

#define NESTING_MAX	0x7fffffffU

const struct monitor_kind evl_mutex_kind = {
	.magic = __EVL_MUTEX_MAGIC,
	.type = EVL_MONITOR_GATE,
	.flags = EVL_MUTEX_RECURSIVE,
};

EVL_API int evl_create_mutex(struct evl_mutex *mutex, int clockfd, unsigned int ceiling, int flags,
			     const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_monitor(&mutex->mon, &evl_mutex_kind, clockfd, ceiling, flags, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_open_mutex(struct evl_mutex *mutex, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_open_monitor(&mutex->mon, &evl_mutex_kind, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_close_mutex(struct evl_mutex *mutex)
{
	return evl_close_monitor(&mutex->mon, &evl_mutex_kind);
}

bool evl_mutex_is_mine(struct evl_monitor_state *state)
{
	return (read_once(state->gate.owner) & EVL_HANDLE_MASK) == evl_self.fundle;
}

/* A mutex is owned out-of-band. Who cannot get there does not own it once more. */
static int nest(struct evl_monitor_state *state)
{
	int ret = 0;

	if (!state->gate.recursive)
		return -EDEADLK;

	if (state->gate.nesting == NESTING_MAX)
		return -EAGAIN;

	if (evl_self_inband())
		ret = evl_self_request(EVL_THRIOC_SWITCH_OOB);
	if (!ret)
		state->gate.nesting++;

	return ret;
}

static bool may_take_by_hand(struct evl_monitor_state *state)
{
	return !(read_once(evl_self.window->state) & (EVL_T_INBAND | EVL_T_WEAK)) &&
		!read_once(state->gate.ceiling);
}

/* Without the core: 0, an error, or -EBUSY: the core is needed. */
static int take_by_hand(struct evl_monitor_state *state)
{
	__u32 free_word = 0;

	if (evl_mutex_is_mine(state))
		return nest(state);

	if (may_take_by_hand(state) &&
	    __atomic_compare_exchange_n(&state->gate.owner, &free_word, evl_self.fundle, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return 0;

	return -EBUSY;
}

/* What an owner which exited left there. */
static int start_nesting(struct evl_monitor_state *state, int ret)
{
	if (!ret && state->gate.nesting)
		state->gate.nesting = 0;

	return ret;
}

static int lock(struct evl_mutex *mutex, unsigned long request, void *arg)
{
	struct __evl_monitor *mon = &mutex->mon;
	int ret = evl_need_monitor(mon, &evl_mutex_kind);
	bool mine;

	if (ret)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	mine = evl_mutex_is_mine(mon->state);
	ret = take_by_hand(mon->state);
	if (ret == -EBUSY)
		ret = evl_monitor_wait(mon, request, arg);

	return mine ? ret : start_nesting(mon->state, ret);
}

int evl_lock_mutex_until(struct evl_mutex *mutex, const struct timespec *timeout)
{
	struct evl_monitor_waitreq req = { .timeout_ptr = (uintptr_t)timeout };

	return lock(mutex, EVL_MONIOC_ENTER, &req);
}

EVL_API int evl_lock_mutex(struct evl_mutex *mutex)
{
	return evl_lock_mutex_until(mutex, NULL);
}

/* A missing date matters like a bad one, to those who have to wait only. */
EVL_API int evl_timedlock_mutex(struct evl_mutex *mutex, const struct timespec *timeout)
{
	return evl_lock_mutex_until(mutex, timeout ? timeout : BAD_ADDRESS);
}

EVL_API int evl_trylock_mutex(struct evl_mutex *mutex)
{
	return lock(mutex, EVL_MONIOC_TRYENTER, NULL);
}

static bool drop_by_hand(struct evl_monitor_state *state)
{
	__u32 mine = evl_self.fundle;

	/* Fails if EVL_GATE_KNOWN is set beside it. */
	return __atomic_compare_exchange_n(&state->gate.owner, &mine, 0, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* The core diagnoses it, if the thread wants to know. */
static int not_mine(struct __evl_monitor *mon)
{
	if (read_once(evl_self.window->state) & EVL_T_WOLI)
		evl_monitor_request(mon, EVL_MONIOC_EXIT, NULL);

	return -EPERM;
}

EVL_API int evl_unlock_mutex(struct evl_mutex *mutex)
{
	struct __evl_monitor *mon = &mutex->mon;

	if (!evl_monitor_live(mon, &evl_mutex_kind))
		return -EINVAL;

	if (!evl_self_attached())
		return -EPERM;

	if (!evl_mutex_is_mine(mon->state))
		return not_mine(mon);

	if (mon->state->gate.nesting) {
		mon->state->gate.nesting--;
		return 0;
	}

	return drop_by_hand(mon->state) ? 0 : evl_monitor_request(mon, EVL_MONIOC_EXIT, NULL);
}

EVL_API int evl_set_mutex_ceiling(struct evl_mutex *mutex, unsigned int ceiling)
{
	__u32 value = ceiling;

	if (!evl_monitor_live(&mutex->mon, &evl_mutex_kind))
		return -EINVAL;

	return evl_monitor_request(&mutex->mon, EVL_MONIOC_SET_CEILING, &value);
}

EVL_API int evl_get_mutex_ceiling(struct evl_mutex *mutex)
{
	if (!evl_monitor_live(&mutex->mon, &evl_mutex_kind))
		return -EINVAL;

	return (int)read_once(mutex->mon.state->gate.ceiling);
}
