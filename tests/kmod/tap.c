// SPDX-License-Identifier: GPL-2.0-only
/* Test results of a module, see tap.h. */
#include "tap.h"
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/seq_file.h>

#define TAP_SPACE	65536

static char results[TAP_SPACE];
static size_t used;
static unsigned int points, failures;
static bool overflow;

static void append(const char *line)
{
	int room = TAP_SPACE - used;
	int len = snprintf(results + used, room, "%s\n", line);

	pr_info("%s\n", line);
	if (len < room)
		used += len;
	else
		overflow = true;
}

bool tap_ok(bool passed, const char *fmt, ...)
{
	char text[192], line[224];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "%sok %u - %s", passed ? "" : "not ", ++points, text);
	append(line);
	failures += !passed;

	return passed;
}

void tap_skip(const char *reason, const char *fmt, ...)
{
	char text[192], line[320];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "ok %u - %s # SKIP %s", ++points, text, reason);
	append(line);
}

void tap_note(const char *fmt, ...)
{
	char line[224] = "# ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + 2, sizeof(line) - 2, fmt, args);
	va_end(args);
	append(line);
}

/* The plan comes last: the number of points depends on the CPUs. */
void tap_show(struct seq_file *m)
{
	seq_write(m, results, used);
	if (overflow)
		seq_puts(m, "Bail out! the results do not fit\n");
	seq_printf(m, "1..%u\n", points);
}

unsigned int tap_failures(void)
{
	return failures + overflow;
}
