/* SPDX-License-Identifier: MIT */
#ifndef _EVL_POLL_H
#define _EVL_POLL_H

#include <poll.h>
#include <time.h>
#include <evl/compiler.h>
#include <evl/poll-abi.h>
#include <evl/types.h>

__EVL_BEGIN_DECLS

int evl_new_poll(void);

int evl_add_pollfd(int efd, int newfd, unsigned int events, union evl_value pollval);

int evl_del_pollfd(int efd, int delfd);

int evl_mod_pollfd(int efd, int modfd, unsigned int events, union evl_value pollval);

int evl_poll(int efd, struct evl_poll_event *pollset, int nrset);

int evl_timedpoll(int efd, struct evl_poll_event *pollset, int nrset, const struct timespec *timeout);

__EVL_END_DECLS

#endif /* _EVL_POLL_H */
