/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SEM_H
#define _EVL_SEM_H

#include "wait.h"

/* A counting semaphore. @count is covered by the lock of the queue, and 0 while there are waiters. */
struct evl_ksem {
	struct evl_waitqueue	wq;
	unsigned int		count;
};

void evl_init_ksem(struct evl_ksem *ksem, unsigned int value);
void evl_destroy_ksem(struct evl_ksem *ksem);
int evl_down_timeout(struct evl_ksem *ksem, ktime_t timeout);
int evl_trydown(struct evl_ksem *ksem);
void evl_up(struct evl_ksem *ksem);
void evl_broadcast(struct evl_ksem *ksem);

static inline int evl_down(struct evl_ksem *ksem)
{
	return evl_down_timeout(ksem, EVL_INFINITE);
}

#endif /* _EVL_SEM_H */
