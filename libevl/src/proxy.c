/* SPDX-License-Identifier: MIT */
/*
 * Proxies, and formatted output which leaves the stage alone. The text is made on the stack.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <evl/proxy.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "internal.h"
#include "proxy.h"

#define PROXY_FLAGS	(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK | EVL_CLONE_INPUT | EVL_CLONE_OUTPUT)
#define TEXT_MAX	1024
#define STREAM_SIZE	65536

EVL_API int evl_create_proxy(int targetfd, size_t bufsz, size_t granularity, int flags, const char *fmt, ...)
{
	struct evl_proxy_attrs attrs;
	va_list ap;
	int ret;

	if (bufsz > EVL_PROXY_MAXSZ || granularity > EVL_PROXY_MAXSZ)
		return -EINVAL;

	attrs.fd = (__u32)targetfd;
	attrs.bufsz = (__u32)bufsz;
	attrs.granularity = (__u32)granularity;
	va_start(ap, fmt);
	ret = evl_create_formatted(EVL_PROXY_DEV, &attrs, flags, PROXY_FLAGS, fmt, ap);
	va_end(ap);

	return ret;
}

/* No stream, no proxy: this is not worth failing for. */
int evl_open_stream(int fd)
{
	struct evl_proxy_attrs attrs = { .fd = (__u32)fd, .bufsz = STREAM_SIZE };

	return evl_clone_element(EVL_PROXY_DEV, NULL, &attrs, EVL_CLONE_OUTPUT, NULL);
}

static ssize_t transfer(unsigned int nr, int fd, const void *buf, size_t count)
{
	if (evl_self_inband())
		return evl_backend_transfer(nr == sys_evl_write, fd, (void *)buf, count);

	return evl_backend_oob(nr, fd, (long)(uintptr_t)buf, (long)count);
}

EVL_API ssize_t evl_write_proxy(int proxyfd, const void *buf, size_t count)
{
	return transfer(sys_evl_write, proxyfd, buf, count);
}

EVL_API ssize_t evl_send_proxy(int proxyfd, const void *buf, size_t count)
{
	return evl_write_proxy(proxyfd, buf, count);
}

EVL_API ssize_t evl_read_proxy(int proxyfd, void *buf, size_t count)
{
	return transfer(sys_evl_read, proxyfd, buf, count);
}

EVL_API ssize_t evl_vprint_proxy(int proxyfd, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	int len = vsnprintf(text, sizeof(text), fmt, ap);

	if (len < 0)
		return -EINVAL;

	return evl_write_proxy(proxyfd, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

EVL_API ssize_t evl_print_proxy(int proxyfd, const char *fmt, ...)
{
	va_list ap;
	ssize_t ret;

	va_start(ap, fmt);
	ret = evl_vprint_proxy(proxyfd, fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_stdout(void)
{
	int ret = evl_check_core();

	return ret ? ret : evl_core.stdout_fd;
}

EVL_API int evl_stderr(void)
{
	int ret = evl_check_core();

	return ret ? ret : evl_core.stderr_fd;
}

static ssize_t print_stream(int fd, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 2, 0)));

static ssize_t print_stream(int fd, const char *fmt, va_list ap)
{
	return fd < 0 ? fd : evl_vprint_proxy(fd, fmt, ap);
}

EVL_API ssize_t evl_printf(const char *fmt, ...)
{
	va_list ap;
	ssize_t ret;

	va_start(ap, fmt);
	ret = print_stream(evl_stdout(), fmt, ap);
	va_end(ap);

	return ret;
}

EVL_API ssize_t evl_eprintf(const char *fmt, ...)
{
	va_list ap;
	ssize_t ret;

	va_start(ap, fmt);
	ret = print_stream(evl_stderr(), fmt, ap);
	va_end(ap);

	return ret;
}
