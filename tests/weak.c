/* SPDX-License-Identifier: MIT */
/*
 * property: a weakly scheduled thread uses the core's services, and is back in-band after each; it competes with
 * no real-time thread.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include "common.h"

static volatile int fifo_runs;

static void *run_fifo(void *unused)
{
	int efd = attach("weak-rival"), n;

	for (n = 0; n < 50; n++) {
		evl_usleep(1000);
		fifo_runs++;
	}
	evl_detach_self();
	close(efd);

	return NULL;
}

static void test_services(int efd)
{
	int n, failed = 0, astray = 0;
	uint32_t isw = t_isw(efd);

	for (n = 0; n < 100; n++) {
		failed += evl_usleep(200) != 0;
		astray += !evl_is_inband();
	}
	isw = t_isw(efd) - isw;
	t_ok(!failed, "a hundred sleeps of a weak thread (%d failed)", failed);
	t_ok(!astray && isw >= 100, "in-band after each (%d not, %u switches)", astray, isw);
}

static void test_rival(void)
{
	pthread_t rival = t_thread(20, t_cpu(0), run_fifo, NULL);
	uint64_t end = t_now() + 5 * NSEC_PER_SEC;

	while (fifo_runs < 50 && t_now() < end)
		evl_usleep(100);
	pthread_join(rival, NULL);
	t_ok(fifo_runs == 50, "a FIFO thread runs beside it (%d of 50)", fifo_runs);
}

static void test_promotion(int efd)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = 10 };
	int ret;

	ret = evl_set_schedattr(efd, &attrs);
	t_ok(!ret && !evl_switch_oob() && !evl_is_inband(), "made FIFO, it stays out-of-band (%d)", ret);
	evl_usleep(200);
	t_ok(!evl_is_inband(), "over a sleep as well");
	attrs = (struct evl_sched_attrs){ .sched_policy = SCHED_WEAK, .sched_priority = 0 };
	ret = evl_set_schedattr(efd, &attrs);
	evl_usleep(200);
	t_ok(!ret && evl_is_inband(), "made weak again, it comes back in-band (%d)", ret);
}

int main(void)
{
	struct evl_sched_attrs attrs = { };
	int efd;

	deadline(50);
	t_require_core();
	t_need_cpus(1);
	t_plan(8);
	t_become(0, t_cpu(0));
	efd = attach("weak");
	t_ok(!evl_get_schedattr(efd, &attrs) && attrs.sched_policy == SCHED_WEAK, "SCHED_OTHER became weak (%d)",
	     attrs.sched_policy);
	t_ok(evl_is_inband(), "it is in-band to begin with");
	test_services(efd);
	test_rival();
	test_promotion(efd);
	evl_detach_self();

	return t_end();
}
