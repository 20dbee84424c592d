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
