/* SPDX-License-Identifier: MIT */
/*
 * How long threads take to hand things over to one another: not a test, "evl bench --handover" runs it.
 *
 * usage: rig-sync evl|posix OPERATION CPU1 CPU2 SAMPLES
 *
 *   sem    one thread puts a unit for another, which puts one back: the round trip
 *   mutex  a thread of higher priority waits for a mutex; its owner drops it, and is told when the other has had it
 *   pipe   as sem, with a byte in a pipe (posix only)
 *   clock  reading the clock, for what is to be taken off
 *
 * Prints one JSON object, in ns. Both kinds of threads run at the same priorities, in locked memory; "posix" is a
 * mutex with priority inheritance and unnamed semaphores.
 */
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "common.h"

#define WARM_UP	200

struct api {
	void (*setup)(void);
	void (*enter)(const char *name);
	void (*put)(int n);
	void (*get)(int n);
	void (*lock)(void);
	void (*unlock)(void);
};

static struct evl_sem evl_sems[2];
static struct evl_mutex evl_mutex;
static sem_t posix_sems[2];
static pthread_mutex_t posix_mutex;
static int pipes[2][2];

static void fail(const char *what)
{
	fprintf(stderr, "rig-sync: %s failed\n", what);
	_exit(1);
}

static void evl_setup(void)
{
	if (evl_init() || evl_new_sem(&evl_sems[0], NULL) < 0 || evl_new_sem(&evl_sems[1], NULL) < 0 ||
	    evl_new_mutex(&evl_mutex, NULL) < 0)
		fail("the core");
}

static void evl_enter(const char *name)	{ attach(name); }
static void evl_put(int n)	{ if (evl_put_sem(&evl_sems[n])) fail("evl_put_sem"); }
static void evl_get(int n)	{ if (evl_get_sem(&evl_sems[n])) fail("evl_get_sem"); }
static void evl_lock(void)	{ if (evl_lock_mutex(&evl_mutex)) fail("evl_lock_mutex"); }
static void evl_unlock(void)	{ if (evl_unlock_mutex(&evl_mutex)) fail("evl_unlock_mutex"); }

static const struct api evl_api = { evl_setup, evl_enter, evl_put, evl_get, evl_lock, evl_unlock };

static void posix_setup(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	if (pthread_mutex_init(&posix_mutex, &attr) || sem_init(&posix_sems[0], 0, 0) || sem_init(&posix_sems[1], 0, 0) ||
	    pipe(pipes[0]) || pipe(pipes[1]) || mlockall(MCL_CURRENT | MCL_FUTURE))
		fail("set-up");
}

static void posix_enter(const char *name)	{ touch_memory(); }
static void posix_put(int n)	{ if (sem_post(&posix_sems[n])) fail("sem_post"); }
static void posix_get(int n)	{ if (sem_wait(&posix_sems[n])) fail("sem_wait"); }
static void posix_lock(void)	{ if (pthread_mutex_lock(&posix_mutex)) fail("pthread_mutex_lock"); }
static void posix_unlock(void)	{ if (pthread_mutex_unlock(&posix_mutex)) fail("pthread_mutex_unlock"); }

static const struct api posix_api = { posix_setup, posix_enter, posix_put, posix_get, posix_lock, posix_unlock };

static void pipe_put(int n)	{ if (write(pipes[n][1], "", 1) != 1) fail("write"); }
static void pipe_get(int n)	{ char c; if (read(pipes[n][0], &c, 1) != 1) fail("read"); }

static const struct api pipe_api = { posix_setup, posix_enter, pipe_put, pipe_get, posix_lock, posix_unlock };

static const struct api *api;
static volatile int partner_ready;
static long nr_samples;
static uint64_t *samples;

static void *answer(void *arg)
{
	long n;

	api->enter("sync-answer");
	publish(&partner_ready, 1);
	for (n = 0; n < nr_samples + WARM_UP; n++) {
		api->get(0);
		api->put(1);
	}

	return NULL;
}

static void *ask_and_wait(void *arg)
{
	uint64_t then;
	long n;

	api->enter("sync-ask");
	for (n = -WARM_UP; n < nr_samples; n++) {
		then = posix_now();
		api->put(0);
		api->get(1);
		if (n >= 0)
			samples[n] = posix_now() - then;
	}

	return NULL;
}

static volatile long passed;

/* Waits for the mutex each time it is told that it is taken. */
static void *want(void *arg)
{
	long n;

	api->enter("sync-want");
	publish(&partner_ready, 1);
	for (n = 0; n < nr_samples + WARM_UP; n++) {
		api->get(0);
		api->lock();
		passed++;
		api->unlock();
	}

	return NULL;
}

/* From the drop until the other one has had the mutex and waits again, which is when a lower priority runs on. */
static void *own(void *arg)
{
	uint64_t then;
	long n;

	api->enter("sync-own");
	for (n = -WARM_UP; n < nr_samples; n++) {
		api->lock();
		api->put(0);
		then = posix_now();
		api->unlock();
		while (__atomic_load_n(&passed, __ATOMIC_RELAXED) != n + WARM_UP + 1)
			;
		if (n >= 0)
			samples[n] = posix_now() - then;
	}

	return NULL;
}

static void *read_clock(void *arg)
{
	uint64_t then;
	long n;

	api->enter("sync-clock");
	for (n = 0; n < nr_samples; n++) {
		then = posix_now();
		samples[n] = posix_now() - then;
	}

	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_samples(void)
{
	uint64_t sum = 0;
	long n;

	qsort(samples, (size_t)nr_samples, sizeof(*samples), by_value);
	for (n = 0; n < nr_samples; n++)
		sum += samples[n];
	printf("{\"min_ns\":%llu,\"avg_ns\":%llu,\"percentiles_ns\":{\"99\":%llu},\"max_ns\":%llu,\"samples\":%ld}\n",
	       (unsigned long long)samples[0], (unsigned long long)(sum / (uint64_t)nr_samples),
	       (unsigned long long)samples[nr_samples * 99 / 100], (unsigned long long)samples[nr_samples - 1], nr_samples);
}

int main(int argc, char *argv[])
{
	pthread_t partner = 0, caller;
	bool is_mutex;
	int cpu1, cpu2;

	if (argc != 6 || (nr_samples = atol(argv[5])) < 100) {
		fprintf(stderr, "usage: rig-sync evl|posix sem|mutex|pipe|clock CPU1 CPU2 SAMPLES\n");
		return 2;
	}

	cpu1 = atoi(argv[3]);
	cpu2 = atoi(argv[4]);
	is_mutex = !strcmp(argv[2], "mutex");
	api = !strcmp(argv[2], "pipe") ? &pipe_api : !strcmp(argv[1], "evl") ? &evl_api : &posix_api;
	samples = calloc((size_t)nr_samples, sizeof(*samples));
	if (!samples)
		fail("memory");
	memset(samples, 1, (size_t)nr_samples * sizeof(*samples));
	api->setup();
	/* The caller would spin for ever over a partner which still has to do something in-band on the same CPU. */
	if (strcmp(argv[2], "clock")) {
		partner = t_thread(60, cpu2, is_mutex ? want : answer, NULL);
		await(&partner_ready, 1);
	}
	caller = t_thread(50, cpu1, is_mutex ? own : strcmp(argv[2], "clock") ? ask_and_wait : read_clock, NULL);
	pthread_join(caller, NULL);
	if (partner)
		pthread_join(partner, NULL);
	print_samples();

	return 0;
}
