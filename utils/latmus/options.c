// SPDX-License-Identifier: GPL-2.0-only
/* Command line. Everything is checked before anything is touched. */
#include "latmus.h"
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <evl/evl.h>
#include "../common/wire.h"

#define MAX_PERIOD_US	1000000
#define SLOW_PERIOD_US	50		/* shorter ones need --force */

enum {
	OPT_FORCE = 0x100, OPT_OVERWRITE, OPT_JSON, OPT_SAMPLES, OPT_DEFAULT_SYSTEM, OPT_FREEZE, OPT_WARMUP,
	OPT_VERSION, OPT_SMP, OPT_CTXSW, OPT_XCPU, OPT_SAVE,
	OPT_CHECKPOINT, OPT_JSON_LINES, OPT_FORMAT, OPT_AUTO
};

static const char short_options[] = ":mtikusrp:P:c:C:T:A:Kv::qbl:g::H:Z:z:I:O:hV";

static const struct option long_options[] = {
	{ "measure", no_argument, NULL, 'm' },
	{ "tune", no_argument, NULL, 't' },
	{ "irq", no_argument, NULL, 'i' },
	{ "kernel", no_argument, NULL, 'k' },
	{ "user", no_argument, NULL, 'u' },
	{ "sirq", no_argument, NULL, 's' },
	{ "ctxsw", no_argument, NULL, OPT_CTXSW },
	{ "xcpu", optional_argument, NULL, OPT_XCPU },
	{ "smp", no_argument, NULL, OPT_SMP },
	{ "save", no_argument, NULL, OPT_SAVE },
	{ "reset", no_argument, NULL, 'r' },
	{ "period", required_argument, NULL, 'p' },
	{ "priority", required_argument, NULL, 'P' },
	{ "cpu", required_argument, NULL, 'c' },
	{ "force-cpu", required_argument, NULL, 'C' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "maxlat-abort", required_argument, NULL, 'A' },
	{ "max-abort", required_argument, NULL, 'A' },
	{ "auto", required_argument, NULL, OPT_AUTO },
	{ "freeze-trace", no_argument, NULL, OPT_FREEZE },
	{ "keep-going", no_argument, NULL, 'K' },
	{ "verbose", optional_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "background", no_argument, NULL, 'b' },
	{ "lines", required_argument, NULL, 'l' },
	{ "plot", optional_argument, NULL, 'g' },
	{ "histogram", required_argument, NULL, 'H' },
	{ "json", optional_argument, NULL, OPT_JSON },
	{ "json-lines", no_argument, NULL, OPT_JSON_LINES },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "checkpoint", required_argument, NULL, OPT_CHECKPOINT },
	{ "overwrite", no_argument, NULL, OPT_OVERWRITE },
	{ "warmup", required_argument, NULL, OPT_WARMUP },
	{ "default-system", no_argument, NULL, OPT_DEFAULT_SYSTEM },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "oob-gpio", required_argument, NULL, 'Z' },
	{ "inband-gpio", required_argument, NULL, 'z' },
	{ "gpio-in", required_argument, NULL, 'I' },
	{ "gpio-out", required_argument, NULL, 'O' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ }
};

static const char usage_text[] =
"usage: latmus [OPTIONS]\n"
"Measures how late the core serves a timer, or calibrates its clock.\n"
"\n"
"What\n"
"  -u, --user              application thread (default)\n"
"  -k, --kernel            kernel thread of the core\n"
"  -i, --irq               timer interrupt handler\n"
"  -s, --sirq              in-band handler of a synthetic interrupt\n"
"      --ctxsw             two threads on one CPU which pass a token: half of a round trip\n"
"      --xcpu[=N]          the same with the other thread on CPU N, or another one of the core's\n"
"  -Z, --oob-gpio=HOST[:PORT]     answers of a thread of the core on a GPIO line, measured by the monitor there\n"
"  -z, --inband-gpio=HOST[:PORT]  answers of a plain thread\n"
"  -I, --gpio-in=CHIP,PIN[,rising-edge|falling-edge]  the line pulsed by the monitor\n"
"  -O, --gpio-out=CHIP,PIN        the line to answer on\n"
"  -m, --measure           measure (default)\n"
"  -t, --tune              calibrate the clock, for the contexts of -i -k -u, or all\n"
"      --save              with -t: keep the calibration for the next start, see evl tune\n"
"  -r, --reset             back to the built-in calibration, alone or before -t\n"
"How\n"
"  -p, --period=US         sampling period, 1000 by default\n"
"      --force             accept a period below 50 us\n"
"  -P, --priority=N        1 to 99, of the thread measured (90)\n"
"  -c, --cpu=N             CPU; by default the first isolated one of the core's\n"
"  -C, --force-cpu=N       the same, though it be not isolated\n"
"      --smp               on all CPUs of the core at a time, for -i -k -u -s\n"
"  -T, --timeout=N[dhms]   stop after this time\n"
"      --samples=N         stop after that many samples\n"
"  -A, --max-abort=US      stop at the first latency above\n"
"      --freeze-trace      stop kernel tracing when -A strikes\n"
"      --auto=US           -A US with timer events traced by evl trace, and the trace saved in latmus-DATE.trace\n"
"  -K, --keep-going        go on when the thread measured is switched in-band\n"
"      --warmup=MS         time before samples count (1000)\n"
"      --default-system    let the CPUs enter deep idle states\n"
"Output\n"
"  -v, --verbose[=N]       0 is -q, 1 the default, 2 the most\n"
"  -q, --quiet             final report only; needs -T or --samples\n"
"  -b, --background        detach from the terminal; implies -q\n"
"  -l, --lines=N           lines per page (21), 0: no pages\n"
"  -g, --plot[=FILE]       histogram for gnuplot\n"
"  -H, --histogram=N       cells of 1 us in it (200)\n"
"      --format=WORD       of that file: latmus, or cyclictest\n"
"      --json[=FILE]       result as one JSON object\n"
"      --json-lines        one JSON object a second, then the result, a line each\n"
"      --checkpoint=S      save the histogram all S seconds in FILE.partial, 0: never (300 on runs over 10 minutes)\n"
"      --overwrite         replace existing result files\n"
"  -h, --help   -V, --version\n"
"\n"
"Exit status: 0 done; 1 failed; 2 wrong usage; 3 no core or driver; 4 permission denied;\n"
"10 stopped by -A; 11 the thread measured was switched in-band; 12 the GPIO monitor was not reached, or lost.\n";

/* Words given, for the rules between them. */
struct given {
	bool measure, tune, cells, force, format;
	const char *context;	/* -i, -k or -u, the last one */
	const char *mode;	/* the option which asks for something else than these */
	const char *other_mode;	/* a second one */
	bool gpio_in, gpio_out;
};

static void set_verbosity(struct options *opt, const char *level)
{
	opt->verbose = level ? (int)tool_number_option("-v", level, 0, 2) : 2;
}

/* The last one counts, for a calibration all of them. */
static void set_context(struct options *opt, struct given *given, const char *name, int context)
{
	if (!given->mode)
		opt->context = context;
	opt->tune[context] = true;
	given->context = name;
}

/* There can be but one of these. */
static void set_mode(struct options *opt, struct given *given, const char *name, int context)
{
	if (given->mode && strcmp(given->mode, name))
		given->other_mode = name;
	else
		given->mode = name;
	opt->context = context;
}

/* HOST or HOST:PORT; what has more colons is an address of IPv6. */
static void set_monitor(struct options *opt, const char *option, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t size = colon && !strchr(colon + 1, ':') ? (size_t)(colon - text) : strlen(text);

	if (!size)
		tool_die(STATUS_USAGE, "%s %s: expected HOST or HOST:PORT, of the monitor", option, text);
	opt->monitor = strndup(text, size);
	if (!opt->monitor)
		tool_die(STATUS_FAILED, "out of memory");
	opt->monitor_port = text[size] ? colon + 1 : MONITOR_PORT;
	tool_number_option("the port of the monitor:", opt->monitor_port, 1, 65535);
}

static void take_line(const char *option, bool edges, struct line_spec *spec)
{
	if (!line_parse(optarg, edges, spec))
		tool_die(STATUS_USAGE, "%s %s: expected CHIP,PIN%s, as gpiochip0,23", option, optarg,
			 edges ? "[,rising-edge|falling-edge]" : "");
}

static void set_format(struct options *opt, const char *word)
{
	opt->foreign = !strcmp(word, "cyclictest");
	if (!opt->foreign && strcmp(word, "latmus"))
		tool_die(STATUS_USAGE, "--format=%s: expected latmus or cyclictest", word);
}

static void take_option(int c, struct options *opt, struct given *given)
{
	switch (c) {
	case 'm': given->measure = true; break;
	case 't': given->tune = true; break;
	case 'i': set_context(opt, given, "-i", EVL_LAT_IRQ); break;
	case 'k': set_context(opt, given, "-k", EVL_LAT_KERN); break;
	case 'u': set_context(opt, given, "-u", EVL_LAT_USER); break;
	case 's': set_mode(opt, given, "-s", EVL_LAT_SIRQ); break;
	case OPT_CTXSW: set_mode(opt, given, "--ctxsw", CONTEXT_CTXSW); break;
	case OPT_XCPU:
		set_mode(opt, given, "--xcpu", CONTEXT_XCPU);
		if (optarg)
			opt->peer_cpu = tool_number_option("--xcpu", optarg, 0, CPU_SETSIZE - 1);
		break;
	case OPT_SAVE: opt->save = true; break;
	case OPT_SMP: opt->smp = true; break;
	case 'r': opt->reset = true; break;
	case 'p': opt->period_us = tool_number_option("-p", optarg, 1, MAX_PERIOD_US); break;
	case 'P': opt->priority = tool_number_option("-P", optarg, 1, 99); break;
	case 'c': opt->cpu = tool_number_option("-c", optarg, 0, CPU_SETSIZE - 1); opt->force_cpu = false; break;
	case 'C': opt->cpu = tool_number_option("-C", optarg, 0, CPU_SETSIZE - 1); opt->force_cpu = true; break;
	case 'T':
		if (!tool_parse_duration(optarg, &opt->timeout_s))
			tool_die(STATUS_USAGE, "-T %s: expected a whole number, then nothing or one of d h m s", optarg);
		break;
	case 'A': opt->max_lat_us = tool_number_option("-A", optarg, 1, 1000000); break;
	case 'K': opt->keep_going = true; break;
	case 'v': set_verbosity(opt, optarg); break;
	case 'q': opt->verbose = 0; break;
	case 'b': opt->background = true; opt->verbose = 0; break;
	case 'l': opt->lines = tool_number_option("-l", optarg, 0, INT_MAX); break;
	case 'g': opt->plot = true; opt->plot_file = optarg; break;
	case 'H': opt->cells = tool_number_option("-H", optarg, 1, MAX_SPAN_US); given->cells = true; break;
	case 'Z': set_mode(opt, given, "-Z", CONTEXT_OOB_GPIO); set_monitor(opt, "-Z", optarg); break;
	case 'z': set_mode(opt, given, "-z", CONTEXT_INBAND_GPIO); set_monitor(opt, "-z", optarg); break;
	case 'I': take_line("-I", true, &opt->gpio_in); given->gpio_in = true; break;
	case 'O': take_line("-O", false, &opt->gpio_out); given->gpio_out = true; break;
	case OPT_SAMPLES: opt->samples = tool_number_option("--samples", optarg, 1, LONG_MAX); break;
	case OPT_WARMUP: opt->warmup_ms = tool_number_option("--warmup", optarg, 0, 3600000); break;
	case OPT_JSON: opt->json = true; opt->json_file = optarg; break;
	case OPT_AUTO:
		opt->max_lat_us = tool_number_option("--auto", optarg, 1, 1000000);
		opt->auto_trace = opt->freeze_trace = true;
		break;
	case OPT_JSON_LINES: opt->json = opt->json_lines = true; break;
	case OPT_FORMAT: set_format(opt, optarg); given->format = true; break;
	case OPT_CHECKPOINT: opt->checkpoint_s = tool_number_option("--checkpoint", optarg, 0, 86400); break;
	case OPT_OVERWRITE: opt->overwrite = true; break;
	case OPT_DEFAULT_SYSTEM: opt->default_system = true; break;
	case OPT_FREEZE: opt->freeze_trace = true; break;
	case OPT_FORCE: given->force = true; break;
	case 'h': fputs(usage_text, stdout); exit(STATUS_OK);
	case 'V': case OPT_VERSION: puts(evl_get_version().version_string); exit(STATUS_OK);
	case ':': tool_die(STATUS_USAGE, "%s wants a value; see latmus -h", opt->argv[optind - 1]);
	default: tool_die(STATUS_USAGE, "%s is no option; see latmus -h", opt->argv[optind - 1]);
	}
}

/* "mode" is -t, or -r alone. */
static void refuse_with(const char *mode, bool given, const char *name)
{
	if (given)
		tool_die(STATUS_USAGE, "%s and %s exclude one another: %s reports no measurement", mode, name, mode);
}

static void refuse_results_with(const char *mode, const struct options *opt, const struct given *given)
{
	refuse_with(mode, given->measure, "-m");
	refuse_with(mode, given->mode, given->mode);
	refuse_with(mode, opt->smp, "--smp");
	refuse_with(mode, opt->plot, "-g");
	refuse_with(mode, opt->max_lat_us, "-A");
	refuse_with(mode, opt->json, "--json");
	refuse_with(mode, opt->samples || opt->timeout_s, "-T or --samples");
}

static void settle_mode(struct options *opt, const struct given *given)
{
	int i;

	if (given->tune) {
		opt->mode = MODE_TUNE;
		refuse_results_with("-t", opt, given);
	} else if (opt->reset) {
		refuse_results_with("-r", opt, given);
		opt->mode = MODE_RESET;
	}

	for (i = 0; i <= EVL_LAT_LAST && !opt->tune[i]; i++)
		;
	if (i > EVL_LAT_LAST)
		opt->tune[EVL_LAT_IRQ] = opt->tune[EVL_LAT_KERN] = opt->tune[EVL_LAT_USER] = true;
}

static void check_modes(const struct options *opt, const struct given *given)
{
	if (given->other_mode)
		tool_die(STATUS_USAGE, "%s and %s exclude one another: one thing is measured at a time", given->mode,
			 given->other_mode);
	if (given->mode && given->context && opt->context > EVL_LAT_SIRQ)
		tool_die(STATUS_USAGE, "%s and %s exclude one another: one thing is measured at a time", given->mode,
			 given->context);
	if (opt->smp && opt->context > EVL_LAT_LAST)
		tool_die(STATUS_USAGE, "--smp and %s exclude one another: --smp goes with -i, -k, -u and -s", given->mode);
	if (opt->smp && opt->cpu >= 0)
		tool_die(STATUS_USAGE, "--smp and %s exclude one another: --smp measures on all CPUs of the core",
			 opt->force_cpu ? "-C" : "-c");
}

static void check_rules(const struct options *opt, const struct given *given)
{
	if (opt->save && opt->mode != MODE_TUNE)
		tool_die(STATUS_USAGE, "--save goes with -t: it keeps what a calibration found");
	if (!opt->verbose && opt->mode == MODE_MEASURE && !opt->timeout_s && !opt->samples)
		tool_die(STATUS_USAGE, "%s wants -T or --samples: nobody would see the end otherwise",
			 opt->background ? "-b" : "-q");
	if (given->cells && !opt->plot && !opt->json)
		tool_die(STATUS_USAGE, "-H goes with -g or --json, which show the histogram");
	if (given->format && !opt->plot)
		tool_die(STATUS_USAGE, "--format goes with -g, whose file it is the form of");
	if (opt->json_lines && opt->json_file)
		tool_die(STATUS_USAGE, "--json-lines and --json=%s exclude one another: lines go to standard output", opt->json_file);
	if (opt->freeze_trace && !opt->max_lat_us)
		tool_die(STATUS_USAGE, "--freeze-trace goes with -A, which tells when");
	if (opt->keep_going && opt->context != EVL_LAT_USER)
		tool_die(STATUS_USAGE, "-K goes with -u: only an application thread is switched in-band");
	if (opt->period_us < SLOW_PERIOD_US && !given->force)
		tool_die(STATUS_USAGE, "-p %ld: a period below %d us may lock this machine up; --force if you mean it",
			 opt->period_us, SLOW_PERIOD_US);
	if (opt->json && opt->plot && !opt->json_file && !opt->plot_file)
		tool_die(STATUS_USAGE, "--json and -g cannot both go to standard output: give one of them a file");
}

static void check_gpio(const struct options *opt, const struct given *given)
{
	bool gpio = opt->monitor != NULL;

	if (gpio && (!given->gpio_in || !given->gpio_out))
		tool_die(STATUS_USAGE, "%s wants a line to be pulsed, -I, and one to answer on, -O", given->mode);
	if (!gpio && (given->gpio_in || given->gpio_out))
		tool_die(STATUS_USAGE, "%s goes with -Z or -z, which measure on GPIO lines", given->gpio_in ? "-I" : "-O");
}

void parse_options(struct options *opt, int argc, char *argv[])
{
	struct given given = { };
	int c;

	*opt = (struct options) {
		.mode = MODE_MEASURE, .context = EVL_LAT_USER, .period_us = 1000, .priority = 90, .cpu = -1, .peer_cpu = -1,
		.verbose = 1, .lines = 21, .cells = 200, .warmup_ms = 1000,
		.checkpoint_s = -1, .argc = argc, .argv = argv,
	};
	opterr = 0;
	while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		take_option(c, opt, &given);
	if (optind < argc)
		tool_die(STATUS_USAGE, "%s: latmus takes options only; see latmus -h", argv[optind]);

	settle_mode(opt, &given);
	check_modes(opt, &given);
	check_rules(opt, &given);
	check_gpio(opt, &given);
	settle_checkpoint(opt);
}

const char *context_name(int context)
{
	static const char *const names[] = {
		[EVL_LAT_IRQ] = "irq", [EVL_LAT_KERN] = "kernel", [EVL_LAT_USER] = "user", [EVL_LAT_SIRQ] = "sirq",
		[CONTEXT_CTXSW] = "ctxsw", [CONTEXT_XCPU] = "xcpu",
		[CONTEXT_OOB_GPIO] = "oob-gpio", [CONTEXT_INBAND_GPIO] = "inband-gpio",
	};

	return names[context];
}
