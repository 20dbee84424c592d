// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage switches of threads.
 *
 * To out-of-band, evl_switch_oob(): the task sleeps in-band; when it is off the CPU the kernel calls
 * evl_resume_oob_task(), on the same CPU, which lifts EVL_T_INBAND and reschedules. That hook, not the
 * request, decides where the thread lives: in-band may have moved the task up to the last moment.
 *
 * To in-band, evl_demote_current(): the thread queues in-band work on this CPU, blocks with EVL_T_INBAND and
 * reschedules. The work cannot run before the thread is off the CPU and no other thread wants it, since
 * in-band interrupts wait until then. It hands the task back to in-band, which resumes it inside
 * __evl_schedule(), on whatever CPU it likes.
 *
 * Kicks: a thread which has to come in-band (signal, demotion on request) is marked EVL_I_KICKED, unblocked
 * if it sleeps, and sent an IPI if it runs. Where it looks at the mark:
 *   before it sleeps                        under its lock; wait.c
 *   at the end of a request                 hard off until user mode, so that the IPI waits; syscall.c
 *   at the end of an interrupt in user mode evl_irq_exit(), after rescheduling
 *   when it arrives out-of-band             below
 * The mark is dropped when the thread has come in-band, and no event can raise it any more, and before it
 * leaves in-band, since dovetail_leave_inband() looks for signals by itself.
 */
#include "thread.h"
#include "evl-arch.h"
#include "gate.h"
#include "observable.h"
#include "trace.h"
#include "wait.h"

#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <uapi/linux/sched/types.h>
#include <evl/signal.h>

/* Kicked for which reason, as far as notifications go? */
static int kick_cause(const struct evl_thread *curr)
{
	if (curr->info & EVL_I_RUNAWAY)
		return EVL_HMDIAG_WATCHDOG;

	return curr->info & EVL_I_DEMOTED ? EVL_HMDIAG_NONE : EVL_HMDIAG_SIGDEMOTE;
}

static u32 clear_info(struct evl_thread *thread, u32 bits)
{
	u32 old;

	guard(hard_spinlock_irqsave)(&thread->lock);
	guard(hard_spinlock)(&thread->rq->lock);
	old = thread->info;
	thread->info &= ~bits;

	return old;
}

/* An affinity change may have left the task on a foreign CPU: go to one of ours which it may use. */
static int settle_on_oob_cpu(void)
{
	struct cpumask *mask;
	int ret = -EINVAL;

	if (likely(cpumask_test_cpu(raw_smp_processor_id(), &evl_oob_cpus)))
		return 0;

	mask = kmalloc(cpumask_size(), GFP_KERNEL);
	if (!mask)
		return -ENOMEM;

	if (cpumask_and(mask, current->cpus_ptr, &evl_oob_cpus))
		ret = set_cpus_allowed_ptr(current, mask);
	kfree(mask);

	return ret;
}

/* Just arrived, hard on: is this where the thread may and shall be? */
static int check_arrival(struct evl_thread *curr)
{
	if (unlikely(READ_ONCE(curr->info) & EVL_I_KICKED)) {
		evl_demote_current(kick_cause(curr));
		return -EINTR;
	}

	if (unlikely(!evl_this_rq()->tick_taken)) {
		evl_demote_current(EVL_HMDIAG_NONE);
		return -EINVAL;
	}

	return 0;
}

/**
 * evl_switch_oob - take the current thread to the out-of-band stage
 *
 * In-band, able to sleep; or out-of-band, where it does nothing. 0; -EPERM: no thread of the core; -EINTR:
 * a signal is pending; -EINVAL: the affinity of the task leaves no CPU of the core.
 */
int evl_switch_oob(void)
{
	struct evl_thread *curr = evl_current();
	int ret;

	if (!curr)
		return -EPERM;

	if (running_oob())
		return 0;

	ret = settle_on_oob_cpu();
	if (ret)
		return ret;

	clear_info(curr, EVL_I_KICK_BITS);
	ret = dovetail_leave_inband();
	if (ret) {
		/* The signal may have been announced while we were about to leave. */
		clear_info(curr, EVL_I_KICK_BITS);
		return ret == -ERESTARTSYS ? -EINTR : ret;
	}

	evl_trace(evl_stage, curr, false, EVL_HMDIAG_NONE);
	hard_local_irq_enable();

	return check_arrival(curr);
}
EVL_EXPORT(evl_switch_oob);

/* Hook: @p has left in-band on this CPU. Out-of-band stage, hard off, context of the next in-band task. */
void evl_resume_oob_task(struct task_struct *p)
{
	struct evl_thread *thread = evl_task_thread(p);

	if (WARN_ON_ONCE(!thread))
		return;

	hard_spin_lock(&thread->lock);
	evl_change_rq(thread, evl_this_rq());
	evl_unblock_locked(thread, EVL_T_INBAND, 0);
	evl_sync_window(thread);
	hard_spin_unlock(&thread->lock);

	__evl_schedule();
}

/* The policy or priority was changed while the thread was out-of-band, or from another one. In-band. */
static void sync_inband_params(struct evl_thread *curr)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = READ_ONCE(curr->base.prio),
	};

	if (!attr.sched_priority)
		attr.sched_policy = SCHED_NORMAL;

	if (sched_setattr_nocheck(current, &attr))
		pr_warn_ratelimited("%s/%d: in-band scheduling parameters cannot follow\n",
				    current->comm, task_pid_nr(current));
}

/* The mode bit which asks for a diagnosis; 0: it is for everybody. */
static u32 warning_bit(int diag)
{
	switch (diag) {
	case EVL_HMDIAG_WATCHDOG:
		return 0;
	case EVL_HMDIAG_LKDEPEND:
	case EVL_HMDIAG_LKIMBALANCE:
	case EVL_HMDIAG_LKSLEEP:
		return EVL_T_WOLI;
	case EVL_HMDIAG_STAGEX:
		return EVL_T_WOSX;
	case EVL_HMDIAG_OVERRUN:
		return EVL_T_WOSO;
	default:
		return EVL_T_WOSS;
	}
}

static void notify(struct evl_thread *thread, struct task_struct *p, int diag)
{
	u32 warning = warning_bit(diag), state = READ_ONCE(thread->state);
	struct evl_notice ntc = { .tag = diag };
	struct kernel_siginfo si;

	if (warning && !(state & warning))
		return;

	if (state & EVL_T_HMOBS && thread->observable) {
		evl_post_notice(thread->observable, &ntc, 0);
		evl_schedule();
	}

	/* The watchdog speaks to everybody. */
	if (warning && !(state & EVL_T_HMSIG))
		return;

	clear_siginfo(&si);
	si.si_signo = SIGDEBUG;
	si.si_code = SI_QUEUE;
	si.si_int = (int)(sigdebug_marker | diag);
	send_sig_info(SIGDEBUG, &si, p);
}

/* Tell the current thread about its misfortune, if it cares. In-band. */
void evl_notify_current(struct evl_thread *curr, int diag)
{
	notify(curr, current, diag);
}

/*
 * In-band interrupt: an out-of-band thread waits for a mutex of this one, which is in-band. The task cannot be freed
 * before the handler returns, as RCU has it.
 */
void evl_report_dependency(struct irq_work *work)
{
	struct evl_thread *thread = container_of(work, struct evl_thread, depend_work);

	if (!(READ_ONCE(thread->state) & EVL_T_ZOMBIE) && evl_thread_is_user(thread))
		notify(thread, thread->altsched.task, EVL_HMDIAG_LKDEPEND);
}

/* Block with EVL_T_INBAND and leave the CPU. Hard off on entry; in-band and hard on when it is over. */
static void leave_oob(struct evl_thread *curr)
{
	irq_work_queue(&curr->inband_work);

	hard_spin_lock(&curr->lock);
	evl_block_locked(curr, EVL_T_INBAND);
	evl_sync_window(curr);
	hard_spin_unlock(&curr->lock);

	__evl_schedule();
}

/**
 * evl_demote_current - take the current thread to the in-band stage
 * @cause: EVL_HMDIAG_* to notify it of, EVL_HMDIAG_NONE for a switch it asked for
 *
 * Out-of-band, from a thread, hard interrupts on or off, no lock held. Returns in-band, hard on.
 */
void evl_demote_current(int cause)
{
	struct evl_thread *curr = evl_current();
	bool awaited = curr->state & EVL_T_WOLI && evl_is_awaited(curr);
	u32 info;

	hard_local_irq_disable();

	/* A demotion under a lock of the core is a bug of the caller; get in-band all the same. */
	if (WARN_ON_ONCE(evl_current_state()->preempt_count))
		evl_current_state()->preempt_count = 0;

	curr->stats.isw++;
	evl_trace(evl_stage, curr, true, cause);
	leave_oob(curr);
	evl_assert_inband();

	info = clear_info(curr, EVL_I_KICK_BITS | EVL_I_SYNCPARAM);
	if (info & EVL_I_SYNCPARAM)
		sync_inband_params(curr);
	if (cause != EVL_HMDIAG_NONE)
		evl_notify_current(curr, cause);
	if (awaited)
		evl_notify_current(curr, EVL_HMDIAG_LKDEPEND);
}

/* Come in-band after a kick. */
void evl_take_kick(struct evl_thread *curr)
{
	evl_demote_current(kick_cause(curr));
}

/**
 * evl_switch_inband - take the current thread to the in-band stage
 *
 * Out-of-band, or in-band, where it does nothing. 0, or -EPERM: no thread of the core.
 */
int evl_switch_inband(void)
{
	if (!evl_current())
		return -EPERM;

	if (running_oob())
		evl_demote_current(EVL_HMDIAG_NONE);

	return 0;
}
EVL_EXPORT(evl_switch_inband);

/* For what takes memory or time: go in-band for a while, from either stage, be it as a thread of the core or not. */
bool evl_visit_inband(void)
{
	bool oob = running_oob();

	if (oob)
		evl_demote_current(EVL_HMDIAG_NONE);

	return oob;
}

/* Back to where the caller came from. Not if a signal is pending, which is going to be served on the way out. */
void evl_end_visit(bool oob)
{
	if (oob)
		evl_switch_oob();
}

/** evl_is_inband - is the caller in-band, be it a thread of the core or not? */
bool evl_is_inband(void)
{
	return running_inband();
}
EVL_EXPORT(evl_is_inband);

static struct evl_rq *mark_kicked(struct evl_thread *thread, u32 info)
{
	struct evl_rq *rq;
	bool running;

	guard(hard_spinlock)(&thread->lock);
	rq = thread->rq;
	guard(hard_spinlock)(&rq->lock);
	evl_add_info(thread, info);
	running = rq->curr == thread && !(thread->state & EVL_T_BLOCKED);

	return running ? rq : NULL;
}

/*
 * Have @thread look at @info, EVL_I_KICKED or EVL_I_STOPPED, soon. Any context, in-band locks may be held.
 * The mark of a thread which is in-band for good is stale, and dropped before it matters.
 */
void evl_kick_thread(struct evl_thread *thread, u32 info)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_rq *rq = mark_kicked(thread, info);

	if (rq && rq != evl_this_rq())
		irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(rq->cpu));

	evl_wake_thread(thread, EVL_T_ASLEEP, info & EVL_I_STOPPED ? EVL_I_BREAK : EVL_I_SIGNAL);
	evl_schedule();
	hard_local_irq_restore(flags);
}
