/* SPDX-License-Identifier: MIT */
/* The vector registers of x86-64, loaded and stored around a system call or a spin. Include it in one file only. */
#ifndef _EVL_UTILS_VECTORS_H
#define _EVL_UTILS_VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef __x86_64__
#error "no register check for this architecture: add its registers here"
#endif

#define NR_VECTORS	16
#define VECTOR_BYTES	32

struct vectors {
	uint8_t regs[NR_VECTORS][VECTOR_BYTES];
} __attribute__((__aligned__(64)));

static bool have_avx;

#define EACH_REGISTER(op)	\
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)

#define LOAD_YMM(n)	"vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define STORE_YMM(n)	"vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
#define LOAD_XMM(n)	"movdqu " #n "*32(%0), %%xmm" #n "\n\t"
#define STORE_XMM(n)	"movdqu %%xmm" #n ", " #n "*32(%0)\n\t"
#define ALL_XMM		"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",	\
			"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/*
 * Loads all registers, makes a system call or spins, and stores them, without the compiler in between. A
 * system call keeps the vector registers: what comes back is what went in.
 */
static inline long through_call(struct vectors *in, struct vectors *out, long nr, long a, long b, long c)
{
	register long rdx __asm__("rdx") = c;
	long ret = nr;

	if (have_avx)
		__asm__ volatile(EACH_REGISTER(LOAD_YMM) : : "r" (in) : "memory", ALL_XMM);
	else
		__asm__ volatile(EACH_REGISTER(LOAD_XMM) : : "r" (in) : "memory", ALL_XMM);
	__asm__ volatile("syscall" : "+a" (ret) : "D" (a), "S" (b), "r" (rdx) : "rcx", "r11", "memory");
	if (have_avx)
		__asm__ volatile(EACH_REGISTER(STORE_YMM) : : "r" (out) : "memory");
	else
		__asm__ volatile(EACH_REGISTER(STORE_XMM) : : "r" (out) : "memory");

	return ret;
}

static inline void through_spin(struct vectors *in, struct vectors *out, long laps)
{
	if (have_avx)
		__asm__ volatile(EACH_REGISTER(LOAD_YMM) : : "r" (in) : "memory", ALL_XMM);
	else
		__asm__ volatile(EACH_REGISTER(LOAD_XMM) : : "r" (in) : "memory", ALL_XMM);
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r" (laps) : : "cc");
	if (have_avx)
		__asm__ volatile(EACH_REGISTER(STORE_YMM) : : "r" (out) : "memory");
	else
		__asm__ volatile(EACH_REGISTER(STORE_XMM) : : "r" (out) : "memory");
}

/* The first register that differs, or a negative value. */
static inline int differing_vector(const struct vectors *a, const struct vectors *b)
{
	size_t width = have_avx ? 32 : 16;
	int n;

	for (n = 0; n < NR_VECTORS; n++)
		if (memcmp(a->regs[n], b->regs[n], width))
			return n;

	return -1;
}

static inline bool same(const struct vectors *a, const struct vectors *b)
{
	return differing_vector(a, b) < 0;
}

#endif /* _EVL_UTILS_VECTORS_H */
