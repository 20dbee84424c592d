// SPDX-License-Identifier: GPL-2.0-only
/*
 * property: cells, percentiles and averages of latmus follow from the histogram by the rules of docs/latmus.md.
 * Needs no core: run by make check.
 */
#include <stdlib.h>
#include <string.h>
#include "../../utils/latmus/latmus.h"
#include "../helpers.h"

/* A published run: samples per microsecond. */
static const unsigned int published[] = {
	95, 25561, 18747, 2677, 6592, 17056, 664, 48, 18, 12, 18, 24, 14, 2, 6, 5, 5, 6, 23, 17, 3, 1, 1, 1, 1, 1,
};

#define NR_PUBLISHED	(sizeof(published) / sizeof(published[0]))

static void fill(struct figures *fig, uint32_t span)
{
	memset(fig, 0, sizeof(*fig));
	size_histogram(fig, span);
	fig->cells = calloc(fig->nr_cells, sizeof(*fig->cells));
}

static void count(struct figures *fig, int64_t ns, uint64_t times)
{
	while (times--)
		count_sample(fig, ns, 0, 0);
}

static void test_cells(void)
{
	struct figures fig;
	uint64_t sum = 0;
	uint32_t us;
	int n;

	fill(&fig, 200);
	count(&fig, 999, 1);
	count(&fig, 1000, 1);
	count(&fig, 1999, 1);
	count(&fig, -5, 1);
	t_ok(cell_count(&fig, 0) == 2 && cell_count(&fig, 1) == 2, "999 and -5 ns are in cell 0, 1000 and 1999 in cell 1");
	count(&fig, 200000, 1);
	count(&fig, 5000000, 1);
	t_ok(count_beyond(&fig, 200) == 2, "200 us and 5 ms lie beyond 200 cells");
	free_figures(&fig);

	fill(&fig, 200);
	for (n = 0; n < 100000; n++)
		count(&fig, random() % 3000000 - 1000, 1);
	for (us = 0; us < 200; us++)
		sum += cell_count(&fig, us);
	t_ok(sum + count_beyond(&fig, 200) == fig.result.samples, "cells and the rest make up the samples");
	free_figures(&fig);
}

static void test_percentiles(void)
{
	static const int64_t wanted[NR_PERCENTILES] = { 3000, 6000, 6000, 7000, 14000, 0, 0 };
	struct figures fig;
	int64_t ns, average;
	size_t us;
	int n, wrong = 0;

	/* At the upper end of each microsecond, where the rule puts the answer. */
	fill(&fig, 200);
	for (us = 0; us < NR_PUBLISHED; us++)
		count(&fig, (int64_t)us * 1000 + 999, published[us]);
	t_ok(fig.result.samples == 71598, "the published histogram has 71598 samples");
	for (n = 0; n < NR_PERCENTILES; n++) {
		bool given = percentile_ns(&fig, percentile_ranks[n], &ns);

		if (given == (wanted[n] != 0) && (!given || ns == wanted[n]))
			continue;
		t_diag("p%s: %lld, given %d", percentile_names[n], (long long)ns, given);
		wrong++;
	}
	t_ok(!wrong, "its percentiles are those published, the last two not given");
	average = average_ns(&fig);
	t_ok(average > 3097 && average < 4097, "its average is within one cell (%lld)", (long long)average);
	free_figures(&fig);
}

static void test_few(void)
{
	struct figures fig;
	int64_t ns = 0;
	int n;

	fill(&fig, 200);
	t_ok(!percentile_ns(&fig, 50, &ns) && !average_ns(&fig) && !deviation_ns(&fig), "no samples, no figures");
	for (n = 1; n <= 1000; n++)
		count(&fig, n * 100, 1);
	t_ok(percentile_ns(&fig, 99, &ns) && ns == 99010, "p99 of 1000 samples has ten above");
	t_ok(!percentile_ns(&fig, 99.9, &ns), "p99.9 has not");
	for (n = 0; n < 100; n++)
		count(&fig, 50000000, 1);
	t_ok(percentile_ns(&fig, 95, &ns) && ns == 50000000, "a rank among the outliers is the maximum");
	free_figures(&fig);
}

/* Two runs of which one has the extremes, another the samples. */
static void test_sum(void)
{
	struct figures a, b, sum;
	uint32_t n, wrong = 0;

	fill(&a, 200);
	fill(&b, 200);
	fill(&sum, 200);
	for (n = 0; n < 20; n++) {
		count_sample(&a, 1000 + n, n, 1);
		count_sample(&b, n % 2 ? 500 - (int)n * 100 : 5000 + (int)n, n, 2);
	}
	count_sample(&a, 9000000, 77, 1);
	a.result.elapsed = 5;
	b.result.elapsed = 3;
	add_figures(&sum, &a);
	add_figures(&sum, &b);
	t_ok(sum.result.samples == 41 && sum.result.sum_lat == a.result.sum_lat + b.result.sum_lat &&
	     sum.result.early == 7 && sum.result.outliers == 1 && sum.result.elapsed == 5, "a sum has the counts of both");
	t_ok(sum.result.min_lat == -1400 && sum.result.max_lat == 9000000 && sum.result.peak_at == 77,
	     "and the extremes of either (%d, %d)", sum.result.min_lat, sum.result.max_lat);
	for (n = 0; n < sum.nr_cells; n++)
		wrong += sum.cells[n] != a.cells[n] + b.cells[n];
	t_ok(!wrong, "cell by cell");
	for (n = 1; n < sum.nr_spikes; n++)
		wrong += sum.spikes[n].value > sum.spikes[n - 1].value;
	t_ok(sum.nr_spikes == LATMUS_NR_SPIKES && !wrong && sum.spikes[0].cpu == 1 && sum.spikes[0].at == 77 &&
	     sum.spikes[1].cpu == 2 && sum.spikes[9].value >= 5002, "the ten worst, the worst first, with their CPU");
	free_figures(&a);
	free_figures(&b);
	free_figures(&sum);
}

int main(void)
{
	t_plan(14);
	test_cells();
	test_percentiles();
	test_few();
	test_sum();

	return t_end();
}
