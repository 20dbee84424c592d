/* SPDX-License-Identifier: MIT */
/*
 * Semaphores. Units are taken from a positive count, and added to one which is not negative, in the memory shared with
 * the core; waiters are the core's business.
 */
#include <limits.h>
#include <evl/sem.h>
#include "monitor.h"
#include "sem.h"

static const struct monitor_kind sem_kind = {
	.magic = __EVL_SEM_MAGIC,
	.type = EVL_MONITOR_EVENT,
	.protocol = EVL_EVENT_COUNT,
};

int evl_activate_sem(struct evl_sem *sem)
{
	return evl_need_monitor(&sem->mon, &sem_kind);
}

EVL_API int evl_create_sem(struct evl_sem *sem, int clockfd, int initval, int flags, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_monitor(&sem->mon, &sem_kind, clockfd, (unsigned int)initval, flags, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_open_sem(struct evl_sem *sem, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_open_monitor(&sem->mon, &sem_kind, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_close_sem(struct evl_sem *sem)
{
	return evl_close_monitor(&sem->mon, &sem_kind);
}

/* Add to the count what leaves it in the range where we may. */
static bool change_by_hand(struct __evl_monitor *mon, int delta, int least, int most)
{
	__s32 *count = &mon->state->event.value, old = read_once(*count);

	do
		if (old < least || old > most)
			return false;
	while (!__atomic_compare_exchange_n(count, &old, old + delta, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));

	evl_monitor_changed(mon);

	return true;
}

static int get_until(struct evl_sem *sem, const struct timespec *timeout)
{
	struct evl_monitor_waitreq req = { .timeout_ptr = (uintptr_t)timeout };
	int ret = evl_need_monitor(&sem->mon, &sem_kind);

	if (ret)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	if (change_by_hand(&sem->mon, -1, 1, INT_MAX))
		return 0;

	return evl_monitor_wait(&sem->mon, EVL_MONIOC_WAIT, &req);
}

EVL_API int evl_get_sem(struct evl_sem *sem)
{
	return get_until(sem, NULL);
}

EVL_API int evl_timedget_sem(struct evl_sem *sem, const struct timespec *timeout)
{
	return get_until(sem, timeout ? timeout : BAD_ADDRESS);
}

EVL_API int evl_tryget_sem(struct evl_sem *sem)
{
	int ret = evl_need_monitor(&sem->mon, &sem_kind);

	if (ret)
		return ret;

	return change_by_hand(&sem->mon, -1, 1, INT_MAX) ? 0 : -EAGAIN;
}

EVL_API int evl_put_sem(struct evl_sem *sem)
{
	__s32 unused = 0;
	int ret = evl_need_monitor(&sem->mon, &sem_kind);

	if (ret)
		return ret;

	if (change_by_hand(&sem->mon, 1, 0, INT_MAX - 1))
		return 0;

	return evl_monitor_request(&sem->mon, EVL_MONIOC_SIGNAL, &unused);
}

EVL_API int evl_flush_sem(struct evl_sem *sem)
{
	__s32 unused = 0;

	/* Nobody waits for what does not exist yet. */
	if (sem->mon.magic == __EVL_STATIC_MAGIC(sem_kind.magic))
		return 0;

	if (!evl_monitor_live(&sem->mon, &sem_kind))
		return -EINVAL;

	return evl_monitor_request(&sem->mon, EVL_MONIOC_BROADCAST, &unused);
}

EVL_API int evl_peek_sem(struct evl_sem *sem, int *r_val)
{
	if (!evl_monitor_live(&sem->mon, &sem_kind))
		return -EINVAL;

	*r_val = read_once(sem->mon.state->event.value);

	return 0;
}
