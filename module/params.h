/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_PARAMS_H
#define _EVL_PARAMS_H

#include <linux/cpumask.h>
#include <linux/types.h>

/* CPUs the core runs on; constant once loaded. */
extern struct cpumask evl_oob_cpus;

/* For a number from outside. The CPU may be offline. */
static inline bool evl_is_oob_cpu(int cpu)
{
	return cpu >= 0 && cpu < (int)nr_cpu_ids && cpumask_test_cpu(cpu, &evl_oob_cpus);
}

extern unsigned int evl_nr_threads;
extern unsigned int evl_nr_monitors;
extern unsigned int evl_watchdog_s;
extern unsigned int evl_coremem_kb;
extern unsigned int evl_quota_period_ms;
extern unsigned int evl_tp_partitions;

int evl_check_params(void);

#endif /* _EVL_PARAMS_H */
