/* SPDX-License-Identifier: MIT */
/*
 * The program of tests/masked.sh: calls a driver which comes back with interrupts masked, and goes on in user mode
 * without any other call. The timer which it has set must get through all the same.
 */
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <x86intrin.h>
#include "common.h"

#define ROUNDS		10
#define ALARM_MS	50
#define SPIN_S		2

static volatile sig_atomic_t alarms;

static void note_alarm(int sig)
{
	alarms++;
}

static uint64_t tsc_per_second(void)
{
	uint64_t end = t_now() + NSEC_PER_SEC / 10, start = __rdtsc();

	while (t_now() < end)
		;
	return (__rdtsc() - start) * 10;
}

static void stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		t_bail("cannot stay on a CPU: %s", strerror(errno));
}

/* False if user mode was not interrupted in all of the time. */
static bool alarm_gets_through(int fd, uint64_t spin)
{
	struct itimerval timer = { .it_value.tv_usec = ALARM_MS * 1000 };
	int before = alarms;
	uint64_t end;

	if (setitimer(ITIMER_REAL, &timer, NULL) || ioctl(fd, 0))
		t_bail("timer or driver: %s", strerror(errno));
	end = __rdtsc() + spin;
	while (alarms == before && __rdtsc() < end)
		;
	return alarms != before;
}

int main(void)
{
	int fd = open("/dev/evl-masked-test", O_RDWR | O_CLOEXEC), n, passed = 0;
	struct sigaction sa = { .sa_handler = note_alarm };
	uint64_t spin;

	if (fd < 0)
		t_bail("/dev/evl-masked-test: %s", strerror(errno));
	t_plan(1);
	deadline(60);
	sigaction(SIGALRM, &sa, NULL);
	stay_on_this_cpu();
	spin = tsc_per_second() * SPIN_S;
	for (n = 0; n < ROUNDS; n++)
		passed += alarm_gets_through(fd, spin);
	t_ok(passed == ROUNDS, "user mode is interrupted after each of %d calls (%d)", ROUNDS, passed);

	return t_end();
}
