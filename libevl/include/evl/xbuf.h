/* SPDX-License-Identifier: MIT */
/* Cross-buffers. Out-of-band, bytes go by oob_write() and oob_read(), in-band by write(2) and read(2). */
#ifndef _EVL_XBUF_H
#define _EVL_XBUF_H

#include <stddef.h>
#include <evl/compiler.h>
#include <evl/factory-abi.h>
#include <evl/syscall.h>
#include <evl/xbuf-abi.h>

__EVL_BEGIN_DECLS

int evl_create_xbuf(size_t i_bufsz, size_t o_bufsz, int flags, const char *fmt, ...)
	__evl_printf_like(4, 5);

#define evl_new_xbuf(__io_bufsz, ...)	\
	evl_create_xbuf(__io_bufsz, __io_bufsz, EVL_CLONE_PRIVATE, __VA_ARGS__)

__EVL_END_DECLS

#endif /* _EVL_XBUF_H */
