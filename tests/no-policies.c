/* SPDX-License-Identifier: MIT */
/*
 * property: policies which the parameters of the core turn off are neither set nor controlled, and say so.
 *
 * evl-vm: smp=1 kernel=evl debug=yes timeout=60 append="evl.quota_period_ms=0 evl.tp_partitions=0"
 */
#include "metered.h"

static void test_policy(int policy, const char *name, int cpu, int efd)
{
	struct evl_sched_attrs before, attrs = { .sched_policy = policy, .sched_priority = 10 };
	union evl_sched_ctlparam param = { };
	union evl_sched_ctlinfo info = { };
	int ret = evl_control_sched(policy, &param, &info, cpu);

	t_ok(ret == -EOPNOTSUPP, "%s is not controlled: EOPNOTSUPP (%d)", name, ret);
	evl_get_schedattr(efd, &before);
	ret = evl_set_schedattr(efd, &attrs);
	t_ok(ret == -EINVAL && has_attrs(efd, &before), "nor set: EINVAL, nothing changed (%d)", ret);
}

int main(void)
{
	char line[256] = "";
	FILE *f;
	int efd;

	deadline(30);
	t_require_core();
	t_need_cpus(1);
	t_plan(5);
	t_become(33, t_cpu(0));
	efd = attach("plain");
	test_policy(SCHED_QUOTA, "SCHED_QUOTA", t_cpu(0), efd);
	test_policy(SCHED_TP, "SCHED_TP", t_cpu(0), efd);
	evl_detach_self();
	close(efd);
	f = fopen("/sys/devices/virtual/evl/control/features", "r");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	t_ok(line[0] && !strstr(line, "sched_quota") && !strstr(line, "sched_tp"), "nor among the features: %.*s",
	     (int)strcspn(line, "\n"), line);
	if (f)
		fclose(f);

	return t_end();
}
