/* SPDX-License-Identifier: MIT */
/*
 * Messages on out-of-band sockets. The core has no such socket yet, and answers for any file that it is none.
 */
#include <errno.h>
#include <evl/net/socket.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "internal.h"

/* A file which takes no such request is no out-of-band socket. */
static ssize_t transfer(int efd, unsigned long request, const struct oob_msghdr *msghdr,
			const struct timespec *timeout, int flags, int allowed)
{
	struct evl_socket_msgreq req = {
		.msg_ptr = (uintptr_t)msghdr,
		.timeout_ptr = (uintptr_t)timeout,
		.flags = (__u32)flags,
	};
	long ret = -EPERM;

	if (evl_self_attached())
		ret = flags & ~allowed ? -EINVAL :
			evl_backend_oob(sys_evl_ioctl, efd, (long)request, (long)(uintptr_t)&req);

	if (ret < 0) {
		errno = ret == -ENOTTY ? EBADF : (int)-ret;
		return -1;
	}

	return ret;
}

EVL_API ssize_t oob_recvmsg(int efd, struct oob_msghdr *msghdr, const struct timespec *timeout, int flags)
{
	return transfer(efd, EVL_SOCKIOC_RECVMSG, msghdr, timeout, flags, MSG_DONTWAIT | MSG_PEEK);
}

EVL_API ssize_t oob_sendmsg(int efd, const struct oob_msghdr *msghdr, const struct timespec *timeout, int flags)
{
	return transfer(efd, EVL_SOCKIOC_SENDMSG, msghdr, timeout, flags, MSG_DONTWAIT);
}
