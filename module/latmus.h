/* SPDX-License-Identifier: GPL-2.0-only */
/* A run of the latency driver, for its parts: requests latmus.c, ticks and receivers latmus-run.c, latmus-sirq.c. */
#ifndef _EVL_LATMUS_H
#define _EVL_LATMUS_H

#include "file.h"
#include "kthread.h"
#include "timer.h"
#include "wait.h"

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include <uapi/evl/devices/latmus.h>

enum run_state { RUN_IDLE, RUN_READY, RUN_RUNNING, RUN_STOPPED };

/* Figures of an interval, or of the whole run. */
struct latmus_stats {
	s64	sum;
	s32	min;
	s32	max;
	u64	samples;
	u64	overruns;
	u64	mode_switches;
};

struct latmus_run {
	struct evl_file		efile;
	struct mutex		mutex;
	struct latmus_setup	setup;		/* mutex; constant while READY or RUNNING */
	struct evl_timer	timer;
	bool			has_timer;	/* mutex */
	struct evl_kthread	kthread;
	bool			has_kthread;	/* mutex */
	unsigned int		sirq;		/* mutex; 0: none */
	struct latmus_run * __percpu *sirq_run;	/* for its handler; constant while requested */

	wait_queue_head_t	fetchers;	/* in-band readers of records */
	struct irq_work		fetch_work;
	struct evl_waitqueue	wait;		/* the receiver */

	enum run_state		state;
	unsigned int		generation;	/* counts MEASURE: tells a receiver that its run is over */
	bool			ticking;
	bool			measuring;	/* the warm-up is over */

	ktime_t			next_date;	/* ideal date of the next tick */
	ktime_t			tick_date;	/* of the tick to handle, if any */
	bool			tick_pending;	/* not handled yet */
	bool			tick_seen;	/* the receiver was told about it */

	struct evl_thread	*responder;	/* compared, never followed */
	u32			responder_isw;

	ktime_t			started;	/* end of the warm-up; its end to come until then */
	ktime_t			interval_end;
	ktime_t			stopped;
	ktime_t			peak_date;
	u32			stopped_by;
	struct latmus_stats	total;
	struct latmus_stats	interval;
	u64			early;
	u64			outliers;
	u64			*cells;
	struct latmus_spike	spikes[LATMUS_NR_SPIKES];	/* in no order; .at is a date */
	u32			nr_spikes;
	s32			spike_floor;	/* what a sample must exceed to be one of them */

	struct latmus_measurement records[LATMUS_NR_RECORDS];
	u64			written;	/* serial of the next record */
	u64			fetched;	/* serial of the next one to fetch */
	struct latmus_measurement final;
	bool			final_ready;
};

/* latmus-run.c; all but the first and the last three with run->wait locked */
void latmus_reset_figures(struct latmus_run *run);
void latmus_start_ticking(struct latmus_run *run);
void latmus_stop_run(struct latmus_run *run, u32 why, ktime_t now);
u64 latmus_first_kept(const struct latmus_run *run);
bool latmus_complete_tick(struct latmus_run *run, ktime_t date, s64 *lat);
void latmus_trace_peak(bool peak, s64 lat);
void latmus_tick(struct evl_timer *timer);
void latmus_kthread(void *arg);
long latmus_pulse(struct latmus_run *run, u64 __user *arg);

/* latmus-sirq.c; in-band but the last one: oob stage, hard off */
int latmus_get_sirq(struct latmus_run *run);
void latmus_put_sirq(struct latmus_run *run);
void latmus_post_sirq(struct latmus_run *run);

#endif /* _EVL_LATMUS_H */
