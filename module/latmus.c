// SPDX-License-Identifier: GPL-2.0-only
/*
 * Latency measurement, /dev/latmus: how late is a timer handler, a kernel thread, an application thread?
 *
 * A periodic timer of the core ticks on the CPU measured. Each tick has an ideal date; the receiver tells
 * when it got there. The interface is <evl/devices/latmus.h>.
 *
 * States:  IDLE --MEASURE--> READY --START--> RUNNING --STOP, a limit, loss of the responder--> STOPPED
 *          and MEASURE again from any but RUNNING.
 * Locks:   run->mutex   in-band requests which change the state, one at a time; outermost
 *          run->wait    lock of the wait queue: everything from "state" on, which ticks, receivers and
 *                       readers share
 * Lifetime: a run lives as long as its file. Release makes the receivers leave, waits for them, then frees.
 */
#include "compat.h"
#include "clock.h"
#include "file.h"
#include "kthread.h"
#include "params.h"
#include "thread.h"
#include "timer.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/irq_work.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include <uapi/evl/devices/latmus.h>

#define CREATE_TRACE_POINTS
#include "latmus-trace.h"

/* A responder which has not come back for so long is gone. */
#define RESPONDER_PATIENCE	(3LL * NSEC_PER_SEC)

#define DEFAULT_INTERVAL	NSEC_PER_SEC

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

	struct latmus_measurement records[LATMUS_NR_RECORDS];
	u64			written;	/* serial of the next record */
	u64			fetched;	/* serial of the next one to fetch */
	struct latmus_measurement final;
	bool			final_ready;
};

static atomic_t kthread_serial;

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
static u64 first_kept(const struct latmus_run *run)
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

static void begin_measuring(struct latmus_run *run, ktime_t now)
{
	run->measuring = true;
	run->started = now;
	run->interval_end = ktime_add_ns(now, run->setup.interval);
	reset_stats(&run->total);
	reset_stats(&run->interval);
}

/* Queue locked. The caller reschedules: a receiver which sleeps is woken up to leave. */
static void stop_run(struct latmus_run *run, u32 why, ktime_t now)
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
	add_to_stats(&run->total, lat);
	add_to_stats(&run->interval, lat);
	run->early += lat < 0;
	if (run->setup.hcells)
		count_cell(run, lat);

	if (run->setup.max_lat && lat > (s64)run->setup.max_lat)
		stop_run(run, LATMUS_STOPPED_MAXLAT, now);
	else if (run->setup.max_samples && run->total.samples >= run->setup.max_samples)
		stop_run(run, LATMUS_STOPPED_SAMPLES, now);

	return peak;
}

static void trace_peak(bool peak, s64 lat)
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

/* Queue locked. A new tick for a thread, unless it has not handled the last one. */
static void post_tick(struct latmus_run *run, ktime_t date, ktime_t now)
{
	if (run->tick_pending) {
		add_overruns(run, 1);
		if (ktime_sub(now, run->tick_date) > RESPONDER_PATIENCE + (s64)run->setup.period)
			stop_run(run, LATMUS_STOPPED_GONE, now);
		return;
	}

	run->tick_pending = true;
	run->tick_seen = false;
	run->tick_date = date;
	evl_wake_up_locked(&run->wait, EVL_WAKE_GRANT);
}

/*
 * The tick: oob timer handler. Dates which passed while it could not run are overruns; the first of them is
 * the one this call is late for.
 */
static void latmus_tick(struct evl_timer *timer)
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
	run->next_date = ktime_add_ns(date, (1 + missed) * run->setup.period);
	add_overruns(run, missed);
	/* When others are measured, reading the clock would only make them late. */
	if (!irq)
		now = date;
	if (irq)
		peak = add_sample(run, ktime_sub(now, date), now);
	else
		post_tick(run, date, now);

	if (!run->measuring && now >= run->started)
		begin_measuring(run, now);
	if (run->measuring && run->state == RUN_RUNNING && now >= run->interval_end) {
		push_record(run);
		run->interval_end = ktime_add_ns(run->interval_end, run->setup.interval);
	}
out:
	hard_spin_unlock(&run->wait.lock);
	if (peak)
		trace_peak(peak, ktime_sub(now, date));
}

/* Queue locked. */
static void start_ticking(struct latmus_run *run)
{
	ktime_t now = evl_ktime_monotonic();

	run->ticking = true;
	run->started = ktime_add_ns(now, run->setup.warmup);
	run->next_date = ktime_add_ns(now, run->setup.period);
	evl_start_timer(&run->timer, run->next_date, ns_to_ktime(run->setup.period));
}

/* Queue locked: what a receiver waits for. */
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
static bool complete_tick(struct latmus_run *run, ktime_t date, s64 *lat)
{
	if (!run->tick_pending || !run->tick_seen)
		return false;

	*lat = ktime_sub(date, run->tick_date);
	run->tick_pending = false;

	return add_sample(run, *lat, date);
}

static void latmus_kthread(void *arg)
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
		peak = complete_tick(run, now, &lat);
		evl_wq_unlock(&run->wait, flags);
		trace_peak(peak, lat);
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
		start_ticking(run);

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
		stop_run(run, LATMUS_STOPPED_SWITCH, evl_ktime_monotonic());
}

static long latmus_pulse(struct latmus_run *run, u64 __user *arg)
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
		peak = complete_tick(run, ns_to_ktime(date), &lat);
	}
	generation = run->generation;
	evl_wq_unlock(&run->wait, flags);
	if (ret)
		return ret;
	trace_peak(peak, lat);

	ret = wait_tick(run, generation);
	if (ret == -EINTR) {
		evl_wq_lock(&run->wait, flags);
		if (run->generation == generation)
			stop_run(run, LATMUS_STOPPED_GONE, evl_ktime_monotonic());
		evl_wq_unlock(&run->wait, flags);
	}

	return ret;
}

static long latmus_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	if (cmd != EVL_LATIOC_PULSE)
		return -ENOTTY;

	return latmus_pulse(filp->private_data, (u64 __user *)arg);
}

static int check_setup(const struct latmus_setup *s)
{
	if (s->type > EVL_LAT_LAST || s->flags & ~LATMUS_SETUP_FLAGS || s->reserved[0] || s->reserved[1])
		return -EINVAL;
	if (s->type == EVL_LAT_SIRQ)
		return -EOPNOTSUPP;
	if (s->cpu < 0 || s->cpu >= nr_cpu_ids || !cpumask_test_cpu(s->cpu, &evl_oob_cpus))
		return -EINVAL;
	if (s->type == EVL_LAT_KERN && (s->priority < EVL_MIN_PRIO || s->priority > EVL_MAX_PRIO))
		return -EINVAL;
	if (s->hcells > LATMUS_MAX_HCELLS || (s->hcells && (!s->hcell_ns || s->hcell_ns > LATMUS_MAX_HCELL_NS)))
		return -EINVAL;
	if (s->period < LATMUS_MIN_PERIOD || s->period > LATMUS_MAX_PERIOD)
		return -EINVAL;
	if (s->interval && s->interval < s->period)
		return -EINVAL;
	/* Sums of dates stay far from overflow. */
	if (s->warmup > S32_MAX * (u64)NSEC_PER_SEC || s->interval > S32_MAX * (u64)NSEC_PER_SEC)
		return -EINVAL;

	return 0;
}

/* Mutex held. Frees what ticks and receives; the state is no longer RUNNING. */
static void dismantle(struct latmus_run *run)
{
	if (run->has_kthread)
		evl_stop_kthread(&run->kthread);
	run->has_kthread = false;
	if (run->has_timer)
		evl_destroy_timer(&run->timer);
	run->has_timer = false;
}

static const u32 gravity_of[] = {
	[EVL_LAT_IRQ] = EVL_TIMER_GRAVITY_IRQ,
	[EVL_LAT_KERN] = EVL_TIMER_GRAVITY_KERNEL,
	[EVL_LAT_USER] = EVL_TIMER_GRAVITY_USER,
};

/* Mutex held. Forgets the previous run: everything behind the lock of the queue. */
static void prepare(struct latmus_run *run, const struct latmus_setup *setup, u64 *cells)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	run->setup = *setup;
	run->setup.interval = setup->interval ?: DEFAULT_INTERVAL;
	swap(run->cells, cells);
	run->state = RUN_READY;
	run->generation++;
	run->ticking = run->measuring = false;
	run->tick_pending = run->tick_seen = false;
	run->responder = NULL;
	run->early = run->outliers = 0;
	run->peak_date = run->started = run->stopped = 0;
	run->stopped_by = 0;
	run->written = run->fetched = 0;
	run->final_ready = false;
	reset_stats(&run->total);
	reset_stats(&run->interval);
	evl_wake_up_all_locked(&run->wait, EVL_WAKE_GRANT);
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
	wake_up_interruptible(&run->fetchers);
	kvfree(cells);
}

static long latmus_measure(struct latmus_run *run, const struct latmus_setup __user *arg)
{
	struct latmus_setup setup;
	u64 *cells = NULL;
	int ret;

	if (copy_from_user(&setup, arg, sizeof(setup)))
		return -EFAULT;
	ret = check_setup(&setup);
	if (ret)
		return ret;
	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;
	if (setup.hcells) {
		cells = kvcalloc(setup.hcells, sizeof(*cells), GFP_KERNEL_ACCOUNT);
		if (!cells)
			return -ENOMEM;
	}

	dismantle(run);
	prepare(run, &setup, cells);
	__evl_init_timer(&run->timer, &evl_mono_clock, latmus_tick, setup.cpu, gravity_of[setup.type]);
	run->has_timer = true;

	return 0;
}

static int start_kthread(struct latmus_run *run)
{
	int ret;

	ret = evl_run_kthread_on_cpu(&run->kthread, run->setup.cpu, latmus_kthread, run, run->setup.priority,
				     EVL_CLONE_PRIVATE, "latmus:%d", atomic_inc_return(&kthread_serial));
	run->has_kthread = !ret;

	return ret;
}

static long latmus_start(struct latmus_run *run)
{
	unsigned long flags;
	int ret;

	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;
	if (READ_ONCE(run->state) != RUN_READY)
		return -EAGAIN;
	if (run->setup.type == EVL_LAT_KERN) {
		ret = start_kthread(run);
		if (ret)
			return ret;
	}

	evl_wq_lock(&run->wait, flags);
	run->state = RUN_RUNNING;
	if (run->setup.type != EVL_LAT_USER || run->responder)
		start_ticking(run);
	evl_wq_unlock(&run->wait, flags);

	return 0;
}

static long latmus_stop(struct latmus_run *run)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	stop_run(run, LATMUS_STOPPED_REQUEST, evl_ktime_monotonic());
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
	if (READ_ONCE(run->state) == RUN_STOPPED)
		dismantle(run);

	return 0;
}

/* Next record into @m: 0, -EAGAIN none so far, -ENODATA none to come. */
static int next_record(struct latmus_run *run, struct latmus_measurement *m)
{
	unsigned long flags;
	int ret = 0;
	u64 end;

	evl_wq_lock(&run->wait, flags);
	end = run->written - run->final_ready;
	run->fetched = max(run->fetched, min(first_kept(run), end));
	if (run->fetched < end) {
		*m = run->records[run->fetched++ % LATMUS_NR_RECORDS];
	} else if (run->final_ready && run->fetched == end) {
		*m = run->final;
		run->fetched++;
	} else {
		ret = run->state == RUN_RUNNING ? -EAGAIN : -ENODATA;
	}
	evl_wq_unlock(&run->wait, flags);

	return ret;
}

static long latmus_fetch(struct latmus_run *run, struct file *filp, struct latmus_measurement __user *arg)
{
	struct latmus_measurement m;
	int ret;

	ret = next_record(run, &m);
	if (ret == -EAGAIN && !(filp->f_flags & O_NONBLOCK) &&
	    wait_event_interruptible(run->fetchers, (ret = next_record(run, &m)) != -EAGAIN))
		return -EINTR;
	if (ret)
		return ret;

	return copy_to_user(arg, &m, sizeof(m)) ? -EFAULT : 0;
}

/* Mutex held, the run is over: nothing changes any more. */
static void fill_result(const struct latmus_run *run, struct latmus_result *r)
{
	const struct latmus_stats *st = &run->total;

	r->hist_cells = run->setup.hcells;
	r->stopped_by = run->stopped_by;
	r->sum_lat = st->sum;
	r->min_lat = st->samples ? st->min : 0;
	r->max_lat = st->samples ? st->max : 0;
	r->samples = st->samples;
	r->early = run->early;
	r->outliers = run->outliers;
	r->overruns = st->overruns;
	r->mode_switches = st->mode_switches;
	r->elapsed = run->measuring ? ktime_to_ns(ktime_sub(run->stopped, run->started)) : 0;
	r->peak_at = st->samples ? ktime_to_ns(ktime_sub(run->peak_date, run->started)) : 0;
}

static long latmus_result(struct latmus_run *run, struct latmus_result __user *arg)
{
	struct latmus_result r;
	u32 capacity;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.reserved[0] || r.reserved[1])
		return -EINVAL;
	if (READ_ONCE(run->state) == RUN_RUNNING)
		return -EBUSY;
	if (READ_ONCE(run->state) != RUN_STOPPED)
		return -ENODATA;

	capacity = min(r.hist_cells, run->setup.hcells);
	if (capacity && copy_to_user(evl_uptr(r.hist_ptr), run->cells, capacity * sizeof(*run->cells)))
		return -EFAULT;
	fill_result(run, &r);

	return copy_to_user(arg, &r, sizeof(r)) ? -EFAULT : 0;
}

static long latmus_get_gravity(struct latmus_gravity __user *arg)
{
	struct latmus_gravity g = {
		.irq = evl_mono_clock.gravity.irq,
		.kernel = evl_mono_clock.gravity.kernel,
		.user = evl_mono_clock.gravity.user,
	};

	return copy_to_user(arg, &g, sizeof(g)) ? -EFAULT : 0;
}

static long latmus_set_gravity(const struct latmus_gravity __user *arg)
{
	struct evl_clock_gravity gravity;
	struct latmus_gravity g;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&g, arg, sizeof(g)))
		return -EFAULT;
	if (g.reserved || g.irq > LATMUS_MAX_GRAVITY || g.kernel > LATMUS_MAX_GRAVITY ||
	    g.user > LATMUS_MAX_GRAVITY)
		return -EINVAL;
	gravity = (struct evl_clock_gravity) { .irq = g.irq, .kernel = g.kernel, .user = g.user };

	return evl_set_clock_gravity(&evl_mono_clock, &gravity);
}

static long latmus_reset_gravity(void)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	evl_reset_clock_gravity(&evl_mono_clock);

	return 0;
}

/* Requests which change the state, or need it to stay. */
static long latmus_run_ioctl(struct latmus_run *run, unsigned int cmd, void __user *arg)
{
	guard(mutex)(&run->mutex);

	switch (cmd) {
	case EVL_LATIOC_MEASURE:
		return latmus_measure(run, arg);
	case EVL_LATIOC_START:
		return latmus_start(run);
	case EVL_LATIOC_STOP:
		return latmus_stop(run);
	default:
		return latmus_result(run, arg);
	}
}

static long latmus_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct latmus_run *run = filp->private_data;
	void __user *u_arg = (void __user *)arg;

	switch (cmd) {
	case EVL_LATIOC_MEASURE:
	case EVL_LATIOC_START:
	case EVL_LATIOC_STOP:
	case EVL_LATIOC_RESULT:
		return latmus_run_ioctl(run, cmd, u_arg);
	case EVL_LATIOC_FETCH:
		return latmus_fetch(run, filp, u_arg);
	case EVL_LATIOC_GET_GRAVITY:
		return latmus_get_gravity(u_arg);
	case EVL_LATIOC_SET_GRAVITY:
		return latmus_set_gravity(u_arg);
	case EVL_LATIOC_RESET:
		return latmus_reset_gravity();
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
static long latmus_compat_oob_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	return latmus_oob_ioctl(filp, cmd, (unsigned long)compat_ptr(arg));
}
#endif

/* Runs in-band on the CPU of the tick, which raised it from out-of-band. */
static void wake_fetchers(struct irq_work *work)
{
	struct latmus_run *run = container_of(work, struct latmus_run, fetch_work);

	wake_up_interruptible(&run->fetchers);
}

static int latmus_open(struct inode *inode, struct file *filp)
{
	struct latmus_run *run;
	int ret;

	run = kzalloc(sizeof(*run), GFP_KERNEL_ACCOUNT);
	if (!run)
		return -ENOMEM;

	mutex_init(&run->mutex);
	init_waitqueue_head(&run->fetchers);
	init_irq_work(&run->fetch_work, wake_fetchers);
	__evl_init_waitqueue(&run->wait, &evl_mono_clock, EVL_WQ_PRIO, "latmus");
	ret = evl_open_file(&run->efile, filp);
	if (ret) {
		evl_destroy_waitqueue(&run->wait);
		kfree(run);
		return ret;
	}
	filp->private_data = run;

	return stream_open(inode, filp);
}

/* No receiver sleeps from here on, not even one which is on its way to. */
static void evict_receivers(struct latmus_run *run)
{
	unsigned long flags;

	evl_wq_lock(&run->wait, flags);
	stop_run(run, LATMUS_STOPPED_REQUEST, evl_ktime_monotonic());
	run->state = RUN_STOPPED;
	run->generation++;
	evl_wake_up_all_locked(&run->wait, EVL_WAKE_GRANT);
	evl_wq_unlock(&run->wait, flags);
	evl_schedule();
}

static int latmus_release(struct inode *inode, struct file *filp)
{
	struct latmus_run *run = filp->private_data;

	evict_receivers(run);
	evl_release_file(&run->efile);
	dismantle(run);
	evl_destroy_waitqueue(&run->wait);
	irq_work_sync(&run->fetch_work);
	kvfree(run->cells);
	kfree(run);

	return 0;
}

static const struct file_operations latmus_fops = {
	.owner			= THIS_MODULE,
	.open			= latmus_open,
	.release		= latmus_release,
	.unlocked_ioctl		= latmus_ioctl,
	.oob_ioctl		= latmus_oob_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl		= compat_ptr_ioctl,
	.compat_oob_ioctl	= latmus_compat_oob_ioctl,
#endif
};

static struct miscdevice latmus_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "latmus",
	.fops	= &latmus_fops,
};

module_misc_device(latmus_device);

EVL_IMPORT_NS();
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Latency measurement driver of the EVL core");
