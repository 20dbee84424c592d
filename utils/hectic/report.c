// SPDX-License-Identifier: GPL-2.0-only
/* Reports: tagged lines, the verdict, JSON. */
#include "hectic.h"
#include <inttypes.h>

#define COLUMN_TITLES	"RTH|---------cpu|ctx switches|-------total"
#define SCHEMA_VERSION	1

void report_threads(const struct options *opt, const struct crews *crews)
{
	int n, k;

	if (opt->silent || opt->verify)
		return;
	fputs("threads:", stdout);
	for (n = 0; n < crews->count; n++) {
		const struct crew *crew = &crews->all[n];

		for (k = 0; k < crew->nr_workers; k++)
			printf(" %s", crew->workers[k].name);
		if (crew->has_stress)
			printf(" %s", crew->stress.name);
	}
	putchar('\n');
	fflush(stdout);
}

static void print_titles(uint64_t seconds)
{
	printf("RTT|  %s\n", tool_hms(seconds));
	puts(COLUMN_TITLES);
}

void report_second(const struct options *opt, const struct crews *crews, uint64_t seconds)
{
	static long lines = -1;
	int n;

	if (opt->quiet)
		return;
	for (n = 0; n < crews->count; n++) {
		if (lines < 0 || (opt->lines && lines >= opt->lines)) {
			print_titles(seconds);
			lines = 0;
		}
		printf("RTD|%12d|%12" PRIu64 "|%12" PRIu64 "\n", crews->all[n].cpu, crews->all[n].interval,
		       crews->all[n].total);
		lines++;
	}
	fflush(stdout);
}

static const char *const verdict_words[] = {
	[PASSED] = "passed", [FAILED_FPU] = "register", [FAILED_STRESS] = "stress", [FAILED_STALLED] = "stalled",
};

static const char *thread_name(const struct crew *crew, uint32_t index)
{
	return index < (uint32_t)crew->nr_workers ? crew->workers[index].name : "nobody";
}

static void explain(const struct crew *crew, enum verdict verdict)
{
	const struct hectic_switch_req *last = &crew->last_switch;
	const struct fpu_mismatch *m = &crew->mismatch;

	switch (verdict) {
	case FAILED_FPU:
		tool_warn("CPU%d: vector register %u changed over the switch from %s to %s: found %#" PRIx64
			  ", expected %#" PRIx64, crew->cpu, m->reg, thread_name(crew, last->from),
			  thread_name(crew, last->to), m->found, m->expected);
		break;
	case FAILED_STRESS:
		tool_warn("CPU%d: %s, vector register %u: found %#" PRIx64 ", expected %#" PRIx64, crew->cpu,
			  crew->stress.name, m->reg, m->found, m->expected);
		break;
	case FAILED_STALLED:
		tool_warn("CPU%d: no switch for %d seconds; the last one was from %s to %s", crew->cpu, crew->silent_s,
			  thread_name(crew, last->from), thread_name(crew, last->to));
		break;
	default:
		break;
	}
}

static void write_crew(struct json *j, const struct crew *crew)
{
	int k;

	json_begin(j, NULL, '{');
	json_integer(j, "cpu", crew->cpu);
	json_integer(j, "switches", (long long)crew->total);
	json_begin(j, "threads", '[');
	for (k = 0; k < crew->nr_workers; k++)
		json_text(j, NULL, crew->workers[k].name);
	if (crew->has_stress)
		json_text(j, NULL, crew->stress.name);
	json_end(j, ']');
	json_end(j, '}');
}

static void write_json(const struct options *opt, const struct crews *crews, uint64_t seconds, enum verdict verdict)
{
	struct json j = { .out = open_result(opt->json_file, opt->overwrite) };
	int n;

	json_begin(&j, NULL, '{');
	json_provenance(&j, "evl-hectic", SCHEMA_VERSION, opt->argc, opt->argv);
	json_integer(&j, "elapsed_s", (long long)seconds);
	json_integer(&j, "stress_us", opt->stress_us);
	json_bool(&j, "fpu", !opt->nofpu);
	json_begin(&j, "cpus", '[');
	for (n = 0; n < crews->count; n++)
		write_crew(&j, &crews->all[n]);
	json_end(&j, ']');
	json_text(&j, "verdict", verdict_words[verdict]);
	json_end(&j, '}');
	putc('\n', j.out);
	close_result(j.out, opt->json_file);
}

void report_end(const struct options *opt, const struct crews *crews, uint64_t seconds, enum verdict verdict,
		const struct crew *culprit)
{
	uint64_t total = 0;
	int n;

	for (n = 0; n < crews->count; n++) {
		total += crews->all[n].total;
		if (!opt->silent && !opt->verify)
			printf("RTS|%12d|%12" PRIu64 "|    %s\n", crews->all[n].cpu, crews->all[n].total,
			       tool_hms(seconds));
	}
	if (culprit)
		explain(culprit, verdict);
	if (!opt->silent)
		printf("%s: %" PRIu64 " switches on %d CPUs in %s\n", verdict == PASSED ? "passed" : "FAILED", total,
		       crews->count, tool_hms(seconds));
	if (opt->json)
		write_json(opt, crews, seconds, verdict);
}
