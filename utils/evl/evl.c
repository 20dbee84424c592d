// SPDX-License-Identifier: GPL-2.0-only
/*
 * evl: finds the plug-in evl-<command>, prepares its environment, becomes it. Plug-ins are looked for in PATH
 * first, so that a user's own replaces one of ours, then in the plug-in directory.
 */
#include "../common/tool.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <evl/evl.h>

#define PREFIX			"evl-"
#define DESCRIPTION_MS		2000	/* for a plug-in to describe itself */
#define MAX_PLUGINS		256
#define STATUS_NOT_EXECUTABLE	126
#define STATUS_NOT_FOUND	127

static const char usage_text[] =
"usage: evl [-P DIR] [-V] [-h] [COMMAND [ARGUMENTS...]]\n"
"\n"
"  -P, --prefix=DIR   look for the base commands in DIR\n"
"  -V, -v, --version  print the release and the ABI it needs\n"
"  -h, --help         this text\n";

struct plugin {
	char name[NAME_MAX + 1];	/* without the prefix */
	char description[160];
};

struct plugin_list {
	struct plugin plugins[MAX_PLUGINS];
	int count;
};

static const char *first_directory(const char *const dirs[])
{
	for (; dirs[1]; dirs++)
		if (!access(dirs[0], F_OK))
			break;

	return dirs[0];
}

/* So that a plug-in can ask the very program it was run by, wherever that lies. */
static void name_ourselves(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return;
	path[len] = '\0';
	setenv("EVL_PROGRAM", path, 1);
}

/* What the caller has set stays. */
static void prepare_environment(const char *cmddir)
{
	static const char *const tracing[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing", NULL };
	const char *path = getenv("PATH");
	char extended[PATH_MAX * 4];

	name_ourselves();
	setenv("EVL_CMDDIR", cmddir, 0);
	setenv("EVL_TESTDIR", EVL_TESTDIR, 0);
	setenv("EVL_SYSDIR", "/sys/devices/virtual", 0);
	setenv("EVL_TRACEDIR", first_directory(tracing), 0);
	snprintf(extended, sizeof(extended), "%s%s%s", path ? path : "", path && *path ? ":" : "", cmddir);
	setenv("PATH", extended, 1);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* One line, read from a plug-in that may hang, or print for ever. */
static bool read_description(int fd, char *line, size_t size, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	int64_t left;
	ssize_t got;

	while (len < size - 1) {
		left = deadline - now_ms();
		if (left <= 0 || poll(&pfd, 1, (int)left) <= 0)
			return false;
		got = read(fd, line + len, size - 1 - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		if (memchr(line, '\n', len))
			break;
	}
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';

	return *line;
}

/* True if it ends well; it may have said what we want, and stay. */
static bool ends_well(pid_t pid, int64_t deadline)
{
	int status;
	pid_t done;

	while (!(done = waitpid(pid, &status, WNOHANG)) && now_ms() < deadline)
		usleep(1000);
	if (!done) {
		kill(pid, SIGKILL);
		done = waitpid(pid, &status, 0);
	}

	return done == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void ask_plugin(const char *path, int fd) __attribute__((__noreturn__));

static void ask_plugin(const char *path, int fd)
{
	dup2(fd, STDOUT_FILENO);
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "r", stdin))
		_exit(STATUS_FAILED);
	execl(path, path, "-@", (char *)NULL);
	_exit(STATUS_FAILED);
}

static void describe(const char *path, char *line, size_t size)
{
	int64_t deadline = now_ms() + DESCRIPTION_MS;
	bool ok = false;
	int fds[2];
	pid_t pid;

	if (!pipe(fds)) {
		pid = fork();
		if (!pid)
			ask_plugin(path, fds[1]);
		close(fds[1]);
		if (pid > 0) {
			ok = read_description(fds[0], line, size, deadline);
			ok &= ends_well(pid, ok ? deadline : 0);
		}
		close(fds[0]);
	}
	if (!ok)
		snprintf(line, size, "(no description)");
}

static bool is_plugin(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (strncmp(name, PREFIX, strlen(PREFIX)) || !strcmp(name, PREFIX "help"))
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, name);

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static bool listed(const struct plugin_list *list, const char *name)
{
	int n;

	for (n = 0; n < list->count; n++)
		if (!strcmp(list->plugins[n].name, name))
			return true;

	return false;
}

static void add_plugins(struct plugin_list *list, const char *dir, bool with_description)
{
	struct dirent *entry;
	char path[PATH_MAX];
	struct plugin *p;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) && list->count < MAX_PLUGINS) {
		if (!is_plugin(dir, entry->d_name) || listed(list, entry->d_name + strlen(PREFIX)))
			continue;
		p = &list->plugins[list->count++];
		snprintf(p->name, sizeof(p->name), "%s", entry->d_name + strlen(PREFIX));
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (with_description)
			describe(path, p->description, sizeof(p->description));
	}
	if (d)
		closedir(d);
}

static void add_user_plugins(struct plugin_list *list, const char *cmddir, bool with_description)
{
	char *path = strdup(getenv("PATH") ?: ""), *save, *dir;

	for (dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		if (strcmp(dir, cmddir))
			add_plugins(list, dir, with_description);
	free(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct plugin *)a)->name, ((const struct plugin *)b)->name);
}

static void print_plugins(const char *title, struct plugin_list *list)
{
	int n;

	if (!list->count)
		return;
	qsort(list->plugins, (size_t)list->count, sizeof(list->plugins[0]), by_name);
	printf("\n%s:\n", title);
	for (n = 0; n < list->count; n++)
		printf("  %-12s %s\n", list->plugins[n].name, list->plugins[n].description);
}

static int print_help(const char *cmddir)
{
	static struct plugin_list base, user;

	fputs(usage_text, stdout);
	fflush(stdout);
	if (access(cmddir, R_OK | X_OK)) {
		tool_warn("cannot read the commands in %s: %s", cmddir, strerror(errno));
		return STATUS_NO_CORE;
	}
	add_plugins(&base, cmddir, true);
	add_user_plugins(&user, cmddir, true);
	print_plugins("commands", &base);
	print_plugins("user commands", &user);

	return STATUS_OK;
}

/* Edit distance of short words, capped by a row of small integers. */
static int distance(const char *a, const char *b)
{
	int row[64], last, up, i, j, la = (int)strlen(a), lb = (int)strlen(b);

	if (la > 60 || lb > 60)
		return 60;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		last = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			row[j] = last + (a[i - 1] != b[j - 1]);
			if (up + 1 < row[j])
				row[j] = up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			last = up;
		}
	}

	return row[lb];
}

static void propose(const char *command, const char *cmddir)
{
	static struct plugin_list list;
	int n;

	add_plugins(&list, cmddir, false);
	add_user_plugins(&list, cmddir, false);
	for (n = 0; n < list.count; n++)
		if (distance(command, list.plugins[n].name) <= 2)
			tool_warn("did you mean '%s'?", list.plugins[n].name);
}

/* [A-Za-z0-9][A-Za-z0-9_-]* */
static bool valid_command(const char *command)
{
	const char *c;

	for (c = command; *c; c++)
		if (!isalnum((unsigned char)*c) && (c == command || (*c != '_' && *c != '-')))
			return false;

	return *command;
}

/* Becomes the plug-in found in one directory; returns if there is none. Notes one that cannot be run. */
static void try_directory(const char *dir, const char *command, char *argv[], bool *not_executable)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" PREFIX "%s", *dir ? dir : ".", command) >= (int)sizeof(path))
		return;
	execv(path, argv);
	if (errno != ENOENT && errno != ENOTDIR)
		*not_executable = true;
}

static int run_plugin(const char *command, char *argv[], const char *cmddir)
{
	char *path = strdup(getenv("PATH") ?: ""), *save, *dir;
	bool not_executable = false;

	/* PATH ends with the plug-in directory by now. */
	for (dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		try_directory(dir, command, argv, &not_executable);
	free(path);

	if (not_executable) {
		tool_warn("%s%s was found, but cannot be executed", PREFIX, command);
		return STATUS_NOT_EXECUTABLE;
	}
	tool_warn("there is no command '%s'; evl -h lists them", command);
	propose(command, cmddir);

	return STATUS_NOT_FOUND;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "prefix", required_argument, NULL, 'P' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *cmddir = getenv("EVL_CMDDIR") ?: EVL_CMDDIR;
	bool help = false;
	int c;

	/* Option parsing stops at the command, whose options are its own. */
	while ((c = getopt_long(argc, argv, "+P:Vvh", options, NULL)) != -1) {
		switch (c) {
		case 'P':
			cmddir = optarg;
			setenv("EVL_CMDDIR", cmddir, 1);
			break;
		case 'V':
		case 'v':
			puts(evl_get_version().version_string);
			return STATUS_OK;
		case 'h':
			help = true;
			break;
		default:
			fputs(usage_text, stderr);
			return STATUS_USAGE;
		}
	}

	prepare_environment(cmddir);
	if (help || optind == argc)
		return print_help(cmddir);
	if (!valid_command(argv[optind]))
		tool_die(STATUS_USAGE, "'%s' cannot be the name of a command", argv[optind]);

	return run_plugin(argv[optind], argv + optind, cmddir);
}
