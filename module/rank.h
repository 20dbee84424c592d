/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_RANK_H
#define _EVL_RANK_H

#include "thread.h"

bool evl_rank_above(const struct evl_rank *a, const struct evl_rank *b);
struct evl_rank evl_wanted_rank(struct evl_thread *thread);
bool evl_update_rank(struct evl_thread *thread);
void evl_follow_rank(struct evl_thread *thread);

#endif /* _EVL_RANK_H */
