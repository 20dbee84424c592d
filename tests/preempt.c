/* SPDX-License-Identifier: MIT */
/*
 * Helper of preempt-points.sh: in-band work of all kinds beside an out-of-band thread which preempts it every
 * few microseconds, at ever other instructions, and uses the FPU. All of them look after their state:
 * registers over system calls, signals and sleeps, thread pointers, private memory.
 *
 * usage: preempt SECONDS [DEVICE]: wake-ups come from reads of a device instead
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <evl/syscall-abi.h>
#include "common.h"

/* No multiple of anything: the wake-ups creep over the work. */
#define PERIOD	9973

#define NR_XMM	16

struct xmm {
	uint64_t word[NR_XMM][2];
};

static struct counters {
	volatile int stop;
	volatile long wakeups, oob_errors;
	volatile long signals, signal_errors;
	volatile long switches, switch_errors;
	volatile long forks, fork_errors;
	volatile long faults, fault_errors;
} *shared;

static __thread uint64_t thread_mark;
static uint64_t private_mark;

static void fill(struct xmm *x, uint64_t seed)
{
	int n;

	for (n = 0; n < NR_XMM; n++) {
		x->word[n][0] = seed * 0x9e3779b97f4a7c15ULL + n;
		x->word[n][1] = ~x->word[n][0];
	}
}

/* A system call with all vector registers in use: what they hold is in "out" afterwards. */
static long syscall_over_fpu(const struct xmm *in, struct xmm *out, long nr, long arg0, long arg1, long arg2)
{
	register long r10 __asm__("r10") = 0;
	long ret;

	__asm__ volatile(
		"movdqu 0x00(%[in]), %%xmm0\n\t movdqu 0x10(%[in]), %%xmm1\n\t"
		"movdqu 0x20(%[in]), %%xmm2\n\t movdqu 0x30(%[in]), %%xmm3\n\t"
		"movdqu 0x40(%[in]), %%xmm4\n\t movdqu 0x50(%[in]), %%xmm5\n\t"
		"movdqu 0x60(%[in]), %%xmm6\n\t movdqu 0x70(%[in]), %%xmm7\n\t"
		"movdqu 0x80(%[in]), %%xmm8\n\t movdqu 0x90(%[in]), %%xmm9\n\t"
		"movdqu 0xa0(%[in]), %%xmm10\n\t movdqu 0xb0(%[in]), %%xmm11\n\t"
		"movdqu 0xc0(%[in]), %%xmm12\n\t movdqu 0xd0(%[in]), %%xmm13\n\t"
		"movdqu 0xe0(%[in]), %%xmm14\n\t movdqu 0xf0(%[in]), %%xmm15\n\t"
		"syscall\n\t"
		"movdqu %%xmm0, 0x00(%[out])\n\t movdqu %%xmm1, 0x10(%[out])\n\t"
		"movdqu %%xmm2, 0x20(%[out])\n\t movdqu %%xmm3, 0x30(%[out])\n\t"
		"movdqu %%xmm4, 0x40(%[out])\n\t movdqu %%xmm5, 0x50(%[out])\n\t"
		"movdqu %%xmm6, 0x60(%[out])\n\t movdqu %%xmm7, 0x70(%[out])\n\t"
		"movdqu %%xmm8, 0x80(%[out])\n\t movdqu %%xmm9, 0x90(%[out])\n\t"
		"movdqu %%xmm10, 0xa0(%[out])\n\t movdqu %%xmm11, 0xb0(%[out])\n\t"
		"movdqu %%xmm12, 0xc0(%[out])\n\t movdqu %%xmm13, 0xd0(%[out])\n\t"
		"movdqu %%xmm14, 0xe0(%[out])\n\t movdqu %%xmm15, 0xf0(%[out])\n\t"
		: "=a"(ret)
		: "a"(nr), "D"(arg0), "S"(arg1), "d"(arg2), "r"(r10), [in] "r"(in), [out] "r"(out)
		: "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		  "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");

	return ret;
}

static bool kept_over(uint64_t seed, long nr, long arg0, long arg1, long arg2, long expected)
{
	struct xmm in, out;
	long ret;

	fill(&in, seed);
	memset(&out, 0, sizeof(out));
	ret = syscall_over_fpu(&in, &out, nr, arg0, arg1, arg2);

	return ret == expected && !memcmp(&in, &out, sizeof(in));
}

static int open_waker(const char *device)
{
	int fd;

	if (device) {
		fd = open(device, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			t_bail("%s: %s", device, strerror(errno));
		return fd;
	}
	fd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	set_timer(fd, t_now() + NSEC_PER_MSEC, PERIOD);

	return fd;
}

/* The thread that preempts. It sleeps by the core's call, its registers full. */
static void *preempt(void *device)
{
	struct xmm in, out;
	uint64_t ticks, seed = 0;
	int tfd;

	thread_mark = (uint64_t)pthread_self();
	attach("preempt");
	tfd = open_waker(device);
	while (!shared->stop) {
		fill(&in, ++seed);
		memset(&out, 0, sizeof(out));
		syscall_over_fpu(&in, &out, EVL_SYSNR(sys_evl_read), tfd, (long)&ticks, sizeof(ticks));
		shared->oob_errors += memcmp(&in, &out, sizeof(in)) || thread_mark != (uint64_t)pthread_self();
		shared->wakeups++;
	}
	evl_detach_self();

	return NULL;
}

static struct xmm rubbish;

static void scribble(int sig)
{
	struct xmm out;

	syscall_over_fpu(&rubbish, &out, SYS_getpid, 0, 0, 0);
}

static void work_signals(uint64_t seed)
{
	struct sigaction sa = { .sa_handler = scribble };

	fill(&rubbish, ~seed);
	sigaction(SIGUSR1, &sa, NULL);
	while (!shared->stop) {
		shared->signal_errors += !kept_over(++seed, SYS_tgkill, getpid(), getpid(), SIGUSR1, 0);
		shared->signals++;
	}
}

static void work_switches(int in, int out, uint64_t seed)
{
	char byte = 0;

	private_mark = seed;
	thread_mark = seed;
	while (!shared->stop) {
		shared->switch_errors += !kept_over(++seed, SYS_write, out, (long)&byte, 1, 1);
		shared->switch_errors += !kept_over(++seed, SYS_read, in, (long)&byte, 1, 1);
		shared->switch_errors += private_mark != thread_mark;
		shared->switches++;
	}
}

static void work_forks(uint64_t seed)
{
	int status;
	pid_t pid;

	private_mark = seed;
	while (!shared->stop) {
		pid = fork();
		if (!pid) {
			if (private_mark != seed || !kept_over(seed, SYS_getpid, 0, 0, 0, getpid()))
				_exit(1);
			private_mark = 0;
			if (shared->forks % 4 == 0)
				execl("/bin/true", "true", (char *)NULL);
			_exit(0);
		}
		shared->fork_errors += pid < 0 || waitpid(pid, &status, 0) != pid || status || private_mark != seed;
		shared->forks++;
	}
}

static void work_faults(uint64_t seed)
{
	size_t n, size = 16 * 4096;
	char *area;

	while (!shared->stop) {
		area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (n = 0; n < size; n += 4096)
			area[n] = (char)(seed + n / 4096);
		for (n = 0; n < size; n += 4096)
			shared->fault_errors += area[n] != (char)(seed + n / 4096);
		munmap(area, size);
		shared->faults++;
		seed++;
	}
}

static pid_t start(void (*work)(uint64_t seed), uint64_t seed)
{
	pid_t pid = fork();

	if (!pid) {
		work(seed);
		_exit(0);
	}
	return pid;
}

static void start_pair(void)
{
	int a[2], b[2];

	if (pipe(a) || pipe(b))
		t_bail("pipe: %s", strerror(errno));
	if (!fork()) {
		work_switches(a[0], b[1], 1000);
		_exit(0);
	}
	if (!fork()) {
		work_switches(b[0], a[1], 2000);
		_exit(0);
	}
}

static bool all_busy(void)
{
	return shared->wakeups && shared->signals && shared->switches && shared->forks && shared->faults;
}

static void judge(const char *what, long done, long errors)
{
	t_ok(done > 0 && !errors, "%s: %ld, %ld with errors", what, done, errors);
}

int main(int argc, char *argv[])
{
	pthread_t thread;
	int n;

	deadline(600);
	t_require_core();
	t_need_cpus(1);
	t_plan(5);
	setpgid(0, 0);		/* for the end of it all */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	start(work_signals, 1);
	start_pair();
	start(work_forks, 3);
	start(work_faults, 4);
	thread = t_thread(90, t_cpu(0), preempt, argc > 2 ? argv[2] : NULL);
	pause_ms(1000L * (argc > 1 ? atoi(argv[1]) : 2));
	/* A kernel which checks everything may not have got round to all of it. */
	for (n = 0; n < 600 && !all_busy(); n++)
		pause_ms(100);
	shared->stop = 1;
	pthread_join(thread, NULL);
	pause_ms(20);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	judge("wake-ups of the thread that preempts", shared->wakeups, shared->oob_errors);
	judge("signals over vector registers", shared->signals, shared->signal_errors);
	judge("switches between two processes", shared->switches, shared->switch_errors);
	judge("forks, each fourth with an exec", shared->forks, shared->fork_errors);
	judge("mappings populated and dropped", shared->faults, shared->fault_errors);

	return t_end();
}
