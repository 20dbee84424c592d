/* SPDX-License-Identifier: MIT */
/*
 * Names of elements: formatting, visibility by leading slash, what makes a file name.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

static bool is_file_name(const char *name)
{
	return *name && strcmp(name, ".") && strcmp(name, "..");
}

static void replace_slashes(char *name)
{
	while ((name = strchr(name, '/')))
		*name = '!';
}

int evl_format_name(char name[EVL_NAME_MAX + 1], int *flags, const char *fmt, va_list ap)
{
	char buf[EVL_NAME_MAX + 2];	/* a leading slash is not part of the name */
	const char *start = buf;
	int len;

	if (!fmt)
		return *flags & EVL_CLONE_PUBLIC ? -EINVAL : 0;

	len = vsnprintf(buf, sizeof(buf), fmt, ap);
	if (len < 0)
		return -EINVAL;

	if (*start == '/') {
		*flags |= EVL_CLONE_PUBLIC;
		start++;
		len--;
	}

	if (len > EVL_NAME_MAX)
		return -ENAMETOOLONG;

	if ((*flags & EVL_CLONE_PUBLIC) && strchr(start, '/'))
		return -EINVAL;

	if (!is_file_name(start))
		return -EINVAL;

	memcpy(name, start, (size_t)len + 1);
	replace_slashes(name);

	return 1;
}
