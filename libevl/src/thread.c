/* SPDX-License-Identifier: MIT */
/*
 * Threads: attachment, stages, state, modes.
 *
 * The descriptor an attachment gives belongs to the application, which may close it at any time. What a
 * thread asks about itself therefore goes through the control descriptor.
 */
#include <errno.h>
#include <evl/sys.h>
#include <evl/thread.h>
#include <evl/evl.h>
#include "internal.h"
#include "backend.h"

#define ATTACH_FLAGS	(EVL_CLONE_PUBLIC | EVL_CLONE_OBSERVABLE | \
			 EVL_CLONE_NONBLOCK | EVL_CLONE_UNICAST)

#define STATE_SHARED	sizeof(struct evl_user_window), sizeof(__u64)

__thread struct evl_self evl_self __attribute__((__tls_model__("initial-exec")));

/* The core refuses a request to a file which is no thread with ENOTTY; the API says EBADF. */
static int thread_request(int efd, unsigned long request, void *arg)
{
	int ret = evl_request(efd, request, arg);

	return ret == -ENOTTY ? -EBADF : ret;
}

static int check_attach_flags(int flags)
{
	if (flags & ~ATTACH_FLAGS)
		return -EINVAL;

	if ((flags & EVL_CLONE_UNICAST) && !(flags & EVL_CLONE_OBSERVABLE))
		return -EINVAL;

	return 0;
}

static int detach(void)
{
	int ret;

	ret = evl_backend_ioctl(evl_core.control_fd, EVL_THRIOC_DETACH_SELF, NULL);
	if (ret && ret != -EPERM)
		return ret;

	evl_self.window = NULL;

	return ret;
}

/*
 * Real-time threads begin out-of-band. The core cannot do this in the course of attaching, which is an
 * ordinary system call, and has to return as one.
 */
static int enter_first_stage(void)
{
	if (read_once(evl_self.window->state) & EVL_T_WEAK)
		return 0;

	return evl_self_request(EVL_THRIOC_SWITCH_OOB);
}

static int attach_caller(const char *name, int flags)
{
	struct evl_element_ids eids;
	int efd, ret;

	efd = evl_clone_element(EVL_THREAD_DEV, name, NULL, flags, &eids);
	if (efd < 0)
		return efd;

	evl_self.efd = efd;
	evl_self.fundle = eids.fundle;
	evl_self.window = evl_shared_state(&eids, STATE_SHARED);
	ret = evl_self.window ? enter_first_stage() : -ENOEXEC;
	if (ret) {
		detach();
		evl_backend_close(efd);
		return ret;
	}

	return efd;
}

EVL_API int evl_attach_thread(int flags, const char *fmt, ...)
{
	char name[EVL_NAME_MAX + 1];
	va_list ap;
	int named, ret;

	if (evl_self_attached())
		return -EBUSY;

	ret = check_attach_flags(flags);
	if (ret)
		return ret;

	va_start(ap, fmt);
	named = evl_format_name(name, &flags, fmt, ap);
	va_end(ap);
	if (named < 0)
		return named;

	ret = evl_init();
	if (ret)
		return ret;

	return attach_caller(named ? name : NULL, flags);
}

/* In-band first by a call of the core: leaving the stage is what the caller asked for, no event to notify. */
EVL_API int evl_detach_thread(int flags)
{
	int ret;

	if (flags)
		return -EINVAL;

	ret = evl_switch_inband();

	return ret ? ret : detach();
}

EVL_API int evl_detach_self(void)
{
	return evl_detach_thread(0);
}

EVL_API int evl_get_self(void)
{
	return evl_self_attached() ? evl_self.efd : -EPERM;
}

EVL_API int evl_switch_oob(void)
{
	if (evl_self_attached() && !evl_self_inband())
		return 0;

	return evl_self_request(EVL_THRIOC_SWITCH_OOB);
}

EVL_API int evl_switch_inband(void)
{
	if (evl_self_attached() && evl_self_inband())
		return 0;

	return evl_self_request(EVL_THRIOC_SWITCH_INBAND);
}

EVL_API bool evl_is_inband(void)
{
	return evl_self_inband();
}

EVL_API int evl_get_current_mode(void)
{
	return evl_self_inband() ? EVL_T_INBAND : 0;
}

EVL_API int evl_get_state(int efd, struct evl_thread_state *statebuf)
{
	return thread_request(efd, EVL_THRIOC_GET_STATE, statebuf);
}

EVL_API int evl_unblock_thread(int efd)
{
	return thread_request(efd, EVL_THRIOC_UNBLOCK, NULL);
}

EVL_API int evl_demote_thread(int efd)
{
	return thread_request(efd, EVL_THRIOC_DEMOTE, NULL);
}

static int change_mode(int efd, unsigned long request, int mask, int *oldmask)
{
	struct evl_thread_mode mode = {
		.oldmask_ptr = (uintptr_t)oldmask,
		.mask = (__u32)mask,
	};

	return thread_request(efd, request, &mode);
}

EVL_API int evl_set_thread_mode(int efd, int mask, int *oldmask)
{
	return change_mode(efd, EVL_THRIOC_SET_MODE, mask, oldmask);
}

EVL_API int evl_clear_thread_mode(int efd, int mask, int *oldmask)
{
	return change_mode(efd, EVL_THRIOC_CLEAR_MODE, mask, oldmask);
}

EVL_API int evl_set_schedattr(int efd, const struct evl_sched_attrs *attrs)
{
	return thread_request(efd, EVL_THRIOC_SET_SCHEDPARAM, (void *)attrs);
}

EVL_API int evl_get_schedattr(int efd, struct evl_sched_attrs *attrs)
{
	return thread_request(efd, EVL_THRIOC_GET_SCHEDPARAM, attrs);
}

EVL_API int evl_yield(void)
{
	return evl_self_request(EVL_THRIOC_YIELD);
}
