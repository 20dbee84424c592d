/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_PROXY_H
#define _EVL_PROXY_H

struct evl_factory;

extern struct evl_factory evl_proxy_factory;

#endif /* _EVL_PROXY_H */
