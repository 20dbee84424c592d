/* SPDX-License-Identifier: MIT */
/* Threads of SCHED_QUOTA and SCHED_TP: what the tests of both share. The test itself stays in-band. */
#ifndef _TESTS_METERED_H
#define _TESTS_METERED_H

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "crew.h"

#define BAD_ADDRESS	((void *)16)

/* A thread which counts as long as it may, from the moment it has its policy on. */
struct runner {
	pthread_t tid;
	struct evl_sched_attrs attrs;
	struct evl_mutex *mutex;	/* locked all the time, NULL: none */
	int efd;
	volatile int about;		/* has all but the policy */
	volatile int ret;		/* why it has not */
	volatile int stop;		/* leave the mutex... */
	volatile int unlocked;
	volatile int end;		/* ...go */
	volatile unsigned long laps;
	struct evl_sched_attrs last;	/* what it had when it went */
};

/* Out-of-band; brought in-band, it goes back. */
static inline void count_until(struct runner *r, volatile int *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE)) {
		r->laps++;
		if (evl_is_inband())
			evl_switch_oob();
	}
}

/* With the new policy on the caller may not run any more: somebody else has to look whether it is on. */
static inline int set_and_tell(struct runner *r)
{
	publish(&r->about, 1);
	return evl_set_schedattr(r->efd, &r->attrs);
}

static inline void *runner_main(void *arg)
{
	struct runner *r = arg;
	int ret;

	r->efd = attach("runner");
	evl_switch_oob();
	ret = r->mutex ? evl_lock_mutex(r->mutex) : 0;
	ret = ret ?: set_and_tell(r);
	if (ret)
		publish(&r->ret, ret);
	if (r->mutex) {
		count_until(r, &r->stop);
		evl_unlock_mutex(r->mutex);
		publish(&r->unlocked, 1);
	}
	count_until(r, &r->end);
	evl_get_schedattr(r->efd, &r->last);
	evl_detach_self();
	close(r->efd);

	return NULL;
}

static inline bool has_policy(struct runner *r)
{
	struct evl_sched_attrs attrs;

	return !evl_get_schedattr(r->efd, &attrs) && attrs.sched_policy == r->attrs.sched_policy;
}

/* Returns once it has its policy. */
static inline void start_runner(struct runner *r, int cpu, const struct evl_sched_attrs *attrs, struct evl_mutex *mutex)
{
	memset(r, 0, sizeof(*r));
	r->attrs = *attrs;
	r->mutex = mutex;
	r->tid = t_thread(1, cpu, runner_main, r);
	if (!await(&r->about, 1))
		t_bail("a runner does not attach");
	while (!has_policy(r) && !r->ret)
		pause_ms(1);
	if (r->ret)
		t_bail("runner: %s", strerror(-r->ret));
}

static inline void end_runner(struct runner *r)
{
	struct evl_sched_attrs fifo = { .sched_policy = SCHED_FIFO, .sched_priority = 1 };

	publish(&r->stop, 1);
	publish(&r->end, 1);
	evl_set_schedattr(r->efd, &fifo);
	pthread_join(r->tid, NULL);
}

/* CPU of the core besides that one; -1: none. */
static inline int other_cpu(int cpu)
{
	int nr = (int)sysconf(_SC_NPROCESSORS_ONLN);

	/* Not of the caller's affinity, it may be bound to one. */
	return nr < 2 ? -1 : (cpu + 1) % nr;
}

static inline uint32_t runner_state(struct runner *r)
{
	struct evl_thread_state state = { .state = 0 };

	evl_get_state(r->efd, &state);
	return state.state;
}

/* Ready, out-of-band, and yet it does not get on: two looks, while a CPU is idle enough to let us have them. */
static inline bool stands_still(struct runner *r)
{
	unsigned long laps = r->laps;

	pause_ms(20);
	return r->laps == laps && (runner_state(r) & EVL_T_READY);
}

static inline bool comes_to_a_stop(struct runner *r)
{
	int n;

	for (n = 0; n < 500; n++)
		if (stands_still(r))
			return true;
	return false;
}

static inline bool gets_on(struct runner *r)
{
	unsigned long laps = r->laps;
	int n;

	for (n = 0; n < 1000 && r->laps == laps; n++)
		pause_ms(5);
	return r->laps != laps;
}

/* The fields the policy uses. */
static inline bool same_attrs(const struct evl_sched_attrs *a, const struct evl_sched_attrs *b)
{
	return a->sched_policy == b->sched_policy && a->sched_priority == b->sched_priority &&
		a->sched_quota_group == b->sched_quota_group;
}

static inline bool has_attrs(int efd, const struct evl_sched_attrs *wanted)
{
	struct evl_sched_attrs attrs = { .sched_policy = -1 };
	int ret = evl_get_schedattr(efd, &attrs);

	if (!ret && same_attrs(&attrs, wanted))
		return true;

	t_diag("attributes: %d, policy %d, priority %d, %d", ret, attrs.sched_policy, attrs.sched_priority,
	       attrs.sched_quota_group);
	return false;
}

/* "sched" in sysfs of the thread which has this id. */
static inline bool shows(pid_t pid, const char *name, const char *wanted)
{
	char path[128], line[128] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/virtual/thread/%s:%d/sched", name, pid);
	f = fopen(path, "r");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	if (strstr(line, wanted))
		return true;
	t_diag("%s: %s", path, line);
	return false;
}

static inline int move_to_cpu(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

static volatile int signals;

static inline void count_signal(int signo)
{
	signals++;
}

/* SIGUSR1 leads to count_signal(). */
static inline bool serves_signal(struct runner *r)
{
	int before = signals;

	pthread_kill(r->tid, SIGUSR1);
	return await(&signals, before + 1);
}

/* The caller takes @attrs on @cpu, then goes to the other one. */
static inline bool goes_on_as_fifo_elsewhere(const struct evl_sched_attrs *attrs, int cpu, int other)
{
	struct evl_sched_attrs fifo = { .sched_policy = SCHED_FIFO, .sched_priority = attrs->sched_priority };
	bool passed;
	int ret, efd;

	t_become(attrs->sched_priority, cpu);
	efd = attach("mover");
	ret = evl_set_schedattr(efd, attrs);
	ret = ret ?: move_to_cpu(0, other);
	ret = ret ?: evl_switch_oob();
	passed = !ret && has_attrs(efd, &fifo);
	if (ret)
		t_diag("mover: %d", ret);
	evl_detach_self();
	close(efd);
	t_become(0, -1);

	return passed;
}

/* A block of memory right before a page which nobody may touch. */
static inline void *before_the_wall(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
	char *area = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || mprotect(area + pages * page, page, PROT_NONE))
		t_bail("no memory: %s", strerror(errno));

	return area + pages * page - size;
}

#endif /* _TESTS_METERED_H */
