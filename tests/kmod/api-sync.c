// SPDX-License-Identifier: GPL-2.0-only
/* What threads wait for: flags, semaphores, wait queues, mutexes, stage exclusion; and the spinlock. */
#include "api-test.h"

/* A way to call: from in-band, masked in-band, an interrupt, a thread. */
static struct api_hand caller;

static int in_thread(int (*fn)(void *arg), void *arg) { return ask(&caller, fn, arg); }
static int in_inband(int (*fn)(void *arg), void *arg) { return fn(arg); }

static const struct context {
	const char *name;
	int (*run)(int (*fn)(void *arg), void *arg);
} contexts[] = {
	{ "in-band", in_inband },
	{ "masked in-band", in_masked_section },
	{ "an out-of-band interrupt", from_interrupt },
	{ "an out-of-band thread", in_thread },
};

static const struct {
	int reason, code;
} reasons[] = {
	{ EVL_WAKE_GRANT, 0 },
	{ EVL_WAKE_BREAK, -EINTR },
	{ EVL_WAKE_REMOVED, -EIDRM },
	{ EVL_WAKE_EXPIRED, -ETIMEDOUT },
};

/* Flags. */

static DEFINE_EVL_FLAG(flag);

static int wait_flag(void *unused) { return evl_wait_flag(&flag); }
static int wait_flag_5ms(void *unused) { return evl_wait_flag_timeout(&flag, 5 * MS, EVL_TMODE_REL); }
static int wait_flag_past(void *unused) { return evl_wait_flag_timeout(&flag, 1, EVL_TMODE_ABS); }

static int raise_flag(void *unused)
{
	evl_raise_flag(&flag);

	return 0;
}

static int raise_flag_nosched(void *unused)
{
	evl_raise_flag_nosched(&flag);
	evl_schedule();

	return 0;
}

static int pulse_flag(void *unused)
{
	evl_pulse_flag(&flag);

	return 0;
}

/* Two waiters of the flag, the first one before the second. */
static bool both_wait(struct api_hand *first, struct api_hand *second)
{
	tell(first, wait_flag, NULL);
	if (!asleep(&first->kthread))
		return false;
	tell(second, wait_flag, NULL);

	return asleep(&second->kthread);
}

static int pulse_flag_nosched(void *unused)
{
	unsigned long flags = hard_local_irq_save();

	evl_pulse_flag_nosched(&flag);
	evl_schedule();
	hard_local_irq_restore(flags);

	return 0;
}

static void flag_contexts(struct api_hand *h)
{
	const struct context *c;
	int ret;

	for (c = contexts; c < contexts + ARRAY_SIZE(contexts); c++) {
		tell(h, wait_flag, NULL);
		asleep(&h->kthread);
		ret = c->run(raise_flag, NULL);
		tap_ok(!ret && !outcome(h), "flag: raised from %s (%d)", c->name, ret);
		tell(h, wait_flag, NULL);
		asleep(&h->kthread);
		ret = c->run(raise_flag_nosched, NULL);
		tap_ok(!ret && !outcome(h), "flag: raised from %s, rescheduled later (%d)", c->name, ret);
	}
}

static void flag_state(struct api_hand *h)
{
	int ret;

	evl_raise_flag(&flag);
	evl_raise_flag(&flag);
	ret = ask(h, wait_flag_past, NULL);
	tap_ok(!ret, "flag: raised before, even a past limit will do (%d)", ret);
	ret = ask(h, wait_flag_past, NULL);
	tap_ok(ret == -ETIMEDOUT, "flag: raised twice, it counts once (%d)", ret);
	ret = ask(h, wait_flag_5ms, NULL);
	tap_ok(ret == -ETIMEDOUT, "flag: the limit passes (%d)", ret);
	evl_raise_flag(&flag);
	evl_clear_flag(&flag);
	ret = ask(h, wait_flag_past, NULL);
	tap_ok(ret == -ETIMEDOUT, "flag: cleared (%d)", ret);
}

static void flag_crowd(struct api_hand *a, struct api_hand *b)
{
	const struct context *c;
	bool ready;
	int ret;

	ready = both_wait(a, b);
	tap_ok(ready && evl_wait_flag_head(&flag) == b->kthread.thread, "flag: higher priority is first");
	evl_raise_flag(&flag);
	tap_ok(!outcome(b) && asleep(&a->kthread), "flag: one is woken up");
	evl_raise_flag(&flag);
	outcome(a);
	tap_ok(!evl_wait_flag_head(&flag), "flag: nobody waits any more");

	for (c = contexts; c < contexts + ARRAY_SIZE(contexts); c++) {
		ready = both_wait(a, b);
		ret = c->run(pulse_flag, NULL);
		tap_ok(ready && !ret && !outcome(a) && !outcome(b) &&
		       ask(a, wait_flag_past, NULL) == -ETIMEDOUT,
		       "flag: a pulse from %s wakes up all, and leaves it lowered", c->name);
		ready = both_wait(a, b);
		ret = c->run(pulse_flag_nosched, NULL);
		tap_ok(ready && !ret && !outcome(a) && !outcome(b) &&
		       ask(a, wait_flag_past, NULL) == -ETIMEDOUT,
		       "flag: a pulse from %s, rescheduled later, does the same", c->name);
	}
}

static int flush_reason;

static int flush_flag(void *unused)
{
	evl_flush_flag(&flag, flush_reason);

	return 0;
}

static int flush_flag_nosched(void *unused)
{
	evl_flush_flag_nosched(&flag, flush_reason);
	evl_schedule();

	return 0;
}

static void flag_reasons(struct api_hand *a, struct api_hand *b)
{
	bool ready;
	int n, ra, rb;

	for (n = 0; n < ARRAY_SIZE(reasons); n++) {
		ready = both_wait(a, b);
		flush_reason = reasons[n].reason;
		if (n & 1)
			from_interrupt(flush_flag, NULL);
		else
			flush_flag_nosched(NULL);
		ra = outcome(a);
		rb = outcome(b);
		tap_ok(ready && ra == reasons[n].code && rb == ra,
		       "flag: flushed for reason %d (%d, %d)", flush_reason, ra, rb);
	}
	evl_raise_flag(&flag);
	evl_flush_flag(&flag, EVL_WAKE_BREAK);
	tap_ok(!ask(a, wait_flag_past, NULL), "flag: flushing does not lower it");
}

void test_flag(void)
{
	struct api_hand a, b;
	bool ready;
	int ret;

	evl_init_flag(&flag);
	if (!hire(&a, "low", 10, api_cpu) || !hire(&b, "high", 20, api_other_cpu) ||
	    !hire(&caller, "caller", 5, api_cpu))
		return;
	flag_contexts(&a);
	flag_state(&a);
	flag_crowd(&a, &b);
	flag_reasons(&a, &b);
	ready = both_wait(&a, &b);
	evl_destroy_flag(&flag);
	ret = outcome(&a);
	tap_ok(ready && ret == -EIDRM && outcome(&b) == ret, "flag: destroyed (%d)", ret);
	ret = ask(&a, wait_flag, NULL);
	tap_ok(ret == -EIDRM, "flag: and not to be waited for any more (%d)", ret);
	dismiss(&a);
	dismiss(&b);
	dismiss(&caller);
}

/* Semaphores. */

static struct evl_ksem sem;

static int down_sem(void *unused) { return evl_down(&sem); }
static int down_5ms(void *unused) { return evl_down_timeout(&sem, 5 * MS); }
static int trydown_sem(void *unused) { return evl_trydown(&sem); }

static int up_sem(void *unused)
{
	evl_up(&sem);

	return 0;
}

static int broadcast_sem(void *unused)
{
	evl_broadcast(&sem);

	return 0;
}

static void sem_contexts(struct api_hand *h)
{
	const struct context *c;
	int ret;

	for (c = contexts; c < contexts + ARRAY_SIZE(contexts); c++) {
		tell(h, down_sem, NULL);
		asleep(&h->kthread);
		ret = c->run(up_sem, NULL);
		tap_ok(!ret && c->run(trydown_sem, NULL) == -EAGAIN && !outcome(h),
		       "sem: a unit given from %s is the waiter's, nobody else's (%d)", c->name, ret);
		c->run(up_sem, NULL);
		ret = c->run(trydown_sem, NULL);
		tap_ok(!ret && c->run(trydown_sem, NULL) == -EAGAIN,
		       "sem: given and taken from %s (%d)", c->name, ret);
		tell(h, down_sem, NULL);
		asleep(&h->kthread);
		c->run(broadcast_sem, NULL);
		tap_ok(!outcome(h) && evl_trydown(&sem) == -EAGAIN,
		       "sem: broadcast from %s counts nothing", c->name);
	}
}

#define UNITS	5000

static int down_units(void *unused)
{
	int n;

	for (n = 0; n < UNITS * 2; n++)
		if (evl_down(&sem))
			return n + 1;

	return 0;
}

void test_sem(void)
{
	struct api_hand a;
	int n, ret;

	evl_init_ksem(&sem, 2);
	if (!hire(&a, "sem", 10, api_other_cpu) || !hire(&caller, "caller", 5, api_cpu))
		return;
	ret = ask(&a, down_sem, NULL) ?: ask(&a, down_sem, NULL);
	tap_ok(!ret && evl_trydown(&sem) == -EAGAIN, "sem: it begins with so many units (%d)", ret);
	ret = ask(&a, down_5ms, NULL);
	tap_ok(ret == -ETIMEDOUT, "sem: the limit passes (%d)", ret);
	sem_contexts(&a);
	tell(&a, down_units, NULL);
	for (n = 0; n < UNITS; n++) {
		evl_up(&sem);
		from_interrupt(up_sem, NULL);
	}
	ret = outcome(&a);
	tap_ok(!ret && evl_trydown(&sem) == -EAGAIN, "sem: %d units, no more, no less (%d)", 2 * UNITS, ret);
	tell(&a, down_sem, NULL);
	asleep(&a.kthread);
	evl_destroy_ksem(&sem);
	ret = outcome(&a);
	tap_ok(ret == -EIDRM, "sem: destroyed (%d)", ret);
	dismiss(&a);
	dismiss(&caller);
}

/* Wait queues. */

static struct evl_waitqueue wq;
static int turns[3], nr_turns;
static int produced, consumed;

static int wait_turn(void *id)
{
	unsigned long flags;
	int ret;

	evl_wq_lock(&wq, flags);
	ret = evl_wait_locked(&wq, 0, EVL_TMODE_REL);
	if (ret == -EIDRM) {
		hard_local_irq_restore(flags);
		return ret;
	}
	turns[nr_turns++] = (long)id;
	evl_wq_unlock(&wq, flags);

	return ret;
}

/* Three of them wait, in this order; the first two have one priority, the third a higher one. */
static bool all_wait(struct api_hand *h)
{
	int n;

	nr_turns = 0;
	for (n = 0; n < 3; n++) {
		tell(&h[n], wait_turn, (void *)(long)n);
		if (!asleep(&h[n].kthread))
			return false;
	}

	return true;
}

static int wake_one(void *unused) { return evl_wake_up(&wq) ? 1 : 0; }
static int wake_all(void *unused) { return evl_wake_up_all(&wq); }

/* Who is first, and whether there is anybody. */
static struct evl_thread *first_waiter(bool *active)
{
	struct evl_thread *head;
	unsigned long flags;

	evl_wq_lock(&wq, flags);
	*active = evl_waitqueue_active(&wq);
	head = evl_waitqueue_head(&wq);
	evl_wq_unlock(&wq, flags);

	return head;
}

static void wake_in_order(struct api_hand *h, int order, const char *text, int first, int second, int third)
{
	struct evl_thread *head;
	bool ready, active;

	evl_init_waitqueue(&wq, &evl_mono_clock, order);
	head = first_waiter(&active);
	tap_ok(!head && !active, "wait queue: empty");
	ready = all_wait(h);
	head = first_waiter(&active);
	tap_ok(active && head == h[first].kthread.thread, "wait queue: its head is seen");
	from_interrupt(wake_one, NULL);
	comes_true(READ_ONCE(nr_turns) == 1);
	in_thread(wake_one, NULL);
	comes_true(READ_ONCE(nr_turns) == 2);
	tap_ok(ready && wake_one(NULL) && !outcome(&h[0]) && !outcome(&h[1]) && !outcome(&h[2]) &&
	       turns[0] == first && turns[1] == second && turns[2] == third,
	       "wait queue: %s (%d %d %d)", text, turns[0], turns[1], turns[2]);
	tap_ok(!wake_one(NULL) && !wake_all(NULL), "wait queue: nobody is left");
}

static void wake_for_reasons(struct api_hand *h)
{
	int n, ret, count;
	bool ready;

	for (n = 0; n < ARRAY_SIZE(reasons); n++) {
		ready = all_wait(h);
		count = n & 1 ? evl_flush_waitqueue(&wq, reasons[n].reason) :
			evl_flush_waitqueue_nosched(&wq, reasons[n].reason);
		evl_schedule();
		ret = outcome(&h[0]);
		tap_ok(ready && count == 3 && ret == reasons[n].code && outcome(&h[1]) == ret &&
		       outcome(&h[2]) == ret,
		       "wait queue: flushed for reason %d (%d woken, %d)", reasons[n].reason, count, ret);
	}
	ready = all_wait(h);
	count = from_interrupt(wake_all, NULL);
	tap_ok(ready && count == 3 && !outcome(&h[0]) && !outcome(&h[1]) && !outcome(&h[2]),
	       "wait queue: all woken up from an interrupt (%d)", count);
}

#define ROUNDS	20000

static int consume(void *unused)
{
	int ret;

	while (consumed < ROUNDS) {
		ret = evl_wait_event_timeout(&wq, 5000 * MS, EVL_TMODE_REL, produced > consumed);
		if (ret)
			return ret;
		consumed++;
	}

	return 0;
}

static int produce(void *unused)
{
	unsigned long flags;

	evl_wq_lock(&wq, flags);
	produced++;
	evl_wake_up_locked(&wq, EVL_WAKE_GRANT);
	evl_wq_unlock(&wq, flags);
	evl_schedule();

	return 0;
}

static void lose_nothing(struct api_hand *h)
{
	int n, ret;

	produced = consumed = 0;
	tell(h, consume, NULL);
	for (n = 0; n < ROUNDS; n++)
		n & 1 ? from_interrupt(produce, NULL) : produce(NULL);
	ret = outcome(h);
	tap_ok(!ret && consumed == ROUNDS,
	       "wait queue: no wake-up is lost (%d of %d, %d)", consumed, ROUNDS, ret);
}

static int wait_1ms(void *unused) { return evl_wait_event_timeout(&wq, MS, EVL_TMODE_REL, false); }
static int wait_true(void *unused) { return evl_wait_event_timeout(&wq, 1, EVL_TMODE_ABS, true); }

void test_waitqueue(void)
{
	struct api_hand h[3];
	int ret;

	if (!hire(&h[0], "first", 10, api_other_cpu) || !hire(&h[1], "second", 10, api_other_cpu) ||
	    !hire(&h[2], "third", 20, api_other_cpu) || !hire(&caller, "caller", 5, api_cpu))
		return;
	wake_in_order(h, EVL_WQ_PRIO, "by priority, then first in first out", 2, 0, 1);
	wake_in_order(h, EVL_WQ_FIFO, "first in first out", 0, 1, 2);
	wake_for_reasons(h);
	lose_nothing(&h[0]);
	ret = ask(&h[0], wait_1ms, NULL);
	tap_ok(ret == -ETIMEDOUT, "wait queue: the limit passes (%d)", ret);
	ret = ask(&h[0], wait_true, NULL);
	tap_ok(!ret, "wait queue: a condition which holds wins over the limit (%d)", ret);
	all_wait(h);
	evl_destroy_waitqueue(&wq);
	ret = outcome(&h[0]);
	tap_ok(ret == -EIDRM && outcome(&h[1]) == ret && outcome(&h[2]) == ret,
	       "wait queue: destroyed (%d)", ret);
	ret = ask(&h[0], wait_1ms, NULL);
	tap_ok(ret == -EIDRM, "wait queue: and refused from then on (%d)", ret);
	dismiss(&h[0]);
	dismiss(&h[1]);
	dismiss(&h[2]);
	dismiss(&caller);
}

/* Mutexes. */

static DEFINE_EVL_MUTEX(mutex);

static int lock_mutex(void *unused) { return evl_lock_kmutex(&mutex); }
static int trylock_mutex(void *unused) { return evl_trylock_kmutex(&mutex); }

static int unlock_mutex(void *unused)
{
	evl_unlock_kmutex(&mutex);

	return 0;
}

static int prio_of(struct api_hand *h) { return READ_ONCE(h->kthread.thread->prio); }

void test_kmutex(void)
{
	struct api_hand low, high;
	int ret;

	if (!hire(&low, "low", 10, api_cpu) || !hire(&high, "high", 30, api_cpu))
		return;
	ret = evl_lock_kmutex(&mutex);
	tap_ok(ret == -EPERM && evl_trylock_kmutex(&mutex) == -EPERM, "mutex: not for plain tasks (%d)", ret);
	ret = ask(&low, lock_mutex, NULL);
	tap_ok(!ret, "mutex: taken (%d)", ret);
	ret = ask(&low, lock_mutex, NULL);
	tap_ok(ret == -EDEADLK && ask(&low, trylock_mutex, NULL) == ret, "mutex: not twice (%d)", ret);
	ret = ask(&high, trylock_mutex, NULL);
	tap_ok(ret == -EAGAIN, "mutex: not by another one (%d)", ret);
	tell(&high, lock_mutex, NULL);
	tap_ok(asleep(&high.kthread) && prio_of(&low) == 30,
	       "mutex: its owner gets the priority of a waiter (%d)",
	       prio_of(&low));
	evl_set_kthread_priority(&high.kthread, 40);
	tap_ok(prio_of(&low) == 40, "mutex: and its changes (%d)", prio_of(&low));
	ret = ask(&low, unlock_mutex, NULL);
	tap_ok(!ret && !outcome(&high) && prio_of(&low) == 10,
	       "mutex: passed on, the priority goes back (%d)", prio_of(&low));
	ask(&high, unlock_mutex, NULL);
	ret = ask(&low, trylock_mutex, NULL);
	tap_ok(!ret, "mutex: free again (%d)", ret);
	ask(&low, unlock_mutex, NULL);
	evl_destroy_kmutex(&mutex);
	ret = ask(&low, lock_mutex, NULL);
	tap_ok(ret == -EIDRM && ask(&low, trylock_mutex, NULL) == ret, "mutex: destroyed (%d)", ret);
	evl_init_kmutex(&mutex);
	ret = ask(&low, lock_mutex, NULL);
	tap_ok(!ret && ask(&high, trylock_mutex, NULL) == -EAGAIN, "mutex: made anew (%d)", ret);
	ask(&low, unlock_mutex, NULL);
	dismiss(&low);
	dismiss(&high);
}

/* Stage exclusion. */

static struct evl_stax stax;

static int lock_stax(void *unused) { return evl_lock_stax(&stax); }
static int trylock_stax(void *unused) { return evl_trylock_stax(&stax); }

static int unlock_stax(void *unused)
{
	evl_unlock_stax(&stax);

	return 0;
}

static int stax_owner;	/* > 0: threads in there, < 0: in-band tasks */
static atomic_t stax_clashes;

/* One period after the other in there, from either stage. */
static int use_stax(void *direction)
{
	int n, sign = (long)direction;

	for (n = 0; n < 2000; n++) {
		if (evl_lock_stax(&stax))
			return n + 1;
		if (READ_ONCE(stax_owner) * sign < 0)
			atomic_inc(&stax_clashes);
		WRITE_ONCE(stax_owner, sign);
		cpu_relax();
		WRITE_ONCE(stax_owner, 0);
		evl_unlock_stax(&stax);
	}

	return 0;
}

void test_stax(void)
{
	struct api_hand a;
	int ret;

	ret = evl_init_stax(&stax);
	if (!tap_ok(!ret, "stax: made (%d)", ret) || !hire(&a, "stax", 10, api_other_cpu))
		return;
	ret = evl_lock_stax(&stax) ?: evl_lock_stax(&stax) ?: evl_trylock_stax(&stax);
	tap_ok(!ret, "stax: locked in-band, and again (%d)", ret);
	ret = ask(&a, trylock_stax, NULL);
	tap_ok(ret == -EAGAIN, "stax: out-of-band has to stay out (%d)", ret);
	tell(&a, lock_stax, NULL);
	tap_ok(asleep(&a.kthread), "stax: or to wait");
	tap_ok(evl_destroy_stax(&stax) == -EBUSY, "stax: not destroyed while locked");
	evl_unlock_stax(&stax);
	tap_ok(!evl_trylock_stax(&stax), "stax: who has it may nest");
	evl_unlock_stax(&stax);
	evl_unlock_stax(&stax);
	evl_unlock_stax(&stax);
	ret = outcome(&a);
	tap_ok(!ret, "stax: the last one lets out-of-band in (%d)", ret);
	tap_ok(evl_trylock_stax(&stax) == -EAGAIN, "stax: and in-band has to stay out");
	ask(&a, unlock_stax, NULL);
	tell(&a, use_stax, (void *)1L);
	ret = use_stax((void *)-1L);
	tap_ok(!ret && !outcome(&a) && !atomic_read(&stax_clashes),
	       "stax: never both stages (%d, %d clashes)", ret,
	       atomic_read(&stax_clashes));
	ret = evl_destroy_stax(&stax);
	tap_ok(!ret && evl_lock_stax(&stax) == -EIDRM && ask(&a, lock_stax, NULL) == -EIDRM,
	       "stax: destroyed (%d)", ret);
	dismiss(&a);
}

/* The spinlock. */

static DEFINE_EVL_SPINLOCK(spinlock);
static unsigned long counter;

static int count_once(void *unused)
{
	unsigned long flags;

	evl_spin_lock_irqsave(&spinlock, flags);
	counter++;
	evl_spin_unlock_irqrestore(&spinlock, flags);

	return 0;
}

static int count_plain(void *unused)
{
	evl_spin_lock(&spinlock);
	counter++;
	evl_spin_unlock(&spinlock);

	return 0;
}

#define COUNTS	20000

static int count_often(void *unused)
{
	int n;

	for (n = 0; n < COUNTS; n++)
		count_once(NULL);

	return 0;
}

static int ran;

static int note_run(void *unused)
{
	int ret = evl_wait_flag(&flag);

	WRITE_ONCE(ran, 1);

	return ret;
}

/* On the CPU of a thread of higher priority, which waits for the flag. */
static int raise_under_lock(void *unused)
{
	unsigned long flags;
	int early;

	evl_spin_lock_irqsave(&spinlock, flags);
	evl_raise_flag(&flag);
	early = READ_ONCE(ran);
	evl_spin_unlock_irqrestore(&spinlock, flags);

	return early ? 1 : READ_ONCE(ran) ? 0 : 2;
}

static int raise_unpreempted(void *unused)
{
	int early;

	evl_disable_preempt();
	evl_disable_preempt();
	evl_raise_flag(&flag);
	evl_enable_preempt();
	evl_schedule();
	early = READ_ONCE(ran);
	evl_enable_preempt();

	return early ? 1 : READ_ONCE(ran) ? 0 : 2;
}

/* The flag is waited for by a thread of higher priority on the CPU of the other one, which raises it. */
static void check_preemption(struct api_hand *low, struct api_hand *high, int (*fn)(void *), const char *text)
{
	bool ready;
	int ret;

	ran = 0;
	tell(high, note_run, NULL);
	ready = asleep(&high->kthread);
	ret = ask(low, fn, NULL);
	tap_ok(ready && !ret && !outcome(high), "%s (%d)", text, ret);
}

void test_spinlock(void)
{
	struct api_hand low, high;
	unsigned long wanted = 3 * COUNTS;
	int n, ret;

	evl_init_flag(&flag);
	if (!hire(&low, "low", 10, api_other_cpu) || !hire(&high, "high", 20, api_other_cpu))
		return;
	tell(&low, count_often, NULL);
	for (n = 0; n < COUNTS; n++) {
		count_once(NULL);
		from_interrupt(count_plain, NULL);
	}
	ret = outcome(&low);
	tap_ok(!ret && counter == wanted,
	       "spinlock: a thread, an interrupt and in-band count (%lu of %lu)", counter, wanted);
	check_preemption(&low, &high, raise_under_lock,
			 "spinlock: a wake-up under it takes effect when it is dropped");
	check_preemption(&low, &high, raise_unpreempted,
			 "preemption held back, nested: by the outermost end");
	dismiss(&low);
	dismiss(&high);
	evl_destroy_flag(&flag);
}
