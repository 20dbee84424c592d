/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86: what the core needs to know about the architecture.
 */
#ifndef _EVL_ARCH_H
#define _EVL_ARCH_H

#include <linux/math64.h>
#include <linux/time64.h>
#include <linux/types.h>
#include <asm/msr.h>
#include <asm/ptrace.h>
#include <asm/syscall.h>
#include <asm/trapnr.h>
#include <asm/tsc.h>

/* Number of the system call as made: 32 bits, whatever the convention. */
static inline u32 evl_arch_syscall_nr(const struct pt_regs *regs)
{
	return (u32)regs->orig_ax;
}

static inline void evl_arch_syscall_args(struct pt_regs *regs, unsigned long *args)
{
	syscall_get_arguments(current, regs, args);
}

static inline void evl_arch_set_result(struct pt_regs *regs, long result)
{
	regs->ax = result;
}

/* Was the call made with the 32-bit convention? */
static inline bool evl_arch_compat_call(void)
{
	return in_ia32_syscall();
}

/* Traps a debugger plants: they bring a thread in-band by design, which is nothing to complain about. */
static inline bool evl_arch_is_debug_trap(unsigned int trapnr)
{
	return trapnr == X86_TRAP_DB || trapnr == X86_TRAP_BP;
}

/*
 * CPU time is counted in what is cheapest to read: twice per switch. Differences only, on one CPU; if the
 * rate changes, so do the statistics.
 */
static __always_inline u64 evl_arch_cycles(void)
{
	return rdtsc();
}

static inline u64 evl_arch_cycles_to_ns(u64 cycles)
{
	return mul_u64_u32_div(cycles, NSEC_PER_MSEC, tsc_khz);
}

/*
 * Response latency assumed before calibration, ns. A wake-up ahead of its date is worse than one
 * late by a constant, hence nothing.
 */
#define EVL_ARCH_GRAVITY_IRQ	0
#define EVL_ARCH_GRAVITY_KERNEL	0
#define EVL_ARCH_GRAVITY_USER	0

#endif /* _EVL_ARCH_H */
