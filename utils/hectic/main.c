// SPDX-License-Identifier: GPL-2.0-only
/*
 * hectic: context switches between threads of all kinds on each CPU of the core, with a check of what the registers
 * of the FPU hold across each. Validates a kernel; measures nothing.
 */
#include "hectic.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define STALL_SECONDS	2

static void say(const struct options *opt, const char *text)
{
	if (opt->silent || opt->verify)
		return;
	puts(text);
	fflush(stdout);
}

static void check_fpu(const struct options *opt)
{
	say(opt, "testing the FPU check routines...");
	fpu_sabotage(opt->fault);
	if (!opt->nofpu && !fpu_self_test())
		tool_die(STATUS_SELF_TEST, "the FPU check routines do not work here; -n to go without the FPU");
	say(opt, opt->nofpu ? "not used: -n" : "FPU check routines: OK");
}

static void check_cpus(const struct options *opt, cpu_set_t *core)
{
	char path[PATH_MAX], text[1024];
	cpu_set_t wanted, foreign;
	int n;

	tool_core_cpus(path, text, sizeof(text), core);
	wanted = opt->have_cpus ? opt->cpus : *core;
	for (n = 0; n < opt->nr_specs; n++)
		CPU_SET(opt->specs[n].cpu, &wanted);
	CPU_AND(&foreign, &wanted, core);
	CPU_XOR(&foreign, &foreign, &wanted);
	for (n = 0; n < CPU_SETSIZE; n++)
		if (CPU_ISSET(n, &foreign))
			tool_die(STATUS_USAGE, "CPU%d is not one of the core's: %s says %s", n, path, text);
}

static void update(struct crew *crew)
{
	struct hectic_count c;

	if (ioctl(crew->fd, EVL_HECIOC_GET_SWITCHES_COUNT, &c))
		tool_die(STATUS_FAILED, "CPU%d: cannot read the count of switches: %s", crew->cpu, strerror(errno));
	crew->interval = c.switches - crew->total;
	crew->total = c.switches;
	crew->last_switch = c.last_switch;
	crew->silent_s = crew->interval ? 0 : crew->silent_s + 1;
}

static enum verdict judge(struct crew *crew, bool progress)
{
	struct hectic_error error;

	if (__atomic_load_n(&crew->stress_failed, __ATOMIC_ACQUIRE))
		return FAILED_STRESS;
	if (!ioctl(crew->fd, EVL_HECIOC_GET_LAST_ERROR, &error)) {
		crew->last_switch = error.last_switch;
		crew->mismatch = (struct fpu_mismatch) {
			.reg = error.fp_reg, .found = error.fp_val, .expected = error.fp_expected,
		};
		return FAILED_FPU;
	}

	return progress ? PASSED : FAILED_STALLED;
}

/* Judges all crews; the first one at fault is the culprit. */
static enum verdict inspect(struct crews *crews, bool stalls, struct crew **culprit)
{
	enum verdict verdict;
	bool progress;
	int n;

	*culprit = NULL;
	for (n = 0; n < crews->count; n++)
		update(&crews->all[n]);
	for (n = 0; n < crews->count; n++) {
		progress = !stalls || crews->all[n].silent_s < STALL_SECONDS;
		verdict = judge(&crews->all[n], progress);
		if (verdict != PASSED) {
			*culprit = &crews->all[n];
			return verdict;
		}
	}

	return PASSED;
}

/* One second, or until somebody wants us to end: then false. */
static bool await_second(const sigset_t *set, struct timespec *date)
{
	struct timespec now, left;

	date->tv_sec++;
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = date->tv_sec - now.tv_sec;
		left.tv_nsec = date->tv_nsec - now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_sec--;
			left.tv_nsec += 1000000000;
		}
		if (left.tv_sec < 0)
			return true;
		if (sigtimedwait(set, NULL, &left) > 0)
			return false;
	} while (errno == EINTR);

	return true;
}

static int run(const struct options *opt, struct crews *crews, const sigset_t *set)
{
	static const int statuses[] = {
		[PASSED] = STATUS_OK, [FAILED_FPU] = STATUS_FPU, [FAILED_STRESS] = STATUS_FPU, [FAILED_STALLED] = STATUS_STALLED,
	};
	enum verdict verdict = PASSED;
	struct crew *culprit = NULL;
	struct timespec date;
	uint64_t seconds = 0;

	start_crews(crews);
	report_threads(opt, crews);
	clock_gettime(CLOCK_MONOTONIC, &date);
	while (verdict == PASSED && (!opt->timeout_s || seconds < (uint64_t)opt->timeout_s) && await_second(set, &date)) {
		seconds++;
		verdict = inspect(crews, true, &culprit);
		report_second(opt, crews, seconds);
	}
	/* What the last fraction of a second brought counts as well; that it was silent does not. */
	if (verdict == PASSED)
		verdict = inspect(crews, false, &culprit);
	stop_crews(crews);
	report_end(opt, crews, seconds, verdict, culprit);

	return statuses[verdict];
}

int main(int argc, char *argv[])
{
	struct options opt;
	struct crews crews;
	cpu_set_t core;
	sigset_t set;

	tool_name = "hectic";
	parse_options(&opt, argc, argv);
	if (opt.json)
		check_result_path(opt.json_file, opt.overwrite);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	close(tool_open_device(HECTIC_DEV, "evl-hectic"));
	check_cpus(&opt, &core);
	check_fpu(&opt);
	make_crews(&crews, &opt, &core);

	return run(&opt, &crews, &set);
}
