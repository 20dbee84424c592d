/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of evl-ps: a thread as sysfs shows it, text of its columns. */
#ifndef _EVL_UTILS_PS_H
#define _EVL_UTILS_PS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread_row {
	char name[NAME_MAX + 1];
	char policy[16];
	char wchan[64];
	int cpu, pid, prio;
	uint32_t state;
	unsigned long isw, csw, sys, rwa;
	uint64_t cputime_ns, timeout_ns;
	unsigned int share;	/* per mille of the CPU */
};

/* False if the thread has gone meanwhile. */
bool read_thread(const char *dir, const char *name, struct thread_row *row);

/* All take a buffer of at least 32 bytes, and return it. */
const char *cputime_text(uint64_t ns, char *text, size_t size);
const char *timeout_text(uint64_t ns, char *text, size_t size);
const char *state_text(uint32_t state, char *text, size_t size);

#endif /* _EVL_UTILS_PS_H */
