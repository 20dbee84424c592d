/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_KTHREAD_H
#define _EVL_KTHREAD_H

#include "wait.h"

#include <linux/completion.h>

/* A kernel thread of the core. Memory of the caller, until the thread has exited. */
struct evl_kthread {
	struct evl_thread	*thread;	/* NULL once detached; lock of kthread.c */
	void			(*threadfn)(void *arg);
	void			*arg;
	bool			stopping;
	struct completion	exited;
	struct completion	started;
	int			status;		/* of the start */
};

__printf(7, 8)
int __evl_run_kthread(struct evl_kthread *kthread, int cpu, void (*threadfn)(void *arg), void *arg,
		      int priority, int clone_flags, const char *fmt, ...);

/* CPU left to the core: the caller's if it runs there, else its first one. */
#define EVL_KTHREAD_ANYCPU	(-1)

/** evl_run_kthread - start a kernel thread of the core; see __evl_run_kthread() */
#define evl_run_kthread(__kthread, __fn, __arg, __prio, __flags, __fmt, ...)		\
	__evl_run_kthread(__kthread, EVL_KTHREAD_ANYCPU, __fn, __arg, __prio, __flags,	\
			  __fmt, ##__VA_ARGS__)

/** evl_run_kthread_on_cpu - the same, on a given CPU of the core */
#define evl_run_kthread_on_cpu(__kthread, __cpu, __fn, __arg, __prio, __flags, __fmt, ...)	\
	__evl_run_kthread(__kthread, __cpu, __fn, __arg, __prio, __flags, __fmt, ##__VA_ARGS__)

void evl_stop_kthread(struct evl_kthread *kthread);
bool evl_kthread_should_stop(void);
int evl_set_kthread_priority(struct evl_kthread *kthread, int priority);
struct evl_kthread *evl_current_kthread(void);
void evl_lose_kthread(void);

/* period.c */
int evl_set_period(struct evl_clock *clock, ktime_t idate, ktime_t period);
int evl_wait_period(unsigned long *overruns_r);
void evl_init_period(struct evl_thread *thread);

#endif /* _EVL_KTHREAD_H */
