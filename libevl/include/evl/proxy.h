/* SPDX-License-Identifier: MIT */
#ifndef _EVL_PROXY_H
#define _EVL_PROXY_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>
#include <evl/proxy-abi.h>

__EVL_BEGIN_DECLS

int evl_create_proxy(int targetfd, size_t bufsz, size_t granularity, int flags, const char *fmt, ...)
	__evl_printf_like(5, 6);

#define evl_new_proxy(__targetfd, __bufsz, ...)	\
	evl_create_proxy(__targetfd, __bufsz, 0, EVL_CLONE_PRIVATE, __VA_ARGS__)

ssize_t evl_write_proxy(int proxyfd, const void *buf, size_t count);

ssize_t evl_read_proxy(int proxyfd, void *buf, size_t count);

ssize_t evl_vprint_proxy(int proxyfd, const char *fmt, va_list ap)
	__evl_printf_like(2, 0);

ssize_t evl_print_proxy(int proxyfd, const char *fmt, ...)
	__evl_printf_like(2, 3);

ssize_t evl_printf(const char *fmt, ...)
	__evl_printf_like(1, 2);

ssize_t evl_eprintf(const char *fmt, ...)
	__evl_printf_like(1, 2);

int evl_stdout(void);

int evl_stderr(void);

/* The name of older revisions. */
ssize_t evl_send_proxy(int proxyfd, const void *buf, size_t count)
	__attribute__((__deprecated__("evl_write_proxy() is the name now")));

__EVL_END_DECLS

#endif /* _EVL_PROXY_H */
