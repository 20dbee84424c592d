// SPDX-License-Identifier: GPL-2.0-only
/* Result files: never replaced unasked, and never left half written. */
#include "tool.h"
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Found out before the measurement, not after it. */
void check_result_path(const char *path, bool overwrite)
{
	char temp[PATH_MAX];
	FILE *probe;

	if (!path)
		return;
	if (!overwrite && !access(path, F_OK))
		tool_die(STATUS_USAGE, "%s exists; --overwrite to replace it", path);
	snprintf(temp, sizeof(temp), "%s.new", path);
	probe = fopen(temp, "we");
	if (!probe)
		tool_die(STATUS_USAGE, "cannot write %s: %s", path, strerror(errno));
	fclose(probe);
	unlink(temp);
}

FILE *open_result(const char *path, bool overwrite)
{
	char temp[PATH_MAX];
	FILE *out;

	if (!path)
		return stdout;
	if (!overwrite && !access(path, F_OK))
		tool_die(STATUS_FAILED, "%s appeared meanwhile, and is not replaced", path);
	snprintf(temp, sizeof(temp), "%s.new", path);
	out = fopen(temp, "we");
	if (!out)
		tool_die(STATUS_FAILED, "cannot write %s: %s", temp, strerror(errno));

	return out;
}

void close_result(FILE *out, const char *path)
{
	char temp[PATH_MAX];
	bool bad = fflush(out) || ferror(out);

	if (!path) {
		if (bad)
			tool_die(STATUS_FAILED, "cannot write to standard output");
		return;
	}
	snprintf(temp, sizeof(temp), "%s.new", path);
	if (fclose(out) || bad || rename(temp, path)) {
		unlink(temp);
		tool_die(STATUS_FAILED, "cannot write %s: %s", path, strerror(errno));
	}
}
