/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Sockets with out-of-band service. No protocol of this core offers it: socket(2) refuses SOCK_OOB with -EINVAL, and
 * the requests below find no file to take them. They are here for the day one does.
 */
#ifndef _UAPI_EVL_NET_SOCKET_ABI_H
#define _UAPI_EVL_NET_SOCKET_ABI_H

#include <linux/ioctl.h>
#include <evl/fcntl.h>
#include <evl/types.h>

/* Flag in the type argument of socket(2). */
#define SOCK_OOB	O_OOB

/* Family of protocols which are out-of-band only. Linux 6.12 uses the numbers up to 45. */
#define AF_OOB		46
#define PF_OOB		AF_OOB

/*
 * EVL_SOCKIOC_SENDMSG, EVL_SOCKIOC_RECVMSG: out-of-band call; the number of bytes.
 *
 * msg_ptr:     struct oob_msghdr (<evl/net/socket.h>) in the layout of the caller's word size.
 * timeout_ptr: struct __evl_timespec, a date of the monotonic clock; 0 or {0, 0}: no limit.
 * flags:       MSG_DONTWAIT; MSG_PEEK to receive. Anything else: -EINVAL.
 */
struct evl_socket_msgreq {
	__u64	msg_ptr;
	__u64	timeout_ptr;
	__u32	flags;
	__u32	reserved;
};

#define EVL_SOCKIOC_SENDMSG	_IOW(EVL_IOC_MAGIC, 0x90, struct evl_socket_msgreq)
#define EVL_SOCKIOC_RECVMSG	_IOW(EVL_IOC_MAGIC, 0x91, struct evl_socket_msgreq)

#endif /* _UAPI_EVL_NET_SOCKET_ABI_H */
