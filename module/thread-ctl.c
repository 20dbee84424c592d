// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests on the descriptor of a thread, by any thread, on either stage.
 */
#include "evl-arch.h"
#include "observable.h"
#include "syscall.h"
#include "thread.h"
#include "uaccess.h"
#include "wait.h"

static bool is_gone(const struct evl_thread *thread)
{
	return READ_ONCE(thread->state) & EVL_T_ZOMBIE;
}

static long set_schedparam(struct evl_thread *thread, unsigned long arg)
{
	struct evl_sched_attrs attrs;
	int ret = evl_copy_from_user(&attrs, (void __user *)arg, sizeof(attrs));

	return ret ?: evl_set_sched_attrs(thread, &attrs);
}

static long get_schedparam(struct evl_thread *thread, unsigned long arg)
{
	struct evl_sched_attrs attrs;

	evl_get_sched_attrs(thread, &attrs);
	return evl_copy_to_user((void __user *)arg, &attrs, sizeof(attrs));
}

/* CPU time, the stretch in progress included. */
static u64 read_xtime(struct evl_thread *thread)
{
	struct evl_rq *rq = thread->rq;
	u64 xtime;

	guard(hard_spinlock)(&rq->lock);
	xtime = thread->stats.xtime;
	if (rq->curr == thread)
		xtime += evl_arch_cycles() - rq->switch_date;

	return evl_arch_cycles_to_ns(xtime);
}

void evl_get_thread_state(struct evl_thread *thread, struct evl_thread_state *st)
{
	evl_get_sched_attrs(thread, &st->eattrs);

	guard(hard_spinlock_irqsave)(&thread->lock);
	st->eattrs.sched_priority = thread->prio;
	st->cpu = thread->rq->cpu;
	st->state = thread->state;
	st->isw = thread->stats.isw;
	st->csw = thread->stats.csw;
	st->sc = thread->stats.sc;
	st->rwa = thread->stats.rwa;
	st->xtime = read_xtime(thread);
}

static long get_state(struct evl_thread *thread, unsigned long arg)
{
	struct evl_thread_state st = { };

	evl_get_thread_state(thread, &st);
	return evl_copy_to_user((void __user *)arg, &st, sizeof(st));
}

#define WARNING_BITS	(EVL_T_WOSS | EVL_T_WOLI | EVL_T_WOSX | EVL_T_WOSO)
#define DELIVERY_BITS	(EVL_T_HMSIG | EVL_T_HMOBS)

static u32 added_mode(u32 old, u32 mask)
{
	u32 mode = old | mask;

	/* A warning nobody would hear of is sent as a signal. */
	if (mask & WARNING_BITS && !(mode & DELIVERY_BITS))
		mode |= EVL_T_HMSIG;
	return mode;
}

static u32 removed_mode(u32 old, u32 mask)
{
	u32 mode = old & ~mask;

	return mode & WARNING_BITS ? mode : mode & ~DELIVERY_BITS;
}

static void change_mode(struct evl_thread *thread, u32 mask, u32 (*change)(u32 old, u32 mask))
{
	guard(hard_spinlock_irqsave)(&thread->lock);
	guard(hard_spinlock)(&thread->rq->lock);
	thread->state = (thread->state & ~EVL_T_MODE_BITS) |
		change(thread->state & EVL_T_MODE_BITS, mask);
	evl_sync_window(thread);
}

static long update_mode(struct evl_thread *thread, unsigned long arg, bool set)
{
	struct evl_thread_mode req;
	u32 old;
	int ret;

	ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));
	if (ret)
		return ret;

	if (req.reserved || req.mask & ~EVL_T_MODE_BITS || (set && req.mask & EVL_T_HMOBS && !thread->observable))
		return -EINVAL;

	if (req.oldmask_ptr) {
		old = READ_ONCE(thread->state) & EVL_T_MODE_BITS;
		ret = evl_copy_to_user(evl_uptr(req.oldmask_ptr), &old, sizeof(old));
		if (ret)
			return ret;
	}

	if (req.mask)
		change_mode(thread, req.mask, set ? added_mode : removed_mode);

	return 0;
}

/*
 * Emergency brake: unblock, make weak, bring in-band. The thread finds its new policy at the latest when it
 * looks at the kick. Both in one step: a thread which had no budget may run as a weak one, and would keep an in-band
 * caller on the same CPU from kicking it. Not for kernel threads: nothing takes them in-band against their will, and
 * the kick would end all of their waits.
 */
void evl_demote_thread(struct evl_thread *thread)
{
	const struct evl_sched_attrs weak = { .sched_policy = SCHED_WEAK };
	unsigned long flags;

	if (READ_ONCE(thread->state) & EVL_T_WEAK || !evl_thread_is_user(thread))
		return;

	flags = hard_local_irq_save();
	evl_disable_preempt();
	evl_set_sched_attrs(thread, &weak);
	evl_kick_thread(thread, EVL_I_KICKED | EVL_I_DEMOTED);
	evl_enable_preempt();
	hard_local_irq_restore(flags);
}

/* A reader who sleeps does not keep the file from being closed. */
static long observable_ioctl(struct evl_thread *thread, struct file *filp, unsigned int cmd, unsigned long arg)
{
	bool nonblock = filp->f_flags & O_NONBLOCK;
	long ret;

	if (!thread->observable)
		return -ENOTTY;

	evl_get_element(&thread->element);
	if (running_oob())
		evl_end_file_use(evl_current());
	ret = evl_observable_ioctl(thread->observable, cmd, arg, nonblock);
	evl_put_element(&thread->element);

	return ret == -EIDRM ? -ESTALE : ret;
}

long evl_thread_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_thread *thread = evl_element_thread(evl_file_element(filp));

	if (is_gone(thread))
		return -ESTALE;

	switch (cmd) {
	case EVL_THRIOC_SET_SCHEDPARAM:
		return set_schedparam(thread, arg);
	case EVL_THRIOC_GET_SCHEDPARAM:
		return get_schedparam(thread, arg);
	case EVL_THRIOC_GET_STATE:
		return get_state(thread, arg);
	case EVL_THRIOC_SET_MODE:
		return update_mode(thread, arg, true);
	case EVL_THRIOC_CLEAR_MODE:
		return update_mode(thread, arg, false);
	case EVL_THRIOC_UNBLOCK:
		evl_unblock_thread(thread, EVL_WAKE_BREAK);
		return 0;
	case EVL_THRIOC_DEMOTE:
		evl_demote_thread(thread);
		return 0;
	default:
		return observable_ioctl(thread, filp, cmd, arg);
	}
}
