/* SPDX-License-Identifier: MIT */
/*
 * property: evl_sleep_until() returns at its date or later, never before, whatever the stage of the caller; bad
 * dates are refused.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include "common.h"

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
	t_ok(ret == -EINVAL || !ret, "a date before the epoch does not sleep (%d)", ret);
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, NULL);
	t_ok(ret == -EFAULT, "no date: bad address (%d)", ret);
	ret = evl_sleep_until(-17, &past);
	t_ok(ret == -EBADF, "no such clock (%d)", ret);
}

int main(void)
{
	int efd, ret;

	deadline(50);
	t_require_core();
	t_plan(14);
	ret = evl_usleep(1);
	t_ok(ret == -EPERM, "an unattached caller is refused (%d)", ret);
	t_become(80, -1);
	efd = attach("sleeper");
	test_accuracy(efd);
	test_realtime();
	test_inband_caller(efd);
	test_bad_dates();

	return t_end();
}
