/* SPDX-License-Identifier: MIT */
/*
 * The library with its real backend, on the kernel at hand. Without a core it has to say so; where there is one,
 * these tests do not apply, and say that.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include <evl/timer.h>
#include "arch.h"
#include "backend.h"

#define EXIT_SKIPPED	77

static struct timespec ts;

START_TEST(init_without_core)
{
	int ret = evl_init();

	/* Locking memory comes first, and may be forbidden here. */
	if (ret != -EPERM && ret != -ENOMEM)
		ck_assert_int_eq(ret, -ENOSYS);
	ck_assert_int_eq(evl_init(), ret);
	ck_assert_int_eq(evl_attach_self("nobody"), ret);
	ck_assert_int_eq(evl_get_version().abi_level, EVL_ABI_PREREQ);
}
END_TEST

START_TEST(calls_without_core)
{
	struct evl_sched_attrs attrs;
	__u64 ticks;

	errno = 0;
	ck_assert_int_eq(evl_get_self(), -EPERM);
	ck_assert_int_eq(evl_switch_oob(), -EPERM);
	ck_assert_int_eq(evl_usleep(1), -EPERM);
	ck_assert_int_eq(evl_new_timer(EVL_CLOCK_MONOTONIC), -ENXIO);
	ck_assert_int_eq(evl_get_schedattr(STDOUT_FILENO, &attrs), -EBADF);
	ck_assert_int_eq(evl_get_schedattr(-1, &attrs), -EBADF);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(oob_read(STDIN_FILENO, &ticks, sizeof(ticks)), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(locked_memory_limit)
{
	const struct rlimit none = { 0, 0 };
	int ret;

	/* Privilege overrides the limit. */
	if (!geteuid() && setresuid(65534, 65534, 65534))
		ck_abort_msg("cannot drop privileges: %s", strerror(errno));
	ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	ret = evl_init();
	ck_assert(ret == -EPERM || ret == -ENOMEM);
	ck_assert_int_eq(evl_init(), ret);
}
END_TEST

START_TEST(clocks_without_core)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(evl_read_clock(EVL_CLOCK_MONOTONIC, &ts), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert(ts.tv_sec > before.tv_sec ||
		  (ts.tv_sec == before.tv_sec && ts.tv_nsec >= before.tv_nsec));
	ck_assert(ts.tv_sec < after.tv_sec ||
		  (ts.tv_sec == after.tv_sec && ts.tv_nsec <= after.tv_nsec));

	ck_assert_int_eq(evl_get_clock_resolution(EVL_CLOCK_REALTIME, &ts), 0);
	ck_assert(ts.tv_sec || ts.tv_nsec);
	ck_assert_int_eq(evl_set_clock(EVL_CLOCK_MONOTONIC, &ts), -EINVAL);
	ck_assert_int_eq(evl_set_clock(EVL_CLOCK_REALTIME, (struct timespec *)1), -EFAULT);
	ck_assert_int_eq(evl_get_clock_resolution(EVL_CLOCK_MONOTONIC, (struct timespec *)1),
			 -EFAULT);
}
END_TEST

START_TEST(clock_descriptor_errors)
{
	int fd = open("/dev/null", O_RDWR);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(evl_read_clock(fd, &ts), -ENOTTY);
	ck_assert_int_eq(evl_set_clock(fd, &ts), -ENOTTY);
	close(fd);
	ck_assert_int_eq(evl_read_clock(fd, &ts), -EBADF);
	ck_assert_int_eq(evl_get_clock_resolution(-3, &ts), -EBADF);
}
END_TEST

/* The instruction: a number of the ordinary kernel shows whether arguments and result pass. */
START_TEST(call_instruction)
{
	char in[] = "abcdef", out[8] = "";
	int pipefd[2];

	ck_assert_int_eq(pipe(pipefd), 0);
	errno = 0;
	ck_assert_int_eq(evl_arch_oob_call(SYS_write, pipefd[1], (long)in, 5), 5);
	ck_assert_int_eq(evl_arch_oob_call(SYS_read, pipefd[0], (long)out, 8), 5);
	ck_assert_str_eq(out, "abcde");
	ck_assert_int_eq(evl_arch_oob_call(SYS_write, -1, (long)in, 5), -EBADF);
	ck_assert_int_eq(errno, 0);
}
END_TEST

/* The mark in the number: these would be read(2), write(2) and open(2) without it. */
START_TEST(number_unknown_to_this_kernel)
{
	char c = 'x';
	int pipefd[2];

	ck_assert_int_eq(pipe(pipefd), 0);
	ck_assert_int_eq(evl_backend_oob(sys_evl_read, pipefd[0], (long)&c, 0), -ENOSYS);
	ck_assert_int_eq(evl_backend_oob(sys_evl_write, pipefd[1], (long)&c, 1), -ENOSYS);
	ck_assert_int_eq(evl_backend_oob(sys_evl_ioctl, (long)"/", O_RDONLY, 0), -ENOSYS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backend");
	TCase *tc = tcase_create("kernel without core");
	SRunner *runner;
	int failed;

	if (!access("/dev/evl/control", F_OK)) {
		puts("SKIP: this kernel runs a core");
		return EXIT_SKIPPED;
	}

	tcase_add_test(tc, init_without_core);
	tcase_add_test(tc, calls_without_core);
	tcase_add_test(tc, locked_memory_limit);
	tcase_add_test(tc, clocks_without_core);
	tcase_add_test(tc, clock_descriptor_errors);
	tcase_add_test(tc, call_instruction);
	tcase_add_test(tc, number_unknown_to_this_kernel);
	suite_add_tcase(s, tc);

	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
