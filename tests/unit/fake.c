/* SPDX-License-Identifier: MIT */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <evl/clock.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include "backend.h"
#include "fake.h"

#define WINDOW_OFFSET	128

struct fake_kernel fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.info.abi_base = EVL_ABI_BASE;
	fake.info.abi_current = EVL_ABI_LEVEL;
	fake.info.shm_size = sizeof(fake.shared);
	fake.clocksource = "tsc";
	fake.state_offset = WINDOW_OFFSET;
	fake.attach_state = EVL_T_INBAND | EVL_T_USER;
	fake.now.tv_sec = 1000;
	fake.now.tv_nsec = 999999000;
}

static struct evl_user_window *window(void)
{
	return (struct evl_user_window *)(fake.shared.bytes + fake.state_offset);
}

void fake_set_inband(bool inband)
{
	if (inband)
		window()->state |= EVL_T_INBAND;
	else
		window()->state &= ~EVL_T_INBAND;
}

const struct fake_call *fake_last(void)
{
	ck_assert_int_gt(fake.nr_calls, 0);

	return &fake.calls[fake.nr_calls - 1];
}

static void attach(void)
{
	ck_assert_int_eq(evl_attach_self("unit"), FAKE_THREAD_FD);
	fake.nr_calls = 0;
	fake.nr_opens = 0;
	fake.nr_closed = 0;
}

void fake_attach_oob(void)
{
	fake_reset();
	attach();
	ck_assert(!evl_is_inband());
}

void fake_attach_weak(void)
{
	fake_reset();
	fake.attach_state |= EVL_T_WEAK;
	attach();
	ck_assert(evl_is_inband());
}

static void record(enum fake_form form, unsigned int nr, long fd, unsigned long request,
		   unsigned long arg)
{
	ck_assert_int_lt(fake.nr_calls, FAKE_MAX_CALLS);
	fake.calls[fake.nr_calls++] = (struct fake_call){
		.form = form, .nr = nr, .fd = fd, .request = request, .arg = arg,
	};
}

struct evl_monitor_state *fake_monitor(void)
{
	return (struct evl_monitor_state *)(fake.shared.bytes + FAKE_MONITOR_OFFSET);
}

static void make_monitor(struct evl_clone_req *req)
{
	const struct evl_monitor_attrs *attrs = (const void *)(uintptr_t)req->attrs_ptr;

	fake.monitor_attrs = *attrs;
	memset(fake_monitor(), 0, sizeof(*fake_monitor()));
	if (attrs->type == EVL_MONITOR_GATE)
		fake_monitor()->gate.ceiling = attrs->initval;
	else
		fake_monitor()->event.value = attrs->initval;
	req->efd = FAKE_MONITOR_FD;
	req->eids.state_offset = FAKE_MONITOR_OFFSET;
}

static int serve_clone(int fd, struct evl_clone_req *req)
{
	fake.clone_req = *req;
	if (req->name_ptr)
		snprintf(fake.clone_name, sizeof(fake.clone_name), "%s",
			 (const char *)(uintptr_t)req->name_ptr);

	if (fake.on_clone)
		fake.on_clone();

	if (fake.clone_status)
		return fake.clone_status;

	if (fd == FAKE_MONITOR_CLONE_FD) {
		make_monitor(req);
		return 0;
	}

	if (fd == FAKE_OTHER_CLONE_FD) {
		req->efd = FAKE_OTHER_FD;
		return 0;
	}

	if (fake.state_offset <= sizeof(fake.shared) - sizeof(struct evl_user_window))
		window()->state = fake.attach_state;
	req->efd = FAKE_THREAD_FD;
	req->eids = (struct evl_element_ids){
		.minor = 7, .fundle = 9, .state_offset = fake.state_offset,
	};

	return 0;
}

int evl_backend_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd == FAKE_PROXY_FD) {
		((struct evl_clone_req *)arg)->efd = FAKE_STREAM_FD;
		return fake.proxy_status;
	}

	record(FAKE_IOCTL, 0, fd, request, (unsigned long)(uintptr_t)arg);

	switch (request) {
	case EVL_CTLIOC_GET_COREINFO:
		*(struct evl_core_info *)arg = fake.info;
		return fake.coreinfo_status;
	case EVL_IOC_CLONE:
		return serve_clone(fd, arg);
	case EVL_MONIOC_BIND:
		*(struct evl_monitor_binding *)arg = (struct evl_monitor_binding){
			.type = fake.monitor_attrs.type,
			.protocol = fake.monitor_attrs.protocol,
			.eids.state_offset = FAKE_MONITOR_OFFSET,
		};
		break;
	case EVL_CLKIOC_NEW_TIMER:
		((struct evl_new_timer_req *)arg)->efd = FAKE_OTHER_FD;
		break;
	}

	return fake.ioctl_status;
}

long evl_backend_oob(unsigned int nr, long fd, long arg1, long arg2)
{
	record(FAKE_OOB, nr, fd, (unsigned long)arg1, (unsigned long)arg2);

	if (nr == sys_evl_ioctl && arg1 == (long)EVL_THRIOC_SWITCH_OOB) {
		if (fake.switch_fails)
			return -EINVAL;
		fake_set_inband(fake.attach_state & EVL_T_WEAK);
	}
	if (nr == sys_evl_ioctl && arg1 == (long)EVL_THRIOC_SWITCH_INBAND)
		fake_set_inband(true);

	return fake.oob_result;
}

int evl_backend_open(const char *path)
{
	if (!strcmp(path, "/dev/evl/proxy/clone"))
		return FAKE_PROXY_FD;

	fake.nr_opens++;
	snprintf(fake.last_path, sizeof(fake.last_path), "%s", path);

	if (!strcmp(path, "/dev/evl/control"))
		return fake.control_status ? fake.control_status : FAKE_CONTROL_FD;
	if (!strcmp(path, "/dev/evl/clock/monotonic"))
		return FAKE_MONOTONIC_FD;
	if (!strcmp(path, "/dev/evl/clock/realtime"))
		return fake.clock_status ? fake.clock_status : FAKE_REALTIME_FD;
	if (!strcmp(path, "/dev/evl/thread/clone"))
		return FAKE_CLONE_FD;
	if (!strcmp(path, "/dev/evl/monitor/clone"))
		return FAKE_MONITOR_CLONE_FD;
	if (!strcmp(path, "/dev/evl/xbuf/clone") || !strcmp(path, "/dev/evl/observable/clone"))
		return FAKE_OTHER_CLONE_FD;
	if (!strcmp(path, "/dev/evl/monitor/public"))
		return fake.open_status ? fake.open_status : FAKE_MONITOR_FD;
	if (!strcmp(path, "/dev/evl/poll"))
		return fake.open_status ? fake.open_status : FAKE_OTHER_FD;
	if (!strcmp(path, "/dev/evl/thread/there") || !strcmp(path, "/dev/evl/trace"))
		return FAKE_OTHER_FD;
	if (!strcmp(path, "/dev/evl/thread/leaving"))
		return -ENXIO;

	return -ENOENT;
}

void evl_backend_close(int fd)
{
	ck_assert_int_ge(fd, FAKE_CONTROL_FD);
	if (fd != FAKE_CLONE_FD && fd != FAKE_MONITOR_CLONE_FD && fd != FAKE_OTHER_CLONE_FD &&
	    fd != FAKE_PROXY_FD && fd != FAKE_STREAM_FD)
		fake.nr_closed++;
}

long evl_backend_transfer(bool write, int fd, void *buf, size_t count)
{
	(void)write;
	(void)fd;
	(void)buf;
	return (long)count;
}

int evl_backend_probe(int fd)
{
	(void)fd;
	return fake.probe_status;
}

int evl_backend_lock_memory(void)
{
	fake.nr_locks++;
	return fake.lock_status;
}

int evl_backend_map(int fd, size_t size, void **addr)
{
	ck_assert_int_eq(fd, FAKE_CONTROL_FD);
	ck_assert_uint_eq(size, sizeof(fake.shared));
	if (fake.map_status)
		return fake.map_status;

	fake.nr_maps++;
	*addr = &fake.shared;

	return 0;
}

void evl_backend_unmap(void *addr, size_t size)
{
	ck_assert_ptr_eq(addr, &fake.shared);
	ck_assert_uint_eq(size, sizeof(fake.shared));
	fake.nr_unmaps++;
}

int evl_backend_gettime(clockid_t clock, struct timespec *ts)
{
	fake.nr_gettime++;
	fake.last_clock = clock;
	*ts = fake.now;

	return 0;
}

int evl_backend_settime(clockid_t clock, const struct timespec *ts)
{
	(void)ts;
	fake.nr_settime++;
	fake.last_clock = clock;

	return clock == CLOCK_MONOTONIC ? -EINVAL : 0;
}

int evl_backend_getres(clockid_t clock, struct timespec *ts)
{
	fake.last_clock = clock;
	ts->tv_sec = 0;
	ts->tv_nsec = 1;

	return 0;
}

int evl_backend_read_line(const char *path, char *buf, size_t size)
{
	(void)path;
	if (!fake.clocksource)
		return -ENOENT;
	snprintf(buf, size, "%s", fake.clocksource);

	return 0;
}
