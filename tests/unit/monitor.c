/* SPDX-License-Identifier: MIT */
/* Mutexes, events, semaphores, flag groups: what needs no core, and what comes of its answers. */
#include <errno.h>
#include <limits.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include "fake.h"
#include "suites.h"

static struct evl_mutex mutex;
static struct evl_event event;
static struct evl_sem sem;
static struct evl_flags flags;
static struct timespec date = { 1, 0 };
static int bits;

/* Calls by what they may be told, on the objects above. */
static int lock(void) { return evl_lock_mutex(&mutex); }
static int timedlock(void) { return evl_timedlock_mutex(&mutex, &date); }
static int trylock(void) { return evl_trylock_mutex(&mutex); }
static int unlock(void) { return evl_unlock_mutex(&mutex); }
static int set_ceiling(void) { return evl_set_mutex_ceiling(&mutex, 3); }
static int get_ceiling(void) { return evl_get_mutex_ceiling(&mutex); }
static int close_mutex(void) { return evl_close_mutex(&mutex); }
static int wait_event(void) { return evl_wait_event(&event, &mutex); }
static int timedwait_event(void) { return evl_timedwait_event(&event, &mutex, &date); }
static int signal_event(void) { return evl_signal_event(&event); }
static int signal_thread(void) { return evl_signal_thread(&event, FAKE_THREAD_FD); }
static int broadcast_event(void) { return evl_broadcast_event(&event); }
static int close_event(void) { return evl_close_event(&event); }
static int get(void) { return evl_get_sem(&sem); }
static int timedget(void) { return evl_timedget_sem(&sem, &date); }
static int tryget(void) { return evl_tryget_sem(&sem); }
static int put(void) { return evl_put_sem(&sem); }
static int flush(void) { return evl_flush_sem(&sem); }
static int peek_sem(void) { return evl_peek_sem(&sem, &bits); }
static int close_sem(void) { return evl_close_sem(&sem); }
static int wait_any(void) { return evl_wait_flags(&flags, &bits); }
static int timedwait_any(void) { return evl_timedwait_flags(&flags, &date, &bits); }
static int trywait_any(void) { return evl_trywait_flags(&flags, &bits); }
static int wait_some(void) { return evl_wait_some_flags(&flags, 4, &bits); }
static int timedwait_some(void) { return evl_timedwait_some_flags(&flags, 4, &date, &bits); }
static int trywait_some(void) { return evl_trywait_some_flags(&flags, 4, &bits); }
static int wait_exact(void) { return evl_wait_exact_flags(&flags, 4); }
static int timedwait_exact(void) { return evl_timedwait_exact_flags(&flags, 4, &date); }
static int trywait_exact(void) { return evl_trywait_exact_flags(&flags, 4); }
static int post(void) { return evl_post_flags(&flags, 4); }
static int broadcast_flags(void) { return evl_broadcast_flags(&flags, 4); }
static int peek_flags(void) { return evl_peek_flags(&flags, &bits); }
static int close_flags(void) { return evl_close_flags(&flags); }

typedef int (*call_t)(void);

#define COUNT(__table)	((int)(sizeof(__table) / sizeof((__table)[0])))

static const call_t calls[] = {
	lock, timedlock, trylock, unlock, set_ceiling, get_ceiling, close_mutex, wait_event, timedwait_event,
	signal_event, signal_thread, broadcast_event, close_event, get, timedget, tryget, put, flush, peek_sem,
	close_sem, wait_any, timedwait_any, trywait_any, wait_some, timedwait_some, trywait_some, wait_exact,
	timedwait_exact, trywait_exact, post, broadcast_flags, peek_flags, close_flags,
};

/* Those which are for attached threads only. */
static const call_t for_threads[] = {
	lock, timedlock, trylock, unlock, wait_event, timedwait_event, get, timedget, wait_any, timedwait_any,
	wait_some, timedwait_some, wait_exact, timedwait_exact,
};

/* Those which ask the core to wait, if what they want is not there. */
static const call_t waits[] = {
	lock, timedlock, get, timedget, wait_any, timedwait_any, wait_some, timedwait_some, wait_exact, timedwait_exact,
};

/* Those which create what was initialised statically. */
static const call_t activating[] = {
	lock, timedlock, trylock, wait_event, timedwait_event, signal_event, signal_thread, broadcast_event, get, timedget,
	tryget, put, wait_any, timedwait_any, trywait_any, wait_some, timedwait_some, trywait_some, wait_exact,
	timedwait_exact, trywait_exact, post, broadcast_flags,
};

static void create(void)
{
	ck_assert_int_ge(evl_new_mutex(&mutex, "m"), 0);
	ck_assert_int_ge(evl_new_event(&event, "e"), 0);
	ck_assert_int_ge(evl_new_sem(&sem, "s"), 0);
	ck_assert_int_ge(evl_new_flags(&flags, "f"), 0);
	fake.nr_calls = 0;
}

/* All the objects share one state here: it has to be as the kind of the call wants it. */
static void attached(void)
{
	fake_attach_oob();
	create();
}

START_TEST(never_initialised)
{
	fake_attach_oob();
	fake.nr_calls = 0;
	ck_assert_int_eq(calls[_i](), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(closed)
{
	attached();
	ck_assert_int_eq(close_mutex() | close_event() | close_sem() | close_flags(), 0);
	fake.nr_calls = 0;
	ck_assert_int_eq(calls[_i](), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(not_attached)
{
	fake_reset();
	ck_assert_int_eq(evl_init(), 0);
	create();
	ck_assert_int_eq(for_threads[_i](), -EPERM);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

static const int wait_errors[] = { -EINTR, -ETIMEDOUT, -EINVAL, -EFAULT, -EBADF, -EDEADLK };

START_TEST(waits_fail)
{
	size_t n;

	attached();
	fake_monitor()->gate.owner = 5;	/* which is no unit and no bit 2 either, once it is gone */
	if (waits[_i] != lock && waits[_i] != timedlock)
		fake_monitor()->event.value = 0;
	for (n = 0; n < sizeof(wait_errors) / sizeof(wait_errors[0]); n++) {
		fake.oob_result = wait_errors[n];
		bits = 77;
		ck_assert_int_eq(waits[_i](), wait_errors[n]);
		ck_assert_int_eq(bits, 77);
		ck_assert_int_eq(fake_last()->form, FAKE_OOB);
	}
}
END_TEST

START_TEST(activation_fails)
{
	mutex = EVL_MUTEX_INITIALIZER("m", EVL_CLOCK_MONOTONIC, 0, 0);
	event = EVL_EVENT_INITIALIZER("e", EVL_CLOCK_MONOTONIC, 0);
	sem = EVL_SEM_INITIALIZER("s", EVL_CLOCK_MONOTONIC, 0, 0);
	flags = EVL_FLAGS_INITIALIZER("f", EVL_CLOCK_MONOTONIC, 0, 0);
	fake_attach_oob();
	fake.clone_status = -EMFILE;
	ck_assert_int_eq(activating[_i](), -EMFILE);
	fake.clone_status = -EEXIST;
	ck_assert_int_eq(activating[_i](), -EEXIST);
}
END_TEST

START_TEST(mutex_by_hand)
{
	attached();
	ck_assert_int_eq(lock(), 0);
	ck_assert_uint_eq(fake_monitor()->gate.owner, 9);
	ck_assert_int_eq(lock(), -EDEADLK);
	ck_assert_int_eq(trylock(), -EDEADLK);
	ck_assert_int_eq(unlock(), 0);
	ck_assert_uint_eq(fake_monitor()->gate.owner, 0);
	ck_assert_int_eq(unlock(), -EPERM);
	ck_assert_int_eq(get_ceiling(), 0);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(mutex_nesting)
{
	attached();
	fake_monitor()->gate.recursive = 1;
	ck_assert_int_eq(lock() | trylock() | timedlock(), 0);
	ck_assert_int_eq(unlock() | unlock(), 0);
	ck_assert_uint_eq(fake_monitor()->gate.owner, 9);
	fake_monitor()->gate.nesting = INT_MAX;
	ck_assert_int_eq(lock(), -EAGAIN);
	ck_assert_int_eq(trylock(), -EAGAIN);
	ck_assert_int_eq(timedlock(), -EAGAIN);
}
END_TEST

/* A signal is pending, or there is no CPU: the mutex is not taken once more. */
START_TEST(mutex_nesting_fails)
{
	attached();
	fake_monitor()->gate.recursive = 1;
	ck_assert_int_eq(lock(), 0);
	fake_set_inband(true);
	fake.switch_fails = true;
	ck_assert_int_eq(lock(), -EINVAL);
	ck_assert_int_eq(trylock(), -EINVAL);
	ck_assert_uint_eq(fake_monitor()->gate.nesting, 0);
	ck_assert_int_eq(unlock(), 0);
	ck_assert_uint_eq(fake_monitor()->gate.owner, 0);
}
END_TEST

START_TEST(mutex_by_the_core)
{
	attached();
	fake_monitor()->gate.owner = 5;
	fake.oob_result = -EAGAIN;
	ck_assert_int_eq(trylock(), -EAGAIN);
	ck_assert_uint_eq(fake_last()->request, EVL_MONIOC_TRYENTER);
	fake_monitor()->gate.owner = 9 | EVL_GATE_KNOWN;
	fake.oob_result = 0;
	ck_assert_int_eq(unlock(), 0);
	ck_assert_uint_eq(fake_last()->request, EVL_MONIOC_EXIT);
	fake.oob_result = -EINVAL;
	ck_assert_int_eq(set_ceiling(), -EINVAL);
	ck_assert_uint_eq(fake_last()->request, EVL_MONIOC_SET_CEILING);
}
END_TEST

START_TEST(sem_by_hand)
{
	attached();
	ck_assert_int_eq(tryget(), -EAGAIN);
	ck_assert_int_eq(put() | put(), 0);
	ck_assert_int_eq(get() | tryget(), 0);
	ck_assert_int_eq(tryget(), -EAGAIN);
	fake_monitor()->event.value = INT_MAX;
	ck_assert_int_eq(peek_sem(), 0);
	ck_assert_int_eq(bits, INT_MAX);
	ck_assert_int_eq(fake.nr_calls, 0);
	fake.oob_result = -EOVERFLOW;
	ck_assert_int_eq(put(), -EOVERFLOW);
}
END_TEST

START_TEST(flags_by_hand)
{
	attached();
	ck_assert_int_eq(evl_post_flags(&flags, 0), -EINVAL);
	ck_assert_int_eq(evl_broadcast_flags(&flags, 0), -EINVAL);
	ck_assert_int_eq(evl_trywait_some_flags(&flags, 0, &bits), -EINVAL);
	ck_assert_int_eq(evl_trywait_exact_flags(&flags, 0), -EINVAL);
	ck_assert_int_eq(evl_wait_some_flags(&flags, 0, &bits), -EINVAL);
	ck_assert_int_eq(evl_wait_exact_flags(&flags, 0), -EINVAL);
	bits = 77;
	ck_assert_int_eq(trywait_any(), -EAGAIN);
	ck_assert_int_eq(trywait_some(), -EAGAIN);
	ck_assert_int_eq(trywait_exact(), -EAGAIN);
	ck_assert_int_eq(bits, 77);
	ck_assert_int_eq(post(), 0);
	ck_assert_int_eq(trywait_exact(), 0);
	ck_assert_int_eq(post() | evl_post_flags(&flags, 3), 0);
	ck_assert_int_eq(wait_some(), 0);
	ck_assert_int_eq(bits, 4);
	ck_assert_int_eq(peek_flags(), 0);
	ck_assert_int_eq(bits, 3);
}
END_TEST

/* Without a mutex of the caller's there is no waiting for an event. */
START_TEST(event_errors)
{
	attached();
	fake.oob_result = -EPERM;
	ck_assert_int_eq(wait_event(), -EPERM);
	fake_monitor()->gate.owner = 9;
	fake.oob_result = -EBADFD;
	ck_assert_int_eq(wait_event(), -EBADFD);
	ck_assert_int_eq(timedwait_event(), -EBADFD);
	fake_monitor()->event.waiters = 1;
	fake.oob_result = -EPERM;
	ck_assert_int_eq(signal_event(), -EPERM);
	ck_assert_int_eq(broadcast_event(), -EPERM);
	fake.oob_result = -ESTALE;
	ck_assert_int_eq(signal_thread(), -ESTALE);
	ck_assert_uint_eq(fake_last()->request, EVL_MONIOC_SIGNAL_THREAD);
}
END_TEST

Suite *monitor_suite(void)
{
	Suite *s = suite_create("monitor");
	TCase *tc = tcase_create("monitor");

	tcase_add_loop_test(tc, never_initialised, 0, COUNT(calls));
	tcase_add_loop_test(tc, closed, 0, COUNT(calls));
	tcase_add_loop_test(tc, not_attached, 0, COUNT(for_threads));
	tcase_add_loop_test(tc, waits_fail, 0, COUNT(waits));
	tcase_add_loop_test(tc, activation_fails, 0, COUNT(activating));
	tcase_add_test(tc, mutex_by_hand);
	tcase_add_test(tc, mutex_nesting);
	tcase_add_test(tc, mutex_nesting_fails);
	tcase_add_test(tc, mutex_by_the_core);
	tcase_add_test(tc, sem_by_hand);
	tcase_add_test(tc, flags_by_hand);
	tcase_add_test(tc, event_errors);
	suite_add_tcase(s, tc);

	return s;
}
