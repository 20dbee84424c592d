// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mutexes of applications. gate.c does the work.
 */
#include "monitor.h"
#include "sched.h"
#include "syscall.h"
#include "uaccess.h"

#include <linux/mutex.h>

static DEFINE_MUTEX(gates_lock);	/* covers the list; comes before queue locks */
static LIST_HEAD(gates);

static bool ceiling_is_sane(u32 ceiling)
{
	return ceiling >= EVL_MIN_PRIO && ceiling <= EVL_MAX_PRIO;
}

static int init_gate_monitor(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs)
{
	u32 protocol = attrs->protocol & ~EVL_GATE_RECURSIVE;

	if (protocol == EVL_GATE_PI ? attrs->initval : !ceiling_is_sane(attrs->initval))
		return -EINVAL;
	if (protocol != EVL_GATE_PI && protocol != EVL_GATE_PP)
		return -EINVAL;

	mon->state->gate.ceiling = attrs->initval;
	mon->state->gate.recursive = !!(attrs->protocol & EVL_GATE_RECURSIVE);
	evl_init_gate(&mon->gate, mon->clock, attrs->initval, evl_state_word(&mon->state->gate.owner), "mutex");

	guard(mutex)(&gates_lock);
	list_add(&mon->next, &gates);

	return 0;
}

static void evict_gate(struct evl_monitor *mon)
{
	evl_destroy_gate(&mon->gate);

	guard(mutex)(&gates_lock);
	list_del(&mon->next);
}

/*
 * A thread is gone, whose handle nobody finds any more: free the mutexes it took without our knowing. In-band. Those
 * which become known from now on are found to have no owner.
 */
void evl_release_unknown_gates(fundle_t fundle)
{
	struct evl_monitor *mon;

	guard(mutex)(&gates_lock);
	list_for_each_entry(mon, &gates, next)
		evl_release_gate_of(&mon->gate, fundle);
	evl_schedule();
}

static long set_ceiling(struct evl_monitor *mon, unsigned long arg)
{
	u32 ceiling;
	int ret = evl_copy_from_user(&ceiling, (void __user *)arg, sizeof(ceiling));

	if (ret)
		return ret;

	if (!mon->gate.ceiling || !ceiling_is_sane(ceiling))
		return -EINVAL;

	evl_set_gate_ceiling(&mon->gate, ceiling);
	WRITE_ONCE(mon->state->gate.ceiling, ceiling);

	return 0;
}

static long enter_gate(struct evl_monitor *mon, unsigned long arg)
{
	struct evl_monitor_waitreq req;
	ktime_t date;
	int ret = evl_get_wait_request(&req, arg, &date);

	if (ret)
		return ret;

	evl_get_element(&mon->element);
	evl_end_file_use(evl_current());
	ret = evl_lock_gate(&mon->gate, date, req.status, false);
	evl_put_element(&mon->element);

	return evl_wait_error(ret);
}

static void report_imbalance(struct evl_thread *curr)
{
	if (running_oob())
		evl_demote_current(EVL_HMDIAG_LKIMBALANCE);
	else
		evl_notify_current(curr, EVL_HMDIAG_LKIMBALANCE);
}

/* On either stage: an owner which came in-band has nothing to go out-of-band for, and a signal might keep it from there. */
static long exit_gate(struct evl_monitor *mon)
{
	struct evl_thread *curr = evl_current();
	int ret;

	if (!curr)
		return -EPERM;

	ret = evl_unlock_gate(&mon->gate);
	if (ret && curr->state & EVL_T_WOLI)
		report_imbalance(curr);

	return ret;
}

static long gate_ioctl(struct evl_monitor *mon, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_MONIOC_SET_CEILING:
		return set_ceiling(mon, arg);
	case EVL_MONIOC_EXIT:
		return exit_gate(mon);
	default:
		return -ENOTTY;
	}
}

static long gate_oob_ioctl(struct evl_monitor *mon, struct file *filp, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case EVL_MONIOC_ENTER:
		return enter_gate(mon, arg);
	case EVL_MONIOC_TRYENTER:
		return evl_wait_error(evl_trylock_gate(&mon->gate));
	default:
		return -ENOTTY;
	}
}

const struct evl_monitor_ops evl_monitor_gate_ops = {
	.init		= init_gate_monitor,
	.ioctl		= gate_ioctl,
	.oob_ioctl	= gate_oob_ioctl,
	.evict		= evict_gate,
};
