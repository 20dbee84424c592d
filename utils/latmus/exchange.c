// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a switch costs: two threads of the core pass a token, on one CPU or on two. A sample is half of a round trip:
 * one put, one switch or remote wake-up, one get. One round trip a period, so that in-band has the rest.
 *
 * The asker counts; this thread fetches intervals from its ring. The loops of both enter the in-band kernel nowhere.
 */
#include "latmus.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <evl/evl.h>

#define NSEC_PER_SEC	1000000000LL
#define POLL_NS		(NSEC_PER_SEC / 20)
#define TIME_SLACK_NS	(NSEC_PER_SEC / 10)

struct exchange {
	struct run *run;
	const struct run_limits *limits;
	struct evl_sem there, back;
	int partner_fd;
	bool stop;		/* any thread; read by the asker */
	bool done;		/* the asker; read by the partner, which a put follows */

	/* The asker's; the others look at them once it has ended. */
	int64_t began;
	uint32_t isw;
	struct latmus_measurement interval;

	/* Filled by the asker up to "written", which a release follows; emptied by the main thread. */
	struct latmus_measurement records[LATMUS_NR_RECORDS];
	uint64_t written, fetched;
};

static int64_t read_ns(void)
{
	struct timespec now;

	evl_read_clock(EVL_CLOCK_MONOTONIC, &now);

	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void sleep_until(int64_t date)
{
	struct timespec ts = { .tv_sec = date / NSEC_PER_SEC, .tv_nsec = date % NSEC_PER_SEC };

	evl_sleep_until(EVL_CLOCK_MONOTONIC, &ts);
}

/* Switches of both threads to in-band so far. */
static uint32_t switches(const struct exchange *x, int self_fd)
{
	struct evl_thread_state self = { }, partner = { };

	evl_get_state(self_fd, &self);
	evl_get_state(x->partner_fd, &partner);

	return self.isw + partner.isw;
}

/* A signal takes one of them in-band, as the figures then tell; the other must not wait for ever. */
static int get_token(struct evl_sem *sem)
{
	int ret;

	do {
		ret = evl_get_sem(sem);
	} while (ret == -EINTR);

	return ret;
}

static void *answer(void *arg)
{
	struct exchange *x = arg;
	int ret = evl_attach_self("latmus-peer:%d", gettid());

	if (ret < 0)
		x->run->error = -ret;
	x->partner_fd = ret;
	evl_put_sem(&x->back);	/* ready, or failed */
	if (ret < 0)
		return NULL;

	while (!get_token(&x->there) && !__atomic_load_n(&x->done, __ATOMIC_ACQUIRE))
		evl_put_sem(&x->back);
	evl_detach_self();

	return NULL;
}

static void add_to_interval(struct latmus_measurement *m, int32_t ns)
{
	m->min_lat = m->samples && m->min_lat < ns ? m->min_lat : ns;
	m->max_lat = m->samples && m->max_lat > ns ? m->max_lat : ns;
	m->sum_lat += ns;
	m->samples++;
}

static void push_interval(struct exchange *x, uint32_t flags)
{
	uint64_t serial = x->written;

	x->interval.serial = serial;
	x->interval.flags = flags;
	x->records[serial % LATMUS_NR_RECORDS] = x->interval;
	memset(&x->interval, 0, sizeof(x->interval));
	__atomic_store_n(&x->written, serial + 1, __ATOMIC_RELEASE);
}

/* False: the run ends here. */
static bool check_stage(struct exchange *x, int self_fd)
{
	struct latmus_result *r = &x->run->fig.result;
	uint32_t isw = switches(x, self_fd), news = isw - x->isw;

	x->isw = isw;
	x->interval.mode_switches += news;
	r->mode_switches += news;
	if (news)
		r->stopped_by = LATMUS_STOPPED_SWITCH;

	return !news;
}

/* False: the run ends with this sample. */
static bool take_sample(struct exchange *x, int64_t ns, int64_t at)
{
	const struct options *opt = x->run->opt;
	struct latmus_result *r = &x->run->fig.result;

	ns = ns < INT32_MAX ? ns : INT32_MAX;
	count_sample(&x->run->fig, ns, at, x->run->env->cpu);
	add_to_interval(&x->interval, (int32_t)ns);
	if (opt->max_lat_us && ns > opt->max_lat_us * 1000)
		r->stopped_by = LATMUS_STOPPED_MAXLAT;
	else if (x->limits->samples && r->samples >= x->limits->samples)
		r->stopped_by = LATMUS_STOPPED_SAMPLES;

	return !r->stopped_by;
}

static int64_t round_trip(struct exchange *x, int64_t *end)
{
	int64_t start = read_ns();

	evl_put_sem(&x->there);
	get_token(&x->back);
	*end = read_ns();

	return *end - start;
}

/* Dates which passed meanwhile give no sample. */
static int64_t next_date(struct exchange *x, int64_t date, int64_t now, bool measuring)
{
	int64_t period = x->run->opt->period_us * 1000, missed;

	date += period;
	missed = now > date ? (now - date + period - 1) / period : 0;
	if (measuring) {
		x->interval.overruns += (uint32_t)missed;
		x->run->fig.result.overruns += (uint64_t)missed;
	}

	return date + missed * period;
}

static void exchange_tokens(struct exchange *x, int self_fd)
{
	struct latmus_result *r = &x->run->fig.result;
	int64_t date = read_ns(), end = date, interval_end, warm = date + (int64_t)x->limits->warmup_ns;

	for (; end < warm && !__atomic_load_n(&x->stop, __ATOMIC_RELAXED); date = next_date(x, date, end, false)) {
		sleep_until(date);
		round_trip(x, &end);
	}
	x->isw = switches(x, self_fd);
	x->began = date = read_ns();
	interval_end = x->began + NSEC_PER_SEC;
	while (!__atomic_load_n(&x->stop, __ATOMIC_RELAXED)) {
		int64_t trip;

		date = next_date(x, date, end, true);
		sleep_until(date);
		trip = round_trip(x, &end);
		if (!take_sample(x, trip / 2, end - x->began))
			break;
		if (end < interval_end)
			continue;
		if (!check_stage(x, self_fd))
			break;
		push_interval(x, 0);
		interval_end += NSEC_PER_SEC;
	}
	check_stage(x, self_fd);
	r->elapsed = (uint64_t)(read_ns() - x->began);
	push_interval(x, LATMUS_RECORD_FINAL);
}

static void *ask(void *arg)
{
	struct exchange *x = arg;
	int fd = evl_attach_self("latmus:%d", gettid());

	if (fd < 0) {
		x->run->error = -fd;
		get_token(&x->back);
	} else {
		get_token(&x->back);
		if (x->partner_fd >= 0)
			exchange_tokens(x, fd);
	}
	__atomic_store_n(&x->done, true, __ATOMIC_RELEASE);
	evl_put_sem(&x->there);
	tell_over(x->run->watch);
	evl_detach_self();

	return NULL;
}

/* Hands on what has come so far; what was overwritten meanwhile is lost. */
static void fetch_intervals(struct exchange *x)
{
	uint64_t written = __atomic_load_n(&x->written, __ATOMIC_ACQUIRE);
	const struct latmus_measurement *m;

	if (written - x->fetched >= LATMUS_NR_RECORDS)
		x->fetched = written - LATMUS_NR_RECORDS + 1;
	for (; x->fetched < written; x->fetched++) {
		m = &x->records[x->fetched % LATMUS_NR_RECORDS];
		if (x->run->on_interval && (m->samples || !(m->flags & LATMUS_RECORD_FINAL)))
			x->run->on_interval(x->run, m);
	}
}

static void await_exchange(struct exchange *x)
{
	for (;;) {
		enum happening what = await_happening(x->run->watch, POLL_NS);

		fetch_intervals(x);
		switch (what) {
		case HAPPENED_QUESTION:
			print_interim(x->run);
			break;
		case HAPPENED_INTERRUPT:
			x->run->interrupted = true;
			return;
		case HAPPENED_OVER: case HAPPENED_DEADLINE:
			return;
		default:
			break;
		}
	}
}

static bool judge(struct run *run, int context)
{
	struct latmus_result *r = &run->fig.result;

	if (run->error) {
		tool_warn("cannot make the threads those of the core: %s", strerror(run->error));
		return false;
	}
	if (!r->samples && !run->interrupted) {
		tool_warn("no sample of %s: the threads of CPU%d do not run", context_name(context), run->env->cpu);
		return false;
	}
	if (!r->stopped_by)
		r->stopped_by = LATMUS_STOPPED_REQUEST;
	if (r->mode_switches)
		run->taint = "the threads were switched in-band";

	return true;
}

static void make_sems(struct exchange *x)
{
	int ret = evl_new_sem(&x->there, "latmus-there:%d", getpid());

	if (ret >= 0)
		ret = evl_new_sem(&x->back, "latmus-back:%d", getpid());
	if (ret < 0)
		tool_die(STATUS_FAILED, "cannot create a semaphore: %s", strerror(-ret));
}

bool execute_exchange(struct run *run, int context, const struct run_limits *limits)
{
	int peer_cpu = context == CONTEXT_XCPU ? run->env->peer_cpu : run->env->cpu;
	struct run_limits exact = *limits;
	struct exchange *x = calloc(1, sizeof(*x));
	pthread_t asker, partner;
	struct watch watch;
	bool good;

	if (!x)
		tool_die(STATUS_FAILED, "out of memory");
	exact.samples = samples_wanted(run, limits);
	x->run = run;
	x->limits = &exact;
	run->watch = &watch;
	make_cells(&run->fig);
	make_sems(x);
	lock_memory();

	begin_watch(&watch, limits->duration_ns ? limits->warmup_ns + limits->duration_ns + TIME_SLACK_NS : 0);
	start_fifo_thread(&partner, peer_cpu, run->opt->priority, answer, x);
	start_fifo_thread(&asker, run->env->cpu, run->opt->priority, ask, x);
	await_exchange(x);
	__atomic_store_n(&x->stop, true, __ATOMIC_RELAXED);
	pthread_join(asker, NULL);
	pthread_join(partner, NULL);
	end_watch();
	fetch_intervals(x);
	evl_close_sem(&x->there);
	evl_close_sem(&x->back);
	good = judge(run, context);
	free(x);

	return good;
}
