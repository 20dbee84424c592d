/* SPDX-License-Identifier: MIT */
/*
 * property: evl_sleep_until() returns at its date or later, never before, whatever the stage of the caller; bad
 * dates are refused.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "crew.h"

#define SLEEPS	500

static void test_accuracy(int efd)
{
	uint64_t date, now, sum = 0, max = 0;
	int n, early = 0, failures = 0;
	struct timespec ts;
	uint32_t isw;

	isw = t_isw(efd);
	date = t_now();
	for (n = 0; n < SLEEPS; n++) {
		date += NSEC_PER_MSEC;
		ts = timespec_of(date);
		failures += evl_sleep_until(EVL_CLOCK_MONOTONIC, &ts) != 0;
		now = t_now();
		early += now < date;
		sum += now - date;
		if (now > date && now - date > max)
			max = now - date;
	}
	isw = t_isw(efd) - isw;
	t_ok(!failures, "%d sleeps succeeded (%d not)", SLEEPS, failures);
	t_ok(!early, "none ended early (%d)", early);
	t_ok(!isw, "no switch to in-band meanwhile (%u)", isw);
	/* A vCPU may be held back by its host; a second would be a lost wake-up. */
	t_ok(max < NSEC_PER_SEC, "none was late by a second");
	t_diag("late by %llu ns on average, %llu at most", (unsigned long long)(sum / SLEEPS), (unsigned long long)max);
}

static void test_realtime(void)
{
	struct timespec date, now;
	int ret;

	evl_read_clock(EVL_CLOCK_REALTIME, &date);
	date.tv_nsec += 5000000;
	if (date.tv_nsec >= 1000000000) {
		date.tv_nsec -= 1000000000;
		date.tv_sec++;
	}
	ret = evl_sleep_until(EVL_CLOCK_REALTIME, &date);
	evl_read_clock(EVL_CLOCK_REALTIME, &now);
	t_ok(!ret && (now.tv_sec > date.tv_sec || (now.tv_sec == date.tv_sec && now.tv_nsec >= date.tv_nsec)),
	     "a sleep on the realtime clock (%d)", ret);
}

static void test_inband_caller(int efd)
{
	uint64_t start, slept;
	bool oob;
	int ret;

	evl_switch_inband();
	start = t_now();
	ret = evl_usleep(2000);
	slept = t_now() - start;
	oob = really_oob(efd);
	t_ok(!ret && slept >= 2 * NSEC_PER_MSEC, "an in-band caller sleeps too (%d)", ret);
	t_ok(oob, "and is out-of-band afterwards");
}

static void test_bad_dates(void)
{
	struct timespec past = { }, bad = { .tv_sec = 1, .tv_nsec = 1000000000 }, negative = { .tv_sec = -1 };
	int ret;

	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, &past);
	t_ok(!ret, "a past date: at once (%d)", ret);
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, &bad);
	t_ok(ret == -EINVAL, "a billion nanoseconds: invalid (%d)", ret);
	bad.tv_nsec = -1;
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, &bad);
	t_ok(ret == -EINVAL, "negative nanoseconds: invalid (%d)", ret);
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, &negative);
	t_ok(ret == -EINVAL, "a date before the epoch: invalid (%d)", ret);
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, NULL);
	t_ok(ret == -EFAULT, "no date: bad address (%d)", ret);
	ret = evl_sleep_until(-17, &past);
	t_ok(ret == -EBADF && evl_sleep_until(999, &past) == -EBADF, "no such clock (%d)", ret);
	ret = evl_sleep_until(STDOUT_FILENO, &past);
	t_ok(ret == -ENOTTY, "a file which is no clock (%d)", ret);
}

/* What both built-in clocks, by number and by descriptor, are to tell. The number of those which do not. */
static int clocks_wrong(int clock)
{
	struct timespec before, after, res = { };
	int wrong = 0;

	wrong += evl_read_clock(clock, &before) || evl_read_clock(clock, &after) || after.tv_sec < before.tv_sec ||
		(after.tv_sec == before.tv_sec && after.tv_nsec < before.tv_nsec);
	wrong += evl_get_clock_resolution(clock, &res) || res.tv_sec || !res.tv_nsec;
	wrong += evl_read_clock(clock, NULL) != -EFAULT;
	wrong += evl_get_clock_resolution(clock, NULL) != -EFAULT;

	return wrong;
}

static int calls_not_saying(int clock, int error)
{
	struct timespec ts = { .tv_sec = 1 };

	return (evl_read_clock(clock, &ts) != error) + (evl_get_clock_resolution(clock, &ts) != error) + (evl_set_clock(clock, &ts) != error);
}

static void test_clock_calls(bool oob)
{
	int mono = open("/dev/evl/clock/monotonic", O_RDWR | O_CLOEXEC), real = open("/dev/evl/clock/realtime", O_RDWR | O_CLOEXEC);
	struct timespec ill = { .tv_nsec = 1000000000 }, fine = { .tv_sec = 1 };
	int file = open("/dev/null", O_RDWR | O_CLOEXEC), wrong;

	/* Opening has taken the caller in-band. */
	if (oob)
		evl_switch_oob();
	wrong = clocks_wrong(EVL_CLOCK_MONOTONIC) + clocks_wrong(EVL_CLOCK_REALTIME) + clocks_wrong(mono) + clocks_wrong(real);
	t_ok(!wrong, "%s, both clocks tell time and resolution, by number and by descriptor (%d wrong)",
	     oob ? "out-of-band" : "in-band", wrong);
	t_ok(evl_set_clock(EVL_CLOCK_MONOTONIC, &fine) == -EINVAL && evl_set_clock(mono, &fine) == -EINVAL, "the monotonic one cannot be set");
	t_ok(evl_set_clock(EVL_CLOCK_REALTIME, &ill) == -EINVAL && evl_set_clock(real, &ill) == -EINVAL &&
	     evl_set_clock(EVL_CLOCK_REALTIME, NULL) == -EFAULT && evl_set_clock(real, NULL) == -EFAULT, "the other one not to nonsense");
	t_ok(!calls_not_saying(file, -ENOTTY), "a plain file is no clock: ENOTTY (%d)", calls_not_saying(file, -ENOTTY));
	close(file);
	t_ok(!calls_not_saying(file, -EBADF), "what is closed is nothing: EBADF (%d)", calls_not_saying(file, -EBADF));
	close(mono);
	close(real);
}

/* Root without the right to set the time. */
static int set_as_nobody(void)
{
	struct timespec now;
	int real;

	if (evl_init())
		return 1;
	real = open("/dev/evl/clock/realtime", O_RDWR | O_CLOEXEC);
	if (real < 0 || setegid(65534) || seteuid(65534))
		return 2;
	evl_read_clock(EVL_CLOCK_REALTIME, &now);

	return evl_set_clock(EVL_CLOCK_REALTIME, &now) == -EPERM && evl_set_clock(real, &now) == -EPERM ? 0 : 3;
}

static void test_privilege(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(set_as_nobody());
	waitpid(pid, &status, 0);
	t_ok(!status, "setting the time takes a right: EPERM (%#x)", (unsigned int)status);
}

static void ignore(int sig) { }

static int sleep_for_good(void *clock)
{
	struct timespec date = { .tv_sec = 1L << 40 };

	return evl_sleep_until((int)(intptr_t)clock, &date);
}

static void test_interruption(void)
{
	struct hand sleeper;
	int fd = open("/dev/evl/clock/monotonic", O_RDWR | O_CLOEXEC);

	signal(SIGUSR1, ignore);
	hire(&sleeper, "sleeper-hand", 30, t_cpu(0));
	tell(&sleeper, sleep_for_good, (void *)(intptr_t)EVL_CLOCK_REALTIME);
	is_blocked(&sleeper);
	evl_unblock_thread(sleeper.efd);
	t_ok(outcome_of(&sleeper) == -EINTR, "a sleeper who is unblocked: EINTR (%d)", sleeper.ret);
	tell(&sleeper, sleep_for_good, (void *)(intptr_t)EVL_CLOCK_MONOTONIC);
	is_blocked(&sleeper);
	pthread_kill(sleeper.tid, SIGUSR1);
	t_ok(outcome_of(&sleeper) == -EINTR, "or gets a signal (%d)", sleeper.ret);
	tell(&sleeper, sleep_for_good, (void *)(intptr_t)fd);
	is_blocked(&sleeper);
	close(fd);
	t_ok(outcome_of(&sleeper) == -EBADF, "the clock is closed under it: EBADF (%d)", sleeper.ret);
	dismiss(&sleeper);
}

int main(void)
{
	int efd, ret;

	deadline(50);
	t_require_core();
	t_need_cpus(1);
	t_plan(29);
	evl_init();
	ret = evl_usleep(1);
	t_ok(ret == -EPERM && sleep_for_good((void *)(intptr_t)EVL_CLOCK_MONOTONIC) == -EPERM, "an unattached caller is refused (%d)", ret);
	test_privilege();
	test_interruption();
	test_clock_calls(false);
	t_become(80, -1);
	efd = attach("sleeper");
	test_accuracy(efd);
	test_realtime();
	test_inband_caller(efd);
	test_bad_dates();
	test_clock_calls(true);

	return t_end();
}
