/* SPDX-License-Identifier: MIT */
/*
 * property: a thread which keeps in-band off its CPU for watchdog_s is brought in-band and told so, not before that; it may
 * go out-of-band again. One which leaves in-band some time now and then is left alone, however long it goes on.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=90
 */
#include <signal.h>
#include <stdlib.h>
#include "common.h"

static volatile sig_atomic_t told, cause;

static void note(int sig, siginfo_t *si, void *context)
{
	told++;
	cause = sigdebug_marked(si) ? (int)sigdebug_cause(si) : -1;
}

static uint64_t limit_ns(void)
{
	FILE *f = fopen("/sys/module/evl/parameters/watchdog_s", "r");
	unsigned int s = 0;

	if (!f || fscanf(f, "%u", &s) != 1 || !s)
		t_bail("no watchdog_s, or no watchdog");
	fclose(f);

	return s * NSEC_PER_SEC;
}

/* Until the watchdog acts, for twice its time at most; how long that took. */
static uint64_t run_away(uint64_t limit)
{
	uint64_t start, end;

	told = 0;
	evl_switch_oob();
	start = t_now();
	do {
		end = t_now();
	} while (!told && end - start < 2 * limit);

	return end - start;
}

static void test_runaway(int efd, uint64_t limit)
{
	uint64_t took = run_away(limit);

	t_ok(told == 1 && cause == EVL_HMDIAG_WATCHDOG, "a runaway thread is told (%d times, cause %d)", (int)told, (int)cause);
	t_ok(!really_oob(efd), "and is in-band");
	t_ok(took > limit - limit / 100 && took < limit + limit / 8, "after %llu ms of %llu",
	     (unsigned long long)(took / NSEC_PER_MSEC), (unsigned long long)(limit / NSEC_PER_MSEC));
}

/* Most of the CPU's time, but in-band gets the rest. */
static void test_greedy(int efd, uint64_t limit)
{
	uint64_t end = t_now() + limit + limit / 2;

	told = 0;
	evl_switch_oob();
	while (t_now() < end) {
		spin_ns(90 * NSEC_PER_MSEC);
		sleep_ns(10 * NSEC_PER_MSEC);
	}
	t_ok(!told && really_oob(efd), "one which sleeps in between is left alone (%d, cause %d)", (int)told, (int)cause);
}

static void *run(void *arg)
{
	uint64_t limit = limit_ns();
	int efd = attach("watched");

	test_runaway(efd, limit);
	test_greedy(efd, limit);
	test_runaway(efd, limit);
	evl_detach_self();
	close(efd);

	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	t_need_cpus(1);
	t_plan(7);
	deadline(80);
	sigaction(SIGDEBUG, &sa, NULL);
	pthread_join(t_thread(50, t_cpu(0), run, NULL), NULL);

	return t_end();
}
