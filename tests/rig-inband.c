// SPDX-License-Identifier: MIT
/*
 * What ordinary programs pay for the kernel below them: not a test, "./evl-vm bench inband" runs it.
 *
 * usage: rig-inband [WORKLOAD...]      all of them without names; one line each: name, seconds
 *
 * Nothing here may wait for the host, since the machine's clock jumps while it does: what is started lies
 * in memory (busybox of the rig), and hackbench, which does not, times itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define BUSYBOX		"/run/evl/busybox"
#define FAULT_PAGES	4096

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void await_success(pid_t pid)
{
	int status;

	if (pid < 0)
		fail("fork");
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "rig-inband: a child ended with wait status %#x\n", status);
		exit(1);
	}
}

/* Each workload does its work TIMES times and returns the seconds it took. */

static double run_hackbench(unsigned int times)
{
	double seconds = -1;
	char line[128];
	FILE *out;

	snprintf(line, sizeof(line), "hackbench -g 2 -l %u", times);
	out = popen(line, "r");
	if (!out)
		fail("hackbench");
	while (fgets(line, sizeof(line), out))
		sscanf(line, "Time: %lf", &seconds);
	if (pclose(out) || seconds < 0) {
		fprintf(stderr, "rig-inband: hackbench told no time\n");
		exit(1);
	}
	return seconds;
}

static double run_fork_exec(unsigned int times)
{
	double start = now();
	pid_t pid;

	while (times--) {
		pid = fork();
		if (!pid) {
			execl(BUSYBOX, "true", NULL);
			_exit(127);
		}
		await_success(pid);
	}
	return now() - start;
}

static double run_dd(unsigned int times)
{
	double start = now();
	char count[32];
	pid_t pid;

	snprintf(count, sizeof(count), "count=%u", times);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		execl(BUSYBOX, "dd", "if=/dev/zero", "of=/dev/null", "bs=1", count, NULL);
		_exit(127);
	}
	await_success(pid);
	return now() - start;
}

static double run_getppid(unsigned int times)
{
	double start = now();

	while (times--)
		syscall(SYS_getppid);
	return now() - start;
}

static double run_page_fault(unsigned int times)
{
	size_t page = sysconf(_SC_PAGESIZE), size = FAULT_PAGES * page, at;
	double start = now();
	char *area;

	while (times--) {
		area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (area == MAP_FAILED)
			fail("mmap");
		madvise(area, size, MADV_NOHUGEPAGE);
		for (at = 0; at < size; at += page)
			*(volatile char *)(area + at) = 1;
		munmap(area, size);
	}
	return now() - start;
}

static void pass_byte(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		fail("pipe");
}

static double run_pipe(unsigned int times)
{
	unsigned int left = times;
	int there[2], back[2], end;
	double start, seconds;
	pid_t pid;

	if (pipe(there) || pipe(back))
		fail("pipe");
	start = now();
	pid = fork();
	if (!pid) {
		while (left--)
			pass_byte(there[0], back[1]);
		_exit(0);
	}
	if (write(there[1], "", 1) != 1)
		fail("pipe");
	while (--left)
		pass_byte(back[0], there[1]);
	await_success(pid);
	seconds = now() - start;
	for (end = 0; end < 2; end++) {
		close(there[end]);
		close(back[end]);
	}
	return seconds;
}

static const struct {
	const char *name;
	double (*run)(unsigned int times);
	unsigned int times;
	unsigned int repeats;	/* in whose mean the order of wake-ups evens out */
} workloads[] = {
	{ "hackbench", run_hackbench, 200, 5 },
	{ "fork-exec", run_fork_exec, 300, 5 },
	{ "dd", run_dd, 200000, 1 },
	{ "getppid", run_getppid, 500000, 1 },
	{ "page-fault", run_page_fault, 10, 1 },
	{ "pipe", run_pipe, 20000, 1 },
};

#define NR_WORKLOADS	(sizeof(workloads) / sizeof(workloads[0]))

static unsigned int find_workload(const char *name)
{
	unsigned int n;

	for (n = 0; n < NR_WORKLOADS; n++)
		if (!strcmp(workloads[n].name, name))
			return n;
	fprintf(stderr, "rig-inband: there is no workload '%s'\n", name);
	exit(2);
}

/* A tenth of it first: pages of programs and libraries come from the host only once. */
static void measure(unsigned int n)
{
	double seconds = 0;
	unsigned int r;

	workloads[n].run(workloads[n].times / 10);
	for (r = 0; r < workloads[n].repeats; r++)
		seconds += workloads[n].run(workloads[n].times);
	printf("%s %.6f\n", workloads[n].name, seconds / workloads[n].repeats);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	unsigned int n;
	int i;

	for (i = 1; i < argc; i++)
		find_workload(argv[i]);
	for (i = 1; i < argc; i++)
		measure(find_workload(argv[i]));
	for (n = 0; argc == 1 && n < NR_WORKLOADS; n++)
		measure(n);
	return 0;
}
