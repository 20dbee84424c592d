// SPDX-License-Identifier: GPL-2.0-only
/*
 * property: parts of latmus which need no core, on a driver that is made up: durations, the CPU which is chosen,
 * the lines on the terminal, how a run ends, and a calibration with its gravity.
 * Run by make check.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../utils/latmus/latmus.h"

int latmus_main(int argc, char *argv[]);
#define main latmus_main
#include "../../utils/latmus/main.c"
#undef main

#include "../helpers.h"

/* What was printed last, messages too, and where it goes. */
static char output[8192];
static FILE *capture;
static int real_stdout, real_stderr;

static void begin_capture(void)
{
	fflush(stdout);
	capture = tmpfile();
	real_stdout = dup(1);
	real_stderr = dup(2);
	dup2(fileno(capture), 1);
	dup2(fileno(capture), 2);
}

static void end_capture(void)
{
	ssize_t len;

	fflush(stdout);
	dup2(real_stdout, 1);
	dup2(real_stderr, 2);
	close(real_stdout);
	close(real_stderr);
	len = pread(fileno(capture), output, sizeof(output) - 1, 0);
	output[len > 0 ? len : 0] = '\0';
	fclose(capture);
}

/* What may end the process: in a child, which prints into the output. Its exit status, or -1. */
static int run_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t child;

	begin_capture();
	child = fork();
	if (!child)
		exit(fn(arg));
	waitpid(child, &status, 0);
	end_capture();

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A driver: its gravity, and wake-ups which are as late as the context is far away. */
static const struct latmus_gravity built_in = { .irq = 1111, .kernel = 3333, .user = 5555 };
static const int64_t distances[] = { [EVL_LAT_IRQ] = 1700, [EVL_LAT_KERN] = 3600, [EVL_LAT_USER] = 4100 };
static struct latmus_gravity gravity;
#define DRIVER_FD	1000
static int nr_runs, interrupt_at, fail_at, die_at;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	if (fd != DRIVER_FD)
		return -1;
	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	switch (request) {
	case EVL_LATIOC_SET_GRAVITY:
		memcpy(&gravity, arg, sizeof(gravity));
		return 0;
	case EVL_LATIOC_GET_GRAVITY:
		memcpy(arg, &gravity, sizeof(gravity));
		return 0;
	case EVL_LATIOC_RESET:
		gravity = built_in;
		return 0;
	default:
		return -1;
	}
}

int __wrap_open_driver(void);
int __wrap_open_driver(void)
{
	return DRIVER_FD;
}

/* The file which holds idle states off: a pipe, whose end is seen once nobody has it open. */
static int dma_latency[2] = { -1, -1 };
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return strcmp(path, "/dev/cpu_dma_latency") ? __real_open(path, flags) : dma_latency[1];
}

static bool dma_latency_held(void)
{
	struct pollfd p = { .fd = dma_latency[0], .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN) && !(p.revents & POLLHUP);
}

/* How the next measurement ends. */
static struct { uint32_t stopped_by, mode_switches; } outcome;

bool execute_exchange(struct run *run, int context, const struct run_limits *limits)
{
	(void)run;
	(void)context;
	(void)limits;

	return false;
}

bool execute_gpio(struct run *run, int context, const struct run_limits *limits)
{
	return execute_exchange(run, context, limits);
}

static int64_t anticipation(int context)
{
	return context == EVL_LAT_IRQ ? gravity.irq : context == EVL_LAT_KERN ? gravity.kernel : gravity.user;
}

bool execute_runs(struct run *runs, int nr, int context, const struct run_limits *limits)
{
	struct latmus_measurement interval = { .samples = 1, .min_lat = 2000, .max_lat = 2000, .sum_lat = 2000 };
	int n;

	(void)nr;
	make_cells(&runs->fig);
	for (n = 0; n < 2000; n++)
		count_sample(&runs->fig, distances[context] - anticipation(context) + n, n, 0);
	runs->fig.result.stopped_by = outcome.stopped_by;
	runs->fig.result.mode_switches = outcome.mode_switches;
	runs->taint = outcome.mode_switches ? "made up" : NULL;
	if (runs->opt->mode == MODE_MEASURE)
		fprintf(stderr, "%llu ns, idle states %s\n", (unsigned long long)limits->duration_ns,
			dma_latency_held() ? "held off" : "free");
	nr_runs++;
	for (n = 0; runs->on_interval && n < (int)(limits->duration_ns / 1000000000); n++)
		runs->on_interval(runs, &interval);
	if (nr_runs == die_at)
		tool_die(STATUS_DENIED, "made up");
	runs->interrupted = nr_runs == interrupt_at;

	return nr_runs != fail_at;
}

static int tune_these(bool irq, bool kernel, bool user)
{
	struct options opt = { .mode = MODE_TUNE, .period_us = 1000 };
	struct environment env = { .gravity = built_in };

	opt.tune[EVL_LAT_IRQ] = irq;
	opt.tune[EVL_LAT_KERN] = kernel;
	opt.tune[EVL_LAT_USER] = user;
	gravity = built_in;
	nr_runs = 0;

	return tune(&opt, &env, DRIVER_FD);
}

static int calibrate(bool irq, bool kernel, bool user)
{
	int status;

	begin_capture();
	status = tune_these(irq, kernel, user);
	end_capture();

	return status;
}

static bool gravity_is(uint32_t irq, uint32_t kernel, uint32_t user)
{
	if (gravity.irq == irq && gravity.kernel == kernel && gravity.user == user)
		return true;
	t_diag("the gravity is %ui %uk %uu", gravity.irq, gravity.kernel, gravity.user);

	return false;
}

static void tell_gravity(void)
{
	printf("left: %ui %uk %uu\n", gravity.irq, gravity.kernel, gravity.user);
}

/* Registered first, tell_gravity() is called last. */
static int die_in_a_run(void *unused)
{
	(void)unused;
	die_at = 3;
	atexit(tell_gravity);

	return tune_these(true, true, true);
}

static bool restored_at_exit(void)
{
	return run_child(die_in_a_run, NULL) == STATUS_DENIED && strstr(output, "left: 1111i 3333k 5555u\n");
}

/* Nobody reads what the calibration prints. */
static int print_to_nobody(void *unused)
{
	int fds[2];

	(void)unused;
	if (pipe(fds))
		return 1;
	close(fds[0]);
	dup2(fds[1], 1);

	return tune_these(true, true, true) || !gravity_is(1500, 3500, 4000);
}

static bool survives_closed_pipe(void)
{
	return !run_child(print_to_nobody, NULL);
}

static void test_calibration(void)
{
	static const char all[] = "== core timer calibration, period=1000 us (this takes a while)\n"
		"irq gravity...1500 ns\nkernel gravity...3500 ns\nuser gravity...4000 ns\n== calibration done after ";
	static const char two[] = "== core timer calibration, period=1000 us (this takes a while)\n"
		"irq gravity...1500 ns\nuser gravity...4000 ns\n== calibration done after ";
	int n, wrong = 0, runs;

	t_ok(!calibrate(true, true, true) && !strncmp(output, all, strlen(all)),
	     "-t prints three lines: irq, kernel, user");
	t_ok(gravity_is(1500, 3500, 4000), "and the driver has what they say");
	runs = nr_runs;
	t_ok(!calibrate(true, false, true) && !strncmp(output, two, strlen(two)),
	     "-tui prints two lines: irq, user");
	t_ok(gravity_is(1500, 3333, 4000), "the one of the kernel is unchanged");

	for (interrupt_at = 1; interrupt_at <= runs; interrupt_at++)
		wrong += calibrate(true, true, true) != STATUS_FAILED || nr_runs != interrupt_at ||
			 !gravity_is(built_in.irq, built_in.kernel, built_in.user);
	interrupt_at = 0;
	t_ok(runs >= 6 && !wrong, "interrupted in any of its %d runs, the gravity is as it was", runs);
	for (fail_at = 1, n = 0; fail_at <= runs; fail_at++)
		n += calibrate(true, true, true) != STATUS_FAILED ||
		     !gravity_is(built_in.irq, built_in.kernel, built_in.user);
	fail_at = 0;
	t_ok(!n && strstr(output, "the former gravity is back"), "neither does a run that fails change it");
	t_ok(restored_at_exit(), "nor one that ends the process");
	t_ok(survives_closed_pipe(), "a reader who leaves does not end it half-way");
}

static void test_durations(void)
{
	static const struct { const char *text; long seconds; } good[] = {
		{ "90", 90 }, { "90s", 90 }, { "2m", 120 }, { "1h", 3600 }, { "1d", 86400 },
	};
	static const char *const bad[] = { "x", "1y", "1.5h", "-1", "", "0", "s", "1hh", " 1", "+1", "99999999999d" };
	long seconds;
	size_t n;

	for (n = 0; n < sizeof(good) / sizeof(good[0]); n++)
		t_ok(tool_parse_duration(good[n].text, &seconds) && seconds == good[n].seconds, "%s is %ld s",
		     good[n].text, good[n].seconds);
	for (n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		t_ok(!tool_parse_duration(bad[n], &seconds), "'%s' is no duration", bad[n]);
}

/* A machine with a core: CPUs 1-3 are the core's; which are isolated. */
#define TREE	"/tmp/evl-latmus-XXXXXX"
static char tree[sizeof(TREE)];
static const char *isolated_cpus = "";

void __real_tool_read_cpus(const char *path, char *text, size_t size, cpu_set_t *set);
void __wrap_tool_read_cpus(const char *path, char *text, size_t size, cpu_set_t *set);
void __wrap_tool_read_cpus(const char *path, char *text, size_t size, cpu_set_t *set)
{
	/* Those of the core are in the tree. */
	if (!strncmp(path, tree, strlen(tree))) {
		__real_tool_read_cpus(path, text, size, set);
		return;
	}
	snprintf(text, size, "%s", isolated_cpus);
	tool_parse_cpus(text, set);
}

/* Of the tree itself, the folders in it, and the file. */
static const char *in_tree(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s%s", tree, name);

	return path;
}

static void make_tree(void)
{
	FILE *file;

	if (!mkdtemp(strcpy(tree, TREE)))
		exit(1);
	mkdir(in_tree("/evl"), 0755);
	mkdir(in_tree("/evl/control"), 0755);
	file = fopen(in_tree("/evl/control/cpus"), "w");
	if (!file)
		exit(1);
	fputs("1-3\n", file);
	fclose(file);
	setenv("EVL_SYSDIR", tree, 1);
}

static void remove_tree(void)
{
	unlink(in_tree("/evl/control/cpus"));
	rmdir(in_tree("/evl/control"));
	rmdir(in_tree("/evl"));
	rmdir(tree);
}

/* The choice may end the process; the place is what it prints, or its message. */
static int choose_and_print(void *opt)
{
	struct environment env = { };

	choose_cpu(opt, &env);
	printf("%s", env.place);

	return 0;
}

static int choose(const char *isolated, long cpu, bool force)
{
	struct options opt = { .cpu = cpu, .peer_cpu = -1, .force_cpu = force };

	isolated_cpus = isolated;

	return run_child(choose_and_print, &opt);
}

static void test_cpus(void)
{
	make_tree();
	t_ok(choose("", 0, false) == STATUS_USAGE && strstr(output, "CPU0") && strstr(output, tree) &&
	     strstr(output, "evl/control/cpus") && strstr(output, "1-3"),
	     "a CPU which is not the core's: status 2, the message names CPU, file and set");
	t_ok(choose("", 0, true) == STATUS_USAGE, "-C does not change that");
	t_ok(!choose("", 2, false) && !strcmp(output, "CPU2-noisol"), "no isolation: CPU2-noisol (%s)", output);
	t_ok(!choose("3", 2, true) && !strcmp(output, "CPU2-noisol"), "-C where CPU3 is: CPU2-noisol (%s)", output);
	t_ok(choose("3", 2, false) == STATUS_USAGE && strstr(output, "-C 2"),
	     "-c there is refused, with a hint at -C");
	t_ok(!choose("2-3", -1, false) && !strcmp(output, "CPU2"), "the first isolated one is chosen (%s)", output);
	remove_tree();
}

static const int widths[] = { 3, 11, 11, 11, 8, 6, 11, 11 };

static bool columns_fit(const char *line)
{
	size_t n, len;

	for (n = 0; n < sizeof(widths) / sizeof(widths[0]); n++) {
		len = strcspn(line, "|\n");
		if (len != (size_t)widths[n])
			return false;
		line += len + (n + 1 < sizeof(widths) / sizeof(widths[0]));
	}

	return *line == '\n';
}

static const char *line_after(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text + strlen(text);
}

/* Lines with a tag; "wrong" counts those whose columns do not fit. */
static int tagged(const char *tag, int *wrong)
{
	const char *line;
	int n = 0;

	for (line = output; *line; line = line_after(line)) {
		if (strncmp(line, tag, 3))
			continue;
		n++;
		if (wrong && !columns_fit(line)) {
			t_diag("%.*s", (int)strcspn(line, "\n"), line);
			++*wrong;
		}
	}

	return n;
}

static int numbers_in(const char *line)
{
	double v[7];
	char end;
	int n = sscanf(line, "RTD|%lf|%lf|%lf|%lf|%lf|%lf|%lf%c", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
		       &v[6], &end);

	return n == 8 && end == '\n';
}

static void print_run(const struct options *opt, int seconds)
{
	static const int32_t extremes[] = { 904, -2051, 0, 3310, 1999999999, -999999999 };
	struct environment env = { .place = "CPU2" };
	struct run run = { .opt = opt, .env = &env };
	struct latmus_measurement m = { .samples = 1000 };
	int n;

	size_histogram(&run.fig, 200);
	make_cells(&run.fig);
	begin_capture();
	for (n = 0; n < seconds; n++) {
		m.min_lat = extremes[n % 6];
		m.max_lat = m.min_lat + 1000;
		m.sum_lat = (int64_t)m.min_lat * 1000;
		m.overruns = n % 2 ? 99999999 : 0;
		m.mode_switches = n % 3 ? 999999 : 0;
		count_sample(&run.fig, m.min_lat, n, 2);
		print_interval(&run, &m);
	}
	print_summary(&run);
	end_capture();
	free_figures(&run.fig);
}

static void test_lines(void)
{
	struct options opt = {
		.context = EVL_LAT_USER, .period_us = 1000, .priority = 90, .lines = 21, .timeout_s = 44,
	};
	int wrong = 0, bad = 0, titles;
	const char *line;

	print_run(&opt, 44);
	t_ok(!tagged("RTD", NULL) && !tagged("RTT", NULL) && tagged("RTS", NULL) == 1,
	     "-q: a summary only");
	opt.verbose = 1;
	print_run(&opt, 44);
	titles = tagged("RTH", &wrong);
	t_ok(tagged("RTT", NULL) == 3 && titles == 3 && !wrong,
	     "44 lines on three pages, the titles as wide as told");
	t_ok(tagged("RTD", &wrong) == 44 && !wrong, "so is each line, of the largest figures as well");
	for (line = output; *line; line = line_after(line))
		bad += !strncmp(line, "RTD", 3) && !numbers_in(line);
	t_ok(!bad && tagged("RTS", NULL) == 1, "which is seven numbers; one summary");
}

static int all_of_latmus(void *args)
{
	char **argv = args;
	int argc = 0;

	while (argv[argc])
		argc++;
	atexit(tell_gravity);

	return latmus_main(argc, argv);
}

static int run_latmus(char *a, char *b, char *c, char *d)
{
	char *argv[] = { (char *)"latmus", (char *)"-C2", a, b, c, d, NULL };
	int status;

	if (pipe(dma_latency))
		exit(1);
	status = run_child(all_of_latmus, argv);
	close(dma_latency[1]);

	return status;
}

#define LATMUS(a, b, c, d)	run_latmus((char *)(a), (char *)(b), (char *)(c), (char *)(d))

static bool latency_released(void)
{
	int32_t value = -1;
	char more;

	return read(dma_latency[0], &value, sizeof(value)) == sizeof(value) && !value &&
	       !read(dma_latency[0], &more, 1);
}

static void test_ends(void)
{
	const char *rts;

	make_tree();
	gravity = (struct latmus_gravity) { .irq = 1, .kernel = 2, .user = 3 };
	outcome.stopped_by = LATMUS_STOPPED_SAMPLES;
	t_ok(!LATMUS("-q", "-T2", NULL, NULL) && strstr(output, "2000000000 ns, idle states held off\n") &&
	     tagged("RTS", NULL) == 1 && !tagged("RTD", NULL),
	     "-q -T2 takes 2 s, idle states are held off meanwhile");
	t_ok(latency_released(), "and no longer");
	close(dma_latency[0]);

	t_ok(!LATMUS("-T5", NULL, NULL, NULL) && tagged("RTD", NULL) == 5 && tagged("RTS", NULL) == 1,
	     "-T5 prints a line for each interval of the driver, and a summary");
	close(dma_latency[0]);
	outcome.stopped_by = LATMUS_STOPPED_SWITCH;
	outcome.mode_switches = 1;
	t_ok(LATMUS("-T2", NULL, NULL, NULL) == STATUS_SWITCHED && strstr(output, "switched in-band") &&
	     strstr(output, "-K to go on"), "switched in-band: status 11, and how to go on");
	t_ok(tagged("RTS", NULL) == 1 && strstr(output, " TAINTED\n"), "the summary is there, marked");
	close(dma_latency[0]);
	outcome.stopped_by = LATMUS_STOPPED_SAMPLES;
	outcome.mode_switches = 77;
	t_ok(!LATMUS("-K", "-T2", NULL, NULL) && strstr(output, "figures are tainted"),
	     "with -K: status 0, a warning");
	rts = strstr(output, "RTS|");
	t_ok(rts && strstr(rts, "|    77|"), "and the switches");
	close(dma_latency[0]);

	t_ok(!LATMUS("-r", NULL, NULL, NULL) && !strcmp(output, "left: 1111i 3333k 5555u\n"),
	     "-r brings the built-in gravity back, and that is all");
	close(dma_latency[0]);
	remove_tree();
}

/* A published run: samples per microsecond, from 0 on. */
static const unsigned int published[] = {
	95, 25561, 18747, 2677, 6592, 17056, 664, 48, 18, 12, 18, 24, 14, 2, 6, 5, 5, 6, 23, 17, 3, 1, 1, 1, 1, 1,
};

#define NR_PUBLISHED	((int)(sizeof(published) / sizeof(published[0])))
#define NR_CELLS	30

static const char *data_file(void)
{
	return in_tree("/data");
}

/* That run, and so many samples of 40 us. */
static void write_published(unsigned int outliers)
{
	struct options opt = {
		.context = EVL_LAT_KERN, .period_us = 500, .priority = 91, .cells = NR_CELLS, .overwrite = true,
		.plot_file = (char *)data_file(),
	};
	struct environment env = {
		.place = "CPU3-noisol", .clocksource = "tsc", .vdso = "architected", .cstates_restricted = true,
		.gravity = { .irq = 1, .kernel = 22, .user = 333 },
	};
	struct run run = { .opt = &opt, .env = &env };
	unsigned int n;
	int us;

	size_histogram(&run.fig, NR_CELLS);
	make_cells(&run.fig);
	for (us = 0; us < NR_PUBLISHED; us++)
		for (n = 0; n < published[us]; n++)
			count_sample(&run.fig, us * 1000 + 500, (uint64_t)us * 1000000000, 3);
	while (outliers--)
		count_sample(&run.fig, 40000, 61000000000, 3);
	run.fig.result.elapsed = 3723000000000;
	write_data_file(&run);
	free_figures(&run.fig);
}

/* Lines of the header in their order; the kernel and its boot line have no name. */
static const char *const header[] = {
	"# test started on: ", "# Linux version ", "# ", "# libevl version: evl.", "# sampling period: 500 microseconds\n",
	"# clock gravity: 1i 22k 333u\n", "# clocksource: tsc\n", "# vDSO access: architected\n", "# context: kernel\n",
	"# thread priority: 91\n", "# thread affinity: CPU3-noisol\n", "# C-state: restricted\n",
	"# duration (hhmmss): 01:02:03\n", "# peak (hhmmss): ", "# min latency: 0.500\n", "# avg latency: ", "# max latency: ",
	"# sample count: ", "# percentiles: ",
};

/* Reads the header; how many lines of it are not what they should be. */
static int read_header(FILE *file, unsigned int outliers)
{
	char line[8192];
	int wrong = 0;
	size_t n;

	for (n = 0; n < sizeof(header) / sizeof(header[0]); n++) {
		if (fgets(line, sizeof(line), file) && !strncmp(line, header[n], strlen(header[n])))
			continue;
		t_diag("not '%s': %s", header[n], line);
		wrong++;
	}
	if (outliers && (!fgets(line, sizeof(line), file) || atoi(line + strlen("# outliers: ")) != (int)outliers))
		wrong++;

	return wrong;
}

/* A pair for each cell from 0 to the last one in use; a + behind it if there are outliers. */
static int read_cells(FILE *file, unsigned int outliers)
{
	int us, cell, wrong = 0;
	unsigned int count;
	char more;

	for (us = 0; us < NR_PUBLISHED; us++)
		wrong += fscanf(file, "%d %u%c", &cell, &count, &more) != 3 || cell != us || count != published[us] ||
			 more != (outliers && us == NR_PUBLISHED - 1 ? '+' : '\n');

	return wrong + (fgetc(file) != (outliers ? '\n' : EOF));
}

/* The parser of evl plot and evl report, as lines which should be among its results. */
static int unread(const char *const wanted[])
{
	const char *top = getenv("srcdir") ?: "..";
	char command[512];
	int wrong = 0;

	snprintf(command, sizeof(command), "awk -v form=text -f '%s/utils/evl/series.awk' '%s' >'%s.read'", top, data_file(),
		 data_file());
	if (system(command))
		return -1;
	for (; *wanted; wanted++) {
		snprintf(command, sizeof(command), "grep -qxF -- '%s' '%s.read'", *wanted, data_file());
		if (!system(command))
			continue;
		t_diag("not read: %s", *wanted);
		wrong++;
	}

	return wrong;
}

/* A line of each cell: how many are not read. */
static int unread_cells(void)
{
	char line[NR_PUBLISHED][32];
	const char *wanted[NR_PUBLISHED + 1] = { };
	int us;

	for (us = 0; us < NR_PUBLISHED; us++) {
		snprintf(line[us], sizeof(line[us]), "%d\t%u", us, published[us]);
		wanted[us] = line[us];
	}

	return unread(wanted);
}

static void test_data_file(void)
{
	static const char *const alone[] = {
		"# period_us\t500", "# context\tkernel", "# priority\t91", "# cpu\t3", "# min\t0.500", "# max\t25.500",
		"# samples\t71598", "# p999\t13.510", "# cell_us\t1", NULL,
	};
	static const char *const beyond[] = { "# samples\t71600", "# outliers\t2", "# max\t40.000", NULL };
	unsigned int outliers;
	FILE *file;

	make_tree();
	for (outliers = 0; outliers <= 2; outliers += 2) {
		write_published(outliers);
		file = fopen(data_file(), "r");
		t_ok(file && !read_header(file, outliers), "%u outliers: the header has its lines, in order", outliers);
		t_ok(file && !read_cells(file, outliers), "%u outliers: cells ascend from 0, a + %s", outliers,
		     outliers ? "follows the last" : "is nowhere");
		t_ok(!unread(outliers ? beyond : alone) && !unread_cells(), "%u outliers: evl plot reads back what was written",
		     outliers);
		if (file)
			fclose(file);
	}
	unlink(in_tree("/data"));
	unlink(in_tree("/data.read"));
	remove_tree();
}

int main(void)
{
	t_plan(48);
	test_durations();
	test_cpus();
	test_lines();
	test_calibration();
	test_ends();
	test_data_file();

	return t_end();
}
