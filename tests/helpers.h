/* SPDX-License-Identifier: MIT */
/*
 * Support for test programs which run with the core: TAP on standard output, exit status 0 passed,
 * 1 failed, 77 skipped. A program reads:
 *
 *	int main(void)
 *	{
 *		t_deadline(30);		first of all: it forks
 *		t_require_core();
 *		t_need_cpus(2);
 *		t_plan(2);
 *		t_ok(test_boost(), "boost through three locks");
 *		...
 *		return t_end();
 *	}
 *
 * All of them print, hence switch an out-of-band caller in-band: call them from measured threads never.
 */
#ifndef _TESTS_HELPERS_H
#define _TESTS_HELPERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define __t_printf(__fmt, __args)	__attribute__((__format__(__printf__, __fmt, __args)))

/* How many results follow. */
void t_plan(int count);

/* One result; gives cond back. Thread-safe. */
bool t_ok(bool cond, const char *fmt, ...) __t_printf(2, 3);

/* One result which could not be had here. */
void t_skip(const char *fmt, ...) __t_printf(1, 2);

/* A line of explanation. */
void t_diag(const char *fmt, ...) __t_printf(1, 2);

/* Nothing can be tested here: reason, exit. Before t_plan(). */
void t_skip_all(const char *fmt, ...) __t_printf(1, 2) __attribute__((__noreturn__));

/* Going on makes no sense: reason, exit with failure. */
void t_bail(const char *fmt, ...) __t_printf(1, 2) __attribute__((__noreturn__));

/* Exit status: failure if a result was, or if there were not as many as planned. */
int t_end(void) __attribute__((__warn_unused_result__));

/*
 * From here on the program has so many seconds; a hang is a failure. The caller goes on in a child process,
 * which the parent watches: it reports and leaves even if the child cannot be killed.
 */
void t_deadline(unsigned int seconds);

/* evl_init(), or skip if this kernel runs no core; a core which cannot be used is a failure. */
void t_require_core(void);

/* Skip unless so many CPUs of the out-of-band set are usable; t_cpu(n), n < count, numbers them. */
void t_need_cpus(int count);
int t_cpu(int n);

/*
 * A thread on a CPU (-1: wherever the caller may run), SCHED_FIFO at a priority, or SCHED_OTHER for 0. Not
 * attached: fn does this. Bails out if it cannot be created.
 */
pthread_t t_thread(int priority, int cpu, void *(*fn)(void *), void *arg);

/* From here on 0 or 1 descriptors can be opened, those which are open aside; negative: as many as before. */
void t_spare_fds(int count);

/* The caller itself: same settings. */
void t_become(int priority, int cpu);

/* Switches of a thread to in-band, since attachment; bails out if efd is no thread. */
uint32_t t_isw(int efd);

/* CLOCK_MONOTONIC by evl_read_clock(), ns. */
uint64_t t_now(void);

#endif /* _TESTS_HELPERS_H */
