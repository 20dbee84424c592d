/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include "internal.h"
#include "suites.h"

static char name[EVL_NAME_MAX + 1];

static int __attribute__((__format__(__printf__, 2, 3))) format(int *flags, const char *fmt, ...)
{
	va_list ap;
	int ret;

	memset(name, '#', sizeof(name));
	va_start(ap, fmt);
	ret = evl_format_name(name, flags, fmt, ap);
	va_end(ap);

	return ret;
}

static int format_private(const char *text)
{
	int flags = EVL_CLONE_PRIVATE;

	return format(&flags, "%s", text);
}

static int format_public(const char *text)
{
	int flags = EVL_CLONE_PUBLIC;

	return format(&flags, "%s", text);
}

START_TEST(expands_arguments)
{
	int flags = EVL_CLONE_NONBLOCK;

	ck_assert_int_eq(format(&flags, "th-%d:%s", 12, "x"), 1);
	ck_assert_str_eq(name, "th-12:x");
	ck_assert_int_eq(flags, EVL_CLONE_NONBLOCK);
}
END_TEST

START_TEST(leading_slash_makes_public)
{
	int flags = EVL_CLONE_PRIVATE;

	ck_assert_int_eq(format(&flags, "/%s", "x"), 1);
	ck_assert_str_eq(name, "x");
	ck_assert_int_eq(flags, EVL_CLONE_PUBLIC);
}
END_TEST

START_TEST(inner_slash)
{
	ck_assert_int_eq(format_public("a/b"), -EINVAL);
	ck_assert_int_eq(format_private("/a/b"), -EINVAL);
	ck_assert_int_eq(format_private("//a"), -EINVAL);
	ck_assert_int_eq(format_private("a/b/"), 1);
	ck_assert_str_eq(name, "a!b!");
}
END_TEST

START_TEST(not_a_file_name)
{
	ck_assert_int_eq(format_private(""), -EINVAL);
	ck_assert_int_eq(format_private("/"), -EINVAL);
	ck_assert_int_eq(format_private("."), -EINVAL);
	ck_assert_int_eq(format_private(".."), -EINVAL);
	ck_assert_int_eq(format_private("/.."), -EINVAL);
	ck_assert_int_eq(format_private("..."), 1);
}
END_TEST

START_TEST(length_limit)
{
	char text[2 * EVL_NAME_MAX];

	memset(text, 'a', sizeof(text));
	text[0] = '/';

	text[EVL_NAME_MAX + 1] = '\0';		/* a slash and a name of just the limit */
	ck_assert_int_eq(format_private(text), 1);
	ck_assert_uint_eq(strlen(name), EVL_NAME_MAX);
	ck_assert_int_eq(format_private(text + 1), 1);
	ck_assert_uint_eq(strlen(name), EVL_NAME_MAX);

	text[EVL_NAME_MAX + 1] = 'a';
	text[EVL_NAME_MAX + 2] = '\0';
	ck_assert_int_eq(format_private(text), -ENAMETOOLONG);
	ck_assert_int_eq(format_private(text + 1), -ENAMETOOLONG);
}
END_TEST

START_TEST(no_format_is_private_only)
{
	int flags = EVL_CLONE_PRIVATE;

	ck_assert_int_eq(format(&flags, NULL), 0);
	flags = EVL_CLONE_PUBLIC;
	ck_assert_int_eq(format(&flags, NULL), -EINVAL);
}
END_TEST

Suite *name_suite(void)
{
	Suite *s = suite_create("name");
	TCase *tc = tcase_create("format");

	tcase_add_test(tc, expands_arguments);
	tcase_add_test(tc, leading_slash_makes_public);
	tcase_add_test(tc, inner_slash);
	tcase_add_test(tc, not_a_file_name);
	tcase_add_test(tc, length_limit);
	tcase_add_test(tc, no_format_is_private_only);
	suite_add_tcase(s, tc);

	return s;
}
