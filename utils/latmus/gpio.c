// SPDX-License-Identifier: GPL-2.0-only
/*
 * Response on GPIO lines, measured by a monitor at the other end of two wires: it pulses the input, we answer
 * on the output, it tells each second how long that took. Ours is a thread which answers, of the core or a
 * plain one; a logger which listens to the monitor; and this thread.
 *
 * The warm-up is a session of its own, whose figures are dropped.
 */
#include "latmus.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <evl/evl.h>
#include <evl/devices/gpio.h>
#include "../common/wire.h"

#define NSEC_PER_SEC	1000000000ULL
#define CONSUMER_IN	"latmon-pulse"	/* how the interrupt is called in /proc/interrupts */
#define CONSUMER_OUT	"latmon-ack"
#define MIN_CELLS	1000		/* of 1 us */

struct gpio_run {
	struct run *run;
	bool oob;
	bool measuring;
	int peer;		/* connection */
	int in, out;		/* lines */
	int thread_fd;		/* of the responder, oob; -1: not attached */
	pthread_t responder, logger;
	bool ready;		/* thread_fd or run->error is set */
	bool stop;		/* told to the responder */
	bool level;		/* of the output; the responder's */
	bool final;		/* the monitor said its last word; the logger's */
	uint32_t isw;
	uint64_t serial;
};

static const char *why_lost(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return "no word for 5 seconds: is it there, and not busy with another latmus?";
	case EPROTO:
		return "what it says is no message of a monitor: is this its port?";
	case ECONNREFUSED:
		return "connection refused: start it there, see latmon(1)";
	case ECONNRESET:
		return "it closed the connection: see what it said there";
	default:
		return strerror(error);
	}
}

static void give_up(const struct gpio_run *g, const char *why)
{
	const struct options *opt = g->run->opt;

	tool_die(STATUS_MONITOR, "the monitor at %s, port %s: %s", opt->monitor, opt->monitor_port, why);
}

static int try_address(const struct addrinfo *ai, int *error)
{
	struct timeval limit = { .tv_sec = WIRE_SILENCE_S };
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);

	if (fd < 0) {
		*error = errno;
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!connect(fd, ai->ai_addr, ai->ai_addrlen))
		return fd;
	*error = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);

	return -1;
}

static void connect_monitor(struct gpio_run *g)
{
	const struct options *opt = g->run->opt;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all, *ai;
	int ret = getaddrinfo(opt->monitor, opt->monitor_port, &hints, &all), error = EHOSTUNREACH;

	if (ret)
		give_up(g, gai_strerror(ret));
	g->peer = -1;
	for (ai = all; ai && g->peer < 0; ai = ai->ai_next)
		g->peer = try_address(ai, &error);
	freeaddrinfo(all);
	if (g->peer < 0)
		give_up(g, why_lost(error));
}

static void forget(struct wire_message *m)
{
	if (m->type == WIRE_FINAL)
		free(m->final.cells);
}

/* The monitor starts to pulse. */
static void configure_monitor(struct gpio_run *g)
{
	const struct run *run = g->run;
	struct wire_message m = { .type = WIRE_CONFIG, .config = {
		.period_us = (uint32_t)run->opt->period_us,
		.cells = run->fig.nr_cells,
		.falling = run->opt->gpio_in.edge == LINE_FALLING,
	} };
	int ret = wire_send(g->peer, &m);

	if (!ret)
		ret = wire_receive(g->peer, &m);
	if (ret)
		give_up(g, why_lost(ret));
	if (m.type == WIRE_ERROR)
		give_up(g, m.error.text);
	forget(&m);
	if (m.type != WIRE_READY)
		give_up(g, why_lost(EPROTO));
}

/* The descriptor, or -errno. */
static int check_line(int fd, const struct line_spec *spec)
{
	int status = fd == -EACCES || fd == -EPERM ? STATUS_DENIED : STATUS_FAILED;

	if (fd < 0)
		tool_die(status, "%s,%u: %s", spec->chip, spec->pin, line_error(-fd));

	return fd;
}

static int open_oob_chip(const struct line_spec *spec)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/evl-%s", spec->chip);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		tool_die(STATUS_NO_CORE, "%s is not there: a chip has out-of-band service if its driver adds it to "
			 "evl-gpio.ko; -z does without", path);

	return check_line(-errno, spec);
}

static int open_oob_input(const struct line_spec *spec)
{
	struct gpioevent_request req = {
		.lineoffset = spec->pin,
		.handleflags = GPIOHANDLE_REQUEST_INPUT | GPIOHANDLE_REQUEST_OOB,
		.eventflags = spec->edge == LINE_FALLING ? GPIOEVENT_REQUEST_FALLING_EDGE :
			      GPIOEVENT_REQUEST_RISING_EDGE,
		.consumer_label = CONSUMER_IN,
	};
	int chip = open_oob_chip(spec);
	int fd = ioctl(chip, GPIO_GET_LINEEVENT_IOCTL, &req) ? -errno : req.fd;

	close(chip);

	return fd;
}

static int open_oob_output(const struct line_spec *spec)
{
	struct gpiohandle_request req = {
		.lineoffsets = { spec->pin },
		.flags = GPIOHANDLE_REQUEST_OUTPUT | GPIOHANDLE_REQUEST_OOB,
		.consumer_label = CONSUMER_OUT,
		.lines = 1,
	};
	int chip = open_oob_chip(spec);
	int fd = ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &req) ? -errno : req.fd;

	close(chip);

	return fd;
}

static void open_lines(struct gpio_run *g)
{
	const struct line_spec *in = &g->run->opt->gpio_in, *out = &g->run->opt->gpio_out;

	g->in = check_line(g->oob ? open_oob_input(in) : line_open_input(in, CONSUMER_IN), in);
	g->out = check_line(g->oob ? open_oob_output(out) : line_open_output(out, CONSUMER_OUT, false), out);
}

/* An edge is answered by an edge: whichever. 0 or an errno value; a signal does not end the answers. */
static int answer_oob(struct gpio_run *g)
{
	struct gpiohandle_data data = { .values = { !g->level } };
	struct gpioevent_data event;

	if (oob_read(g->in, &event, sizeof(event)) != sizeof(event))
		return errno == EINTR ? 0 : errno;
	if (oob_ioctl(g->out, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &data))
		return errno;
	g->level = !g->level;

	return 0;
}

static int answer_inband(struct gpio_run *g)
{
	int ret = line_await_edge(g->in, -1);

	if (ret < 0)
		return ret == -EINTR ? 0 : -ret;
	g->level = !g->level;

	return -line_set(g->out, g->level);
}

/* The plain one is ended by cancellation, in the read. */
static void answer_all(struct gpio_run *g)
{
	int error = 0;

	while (!error && !__atomic_load_n(&g->stop, __ATOMIC_ACQUIRE))
		error = g->oob ? answer_oob(g) : answer_inband(g);
	if (!error)
		return;
	g->run->error = error;
	tell_over(g->run->watch);
}

static void *respond(void *arg)
{
	struct gpio_run *g = arg;

	g->thread_fd = g->oob ? evl_attach_self("latmus:%d", gettid()) : -1;
	if (g->oob && g->thread_fd < 0)
		g->run->error = -g->thread_fd;
	__atomic_store_n(&g->ready, true, __ATOMIC_RELEASE);
	if (g->run->error)
		return NULL;
	answer_all(g);
	if (g->oob)
		evl_detach_self();

	return NULL;
}

/* False: it has failed. */
static bool start_responder(struct gpio_run *g)
{
	g->stop = g->ready = false;
	start_fifo_thread(&g->responder, g->run->env->cpu, g->run->opt->priority, respond, g);
	while (!__atomic_load_n(&g->ready, __ATOMIC_ACQUIRE))
		usleep(1000);

	return !g->run->error;
}

/* Unblocking is not remembered: it may come before the wait. */
static void stop_responder(struct gpio_run *g)
{
	__atomic_store_n(&g->stop, true, __ATOMIC_RELEASE);
	if (!g->oob)
		pthread_cancel(g->responder);
	while (pthread_tryjoin_np(g->responder, NULL)) {
		if (g->thread_fd >= 0)
			evl_unblock_thread(g->thread_fd);
		usleep(1000);
	}
	if (g->thread_fd >= 0)
		close(g->thread_fd);
}

static uint32_t news_of_switches(struct gpio_run *g)
{
	struct evl_thread_state state = { };
	uint32_t news;

	if (g->thread_fd < 0 || evl_get_state(g->thread_fd, &state))
		return 0;
	news = state.isw - g->isw;
	g->isw = state.isw;

	return news;
}

static void add_summary(struct latmus_result *r, const struct latmus_measurement *m, uint64_t at)
{
	r->overruns += m->overruns;
	r->mode_switches += m->mode_switches;
	if (!m->samples)
		return;
	if (!r->samples || m->min_lat < r->min_lat)
		r->min_lat = m->min_lat;
	if (!r->samples || m->max_lat > r->max_lat) {
		r->max_lat = m->max_lat;
		r->peak_at = at;
	}
	r->samples += m->samples;
	r->sum_lat += m->sum_lat;
}

/* The first reason to end stays. */
static void judge_interval(const struct gpio_run *g, struct latmus_result *r)
{
	const struct options *opt = g->run->opt;

	if (r->stopped_by)
		return;
	if (opt->max_lat_us && r->samples && r->max_lat > opt->max_lat_us * 1000)
		r->stopped_by = LATMUS_STOPPED_MAXLAT;
	else if (r->mode_switches)
		r->stopped_by = LATMUS_STOPPED_SWITCH;
	else if (opt->samples && r->samples >= (uint64_t)opt->samples)
		r->stopped_by = LATMUS_STOPPED_SAMPLES;
}

static void take_summary(struct gpio_run *g, const struct wire_summary *s)
{
	struct latmus_measurement m = {
		.sum_lat = s->sum, .min_lat = s->min, .max_lat = s->max,
		.samples = s->samples, .overruns = s->missed,
		.mode_switches = news_of_switches(g), .serial = g->serial,
	};
	struct latmus_result *r = &g->run->fig.result;

	if (!g->measuring)
		return;
	g->serial++;
	add_summary(r, &m, g->serial * NSEC_PER_SEC);
	judge_interval(g, r);
	if (g->run->on_interval && m.samples)
		g->run->on_interval(g->run, &m);
	if (r->stopped_by)
		tell_over(g->run->watch);
}

static void take_final(struct gpio_run *g, struct wire_final *f)
{
	struct figures *fig = &g->run->fig;

	if (g->measuring && f->nr_cells == fig->nr_cells) {
		memcpy(fig->cells, f->cells, f->nr_cells * sizeof(*f->cells));
		fig->result.outliers = f->outliers;
	}
	g->final = true;
}

/* Until the monitor says its last word, or is lost: run->monitor_error. */
static void *log_summaries(void *arg)
{
	struct gpio_run *g = arg;
	struct wire_message m;
	int ret;

	while (!g->final && !(ret = wire_receive(g->peer, &m))) {
		if (m.type == WIRE_SUMMARY)
			take_summary(g, &m.summary);
		else if (m.type == WIRE_FINAL)
			take_final(g, &m.final);
		forget(&m);
		if (m.type != WIRE_SUMMARY && m.type != WIRE_FINAL) {
			ret = EPROTO;
			break;
		}
	}
	if (!g->final)
		g->run->monitor_error = ret;
	tell_over(g->run->watch);

	return NULL;
}

static void await_end(struct gpio_run *g)
{
	for (;;) {
		switch (await_happening(g->run->watch, 0)) {
		case HAPPENED_QUESTION:
			print_interim(g->run);
			break;
		case HAPPENED_INTERRUPT:
			g->run->interrupted = true;
			return;
		default:
			return;
		}
	}
}

/* The monitor has the first word and the last one. */
static void converse(struct gpio_run *g)
{
	struct wire_message stop = { .type = WIRE_STOP };

	g->final = false;
	configure_monitor(g);
	if (pthread_create(&g->logger, NULL, log_summaries, g))
		tool_die(STATUS_FAILED, "cannot create the logger: too many threads, or no memory");
	await_end(g);
	wire_send(g->peer, &stop);
	pthread_join(g->logger, NULL);
}

/* One connection: until the time is over, something ends it, or the monitor is lost. */
static void run_session(struct gpio_run *g, uint64_t ns)
{
	struct watch watch;

	g->run->watch = &watch;
	begin_watch(&watch, ns);
	if (start_responder(g)) {
		news_of_switches(g);
		converse(g);
	}
	stop_responder(g);
	end_watch();
	close(g->peer);
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static bool judge(const struct gpio_run *g)
{
	struct run *run = g->run;
	struct latmus_result *r = &run->fig.result;

	if (run->error) {
		tool_warn("the responder cannot go on: %s%s", strerror(run->error),
			  run->error == ENODEV ? "; the chip was removed" : "");
		return false;
	}
	if (run->monitor_error) {
		tool_warn("lost the monitor at %s, port %s: %s", run->opt->monitor, run->opt->monitor_port,
			  why_lost(run->monitor_error));
		run->taint = "the monitor was lost";
	} else if (!r->samples && !run->interrupted) {
		tool_warn("no answer of ours reached the monitor, %llu pulses were missed: are the two lines wired?",
			  (unsigned long long)r->overruns);
		return false;
	}
	if (!r->stopped_by)
		r->stopped_by = LATMUS_STOPPED_REQUEST;
	if (r->mode_switches)
		run->taint = "the responder was switched in-band";

	return true;
}

bool execute_gpio(struct run *run, int context, const struct run_limits *limits)
{
	struct gpio_run g = { .run = run, .oob = context == CONTEXT_OOB_GPIO, .thread_fd = -1 };
	uint64_t began;

	run->fig.cell_ns = 1000;
	run->fig.nr_cells = run->opt->cells > MIN_CELLS ? (uint32_t)run->opt->cells : MIN_CELLS;
	make_cells(&run->fig);
	connect_monitor(&g);
	open_lines(&g);
	lock_memory();
	if (limits->warmup_ns) {
		run_session(&g, limits->warmup_ns);
		if (run->error || run->monitor_error || run->interrupted)
			return judge(&g);
		connect_monitor(&g);
	}
	g.measuring = true;
	began = clock_ns();
	run_session(&g, limits->duration_ns);
	run->fig.result.elapsed = clock_ns() - began;

	return judge(&g);
}
