/* SPDX-License-Identifier: MIT */
#ifndef _EVL_SCHED_H
#define _EVL_SCHED_H

#include <sched.h>
#include <evl/compiler.h>
#include <evl/sched-abi.h>

__EVL_BEGIN_DECLS

int evl_set_schedattr(int efd, const struct evl_sched_attrs *attrs);

int evl_get_schedattr(int efd, struct evl_sched_attrs *attrs);

int evl_yield(void);

int evl_control_sched(int policy, const union evl_sched_ctlparam *param,
		      union evl_sched_ctlinfo *info, int cpu);

int evl_get_cpustate(int cpu, int *state_r);

__EVL_END_DECLS

#endif /* _EVL_SCHED_H */
