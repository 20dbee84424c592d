// SPDX-License-Identifier: GPL-2.0-only
/*
 * SCHED_QUOTA: groups of threads with a CPU budget, FIFO by priority inside a group.
 *
 * Time is cut into global periods of quota_period_ms. A group may run for its quota in each; what it leaves is added
 * to the next budget up to the peak, and the rest is credit for later ones. The group of the current thread is
 * charged, whatever rank this thread runs at; a timer tells when its budget has gone.
 *
 * Threads queue in their group, the group queues in its run queue at the level of the best of them: among the
 * active ones as long as it has some budget, among the stalled ones after that. So neither the end of a budget
 * nor a new period looks at threads, or at each group: a new period merges two sets of lists, level by level, and
 * changes the number of the period, by which a group finds when it is looked at next how many periods' quotas
 * it has to receive. For the same reason evl_quota_group.stalled_in is the number of a period: the group is stalled
 * as long as this one lasts.
 *
 * Unbound threads queue outside of their group and ignore its budget: those boosted by a mutex, and those which have
 * to come in-band or to end. See evl_wanted_rank() and evl_add_info().
 *
 * Locks: all of a group is covered by the lock of its run queue; members live on its CPU. evl_thread.quota changes
 * under the lock of the thread as well. A slot of the table of identifiers changes under quota_mutex and the lock of
 * the run queue it names before or after: who holds the lock of a run queue sees each slot of this run queue as such,
 * and the groups in them stay.
 *
 * Lifetime: a group which has left its slot gets no more members; it is freed when it has none.
 */
#include "sched-quota.h"
#include "sched.h"
#include "rank.h"
#include "thread.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/mutex.h>
#include <linux/slab.h>

#define NR_GROUPS	1024

struct evl_quota_group {
	struct evl_rq		*rq;
	struct evl_quota_ctlinfo info;		/* but for quota_sum */
	u64			quota;		/* ns in each period */
	u64			peak;
	u64			budget;		/* left of @period */
	u64			credit;		/* for later periods */
	u64			period;
	u64			stalled_in;	/* period whose budget has gone */
	struct evl_levels	ready;
	struct list_head	members;
	struct list_head	next;		/* in a queue of the run queue, if @queued, at level @prio */
	int			prio;
	bool			queued;
};

static struct {
	struct evl_rq		*rq;
	struct evl_quota_group	*group;
} slots[NR_GROUPS];		/* identifiers less 1 */
static DEFINE_MUTEX(quota_mutex);

static u64 percent_of_period(int percent)
{
	return evl_quota_period_ms * (u64)(NSEC_PER_MSEC / 100) * percent;
}

static bool is_stalled(const struct evl_quota_rq *q, const struct evl_quota_group *group)
{
	return group->stalled_in == q->period;
}

static struct evl_levels *queue_of(struct evl_quota_rq *q, const struct evl_quota_group *group)
{
	return is_stalled(q, group) ? &q->stalled : &q->active;
}

static void unqueue(struct evl_quota_rq *q, struct evl_quota_group *group)
{
	if (group->queued)
		evl_del_node(queue_of(q, group), &group->next, group->prio);
	group->queued = false;
}

/* Have the group queue where its best thread belongs. It keeps its place if nothing changes, unless @front. */
static void settle(struct evl_quota_rq *q, struct evl_quota_group *group, bool front)
{
	int prio = evl_top_level(&group->ready);

	if (group->queued && group->prio == prio && !front)
		return;

	unqueue(q, group);
	if (prio < 0)
		return;

	group->prio = prio;
	group->queued = true;
	if (front)
		evl_add_node_head(queue_of(q, group), &group->next, prio);
	else
		evl_add_node_tail(queue_of(q, group), &group->next, prio);
}

static void stall(struct evl_quota_rq *q, struct evl_quota_group *group)
{
	if (is_stalled(q, group))
		return;

	unqueue(q, group);
	group->stalled_in = q->period;
	settle(q, group, false);
}

/* Quotas of the periods which have begun since it was last looked at. */
static void refill(struct evl_quota_rq *q, struct evl_quota_group *group)
{
	u64 total = group->budget + group->credit + (q->period - group->period) * group->quota;

	if (group->period == q->period)
		return;

	group->period = q->period;
	group->budget = min(total, group->peak);
	/* Without a higher peak there is no period to use it in. */
	group->credit = group->peak > group->quota ? total - group->budget : 0;
}

static void charge(struct evl_quota_rq *q, ktime_t now)
{
	struct evl_quota_group *group = q->running;
	u64 used = ktime_sub(now, q->since);

	q->since = now;
	group->budget -= min(used, group->budget);
	if (!group->budget)
		stall(q, group);
}

/* The group may have used its budget up, by a thread which is unbound. */
static void start_limit(struct evl_quota_rq *q)
{
	if (q->running->budget)
		evl_start_timer(&q->limit_timer, ktime_add(q->since, q->running->budget), 0);
	else
		evl_stop_timer(&q->limit_timer);
}

/* rq locked: from now on @group is charged, NULL for none. */
void evl_meter_quota(struct evl_rq *rq, struct evl_quota_group *group)
{
	struct evl_quota_rq *q = &rq->quota;
	ktime_t now = evl_ktime_monotonic();

	if (q->running)
		charge(q, now);

	q->running = group;
	if (!group) {
		evl_stop_timer(&q->limit_timer);
		return;
	}

	q->since = now;
	refill(q, group);
	start_limit(q);
}

static void begin_period(struct evl_rq *rq)
{
	struct evl_quota_rq *q = &rq->quota;

	if (q->running)
		charge(q, evl_ktime_monotonic());

	q->period++;
	evl_merge_levels(&q->active, &q->stalled);

	if (q->running) {
		refill(q, q->running);
		start_limit(q);
	}
	evl_set_resched(rq);
}

/* Context H. Without members there is nothing to do until one joins. */
static void period_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, quota.period_timer);

	guard(hard_spinlock)(&rq->lock);
	if (rq->quota.nr_members)
		begin_period(rq);
	else
		evl_stop_timer(timer);
}

/* Context H. Armed again while it waited for the lock, it has come too early. */
static void limit_handler(struct evl_timer *timer)
{
	struct evl_rq *rq = container_of(timer, struct evl_rq, quota.limit_timer);
	struct evl_quota_rq *q = &rq->quota;

	guard(hard_spinlock)(&rq->lock);
	if (!q->running || READ_ONCE(timer->queued))
		return;

	charge(q, evl_ktime_monotonic());
	start_limit(q);
	evl_set_resched(rq);
}

static void add(struct evl_rq *rq, struct evl_thread *thread, bool front)
{
	struct evl_quota_group *group = thread->quota;
	struct evl_quota_rq *q = &rq->quota;
	struct evl_levels *levels = &q->unbound;

	if (!evl_is_unbound(thread))
		levels = &group->ready;

	if (front)
		evl_add_level_head(levels, thread);
	else
		evl_add_level_tail(levels, thread);

	if (levels == &q->unbound)
		return;

	refill(q, group);
	settle(q, group, front && thread->prio == evl_top_level(levels));
}

static void quota_add_head(struct evl_rq *rq, struct evl_thread *thread)
{
	add(rq, thread, true);
}

static void quota_add_tail(struct evl_rq *rq, struct evl_thread *thread)
{
	add(rq, thread, false);
}

static void quota_del(struct evl_rq *rq, struct evl_thread *thread)
{
	if (evl_is_unbound(thread)) {
		evl_del_level(&rq->quota.unbound, thread);
	} else {
		evl_del_level(&thread->quota->ready, thread);
		settle(&rq->quota, thread->quota, false);
	}
}

static struct evl_thread *quota_pick(struct evl_rq *rq)
{
	struct evl_quota_rq *q = &rq->quota;
	struct list_head *node = evl_first_node(&q->active);
	struct evl_quota_group *group;
	struct evl_thread *thread;

	if (!node)
		return evl_pop_level(&q->unbound);

	group = list_entry(node, struct evl_quota_group, next);
	if (evl_top_level(&q->unbound) >= group->prio)
		return evl_pop_level(&q->unbound);

	thread = evl_pop_level(&group->ready);
	settle(q, group, false);

	return thread;
}

static int quota_check(const struct evl_sched_attrs *attrs)
{
	return evl_check_rt_priority(attrs);
}

/* rq locked. */
static struct evl_quota_group *find_group(struct evl_rq *rq, int tgid)
{
	if (tgid < 1 || tgid > NR_GROUPS || READ_ONCE(slots[tgid - 1].rq) != rq)
		return NULL;

	return slots[tgid - 1].group;
}

static int quota_admit(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	return find_group(thread->rq, attrs->sched_quota_group) ? 0 : -EINVAL;
}

/* Nobody was there to use what was left over before. */
static void welcome_first(struct evl_quota_rq *q, struct evl_quota_group *group)
{
	if (group->period == q->period)
		return;

	group->period = q->period;
	group->budget = group->quota;
}

static void quota_set(struct evl_thread *thread, const struct evl_sched_attrs *attrs)
{
	struct evl_rq *rq = thread->rq;
	struct evl_quota_rq *q = &rq->quota;
	struct evl_quota_group *group = find_group(rq, attrs->sched_quota_group);
	ktime_t period = ms_to_ktime(evl_quota_period_ms);

	if (!READ_ONCE(q->period_timer.queued)) {
		begin_period(rq);
		evl_start_timer(&q->period_timer, ktime_add(evl_ktime_monotonic(), period), period);
	}

	if (list_empty(&group->members))
		welcome_first(q, group);

	thread->quota = group;
	list_add_tail(&thread->quota_next, &group->members);
	q->nr_members++;
	if (thread == rq->curr)
		evl_meter_quota(rq, group);
}

static void quota_leave(struct evl_thread *thread)
{
	struct evl_rq *rq = thread->rq;

	if (thread == rq->curr)
		evl_meter_quota(rq, NULL);

	rq->quota.nr_members--;
	list_del(&thread->quota_next);
	thread->quota = NULL;
}

static void quota_get(struct evl_thread *thread, struct evl_sched_attrs *attrs)
{
	attrs->sched_policy = SCHED_QUOTA;
	attrs->sched_quota_group = thread->quota->info.tgid;
}

const struct evl_sched_class evl_sched_quota = {
	.name		= "quota",
	.rank		= 2,
	.metered	= true,
	.add_head	= quota_add_head,
	.add_tail	= quota_add_tail,
	.del		= quota_del,
	.pick		= quota_pick,
	.check		= quota_check,
	.admit		= quota_admit,
	.set		= quota_set,
	.leave		= quota_leave,
	.get		= quota_get,
};

/* rq locked: state of the group for the user; quotas summed up to what they are now. */
static void report(struct evl_quota_group *group, struct evl_quota_ctlinfo *info)
{
	*info = group->info;
	info->quota_sum = group->rq->quota.sum;
}

static struct evl_quota_group *alloc_group(struct evl_rq *rq)
{
	struct evl_quota_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;

	group->rq = rq;
	group->info.quota = group->info.quota_peak = 100;
	group->quota = group->peak = percent_of_period(100);
	evl_init_levels(&group->ready);
	INIT_LIST_HEAD(&group->members);

	return group;
}

static int find_free_slot(void)
{
	int n;

	for (n = 0; n < NR_GROUPS; n++)
		if (!slots[n].group)
			return n;
	return -ENOMEM;
}

/* In-band. */
static int add_group(struct evl_rq *rq, struct evl_quota_ctlinfo *info)
{
	struct evl_quota_group *group = alloc_group(rq);
	int n;

	if (!group)
		return -ENOMEM;

	guard(mutex)(&quota_mutex);
	n = find_free_slot();
	if (n < 0) {
		kfree(group);
		return n;
	}

	guard(hard_spinlock_irqsave)(&rq->lock);
	group->info.tgid = n + 1;
	slots[n].group = group;
	WRITE_ONCE(slots[n].rq, rq);
	rq->quota.sum += group->info.quota;
	report(group, info);

	return 0;
}

/* quota_mutex held: no thread can join it any more. */
static struct evl_quota_group *withdraw_group(struct evl_rq *rq, int tgid, bool force, struct evl_quota_ctlinfo *info)
{
	struct evl_quota_group *group;

	guard(hard_spinlock_irqsave)(&rq->lock);
	group = find_group(rq, tgid);
	if (!group)
		return ERR_PTR(-EINVAL);
	if (!force && !list_empty(&group->members))
		return ERR_PTR(-EBUSY);

	WRITE_ONCE(slots[tgid - 1].rq, NULL);
	slots[tgid - 1].group = NULL;
	rq->quota.sum -= group->info.quota;
	info->tgid = tgid;
	info->quota_sum = rq->quota.sum;

	return group;
}

/* A member, with a reference, which it cannot be the last to drop while it is one. NULL: none is left. */
static struct evl_thread *get_member(struct evl_quota_group *group)
{
	struct evl_thread *thread;

	guard(hard_spinlock_irqsave)(&group->rq->lock);
	thread = list_first_entry_or_null(&group->members, struct evl_thread, quota_next);
	if (thread)
		evl_get_element(&thread->element);

	return thread;
}

/* Out of the group if it is still there, to go on as SCHED_FIFO. */
static void evict(struct evl_thread *thread, struct evl_quota_group *group)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO };
	unsigned long flags = hard_local_irq_save();

	hard_spin_lock(&thread->lock);
	if (thread->quota == group) {
		attrs.sched_priority = thread->base.prio;
		evl_change_attrs_locked(thread, &attrs);
	}
	hard_spin_unlock(&thread->lock);

	evl_follow_rank(evl_requeue_waiter(thread));
	evl_schedule();

	hard_local_irq_restore(flags);
}

/* In-band. One member at a time: interrupts come in between. */
static int remove_group(struct evl_rq *rq, int tgid, bool force, struct evl_quota_ctlinfo *info)
{
	struct evl_quota_group *group;
	struct evl_thread *thread;

	guard(mutex)(&quota_mutex);
	group = withdraw_group(rq, tgid, force, info);
	if (IS_ERR(group))
		return PTR_ERR(group);

	while ((thread = get_member(group))) {
		evict(thread, group);
		evl_put_element(&thread->element);
	}
	kfree(group);

	return 0;
}

/* rq locked. New values hold from the next period on, but what is left of this one never exceeds them. */
static void change_quota(struct evl_quota_group *group, int percent, int peak_percent)
{
	struct evl_quota_rq *q = &group->rq->quota;

	if (group == q->running)
		charge(q, evl_ktime_monotonic());
	else
		refill(q, group);

	q->sum += percent - group->info.quota;
	group->info.quota = percent;
	group->info.quota_peak = peak_percent;
	group->quota = percent_of_period(percent);
	group->peak = percent_of_period(peak_percent);
	group->budget = min(group->budget, group->quota);
	group->credit = 0;

	if (group == q->running) {
		start_limit(q);
		/* If its budget has just gone, no timer is going to tell. */
		evl_set_resched(group->rq);
	}
}

static int set_group(struct evl_rq *rq, const struct evl_quota_ctlparam *param, struct evl_quota_ctlinfo *info)
{
	int quota = param->u.set.quota, peak = param->u.set.quota_peak;
	struct evl_quota_group *group;

	if (quota < 1 || peak < quota || peak > 100)
		return -EINVAL;

	guard(hard_spinlock_irqsave)(&rq->lock);
	group = find_group(rq, param->u.set.tgid);
	if (!group)
		return -EINVAL;

	change_quota(group, quota, peak);
	report(group, info);

	return 0;
}

static int get_group(struct evl_rq *rq, int tgid, struct evl_quota_ctlinfo *info)
{
	struct evl_quota_group *group;

	guard(hard_spinlock_irqsave)(&rq->lock);
	group = find_group(rq, tgid);
	if (!group)
		return -EINVAL;

	report(group, info);

	return 0;
}

/* What takes or frees memory is done in-band. */
static int control_membership(struct evl_rq *rq, const struct evl_quota_ctlparam *param,
			      struct evl_quota_ctlinfo *info)
{
	bool oob = evl_visit_inband();
	int ret;

	if (param->op == evl_quota_add)
		ret = add_group(rq, info);
	else
		ret = remove_group(rq, param->u.remove.tgid, param->op == evl_quota_force_remove, info);
	evl_end_visit(oob);

	return ret;
}

static int control(struct evl_rq *rq, const struct evl_quota_ctlparam *param, struct evl_quota_ctlinfo *info)
{
	switch (param->op) {
	case evl_quota_add:
	case evl_quota_remove:
	case evl_quota_force_remove:
		return control_membership(rq, param, info);
	case evl_quota_set:
		return set_group(rq, param, info);
	case evl_quota_get:
		return get_group(rq, param->u.get.tgid, info);
	default:
		return -EINVAL;
	}
}

/**
 * evl_control_quota - serve evl_control_sched() for SCHED_QUOTA
 * @rq: of the CPU meant
 * @u_param: struct evl_quota_ctlparam
 * @u_info: struct evl_quota_ctlinfo for results; NULL: not wanted, which evl_quota_get refuses
 *
 * Either stage. 0, -EFAULT, -EINVAL, -EBUSY: the group to remove has members, -ENOMEM: also if there are 1024
 * groups. Room for the result is looked at first, so that a bad address changes nothing.
 */
long evl_control_quota(struct evl_rq *rq, const void __user *u_param, void __user *u_info)
{
	struct evl_quota_ctlinfo info = { };
	struct evl_quota_ctlparam param;
	int ret;

	ret = evl_copy_from_user(&param, u_param, sizeof(param));
	if (ret)
		return ret;

	if (!u_info && param.op == evl_quota_get)
		return -EINVAL;

	if (u_info) {
		ret = evl_probe_user(u_info, &info, sizeof(info));
		if (ret)
			return ret;
	}

	memset(&info, 0, sizeof(info));
	ret = control(rq, &param, &info);
	evl_schedule();
	if (!ret && u_info)
		ret = evl_copy_to_user(u_info, &info, sizeof(info));

	return ret;
}

void evl_init_quota(struct evl_quota_rq *q, int cpu)
{
	evl_init_levels(&q->active);
	evl_init_levels(&q->stalled);
	evl_init_levels(&q->unbound);
	__evl_init_timer(&q->period_timer, &evl_mono_clock, period_handler, cpu, EVL_TIMER_INTERNAL);
	__evl_init_timer(&q->limit_timer, &evl_mono_clock, limit_handler, cpu, EVL_TIMER_INTERNAL);
}

void evl_stop_quota(struct evl_quota_rq *q)
{
	evl_destroy_timer(&q->period_timer);
	evl_destroy_timer(&q->limit_timer);
}

/* The core goes, no thread is left. */
void evl_free_quota_groups(void)
{
	int n;

	for (n = 0; n < NR_GROUPS; n++) {
		kfree(slots[n].group);
		slots[n].group = NULL;
		slots[n].rq = NULL;
	}
}
