// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run of the driver. Three threads: this one waits for signals and for the time to elapse; the logger
 * fetches intervals; with -u, the responder is measured. The responder's loop enters the in-band
 * kernel nowhere.
 */
#include "latmus.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
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
/* Sent by the logger: the run is over. */
#define SIG_OVER		SIGUSR2

struct logger {
	struct run *run;
	pthread_t waiter;
	void (*on_interval)(struct run *run, const struct latmus_measurement *m);
	bool dead_clock;
};

static const int watched_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIG_OVER };

static void fill_signal_set(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(watched_signals) / sizeof(watched_signals[0]); i++)
		sigaddset(set, watched_signals[i]);
}

void block_signals(void)
{
	sigset_t set;

	fill_signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *respond(void *arg)
{
	struct run *run = arg;
	struct timespec now;
	uint64_t date = 0;
	int ret;

	ret = evl_attach_self("latmus:%d", getpid());
	if (ret < 0) {
		run->error = -ret;
		ioctl(run->fd, EVL_LATIOC_STOP);
		return NULL;
	}
	close(ret);

	while (!oob_ioctl(run->fd, EVL_LATIOC_PULSE, &date)) {
		evl_read_clock(EVL_CLOCK_MONOTONIC, &now);
		date = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
	}
	if (errno != EIDRM)
		run->error = errno;
	evl_detach_self();

	return NULL;
}

static void start_responder(struct run *run, pthread_t *thread)
{
	struct sched_param param = { .sched_priority = (int)run->opt->priority };
	pthread_attr_t attr;
	cpu_set_t cpus;
	int ret;

	CPU_ZERO(&cpus);
	CPU_SET(run->env->cpu, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setstacksize(&attr, EVL_STACK_DEFAULT);
	ret = pthread_create(thread, &attr, respond, run);
	pthread_attr_destroy(&attr);
	if (ret == EPERM)
		tool_die(STATUS_DENIED, "not allowed to use SCHED_FIFO: run latmus as root, or raise the rtprio limit of this user");
	if (ret)
		tool_die(STATUS_FAILED, "cannot create the responder: %s", strerror(ret));
}

/* A run which time ended leaves the logger's signal behind. */
static void drop_stale_signal(void)
{
	struct timespec now = { };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_OVER);
	sigtimedwait(&set, NULL, &now);
}

/* Intervals until the final one. */
static void *log_intervals(void *arg)
{
	struct logger *log = arg;
	struct latmus_measurement m;
	int silent = 0;

	for (;;) {
		if (ioctl(log->run->fd, EVL_LATIOC_FETCH, &m)) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (log->on_interval && (m.samples || !(m.flags & LATMUS_RECORD_FINAL)))
			log->on_interval(log->run, &m);
		if (m.flags & LATMUS_RECORD_FINAL)
			break;
		silent = m.samples ? 0 : silent + 1;
		if (silent == SILENT_INTERVALS) {
			log->dead_clock = true;
			ioctl(log->run->fd, EVL_LATIOC_STOP);
		}
	}
	pthread_kill(log->waiter, SIG_OVER);

	return NULL;
}

static void deadline_after(struct timespec *date, uint64_t ns)
{
	clock_gettime(CLOCK_MONOTONIC, date);
	ns += (uint64_t)date->tv_nsec;
	date->tv_sec += (time_t)(ns / NSEC_PER_SEC);
	date->tv_nsec = (long)(ns % NSEC_PER_SEC);
}

static bool time_left(const struct timespec *deadline, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = deadline->tv_sec - now.tv_sec;
	left->tv_nsec = deadline->tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += (long)NSEC_PER_SEC;
	}

	return left->tv_sec >= 0;
}

/* Returns when the run is over, was interrupted, or has taken its time. */
static void await_end(struct run *run, const struct run_limits *limits)
{
	struct timespec deadline, left;
	sigset_t set;
	int sig;

	fill_signal_set(&set);
	deadline_after(&deadline, limits->warmup_ns + limits->duration_ns + TIME_SLACK_NS);
	for (;;) {
		if (!limits->duration_ns)
			sig = sigwaitinfo(&set, NULL);
		else if (!time_left(&deadline, &left))
			return;
		else
			sig = sigtimedwait(&set, NULL, &left);
		if (sig == SIG_OVER)
			return;
		if (sig == SIGUSR1)
			print_interim(run);
		if (sig == SIGINT || sig == SIGTERM || sig == SIGHUP) {
			run->interrupted = true;
			return;
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

static int worse_first(const void *a, const void *b)
{
	const struct latmus_spike *x = a, *y = b;

	return (x->value < y->value) - (x->value > y->value);
}

static bool fetch_result(struct run *run)
{
	struct figures *fig = &run->fig;

	fig->cells = calloc(fig->nr_cells, sizeof(*fig->cells));
	if (!fig->cells)
		tool_die(STATUS_FAILED, "out of memory");
	memset(&fig->result, 0, sizeof(fig->result));
	fig->result.hist_ptr = (uintptr_t)fig->cells;
	fig->result.hist_cells = fig->nr_cells;
	if (ioctl(run->fd, EVL_LATIOC_RESULT, &fig->result) || ioctl(run->fd, EVL_LATIOC_SPIKES, &fig->spikes)) {
		tool_warn("cannot get the result: %s", strerror(errno));
		return false;
	}
	qsort(fig->spikes.spikes, fig->spikes.count, sizeof(fig->spikes.spikes[0]), worse_first);

	return true;
}

/* What makes the figures worthless or doubtful; false: worthless. */
static bool judge(struct run *run, const struct logger *log)
{
	const struct latmus_result *r = &run->fig.result;

	if (run->error) {
		tool_warn("the responder failed: %s", strerror(run->error));
		return false;
	}
	if (log->dead_clock || (!r->samples && !run->interrupted)) {
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

/*
 * The driver's count ends a timed run on the tick. Ticks lost give no sample: then time ends it.
 */
static uint64_t samples_wanted(const struct run *run, const struct run_limits *limits)
{
	uint64_t period_ns = (uint64_t)run->opt->period_us * 1000, due;

	if (!limits->duration_ns)
		return limits->samples;
	due = (limits->duration_ns + period_ns - 1) / period_ns;

	return limits->samples && limits->samples < due ? limits->samples : due;
}

bool execute_run(struct run *run, int context, const struct run_limits *limits,
		 void (*on_interval)(struct run *run, const struct latmus_measurement *m))
{
	struct run_limits exact = *limits;
	struct logger log = { .run = run, .waiter = pthread_self(), .on_interval = on_interval };
	pthread_t logger, responder;

	exact.samples = samples_wanted(run, limits);
	run->taint = NULL;
	run->error = 0;
	if (!set_up(run, context, &exact))
		return false;
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		tool_die(STATUS_DENIED, "cannot lock memory: run latmus as root, or raise the memlock limit of this user");
	if (ioctl(run->fd, EVL_LATIOC_START)) {
		tool_warn("cannot start the measurement: %s", strerror(errno));
		return false;
	}
	if (pthread_create(&logger, NULL, log_intervals, &log))
		tool_die(STATUS_FAILED, "cannot create the logger");
	if (context == EVL_LAT_USER)
		start_responder(run, &responder);

	await_end(run, &exact);
	ioctl(run->fd, EVL_LATIOC_STOP);
	pthread_join(logger, NULL);
	drop_stale_signal();
	if (context == EVL_LAT_USER)
		pthread_join(responder, NULL);

	return fetch_result(run) && judge(run, &log);
}
