// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run of the latency driver while it goes on: ticks, those who receive them, figures. What is measured passes
 * through here; latmus.c tells the locks.
 */
#include "latmus.h"
#include "clock.h"
#include "thread.h"
#include "uaccess.h"

#define CREATE_TRACE_POINTS
#include "latmus-trace.h"

/* A responder which has not come back for so long is gone. */
#define RESPONDER_PATIENCE	(3LL * NSEC_PER_SEC)

static void reset_stats(struct latmus_stats *st)
{
	*st = (struct latmus_stats) { .min = S32_MAX, .max = S32_MIN };
}

static void add_to_stats(struct latmus_stats *st, s32 lat)
{
	st->sum += lat;
	st->min = min(st->min, lat);
	st->max = max(st->max, lat);
	st->samples++;
}

static void make_record(struct latmus_run *run, struct latmus_measurement *m, u32 flags)
{
	const struct latmus_stats *st = &run->interval;

	*m = (struct latmus_measurement) {
		.sum_lat = st->sum,
		.min_lat = st->samples ? st->min : 0,
		.max_lat = st->samples ? st->max : 0,
		.samples = st->samples,
		.overruns = st->overruns,
		.mode_switches = st->mode_switches,
		.flags = flags,
		.serial = run->written++,
	};
}

/* Oldest record still kept. */
u64 latmus_first_kept(const struct latmus_run *run)
{
	return run->written > LATMUS_NR_RECORDS ? run->written - LATMUS_NR_RECORDS : 0;
}

static void push_record(struct latmus_run *run)
{
	struct latmus_measurement *m = &run->records[run->written % LATMUS_NR_RECORDS];

	make_record(run, m, 0);
	reset_stats(&run->interval);
	irq_work_queue(&run->fetch_work);
}

void latmus_reset_figures(struct latmus_run *run)
{
	reset_stats(&run->total);
	reset_stats(&run->interval);
	run->nr_spikes = 0;
	run->spike_floor = S32_MIN;
}

static void begin_measuring(struct latmus_run *run, ktime_t now)
{
	run->measuring = true;
	run->started = now;
	run->interval_end = ktime_add_ns(now, run->setup.interval);
	latmus_reset_figures(run);
}

/* Queue locked. The caller reschedules: a receiver which sleeps is woken up to leave. */
void latmus_stop_run(struct latmus_run *run, u32 why, ktime_t now)
{
	if (run->state != RUN_RUNNING)
		return;

	run->state = RUN_STOPPED;
	run->stopped_by = why;
	run->stopped = now;
	if (run->ticking)
		evl_stop_timer(&run->timer);
	run->ticking = false;
	make_record(run, &run->final, LATMUS_RECORD_FINAL);
	run->final_ready = true;
	evl_wake_up_all_locked(&run->wait, EVL_WAKE_GRANT);
	irq_work_queue(&run->fetch_work);
}

static void count_cell(struct latmus_run *run, s32 lat)
{
	u32 cell = lat < 0 ? 0 : (u32)lat / run->setup.hcell_ns;

	if (cell < run->setup.hcells)
		run->cells[cell]++;
	else
		run->outliers++;
}

/* Queue locked: the sample is worse than the least of the worst ones. */
static noinline void keep_spike(struct latmus_run *run, s32 lat, ktime_t now)
{
	u32 n, least = 0;

	if (run->nr_spikes < LATMUS_NR_SPIKES)
		least = run->nr_spikes++;
	else
		for (n = 1; n < LATMUS_NR_SPIKES; n++)
			if (run->spikes[n].value < run->spikes[least].value)
				least = n;
	run->spikes[least] = (struct latmus_spike) { .at = ktime_to_ns(now), .value = lat };
	if (run->nr_spikes < LATMUS_NR_SPIKES)
		return;

	run->spike_floor = run->spikes[0].value;
	for (n = 1; n < LATMUS_NR_SPIKES; n++)
		run->spike_floor = min(run->spike_floor, run->spikes[n].value);
}

/* Queue locked. Returns true if the sample is the worst one so far. */
static bool add_sample(struct latmus_run *run, s64 delay, ktime_t now)
{
	s32 lat = clamp_t(s64, delay, S32_MIN + 1, S32_MAX - 1);
	bool peak;

	if (run->state != RUN_RUNNING || !run->measuring)
		return false;

	peak = lat > run->total.max;
	if (peak)
		run->peak_date = now;
	if (unlikely(lat > run->spike_floor))
		keep_spike(run, lat, now);
	add_to_stats(&run->total, lat);
	add_to_stats(&run->interval, lat);
	run->early += lat < 0;
	if (run->setup.hcells)
		count_cell(run, lat);

	if (run->setup.max_lat && lat > (s64)run->setup.max_lat)
		latmus_stop_run(run, LATMUS_STOPPED_MAXLAT, now);
	else if (run->setup.max_samples && run->total.samples >= run->setup.max_samples)
		latmus_stop_run(run, LATMUS_STOPPED_SAMPLES, now);

	return peak;
}

void latmus_trace_peak(bool peak, s64 lat)
{
	if (peak && trace_evl_latspot_enabled() && rcu_is_watching())
		trace_evl_latspot(clamp_t(s64, lat, S32_MIN, S32_MAX));
}

static void add_overruns(struct latmus_run *run, u64 missed)
{
	if (!run->measuring)
		return;
	run->total.overruns += missed;
	run->interval.overruns += missed;
}

/* Queue locked. A new tick for a thread or the in-band handler, unless it has not handled the last one. */
static void post_tick(struct latmus_run *run, ktime_t date, ktime_t now)
{
	if (run->tick_pending) {
		add_overruns(run, 1);
		if (ktime_sub(now, run->tick_date) > RESPONDER_PATIENCE + (s64)run->setup.period)
			latmus_stop_run(run, LATMUS_STOPPED_GONE, now);
		return;
	}

	run->tick_pending = true;
	run->tick_date = date;
	/* The handler of the interrupt has nobody to tell it. */
	run->tick_seen = run->setup.type == EVL_LAT_SIRQ;
	if (run->tick_seen)
		latmus_post_sirq(run);
	else
		evl_wake_up_locked(&run->wait, EVL_WAKE_GRANT);
}

/* Queue locked. The timer could not run for some periods. */
static noinline void skip_periods(struct latmus_run *run, u64 missed)
{
	run->next_date = ktime_add_ns(run->next_date, missed * run->setup.period);
	add_overruns(run, missed);
}

/* Queue locked. The end of the warm-up comes first. */
static noinline void end_interval(struct latmus_run *run, ktime_t now)
{
	if (!run->measuring) {
		begin_measuring(run, now);
	} else if (run->state == RUN_RUNNING) {
		push_record(run);
		run->interval_end = ktime_add_ns(run->interval_end, run->setup.interval);
	}
}

/*
 * The tick: oob timer handler. Dates which passed while it could not run are overruns; the first of them is
 * the one this call is late for.
 */
void latmus_tick(struct evl_timer *timer)
{
	struct latmus_run *run = container_of(timer, struct latmus_run, timer);
	bool irq = run->setup.type == EVL_LAT_IRQ;
	ktime_t now = irq ? evl_ktime_monotonic() : 0, date;
	unsigned long missed;
	bool peak = false;

	hard_spin_lock(&run->wait.lock);
	if (!run->ticking)
		goto out;

	missed = evl_get_timer_overruns(timer);
	date = run->next_date;
	run->next_date = ktime_add_ns(date, run->setup.period);
	if (unlikely(missed))
		skip_periods(run, missed);
	/* When others are measured, reading the clock would only make them late. */
	if (!irq)
		now = date;
	if (irq)
		peak = add_sample(run, ktime_sub(now, date), now);
	else
		post_tick(run, date, now);

	if (unlikely(now >= run->interval_end))
		end_interval(run, now);
out:
	hard_spin_unlock(&run->wait.lock);
	if (peak)
		latmus_trace_peak(peak, ktime_sub(now, date));
}

/* Queue locked. */
void latmus_start_ticking(struct latmus_run *run)
{
	ktime_t now = evl_ktime_monotonic();

	run->ticking = true;
	run->started = ktime_add_ns(now, run->setup.warmup);
	run->interval_end = run->started;
	run->next_date = ktime_add_ns(now, run->setup.period);
	evl_start_timer(&run->timer, run->next_date, ns_to_ktime(run->setup.period));
}

/* wait locked: is there something for the receiver? Its tick, 0 in *@ret; or the end, -EIDRM. */
static bool receiver_wanted(struct latmus_run *run, unsigned int generation, int *ret)
{
	if (run->generation != generation || run->state == RUN_STOPPED) {
		*ret = -EIDRM;
		return true;
	}
	if (!run->tick_pending || run->tick_seen)
		return false;

	run->tick_seen = true;
	*ret = 0;
	return true;
}

/* Sleeps until the next tick; 0, or an error when the run is over. */
static int wait_tick(struct latmus_run *run, unsigned int generation)
{
	int outcome, ret = evl_wait_event(&run->wait, receiver_wanted(run, generation, &outcome));

	return ret ?: outcome;
}

/* Queue locked. The tick which the receiver was told about is handled, as of @date. */
bool latmus_complete_tick(struct latmus_run *run, ktime_t date, s64 *lat)
{
	if (!run->tick_pending || !run->tick_seen)
		return false;

	*lat = ktime_sub(date, run->tick_date);
	run->tick_pending = false;

	return add_sample(run, *lat, date);
}

void latmus_kthread(void *arg)
{
	struct latmus_run *run = arg;
	unsigned int generation = run->generation;
	unsigned long flags;
	ktime_t now;
	bool peak;
	s64 lat = 0;

	while (!evl_kthread_should_stop() && !wait_tick(run, generation)) {
		now = evl_ktime_monotonic();
		evl_wq_lock(&run->wait, flags);
		peak = latmus_complete_tick(run, now, &lat);
		evl_wq_unlock(&run->wait, flags);
		latmus_trace_peak(peak, lat);
	}
}

/* Queue locked. The caller wants to be the responder. */
static int check_responder(struct latmus_run *run)
{
	struct evl_thread *curr = evl_current();

	if (run->setup.type != EVL_LAT_USER || run->state == RUN_IDLE)
		return -EAGAIN;
	if (run->state == RUN_STOPPED)
		return -EIDRM;
	if (run->responder && run->responder != curr)
		return -EBUSY;
	if (run->responder)
		return 0;

	run->responder = curr;
	run->responder_isw = curr->stats.isw;
	if (run->state == RUN_RUNNING)
		latmus_start_ticking(run);

	return 0;
}

/* Queue locked. Switches to in-band since the last pulse taint the figures. */
static void check_stage(struct latmus_run *run)
{
	struct evl_thread *curr = evl_current();
	u32 switches = curr->stats.isw - run->responder_isw;

	run->responder_isw = curr->stats.isw;
	if (!switches || !run->measuring)
		return;

	run->total.mode_switches += switches;
	run->interval.mode_switches += switches;
	if (!(run->setup.flags & LATMUS_KEEP_GOING))
		latmus_stop_run(run, LATMUS_STOPPED_SWITCH, evl_ktime_monotonic());
}

long latmus_pulse(struct latmus_run *run, u64 __user *arg)
{
	unsigned int generation;
	unsigned long flags;
	bool peak = false;
	s64 lat = 0;
	u64 date;
	int ret;

	ret = evl_copy_from_user(&date, arg, sizeof(date));
	if (ret)
		return ret;

	evl_wq_lock(&run->wait, flags);
	ret = check_responder(run);
	if (!ret) {
		check_stage(run);
		peak = latmus_complete_tick(run, ns_to_ktime(date), &lat);
	}
	generation = run->generation;
	evl_wq_unlock(&run->wait, flags);
	if (ret)
		return ret;
	latmus_trace_peak(peak, lat);

	/* Interrupted, it is still the responder: the next pulse tells whether it was switched in-band. */
	return wait_tick(run, generation);
}
