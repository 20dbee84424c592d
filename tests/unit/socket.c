/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <evl/evl.h>
#include <evl/net/socket.h>
#include <evl/syscall-abi.h>
#include "fake.h"
#include "suites.h"

static struct oob_msghdr msg;

START_TEST(not_attached)
{
	fake_reset();
	errno = 0;
	ck_assert_int_eq(oob_recvmsg(3, &msg, NULL, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	errno = 0;
	ck_assert_int_eq(oob_sendmsg(3, &msg, NULL, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(requests)
{
	fake_attach_oob();
	fake.oob_result = 17;
	ck_assert_int_eq(oob_recvmsg(3, &msg, NULL, MSG_PEEK | MSG_DONTWAIT), 17);
	ck_assert_int_eq(fake_last()->form, FAKE_OOB);
	ck_assert_uint_eq(fake_last()->nr, sys_evl_ioctl);
	ck_assert_int_eq(fake_last()->fd, 3);
	ck_assert_uint_eq(fake_last()->request, EVL_SOCKIOC_RECVMSG);
	ck_assert_int_eq(oob_sendmsg(4, &msg, NULL, MSG_DONTWAIT), 17);
	ck_assert_int_eq(fake_last()->fd, 4);
	ck_assert_uint_eq(fake_last()->request, EVL_SOCKIOC_SENDMSG);
}
END_TEST

START_TEST(bad_flags)
{
	fake_attach_oob();
	errno = 0;
	ck_assert_int_eq(oob_recvmsg(3, &msg, NULL, MSG_OOB), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(oob_sendmsg(3, &msg, NULL, MSG_PEEK), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

/* What the core answers, and what the caller is told. */
static const struct { int core, told; } answers[] = {
	{ EBADF, EBADF }, { ENOTTY, EBADF }, { EINVAL, EINVAL }, { EFAULT, EFAULT }, { EAGAIN, EAGAIN },
	{ ETIMEDOUT, ETIMEDOUT }, { EINTR, EINTR }, { EMSGSIZE, EMSGSIZE },
};

START_TEST(errors)
{
	fake_attach_oob();
	fake.oob_result = -answers[_i].core;
	errno = 0;
	ck_assert_int_eq(oob_recvmsg(3, &msg, NULL, 0), -1);
	ck_assert_int_eq(errno, answers[_i].told);
	errno = 0;
	ck_assert_int_eq(oob_sendmsg(3, &msg, NULL, 0), -1);
	ck_assert_int_eq(errno, answers[_i].told);
}
END_TEST

Suite *socket_suite(void)
{
	Suite *s = suite_create("socket");
	TCase *tc = tcase_create("socket");

	tcase_add_test(tc, not_attached);
	tcase_add_test(tc, requests);
	tcase_add_test(tc, bad_flags);
	tcase_add_loop_test(tc, errors, 0, sizeof(answers) / sizeof(answers[0]));
	suite_add_tcase(s, tc);

	return s;
}
