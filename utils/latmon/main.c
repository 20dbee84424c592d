// SPDX-License-Identifier: GPL-2.0-only
/*
 * latmon: a GPIO monitor for latmus -Z and -z which runs on Linux. Raises the pulse line once a period, waits
 * for the other side to answer on the acknowledge line, and reports how long that took. Serves one latmus
 * after the other.
 *
 * Lines are those of GPIO chips, wired to the other side's; or of the kernel's GPIO simulator, where this
 * program plays the wires, through the files of the lines in sysfs.
 */
#include "../common/gpio-line.h"
#include "../common/tool.h"
#include "../common/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <evl/evl.h>

#define NSEC_PER_SEC	1000000000LL

/* Simulated lines: their directory in sysfs, of which "pull" drives an input and "value" shows an output. */
struct wire {
	bool simulated;
	struct line_spec spec;
	const char *dir;
	int fd;
};

struct monitor {
	const char *port;
	struct wire pulse, ack;
	long priority;
	bool once;
	bool ack_level;		/* last one seen on a simulated line */
};

struct session {
	struct monitor *mon;
	int fd;
	struct wire_config config;
	struct wire_final final;
	struct wire_summary second;
};

static const char usage_text[] =
"usage: latmon -O LINE -I LINE [OPTIONS]\n"
"GPIO monitor for latmus -Z and -z: pulses on one line, waits for the answer on the other.\n"
"\n"
"  -O, --pulse=LINE        output: wired to the line of latmus -I\n"
"  -I, --ack=LINE          input: wired to the line of latmus -O\n"
"  -p, --port=N            TCP port (2306)\n"
"  -P, --priority=N        SCHED_FIFO, 1 to 99; 0: the ordinary class (0)\n"
"  -1, --once              end with the first latmus\n"
"  -h, --help   -V, --version\n"
"\n"
"A LINE is CHIP,PIN, as gpiochip0,24; or sim:DIRECTORY, that of a line of the kernel's GPIO simulator,\n"
"as sim:/sys/devices/platform/gpio-sim.0/gpiochip1/sim_gpio0, which is the line of latmus itself.\n"
"Exit status: 0 done; 1 failed; 2 wrong usage; 4 permission denied.\n";

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void sleep_until(int64_t date)
{
	struct timespec ts = { .tv_sec = date / NSEC_PER_SEC, .tv_nsec = date % NSEC_PER_SEC };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void parse_wire(struct wire *w, const char *option, const char *text)
{
	*w = (struct wire) { .fd = -1 };
	if (!strncmp(text, "sim:/", 5)) {
		w->simulated = true;
		w->dir = text + 4;
	} else if (!line_parse(text, false, &w->spec)) {
		tool_die(STATUS_USAGE, "%s %s: expected CHIP,PIN or sim:DIRECTORY, as gpiochip0,24", option, text);
	}
}

/* A descriptor, or -errno. */
static int open_sim(const struct wire *w, const char *file, int mode)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", w->dir, file);
	fd = open(path, mode | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void check_wire(const struct wire *w, const char *option)
{
	int status = w->fd == -EACCES || w->fd == -EPERM ? STATUS_DENIED : STATUS_FAILED;

	if (w->fd >= 0)
		return;
	if (w->simulated)
		tool_die(status, "%s sim:%s: %s; it should be the directory of a line, live, with files pull and value",
			 option, w->dir, strerror(-w->fd));
	tool_die(status, "%s %s,%u: %s", option, w->spec.chip, w->spec.pin, line_error(-w->fd));
}

static void open_wires(struct monitor *mon)
{
	struct wire *pulse = &mon->pulse, *ack = &mon->ack;

	ack->spec.edge = LINE_BOTH;
	pulse->fd = pulse->simulated ? open_sim(pulse, "pull", O_WRONLY) :
		    line_open_output(&pulse->spec, "latmon-pulse-out", false);
	check_wire(pulse, "-O");
	ack->fd = ack->simulated ? open_sim(ack, "value", O_RDONLY) : line_open_input(&ack->spec, "latmon-ack");
	check_wire(ack, "-I");
}

static void drive(const struct wire *w, bool value)
{
	const char *word = value ? "pull-up" : "pull-down";
	int ret = 0;

	if (!w->simulated)
		ret = line_set(w->fd, value);
	else if (pwrite(w->fd, word, strlen(word), 0) < 0)
		ret = -errno;
	if (ret)
		tool_die(STATUS_FAILED, "cannot drive the pulse line: %s", strerror(-ret));
}

static bool sim_level(const struct wire *w)
{
	char c = '0';

	if (pread(w->fd, &c, 1, 0) != 1)
		tool_die(STATUS_FAILED, "cannot read the acknowledge line: %s", strerror(errno));

	return c == '1';
}

/* Simulated lines have no edges to wait for on this side: looked at again and again. */
static bool await_level(struct monitor *mon, int64_t until)
{
	while (sim_level(&mon->ack) == mon->ack_level) {
		if (now_ns() >= until)
			return false;
		sched_yield();
	}
	mon->ack_level = !mon->ack_level;

	return true;
}

static bool await_ack(struct monitor *mon, int64_t until)
{
	int64_t left = until - now_ns();
	int ret;

	if (mon->ack.simulated)
		return await_level(mon, until);
	ret = line_await_edge(mon->ack.fd, left > 0 ? (int)((left + 999999) / 1000000) : 0);
	if (ret < 0)
		tool_die(STATUS_FAILED, "cannot wait for the acknowledge line: %s", strerror(-ret));

	return ret == 1;
}

/* An answer which comes too late must not be taken for that to the next pulse. */
static void drop_stale_acks(struct monitor *mon)
{
	if (mon->ack.simulated)
		mon->ack_level = sim_level(&mon->ack);
	else
		while (line_await_edge(mon->ack.fd, 0) == 1)
			;
}

static void count(struct session *s, int64_t ns)
{
	struct wire_summary *sum = &s->second;
	int32_t lat = ns < INT32_MAX ? (int32_t)ns : INT32_MAX;
	uint32_t cell = (uint32_t)(lat / 1000);

	sum->min = sum->samples && sum->min < lat ? sum->min : lat;
	sum->max = sum->samples && sum->max > lat ? sum->max : lat;
	sum->sum += lat;
	sum->samples++;
	if (cell < s->final.nr_cells)
		s->final.cells[cell]++;
	else
		s->final.outliers++;
}

static void pulse(struct session *s, int64_t period)
{
	struct monitor *mon = s->mon;
	bool active = !s->config.falling;
	int64_t start;

	drop_stale_acks(mon);
	start = now_ns();
	drive(&mon->pulse, active);
	if (await_ack(mon, start + period))
		count(s, now_ns() - start);
	else
		s->second.missed++;
	drive(&mon->pulse, !active);
}

/* 0: nothing was said; 1: stop; else it is over. */
static int listen_to_peer(struct session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	struct wire_message m;

	if (poll(&pfd, 1, 0) <= 0)
		return 0;
	if (wire_receive(s->fd, &m))
		return -1;
	if (m.type == WIRE_FINAL)
		free(m.final.cells);

	return m.type == WIRE_STOP ? 1 : -1;
}

static int report_second(struct session *s)
{
	struct wire_message m = { .type = WIRE_SUMMARY, .summary = s->second };

	memset(&s->second, 0, sizeof(s->second));

	return wire_send(s->fd, &m);
}

/* Until the peer has enough: true if it said so. */
static bool monitor_line(struct session *s)
{
	int64_t period = s->config.period_us * 1000LL, date = now_ns() + period, report = date + NSEC_PER_SEC;
	int said = 0;

	while (!said) {
		sleep_until(date);
		pulse(s, period);
		while (date <= now_ns())
			date += period;
		said = listen_to_peer(s);
		if (!said && now_ns() >= report) {
			said = report_second(s) ? -1 : 0;
			report += NSEC_PER_SEC;
		}
	}

	return said == 1;
}

static void finish(struct session *s)
{
	struct wire_message m = { .type = WIRE_FINAL, .final = s->final };

	if (!report_second(s))
		wire_send(s->fd, &m);
}

static void refuse(int fd, const char *why)
{
	struct wire_message m = { .type = WIRE_ERROR, .error = { .code = 1 } };

	snprintf(m.error.text, sizeof(m.error.text), "%s", why);
	wire_send(fd, &m);
	tool_warn("a peer was refused: %s", why);
}

static void serve(struct monitor *mon, int fd)
{
	struct wire_message ready = { .type = WIRE_READY, .ready = { .resolution_ns = 1, .board = "linux" } }, m;
	struct session s = { .mon = mon, .fd = fd };
	int ret = wire_receive(fd, &m);

	if (ret || m.type != WIRE_CONFIG) {
		if (!ret && m.type == WIRE_FINAL)
			free(m.final.cells);
		if (ret != ECONNRESET)
			refuse(fd, ret ? strerror(ret) : "the first message has to be a configuration");
		return;
	}
	s.config = m.config;
	s.final.nr_cells = s.config.cells;
	s.final.cells = calloc(s.final.nr_cells, sizeof(*s.final.cells));
	if (!s.final.cells) {
		refuse(fd, "out of memory");
		return;
	}
	drive(&mon->pulse, s.config.falling);
	fprintf(stderr, "monitoring started, period %u us\n", s.config.period_us);
	if (!wire_send(fd, &ready) && monitor_line(&s))
		finish(&s);
	fprintf(stderr, "monitoring stopped\n");
	free(s.final.cells);
}

static int listen_on(const char *port)
{
	struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE,
	}, *ai;
	int fd, ret, on = 1;

	ret = getaddrinfo(NULL, port, &hints, &ai);
	if (ret)
		tool_die(STATUS_FAILED, "port %s: %s", port, gai_strerror(ret));
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 1))
		tool_die(tool_status_of(errno) == STATUS_DENIED ? STATUS_DENIED : STATUS_FAILED, "port %s: %s%s", port,
			 strerror(errno), errno == EADDRINUSE ? "; end the other latmon, or choose another with -p" : "");
	freeaddrinfo(ai);

	return fd;
}

static void run_server(struct monitor *mon)
{
	struct timeval limit = { .tv_sec = WIRE_SILENCE_S };
	int listener = listen_on(mon->port), fd, on = 1;

	do {
		fprintf(stderr, "waiting for a connection on port %s\n", mon->port);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(mon, fd);
		close(fd);
	} while (!mon->once);
}

static const struct option long_options[] = {
	{ "pulse", required_argument, NULL, 'O' },
	{ "ack", required_argument, NULL, 'I' },
	{ "port", required_argument, NULL, 'p' },
	{ "priority", required_argument, NULL, 'P' },
	{ "once", no_argument, NULL, '1' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

static void parse_options(struct monitor *mon, int argc, char *argv[])
{
	bool pulse = false, ack = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":O:I:p:P:1hV", long_options, NULL)) != -1) {
		switch (c) {
		case 'O': parse_wire(&mon->pulse, "-O", optarg); pulse = true; break;
		case 'I': parse_wire(&mon->ack, "-I", optarg); ack = true; break;
		case 'p': tool_number_option("-p", optarg, 1, 65535); mon->port = optarg; break;
		case 'P': mon->priority = tool_number_option("-P", optarg, 0, 99); break;
		case '1': mon->once = true; break;
		case 'h': fputs(usage_text, stdout); exit(STATUS_OK);
		case 'V': puts(evl_get_version().version_string); exit(STATUS_OK);
		case ':': tool_die(STATUS_USAGE, "%s wants a value; see latmon -h", argv[optind - 1]);
		default: tool_die(STATUS_USAGE, "%s is no option; see latmon -h", argv[optind - 1]);
		}
	}
	if (optind < argc)
		tool_die(STATUS_USAGE, "%s: latmon takes options only; see latmon -h", argv[optind]);
	if (!pulse || !ack)
		tool_die(STATUS_USAGE, "%s is missing: latmon wants a line for pulses and one for answers",
			 pulse ? "-I" : "-O");
}

static void become_urgent(long priority)
{
	struct sched_param param = { .sched_priority = (int)priority };

	if (!priority)
		return;
	if (sched_setscheduler(0, SCHED_FIFO, &param) || mlockall(MCL_CURRENT | MCL_FUTURE))
		tool_die(tool_status_of(errno), "-P %ld: %s; run latmon as root, or raise rtprio and memlock", priority,
			 strerror(errno));
}

int main(int argc, char *argv[])
{
	struct monitor mon = { .port = MONITOR_PORT };

	tool_name = "latmon";
	parse_options(&mon, argc, argv);
	open_wires(&mon);
	become_urgent(mon.priority);
	run_server(&mon);

	return STATUS_OK;
}
