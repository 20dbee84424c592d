/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Cross-buffers: bytes between an out-of-band and an in-band peer. oob_write() feeds read(2), write(2) feeds
 * oob_read(); there are no requests.
 */
#ifndef _UAPI_EVL_XBUF_ABI_H
#define _UAPI_EVL_XBUF_ABI_H

#include <linux/types.h>

#define EVL_XBUF_MAXSZ	(1U << 30)

/* Creation attributes: bytes of the ring to in-band, and of the one from it; 0: none; not both. */
struct evl_xbuf_attrs {
	__u32	i_bufsz;
	__u32	o_bufsz;
};

#endif /* _UAPI_EVL_XBUF_ABI_H */
