// SPDX-License-Identifier: GPL-2.0-only
/* Do registers keep what was loaded into them? */
#include "hectic.h"
#include <sys/syscall.h>
#include <evl/evl.h>
#include <evl/sys.h>
#include <evl/syscall-abi.h>
#include "../common/vectors.h"

#define WORDS	(VECTOR_BYTES / sizeof(uint64_t))

static enum fault sabotage;

/* Each word of each register has a value of its own. */
static void fill(struct vectors *v, uint64_t pattern)
{
	uint64_t word;
	unsigned int n, w;

	for (n = 0; n < NR_VECTORS; n++) {
		for (w = 0; w < WORDS; w++) {
			word = pattern + n * WORDS + w;
			memcpy(&v->regs[n][w * sizeof(word)], &word, sizeof(word));
		}
	}
}

static void find_word(const struct vectors *in, const struct vectors *out, int reg, struct fpu_mismatch *m)
{
	unsigned int w = 0;

	m->reg = (unsigned int)reg;
	do {
		memcpy(&m->expected, &in->regs[reg][w * sizeof(m->expected)], sizeof(m->expected));
		memcpy(&m->found, &out->regs[reg][w * sizeof(m->found)], sizeof(m->found));
	} while (m->found == m->expected && ++w < WORDS);
}

static bool compare(const struct vectors *expected, const struct vectors *found, struct fpu_mismatch *m)
{
	int reg = differing_vector(expected, found);

	if (reg < 0)
		return true;
	find_word(expected, found, reg, m);

	return false;
}

void fpu_sabotage(enum fault fault)
{
	sabotage = fault;
}

/* What is loaded: what is expected, unless this is a proof that the check works. */
static void prepare(struct vectors *expected, struct vectors *loaded, uint64_t pattern, bool spoil)
{
	fill(expected, pattern);
	*loaded = *expected;
	if (spoil)
		loaded->regs[NR_VECTORS - 1][0] ^= 0x80;
}

bool fpu_kept_over_call(uint64_t pattern, long *ret, bool oob, int fd, unsigned long request, void *arg,
			struct fpu_mismatch *m)
{
	struct vectors expected, loaded, found;
	long nr = oob ? (long)EVL_SYSNR(sys_evl_ioctl) : SYS_ioctl;

	prepare(&expected, &loaded, pattern, sabotage == FAULT_FPU);
	*ret = through_call(&loaded, &found, nr, fd, (long)request, (long)(uintptr_t)arg);

	return compare(&expected, &found, m);
}

static bool kept_over_spin(uint64_t pattern, long laps, struct fpu_mismatch *m, bool spoil)
{
	struct vectors expected, loaded, found;

	prepare(&expected, &loaded, pattern, spoil);
	through_spin(&loaded, &found, laps);

	return compare(&expected, &found, m);
}

bool fpu_kept_over_spin(uint64_t pattern, long laps, struct fpu_mismatch *m)
{
	return kept_over_spin(pattern, laps, m, sabotage == FAULT_STRESS);
}

/* Registers which keep their values pass, the one spoilt is found, by number and value. */
bool fpu_self_test(void)
{
	const uint64_t pattern = 0x1122334455667700, last = pattern + (NR_VECTORS - 1) * WORDS;
	struct fpu_mismatch m;

	have_avx = evl_detect_fpu() & EVL_FPU_X86_AVX;
	if (!kept_over_spin(pattern, 1, &m, sabotage == FAULT_SELF_TEST))
		return false;
	if (kept_over_spin(pattern, 1, &m, true))
		return false;

	return m.reg == NR_VECTORS - 1 && m.expected == last && m.found == (last ^ 0x80);
}
