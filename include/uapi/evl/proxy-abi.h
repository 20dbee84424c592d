/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Proxies: out-of-band access to in-band files, by read and write, and the mapping of the file. No requests.
 */
#ifndef _UAPI_EVL_PROXY_ABI_H
#define _UAPI_EVL_PROXY_ABI_H

#include <linux/types.h>

#define EVL_PROXY_MAXSZ	(1U << 30)

/*
 * Creation attributes. fd: the file; bufsz: bytes of the ring of each direction in the creation flags
 * (EVL_CLONE_INPUT, EVL_CLONE_OUTPUT; none: output), 0: mapping only; granularity: bytes of each transfer, 0: any.
 * -EBADF: not open, or not for that direction; -EINVAL.
 */
struct evl_proxy_attrs {
	__u32	fd;
	__u32	bufsz;
	__u32	granularity;
};

#endif /* _UAPI_EVL_PROXY_ABI_H */
