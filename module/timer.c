// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers: one queue per clock and CPU, sorted by date, the next shot of the hardware programmed for the
 * first of them all.
 *
 * Lock order: a timer base lock is a leaf. Handlers run without it, hard interrupts off.
 * Lifetime: evl_destroy_timer() returns once the handler runs nowhere and cannot run again.
 * Remote CPUs: whoever changes the head of the queue of another CPU sends it TIMER_OOB_IPI, and that CPU
 * looks at its own queues again. The IPI comes after the queue was unlocked, so that it sees the change.
 */
#include "timer.h"
#include "sched.h"
#include "trace.h"

#include <linux/math64.h>
#include <linux/overflow.h>

static struct evl_timerbase *lock_base(struct evl_timer *timer)
{
	struct evl_timerbase *base;

	/* It may have been moved between reading and locking. */
	for (;;) {
		base = READ_ONCE(timer->base);
		hard_spin_lock(&base->lock);
		if (likely(base == timer->base))
			return base;
		hard_spin_unlock(&base->lock);
	}
}

/* Under the lock of the base; pairs with free_tick(). The device of another clock is no matter of the tick. */
static bool has_tick(struct evl_timerbase *base)
{
	return READ_ONCE(evl_cpu_rq(base->cpu)->tick_kept) || base->clock->master != &evl_mono_clock;
}

/* Where a timer on @base may go, of a CPU which is offline or about to be: this CPU, or the next best. */
static struct evl_timerbase *ticking_base(struct evl_timerbase *base)
{
	struct evl_timerbase *other = raw_cpu_ptr(base->clock->bases);
	int cpu;

	if (has_tick(other))
		return other;

	for_each_cpu(cpu, &base->clock->affinity) {
		other = per_cpu_ptr(base->clock->bases, cpu);
		if (has_tick(other))
			return other;
	}

	return base;
}

static bool enqueue(struct evl_timerbase *base, struct evl_timer *timer, ktime_t date)
{
	timer->node.expires = ktime_sub(date, timer->gravity);
	timer->queued = true;
	if (!(timer->flags & EVL_TIMER_INTERNAL))
		base->nr_bound++;

	/* Equal dates stay in the order of their start. */
	return timerqueue_add(&base->queue, &timer->node);
}

static void dequeue(struct evl_timerbase *base, struct evl_timer *timer)
{
	timerqueue_del(&base->queue, &timer->node);
	timer->queued = false;
	if (!(timer->flags & EVL_TIMER_INTERNAL))
		base->nr_bound--;
}

/*
 * For a timer which is to run; it leaves the queue it is in. If no CPU has a tick, in the middle of a suspend,
 * it waits for the one of its own. One whose handler runs stays, since whoever cancels it looks there.
 */
static struct evl_timerbase *lock_ticking_base(struct evl_timer *timer)
{
	struct evl_timerbase *base, *other;

	for (;;) {
		base = lock_base(timer);
		if (timer->queued)
			dequeue(base, timer);
		if (likely(has_tick(base)) || base->running == timer || timer->flags & EVL_TIMER_INTERNAL)
			return base;

		other = ticking_base(base);
		if (other == base)
			return base;

		WRITE_ONCE(timer->base, other);
		hard_spin_unlock(&base->lock);
	}
}

static ktime_t nominal_date(const struct evl_timer *timer)
{
	return ktime_add(timer->node.expires, timer->gravity);
}

static ktime_t time_left(struct evl_timerbase *base, const struct evl_timer *timer)
{
	ktime_t left = ktime_sub(nominal_date(timer), evl_read_clock(base->clock));

	return max_t(ktime_t, left, 1);
}

static u32 pick_gravity(struct evl_clock *clock, u32 flags)
{
	const struct evl_clock_gravity *g = &clock->master->gravity;

	if (flags & EVL_TIMER_INTERNAL)
		return 0;

	switch (flags & EVL_TIMER_GRAVITY_MASK) {
	case EVL_TIMER_GRAVITY_USER:
		return READ_ONCE(g->user);
	case EVL_TIMER_GRAVITY_KERNEL:
		return READ_ONCE(g->kernel);
	default:
		return READ_ONCE(g->irq);
	}
}

/* Hard off, base unlocked: its earliest date has changed. */
static void program_shot(struct evl_timerbase *base)
{
	struct evl_clock *master = base->clock->master;
	struct evl_rq *rq = evl_this_rq();

	if (base->cpu != rq->cpu)
		master->ops.program_remote_shot(master, evl_cpu_rq(base->cpu));
	else if (rq->ticking != master)
		master->ops.program_local_shot(master);
}

/** evl_timer_cpu - CPU for a timer which is to go with @rq, or with the caller if NULL; any context */
int evl_timer_cpu(struct evl_rq *rq)
{
	int cpu;

	if (rq)
		return rq->cpu;

	cpu = raw_smp_processor_id();
	return cpumask_test_cpu(cpu, &evl_oob_cpus) ? cpu : cpumask_first(&evl_oob_cpus);
}
EVL_EXPORT(evl_timer_cpu);

/** __evl_init_timer - what evl_init_timer() and its shorthands lead to; see there */
void __evl_init_timer(struct evl_timer *timer, struct evl_clock *clock,
		      void (*handler)(struct evl_timer *timer), int cpu, u32 flags)
{
	/* Those of the core itself exist for every CPU, and are started on its own only. */
	if (clock->master != &evl_mono_clock && !cpumask_test_cpu(cpu, &clock->affinity))
		cpu = cpumask_first(&clock->affinity);

	memset(timer, 0, sizeof(*timer));
	timerqueue_init(&timer->node);
	timer->base = per_cpu_ptr(clock->bases, cpu);
	timer->handler = handler;
	timer->flags = flags;
}
EVL_EXPORT(__evl_init_timer);

/**
 * evl_start_timer - arm a timer
 * @timer: stopped or running; in the latter case it is restarted
 * @value: absolute date of the first expiry on the clock of the timer; a past date expires at once
 * @interval: period of the following expiries, 0 for none
 *
 * Any context. Expiry n comes at @value + n * @interval, whenever the handler runs. A timer of a CPU which went offline
 * moves to another.
 */
void evl_start_timer(struct evl_timer *timer, ktime_t value, ktime_t interval)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_timerbase *base = lock_ticking_base(timer);
	bool first;

	timer->interval = interval;
	timer->overruns = 0;
	timer->gravity = pick_gravity(base->clock, timer->flags);
	first = enqueue(base, timer, value);
	evl_trace(evl_timer_start, timer);
	hard_spin_unlock(&base->lock);

	if (first)
		program_shot(base);

	hard_local_irq_restore(flags);
}
EVL_EXPORT(evl_start_timer);

/* Does the handler run, on another CPU or as the caller? */
static bool stop_timer(struct evl_timer *timer)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_timerbase *base = lock_base(timer);
	bool running = base->running == timer;

	timer->left = 0;
	if (timer->queued) {
		timer->left = time_left(base, timer);
		dequeue(base, timer);
	}
	timer->interval = 0;
	hard_spin_unlock(&base->lock);

	hard_local_irq_restore(flags);
	return running;
}

/**
 * evl_stop_timer - disarm a timer
 * @timer: armed or not
 *
 * Any context. The handler may still be running on another CPU. The shot which was meant for this timer is
 * left alone: it finds nothing to do.
 */
void evl_stop_timer(struct evl_timer *timer)
{
	stop_timer(timer);
}
EVL_EXPORT(evl_stop_timer);

/* evl_stop_timer(), and what is left of the handler on another CPU. No lock held which that takes. */
void evl_cancel_timer(struct evl_timer *timer)
{
	while (stop_timer(timer))
		cpu_relax();
}

/**
 * evl_destroy_timer - get rid of a timer
 * @timer: armed or not
 *
 * In-band, or out-of-band from a thread; not from the handler. On return the handler runs nowhere.
 */
void evl_destroy_timer(struct evl_timer *timer)
{
	evl_cancel_timer(timer);
}
EVL_EXPORT(evl_destroy_timer);

/* Base locked. Takes what is to move out first: in between, the order of the queue would not be one. */
static void shift_timers(struct evl_timerbase *base, ktime_t delta)
{
	struct timerqueue_node *node, *next;
	struct timerqueue_head moved;

	timerqueue_init_head(&moved);
	for (node = timerqueue_getnext(&base->queue); node; node = next) {
		next = timerqueue_iterate_next(node);
		if (container_of(node, struct evl_timer, node)->flags & EVL_TIMER_RELATIVE) {
			timerqueue_del(&base->queue, node);
			timerqueue_add(&moved, node);
		}
	}

	while ((node = timerqueue_getnext(&moved))) {
		timerqueue_del(&moved, node);
		node->expires = ktime_add(node->expires, delta);
		timerqueue_add(&base->queue, node);
	}
}

/**
 * evl_adjust_timers - the base of a clock has jumped
 * @clock: the clock, which shows the new time already
 * @delta: how far it jumped, ns
 *
 * In-band or out-of-band thread. Timers made with EVL_TIMER_RELATIVE are moved, so that they expire after the
 * time they were started for; those of other timers are dates, and stay. Limits of waits on this clock are
 * dates.
 */
void evl_adjust_timers(struct evl_clock *clock, ktime_t delta)
{
	struct evl_timerbase *base;
	unsigned long flags;
	int cpu;

	for_each_cpu(cpu, &clock->affinity) {
		base = per_cpu_ptr(clock->bases, cpu);
		flags = hard_local_irq_save();
		hard_spin_lock(&base->lock);
		shift_timers(base, delta);
		hard_spin_unlock(&base->lock);
		program_shot(base);
		hard_local_irq_restore(flags);
	}
}
EVL_EXPORT(evl_adjust_timers);

/* Give a cancelled timer another clock or CPU. The caller is the only one who starts or stops it. */
void evl_move_timer(struct evl_timer *timer, struct evl_clock *clock, int cpu)
{
	struct evl_timerbase *to = per_cpu_ptr(clock->bases, cpu), *from;
	unsigned long flags;

	if (READ_ONCE(timer->base) == to)
		return;

	flags = hard_local_irq_save();
	from = lock_base(timer);
	if (!WARN_ON_ONCE(timer->queued || from->running == timer))
		WRITE_ONCE(timer->base, to);
	hard_spin_unlock(&from->lock);
	hard_local_irq_restore(flags);
}

/** evl_get_timer_date - next expiry, 0 if stopped; any context */
ktime_t evl_get_timer_date(struct evl_timer *timer)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_timerbase *base = lock_base(timer);
	ktime_t date = timer->queued ? nominal_date(timer) : 0;

	hard_spin_unlock(&base->lock);
	hard_local_irq_restore(flags);

	return date;
}
EVL_EXPORT(evl_get_timer_date);

/** evl_get_interval - period, 0 if one-shot or stopped; any context */
ktime_t evl_get_interval(struct evl_timer *timer)
{
	return READ_ONCE(timer->interval);
}
EVL_EXPORT(evl_get_interval);

/** evl_get_timer_delta - time left, 0 if stopped; 1 ns stands for an expiry which is due; any context */
ktime_t evl_get_timer_delta(struct evl_timer *timer)
{
	unsigned long flags = hard_local_irq_save();
	struct evl_timerbase *base = lock_base(timer);
	ktime_t left = timer->queued ? time_left(base, timer) : 0;

	hard_spin_unlock(&base->lock);
	hard_local_irq_restore(flags);

	return left;
}
EVL_EXPORT(evl_get_timer_delta);

/** evl_get_stopped_timer_delta - time which was left when the timer was last stopped; any context */
ktime_t evl_get_stopped_timer_delta(struct evl_timer *timer)
{
	return READ_ONCE(timer->left);
}
EVL_EXPORT(evl_get_stopped_timer_delta);

/*
 * Next date of a periodic timer, past @now; the periods which were skipped are counted. A period which goes beyond the
 * end of time has no next date: wrapped around it would be in the past, for ever.
 */
static ktime_t forward(struct evl_timer *timer, ktime_t now)
{
	ktime_t date;
	u64 missed;

	/* On the way to a thread: ktime_add_safe() would be a call. */
	if (unlikely(check_add_overflow(nominal_date(timer), timer->interval, &date)))
		date = KTIME_MAX;
	if (likely(ktime_after(date, now)))
		return date;

	missed = div64_u64(ktime_sub(now, date), timer->interval) + 1;
	timer->overruns = missed;

	return ktime_add(date, missed * timer->interval);
}

/* The first timer of the queue goes to its next date. Often it stays the first: then it need not move. */
static void advance(struct evl_timerbase *base, struct evl_timer *timer, ktime_t date)
{
	struct timerqueue_node *second = timerqueue_iterate_next(&timer->node);
	ktime_t expires = ktime_sub(date, timer->gravity);

	if (!second || ktime_before(expires, second->expires)) {
		timer->node.expires = expires;
	} else {
		dequeue(base, timer);
		enqueue(base, timer, date);
	}
}

/* Base locked; it is unlocked while the handler runs, which may start or stop this very timer. */
static void expire(struct evl_timerbase *base, struct evl_timer *timer, ktime_t now)
{
	evl_trace(evl_timer_expire, timer);

	timer->overruns = 0;
	if (timer->interval)
		advance(base, timer, forward(timer, now));
	else
		dequeue(base, timer);

	base->running = timer;
	hard_spin_unlock(&base->lock);

	timer->handler(timer);

	hard_spin_lock(&base->lock);
	base->running = NULL;
}

/*
 * Context H: run what is due on this CPU. The time is read once: what becomes due meanwhile is left to the
 * next shot, so that threads woken here get the CPU in between. Returns the next date, KTIME_MAX for none.
 */
ktime_t evl_run_timers(struct evl_timerbase *base)
{
	ktime_t now, next = KTIME_MAX;
	struct timerqueue_node *node;

	hard_spin_lock(&base->lock);

	if (timerqueue_getnext(&base->queue)) {
		now = evl_read_clock(base->clock);
		while ((node = timerqueue_getnext(&base->queue)) && !ktime_after(node->expires, now))
			expire(base, container_of(node, struct evl_timer, node), now);
		if (node)
			next = node->expires;
	}

	hard_spin_unlock(&base->lock);

	return next;
}

/* The clock goes away, or its CPU: stop whatever is left. Returns how many there were. */
unsigned int evl_stop_all_timers(struct evl_timerbase *base)
{
	struct timerqueue_node *node;
	unsigned int nr = 0;
	unsigned long flags;

	hard_spin_lock_irqsave(&base->lock, flags);
	while ((node = timerqueue_getnext(&base->queue))) {
		dequeue(base, container_of(node, struct evl_timer, node));
		nr++;
	}
	hard_spin_unlock_irqrestore(&base->lock, flags);

	return nr;
}

void evl_init_timerbase(struct evl_timerbase *base, struct evl_clock *clock, int cpu)
{
	hard_spin_lock_init(&base->lock);
	timerqueue_init_head(&base->queue);
	base->running = NULL;
	base->nr_bound = 0;
	base->clock = clock;
	base->cpu = cpu;
}
