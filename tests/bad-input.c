/* SPDX-License-Identifier: MIT */
/*
 * property: whatever a program hands to the devices and calls of the core, it gets the documented error, and the
 * core stays as it was.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=90
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <evl/control.h>
#include <evl/factory.h>
#include <evl/monitor-abi.h>
#include <evl/proxy-abi.h>
#include <evl/xbuf-abi.h>
#include <evl/devices/latmus.h>
#include <evl/syscall-abi.h>
#include "common.h"

#define NOWHERE		((void *)8)
#define CLONE_DEVICE	"/dev/evl/thread/clone"
#define LATMUS_PERIOD	1000000

static int points;

/* One point: a result as the kernel gives it, -errno or not. */
static void expect(long result, long wanted, const char *what)
{
	points++;
	t_ok(result == wanted, "%s: %s (%ld)", what, wanted < 0 ? strerror((int)-wanted) : "fine", result);
}

static long do_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static long oob_request(int fd, unsigned long request, void *arg)
{
	return oob_call(sys_evl_ioctl, fd, (long)request, (long)(uintptr_t)arg);
}

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		t_bail("%s: %s", path, strerror(errno));

	return fd;
}

static void test_unattached(int control)
{
	char byte;

	/* The kernel asks the core about attached threads only; the library says EPERM beforehand. */
	expect(oob_call(sys_evl_read, control, (long)(uintptr_t)&byte, 1), -EPERM, "oob read by an unattached thread");
	expect(oob_call(sys_evl_ioctl, control, EVL_THRIOC_SWITCH_OOB, 0), -EPERM, "switch oob by an unattached thread");
	expect(oob_read(control, &byte, 1) == -1 ? -errno : 0, -EPERM, "oob_read() by an unattached thread");
	expect(oob_write(control, &byte, 1) == -1 ? -errno : 0, -EPERM, "oob_write() by one");
	expect(oob_ioctl(control, EVL_THRIOC_SWITCH_OOB, 0) == -1 ? -errno : 0, -EPERM, "oob_ioctl() by one");
	expect(oob_call(77, 0, 0, 0), -ENOSYS, "unknown call by an unattached thread");
	expect(do_ioctl(control, EVL_THRIOC_DETACH_SELF, NULL), -EPERM, "detach by an unattached thread");
}

static void test_control(int control)
{
	struct evl_core_info info;
	struct evl_cpu_state req = { .cpu = 0, .state_ptr = 8 };
	void *p;

	expect(do_ioctl(control, EVL_CTLIOC_GET_COREINFO, &info), 0, "core info");
	expect(do_ioctl(control, EVL_CTLIOC_GET_COREINFO, NOWHERE), -EFAULT, "core info to a bad address");
	expect(do_ioctl(control, 0xdead, NULL), -ENOTTY, "unknown request");
	expect(do_ioctl(control, EVL_THRIOC_SWITCH_OOB, NULL), -ENOTTY, "switch oob by ioctl(2)");
	expect(do_ioctl(control, EVL_CTLIOC_GET_CPUSTATE, &req), -EFAULT, "CPU state to a bad address");
	req.reserved = 1;
	expect(do_ioctl(control, EVL_CTLIOC_GET_CPUSTATE, &req), -EINVAL, "CPU state with reserved bits");
	p = mmap(NULL, info.shm_size + 4096, PROT_READ | PROT_WRITE, MAP_SHARED, control, 0);
	expect(p == MAP_FAILED ? -errno : 0, -EINVAL, "mapping too much");
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, control, 4096);
	expect(p == MAP_FAILED ? -errno : 0, -EINVAL, "mapping at an offset");
	expect(read(control, &info, 1) < 0 ? -errno : 0, -EINVAL, "read(2)");
}

static struct evl_clone_req clone_request(const char *name)
{
	return (struct evl_clone_req){ .name_ptr = (uintptr_t)name, .efd = -1 };
}

static void test_clone(void)
{
	int fd = open_device(CLONE_DEVICE);
	struct evl_clone_req req = clone_request("bad-input");
	static char name[400];

	expect(do_ioctl(fd, EVL_IOC_CLONE, NOWHERE), -EFAULT, "clone: bad address");
	req.reserved[0] = 1;
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: reserved member");
	req = clone_request("bad-input");
	req.clone_flags = 0x80000000;
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: unknown flag");
	req = clone_request("bad-input");
	req.attrs_len = 8;
	req.attrs_ptr = 8;
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: attributes of a thread");
	req = clone_request(NOWHERE);
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EFAULT, "clone: name at a bad address");
	req = clone_request("");
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: empty name");
	req = clone_request("..");
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: name '..'");
	req = clone_request("a/b");
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: name with a slash");
	req = clone_request("clone");
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EEXIST, "clone: name 'clone'");
	memset(name, 'n', sizeof(name) - 1);
	req = clone_request(name);
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -ENAMETOOLONG, "clone: endless name");
	req = clone_request(NULL);
	req.clone_flags = EVL_CLONE_PUBLIC;
	expect(do_ioctl(fd, EVL_IOC_CLONE, &req), -EINVAL, "clone: public without a name");
	expect(do_ioctl(fd, 0x1234, NULL), -ENOTTY, "clone: unknown request");
	close(fd);
}

/* Of one class each: request and attributes are fine, but what it made cannot be told. */
static long clone_unwritable(const char *device, const void *attrs, size_t len, const char *name)
{
	struct evl_clone_req *req = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open_device(device);
	long ret;

	*req = clone_request(name);
	req->attrs_ptr = (uintptr_t)attrs;
	req->attrs_len = (uint32_t)len;
	mprotect(req, 4096, PROT_READ);
	ret = do_ioctl(fd, EVL_IOC_CLONE, req);
	munmap(req, 4096);
	close(fd);

	return ret;
}

/* The element goes once, by the failed request; it went again by the file which had been made for it, and the core fell. */
static void test_unwritable_clone(void)
{
	struct evl_monitor_attrs mutex = { .clockfd = (uint32_t)EVL_CLOCK_MONOTONIC, .type = EVL_MONITOR_GATE };
	struct evl_monitor_attrs sem = { .clockfd = (uint32_t)EVL_CLOCK_MONOTONIC, .protocol = EVL_EVENT_COUNT };
	struct evl_proxy_attrs proxy = { .fd = STDOUT_FILENO, .bufsz = 64 };
	struct evl_xbuf_attrs xbuf = { .i_bufsz = 64, .o_bufsz = 64 };
	struct evl_mutex again;
	int efd;

	expect(clone_unwritable("/dev/evl/monitor/clone", &mutex, sizeof(mutex), "unwritable"), -EFAULT, "clone: mutex, read-only request");
	expect(clone_unwritable("/dev/evl/monitor/clone", &sem, sizeof(sem), "unwritable"), -EFAULT, "clone: semaphore, the same");
	expect(clone_unwritable("/dev/evl/proxy/clone", &proxy, sizeof(proxy), "unwritable"), -EFAULT, "clone: proxy");
	expect(clone_unwritable("/dev/evl/xbuf/clone", &xbuf, sizeof(xbuf), "unwritable"), -EFAULT, "clone: cross-buffer");
	expect(clone_unwritable("/dev/evl/observable/clone", NULL, 0, "unwritable"), -EFAULT, "clone: observable");
	expect(clone_unwritable(CLONE_DEVICE, NULL, 0, "unwritable"), -EFAULT, "clone: thread");
	efd = open_device(EVL_CONTROL_DEV);
	expect(do_ioctl(efd, EVL_THRIOC_DETACH_SELF, NULL), -EPERM, "which is not attached");
	close(efd);
	efd = evl_new_mutex(&again, "unwritable");
	expect(efd < 0 ? efd : evl_close_mutex(&again), 0, "the name is free again");
}

static void test_thread(int efd)
{
	struct evl_thread_mode mode = { .mask = EVL_T_WOSS, .oldmask_ptr = 8 };
	struct evl_thread_state state;

	expect(do_ioctl(efd, EVL_THRIOC_GET_STATE, NOWHERE), -EFAULT, "thread state to a bad address");
	expect(do_ioctl(efd, EVL_THRIOC_SET_MODE, &mode), -EFAULT, "old mode to a bad address");
	evl_get_state(efd, &state);
	expect(state.state & EVL_T_WOSS, 0, "nothing changed by that");
	mode = (struct evl_thread_mode){ .mask = EVL_T_PEND };
	expect(do_ioctl(efd, EVL_THRIOC_SET_MODE, &mode), -EINVAL, "a state bit as mode");
	mode = (struct evl_thread_mode){ .mask = EVL_T_WOSS, .reserved = 1 };
	expect(do_ioctl(efd, EVL_THRIOC_SET_MODE, &mode), -EINVAL, "mode with reserved bits");
	mode = (struct evl_thread_mode){ .mask = EVL_T_HMOBS };
	expect(do_ioctl(efd, EVL_THRIOC_SET_MODE, &mode), -EINVAL, "notices without an observable");
	expect(do_ioctl(efd, EVL_THRIOC_SET_SCHEDPARAM, NOWHERE), -EFAULT, "attributes from a bad address");
	expect(do_ioctl(efd, EVL_CLKIOC_GET_TIME, &state), -ENOTTY, "a clock's request to a thread");
	expect(oob_request(efd, EVL_THRIOC_GET_STATE, NOWHERE), -EFAULT, "thread state to a bad address, out-of-band");
}

static void test_transfers(int control)
{
	int null = open_device("/dev/null");
	char byte;

	expect(oob_call(sys_evl_read, -1, (long)(uintptr_t)&byte, 1), -EBADF, "oob read of no file");
	expect(oob_call(sys_evl_read, null, (long)(uintptr_t)&byte, 1), -EBADF, "oob read of a plain file");
	expect(oob_call(sys_evl_read, 100000, (long)(uintptr_t)&byte, 1), -EBADF, "oob read of a far descriptor");
	expect(oob_call(sys_evl_read, control, (long)(uintptr_t)&byte, 1), -EINVAL, "oob read of the control device");
	expect(oob_call(sys_evl_write, control, (long)(uintptr_t)&byte, 1), -EINVAL, "oob write to the control device");
	expect(oob_request(control, 0xdead, NULL), -ENOTTY, "unknown oob request");
	expect(oob_request(control, EVL_THRIOC_DETACH_SELF, NULL), -ENOTTY, "detach out-of-band");
	expect(oob_call(sys_evl_ioctl, 1L << 32 | control, EVL_THRIOC_SWITCH_OOB, 0), 0, "the upper half of a descriptor is ignored");
	expect(oob_call(NR_EVL_SYSCALLS, 0, 0, 0), -ENOSYS, "call number 3");
	expect(oob_call(0x7fffffff, 0, 0, 0), -ENOSYS, "largest call number");
	close(null);
}

static void test_file_calls(int control, int clock)
{
	int null = open_device("/dev/null");
	char byte;

	expect(oob_read(null, &byte, 1) == -1 ? -errno : 0, -EBADF, "oob_read() of a plain file");
	expect(oob_write(null, &byte, 1) == -1 ? -errno : 0, -EBADF, "oob_write() to one");
	expect(oob_ioctl(null, EVL_CLKIOC_SLEEP, 0) == -1 ? -errno : 0, -EBADF, "oob_ioctl() of one");
	close(null);
	expect(oob_read(null, &byte, 1) == -1 ? -errno : 0, -EBADF, "oob_read() of what is closed");
	expect(oob_write(null, &byte, 1) == -1 ? -errno : 0, -EBADF, "oob_write() to it");
	expect(oob_ioctl(null, EVL_CLKIOC_SLEEP, 0) == -1 ? -errno : 0, -EBADF, "oob_ioctl() of it");
	expect(oob_read(control, &byte, 1) == -1 ? -errno : 0, -EINVAL, "oob_read() of the control device");
	expect(oob_write(control, &byte, 1) == -1 ? -errno : 0, -EINVAL, "oob_write() to it");
	expect(oob_ioctl(control, 0xdead, 0) == -1 ? -errno : 0, -ENOTTY, "oob_ioctl() which it does not know");
	expect(oob_ioctl(clock, EVL_CLKIOC_SLEEP, NOWHERE) == -1 ? -errno : 0, -EFAULT, "oob_ioctl() at a bad address");
}

static void test_clocks(int clock)
{
	struct timespec bad = { .tv_nsec = -1 };
	struct evl_new_timer_req req = { .flags = 0x10 };
	uint64_t ticks;
	int tfd;

	expect(do_ioctl(clock, EVL_CLKIOC_SLEEP, &bad), -ENOTTY, "sleep by ioctl(2)");
	expect(oob_request(clock, EVL_CLKIOC_SLEEP, NOWHERE), -EFAULT, "sleep until a bad address");
	expect(oob_request(clock, EVL_CLKIOC_SLEEP, &bad), -EINVAL, "sleep until an ill-formed date");
	expect(do_ioctl(clock, EVL_CLKIOC_SET_TIME, &bad), -EINVAL, "set the monotonic clock");
	expect(do_ioctl(clock, EVL_CLKIOC_GET_TIME, NOWHERE), -EFAULT, "time to a bad address");
	expect(do_ioctl(clock, EVL_CLKIOC_NEW_TIMER, &req), -EINVAL, "timer with unknown flags");
	tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	expect(do_ioctl(tfd, EVL_TFDIOC_SET, NOWHERE), -EFAULT, "timer settings from a bad address");
	set_timer(tfd, t_now() - NSEC_PER_MSEC, 0);
	expect(oob_call(sys_evl_read, tfd, 8, 8), -EFAULT, "expiries to a bad address");
	expect(oob_call(sys_evl_read, tfd, (long)(uintptr_t)&ticks, 7), -EINVAL, "expiries into seven bytes");
	close(tfd);
}

static void test_latmus(void)
{
	struct latmus_setup good = { .type = EVL_LAT_KERN, .priority = 50, .period = LATMUS_PERIOD }, s;
	struct latmus_measurement m;
	struct latmus_result r = { };
	int fd = open(LATMUS_DEV, O_RDWR | O_CLOEXEC);
	uint64_t date = 0;

	if (fd < 0) {
		t_skip("latmus driver: %s", strerror(errno));
		points++;
		return;
	}
#define BAD(member, value, wanted, what)			\
	do {							\
		s = good;					\
		s.member = value;				\
		expect(do_ioctl(fd, EVL_LATIOC_MEASURE, &s), wanted, "latmus: " what);	\
	} while (0)
	BAD(type, 4, -EINVAL, "unknown type");
	BAD(flags, 0x80, -EINVAL, "unknown flag");
	BAD(priority, 0, -EINVAL, "priority 0");
	BAD(priority, 100, -EINVAL, "priority 100");
	BAD(cpu, -1, -EINVAL, "CPU -1");
	BAD(cpu, 100000, -EINVAL, "CPU 100000");
	BAD(period, 10, -EINVAL, "period of 10 ns");
	BAD(period, 2 * NSEC_PER_SEC, -EINVAL, "period of two seconds");
	BAD(hcells, LATMUS_MAX_HCELLS + 1, -EINVAL, "too many cells");
	BAD(hcells, 10, -EINVAL, "cells without width");
	BAD(interval, 1, -EINVAL, "interval below the period");
	BAD(reserved[1], 1, -EINVAL, "reserved member");
#undef BAD
	expect(do_ioctl(fd, EVL_LATIOC_MEASURE, NOWHERE), -EFAULT, "latmus: bad address");
	expect(do_ioctl(fd, EVL_LATIOC_START, NULL), -EAGAIN, "latmus: start without a setup");
	expect(do_ioctl(fd, EVL_LATIOC_FETCH, &m), -ENODATA, "latmus: fetch without a run");
	expect(do_ioctl(fd, EVL_LATIOC_RESULT, &r), -ENODATA, "latmus: result without a run");
	expect(do_ioctl(fd, EVL_LATIOC_STOP, NULL), 0, "latmus: stop without a run");
	expect(oob_request(fd, EVL_LATIOC_PULSE, &date), -EAGAIN, "latmus: pulse without a run");
	expect(oob_request(fd, EVL_LATIOC_PULSE, NOWHERE), -EFAULT, "latmus: pulse from a bad address");
	expect(oob_request(fd, EVL_LATIOC_START, NULL), -ENOTTY, "latmus: start out-of-band");
	expect(do_ioctl(fd, EVL_LATIOC_PULSE, &date), -ENOTTY, "latmus: pulse in-band");
	expect(do_ioctl(fd, EVL_LATIOC_SET_GRAVITY, &(struct latmus_gravity){ .irq = LATMUS_MAX_GRAVITY + 1 }), -EINVAL,
	       "latmus: gravity beyond the limit");
	expect(do_ioctl(fd, EVL_LATIOC_MEASURE, &good), 0, "latmus: a setup");
	expect(oob_request(fd, EVL_LATIOC_PULSE, &date), -EAGAIN, "latmus: pulse for a kernel thread");
	expect(do_ioctl(fd, EVL_LATIOC_START, NULL), 0, "latmus: start");
	expect(do_ioctl(fd, EVL_LATIOC_START, NULL), -EBUSY, "latmus: start twice");
	expect(do_ioctl(fd, EVL_LATIOC_MEASURE, &good), -EBUSY, "latmus: setup of a run in progress");
	expect(do_ioctl(fd, EVL_LATIOC_RESULT, &r), -EBUSY, "latmus: result of a run in progress");
	expect(do_ioctl(fd, EVL_LATIOC_STOP, NULL), 0, "latmus: stop");
	r.reserved[0] = 1;
	expect(do_ioctl(fd, EVL_LATIOC_RESULT, &r), -EINVAL, "latmus: result with reserved bits");
	expect(do_ioctl(fd, EVL_LATIOC_RESULT, NOWHERE), -EFAULT, "latmus: result to a bad address");
	close(fd);
}

/* Requests and addresses made up, from both stages; nothing but survival is expected. */
static void test_noise(int control, int clock, int efd)
{
	int fds[] = { control, clock, efd }, n, tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	long sink = 0;

	srand(4711);
	for (n = 0; n < 20000; n++) {
		int fd = n % 4 == 3 ? tfd : fds[n % 4];
		unsigned long request = (unsigned long)(EVL_IOC_MAGIC << 8 | (rand() & 0x7f)) |
			(unsigned long)(rand() & 3) << 30 | (unsigned long)(rand() % 128) << 16;
		void *arg = (void *)(uintptr_t)((unsigned long)rand() << (rand() % 33));

		if ((request & 0xff) == 0x22)
			continue;	/* would detach */
		sink += n & 1 ? oob_request(fd, request, arg) : do_ioctl(fd, request, arg);
	}
	points++;
	t_ok(sink <= 0 && !evl_switch_oob() && !evl_usleep(1000), "twenty thousand made-up requests were survived");
	close(tfd);
}

int main(void)
{
	int control, clock, efd;

	deadline(80);
	t_require_core();
	control = open_device(EVL_CONTROL_DEV);
	clock = open_device("/dev/evl/clock/monotonic");
	test_unattached(control);
	test_control(control);
	test_clone();
	test_unwritable_clone();
	t_become(20, -1);
	efd = attach("bad-input");
	test_thread(efd);
	test_transfers(control);
	test_file_calls(control, clock);
	test_clocks(clock);
	test_latmus();
	test_noise(control, clock, efd);
	evl_detach_self();
	t_plan(points);

	return t_end();
}
