/* SPDX-License-Identifier: MIT */
/*
 * Cross-buffers.
 */
#include <errno.h>
#include <evl/xbuf.h>
#include "internal.h"

#define XBUF_FLAGS	(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK)

EVL_API int evl_create_xbuf(size_t i_bufsz, size_t o_bufsz, int flags, const char *fmt, ...)
{
	struct evl_xbuf_attrs attrs;
	va_list ap;
	int ret;

	if (i_bufsz > EVL_XBUF_MAXSZ || o_bufsz > EVL_XBUF_MAXSZ)
		return -EINVAL;

	attrs.i_bufsz = (__u32)i_bufsz;
	attrs.o_bufsz = (__u32)o_bufsz;
	va_start(ap, fmt);
	ret = evl_create_formatted(EVL_XBUF_DEV, &attrs, flags, XBUF_FLAGS, fmt, ap);
	va_end(ap);

	return ret;
}
