/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of GPIO chips through /dev/gpiochip*, in-band. */
#ifndef _EVL_UTILS_GPIO_LINE_H
#define _EVL_UTILS_GPIO_LINE_H

#include <stdbool.h>

enum line_edge { LINE_NO_EDGE, LINE_RISING, LINE_FALLING, LINE_BOTH };

struct line_spec {
	char chip[32];
	unsigned int pin;
	enum line_edge edge;
};

/* CHIP,PIN or, if edges are allowed, CHIP,PIN,rising-edge|falling-edge. False if malformed. */
bool line_parse(const char *text, bool edges, struct line_spec *spec);

/* A descriptor, or -errno. An output starts as it is told. */
int line_open_input(const struct line_spec *spec, const char *consumer);
int line_open_output(const struct line_spec *spec, const char *consumer, bool value);

/* What an error of these means for the user, and what to do. */
const char *line_error(int error);

int line_set(int fd, bool value);		/* 0 or -errno */
int line_await_edge(int fd, int timeout_ms);	/* 1, 0 after so long (-1: none), -errno */

#endif /* _EVL_UTILS_GPIO_LINE_H */
