// SPDX-License-Identifier: GPL-2.0-only
/* JSON output. */
#include "tool.h"
#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <evl/evl.h>

static void put_string(FILE *out, const char *text)
{
	const unsigned char *c;

	putc('"', out);
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20)
			fprintf(out, "\\u%04x", *c);
		else
			putc(*c, out);
	}
	putc('"', out);
}

static void put_key(struct json *j, const char *key)
{
	if (j->need_comma)
		putc(',', j->out);
	j->need_comma = true;
	if (key) {
		put_string(j->out, key);
		putc(':', j->out);
	}
}

void json_begin(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	putc(bracket, j->out);
	j->need_comma = false;
}

void json_end(struct json *j, char bracket)
{
	putc(bracket, j->out);
	j->need_comma = true;
}

void json_text(struct json *j, const char *key, const char *text)
{
	if (!text) {
		json_null(j, key);
		return;
	}
	put_key(j, key);
	put_string(j->out, text);
}

void json_integer(struct json *j, const char *key, long long value)
{
	put_key(j, key);
	fprintf(j->out, "%lld", value);
}

void json_seconds(struct json *j, const char *key, double value)
{
	put_key(j, key);
	fprintf(j->out, "%.6f", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	put_key(j, key);
	fputs("null", j->out);
}

static void put_start_time(struct json *j)
{
	char text[40];
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	json_text(j, "started", text);
}

void json_provenance(struct json *j, const char *schema, int version, int argc, char *const argv[])
{
	struct evl_version evl = evl_get_version();
	char cmdline[4096];
	struct utsname uts;
	int i;

	json_begin(j, "schema", '{');
	json_text(j, "name", schema);
	json_integer(j, "version", version);
	json_end(j, '}');
	json_text(j, "tool", tool_name);
	json_text(j, "version", evl.version_string);
	json_integer(j, "abi", evl.abi_level);
	put_start_time(j);
	if (!uname(&uts)) {
		json_text(j, "host", uts.nodename);
		json_text(j, "kernel", uts.release);
	}
	json_text(j, "cmdline", tool_read_line("/proc/cmdline", cmdline, sizeof(cmdline)) ? cmdline : NULL);
	json_begin(j, "arguments", '[');
	for (i = 1; i < argc; i++)
		json_text(j, NULL, argv[i]);
	json_end(j, ']');
}
