// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calibration: per context, the gravity with which wake-ups come as close to their date as they can without
 * coming early.
 *
 *   1. gravity 0, sample: the 0.1 percentile, rounded down to a step, is the first guess
 *   2. sample with it: too many early ones, one step less; 0.1 percentile still late by two steps, one step
 *      more; else done. At most MAX_ROUNDS times; if it does not settle, the lowest value tried stays.
 *
 * Interrupted, or ended by an error, nothing has changed.
 */
#include "latmus.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_NS		500
#define MAX_ROUNDS	8
#define GUESS_S		2
#define ROUND_S		3
#define EARLY_PER_MILLE	1

static const int order[] = { EVL_LAT_IRQ, EVL_LAT_KERN, EVL_LAT_USER };

static uint32_t *gravity_of(struct latmus_gravity *g, int context)
{
	switch (context) {
	case EVL_LAT_IRQ:
		return &g->irq;
	case EVL_LAT_KERN:
		return &g->kernel;
	default:
		return &g->user;
	}
}

/* What was in force before, for as long as it is to come back; fd is -1 otherwise. */
static struct {
	int fd;
	struct latmus_gravity gravity;
} former = { .fd = -1 };

static void apply(int fd, const struct latmus_gravity *g)
{
	struct latmus_gravity copy = *g;

	if (!ioctl(fd, EVL_LATIOC_SET_GRAVITY, &copy))
		return;
	former.fd = -1;		/* the next time would fail as well */
	tool_die(tool_status_of(errno), "cannot set the gravity: %s%s", strerror(errno),
		 errno == EPERM ? "; run latmus as root" : "");
}

/* Also at exit: a run which fails may end the process. */
static void restore_former(void)
{
	int fd = former.fd;

	former.fd = -1;
	if (fd >= 0)
		apply(fd, &former.gravity);
}

/* Output nobody reads any more must not end the process with a gravity which is being tried. */
static void keep_former(int fd, const struct latmus_gravity *g)
{
	signal(SIGPIPE, SIG_IGN);
	former.gravity = *g;
	former.fd = fd;
	if (atexit(restore_former))
		tool_die(STATUS_FAILED, "out of memory");
}

/* Lateness which all but one in a thousand exceed. */
static uint32_t low_edge(const struct figures *fig)
{
	uint64_t rank = fig->result.samples / 1000 + 1, sum = 0;
	uint32_t n;

	for (n = 0; n < fig->nr_cells; n++) {
		sum += fig->cells[n];
		if (sum >= rank)
			return n * fig->cell_ns;
	}

	return fig->nr_cells * fig->cell_ns;
}

static bool sample(struct run *run, int context, unsigned int seconds)
{
	struct run_limits limits = {
		.warmup_ns = 200000000,
		.duration_ns = seconds * 1000000000ULL,
	};

	free_figures(&run->fig);
	size_histogram(&run->fig, MIN_SPAN_US);

	return execute_runs(run, 1, context, &limits) && !run->interrupted;
}

/* False: interrupted, or a run failed. */
static bool tune_context(struct run *run, int context, struct latmus_gravity *g)
{
	uint32_t *gravity = gravity_of(g, context), lowest;
	int round;

	*gravity = 0;
	apply(run->fd, g);
	if (!sample(run, context, GUESS_S))
		return false;
	lowest = *gravity = low_edge(&run->fig) / STEP_NS * STEP_NS;

	for (round = 0; round < MAX_ROUNDS; round++) {
		apply(run->fd, g);
		if (!sample(run, context, ROUND_S))
			return false;
		if (run->fig.result.early * 1000 > run->fig.result.samples * EARLY_PER_MILLE) {
			if (!*gravity)
				return true;
			*gravity -= STEP_NS;
			lowest = *gravity < lowest ? *gravity : lowest;
		} else if (low_edge(&run->fig) > 2 * STEP_NS) {
			*gravity += STEP_NS;
		} else {
			return true;
		}
	}
	*gravity = lowest;
	tool_warn("the %s gravity does not settle: the lowest value tried is kept", context_name(context));

	return true;
}

/* A receiver further away is never anticipated less. */
static void keep_order(const struct options *opt, struct latmus_gravity *g)
{
	if (opt->tune[EVL_LAT_KERN] && g->kernel < g->irq)
		g->kernel = g->irq;
	if (opt->tune[EVL_LAT_USER] && g->user < g->kernel)
		g->user = g->kernel;
	if (opt->tune[EVL_LAT_USER] && g->user < g->irq)
		g->user = g->irq;
}

/* evl tune knows where and how, and brings it back. */
static int keep_gravity(void)
{
	char *const argv[] = { "evl", "tune", "--keep", NULL };
	int status, ret;
	pid_t child;

	fflush(stdout);
	ret = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);
	if (ret) {
		tool_warn("the calibration is in force, but not kept: cannot run evl: %s", strerror(ret));
		return STATUS_FAILED;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;

	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED;
}

int tune(const struct options *opt, struct environment *env, int fd)
{
	struct run run = { .fd = fd, .opt = opt, .env = env };
	struct latmus_gravity g = env->gravity;
	time_t began = time(NULL);
	size_t i;

	keep_former(fd, &g);
	printf("== core timer calibration, period=%ld us (this takes a while)\n", opt->period_us);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!opt->tune[order[i]])
			continue;
		printf("%s gravity...", context_name(order[i]));
		fflush(stdout);
		if (!tune_context(&run, order[i], &g)) {
			putchar('\n');
			restore_former();
			tool_warn("calibration given up, the former gravity is back");
			return STATUS_FAILED;
		}
		keep_order(opt, &g);
		printf("%u ns\n", *gravity_of(&g, order[i]));
	}
	apply(fd, &g);
	former.fd = -1;
	printf("== calibration done after %llds\n", (long long)(time(NULL) - began));
	free_figures(&run.fig);

	return opt->save ? keep_gravity() : STATUS_OK;
}
