// SPDX-License-Identifier: GPL-2.0-only
/* Result as a JSON object, schema "evl-latmus" version 1: docs/latmus.md lists the keys. */
#include "latmus.h"

#define SCHEMA_VERSION	1
#define MAX_FINE_CELLS	2000

static const char *stopped_by(const struct run *run)
{
	if (run->monitor_error)
		return "monitor";
	if (run->interrupted)
		return "signal";
	switch (run->fig.result.stopped_by) {
	case LATMUS_STOPPED_MAXLAT:
		return "threshold";
	case LATMUS_STOPPED_SWITCH:
		return "mode_switch";
	case LATMUS_STOPPED_GONE:
		return "error";
	default:
		return "timeout";
	}
}

static void put_cpu(struct json *j, const char *key, int cpu)
{
	if (cpu < 0)
		json_null(j, key);
	else
		json_integer(j, key, cpu);
}

static void put_settings(struct json *j, const struct run *run)
{
	const struct environment *env = run->env;

	json_text(j, "context", context_name(run->opt->context));
	json_integer(j, "period_us", run->opt->period_us);
	json_integer(j, "priority", run->opt->priority);
	put_cpu(j, "cpu", env->cpu);
	put_cpu(j, "peer_cpu", env->peer_cpu);
	json_bool(j, "cpu_isolated", env->isolated);
	json_begin(j, "gravity_ns", '{');
	json_integer(j, "irq", env->gravity.irq);
	json_integer(j, "kernel", env->gravity.kernel);
	json_integer(j, "user", env->gravity.user);
	json_end(j, '}');
	json_text(j, "clocksource", env->clocksource);
	json_text(j, "vdso", env->vdso);
	json_bool(j, "cstates_restricted", env->cstates_restricted);
}

static void put_counts(struct json *j, const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;

	json_seconds(j, "elapsed_s", (double)r->elapsed / 1e9);
	json_seconds(j, "peak_at_s", (double)r->peak_at / 1e9);
	json_integer(j, "samples", (long long)r->samples);
	json_integer(j, "overruns", (long long)r->overruns);
	json_integer(j, "mode_switches", (long long)r->mode_switches);
	json_integer(j, "early", (long long)r->early);
	json_integer(j, "outliers", (long long)count_beyond(&run->fig, (uint32_t)run->opt->cells));
	json_integer(j, "min_ns", r->min_lat);
	json_integer(j, "avg_ns", average_ns(&run->fig));
	json_integer(j, "max_ns", r->max_lat);
	json_integer(j, "stddev_ns", deviation_ns(&run->fig));
}

static void put_percentiles(struct json *j, const struct figures *fig)
{
	int64_t ns;
	int i;

	json_begin(j, "percentiles_ns", '{');
	for (i = 0; i < NR_PERCENTILES; i++) {
		if (percentile_ns(fig, percentile_ranks[i], &ns))
			json_integer(j, percentile_names[i], ns);
		else
			json_null(j, percentile_names[i]);
	}
	json_end(j, '}');
}

static void begin_histogram(struct json *j, const char *key, uint32_t cell_ns, uint32_t first)
{
	json_begin(j, key, '{');
	json_text(j, "kind", "linear");
	json_integer(j, "cell_ns", cell_ns);
	json_integer(j, "first", first);
	json_begin(j, "counts", '[');
}

static void put_histogram(struct json *j, const struct run *run)
{
	uint32_t n, last = (uint32_t)run->opt->cells;

	while (last && !cell_count(&run->fig, last - 1))
		last--;
	begin_histogram(j, "histogram", 1000, 0);
	for (n = 0; n < last; n++)
		json_integer(j, NULL, (long long)cell_count(&run->fig, n));
	json_end(j, ']');
	json_end(j, '}');
}

static long long sum_cells(const struct figures *fig, uint32_t first, uint32_t count)
{
	long long sum = 0;
	uint32_t n;

	for (n = first; n < first + count && n < fig->nr_cells; n++)
		sum += (long long)fig->cells[n];

	return sum;
}

/*
 * The cells percentiles are made from, without the empty ones at either end; ten of them, or a hundred, as one
 * where there are too many to be looked at.
 */
static void put_fine_histogram(struct json *j, const struct figures *fig)
{
	uint32_t first = 0, last = fig->nr_cells, group = 1, n;

	while (last && !fig->cells[last - 1])
		last--;
	while (first < last && !fig->cells[first])
		first++;
	while ((last - first) / group > MAX_FINE_CELLS)
		group *= 10;
	begin_histogram(j, "histogram_fine", fig->cell_ns * group, first / group);
	for (n = first / group * group; n < last; n += group)
		json_integer(j, NULL, sum_cells(fig, n, group));
	json_end(j, ']');
	json_end(j, '}');
}

static void put_spikes(struct json *j, const struct figures *fig)
{
	uint32_t n;

	json_begin(j, "spikes", '[');
	for (n = 0; n < fig->nr_spikes; n++) {
		json_begin(j, NULL, '{');
		json_seconds(j, "at_s", (double)fig->spikes[n].at / 1e9);
		put_cpu(j, "cpu", fig->spikes[n].cpu);
		json_integer(j, "value_ns", fig->spikes[n].value);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void put_cpus(struct json *j, const struct run *runs, int nr)
{
	int n;

	json_begin(j, "cpus", '[');
	for (n = 0; n < nr; n++) {
		json_begin(j, NULL, '{');
		put_cpu(j, "cpu", runs[n].env->cpu);
		json_bool(j, "cpu_isolated", runs[n].env->isolated);
		put_counts(j, &runs[n]);
		put_percentiles(j, &runs[n].fig);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* The loggers of several runs share standard output. */
void write_json_second(struct run *run, const struct latmus_measurement *m)
{
	struct json j = { .out = stdout };

	flockfile(stdout);
	json_begin(&j, NULL, '{');
	json_begin(&j, "schema", '{');
	json_text(&j, "name", "evl-latmus-second");
	json_integer(&j, "version", SCHEMA_VERSION);
	json_end(&j, '}');
	json_integer(&j, "second", (long long)++run->intervals);
	put_cpu(&j, "cpu", run->env->cpu);
	json_integer(&j, "samples", m->samples);
	json_integer(&j, "overruns", m->overruns);
	json_integer(&j, "mode_switches", m->mode_switches);
	json_integer(&j, "min_ns", m->min_lat);
	json_integer(&j, "avg_ns", m->samples ? m->sum_lat / m->samples : 0);
	json_integer(&j, "max_ns", m->max_lat);
	json_end(&j, '}');
	putc('\n', stdout);
	fflush(stdout);
	funlockfile(stdout);
}

void write_json(const struct run *run, const struct run *runs, int nr)
{
	struct json j = { .out = open_result(run->opt->json_file, run->opt->overwrite) };

	json_begin(&j, NULL, '{');
	json_provenance(&j, "evl-latmus", SCHEMA_VERSION, run->opt->argc, run->opt->argv);
	put_settings(&j, run);
	if (run->opt->timeout_s)
		json_integer(&j, "requested_s", run->opt->timeout_s);
	else
		json_null(&j, "requested_s");
	put_counts(&j, run);
	put_percentiles(&j, &run->fig);
	put_histogram(&j, run);
	put_fine_histogram(&j, &run->fig);
	put_spikes(&j, &run->fig);
	if (nr)
		put_cpus(&j, runs, nr);
	json_text(&j, "stopped_by", stopped_by(run));
	json_bool(&j, "tainted", run->taint != NULL);
	json_text(&j, "taint_reason", run->taint);
	json_null(&j, "load");
	json_end(&j, '}');
	putc('\n', j.out);
	close_result(j.out, run->opt->json_file);
}
