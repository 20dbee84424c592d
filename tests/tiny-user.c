/* SPDX-License-Identifier: MIT */
/*
 * The application thread of module/examples/tiny-core.c, which tests/tiny-core.sh has loaded: goes
 * out-of-band and comes back by a call, a fault, a signal, exits there. Nothing of this is EVL's.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <tiny-core.h>
#include "common.h"

static long tiny_call(unsigned int nr)
{
	long ret;

	__asm__ volatile("syscall" : "=a" (ret) : "a" ((unsigned long)(TINY_SYSCALL_BIT | nr))
			 : "rcx", "r11", "memory");

	return ret;
}

static long tiny_wait(void) { return tiny_call(TINY_SYS_WAIT); }
static long tiny_stage(void) { return tiny_call(TINY_SYS_STAGE); }

static void go_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		t_bail("no way to CPU%d: %s", cpu, strerror(errno));
}

static int open_core(void)
{
	int fd = open(TINY_DEV, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		t_bail(TINY_DEV ": %s", strerror(errno));

	return fd;
}

static struct tiny_stats get_stats(int fd)
{
	struct tiny_stats stats;

	if (ioctl(fd, TINY_IOC_STATS, &stats))
		t_bail("no statistics: %s", strerror(errno));

	return stats;
}

/* What a child process makes of a request: its errno. */
static int in_child(int (*fn)(int fd), int fd)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(fd));
	waitpid(pid, &status, 0);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int child_attach(int fd) { return ioctl(fd, TINY_IOC_ATTACH) ? errno : 0; }
static int child_detach(int fd) { return ioctl(fd, TINY_IOC_DETACH) ? errno : 0; }
static int child_wait(int fd) { return (int)-tiny_wait(); }

static void test_refusals(int fd)
{
	int ret, other = open(TINY_DEV, O_RDWR);

	t_ok(other < 0 && errno == EBUSY, "the device is opened once");
	ret = ioctl(fd, 0x1234);
	t_ok(ret && errno == ENOTTY, "unknown request");
	t_ok(tiny_wait() == -ENOSYS, "calls of the core are unknown to a plain task");
	t_ok(!ioctl(fd, TINY_IOC_ATTACH), "attached");
	t_ok(in_child(child_attach, fd) == EBUSY, "only one thread");
	t_ok(in_child(child_detach, fd) == EPERM, "which others cannot detach");
	t_ok(in_child(child_wait, fd) == ENOSYS, "the child of a thread is a plain task");
	t_ok(tiny_call(42) == -ENOSYS, "an unknown call of the core");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		t_skip("one CPU: no thread from elsewhere");
	} else {
		go_to_cpu(1);
		t_ok(tiny_wait() == -EINVAL && !tiny_stage(), "no thread from another CPU");
	}
	go_to_cpu(TINY_CPU);
}

static void test_stages(void)
{
	volatile double sum = 0;
	long last = tiny_wait(), next;
	int n, stage = (int)tiny_stage(), disorder = 0;

	t_ok(last > 0 && stage == 1, "a wait ends out-of-band (%ld)", last);
	getppid();
	t_ok(!tiny_stage(), "a regular call ends in-band");
	for (n = 0; n < 500; n++) {
		next = tiny_wait();
		disorder += next <= last || tiny_stage() != 1;
		last = next;
		sum += n * 0.5;
	}
	t_ok(!disorder, "500 periods out-of-band, one after the other (%d not)", disorder);
	t_ok(sum == 500 * 499 / 2 * 0.5, "floating point survives");
}

static void test_fault(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int before, after;

	tiny_wait();
	before = (int)tiny_stage();
	page[100] = 42;
	after = (int)tiny_stage();
	t_ok(before == 1 && !after && page[100] == 42,
	     "a page fault out-of-band is served in-band (%d, %d)", before, after);
}

static volatile sig_atomic_t signalled;

static void note_signal(int sig) { signalled++; }

/* A process which signals this one after a while, from a CPU which it has reached on return. */
static pid_t start_sender(int cpu)
{
	int fds[2];
	pid_t pid;
	char byte;

	if (pipe(fds))
		t_bail("no pipe: %s", strerror(errno));
	pid = fork();
	if (pid) {
		close(fds[1]);
		(void)!read(fds[0], &byte, 1);
		close(fds[0]);
		return pid;
	}
	go_to_cpu(cpu);
	close(fds[0]);
	close(fds[1]);
	pause_ms(50);
	kill(getppid(), SIGUSR1);
	_exit(0);
}

static void test_signals(void)
{
	pid_t pid = start_sender(TINY_CPU);
	long ret;

	do
		ret = tiny_wait();
	while (ret > 0);
	t_ok(ret == -EINTR && signalled == 1 && !tiny_stage(), "a signal ends a wait (%ld)", ret);
	waitpid(pid, NULL, 0);

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		t_skip("one CPU: nobody to signal a thread which computes");
		return;
	}
	pid = start_sender(1);
	tiny_wait();
	while (signalled < 2)
		;
	t_ok(!tiny_stage(), "a signal reaches a thread which computes out-of-band");
	waitpid(pid, NULL, 0);
}

/* In-band lives on beside the worker. */
static void test_inband(int fd)
{
	struct tiny_stats before = get_stats(fd), after;

	pause_ms(100);
	after = get_stats(fd);
	t_ok(after.runs > before.runs, "the worker runs while in-band sleeps (%llu, %llu missed)",
	     after.runs - before.runs, after.missed - before.missed);
	t_ok(after.inband_ticks > before.inband_ticks,
	     "ticks are passed on (%llu)", after.inband_ticks - before.inband_ticks);
	t_ok(after.demotions >= 3, "demotions are counted (%u)", after.demotions);
}

static volatile int waiter_ready;
static long waiter_result;

static void *wait_for_the_end(void *fd)
{
	if (ioctl(*(int *)fd, TINY_IOC_ATTACH))
		t_bail("cannot attach: %s", strerror(errno));
	publish(&waiter_ready, 1);
	do
		waiter_result = tiny_wait();
	while (waiter_result > 0);

	return NULL;
}

static void test_close(int fd)
{
	pthread_t waiter;

	t_ok(!ioctl(fd, TINY_IOC_DETACH) && tiny_wait() == -ENOSYS, "detached: a plain task again");
	pthread_create(&waiter, NULL, wait_for_the_end, &fd);
	await(&waiter_ready, 1);
	pause_ms(20);
	close(fd);
	pthread_join(waiter, NULL);
	t_ok(waiter_result == -EIDRM, "closing ends the wait of another thread (%ld)", waiter_result);
}

/* Exits out-of-band: by being killed. */
static void test_kill(void)
{
	int fd = open_core(), status;
	pid_t pid = fork();

	if (!pid) {
		if (ioctl(fd, TINY_IOC_ATTACH))
			_exit(1);
		for (;;)
			tiny_wait();
	}
	pause_ms(50);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	t_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a thread is killed out-of-band");
	t_ok(!ioctl(fd, TINY_IOC_ATTACH) && tiny_wait() > 0, "the next one takes its place");
	t_ok(!get_stats(fd).errors, "no check of the core failed");
	close(fd);
}

int main(void)
{
	int fd;

	deadline(40);
	t_plan(24);
	signal(SIGUSR1, note_signal);
	touch_memory();
	fd = open_core();
	test_refusals(fd);
	test_stages();
	test_fault();
	test_signals();
	test_inband(fd);
	test_close(fd);
	test_kill();

	return t_end();
}
