/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tools share: messages and exit statuses, small files, CPU lists, JSON. */
#ifndef _EVL_UTILS_TOOL_H
#define _EVL_UTILS_TOOL_H

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define __tool_printf(__fmt, __args)	__attribute__((__format__(__printf__, __fmt, __args)))

/* Exit statuses of every tool. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,	/* it ran and failed */
	STATUS_USAGE = 2,
	STATUS_NO_CORE = 3,	/* no core, or a feature of the kernel is missing */
	STATUS_DENIED = 4
};

/* Set first thing by main(); precedes messages. */
extern const char *tool_name;

void tool_warn(const char *fmt, ...) __tool_printf(1, 2);
void tool_die(int status, const char *fmt, ...) __tool_printf(2, 3) __attribute__((__noreturn__));

/* tool_die() with the status that suits an errno value met while opening a file of the core. */
int tool_status_of(int error);

/* First line of a small file, without newline. False, errno set, if it cannot be read. */
bool tool_read_line(const char *path, char *line, size_t size);

/* A whole number, nothing behind it, within [min, max]. */
bool tool_parse_number(const char *text, long min, long max, long *value);

/* A list such as 0,3-5; false if malformed. The empty list is one. */
bool tool_parse_cpus(const char *text, cpu_set_t *set);

/* $EVL_SYSDIR or its default. */
const char *tool_sysdir(void);

/* A list of CPUs out of sysfs, and its text; empty if there is no such file. */
void tool_read_cpus(const char *path, char *text, size_t size, cpu_set_t *set);

/*
 * core.c: each exits with a message if the core is out of reach, for want of it, of Dovetail, of permission, of memory.
 * tool_no_core(): because "missing" is; "module" is what to load. tool_core_cpus(): the CPUs of the core, and the file
 * which says so.
 */
void tool_no_core(const char *missing, const char *module) __attribute__((__noreturn__));
void tool_open_core(void);
int tool_open_device(const char *device, const char *module);
void tool_core_cpus(char path[PATH_MAX], char *text, size_t size, cpu_set_t *set);

/* option.c: a value within [min, max], or exit with STATUS_USAGE; seconds, or with suffix d h m s; HH:MM:SS. */
long tool_number_option(const char *name, const char *text, long min, long max);
bool tool_parse_duration(const char *text, long *seconds);
const char *tool_hms(uint64_t seconds);

/*
 * result.c: files are written beside their name, then renamed. check_result_path() is for before the work: it exits
 * with STATUS_USAGE if the file exists or cannot be written. A path of NULL is standard output. Where begin and end
 * say NULL and false after a message, open and close exit with STATUS_FAILED.
 */
void check_result_path(const char *path, bool overwrite);
FILE *begin_result(const char *path, bool overwrite);
bool end_result(FILE *out, const char *path);
FILE *open_result(const char *path, bool overwrite);
void close_result(FILE *out, const char *path);

/*
 * JSON, written as it comes: a comma is due before each member but the first of its object or array. Keys are
 * NULL inside arrays.
 */
struct json {
	FILE *out;
	bool need_comma;
};

void json_begin(struct json *j, const char *key, char bracket);
void json_end(struct json *j, char bracket);
void json_text(struct json *j, const char *key, const char *text);	/* null if NULL */
void json_integer(struct json *j, const char *key, long long value);
void json_seconds(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* Members which every result has: schema, tool, versions, host, arguments. */
void json_provenance(struct json *j, const char *schema, int version, int argc, char *const argv[]);

#endif /* _EVL_UTILS_TOOL_H */
