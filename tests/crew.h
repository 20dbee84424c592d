/* SPDX-License-Identifier: MIT */
/*
 * A crew: attached threads which do what the test tells them, one order at a time, and wait for the next one
 * out-of-band. The test itself stays in-band, and may look at them while they are blocked in an order.
 */
#ifndef _TESTS_CREW_H
#define _TESTS_CREW_H

#include "common.h"

struct hand {
	pthread_t tid;
	const char *name;
	int efd;
	int (*volatile order)(void *arg);
	void *arg;
	volatile int ret;
	volatile int hired;
	volatile int orders;	/* given */
	volatile int begun;
	volatile int done;	/* completed */
	volatile int dismissed;
};

static inline void *hand_main(void *arg)
{
	struct hand *h = arg;
	int next = 1;

	h->efd = attach(h->name);
	publish(&h->hired, 1);
	for (;;) {
		while (__atomic_load_n(&h->orders, __ATOMIC_ACQUIRE) < next) {
			if (__atomic_load_n(&h->dismissed, __ATOMIC_ACQUIRE))
				return NULL;
			evl_usleep(300);
		}
		publish(&h->begun, next);
		h->ret = h->order(h->arg);
		publish(&h->done, next++);
	}
}

/* prio 0: weak. */
static inline void hire(struct hand *h, const char *name, int prio, int cpu)
{
	memset(h, 0, sizeof(*h));
	h->name = name;
	h->tid = t_thread(prio, cpu, hand_main, h);
	if (!await(&h->hired, 1))
		t_bail("%s does not attach", name);
}

static inline void tell(struct hand *h, int (*order)(void *arg), void *arg)
{
	h->order = order;
	h->arg = arg;
	publish(&h->orders, h->orders + 1);
}

/* Outcome of the last order; -ETIME if it does not end. */
static inline int outcome_of(struct hand *h)
{
	return await(&h->done, h->orders) ? h->ret : -ETIME;
}

static inline int ask(struct hand *h, int (*order)(void *arg), void *arg)
{
	tell(h, order, arg);
	return outcome_of(h);
}

static inline struct evl_thread_state state_of(struct hand *h)
{
	struct evl_thread_state state = { .state = 0 };

	evl_get_state(h->efd, &state);
	return state;
}

static inline int prio_of(struct hand *h)
{
	return state_of(h).eattrs.sched_priority;
}

/* Is it busy with the last order, and asleep in it? */
static inline bool is_blocked(struct hand *h)
{
	int n;

	for (n = 0; n < 1000; n++) {
		if (h->done == h->orders)
			return false;
		if (h->begun == h->orders && (state_of(h).state & EVL_T_PEND))
			return true;
		pause_ms(1);
	}
	return false;
}

static inline void dismiss(struct hand *h)
{
	publish(&h->dismissed, 1);
	pthread_join(h->tid, NULL);
	close(h->efd);
}

static inline struct timespec in_ms(long ms)
{
	return timespec_of(t_now() + (uint64_t)ms * NSEC_PER_MSEC);
}

#endif /* _TESTS_CREW_H */
