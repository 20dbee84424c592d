/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of latmus: options, runs, figures, reports. */
#ifndef _EVL_UTILS_LATMUS_H
#define _EVL_UTILS_LATMUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <evl/devices/latmus.h>
#include "../common/gpio-line.h"
#include "../common/tool.h"

/* Exit statuses beyond those of every tool. */
enum {
	STATUS_THRESHOLD = 10,
	STATUS_SWITCHED = 11,
	STATUS_MONITOR = 12
};

/* What the driver does not measure; latmus_setup.type has no such value. */
enum {
	CONTEXT_CTXSW = EVL_LAT_LAST + 1,	/* two threads pass a token, one CPU */
	CONTEXT_XCPU,				/* two CPUs */
	CONTEXT_OOB_GPIO,			/* a thread of the core answers on a line */
	CONTEXT_INBAND_GPIO			/* a plain one does */
};

/* options.c */
enum mode { MODE_MEASURE, MODE_TUNE, MODE_RESET };

struct options {
	enum mode mode;
	bool reset;		/* also before a calibration */
	int context;		/* EVL_LAT_* or CONTEXT_*, of a measurement */
	bool smp;		/* on all CPUs of the core at a time */
	long peer_cpu;		/* of --xcpu; -1: to be chosen */
	const char *monitor, *monitor_port;	/* of a GPIO run */
	struct line_spec gpio_in, gpio_out;
	bool tune[EVL_LAT_LAST + 1];
	bool save;		/* keep the calibration */
	long period_us;
	long priority;
	long cpu;		/* -1: to be chosen */
	bool force_cpu;
	long timeout_s;		/* 0: none */
	long samples;		/* 0: no limit */
	long max_lat_us;	/* 0: no limit */
	bool keep_going;
	int verbose;		/* 0: final report only */
	bool background;
	long lines;
	bool plot;
	const char *plot_file;	/* NULL: stdout */
	long cells;
	bool json;
	const char *json_file;	/* NULL: stdout */
	bool overwrite;
	bool default_system;	/* leave idle states alone */
	bool freeze_trace;
	long warmup_ms;
	bool auto_trace;
	bool json_lines;
	bool foreign;		/* the histogram is to be in the form of cyclictest */
	long checkpoint_s;	/* 0: none; -1: what suits the run */
	int argc;
	char **argv;
};

void parse_options(struct options *opt, int argc, char *argv[]);
const char *context_name(int context);

/* environment.c: where a measurement takes place */
struct environment {
	int cpu;		/* -1: several */
	int peer_cpu;		/* of --xcpu, else -1 */
	bool isolated;
	bool cstates_restricted;
	char clocksource[64];
	const char *vdso;
	struct latmus_gravity gravity;
	time_t started;
	char place[1100];	/* for people: the CPUs, and whether they are isolated */
};

int open_driver(void);
void choose_cpu(const struct options *opt, struct environment *env);

/* The same environment on each CPU of the core; how many there are. The array is the caller's. */
int spread(const struct environment *env, struct environment **all);
/* An fd of -1: without the driver. */
void survey(const struct options *opt, struct environment *env, int fd);

/*
 * figures.c: the outcome of a run. Cells are narrower than those of reports, for the sake of percentiles.
 */
#define MIN_SPAN_US	1000	/* the histogram covers at least this */
#define MAX_SPAN_US	LATMUS_MAX_HCELLS

struct spike {
	int64_t at;		/* ns from the end of the warm-up */
	int32_t value;
	int cpu;
};

struct figures {
	struct latmus_result result;
	struct spike spikes[LATMUS_NR_SPIKES];	/* the worst one first */
	uint32_t nr_spikes;
	uint64_t *cells;
	uint32_t nr_cells;
	uint32_t cell_ns;	/* a divisor of 1000 */
};

/* Chooses the cells: at least so many microseconds. */
void size_histogram(struct figures *fig, uint32_t span_us);

/* Forgets what there is, but the size. */
void make_cells(struct figures *fig);
void add_spike(struct figures *fig, int64_t at, int32_t value, int cpu);

/* A sample which the driver has no part in; touches no memory but that of the figures. */
void count_sample(struct figures *fig, int64_t ns, int64_t at, int cpu);

/* Adds up runs of the same cells which went on at the same time. */
void add_figures(struct figures *sum, const struct figures *fig);

#define NR_PERCENTILES	7
extern const double percentile_ranks[NR_PERCENTILES];
extern const char *const percentile_names[NR_PERCENTILES];

/* False if fewer than ten samples lie above: the figure would be invented. */
bool percentile_ns(const struct figures *fig, double percent, int64_t *ns);
int64_t average_ns(const struct figures *fig);
int64_t deviation_ns(const struct figures *fig);

/* Count in the report's cell [us, us + 1); what lies at or beyond "us". */
uint64_t cell_count(const struct figures *fig, uint32_t us);
uint64_t count_beyond(const struct figures *fig, uint32_t us);

/* watch.c */
enum happening { HAPPENED_NOTHING, HAPPENED_OVER, HAPPENED_QUESTION, HAPPENED_INTERRUPT, HAPPENED_DEADLINE };

struct watch {
	pthread_t waiter;
	struct timespec deadline;
	bool limited;
};

void block_signals(void);
void begin_watch(struct watch *w, uint64_t ns);
enum happening await_happening(const struct watch *w, uint64_t tick_ns);
void tell_over(const struct watch *w);
void end_watch(void);

/* run.c */
struct run {
	int fd;
	const struct options *opt;
	const struct environment *env;
	/* Told about each interval, by a thread of the run; may be NULL. */
	void (*on_interval)(struct run *run, const struct latmus_measurement *m);
	struct figures fig;
	const char *taint;	/* reason not to trust the figures, or NULL */
	bool interrupted;	/* by a signal */
	int error;		/* of the responder, errno value */
	int monitor_error;	/* why it was lost, errno value */

	/* While it goes on. */
	const struct watch *watch;
	pthread_t logger, responder;
	bool over, dead_clock;
	bool cut_short;		/* by the end of another one */

	/* Of the screen. */
	uint64_t intervals;
	bool best_known;
	int32_t best, worst;
};

struct run_limits {
	uint64_t warmup_ns;
	uint64_t duration_ns;	/* 0: none */
	uint64_t samples;	/* 0: none */
};

/* Samples after which a run ends, 0: none. */
uint64_t samples_wanted(const struct run *run, const struct run_limits *limits);
void lock_memory(void);
void start_fifo_thread(pthread_t *thread, int cpu, long priority, void *(*body)(void *), void *arg);

/* Measures a context, on several CPUs at a time. False if nothing could be measured; a message was printed then. */
bool execute_runs(struct run *runs, int nr, int context, const struct run_limits *limits);

/* exchange.c: the same with two threads which pass a token. */
bool execute_exchange(struct run *run, int context, const struct run_limits *limits);

/* gpio.c: the same with a monitor; exits with STATUS_MONITOR if there is none. */
bool execute_gpio(struct run *run, int context, const struct run_limits *limits);
void free_figures(struct figures *fig);

/* screen.c */
void announce(const struct run *run);
void print_interval(struct run *run, const struct latmus_measurement *m);
void print_interim(const struct run *run);
void print_cpu_summaries(const struct run *runs, int nr);
void print_summary(const struct run *run);

/* datafile.c, result-json.c */
void print_data(FILE *out, const struct run *run);
void write_data_file(const struct run *run);
/* "runs" are those which "run" is the sum of, one a CPU; none if nr is 0. */
void write_json_second(struct run *run, const struct latmus_measurement *m);
void write_json(const struct run *run, const struct run *runs, int nr);

/* trace.c */
void begin_trace(const struct options *opt);
/* The threshold ended the measurement. */
void catch_peak(const struct options *opt, const struct environment *env);

/* checkpoint.c */
void settle_checkpoint(struct options *opt);
void check_checkpoint(const struct options *opt);
void save_checkpoint(const struct run *runs, int nr);
void drop_checkpoint(const struct options *opt);

/* tune.c */
int tune(const struct options *opt, struct environment *env, int fd);

#endif /* _EVL_UTILS_LATMUS_H */
