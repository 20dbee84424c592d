// SPDX-License-Identifier: GPL-2.0-only
/* evl ps: a snapshot of the threads of the core, from sysfs. */
#include "ps.h"
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <evl/thread-abi.h>
#include "../common/tool.h"

#define SCHEMA_VERSION	1

static const char usage_text[] =
"usage: evl ps [OPTIONS]\n"
"  -c, --cpu=LIST     threads on these CPUs only, such as 0,3-5\n"
"  -s, --state        ISW CTXSW SYS RWA STAT\n"
"  -t, --times        TIMEOUT %CPU CPUTIME\n"
"  -p, --policy       SCHED PRIO (default)\n"
"  -w, --wait         WCHAN\n"
"  -l, --long         -s -t -p\n"
"  -n, --numeric      STAT as a number\n"
"  -S, --sort=KEY     c CPU, i ISW, t CPUTIME, x CTXSW, w RWA, u %CPU; r with it: largest first\n"
"  -N, --name=TEXT    threads whose name holds TEXT only\n"
"  -q, --pid=N        the thread with this in-band task id only\n"
"  -W, --watch[=S]    again every S seconds (1); with -s, ISW CTXSW SYS RWA since the last time\n"
"      --json         the same, all columns, as one JSON object\n"
"  -h, --help         this text\n";

static struct {
	bool state, times, policy, wait, numeric, json, reverse;
	char key;
	bool some_cpus;
	cpu_set_t cpus;
	const char *name;
	long pid;		/* 0: any */
	long watch_s;		/* 0: once */
} opt;

static void take_sort_key(const char *text)
{
	for (; *text; text++) {
		if (*text == 'r')
			opt.reverse = true;
		else if (strchr("citxwu", *text) && !opt.key)
			opt.key = *text;
		else
			tool_die(STATUS_USAGE, "-S: expected one of c i t x w u, and r or not");
	}
	if (!opt.key)
		tool_die(STATUS_USAGE, "-S: r goes with a key, one of c i t x w u");
}

static long take_number(const char *option, const char *text, long max)
{
	long value;

	if (!tool_parse_number(text, 1, max, &value))
		tool_die(STATUS_USAGE, "%s %s: expected a whole number from 1 to %ld", option, text, max);

	return value;
}

static void take_option(int c, char *argv[])
{
	switch (c) {
	case 'c':
		opt.some_cpus = true;
		if (!*optarg || !tool_parse_cpus(optarg, &opt.cpus))
			tool_die(STATUS_USAGE, "-c %s: expected a list of CPUs such as 0,3-5", optarg);
		break;
	case 's': opt.state = true; break;
	case 't': opt.times = true; break;
	case 'p': opt.policy = true; break;
	case 'w': opt.wait = true; break;
	case 'l': opt.state = opt.times = opt.policy = true; break;
	case 'n': opt.numeric = true; break;
	case 'S': take_sort_key(optarg); break;
	case 'j': opt.json = true; break;
	case 'N': opt.name = optarg; break;
	case 'q': opt.pid = take_number("--pid", optarg, INT_MAX); break;
	case 'W': opt.watch_s = optarg ? take_number("--watch", optarg, 86400) : 1; break;
	case 'h': fputs(usage_text, stdout); exit(STATUS_OK);
	case '@': puts("list the threads of the core"); exit(STATUS_OK);
	default: tool_die(STATUS_USAGE, "%s: see evl ps -h", argv[optind - 1]);
	}
}

static void parse_options(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "cpu", required_argument, NULL, 'c' },
		{ "state", no_argument, NULL, 's' },
		{ "times", no_argument, NULL, 't' },
		{ "policy", no_argument, NULL, 'p' },
		{ "wait", no_argument, NULL, 'w' },
		{ "long", no_argument, NULL, 'l' },
		{ "numeric", no_argument, NULL, 'n' },
		{ "sort", required_argument, NULL, 'S' },
		{ "json", no_argument, NULL, 'j' },
		{ "name", required_argument, NULL, 'N' },
		{ "pid", required_argument, NULL, 'q' },
		{ "watch", optional_argument, NULL, 'W' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:stpwlnS:N:q:W::h@", options, NULL)) != -1)
		take_option(c, argv);
	if (optind < argc)
		tool_die(STATUS_USAGE, "%s: evl ps takes options only", argv[optind]);
	if (opt.watch_s && opt.json)
		tool_die(STATUS_USAGE, "--watch and --json exclude each other");
	if (!opt.state && !opt.times && !opt.policy && !opt.wait)
		opt.policy = true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_key(const struct thread_row *a, const struct thread_row *b)
{
	switch (opt.key) {
	case 'i': return compare_numbers(a->isw, b->isw);
	case 't': return compare_numbers(a->cputime_ns, b->cputime_ns);
	case 'x': return compare_numbers(a->csw, b->csw);
	case 'w': return compare_numbers(a->rwa, b->rwa);
	case 'u': return compare_numbers(a->share, b->share);
	default:  return compare_numbers((uint64_t)a->cpu, (uint64_t)b->cpu);
	}
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct thread_row *a = pa, *b = pb;
	int order = by_key(a, b) ?: compare_numbers((uint64_t)a->pid, (uint64_t)b->pid);

	return opt.reverse ? -order : order;
}

static bool wanted(const struct thread_row *row)
{
	return (!opt.some_cpus || CPU_ISSET(row->cpu, &opt.cpus)) && (!opt.name || strstr(row->name, opt.name)) &&
	       (!opt.pid || row->pid == opt.pid);
}

static struct thread_row *read_threads(const char *dir, size_t *count)
{
	struct thread_row *rows = NULL, row;
	struct dirent *entry;
	DIR *d = opendir(dir);

	*count = 0;
	while (d && (entry = readdir(d))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, "clone") ||
		    !read_thread(dir, entry->d_name, &row))
			continue;
		if (!wanted(&row))
			continue;
		rows = reallocarray(rows, *count + 1, sizeof(*rows));
		if (!rows)
			tool_die(STATUS_FAILED, "out of memory");
		rows[(*count)++] = row;
	}
	if (d)
		closedir(d);
	if (*count)
		qsort(rows, *count, sizeof(*rows), compare_rows);

	return rows;
}

static void print_header(void)
{
	fputs("CPU     PID", stdout);
	if (opt.policy)
		fputs("  SCHED  PRIO", stdout);
	if (opt.state)
		printf("  %8s %10s %10s %8s  %-10s", "ISW", "CTXSW", "SYS", "RWA", "STAT");
	if (opt.times)
		printf("  %10s  %5s  %14s", "TIMEOUT", "%CPU", "CPUTIME");
	if (opt.wait)
		printf("  %-20s", "WCHAN");
	puts("  NAME");
}

/* ISW that grows is the sign of a call unfit for real time: it stands out on a terminal. */
static void print_switches(unsigned long isw)
{
	bool coloured = opt.watch_s && isw && isatty(STDOUT_FILENO) && !getenv("NO_COLOR");

	printf("  %s%8lu%s", coloured ? "\033[31m" : "", isw, coloured ? "\033[0m" : "");
}

static void print_row(const struct thread_row *r)
{
	bool kernel = !(r->state & EVL_T_USER);
	char text[2][32], number[16];

	printf("%3d %7d", r->cpu, r->pid);
	if (opt.policy)
		printf("  %-5s  %4d", r->policy, r->prio);
	snprintf(number, sizeof(number), "0x%08x", r->state);
	if (opt.state) {
		print_switches(r->isw);
		printf(" %10lu %10lu %8lu  %-10s", r->csw, r->sys, r->rwa,
		       opt.numeric ? number : state_text(r->state, text[0], sizeof(text[0])));
	}
	if (opt.times)
		printf("  %10s  %3u.%u  %14s", timeout_text(r->timeout_ns, text[0], sizeof(text[0])), r->share / 10,
		       r->share % 10, cputime_text(r->cputime_ns, text[1], sizeof(text[1])));
	if (opt.wait)
		printf("  %-20s", r->wchan);
	printf("  %s%s%s\n", kernel ? "[" : "", r->name, kernel ? "]" : "");
}

static void put_row(struct json *j, const struct thread_row *r)
{
	char text[32];

	json_begin(j, NULL, '{');
	json_text(j, "name", r->name);
	json_integer(j, "cpu", r->cpu);
	json_integer(j, "pid", r->pid);
	json_bool(j, "kernel", !(r->state & EVL_T_USER));
	json_text(j, "sched", r->policy);
	json_integer(j, "prio", r->prio);
	json_integer(j, "isw", (long long)r->isw);
	json_integer(j, "ctxsw", (long long)r->csw);
	json_integer(j, "sys", (long long)r->sys);
	json_integer(j, "rwa", (long long)r->rwa);
	json_integer(j, "state", r->state);
	json_text(j, "stat", state_text(r->state, text, sizeof(text)));
	json_integer(j, "timeout_ns", (long long)r->timeout_ns);
	json_integer(j, "cpu_share_permille", r->share);
	json_integer(j, "cputime_ns", (long long)r->cputime_ns);
	json_text(j, "wchan", r->wchan);
	json_end(j, '}');
}

static void print_json(const struct thread_row *rows, size_t count, int argc, char *argv[])
{
	struct json j = { .out = stdout };
	size_t n;

	json_begin(&j, NULL, '{');
	json_provenance(&j, "evl-ps", SCHEMA_VERSION, argc, argv);
	json_begin(&j, "threads", '[');
	for (n = 0; n < count; n++)
		put_row(&j, &rows[n]);
	json_end(&j, ']');
	json_end(&j, '}');
	putchar('\n');
}

static void print_table(const struct thread_row *rows, size_t count)
{
	size_t n;

	print_header();
	for (n = 0; n < count; n++)
		print_row(&rows[n]);
}

/* Turns counts into those since the row of the same thread in "before". */
static void subtract(struct thread_row *row, const struct thread_row *before, size_t count)
{
	size_t n;

	for (n = 0; n < count; n++) {
		if (before[n].pid != row->pid || strcmp(before[n].name, row->name))
			continue;
		row->isw -= before[n].isw;
		row->csw -= before[n].csw;
		row->sys -= before[n].sys;
		row->rwa -= before[n].rwa;
	}
}

/* Until interrupted, or the reader goes. */
static void watch(const char *dir)
{
	struct thread_row *before = NULL, *rows, *shown;
	size_t old_count = 0, count, n;

	do {
		rows = read_threads(dir, &count);
		shown = calloc(count + 1, sizeof(*shown));
		if (!shown)
			tool_die(STATUS_FAILED, "out of memory");
		for (n = 0; n < count; n++) {
			shown[n] = rows[n];
			subtract(&shown[n], before, old_count);
		}
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		print_table(shown, count);
		putchar('\n');
		free(shown);
		free(before);
		before = rows;
		old_count = count;
	} while (!fflush(stdout) && !sleep((unsigned int)opt.watch_s));
	free(before);
}

int main(int argc, char *argv[])
{
	char dir[PATH_MAX];
	struct thread_row *rows;
	size_t count;

	tool_name = "evl-ps";
	parse_options(argc, argv);
	snprintf(dir, sizeof(dir), "%s/thread", tool_sysdir());
	if (access(dir, R_OK | X_OK))
		tool_no_core(dir, "evl");

	if (opt.watch_s) {
		watch(dir);
		return STATUS_OK;
	}
	rows = read_threads(dir, &count);
	if (opt.json)
		print_json(rows, count, argc, argv);
	else
		print_table(rows, count);
	free(rows);

	return STATUS_OK;
}
