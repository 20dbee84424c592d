// SPDX-License-Identifier: GPL-2.0-only
/* Lines of GPIO chips, in-band. */
#include "gpio-line.h"
#include "tool.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/gpio.h>

#define MAX_PIN	65535

static bool parse_edge(const char *word, enum line_edge *edge)
{
	if (!strcmp(word, "rising-edge"))
		*edge = LINE_RISING;
	else if (!strcmp(word, "falling-edge"))
		*edge = LINE_FALLING;
	else
		return false;

	return true;
}

bool line_parse(const char *text, bool edges, struct line_spec *spec)
{
	size_t chip = strcspn(text, ","), size;
	char pin[16];
	long value;

	*spec = (struct line_spec) { .edge = edges ? LINE_RISING : LINE_NO_EDGE };
	if (!text[chip] || !chip || chip >= sizeof(spec->chip) || memchr(text, '/', chip))
		return false;
	memcpy(spec->chip, text, chip);
	text += chip + 1;
	size = strcspn(text, ",");
	if (size >= sizeof(pin))
		return false;
	memcpy(pin, text, size);
	pin[size] = '\0';
	if (!tool_parse_number(pin, 0, MAX_PIN, &value))
		return false;
	spec->pin = (unsigned int)value;

	return !text[size] || (edges && parse_edge(text + size + 1, &spec->edge));
}

const char *line_error(int error)
{
	switch (error) {
	case EBUSY:
		return "in use; gpioinfo and /sys/kernel/debug/gpio tell by whom";
	case EINVAL:
		return "the chip has no such line, or cannot do this with it; see gpioinfo";
	case ENXIO:
		return "the line has no interrupt, without which there is nothing to wait for";
	case ENOENT:
		return "there is no such chip; see ls /dev/*gpiochip*";
	case EACCES: case EPERM:
		return "not allowed: be root, or of the group of the device";
	default:
		return strerror(error);
	}
}

static int request(const struct line_spec *spec, const char *consumer, uint64_t flags, bool value)
{
	struct gpio_v2_line_request req = {
		.num_lines = 1, .offsets = { spec->pin }, .config = { .flags = flags },
	};
	char path[64];
	int fd, ret;

	if (flags & GPIO_V2_LINE_FLAG_OUTPUT) {
		req.config.num_attrs = 1;
		req.config.attrs[0].mask = 1;
		req.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
		req.config.attrs[0].attr.values = value;
	}
	snprintf(req.consumer, sizeof(req.consumer), "%s", consumer);
	snprintf(path, sizeof(path), "/dev/%s", spec->chip);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &req) ? -errno : req.fd;
	close(fd);

	return ret;
}

int line_open_input(const struct line_spec *spec, const char *consumer)
{
	uint64_t flags = GPIO_V2_LINE_FLAG_INPUT;

	if (spec->edge == LINE_RISING || spec->edge == LINE_BOTH)
		flags |= GPIO_V2_LINE_FLAG_EDGE_RISING;
	if (spec->edge == LINE_FALLING || spec->edge == LINE_BOTH)
		flags |= GPIO_V2_LINE_FLAG_EDGE_FALLING;

	return request(spec, consumer, flags, false);
}

int line_open_output(const struct line_spec *spec, const char *consumer, bool value)
{
	return request(spec, consumer, GPIO_V2_LINE_FLAG_OUTPUT, value);
}

int line_set(int fd, bool value)
{
	struct gpio_v2_line_values values = { .bits = value, .mask = 1 };

	return ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values) ? -errno : 0;
}

int line_await_edge(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct gpio_v2_line_event event;
	int ret = timeout_ms < 0 ? 1 : poll(&pfd, 1, timeout_ms);

	if (ret <= 0)
		return ret ? -errno : 0;

	return read(fd, &event, sizeof(event)) == sizeof(event) ? 1 : -errno;
}
