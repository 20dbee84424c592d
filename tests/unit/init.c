/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <evl/evl.h>
#include <evl/timer.h>
#include "fake.h"
#include "internal.h"
#include "suites.h"

START_TEST(connects_once)
{
	ck_assert_int_eq(evl_check_core(), -ENXIO);
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_check_core(), 0);
	ck_assert_int_eq(fake.nr_locks, 1);
	ck_assert_int_eq(fake.nr_maps, 1);
	ck_assert_int_eq(fake.nr_opens, 3);
	ck_assert_int_eq(fake.nr_closed, 0);
}
END_TEST

static const struct {
	int status, expected;
} control_results[] = {
	{ -ENOENT, -ENOSYS },
	{ -ENXIO, -ENOSYS },
	{ -ENODEV, -ENOSYS },
	{ -EACCES, -EACCES },
	{ -EMFILE, -EMFILE },
};

START_TEST(control_device_error)
{
	fake.control_status = control_results[_i].status;
	ck_assert_int_eq(evl_init(), control_results[_i].expected);
	ck_assert_int_eq(evl_check_core(), -ENXIO);
	ck_assert_int_eq(fake.nr_closed, 0);
}
END_TEST

START_TEST(failure_is_remembered)
{
	fake.control_status = -ENOENT;
	ck_assert_int_eq(evl_init(), -ENOSYS);
	fake.control_status = 0;
	ck_assert_int_eq(evl_init(), -ENOSYS);
	ck_assert_int_eq(evl_attach_self("x"), -ENOSYS);
	ck_assert_int_eq(fake.nr_locks, 1);
}
END_TEST

static const struct {
	int status, expected;
} lock_results[] = {
	{ -EPERM, -EPERM },
	{ -ENOMEM, -ENOMEM },
	{ -EAGAIN, -ENOMEM },
};

START_TEST(memory_cannot_be_locked)
{
	fake.lock_status = lock_results[_i].status;
	ck_assert_int_eq(evl_init(), lock_results[_i].expected);
	ck_assert_int_eq(fake.nr_opens, 0);
}
END_TEST

static const struct {
	unsigned int base, level;
	int expected;
} abi_ranges[] = {
	{ EVL_ABI_PREREQ, EVL_ABI_PREREQ, 0 },
	{ EVL_ABI_PREREQ - 1, EVL_ABI_PREREQ + 5, 0 },
	{ EVL_ABI_PREREQ + 1, EVL_ABI_PREREQ + 1, -ENOEXEC },
	{ EVL_ABI_PREREQ - 2, EVL_ABI_PREREQ - 1, -ENOEXEC },
	{ 0, 0, -ENOEXEC },
};

START_TEST(abi_range)
{
	fake.info.abi_base = abi_ranges[_i].base;
	fake.info.abi_current = abi_ranges[_i].level;
	ck_assert_int_eq(evl_init(), abi_ranges[_i].expected);
	ck_assert_int_eq(fake.nr_closed, abi_ranges[_i].expected ? 1 : 0);
	ck_assert_int_eq(fake.nr_maps, abi_ranges[_i].expected ? 0 : 1);
}
END_TEST

START_TEST(foreign_control_device)
{
	fake.coreinfo_status = -ENOTTY;
	ck_assert_int_eq(evl_init(), -ENOEXEC);
	ck_assert_int_eq(fake.nr_closed, 1);
}
END_TEST

START_TEST(failure_undoes_what_was_done)
{
	if (_i == 0)
		fake.map_status = -ENOMEM;
	else
		fake.clock_status = -ENOMEM;

	ck_assert_int_eq(evl_init(), -ENOMEM);
	ck_assert_int_eq(fake.nr_maps, fake.nr_unmaps);
	ck_assert_int_eq(fake.nr_closed, _i == 0 ? 1 : 2);
}
END_TEST

START_TEST(creation_needs_init)
{
	union evl_sched_ctlparam param = { { 0 } };
	int state;

	ck_assert_int_eq(evl_new_timer(EVL_CLOCK_MONOTONIC), -ENXIO);
	ck_assert_int_eq(evl_get_cpustate(0, &state), -ENXIO);
	ck_assert_int_eq(evl_control_sched(SCHED_QUOTA, &param, NULL, 0), -ENXIO);
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_new_timer(EVL_CLOCK_MONOTONIC), FAKE_OTHER_FD);
}
END_TEST

START_TEST(attaching_initialises)
{
	ck_assert_int_eq(evl_attach_self("x"), FAKE_THREAD_FD);
	ck_assert_int_eq(evl_check_core(), 0);
}
END_TEST

static void *race_to_init(void *arg)
{
	pthread_barrier_wait(arg);

	return evl_init() ? arg : NULL;
}

START_TEST(concurrent_first_calls)
{
	pthread_barrier_t barrier;
	pthread_t threads[8];
	void *failed;
	int n;

	pthread_barrier_init(&barrier, NULL, 8);
	for (n = 0; n < 8; n++)
		ck_assert_int_eq(pthread_create(&threads[n], NULL, race_to_init, &barrier), 0);
	for (n = 0; n < 8; n++) {
		pthread_join(threads[n], &failed);
		ck_assert_ptr_null(failed);
	}

	ck_assert_int_eq(fake.nr_locks, 1);
	ck_assert_int_eq(fake.nr_maps, 1);
}
END_TEST

/* Bits of what is wrong in the child of a fork. */
static int check_child(void)
{
	int wrong = 0;

	wrong |= (evl_check_core() != -ENXIO) << 0;
	wrong |= (evl_get_self() != -EPERM) << 1;
	wrong |= !evl_is_inband() << 2;
	wrong |= (fake.nr_unmaps != 1 || fake.nr_closed != 3) << 3;
	wrong |= (evl_new_timer(EVL_CLOCK_MONOTONIC) != -ENXIO) << 4;
	wrong |= (evl_init() != 0) << 5;
	wrong |= (fake.nr_locks != 2 || fake.nr_maps != 2) << 6;
	wrong |= (evl_attach_self("child") != FAKE_THREAD_FD) << 7;

	return wrong;
}

START_TEST(child_starts_afresh)
{
	int status;
	pid_t pid;

	fake_attach_oob();
	fake.nr_locks = fake.nr_maps = 1;

	pid = fork();
	if (!pid)
		_exit(check_child());

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);

	ck_assert_int_eq(evl_check_core(), 0);
	ck_assert_int_eq(evl_get_self(), FAKE_THREAD_FD);
	ck_assert_int_eq(fake.nr_unmaps, 0);
}
END_TEST

/* As if another thread forked while this one activates a semaphore. The child has one of its own to activate. */
static struct evl_sem early = EVL_SEM_INITIALIZER("early", EVL_CLOCK_MONOTONIC, 1, 0);
static struct evl_sem late = EVL_SEM_INITIALIZER("late", EVL_CLOCK_MONOTONIC, 1, 0);
static int activation_status = -1;

static void fork_and_activate(void)
{
	pid_t pid;

	fake.on_clone = NULL;
	pid = fork();
	if (!pid) {
		alarm(10);
		_exit(evl_init() || evl_tryget_sem(&late));
	}
	waitpid(pid, &activation_status, 0);
}

START_TEST(child_activates)
{
	ck_assert_int_eq(evl_init(), 0);
	fake.on_clone = fork_and_activate;
	ck_assert_int_eq(evl_tryget_sem(&early), 0);
	ck_assert(WIFEXITED(activation_status));
	ck_assert_int_eq(WEXITSTATUS(activation_status), 0);
}
END_TEST

START_TEST(child_of_a_failed_parent_tries_again)
{
	int status;
	pid_t pid;

	fake.control_status = -ENOENT;
	ck_assert_int_eq(evl_init(), -ENOSYS);
	fake.control_status = 0;

	pid = fork();
	if (!pid)
		_exit(evl_init() != 0 || fake.nr_unmaps != 0);

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(version)
{
	struct evl_version v = evl_get_version();

	ck_assert_int_eq(v.api_level, __EVL__);
	ck_assert_int_eq(v.abi_level, EVL_ABI_PREREQ);
	ck_assert_ptr_nonnull(strstr(v.version_string, "evl."));
	ck_assert_ptr_nonnull(strstr(v.version_string, " [requires ABI 32]"));

	fake.info.abi_current = EVL_ABI_PREREQ + 3;
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_get_version().abi_level, EVL_ABI_PREREQ + 3);
}
END_TEST

START_TEST(clocksources)
{
	ck_assert(evl_clocksource_in_vdso("tsc"));
	ck_assert(!evl_clocksource_in_vdso("hpet"));
	ck_assert(!evl_clocksource_in_vdso("acpi_pm"));
	ck_assert(!evl_clocksource_in_vdso("tsc-early"));
	ck_assert(!evl_clocksource_in_vdso(""));
}
END_TEST

#define COUNT(__array)	((int)(sizeof(__array) / sizeof((__array)[0])))

Suite *init_suite(void)
{
	Suite *s = suite_create("init");
	TCase *tc = tcase_create("process");

	tcase_add_checked_fixture(tc, fake_reset, NULL);
	tcase_add_test(tc, connects_once);
	tcase_add_loop_test(tc, control_device_error, 0, COUNT(control_results));
	tcase_add_test(tc, failure_is_remembered);
	tcase_add_loop_test(tc, memory_cannot_be_locked, 0, COUNT(lock_results));
	tcase_add_loop_test(tc, abi_range, 0, COUNT(abi_ranges));
	tcase_add_test(tc, foreign_control_device);
	tcase_add_loop_test(tc, failure_undoes_what_was_done, 0, 2);
	tcase_add_test(tc, creation_needs_init);
	tcase_add_test(tc, attaching_initialises);
	tcase_add_test(tc, concurrent_first_calls);
	tcase_add_test(tc, child_starts_afresh);
	tcase_add_test(tc, child_activates);
	tcase_add_test(tc, child_of_a_failed_parent_tries_again);
	tcase_add_test(tc, version);
	tcase_add_test(tc, clocksources);
	suite_add_tcase(s, tc);

	return s;
}
