/* SPDX-License-Identifier: MIT */
#include <evl/sys.h>
#include "arch.h"

unsigned int evl_arch_fpu_features(void)
{
	unsigned int features = 0;

	__builtin_cpu_init();

	if (__builtin_cpu_supports("sse2"))
		features |= EVL_FPU_X86_SSE2;
	if (__builtin_cpu_supports("avx"))
		features |= EVL_FPU_X86_AVX;
	if (__builtin_cpu_supports("avx512f"))
		features |= EVL_FPU_X86_AVX512;

	return features;
}
