/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_TESTS_API_TEST_H
#define _EVL_TESTS_API_TEST_H

#include <evl/driver.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include "tap.h"

#define MS	((ktime_t)NSEC_PER_MSEC)

/* A kernel thread of the core which does what the test tells it, out-of-band, one order at a time. */
struct api_hand {
	struct evl_kthread	kthread;
	struct evl_ksem		orders;
	struct completion	done;
	int			(*fn)(void *arg);
	void			*arg;
	int			ret;
};

/* Where the test itself lives, and its hands unless said otherwise: the first CPU of the core. */
extern int api_cpu;
/* Another one, or the same if there is no other. */
extern int api_other_cpu;

/* In-band, from the test. hire() counts a point if it fails. */
bool hire(struct api_hand *h, const char *name, int prio, int cpu);
void dismiss(struct api_hand *h);
void tell(struct api_hand *h, int (*fn)(void *arg), void *arg);
/* -ETIME: it does not come back. */
int outcome(struct api_hand *h);
int ask(struct api_hand *h, int (*fn)(void *arg), void *arg);

/* Waits until a thread sleeps in a call of the core; false: it does not. */
bool asleep(struct evl_kthread *kthread);

/* From an out-of-band interrupt on this CPU, hard off. Any context which is hard on. */
int from_interrupt(int (*fn)(void *arg), void *arg);
/* In-band, interrupts masked. */
int in_masked_section(int (*fn)(void *arg), void *arg);

/* In-band. Waits for @cond, some seconds at most; whether it came true. */
#define comes_true(cond) ({					\
	int __n;						\
	for (__n = 0; __n < 3000 && !(cond); __n++)		\
		usleep_range(500, 1500);			\
	!!(cond);						\
})

static inline void spin_until(ktime_t date)
{
	while (ktime_before(evl_ktime_monotonic(), date))
		cpu_relax();
}

extern struct miscdevice api_device;

void test_thread(void);
void test_stop(void);
void test_period(void);
void test_flag(void);
void test_sem(void);
void test_waitqueue(void);
void test_kmutex(void);
void test_stax(void);
void test_spinlock(void);
void test_timer(void);
void test_clock(void);
void test_work(void);
void test_coremem(void);

#endif /* _EVL_TESTS_API_TEST_H */
