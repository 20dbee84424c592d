// SPDX-License-Identifier: GPL-2.0-only
/* Reports on the terminal: tagged lines to stdout, everything else to stderr. */
#include "latmus.h"
#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMN_TITLES	"RTH|----lat min|----lat avg|----lat max|-overrun|---msw|---lat best|--lat worst"
#define RULE		"---|-----------|-----------|-----------|--------|------|-------------------------"

/* Of all runs; the loggers of several print by turns. */
static struct {
	pthread_mutex_t mutex;
	bool begun;
	long lines;		/* on this page */
} page = { .mutex = PTHREAD_MUTEX_INITIALIZER };

void announce(const struct run *run)
{
	const struct options *opt = run->opt;

	if (opt->monitor)
		fprintf(stderr, "the monitor is %s, port %s\n", opt->monitor, opt->monitor_port);
	if (opt->context == CONTEXT_INBAND_GPIO)
		fprintf(stderr, "CAUTION: it is the in-band response which is measured\n");
	if (!opt->verbose && opt->timeout_s)
		fprintf(stderr, "warming up on %s, then silent for %s\n", run->env->place,
			tool_hms((uint64_t)opt->timeout_s));
	else
		fprintf(stderr, "warming up on %s for %ld ms...\n", run->env->place, opt->warmup_ms);
}

/* Of a line which tells of one CPU among several. */
static const char *cpu_column(const struct run *run)
{
	static char text[32];

	if (!run->opt->smp)
		return "";
	if (run->env->cpu < 0)
		return "|   all";
	snprintf(text, sizeof(text), "|%6d", run->env->cpu);

	return text;
}

static void print_titles(const struct run *run)
{
	printf("%s%s\n", COLUMN_TITLES, run->opt->smp ? "|---cpu" : "");
}

static void print_page_header(const struct run *run)
{
	const struct options *opt = run->opt;

	printf("RTT|  %s  (%s, %ld us period, priority %ld, %s)\n", tool_hms(run->intervals),
	       context_name(opt->context), opt->period_us, opt->priority, opt->smp ? "all CPUs" : run->env->place);
	print_titles(run);
	page.begun = true;
	page.lines = 0;
}

static void note_extremes(struct run *run, const struct latmus_measurement *m)
{
	if (!m->samples)
		return;
	if (!run->best_known || m->min_lat < run->best)
		run->best = m->min_lat;
	if (!run->best_known || m->max_lat > run->worst)
		run->worst = m->max_lat;
	run->best_known = true;
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
	left = run->intervals < (uint64_t)opt->timeout_s ? (uint64_t)opt->timeout_s - run->intervals : 0;
	fprintf(stderr, "\r%3" PRIu64 "%%, %s left, max %.3f us ", 100 - left * 100 / (uint64_t)opt->timeout_s,
		tool_hms(left), us(run->worst));
}

static void print_line(const struct run *run, const struct latmus_measurement *m)
{
	const struct options *opt = run->opt;

	if (!page.begun || (opt->lines && page.lines == opt->lines))
		print_page_header(run);
	page.lines++;
	printf("RTD|%11.3f|%11.3f|%11.3f|%8u|%6u|%11.3f|%11.3f%s\n", us(m->min_lat),
	       m->samples ? us((double)m->sum_lat / m->samples) : 0, us(m->max_lat), m->overruns,
	       m->mode_switches, us(run->best), us(run->worst), cpu_column(run));
	fflush(stdout);
}

void print_interval(struct run *run, const struct latmus_measurement *m)
{
	pthread_mutex_lock(&page.mutex);
	note_extremes(run, m);
	run->intervals++;
	if (run->opt->verbose)
		print_line(run, m);
	else
		print_progress(run);
	pthread_mutex_unlock(&page.mutex);
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

	if (run->opt->context > EVL_LAT_LAST)
		r = run->fig.result;
	else if (ioctl(run->fd, EVL_LATIOC_PEEK, &r))
		return;
	if (!r.samples)
		return;
	fprintf(stderr, "so far%s%s: min %.3f avg %.3f max %.3f us, %" PRIu64 " samples, %" PRIu64 " overruns, %" PRIu64
		" switches in-band in %s\n", run->opt->smp ? " on " : "", run->opt->smp ? run->env->place : "",
		us(r.min_lat), us((double)r.sum_lat / (double)r.samples), us(r.max_lat), (uint64_t)r.samples,
		(uint64_t)r.overruns, (uint64_t)r.mode_switches, tool_hms(r.elapsed / 1000000000));
}

static void print_totals(const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;
	uint64_t elapsed = (r->elapsed + 500000000) / 1000000000;
	uint64_t requested = run->opt->timeout_s ? (uint64_t)run->opt->timeout_s : elapsed;

	printf("RTS|%11.3f|%11.3f|%11.3f|%8" PRIu64 "|%6" PRIu64 "|    %s/%s%s%s\n", us(r->min_lat),
	       us((double)average_ns(&run->fig)), us(r->max_lat), (uint64_t)r->overruns, (uint64_t)r->mode_switches,
	       tool_hms(elapsed), tool_hms(requested), cpu_column(run), run->taint ? " TAINTED" : "");
}

static void begin_summary(const struct run *run)
{
	if (!run->opt->verbose && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (!page.lines)
		print_titles(run);
	printf("%s%s\n", RULE, run->opt->smp ? "|------" : "");
}

/* What precedes the summary of all CPUs. */
void print_cpu_summaries(const struct run *runs, int nr)
{
	int n;

	begin_summary(runs);
	for (n = 0; n < nr; n++)
		print_totals(&runs[n]);
}

void print_summary(const struct run *run)
{
	const struct latmus_result *r = &run->fig.result;

	if (!run->opt->smp)
		begin_summary(run);
	print_totals(run);
	print_percentiles(&run->fig);
	if (r->early)
		fprintf(stderr, "%" PRIu64 " wake-ups came early: the calibration anticipates too much\n",
			(uint64_t)r->early);
	if (run->taint)
		fprintf(stderr, "figures are tainted: %s\n", run->taint);
	fflush(stdout);
}
