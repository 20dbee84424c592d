/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include "internal.h"
#include "suites.h"

static struct timespec sum(time_t sec, long nsec, unsigned int usecs)
{
	struct timespec ts = { .tv_sec = sec, .tv_nsec = nsec };

	evl_timespec_add_us(&ts, usecs);
	ck_assert_int_ge(ts.tv_nsec, 0);
	ck_assert_int_lt(ts.tv_nsec, 1000000000);

	return ts;
}

START_TEST(microseconds_carry)
{
	struct timespec ts = sum(1000, 999999000, 1);

	ck_assert_int_eq(ts.tv_sec, 1001);
	ck_assert_int_eq(ts.tv_nsec, 0);

	ts = sum(1000, 999998999, 1);
	ck_assert_int_eq(ts.tv_sec, 1000);
	ck_assert_int_eq(ts.tv_nsec, 999999999);
}
END_TEST

START_TEST(more_than_a_second)
{
	struct timespec ts = sum(0, 999999999, 2999999);

	ck_assert_int_eq(ts.tv_sec, 3);
	ck_assert_int_eq(ts.tv_nsec, 999998999);

	ts = sum(5, 7, UINT_MAX);
	ck_assert_int_eq(ts.tv_sec, 5 + 4294);
	ck_assert_int_eq(ts.tv_nsec, 967295007);
}
END_TEST

START_TEST(zero_adds_nothing)
{
	struct timespec ts = sum(3, 4, 0);

	ck_assert_int_eq(ts.tv_sec, 3);
	ck_assert_int_eq(ts.tv_nsec, 4);
}
END_TEST

Suite *time_suite(void)
{
	Suite *s = suite_create("time");
	TCase *tc = tcase_create("arithmetic");

	tcase_add_test(tc, microseconds_carry);
	tcase_add_test(tc, more_than_a_second);
	tcase_add_test(tc, zero_adds_nothing);
	suite_add_tcase(s, tc);

	return s;
}
