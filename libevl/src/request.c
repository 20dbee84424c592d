/* SPDX-License-Identifier: MIT */
/*
 * Requests to the core, and the out-of-band file calls of the API.
 */
#include <errno.h>
#include <stdarg.h>
#include <evl/syscall.h>
#include <evl/syscall-abi.h>
#include "internal.h"
#include "backend.h"

/*
 * Requests which do not wait. Who was brought in-band meanwhile, and cannot go back because of a signal, is served
 * there.
 */
int evl_request(int fd, unsigned long request, void *arg)
{
	int ret = -EINTR;

	if (!evl_self_inband())
		ret = (int)evl_backend_oob(sys_evl_ioctl, fd, (long)request, (long)(uintptr_t)arg);

	return ret == -EINTR ? evl_backend_ioctl(fd, request, arg) : ret;
}

int evl_self_request(unsigned long request)
{
	if (!evl_self_attached())
		return -EPERM;

	return (int)evl_backend_oob(sys_evl_ioctl, evl_core.control_fd, (long)request, 0);
}

/*
 * Without this check an unattached caller would be told -EPERM by the core, but -ENOSYS by a kernel
 * without one.
 */
static long transfer(unsigned int nr, int efd, long arg1, long arg2)
{
	long ret;

	ret = evl_self_attached() ? evl_backend_oob(nr, efd, arg1, arg2) : -EPERM;
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}

	return ret;
}

EVL_API ssize_t oob_read(int efd, void *buf, size_t count)
{
	return transfer(sys_evl_read, efd, (long)(uintptr_t)buf, (long)count);
}

EVL_API ssize_t oob_write(int efd, const void *buf, size_t count)
{
	return transfer(sys_evl_write, efd, (long)(uintptr_t)buf, (long)count);
}

EVL_API int oob_ioctl(int efd, unsigned long request, ...)
{
	va_list ap;
	long arg;

	va_start(ap, request);
	arg = va_arg(ap, long);
	va_end(ap);

	return (int)transfer(sys_evl_ioctl, efd, (long)request, arg);
}
