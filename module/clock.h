/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_CLOCK_H
#define _EVL_CLOCK_H

#include "element.h"
#include "lock.h"

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/timerqueue.h>

struct evl_clock;
struct evl_rq;
struct evl_timer;

#define EVL_MAX_GRAVITY		1000000U	/* ns */

enum evl_tmode { EVL_TMODE_REL, EVL_TMODE_ABS };

struct evl_clock_gravity {
	u32	irq;
	u32	kernel;
	u32	user;
};

/**
 * struct evl_clock_ops - what a clock is made of
 * @read:		current time, ns; any context
 * @read_cycles:	raw counter; any context; NULL: same as @read
 * @set:		set the time, in-band; NULL: the clock cannot be set
 * @program_local_shot:	hard off; program the device of this CPU for evl_next_shot(); NULL for slaves
 * @program_remote_shot: hard off; make the CPU of @rq do so; NULL for slaves, and on machines with one CPU
 * @set_gravity:	in-band; accept or refuse new values; NULL: not adjustable
 * @reset_gravity:	in-band; back to the defaults
 * @adjust:		in-band, process context; the wall clock was set; NULL: does not matter to this clock
 */
struct evl_clock_ops {
	ktime_t	(*read)(struct evl_clock *clock);
	u64	(*read_cycles)(struct evl_clock *clock);
	int	(*set)(struct evl_clock *clock, ktime_t date);
	void	(*program_local_shot)(struct evl_clock *clock);
	void	(*program_remote_shot)(struct evl_clock *clock, struct evl_rq *rq);
	int	(*set_gravity)(struct evl_clock *clock, const struct evl_clock_gravity *gravity);
	void	(*reset_gravity)(struct evl_clock *clock);
	void	(*adjust)(struct evl_clock *clock);
};

/* The timers of one clock on one CPU. */
struct evl_timerbase {
	hard_spinlock_t		lock;		/* covers all below */
	struct timerqueue_head	queue;		/* by date, less gravity, of the clock */
	struct evl_timer	*running;	/* its handler runs now */
	unsigned int		nr_bound;	/* queued, those of the core itself excepted */
	struct evl_clock	*clock;
	int			cpu;
};

#define EVL_MAX_SLAVES	4

/**
 * struct evl_clock - time source and event device in one
 * @name:	unique; device name if public
 * @resolution:	ns
 * @flags:	EVL_CLONE_PUBLIC or EVL_CLONE_PRIVATE
 * @gravity:	anticipation of shots, per kind of receiver
 * @ops:	see there
 *
 * The rest belongs to the core. @master is the clock whose device and CPUs this one shares, itself
 * unless it is a slave. @slaves of a master is only changed while none of its timers runs, in-band.
 */
struct evl_clock {
	const char			*name;
	ktime_t				resolution;
	int				flags;
	struct evl_clock_gravity	gravity;
	struct evl_clock_ops		ops;

	/* private: */
	struct evl_element		element;
	struct evl_clock		*master;
	struct evl_clock		*slaves[EVL_MAX_SLAVES];	/* holes are NULL */
	int				nr_slaves;			/* slots in use so far */
	struct evl_timerbase __percpu	*bases;
	struct cpumask			affinity;
	struct completion		gone;
	struct list_head		adjust_next;	/* adjust_lock */
};

extern struct evl_clock evl_mono_clock;
extern struct evl_clock evl_realtime_clock;
extern struct evl_factory evl_clock_factory;

int evl_init_clock(struct evl_clock *clock, const struct cpumask *affinity);
int evl_init_slave_clock(struct evl_clock *clock, struct evl_clock *master);
int evl_register_clock(struct evl_clock *clock, const struct cpumask *affinity);
void evl_unregister_clock(struct evl_clock *clock);

void evl_announce_tick(struct evl_clock *clock);
bool evl_tick_is_needed(int cpu);

/** evl_ktime_monotonic - time of evl_mono_clock, which is that of CLOCK_MONOTONIC; any context */
static inline ktime_t evl_ktime_monotonic(void)
{
	return ktime_get_mono_fast_ns();
}

/**
 * evl_read_clock - time of a clock, ns
 * @clock: the clock
 *
 * Any context. Nearly all reads are of the clock which the hardware counts on: spare them the indirect call.
 */
static inline ktime_t evl_read_clock(struct evl_clock *clock)
{
	return likely(clock == &evl_mono_clock) ? evl_ktime_monotonic() : clock->ops.read(clock);
}

u64 evl_read_clock_cycles(struct evl_clock *clock);
int evl_set_clock_time(struct evl_clock *clock, const struct timespec64 *ts);
void evl_set_clock_resolution(struct evl_clock *clock, ktime_t resolution);
ktime_t evl_get_clock_resolution(struct evl_clock *clock);
int evl_set_clock_gravity(struct evl_clock *clock, const struct evl_clock_gravity *gravity);
void evl_reset_clock_gravity(struct evl_clock *clock);
struct evl_clock *evl_get_clock_by_fd(int efd);
void evl_put_clock(struct evl_clock *clock);

int evl_preset_gravity(const struct evl_clock_gravity *gravity);
ktime_t evl_next_shot(struct evl_clock *master);

int evl_init_clocks(void);
void evl_cleanup_clocks(void);
int evl_publish_clocks(void);
void evl_hide_clocks(void);

long evl_new_timerfd(struct evl_clock *clock, unsigned long arg);

#endif /* _EVL_CLOCK_H */
