// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of threads in sysfs: one line of text each, read-only. Formats: docs/attributes.md.
 */
#include "thread.h"
#include "wait.h"

#include <linux/math64.h>

static struct evl_thread *device_thread(struct device *dev)
{
	return evl_element_thread(dev_get_drvdata(dev));
}

static ssize_t pid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", device_thread(dev)->pid);
}
static DEVICE_ATTR_RO(pid);

static const char *policy_name(const struct evl_sched_attrs *attrs)
{
	if (attrs->sched_policy == SCHED_RR)
		return "rr";
	return evl_find_sched_class(attrs->sched_policy)->name;
}

/* <cpu> <policy> <base priority> <current priority> [<time slice, ns>, or group, or partition] */
static ssize_t sched_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct evl_thread *thread = device_thread(dev);
	struct evl_sched_attrs attrs;
	ssize_t len;

	evl_get_sched_attrs(thread, &attrs);
	len = sysfs_emit(buf, "%d %s %d %d", READ_ONCE(thread->rq)->cpu, policy_name(&attrs),
			 attrs.sched_priority, READ_ONCE(thread->prio));
	if (attrs.sched_policy == SCHED_RR)
		len += sysfs_emit_at(buf, len, " %lld", READ_ONCE(thread->rr_quantum));
	else if (attrs.sched_policy == SCHED_QUOTA)
		len += sysfs_emit_at(buf, len, " %d", attrs.sched_quota_group);
	else if (attrs.sched_policy == SCHED_TP)
		len += sysfs_emit_at(buf, len, " %d", attrs.sched_tp_partition);

	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(sched);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "0x%08x\n", READ_ONCE(device_thread(dev)->state));
}
static DEVICE_ATTR_RO(state);

/* Share of the CPU since the previous read, per mille. */
static unsigned int cpu_share(struct evl_thread *thread, u64 xtime)
{
	ktime_t now = evl_ktime_monotonic();
	u64 used = xtime - thread->share_xtime;
	u64 elapsed = ktime_sub(now, thread->share_date);

	thread->share_xtime = xtime;
	thread->share_date = now;

	return elapsed ? min_t(u64, div64_u64(used * 1000, elapsed), 1000) : 0;
}

/* <switches in-band> <context switches> <requests> <remote wake-ups> <cpu time, ns> <cpu share, per mille> */
static ssize_t stats_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct evl_thread *thread = device_thread(dev);
	struct evl_thread_state st;

	evl_get_thread_state(thread, &st);

	return sysfs_emit(buf, "%u %u %u %u %llu %u\n", st.isw, st.csw, st.sc, st.rwa, st.xtime,
			  cpu_share(thread, st.xtime));
}
static DEVICE_ATTR_RO(stats);

/* Time left before the limit of the current wait, or the next period, ns; 0: none. */
static ssize_t timeout_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct evl_thread *thread = device_thread(dev);
	u32 state = READ_ONCE(thread->state);
	ktime_t left = 0;

	if (state & EVL_T_DELAY)
		left = evl_get_timer_delta(&thread->rtimer);
	else if (state & EVL_T_WAIT)
		left = evl_get_timer_delta(&thread->ptimer);

	return sysfs_emit(buf, "%lld\n", left);
}
static DEVICE_ATTR_RO(timeout);

/* The lock of the thread keeps the queue and its name there. */
static ssize_t wchan_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct evl_thread *thread = device_thread(dev);
	char name[64] = "-";

	scoped_guard(hard_spinlock_irqsave, &thread->lock)
		if (thread->wchan)
			strscpy(name, thread->wchan->name);

	return sysfs_emit(buf, "%s\n", name);
}
static DEVICE_ATTR_RO(wchan);

static ssize_t observable_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", !!(READ_ONCE(device_thread(dev)->state) & EVL_T_OBSERV));
}
static DEVICE_ATTR_RO(observable);

static struct attribute *thread_attrs[] = {
	&dev_attr_pid.attr,
	&dev_attr_sched.attr,
	&dev_attr_state.attr,
	&dev_attr_stats.attr,
	&dev_attr_timeout.attr,
	&dev_attr_wchan.attr,
	&dev_attr_observable.attr,
	NULL,
};

static const struct attribute_group thread_group = { .attrs = thread_attrs };

const struct attribute_group *evl_thread_groups[] = { &thread_group, NULL };
