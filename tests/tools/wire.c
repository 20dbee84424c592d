// SPDX-License-Identifier: GPL-2.0-only
/*
 * property: messages between latmus and a GPIO monitor arrive as they were sent, their fields in network order; what
 * is no message is refused, silence has an end. Needs no core: run by make check.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "../../utils/common/wire.h"
#include "../helpers.h"

static int ends[2];

static void pair_up(void)
{
	struct timeval limit = { .tv_usec = 50000 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		t_bail("socketpair: %s", strerror(errno));
	setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static void part(void)
{
	close(ends[0]);
	close(ends[1]);
}

static bool exchange(const struct wire_message *m, struct wire_message *got)
{
	return !wire_send(ends[0], m) && !wire_receive(ends[1], got) && got->type == m->type;
}

/* What the receiver makes of raw bytes, after which the sender says nothing, or leaves. */
static int verdict(const void *bytes, size_t size, bool leave)
{
	struct wire_message m;
	int ret;

	pair_up();
	if (write(ends[0], bytes, size) != (ssize_t)size)
		t_bail("write: %s", strerror(errno));
	if (leave)
		shutdown(ends[0], SHUT_WR);
	ret = wire_receive(ends[1], &m);
	part();

	return ret;
}

static void test_round_trips(void)
{
	uint64_t cells[3] = { 1, 1ULL << 40, 7 };
	struct wire_message got, config = { .type = WIRE_CONFIG, .config = { 1000, 200, true } },
		ready = { .type = WIRE_READY, .ready = { 20, "0123456789abcdef" } },
		summary = { .type = WIRE_SUMMARY, .summary = { -5, 1 << 30, -(1LL << 40), 1000, 3 } },
		stop = { .type = WIRE_STOP },
		final = { .type = WIRE_FINAL, .final = { 1ULL << 33, 3, cells } },
		error = { .type = WIRE_ERROR, .error = { 9, "no" } };

	pair_up();
	t_ok(exchange(&config, &got) && got.config.period_us == 1000 && got.config.cells == 200 &&
	     got.config.falling, "CONFIG");
	t_ok(exchange(&ready, &got) && got.ready.resolution_ns == 20 &&
	     !strcmp(got.ready.board, "0123456789abcdef"), "READY");
	t_ok(exchange(&summary, &got) && !memcmp(&got.summary, &summary.summary, sizeof(got.summary)),
	     "SUMMARY, signs too");
	t_ok(exchange(&stop, &got), "STOP");
	t_ok(exchange(&final, &got) && got.final.outliers == 1ULL << 33 && got.final.nr_cells == 3 &&
	     !memcmp(got.final.cells, cells, sizeof(cells)), "FINAL");
	free(got.final.cells);
	t_ok(exchange(&error, &got) && got.error.code == 9 && !strcmp(got.error.text, "no"), "ERROR");
	part();
}

static void test_bytes(void)
{
	static const unsigned char wanted[24] = "LMN1\0\1\0\0\0\0\0\14\0\0\3\350\0\0\0\310\0\0\0\0";
	struct wire_message config = { .type = WIRE_CONFIG, .config = { 1000, 200, false } };
	unsigned char bytes[25];

	pair_up();
	wire_send(ends[0], &config);
	t_ok(read(ends[1], bytes, sizeof(bytes)) == 24 && !memcmp(bytes, wanted, 24), "fields are in network order");
	part();
}

static void test_refusals(void)
{
	static const char good[] = "LMN1\0\1\0\0\0\0\0\14\0\0\3\350\0\0\0\310\0\0\0\0";
	char bad[24];
	int wrong = 0, n;

	t_ok(!verdict(good, 24, false), "the pattern is a message");
	t_ok(verdict(good, 20, true) == ECONNRESET && verdict(good, 5, true) == ECONNRESET, "one cut short is not");
	t_ok(verdict(good, 20, false) == ETIMEDOUT && verdict(good, 0, false) == ETIMEDOUT, "silence ends");
	/* Magic, type, flags, length, period 0 and too many cells, edge, filling. */
	static const struct { int at; char value; } spoilt[] = {
		{ 0, 'X' }, { 3, '2' }, { 5, 0 }, { 5, 7 }, { 4, 1 }, { 7, 1 }, { 11, 11 }, { 11, 13 }, { 8, 1 },
		{ 16, 1 }, { 20, 2 }, { 23, 1 },
	};
	for (n = 0; n < (int)(sizeof(spoilt) / sizeof(spoilt[0])); n++) {
		memcpy(bad, good, sizeof(bad));
		bad[spoilt[n].at] = spoilt[n].value;
		if (verdict(bad, sizeof(bad), true) != EPROTO) {
			t_diag("byte %d as %d goes through", spoilt[n].at, spoilt[n].value);
			wrong++;
		}
	}
	t_ok(!wrong, "each field which is wrong is refused");
	t_ok(verdict("LMN1\0\5\0\0\0\0\0\24\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1", 32, true) == EPROTO,
	     "so are cells which are announced but not there");
	t_ok(verdict("LMN1\0\5\0\0\377\377\377\377", 12, true) == EPROTO, "and a length without measure");
}

int main(void)
{
	t_plan(13);
	test_round_trips();
	test_bytes();
	test_refusals();

	return t_end();
}
