/* SPDX-License-Identifier: MIT */
/*
 * Creating and opening elements: the calls of <evl/sys.h> on devices.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <evl/monitor-abi.h>
#include <evl/proxy-abi.h>
#include <evl/sys.h>
#include <evl/xbuf-abi.h>
#include "internal.h"
#include "backend.h"

#define EVL_ROOT_DIR	"/dev/evl"

/* Classes applications create elements in, and the size of their creation attributes. */
static const struct element_class {
	const char *type;
	size_t attrs_len;
} element_classes[] = {
	{ EVL_MONITOR_DEV, sizeof(struct evl_monitor_attrs) },
	{ EVL_OBSERVABLE_DEV, 0 },
	{ EVL_PROXY_DEV, sizeof(struct evl_proxy_attrs) },
	{ EVL_THREAD_DEV, 0 },
	{ EVL_XBUF_DEV, sizeof(struct evl_xbuf_attrs) },
};

static const struct element_class *find_class(const char *type)
{
	size_t n;

	for (n = 0; n < sizeof(element_classes) / sizeof(element_classes[0]); n++)
		if (!strcmp(type, element_classes[n].type))
			return &element_classes[n];

	return NULL;
}

static int open_device(const char *class, const char *leaf)
{
	char path[PATH_MAX];
	int len;

	len = snprintf(path, sizeof(path), EVL_ROOT_DIR "/%s%s%s",
		       class, *leaf ? "/" : "", leaf);
	if (len < 0)
		return -EINVAL;

	if ((size_t)len >= sizeof(path))
		return -ENAMETOOLONG;

	return evl_backend_open(path);
}

int evl_clone_element(const char *type, const char *name, void *attrs,
		      int clone_flags, struct evl_element_ids *eids)
{
	const struct element_class *class = find_class(type);
	struct evl_clone_req req = { .clone_flags = (__u32)clone_flags };
	int clonefd, ret;

	if (!class || !attrs != !class->attrs_len || (clone_flags & ~EVL_CLONE_MASK))
		return -EINVAL;

	clonefd = open_device(type, "clone");
	if (clonefd < 0)
		return clonefd;

	req.name_ptr = (uintptr_t)name;
	req.attrs_ptr = (uintptr_t)attrs;
	req.attrs_len = (__u32)class->attrs_len;
	ret = evl_backend_ioctl(clonefd, EVL_IOC_CLONE, &req);
	evl_backend_close(clonefd);
	if (ret < 0)
		return ret;

	if (eids)
		*eids = req.eids;

	return req.efd;
}

int evl_create_formatted(const char *type, void *attrs, int flags, int allowed, const char *fmt, va_list ap)
{
	char name[EVL_NAME_MAX + 1];
	int ret = evl_check_core();

	if (ret)
		return ret;

	if (flags & ~allowed)
		return -EINVAL;

	ret = evl_format_name(name, &flags, fmt, ap);
	if (ret < 0)
		return ret;

	return evl_clone_element(type, ret ? name : NULL, attrs, flags, NULL);
}

EVL_API int evl_create_element(const char *type, const char *name, void *attrs,
			       int clone_flags, struct evl_element_ids *eids)
{
	int ret = evl_check_core();

	return ret ? ret : evl_clone_element(type, name, attrs, clone_flags, eids);
}

/* An element to open is public by nature, which is what the rules on names go by. */
EVL_API int evl_open_element_vargs(const char *type, const char *fmt, va_list ap)
{
	int flags = EVL_CLONE_PUBLIC, ret;
	char name[EVL_NAME_MAX + 1];

	ret = evl_check_core();
	if (ret)
		return ret;

	ret = evl_format_name(name, &flags, fmt, ap);
	if (ret < 0)
		return ret;

	/* ENXIO: found, and gone by the time it was opened. */
	ret = open_device(type, name);

	return ret == -ENXIO ? -ENOENT : ret;
}

EVL_API int evl_open_element(const char *type, const char *path, ...)
{
	va_list ap;
	int ret;

	va_start(ap, path);
	ret = evl_open_element_vargs(type, path, ap);
	va_end(ap);

	return ret;
}

EVL_API int evl_open_raw(const char *type)
{
	return open_device(type, "");
}

void *evl_shared_state(const struct evl_element_ids *eids, size_t size, size_t align)
{
	size_t offset = eids->state_offset;

	if (size > evl_core.shared_size || offset > evl_core.shared_size - size || offset % align)
		return NULL;

	return evl_core.shared + offset;
}
