/* SPDX-License-Identifier: MIT */
/*
 * property: a timer fires which was made on a CPU that has gone offline since, and is started on the way.
 *
 * evl-vm: smp=2,4 kernel=evl debug=yes timeout=120
 */
#include "common.h"

#define ROUNDS	20

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

struct round {
	int tfd;
	long delay;	/* ms */
	bool fired;
};

static void *make_timer(void *round)
{
	((struct round *)round)->tfd = make_timer_on(1);
	return NULL;
}

static void *fire_late(void *arg)
{
	struct round *round = arg;
	int set;

	attach("offline-firer");
	set = watch(round->tfd);
	pause_ms(round->delay);
	round->fired = fires(set, round->tfd);
	close(set);

	return NULL;
}

/* The timer is started while the CPU is on its way: it stays for the timer, or the timer leaves. */
static bool go_with_timer(struct round *round)
{
	pthread_t firer;
	bool gone;

	pthread_join(t_thread(0, 1, make_timer, round), NULL);
	firer = t_thread(10, 0, fire_late, round);
	gone = set_cpu_online(1, false);
	pthread_join(firer, NULL);
	set_cpu_online(1, true);
	close(round->tfd);

	return gone;
}

int main(void)
{
	int tfd, set, n, gone = 0, lost = 0;

	deadline(100);
	t_require_core();
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK))
		t_skip_all("CPU1 cannot be taken offline");

	t_plan(5);
	tfd = make_timer_on(1);
	t_become(0, 0);
	attach("offline-timer");
	set = watch(tfd);
	t_ok(fires(set, tfd), "a timer of another CPU");
	t_ok(set_cpu_online(1, false), "which goes offline");
	t_ok(fires(set, tfd), "and takes the timer along, started meanwhile");
	set_cpu_online(1, true);

	for (n = 0; n < ROUNDS; n++) {
		struct round round = { .delay = 2 * n };

		gone += go_with_timer(&round);
		lost += !round.fired;
	}
	t_ok(!lost, "started while the CPU goes, none is lost (%d)", lost);
	t_ok(gone, "which it did %d of %d times", gone, ROUNDS);

	return t_end();
}
