// SPDX-License-Identifier: GPL-2.0-only
/* Reports on the terminal: tagged lines to stdout, everything else to stderr. */
#include "latmus.h"
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMN_TITLES	"RTH|----lat min|----lat avg|----lat max|-overrun|---msw|---lat best|--lat worst"
#define RULE		"---|-----------|-----------|-----------|--------|------|-------------------------"

static struct {
	uint64_t intervals;
	long lines;		/* on this page */
	bool best_known;
	int32_t best, worst;
} page;

static const char *isolation(const struct run *run)
{
	return run->env->isolated ? "" : "-noisol";
}

void announce(const struct run *run)
{
	const struct options *opt = run->opt;

	if (!opt->verbose && opt->timeout_s)
		fprintf(stderr, "warming up on CPU%d%s, then silent for %s\n", run->env->cpu, isolation(run),
			tool_hms((uint64_t)opt->timeout_s));
	else
		fprintf(stderr, "warming up on CPU%d%s for %ld ms...\n", run->env->cpu, isolation(run),
			opt->warmup_ms);
}

static void print_page_header(const struct run *run)
{
	const struct options *opt = run->opt;

	printf("RTT|  %s  (%s, %ld us period, priority %ld, CPU%d%s)\n", tool_hms(page.intervals),
	       context_name(opt->context), opt->period_us, opt->priority, run->env->cpu, isolation(run));
	puts(COLUMN_TITLES);
	page.lines = 0;
}

static void note_extremes(const struct latmus_measurement *m)
{
	if (!m->samples)
		return;
	if (!page.best_known || m->min_lat < page.best)
		page.best = m->min_lat;
	if (!page.best_known || m->max_lat > page.worst)
		page.worst = m->max_lat;
	page.best_known = true;
}

static double us(double ns)
{
	return ns / 1000;
}

/* Rewritten in place, on a terminal only. */
static void print_progress(const struct run *run)
{
	const struct options *opt = run->opt;
	uint64_t left;

	if (!opt->timeout_s || !isatty(STDERR_FILENO))
		return;
	left = page.intervals < (uint64_t)opt->timeout_s ? (uint64_t)opt->timeout_s - page.intervals : 0;
	fprintf(stderr, "\r%3" PRIu64 "%%, %s left, max %.3f us ", 100 - left * 100 / (uint64_t)opt->timeout_s,
		tool_hms(left), us(page.worst));
}

void print_interval(struct run *run, const struct latmus_measurement *m)
{
	const struct options *opt = run->opt;

	note_extremes(m);
	page.intervals++;
	if (!opt->verbose) {
		print_progress(run);
		return;
	}
	if (page.intervals == 1 || (opt->lines && page.lines == opt->lines))
		print_page_header(run);
	page.lines++;
	printf("RTD|%11.3f|%11.3f|%11.3f|%8u|%6u|%11.3f|%11.3f\n", us(m->min_lat),
	       m->samples ? us((double)m->sum_lat / m->samples) : 0, us(m->max_lat), m->overruns,
	       m->mode_switches, us(page.best), us(page.worst));
	fflush(stdout);
}

static void print_percentiles(const struct figures *fig)
{
	int64_t ns;
	int i;

	fputs("RTP|", stdout);
	for (i = 0; i < NR_PERCENTILES; i++) {
		if (percentile_ns(fig, percentile_ranks[i], &ns))
			printf("  p%s %.3f", percentile_names[i], us((double)ns));
		else
			printf("  p%s -", percentile_names[i]);
	}
	putchar('\n');
}

/* Asked for by SIGUSR1. */
void print_interim(const struct run *run)
{
	struct latmus_result r = { };

	if (ioctl(run->fd, EVL_LATIOC_PEEK, &r) || !r.samples)
		return;
	fprintf(stderr, "so far: min %.3f avg %.3f max %.3f us, %" PRIu64 " samples, %" PRIu64 " overruns, %" PRIu64
		" switches in-band in %s\n", us(r.min_lat), us((double)r.sum_lat / (double)r.samples), us(r.max_lat),
		(uint64_t)r.samples, (uint64_t)r.overruns, (uint64_t)r.mode_switches, tool_hms(r.elapsed / 1000000000));
}

void print_summary(const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;
	uint64_t elapsed = (r->elapsed + 500000000) / 1000000000;
	uint64_t requested = run->opt->timeout_s ? (uint64_t)run->opt->timeout_s : elapsed;

	if (!run->opt->verbose && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (!page.lines)
		puts(COLUMN_TITLES);
	puts(RULE);
	printf("RTS|%11.3f|%11.3f|%11.3f|%8" PRIu64 "|%6" PRIu64 "|    %s/%s%s\n", us(r->min_lat),
	       us((double)average_ns(&run->fig)), us(r->max_lat), (uint64_t)r->overruns, (uint64_t)r->mode_switches,
	       tool_hms(elapsed), tool_hms(requested), run->taint ? " TAINTED" : "");
	print_percentiles(&run->fig);
	if (r->early)
		fprintf(stderr, "%" PRIu64 " wake-ups came early: the calibration anticipates too much\n",
			(uint64_t)r->early);
	if (run->taint)
		fprintf(stderr, "figures are tainted: %s\n", run->taint);
	fflush(stdout);
}
