/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_FLAG_H
#define _EVL_FLAG_H

#include "wait.h"

/* A binary event. @raised is covered by the lock of the queue. */
struct evl_flag {
	struct evl_waitqueue	wq;
	bool			raised;
};

#define DEFINE_EVL_FLAG(__name)	\
	struct evl_flag __name = { .wq = __EVL_WAITQUEUE_INITIALIZER((__name).wq, #__name) }

void evl_init_flag(struct evl_flag *wf);
void evl_destroy_flag(struct evl_flag *wf);
int evl_wait_flag_timeout(struct evl_flag *wf, ktime_t timeout, enum evl_tmode timeout_mode);
void evl_raise_flag_nosched(struct evl_flag *wf);
void evl_raise_flag(struct evl_flag *wf);
void evl_pulse_flag_nosched(struct evl_flag *wf);
void evl_pulse_flag(struct evl_flag *wf);
void evl_flush_flag_nosched(struct evl_flag *wf, int reason);
void evl_flush_flag(struct evl_flag *wf, int reason);
void evl_clear_flag(struct evl_flag *wf);
struct evl_thread *evl_wait_flag_head(struct evl_flag *wf);

static inline int evl_wait_flag(struct evl_flag *wf)
{
	return evl_wait_flag_timeout(wf, EVL_INFINITE, EVL_TMODE_REL);
}

#endif /* _EVL_FLAG_H */
