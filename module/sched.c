// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduler: a run queue per CPU, classes behind an operations table.
 *
 * Lock order: thread lock > run queue lock > timer base lock; two run queues by CPU number.
 *
 * A thread only ever runs on the CPU of its run queue, and changes run queue only while it is in-band.
 * That is why no lock has to be held across a context switch: whoever wakes the thread which is being
 * switched out, from wherever, can do no more than put it into this CPU's queue, which nobody looks at
 * before the switch is over, since hard interrupts stay off on this CPU until then.
 *
 * "resched" tells that rq->curr may no longer be the right thread. It is set under the lock; the one who
 * turns it on for another CPU sends the IPI, so that there is one IPI for any number of wake-ups. The CPU
 * which finds it set while it may not switch (in an interrupt, or preemption held back) leaves it set; the
 * end of that section looks again.
 *
 * Wake versus sleep: a thread which goes to sleep sets its blocking bit under its thread lock and the
 * run queue lock, and only then calls __evl_schedule(). A wake-up which comes in between clears the bit and
 * makes the thread ready although it is still rq->curr; __evl_schedule() finds it in the queue and may
 * pick it again at once. No wake-up is lost, no thread is queued twice: EVL_T_READY says whether it is.
 */
#include "evl-arch.h"
#include "rank.h"
#include "sched.h"
#include "thread.h"
#include "wait.h"
#include "tick.h"
#include "trace.h"
#include "watchdog.h"

#include <linux/interrupt.h>
#include <linux/slab.h>

DEFINE_PER_CPU(struct evl_rq *, evl_rqs);

/* By descending rank. The last one always has a thread to offer. */
static const struct evl_sched_class * const sched_classes[] = {
	&evl_sched_fifo,
	&evl_sched_tp,
	&evl_sched_quota,
	&evl_sched_weak,
	&evl_sched_idle,
};

bool evl_outranks(const struct evl_thread *a, const struct evl_thread *b)
{
	if (a->sched_class != b->sched_class)
		return a->sched_class->rank > b->sched_class->rank;

	return a->prio > b->prio;
}

/* rq locked. */
void evl_set_resched(struct evl_rq *rq)
{
	if (rq->resched)
		return;

	rq->resched = true;
	if (rq != evl_this_rq())
		irq_send_oob_ipi(RESCHEDULE_OOB_IPI, cpumask_of(rq->cpu));
}

/* rq locked. */
static void add_tail(struct evl_rq *rq, struct evl_thread *thread)
{
	thread->sched_class->add_tail(rq, thread);
	thread->state |= EVL_T_READY;
}

/*
 * rq locked. The current thread as well may be in the queue, from the moment somebody moves it there until
 * its CPU reschedules.
 */
static void dequeue(struct evl_rq *rq, struct evl_thread *thread)
{
	if (!(thread->state & EVL_T_READY))
		return;

	thread->sched_class->del(rq, thread);
	thread->state &= ~EVL_T_READY;
}

/* rq locked; @thread is neither blocked nor ready. */
void evl_make_ready(struct evl_rq *rq, struct evl_thread *thread)
{
	struct evl_thread *curr = rq->curr;

	add_tail(rq, thread);

	if (!(curr->state & EVL_T_BLOCKED) && !evl_outranks(thread, curr))
		return;

	evl_set_resched(rq);
}

/* Make the current thread wait for @mask; thread locked. It leaves the CPU with __evl_schedule(). */
void evl_block_locked(struct evl_thread *thread, u32 mask)
{
	struct evl_rq *rq = thread->rq;

	hard_spin_lock(&rq->lock);
	dequeue(rq, thread);
	thread->info &= ~EVL_I_OUTCOME;
	thread->state |= mask;
	rq->resched = true;
	hard_spin_unlock(&rq->lock);
}

/* Lift @mask, noting why in @info; thread locked. Runs at the next rescheduling if nothing else blocks it. */
void evl_unblock_locked(struct evl_thread *thread, u32 mask, u32 info)
{
	struct evl_rq *rq = thread->rq;

	hard_spin_lock(&rq->lock);
	thread->state &= ~mask;
	thread->info |= info;
	if (!(thread->state & (EVL_T_BLOCKED | EVL_T_READY))) {
		if (rq != evl_this_rq())
			thread->stats.rwa++;
		evl_make_ready(rq, thread);
	}
	hard_spin_unlock(&rq->lock);
}

/*
 * rq locked: events are pending for @thread. A thread which waits for its budget, or its window, does so no more if
 * they make it unbound.
 */
void evl_add_info(struct evl_thread *thread, u32 info)
{
	struct evl_rq *rq = thread->rq;
	bool requeue = thread->state & EVL_T_READY && thread->sched_class->metered;

	if (requeue)
		dequeue(rq, thread);
	thread->info |= info;
	if (requeue)
		evl_make_ready(rq, thread);
}

static struct evl_thread *pick_next(struct evl_rq *rq)
{
	const struct evl_sched_class * const *p = sched_classes;
	struct evl_thread *next;

	do
		next = (*p++)->pick(rq);
	while (!next);

	next->state &= ~EVL_T_READY;

	return next;
}

/* A slice only shrinks while its owner runs. */
static void stop_slice(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_stop_timer(&rq->rr_timer);
	thread->rr_left = evl_get_stopped_timer_delta(&rq->rr_timer);
}

static void start_slice(struct evl_rq *rq, struct evl_thread *thread)
{
	if (thread->rr_left <= 0)
		thread->rr_left = thread->rr_quantum;
	evl_start_timer(&rq->rr_timer, ktime_add_safe(evl_ktime_monotonic(), thread->rr_left), 0);
}

/* @thread keeps the CPU, maybe with a slice which has ended, or has just begun to matter. */
static void renew_slice(struct evl_rq *rq, struct evl_thread *thread)
{
	if (thread->state & EVL_T_RRB && !READ_ONCE(rq->rr_timer.queued))
		start_slice(rq, thread);
}

/* rq locked: the CPU goes from @prev to @next. */
static void hand_over(struct evl_rq *rq, struct evl_thread *prev, struct evl_thread *next)
{
	u64 now = evl_arch_cycles();

	prev->stats.xtime += now - rq->switch_date;
	rq->switch_date = now;
	next->stats.csw++;
	rq->curr = next;

	if (prev->state & EVL_T_ROOT)
		rq->inband_preempted = now;
	else if (next->state & EVL_T_ROOT)
		evl_resume_inband_tick(rq);
	if (prev->state & EVL_T_RRB)
		stop_slice(rq, prev);
	if (next->state & EVL_T_RRB)
		start_slice(rq, next);
	if (unlikely(rq->quota.running != next->quota))
		evl_meter_quota(rq, next->quota);
}

static bool may_switch(struct evl_rq *rq)
{
	return !rq->in_irq && !evl_current_state()->preempt_count;
}

/*
 * Apply pending decisions. Out-of-band stage, hard off, no lock held. Returns hard off on the out-of-band
 * stage, except to a thread which went in-band: that one returns when in-band resumes it, hard on.
 */
void __evl_schedule(void)
{
	struct evl_rq *rq = evl_this_rq();
	struct evl_thread *prev, *next;

	evl_assert_oob();
	evl_assert_hard_off();

	if (!may_switch(rq))
		return;

	hard_spin_lock(&rq->lock);

	if (!rq->resched) {
		hard_spin_unlock(&rq->lock);
		return;
	}

	rq->resched = false;
	prev = rq->curr;
	if (!(prev->state & (EVL_T_BLOCKED | EVL_T_READY | EVL_T_ROOT))) {
		prev->sched_class->add_head(rq, prev);
		prev->state |= EVL_T_READY;
	}

	next = pick_next(rq);
	if (next == prev) {
		renew_slice(rq, prev);
		if (next->state & EVL_T_ROOT)
			evl_resume_inband_tick(rq);
		hard_spin_unlock(&rq->lock);
		return;
	}

	hand_over(rq, prev, next);
	hard_spin_unlock(&rq->lock);

	evl_trace(evl_switch, prev, next);

	if (dovetail_context_switch(&prev->altsched, &next->altsched, prev->state & EVL_T_ROOT))
		dovetail_resume_inband();
}

static int schedule_call(void *arg)
{
	__evl_schedule();
	return 0;
}

/**
 * evl_schedule - apply pending scheduling decisions of this CPU
 *
 * Any context. In-band, the CPU escalates to the out-of-band stage. In an interrupt, or with preemption
 * held back, the decision stays pending until the end of that section.
 */
void evl_schedule(void)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_rq *rq = evl_this_rq();

	if (READ_ONCE(rq->resched) && may_switch(rq)) {
		if (running_oob())
			__evl_schedule();
		else
			run_oob_call(schedule_call, NULL);
	}

	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_schedule);

/**
 * evl_disable_preempt - hold back rescheduling for the current thread
 *
 * Nests. Interrupts still come, and may preempt in the sense of running handlers.
 */
void evl_disable_preempt(void)
{
	evl_current_state()->preempt_count++;
	barrier();
}
EVL_EXPORT(evl_disable_preempt);

/** evl_enable_preempt - end of evl_disable_preempt(); the outermost one reschedules if need be */
void evl_enable_preempt(void)
{
	barrier();
	if (!--evl_current_state()->preempt_count)
		evl_schedule();
}
EVL_EXPORT(evl_enable_preempt);

/* The current thread goes behind its peers. Out-of-band. */
void evl_yield(void)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_rq *rq = evl_this_rq();
	struct evl_thread *curr;

	hard_spin_lock(&rq->lock);
	curr = rq->curr;
	if (curr->state & EVL_T_RRB)
		curr->rr_left = 0;
	dequeue(rq, curr);
	add_tail(rq, curr);
	rq->resched = true;
	hard_spin_unlock(&rq->lock);

	__evl_schedule();
	hard_local_irq_restore(flags);
}

/* End of a time slice: context H. */
static void rr_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, rr_timer);
	struct evl_thread *curr;

	hard_spin_lock(&rq->lock);
	curr = rq->curr;
	if (curr->state & EVL_T_RRB && !(curr->state & (EVL_T_BLOCKED | EVL_T_READY))) {
		curr->rr_left = 0;
		add_tail(rq, curr);
		evl_set_resched(rq);
	}
	hard_spin_unlock(&rq->lock);
}

const struct evl_sched_class *evl_find_sched_class(int policy)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return &evl_sched_fifo;
	case SCHED_WEAK:
		return &evl_sched_weak;
	case SCHED_QUOTA:
		return evl_quota_period_ms ? &evl_sched_quota : NULL;
	case SCHED_TP:
		return evl_tp_partitions ? &evl_sched_tp : NULL;
	default:
		return NULL;
	}
}

/* rq locked, @thread in no queue of it. */
static void set_rank(struct evl_thread *thread, const struct evl_rank *rank)
{
	thread->sched_class = rank->class;
	thread->prio = rank->prio;
	thread->unbound = rank->unbound;
	thread->state &= ~EVL_T_BOOST;
	if (rank->class != thread->base.class || rank->prio != thread->base.prio || rank->unbound)
		thread->state |= EVL_T_BOOST;
}

int evl_check_sched_attrs(const struct evl_sched_attrs *attrs)
{
	const struct evl_sched_class *class = evl_find_sched_class(attrs->sched_policy);

	return class ? class->check(attrs) : -EINVAL;
}

/* thread and rq locked, @thread in no queue. A rank lent by a mutex outranks the new base one, or is dropped. */
static void apply_attrs(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	struct evl_rank rank;

	if (thread->base.class->leave)
		thread->base.class->leave(thread);
	thread->state &= ~(EVL_T_WEAK | EVL_T_RRB);
	thread->base.class = evl_find_sched_class(attrs->sched_policy);
	thread->base.class->set(thread, attrs);
	thread->base.prio = attrs->sched_priority;
	rank = evl_wanted_rank(thread);
	set_rank(thread, &rank);
	if (evl_thread_is_user(thread))
		thread->info |= EVL_I_SYNCPARAM;
}

/* thread and rq locked. */
static int admit(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	const struct evl_sched_class *class = evl_find_sched_class(attrs->sched_policy);

	/* On its way out, it has left its class for good. */
	if (thread->state & EVL_T_ZOMBIE)
		return -ESTALE;

	return class->admit ? class->admit(thread, attrs) : 0;
}

/*
 * thread locked, attributes checked. A running thread is rescheduled at once, which settles its slice as well. 0,
 * -EINVAL or -ESTALE.
 */
int evl_change_attrs_locked(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	struct evl_rq *rq = thread->rq;
	bool running;
	int ret;

	guard(hard_spinlock)(&rq->lock);

	ret = admit(thread, attrs);
	if (ret)
		return ret;

	dequeue(rq, thread);
	running = thread == rq->curr;
	if (running && thread->state & EVL_T_RRB)
		stop_slice(rq, thread);

	apply_attrs(thread, attrs);

	if (!(thread->state & EVL_T_BLOCKED)) {
		evl_make_ready(rq, thread);
		if (running)
			evl_set_resched(rq);
	}

	return 0;
}

/**
 * evl_set_sched_attrs - change policy and base priority
 * @thread: any thread, on any stage
 * @attrs: what to change to
 *
 * Any context but interrupts. The thread joins the tail of its new level, both in the run queue and in the
 * queue it may be waiting in. Returns 0, or -EINVAL or -ESTALE, in which case nothing has changed.
 */
int evl_set_sched_attrs(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	unsigned long flags;
	int ret = evl_check_sched_attrs(attrs);

	if (ret)
		return ret;

	flags = hard_local_irq_save();

	hard_spin_lock(&thread->lock);
	ret = evl_change_attrs_locked(thread, attrs);
	hard_spin_unlock(&thread->lock);

	if (!ret) {
		evl_follow_rank(evl_requeue_waiter(thread));
		evl_schedule();
	}

	hard_local_irq_restore(flags);

	return ret;
}

/* Base attributes; the bytes which the policy does not use are zero. */
void evl_get_sched_attrs(struct evl_thread *thread, struct evl_sched_attrs *attrs)
{
	memset(attrs, 0, sizeof(*attrs));

	guard(hard_spinlock_irqsave)(&thread->lock);
	attrs->sched_priority = thread->base.prio;
	thread->base.class->get(thread, attrs);
}

/*
 * Have @thread, which is locked, run at @rank from now on. A thread which is ready joins the tail of its new
 * level; the running one stays in front of those of its new level.
 */
void evl_apply_rank(struct evl_thread *thread, const struct evl_rank *rank)
{
	struct evl_rq *rq = thread->rq;
	bool ready;

	guard(hard_spinlock)(&rq->lock);
	ready = thread->state & EVL_T_READY;
	dequeue(rq, thread);
	set_rank(thread, rank);
	evl_trace(evl_rank, thread);
	if (ready)
		evl_make_ready(rq, thread);
	if (thread == rq->curr && !(thread->state & EVL_T_BLOCKED))
		evl_set_resched(rq);
}

static void lock_both(struct evl_rq *a, struct evl_rq *b)
{
	if (a->cpu > b->cpu)
		swap(a, b);

	hard_spin_lock(&a->lock);
	hard_spin_lock(&b->lock);
}

/*
 * thread and rq locked, the thread is in-band: it is not going to live here any more. Groups and partitions are of one
 * CPU, and nobody takes them along: the thread goes on as SCHED_FIFO.
 */
void evl_leave_cpu(struct evl_thread *thread)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = thread->base.prio };

	if (thread->base.class->metered)
		apply_attrs(thread, &attrs);
}

/*
 * Make @thread live on another CPU; thread locked, hard off. It is in-band, as seen by the core: blocked
 * and in no queue, its wait timer stopped. A remote wake-up therefore either sees the old run queue or the
 * new one, both with the thread blocked by EVL_T_INBAND, which evl_resume_oob_task() alone lifts, on the
 * right CPU.
 */
void evl_change_rq(struct evl_thread *thread, struct evl_rq *to)
{
	struct evl_rq *from = thread->rq;

	if (from == to || WARN_ON_ONCE(!(thread->state & EVL_T_INBAND)))
		return;

	lock_both(from, to);
	evl_leave_cpu(thread);
	from->nr_threads--;
	to->nr_threads++;
	WRITE_ONCE(thread->rq, to);
	hard_spin_unlock(&from->lock);
	hard_spin_unlock(&to->lock);

	evl_watch_rq(to);
}

/* Context P: an out-of-band interrupt begins. */
void evl_irq_enter(void)
{
	evl_this_rq()->in_irq = true;
}

/*
 * Context P: it is over; out-of-band stage, hard off. The last check comes after rescheduling: a thread which
 * was preempted here and kicked meanwhile must not go back to user mode out-of-band.
 */
void evl_irq_exit(struct pt_regs *regs)
{
	struct evl_rq *rq = evl_this_rq();
	struct evl_thread *curr;

	rq->in_irq = false;
	if (rq->resched) {
		if (trace_evl_preempt_enabled() && rq->curr->state & EVL_T_ROOT)
			evl_trace(evl_preempt, instruction_pointer(regs));
		__evl_schedule();
	}

	if (!user_mode(regs))
		return;

	curr = rq->curr;
	if (curr->info & EVL_I_KICKED && !(curr->state & EVL_T_ROOT))
		evl_take_kick(curr);
}

/* Context H. Everything happens in evl_irq_exit(). */
static irqreturn_t resched_handler(int irq, void *dev_id)
{
	return IRQ_HANDLED;
}

static irqreturn_t timer_handler(int irq, void *dev_id)
{
	evl_mono_clock.ops.program_local_shot(&evl_mono_clock);
	return IRQ_HANDLED;
}

int evl_request_oob_ipis(void)
{
	int ret;

	ret = __request_percpu_irq(RESCHEDULE_OOB_IPI, resched_handler, IRQF_OOB, "EVL reschedule", &evl_rqs);
	if (ret)
		return ret;

	ret = __request_percpu_irq(TIMER_OOB_IPI, timer_handler, IRQF_OOB, "EVL timer", &evl_rqs);
	if (ret)
		free_percpu_irq(RESCHEDULE_OOB_IPI, &evl_rqs);

	return ret;
}

void evl_free_oob_ipis(void)
{
	free_percpu_irq(TIMER_OOB_IPI, &evl_rqs);
	free_percpu_irq(RESCHEDULE_OOB_IPI, &evl_rqs);
}

static struct evl_thread *alloc_root(struct evl_rq *rq)
{
	struct evl_thread *root = kzalloc_node(sizeof(*root), GFP_KERNEL, cpu_to_node(rq->cpu));

	if (!root)
		return NULL;

	root->element.name = "in-band";
	root->state = EVL_T_ROOT;
	root->sched_class = &evl_sched_idle;
	root->prio = -1;
	root->rq = rq;
	hard_spin_lock_init(&root->lock);
	INIT_LIST_HEAD(&root->rq_next);
	/* The task recorded is irrelevant: each switch which preempts in-band records the current one. */
	dovetail_init_altsched(&root->altsched);

	return root;
}

static struct evl_rq *alloc_rq(int cpu)
{
	struct evl_rq *rq = kzalloc_node(sizeof(*rq), GFP_KERNEL, cpu_to_node(cpu));

	if (!rq)
		return NULL;

	rq->cpu = cpu;
	hard_spin_lock_init(&rq->lock);
	evl_init_levels(&rq->fifo);
	evl_init_levels(&rq->weak);
	evl_init_tp(&rq->tp, cpu);
	evl_init_quota(&rq->quota, cpu);
	rq->root = alloc_root(rq);
	if (!rq->root) {
		kfree(rq);
		return NULL;
	}

	rq->curr = rq->root;
	rq->switch_date = evl_arch_cycles();
	__evl_init_timer(&rq->rr_timer, &evl_mono_clock, rr_handler, cpu, EVL_TIMER_GRAVITY_IRQ);
	evl_init_watchdog(rq);

	return rq;
}

/* Every possible CPU has a run queue, so that no code has to ask; only those of the core have a tick. */
int evl_init_sched(void)
{
	struct evl_rq *rq;
	int cpu;

	for_each_possible_cpu(cpu) {
		rq = alloc_rq(cpu);
		if (!rq) {
			evl_cleanup_sched();
			return -ENOMEM;
		}
		per_cpu(evl_rqs, cpu) = rq;
	}

	return 0;
}

void evl_cleanup_sched(void)
{
	struct evl_rq *rq;
	int cpu;

	for_each_possible_cpu(cpu) {
		rq = per_cpu(evl_rqs, cpu);
		if (!rq)
			continue;
		per_cpu(evl_rqs, cpu) = NULL;
		evl_destroy_timer(&rq->rr_timer);
		evl_destroy_timer(&rq->watchdog_timer);
		evl_stop_quota(&rq->quota);
		evl_cleanup_tp(&rq->tp);
		kfree(rq->root);
		kfree(rq);
	}
	evl_free_quota_groups();
}
