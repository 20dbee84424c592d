/* SPDX-License-Identifier: MIT */
/*
 * property: each thread keeps its own floating-point and vector registers, on both stages, across every kind
 * of switch, while others use theirs. With fpu-kernel.sh the kernel uses them, too.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=90
 */
#include <fcntl.h>
#include <stdlib.h>
#include <evl/clock-abi.h>
#include <evl/sys.h>
#include <evl/syscall-abi.h>
#include "common.h"
#include "../utils/common/vectors.h"

#define THREADS_PER_CPU	3
#define MAX_CPUS	8
struct user {
	unsigned int seed;
	unsigned int csr;	/* rounding mode: MXCSR is per thread as well */
	int rounds, cpu, efd;
	int control_fd, clock_fd;
	int wrong_oob, wrong_inband, wrong_csr, wrong_x87;
	uint32_t isw, csw;
};

static void fill(struct vectors *v, unsigned int *seed)
{
	size_t n;

	for (n = 0; n < sizeof(*v); n++)
		((uint8_t *)v)[n] = (uint8_t)(rand_r(seed) >> 8);
}

static unsigned int read_csr(void)
{
	unsigned int csr;

	__asm__ volatile("stmxcsr %0" : "=m" (csr));

	return csr;
}

/* One round: a sleep, a spin out-of-band, a regular call, a spin in-band, each with other content. */
static void check_round(struct user *u, int round, double *x87)
{
	struct vectors in, out;
	struct timespec date;
	double before = *x87;

	evl_switch_oob();
	date = timespec_of(t_now() + 50000 + u->seed % 100000);
	fill(&in, &u->seed);
	through_call(&in, &out, (long)EVL_SYSNR(sys_evl_ioctl), u->clock_fd, (long)EVL_CLKIOC_SLEEP, (long)(uintptr_t)&date);
	u->wrong_oob += !same(&in, &out);
	fill(&in, &u->seed);
	through_spin(&in, &out, 20000);
	u->wrong_oob += !same(&in, &out);

	/* In-band by a regular call, registers loaded on the other stage. */
	fill(&in, &u->seed);
	through_call(&in, &out, round % 2 ? SYS_sched_yield : SYS_getppid, 0, 0, 0);
	u->wrong_inband += !same(&in, &out);
	fill(&in, &u->seed);
	through_spin(&in, &out, 20000);
	u->wrong_inband += !same(&in, &out);

	/* And back out-of-band, loaded in-band. */
	fill(&in, &u->seed);
	through_call(&in, &out, (long)EVL_SYSNR(sys_evl_ioctl), u->control_fd, (long)EVL_THRIOC_SWITCH_OOB, 0);
	u->wrong_oob += !same(&in, &out);

	__asm__ volatile("fldl %1\n\tfld1\n\tfaddp\n\tfstpl %0" : "=m" (*x87) : "m" (*x87));
	u->wrong_x87 += *x87 != before + 1;
	u->wrong_csr += (read_csr() & ~0x3fU) != u->csr;
}

static void *use_fpu(void *arg)
{
	struct user *u = arg;
	struct evl_thread_state state;
	double x87 = u->seed % 1000;
	int n;

	u->efd = attach("fpu");
	__asm__ volatile("ldmxcsr %0" : : "m" (u->csr));
	for (n = 0; n < u->rounds; n++)
		check_round(u, n, &x87);
	evl_get_state(u->efd, &state);
	u->isw = state.isw;
	u->csw = state.csw;
	evl_detach_self();
	close(u->efd);

	return NULL;
}

/* In-band threads on the same CPUs which use the registers, too. */
static volatile int enough;

static void *disturb(void *arg)
{
	struct vectors in, out;
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	long wrong = 0;

	while (!enough) {
		fill(&in, &seed);
		through_spin(&in, &out, 100000);
		wrong += !same(&in, &out);
	}

	return (void *)wrong;
}

static bool detect_avx(void)
{
	return evl_detect_fpu() & EVL_FPU_X86_AVX;
}

static int count_cpus(void)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);

	return CPU_COUNT(&set) < MAX_CPUS ? CPU_COUNT(&set) : MAX_CPUS;
}

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		t_bail("%s: %s", path, strerror(errno));

	return fd;
}

int main(int argc, char *argv[])
{
	static struct user users[MAX_CPUS * THREADS_PER_CPU];
	pthread_t threads[MAX_CPUS * THREADS_PER_CPU], others[MAX_CPUS];
	int cpus, count, n, oob = 0, inband = 0, csr = 0, x87 = 0, control, monotonic;
	int rounds = argc > 1 ? atoi(argv[1]) : 300;
	long disturbed = 0;
	void *wrong;

	deadline(80);
	t_require_core();
	cpus = count_cpus();
	t_need_cpus(cpus);
	t_plan(5);
	have_avx = detect_avx();
	t_diag("vector registers of %d bytes", have_avx ? 32 : 16);
	control = open_device(EVL_CONTROL_DEV);
	monotonic = open_device("/dev/evl/clock/monotonic");
	for (n = 0; n < cpus; n++)
		others[n] = t_thread(0, t_cpu(n), disturb, (void *)(intptr_t)(n + 77));
	count = cpus * THREADS_PER_CPU;
	for (n = 0; n < count; n++) {
		users[n] = (struct user){
			.seed = (unsigned int)n * 7919 + 1, .csr = 0x1f80 | (unsigned int)(n % 4) << 13,
			.rounds = rounds, .control_fd = control, .clock_fd = monotonic,
		};
		threads[n] = t_thread(20 + n % 5, t_cpu(n % cpus), use_fpu, &users[n]);
	}
	for (n = 0; n < count; n++) {
		pthread_join(threads[n], NULL);
		oob += users[n].wrong_oob;
		inband += users[n].wrong_inband;
		csr += users[n].wrong_csr;
		x87 += users[n].wrong_x87;
	}
	enough = 1;
	for (n = 0; n < cpus; n++) {
		pthread_join(others[n], &wrong);
		disturbed += (long)(intptr_t)wrong;
	}
	t_diag("%d threads, %d rounds, first one: %u switches in-band, %u context switches", count, rounds, users[0].isw,
	       users[0].csw);
	t_ok(!oob, "vector registers across out-of-band sleeps, spins, switches (%d wrong)", oob);
	t_ok(!inband, "vector registers across demotion and in-band spins (%d wrong)", inband);
	t_ok(!csr, "control and status register (%d wrong)", csr);
	t_ok(!x87, "x87 stack (%d wrong)", x87);
	t_ok(!disturbed, "plain in-band threads keep theirs (%ld wrong)", disturbed);

	return t_end();
}
