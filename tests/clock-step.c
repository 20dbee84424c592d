/* SPDX-License-Identifier: MIT */
/*
 * property: reading clocks out-of-band never waits for in-band code which updates them, preempted in the middle of it;
 * monotonic time goes on while the wall clock is set and slewed, realtime timers follow the wall clock.
 *
 * The reader preempts in-band on the CPU where that keeps setting and slewing the clock. A reader which spun on its
 * preempted writer would not come back: the watchdog's demotion, or the deadline, would tell.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=90
 */
#include <sys/timex.h>
#include "common.h"

#define READS	20000

static struct {
	volatile int stop;
	long steps, failed;
} stepper;

static struct {
	long reads, backwards, far_off;
	uint32_t isw;
} reader;

/* In-band: a second forth and back, and a change of speed each time. */
static void *step_clock(void *unused)
{
	struct timex tx = { .modes = ADJ_FREQUENCY };
	struct timespec ts;
	int dir = 1;

	while (!stepper.stop) {
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec += dir;
		stepper.failed += clock_settime(CLOCK_REALTIME, &ts) != 0;
		tx.freq = dir * (100L << 16);
		stepper.failed += adjtimex(&tx) < 0;
		dir = -dir;
		stepper.steps++;
	}
	/* An even number of steps leaves the clock about where it was. */
	tx.freq = 0;
	adjtimex(&tx);

	return NULL;
}

static uint64_t read_ns(int clock)
{
	struct timespec ts;

	evl_read_clock(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* Sleeps a little between some of the reads, so that in-band gets to be preempted somewhere else. */
static void *read_clocks(void *unused)
{
	int efd = attach("clock-reader");
	uint64_t mono, last, real, first_real;
	long n;

	last = read_ns(EVL_CLOCK_MONOTONIC);
	first_real = read_ns(EVL_CLOCK_REALTIME);
	reader.isw = t_isw(efd);
	evl_switch_oob();
	for (n = 0; n < READS; n++) {
		mono = read_ns(EVL_CLOCK_MONOTONIC);
		real = read_ns(EVL_CLOCK_REALTIME);
		reader.backwards += mono < last;
		reader.far_off += real + 3600 * NSEC_PER_SEC < first_real || real > first_real + 3600 * NSEC_PER_SEC;
		last = mono;
		reader.reads++;
		if (n % 4 == 0)
			sleep_ns(3000 + (uint64_t)(n * 37 % 20000));
	}
	reader.isw = t_isw(efd) - reader.isw;

	return NULL;
}

/* A date of the wall clock comes earlier when the clock is set forward. */
static void test_realtime_timer(void)
{
	int tfd = evl_new_timer(EVL_CLOCK_REALTIME);
	uint64_t ticks = 0, before = t_now(), after;
	struct itimerspec its = { 0 };
	struct timespec ts, late;

	attach("wall-clock");
	clock_gettime(CLOCK_REALTIME, &ts);
	its.it_value = ts;
	its.it_value.tv_sec += 30;
	evl_set_timer(tfd, &its, NULL);
	late = ts;
	late.tv_sec += 31;
	t_ok(!clock_settime(CLOCK_REALTIME, &late), "the wall clock is set 31 seconds forward");
	t_ok(oob_read(tfd, &ticks, sizeof(ticks)) == sizeof(ticks) && ticks == 1, "a timer due in 30 seconds fires");
	after = t_now();
	t_ok(after - before < 20 * NSEC_PER_SEC, "at once (%llu ms)", (unsigned long long)((after - before) / NSEC_PER_MSEC));
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec -= 31;
	clock_settime(CLOCK_REALTIME, &ts);
	close(tfd);
	evl_detach_self();
}

static bool shows(int clock, time_t least)
{
	struct timespec ts;

	return !evl_read_clock(clock, &ts) && ts.tv_sec >= least && ts.tv_sec < least + 20;
}

/* By number and by descriptor: both clocks of the realtime are one, and that of the C library. */
static void test_setting(void)
{
	int fd = open("/dev/evl/clock/realtime", O_RDWR | O_CLOEXEC), ret;
	struct timespec ts, later;

	clock_gettime(CLOCK_REALTIME, &ts);
	later = ts;
	later.tv_sec += 1000;
	ret = evl_set_clock(fd, &later);
	t_ok(!ret && shows(EVL_CLOCK_REALTIME, later.tv_sec) && shows(fd, later.tv_sec), "the wall clock is set by its descriptor (%d)", ret);
	ret = evl_set_clock(EVL_CLOCK_REALTIME, &ts);
	t_ok(!ret && shows(fd, ts.tv_sec) && shows(EVL_CLOCK_REALTIME, ts.tv_sec), "and set back by its number (%d)", ret);
	close(fd);
}

int main(void)
{
	pthread_t stepping, reading;

	deadline(80);
	t_require_core();
	t_need_cpus(1);
	t_plan(10);
	stepping = t_thread(0, t_cpu(0), step_clock, NULL);
	reading = t_thread(70, t_cpu(0), read_clocks, NULL);
	pthread_join(reading, NULL);
	stepper.stop = 1;
	pthread_join(stepping, NULL);
	t_ok(reader.reads == READS, "%ld reads of both clocks", reader.reads);
	t_ok(stepper.steps > 20 && !stepper.failed, "beside %ld steps and slews (%ld failed)", stepper.steps, stepper.failed);
	t_ok(!reader.backwards, "monotonic time never went backwards (%ld)", reader.backwards);
	t_ok(!reader.far_off, "the wall clock was never far off (%ld)", reader.far_off);
	t_ok(reader.isw <= 1, "all of it out-of-band (%u switches)", reader.isw);
	test_realtime_timer();
	test_setting();

	return t_end();
}
