// SPDX-License-Identifier: GPL-2.0-only
/* Kernel threads: start, stop, priority, stages, sleeps, periods. */
#include "api-test.h"

struct birth {
	struct evl_kthread kthread;
	bool oob, hard_on, itself, stop_seen;
	int cpu, prio;
	bool finished;
};

static void note_birth(void *arg)
{
	struct birth *b = arg;

	b->oob = running_oob() && !evl_is_inband();
	b->hard_on = !hard_irqs_disabled();
	b->cpu = raw_smp_processor_id();
	b->itself = evl_current_kthread() == &b->kthread;
	b->prio = evl_current()->prio;
	b->stop_seen = evl_kthread_should_stop();
	WRITE_ONCE(b->finished, true);
}

/* Leaves a thread which sleeps. */
static void sleep_on(void *arg)
{
	while (!evl_kthread_should_stop())
		evl_sleep(1000 * MS);
}

static void test_start(void)
{
	struct birth b = { };
	int ret;

	ret = evl_run_kthread_on_cpu(&b.kthread, api_other_cpu, note_birth, &b, 42, EVL_CLONE_PRIVATE,
				     "api-birth");
	tap_ok(!ret && comes_true(READ_ONCE(b.finished)), "a thread runs (%d)", ret);
	tap_ok(b.oob && b.hard_on, "from its first instruction on out-of-band, hard on");
	tap_ok(b.cpu == api_other_cpu && b.prio == 42 && b.itself && !b.stop_seen,
	       "where and as what it was told (CPU%d)",
	       b.cpu);
	evl_stop_kthread(&b.kthread);
	evl_stop_kthread(&b.kthread);
	tap_ok(true, "stopping one which has exited returns, twice");
	tap_ok(evl_set_kthread_priority(&b.kthread, 1) == -EINVAL, "and it has no priority any more");

	ret = evl_run_kthread(&b.kthread, note_birth, &b, 1, EVL_CLONE_PUBLIC, "api-public");
	tap_ok(!ret, "a public one, anywhere (%d)", ret);
	evl_stop_kthread(&b.kthread);
	tap_ok(b.cpu == api_cpu, "which is where the caller is (CPU%d)", b.cpu);
	tap_ok(!evl_current() && !evl_current_kthread() && !evl_kthread_should_stop(),
	       "the test itself is no such thread");
}

static void test_start_errors(void)
{
	struct evl_kthread kthread, second;
	static char name[300];
	int ret;

	ret = evl_run_kthread(&kthread, sleep_on, NULL, 0, 0, "api-bad");
	tap_ok(ret == -EINVAL, "priority 0 (%d)", ret);
	ret = evl_run_kthread(&kthread, sleep_on, NULL, 100, 0, "api-bad");
	tap_ok(ret == -EINVAL, "priority 100 (%d)", ret);
	ret = evl_run_kthread(&kthread, sleep_on, NULL, 1, 1, "api-bad");
	tap_ok(ret == -EINVAL, "unknown flag (%d)", ret);
	ret = evl_run_kthread_on_cpu(&kthread, nr_cpu_ids, sleep_on, NULL, 1, 0, "api-bad");
	tap_ok(ret == -EINVAL, "no such CPU (%d)", ret);
	memset(name, 'x', sizeof(name) - 1);
	ret = evl_run_kthread(&kthread, sleep_on, NULL, 1, 0, "%s", name);
	tap_ok(ret == -ENAMETOOLONG, "name too long (%d)", ret);
	ret = evl_run_kthread(&kthread, sleep_on, NULL, 1, 0, "api-twin");
	if (!tap_ok(!ret, "the first of two (%d)", ret))
		return;
	ret = evl_run_kthread(&second, sleep_on, NULL, 1, 0, "api-twin");
	tap_ok(ret == -EEXIST, "name in use (%d)", ret);
	tap_ok(evl_set_kthread_priority(&kthread, 0) == -EINVAL &&
	       evl_set_kthread_priority(&kthread, 100) == -EINVAL,
	       "priorities are checked later, too");
	evl_stop_kthread(&kthread);
}

/* Order of wake-up, by priority at that time. */
static struct evl_waitqueue order_wq;
static int order[2], nr_woken;

static int wait_once(void *id)
{
	unsigned long flags;
	int ret;

	evl_wq_lock(&order_wq, flags);
	ret = evl_wait_locked(&order_wq, EVL_INFINITE, EVL_TMODE_REL);
	if (ret != -EIDRM)
		order[nr_woken++] = (long)id;
	evl_wq_unlock(&order_wq, flags);

	return ret;
}

static void test_priority(void)
{
	struct api_hand a, b;
	int ret;

	evl_init_waitqueue(&order_wq, &evl_mono_clock, EVL_WQ_PRIO);
	if (!hire(&a, "a", 10, api_cpu) || !hire(&b, "b", 20, api_cpu))
		return;
	nr_woken = 0;
	tell(&a, wait_once, (void *)1);
	asleep(&a.kthread);
	tell(&b, wait_once, (void *)2);
	asleep(&b.kthread);
	ret = evl_set_kthread_priority(&a.kthread, 30);
	tap_ok(evl_wake_up_all(&order_wq) == 2 && !outcome(&a) && !outcome(&b) && order[0] == 1 &&
	       order[1] == 2 && !ret,
	       "a change of priority moves a thread which waits (%d first)", order[0]);
	evl_destroy_waitqueue(&order_wq);
	dismiss(&a);
	dismiss(&b);
}

static int change_stages(void *unused)
{
	int ret;

	ret = evl_switch_inband();
	if (ret || running_oob() || !evl_is_inband())
		return 1;
	if (evl_switch_inband() || running_oob())
		return 2;
	usleep_range(100, 200);
	ret = evl_switch_oob();
	if (ret || !running_oob())
		return 3;

	return evl_switch_oob() || evl_is_inband() ? 4 : 0;
}

static void test_stages(struct api_hand *h)
{
	int ret = ask(h, change_stages, NULL);

	tap_ok(!ret, "to in-band and back (step %d)", ret);
	ret = evl_switch_oob();
	tap_ok(ret == -EPERM, "others cannot: evl_switch_oob() (%d)", ret);
	ret = evl_switch_inband();
	tap_ok(ret == -EPERM, "others cannot: evl_switch_inband() (%d)", ret);
}

static int sleep_until_dates(void *unused)
{
	ktime_t date;
	int n;

	for (n = 0; n < 50; n++) {
		date = ktime_add(evl_ktime_monotonic(), MS / 2);
		if (evl_sleep_until(date) || ktime_before(evl_ktime_monotonic(), date))
			return 1;
		date = ktime_add(evl_ktime_monotonic(), MS / 2);
		if (evl_sleep(MS / 2) || ktime_before(evl_ktime_monotonic(), date))
			return 2;
		if (evl_delay(MS / 2, EVL_TMODE_REL, &evl_mono_clock) ||
		    evl_delay(ktime_add(evl_read_clock(&evl_realtime_clock), MS / 2), EVL_TMODE_ABS,
			      &evl_realtime_clock))
			return 3;
	}

	return evl_sleep_until(1) || evl_sleep(-5) || evl_delay(1, EVL_TMODE_ABS, &evl_mono_clock) ? 4 : 0;
}

static ktime_t left;

static int delay_long(void *unused)
{
	left = evl_delay(1000 * 1000 * MS, EVL_TMODE_REL, &evl_mono_clock);

	return evl_sleep(1000 * 1000 * MS);
}

static void test_sleeps(struct api_hand *h)
{
	int ret = ask(h, sleep_until_dates, NULL);

	tap_ok(!ret, "sleeps end at their date, not before; past ones at once (step %d)", ret);
	tell(h, delay_long, NULL);
	asleep(&h->kthread);
	ret = evl_unblock_thread(h->kthread.thread, EVL_WAKE_BREAK);
	tap_ok(ret == 1 && comes_true(left) && left > 0 && left <= 1000 * 1000 * MS,
	       "unblocked: what remains of a delay");
	asleep(&h->kthread);
	evl_unblock_thread(h->kthread.thread, EVL_WAKE_BREAK);
	ret = outcome(h);
	tap_ok(ret == -EINTR, "unblocked: a sleep (%d)", ret);
}

void test_thread(void)
{
	struct api_hand h;

	test_start();
	test_start_errors();
	test_priority();
	if (!hire(&h, "stages", 10, api_cpu))
		return;
	test_stages(&h);
	test_sleeps(&h);
	dismiss(&h);
}

/* The blocking calls, on objects which nothing ever happens to. */
static DEFINE_EVL_FLAG(never_flag);
static DEFINE_EVL_WAITQUEUE(never_wq);
static DEFINE_EVL_MUTEX(never_mutex);
static struct evl_ksem never_sem;
static struct evl_stax never_stax;
static bool never;

static int block_sleep(void) { return evl_sleep(1000 * 1000 * MS); }
static int block_until(void) { return evl_sleep_until(KTIME_MAX / 2); }
static int block_flag(void) { return evl_wait_flag(&never_flag); }
static int block_flag_limit(void) { return evl_wait_flag_timeout(&never_flag, 10000 * MS, EVL_TMODE_REL); }
static int block_sem(void) { return evl_down(&never_sem); }
static int block_sem_limit(void) { return evl_down_timeout(&never_sem, 1000 * 1000 * MS); }
static int block_event(void) { return evl_wait_event(&never_wq, never); }
static int block_mutex(void) { return evl_lock_kmutex(&never_mutex); }
static int block_stax(void) { return evl_lock_stax(&never_stax); }

static int block_period(void)
{
	int ret = evl_set_period(&evl_mono_clock, 0, 1000 * 1000 * MS);

	return ret ?: evl_wait_period(NULL);
}

static int block_delay(void)
{
	if (!evl_current())
		return -EPERM;
	return evl_delay(1000 * 1000 * MS, EVL_TMODE_REL, &evl_mono_clock) > 0 ? -EINTR : 0;
}

static const struct blocking {
	const char *name;
	int (*call)(void);
	bool any_task;
} blocking[] = {
	{ "evl_sleep", block_sleep },
	{ "evl_sleep_until", block_until },
	{ "evl_delay", block_delay },
	{ "evl_wait_period", block_period },
	{ "evl_wait_flag", block_flag },
	{ "evl_wait_flag_timeout", block_flag_limit },
	{ "evl_down", block_sem },
	{ "evl_down_timeout", block_sem_limit },
	{ "evl_wait_event", block_event },
	{ "evl_lock_kmutex", block_mutex },
	{ "evl_lock_stax", block_stax, true },
};

struct stopped {
	struct evl_kthread kthread;
	const struct blocking *what;
	int first, again;
	bool told;
};

static void block_until_stopped(void *arg)
{
	struct stopped *s = arg;

	s->first = s->what->call();
	s->told = evl_kthread_should_stop();
	s->again = s->what->call();
}

static void check_stop(const struct blocking *what)
{
	struct stopped s = { .what = what };
	int ret;

	ret = evl_run_kthread_on_cpu(&s.kthread, api_other_cpu, block_until_stopped, &s, 10, 0,
				     "api-stopped");
	if (!tap_ok(!ret && asleep(&s.kthread), "%s() blocks (%d)", what->name, ret))
		return;
	evl_stop_kthread(&s.kthread);
	tap_ok(s.first == -EINTR && s.told, "%s(): -EINTR when told to stop (%d)", what->name, s.first);
	tap_ok(s.again == -EINTR, "%s(): and at once from then on (%d)", what->name, s.again);
	if (!what->any_task)
		tap_ok(what->call() == -EPERM, "%s(): -EPERM for a plain task", what->name);
}

static int lock_never_mutex(void *unused) { return evl_lock_kmutex(&never_mutex); }

static int unlock_never_mutex(void *unused)
{
	evl_unlock_kmutex(&never_mutex);

	return 0;
}

static struct evl_kthread suicidal;
static bool survived;

static void stop_itself(void *unused)
{
	evl_stop_kthread(&suicidal);
	survived = true;
}

static int stop_other(void *kthread)
{
	evl_stop_kthread(kthread);

	return running_oob() ? 0 : -EPROTO;
}

void test_stop(void)
{
	struct api_hand owner;
	int n, ret;

	evl_init_ksem(&never_sem, 0);
	evl_init_stax(&never_stax);
	if (!hire(&owner, "owner", 5, api_cpu))
		return;
	ask(&owner, lock_never_mutex, NULL);
	evl_lock_stax(&never_stax);
	for (n = 0; n < ARRAY_SIZE(blocking); n++)
		check_stop(&blocking[n]);
	evl_unlock_stax(&never_stax);
	ask(&owner, unlock_never_mutex, NULL);

	ret = evl_run_kthread(&suicidal, stop_itself, NULL, 10, 0, "api-suicidal");
	evl_stop_kthread(&suicidal);
	tap_ok(!ret && !survived, "a thread which stops itself is gone (%d)", ret);
	ret = evl_run_kthread_on_cpu(&suicidal, api_other_cpu, sleep_on, NULL, 10, 0, "api-victim");
	ret = ret ?: ask(&owner, stop_other, &suicidal);
	tap_ok(!ret, "a thread stops another (%d)", ret);
	dismiss(&owner);
	tap_ok(!evl_destroy_stax(&never_stax), "nothing is left behind");
	evl_destroy_ksem(&never_sem);
}

/* Periods. */

static int period_errors(void *unused)
{
	if (evl_wait_period(NULL) != -EAGAIN)
		return 1;
	if (evl_set_period(NULL, 0, MS) != -EINVAL || evl_set_period(&evl_mono_clock, 0, 1) != -EINVAL)
		return 2;
	if (evl_set_period(&evl_mono_clock, ktime_sub(evl_ktime_monotonic(), MS), MS) != -ETIMEDOUT)
		return 3;
	if (evl_set_period(&evl_mono_clock, 0, MS) || evl_set_period(NULL, 0, 0))
		return 4;

	return evl_wait_period(NULL) == -EAGAIN ? 0 : 5;
}

/* Release n is at idate + n * period, those missed included. */
static int run_periods(void *unused)
{
	ktime_t idate = ktime_add(evl_ktime_monotonic(), 5 * MS), date = idate, now;
	unsigned long missed;
	int n, ret;

	if (evl_set_period(&evl_mono_clock, idate, MS))
		return 1;
	for (n = 0; n < 300; n++) {
		missed = 0;
		ret = evl_wait_period(&missed);
		if (ret && ret != -ETIMEDOUT)
			return ret;
		if (!!missed != (ret == -ETIMEDOUT))
			return 2;
		now = evl_ktime_monotonic();
		if (ret)
			date = ktime_sub(date, MS);
		date = ktime_add(date, missed * MS);
		if (ktime_before(now, date))
			return 3;
		date = ktime_add(date, MS);
	}

	return evl_set_period(&evl_mono_clock, 0, 0);
}

static int overrun_periods(void *unused)
{
	ktime_t idate = ktime_add(evl_ktime_monotonic(), 5 * MS), now;
	unsigned long missed = 0;
	int ret;

	if (evl_set_period(&evl_mono_clock, idate, 10 * MS) || evl_wait_period(NULL) == -EINTR)
		return 1;
	/* Some may have gone by before this thread had the CPU. */
	spin_until(ktime_add(evl_ktime_monotonic(), 35 * MS));
	ret = evl_wait_period(&missed);
	if (ret != -ETIMEDOUT || missed < 3)
		return 2;
	do
		ret = evl_wait_period(&missed);
	while (ret == -ETIMEDOUT);
	now = evl_ktime_monotonic();
	if (ret || ktime_before(now, ktime_add(idate, 40 * MS)))
		return 3;

	return evl_set_period(&evl_mono_clock, 0, 0);
}

void test_period(void)
{
	struct api_hand h;
	int ret;

	ret = evl_set_period(&evl_mono_clock, 0, MS);
	tap_ok(ret == -EPERM, "no timeline for a plain task (%d)", ret);
	if (!hire(&h, "period", 50, api_cpu))
		return;
	ret = ask(&h, period_errors, NULL);
	tap_ok(!ret, "errors of timelines (step %d)", ret);
	ret = ask(&h, run_periods, NULL);
	tap_ok(!ret, "300 periods, none early, misses told (step %d)", ret);
	ret = ask(&h, overrun_periods, NULL);
	tap_ok(!ret, "periods missed are told, the next release is aligned (step %d)", ret);
	dismiss(&h);
}
