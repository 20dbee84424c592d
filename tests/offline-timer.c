/* SPDX-License-Identifier: MIT */
/*
 * property: a timer fires which was made on a CPU that has gone offline since, and is started on the way.
 *
 * evl-vm: smp=2,4 kernel=evl debug=yes timeout=120
 */
#include "common.h"

#include <fcntl.h>

#define CYCLES	20

static volatile int over;

static bool turn(const char *how)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY);
	bool done = fd >= 0 && write(fd, how, 1) == 1;

	close(fd);

	return done;
}

/* The core places a timer where it is made. */
static int make_timer_on(int cpu)
{
	int tfd;

	t_become(0, cpu);
	tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	if (tfd < 0)
		t_bail("no timer: %s", strerror(-tfd));

	return tfd;
}

static int watch(int tfd)
{
	int set = evl_new_poll();

	if (evl_add_pollfd(set, tfd, POLLIN, evl_nil))
		t_bail("no polling set");

	return set;
}

static bool fires(int set, int tfd)
{
	struct timespec limit = timespec_of(t_now() + 5 * NSEC_PER_SEC);
	struct evl_poll_event event;
	uint64_t ticks;

	return !set_timer(tfd, t_now() + 3 * NSEC_PER_MSEC, 0) && evl_timedpoll(set, &event, 1, &limit) == 1 &&
		oob_read(tfd, &ticks, sizeof(ticks)) == sizeof(ticks);
}

/* A timer of CPU1 which mostly waits to be started; it is not to be lost with it. */
static void *fire_on(void *tfd)
{
	intptr_t lost = 0;
	int set;

	attach("offline-firer");
	set = watch(*(int *)tfd);
	while (!over)
		lost += !fires(set, *(int *)tfd);

	return (void *)lost;
}

static int cycle_cpu(void)
{
	int n, done = 0;

	for (n = 0; n < CYCLES; n++)
		done += turn("0") && turn("1");

	return done;
}

int main(void)
{
	int first, second, set, done;
	pthread_t firer;
	void *lost;

	deadline(100);
	t_require_core();
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK))
		t_skip_all("CPU1 cannot be taken offline");

	t_plan(5);
	first = make_timer_on(1);
	second = make_timer_on(1);
	t_become(0, 0);
	attach("offline-timer");
	set = watch(first);
	t_ok(fires(set, first), "a timer of another CPU");
	t_ok(turn("0"), "which goes offline");
	t_ok(fires(set, first), "and takes the timer along, started meanwhile");
	turn("1");

	firer = t_thread(10, 0, fire_on, &second);
	done = cycle_cpu();
	over = 1;
	pthread_join(firer, &lost);
	t_ok(!lost, "none is lost while the CPU goes and comes (%ld)", (long)(intptr_t)lost);
	t_ok(done, "%d of %d times", done, CYCLES);

	return t_end();
}
