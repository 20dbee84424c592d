/* SPDX-License-Identifier: MIT */
/*
 * property: a thread wakes one of another CPU up, thousands of times; none is lost, and the core counts them
 * as remote.
 *
 * evl-vm: smp=2,8 kernel=evl debug=yes timeout=90
 */
#include "common.h"

#define ROUNDS	5000

static struct {
	int efd;
	int tfd;
	volatile int sleeping;		/* rounds begun */
	volatile int woken;		/* rounds ended */
	volatile int wrong;
	struct evl_thread_state state;	/* after the last round */
} sleeper;

/* Sleeps on a timer which never fires; the waker unblocks it. */
static void *sleep_rounds(void *unused)
{
	uint64_t ticks;
	int n;

	sleeper.efd = attach("remote-sleeper");
	sleeper.tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	evl_switch_oob();
	for (n = 1; n <= ROUNDS; n++) {
		publish(&sleeper.sleeping, n);
		if (oob_read(sleeper.tfd, &ticks, sizeof(ticks)) != -1 || errno != EINTR)
			sleeper.wrong++;
		publish(&sleeper.woken, n);
	}
	evl_get_state(sleeper.efd, &sleeper.state);

	return NULL;
}

static bool asleep(int efd)
{
	struct evl_thread_state state;

	return !evl_get_state(efd, &state) && (state.state & EVL_T_PEND);
}

static void *wake_rounds(void *unused)
{
	uint64_t give_up;
	int n;

	attach("remote-waker");
	for (n = 1; n <= ROUNDS; n++) {
		give_up = t_now() + 10 * NSEC_PER_SEC;
		while (__atomic_load_n(&sleeper.sleeping, __ATOMIC_ACQUIRE) != n || !asleep(sleeper.efd))
			if (t_now() > give_up)
				return (void *)(intptr_t)n;
		evl_unblock_thread(sleeper.efd);
		/* Spinning for seconds is what the watchdog is for. */
		if (n % 50 == 0)
			evl_usleep(50);
		while (__atomic_load_n(&sleeper.woken, __ATOMIC_ACQUIRE) != n)
			if (t_now() > give_up)
				return (void *)(intptr_t)n;
	}

	return NULL;
}

/* A timer set here, read there. */
static void *read_timer(void *arg)
{
	uint64_t ticks;
	int n, good = 0;

	attach("remote-reader");
	for (n = 0; n < 200; n++)
		good += oob_read(*(int *)arg, &ticks, sizeof(ticks)) == sizeof(ticks) && ticks;

	return (void *)(intptr_t)good;
}

static void test_remote_timer(void)
{
	int tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	pthread_t reader;
	void *good;

	t_become(0, t_cpu(0));
	reader = t_thread(60, t_cpu(1), read_timer, &tfd);
	set_timer(tfd, t_now() + NSEC_PER_MSEC, NSEC_PER_MSEC);
	pthread_join(reader, &good);
	t_ok((intptr_t)good == 200, "a timer set on one CPU serves a reader on another (%ld of 200)", (long)(intptr_t)good);
	close(tfd);
}

int main(void)
{
	pthread_t sleeping, waking;
	void *stuck;

	deadline(80);
	t_require_core();
	t_need_cpus(2);
	t_plan(4);
	sleeping = t_thread(60, t_cpu(1), sleep_rounds, NULL);
	await(&sleeper.sleeping, 1);
	waking = t_thread(50, t_cpu(0), wake_rounds, NULL);
	pthread_join(waking, &stuck);
	t_ok(!stuck, "%d wake-ups across CPUs (stuck at %ld)", ROUNDS, (long)(intptr_t)stuck);
	if (stuck)
		t_bail("the sleeper cannot be joined");
	pthread_join(sleeping, NULL);
	t_ok(!sleeper.wrong, "each ended the wait with EINTR (%d not)", sleeper.wrong);
	t_ok(sleeper.state.rwa >= ROUNDS, "they count as remote (%u)", sleeper.state.rwa);
	test_remote_timer();

	return t_end();
}
