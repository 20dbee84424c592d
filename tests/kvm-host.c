/* SPDX-License-Identifier: MIT */
/*
 * property: KVM guests and out-of-band threads share the CPUs. Guests run, keep their registers and are ended by
 * signals, although they are preempted all the time; the threads find the host's registers, not a guest's.
 *
 * "kvm-host alone" leaves the threads out, hence needs no core: what goes wrong then is a fault of the machine. QEMU has
 * one with a host thread for each CPU, hence "single": docs/pipeline.md.
 * needs: AMD virtualisation, which QEMU's emulator has; skips where there is no /dev/kvm.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=120 single
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "common.h"

#define MAX_CPUS	2
#define RUN_MS		4000
#define PERIOD		500000
#define GUEST_MEMORY	(2UL << 20)
#define GUEST_CODE	0x8000
#define GUEST_TSC_AUX	0xdead

#define MSR_TSC_AUX	0xc0000103

#define PORT_FINE	0x10
#define PORT_SPOILT	0x11

/* 64-bit code, runs wherever it is put: patterns in vector registers, looked at after a while. */
__asm__(
	".pushsection .rodata\n"
	"guest_start:\n"
	"	movabs $0x123456789abcdef0, %rax\n"
	"1:	inc %rax\n"
	"	movq %rax, %xmm0\n"
	"	movq %rax, %xmm15\n"
	"	mov $20000, %ecx\n"
	"2:	dec %ecx\n"
	"	jnz 2b\n"
	"	movq %xmm0, %rdx\n"
	"	movq %xmm15, %rbx\n"
	"	cmp %rax, %rdx\n"
	"	jne 3f\n"
	"	cmp %rax, %rbx\n"
	"	jne 3f\n"
	"	out %al, $0x10\n"
	"	jmp 1b\n"
	"3:	out %al, $0x11\n"
	"	jmp 1b\n"
	"guest_end:\n"
	".popsection\n");
extern const char guest_start[], guest_end[];

struct guest {
	int cpu;
	int vm, vcpu;
	struct kvm_run *run;
	long fine, spoilt, interrupted, strange;
	int first_errno;		/* of the strange ones */
	unsigned int first_reason;
};

struct preempter {
	int cpu;
	long wakeups, wrong_aux, wrong_sum;
};

static volatile int stop;
static int kvm;

/* A page table of one large page, which maps the memory to itself. */
static void map_memory(char *memory)
{
	uint64_t *pml4 = (uint64_t *)(memory + 0x1000), *pdpt = (uint64_t *)(memory + 0x2000);
	uint64_t *pd = (uint64_t *)(memory + 0x3000);

	pml4[0] = 0x2000 | 3;
	pdpt[0] = 0x3000 | 3;
	pd[0] = 0x83;
}

static struct kvm_segment flat_segment(int type, int code)
{
	return (struct kvm_segment){ .limit = 0xffffffff, .selector = code ? 8 : 16, .type = (uint8_t)type, .present = 1,
				     .s = 1, .g = 1, .l = (uint8_t)code, .db = (uint8_t)!code };
}

static bool set_long_mode(int vcpu)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return false;
	sregs.cr0 = 0x80000033;		/* PG, NE, ET, MP, PE */
	sregs.cr3 = 0x1000;
	sregs.cr4 = 0x220;		/* OSFXSR, PAE */
	sregs.efer = 0x500;		/* LMA, LME */
	sregs.cs = flat_segment(11, 1);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat_segment(3, 0);

	return !ioctl(vcpu, KVM_SET_SREGS, &sregs);
}

static bool set_registers(int vcpu)
{
	struct kvm_regs regs = { .rip = GUEST_CODE, .rflags = 2 };

	return !ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* The guest gets what the host has, and a value in a register which matters in user mode only. */
static bool set_tsc_aux(int vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry = { .index = MSR_TSC_AUX, .data = GUEST_TSC_AUX } };
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	bool done;

	cpuid->nent = 256;
	done = !ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) && !ioctl(vcpu, KVM_SET_CPUID2, cpuid) &&
		ioctl(vcpu, KVM_SET_MSRS, &msrs) == 1;
	free(cpuid);

	return done;
}

static bool make_guest(struct guest *g, int cpu)
{
	struct kvm_userspace_memory_region region = { .memory_size = GUEST_MEMORY };
	char *memory;

	memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map_memory(memory);
	memcpy(memory + GUEST_CODE, guest_start, (size_t)(guest_end - guest_start));
	region.userspace_addr = (uintptr_t)memory;

	g->cpu = cpu;
	g->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (g->vm < 0 || ioctl(g->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return false;
	g->vcpu = ioctl(g->vm, KVM_CREATE_VCPU, 0);
	if (g->vcpu < 0)
		return false;
	g->run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, g->vcpu, 0);

	return g->run != MAP_FAILED && set_tsc_aux(g->vcpu) && set_long_mode(g->vcpu) && set_registers(g->vcpu);
}

static void note_strange(struct guest *g, int err)
{
	if (g->strange++)
		return;
	g->first_errno = err;
	g->first_reason = g->run->exit_reason;
}

static void note_exit(struct guest *g, int ret)
{
	if (ret && errno == EINTR)
		g->interrupted++;
	else if (ret)
		note_strange(g, errno);
	else if (g->run->exit_reason == KVM_EXIT_IO && g->run->io.port == PORT_FINE)
		g->fine++;
	else if (g->run->exit_reason == KVM_EXIT_IO && g->run->io.port == PORT_SPOILT)
		g->spoilt++;
	else
		note_strange(g, 0);
}

static void *run_guest(void *arg)
{
	struct guest *g = arg;

	while (!stop && g->strange < 10)
		note_exit(g, ioctl(g->vcpu, KVM_RUN, 0));

	return NULL;
}

static void nothing(int sig)
{
}

/* Two halves of a sum in vector registers across the call which waits. */
static bool sum_is_right(volatile double *x)
{
	double a = *x * 3.0, b = *x * 5.0;

	return a + b == *x * 8.0;
}

static void *preempt(void *arg)
{
	struct preempter *p = arg;
	int tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	volatile double x = 1.5;
	uint64_t ticks;
	uint32_t aux;

	attach("kvm-preempt");
	set_timer(tfd, t_now() + NSEC_PER_MSEC, PERIOD);
	while (!stop && oob_read(tfd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
		__builtin_ia32_rdtscp(&aux);
		p->wrong_aux += (aux & 0xfff) != (uint32_t)p->cpu;
		x += 1.0;
		p->wrong_sum += !sum_is_right(&x);
		p->wakeups++;
	}
	evl_detach_self();

	return NULL;
}

static void signal_guests(pthread_t *threads, int nr)
{
	int n, ms;

	for (ms = 0; ms < RUN_MS; ms += 5) {
		pause_ms(5);
		for (n = 0; n < nr; n++)
			pthread_kill(threads[n], SIGUSR1);
	}
}

static void judge_guest(const struct guest *g)
{
	if (g->strange)
		t_diag("the first strange exit: errno %d, reason %u", g->first_errno, g->first_reason);
	t_ok(g->fine > 10 && !g->strange, "CPU %d: the guest ran (%ld laps, %ld strange exits)", g->cpu, g->fine, g->strange);
	t_ok(!g->spoilt, "its registers were kept (%ld laps spoilt)", g->spoilt);
	t_ok(g->interrupted > 10, "signals ended it (%ld)", g->interrupted);
}

static void judge_preempter(const struct preempter *p)
{
	t_ok(p->wakeups > 100, "an out-of-band thread preempted it (%ld)", p->wakeups);
	t_ok(!p->wrong_aux, "which never saw its registers (%ld)", p->wrong_aux);
	t_ok(!p->wrong_sum, "and kept its own (%ld not)", p->wrong_sum);
}

int main(int argc, char *argv[])
{
	static struct preempter preempters[MAX_CPUS];
	static struct guest guests[MAX_CPUS];
	pthread_t running[MAX_CPUS], preempting[MAX_CPUS];
	struct sigaction sa = { .sa_handler = nothing };
	bool alone = argc > 1 && !strcmp(argv[1], "alone");
	int n, nr = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;

	deadline(100);
	if (system("modprobe -q kvm_amd || modprobe -q kvm_intel"))
		t_skip_all("there is no KVM module for this machine");
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		t_skip_all("/dev/kvm: %s", strerror(errno));
	if (!alone) {
		t_require_core();
		t_need_cpus(nr);
	}
	t_plan((alone ? 3 : 6) * nr);
	sigaction(SIGUSR1, &sa, NULL);
	for (n = 0; n < nr; n++) {
		int cpu = alone ? n : t_cpu(n);

		if (!make_guest(&guests[n], cpu))
			t_bail("cannot make a guest: %s", strerror(errno));
		preempters[n].cpu = cpu;
		running[n] = t_thread(0, cpu, run_guest, &guests[n]);
		if (!alone)
			preempting[n] = t_thread(80, cpu, preempt, &preempters[n]);
	}
	signal_guests(running, nr);
	stop = 1;
	for (n = 0; n < nr; n++) {
		pthread_join(running[n], NULL);
		judge_guest(&guests[n]);
		if (alone)
			continue;
		pthread_join(preempting[n], NULL);
		judge_preempter(&preempters[n]);
	}

	return t_end();
}
