// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics out of a histogram. The cells hold all samples but the outliers, negative ones in the first.
 *
 * Percentile p of N samples is the one of rank ceil(N * p / 100): upper edge of the first cell whose running
 * sum reaches that rank, or the maximum if the rank falls among the outliers.
 */
#include "latmus.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_ABOVE	10	/* samples above, for a percentile to mean something */

const double percentile_ranks[NR_PERCENTILES] = { 50, 90, 95, 99, 99.9, 99.99, 99.999 };
const char *const percentile_names[NR_PERCENTILES] = { "50", "90", "95", "99", "99.9", "99.99", "99.999" };

void size_histogram(struct figures *fig, uint32_t span_us)
{
	if (span_us < MIN_SPAN_US)
		span_us = MIN_SPAN_US;
	for (fig->cell_ns = 10; fig->cell_ns < 1000; fig->cell_ns *= 10)
		if (span_us * (1000 / fig->cell_ns) <= LATMUS_MAX_HCELLS)
			break;
	fig->nr_cells = span_us * (1000 / fig->cell_ns);
}

void make_cells(struct figures *fig)
{
	free(fig->cells);
	fig->cells = calloc(fig->nr_cells, sizeof(*fig->cells));
	if (!fig->cells)
		tool_die(STATUS_FAILED, "out of memory");
	memset(&fig->result, 0, sizeof(fig->result));
	fig->nr_spikes = 0;
}

/* Sorted by insertion: there are ten. */
void add_spike(struct figures *fig, int64_t at, int32_t value, int cpu)
{
	uint32_t n = fig->nr_spikes;

	if (n == LATMUS_NR_SPIKES && fig->spikes[n - 1].value >= value)
		return;
	if (n == LATMUS_NR_SPIKES)
		n--;
	else
		fig->nr_spikes++;
	for (; n && fig->spikes[n - 1].value < value; n--)
		fig->spikes[n] = fig->spikes[n - 1];
	fig->spikes[n] = (struct spike) { .at = at, .value = value, .cpu = cpu };
}

static void count_cell(struct figures *fig, int64_t ns)
{
	uint64_t cell = ns < 0 ? 0 : (uint64_t)ns / fig->cell_ns;

	if (cell < fig->nr_cells)
		fig->cells[cell]++;
	else
		fig->result.outliers++;
}

void count_sample(struct figures *fig, int64_t ns, int64_t at, int cpu)
{
	struct latmus_result *r = &fig->result;

	if (!r->samples || ns < r->min_lat)
		r->min_lat = (int32_t)ns;
	if (!r->samples || ns > r->max_lat) {
		r->max_lat = (int32_t)ns;
		r->peak_at = (uint64_t)at;
	}
	r->samples++;
	r->sum_lat += ns;
	r->early += ns < 0;
	count_cell(fig, ns);
	add_spike(fig, at, (int32_t)ns, cpu);
}

static void add_results(struct latmus_result *sum, const struct latmus_result *r)
{
	if (r->samples && (!sum->samples || r->min_lat < sum->min_lat))
		sum->min_lat = r->min_lat;
	if (r->samples && (!sum->samples || r->max_lat > sum->max_lat)) {
		sum->max_lat = r->max_lat;
		sum->peak_at = r->peak_at;
	}
	sum->samples += r->samples;
	sum->sum_lat += r->sum_lat;
	sum->early += r->early;
	sum->outliers += r->outliers;
	sum->overruns += r->overruns;
	sum->mode_switches += r->mode_switches;
	sum->elapsed = r->elapsed > sum->elapsed ? r->elapsed : sum->elapsed;
}

void add_figures(struct figures *sum, const struct figures *fig)
{
	uint32_t n;

	add_results(&sum->result, &fig->result);
	for (n = 0; n < fig->nr_cells; n++)
		sum->cells[n] += fig->cells[n];
	for (n = 0; n < fig->nr_spikes; n++)
		add_spike(sum, fig->spikes[n].at, fig->spikes[n].value, fig->spikes[n].cpu);
}

/* In integers: a rank must not depend on rounding. Ranks are given to a thousandth of a percent. */
static uint64_t rank_of(uint64_t samples, double percent)
{
	uint64_t thousandths = (uint64_t)llround(percent * 1000);

	return (uint64_t)(((unsigned __int128)samples * thousandths + 99999) / 100000);
}

bool percentile_ns(const struct figures *fig, double percent, int64_t *ns)
{
	uint64_t rank = rank_of(fig->result.samples, percent), sum = 0;
	uint32_t n;

	if (fig->result.samples < rank + MIN_ABOVE)
		return false;

	*ns = fig->result.max_lat;
	for (n = 0; n < fig->nr_cells; n++) {
		sum += fig->cells[n];
		if (sum >= rank) {
			*ns = (int64_t)(n + 1) * fig->cell_ns;
			break;
		}
	}
	/* The upper edge of the last cell in use lies beyond the maximum. */
	if (*ns > fig->result.max_lat)
		*ns = fig->result.max_lat;

	return true;
}

int64_t average_ns(const struct figures *fig)
{
	const struct latmus_result *r = &fig->result;

	return r->samples ? llround((double)r->sum_lat / (double)r->samples) : 0;
}

/* From the centres of cells; an outlier counts as the maximum. */
int64_t deviation_ns(const struct figures *fig)
{
	double average = (double)average_ns(fig), d, sum = 0;
	uint32_t n;

	if (!fig->result.samples)
		return 0;
	for (n = 0; n < fig->nr_cells; n++) {
		d = ((double)n + 0.5) * fig->cell_ns - average;
		sum += d * d * (double)fig->cells[n];
	}
	d = (double)fig->result.max_lat - average;
	sum += d * d * (double)fig->result.outliers;

	return llround(sqrt(sum / (double)fig->result.samples));
}

uint64_t cell_count(const struct figures *fig, uint32_t us)
{
	uint32_t n, per_us = 1000 / fig->cell_ns, first = us * per_us;
	uint64_t sum = 0;

	for (n = first; n < first + per_us && n < fig->nr_cells; n++)
		sum += fig->cells[n];

	return sum;
}

uint64_t count_beyond(const struct figures *fig, uint32_t us)
{
	uint64_t sum = fig->result.outliers;
	uint32_t n;

	for (n = us * (1000 / fig->cell_ns); n < fig->nr_cells; n++)
		sum += fig->cells[n];

	return sum;
}

void free_figures(struct figures *fig)
{
	free(fig->cells);
	fig->cells = NULL;
	fig->nr_cells = 0;
}
