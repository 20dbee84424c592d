/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <evl/evl.h>
#include <evl/sys.h>
#include <evl/syscall-abi.h>
#include "fake.h"
#include "suites.h"

static void expect_self_request(unsigned long request)
{
	const struct fake_call *call = fake_last();

	ck_assert_int_eq(call->form, FAKE_OOB);
	ck_assert_uint_eq(call->nr, sys_evl_ioctl);
	ck_assert_int_eq(call->fd, FAKE_CONTROL_FD);
	ck_assert_uint_eq(call->request, request);
	ck_assert_uint_eq(call->arg, 0);
}

START_TEST(attach_real_time)
{
	ck_assert_int_eq(evl_attach_thread(EVL_CLONE_NONBLOCK, "/rt-%d", 3), FAKE_THREAD_FD);
	ck_assert_str_eq(fake.clone_name, "rt-3");
	ck_assert_uint_eq(fake.clone_req.clone_flags, EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK);
	expect_self_request(EVL_THRIOC_SWITCH_OOB);
	ck_assert(!evl_is_inband());
	ck_assert_int_eq(evl_get_current_mode(), 0);
	ck_assert_int_eq(evl_get_self(), FAKE_THREAD_FD);
}
END_TEST

START_TEST(attach_weak_stays_inband)
{
	fake.attach_state |= EVL_T_WEAK;
	ck_assert_int_eq(evl_attach_self("weak"), FAKE_THREAD_FD);
	ck_assert_int_eq(fake_last()->form, FAKE_IOCTL);
	ck_assert_uint_eq(fake_last()->request, EVL_IOC_CLONE);
	ck_assert(evl_is_inband());
	ck_assert_int_eq(evl_get_current_mode(), EVL_T_INBAND);
}
END_TEST

START_TEST(attach_without_name)
{
	fake.clone_req.name_ptr = 1;
	ck_assert_int_eq(evl_attach_self(NULL), FAKE_THREAD_FD);
	ck_assert_uint_eq(fake.clone_req.name_ptr, 0);
}
END_TEST

static const int bad_flags[] = {
	1, EVL_CLONE_INPUT, EVL_CLONE_OUTPUT, INT_MIN, EVL_CLONE_MASTER,
	EVL_CLONE_PUBLIC | EVL_CLONE_UNICAST, 0x400000,
};

START_TEST(attach_bad_flags)
{
	ck_assert_int_eq(evl_attach_thread(bad_flags[_i], "x"), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
	ck_assert_int_eq(evl_get_self(), -EPERM);
}
END_TEST

START_TEST(attach_twice)
{
	ck_assert_int_eq(evl_attach_self("x"), FAKE_THREAD_FD);
	ck_assert_int_eq(evl_attach_self("y"), -EBUSY);
	ck_assert_str_eq(fake.clone_name, "x");
	ck_assert_int_eq(evl_get_self(), FAKE_THREAD_FD);
}
END_TEST

START_TEST(attach_refused)
{
	fake.clone_status = -EEXIST;
	ck_assert_int_eq(evl_attach_self("x"), -EEXIST);
	ck_assert_int_eq(evl_get_self(), -EPERM);
	fake.clone_status = 0;
	ck_assert_int_eq(evl_attach_self("x"), FAKE_THREAD_FD);
}
END_TEST

START_TEST(attach_without_usable_cpu)
{
	fake.switch_fails = true;
	ck_assert_int_eq(evl_attach_self("x"), -EINVAL);
	ck_assert_int_eq(fake_last()->form, FAKE_IOCTL);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_DETACH_SELF);
	ck_assert_int_eq(fake.nr_closed, 1);
	ck_assert_int_eq(evl_get_self(), -EPERM);
}
END_TEST

START_TEST(attach_state_out_of_bounds)
{
	fake.state_offset = sizeof(fake.shared);
	ck_assert_int_eq(evl_attach_self("x"), -ENOEXEC);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_DETACH_SELF);
	ck_assert_int_eq(fake.nr_closed, 1);
	ck_assert(evl_is_inband());
}
END_TEST

START_TEST(detach_and_attach_again)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_detach_thread(1), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);

	ck_assert_int_eq(evl_detach_self(), 0);
	ck_assert_int_eq(fake.nr_calls, 2);
	ck_assert_int_eq(fake.calls[0].form, FAKE_OOB);
	ck_assert_uint_eq(fake.calls[0].request, EVL_THRIOC_SWITCH_INBAND);
	ck_assert_int_eq(fake.calls[1].form, FAKE_IOCTL);
	ck_assert_uint_eq(fake.calls[1].request, EVL_THRIOC_DETACH_SELF);
	ck_assert_int_eq(fake.calls[1].fd, FAKE_CONTROL_FD);
	ck_assert_int_eq(fake.nr_closed, 0);	/* the descriptor is left to the application */

	ck_assert_int_eq(evl_get_self(), -EPERM);
	ck_assert_int_eq(evl_detach_self(), -EPERM);
	ck_assert_int_eq(evl_attach_self("unit"), FAKE_THREAD_FD);
}
END_TEST

START_TEST(unattached_caller)
{
	ck_assert_int_eq(evl_init(), 0);
	fake.nr_calls = 0;
	ck_assert(evl_is_inband());
	ck_assert_int_eq(evl_get_current_mode(), EVL_T_INBAND);
	ck_assert_int_eq(evl_get_self(), -EPERM);
	ck_assert_int_eq(evl_switch_oob(), -EPERM);
	ck_assert_int_eq(evl_switch_inband(), -EPERM);
	ck_assert_int_eq(evl_detach_self(), -EPERM);
	ck_assert_int_eq(evl_yield(), -EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

static void *check_unattached(void *arg)
{
	(void)arg;

	return evl_is_inband() && evl_get_self() == -EPERM ? NULL : &fake;
}

START_TEST(attachment_is_per_thread)
{
	pthread_t tid;
	void *wrong;

	fake_attach_oob();
	ck_assert_int_eq(pthread_create(&tid, NULL, check_unattached, NULL), 0);
	pthread_join(tid, &wrong);
	ck_assert_ptr_null(wrong);
	ck_assert(!evl_is_inband());
}
END_TEST

START_TEST(stage_switches)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_switch_oob(), 0);
	ck_assert_int_eq(fake.nr_calls, 0);

	ck_assert_int_eq(evl_switch_inband(), 0);
	expect_self_request(EVL_THRIOC_SWITCH_INBAND);
	ck_assert(evl_is_inband());
	ck_assert_int_eq(evl_switch_inband(), 0);
	ck_assert_int_eq(fake.nr_calls, 1);

	ck_assert_int_eq(evl_switch_oob(), 0);
	expect_self_request(EVL_THRIOC_SWITCH_OOB);
	ck_assert(!evl_is_inband());

	ck_assert_int_eq(evl_yield(), 0);
	expect_self_request(EVL_THRIOC_YIELD);
}
END_TEST

/* Calls on a thread descriptor keep the stage of the caller: form of call by stage. */
static void check_target_calls(enum fake_form form)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO };
	struct evl_thread_state state;
	int n;

	ck_assert_int_eq(evl_set_schedattr(9, &attrs), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_SET_SCHEDPARAM);
	ck_assert_uint_eq(fake_last()->arg, (uintptr_t)&attrs);
	ck_assert_int_eq(evl_get_schedattr(9, &attrs), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_GET_SCHEDPARAM);
	ck_assert_int_eq(evl_get_state(9, &state), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_GET_STATE);
	ck_assert_uint_eq(fake_last()->arg, (uintptr_t)&state);
	ck_assert_int_eq(evl_unblock_thread(9), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_UNBLOCK);
	ck_assert_int_eq(evl_demote_thread(9), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_DEMOTE);
	ck_assert_int_eq(evl_set_thread_mode(9, EVL_T_WOSS, NULL), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_SET_MODE);
	ck_assert_int_eq(evl_clear_thread_mode(9, EVL_T_WOSS, NULL), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_THRIOC_CLEAR_MODE);

	ck_assert_int_eq(fake.nr_calls, 7);
	for (n = 0; n < fake.nr_calls; n++) {
		ck_assert_int_eq(fake.calls[n].form, form);
		ck_assert_int_eq(fake.calls[n].fd, 9);
	}
}

START_TEST(target_calls_unattached)
{
	check_target_calls(FAKE_IOCTL);
}
END_TEST

START_TEST(target_calls_inband)
{
	fake_attach_weak();
	check_target_calls(FAKE_IOCTL);
}
END_TEST

START_TEST(target_calls_oob)
{
	fake_attach_oob();
	check_target_calls(FAKE_OOB);
}
END_TEST

START_TEST(target_errors)
{
	static const int codes[][2] = {
		{ -ENOTTY, -EBADF }, { -EBADF, -EBADF }, { -ESTALE, -ESTALE },
		{ -EFAULT, -EFAULT }, { -EINVAL, -EINVAL },
	};

	fake_attach_weak();
	fake.ioctl_status = codes[_i][0];
	ck_assert_int_eq(evl_unblock_thread(9), codes[_i][1]);
	fake_set_inband(false);
	fake.oob_result = codes[_i][0];
	ck_assert_int_eq(evl_unblock_thread(9), codes[_i][1]);
}
END_TEST

START_TEST(cpu_control)
{
	union evl_sched_ctlparam param = { { 0 } };
	int state;

	fake_attach_oob();
	ck_assert_int_eq(evl_get_cpustate(1, &state), 0);
	ck_assert_int_eq(fake_last()->form, FAKE_OOB);
	ck_assert_int_eq(fake_last()->fd, FAKE_CONTROL_FD);
	ck_assert_uint_eq(fake_last()->request, EVL_CTLIOC_GET_CPUSTATE);
	fake.oob_result = -EOPNOTSUPP;
	ck_assert_int_eq(evl_control_sched(SCHED_TP, &param, NULL, 0), -EOPNOTSUPP);
	ck_assert_uint_eq(fake_last()->request, EVL_CTLIOC_SCHEDCTL);
}
END_TEST

Suite *thread_suite(void)
{
	Suite *s = suite_create("thread");
	TCase *tc = tcase_create("calls");

	tcase_add_checked_fixture(tc, fake_reset, NULL);
	tcase_add_test(tc, attach_real_time);
	tcase_add_test(tc, attach_weak_stays_inband);
	tcase_add_test(tc, attach_without_name);
	tcase_add_loop_test(tc, attach_bad_flags, 0, sizeof(bad_flags) / sizeof(bad_flags[0]));
	tcase_add_test(tc, attach_twice);
	tcase_add_test(tc, attach_refused);
	tcase_add_test(tc, attach_without_usable_cpu);
	tcase_add_test(tc, attach_state_out_of_bounds);
	tcase_add_test(tc, detach_and_attach_again);
	tcase_add_test(tc, unattached_caller);
	tcase_add_test(tc, attachment_is_per_thread);
	tcase_add_test(tc, stage_switches);
	tcase_add_test(tc, target_calls_unattached);
	tcase_add_test(tc, target_calls_inband);
	tcase_add_test(tc, target_calls_oob);
	tcase_add_loop_test(tc, target_errors, 0, 5);
	tcase_add_test(tc, cpu_control);
	suite_add_tcase(s, tc);

	return s;
}
