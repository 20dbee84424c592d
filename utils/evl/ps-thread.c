// SPDX-License-Identifier: GPL-2.0-only
/* One thread: its attributes in sysfs, and how they are shown. */
#include "ps.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <evl/thread-abi.h>
#include "../common/tool.h"

static bool read_attribute(const char *dir, const char *name, const char *attr, char *line, size_t size)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", dir, name, attr) >= (int)sizeof(path))
		return false;

	return tool_read_line(path, line, size);
}

bool read_thread(const char *dir, const char *name, struct thread_row *row)
{
	char line[256];

	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", name);
	if (!read_attribute(dir, name, "pid", line, sizeof(line)) || sscanf(line, "%d", &row->pid) != 1)
		return false;
	if (!read_attribute(dir, name, "sched", line, sizeof(line)) ||
	    sscanf(line, "%d %15s %*d %d", &row->cpu, row->policy, &row->prio) != 3)
		return false;
	if (!read_attribute(dir, name, "state", line, sizeof(line)) || sscanf(line, "%" SCNx32, &row->state) != 1)
		return false;
	if (!read_attribute(dir, name, "stats", line, sizeof(line)) ||
	    sscanf(line, "%lu %lu %lu %lu %" SCNu64 " %u", &row->isw, &row->csw, &row->sys, &row->rwa,
		   &row->cputime_ns, &row->share) != 6)
		return false;
	if (!read_attribute(dir, name, "timeout", line, sizeof(line)) ||
	    sscanf(line, "%" SCNu64, &row->timeout_ns) != 1)
		return false;

	return read_attribute(dir, name, "wchan", row->wchan, sizeof(row->wchan));
}

/* minutes:milliseconds.microseconds */
const char *cputime_text(uint64_t ns, char *text, size_t size)
{
	uint64_t us = ns / 1000;

	snprintf(text, size, "%02" PRIu64 ":%03" PRIu64 ".%03" PRIu64, us / 60000000, us % 60000000 / 1000,
		 us % 1000);

	return text;
}

/* The two largest units that matter. */
const char *timeout_text(uint64_t ns, char *text, size_t size)
{
	static const struct { const char *name; uint64_t ns; } units[] = {
		{ "h", 3600000000000 }, { "m", 60000000000 }, { "s", 1000000000 }, { "ms", 1000000 },
		{ "us", 1000 }, { "ns", 1 },
	};
	size_t i, last = sizeof(units) / sizeof(units[0]) - 1;
	int len;

	if (!ns) {
		snprintf(text, size, "-");
		return text;
	}
	for (i = 0; i < last && ns < units[i].ns; i++)
		;
	len = snprintf(text, size, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
	/* Below microseconds nobody looks. */
	if (i < last - 1 && ns % units[i].ns / units[i + 1].ns)
		snprintf(text + len, size - (size_t)len, "%" PRIu64 "%s", ns % units[i].ns / units[i + 1].ns,
			 units[i + 1].name);

	return text;
}

const char *state_text(uint32_t state, char *text, size_t size)
{
	static const struct { uint32_t mask, value; char letter; } letters[] = {
		{ EVL_T_PEND | EVL_T_DELAY, EVL_T_PEND | EVL_T_DELAY, 'w' },
		{ EVL_T_PEND | EVL_T_DELAY, EVL_T_PEND, 'W' },
		{ EVL_T_PEND | EVL_T_DELAY, EVL_T_DELAY, 'D' },
		{ EVL_T_WAIT, EVL_T_WAIT, 'p' },
		{ EVL_T_READY, EVL_T_READY, 'R' },
		{ EVL_T_INBAND, EVL_T_INBAND, 'X' },
		{ EVL_T_PTRACE, EVL_T_PTRACE, 'T' },
		{ EVL_T_RRB, EVL_T_RRB, 'r' },
		{ EVL_T_SUSP, EVL_T_SUSP, 'S' },
	};
	size_t i, len = 0;

	for (i = 0; i < sizeof(letters) / sizeof(letters[0]) && len < size - 1; i++)
		if ((state & letters[i].mask) == letters[i].value)
			text[len++] = letters[i].letter;
	text[len] = '\0';

	return text;
}
