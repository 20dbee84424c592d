/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include <evl/timer.h>
#include "fake.h"
#include "suites.h"

static struct timespec ts;

static void expect(enum fake_form form, long fd, unsigned long request, const void *arg)
{
	const struct fake_call *call = fake_last();

	ck_assert_int_eq(call->form, form);
	if (form == FAKE_OOB)
		ck_assert_uint_eq(call->nr, sys_evl_ioctl);
	ck_assert_int_eq(call->fd, fd);
	ck_assert_uint_eq(call->request, request);
	ck_assert_uint_eq(call->arg, (uintptr_t)arg);
}

START_TEST(identifiers)
{
	ck_assert_int_lt(EVL_CLOCK_MONOTONIC, 0);
	ck_assert_int_lt(EVL_CLOCK_REALTIME, 0);
	ck_assert_int_ne(EVL_CLOCK_MONOTONIC, EVL_CLOCK_REALTIME);
}
END_TEST

START_TEST(read_before_init)
{
	fake_reset();
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_MONOTONIC, &ts), 0);
	ck_assert_int_eq(fake.last_clock, CLOCK_MONOTONIC);
	ck_assert_int_eq(ts.tv_sec, fake.now.tv_sec);
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_REALTIME, &ts), 0);
	ck_assert_int_eq(fake.last_clock, CLOCK_REALTIME);
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_REALTIME, NULL), -EFAULT);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(read_oob_by_vdso)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_MONOTONIC, &ts), 0);
	ck_assert_int_eq(fake.nr_gettime, 1);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

/* Without a readable clock source the C library would issue a system call. */
START_TEST(read_oob_without_vdso)
{
	fake_reset();
	fake.clocksource = _i == 0 ? "hpet" : NULL;
	ck_assert_int_eq(evl_attach_self("x"), FAKE_THREAD_FD);
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_REALTIME, &ts), 0);
	expect(FAKE_OOB, FAKE_REALTIME_FD, EVL_CLKIOC_GET_TIME, &ts);
	ck_assert_int_eq(fake.nr_gettime, 0);

	fake_set_inband(true);
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_REALTIME, &ts), 0);
	ck_assert_int_eq(fake.nr_gettime, 1);
}
END_TEST

START_TEST(descriptor_requests)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_read_clock(9, &ts), 0);
	expect(FAKE_OOB, 9, EVL_CLKIOC_GET_TIME, &ts);
	ck_assert_int_eq(evl_get_clock_resolution(9, &ts), 0);
	expect(FAKE_OOB, 9, EVL_CLKIOC_GET_RES, &ts);
	ck_assert_int_eq(evl_set_clock(9, &ts), 0);
	expect(FAKE_IOCTL, 9, EVL_CLKIOC_SET_TIME, &ts);
	ck_assert_int_eq(evl_sleep_until(9, &ts), 0);
	expect(FAKE_OOB, 9, EVL_CLKIOC_SLEEP, &ts);
	fake_set_inband(true);
	ck_assert_int_eq(evl_read_clock(9, &ts), 0);
	expect(FAKE_IOCTL, 9, EVL_CLKIOC_GET_TIME, &ts);
	ck_assert_int_eq(evl_sleep_until(9, &ts), 0);
	expect(FAKE_OOB, 9, EVL_CLKIOC_SLEEP, &ts);
}
END_TEST

/* EBADF of the core: closed, or open but not out-of-band capable. */
START_TEST(descriptor_errors)
{
	fake_attach_oob();
	fake.oob_result = -EBADF;
	fake.probe_status = -EBADF;
	ck_assert_int_eq(evl_sleep_until(9, &ts), -EBADF);
	ck_assert_int_eq(evl_read_clock(9, &ts), -EBADF);
	fake.probe_status = 0;
	ck_assert_int_eq(evl_sleep_until(9, &ts), -ENOTTY);
	ck_assert_int_eq(evl_read_clock(9, &ts), -ENOTTY);
	fake.oob_result = -EINTR;
	ck_assert_int_eq(evl_sleep_until(9, &ts), -EINTR);
}
END_TEST

START_TEST(builtin_set_and_resolution)
{
	fake_reset();
	ck_assert_int_eq(evl_set_clock(EVL_CLOCK_MONOTONIC, &ts), -EINVAL);
	ck_assert_int_eq(evl_set_clock(EVL_CLOCK_REALTIME, &ts), 0);
	ck_assert_int_eq(fake.nr_settime, 2);
	ck_assert_int_eq(evl_get_clock_resolution(EVL_CLOCK_REALTIME, &ts), 0);
	ck_assert_int_eq(ts.tv_nsec, 1);
	ck_assert_int_eq(evl_get_clock_resolution(EVL_CLOCK_REALTIME, NULL), -EFAULT);
}
END_TEST

START_TEST(sleep_builtin)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_sleep_until(EVL_CLOCK_MONOTONIC, &ts), 0);
	expect(FAKE_OOB, FAKE_MONOTONIC_FD, EVL_CLKIOC_SLEEP, &ts);
	ck_assert_int_eq(evl_sleep_until(EVL_CLOCK_REALTIME, NULL), 0);
	expect(FAKE_OOB, FAKE_REALTIME_FD, EVL_CLKIOC_SLEEP, NULL);
}
END_TEST

START_TEST(sleep_unattached)
{
	fake_reset();
	ck_assert_int_eq(evl_sleep_until(EVL_CLOCK_MONOTONIC, &ts), -EPERM);
	ck_assert_int_eq(evl_usleep(1), -EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(usleep_is_a_monotonic_date)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_usleep(2500000), 0);
	ck_assert_int_eq(fake.last_clock, CLOCK_MONOTONIC);
	ck_assert_int_eq(fake_last()->fd, FAKE_MONOTONIC_FD);
	ck_assert_uint_eq(fake_last()->request, EVL_CLKIOC_SLEEP);
	fake.oob_result = -EINTR;
	ck_assert_int_eq(evl_usleep(1), -EINTR);
}
END_TEST

START_TEST(timers)
{
	struct itimerspec value, ovalue;

	fake_attach_oob();
	ck_assert_int_eq(evl_new_timer(EVL_CLOCK_REALTIME), FAKE_OTHER_FD);
	ck_assert_int_eq(fake_last()->form, FAKE_IOCTL);
	ck_assert_int_eq(fake_last()->fd, FAKE_REALTIME_FD);
	ck_assert_int_eq(evl_new_timer(9), FAKE_OTHER_FD);
	ck_assert_int_eq(fake_last()->fd, 9);
	fake.ioctl_status = -ENOTTY;
	ck_assert_int_eq(evl_new_timer(9), -ENOTTY);

	ck_assert_int_eq(evl_set_timer(9, &value, &ovalue), 0);
	ck_assert_int_eq(fake_last()->form, FAKE_OOB);
	ck_assert_uint_eq(fake_last()->request, EVL_TFDIOC_SET);
	ck_assert_int_eq(evl_get_timer(9, &value), 0);
	expect(FAKE_OOB, 9, EVL_TFDIOC_GET, &value);

	fake_set_inband(true);
	ck_assert_int_eq(evl_get_timer(9, &value), -EBADF);
	ck_assert_int_eq(evl_set_timer(9, &value, NULL), -EBADF);
}
END_TEST

Suite *clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *tc = tcase_create("clocks and timers");

	tcase_add_test(tc, identifiers);
	tcase_add_test(tc, read_before_init);
	tcase_add_test(tc, read_oob_by_vdso);
	tcase_add_loop_test(tc, read_oob_without_vdso, 0, 2);
	tcase_add_test(tc, descriptor_requests);
	tcase_add_test(tc, descriptor_errors);
	tcase_add_test(tc, builtin_set_and_resolution);
	tcase_add_test(tc, sleep_builtin);
	tcase_add_test(tc, sleep_unattached);
	tcase_add_test(tc, usleep_is_a_monotonic_date);
	tcase_add_test(tc, timers);
	suite_add_tcase(s, tc);

	return s;
}
