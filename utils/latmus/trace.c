// SPDX-License-Identifier: GPL-2.0-only
/* Kernel tracing around a measurement: stopped at a peak, or begun, stopped and saved by "evl trace". */
#include "latmus.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last lines of the trace are those before the peak, as far as user space was quick enough. */
static void freeze_trace(void)
{
	static const char *const paths[] = {
		"/sys/kernel/tracing/tracing_on", "/sys/kernel/debug/tracing/tracing_on",
	};
	size_t i;
	int fd;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (write(fd, "0", 1) != 1)
			tool_warn("%s: %s", paths[i], strerror(errno));
		close(fd);
		return;
	}
	tool_warn("--freeze-trace: no tracing directory is mounted");
}

static bool run_command(const char *line)
{
	int status = system(line);

	return status >= 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* At exit, so that it is done for those who die of an error as well. */
static void disable_trace(void)
{
	if (!run_command("evl trace -d >&2"))
		tool_warn("--auto: evl trace -d failed: the events stay enabled");
}

void begin_trace(const struct options *opt)
{
	if (!opt->auto_trace)
		return;
	if (!run_command("evl trace -etimer >&2"))
		tool_die(STATUS_FAILED, "--auto: evl trace -etimer failed, see above");
	atexit(disable_trace);
}

static void save_trace(const struct environment *env)
{
	char name[64], line[128];
	struct tm tm;

	strftime(name, sizeof(name), "latmus-%Y%m%d-%H%M%S.trace", localtime_r(&env->started, &tm));
	snprintf(line, sizeof(line), "set -C; evl trace -p >%s", name);
	if (run_command(line))
		fprintf(stderr, "the trace up to the peak is in %s; evl trace --explain=%s\n", name, name);
	else
		tool_warn("--auto: cannot save the trace in %s", name);
}

void catch_peak(const struct options *opt, const struct environment *env)
{
	if (opt->freeze_trace)
		freeze_trace();
	if (opt->auto_trace)
		save_trace(env);
}
