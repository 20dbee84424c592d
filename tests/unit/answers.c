/* SPDX-License-Identifier: MIT */
/* Every request of the library, and what its caller is told for each answer of the core. */
#include <errno.h>
#include <evl/evl.h>
#include <evl/observable.h>
#include <evl/timer.h>
#include "fake.h"
#include "suites.h"

static struct evl_sched_attrs attrs;
static struct evl_thread_state state;
static struct evl_notification nf;
static struct evl_poll_event ev;
static struct evl_notice notice;
static struct itimerspec its;
static struct timespec ts;
static int mode;

static int unblock(void) { return evl_unblock_thread(9); }
static int demote(void) { return evl_demote_thread(9); }
static int get_state(void) { return evl_get_state(9, &state); }
static int set_mode(void) { return evl_set_thread_mode(9, EVL_T_WOSS, &mode); }
static int clear_mode(void) { return evl_clear_thread_mode(9, EVL_T_WOSS, &mode); }
static int set_attr(void) { return evl_set_schedattr(9, &attrs); }
static int get_attr(void) { return evl_get_schedattr(9, &attrs); }
static int cpustate(void) { return evl_get_cpustate(0, &mode); }
static int subscribe(void) { return evl_subscribe(9, 1, 0); }
static int unsubscribe(void) { return evl_unsubscribe(9); }
static int update(void) { return evl_update_observable(9, &notice, 1); }
static int read_notices(void) { return evl_read_observable(9, &nf, 1); }
static int add_member(void) { return evl_add_pollfd(9, 8, POLLIN, evl_nil); }
static int del_member(void) { return evl_del_pollfd(9, 8); }
static int mod_member(void) { return evl_mod_pollfd(9, 8, POLLIN, evl_nil); }
static int wait_set(void) { return evl_poll(9, &ev, 1); }
static int timedwait_set(void) { return evl_timedpoll(9, &ev, 1, &ts); }
static int new_timer(void) { return evl_new_timer(9); }
static int set_timer(void) { return evl_set_timer(9, &its, NULL); }
static int get_timer(void) { return evl_get_timer(9, &its); }
static int read_clock(void) { return evl_read_clock(9, &ts); }
static int set_clock(void) { return evl_set_clock(9, &ts); }
static int resolution(void) { return evl_get_clock_resolution(9, &ts); }
static int sleep_until(void) { return evl_sleep_until(9, &ts); }
static int yield(void) { return evl_yield(); }

/* Codes end with 0. ENOTTY is what a file says which takes no such request. */
static const struct answer {
	int (*call)(void);
	int no_such_request;
	int codes[8];
} answers[] = {
	{ unblock, EBADF, { EBADF, ESTALE } },
	{ demote, EBADF, { EBADF, ESTALE } },
	{ get_state, EBADF, { EBADF, ESTALE, EFAULT } },
	{ set_mode, EBADF, { EBADF, ESTALE, EINVAL, EFAULT } },
	{ clear_mode, EBADF, { EBADF, ESTALE, EINVAL, EFAULT } },
	{ set_attr, EBADF, { EBADF, ESTALE, EINVAL, EFAULT } },
	{ get_attr, EBADF, { EBADF, ESTALE, EFAULT } },
	{ cpustate, ENOTTY, { EINVAL, EFAULT } },
	{ subscribe, EPERM, { EBADF, EINVAL, ENOMEM, EEXIST, ESTALE } },
	{ unsubscribe, EPERM, { EBADF, ENOENT, ESTALE } },
	{ update, EPERM, { EBADF, EINVAL, EFAULT, ESTALE } },
	{ read_notices, EPERM, { EBADF, EINVAL, EFAULT, EAGAIN, ENXIO, EINTR, ESTALE } },
	{ add_member, EBADF, { EBADF, EINVAL, EEXIST, ELOOP, ENOMEM } },
	{ del_member, EBADF, { EBADF, ENOENT } },
	{ mod_member, EBADF, { EBADF, EINVAL, ENOENT } },
	{ wait_set, EBADF, { EBADF, EINVAL, EFAULT, EAGAIN, EINTR } },
	{ timedwait_set, EBADF, { EBADF, EINVAL, EFAULT, EAGAIN, EINTR, ETIMEDOUT } },
	{ new_timer, ENOTTY, { EBADF, EMFILE, ENFILE, ENOMEM } },
	{ set_timer, EBADF, { EBADF, EINVAL, EFAULT } },
	{ get_timer, EBADF, { EBADF, EFAULT } },
	{ read_clock, ENOTTY, { EBADF, EFAULT } },
	{ set_clock, ENOTTY, { EBADF, EINVAL, EFAULT, EPERM } },
	{ resolution, ENOTTY, { EBADF, EFAULT } },
	{ sleep_until, ENOTTY, { EBADF, EINVAL, EFAULT, EINTR } },
	{ yield, ENOTTY, { EINTR } },
};

static void answer(int code)
{
	fake.ioctl_status = -code;
	fake.oob_result = -code;
	fake.probe_status = -EBADF;
}

static void expect_all(const struct answer *a)
{
	const int *code;

	for (code = a->codes; *code; code++) {
		fake.nr_calls = 0;
		answer(*code);
		ck_assert_int_eq(a->call(), -*code);
		ck_assert_int_gt(fake.nr_calls, 0);
	}
	answer(ENOTTY);
	ck_assert_int_eq(a->call(), -a->no_such_request);
	answer(0);
	ck_assert_int_ge(a->call(), 0);
}

START_TEST(out_of_band)
{
	fake_attach_oob();
	expect_all(&answers[_i]);
}
END_TEST

START_TEST(weak)
{
	fake_attach_weak();
	expect_all(&answers[_i]);
}
END_TEST

/* Those for attached threads tell others so, without a request. */
static int (*const for_threads[])(void) = {
	add_member, del_member, mod_member, wait_set, timedwait_set, sleep_until, yield,
	evl_switch_oob, evl_switch_inband, evl_detach_self, evl_get_self,
};

START_TEST(not_attached)
{
	fake_reset();
	ck_assert_int_eq(evl_init(), 0);
	fake.nr_calls = 0;
	ck_assert_int_eq(for_threads[_i](), -EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

/* What the attachment of a thread may end with. */
static const int attach_errors[] = { -EEXIST, -EINVAL, -ENAMETOOLONG, -EMFILE, -ENFILE, -ENOMEM, -EBUSY };

START_TEST(attaching)
{
	fake_reset();
	fake.clone_status = attach_errors[_i];
	ck_assert_int_eq(evl_attach_self("x"), attach_errors[_i]);
	ck_assert_int_eq(evl_get_self(), -EPERM);
}
END_TEST

Suite *answers_suite(void)
{
	Suite *s = suite_create("answers");
	TCase *tc = tcase_create("answers");

	tcase_add_loop_test(tc, out_of_band, 0, sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(tc, weak, 0, sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(tc, not_attached, 0, sizeof(for_threads) / sizeof(for_threads[0]));
	tcase_add_loop_test(tc, attaching, 0, sizeof(attach_errors) / sizeof(attach_errors[0]));
	suite_add_tcase(s, tc);

	return s;
}
