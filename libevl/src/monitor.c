/* SPDX-License-Identifier: MIT */
/*
 * Creating, opening, closing elements of class "monitor"; activating those which were initialised statically.
 *
 * A descriptor object is live once its magic says so, which is written last, and no longer, which is written first.
 * One lock serialises activations in a process: they are rare, and ordinary system calls.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <evl/sys.h>
#include "monitor.h"

#define MONITOR_FLAGS	(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK)

#define STATE_SHARED	sizeof(struct evl_monitor_state), 64

static pthread_mutex_t activation_lock = PTHREAD_MUTEX_INITIALIZER;

static void set_live(struct __evl_monitor *mon, const struct monitor_kind *kind, int efd,
		     struct evl_monitor_state *state)
{
	mon->efd = efd;
	mon->state = state;
	__atomic_store_n(&mon->magic, kind->magic, __ATOMIC_RELEASE);
}

/* name NULL: made up by the core. */
static int create_named(struct __evl_monitor *mon, const struct monitor_kind *kind, int clockfd,
			unsigned int initval, int flags, const char *name)
{
	struct evl_monitor_attrs attrs = {
		.clockfd = (__u32)evl_clock_descriptor(clockfd),
		.type = kind->type,
		.protocol = kind->protocol,
		.initval = initval,
	};
	struct evl_monitor_state *state;
	struct evl_element_ids eids;
	int efd;

	if (kind->type == EVL_MONITOR_GATE) {
		attrs.protocol = initval ? EVL_GATE_PP : EVL_GATE_PI;
		if (flags & kind->flags)
			attrs.protocol |= EVL_GATE_RECURSIVE;
	}

	efd = evl_clone_element(EVL_MONITOR_DEV, name, &attrs, flags & ~kind->flags, &eids);
	if (efd < 0)
		return efd;

	state = evl_shared_state(&eids, STATE_SHARED);
	if (!state) {
		evl_backend_close(efd);
		return -ENOEXEC;
	}

	set_live(mon, kind, efd, state);

	return efd;
}

int evl_create_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind, int clockfd,
		       unsigned int initval, int flags, const char *fmt, va_list ap)
{
	char name[EVL_NAME_MAX + 1];
	int ret = evl_check_core();

	if (ret)
		return ret;

	if (flags & ~(MONITOR_FLAGS | kind->flags))
		return -EINVAL;

	ret = evl_format_name(name, &flags, fmt, ap);
	if (ret < 0)
		return ret;

	return create_named(mon, kind, clockfd, initval, flags, ret ? name : NULL);
}

static bool is_of_kind(const struct evl_monitor_binding *binding, const struct monitor_kind *kind)
{
	if (binding->type != kind->type)
		return false;

	return kind->type == EVL_MONITOR_GATE || binding->protocol == kind->protocol;
}

int evl_open_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind, const char *fmt, va_list ap)
{
	struct evl_monitor_binding binding;
	struct evl_monitor_state *state = NULL;
	int efd, ret;

	efd = evl_open_element_vargs(EVL_MONITOR_DEV, fmt, ap);
	if (efd < 0)
		return efd;

	ret = evl_backend_ioctl(efd, EVL_MONIOC_BIND, &binding);
	if (!ret && !is_of_kind(&binding, kind))
		ret = -EINVAL;
	if (!ret) {
		state = evl_shared_state(&binding.eids, STATE_SHARED);
		ret = state ? 0 : -ENOEXEC;
	}
	if (ret) {
		evl_backend_close(efd);
		return ret;
	}

	set_live(mon, kind, efd, state);

	return efd;
}

static bool is_static(const struct __evl_monitor *mon, const struct monitor_kind *kind)
{
	return __atomic_load_n(&mon->magic, __ATOMIC_ACQUIRE) == __EVL_STATIC_MAGIC(kind->magic);
}

/* Only one of those who close at the same time does. */
int evl_close_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind)
{
	unsigned int magic = kind->magic, fixed = __EVL_STATIC_MAGIC(kind->magic);
	int efd = mon->efd;

	if (__atomic_compare_exchange_n(&mon->magic, &fixed, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return 0;

	if (!__atomic_compare_exchange_n(&mon->magic, &magic, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EINVAL;

	evl_backend_close(efd);

	return 0;
}

static int create_from_static(struct __evl_monitor *mon, const struct monitor_kind *kind, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = evl_create_monitor(mon, kind, mon->clockfd, mon->initval, mon->flags, fmt, ap);
	va_end(ap);

	return ret;
}

/* In the child of a fork: another thread of the parent may have held the lock when the process was copied. */
void evl_forget_activations(void)
{
	static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

	memcpy(&activation_lock, &unlocked, sizeof(activation_lock));
}

int evl_activate_monitor(struct __evl_monitor *mon, const struct monitor_kind *kind)
{
	int ret = 0;

	if (!is_static(mon, kind))
		return evl_monitor_live(mon, kind) ? 0 : -EINVAL;

	pthread_mutex_lock(&activation_lock);
	if (is_static(mon, kind))
		ret = create_from_static(mon, kind, mon->name ? "%s" : NULL, mon->name);
	pthread_mutex_unlock(&activation_lock);

	return ret < 0 ? ret : 0;
}
