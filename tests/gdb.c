/* SPDX-License-Identifier: MIT */
/*
 * property: gdb attaches to a process with out-of-band threads, sees all of them, steps, sets a breakpoint,
 * and lets go; the threads go on.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=120
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "common.h"

static volatile long *laps;	/* shared with the target */

void gdb_landmark(void);

/* Where the breakpoint goes. */
__attribute__((__noinline__)) void gdb_landmark(void)
{
	laps[0]++;
	__asm__ volatile("" ::: "memory");
}

static void *sleep_often(void *unused)
{
	attach("gdb-sleeper");
	for (;;) {
		evl_usleep(2000);
		gdb_landmark();
	}

	return NULL;
}

static void *spin_often(void *unused)
{
	attach("gdb-spinner");
	for (;;) {
		spin_ns(NSEC_PER_MSEC);
		laps[1]++;
		evl_usleep(500);
	}

	return NULL;
}

static void be_target(void)
{
	t_thread(40, t_cpu(0), sleep_often, NULL);
	t_thread(30, t_cpu(1), spin_often, NULL);
	for (;;)
		pause();
}

static bool keeps_going(int which)
{
	long before = laps[which];
	int n;

	for (n = 0; n < 500 && laps[which] < before + 5; n++)
		pause_ms(10);

	return laps[which] >= before + 5;
}

/* Output of a gdb session on the target, in a file; whether gdb was content. */
static bool debug(pid_t pid, const char *commands, char *output, size_t size)
{
	char line[1024];
	size_t len = 0;
	FILE *p;

	snprintf(line, sizeof(line),
		 "gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load safe-path /' -p %d %s 2>&1",
		 pid, commands);
	p = popen(line, "r");
	if (!p)
		return false;
	while (len < size - 1 && fgets(output + len, (int)(size - len), p))
		len += strlen(output + len);
	output[len] = '\0';

	return !pclose(p);
}

static void show(const char *text)
{
	char line[256];

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		t_diag("%s", line);
		text += len + (text[len] == '\n');
	}
}

static void test_look(pid_t pid)
{
	static char output[65536];
	int threads = 0;
	char *at;
	bool good;

	good = debug(pid, "-ex 'info threads' -ex 'thread apply all bt 3' -ex detach", output, sizeof(output));
	for (at = output; (at = strstr(at, "Thread 0x")); at++)
		threads++;
	if (!t_ok(good && threads >= 3, "gdb attaches and lists the threads"))
		show(output);
	t_ok(keeps_going(0) && keeps_going(1), "they go on after detach");
}

static void test_breakpoint(pid_t pid)
{
	static char output[65536];
	bool good;

	good = debug(pid, "-ex 'break gdb_landmark' -ex continue -ex bt -ex next -ex next -ex 'delete' -ex detach", output,
		     sizeof(output));
	if (!t_ok(good && strstr(output, "Breakpoint 1, ") && strstr(output, "sleep_often"),
		  "a breakpoint stops an out-of-band thread"))
		show(output);
	t_ok(keeps_going(0) && keeps_going(1), "after stepping and detaching, both go on");
}

static void test_stepping(pid_t pid)
{
	static char output[65536];
	bool good;

	good = debug(pid, "-ex 'break gdb_landmark' -ex continue -ex 'stepi 20' -ex 'p laps[0]' -ex delete -ex detach", output,
		     sizeof(output));
	if (!t_ok(good && strstr(output, "$1 = "), "twenty single steps"))
		show(output);
	t_ok(keeps_going(0) && keeps_going(1), "and both go on");
}

int main(void)
{
	int status;
	pid_t pid;

	deadline(115);
	t_require_core();
	if (system("command -v gdb >/dev/null 2>&1"))
		t_skip_all("gdb is not installed");
	t_need_cpus(2);
	t_plan(8);
	laps = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_target();
	}
	t_ok(keeps_going(0) && keeps_going(1), "the target runs");
	test_look(pid);
	test_breakpoint(pid);
	test_stepping(pid);
	kill(pid, SIGKILL);
	t_ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "the target can be killed");

	return t_end();
}
