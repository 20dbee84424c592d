/* SPDX-License-Identifier: MIT */
/* Short forms the tests of this folder share, on top of helpers.h. */
#ifndef _TESTS_COMMON_H
#define _TESTS_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <evl/evl.h>
#include <evl/syscall-abi.h>
#include <evl/timer.h>
#include "helpers.h"

/* Thread functions take an argument whether they want it or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

/* Kernels which check everything, in emulation, take their time. */
static inline void deadline(unsigned int seconds)
{
	t_deadline(access("/proc/lockdep", F_OK) ? seconds : seconds * 3);
}

/*
 * What locking memory leaves out, and would demote who touches it first: the stack to come, the pages behind
 * the vDSO's clocks.
 */
static inline void touch_memory(void)
{
	volatile char room[32768];
	size_t n;

	for (n = 0; n < sizeof(room); n += 1024)
		room[n] = 0;
	t_now();
}

/* The caller becomes a thread of the core; the descriptor. Ends the test if it cannot. */
static inline int attach(const char *name)
{
	int efd;

	touch_memory();
	efd = evl_attach_self("%s:%ld", name, syscall(SYS_gettid));
	if (efd < 0)
		t_bail("cannot attach as %s: %s", name, strerror(-efd));

	return efd;
}

/* A call of the core as it is: whatever number, no library in between. Negative: an error code. */
static inline long oob_call(unsigned int nr, long fd, long a, long b)
{
	register long rdx __asm__("rdx") = b;
	long ret = (long)EVL_SYSNR(nr);

	__asm__ volatile("syscall" : "+a" (ret) : "D" (fd), "S" (a), "r" (rdx) : "rcx", "r11", "memory");

	return ret;
}

/* The core's own view of the caller, by a call which leaves the stage alone. */
static inline bool really_oob(int efd)
{
	struct evl_thread_state state;

	return !evl_get_state(efd, &state) && !(state.state & EVL_T_INBAND);
}

static inline struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC) };
}

/* By the clock of the C library, which there is without the core, too. */
static inline uint64_t posix_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static inline int sleep_ns(uint64_t ns)
{
	struct timespec date = timespec_of(t_now() + ns);

	return evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
}

static inline int set_timer(int tfd, uint64_t date, uint64_t interval)
{
	struct itimerspec its = { .it_value = timespec_of(date), .it_interval = timespec_of(interval) };

	return evl_set_timer(tfd, &its, NULL);
}

/* In-band sleep of the test's own thread. */
static inline void pause_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* An element goes with its last reference, which a worker may have for a moment. False: it is there after five seconds. */
static inline bool path_vanishes(const char *path)
{
	int n;

	for (n = 0; n < 500 && !access(path, F_OK); n++)
		pause_ms(10);

	return access(path, F_OK);
}

/* False if the CPU stays as it is. */
static inline bool set_cpu_online(int cpu, bool online)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	done = fd >= 0 && write(fd, online ? "1" : "0", 1) == 1;
	close(fd);

	return done;
}

/* Waits in-band until another thread has set a word; false after some seconds. */
static inline bool await(volatile int *word, int value)
{
	int n;

	for (n = 0; n < 5000 && __atomic_load_n(word, __ATOMIC_ACQUIRE) != value; n++)
		pause_ms(2);

	return __atomic_load_n(word, __ATOMIC_ACQUIRE) == value;
}

static inline void publish(volatile int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Without entering any kernel. */
static inline void spin_ns(uint64_t ns)
{
	uint64_t end = t_now() + ns;

	while (t_now() < end)
		;
}

#endif /* _TESTS_COMMON_H */
