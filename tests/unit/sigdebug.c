/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <evl/evl.h>
#include "suites.h"

static char line[256];

/* What the handler prints for a signal of this value. */
static void handle(int code)
{
	siginfo_t si = { .si_signo = SIGDEBUG };
	int pipefd[2];
	ssize_t len;

	si.si_value.sival_int = code;
	ck_assert_int_eq(pipe(pipefd), 0);
	ck_assert_int_eq(dup2(pipefd[1], STDOUT_FILENO), STDOUT_FILENO);
	errno = ENOENT;
	evl_sigdebug_handler(SIGDEBUG, &si, NULL);
	ck_assert_int_eq(errno, ENOENT);
	len = read(pipefd[0], line, sizeof(line) - 1);
	ck_assert_int_gt(len, 0);
	line[len] = '\0';
}

START_TEST(known_causes)
{
	char expected[64];

	handle((int)(sigdebug_marker | (unsigned int)_i));
	snprintf(expected, sizeof(expected), "thread %d: ", (int)getpid());
	ck_assert_ptr_nonnull(strstr(line, expected));
	ck_assert_ptr_null(strstr(line, "unknown"));
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

START_TEST(unknown_cause)
{
	handle((int)(sigdebug_marker | 0xff));
	ck_assert_ptr_nonnull(strstr(line, "unknown cause"));
	handle((int)sigdebug_marker);
	ck_assert_ptr_nonnull(strstr(line, "unknown cause"));
}
END_TEST

START_TEST(foreign_signal)
{
	handle(1);
	ck_assert_ptr_nonnull(strstr(line, "not sent by the EVL core"));
}
END_TEST

START_TEST(macros)
{
	siginfo_t si = { .si_signo = SIGXCPU };

	si.si_value.sival_int = (int)(sigdebug_marker | EVL_HMDIAG_STAGEX);
	ck_assert(sigdebug_marked(&si));
	ck_assert_int_eq(sigdebug_cause(&si), EVL_HMDIAG_STAGEX);
	ck_assert_int_eq(sigdebug_code(&si), (int)0xfccf0008);
	si.si_value.sival_int = 0x7ccf0000 | EVL_HMDIAG_STAGEX;
	ck_assert(!sigdebug_marked(&si));
}
END_TEST

Suite *sigdebug_suite(void)
{
	Suite *s = suite_create("sigdebug");
	TCase *tc = tcase_create("handler");

	tcase_add_loop_test(tc, known_causes, EVL_HMDIAG_SIGDEMOTE, EVL_HMDIAG_OVERRUN + 1);
	tcase_add_test(tc, unknown_cause);
	tcase_add_test(tc, foreign_signal);
	tcase_add_test(tc, macros);
	suite_add_tcase(s, tc);

	return s;
}
