// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared tick device: shots for out-of-band on time whatever in-band masks, the in-band tick carried
 * along, the device given back.
 */
#include "pipeline-test.h"
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/oob_tick.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#define PERIOD_NS	(500 * NSEC_PER_USEC)
#define SECTION_NS	(5 * NSEC_PER_MSEC)
#define SECTIONS	40

/* The NMI-safe clocks may differ by a rounding from the others across an update. */
#define CLOCK_SLACK	1000

/* One CPU's device. Dates are the oob handler's business, counters are read by anybody. */
struct tick {
	u64 inband_next;	/* U64_MAX: in-band wants no tick */
	u64 oob_next;		/* U64_MAX: no oob timer runs */
	u64 shots;		/* oob timer expiries */
	u64 spurious;		/* nothing was due */
	u64 posted;		/* ticks given to in-band */
	u64 missed;		/* oob dates that passed unseen, the handler being late by a period */
	u64 late_sum, late_max;
};

static DEFINE_PER_CPU(struct tick, ticks);

static void program(struct tick *t)
{
	u64 next = min(t->inband_next, t->oob_next);

	oob_tick_program(next == U64_MAX ? KTIME_MAX : ns_to_ktime(next));
}

static void note_expiry(struct tick *t, u64 now)
{
	u64 late = now - t->oob_next;

	t->shots++;
	t->late_sum += late;
	t->late_max = max(t->late_max, late);
	t->missed += late / PERIOD_NS;
	t->oob_next += (late / PERIOD_NS + 1) * PERIOD_NS;
}

static void tick_shot(void)
{
	struct tick *t = this_cpu_ptr(&ticks);
	u64 now = ktime_get_mono_fast_ns();
	bool due = false;

	if (now >= t->oob_next) {
		note_expiry(t, now);
		due = true;
	}
	if (now >= t->inband_next) {
		t->inband_next = U64_MAX;
		t->posted++;
		oob_tick_post_inband();
		due = true;
	}
	t->spurious += !due;
	program(t);
}

static void tick_set_inband_next(ktime_t date)
{
	struct tick *t = this_cpu_ptr(&ticks);

	t->inband_next = date == KTIME_MAX ? U64_MAX : ktime_to_ns(date);
	program(t);
}

static const struct oob_tick_ops tick_ops = {
	.shot = tick_shot,
	.set_inband_next = tick_set_inband_next,
};

static int take_here(void *unused)
{
	struct tick *t = this_cpu_ptr(&ticks);

	*t = (struct tick) { .inband_next = U64_MAX, .oob_next = U64_MAX };

	return oob_tick_take(&tick_ops);
}

static int take_again_here(void *unused)
{
	return oob_tick_take(&tick_ops);
}

static int release_here(void *unused)
{
	oob_tick_release();

	return 0;
}

/* Context: in-band, on the CPU of the timer. */
static int start_timer_here(void *unused)
{
	struct tick *t = this_cpu_ptr(&ticks);
	unsigned long flags = hard_local_irq_save();

	t->shots = t->missed = t->late_sum = t->late_max = 0;
	t->oob_next = ktime_get_mono_fast_ns() + PERIOD_NS;
	program(t);
	hard_local_irq_restore(flags);

	return 0;
}

static int stop_timer_here(void *unused)
{
	struct tick *t = this_cpu_ptr(&ticks);
	unsigned long flags = hard_local_irq_save();

	t->oob_next = U64_MAX;
	program(t);
	hard_local_irq_restore(flags);

	return 0;
}

static int on_cpu(int cpu, int (*fn)(void *), void *arg)
{
	return smp_call_on_cpu(cpu, fn, arg, false);
}

/* An in-band hrtimer beside it: what plain interrupts get. */
struct probe_timer {
	struct hrtimer timer;
	u64 shots;
};

static enum hrtimer_restart probe_shot(struct hrtimer *timer)
{
	struct probe_timer *p = container_of(timer, struct probe_timer, timer);

	WRITE_ONCE(p->shots, p->shots + 1);
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));

	return HRTIMER_RESTART;
}

static void start_probe(struct probe_timer *p)
{
	p->shots = 0;
	hrtimer_init_on_stack(&p->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	p->timer.function = probe_shot;
	hrtimer_start(&p->timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

static void stop_probe(struct probe_timer *p)
{
	hrtimer_cancel(&p->timer);
	destroy_hrtimer_on_stack(&p->timer);
}

struct sections {
	u64 oob_shots, inband_shots;
	u64 after;		/* in-band shots right after sections */
};

/* Masked sections during which only out-of-band may go on. */
static int run_sections(void *arg)
{
	struct sections *s = arg;
	struct tick *t;
	struct probe_timer p;
	u64 oob, inband;
	int i;

	start_probe(&p);
	for (i = 0; i < SECTIONS; i++) {
		local_irq_disable();
		t = this_cpu_ptr(&ticks);
		oob = READ_ONCE(t->shots);
		inband = READ_ONCE(p.shots);
		spin_ns(SECTION_NS);
		s->oob_shots += READ_ONCE(t->shots) - oob;
		s->inband_shots += READ_ONCE(p.shots) - inband;
		local_irq_enable();
		s->after += spin_for(READ_ONCE(p.shots) != inband, 1000);
		cond_resched();
	}
	stop_probe(&p);

	return 0;
}

static void judge_lateness(int cpu, const char *during)
{
	struct tick *t = per_cpu_ptr(&ticks, cpu);

	tap_note("CPU%d %s: %llu shots, %llu missed, late by %llu ns on average, %llu at most",
		 cpu, during, t->shots, t->missed, t->shots ? div64_u64(t->late_sum, t->shots) : 0, t->late_max);
	if (bound_ns)
		tap_ok(t->shots && t->late_max <= bound_ns, "CPU%d %s: no shot later than %lu ns (%llu)",
		       cpu, during, bound_ns, t->late_max);
}

/*
 * A busy host holds virtual CPUs back for many periods at a time, and shots that are overdue count once: outside of
 * instruction counting, all there is to see is that they go on.
 */
static u64 wanted_shots(u64 duration)
{
	u64 due = div64_u64(duration, PERIOD_NS);

	return bound_ns ? due * 9 / 10 : due / 50 + 1;
}

static void test_sections(int cpu)
{
	struct sections s = { };

	on_cpu(cpu, start_timer_here, NULL);
	on_cpu(cpu, run_sections, &s);
	on_cpu(cpu, stop_timer_here, NULL);
	tap_ok(s.oob_shots >= wanted_shots(SECTIONS * SECTION_NS),
	       "CPU%d: oob shots go on inside masked sections (%llu in %d sections)", cpu, s.oob_shots, SECTIONS);
	tap_ok(!s.inband_shots, "CPU%d: in-band timers do not (%llu shots)", cpu, s.inband_shots);
	tap_ok(s.after == SECTIONS, "CPU%d: in-band timers go on after each (%llu of %d)", cpu, s.after, SECTIONS);
	judge_lateness(cpu, "masked sections");
}

static int sleep_here(void *slept)
{
	u64 start = ktime_get_ns();
	int i;

	for (i = 0; i < 20; i++)
		msleep(5);
	*(u64 *)slept = ktime_get_ns() - start;

	return 0;
}

/* The CPU goes idle between ticks. */
static void test_idle(int cpu)
{
	struct tick *t = per_cpu_ptr(&ticks, cpu);
	u64 slept = 0, posted = t->posted;

	on_cpu(cpu, start_timer_here, NULL);
	on_cpu(cpu, sleep_here, &slept);
	on_cpu(cpu, stop_timer_here, NULL);
	tap_ok(slept >= 100 * NSEC_PER_MSEC && slept < 60 * NSEC_PER_SEC,
	       "CPU%d: twenty sleeps of 5 ms took %llu us in-band", cpu, slept / NSEC_PER_USEC);
	tap_ok(t->posted > posted, "CPU%d: in-band ticks were passed on (%llu)", cpu, t->posted - posted);
	tap_ok(t->shots >= wanted_shots(slept), "CPU%d: oob shots go on while idle (%llu)", cpu, t->shots);
	judge_lateness(cpu, "idle");
}

static int past_date_here(void *fired)
{
	struct tick *t = this_cpu_ptr(&ticks);
	unsigned long flags;
	u64 shots;

	local_irq_disable();
	flags = hard_local_irq_save();
	shots = t->shots;
	t->oob_next = ktime_get_mono_fast_ns() - NSEC_PER_MSEC;
	program(t);
	hard_local_irq_restore(flags);
	*(bool *)fired = spin_for(READ_ONCE(t->shots) != shots, 1000);
	local_irq_enable();

	return stop_timer_here(NULL);
}

static void test_dates(int cpu)
{
	struct tick *t = per_cpu_ptr(&ticks, cpu);
	bool fired = false;
	u64 shots;

	on_cpu(cpu, past_date_here, &fired);
	tap_ok(fired, "CPU%d: a past date fires at once", cpu);
	shots = t->shots;
	msleep(20);
	tap_ok(t->shots == shots, "CPU%d: without a date, no oob shot", cpu);
}

/* Two hundred in-band timer periods behind the redirection: all of them, in about their time. */
static int count_probe_here(void *count)
{
	struct probe_timer p;
	u64 start;

	start_probe(&p);
	start = ktime_get_ns();
	spin_for(READ_ONCE(p.shots) >= 200, 5000);
	*(u64 *)count = READ_ONCE(p.shots);
	tap_note("200 periods of %lu us in-band took %llu us", PERIOD_NS / NSEC_PER_USEC,
		 (ktime_get_ns() - start) / NSEC_PER_USEC);
	stop_probe(&p);

	return 0;
}

static void test_one_cpu(int cpu)
{
	u64 count = 0;
	int ret;

	ret = on_cpu(cpu, take_here, NULL);
	if (!tap_ok(!ret, "CPU%d: the tick device can be taken (%d)", cpu, ret))
		return;
	ret = on_cpu(cpu, take_again_here, NULL);
	tap_ok(ret == -EBUSY, "CPU%d: and only once (%d)", cpu, ret);
	on_cpu(cpu, count_probe_here, &count);
	tap_ok(count >= 200, "CPU%d: in-band timers run over it", cpu);
	test_dates(cpu);
	test_idle(cpu);
	test_sections(cpu);
}

static void test_given_back(int cpu)
{
	struct tick *t = per_cpu_ptr(&ticks, cpu);
	unsigned long start_jiffies = jiffies;
	u64 slept = 0, count = 0, before;

	on_cpu(cpu, start_timer_here, NULL);
	on_cpu(cpu, release_here, NULL);
	before = t->shots;
	on_cpu(cpu, sleep_here, &slept);
	on_cpu(cpu, count_probe_here, &count);
	tap_ok(t->shots == before, "CPU%d: no oob shot after the release", cpu);
	tap_ok(slept < 60 * NSEC_PER_SEC && count >= 200 && jiffies != start_jiffies,
	       "CPU%d: in-band keeps its tick after the release", cpu);
}

/* A clock read on the oob stage lies between two in-band readings. */
static int read_clocks(void *arg)
{
	u64 *dates = arg;

	dates[0] = ktime_get_mono_fast_ns();
	dates[1] = ktime_get_real_fast_ns();

	return 0;
}

static void test_clocks(void)
{
	u64 before, oob[2], after, real_before, real_after;
	int i, wrong = 0;

	for (i = 0; i < 10000; i++) {
		before = ktime_get_ns();
		real_before = ktime_get_real_ns();
		run_oob_call(read_clocks, oob);
		after = ktime_get_ns();
		real_after = ktime_get_real_ns();
		wrong += oob[0] + CLOCK_SLACK < before || oob[0] > after + CLOCK_SLACK ||
			oob[1] + CLOCK_SLACK < real_before || oob[1] > real_after + CLOCK_SLACK;
	}
	tap_ok(!wrong, "clocks read out-of-band agree with in-band (%d of 10000 not)", wrong);
}

void test_tick(void)
{
	int cpu;

	test_clocks();
	for_each_online_cpu(cpu)
		test_one_cpu(cpu);
	for_each_online_cpu(cpu)
		test_given_back(cpu);
}
