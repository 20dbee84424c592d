/* SPDX-License-Identifier: MIT */
/* Messages on out-of-band sockets, which no protocol of the core offers yet: see oob_recvmsg(3). */
#ifndef _EVL_NET_SOCKET_H
#define _EVL_NET_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <evl/compiler.h>
#include <evl/fcntl.h>
#include <evl/net/socket-abi.h>

struct oob_msghdr {
	void		*msg_name;
	socklen_t	msg_namelen;
	struct iovec	*msg_iov;
	size_t		msg_iovlen;
	void		*msg_control;
	size_t		msg_controllen;
	int		msg_flags;
	struct timespec	msg_time;
};

__EVL_BEGIN_DECLS

ssize_t oob_recvmsg(int efd, struct oob_msghdr *msghdr, const struct timespec *timeout, int flags);

ssize_t oob_sendmsg(int efd, const struct oob_msghdr *msghdr, const struct timespec *timeout, int flags);

__EVL_END_DECLS

#endif /* _EVL_NET_SOCKET_H */
