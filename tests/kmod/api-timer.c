// SPDX-License-Identifier: GPL-2.0-only
/* Timers, and clocks of drivers: one whose device is this test. */
#include "api-test.h"

struct shot {
	struct evl_timer timer;
	int runs, misplaced, cpu;
	ktime_t date;		/* of the last one, on the clock of the timer */
	unsigned long overruns;
	void (*extra)(struct shot *s);
};

static void note_shot(struct evl_timer *timer)
{
	struct shot *s = container_of(timer, struct shot, timer);

	s->misplaced += running_inband() || !hard_irqs_disabled() || raw_smp_processor_id() != s->cpu;
	s->date = evl_read_clock(evl_timer_clock(timer));
	s->overruns += evl_get_timer_overruns(timer);
	WRITE_ONCE(s->runs, s->runs + 1);
	if (s->extra)
		s->extra(s);
}

/* Counts start again; the timer is stopped. */
static void rearm(struct shot *s, ktime_t date, ktime_t interval)
{
	evl_stop_timer(&s->timer);
	s->runs = s->misplaced = s->overruns = 0;
	evl_start_timer(&s->timer, date, interval);
}

static ktime_t in_ms(int n) { return ktime_add(evl_ktime_monotonic(), n * MS); }

static int start_in_5ms(void *timer)
{
	evl_start_timer(timer, in_ms(5), 0);

	return 0;
}

static int stop_it(void *timer)
{
	evl_stop_timer(timer);

	return 0;
}

static void test_shots(int cpu)
{
	struct shot s = { .cpu = cpu };
	ktime_t date;

	evl_init_timer_on_cpu(&s.timer, cpu, note_shot);
	date = in_ms(5);
	rearm(&s, date, 0);
	tap_ok(comes_true(READ_ONCE(s.runs)) && !s.misplaced &&
	       !ktime_before(ktime_add(s.date, EVL_MAX_GRAVITY), date),
	       "timer on CPU%d: a shot, not before its date, out-of-band", cpu);
	msleep(20);
	tap_ok(s.runs == 1, "timer on CPU%d: one shot", cpu);
	rearm(&s, 1, 0);
	tap_ok(comes_true(READ_ONCE(s.runs)), "timer on CPU%d: a past date, at once", cpu);

	date = in_ms(5);
	rearm(&s, date, MS);
	comes_true(READ_ONCE(s.runs) >= 50);
	tap_ok(evl_get_interval(&s.timer) == MS && evl_get_timer_date(&s.timer) > date,
	       "timer on CPU%d: periodic", cpu);
	evl_stop_timer(&s.timer);
	msleep(5);
	tap_ok(s.runs >= 50 && !s.misplaced &&
	       !ktime_before(ktime_add(s.date, EVL_MAX_GRAVITY),
			     ktime_add(date, (s.runs - 1 + s.overruns) * MS)),
	       "timer on CPU%d: no shot of %d early, %lu periods missed", cpu, s.runs, s.overruns);
	s.runs = 0;
	msleep(10);
	tap_ok(!s.runs && !evl_get_interval(&s.timer), "timer on CPU%d: stopped", cpu);

	s.runs = 0;
	from_interrupt(start_in_5ms, &s.timer);
	tap_ok(comes_true(READ_ONCE(s.runs)), "timer on CPU%d: started by an interrupt", cpu);
	s.runs = 0;
	in_masked_section(start_in_5ms, &s.timer);
	tap_ok(comes_true(READ_ONCE(s.runs)), "timer on CPU%d: started with interrupts masked", cpu);
	evl_start_timer(&s.timer, in_ms(50), 0);
	from_interrupt(stop_it, &s.timer);
	s.runs = 0;
	msleep(80);
	tap_ok(!s.runs, "timer on CPU%d: stopped by an interrupt", cpu);
	evl_destroy_timer(&s.timer);
}

static void test_getters(void)
{
	struct shot s = { .cpu = api_cpu };
	ktime_t date = in_ms(1000), delta;

	evl_init_core_timer(&s.timer, note_shot);
	tap_ok(!evl_get_timer_date(&s.timer) && !evl_get_timer_delta(&s.timer) &&
	       !evl_get_interval(&s.timer) &&
	       !evl_get_stopped_timer_delta(&s.timer), "a new timer is stopped");
	evl_start_timer(&s.timer, date, 7 * MS);
	delta = evl_get_timer_delta(&s.timer);
	tap_ok(evl_get_timer_date(&s.timer) == date && evl_get_interval(&s.timer) == 7 * MS && delta > 0 &&
	       delta <= 1000 * MS && evl_timer_clock(&s.timer) == &evl_mono_clock,
	       "a running timer reads as started");
	evl_stop_timer(&s.timer);
	delta = evl_get_stopped_timer_delta(&s.timer);
	tap_ok(!evl_get_timer_date(&s.timer) && delta > 0 && delta <= 1000 * MS,
	       "a stopped timer tells what was left");
	evl_destroy_timer(&s.timer);
}

static void start_again(struct shot *s)
{
	if (s->runs < 10)
		evl_start_timer(&s->timer, in_ms(1), 0);
}

static bool handler_done;

static void take_long(struct shot *s)
{
	spin_until(ktime_add(evl_ktime_monotonic(), 20 * MS));
	evl_start_timer(&s->timer, in_ms(30), 0);
	WRITE_ONCE(handler_done, true);
}

static void test_handlers(void)
{
	struct shot s = { .cpu = api_other_cpu, .extra = start_again };

	evl_init_timer_on_cpu(&s.timer, api_other_cpu, note_shot);
	rearm(&s, in_ms(1), 0);
	tap_ok(comes_true(READ_ONCE(s.runs) == 10) && !s.misplaced,
	       "a handler starts its own timer (%d)", s.runs);
	s.extra = take_long;
	rearm(&s, 1, 0);
	comes_true(READ_ONCE(s.runs));
	evl_destroy_timer(&s.timer);
	s.runs = 0;
	tap_ok(READ_ONCE(handler_done), "destroying waits for the handler");
	msleep(50);
	tap_ok(!s.runs && !evl_get_timer_date(&s.timer), "and undoes what it starts");
}

static int spin_4ms(void *unused)
{
	spin_until(in_ms(4));

	return 0;
}

static void test_overruns(void)
{
	struct shot s = { .cpu = api_cpu };

	evl_init_core_timer(&s.timer, note_shot);
	rearm(&s, in_ms(1), MS / 2);
	from_interrupt(spin_4ms, NULL);
	comes_true(READ_ONCE(s.runs) > 2);
	evl_destroy_timer(&s.timer);
	tap_ok(s.overruns >= 4, "periods missed are counted (%lu)", s.overruns);
}

void test_timer(void)
{
	test_shots(api_cpu);
	if (api_other_cpu != api_cpu)
		test_shots(api_other_cpu);
	else
		tap_skip("one CPU", "timers on another CPU");
	test_getters();
	test_handlers();
	test_overruns();
}

/* A clock which stands still until the test moves it; its device fires when the test says so. */
static ktime_t fake_now, fake_shot;
static int nr_shots, nr_adjusted, nr_resets;

static ktime_t read_fake(struct evl_clock *clock) { return READ_ONCE(fake_now); }
static u64 read_fake_cycles(struct evl_clock *clock) { return READ_ONCE(fake_now) * 3; }

static int set_fake(struct evl_clock *clock, ktime_t date)
{
	fake_now = date;

	return 0;
}

static void program_fake(struct evl_clock *clock)
{
	nr_shots++;
	fake_shot = evl_next_shot(clock);
}

static void program_fake_remote(struct evl_clock *clock, struct evl_rq *rq) { }

static int set_fake_gravity(struct evl_clock *clock, const struct evl_clock_gravity *g)
{
	clock->gravity = *g;

	return g->irq == 13 ? -ERANGE : 0;
}

static void reset_fake_gravity(struct evl_clock *clock)
{
	nr_resets++;
	clock->gravity = (struct evl_clock_gravity){ };
}

static void adjust_fake(struct evl_clock *clock) { WRITE_ONCE(nr_adjusted, nr_adjusted + 1); }

static struct evl_clock fake_template = {
	.name		= "api-fake",
	.resolution	= 10,
	.flags		= EVL_CLONE_PRIVATE,
	.ops = {
		.read			= read_fake,
		.program_local_shot	= program_fake,
		.program_remote_shot	= program_fake_remote,
	},
};

static int tick_fake(void *clock)
{
	evl_announce_tick(clock);

	return 0;
}

/* Time goes on to @date, the device fires. */
static void fake_time(struct evl_clock *clock, ktime_t date)
{
	WRITE_ONCE(fake_now, date);
	from_interrupt(tick_fake, clock);
}

static int try_clock(struct evl_clock *clock, const struct cpumask *cpus)
{
	int ret = evl_init_clock(clock, cpus);

	if (!ret)
		evl_unregister_clock(clock);

	return ret;
}

static void test_clock_errors(const struct cpumask *here)
{
	struct evl_clock *c = kmalloc(sizeof(*c), GFP_KERNEL), *twin = kmalloc(sizeof(*c), GFP_KERNEL);

	*c = fake_template;
	c->name = NULL;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: no name");
	*c = fake_template;
	c->ops.read = NULL;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: cannot be read");
	*c = fake_template;
	c->resolution = 0;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: no resolution");
	*c = fake_template;
	c->flags = 1;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: unknown flag");
	*c = fake_template;
	c->ops.program_local_shot = NULL;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: no device");
	*c = fake_template;
	c->ops.program_remote_shot = NULL;
	tap_ok(try_clock(c, here) == (nr_cpu_ids > 1 ? -EINVAL : 0),
	       "clock: no way to reach the device from other CPUs");
	*c = fake_template;
	c->gravity.user = EVL_MAX_GRAVITY + 1;
	tap_ok(try_clock(c, here) == -EINVAL, "clock: too much gravity");
	*c = fake_template;
	tap_ok(try_clock(c, cpu_none_mask) == -EINVAL, "clock: on no CPU of the core");
	*c = fake_template;
	tap_ok(try_clock(c, NULL) == -EOPNOTSUPP, "clock: global ones are not served");
	*c = fake_template;
	*twin = fake_template;
	tap_ok(!evl_register_clock(c, here) && try_clock(twin, here) == -EEXIST, "clock: name in use");
	tap_ok(evl_init_slave_clock(twin, &evl_realtime_clock) == -EINVAL, "clock: a slave of a slave");
	evl_unregister_clock(c);
	*c = fake_template;
	tap_ok(!try_clock(c, here), "clock: made again after it went");
	kfree(c);
	kfree(twin);
}

static void test_fake_timers(struct evl_clock *clock)
{
	struct shot a = { .cpu = api_cpu }, b = { .cpu = api_cpu }, c = { .cpu = api_cpu };

	fake_now = 1000;
	evl_init_timer(&a.timer, clock, note_shot, NULL, EVL_TIMER_GRAVITY_IRQ);
	evl_init_timer(&b.timer, clock, note_shot, NULL, EVL_TIMER_GRAVITY_USER);
	evl_init_timer(&c.timer, clock, note_shot, NULL, EVL_TIMER_RELATIVE);
	rearm(&a, 5000, 0);
	tap_ok(fake_shot == 5000, "clock: the device is programmed (%lld)", fake_shot);
	rearm(&b, 3000, 1000);
	tap_ok(fake_shot == 3000, "clock: earlier, for an earlier timer (%lld)", fake_shot);
	fake_time(clock, 2999);
	tap_ok(!a.runs && !b.runs && fake_shot == 3000, "clock: a tick too early is harmless");
	fake_time(clock, 3000);
	tap_ok(b.runs == 1 && !a.runs && fake_shot == 4000,
	       "clock: the tick runs what is due (%lld)", fake_shot);
	fake_time(clock, 5500);
	tap_ok(b.runs == 2 && b.overruns == 1 && a.runs == 1 && fake_shot == 6000,
	       "clock: a late tick (%lld)", fake_shot);
	evl_stop_timer(&b.timer);

	rearm(&a, 10000, 0);
	rearm(&c, 9000, 0);
	fake_now = 105500;
	evl_adjust_timers(clock, 100000);
	tap_ok(evl_get_timer_date(&a.timer) == 10000 && evl_get_timer_date(&c.timer) == 109000 &&
	       fake_shot == 10000,
	       "clock: a jump moves durations, not dates (%lld)", evl_get_timer_date(&c.timer));
	fake_time(clock, 105500);
	tap_ok(a.runs == 1 && !c.runs && fake_shot == 109000,
	       "clock: the date has come, the duration not (%lld)", fake_shot);
	fake_time(clock, 109000);
	tap_ok(c.runs == 1 && fake_shot == KTIME_MAX, "clock: nothing is left");
	tap_ok(!a.misplaced && !b.misplaced && !c.misplaced, "clock: all handlers out-of-band");
	evl_destroy_timer(&a.timer);
	evl_destroy_timer(&b.timer);
	evl_destroy_timer(&c.timer);
}

static void test_fake_gravity(struct evl_clock *clock)
{
	struct evl_clock_gravity g = { .irq = 100, .kernel = 200, .user = 300 }, bad = { .irq = 13 };
	static const u32 flags[] = {
		EVL_TIMER_GRAVITY_IRQ, EVL_TIMER_GRAVITY_KERNEL, EVL_TIMER_GRAVITY_USER
	};
	struct shot s = { .cpu = api_cpu };
	int n, right = 0;

	tap_ok(evl_set_clock_gravity(clock, &g) == -EOPNOTSUPP, "gravity: not adjustable");
	clock->ops.set_gravity = set_fake_gravity;
	clock->ops.reset_gravity = reset_fake_gravity;
	tap_ok(evl_set_clock_gravity(clock, &bad) == -ERANGE, "gravity: what the clock says is passed on");
	bad.irq = EVL_MAX_GRAVITY + 1;
	tap_ok(evl_set_clock_gravity(clock, &bad) == -EINVAL, "gravity: too much");
	tap_ok(!evl_set_clock_gravity(clock, &g), "gravity: set");
	for (n = 0; n < ARRAY_SIZE(flags); n++) {
		fake_now = 1000;
		evl_init_timer(&s.timer, clock, note_shot, NULL, flags[n]);
		rearm(&s, 5000, 0);
		right += fake_shot == 5000 - 100 * (n + 1) && evl_get_timer_date(&s.timer) == 5000;
		evl_destroy_timer(&s.timer);
	}
	tap_ok(right == 3, "gravity: each kind of receiver has its own (%d right)", right);
	evl_reset_clock_gravity(clock);
	tap_ok(nr_resets == 1 && !clock->gravity.user, "gravity: reset");
}

static void test_fake_time(struct evl_clock *clock)
{
	struct timespec64 ts = { .tv_sec = 7 }, bad = { .tv_nsec = -1 };

	tap_ok(evl_set_clock_time(clock, &ts) == -EOPNOTSUPP, "clock: cannot be set");
	clock->ops.set = set_fake;
	tap_ok(evl_set_clock_time(clock, &bad) == -EINVAL, "clock: set to nonsense");
	tap_ok(!evl_set_clock_time(clock, &ts) && evl_read_clock(clock) == 7 * NSEC_PER_SEC, "clock: set");
	tap_ok(evl_read_clock_cycles(clock) == 7 * NSEC_PER_SEC,
	       "clock: without counter, cycles are nanoseconds");
	clock->ops.read_cycles = read_fake_cycles;
	tap_ok(evl_read_clock_cycles(clock) == 21 * NSEC_PER_SEC, "clock: cycles of its counter");
	evl_set_clock_resolution(clock, 77);
	tap_ok(evl_get_clock_resolution(clock) == 77, "clock: resolution");
}

static struct evl_clock *fake;
static struct evl_waitqueue fake_wq;

static int sleep_on_fake(void *unused) { return evl_delay(1000, EVL_TMODE_REL, fake) ? -EINTR : 0; }
static int wait_on_fake(void *unused) { return evl_wait_event_timeout(&fake_wq, 1000, EVL_TMODE_REL, false); }
static int period_on_fake(void *unused) { return evl_set_period(fake, 0, 10000); }

static void test_fake_sleeps(struct evl_clock *clock)
{
	struct api_hand here, there;
	int ret;

	fake = clock;
	evl_init_waitqueue(&fake_wq, clock, EVL_WQ_PRIO);
	if (!hire(&here, "here", 10, api_cpu) || !hire(&there, "there", 10, api_other_cpu))
		return;
	fake_now = 1000;
	tell(&here, sleep_on_fake, NULL);
	tap_ok(asleep(&here.kthread) && fake_shot == 2000, "clock: a thread sleeps on it (%lld)", fake_shot);
	fake_time(clock, 2000);
	ret = outcome(&here);
	tap_ok(!ret, "clock: and wakes up (%d)", ret);
	tell(&here, wait_on_fake, NULL);
	asleep(&here.kthread);
	fake_time(clock, 3000);
	ret = outcome(&here);
	tap_ok(ret == -ETIMEDOUT, "clock: a wait is limited by it (%d)", ret);
	if (api_other_cpu != api_cpu) {
		ret = ask(&there, wait_on_fake, NULL);
		tap_ok(ret == -EINVAL, "clock: not where it does not tick: wait (%d)", ret);
		ret = ask(&there, period_on_fake, NULL);
		tap_ok(ret == -EINVAL, "clock: not where it does not tick: period (%d)", ret);
	} else {
		tap_skip("one CPU", "clock: where it does not tick");
	}
	evl_destroy_waitqueue(&fake_wq);
	dismiss(&here);
	dismiss(&there);
}

static void test_builtin(void)
{
	ktime_t before, between, after;
	struct evl_clock *clock;
	struct timespec64 ts;
	int n, wrong = 0;

	for (n = 0; n < 1000; n++) {
		before = ktime_get();
		between = evl_ktime_monotonic();
		after = ktime_get();
		wrong += between + 1000 < before || between > after + 1000;
	}
	tap_ok(!wrong && evl_read_clock_cycles(&evl_mono_clock),
	       "the monotonic clock is in-band's (%d of 1000 not)", wrong);
	clock = evl_get_clock_by_fd(EVL_CLOCK_MONOTONIC);
	tap_ok(clock == &evl_mono_clock, "it is found by its number");
	evl_put_clock(clock);
	tap_ok(!evl_get_clock_by_fd(12345), "a bad descriptor finds nothing");
	ktime_get_real_ts64(&ts);
	n = nr_adjusted;
	tap_ok(!evl_set_clock_time(&evl_realtime_clock, &ts), "the wall clock can be set");
	tap_ok(comes_true(READ_ONCE(nr_adjusted) > n), "which other clocks are told");
	tap_ok(evl_set_clock_time(&evl_mono_clock, &ts) == -EOPNOTSUPP, "the monotonic clock cannot");
}

void test_clock(void)
{
	struct evl_clock *clock = kmalloc(sizeof(*clock), GFP_KERNEL);
	const struct cpumask *here = cpumask_of(api_cpu);
	int ret;

	test_clock_errors(here);
	*clock = fake_template;
	clock->ops.adjust = adjust_fake;
	ret = evl_init_clock(clock, here);
	if (tap_ok(!ret, "clock: made (%d)", ret)) {
		test_fake_timers(clock);
		test_fake_gravity(clock);
		test_fake_sleeps(clock);
		test_fake_time(clock);
		test_builtin();
		evl_unregister_clock(clock);
	}
	kfree(clock);
}
