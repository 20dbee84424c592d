/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <evl/evl.h>
#include <evl/sys.h>
#include "fake.h"
#include "internal.h"
#include "suites.h"

static void init(void)
{
	fake_reset();
	ck_assert_int_eq(evl_init(), 0);
}

START_TEST(needs_init)
{
	fake_reset();
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", NULL, 0, NULL), -ENXIO);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "there"), -ENXIO);
	ck_assert_int_eq(evl_open_raw("trace"), FAKE_OTHER_FD);
}
END_TEST

START_TEST(clone_request)
{
	const int flags = EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK;
	struct evl_element_ids eids;

	init();
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", NULL, flags, &eids),
			 FAKE_THREAD_FD);
	ck_assert_str_eq(fake.clone_name, "x");
	ck_assert_uint_eq(fake.clone_req.clone_flags, (unsigned int)flags);
	ck_assert_uint_eq(fake.clone_req.attrs_ptr, 0);
	ck_assert_uint_eq(fake.clone_req.attrs_len, 0);
	ck_assert_uint_eq(fake.clone_req.reserved[0] | fake.clone_req.reserved[1], 0);
	ck_assert_uint_eq(eids.minor, 7);
	ck_assert_uint_eq(eids.fundle, 9);
	ck_assert_uint_eq(eids.state_offset, fake.state_offset);
}
END_TEST

START_TEST(create_errors)
{
	int attrs;

	init();
	ck_assert_int_eq(evl_create_element("no-class", "x", NULL, 0, NULL), -EINVAL);
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", &attrs, 0, NULL), -EINVAL);
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", NULL, 1, NULL), -EINVAL);
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", NULL, INT_MIN, NULL), -EINVAL);
	fake.clone_status = -EEXIST;
	ck_assert_int_eq(evl_create_element(EVL_THREAD_DEV, "x", NULL, 0, NULL), -EEXIST);
}
END_TEST

START_TEST(open_by_name)
{
	init();
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "%s", "there"), FAKE_OTHER_FD);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "/there"), FAKE_OTHER_FD);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "missing"), -ENOENT);
	ck_assert_str_eq(fake.last_path, "/dev/evl/thread/missing");
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "leaving"), -ENOENT);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "../trace"), -EINVAL);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "/"), -EINVAL);
	ck_assert_int_eq(evl_open_element(EVL_THREAD_DEV, "%*d", EVL_NAME_MAX + 1, 0),
			 -ENAMETOOLONG);
}
END_TEST

START_TEST(raw_path_too_long)
{
	char type[PATH_MAX + 1];

	init();
	memset(type, 'a', PATH_MAX);
	type[PATH_MAX] = '\0';
	ck_assert_int_eq(evl_open_raw(type), -ENAMETOOLONG);
}
END_TEST

START_TEST(shared_state_bounds)
{
	struct evl_element_ids eids = { 0 };
	const size_t size = sizeof(fake.shared);

	init();
	eids.state_offset = (__u32)(size - 64);
	ck_assert_ptr_eq(evl_shared_state(&eids, 64, 8), fake.shared.bytes + size - 64);
	eids.state_offset = (__u32)(size - 56);
	ck_assert_ptr_null(evl_shared_state(&eids, 64, 8));
	eids.state_offset = UINT32_MAX & ~7U;
	ck_assert_ptr_null(evl_shared_state(&eids, 64, 8));
	eids.state_offset = 4;
	ck_assert_ptr_null(evl_shared_state(&eids, 64, 8));
	eids.state_offset = 0;
	ck_assert_ptr_null(evl_shared_state(&eids, size + 8, 8));
}
END_TEST

Suite *element_suite(void)
{
	Suite *s = suite_create("element");
	TCase *tc = tcase_create("devices");

	tcase_add_test(tc, needs_init);
	tcase_add_test(tc, clone_request);
	tcase_add_test(tc, create_errors);
	tcase_add_test(tc, open_by_name);
	tcase_add_test(tc, raw_path_too_long);
	tcase_add_test(tc, shared_state_bounds);
	suite_add_tcase(s, tc);

	return s;
}
