/* SPDX-License-Identifier: MIT */
/*
 * Observables. Records are passed through: what the core stores is what the application reads.
 */
#include <errno.h>
#include <evl/observable.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "internal.h"

_Static_assert(sizeof(struct evl_notification) == sizeof(struct __evl_notification) &&
	       offsetof(struct evl_notification, event) == offsetof(struct __evl_notification, event) &&
	       offsetof(struct evl_notification, date) == offsetof(struct __evl_notification, date),
	       "notifications have to be translated on this platform");

#define OBSERVABLE_FLAGS	(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK | EVL_CLONE_UNICAST)

EVL_API int evl_create_observable(int flags, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_formatted(EVL_OBSERVABLE_DEV, NULL, flags, OBSERVABLE_FLAGS, fmt, ap);
	va_end(ap);

	return ret;
}

/* The core and other files say ENOTTY for what is no observable; the API says EPERM. */
static int observable_error(int ret)
{
	return ret == -ENOTTY ? -EPERM : ret;
}

EVL_API int evl_subscribe(int ofd, unsigned int backlog_count, int flags)
{
	struct evl_subscription sub = {
		.backlog_count = backlog_count,
		.flags = (__u32)flags,
	};

	return observable_error(evl_backend_ioctl(ofd, EVL_OBSIOC_SUBSCRIBE, &sub));
}

EVL_API int evl_unsubscribe(int ofd)
{
	return observable_error(evl_backend_ioctl(ofd, EVL_OBSIOC_UNSUBSCRIBE, NULL));
}

/* Real-time threads are served out-of-band, others where they are. */
static int transfer(int ofd, unsigned long request, const void *array, int nr)
{
	struct evl_observable_req req = { .array_ptr = (uintptr_t)array, .nr = nr };
	int ret;

	if (!evl_self_attached() || (read_once(evl_self.window->state) & EVL_T_WEAK))
		return observable_error(evl_backend_ioctl(ofd, request, &req));

	ret = (int)evl_backend_oob(sys_evl_ioctl, ofd, (long)request, (long)(uintptr_t)&req);
	/* An in-band file has no out-of-band side to ask. */
	if (ret == -EBADF && !evl_backend_probe(ofd))
		return -EPERM;

	return observable_error(ret);
}

EVL_API int evl_update_observable(int ofd, const struct evl_notice *ntc, int nr)
{
	return transfer(ofd, EVL_OBSIOC_UPDATE, ntc, nr);
}

EVL_API int evl_read_observable(int ofd, struct evl_notification *nf, int nr)
{
	return transfer(ofd, EVL_OBSIOC_READ, nf, nr);
}
