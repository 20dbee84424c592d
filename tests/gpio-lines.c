/* SPDX-License-Identifier: MIT */
/*
 * Lines of a GPIO chip out-of-band, on the wires of tests/kmod/gpio-test.c: 4 drives 5. One argument: the
 * device of the chip, which is removed in the end. Run by tests/latmus-gpio.sh.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <evl/devices/gpio.h>
#include <evl/poll.h>
#include "crew.h"

static struct hand reader;
static int chip, in, out;
static struct gpioevent_data event;

static int request_event(uint32_t line, uint32_t handleflags, uint32_t eventflags)
{
	struct gpioevent_request req = {
		.lineoffset = line, .handleflags = handleflags, .eventflags = eventflags, .consumer_label = "test-in",
	};

	return ioctl(chip, GPIO_GET_LINEEVENT_IOCTL, &req) ? -errno : req.fd;
}

static int request_handle(uint32_t line, uint32_t flags, uint32_t lines)
{
	struct gpiohandle_request req = {
		.lineoffsets = { line }, .flags = flags, .lines = lines, .consumer_label = "test-out",
	};

	return ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &req) ? -errno : req.fd;
}

#define IN	(GPIOHANDLE_REQUEST_INPUT | GPIOHANDLE_REQUEST_OOB)
#define OUT	(GPIOHANDLE_REQUEST_OUTPUT | GPIOHANDLE_REQUEST_OOB)
#define BOTH	GPIOEVENT_REQUEST_BOTH_EDGES

static void test_refusals(void)
{
	t_ok(request_event(5, GPIOHANDLE_REQUEST_INPUT, BOTH) == -EINVAL, "an event line without the flag is refused");
	t_ok(request_event(5, IN | GPIOHANDLE_REQUEST_OUTPUT, BOTH) == -EINVAL, "so is input and output");
	t_ok(request_event(5, IN, 0) == -EINVAL, "no edge");
	t_ok(request_event(8, IN, BOTH) == -EINVAL, "a line there is not");
	t_ok(request_event(4, IN, BOTH) < 0, "a line which is no input");
	t_ok(request_handle(4, GPIOHANDLE_REQUEST_OUTPUT, 1) == -EINVAL, "lines without the flag");
	t_ok(request_handle(4, OUT, 0) == -EINVAL && request_handle(4, OUT, GPIOHANDLES_MAX + 1) == -EINVAL,
	     "no lines, or too many");
	t_ok(ioctl(chip, GPIO_GET_CHIPINFO_IOCTL, NULL) && errno == ENOTTY, "a request which is not for this device");
}

static int set_line(int value)
{
	struct gpiohandle_data data = { .values = { (uint8_t)value } };

	return ioctl(out, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &data) ? -errno : 0;
}

static int do_read(void *arg)
{
	ssize_t ret = oob_read(in, &event, *(size_t *)arg);

	return ret < 0 ? -errno : (int)ret;
}

static int do_level(void *arg)
{
	struct gpiohandle_data data = { };

	return oob_ioctl(in, GPIOHANDLE_GET_LINE_VALUES_IOCTL, &data) ? -errno : data.values[0];
}

static int do_set_input(void *arg)
{
	struct gpiohandle_data data = { };

	return oob_ioctl(in, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &data) ? -errno : 0;
}

static void test_edges(void)
{
	size_t size = sizeof(event), small = sizeof(event) - 1;
	uint64_t before = t_now();

	tell(&reader, do_read, &size);
	pause_ms(50);
	t_ok(reader.done != reader.orders, "a reader waits");
	t_ok(!set_line(1) && outcome_of(&reader) == (int)size && event.id == GPIOEVENT_EVENT_RISING_EDGE,
	     "a rising edge wakes it up");
	t_ok(event.timestamp >= before && event.timestamp <= t_now(), "with its date");
	t_ok(ask(&reader, do_level, NULL) == 1, "the line is high");
	t_ok(!set_line(0) && ask(&reader, do_read, &size) == (int)size && event.id == GPIOEVENT_EVENT_FALLING_EDGE,
	     "a falling one is kept for the reader");
	t_ok(ask(&reader, do_read, &small) == -EINVAL, "a buffer which is too small");
	t_ok(ask(&reader, do_set_input, NULL) == -EPERM, "an input is not set");
}

static void test_overflow(void)
{
	size_t size = sizeof(event);
	int n, got = 0;

	for (n = 0; n < 20; n++)
		set_line(!(n & 1));
	fcntl(in, F_SETFL, O_NONBLOCK);
	while (ask(&reader, do_read, &size) == (int)size)
		got++;
	t_ok(got == 16 && reader.ret == -EAGAIN, "the ring has 16 events, what is more is dropped (%d)", got);
	fcntl(in, F_SETFL, 0);
}

static void test_inband(void)
{
	struct pollfd pfd = { .fd = in, .events = POLLIN };

	t_ok(read(in, &event, sizeof(event)) < 0 && errno == EPERM, "edges are not read in-band");
	t_ok(poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR, "nor waited for");
}

static int do_poll(void *arg)
{
	struct evl_poll_event ev;
	struct timespec date;
	int fd = evl_new_poll(), ret;

	if (fd < 0 || evl_add_pollfd(fd, in, POLLIN, evl_nil))
		return -EINVAL;
	evl_read_clock(EVL_CLOCK_MONOTONIC, &date);
	date.tv_sec += 5;
	ret = evl_timedpoll(fd, &ev, 1, &date);
	close(fd);

	return ret;
}

static void test_poll(void)
{
	tell(&reader, do_poll, NULL);
	pause_ms(50);
	set_line(1);
	t_ok(outcome_of(&reader) == 1, "polling out-of-band sees an edge");
}

static void test_close(void)
{
	size_t size = sizeof(event);

	ask(&reader, do_read, &size);
	tell(&reader, do_read, &size);
	pause_ms(50);
	close(in);
	t_ok(outcome_of(&reader) < 0, "closing evicts the reader (%d)", reader.ret);
	in = request_event(5, IN, BOTH);
	t_ok(in >= 0, "and gives the line back");
	close(in);
}

static void test_removal(void)
{
	size_t size = sizeof(event);

	in = request_event(5, IN, BOTH);
	tell(&reader, do_read, &size);
	pause_ms(50);
	t_ok(in >= 0 && !system("rmmod evl-gpio-test"), "a chip in use out-of-band goes nevertheless");
	t_ok(outcome_of(&reader) == -ENODEV && ask(&reader, do_read, &size) == -ENODEV, "which evicts the reader, for good");
	t_ok(set_line(1) == -ENODEV && ask(&reader, do_level, NULL) == -ENODEV, "lines which are open are gone");
	t_ok(request_event(5, IN, BOTH) == -ENODEV, "and no others to be had");
	close(in);
}

int main(int argc, char *argv[])
{
	chip = open(argc == 2 ? argv[1] : "", O_RDWR | O_CLOEXEC);
	if (chip < 0)
		t_bail("%s: %s", argc == 2 ? argv[1] : "no device given", strerror(errno));
	t_plan(27);
	if (evl_init())
		t_bail("no core");
	test_refusals();
	in = request_event(5, IN, BOTH);
	out = request_handle(4, OUT, 1);
	t_ok(in >= 0 && out >= 0, "two lines");
	t_ok(request_event(5, IN, BOTH) == -EBUSY, "which are in use then");
	hire(&reader, "gpio-reader", 50, 0);
	test_edges();
	test_overflow();
	test_inband();
	test_poll();
	test_close();
	test_removal();
	close(out);
	close(chip);

	return t_end();
}
