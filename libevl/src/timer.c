/* SPDX-License-Identifier: MIT */
/*
 * Timers. Records are passed on by address, unread: the core validates them, and tells bad addresses.
 */
#include <errno.h>
#include <evl/timer.h>
#include "backend.h"
#include "internal.h"

/* The core says ENOTTY for a file which is no timer, the API says EBADF. */
static int timer_request(int efd, unsigned long request, void *arg)
{
	int ret = evl_request(efd, request, arg);

	return ret == -ENOTTY ? -EBADF : ret;
}

EVL_API int evl_new_timer(int clockfd)
{
	struct evl_new_timer_req req = { .efd = -1 };
	int ret = evl_check_core();

	if (ret)
		return ret;

	ret = evl_backend_ioctl(evl_clock_descriptor(clockfd), EVL_CLKIOC_NEW_TIMER, &req);

	return ret ? ret : req.efd;
}

EVL_API int evl_set_timer(int efd, const struct itimerspec *value, struct itimerspec *ovalue)
{
	struct evl_timer_setreq req = {
		.value_ptr = (uintptr_t)value,
		.ovalue_ptr = (uintptr_t)ovalue,
	};

	return timer_request(efd, EVL_TFDIOC_SET, &req);
}

EVL_API int evl_get_timer(int efd, struct itimerspec *value)
{
	return timer_request(efd, EVL_TFDIOC_GET, value);
}
