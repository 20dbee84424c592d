/* SPDX-License-Identifier: MIT */
/*
 * Clocks.
 *
 * A built-in clock shows the time of the POSIX one. Reading it through the C library is free of system calls
 * if the vDSO can read the clock source; where it cannot, an out-of-band caller would be demoted by the
 * system call behind, so it asks the core instead.
 */
#include <errno.h>
#include <evl/clock.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "internal.h"

static bool is_builtin(int clockfd)
{
	return clockfd == EVL_CLOCK_MONOTONIC || clockfd == EVL_CLOCK_REALTIME;
}

static clockid_t posix_clock(int clockfd)
{
	return clockfd == EVL_CLOCK_MONOTONIC ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int evl_clock_descriptor(int clockfd)
{
	if (clockfd == EVL_CLOCK_MONOTONIC)
		return evl_core.monotonic_fd;

	if (clockfd == EVL_CLOCK_REALTIME)
		return evl_core.realtime_fd;

	return clockfd;
}

/*
 * The out-of-band call says EBADF for a closed descriptor and for a file which it cannot reach alike; only
 * the in-band kernel can tell them apart. This demotes the caller, who made an error.
 */
static int clock_error(int clockfd, int ret)
{
	if (ret == -EBADF && evl_self_attached() && !evl_backend_probe(clockfd))
		return -ENOTTY;

	return ret;
}

static int clock_request(int clockfd, unsigned long request, void *arg)
{
	int fd = evl_clock_descriptor(clockfd);

	return clock_error(fd, evl_request(fd, request, arg));
}

EVL_API int evl_read_clock(int clockfd, struct timespec *tp)
{
	if (!is_builtin(clockfd))
		return clock_request(clockfd, EVL_CLKIOC_GET_TIME, tp);

	if (!tp)
		return -EFAULT;

	if (evl_core.vdso_clocks || evl_self_inband())
		return evl_backend_gettime(posix_clock(clockfd), tp);

	return clock_request(clockfd, EVL_CLKIOC_GET_TIME, tp);
}

EVL_API int evl_set_clock(int clockfd, const struct timespec *tp)
{
	if (is_builtin(clockfd))
		return evl_backend_settime(posix_clock(clockfd), tp);

	return evl_backend_ioctl(clockfd, EVL_CLKIOC_SET_TIME, (void *)tp);
}

EVL_API int evl_get_clock_resolution(int clockfd, struct timespec *tp)
{
	if (!is_builtin(clockfd))
		return clock_request(clockfd, EVL_CLKIOC_GET_RES, tp);

	/* A null address is fine with the system call, not with us. */
	if (!tp)
		return -EFAULT;

	return evl_backend_getres(posix_clock(clockfd), tp);
}

EVL_API int evl_sleep_until(int clockfd, const struct timespec *timeout)
{
	int fd = evl_clock_descriptor(clockfd);
	long ret;

	if (!evl_self_attached())
		return -EPERM;

	ret = evl_backend_oob(sys_evl_ioctl, fd, (long)EVL_CLKIOC_SLEEP, (long)(uintptr_t)timeout);

	return clock_error(fd, (int)ret);
}

EVL_API int evl_usleep(useconds_t usecs)
{
	struct timespec date;
	int ret;

	if (!evl_self_attached())
		return -EPERM;

	ret = evl_read_clock(EVL_CLOCK_MONOTONIC, &date);
	if (ret)
		return ret;

	evl_timespec_add_us(&date, usecs);

	return evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
}
