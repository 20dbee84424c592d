/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SCHED_H
#define _EVL_SCHED_H

#include "lock.h"
#include "params.h"
#include "sched-level.h"
#include "sched-quota.h"
#include "sched-tp.h"
#include "timer.h"

#include <linux/list.h>
#include <linux/percpu.h>

#include <evl/sched-abi.h>

struct evl_thread;
struct evl_rq;

/**
 * struct evl_sched_class - a scheduling class
 * @name:	one word, shown by monitoring tools
 * @rank:	classes of a higher rank are served first
 * @add_head:	rq locked; make ready at the head of its level: it was preempted
 * @add_tail:	rq locked; make ready at the tail
 * @del:	rq locked; no longer ready
 * @pick:	rq locked; take the first ready thread out, NULL if none
 * @metered:	threads of it do not run just because nobody else wants to; bound to the CPU they joined it on
 * @check:	any; are these attributes sound? 0 or -EINVAL
 * @admit:	thread and rq locked; may the thread have them now? 0 or -EINVAL. Optional
 * @set:	thread and rq locked; apply checked attributes; the thread is in no queue
 * @leave:	same; the thread is going to have other ones. Optional
 * @get:	thread locked; fill in what is particular to the class
 */
struct evl_sched_class {
	const char	*name;
	int		rank;
	bool		metered;
	void		(*add_head)(struct evl_rq *rq, struct evl_thread *thread);
	void		(*add_tail)(struct evl_rq *rq, struct evl_thread *thread);
	void		(*del)(struct evl_rq *rq, struct evl_thread *thread);
	struct evl_thread *(*pick)(struct evl_rq *rq);
	int		(*check)(const struct evl_sched_attrs *attrs);
	int		(*admit)(struct evl_thread *thread, const struct evl_sched_attrs *attrs);
	void		(*set)(struct evl_thread *thread, const struct evl_sched_attrs *attrs);
	void		(*leave)(struct evl_thread *thread);
	void		(*get)(struct evl_thread *thread, struct evl_sched_attrs *attrs);
};

/* What decides who goes first: class, then priority in the class; and whether the class may make it wait. */
struct evl_rank {
	const struct evl_sched_class	*class;
	int				prio;
	bool				unbound;	/* no: neither budget nor window applies */
};

extern const struct evl_sched_class evl_sched_fifo;
extern const struct evl_sched_class evl_sched_tp;
extern const struct evl_sched_class evl_sched_quota;
extern const struct evl_sched_class evl_sched_weak;
extern const struct evl_sched_class evl_sched_idle;

/*
 * struct evl_rq - what one CPU runs
 *
 * First group: covered by @lock, except that @resched may be peeked at by its own CPU, hard off. Second
 * group: only the CPU itself, hard off.
 */
struct evl_rq {
	hard_spinlock_t		lock;
	bool			resched;	/* @curr may no longer be the right one */
	struct evl_thread	*curr;		/* in possession of the CPU; in no queue */
	struct evl_levels	fifo;
	struct evl_tp_rq	tp;
	struct evl_quota_rq	quota;
	struct evl_levels	weak;
	unsigned int		nr_threads;	/* attached threads which live here */

	bool			in_irq;		/* between irq_enter and irq_exit */
	struct evl_clock	*ticking;	/* its expired timers are being run; the shot comes after */
	bool			tick_taken;
	bool			tick_kept;	/* lock; taken, and not about to be given back */
	ktime_t			shot;		/* the tick device is programmed for; KTIME_MAX: none */
	ktime_t			inband_next;	/* tick in-band waits for; same */
	u64			switch_date;	/* when @curr got the CPU, evl_arch_cycles() */
	u64			inband_preempted;	/* since when in-band waits, if it does; same */
	struct evl_timer	rr_timer;
	struct evl_timer	watchdog_timer;
	ktime_t			watchdog_fresh;		/* not to be put off again until then */

	int			cpu;
	struct evl_thread	*root;		/* placeholder of in-band */
};

DECLARE_PER_CPU(struct evl_rq *, evl_rqs);

#define evl_cpu_rq(__cpu)	per_cpu(evl_rqs, __cpu)

/* Hard off, or the answer is stale at once. */
static __always_inline struct evl_rq *evl_this_rq(void)
{
	return raw_cpu_read(evl_rqs);
}

void __evl_schedule(void);
void evl_schedule(void);
void evl_set_resched(struct evl_rq *rq);

void evl_irq_enter(void);
void evl_irq_exit(struct pt_regs *regs);

static inline int evl_check_rt_priority(const struct evl_sched_attrs *attrs)
{
	return attrs->sched_priority < EVL_MIN_PRIO || attrs->sched_priority > EVL_MAX_PRIO ? -EINVAL : 0;
}

bool evl_outranks(const struct evl_thread *a, const struct evl_thread *b);
void evl_make_ready(struct evl_rq *rq, struct evl_thread *thread);
void evl_block_locked(struct evl_thread *thread, u32 mask);
void evl_unblock_locked(struct evl_thread *thread, u32 mask, u32 info);
void evl_add_info(struct evl_thread *thread, u32 info);
void evl_yield(void);

const struct evl_sched_class *evl_find_sched_class(int policy);
int evl_check_sched_attrs(const struct evl_sched_attrs *attrs);
int evl_change_attrs_locked(struct evl_thread *thread, const struct evl_sched_attrs *attrs);
int evl_set_sched_attrs(struct evl_thread *thread, const struct evl_sched_attrs *attrs);
void evl_get_sched_attrs(struct evl_thread *thread, struct evl_sched_attrs *attrs);
void evl_apply_rank(struct evl_thread *thread, const struct evl_rank *rank);
void evl_leave_cpu(struct evl_thread *thread);
void evl_change_rq(struct evl_thread *thread, struct evl_rq *to);

int evl_init_sched(void);
void evl_cleanup_sched(void);
int evl_request_oob_ipis(void);
void evl_free_oob_ipis(void);

#endif /* _EVL_SCHED_H */
