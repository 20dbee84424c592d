/* SPDX-License-Identifier: MIT */
/* Creating and opening, all kinds alike: the common errors of the interface. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>
#include <evl/evl.h>
#include <evl/observable.h>
#include <evl/sys.h>
#include <evl/timer.h>
#include "fake.h"
#include "suites.h"

static struct evl_mutex mutex;
static struct evl_event event;
static struct evl_sem sem;
static struct evl_flags flags;
static struct evl_rwlock rwlock;

static int make_mutex(int flgs, const char *name)
{
	return evl_create_mutex(&mutex, EVL_CLOCK_MONOTONIC, 0, flgs, "%s", name);
}

static int make_event(int flgs, const char *name)
{
	return evl_create_event(&event, EVL_CLOCK_MONOTONIC, flgs, "%s", name);
}

static int make_sem(int flgs, const char *name)
{
	return evl_create_sem(&sem, EVL_CLOCK_MONOTONIC, 0, flgs, "%s", name);
}

static int make_flags(int flgs, const char *name)
{
	return evl_create_flags(&flags, EVL_CLOCK_MONOTONIC, 0, flgs, "%s", name);
}

static int make_xbuf(int flgs, const char *name)
{
	return evl_create_xbuf(16, 16, flgs, "%s", name);
}

static int make_observable(int flgs, const char *name)
{
	return evl_create_observable(flgs, "%s", name);
}

static int make_proxy(int flgs, const char *name)
{
	return evl_create_proxy(1, 16, 0, flgs, "%s", name);
}

static int (*const makers[])(int flgs, const char *name) = {
	make_mutex, make_event, make_sem, make_flags, make_xbuf, make_observable, make_proxy,
};

#define NR_MAKERS	((int)(sizeof(makers) / sizeof(makers[0])))

static const int create_errors[] = { -EEXIST, -EINVAL, -ENAMETOOLONG, -EMFILE, -ENFILE, -ENOMEM };

static void init(void)
{
	fake_reset();
	ck_assert_int_eq(evl_init(), 0);
	fake.nr_calls = 0;
}

START_TEST(needs_init)
{
	fake_reset();
	ck_assert_int_eq(makers[_i](0, "x"), -ENXIO);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(others_need_init)
{
	fake_reset();
	ck_assert_int_eq(evl_new_poll(), -ENXIO);
	ck_assert_int_eq(evl_new_timer(EVL_CLOCK_MONOTONIC), -ENXIO);
	ck_assert_int_eq(evl_create_rwlock(&rwlock), -ENXIO);
	ck_assert_int_eq(evl_open_mutex(&mutex, "public"), -ENXIO);
	ck_assert_int_eq(evl_open_event(&event, "public"), -ENXIO);
	ck_assert_int_eq(evl_open_sem(&sem, "public"), -ENXIO);
	ck_assert_int_eq(evl_open_flags(&flags, "public"), -ENXIO);
	ck_assert_int_eq(evl_stdout(), -ENXIO);
	ck_assert_int_eq(evl_stderr(), -ENXIO);
	ck_assert_int_eq(evl_printf("x"), -ENXIO);
	ck_assert_int_eq(evl_eprintf("x"), -ENXIO);
}
END_TEST

START_TEST(core_refuses)
{
	size_t n;

	init();
	for (n = 0; n < sizeof(create_errors) / sizeof(create_errors[0]); n++) {
		fake.clone_status = fake.proxy_status = create_errors[n];
		ck_assert_int_eq(makers[_i](0, "x"), create_errors[n]);
	}
}
END_TEST

START_TEST(bad_names_and_flags)
{
	char name[EVL_NAME_MAX + 2];

	init();
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(makers[_i](0, name), -ENAMETOOLONG);
	ck_assert_int_eq(makers[_i](0, ""), -EINVAL);
	ck_assert_int_eq(makers[_i](0, "/a/b"), -EINVAL);
	ck_assert_int_eq(makers[_i](EVL_CLONE_PUBLIC, "a/b"), -EINVAL);
	ck_assert_int_eq(makers[_i](0x2, "x"), -EINVAL);
	ck_assert_int_eq(makers[_i](EVL_CLONE_OBSERVABLE, "x"), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
}
END_TEST

START_TEST(succeeds)
{
	init();
	ck_assert_int_ge(makers[_i](EVL_CLONE_NONBLOCK, "x"), 0);
	ck_assert_int_ge(makers[_i](0, "a/b"), 0);
	ck_assert_int_ge(makers[_i](0, "/x"), 0);
}
END_TEST

START_TEST(polling_set)
{
	static const int codes[] = { -EMFILE, -ENFILE, -ENOMEM };
	int n;

	init();
	ck_assert_int_eq(evl_new_poll(), FAKE_OTHER_FD);
	for (n = 0; n < 3; n++) {
		fake.open_status = codes[n];
		ck_assert_int_eq(evl_new_poll(), codes[n]);
	}
}
END_TEST

START_TEST(rwlock_errors)
{
	static const int codes[] = { -EMFILE, -ENFILE, -ENOMEM };
	struct evl_rwlock fixed = EVL_RWLOCK_INITIALIZER();
	int n;

	init();
	for (n = 0; n < 3; n++) {
		fake.clone_status = codes[n];
		ck_assert_int_eq(evl_create_rwlock(&rwlock), codes[n]);
		ck_assert_int_eq(evl_trylock_read(&fixed), codes[n]);
		ck_assert_int_eq(evl_trylock_write(&fixed), codes[n]);
		ck_assert_int_eq(evl_lock_read(&fixed), codes[n]);
		ck_assert_int_eq(evl_lock_write(&fixed), codes[n]);
	}
	fake.clone_status = 0;
	ck_assert_int_eq(evl_create_rwlock(&rwlock), 0);
	ck_assert_int_eq(evl_destroy_rwlock(&rwlock), 0);
	ck_assert_int_eq(evl_destroy_rwlock(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_lock_read(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_trylock_read(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_unlock_read(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_lock_write(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_trylock_write(&rwlock), -EINVAL);
	ck_assert_int_eq(evl_unlock_write(&rwlock), -EINVAL);
}
END_TEST

START_TEST(rwlock_readers)
{
	init();
	ck_assert_int_eq(evl_new_rwlock(&rwlock), 0);
	rwlock.state = 0x40000000 - 1;
	ck_assert_int_eq(evl_lock_read(&rwlock), 0);
	ck_assert_int_eq(evl_lock_read(&rwlock), -EAGAIN);
	ck_assert_int_eq(evl_trylock_read(&rwlock), -EAGAIN);
	ck_assert_int_eq(evl_trylock_write(&rwlock), -EAGAIN);
	ck_assert_int_eq(evl_unlock_read(&rwlock), 0);
	ck_assert_int_eq(evl_trylock_read(&rwlock), 0);
	ck_assert_int_eq(evl_destroy_rwlock(&rwlock), -EBUSY);
}
END_TEST

/* What a public element is, by which call it opens. */
static const struct { unsigned int type, protocol; } kinds[] = {
	{ EVL_MONITOR_GATE, EVL_GATE_PI },
	{ EVL_MONITOR_EVENT, EVL_EVENT_GATED },
	{ EVL_MONITOR_EVENT, EVL_EVENT_COUNT },
	{ EVL_MONITOR_EVENT, EVL_EVENT_MASK },
};

static int open_kind(int kind, const char *name)
{
	switch (kind) {
	case 0:
		return evl_open_mutex(&mutex, "%s", name);
	case 1:
		return evl_open_event(&event, "%s", name);
	case 2:
		return evl_open_sem(&sem, "%s", name);
	default:
		return evl_open_flags(&flags, "%s", name);
	}
}

static const int open_errors[] = { -EMFILE, -ENFILE, -ENOMEM, -ENOENT, -EACCES, -EPERM };

START_TEST(opening)
{
	size_t n;

	init();
	for (n = 0; n < 4; n++) {
		fake.monitor_attrs.type = kinds[n].type;
		fake.monitor_attrs.protocol = kinds[n].protocol;
		fake.nr_closed = 0;
		ck_assert_int_eq(open_kind(_i, "/public"), (int)n == _i ? FAKE_MONITOR_FD : -EINVAL);
		ck_assert_int_eq(fake.nr_closed, (int)n == _i ? 0 : 1);
	}
	for (n = 0; n < sizeof(open_errors) / sizeof(open_errors[0]); n++) {
		fake.open_status = open_errors[n];
		ck_assert_int_eq(open_kind(_i, "public"), open_errors[n]);
	}
	ck_assert_int_eq(open_kind(_i, "nobody"), -ENOENT);
	ck_assert_int_eq(open_kind(_i, "a/b"), -EINVAL);
}
END_TEST

static int open_vargs(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

static int open_vargs(const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_open_element_vargs(EVL_MONITOR_DEV, fmt, ap);
	va_end(ap);

	return ret;
}

START_TEST(opening_by_class)
{
	fake_reset();
	ck_assert_int_eq(open_vargs("public"), -ENXIO);
	init();
	ck_assert_int_eq(open_vargs("/pub%s", "lic"), FAKE_MONITOR_FD);
	ck_assert_int_eq(open_vargs("%s", "nobody"), -ENOENT);
	ck_assert_int_eq(open_vargs("a/%d", 1), -EINVAL);
}
END_TEST

static ssize_t print_vargs(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));

static ssize_t print_vargs(const char *fmt, ...)
{
	va_list ap;
	ssize_t ret;

	va_start(ap, fmt);
	ret = evl_vprint_proxy(FAKE_STREAM_FD, fmt, ap);
	va_end(ap);

	return ret;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

START_TEST(printing)
{
	char text[2000];

	init();
	ck_assert_int_eq(evl_stdout(), FAKE_STREAM_FD);
	ck_assert_int_eq(evl_stderr(), FAKE_STREAM_FD);
	ck_assert_int_eq(evl_printf("%d", 1234), 4);
	ck_assert_int_eq(evl_eprintf("%s-%d", "x", 1), 3);
	ck_assert_int_eq(evl_print_proxy(FAKE_STREAM_FD, "12"), 2);
	ck_assert_int_eq(print_vargs("%s", ""), 0);
	ck_assert_int_eq(print_vargs("%s%c", "ab", 'c'), 3);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_ge(print_vargs("%s", text), 1023);
	ck_assert_int_eq(evl_send_proxy(FAKE_STREAM_FD, text, 7), 7);
	ck_assert_int_eq(evl_write_proxy(FAKE_STREAM_FD, text, 0), 0);
	ck_assert_int_eq(evl_read_proxy(FAKE_STREAM_FD, text, 9), 9);
	/* A character which the C locale does not have. */
	ck_assert_int_eq(evl_print_proxy(FAKE_STREAM_FD, "%lc", (wint_t)0x20ac), -EINVAL);
	ck_assert_int_eq(print_vargs("%lc", (wint_t)0x20ac), -EINVAL);
	ck_assert_int_eq(evl_printf("%lc", (wint_t)0x20ac), -EINVAL);
	ck_assert_int_eq(evl_eprintf("%lc", (wint_t)0x20ac), -EINVAL);
}
END_TEST

/* No streams, because there are no proxies: the reason. */
START_TEST(no_streams)
{
	fake_reset();
	fake.proxy_status = -ENOMEM;
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_stdout(), -ENOMEM);
	ck_assert_int_eq(evl_eprintf("x"), -ENOMEM);
}
END_TEST

/* Out-of-band by the call of the core, whose error is the result. */
START_TEST(proxy_stages)
{
	static const int errors[] = { EBADF, EFBIG, EINVAL, ENXIO, EAGAIN, EFAULT, EINTR };
	size_t n;

	fake_attach_oob();
	for (n = 0; n < sizeof(errors) / sizeof(errors[0]); n++) {
		fake.oob_result = -errors[n];
		ck_assert_int_eq(evl_write_proxy(9, "x", 1), -errors[n]);
		ck_assert_int_eq(evl_send_proxy(9, "x", 1), -errors[n]);
		ck_assert_int_eq(evl_print_proxy(9, "x"), -errors[n]);
		ck_assert_int_eq(evl_eprintf("x"), -errors[n]);
		ck_assert_int_eq(evl_read_proxy(9, &n, 1), -errors[n]);
		ck_assert_int_eq(evl_printf("x"), -errors[n]);
	}
	ck_assert(!evl_is_inband());
}
END_TEST

#pragma GCC diagnostic pop

Suite *create_suite(void)
{
	Suite *s = suite_create("create");
	TCase *tc = tcase_create("create");

	tcase_add_loop_test(tc, needs_init, 0, NR_MAKERS);
	tcase_add_test(tc, others_need_init);
	tcase_add_loop_test(tc, core_refuses, 0, NR_MAKERS);
	tcase_add_loop_test(tc, bad_names_and_flags, 0, NR_MAKERS);
	tcase_add_loop_test(tc, succeeds, 0, NR_MAKERS);
	tcase_add_test(tc, polling_set);
	tcase_add_test(tc, rwlock_errors);
	tcase_add_test(tc, rwlock_readers);
	tcase_add_loop_test(tc, opening, 0, 4);
	tcase_add_test(tc, opening_by_class);
	tcase_add_test(tc, printing);
	tcase_add_test(tc, no_streams);
	tcase_add_test(tc, proxy_stages);
	suite_add_tcase(s, tc);

	return s;
}
