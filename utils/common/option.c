// SPDX-License-Identifier: GPL-2.0-only
/* Values of options, and times as tools show them. */
#include "tool.h"
#include <inttypes.h>
#include <limits.h>
#include <string.h>

long tool_number_option(const char *name, const char *text, long min, long max)
{
	long value;

	if (!tool_parse_number(text, min, max, &value))
		tool_die(STATUS_USAGE, "%s %s: expected a whole number from %ld to %ld", name, text, min, max);

	return value;
}

bool tool_parse_duration(const char *text, long *seconds)
{
	static const struct { char suffix; long factor; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};
	size_t digits = strspn(text, "0123456789"), i;
	long factor = 1;
	char number[16];

	if (!digits || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';

	if (text[digits]) {
		for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (units[i].suffix == text[digits])
				break;
		if (i == sizeof(units) / sizeof(units[0]) || text[digits + 1])
			return false;
		factor = units[i].factor;
	}
	if (!tool_parse_number(number, 1, INT_MAX / factor, seconds))
		return false;
	*seconds *= factor;

	return true;
}

const char *tool_hms(uint64_t seconds)
{
	static char text[2][32];
	static int turn;
	char *t = text[turn ^= 1];

	snprintf(t, sizeof(text[0]), "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600,
		 seconds / 60 % 60, seconds % 60);

	return t;
}
