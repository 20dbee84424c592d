/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_THREAD_H
#define _EVL_THREAD_H

#include "element.h"
#include "sched.h"

#include <linux/dovetail.h>

#include <evl/thread-abi.h>

struct evl_kthread;
struct evl_observable;

/* Bits of the state word which keep a thread from running out-of-band. */
#define EVL_T_BLOCKED	(EVL_T_SUSP | EVL_T_PEND | EVL_T_DELAY | EVL_T_WAIT | EVL_T_DORMANT |	\
			 EVL_T_ZOMBIE | EVL_T_INBAND | EVL_T_HALT | EVL_T_PTSYNC)

/* What a wait sets, and a forced unblocking lifts. */
#define EVL_T_ASLEEP	(EVL_T_PEND | EVL_T_DELAY | EVL_T_WAIT)

/* evl_thread.info: outcome of the last wait... */
#define EVL_I_TIMEO	0x01	/* timed out */
#define EVL_I_BREAK	0x02	/* forced out */
#define EVL_I_RMID	0x04	/* the resource has gone */
#define EVL_I_FLUSH	0x08	/* flushed */
#define EVL_I_MOVED	0x200	/* was signalled, and waits for the mutex of the event */
#define EVL_I_SIGNAL	0x400	/* forced out by a kick */
#define EVL_I_OUTCOME	(EVL_I_TIMEO | EVL_I_BREAK | EVL_I_RMID | EVL_I_FLUSH | EVL_I_MOVED | EVL_I_SIGNAL)
/* ...and what is pending. */
#define EVL_I_KICKED	0x10	/* has to go in-band */
#define EVL_I_STOPPED	0x20	/* kernel thread told to stop; sticky */
#define EVL_I_NOWAIT	(EVL_I_KICKED | EVL_I_STOPPED)
#define EVL_I_SYNCPARAM	0x40	/* in-band scheduling parameters are to follow */
#define EVL_I_DEMOTED	0x80	/* kicked on request, not by a signal: no notification */
#define EVL_I_RUNAWAY	0x100	/* kicked by the watchdog */
#define EVL_I_KICK_BITS	(EVL_I_KICKED | EVL_I_DEMOTED | EVL_I_RUNAWAY)

/* Why a waiter is woken up. */
#define EVL_WAKE_GRANT		0
#define EVL_WAKE_BREAK		1
#define EVL_WAKE_REMOVED	2
#define EVL_WAKE_EXPIRED	3
#define EVL_WAKE_FLUSHED	4

/* Number of no diagnostic: a switch to in-band which is wanted. */
#define EVL_HMDIAG_NONE		0

struct evl_thread_stats {
	u32	isw;	/* switches to in-band */
	u32	csw;	/* times it was given the CPU */
	u32	sc;	/* requests to the core */
	u32	rwa;	/* wake-ups sent from another CPU */
	u64	xtime;	/* CPU time, evl_arch_cycles() */
};

/*
 * struct evl_thread - a thread known to the core
 *
 * @state and @info: run queue lock of @rq, for writing; @rq is stable under either the thread lock or the
 * run queue lock. Mode bits are in @state. Statistics are written by the CPU which runs the thread,
 * @stats.rwa under the run queue lock; readers accept a torn view.
 */
struct evl_thread {
	struct evl_element	element;
	struct dovetail_altsched_context altsched;
	pid_t			pid;		/* in the initial namespace */
	struct evl_kthread	*kthread;	/* NULL for application threads */

	hard_spinlock_t		lock;
	struct evl_waitqueue	*wchan;		/* lock; what it waits for */
	struct list_head	wait_next;	/* lock of *wchan */
	unsigned int		nr_waits;	/* lock; in queues, so far */
	bool			deaf;		/* lock; kicks do not end its waits */

	struct evl_rq		*rq;
	u32			state;
	u32			info;
	const struct evl_sched_class *sched_class;	/* rank in effect; this and next three: rq lock */
	int			prio;
	struct evl_rank		base;		/* on request */
	struct list_head	rq_next;
	bool			unbound;	/* runs whatever its class has to say; changes in no queue */
	ktime_t			rr_quantum;
	ktime_t			rr_left;
	struct evl_quota_group	*quota;		/* lock and rq lock; which it is a member of */
	struct list_head	quota_next;
	int			tp_partition;

	struct list_head	gates;		/* lock; those it owns which the core knows of */
	unsigned int		nr_held;	/* lock; of these, how many keep it out-of-band if weak */
	void			*wait_data;	/* lock of *wchan; what it waits for, in particular */

	struct evl_timer	rtimer;		/* limit of its wait; fires on its CPU */
	struct evl_timer	ptimer;		/* periodic timeline, kernel threads */
	bool			period_set;
	unsigned long		releases;	/* not waited for yet; thread lock, as period_set */

	struct irq_work		inband_work;	/* wakes it up in-band */
	struct irq_work		depend_work;	/* tells it that somebody waits for it */
	struct evl_file		*request_file;	/* own; what its request is about, see evl_end_file_use() */
	struct evl_user_window	*window;	/* shared with user space, written only */

	struct evl_observable	*observable;	/* NULL: is none */

	struct evl_thread_stats	stats;
	u64			share_xtime;	/* previous read of the "stats" attribute */
	ktime_t			share_date;

};

extern struct evl_factory evl_thread_factory;

/* The core's area in the current task. Inline: it is on the way of every wake-up. */
static __always_inline struct oob_thread_state *evl_current_state(void)
{
	return &current->dovetail.oob_state;
}

/** evl_current - the core thread which runs, or was interrupted; NULL: none. Any context. */
struct evl_thread *evl_current(void);
struct evl_thread *evl_task_thread(struct task_struct *p);

static inline struct evl_thread *evl_element_thread(struct evl_element *e)
{
	return container_of(e, struct evl_thread, element);
}

/* rq locked: a thread of a metered class which nevertheless runs at once. Changes while it is in no queue only. */
static inline bool evl_is_unbound(const struct evl_thread *thread)
{
	return thread->unbound || thread->info & EVL_I_NOWAIT;
}

static inline bool evl_thread_is_user(const struct evl_thread *thread)
{
	return thread->state & EVL_T_USER;
}

/* thread.c */
int evl_init_thread(struct evl_thread *thread, const char *name, u32 clone_flags,
		    const struct evl_sched_attrs *attrs, int cpu, u32 state);
void evl_cancel_thread(struct evl_thread *thread);
void evl_bind_current(struct evl_thread *thread);
int evl_detach_current(void);
void evl_sync_window(struct evl_thread *thread);
void evl_note_cookie(unsigned int cookie);

/* thread-stage.c */
int evl_switch_oob(void);
int evl_switch_inband(void);
bool evl_visit_inband(void);
void evl_end_visit(bool oob);
void evl_demote_current(int cause);
bool evl_is_inband(void);
void evl_resume_oob_task(struct task_struct *p);
void evl_take_kick(struct evl_thread *curr);
void evl_kick_thread(struct evl_thread *thread, u32 info);
void evl_notify_current(struct evl_thread *curr, int diag);
void evl_report_dependency(struct irq_work *work);

/* wait.c */
int evl_unblock_thread(struct evl_thread *thread, int reason);

/* thread-ctl.c */
void evl_demote_thread(struct evl_thread *thread);
long evl_thread_ioctl(struct file *filp, unsigned int cmd, unsigned long arg);
void evl_get_thread_state(struct evl_thread *thread, struct evl_thread_state *st);
void evl_init_thread_limit(void);

/* thread-sysfs.c */
extern const struct attribute_group *evl_thread_groups[];

#endif /* _EVL_THREAD_H */
