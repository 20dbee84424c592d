/* SPDX-License-Identifier: MIT */
#include "helpers.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <evl/evl.h>

#define EXIT_SKIPPED	77
#define CPUS_FILE	"/sys/devices/virtual/evl/control/cpus"

static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;
static int planned = -1, results, failures;
static int cpus[CPU_SETSIZE], nr_cpus;

static void __t_printf(2, 0) say(const char *prefix, const char *fmt, va_list ap)
{
	fputs(prefix, stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

void t_plan(int count)
{
	planned = count;
	printf("1..%d\n", count);
	fflush(stdout);
}

bool t_ok(bool cond, const char *fmt, ...)
{
	char prefix[32];
	va_list ap;

	pthread_mutex_lock(&output_lock);
	results++;
	failures += !cond;
	snprintf(prefix, sizeof(prefix), "%sok %d - ", cond ? "" : "not ", results);
	va_start(ap, fmt);
	say(prefix, fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&output_lock);

	return cond;
}

void t_skip(const char *fmt, ...)
{
	char prefix[32];
	va_list ap;

	pthread_mutex_lock(&output_lock);
	snprintf(prefix, sizeof(prefix), "ok %d # SKIP ", ++results);
	va_start(ap, fmt);
	say(prefix, fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&output_lock);
}

void t_diag(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&output_lock);
	va_start(ap, fmt);
	say("# ", fmt, ap);
	va_end(ap);
	pthread_mutex_unlock(&output_lock);
}

void t_skip_all(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("1..0 # SKIP ", fmt, ap);
	va_end(ap);
	exit(EXIT_SKIPPED);
}

void t_bail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("Bail out! ", fmt, ap);
	va_end(ap);
	_exit(EXIT_FAILURE);
}

int t_end(void)
{
	if (results != planned) {
		t_diag("%d results, %d planned", results, planned);
		return EXIT_FAILURE;
	}

	if (failures)
		t_diag("%d of %d failed", failures, results);

	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Waits for the process, no longer than this; false if it is still there. */
static bool wait_process(int pidfd, int timeout_ms)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int ret;

	do
		ret = poll(&pfd, 1, timeout_ms);
	while (ret < 0 && errno == EINTR);

	return ret > 0;
}

static void supervise(pid_t pid, unsigned int seconds) __attribute__((__noreturn__));

static void supervise(pid_t pid, unsigned int seconds)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status;

	if (pidfd < 0)
		t_bail("pidfd_open: %s", strerror(errno));

	if (!wait_process(pidfd, (int)seconds * 1000)) {
		kill(pid, SIGKILL);
		t_bail("no end after %u seconds%s", seconds,
		       wait_process(pidfd, 2000) ? "" : ", and cannot be killed");
	}

	if (waitpid(pid, &status, 0) != pid)
		t_bail("waitpid: %s", strerror(errno));

	if (WIFSIGNALED(status))
		t_bail("killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));

	_exit(WEXITSTATUS(status));
}

void t_deadline(unsigned int seconds)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		t_bail("fork: %s", strerror(errno));

	if (pid)
		supervise(pid, seconds);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void t_require_core(void)
{
	int ret;

	if (access(EVL_CONTROL_DEV, F_OK))
		t_skip_all("this kernel runs no core (" EVL_CONTROL_DEV ")");

	ret = evl_init();
	if (ret)
		t_bail("evl_init: %s", strerror(-ret));
}

/* Adds the CPUs of a list such as 1,3-5 which the caller may run on. */
static void parse_cpu_list(const char *list)
{
	cpu_set_t allowed;
	char *end;
	long first, last;

	sched_getaffinity(0, sizeof(allowed), &allowed);

	for (; *list && *list != '\n'; list = *end == ',' ? end + 1 : end) {
		first = last = strtol(list, &end, 10);
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (end == list || first < 0 || last >= CPU_SETSIZE)
			t_bail("cannot parse " CPUS_FILE);
		for (; first <= last; first++)
			if (CPU_ISSET(first, &allowed))
				cpus[nr_cpus++] = (int)first;
	}
}

void t_need_cpus(int count)
{
	char list[1024];
	FILE *fp;

	fp = fopen(CPUS_FILE, "r");
	if (!fp || !fgets(list, sizeof(list), fp))
		t_bail("cannot read " CPUS_FILE);
	fclose(fp);

	nr_cpus = 0;
	parse_cpu_list(list);
	if (nr_cpus < count)
		t_skip_all("needs %d out-of-band CPUs, %d usable here", count, nr_cpus);
}

int t_cpu(int n)
{
	if (n < 0 || n >= nr_cpus)
		t_bail("CPU %d of %d: t_need_cpus() asked for less", n, nr_cpus);

	return cpus[n];
}

void t_spare_fds(int count)
{
	static struct rlimit before;
	struct rlimit limit;
	int lowest;

	if (count < 0) {
		setrlimit(RLIMIT_NOFILE, &before);
		return;
	}

	lowest = dup(STDIN_FILENO);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)(lowest + count);
	if (lowest < 0 || setrlimit(RLIMIT_NOFILE, &limit))
		t_bail("cannot limit descriptors: %s", strerror(errno));
}

void t_become(int priority, int cpu)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t set;
	int ret;

	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		ret = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
		if (ret)
			t_bail("cannot run on CPU %d: %s", cpu, strerror(ret));
	}

	ret = pthread_setschedparam(pthread_self(), priority ? SCHED_FIFO : SCHED_OTHER, &param);
	if (ret)
		t_bail("cannot take priority %d: %s", priority, strerror(ret));
}

struct thread_start {
	int priority;
	int cpu;
	void *(*fn)(void *);
	void *arg;
};

static void *start_thread(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;

	free(arg);
	t_become(start.priority, start.cpu);

	return start.fn(start.arg);
}

pthread_t t_thread(int priority, int cpu, void *(*fn)(void *), void *arg)
{
	struct thread_start *start = malloc(sizeof(*start));
	pthread_attr_t attr;
	pthread_t tid;
	int ret;

	if (!start)
		t_bail("out of memory");

	*start = (struct thread_start){ priority, cpu, fn, arg };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, EVL_STACK_DEFAULT);
	ret = pthread_create(&tid, &attr, start_thread, start);
	if (ret)
		t_bail("cannot create a thread: %s", strerror(ret));
	pthread_attr_destroy(&attr);

	return tid;
}

uint32_t t_isw(int efd)
{
	struct evl_thread_state state;
	int ret = evl_get_state(efd, &state);

	if (ret)
		t_bail("evl_get_state: %s", strerror(-ret));

	return state.isw;
}

uint64_t t_now(void)
{
	struct timespec ts;

	evl_read_clock(EVL_CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}
