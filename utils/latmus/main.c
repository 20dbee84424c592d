// SPDX-License-Identifier: GPL-2.0-only
/*
 * latmus: how late does the core serve a timer? Measures interrupt handlers, kernel threads and application
 * threads through the driver, and calibrates the clock of the core.
 */
#include "latmus.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The one JSON object is all that goes there. */
static bool quiet_stdout(const struct options *opt)
{
	return opt->json && !opt->json_file;
}

static void reset_gravity(int fd)
{
	if (ioctl(fd, EVL_LATIOC_RESET))
		tool_die(tool_status_of(errno), "cannot reset the calibration: %s%s", strerror(errno),
			 errno == EPERM ? "; run latmus as root" : "");
}

/* "runs" are those which "run" is the sum of; none if nr is 0. */
static int conclude(const struct run *run, const struct run *runs, int nr)
{
	const struct options *opt = run->opt;
	const struct latmus_result *r = &run->fig.result;

	if (r->stopped_by == LATMUS_STOPPED_MAXLAT)
		fprintf(stderr, "stopped: %.3f us exceed the threshold of %ld us\n", r->max_lat / 1000.0, opt->max_lat_us);
	if (r->stopped_by == LATMUS_STOPPED_SWITCH)
		tool_warn("the responder was switched in-band, its figures would mean nothing; -K to go on");
	if (!quiet_stdout(opt)) {
		if (nr)
			print_cpu_summaries(runs, nr);
		print_summary(run);
	}
	if (opt->plot)
		write_data_file(run);
	if (opt->json)
		write_json(run, runs, nr);
	drop_checkpoint(opt);

	if (run->monitor_error)
		return STATUS_MONITOR;
	switch (r->stopped_by) {
	case LATMUS_STOPPED_MAXLAT:
		return STATUS_THRESHOLD;
	case LATMUS_STOPPED_SWITCH:
		return STATUS_SWITCHED;
	case LATMUS_STOPPED_GONE:
		return STATUS_FAILED;
	default:
		return STATUS_OK;
	}
}

/* What ended the first run that did not take its time ended all. */
static void add_up(struct run *sum, const struct run *runs, int nr)
{
	int n;

	make_cells(&sum->fig);
	sum->fig.result.stopped_by = runs->fig.result.stopped_by;
	for (n = nr - 1; n >= 0; n--) {
		add_figures(&sum->fig, &runs[n].fig);
		sum->taint = runs[n].taint ?: sum->taint;
		sum->interrupted |= runs[n].interrupted;
		if (runs[n].fig.result.stopped_by > LATMUS_STOPPED_SAMPLES)
			sum->fig.result.stopped_by = runs[n].fig.result.stopped_by;
	}
}

static bool measure_all(struct run *sum, struct run **runs, int *nr, const struct run_limits *limits)
{
	struct environment *all;
	int n;

	*nr = spread(sum->env, &all);
	*runs = calloc((size_t)*nr, sizeof(**runs));
	if (!*runs)
		tool_die(STATUS_FAILED, "out of memory");
	for (n = 0; n < *nr; n++) {
		(*runs)[n] = *sum;
		(*runs)[n].env = &all[n];
		(*runs)[n].fd = n ? open_driver() : sum->fd;
	}
	if (!execute_runs(*runs, *nr, sum->opt->context, limits))
		return false;
	add_up(sum, *runs, *nr);

	return true;
}

static bool measure_one(struct run *run, const struct run_limits *limits)
{
	int context = run->opt->context;

	if (run->opt->monitor)
		return execute_gpio(run, context, limits);
	if (context > EVL_LAT_LAST)
		return execute_exchange(run, context, limits);

	return execute_runs(run, 1, context, limits);
}

static int measure(const struct options *opt, const struct environment *env, int fd)
{
	struct run run = { .fd = fd, .opt = opt, .env = env }, *runs = NULL;
	struct run_limits limits = {
		.warmup_ns = (uint64_t)opt->warmup_ms * 1000000,
		.duration_ns = (uint64_t)opt->timeout_s * 1000000000,
		.samples = (uint64_t)opt->samples,
	};
	int nr = 0;

	if (opt->json_lines)
		run.on_interval = write_json_second;
	else if (!quiet_stdout(opt))
		run.on_interval = print_interval;
	size_histogram(&run.fig, (uint32_t)opt->cells);
	begin_trace(opt);
	announce(&run);
	if (!(opt->smp ? measure_all(&run, &runs, &nr, &limits) : measure_one(&run, &limits)))
		return STATUS_FAILED;
	if (run.fig.result.stopped_by == LATMUS_STOPPED_MAXLAT)
		catch_peak(opt, env);

	return conclude(&run, runs, nr);
}

int main(int argc, char *argv[])
{
	struct environment env = { };
	struct options opt;
	int fd;

	tool_name = "latmus";
	parse_options(&opt, argc, argv);
	if (opt.plot)
		check_result_path(opt.plot_file, opt.overwrite);
	if (opt.json)
		check_result_path(opt.json_file, opt.overwrite);
	check_checkpoint(&opt);
	if (opt.background && daemon(1, 1))
		tool_die(STATUS_FAILED, "cannot detach: %s", strerror(errno));

	block_signals();
	fd = opt.context == CONTEXT_INBAND_GPIO && !opt.reset ? -1 : open_driver();
	if (opt.reset)
		reset_gravity(fd);
	if (opt.mode == MODE_RESET)
		return STATUS_OK;
	survey(&opt, &env, fd);

	return opt.mode == MODE_TUNE ? tune(&opt, &env, fd) : measure(&opt, &env, fd);
}
