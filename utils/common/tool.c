// SPDX-License-Identifier: GPL-2.0-only
/* Messages, small files, numbers and lists. */
#include "tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *tool_name = "evl";

static void say(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", tool_name);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void tool_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

void tool_die(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	exit(status);
}

int tool_status_of(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return STATUS_DENIED;
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case ENOSYS:
	case ENOEXEC:
	case EOPNOTSUPP:
		return STATUS_NO_CORE;
	default:
		return STATUS_FAILED;
	}
}

bool tool_read_line(const char *path, char *line, size_t size)
{
	FILE *fp = fopen(path, "re");
	bool ok;

	if (!fp)
		return false;

	errno = 0;
	ok = fgets(line, (int)size, fp) || !ferror(fp);
	if (ok && feof(fp) && !ftell(fp))
		line[0] = '\0';
	fclose(fp);
	if (ok)
		line[strcspn(line, "\n")] = '\0';

	return ok;
}

bool tool_parse_number(const char *text, long min, long max, long *value)
{
	char *end;

	/* strtol() would let space and signs through. */
	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	*value = strtol(text, &end, 10);

	return !errno && *value >= min && *value <= max;
}

static bool parse_cpu(const char **text, long *cpu)
{
	char digits[8];
	size_t len = strspn(*text, "0123456789");

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, *text, len);
	digits[len] = '\0';
	*text += len;

	return tool_parse_number(digits, 0, CPU_SETSIZE - 1, cpu);
}

bool tool_parse_cpus(const char *text, cpu_set_t *set)
{
	long first, last;

	CPU_ZERO(set);
	while (*text) {
		if (!parse_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_cpu(&text, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			CPU_SET((int)first, set);
		if (*text == ',' && text[1])
			text++;
		else if (*text)
			return false;
	}

	return true;
}

const char *tool_sysdir(void)
{
	const char *dir = getenv("EVL_SYSDIR");

	return dir && *dir ? dir : "/sys/devices/virtual";
}

void tool_read_cpus(const char *path, char *text, size_t size, cpu_set_t *set)
{
	CPU_ZERO(set);
	if (!tool_read_line(path, text, size))
		*text = '\0';
	else if (!tool_parse_cpus(text, set))
		tool_die(STATUS_FAILED, "%s: cannot make sense of '%s'", path, text);
}
