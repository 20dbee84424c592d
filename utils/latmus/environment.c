// SPDX-License-Identifier: GPL-2.0-only
/* Where a measurement takes place: driver, CPU, clock source, idle states. */
#include "latmus.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ONLINE_CPUS		"/sys/devices/system/cpu/online"
#define ISOLATED_CPUS		"/sys/devices/system/cpu/isolated"
#define CURRENT_CLOCKSOURCE	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

int open_driver(void)
{
	return tool_open_device(LATMUS_DEV, "evl-latmus");
}

static int first_in_both(const cpu_set_t *a, const cpu_set_t *b)
{
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, a) && CPU_ISSET(cpu, b))
			return cpu;

	return -1;
}

/* The first isolated one; failing that where we run; failing that any of the core's. */
static int default_cpu(const cpu_set_t *oob, const cpu_set_t *isolated)
{
	int cpu = first_in_both(oob, isolated);

	if (cpu < 0)
		cpu = sched_getcpu();
	if (cpu < 0 || !CPU_ISSET(cpu, oob))
		cpu = first_in_both(oob, oob);

	return cpu;
}

/* An isolated one if the first is; then any other. */
static int default_peer(const cpu_set_t *oob, const cpu_set_t *isolated, int first)
{
	cpu_set_t others = *oob, quiet;
	int cpu;

	CPU_CLR(first, &others);
	CPU_AND(&quiet, &others, isolated);
	cpu = CPU_ISSET(first, isolated) ? first_in_both(&quiet, &quiet) : -1;

	return cpu < 0 ? first_in_both(&others, &others) : cpu;
}

static void choose_peer(const struct options *opt, struct environment *env, const cpu_set_t *oob, const cpu_set_t *isolated)
{
	env->peer_cpu = opt->peer_cpu < 0 ? default_peer(oob, isolated, env->cpu) : (int)opt->peer_cpu;
	if (env->peer_cpu < 0)
		tool_die(STATUS_USAGE, "--xcpu wants two CPUs of the core, there is but CPU%d", env->cpu);
	if (env->peer_cpu == env->cpu)
		tool_die(STATUS_USAGE, "--xcpu=%d: that is the CPU measured from; --ctxsw is for one CPU", env->cpu);
	env->isolated = env->isolated && CPU_ISSET(env->peer_cpu, isolated);
}

static void check_cpu(int cpu, const char *path, const char *oob_text, const cpu_set_t *oob)
{
	if (!CPU_ISSET(cpu, oob))
		tool_die(STATUS_USAGE, "CPU%d is not among those which may be used: %s says %s", cpu, path, oob_text);
}

static void name_place(struct environment *env, const char *cpus)
{
	const char *suffix = env->isolated ? "" : "-noisol";

	if (cpus)
		snprintf(env->place, sizeof(env->place), "CPU%s%s", cpus, suffix);
	else if (env->peer_cpu >= 0)
		snprintf(env->place, sizeof(env->place), "CPU%d,%d%s", env->cpu, env->peer_cpu, suffix);
	else
		snprintf(env->place, sizeof(env->place), "CPU%d%s", env->cpu, suffix);
}

/* Without the core any CPU that is online will do. */
static void read_sets(const struct options *opt, char path[PATH_MAX], char *text, size_t size, cpu_set_t *oob)
{
	if (opt->context != CONTEXT_INBAND_GPIO) {
		tool_core_cpus(path, text, size, oob);
		return;
	}
	snprintf(path, PATH_MAX, ONLINE_CPUS);
	tool_read_cpus(path, text, size, oob);
}

void choose_cpu(const struct options *opt, struct environment *env)
{
	char path[PATH_MAX], oob_text[1024], isolated_text[1024];
	cpu_set_t oob, isolated, quiet;

	read_sets(opt, path, oob_text, sizeof(oob_text), &oob);
	tool_read_cpus(ISOLATED_CPUS, isolated_text, sizeof(isolated_text), &isolated);
	env->peer_cpu = -1;
	if (opt->smp) {
		CPU_AND(&quiet, &oob, &isolated);
		env->cpu = -1;
		env->isolated = CPU_EQUAL(&quiet, &oob);
		name_place(env, oob_text);
		return;
	}

	env->cpu = opt->cpu < 0 ? default_cpu(&oob, &isolated) : (int)opt->cpu;
	check_cpu(env->cpu, path, oob_text, &oob);
	env->isolated = CPU_ISSET(env->cpu, &isolated);
	if (opt->cpu >= 0 && !opt->force_cpu && !env->isolated && first_in_both(&oob, &isolated) >= 0)
		tool_die(STATUS_USAGE, "CPU%d is not isolated, but %s are; -C %d to measure there all the same",
			 env->cpu, isolated_text, env->cpu);
	if (opt->context == CONTEXT_XCPU) {
		choose_peer(opt, env, &oob, &isolated);
		check_cpu(env->peer_cpu, path, oob_text, &oob);
	}
	name_place(env, NULL);
}

int spread(const struct environment *env, struct environment **all)
{
	char path[PATH_MAX], text[1024];
	cpu_set_t oob, isolated;
	int cpu, nr = 0;

	tool_core_cpus(path, text, sizeof(text), &oob);
	tool_read_cpus(ISOLATED_CPUS, text, sizeof(text), &isolated);
	*all = calloc((size_t)CPU_COUNT(&oob), sizeof(**all));
	if (!*all)
		tool_die(STATUS_FAILED, "out of memory");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &oob))
			continue;
		(*all)[nr] = *env;
		(*all)[nr].cpu = cpu;
		(*all)[nr].isolated = CPU_ISSET(cpu, &isolated);
		name_place(&(*all)[nr++], NULL);
	}

	return nr;
}

/* Held open for the rest of the process: it is the open file that keeps idle states shallow. */
static bool restrict_idle_states(void)
{
	int32_t latency_us = 0;
	int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (write(fd, &latency_us, sizeof(latency_us)) == sizeof(latency_us))
		return true;
	close(fd);

	return false;
}

/* How user space reads this clock source. */
static const char *vdso_access(const char *clocksource)
{
	static const char *const architected[] = { "tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page" };
	size_t i;

	for (i = 0; i < sizeof(architected) / sizeof(architected[0]); i++)
		if (!strcmp(clocksource, architected[i]))
			return "architected";

	return "none";
}

void survey(const struct options *opt, struct environment *env, int fd)
{
	choose_cpu(opt, env);
	env->started = time(NULL);
	env->cstates_restricted = !opt->default_system && restrict_idle_states();
	if (!tool_read_line(CURRENT_CLOCKSOURCE, env->clocksource, sizeof(env->clocksource)))
		strcpy(env->clocksource, "unknown");
	env->vdso = vdso_access(env->clocksource);
	if (fd >= 0 && ioctl(fd, EVL_LATIOC_GET_GRAVITY, &env->gravity))
		tool_die(STATUS_FAILED, "cannot read the gravity of the clock: %s", strerror(errno));
}
