/* SPDX-License-Identifier: MIT */
#ifndef _LIBEVL_PROXY_H
#define _LIBEVL_PROXY_H

/* Output proxy to a stream, for evl_init(): a descriptor or a negated error. */
int evl_open_stream(int fd);

#endif /* _LIBEVL_PROXY_H */
