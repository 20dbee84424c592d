// SPDX-License-Identifier: GPL-2.0-only
/* Result files: never replaced unasked, and never left half written. */
#include "tool.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
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

FILE *begin_result(const char *path, bool overwrite)
{
	char temp[PATH_MAX];
	FILE *out;

	if (!path)
		return stdout;
	if (!overwrite && !access(path, F_OK)) {
		tool_warn("%s appeared meanwhile, and is not replaced", path);
		return NULL;
	}
	snprintf(temp, sizeof(temp), "%s.new", path);
	out = fopen(temp, "we");
	if (!out)
		tool_warn("cannot write %s: %s", temp, strerror(errno));

	return out;
}

bool end_result(FILE *out, const char *path)
{
	char temp[PATH_MAX];
	bool bad = fflush(out) || ferror(out);

	if (!path) {
		if (bad)
			tool_warn("cannot write to standard output");
		return !bad;
	}
	snprintf(temp, sizeof(temp), "%s.new", path);
	if (fclose(out) || bad || rename(temp, path)) {
		tool_warn("cannot write %s: %s", path, strerror(errno));
		unlink(temp);
		return false;
	}

	return true;
}

FILE *open_result(const char *path, bool overwrite)
{
	FILE *out = begin_result(path, overwrite);

	if (!out)
		exit(STATUS_FAILED);

	return out;
}

void close_result(FILE *out, const char *path)
{
	if (!end_result(out, path))
		exit(STATUS_FAILED);
}
