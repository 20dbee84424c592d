/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_TIMER_H
#define _EVL_TIMER_H

#include "clock.h"

/* Whose latency the shot anticipates. */
#define EVL_TIMER_GRAVITY_IRQ		0x0
#define EVL_TIMER_GRAVITY_KERNEL	0x1
#define EVL_TIMER_GRAVITY_USER		0x2
#define EVL_TIMER_GRAVITY_MASK		0x3
/* Of the core itself, like the in-band tick: neither anticipated, nor does it keep a CPU online. */
#define EVL_TIMER_INTERNAL		0x4
/* Its date stands for a duration: evl_adjust_timers() moves it along with the clock. */
#define EVL_TIMER_RELATIVE		0x8

/* Shortest period served. Below, handling the expiries alone would eat the CPU up. */
#define EVL_MIN_PERIOD			1000	/* ns */

/*
 * struct evl_timer - software timer, on one CPU
 *
 * All but @base is covered by the lock of the base. @base changes under the lock of the former one, while the timer is
 * not queued; node.expires is the date less the anticipation in use.
 */
struct evl_timer {
	struct timerqueue_node	node;
	struct evl_timerbase	*base;
	void			(*handler)(struct evl_timer *timer);
	ktime_t			interval;
	ktime_t			left;		/* when it was stopped */
	u32			gravity;	/* ns, in use for the date queued */
	u32			flags;
	unsigned long		overruns;	/* periods missed by the last expiry */
	bool			queued;
};

void __evl_init_timer(struct evl_timer *timer, struct evl_clock *clock,
		      void (*handler)(struct evl_timer *timer), int cpu, u32 flags);
void evl_destroy_timer(struct evl_timer *timer);
void evl_start_timer(struct evl_timer *timer, ktime_t value, ktime_t interval);
void evl_stop_timer(struct evl_timer *timer);
void evl_cancel_timer(struct evl_timer *timer);
void evl_adjust_timers(struct evl_clock *clock, ktime_t delta);
void evl_move_timer(struct evl_timer *timer, struct evl_clock *clock, int cpu);

ktime_t evl_get_timer_date(struct evl_timer *timer);
ktime_t evl_get_interval(struct evl_timer *timer);
ktime_t evl_get_timer_delta(struct evl_timer *timer);
ktime_t evl_get_stopped_timer_delta(struct evl_timer *timer);

/** evl_get_timer_overruns - periods missed by the last expiry; any context, its handler in the first place */
static inline unsigned long evl_get_timer_overruns(struct evl_timer *timer)
{
	return READ_ONCE(timer->overruns);
}

static inline struct evl_clock *evl_timer_clock(struct evl_timer *timer)
{
	return timer->base->clock;
}

/**
 * evl_init_timer - make a timer, stopped
 * @__timer: the timer
 * @__clock: its clock
 * @__handler: called out-of-band, hard interrupts off, on the CPU of the timer
 * @__rq: run queue of that CPU; NULL: the current CPU if the core runs there, else its first one
 * @__flags: EVL_TIMER_GRAVITY_*, EVL_TIMER_RELATIVE
 *
 * In-band or out-of-band thread. If the clock does not tick on that CPU, it is the first one where it does.
 */
#define evl_init_timer(__timer, __clock, __handler, __rq, __flags)			\
	__evl_init_timer(__timer, __clock, __handler, evl_timer_cpu(__rq), __flags)

/** evl_init_core_timer - a timer of the monotonic clock, on the CPU of the caller; see evl_init_timer() */
#define evl_init_core_timer(__timer, __handler)		\
	evl_init_timer(__timer, &evl_mono_clock, __handler, NULL, 0)

/** evl_init_timer_on_cpu - a timer of the monotonic clock, on a CPU of evl_oob_cpus; see evl_init_timer() */
#define evl_init_timer_on_cpu(__timer, __cpu, __handler)	\
	__evl_init_timer(__timer, &evl_mono_clock, __handler, __cpu, 0)

int evl_timer_cpu(struct evl_rq *rq);

void evl_init_timerbase(struct evl_timerbase *base, struct evl_clock *clock, int cpu);
ktime_t evl_run_timers(struct evl_timerbase *base);
unsigned int evl_stop_all_timers(struct evl_timerbase *base);

#endif /* _EVL_TIMER_H */
