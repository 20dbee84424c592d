// SPDX-License-Identifier: GPL-2.0-only
/* Messages between latmus and a GPIO monitor. Lengths are checked before anything is believed. */
#include "wire.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_SIZE	12
#define CONFIG_SIZE	12
#define READY_SIZE	20
#define SUMMARY_SIZE	24
#define FINAL_SIZE	12	/* and the cells */
#define ERROR_SIZE	4	/* and the text */

static const unsigned char magic[4] = { 'L', 'M', 'N', '1' };

static void put(unsigned char **p, uint64_t value, int bytes)
{
	while (bytes--)
		*(*p)++ = (unsigned char)(value >> bytes * 8);
}

static uint64_t get(const unsigned char **p, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *(*p)++;

	return value;
}

/* What this side has to say; its length. */
static size_t pack(unsigned char *start, const struct wire_message *m)
{
	unsigned char *p = start;
	uint32_t n;

	switch (m->type) {
	case WIRE_CONFIG:
		put(&p, m->config.period_us, 4);
		put(&p, m->config.cells, 4);
		put(&p, m->config.falling, 1);
		put(&p, 0, 3);
		break;
	case WIRE_READY:
		put(&p, m->ready.resolution_ns, 4);
		memset(p, 0, 16);
		memcpy(p, m->ready.board, strnlen(m->ready.board, 16));
		p += 16;
		break;
	case WIRE_SUMMARY:
		put(&p, (uint32_t)m->summary.min, 4);
		put(&p, (uint32_t)m->summary.max, 4);
		put(&p, (uint64_t)m->summary.sum, 8);
		put(&p, m->summary.samples, 4);
		put(&p, m->summary.missed, 4);
		break;
	case WIRE_STOP:
		break;
	case WIRE_FINAL:
		put(&p, m->final.outliers, 8);
		put(&p, m->final.nr_cells, 4);
		for (n = 0; n < m->final.nr_cells; n++)
			put(&p, m->final.cells[n], 8);
		break;
	case WIRE_ERROR:
		put(&p, m->error.code, 4);
		n = (uint32_t)strnlen(m->error.text, sizeof(m->error.text));
		memcpy(p, m->error.text, n);
		p += n;
		break;
	}

	return (size_t)(p - start);
}

static bool length_fits(unsigned int type, uint32_t length)
{
	switch (type) {
	case WIRE_CONFIG:
		return length == CONFIG_SIZE;
	case WIRE_READY:
		return length == READY_SIZE;
	case WIRE_SUMMARY:
		return length == SUMMARY_SIZE;
	case WIRE_STOP:
		return !length;
	case WIRE_FINAL:
		return length >= FINAL_SIZE && length <= FINAL_SIZE + 8 * WIRE_MAX_CELLS;
	case WIRE_ERROR:
		return length >= ERROR_SIZE && length < ERROR_SIZE + sizeof(((struct wire_error *)0)->text);
	default:
		return false;
	}
}

static int unpack_config(struct wire_config *c, const unsigned char *p)
{
	unsigned int edge;

	c->period_us = (uint32_t)get(&p, 4);
	c->cells = (uint32_t)get(&p, 4);
	edge = (unsigned int)get(&p, 1);
	c->falling = edge == 1;

	if (!c->period_us || !c->cells || c->cells > WIRE_MAX_CELLS || edge > 1 || get(&p, 3))
		return EPROTO;

	return 0;
}

static int unpack_final(struct wire_final *f, const unsigned char *p, uint32_t length)
{
	uint32_t n;

	f->outliers = get(&p, 8);
	f->nr_cells = (uint32_t)get(&p, 4);
	if (f->nr_cells > WIRE_MAX_CELLS || length != FINAL_SIZE + 8 * f->nr_cells)
		return EPROTO;
	f->cells = calloc(f->nr_cells ? f->nr_cells : 1, sizeof(*f->cells));
	if (!f->cells)
		return ENOMEM;
	for (n = 0; n < f->nr_cells; n++)
		f->cells[n] = get(&p, 8);

	return 0;
}

/* The length fits the type. */
static int unpack(struct wire_message *m, const unsigned char *p, uint32_t length)
{
	switch (m->type) {
	case WIRE_CONFIG:
		return unpack_config(&m->config, p);
	case WIRE_READY:
		m->ready.resolution_ns = (uint32_t)get(&p, 4);
		memcpy(m->ready.board, p, 16);
		return 0;
	case WIRE_SUMMARY:
		m->summary.min = (int32_t)get(&p, 4);
		m->summary.max = (int32_t)get(&p, 4);
		m->summary.sum = (int64_t)get(&p, 8);
		m->summary.samples = (uint32_t)get(&p, 4);
		m->summary.missed = (uint32_t)get(&p, 4);
		return 0;
	case WIRE_FINAL:
		return unpack_final(&m->final, p, length);
	case WIRE_ERROR:
		m->error.code = (uint32_t)get(&p, 4);
		memcpy(m->error.text, p, length - ERROR_SIZE);
		return 0;
	default:
		return 0;
	}
}

static int send_all(int fd, const unsigned char *p, size_t size)
{
	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		p += n;
		size -= (size_t)n;
	}

	return 0;
}

/* The time limit is that of the socket. */
static int receive_all(int fd, unsigned char *p, size_t size)
{
	while (size) {
		ssize_t n = recv(fd, p, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		if (!n)
			return ECONNRESET;
		p += n;
		size -= (size_t)n;
	}

	return 0;
}

int wire_send(int fd, const struct wire_message *m)
{
	size_t cells = m->type == WIRE_FINAL ? m->final.nr_cells : 0, length;
	unsigned char *start = malloc(HEADER_SIZE + 256 + 8 * cells), *p = start;
	int ret;

	if (!start)
		return ENOMEM;
	length = pack(start + HEADER_SIZE, m);
	memcpy(p, magic, sizeof(magic));
	p += sizeof(magic);
	put(&p, m->type, 2);
	put(&p, 0, 2);
	put(&p, length, 4);
	ret = send_all(fd, start, HEADER_SIZE + length);
	free(start);

	return ret;
}

int wire_receive(int fd, struct wire_message *m)
{
	unsigned char header[HEADER_SIZE], *payload;
	const unsigned char *p = header + sizeof(magic);
	unsigned int type, flags;
	uint32_t length;
	int ret = receive_all(fd, header, sizeof(header));

	if (ret)
		return ret;
	type = (unsigned int)get(&p, 2);
	flags = (unsigned int)get(&p, 2);
	length = (uint32_t)get(&p, 4);
	if (memcmp(header, magic, sizeof(magic)) || flags || !length_fits(type, length))
		return EPROTO;

	payload = malloc(length + 1U);
	if (!payload)
		return ENOMEM;
	memset(m, 0, sizeof(*m));
	m->type = (enum wire_type)type;
	ret = receive_all(fd, payload, length);
	if (!ret)
		ret = unpack(m, payload, length);
	free(payload);

	return ret;
}
