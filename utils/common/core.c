// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way to the core, and to the devices of its drivers; if it is barred, what bars it and what to do. The scripts
 * say the same, by no_core() and denied_core() of evl/tool.sh.
 */
#include "tool.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <evl/evl.h>

#define CONTROL_DEV	"/dev/evl/control"

/* Below $EVL_ROOT, where tests have trees which are made up. */
static const char *rooted(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s%s", getenv("EVL_ROOT") ?: "", name);

	return path;
}

static bool on_boot_line(const char *word)
{
	char path[PATH_MAX], line[4096], *save, *w;

	if (!tool_read_line(rooted("/proc/cmdline", path), line, sizeof(line)))
		return false;
	for (w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!strcmp(w, word))
			return true;

	return false;
}

/* False if that cannot be told. */
static bool lacks_dovetail(void)
{
	char path[PATH_MAX], line[512];
	FILE *fp = fopen(rooted("/proc/kallsyms", path), "re");
	bool some = false, found = false;

	while (fp && !found && fgets(line, sizeof(line), fp)) {
		some = true;
		found = strstr(line, " dovetail_register_core");
	}
	if (fp)
		fclose(fp);

	return some && !found;
}

static const char *sudo(void)
{
	return geteuid() ? "sudo " : "";
}

void tool_no_core(const char *missing, const char *module)
{
	struct utsname name;

	uname(&name);
	if (on_boot_line("irq_pipeline=off"))
		tool_die(STATUS_NO_CORE, "no core: irq_pipeline=off is on the boot line; remove it and reboot");
	if (lacks_dovetail())
		tool_die(STATUS_NO_CORE, "no core: kernel %s has no Dovetail, which it stands on; boot a kernel built with "
			 "dovetail-patches, or see evl doctor", name.release);
	tool_die(STATUS_NO_CORE, "no core: %s is missing; %smodprobe %s, or see evl doctor", missing, sudo(), module);
}

static void denied(const char *path) __attribute__((__noreturn__));

static void denied(const char *path)
{
	struct passwd *user = getpwuid(geteuid());
	const char *me = user ? user->pw_name : "this user";
	struct stat st = { };
	struct group *group = stat(path, &st) ? NULL : getgrgid(st.st_gid);

	if (group && !strcmp(group->gr_name, "evl") && st.st_mode & S_IWGRP)
		tool_die(STATUS_DENIED, "%s may not use the core: %s is for group evl; sudo usermod -aG evl %s, then log in "
			 "again", me, path, me);
	tool_die(STATUS_DENIED, "%s may not use the core: %s belongs to group %s; run %s as root, or see evl doctor", me, path,
		 group ? group->gr_name : "unknown", tool_name);
}

static void memory_not_locked(void) __attribute__((__noreturn__));

static void memory_not_locked(void)
{
	struct rlimit limit = { };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	tool_die(STATUS_DENIED, "memory cannot be locked, the limit is %llu KiB; this line in /etc/security/limits.d/evl.conf, "
		 "then log in again: @evl - memlock unlimited", (unsigned long long)limit.rlim_cur / 1024);
}

void tool_open_core(void)
{
	int ret = evl_init();

	switch (-ret) {
	case 0:
		return;
	case ENOSYS:
		tool_no_core(CONTROL_DEV, "evl");
	case EACCES:
		denied(CONTROL_DEV);
	case ENOMEM:
	case EPERM:
		memory_not_locked();
	case ENOEXEC:
		tool_die(STATUS_NO_CORE, "the core does not offer the ABI of this library, %s; install module and library of one "
			 "release, or see evl doctor", evl_get_version().version_string);
	default:
		tool_die(tool_status_of(-ret), "cannot use the core: %s; see evl doctor", strerror(-ret));
	}
}

int tool_open_device(const char *device, const char *module)
{
	char control[PATH_MAX], path[PATH_MAX];
	int fd;

	if (access(rooted(CONTROL_DEV, control), F_OK))
		tool_no_core(control, module);
	if (access(rooted(device, path), F_OK))
		tool_die(STATUS_NO_CORE, "%s is missing: the driver is not loaded; %smodprobe %s", path, sudo(), module);
	if (access(control, R_OK | W_OK))
		denied(control);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		denied(path);
	if (fd < 0)
		tool_die(tool_status_of(errno), "%s: %s; see evl doctor", path, strerror(errno));
	tool_open_core();

	return fd;
}

void tool_core_cpus(char path[PATH_MAX], char *text, size_t size, cpu_set_t *set)
{
	snprintf(path, PATH_MAX, "%s/evl/control/cpus", tool_sysdir());
	if (access(path, F_OK))
		tool_no_core(path, "evl");
	tool_read_cpus(path, text, size, set);
	if (!CPU_COUNT(set))
		tool_die(STATUS_NO_CORE, "%s names no CPU; evl.oob_cpus=LIST on the boot line, or see evl doctor", path);
}
