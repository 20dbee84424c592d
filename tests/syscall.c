/* SPDX-License-Identifier: MIT */
/*
 * property: an out-of-band thread may make any regular system call: it is demoted, gets the right result, and
 * SIGDEBUG if it asked to be told. Numbers which the core does not know are the kernel's, tracing included.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/wait.h>
#include "common.h"

static int pipe_fds[2];

static bool call_getpid(void)	{ return syscall(SYS_getpid) == getpid(); }
static bool call_write(void)	{ return write(pipe_fds[1], "abc", 3) == 3; }
static bool call_bad_write(void) { return write(-1, "abc", 3) == -1 && errno == EBADF; }
static bool call_fault(void)	{ return syscall(SYS_write, pipe_fds[1], 8L, 3L) == -1 && errno == EFAULT; }
static bool call_unknown(void)	{ return syscall(100000) == -1 && errno == ENOSYS; }

static bool call_read(void)
{
	char text[4] = "";

	return read(pipe_fds[0], text, 3) == 3 && !strcmp(text, "abc");
}

static bool call_nanosleep(void)
{
	struct timespec ts = { .tv_nsec = 3000000 };
	uint64_t start = t_now();

	return !nanosleep(&ts, NULL) && t_now() - start >= 3 * NSEC_PER_MSEC;
}

static bool call_mmap(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	p[4096] = 1;

	return !munmap(p, 8192);
}

static bool call_open(void)
{
	char text[8] = "";
	int fd = open("/proc/self/comm", O_RDONLY);
	bool good = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0;

	close(fd);

	return good;
}

static bool call_fork(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(5);

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5;
}

static bool call_yield(void)
{
	return !sched_yield();
}

static const struct {
	const char *name;
	bool (*make)(void);
} calls[] = {
	{ "getpid", call_getpid },
	{ "write to a pipe", call_write },
	{ "read from it", call_read },
	{ "write to no descriptor", call_bad_write },
	{ "write from a bad address", call_fault },
	{ "nanosleep", call_nanosleep },
	{ "mmap and munmap", call_mmap },
	{ "open, read, close", call_open },
	{ "fork and wait", call_fork },
	{ "sched_yield", call_yield },
	{ "a number nobody knows", call_unknown },
};

#define NR_CALLS	((int)(sizeof(calls) / sizeof(calls[0])))

static volatile int causes[16], nr_causes;

static void note_cause(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)context;
	if (sigdebug_marked(si) && nr_causes < 16)
		causes[nr_causes++] = sigdebug_cause(si);
}

static void test_call(int efd, int n)
{
	uint32_t isw;
	bool good, inband;

	evl_switch_oob();
	isw = t_isw(efd);
	good = calls[n].make();
	inband = evl_is_inband();
	isw = t_isw(efd) - isw;
	t_ok(good, "%s from out-of-band: right result", calls[n].name);
	t_ok(inband && isw == 1, "%s: in-band afterwards, by one switch (%u)", calls[n].name, isw);
}

static void test_notification(int efd)
{
	struct sigaction sa = { .sa_sigaction = note_cause, .sa_flags = SA_SIGINFO };
	int ret;

	sigaction(SIGDEBUG, &sa, NULL);
	ret = evl_set_thread_mode(efd, EVL_T_WOSS, NULL);
	t_ok(!ret, "mode: warn on stage switch (%d)", ret);
	evl_switch_oob();
	syscall(SYS_getppid);
	t_ok(nr_causes == 1 && causes[0] == EVL_HMDIAG_SYSDEMOTE, "one SIGDEBUG, for a system call (%d of cause %d)",
	     nr_causes, causes[0]);
	evl_switch_oob();
	evl_switch_inband();
	t_ok(nr_causes == 1, "none for a switch on request (%d)", nr_causes);
	evl_clear_thread_mode(efd, EVL_T_WOSS, NULL);
	evl_switch_oob();
	syscall(SYS_getppid);
	t_ok(nr_causes == 1, "none once the mode is cleared (%d)", nr_causes);
}

#define UNKNOWN_CALL	0x7fffffff
#define TRACERS_ANSWER	42

static void be_traced(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	_exit(oob_call(UNKNOWN_CALL, 0, 0, 0) == TRACERS_ANSWER ? 0 : 1);
}

/* Stopped at the signal, at the entry of the call, at its end. */
static void test_tracing(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		be_traced();
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_POKEUSER, pid, (void *)(8UL * RAX), (void *)(unsigned long)TRACERS_ANSWER);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	t_ok(WIFEXITED(status) && !WEXITSTATUS(status), "a tracer sees an unknown call of the core, and answers it (%#x)",
	     (unsigned int)status);
}

int main(void)
{
	int efd, n;

	deadline(50);
	t_require_core();
	t_plan(2 * NR_CALLS + 5);
	if (pipe(pipe_fds))
		t_bail("pipe: %s", strerror(errno));
	test_tracing();
	t_become(60, -1);
	efd = attach("caller");
	for (n = 0; n < NR_CALLS; n++)
		test_call(efd, n);
	test_notification(efd);

	return t_end();
}
