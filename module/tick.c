// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tick device of each CPU of the core. While the core has it, the in-band tick is one more date to
 * program it for, but only while in-band has the CPU: a thread is never interrupted for the sake of a tick
 * which could not be served anyway. The next switch to in-band makes up for it.
 *
 * A CPU takes part as long as it is online. It is not let go while threads live there or timers run on it;
 * the hotplug state below refuses with -EBUSY. When it comes back online, it rejoins. A suspend takes the
 * secondary CPUs offline, and is refused the same way; the boot CPU, whose tick device is shut down as
 * well, is covered by the power management notifier.
 */
#include "tick.h"
#include "clock.h"
#include "sched.h"
#include "trace.h"
#include "watchdog.h"

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/oob_tick.h>
#include <linux/suspend.h>

#define ONESHOT_PATIENCE	(5 * HZ)

static enum cpuhp_state hp_state;
static bool started;

static void program_shot(struct evl_rq *rq, ktime_t date)
{
	rq->shot = date;
	evl_trace(evl_shot, date);
	oob_tick_program(date);
}

/*
 * Hard off: shot of the current CPU for its timers, the first of which is due at @date. The in-band tick is
 * not waited for while a thread has the CPU, or is about to get it.
 */
void evl_program_tick_at(ktime_t date)
{
	struct evl_rq *rq = evl_this_rq();

	if (unlikely(!rq->tick_taken))
		return;

	if (rq->curr->state & EVL_T_ROOT && !rq->resched)
		date = min(date, rq->inband_next);
	program_shot(rq, date);
}

/* Hard off: in-band goes on, on this CPU; the tick it may be waiting for is due again. */
void evl_resume_inband_tick(struct evl_rq *rq)
{
	if (rq->inband_next < rq->shot)
		program_shot(rq, rq->inband_next);
}

void evl_program_tick(struct evl_clock *clock)
{
	evl_program_tick_at(evl_next_shot(clock));
}

void evl_program_remote_tick(struct evl_clock *clock, struct evl_rq *rq)
{
	irq_send_oob_ipi(TIMER_OOB_IPI, cpumask_of(rq->cpu));
}

/* Context H. The shot was for in-band as well if it was not for anything earlier. */
static void tick_shot(void)
{
	struct evl_rq *rq = evl_this_rq();

	if (rq->inband_next <= rq->shot && rq->curr->state & EVL_T_ROOT) {
		rq->inband_next = KTIME_MAX;
		oob_tick_post_inband();
	}
	evl_announce_tick(&evl_mono_clock);
}

/* Hard off, called by in-band, whose locks may be held. A shot too many does no harm. */
static void tick_set_inband_next(ktime_t date)
{
	struct evl_rq *rq = evl_this_rq();

	rq->inband_next = date;
	evl_resume_inband_tick(rq);
	evl_put_off_watchdog(rq, date);
}

static const struct oob_tick_ops tick_ops = {
	.shot			= tick_shot,
	.set_inband_next	= tick_set_inband_next,
};

static void set_tick_kept(struct evl_rq *rq, bool kept)
{
	guard(hard_spinlock_irqsave)(&rq->lock);
	WRITE_ONCE(rq->tick_kept, kept);
}

/* A timer may have been started while no CPU had a tick. */
static void catch_up(void)
{
	unsigned long flags = hard_local_irq_save();

	evl_program_tick(&evl_mono_clock);
	hard_local_irq_restore(flags);
}

/*
 * On the CPU itself. The dates and the mark come first: in-band may ask for its next tick from within
 * oob_tick_take(), and the first shot may follow at once.
 */
static int take_tick(unsigned int cpu)
{
	struct evl_rq *rq = evl_cpu_rq(cpu);
	int ret;

	rq->inband_next = KTIME_MAX;
	rq->shot = KTIME_MAX;
	rq->tick_taken = true;
	ret = oob_tick_take(&tick_ops);
	if (ret) {
		rq->tick_taken = false;
		return ret;
	}

	set_tick_kept(rq, true);
	catch_up();

	return 0;
}

/*
 * A CPU which has just come online, or a system which has just booted, has its tick in periodic mode until
 * the clock source has proved itself: wait for the switch.
 */
static int take_tick_in_time(unsigned int cpu)
{
	unsigned long limit = jiffies + ONESHOT_PATIENCE;
	int ret;

	for (;;) {
		ret = take_tick(cpu);
		if (ret != -ENODEV || time_after(jiffies, limit))
			return ret;
		msleep(20);
	}
}

/* oob_tick_release() gives an outstanding in-band shot back to the hardware. */
static void release_tick(unsigned int cpu)
{
	struct evl_rq *rq = evl_cpu_rq(cpu);

	if (!rq->tick_taken)
		return;

	oob_tick_release();
	rq->tick_taken = false;
	rq->inband_next = KTIME_MAX;
}

static int join_cpu(unsigned int cpu)
{
	int ret;

	if (!cpumask_test_cpu(cpu, &evl_oob_cpus))
		return 0;

	ret = take_tick_in_time(cpu);
	if (!ret)
		return 0;

	pr_err("CPU%u: tick device cannot be shared (%d)%s\n", cpu, ret,
	       ret == -ENODEV ? ", a one-shot local timer is needed" : "");
	/* Loading fails; later on, a CPU without the core is better than none. */
	return started ? 0 : ret;
}

/*
 * A CPU which is idle is about to lose its tick. Others may start a plan of SCHED_TP there, under the run queue
 * lock: either it runs by now, or they see that the tick does not stay. Timers are started under the lock of
 * their base: either one is found here, or whoever starts it sees that. The timer of a plan is not queued while
 * its handler runs.
 */
static bool free_tick(unsigned int cpu)
{
	struct evl_rq *rq = evl_cpu_rq(cpu);

	guard(hard_spinlock_irqsave)(&rq->lock);
	if (started && (READ_ONCE(rq->nr_threads) || rq->tp.running))
		return false;

	/* Timers of threads do not get here: they stay with theirs. */
	WRITE_ONCE(rq->tick_kept, false);
	if (started && evl_tick_is_needed(cpu)) {
		WRITE_ONCE(rq->tick_kept, rq->tick_taken);
		return false;
	}

	return true;
}

static int part_cpu(unsigned int cpu)
{
	if (!free_tick(cpu)) {
		pr_warn("CPU%u: stays online, threads or timers of the core are bound to it\n", cpu);
		return -EBUSY;
	}

	release_tick(cpu);

	return 0;
}

static long retake_tick(void *arg)
{
	int cpu = (long)arg;

	return evl_cpu_rq(cpu)->tick_taken ? 0 : take_tick(cpu);
}

static long drop_tick(void *arg)
{
	release_tick((long)arg);
	return 0;
}

/* All of them, or none. */
static bool free_all_ticks(void)
{
	bool freed = true;
	int cpu;

	for_each_cpu(cpu, &evl_oob_cpus)
		freed &= free_tick(cpu);
	if (freed)
		return true;

	for_each_cpu(cpu, &evl_oob_cpus)
		set_tick_kept(evl_cpu_rq(cpu), evl_cpu_rq(cpu)->tick_taken);

	return false;
}

static void on_online_cpus(long (*fn)(void *arg))
{
	long cpu, ret;

	cpus_read_lock();
	for_each_cpu_and(cpu, &evl_oob_cpus, cpu_online_mask) {
		ret = work_on_cpu(cpu, fn, (void *)cpu);
		if (ret)
			pr_err("CPU%ld: tick device lost over suspend (%ld)\n", cpu, ret);
	}
	cpus_read_unlock();
}

static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		if (!free_all_ticks()) {
			pr_warn("suspend refused: threads or timers of the core are active\n");
			return notifier_from_errno(-EBUSY);
		}
		on_online_cpus(drop_tick);
		return NOTIFY_OK;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		on_online_cpus(retake_tick);
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

static struct notifier_block pm_nb = { .notifier_call = pm_event };

/* In-band. Takes the tick of every CPU of the set, or of none. */
int evl_enable_ticks(void)
{
	int ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "evl/tick:online", join_cpu, part_cpu);

	if (ret < 0)
		return ret;

	hp_state = ret;
	ret = register_pm_notifier(&pm_nb);
	if (ret) {
		cpuhp_remove_state(hp_state);
		return ret;
	}

	started = true;

	return 0;
}

/* In-band. Nothing of the core runs any more. */
void evl_disable_ticks(void)
{
	started = false;
	unregister_pm_notifier(&pm_nb);
	cpuhp_remove_state(hp_state);
}
