/* SPDX-License-Identifier: MIT */
/*
 * Polling sets.
 */
#include <errno.h>
#include <evl/factory-abi.h>
#include <evl/poll.h>
#include <evl/syscall-abi.h>
#include <evl/sys.h>
#include "backend.h"
#include "internal.h"

EVL_API int evl_new_poll(void)
{
	int ret = evl_check_core();

	return ret ? ret : evl_open_raw(EVL_POLL_DEV);
}

/* A file which takes no such request is no polling set. */
static int poll_request(int efd, unsigned long request, void *arg)
{
	int ret;

	if (!evl_self_attached())
		return -EPERM;

	ret = (int)evl_backend_oob(sys_evl_ioctl, efd, (long)request, (long)(uintptr_t)arg);

	return ret == -ENOTTY ? -EBADF : ret;
}

static int control_set(int efd, unsigned int action, int fd, unsigned int events, union evl_value pollval)
{
	struct evl_poll_ctlreq req = {
		.action = action,
		.fd = fd,
		.events = events,
		.pollval = pollval,
	};

	return poll_request(efd, EVL_POLIOC_CTL, &req);
}

EVL_API int evl_add_pollfd(int efd, int newfd, unsigned int events, union evl_value pollval)
{
	return control_set(efd, EVL_POLL_CTLADD, newfd, events, pollval);
}

EVL_API int evl_del_pollfd(int efd, int delfd)
{
	return control_set(efd, EVL_POLL_CTLDEL, delfd, 0, evl_nil);
}

EVL_API int evl_mod_pollfd(int efd, int modfd, unsigned int events, union evl_value pollval)
{
	return control_set(efd, EVL_POLL_CTLMOD, modfd, events, pollval);
}

static int wait_for_set(int efd, struct evl_poll_event *pollset, int nrset, const struct timespec *timeout)
{
	struct evl_poll_waitreq req = {
		.timeout_ptr = (uintptr_t)timeout,
		.pollset_ptr = (uintptr_t)pollset,
		.nrset = nrset,
	};

	return poll_request(efd, EVL_POLIOC_WAIT, &req);
}

EVL_API int evl_poll(int efd, struct evl_poll_event *pollset, int nrset)
{
	return wait_for_set(efd, pollset, nrset, NULL);
}

EVL_API int evl_timedpoll(int efd, struct evl_poll_event *pollset, int nrset, const struct timespec *timeout)
{
	return wait_for_set(efd, pollset, nrset, timeout ? timeout : BAD_ADDRESS);
}
