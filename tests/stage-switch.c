/* SPDX-License-Identifier: MIT */
/*
 * property: threads on every CPU switch between the stages 100000 times in all; each is where it asked
 * to be, and the core counts each switch.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include "common.h"

#define SWITCHES	100000
#define MAX_THREADS	8

struct switcher {
	int rounds;
	int failures;		/* of the calls */
	int misplaced;		/* the window told another stage */
	uint32_t counted;
	int efd;
};

static void *keep_switching(void *arg)
{
	struct switcher *s = arg;
	uint32_t before;
	int n;

	s->efd = attach("switcher");
	before = t_isw(s->efd);
	for (n = 0; n < s->rounds; n++) {
		s->failures += evl_switch_inband() != 0;
		s->misplaced += !evl_is_inband();
		s->failures += evl_switch_oob() != 0;
		s->misplaced += evl_is_inband();
	}
	s->counted = t_isw(s->efd) - before;
	s->misplaced += !really_oob(s->efd);
	evl_detach_self();
	close(s->efd);

	return NULL;
}

static int count_cpus(void)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);

	return CPU_COUNT(&set) < MAX_THREADS ? CPU_COUNT(&set) : MAX_THREADS;
}

int main(void)
{
	struct switcher switchers[MAX_THREADS] = { };
	pthread_t threads[MAX_THREADS];
	int count, n;
	uint64_t start;

	deadline(110);
	t_require_core();
	count = count_cpus();
	t_need_cpus(count);
	t_plan(3 * count);
	start = t_now();
	for (n = 0; n < count; n++) {
		switchers[n].rounds = SWITCHES / count;
		threads[n] = t_thread(50, t_cpu(n), keep_switching, &switchers[n]);
	}
	for (n = 0; n < count; n++)
		pthread_join(threads[n], NULL);
	t_diag("%d switches each way in %llu ms", SWITCHES / count * count,
	       (unsigned long long)((t_now() - start) / NSEC_PER_MSEC));
	for (n = 0; n < count; n++) {
		t_ok(!switchers[n].failures, "CPU%d: every switch succeeded (%d not)", t_cpu(n), switchers[n].failures);
		t_ok(!switchers[n].misplaced, "CPU%d: on the stage asked for (%d not)", t_cpu(n), switchers[n].misplaced);
		t_ok(switchers[n].counted == (uint32_t)switchers[n].rounds, "CPU%d: %u switches counted, %d made",
		     t_cpu(n), switchers[n].counted, switchers[n].rounds);
	}

	return t_end();
}
