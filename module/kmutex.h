/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_KMUTEX_H
#define _EVL_KMUTEX_H

#include "gate.h"

/* A mutex of kernel code: priority inheritance, not recursive, signals wait until it is dropped. */
struct evl_kmutex {
	struct evl_gate gate;
};

#define DEFINE_EVL_MUTEX(__name)					\
	struct evl_kmutex __name = {					\
		.gate = {						\
			.wq = __EVL_GATE_QUEUE((__name).gate.wq, #__name),	\
			.word = &(__name).gate.own_word,		\
		},							\
	}

void evl_init_kmutex(struct evl_kmutex *kmutex);
void evl_destroy_kmutex(struct evl_kmutex *kmutex);
int evl_lock_kmutex(struct evl_kmutex *kmutex);
int evl_trylock_kmutex(struct evl_kmutex *kmutex);
void evl_unlock_kmutex(struct evl_kmutex *kmutex);

#endif /* _EVL_KMUTEX_H */
