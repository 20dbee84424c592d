/* SPDX-License-Identifier: MIT */
/*
 * property: no protocol offers out-of-band service, and everybody who asks for it is told so.
 *
 * evl-vm: smp=1 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <evl/net/socket.h>
#include "crew.h"

static struct hand hand;

static int receive(void *arg)
{
	struct oob_msghdr msg = { .msg_iovlen = 0 };

	return oob_recvmsg(*(int *)arg, &msg, NULL, 0) < 0 ? -errno : 0;
}

static int send_one(void *arg)
{
	struct oob_msghdr msg = { .msg_iovlen = 0 };

	return oob_sendmsg(*(int *)arg, &msg, NULL, 0) < 0 ? -errno : 0;
}

static int bad_flags(void *arg)
{
	struct oob_msghdr msg = { .msg_iovlen = 0 };
	int fd = *(int *)arg, got = oob_recvmsg(fd, &msg, NULL, MSG_WAITALL) < 0 ? errno : 0;

	return oob_sendmsg(fd, &msg, NULL, MSG_PEEK) < 0 && errno == got ? -got : 0;
}

static bool both_say(int fd, int error)
{
	return ask(&hand, receive, &fd) == error && ask(&hand, send_one, &fd) == error;
}

int main(void)
{
	int fd, closed = 999;

	deadline(50);
	t_require_core();
	t_need_cpus(1);
	hire(&hand, "socket-hand", 10, t_cpu(0));

	t_plan(6);
	t_ok(socket(AF_INET, SOCK_DGRAM | SOCK_OOB, 0) < 0 && errno == EINVAL, "SOCK_OOB is refused");
	t_ok(socket(AF_OOB, SOCK_DGRAM, 0) < 0 && errno == EAFNOSUPPORT, "and so is AF_OOB");
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	t_ok(both_say(fd, -EBADF) && both_say(closed, -EBADF), "sockets without it, and what is not open");
	t_ok(ask(&hand, bad_flags, &fd) == -EINVAL, "flags which are not supported");
	close(fd);
	fd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	t_ok(both_say(fd, -EBADF), "other files of the core");
	t_ok(receive(&fd) == -EPERM && send_one(&fd) == -EPERM, "threads which are not attached");

	return t_end();
}
