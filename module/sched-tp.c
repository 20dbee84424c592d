// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCHED_TP: temporal partitioning. A plan cuts time into windows, each of which belongs to a partition, over and over;
 * the threads of a partition run in its windows only, FIFO by priority.
 *
 * Threads queue in their partition, whether it is open or not. One timer per CPU opens the partition of the next
 * window at the end of the current one; that is all which happens there, whatever the number of threads. Dates are
 * computed from the start of the frame, so that no error adds up, and windows missed altogether are skipped.
 *
 * A plan which is stopped, or replaced, or uninstalled, leaves the threads of the class where they are: nothing is
 * open. Unbound threads ignore windows: those boosted by a mutex, and those which have to come in-band or to end.
 *
 * All under the run queue lock, the start of the timer included: that is how the handler knows, by the timer being
 * armed, that it was overtaken by a stop and a start. Plans do not change once installed; they are installed and freed
 * in-band, without the lock.
 */
#include "sched-tp.h"
#include "sched.h"
#include "thread.h"
#include "timespec.h"
#include "uaccess.h"

#include <linux/math64.h>
#include <linux/slab.h>

#define MAX_WINDOWS	1024
#define MAX_LOOKS	8		/* at a plan which others keep replacing */
#define MAX_FRAME	(KTIME_MAX / 4)	/* so that no date overflows */

struct tp_window {
	ktime_t	end;		/* from the start of the frame */
	int	ptid;
};

struct evl_tp_plan {
	ktime_t		frame;
	int		nr_windows;
	struct tp_window windows[] __counted_by(nr_windows);
};

static struct evl_levels *queue_of(struct evl_tp_rq *tp, const struct evl_thread *thread)
{
	return evl_is_unbound(thread) ? &tp->unbound : tp->parts + thread->tp_partition;
}

static void tp_add_head(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_head(queue_of(&rq->tp, thread), thread);
}

static void tp_add_tail(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_add_level_tail(queue_of(&rq->tp, thread), thread);
}

static void tp_del(struct evl_rq *rq, struct evl_thread *thread)
{
	evl_del_level(queue_of(&rq->tp, thread), thread);
}

static struct evl_thread *tp_pick(struct evl_rq *rq)
{
	struct evl_tp_rq *tp = &rq->tp;

	if (!tp->open || evl_top_level(&tp->unbound) >= evl_top_level(tp->open))
		return evl_pop_level(&tp->unbound);

	return evl_pop_level(tp->open);
}

static int tp_check(const struct evl_sched_attrs *attrs)
{
	if (attrs->sched_tp_partition < 0 || attrs->sched_tp_partition >= (int)evl_tp_partitions)
		return -EINVAL;

	return evl_check_rt_priority(attrs);
}

static int tp_admit(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	return thread->rq->tp.plan ? 0 : -EINVAL;
}

static void tp_set(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	thread->tp_partition = attrs->sched_tp_partition;
}

static void tp_get(struct evl_thread *thread, struct evl_sched_attrs *attrs)
{
	attrs->sched_policy = SCHED_TP;
	attrs->sched_tp_partition = thread->tp_partition;
}

const struct evl_sched_class evl_sched_tp = {
	.name		= "tp",
	.rank		= 3,
	.metered	= true,
	.add_head	= tp_add_head,
	.add_tail	= tp_add_tail,
	.del		= tp_del,
	.pick		= tp_pick,
	.check		= tp_check,
	.admit		= tp_admit,
	.set		= tp_set,
	.get		= tp_get,
};

/* The window at so much time after the start of the frame, which is less than the frame. */
static int find_window(const struct evl_tp_plan *plan, ktime_t at)
{
	int low = 0, high = plan->nr_windows - 1, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (at < plan->windows[mid].end)
			high = mid;
		else
			low = mid + 1;
	}

	return low;
}

/* rq locked: open the window which belongs to @date, and have the timer close it. */
static void enter_window(struct evl_rq *rq, ktime_t date)
{
	struct evl_tp_rq *tp = &rq->tp;
	const struct tp_window *window;
	u64 at = ktime_sub(date, tp->frame_start);

	/* More than one frame, if this CPU was stopped meanwhile. */
	if (at >= tp->plan->frame) {
		div64_u64_rem(at, tp->plan->frame, &at);
		tp->frame_start = ktime_sub(date, at);
	}

	window = tp->plan->windows + find_window(tp->plan, at);
	tp->open = window->ptid == EVL_TP_IDLE ? NULL : tp->parts + window->ptid;
	tp->date = ktime_add(tp->frame_start, window->end);
	evl_start_timer(&tp->timer, tp->date, 0);
	evl_set_resched(rq);
}

/* Context H, maybe a little before the date: what comes next is the window which begins there. */
static void window_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, tp.timer);

	guard(hard_spinlock)(&rq->lock);
	if (rq->tp.running && !READ_ONCE(timer->queued))
		enter_window(rq, max(rq->tp.date, evl_ktime_monotonic()));
}

/* rq locked. */
static void stop_plan(struct evl_rq *rq)
{
	evl_stop_timer(&rq->tp.timer);
	rq->tp.running = false;
	rq->tp.open = NULL;
	evl_set_resched(rq);
}

/* From its first window on, also if it was running. A CPU which is offline, or about to be, has no ticks. */
static int start(struct evl_rq *rq)
{
	guard(hard_spinlock_irqsave)(&rq->lock);
	if (!rq->tp.plan || !rq->tick_kept)
		return -EINVAL;

	rq->tp.running = true;
	rq->tp.frame_start = evl_ktime_monotonic();
	enter_window(rq, rq->tp.frame_start);

	return 0;
}

static int stop(struct evl_rq *rq)
{
	guard(hard_spinlock_irqsave)(&rq->lock);
	stop_plan(rq);

	return 0;
}

/* The former plan is the caller's to free. */
static struct evl_tp_plan *exchange_plan(struct evl_rq *rq, struct evl_tp_plan *plan)
{
	guard(hard_spinlock_irqsave)(&rq->lock);
	stop_plan(rq);
	swap(rq->tp.plan, plan);
	rq->tp.serial++;

	return plan;
}

/* In order, without gaps, the first one at the start of the frame; long enough to be timed. */
static int add_window(struct evl_tp_plan *plan, int n, const struct __evl_tp_window *w)
{
	ktime_t duration;

	if (!evl_timespec_is_sane(&w->offset) || !evl_timespec_is_sane(&w->duration) ||
	    evl_timespec_to_ktime(&w->offset) != plan->frame)
		return -EINVAL;

	duration = evl_timespec_to_ktime(&w->duration);
	if (duration < EVL_MIN_PERIOD || duration > MAX_FRAME - plan->frame)
		return -EINVAL;

	if (w->ptid != EVL_TP_IDLE && (w->ptid < 0 || w->ptid >= (int)evl_tp_partitions))
		return -EINVAL;

	plan->frame = ktime_add(plan->frame, duration);
	plan->windows[n].end = plan->frame;
	plan->windows[n].ptid = w->ptid;

	return 0;
}

static int read_windows(struct evl_tp_plan *plan, const struct __evl_tp_window __user *u_windows)
{
	struct __evl_tp_window window;
	int n, ret;

	for (n = 0; n < plan->nr_windows; n++) {
		ret = evl_copy_from_user(&window, u_windows + n, sizeof(window));
		ret = ret ?: add_window(plan, n, &window);
		if (ret)
			return ret;
	}

	return 0;
}

static struct evl_tp_plan *read_plan(int nr_windows, const struct __evl_tp_window __user *u_windows)
{
	struct evl_tp_plan *plan;
	int ret;

	if (nr_windows < 1 || nr_windows > MAX_WINDOWS)
		return ERR_PTR(-EINVAL);

	plan = kzalloc(struct_size(plan, windows, nr_windows), GFP_KERNEL_ACCOUNT);
	if (!plan)
		return ERR_PTR(-ENOMEM);

	plan->nr_windows = nr_windows;
	ret = read_windows(plan, u_windows);
	if (ret) {
		kfree(plan);
		return ERR_PTR(ret);
	}

	return plan;
}

/* Queues of the partitions. They stay until the core goes, since threads of the class may outlive any plan. */
static int provide_parts(struct evl_rq *rq)
{
	struct evl_levels *parts;
	unsigned int n;

	if (READ_ONCE(rq->tp.parts))
		return 0;

	parts = kvcalloc(evl_tp_partitions, sizeof(*parts), GFP_KERNEL);
	if (!parts)
		return -ENOMEM;

	for (n = 0; n < evl_tp_partitions; n++)
		evl_init_levels(parts + n);

	scoped_guard(hard_spinlock_irqsave, &rq->lock)
		if (!rq->tp.parts)
			swap(rq->tp.parts, parts);
	kvfree(parts);

	return 0;
}

/* In-band. */
static int install(struct evl_rq *rq, int nr_windows, const struct __evl_tp_window __user *u_windows)
{
	struct evl_tp_plan *plan = read_plan(nr_windows, u_windows);
	int ret;

	if (IS_ERR(plan))
		return PTR_ERR(plan);

	ret = provide_parts(rq);
	if (ret) {
		kfree(plan);
		return ret;
	}

	kfree(exchange_plan(rq, plan));

	return 0;
}

static int uninstall(struct evl_rq *rq)
{
	kfree(exchange_plan(rq, NULL));
	return 0;
}

/* The plan may be replaced between two windows, hence its number. False: no such window in this plan. */
static bool read_window(struct evl_rq *rq, unsigned long serial, int n, struct __evl_tp_window *w)
{
	const struct evl_tp_plan *plan;
	ktime_t start;

	guard(hard_spinlock_irqsave)(&rq->lock);
	plan = rq->tp.plan;
	if (rq->tp.serial != serial || !plan || n >= plan->nr_windows)
		return false;

	start = n ? plan->windows[n - 1].end : 0;
	w->offset = evl_ktime_to_timespec(start);
	w->duration = evl_ktime_to_timespec(ktime_sub(plan->windows[n].end, start));
	w->ptid = plan->windows[n].ptid;

	return true;
}

static int count_windows(struct evl_rq *rq, unsigned long *serial)
{
	guard(hard_spinlock_irqsave)(&rq->lock);
	*serial = rq->tp.serial;

	return rq->tp.plan ? rq->tp.plan->nr_windows : 0;
}

/* Windows of one plan; -EAGAIN: it was replaced meanwhile. */
static int show_windows(struct evl_rq *rq, int capacity, struct evl_tp_ctlinfo __user *u_info)
{
	struct evl_tp_ctlinfo info = { };
	struct __evl_tp_window window = { };
	unsigned long serial;
	int n, ret;

	info.nr_windows = min(capacity, count_windows(rq, &serial));
	ret = evl_copy_to_user(u_info, &info, sizeof(info));

	for (n = 0; !ret && n < info.nr_windows; n++) {
		if (!read_window(rq, serial, n, &window))
			return -EAGAIN;
		ret = evl_copy_to_user(u_info->windows + n, &window, sizeof(window));
	}

	return ret;
}

/* Others may replace plans as fast as we read them: a caller is not kept in here by that. */
static int get(struct evl_rq *rq, int capacity, struct evl_tp_ctlinfo __user *u_info)
{
	int looks = MAX_LOOKS, ret;

	if (!u_info || capacity < 0)
		return -EINVAL;

	do
		ret = show_windows(rq, capacity, u_info);
	while (ret == -EAGAIN && --looks);

	return ret;
}

/* What takes or frees memory is done in-band. */
static int control_plan(struct evl_rq *rq, const struct evl_tp_ctlparam *param,
			const struct __evl_tp_window __user *u_windows)
{
	bool oob = evl_visit_inband();
	int ret;

	if (param->op == evl_tp_install)
		ret = install(rq, param->nr_windows, u_windows);
	else
		ret = uninstall(rq);
	evl_end_visit(oob);

	return ret;
}

/**
 * evl_control_tp - serve evl_control_sched() for SCHED_TP
 * @rq: of the CPU meant
 * @u_param: struct evl_tp_ctlparam; windows after it are read by evl_tp_install only
 * @u_info: struct evl_tp_ctlinfo, for evl_tp_get
 *
 * Either stage. 0, -EFAULT, -EINVAL, -ENOMEM, -EAGAIN: others kept replacing the plan which evl_tp_get was to show.
 */
long evl_control_tp(struct evl_rq *rq, const void __user *u_param, void __user *u_info)
{
	const struct evl_tp_ctlparam __user *u_tp = u_param;
	struct evl_tp_ctlparam param;
	int ret;

	ret = evl_copy_from_user(&param, u_tp, sizeof(param));
	if (ret)
		return ret;

	switch (param.op) {
	case evl_tp_install:
	case evl_tp_uninstall:
		ret = control_plan(rq, &param, u_tp->windows);
		break;
	case evl_tp_start:
		ret = start(rq);
		break;
	case evl_tp_stop:
		ret = stop(rq);
		break;
	case evl_tp_get:
		return get(rq, param.nr_windows, u_info);
	default:
		return -EINVAL;
	}

	evl_schedule();

	return ret;
}

void evl_init_tp(struct evl_tp_rq *tp, int cpu)
{
	evl_init_levels(&tp->unbound);
	__evl_init_timer(&tp->timer, &evl_mono_clock, window_handler, cpu, EVL_TIMER_GRAVITY_IRQ);
}

/* The core goes, no thread is left. */
void evl_cleanup_tp(struct evl_tp_rq *tp)
{
	evl_destroy_timer(&tp->timer);
	kfree(tp->plan);
	kvfree(tp->parts);
}
