// SPDX-License-Identifier: GPL-2.0-only
/* Command line. Everything is checked before anything is touched. */
#include "hectic.h"
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <evl/evl.h>

#define VERIFY_SECONDS	60

enum { OPT_VERIFY = 0x100, OPT_JSON, OPT_OVERWRITE, OPT_INJECT, OPT_VERSION };

static const char short_options[] = ":s:T:l:qQnc:hV";

static const struct option long_options[] = {
	{ "stress", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "lines", required_argument, NULL, 'l' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "really-quiet", no_argument, NULL, 'Q' },
	{ "nofpu", no_argument, NULL, 'n' },
	{ "cpu", required_argument, NULL, 'c' },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "overwrite", no_argument, NULL, OPT_OVERWRITE },
	{ "inject", required_argument, NULL, OPT_INJECT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ }
};

static const char usage_text[] =
"usage: hectic [OPTIONS] [THREAD...]\n"
"Switches between threads of all kinds on each CPU of the core, and checks that they keep their registers.\n"
"\n"
"  -s, --stress=US         a switch every US microseconds, a task per CPU which uses the FPU meanwhile\n"
"  -T, --timeout=N[dhms]   stop after this time\n"
"  -l, --lines=N           titles again every N lines (21), 0: once\n"
"  -q, --quiet             no line per second\n"
"  -Q, --really-quiet      no output but messages of failure\n"
"  -n, --nofpu             leave the FPU alone\n"
"  -c, --cpu=LIST          these CPUs only, such as 0,3-5\n"
"      --verify            fixed order, 60 s, one line: passed or failed\n"
"      --json[=FILE]       result as one JSON object\n"
"      --overwrite         replace an existing result file\n"
"      --inject=FAULT      prove that faults are found: fpu, stress, stall or selftest\n"
"  -h, --help   -V, --version\n"
"\n"
"THREAD is KIND[_ufpp][_ufps][CPU]. KIND: rtk kernel thread; rtup out-of-band, rtus in-band, rtuo between both.\n"
"_ufpp, _ufps: uses the FPU out-of-band, in-band. By default two of each kind on each CPU.\n"
"\n"
"Exit status: 0 passed; 1 failed to run; 2 wrong usage; 3 no core or driver; 4 permission denied;\n"
"20 a register changed; 21 a CPU stood still; 22 the register check does not work.\n";

static enum fault parse_fault(const char *word)
{
	static const char *const names[] = {
		[FAULT_FPU] = "fpu", [FAULT_STRESS] = "stress", [FAULT_STALL] = "stall", [FAULT_SELF_TEST] = "selftest",
	};
	int n;

	for (n = FAULT_FPU; n <= FAULT_SELF_TEST; n++)
		if (!strcmp(word, names[n]))
			return (enum fault)n;
	tool_die(STATUS_USAGE, "--inject %s: expected fpu, stress, stall or selftest", word);
}

static void take_cpus(struct options *opt)
{
	if (!tool_parse_cpus(optarg, &opt->cpus) || !CPU_COUNT(&opt->cpus))
		tool_die(STATUS_USAGE, "-c '%s': expected a list of CPUs such as 0,3-5", optarg);
	opt->have_cpus = true;
}

static void take_option(int c, struct options *opt)
{
	switch (c) {
	case 's': opt->stress_us = tool_number_option("-s", optarg, 1, HECTIC_MAX_PAUSE / 1000); break;
	case 'T':
		if (!tool_parse_duration(optarg, &opt->timeout_s))
			tool_die(STATUS_USAGE, "-T %s: expected a whole number, then nothing or one of d h m s", optarg);
		break;
	case 'l': opt->lines = tool_number_option("-l", optarg, 0, INT_MAX); break;
	case 'q': opt->quiet = true; break;
	case 'Q': opt->quiet = opt->silent = true; break;
	case 'n': opt->nofpu = true; break;
	case 'c': take_cpus(opt); break;
	case OPT_VERIFY: opt->verify = opt->quiet = true; break;
	case OPT_JSON: opt->json = true; opt->json_file = optarg; break;
	case OPT_OVERWRITE: opt->overwrite = true; break;
	case OPT_INJECT: opt->fault = parse_fault(optarg); break;
	case 'h': fputs(usage_text, stdout); exit(STATUS_OK);
	case 'V': case OPT_VERSION: puts(evl_get_version().version_string); exit(STATUS_OK);
	case ':': tool_die(STATUS_USAGE, "%s wants a value; see hectic -h", opt->argv[optind - 1]);
	default: tool_die(STATUS_USAGE, "%s is no option; see hectic -h", opt->argv[optind - 1]);
	}
}

static void take_specs(struct options *opt, int argc, char *argv[])
{
	const char *fault;
	int n;

	opt->specs = calloc((size_t)argc + 1, sizeof(*opt->specs));
	if (!opt->specs)
		tool_die(STATUS_FAILED, "out of memory");
	for (n = 0; n < argc; n++) {
		struct spec *s = &opt->specs[n];

		fault = parse_spec(argv[n], s);
		if (fault)
			tool_die(STATUS_USAGE, "%s: %s", argv[n], fault);
		if (opt->nofpu && (s->fpu_oob || s->fpu_inband))
			tool_die(STATUS_USAGE, "%s and -n exclude one another", argv[n]);
		if (opt->have_cpus && !CPU_ISSET(s->cpu, &opt->cpus))
			tool_die(STATUS_USAGE, "%s: CPU %d is not in the list of -c", argv[n], s->cpu);
	}
	opt->nr_specs = argc;
}

static void check_rules(const struct options *opt)
{
	if (opt->fault == FAULT_STRESS && (!opt->stress_us || opt->nofpu))
		tool_die(STATUS_USAGE, "--inject stress goes with -s, which starts that task, and without -n");
	if ((opt->fault == FAULT_FPU || opt->fault == FAULT_SELF_TEST) && opt->nofpu)
		tool_die(STATUS_USAGE, "--inject fpu or selftest and -n exclude one another");
	if (opt->verify && (opt->nr_specs || opt->nofpu))
		tool_die(STATUS_USAGE, "--verify takes all kinds of threads: no words, no -n");
}

void parse_options(struct options *opt, int argc, char *argv[])
{
	int c;

	*opt = (struct options) { .lines = 21, .argc = argc, .argv = argv };
	opterr = 0;
	while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		take_option(c, opt);
	if (opt->json && !opt->json_file)
		opt->quiet = opt->silent = true;
	if (opt->verify && !opt->timeout_s)
		opt->timeout_s = VERIFY_SECONDS;
	take_specs(opt, argc - optind, argv + optind);
	check_rules(opt);
}
