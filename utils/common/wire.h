/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What latmus and a GPIO monitor say to one another over TCP. All integers are big-endian. Each message has a
 * header: magic "LMN1", type u16, flags u16 (0), length of the payload u32.
 *
 *   CONFIG   to the monitor    period us u32, cells u32, edge u8 (0 rising, 1 falling), 3 bytes of zero
 *   READY    to latmus         resolution of the timer ns u32, name of the board, 16 bytes zero padded
 *   SUMMARY  to latmus         each second: min, max ns i32, sum ns i64, samples u32, missed acknowledges u32
 *   STOP     to the monitor    empty
 *   FINAL    to latmus         outliers u64, cells u32, then a u64 for each cell of 1 us
 *   ERROR    either way        code u32, text
 */
#ifndef _EVL_UTILS_WIRE_H
#define _EVL_UTILS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONITOR_PORT		"2306"
#define WIRE_MAX_CELLS		(1U << 18)
#define WIRE_SILENCE_S		5	/* a peer which says nothing for so long is lost */

enum wire_type { WIRE_CONFIG = 1, WIRE_READY, WIRE_SUMMARY, WIRE_STOP, WIRE_FINAL, WIRE_ERROR };

struct wire_config {
	uint32_t period_us;
	uint32_t cells;
	bool falling;
};

struct wire_ready {
	uint32_t resolution_ns;
	char board[17];
};

struct wire_summary {
	int32_t min, max;
	int64_t sum;
	uint32_t samples;
	uint32_t missed;
};

struct wire_final {
	uint64_t outliers;
	uint32_t nr_cells;
	uint64_t *cells;	/* malloc()ed when it is received */
};

struct wire_error {
	uint32_t code;
	char text[128];
};

struct wire_message {
	enum wire_type type;
	union {
		struct wire_config config;
		struct wire_ready ready;
		struct wire_summary summary;
		struct wire_final final;
		struct wire_error error;
	};
};

/* 0 or an errno value: EPROTO for what is no message, ETIMEDOUT, ECONNRESET if the peer closed. */
int wire_send(int fd, const struct wire_message *m);
int wire_receive(int fd, struct wire_message *m);

#endif /* _EVL_UTILS_WIRE_H */
