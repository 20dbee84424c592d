/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_GATE_H
#define _EVL_GATE_H

#include "rank.h"
#include "wait.h"

#include <evl/monitor-abi.h>

/**
 * struct evl_gate - a mutex
 * @wq:		those who want it; the lock covers @owner, and changes to @word by the core
 * @word:	handle of the owner, and EVL_GATE_KNOWN; shared with user space, which takes and drops mutexes
 *		nobody waits for without us, or @own_word
 * @own_word:	for kernel code
 * @ceiling:	priority the owner runs at, at least; 0: priority inheritance. Lock of @wq.
 * @owner:	if we know it, which is the case iff EVL_GATE_KNOWN is set in @word, as far as we wrote it
 * @next:	in evl_thread.gates of @owner; its lock, as for the next two
 * @lent:	rank it lends to @owner; no class: none
 * @counted:	in evl_thread.nr_held of @owner
 */
struct evl_gate {
	struct evl_waitqueue	wq;
	atomic_t		*word;
	atomic_t		own_word;
	int			ceiling;
	struct evl_thread	*owner;
	struct list_head	next;
	struct evl_rank		lent;
	bool			counted;
};

extern const struct evl_wq_ops evl_gate_wq_ops;

#define __EVL_GATE_QUEUE(__wq, __name) {				\
	.lock = __HARD_SPIN_LOCK_UNLOCKED,				\
	.order = EVL_WQ_PRIO,						\
	.clock = &evl_mono_clock,					\
	.waiters = LIST_HEAD_INIT((__wq).waiters),			\
	.name = __name,							\
	.ops = &evl_gate_wq_ops,					\
}

void evl_init_gate(struct evl_gate *gate, struct evl_clock *clock, int ceiling, atomic_t *word, const char *name);
void evl_destroy_gate(struct evl_gate *gate);

int evl_lock_gate(struct evl_gate *gate, ktime_t date, int date_error, bool deaf);
int evl_trylock_gate(struct evl_gate *gate);
int evl_unlock_gate(struct evl_gate *gate);
int evl_unlock_gate_nosched(struct evl_gate *gate);
bool evl_owns_gate(struct evl_gate *gate, const struct evl_thread *thread);
void evl_set_gate_ceiling(struct evl_gate *gate, int ceiling);
struct evl_thread *evl_pass_waiter_locked(struct evl_gate *gate, struct evl_thread *waiter);

void evl_release_gate_of(struct evl_gate *gate, fundle_t fundle);
void evl_drop_gates(struct evl_thread *thread);
bool evl_is_awaited(struct evl_thread *thread);

#endif /* _EVL_GATE_H */
