/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_STAX_H
#define _EVL_STAX_H

#include "wait.h"

#include <linux/irq_work.h>
#include <linux/wait.h>

struct task_struct;

#define EVL_STAX_HOLDERS	8

/**
 * struct evl_stax - excludes the stages from one another, not threads
 * @wq:		out-of-band threads which wait; the lock covers the rest
 * @inband:	in-band tasks which wait
 * @wake_work:	wakes them up from out-of-band
 * @nr:		holders, of the stage told by @oob, nested locks included
 * @oob:	which stage has it
 * @waiting:	how many of each stage wait, [out-of-band]
 * @holders:	some of them, so that a nested lock is told from a new one
 */
struct evl_stax {
	struct evl_waitqueue	wq;
	wait_queue_head_t	inband;
	struct irq_work		wake_work;
	unsigned int		nr;
	bool			oob;
	unsigned int		waiting[2];
	struct {
		struct task_struct	*task;
		unsigned int		nr;
	} holders[EVL_STAX_HOLDERS];
};

int evl_init_stax(struct evl_stax *stax);
int evl_destroy_stax(struct evl_stax *stax);
int evl_lock_stax(struct evl_stax *stax);
int evl_trylock_stax(struct evl_stax *stax);
void evl_unlock_stax(struct evl_stax *stax);

#endif /* _EVL_STAX_H */
