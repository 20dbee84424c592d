// SPDX-License-Identifier: GPL-2.0-only
/* The histogram in the form gnuplot reads. */
#include "latmus.h"
#include <inttypes.h>
#include <evl/evl.h>

static void print_file_line(FILE *out, const char *path)
{
	char line[4096];

	fprintf(out, "# %s\n", tool_read_line(path, line, sizeof(line)) ? line : "unknown");
}

static void print_started(FILE *out, time_t started)
{
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", localtime_r(&started, &tm));
	fprintf(out, "# test started on: %s\n", text);
}

static void print_settings(FILE *out, const struct run *run)
{
	const struct environment *env = run->env;

	fprintf(out, "# libevl version: %s\n", evl_get_version().version_string);
	fprintf(out, "# sampling period: %ld microseconds\n", run->opt->period_us);
	fprintf(out, "# clock gravity: %ui %uk %uu\n", env->gravity.irq, env->gravity.kernel, env->gravity.user);
	fprintf(out, "# clocksource: %s\n", env->clocksource);
	fprintf(out, "# vDSO access: %s\n", env->vdso);
	fprintf(out, "# context: %s\n", context_name(run->opt->context));
	fprintf(out, "# thread priority: %ld\n", run->opt->priority);
	fprintf(out, "# thread affinity: %s\n", env->place);
	fprintf(out, "# C-state: %s\n", env->cstates_restricted ? "restricted" : "unrestricted");
}

static void print_percentiles(FILE *out, const struct figures *fig)
{
	int64_t ns;
	int i;

	fputs("# percentiles:", out);
	for (i = 0; i < NR_PERCENTILES; i++) {
		if (percentile_ns(fig, percentile_ranks[i], &ns))
			fprintf(out, " p%s %.3f", percentile_names[i], (double)ns / 1000);
		else
			fprintf(out, " p%s -", percentile_names[i]);
	}
	putc('\n', out);
}

static void print_figures(FILE *out, const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;
	uint64_t beyond = count_beyond(&run->fig, (uint32_t)run->opt->cells);

	fprintf(out, "# duration (hhmmss): %s\n", tool_hms(r->elapsed / 1000000000));
	fprintf(out, "# peak (hhmmss): %s\n", tool_hms(r->peak_at / 1000000000));
	fprintf(out, "# min latency: %.3f\n", r->min_lat / 1000.0);
	fprintf(out, "# avg latency: %.3f\n", (double)average_ns(&run->fig) / 1000);
	fprintf(out, "# max latency: %.3f\n", r->max_lat / 1000.0);
	fprintf(out, "# sample count: %" PRIu64 "\n", (uint64_t)r->samples);
	print_percentiles(out, &run->fig);
	if (beyond)
		fprintf(out, "# outliers: %" PRIu64 "\n", beyond);
	if (run->taint)
		fprintf(out, "# tainted: %s\n", run->taint);
}

static void print_cells(FILE *out, const struct run *run)
{
	uint32_t n, last, cells = (uint32_t)run->opt->cells;

	for (last = cells; last > 1 && !cell_count(&run->fig, last - 1); last--)
		;
	for (n = 0; n < last; n++)
		fprintf(out, "%u %" PRIu64 "%s\n", n, cell_count(&run->fig, n),
			n == last - 1 && count_beyond(&run->fig, cells) ? "+" : "");
}

/* What "cyclictest -h" prints, of one thread; whole microseconds. */
static void print_as_cyclictest(FILE *out, const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;
	uint32_t n, cells = (uint32_t)run->opt->cells;

	fputs("# Histogram\n", out);
	for (n = 0; n < cells; n++)
		fprintf(out, "%06u %06" PRIu64 "\n", n, cell_count(&run->fig, n));
	fprintf(out, "# Total: %09" PRIu64 "\n", (uint64_t)r->samples - count_beyond(&run->fig, cells));
	fprintf(out, "# Min Latencies: %05d\n", r->min_lat / 1000);
	fprintf(out, "# Avg Latencies: %05" PRId64 "\n", average_ns(&run->fig) / 1000);
	fprintf(out, "# Max Latencies: %05d\n", r->max_lat / 1000);
	fprintf(out, "# Histogram Overflows: %05" PRIu64 "\n", count_beyond(&run->fig, cells));
}

void print_data(FILE *out, const struct run *run)
{
	if (run->opt->foreign) {
		print_as_cyclictest(out, run);
		return;
	}
	print_started(out, run->env->started);
	print_file_line(out, "/proc/version");
	print_file_line(out, "/proc/cmdline");
	print_settings(out, run);
	print_figures(out, run);
	print_cells(out, run);
}

void write_data_file(const struct run *run)
{
	FILE *out = open_result(run->opt->plot_file, run->opt->overwrite);

	print_data(out, run);
	close_result(out, run->opt->plot_file);
}
