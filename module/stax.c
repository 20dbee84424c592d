// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage exclusion: a resource is used by any number of threads of one stage, or of the other one.
 *
 * Once somebody of the other stage waits, only those who hold the lock already get in, so that neither stage starves
 * the other. Holders are remembered in a small table. When it is full a new one cannot be told from a nested one, and
 * gets in: better unfair than stuck.
 */
#include "stax.h"
#include "clock.h"
#include "thread.h"

#include <linux/delay.h>

/* In-band, after an event out-of-band. */
static void wake_inband(struct irq_work *work)
{
	wake_up_all(&container_of(work, struct evl_stax, wake_work)->inband);
}

/** evl_init_stax - make a lock, free; in-band; 0 */
int evl_init_stax(struct evl_stax *stax)
{
	memset(stax, 0, sizeof(*stax));
	__evl_init_waitqueue(&stax->wq, &evl_mono_clock, EVL_WQ_PRIO, "stax");
	init_waitqueue_head(&stax->inband);
	init_irq_work(&stax->wake_work, wake_inband);

	return 0;
}
EVL_EXPORT(evl_init_stax);

static bool mark_dead(struct evl_stax *stax)
{
	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	if (stax->nr)
		return false;
	stax->wq.dead = true;
	return true;
}

/* Those who waited have left: the lock is the last of it that they touch. */
static bool is_deserted(struct evl_stax *stax)
{
	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	return !stax->waiting[0] && !stax->waiting[1];
}

/** evl_destroy_stax - end of a lock; waiters leave with -EIDRM; in-band; 0, -EBUSY: held */
int evl_destroy_stax(struct evl_stax *stax)
{
	if (!mark_dead(stax))
		return -EBUSY;

	evl_destroy_waitqueue(&stax->wq);
	wake_up_all(&stax->inband);
	while (!is_deserted(stax))
		msleep(1);
	irq_work_sync(&stax->wake_work);

	return 0;
}
EVL_EXPORT(evl_destroy_stax);

/* Locked. The entry of the current task, or a free one; negative: neither. */
static int find_holder(struct evl_stax *stax, struct task_struct *task)
{
	int n, empty = -1;

	for (n = 0; n < EVL_STAX_HOLDERS; n++) {
		if (stax->holders[n].task == task)
			return n;
		if (!stax->holders[n].task)
			empty = n;
	}

	return empty;
}

static bool is_nested(struct evl_stax *stax)
{
	int n = find_holder(stax, current);

	return n < 0 || stax->holders[n].task;
}

/* Locked. */
static bool try_enter(struct evl_stax *stax, bool oob)
{
	int n;

	if (stax->nr && (stax->oob != oob || (stax->waiting[!oob] && !is_nested(stax))))
		return false;

	stax->oob = oob;
	stax->nr++;
	n = find_holder(stax, current);
	if (n >= 0) {
		stax->holders[n].task = current;
		stax->holders[n].nr++;
	}

	return true;
}

static bool enter_or_dead(struct evl_stax *stax, bool oob)
{
	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	return stax->wq.dead || try_enter(stax, oob);
}

static void count_waiter(struct evl_stax *stax, bool oob, int delta)
{
	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	stax->waiting[oob] += delta;
}

/* Those of one stage, when the other has left; or all, when those who waited gave up. */
static void wake_waiters(struct evl_stax *stax)
{
	evl_wake_up_all(&stax->wq);
	if (running_inband())
		wake_up_all(&stax->inband);
	else
		irq_work_queue(&stax->wake_work);
}

static int wait_inband(struct evl_stax *stax)
{
	int ret;

	count_waiter(stax, false, 1);
	ret = wait_event_interruptible(stax->inband, enter_or_dead(stax, false));
	count_waiter(stax, false, -1);
	if (ret)
		ret = -EINTR;
	else if (READ_ONCE(stax->wq.dead))
		ret = -EIDRM;

	return ret;
}

static int wait_oob(struct evl_stax *stax)
{
	int ret;

	if (evl_current() && evl_current()->state & EVL_T_WOSX) {
		evl_demote_current(EVL_HMDIAG_STAGEX);
		ret = evl_switch_oob();
		if (ret)
			return ret;
	}

	count_waiter(stax, true, 1);
	ret = evl_wait_event(&stax->wq, stax->wq.dead || try_enter(stax, true));
	if (!ret && READ_ONCE(stax->wq.dead))
		ret = -EIDRM;
	count_waiter(stax, true, -1);

	return ret;
}

/**
 * evl_lock_stax - enter, as a thread of the current stage
 * @stax: the lock
 *
 * In-band task, or out-of-band thread, which then may not change stage before it unlocks. Nests. Waits until all
 * threads of the other stage have left. 0, -EINTR, -EIDRM.
 */
int evl_lock_stax(struct evl_stax *stax)
{
	bool oob = running_oob();
	int ret;

	if (!evl_trylock_stax(stax))
		return 0;

	ret = oob ? wait_oob(stax) : wait_inband(stax);
	/* Others were held back for us. */
	if (ret && ret != -EIDRM)
		wake_waiters(stax);

	return ret;
}
EVL_EXPORT(evl_lock_stax);

/** evl_trylock_stax - the same without waiting; 0 or -EAGAIN */
int evl_trylock_stax(struct evl_stax *stax)
{
	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	return !stax->wq.dead && try_enter(stax, running_oob()) ? 0 : -EAGAIN;
}
EVL_EXPORT(evl_trylock_stax);

static bool leave(struct evl_stax *stax)
{
	int n;

	guard(hard_spinlock_irqsave)(&stax->wq.lock);
	if (WARN_ON_ONCE(!stax->nr))
		return false;

	n = find_holder(stax, current);
	if (n >= 0 && stax->holders[n].task && !--stax->holders[n].nr)
		stax->holders[n].task = NULL;

	return !--stax->nr && (stax->waiting[0] || stax->waiting[1]);
}

/** evl_unlock_stax - leave; the last one lets the other stage in */
void evl_unlock_stax(struct evl_stax *stax)
{
	if (leave(stax))
		wake_waiters(stax);
}
EVL_EXPORT(evl_unlock_stax);
