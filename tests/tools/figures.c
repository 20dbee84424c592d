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

/* As the driver counts. */
static void count(struct figures *fig, int64_t ns, uint64_t times)
{
	uint64_t cell = ns < 0 ? 0 : (uint64_t)ns / fig->cell_ns;

	if (cell < fig->nr_cells)
		fig->cells[cell] += times;
	else
		fig->result.outliers += times;
	if (!fig->result.samples || ns > fig->result.max_lat)
		fig->result.max_lat = (int32_t)ns;
	fig->result.samples += times;
	fig->result.sum_lat += ns * (int64_t)times;
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

int main(void)
{
	t_plan(10);
	test_cells();
	test_percentiles();
	test_few();

	return t_end();
}
