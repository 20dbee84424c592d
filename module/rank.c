// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranks: a thread runs at the highest of its own rank and of those its mutexes lend it (gate.c).
 *
 * Priority inheritance goes hop by hop, from a waiter to the mutex it waits for, to the owner of this one, to the
 * mutex the owner waits for. Each hop looks at the present state under the locks of that hop only, and
 * computes it anew: what the queue lends from its first waiter, the rank of the owner from all it owns. Whoever
 * changes something does the hops which follow. Two walks may meet; the later one of each hop sees what both did,
 * and goes on. So the ranks are right when all walks are over, and no lock spans a chain.
 *
 * Between hops a reference keeps the thread; hard interrupts stay off, so that nobody notices a chain which is
 * half way through on this CPU.
 */
#include "rank.h"
#include "gate.h"
#include "wait.h"

bool evl_rank_above(const struct evl_rank *a, const struct evl_rank *b)
{
	if (a->class != b->class)
		return a->class->rank > b->class->rank;

	return a->prio > b->prio;
}

/*
 * thread locked. A thread with a budget, or with windows, ignores them as long as a real-time thread waits for one of
 * its mutexes, whatever their ranks, or it would have that one share its limits.
 */
struct evl_rank evl_wanted_rank(struct evl_thread *thread)
{
	struct evl_rank rank = thread->base;
	bool awaited = false;
	struct evl_gate *gate;

	list_for_each_entry(gate, &thread->gates, next) {
		if (!gate->lent.class)
			continue;
		awaited |= gate->lent.class != &evl_sched_weak;
		if (evl_rank_above(&gate->lent, &rank))
			rank = gate->lent;
	}
	rank.unbound = rank.class->metered && (awaited || rank.class != thread->base.class);

	return rank;
}

/* thread locked, hard off: something it owns has changed. Returns whether its rank has, too. */
bool evl_update_rank(struct evl_thread *thread)
{
	struct evl_rank rank = evl_wanted_rank(thread);

	if (rank.class == thread->sched_class && rank.prio == thread->prio && rank.unbound == thread->unbound)
		return false;

	evl_apply_rank(thread, &rank);

	return true;
}

/*
 * The rank of @thread has changed, NULL for nobody's: do the hops from there. Hard off, no lock held. Consumes
 * a reference.
 */
void evl_follow_rank(struct evl_thread *thread)
{
	struct evl_thread *next;

	while (thread) {
		next = evl_requeue_waiter(thread);
		evl_put_element_later(&thread->element);
		thread = next;
	}
}
