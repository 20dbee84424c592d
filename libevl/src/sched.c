/* SPDX-License-Identifier: MIT */
/*
 * Configuration of scheduling policies on a CPU; state of a CPU.
 */
#include <errno.h>
#include <evl/control-abi.h>
#include <evl/sched.h>
#include "internal.h"

EVL_API int evl_control_sched(int policy, const union evl_sched_ctlparam *param,
			      union evl_sched_ctlinfo *info, int cpu)
{
	struct evl_sched_ctlreq req = {
		.param_ptr = (uintptr_t)param,
		.info_ptr = (uintptr_t)info,
		.policy = (__u32)policy,
		.cpu = cpu,
	};
	int ret = evl_check_core();

	return ret ? ret : evl_request(evl_core.control_fd, EVL_CTLIOC_SCHEDCTL, &req);
}

EVL_API int evl_get_cpustate(int cpu, int *state_r)
{
	struct evl_cpu_state req = {
		.state_ptr = (uintptr_t)state_r,
		.cpu = (__u32)cpu,
	};
	int ret = evl_check_core();

	return ret ? ret : evl_request(evl_core.control_fd, EVL_CTLIOC_GET_CPUSTATE, &req);
}
