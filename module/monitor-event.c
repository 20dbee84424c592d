// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of applications: condition variables. Who is signalled goes over from the queue of the event to that of the
 * mutex at once; the signaller owns the mutex, so the waiter wakes up when it is its turn to own it.
 *
 * Lock order: queue of the event > queue of the mutex. The mutex of the waiters is kept by their references, and so is
 * valid as long as there is one in the queue.
 */
#include "monitor.h"
#include "rank.h"
#include "syscall.h"
#include "uaccess.h"

static u32 *nr_waiters(struct evl_monitor *mon)
{
	return &mon->state->event.waiters;
}

/* Queue locked. User space only reads it. */
static void count_waiter(struct evl_monitor *mon, int delta)
{
	WRITE_ONCE(*nr_waiters(mon), READ_ONCE(*nr_waiters(mon)) + delta);
}

static struct evl_thread *event_waiter_left(struct evl_waitqueue *wq)
{
	count_waiter(evl_wq_monitor(wq), -1);
	return NULL;
}

static const struct evl_wq_ops event_wq_ops = {
	.left	= event_waiter_left,
};

static int init_event(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs)
{
	if (attrs->initval)
		return -EINVAL;

	evl_init_monitor_queue(mon, &event_wq_ops, "event");

	return 0;
}

static void evict_event(struct evl_monitor *mon)
{
	evl_destroy_waitqueue(&mon->wq);
}

/*
 * Event locked, hard off: drop the mutex and join the queue, in one step as far as signallers are concerned. 0;
 * -EAGAIN: not queued for the reason in @status, and the mutex is gone; else nothing has happened.
 */
static int join_event(struct evl_monitor *mon, struct evl_monitor *mutex, ktime_t date, int *status)
{
	int ret;

	if (mon->wq.dead)
		return -EIDRM;
	if (!evl_owns_gate(&mutex->gate, evl_current()))
		return -EPERM;
	if (evl_waitqueue_active(&mon->wq) && mon->mutex != mutex)
		return -EBADFD;

	/* The next owner, who looks at the count before it enters the core to signal, must see us. */
	count_waiter(mon, 1);
	ret = evl_unlock_gate_nosched(&mutex->gate);
	if (ret)
		goto err_uncount;

	/* Not before: behind those of its own rank, not of the one the mutex lent it. */
	ret = evl_join_queue(&mon->wq, date);
	if (ret) {
		*status = ret;
		ret = -EAGAIN;
		goto err_uncount;
	}
	mon->mutex = mutex;

	return 0;

err_uncount:
	count_waiter(mon, -1);
	return ret;
}

/*
 * The wait proper. 0: signalled, the mutex is the caller's; -EAGAIN: it is not any more, @status tells what came of
 * the wait; else nothing has happened.
 */
static int wait_signal(struct evl_monitor *mon, struct evl_monitor *mutex, ktime_t date, int *status)
{
	struct evl_clock *clock = mon->clock;
	unsigned long flags;
	int ret;

	ret = evl_begin_wait();
	if (ret)
		return ret;

	evl_wq_lock(&mon->wq, flags);
	ret = join_event(mon, mutex, date, status);
	hard_spin_unlock(&mon->wq.lock);
	if (ret) {
		evl_schedule();
		hard_local_irq_restore(flags);
		return ret;
	}

	ret = evl_sleep_joined(clock, date);
	*status = evl_current()->info & EVL_I_MOVED ? 0 : ret;
	hard_local_irq_restore(flags);

	return ret ? -EAGAIN : 0;
}

/* Get the mutex back after a wait which did not bring it along, if no signal comes in between. */
static int retake(struct evl_monitor *mutex)
{
	int ret = evl_lock_gate(&mutex->gate, EVL_INFINITE, 0, false);

	return ret == -EINTR ? -EAGAIN : evl_wait_error(ret);
}

static int drop_and_wait(struct evl_monitor *mon, const struct evl_monitor_waitreq *req, ktime_t date, int *status)
{
	struct evl_monitor *mutex = evl_get_monitor_by_fd(req->gatefd, EVL_MONITOR_GATE);
	int ret;

	if (!mutex)
		return -EINVAL;

	if (!evl_owns_gate(&mutex->gate, evl_current())) {
		ret = -EPERM;
	} else {
		ret = req->status ?: wait_signal(mon, mutex, date, status);
		if (ret == -EAGAIN)
			ret = retake(mutex);
	}
	evl_put_element(&mutex->element);

	return ret;
}

static long event_wait_ioctl(struct evl_monitor *mon, unsigned long arg)
{
	struct evl_monitor_waitreq req;
	int ret, status = 0, fault;
	ktime_t date;

	ret = evl_get_wait_request(&req, arg, &date);
	if (ret)
		return ret;
	if (req.value)
		return -EINVAL;

	evl_get_element(&mon->element);
	evl_end_file_use(evl_current());
	ret = drop_and_wait(mon, &req, date, &status);
	evl_put_element(&mon->element);

	req.status = evl_wait_error(status);
	fault = evl_copy_to_user((void __user *)arg, &req, sizeof(req));

	return fault ?: evl_wait_error(ret);
}

static long event_oob_ioctl(struct evl_monitor *mon, struct file *filp, unsigned int cmd, unsigned long arg)
{
	return cmd == EVL_MONIOC_WAIT ? event_wait_ioctl(mon, arg) : -ENOTTY;
}

/* Event locked, hard off. */
static void signal_waiter(struct evl_monitor *mon, struct evl_thread *waiter)
{
	count_waiter(mon, -1);
	evl_follow_rank(evl_pass_waiter_locked(&mon->mutex->gate, waiter));
}

/* Event locked: nobody waits, 0; else does the caller own the mutex? */
static int check_signaller(struct evl_monitor *mon)
{
	struct evl_thread *curr = evl_current();

	if (!evl_waitqueue_active(&mon->wq))
		return 0;

	return evl_owns_gate(&mon->mutex->gate, curr) ? 1 : -EPERM;
}

/* The caller reschedules: who finds the mutex gone wakes up at once. */
static int signal_event(struct evl_monitor *mon, bool all)
{
	int ret;

	guard(hard_spinlock_irqsave)(&mon->wq.lock);
	ret = check_signaller(mon);
	if (ret <= 0)
		return ret;

	do
		signal_waiter(mon, evl_waitqueue_head(&mon->wq));
	while (all && evl_waitqueue_active(&mon->wq));

	return 0;
}

static int signal_target(struct evl_monitor *mon, struct evl_thread *target)
{
	struct evl_thread *waiter;
	int ret;

	guard(hard_spinlock_irqsave)(&mon->wq.lock);
	ret = check_signaller(mon);
	if (ret <= 0)
		return ret;

	list_for_each_entry(waiter, &mon->wq.waiters, wait_next) {
		if (waiter == target) {
			signal_waiter(mon, waiter);
			break;
		}
	}

	return 0;
}

static long signal_thread(struct evl_monitor *mon, unsigned long arg)
{
	struct evl_thread *target;
	struct evl_file *efilp;
	struct evl_element *e;
	s32 fd;
	int ret = evl_copy_from_user(&fd, (void __user *)arg, sizeof(fd));

	if (ret)
		return ret;

	e = evl_get_element_by_fd(&evl_thread_factory, fd, &efilp);
	if (!e)
		return -EINVAL;

	target = evl_element_thread(e);
	ret = READ_ONCE(target->state) & EVL_T_ZOMBIE ? -ESTALE : signal_target(mon, target);
	evl_put_file(efilp);

	return ret;
}

/* The caller owns the mutex, hence is a core thread; without waiters anybody may call. */
static long event_ioctl(struct evl_monitor *mon, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (!evl_current())
		return -EPERM;

	switch (cmd) {
	case EVL_MONIOC_SIGNAL:
		ret = signal_event(mon, false);
		break;
	case EVL_MONIOC_BROADCAST:
		ret = signal_event(mon, true);
		break;
	case EVL_MONIOC_SIGNAL_THREAD:
		ret = signal_thread(mon, arg);
		break;
	default:
		return -ENOTTY;
	}
	evl_schedule();

	return ret;
}

const struct evl_monitor_ops evl_monitor_event_ops = {
	.init		= init_event,
	.ioctl		= event_ioctl,
	.oob_ioctl	= event_oob_ioctl,
	.evict		= evict_event,
};
