// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs of the driver, one or one for each CPU. This thread waits for signals and for the time to elapse; each run has
 * a logger, which fetches intervals, and with -u a responder, which is measured. The responder's loop enters the
 * in-band kernel nowhere.
 */
#include "latmus.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <evl/evl.h>

#define NSEC_PER_SEC	1000000000ULL
/* Intervals in a row without a sample, after which the clock counts as dead. */
#define SILENT_INTERVALS	3
/* The driver ends a run by its samples; time ends it when ticks were lost. */
#define TIME_SLACK_NS		(NSEC_PER_SEC / 10)

static void *respond(void *arg)
{
	struct run *run = arg;
	struct timespec now;
	uint64_t date = 0;
	int ret;

	ret = evl_attach_self("latmus:%d", gettid());
	if (ret < 0) {
		run->error = -ret;
		ioctl(run->fd, EVL_LATIOC_STOP);
		return NULL;
	}
	close(ret);

	/* After a signal there is no tick to tell of: the driver ignores the date. */
	while (!oob_ioctl(run->fd, EVL_LATIOC_PULSE, &date) || errno == EINTR) {
		evl_read_clock(EVL_CLOCK_MONOTONIC, &now);
		date = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
	}
	if (errno != EIDRM)
		run->error = errno;
	evl_detach_self();

	return NULL;
}

/* The thread blocks the signals which the main thread waits for. */
void start_fifo_thread(pthread_t *thread, int cpu, long priority, void *(*body)(void *), void *arg)
{
	struct sched_param param = { .sched_priority = (int)priority };
	pthread_attr_t attr;
	cpu_set_t cpus;
	int ret;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setstacksize(&attr, EVL_STACK_DEFAULT);
	ret = pthread_create(thread, &attr, body, arg);
	pthread_attr_destroy(&attr);
	if (ret == EPERM)
		tool_die(STATUS_DENIED, "not allowed to use SCHED_FIFO: run latmus as root, or raise the rtprio limit of this user");
	if (ret)
		tool_die(STATUS_FAILED, "cannot create a thread to measure: %s", strerror(ret));
}

/* Intervals until the final one. */
static void *log_intervals(void *arg)
{
	struct run *run = arg;
	struct latmus_measurement m;
	int silent = 0;

	for (;;) {
		if (ioctl(run->fd, EVL_LATIOC_FETCH, &m)) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (run->on_interval && (m.samples || !(m.flags & LATMUS_RECORD_FINAL)))
			run->on_interval(run, &m);
		if (m.flags & LATMUS_RECORD_FINAL)
			break;
		silent = m.samples ? 0 : silent + 1;
		if (silent == SILENT_INTERVALS) {
			run->dead_clock = true;
			ioctl(run->fd, EVL_LATIOC_STOP);
		}
	}
	__atomic_store_n(&run->over, true, __ATOMIC_RELEASE);
	tell_over(run->watch);

	return NULL;
}

/* The others may have no sample yet: no fault of theirs. */
static void cut_short(struct run *runs, int nr)
{
	int n;

	for (n = 0; nr > 1 && n < nr; n++)
		runs[n].cut_short = !__atomic_load_n(&runs[n].over, __ATOMIC_ACQUIRE);
}

/* All have their samples, or one has met what ends a measurement. */
static bool all_over(struct run *runs, int nr)
{
	struct latmus_result r;
	int n, over = 0;

	for (n = 0; n < nr; n++) {
		if (!__atomic_load_n(&runs[n].over, __ATOMIC_ACQUIRE))
			continue;
		over++;
		memset(&r, 0, sizeof(r));
		if (runs[n].dead_clock || ioctl(runs[n].fd, EVL_LATIOC_PEEK, &r) || r.stopped_by != LATMUS_STOPPED_SAMPLES) {
			cut_short(runs, nr);
			return true;
		}
	}

	return over == nr;
}

/* Returns when the runs are over, were interrupted, or have taken their time. */
static void await_end(struct run *runs, int nr)
{
	int n;

	for (;;) {
		switch (await_happening(runs->watch, (uint64_t)runs->opt->checkpoint_s * 1000000000)) {
		case HAPPENED_OVER:
			if (all_over(runs, nr))
				return;
			break;
		case HAPPENED_QUESTION:
			for (n = 0; n < nr; n++)
				print_interim(&runs[n]);
			break;
		case HAPPENED_INTERRUPT:
			for (n = 0; n < nr; n++)
				runs[n].interrupted = true;
			return;
		case HAPPENED_DEADLINE:
			return;
		case HAPPENED_NOTHING:
			save_checkpoint(runs, nr);
			break;
		}
	}
}

static bool set_up(struct run *run, int context, const struct run_limits *limits)
{
	const struct options *opt = run->opt;
	struct latmus_setup setup = {
		.type = (uint32_t)context,
		.flags = opt->keep_going && context == EVL_LAT_USER ? LATMUS_KEEP_GOING : 0,
		.priority = (int32_t)opt->priority,
		.cpu = run->env->cpu,
		.hcells = run->fig.nr_cells,
		.hcell_ns = run->fig.cell_ns,
		.period = (uint64_t)opt->period_us * 1000,
		.warmup = limits->warmup_ns,
		.max_samples = limits->samples,
		.max_lat = (uint64_t)opt->max_lat_us * 1000,
	};

	if (!ioctl(run->fd, EVL_LATIOC_MEASURE, &setup))
		return true;
	tool_warn("the driver refuses the measurement of %s: %s", context_name(context), strerror(errno));

	return false;
}

static void take_spikes(struct figures *fig, const struct latmus_spikes *s, int cpu)
{
	uint32_t n;

	for (n = 0; n < s->count && n < LATMUS_NR_SPIKES; n++)
		add_spike(fig, s->spikes[n].at, s->spikes[n].value, cpu);
}

static bool fetch_result(struct run *run)
{
	struct latmus_spikes spikes = { };
	struct figures *fig = &run->fig;

	make_cells(fig);
	fig->result.hist_ptr = (uintptr_t)fig->cells;
	fig->result.hist_cells = fig->nr_cells;
	if (ioctl(run->fd, EVL_LATIOC_RESULT, &fig->result) || ioctl(run->fd, EVL_LATIOC_SPIKES, &spikes)) {
		tool_warn("cannot get the result: %s", strerror(errno));
		return false;
	}
	take_spikes(fig, &spikes, run->env->cpu);

	return true;
}

/* What makes the figures worthless or doubtful; false: worthless. */
static bool judge(struct run *run)
{
	const struct latmus_result *r = &run->fig.result;

	if (run->error) {
		tool_warn("the responder failed: %s", strerror(run->error));
		return false;
	}
	if (run->dead_clock || (!r->samples && !run->interrupted && !run->cut_short)) {
		tool_warn("no sample for %d seconds: the clock of the core does not tick on CPU%d; see the kernel log",
			  SILENT_INTERVALS, run->env->cpu);
		return false;
	}
	if (r->samples && average_ns(&run->fig) < -(int64_t)run->opt->period_us * 1000) {
		tool_warn("latencies are negative by more than a period: reset the calibration with latmus -r");
		return false;
	}
	if (r->stopped_by == LATMUS_STOPPED_GONE)
		run->taint = "the responder left before the end";
	else if (r->mode_switches)
		run->taint = "the responder was switched in-band";

	return true;
}

void lock_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		tool_die(STATUS_DENIED, "cannot lock memory: run latmus as root, or raise the memlock limit of this user");
}

/*
 * The driver's count ends a timed run on the tick. Ticks lost give no sample: then time ends it.
 */
uint64_t samples_wanted(const struct run *run, const struct run_limits *limits)
{
	uint64_t period_ns = (uint64_t)run->opt->period_us * 1000, due;

	if (!limits->duration_ns)
		return limits->samples;
	due = (limits->duration_ns + period_ns - 1) / period_ns;

	return limits->samples && limits->samples < due ? limits->samples : due;
}

/* False: nothing has begun. */
static bool begin_run(struct run *run, int context, const struct run_limits *limits)
{
	run->taint = NULL;
	run->error = 0;
	run->over = run->dead_clock = run->cut_short = false;
	if (!set_up(run, context, limits))
		return false;
	if (ioctl(run->fd, EVL_LATIOC_START)) {
		tool_warn("cannot start the measurement: %s", strerror(errno));
		return false;
	}
	if (pthread_create(&run->logger, NULL, log_intervals, run))
		tool_die(STATUS_FAILED, "cannot create the logger");
	if (context == EVL_LAT_USER)
		start_fifo_thread(&run->responder, run->env->cpu, run->opt->priority, respond, run);

	return true;
}

static void end_run(struct run *run, int context)
{
	ioctl(run->fd, EVL_LATIOC_STOP);
	pthread_join(run->logger, NULL);
	if (context == EVL_LAT_USER)
		pthread_join(run->responder, NULL);
}

bool execute_runs(struct run *runs, int nr, int context, const struct run_limits *limits)
{
	struct run_limits exact = *limits;
	struct watch watch;
	int n, begun;
	bool good;

	lock_memory();
	exact.samples = samples_wanted(runs, limits);
	begin_watch(&watch, limits->duration_ns ? limits->warmup_ns + limits->duration_ns + TIME_SLACK_NS : 0);
	for (begun = 0; begun < nr; begun++) {
		runs[begun].watch = &watch;
		if (!begin_run(&runs[begun], context, &exact))
			break;
	}
	good = begun == nr;
	if (good)
		await_end(runs, nr);
	for (n = 0; n < begun; n++)
		end_run(&runs[n], context);
	end_watch();
	for (n = 0; good && n < nr; n++)
		good = fetch_result(&runs[n]) && judge(&runs[n]);

	return good;
}
