/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_TESTS_TAP_H
#define _EVL_TESTS_TAP_H

#include <linux/types.h>

struct seq_file;

/*
 * Results of a test module: collected in memory, one module one plan, and echoed to the kernel log so that
 * a machine which hangs tells where. In-band, one thread.
 */
bool tap_ok(bool passed, const char *fmt, ...) __printf(2, 3);
void tap_skip(const char *reason, const char *fmt, ...) __printf(2, 3);
void tap_note(const char *fmt, ...) __printf(1, 2);
void tap_show(struct seq_file *m);
unsigned int tap_failures(void);

#endif /* _EVL_TESTS_TAP_H */
