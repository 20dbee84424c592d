/* SPDX-License-Identifier: MIT */
/*
 * property: on one CPU, threads run in order of priority, equals first in first out, round-robin ones in turns;
 * a priority change takes effect at once; whatever is attached to FIFO runs before anything in-band.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <stdlib.h>
#include "common.h"

#define NR_THREADS	8

/* The core counts ns in 63 bits, and takes nothing longer. */
#define LONGEST_QUANTUM	(INT64_MAX / NSEC_PER_SEC * NSEC_PER_SEC - 1)

static volatile int order[64], nr_order;

struct contender {
	int rank;
	int priority;
	int efd;
	uint64_t start;
	volatile int ready;
};

/* Out-of-band threads of one CPU do not run at the same time: no lock is needed. */
static void log_turn(int rank)
{
	order[nr_order++] = rank;
}

/* All wake up at the same date; who is first? */
static void *wake_together(void *arg)
{
	struct contender *c = arg;
	struct timespec date = timespec_of(c->start);

	c->efd = attach("contender");
	publish(&c->ready, 1);
	evl_switch_oob();
	if (!evl_sleep_until(EVL_CLOCK_MONOTONIC, &date))
		log_turn(c->rank);
	evl_detach_self();
	close(c->efd);

	return NULL;
}

/*
 * One above all sleeps until a little earlier, then spins past their date: when it ends, all are
 * ready.
 */
static void *hold_cpu(void *arg)
{
	struct contender *c = arg;
	struct timespec date = timespec_of(c->start - 20 * NSEC_PER_MSEC);

	c->efd = attach("holder");
	publish(&c->ready, 1);
	evl_switch_oob();
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	while (t_now() < c->start + 20 * NSEC_PER_MSEC)
		;
	evl_detach_self();
	close(c->efd);

	return NULL;
}

static void race(struct contender *c, int count)
{
	struct contender holder = { .priority = 90 };
	pthread_t threads[NR_THREADS], held;
	/* Time for all of them to go to sleep first, under a debug kernel in an emulator too. */
	uint64_t start = t_now() + 2 * NSEC_PER_SEC;
	int n;

	nr_order = 0;
	holder.start = start;
	held = t_thread(holder.priority, t_cpu(0), hold_cpu, &holder);
	for (n = 0; n < count; n++) {
		c[n].rank = n;
		c[n].start = start;
		c[n].ready = 0;
		threads[n] = t_thread(c[n].priority, t_cpu(0), wake_together, &c[n]);
		await(&c[n].ready, 1);
	}
	for (n = 0; n < count; n++)
		pthread_join(threads[n], NULL);
	pthread_join(held, NULL);
}

static void show_order(void)
{
	char text[256] = "";
	int n;

	for (n = 0; n < nr_order; n++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", order[n]);
	t_diag("order:%s", text);
}

static void test_priorities(void)
{
	static const int priorities[NR_THREADS] = { 10, 40, 20, 80, 30, 70, 50, 60 };
	struct contender c[NR_THREADS] = { };
	int n, wrong = 0;

	for (n = 0; n < NR_THREADS; n++)
		c[n].priority = priorities[n];
	race(c, NR_THREADS);
	for (n = 1; n < nr_order; n++)
		wrong += priorities[order[n]] > priorities[order[n - 1]];
	if (!t_ok(nr_order == NR_THREADS && !wrong, "eight priorities: the highest first"))
		show_order();
}

static void test_fifo(void)
{
	struct contender c[NR_THREADS] = { };
	int n, wrong = 0;

	for (n = 0; n < NR_THREADS; n++)
		c[n].priority = 50;
	race(c, NR_THREADS);
	for (n = 0; n < nr_order; n++)
		wrong += order[n] != n;
	if (!t_ok(nr_order == NR_THREADS && !wrong, "equals with one date: in the order they went to sleep"))
		show_order();
}

/* Takes turns by yielding. */
static void *yield_in_turn(void *arg)
{
	struct contender *c = arg;
	struct timespec date = timespec_of(c->start);
	int n;

	c->efd = attach("yielder");
	publish(&c->ready, 1);
	evl_switch_oob();
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	for (n = 0; n < 4; n++) {
		log_turn(c->rank);
		evl_yield();
	}
	evl_detach_self();
	close(c->efd);

	return NULL;
}

static void test_yield(void)
{
	struct contender c[3] = { }, holder = { .priority = 90 };
	pthread_t threads[3], held;
	int n, wrong = 0;

	nr_order = 0;
	holder.start = t_now() + 500 * NSEC_PER_MSEC;
	held = t_thread(90, t_cpu(0), hold_cpu, &holder);
	for (n = 0; n < 3; n++) {
		c[n] = (struct contender){ .rank = n, .start = holder.start };
		threads[n] = t_thread(50, t_cpu(0), yield_in_turn, &c[n]);
		await(&c[n].ready, 1);
	}
	for (n = 0; n < 3; n++)
		pthread_join(threads[n], NULL);
	pthread_join(held, NULL);
	for (n = 0; n < nr_order; n++)
		wrong += order[n] != n % 3;
	if (!t_ok(nr_order == 12 && !wrong, "three equals which yield take turns"))
		show_order();
}

/* Round-robin: both get on, though neither gives way. */
struct spinner {
	int policy;
	uint64_t quantum;
	uint64_t stop;
	volatile long laps;
	volatile int switches;
	volatile int ready;
	uint64_t start;
};

static volatile int last_runner;

static void *spin_for_turn(void *arg)
{
	struct spinner *s = arg;
	struct evl_sched_attrs attrs = {
		.sched_policy = s->policy, .sched_priority = 50,
		.sched_rr_quantum = {
			.tv_sec = (int64_t)(s->quantum / NSEC_PER_SEC), .tv_nsec = (int64_t)(s->quantum % NSEC_PER_SEC),
		},
	};
	struct timespec date = timespec_of(s->start);
	int efd = attach("spinner"), ret;

	ret = evl_set_schedattr(efd, &attrs);
	publish(&s->ready, ret ? -1 : 1);
	evl_switch_oob();
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	while (t_now() < s->stop) {
		s->laps++;
		if (last_runner != (int)(s->start % 2)) {
			last_runner = (int)(s->start % 2);
			s->switches++;
		}
	}
	evl_detach_self();
	close(efd);

	return NULL;
}

/* Two spinners, told apart by the parity of their start. Turns taken between them. */
static int spin_two(int policy, uint64_t quantum)
{
	uint64_t start = (t_now() + 300 * NSEC_PER_MSEC) & ~1ULL;
	struct spinner s[2] = { };
	pthread_t threads[2];
	int n;

	last_runner = -1;
	for (n = 0; n < 2; n++) {
		s[n] = (struct spinner){
			.policy = policy, .quantum = quantum, .start = start + (uint64_t)n, .stop = start + 200 * NSEC_PER_MSEC,
		};
		threads[n] = t_thread(50, t_cpu(0), spin_for_turn, &s[n]);
		if (!await(&s[n].ready, 1))
			t_bail("policy %d is refused", policy);
	}
	for (n = 0; n < 2; n++)
		pthread_join(threads[n], NULL);
	t_diag("policy %d: %d and %d turns, %ld and %ld laps", policy, s[0].switches, s[1].switches, s[0].laps, s[1].laps);

	return s[0].switches + s[1].switches;
}

static void test_round_robin(void)
{
	int turns;

	turns = spin_two(SCHED_RR, 5 * NSEC_PER_MSEC);
	t_ok(turns >= 8, "two round-robin threads with slices of 5 ms take turns over 200 ms (%d)", turns);
	turns = spin_two(SCHED_FIFO, 0);
	t_ok(turns <= 2, "two FIFO ones do not (%d)", turns);
	/* The end of such a slice was computed as a date of the past. */
	turns = spin_two(SCHED_RR, LONGEST_QUANTUM);
	t_ok(turns <= 2, "nor do round-robin ones with slices of three hundred years (%d)", turns);
}

/* Lowered under a ready thread, the caller loses the CPU at once. */
static volatile int lower_ran;

static void *run_lower(void *arg)
{
	struct contender *c = arg;
	struct timespec date = timespec_of(c->start);

	c->efd = attach("lower");
	publish(&c->ready, 1);
	evl_switch_oob();
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	lower_ran = 1;
	evl_detach_self();
	close(c->efd);

	return NULL;
}

static void *change_priority(void *arg)
{
	struct contender *c = arg;
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = 10 };
	struct timespec date = timespec_of(c->start - 10 * NSEC_PER_MSEC);
	intptr_t seen;

	c->efd = attach("changer");
	evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	while (t_now() < c->start + 20 * NSEC_PER_MSEC)
		;
	seen = lower_ran;
	evl_set_schedattr(c->efd, &attrs);
	seen |= lower_ran << 1;
	evl_detach_self();
	close(c->efd);

	return (void *)seen;
}

static void test_priority_change(void)
{
	uint64_t start = t_now() + 300 * NSEC_PER_MSEC;
	struct contender lower = { .start = start }, changer = { .start = start };
	pthread_t low, high;
	void *seen;

	low = t_thread(30, t_cpu(0), run_lower, &lower);
	await(&lower.ready, 1);
	high = t_thread(60, t_cpu(0), change_priority, &changer);
	pthread_join(high, &seen);
	pthread_join(low, NULL);
	t_ok(!((intptr_t)seen & 1), "a ready thread of lower priority waits");
	t_ok((intptr_t)seen & 2, "until the running one is lowered below it, then runs at once");
}

static void test_attributes(void)
{
	struct evl_sched_attrs attrs = { }, bad = { .sched_policy = SCHED_FIFO, .sched_priority = 100 };
	int efd, ret;

	t_become(33, t_cpu(0));
	efd = attach("attributes");
	ret = evl_get_schedattr(efd, &attrs);
	t_ok(!ret && attrs.sched_policy == SCHED_FIFO && attrs.sched_priority == 33,
	     "in-band FIFO 33 became the core's (%d: %d, %d)", ret, attrs.sched_policy, attrs.sched_priority);
	ret = evl_set_schedattr(efd, &bad);
	t_ok(ret == -EINVAL, "priority 100 is refused (%d)", ret);
	bad.sched_priority = 0;
	ret = evl_set_schedattr(efd, &bad);
	t_ok(ret == -EINVAL, "FIFO 0 is refused (%d)", ret);
	bad = (struct evl_sched_attrs){ .sched_policy = SCHED_RR, .sched_priority = 10 };
	ret = evl_set_schedattr(efd, &bad);
	t_ok(ret == -EINVAL, "round-robin without a time slice is refused (%d)", ret);
	bad = (struct evl_sched_attrs){ .sched_policy = 99, .sched_priority = 10 };
	ret = evl_set_schedattr(efd, &bad);
	t_ok(ret == -EINVAL, "an unknown policy is refused (%d)", ret);
	ret = evl_get_schedattr(efd, &attrs);
	t_ok(!ret && attrs.sched_priority == 33, "nothing has changed (%d)", attrs.sched_priority);
	evl_detach_self();
	close(efd);
	t_become(0, -1);
}

int main(void)
{
	deadline(55);
	t_require_core();
	t_need_cpus(1);
	t_plan(14);
	test_attributes();
	test_priorities();
	test_fifo();
	test_yield();
	test_round_robin();
	test_priority_change();

	return t_end();
}
