/* SPDX-License-Identifier: MIT */
/* x86, 64-bit and x32: the call of the core is the "syscall" instruction, as any system call. */
#ifndef _LIBEVL_ARCH_H
#define _LIBEVL_ARCH_H

/*
 * The number goes into eax alone: writing a 32-bit register clears the upper half of rax, where a
 * sign-extended number would set it. "memory": the kernel reads and writes what the arguments point to.
 */
static inline long evl_arch_oob_call(unsigned int sysnr, long a, long b, long c)
{
	unsigned long ret;

	__asm__ volatile ("syscall"
			  : "=a" (ret)
			  : "0" ((unsigned long)sysnr), "D" (a), "S" (b), "d" (c)
			  : "rcx", "r11", "memory", "cc");

	return (long)ret;
}

/* Clock sources of the kernel which the vDSO reads by itself on this architecture. */
#define EVL_ARCH_VDSO_CLOCKSOURCES	\
	"tsc", "kvm-clock", "hyperv_clocksource_tsc_page"

unsigned int evl_arch_fpu_features(void);

#endif /* _LIBEVL_ARCH_H */
