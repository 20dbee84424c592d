/* SPDX-License-Identifier: MIT */
/*
 * property: whatever exception an out-of-band thread takes, it is demoted; the handler runs in-band with the
 * right signal, code and address; the thread goes on where the handler sends it, and back out-of-band.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "common.h"

static struct {
	volatile int signo, code;
	void *volatile addr;
	volatile bool inband;
	volatile int count;
} seen;

static sigjmp_buf way_out;
static bool resume_after;	/* the handler returns behind the instruction instead of jumping */

static void note(int signo, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	seen.signo = signo;
	seen.code = si->si_code;
	seen.addr = si->si_addr;
	seen.inband = evl_is_inband();
	seen.count++;
	if (resume_after)
		uc->uc_mcontext.gregs[REG_EFL] &= ~0x40000;	/* alignment checks off */
	else
		siglongjmp(way_out, 1);
}

static char *unmapped, *readonly, *noexec;

static void read_nowhere(void)	{ *(volatile char *)unmapped; }
static void write_nowhere(void)	{ *(volatile char *)unmapped = 1; }
static void write_readonly(void) { *(volatile char *)readonly = 1; }
static void call_data(void)	{ ((void (*)(void))(uintptr_t)noexec)(); }
static void call_nowhere(void)	{ ((void (*)(void))(uintptr_t)unmapped)(); }
static void noncanonical(void)	{ *(volatile char *)0x8000000000000000ULL = 1; }
static void privileged(void)	{ __asm__ volatile("hlt"); }
static void illegal(void)	{ __asm__ volatile("ud2"); }

static void divide(void)
{
	volatile int zero = 0, one = 1, sink;

	sink = one / zero;
	(void)sink;
}

/* An SSE exception, unmasked. */
static void float_divide(void)
{
	unsigned int csr = 0x1f80 & ~0x200, saved;
	volatile float zero = 0, one = 1, sink;

	__asm__ volatile("stmxcsr %0" : "=m" (saved));
	__asm__ volatile("ldmxcsr %0" : : "m" (csr));
	sink = one / zero;
	(void)sink;
	__asm__ volatile("ldmxcsr %0" : : "m" (saved));
}

static const struct trap {
	const char *name;
	void (*cause)(void);
	int signo, code;
	char **addr;
} traps[] = {
	{ "read of an unmapped page", read_nowhere, SIGSEGV, SEGV_MAPERR, &unmapped },
	{ "write to an unmapped page", write_nowhere, SIGSEGV, SEGV_MAPERR, &unmapped },
	{ "write to a read-only page", write_readonly, SIGSEGV, SEGV_ACCERR, &readonly },
	{ "execution of data", call_data, SIGSEGV, SEGV_ACCERR, &noexec },
	{ "jump to nowhere", call_nowhere, SIGSEGV, SEGV_MAPERR, &unmapped },
	{ "non-canonical address", noncanonical, SIGSEGV, SI_KERNEL, NULL },
	{ "privileged instruction", privileged, SIGSEGV, SI_KERNEL, NULL },
	{ "illegal instruction", illegal, SIGILL, ILL_ILLOPN, NULL },
	{ "integer division by zero", divide, SIGFPE, FPE_INTDIV, NULL },
	{ "SSE division by zero", float_divide, SIGFPE, FPE_FLTDIV, NULL },
};

#define NR_TRAPS	((int)(sizeof(traps) / sizeof(traps[0])))

static void catch_all(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER };
	size_t n;

	for (n = 0; n < sizeof(signals) / sizeof(signals[0]); n++)
		sigaction(signals[n], &sa, NULL);
}

static void take_trap(const struct trap *t)
{
	memset((void *)&seen, 0, sizeof(seen));
	if (!sigsetjmp(way_out, 1))
		t->cause();
	/* Whatever the jump left unmasked in the FPU. */
	__asm__ volatile("ldmxcsr %0" : : "m" ((unsigned int){ 0x1f80 }));
}

/* Emulators leave some out; the thread is not attached yet. */
static bool machine_has[16];

static void probe_machine(int nr)
{
	int n;

	for (n = 0; n < nr; n++) {
		take_trap(&traps[n]);
		machine_has[n] = seen.count == 1;
	}
}

static void test_trap(int efd, const struct trap *t)
{
	bool good, back;
	uint32_t isw;

	if (!machine_has[t - traps]) {
		t_skip("%s: this machine does not raise it", t->name);
		t_skip("%s: this machine does not raise it", t->name);
		return;
	}
	evl_switch_oob();
	isw = t_isw(efd);
	take_trap(t);
	isw = t_isw(efd) - isw;
	back = !evl_switch_oob() && really_oob(efd);

	good = seen.count == 1 && seen.signo == t->signo && seen.code == t->code &&
		(!t->addr || seen.addr == *t->addr);
	if (!t_ok(good, "%s: the right signal, once", t->name))
		t_diag("count %d, signal %d code %d addr %p", seen.count, seen.signo, seen.code, seen.addr);
	t_ok(seen.inband && isw == 1 && back, "%s: handled in-band (%u switches), then back out-of-band", t->name, isw);
}

/* The handler just returns: int3 is a trap, the thread goes on behind it. */
static void test_breakpoint(int efd)
{
	uint32_t isw;

	evl_switch_oob();
	memset((void *)&seen, 0, sizeof(seen));
	resume_after = true;
	isw = t_isw(efd);
	__asm__ volatile("int3");
	isw = t_isw(efd) - isw;
	resume_after = false;
	t_ok(seen.count == 1 && seen.signo == SIGTRAP && seen.inband && isw == 1,
	     "breakpoint: SIGTRAP, in-band, the thread goes on behind it (signal %d, %u switches)", seen.signo, isw);
}

static void test_alignment(int efd)
{
	static char buffer[16] __attribute__((__aligned__(8)));
	uint32_t isw;

	evl_switch_oob();
	memset((void *)&seen, 0, sizeof(seen));
	resume_after = true;
	isw = t_isw(efd);
	__asm__ volatile("pushf; orl $0x40000, (%%rsp); popf\n\t"
			 "movl (%0), %%eax\n\t"
			 "pushf; andl $~0x40000, (%%rsp); popf"
			 : : "r" (buffer + 1) : "eax", "memory", "cc");
	isw = t_isw(efd) - isw;
	resume_after = false;
	if (!seen.count) {
		t_skip("no alignment check: this processor, or its emulation, has none");
		return;
	}
	t_ok(seen.signo == SIGBUS && seen.code == BUS_ADRALN && seen.inband && isw >= 1,
	     "misaligned access under alignment checks: SIGBUS in-band (signal %d code %d)", seen.signo, seen.code);
}

/* A fault which the kernel resolves raises no signal: the thread only changes stage. */
static void test_silent_fault(int efd)
{
	char *lazy;
	uint32_t isw;

	munlockall();
	lazy = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	evl_switch_oob();
	memset((void *)&seen, 0, sizeof(seen));
	isw = t_isw(efd);
	*(volatile char *)lazy = 42;
	isw = t_isw(efd) - isw;
	t_ok(!seen.count && isw == 1 && *lazy == 42, "a page that had to be provided: no signal, one switch (%u)", isw);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	munmap(lazy, 1 << 16);
}

/* Many times over, from both ends of a page. */
static void test_repetition(int efd)
{
	int n, wrong = 0;

	for (n = 0; n < 1000; n++) {
		if (!machine_has[n % NR_TRAPS])
			continue;
		evl_switch_oob();
		take_trap(&traps[n % NR_TRAPS]);
		wrong += seen.count != 1 || seen.signo != traps[n % NR_TRAPS].signo || !seen.inband;
	}
	t_ok(!wrong, "a thousand traps in a row (%d wrong)", wrong);
	t_ok(!evl_switch_oob() && really_oob(efd), "the thread is as good as new");
}

int main(void)
{
	int efd, n;

	deadline(50);
	t_require_core();
	t_plan(2 * NR_TRAPS + 5);
	unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	noexec = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(unmapped, 4096);
	catch_all();
	probe_machine(NR_TRAPS);
	t_become(60, -1);
	efd = attach("trapper");
	for (n = 0; n < NR_TRAPS; n++)
		test_trap(efd, &traps[n]);
	test_breakpoint(efd);
	test_alignment(efd);
	test_silent_fault(efd);
	test_repetition(efd);

	return t_end();
}
