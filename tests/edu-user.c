/* SPDX-License-Identifier: MIT */
/*
 * A program on the example driver, module/examples/evl-edu.c, which tests/example-driver.sh has loaded. One
 * argument: the PCI address of the device, which is unbound and bound again.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <evl/devices/edu.h>
#include <evl/poll.h>
#include "crew.h"

static struct hand reader, writer;
static int fd;
static const volatile struct edu_page *page;

struct buffer {
	void *at;
	size_t size;
};

static struct edu_event events[EDU_MAX_EVENTS + 4];
static struct buffer all = { events, sizeof(events) };

/* Requests, made by threads of the core: their result, or the negated errno. */

static int do_read(void *arg)
{
	struct buffer *b = arg;
	ssize_t ret = oob_read(fd, b->at, b->size);

	return ret < 0 ? -errno : (int)ret;
}

struct request {
	unsigned long cmd;
	void *arg;
};

static int do_ioctl(void *arg)
{
	struct request *r = arg;

	return oob_ioctl(fd, r->cmd, r->arg) ? -errno : 0;
}

static int request(unsigned long cmd, void *arg)
{
	struct request r = { cmd, arg };

	return ask(&writer, do_ioctl, &r);
}

static int with_word(unsigned long cmd, uint32_t word)
{
	return request(cmd, &word);
}

/* Raises, and sees the event arrive: the next one cannot run into it. */
static int do_raise(void *arg)
{
	uint32_t serial = page->serial;
	uint64_t end = t_now() + 5 * NSEC_PER_SEC;

	if (oob_ioctl(fd, EDU_OOBIOC_RAISE, arg))
		return -errno;
	while (page->serial == serial && t_now() < end)
		;

	return page->serial == serial + 1 ? 0 : -ETIME;
}

static int raise_bits(uint32_t bits)
{
	return ask(&writer, do_raise, &bits);
}

static int read_events(void)
{
	return ask(&reader, do_read, &all);
}

static void open_device(void)
{
	void *at;

	fd = open(EDU_DEV, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		t_bail(EDU_DEV ": %s", strerror(errno));
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		t_bail("mmap: %s", strerror(errno));
	page = at;
	/* Nobody is to fault on it later. */
	(void)page->serial;
}

static void close_device(void)
{
	const volatile void *at = page;

	close(fd);
	t_ok(page->lost <= page->serial, "the mapping outlives the file");
	munmap((void *)at, 4096);
}

static void test_inband(void)
{
	struct edu_info info = { 0 };
	void *at;
	int ret;

	ret = open(EDU_DEV, O_RDWR);
	t_ok(ret < 0 && errno == EBUSY, "one user at a time");
	ret = ioctl(fd, EDU_IOC_INFO, &info);
	t_ok(!ret && (info.id & 0xff) == 0xed, "in-band: the device is an edu (%#x)", info.id);
	ret = ioctl(fd, EDU_OOBIOC_START, &ret);
	t_ok(ret && errno == ENOTTY, "in-band: no transfers");
	ret = ioctl(fd, EDU_IOC_INFO, (void *)16);
	t_ok(ret && errno == EFAULT, "in-band: bad pointer");
	at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	t_ok(at == MAP_FAILED && errno == EACCES, "mmap: not for writing");
	ret = mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
	t_ok(ret && errno == EACCES, "mmap: not later either");
	at = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	t_ok(at == MAP_FAILED && errno == EINVAL, "mmap: one page");
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
	t_ok(at == MAP_FAILED && errno == EINVAL, "mmap: the first one");
}

static void test_bad_input(void)
{
	struct buffer small = { events, sizeof(events[0]) - 1 };
	int n;

	n = ask(&reader, do_read, &small);
	t_ok(n == -EINVAL, "read: no room for an event (%d)", n);
	n = request(EDU_OOBIOC_START, (void *)16);
	t_ok(n == -EFAULT, "ioctl: bad pointer (%d)", n);
	n = with_word(EDU_OOBIOC_RAISE, 0);
	t_ok(n == -EINVAL, "ioctl: nothing to raise (%d)", n);
	n = with_word(EDU_OOBIOC_RAISE, EDU_STATUS_DONE | 2);
	t_ok(n == -EINVAL, "ioctl: not to be raised by hand (%d)", n);
	n = with_word(EDU_IOC_INFO, 0);
	t_ok(n == -ENOTTY, "ioctl: unknown (%d)", n);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	n = read_events();
	t_ok(n == -EAGAIN, "read: nothing there (%d)", n);
	fcntl(fd, F_SETFL, 0);
	t_ok(!page->serial, "none of it was an event");
}

static void test_events(void)
{
	uint32_t isw, n;
	uint64_t start;
	int ret;

	tell(&reader, do_read, &all);
	is_blocked(&reader);
	isw = t_isw(reader.efd);
	start = t_now();
	ret = with_word(EDU_OOBIOC_START, 10);
	n = (uint32_t)outcome_of(&reader);
	t_ok(!ret && n == sizeof(events[0]) && events[0].status == EDU_STATUS_DONE &&
	     events[0].result == 3628800,
	     "10! is computed, its interrupt wakes up the reader (%u)", events[0].result);
	t_ok(events[0].date > start && events[0].date < t_now() && !events[0].serial,
	     "its date and number are right");
	t_ok(t_isw(reader.efd) == isw, "the reader was out-of-band all the time");

	for (n = 0, ret = 0; n < EDU_MAX_EVENTS + 4; n++)
		ret = ret ?: raise_bits(2U << n);
	t_ok(!ret && page->lost == 4 && page->serial == EDU_MAX_EVENTS + 5,
	     "a full queue loses the latest events (%d, %u)",
	     ret, page->lost);
	ret = read_events();
	for (n = 0; n < EDU_MAX_EVENTS; n++)
		if (events[n].serial != n + 1 || events[n].status != 2U << n)
			break;
	t_ok(ret == (int)(EDU_MAX_EVENTS * sizeof(events[0])) && n == EDU_MAX_EVENTS,
	     "what is there is read at once (%d)", ret);
	raise_bits(4);
	ret = read_events();
	t_ok(ret == sizeof(events[0]) && events[0].serial == EDU_MAX_EVENTS + 5,
	     "the gap shows (%u)", events[0].serial);
}

static struct evl_poll_event polled;
static int set;

static int do_poll(void *unused)
{
	struct timespec date = timespec_of(t_now() + 20 * NSEC_PER_MSEC);

	return evl_timedpoll(set, &polled, 1, &date);
}

static int do_add(void *unused) { return evl_add_pollfd(set, fd, POLLIN, evl_intval(0)); }

static void test_poll(void)
{
	int ret;

	set = evl_new_poll();
	ret = ask(&reader, do_add, NULL);
	t_ok(set >= 0 && !ret, "the file can be polled (%d)", ret);
	ret = ask(&reader, do_poll, NULL);
	t_ok(ret == -ETIMEDOUT, "poll: nothing (%d)", ret);
	raise_bits(8);
	ret = ask(&reader, do_poll, NULL);
	t_ok(ret == 1 && polled.events == POLLIN, "poll: an event (%d, %#x)", ret, polled.events);
	read_events();
	ret = ask(&reader, do_poll, NULL);
	t_ok(ret == -ETIMEDOUT, "poll: it was read (%d)", ret);
}

static void nothing(int sig) { }

/* The ways out of a read which waits. */
static void test_eviction(void)
{
	int ret;

	tell(&reader, do_read, &all);
	is_blocked(&reader);
	pthread_kill(reader.tid, SIGUSR1);
	ret = outcome_of(&reader);
	t_ok(ret == -EINTR, "a signal ends a read (%d)", ret);

	tell(&reader, do_read, &all);
	is_blocked(&reader);
	close_device();
	ret = outcome_of(&reader);
	t_ok(ret == -ENODEV, "so does closing the file (%d)", ret);
	ret = read_events();
	t_ok(ret == -EBADF, "which is no file any more (%d)", ret);
}

static void bind_device(const char *what, const char *address)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/evl-edu/%s", what);
	file = open(path, O_WRONLY);
	if (file < 0 || write(file, address, strlen(address)) < 0)
		t_bail("%s: %s", path, strerror(errno));
	close(file);
}

static void test_unplug(const char *address)
{
	struct edu_info info;
	int ret;

	open_device();
	t_ok(!page->serial && !raise_bits(2), "opened again: a new user");
	ask(&reader, do_add, NULL);
	read_events();
	tell(&reader, do_read, &all);
	is_blocked(&reader);
	bind_device("unbind", address);
	ret = outcome_of(&reader);
	t_ok(ret == -ENODEV, "the device goes: a reader leaves (%d)", ret);
	ret = read_events();
	t_ok(ret == -ENODEV, "no reading (%d)", ret);
	ret = with_word(EDU_OOBIOC_RAISE, 2);
	t_ok(ret == -ENODEV, "no raising (%d)", ret);
	ret = ioctl(fd, EDU_IOC_INFO, &info) ? errno : 0;
	t_ok(ret == ENODEV, "no information (%d)", ret);
	ret = ask(&reader, do_poll, NULL);
	t_ok(ret == 1 && polled.events == (POLLERR | POLLHUP),
	     "pollers are told (%d, %#x)", ret, polled.events);
	t_ok(access(EDU_DEV, F_OK), "no new user");
	close_device();
	bind_device("bind", address);
	open_device();
	t_ok(!raise_bits(2) && read_events() == sizeof(events[0]), "and comes back");
}

int main(int argc, char *argv[])
{
	struct sigaction sa = { .sa_handler = nothing };

	deadline(60);
	t_require_core();
	t_need_cpus(1);
	if (argc != 2)
		t_bail("which device?");
	sigaction(SIGUSR1, &sa, NULL);
	t_plan(38);
	hire(&reader, "edu-reader", 20, t_cpu(0));
	hire(&writer, "edu-writer", 10, t_cpu(0));
	open_device();
	test_inband();
	test_bad_input();
	test_events();
	test_poll();
	test_eviction();
	test_unplug(argv[1]);

	return t_end();
}
