/* SPDX-License-Identifier: MIT */
/*
 * Events. The core drops the mutex and puts the caller to sleep in one step; the mutex comes back with the signal, or
 * is taken again here, which no signal interrupts for good.
 */
#include <evl/event.h>
#include "monitor.h"
#include "mutex.h"

static const struct monitor_kind event_kind = {
	.magic = __EVL_EVENT_MAGIC,
	.type = EVL_MONITOR_EVENT,
	.protocol = EVL_EVENT_GATED,
};

EVL_API int evl_create_event(struct evl_event *evt, int clockfd, int flags, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_monitor(&evt->mon, &event_kind, clockfd, 0, flags, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_open_event(struct evl_event *evt, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_open_monitor(&evt->mon, &event_kind, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_close_event(struct evl_event *evt)
{
	return evl_close_monitor(&evt->mon, &event_kind);
}

static int retake(struct evl_mutex *mutex, int outcome)
{
	int ret;

	do
		ret = evl_lock_mutex_until(mutex, NULL);
	while (ret == -EINTR);

	return ret ? ret : outcome;
}

static int wait_and_retake(struct evl_event *evt, struct evl_mutex *mutex, const struct timespec *timeout)
{
	struct evl_monitor_waitreq req = {
		.timeout_ptr = (uintptr_t)timeout,
		.gatefd = mutex->mon.efd,
	};
	int ret = evl_monitor_wait(&evt->mon, EVL_MONIOC_WAIT, &req);

	if (ret == -EAGAIN)
		return retake(mutex, req.status);

	return ret ? ret : req.status;
}

static int wait_event(struct evl_event *evt, struct evl_mutex *mutex, const struct timespec *timeout)
{
	struct evl_monitor_state *state;
	__u32 nesting;
	int ret = evl_need_monitor(&evt->mon, &event_kind);

	if (ret)
		return ret;

	if (!evl_mutex_usable(mutex))
		return -EINVAL;

	if (!evl_self_attached() || !evl_mutex_live(mutex) || !evl_mutex_is_mine(mutex->mon.state))
		return -EPERM;

	/* Dropped for good, however often it was taken. */
	state = mutex->mon.state;
	nesting = state->gate.nesting;
	state->gate.nesting = 0;
	ret = wait_and_retake(evt, mutex, timeout);
	if (evl_mutex_is_mine(state))
		state->gate.nesting = nesting;

	return ret;
}

EVL_API int evl_wait_event(struct evl_event *evt, struct evl_mutex *mutex)
{
	return wait_event(evt, mutex, NULL);
}

EVL_API int evl_timedwait_event(struct evl_event *evt, struct evl_mutex *mutex, const struct timespec *timeout)
{
	return wait_event(evt, mutex, timeout ? timeout : BAD_ADDRESS);
}

/* Waiters join under the mutex, which a signaller owns: it sees all of them. */
static int signal_waiters(struct evl_event *evt, unsigned long request, void *arg)
{
	int ret = evl_need_monitor(&evt->mon, &event_kind);

	if (ret)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	if (!arg && !read_once(evt->mon.state->event.waiters))
		return 0;

	return evl_monitor_request(&evt->mon, request, arg);
}

EVL_API int evl_signal_event(struct evl_event *evt)
{
	return signal_waiters(evt, EVL_MONIOC_SIGNAL, NULL);
}

EVL_API int evl_signal_thread(struct evl_event *evt, int thrfd)
{
	return signal_waiters(evt, EVL_MONIOC_SIGNAL_THREAD, &thrfd);
}

EVL_API int evl_broadcast_event(struct evl_event *evt)
{
	return signal_waiters(evt, EVL_MONIOC_BROADCAST, NULL);
}
