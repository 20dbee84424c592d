/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include "fake.h"
#include "suites.h"

static char buf[16];

static void expect_call(unsigned int nr, long fd, unsigned long arg1, unsigned long arg2)
{
	const struct fake_call *call = fake_last();

	ck_assert_int_eq(call->form, FAKE_OOB);
	ck_assert_uint_eq(call->nr, nr);
	ck_assert_int_eq(call->fd, fd);
	ck_assert_uint_eq(call->request, arg1);
	ck_assert_uint_eq(call->arg, arg2);
}

START_TEST(transfers)
{
	fake_attach_oob();
	fake.oob_result = 5;
	errno = 0;
	ck_assert_int_eq(oob_read(3, buf, sizeof(buf)), 5);
	expect_call(sys_evl_read, 3, (uintptr_t)buf, sizeof(buf));
	ck_assert_int_eq(oob_write(4, buf, SIZE_MAX), 5);
	expect_call(sys_evl_write, 4, (uintptr_t)buf, SIZE_MAX);
	ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(control)
{
	fake_attach_oob();
	ck_assert_int_eq(oob_ioctl(3, 0xc0ffee00UL, buf), 0);
	expect_call(sys_evl_ioctl, 3, 0xc0ffee00UL, (uintptr_t)buf);
	ck_assert_int_eq(oob_ioctl(-1, 1UL, 0UL), 0);
	expect_call(sys_evl_ioctl, -1, 1, 0);
	fake.oob_result = 7;
	ck_assert_int_eq(oob_ioctl(3, 1UL, 0UL), 7);
}
END_TEST

START_TEST(errors_go_to_errno)
{
	fake_attach_oob();
	fake.oob_result = -EAGAIN;
	ck_assert_int_eq(oob_read(3, buf, 8), -1);
	ck_assert_int_eq(errno, EAGAIN);
	fake.oob_result = -ENOTTY;
	ck_assert_int_eq(oob_ioctl(3, 1UL), -1);
	ck_assert_int_eq(errno, ENOTTY);
	fake.oob_result = -ENOSYS;
	ck_assert_int_eq(oob_write(3, buf, 8), -1);
	ck_assert_int_eq(errno, ENOSYS);
}
END_TEST

START_TEST(unattached_caller)
{
	fake_reset();
	ck_assert_int_eq(oob_read(3, buf, 8), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(oob_ioctl(3, 1UL), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(oob_write(3, buf, 8), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(inband_caller_is_promoted)
{
	fake_attach_weak();
	fake.oob_result = 8;
	ck_assert_int_eq(oob_read(3, buf, 8), 8);
	expect_call(sys_evl_read, 3, (uintptr_t)buf, 8);
}
END_TEST

START_TEST(numbers)
{
	ck_assert_uint_eq(EVL_SYSNR(sys_evl_read), 0x80000000U);
	ck_assert_uint_eq(EVL_SYSNR(sys_evl_write), 0x80000001U);
	ck_assert_uint_eq(EVL_SYSNR(sys_evl_ioctl), 0x80000002U);
	ck_assert_uint_eq(NR_EVL_SYSCALLS, 3);
}
END_TEST

Suite *request_suite(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("out-of-band calls");

	tcase_add_test(tc, transfers);
	tcase_add_test(tc, control);
	tcase_add_test(tc, errors_go_to_errno);
	tcase_add_test(tc, unattached_caller);
	tcase_add_test(tc, inband_caller_is_promoted);
	tcase_add_test(tc, numbers);
	suite_add_tcase(s, tc);

	return s;
}
