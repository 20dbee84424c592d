// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes with priority inheritance or a priority ceiling.
 *
 * One word tells who owns a mutex. As long as nobody waits, user space changes it by itself, from 0 to the handle
 * of the new owner and back. Who has to wait sets EVL_GATE_KNOWN in the word, by compare-and-exchange, so that
 * the owner cannot drop the mutex any more without entering the core, and finds the owner by the handle. From
 * then on evl_gate.owner tells who owns it, whatever user space does to the word; a word which names no thread,
 * or one which is gone, means that nobody owns the mutex. Mutexes with a ceiling and those of weak threads are
 * always known.
 *
 * Unlocking hands the mutex over to the first waiter; nobody can steal it.
 *
 * Locks: queue of the mutex > thread lock, one thread at a time. The event a thread waits for comes before the
 * mutex: its queue lock may be held. evl_thread.gates is what the thread brings down with it, which is why an
 * entry of this list keeps neither: evl_drop_gates() has emptied it before a thread goes, evl_destroy_gate()
 * leaves it before a mutex does.
 *
 * Deadlocks: a waiter first joins the queue, then walks from owner to owner. Of the waiters which close a cycle
 * together the last one to join sees the whole of it; two who do so at once may both give up. What a walk sees while
 * others go on may never have been there: it counts if a second walk sees the same.
 */
#include "gate.h"
#include "factory.h"
#include "trace.h"

#include <linux/hash.h>

static struct evl_thread *reorder(struct evl_waitqueue *wq);

/** evl_gate_wq_ops - what DEFINE_EVL_MUTEX() needs */
const struct evl_wq_ops evl_gate_wq_ops = {
	.left	= reorder,
	.moved	= reorder,
};
EVL_EXPORT(evl_gate_wq_ops);

static struct evl_gate *queue_gate(struct evl_waitqueue *wq)
{
	return container_of(wq, struct evl_gate, wq);
}

static fundle_t handle_of(const struct evl_thread *thread)
{
	return thread->element.fundle;
}

/* wq locked: the first of those who wait for @owner, which may be the first of the queue itself, on its way out. */
static struct evl_thread *first_behind(struct evl_gate *gate, struct evl_thread *owner)
{
	struct evl_thread *head = evl_waitqueue_head(&gate->wq);

	if (head != owner)
		return head;

	return list_is_last(&head->wait_next, &gate->wq.waiters) ? NULL : list_next_entry(head, wait_next);
}

/* wq locked: the rank waiters and ceiling ask for. */
static struct evl_rank wanted_by(struct evl_gate *gate)
{
	struct evl_thread *head = first_behind(gate, gate->owner);
	struct evl_rank rank = { }, ceiling = { &evl_sched_fifo, gate->ceiling };

	if (head) {
		rank.class = READ_ONCE(head->sched_class);
		rank.prio = READ_ONCE(head->prio);
	}

	if (gate->ceiling && (!rank.class || evl_rank_above(&ceiling, &rank)))
		rank = ceiling;

	return rank;
}

/* wq locked, owner known: lend it what it deserves. Returns the owner, with a reference, if its rank has changed. */
static struct evl_thread *lend(struct evl_gate *gate)
{
	struct evl_thread *owner = gate->owner;

	guard(hard_spinlock)(&owner->lock);
	gate->lent = wanted_by(gate);
	if (!evl_update_rank(owner))
		return NULL;
	/* Not before we let the queue go can the owner be rid of this mutex, hence go away. */
	evl_get_element(&owner->element);

	return owner;
}

/* The queue is in another order, or shorter. */
static struct evl_thread *reorder(struct evl_waitqueue *wq)
{
	struct evl_gate *gate = queue_gate(wq);

	return gate->owner ? lend(gate) : NULL;
}

/* wq locked. False if the thread is on its way out, which looks for its mutexes but once. */
static bool adopt(struct evl_gate *gate, struct evl_thread *owner)
{
	guard(hard_spinlock)(&owner->lock);
	if (owner->state & EVL_T_ZOMBIE)
		return false;

	gate->owner = owner;
	gate->lent = wanted_by(gate);
	gate->counted = owner->state & EVL_T_WEAK;
	owner->nr_held += gate->counted;
	list_add(&gate->next, &owner->gates);
	evl_update_rank(owner);

	return true;
}

/* wq and the owner locked. */
static void disown_locked(struct evl_gate *gate)
{
	struct evl_thread *owner = gate->owner;

	list_del(&gate->next);
	owner->nr_held -= gate->counted;
	gate->owner = NULL;
	evl_update_rank(owner);
}

static void disown(struct evl_gate *gate)
{
	struct evl_thread *owner = gate->owner;

	guard(hard_spinlock)(&owner->lock);
	disown_locked(gate);
}

/* Does the core have to know who owns it, even if nobody waits? */
static bool must_be_known(struct evl_gate *gate, struct evl_thread *owner)
{
	return gate->ceiling || gate->word == &gate->own_word || READ_ONCE(owner->state) & EVL_T_WEAK;
}

/* wq locked. @owner, which is alive, has the mutex from now on. */
static void give_to(struct evl_gate *gate, struct evl_thread *owner)
{
	u32 word = handle_of(owner);

	if ((first_behind(gate, owner) || must_be_known(gate, owner)) && adopt(gate, owner))
		word |= EVL_GATE_KNOWN;
	/* Pairs with the acquire side of whoever reads itself as the owner in user space. */
	atomic_set_release(gate->word, word);
}

/*
 * wq locked, the mutex has no owner any more: next one, please. The word is right before the thread wakes up, which
 * may be at once, on another CPU, and drop the mutex by hand.
 */
static void pass_on(struct evl_gate *gate)
{
	struct evl_thread *next = evl_waitqueue_head(&gate->wq);

	if (next) {
		give_to(gate, next);
		evl_trace(evl_mutex_grant, next);
		evl_wake_waiter_locked(next, EVL_WAKE_GRANT);
	} else {
		atomic_set_release(gate->word, 0);
	}
}

static struct evl_thread *find_owner(u32 word)
{
	struct evl_element *e = evl_get_element_by_fundle(&evl_thread_factory, word & EVL_HANDLE_MASK);

	return e ? evl_element_thread(e) : NULL;
}

/* wq locked: the word says that somebody has it. Returns false if this is not true. */
static bool make_known(struct evl_gate *gate, u32 word)
{
	struct evl_thread *owner = find_owner(word);
	bool adopted;

	if (!owner)
		return false;

	adopted = adopt(gate, owner);
	evl_put_element_later(&owner->element);

	return adopted;
}

/*
 * wq locked. Take it, or see to it that the owner is known. 0: taken; -EDEADLK: had it already; -EBUSY.
 */
static int take_or_claim(struct evl_gate *gate, struct evl_thread *curr)
{
	u32 word;

	if (gate->owner)
		return gate->owner == curr ? -EDEADLK : -EBUSY;

	for (;;) {
		word = atomic_read(gate->word);
		if (!word) {
			if (atomic_cmpxchg_acquire(gate->word, 0, handle_of(curr)) != 0)
				continue;
			break;
		}
		if ((word & EVL_HANDLE_MASK) == handle_of(curr))
			return -EDEADLK;
		if (atomic_cmpxchg(gate->word, word, word | EVL_GATE_KNOWN) != word)
			continue;
		if (make_known(gate, word))
			return -EBUSY;
		break;
	}

	give_to(gate, curr);

	return 0;
}

/* Whom @thread waits for to drop a mutex, with a reference; NULL: nobody. Hard off. The wait leaves its mark in @trace. */
static struct evl_thread *next_in_chain(struct evl_thread *thread, u64 *trace)
{
	struct evl_waitqueue *wq = evl_lock_thread_and_queue(thread);
	struct evl_thread *owner = NULL;

	if (wq && wq->ops == &evl_gate_wq_ops) {
		owner = queue_gate(wq)->owner;
		if (owner)
			evl_get_element(&owner->element);
	}
	*trace = hash_64(*trace ^ (uintptr_t)thread, 64) + thread->nr_waits;
	evl_unlock_thread_and_queue(thread, wq);

	return owner;
}

/* A walk from owner to owner: does it lead back? Hard off. */
static bool leads_back(struct evl_thread *curr, u64 *trace)
{
	struct evl_thread *thread = next_in_chain(curr, trace), *next;
	unsigned int hops = evl_nr_threads;

	while (thread && thread != curr && hops--) {
		next = next_in_chain(thread, trace);
		evl_put_element_later(&thread->element);
		thread = next;
	}
	if (!thread)
		return false;

	evl_put_element_later(&thread->element);

	return true;
}

/*
 * The current thread has joined the queue of a mutex: does it wait for itself? Hard off. While a walk is at its end, those
 * at its begin may have got on: what it saw need not have been true at any one time. If a second walk sees the same waits,
 * all of them lasted from the one to the other.
 */
static bool closes_cycle(struct evl_thread *curr)
{
	u64 first = 0, second = 0;

	return leads_back(curr, &first) && leads_back(curr, &second) && first == second;
}

/* Its mutex is wanted by an out-of-band thread: it should not be in-band now. */
static void warn_owner(struct evl_thread *owner)
{
	if ((READ_ONCE(owner->state) & (EVL_T_WOLI | EVL_T_INBAND)) == (EVL_T_WOLI | EVL_T_INBAND))
		irq_work_queue(&owner->depend_work);
}

/* wq locked, hard off; unlocks it. */
static int wait_for_gate(struct evl_gate *gate, ktime_t date)
{
	struct evl_clock *clock = gate->wq.clock;
	struct evl_thread *curr = evl_current(), *boosted;
	int ret = evl_join_queue(&gate->wq, date);

	if (ret) {
		hard_spin_unlock(&gate->wq.lock);
		return ret;
	}

	evl_trace(evl_mutex_contend, curr, gate->owner);
	boosted = lend(gate);
	warn_owner(gate->owner);
	hard_spin_unlock(&gate->wq.lock);
	evl_follow_rank(boosted);

	/* Who was handed the mutex meanwhile has no deadlock. */
	if (closes_cycle(curr) && evl_wake_thread(curr, EVL_T_PEND, EVL_I_BREAK)) {
		__evl_schedule();
		return -EDEADLK;
	}

	return evl_sleep_joined(clock, date);
}

static int lock_or_wait(struct evl_gate *gate, ktime_t date, int date_error)
{
	int ret;

	hard_spin_lock(&gate->wq.lock);
	ret = gate->wq.dead ? -EIDRM : take_or_claim(gate, evl_current());
	if (ret == -EBUSY && !date_error)
		return wait_for_gate(gate, date);
	hard_spin_unlock(&gate->wq.lock);

	return ret == -EBUSY ? date_error : ret;
}

/*
 * Take a mutex. Core thread. @date_error is what is wrong with the limit, reported if it matters. @deaf: signals
 * have to wait. 0, -EDEADLK, -ETIMEDOUT, -EINTR, -EIDRM, -EPERM, @date_error.
 */
int evl_lock_gate(struct evl_gate *gate, ktime_t date, int date_error, bool deaf)
{
	unsigned long flags;
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	flags = hard_local_irq_save();
	if (deaf)
		evl_set_deaf(true);
	ret = lock_or_wait(gate, date, date_error);
	if (deaf)
		evl_set_deaf(false);
	hard_local_irq_restore(flags);

	return ret;
}

/* The same without waiting; -EAGAIN: another thread has it. */
int evl_trylock_gate(struct evl_gate *gate)
{
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	guard(hard_spinlock_irqsave)(&gate->wq.lock);
	ret = gate->wq.dead ? -EIDRM : take_or_claim(gate, evl_current());

	return ret == -EBUSY ? -EAGAIN : ret;
}

/* wq locked, or a hint. */
bool evl_owns_gate(struct evl_gate *gate, const struct evl_thread *thread)
{
	if (gate->owner)
		return gate->owner == thread;

	return (atomic_read(gate->word) & EVL_HANDLE_MASK) == handle_of(thread);
}

/* Drop a mutex, leaving rescheduling to the caller. Core thread, hard off. 0 or -EPERM. */
int evl_unlock_gate_nosched(struct evl_gate *gate)
{
	guard(hard_spinlock)(&gate->wq.lock);
	if (!evl_owns_gate(gate, evl_current()))
		return -EPERM;

	if (gate->owner)
		disown(gate);
	pass_on(gate);

	return 0;
}

/* Drop a mutex. Core thread. 0 or -EPERM: not the caller's. */
int evl_unlock_gate(struct evl_gate *gate)
{
	unsigned long flags = hard_local_irq_save();
	int ret = evl_unlock_gate_nosched(gate);

	evl_schedule();
	hard_local_irq_restore(flags);

	return ret;
}

/* Any context. The owner, if there is one, is under the new ceiling at once. */
void evl_set_gate_ceiling(struct evl_gate *gate, int ceiling)
{
	struct evl_thread *changed = NULL;
	unsigned long flags;

	evl_wq_lock(&gate->wq, flags);
	gate->ceiling = ceiling;
	if (gate->owner)
		changed = lend(gate);
	hard_spin_unlock(&gate->wq.lock);
	evl_follow_rank(changed);
	evl_schedule();
	hard_local_irq_restore(flags);
}

/*
 * @waiter, whose queue the caller has locked, goes over to the mutex, which the current thread owns: it gets it
 * when it is its turn. Hard off. Returns whose rank this changes, for evl_follow_rank().
 */
struct evl_thread *evl_pass_waiter_locked(struct evl_gate *gate, struct evl_thread *waiter)
{
	u32 word;

	guard(hard_spinlock)(&gate->wq.lock);
	if (gate->wq.dead) {
		evl_wake_waiter_locked(waiter, EVL_WAKE_REMOVED);
		return NULL;
	}

	hard_spin_lock(&waiter->lock);
	evl_move_waiter_locked(waiter, &gate->wq);
	hard_spin_unlock(&waiter->lock);

	if (gate->owner)
		return lend(gate);

	word = atomic_fetch_or(EVL_GATE_KNOWN, gate->word);
	if (!make_known(gate, word))
		pass_on(gate);

	return NULL;
}

/* A thread with this handle is on its way out, and may own the mutex without our knowing. In-band. */
void evl_release_gate_of(struct evl_gate *gate, fundle_t fundle)
{
	guard(hard_spinlock_irqsave)(&gate->wq.lock);
	if (!gate->owner && (atomic_read(gate->word) & EVL_HANDLE_MASK) == fundle)
		pass_on(gate);
}

/* From the side of the thread: its lock keeps the mutex, whose queue may only be tried. */
static bool drop_first_gate(struct evl_thread *thread)
{
	struct evl_gate *gate;

	hard_spin_lock(&thread->lock);
	gate = list_first_entry_or_null(&thread->gates, struct evl_gate, next);
	if (!gate || !hard_spin_trylock(&gate->wq.lock)) {
		hard_spin_unlock(&thread->lock);
		cpu_relax();
		return gate;
	}

	disown_locked(gate);
	hard_spin_unlock(&thread->lock);
	pass_on(gate);
	hard_spin_unlock(&gate->wq.lock);

	return true;
}

/* @thread, which is EVL_T_ZOMBIE by now, gives up all the mutexes we know it owns. In-band. */
void evl_drop_gates(struct evl_thread *thread)
{
	unsigned long flags = hard_local_irq_save();

	while (drop_first_gate(thread))
		;
	evl_schedule();
	hard_local_irq_restore(flags);
}

/* Does anybody wait for a mutex of @thread? Any context. */
bool evl_is_awaited(struct evl_thread *thread)
{
	struct evl_gate *gate;

	guard(hard_spinlock_irqsave)(&thread->lock);
	list_for_each_entry(gate, &thread->gates, next)
		if (!list_empty_careful(&gate->wq.waiters))
			return true;
	return false;
}

/*
 * Make a mutex, free. @ceiling: 0 for priority inheritance. @word: shared with user space, NULL for kernel code.
 */
void evl_init_gate(struct evl_gate *gate, struct evl_clock *clock, int ceiling, atomic_t *word, const char *name)
{
	__evl_init_waitqueue(&gate->wq, clock, EVL_WQ_PRIO, name);
	gate->wq.ops = &evl_gate_wq_ops;
	gate->ceiling = ceiling;
	gate->word = word ?: &gate->own_word;
	gate->owner = NULL;
	gate->lent = (struct evl_rank){ };
	atomic_set(gate->word, 0);
}

/* Waiters leave with -EIDRM, the owner is rid of it. In-band or out-of-band thread. */
void evl_destroy_gate(struct evl_gate *gate)
{
	evl_destroy_waitqueue(&gate->wq);

	guard(hard_spinlock_irqsave)(&gate->wq.lock);
	if (gate->owner)
		disown(gate);
}
