/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of latmus: options, runs, figures, reports. */
#ifndef _EVL_UTILS_LATMUS_H
#define _EVL_UTILS_LATMUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <evl/devices/latmus.h>
#include "../common/tool.h"

/* Exit statuses beyond those of every tool. */
enum {
	STATUS_THRESHOLD = 10,
	STATUS_SWITCHED = 11
};

/* options.c */
enum mode { MODE_MEASURE, MODE_TUNE, MODE_RESET };

struct options {
	enum mode mode;
	bool reset;		/* also before a calibration */
	int context;		/* EVL_LAT_*, of a measurement */
	bool tune[EVL_LAT_LAST + 1];
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
	int argc;
	char **argv;
};

void parse_options(struct options *opt, int argc, char *argv[]);
const char *context_name(int context);

/* environment.c: where a measurement takes place */
struct environment {
	int cpu;
	bool isolated;
	bool cstates_restricted;
	char clocksource[64];
	const char *vdso;
	struct latmus_gravity gravity;
	time_t started;
};

int open_driver(void);
void choose_cpu(const struct options *opt, struct environment *env);
void survey(const struct options *opt, struct environment *env, int fd);

/*
 * figures.c: the outcome of a run. Cells are narrower than those of reports, for the sake of percentiles.
 */
#define MIN_SPAN_US	1000	/* the histogram covers at least this */
#define MAX_SPAN_US	LATMUS_MAX_HCELLS

struct figures {
	struct latmus_result result;
	struct latmus_spikes spikes;	/* the worst one first */
	uint64_t *cells;
	uint32_t nr_cells;
	uint32_t cell_ns;	/* a divisor of 1000 */
};

/* Chooses the cells: at least so many microseconds. */
void size_histogram(struct figures *fig, uint32_t span_us);

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

/* run.c */
struct run {
	int fd;
	const struct options *opt;
	const struct environment *env;
	struct figures fig;
	const char *taint;	/* reason not to trust the figures, or NULL */
	bool interrupted;	/* by a signal */
	int error;		/* of the responder, errno value */
};

struct run_limits {
	uint64_t warmup_ns;
	uint64_t duration_ns;	/* 0: none */
	uint64_t samples;	/* 0: none */
};

void block_signals(void);

/*
 * Measures a context. Intervals are handed to the report as they come. False if nothing could be
 * measured; a message was printed then.
 */
bool execute_run(struct run *run, int context, const struct run_limits *limits,
		 void (*on_interval)(struct run *run, const struct latmus_measurement *m));
void free_figures(struct figures *fig);

/* screen.c */
void announce(const struct run *run);
void print_interval(struct run *run, const struct latmus_measurement *m);
void print_interim(const struct run *run);
void print_summary(const struct run *run);

/* datafile.c, result-json.c */
void write_data_file(const struct run *run);
void write_json(const struct run *run);

/* tune.c */
int tune(const struct options *opt, struct environment *env, int fd);

#endif /* _EVL_UTILS_LATMUS_H */
