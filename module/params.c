// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters: read once when the core loads, constant afterwards.
 */
#include "params.h"
#include "clock.h"
#include "coremem.h"

#include <linux/moduleparam.h>
#include <linux/cpu.h>

static char *oob_cpus;
module_param(oob_cpus, charp, 0444);
MODULE_PARM_DESC(oob_cpus, "CPUs the core runs on, as a list (default: all those online at load time)");

static char *oobcpus;
module_param(oobcpus, charp, 0444);
MODULE_PARM_DESC(oobcpus, "alias of oob_cpus");

unsigned int evl_nr_threads = 256;
module_param_named(nr_threads, evl_nr_threads, uint, 0444);
MODULE_PARM_DESC(nr_threads, "largest number of threads attached at the same time");

unsigned int evl_nr_monitors = 512;
module_param_named(nr_monitors, evl_nr_monitors, uint, 0444);
MODULE_PARM_DESC(nr_monitors, "largest number of mutexes, events, semaphores and flag groups, all together");

unsigned int evl_coremem_kb = 2048;
module_param_named(coremem_kb, evl_coremem_kb, uint, 0444);
MODULE_PARM_DESC(coremem_kb, "size of the heap for out-of-band code of drivers, kB, a multiple of 256");

unsigned int evl_watchdog_s = 4;
module_param_named(watchdog_s, evl_watchdog_s, uint, 0444);
MODULE_PARM_DESC(watchdog_s, "longest time in-band may be kept off a CPU, s (0: no limit)");

unsigned int evl_quota_period_ms = 1000;
module_param_named(quota_period_ms, evl_quota_period_ms, uint, 0444);
MODULE_PARM_DESC(quota_period_ms, "period of the budgets of SCHED_QUOTA, ms (0: no such policy)");

unsigned int evl_tp_partitions = 8;
module_param_named(tp_partitions, evl_tp_partitions, uint, 0444);
MODULE_PARM_DESC(tp_partitions, "number of partitions of SCHED_TP on each CPU (0: no such policy)");

static unsigned int latency_irq, latency_kernel, latency_user;
module_param(latency_irq, uint, 0444);
MODULE_PARM_DESC(latency_irq, "initial gravity for interrupt handlers, ns (0: platform default)");
module_param(latency_kernel, uint, 0444);
MODULE_PARM_DESC(latency_kernel, "initial gravity for kernel threads, ns (0: platform default)");
module_param(latency_user, uint, 0444);
MODULE_PARM_DESC(latency_user, "initial gravity for application threads, ns (0: platform default)");

/** evl_oob_cpus - CPUs the core runs on, for drivers to place threads and interrupts; constant */
struct cpumask evl_oob_cpus;
EVL_EXPORT(evl_oob_cpus);

#define EVL_THREADS_LIMIT	65536U
#define EVL_MONITORS_LIMIT	65536U
#define EVL_WATCHDOG_LIMIT	3600U
#define EVL_COREMEM_UNIT	(EVL_COREMEM_MAX_BLOCK / 1024)
#define EVL_COREMEM_LIMIT	(1024U * 1024)
#define EVL_QUOTA_PERIOD_LIMIT	60000U
#define EVL_TP_PARTITIONS_LIMIT	1024U

static int parse_cpu_set(void)
{
	const char *list = oob_cpus ?: oobcpus;
	int ret;

	if (!list) {
		cpumask_copy(&evl_oob_cpus, cpu_online_mask);
		return 0;
	}

	ret = cpulist_parse(list, &evl_oob_cpus);
	if (ret) {
		pr_err("oob_cpus=%s is not a list of CPUs\n", list);
		return ret;
	}

	if (cpumask_and(&evl_oob_cpus, &evl_oob_cpus, cpu_online_mask))
		return 0;

	pr_err("oob_cpus=%s: none of these CPUs is online\n", list);
	return -EINVAL;
}

static int apply_gravity(void)
{
	struct evl_clock_gravity gravity = {
		.irq = latency_irq,
		.kernel = latency_kernel,
		.user = latency_user,
	};
	int ret = evl_preset_gravity(&gravity);

	if (ret)
		pr_err("latency_{irq,kernel,user}: at most %u ns\n", EVL_MAX_GRAVITY);
	return ret;
}

/* First step of loading: nothing to undo. */
int __init evl_check_params(void)
{
	int ret;

	if (!evl_nr_threads || evl_nr_threads > EVL_THREADS_LIMIT) {
		pr_err("nr_threads=%u: expected 1 to %u\n", evl_nr_threads, EVL_THREADS_LIMIT);
		return -EINVAL;
	}

	if (!evl_nr_monitors || evl_nr_monitors > EVL_MONITORS_LIMIT) {
		pr_err("nr_monitors=%u: expected 1 to %u\n", evl_nr_monitors, EVL_MONITORS_LIMIT);
		return -EINVAL;
	}

	if (evl_watchdog_s > EVL_WATCHDOG_LIMIT) {
		pr_err("watchdog_s=%u: at most %u\n", evl_watchdog_s, EVL_WATCHDOG_LIMIT);
		return -EINVAL;
	}

	if (!evl_coremem_kb || evl_coremem_kb > EVL_COREMEM_LIMIT || evl_coremem_kb % EVL_COREMEM_UNIT) {
		pr_err("coremem_kb=%u: expected a multiple of %lu, up to %u\n", evl_coremem_kb, EVL_COREMEM_UNIT,
		       EVL_COREMEM_LIMIT);
		return -EINVAL;
	}

	if (evl_quota_period_ms > EVL_QUOTA_PERIOD_LIMIT) {
		pr_err("quota_period_ms=%u: at most %u\n", evl_quota_period_ms, EVL_QUOTA_PERIOD_LIMIT);
		return -EINVAL;
	}

	if (evl_tp_partitions > EVL_TP_PARTITIONS_LIMIT) {
		pr_err("tp_partitions=%u: at most %u\n", evl_tp_partitions, EVL_TP_PARTITIONS_LIMIT);
		return -EINVAL;
	}

	ret = parse_cpu_set();
	return ret ?: apply_gravity();
}
