/* SPDX-License-Identifier: MIT */
/*
 * property: an attached thread stays on its CPU; moved by sched_setaffinity(), it goes on there; a CPU which is not
 * the core's is no place for it.
 *
 * evl-vm: smp=2,8 kernel=evl debug=yes timeout=60
 */
#include "common.h"

static int move_to(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);

	return sched_setaffinity(tid, sizeof(set), &set);
}

static int core_cpu(int efd)
{
	struct evl_thread_state state;

	return evl_get_state(efd, &state) ? -1 : (int)state.cpu;
}

static void test_pinned(int efd)
{
	int n, strayed = 0, first = core_cpu(efd);

	for (n = 0; n < 200; n++) {
		evl_usleep(100);
		strayed += core_cpu(efd) != first;
		evl_switch_inband();
		sched_yield();
		evl_switch_oob();
		strayed += core_cpu(efd) != first;
	}
	t_ok(first >= 0 && !strayed, "a thread stays on its CPU, %d (%d strayed)", first, strayed);
}

static void test_moves(int efd)
{
	int n, cpu, wrong = 0;

	for (n = 0; n < 100; n++) {
		cpu = t_cpu(n % 2);
		evl_switch_inband();
		wrong += move_to(0, cpu) != 0;
		wrong += evl_switch_oob() != 0 || !really_oob(efd);
		wrong += core_cpu(efd) != cpu;
		wrong += evl_usleep(100) != 0;
		wrong += core_cpu(efd) != cpu;
	}
	t_ok(!wrong, "a hundred moves of its own, out-of-band each time after (%d wrong)", wrong);
}

static struct {
	volatile int ready, leave;
	pid_t tid;
	int efd, failed;
} target;

static void *sleep_often(void *unused)
{
	target.efd = attach("moved");
	target.tid = (pid_t)syscall(SYS_gettid);
	publish(&target.ready, 1);
	while (!target.leave) {
		/* In-band moves its tasks only, not those which are away. */
		evl_switch_inband();
		if (evl_usleep(200) && !target.leave)
			target.failed++;
	}
	evl_detach_self();

	return NULL;
}

static void test_moved_by_others(void)
{
	pthread_t thread = t_thread(40, t_cpu(0), sleep_often, NULL);
	int n, wrong = 0, tries, last = 0;

	await(&target.ready, 1);
	for (n = 1; n <= 50; n++) {
		wrong += move_to(target.tid, t_cpu(n % 2)) != 0;
		for (tries = 0; tries < 500 && core_cpu(target.efd) != t_cpu(n % 2); tries++)
			pause_ms(2);
		last = core_cpu(target.efd);
		wrong += last != t_cpu(n % 2);
	}
	target.leave = 1;
	pthread_join(thread, NULL);
	t_ok(!wrong, "moved fifty times by another thread, when it comes in-band (%d wrong, last on %d)", wrong, last);
	t_diag("%d of its sleeps were cut short by that", target.failed);
}

static void test_cpu_state(void)
{
	int state = 0, ret;

	ret = evl_get_cpustate(t_cpu(0), &state);
	t_ok(!ret && (state & EVL_CPU_OOB) && !(state & EVL_CPU_OFFLINE), "CPU%d is out-of-band, online (%#x)", t_cpu(0), state);
	ret = evl_get_cpustate(100000, &state);
	t_ok(ret == -EINVAL, "CPU100000 does not exist (%d)", ret);
	ret = evl_get_cpustate(-1, &state);
	t_ok(ret == -EINVAL, "nor does CPU-1 (%d)", ret);
	ret = evl_get_cpustate(t_cpu(0), NULL);
	t_ok(ret == -EFAULT, "nowhere to store it: EFAULT (%d)", ret);
}

int main(void)
{
	int efd;

	deadline(50);
	t_require_core();
	t_need_cpus(2);
	t_plan(7);
	test_cpu_state();
	t_become(50, t_cpu(0));
	efd = attach("pinned");
	test_pinned(efd);
	test_moves(efd);
	evl_detach_self();
	test_moved_by_others();

	return t_end();
}
