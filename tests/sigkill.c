/* SPDX-License-Identifier: MIT */
/*
 * property: a process killed at any moment, whatever its out-of-band threads do, dies, and leaves nothing in
 * the core.
 *
 * evl-vm: smp=2,8 kernel=evl debug=yes timeout=120
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "common.h"

#define ROUNDS		150
#define MAX_DELAY_US	20000

static void *switch_stages(void *unused)
{
	int n;

	attach("victim-switcher");
	/* The machine needs some air: this thread outranks all of in-band on both stages. */
	for (n = 1;; n++) {
		evl_switch_inband();
		evl_switch_oob();
		if (n % 16 == 0)
			evl_usleep(300);
	}

	return NULL;
}

static void *sleep_often(void *unused)
{
	attach("victim-sleeper");
	for (;;)
		evl_usleep(100);

	return NULL;
}

static void *sleep_long(void *unused)
{
	struct timespec date;

	attach("victim-long-sleeper");
	date = timespec_of(t_now() + 1000 * NSEC_PER_SEC);
	for (;;)
		evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);

	return NULL;
}

static void *come_and_go(void *unused)
{
	for (;;) {
		int efd = attach("victim-comer");

		evl_detach_self();
		close(efd);
		usleep(300);
	}

	return NULL;
}

static void *read_timer(void *unused)
{
	int tfd;
	uint64_t ticks;

	attach("victim-reader");
	tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	set_timer(tfd, t_now(), 50000);
	for (;;)
		if (oob_read(tfd, &ticks, sizeof(ticks)) < 0)
			evl_switch_oob();

	return NULL;
}

static void *spin_for_long(void *unused)
{
	attach("victim-spinner");
	/* It may have preempted an in-band lock holder, which the killer waits for. */
	for (;;) {
		spin_ns(2 * NSEC_PER_MSEC);
		evl_usleep(200);
	}

	return NULL;
}

static void *(*const victims[])(void *) = {
	switch_stages, sleep_often, sleep_long, come_and_go, read_timer, spin_for_long,
};

#define NR_VICTIMS	((int)(sizeof(victims) / sizeof(victims[0])))

/* The killer is on the first CPU: nothing of higher priority spins there. */
static void live(void)
{
	int n;

	for (n = 0; n < NR_VICTIMS; n++)
		t_thread(10 + n, t_cpu(victims[n] == spin_for_long ? 1 : n % 2), victims[n], NULL);
	for (;;)
		pause();
}

static bool kill_one(unsigned int delay_us)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		evl_init();
		live();
	}
	usleep(delay_us);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	t_diag("after %u us: status %#x", delay_us, status);

	return false;
}

/* Elements which the dead have left behind. */
static int count_left(void)
{
	struct dirent *entry;
	DIR *d = opendir("/sys/devices/virtual/thread");
	int count = 0;

	while (d && (entry = readdir(d)))
		count += !strncmp(entry->d_name, "victim", 6);
	if (d)
		closedir(d);

	return count;
}

int main(void)
{
	int n, survived = 0, left;

	deadline(110);
	t_require_core();
	t_need_cpus(2);
	t_plan(3);
	srand(20261121);
	for (n = 0; n < ROUNDS; n++)
		survived += !kill_one((unsigned int)(rand() % MAX_DELAY_US));
	t_ok(!survived, "%d processes killed at random moments died of it (%d not)", ROUNDS, survived);
	for (n = 0; n < 300 && (left = count_left()); n++)
		pause_ms(10);
	left = count_left();
	t_ok(!left, "they left no thread in the core (%d)", left);
	t_become(50, -1);
	attach("survivor");
	t_ok(!sleep_ns(NSEC_PER_MSEC), "the core is still at work");

	return t_end();
}
