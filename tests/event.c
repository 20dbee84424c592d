/* SPDX-License-Identifier: MIT */
/*
 * property: an event wakes who was signalled, when the mutex is released and in order of priority; nobody else, and no
 * signal is lost between dropping the mutex and sleeping.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <signal.h>
#include <stdlib.h>
#include "crew.h"

#define ROUNDS	1500

static struct evl_mutex lock, other, nested;
static struct evl_event event;
static struct hand low, mid, high, boss;
static volatile int order[8], nr_order;

static int do_wait(void *arg)
{
	struct hand *h = arg;
	int ret = evl_lock_mutex(&lock);

	if (!ret) {
		ret = evl_wait_event(&event, &lock);
		if (h)
			order[nr_order++] = h == &low ? 1 : h == &mid ? 2 : 3;
		evl_unlock_mutex(&lock);
	}

	return ret;
}

static int do_wait_raw(void *arg)	{ return evl_wait_event(&event, arg); }

static int do_wait_other(void *arg)
{
	int ret = evl_lock_mutex(&other), held;

	ret = evl_wait_event(&event, &other);
	held = evl_unlock_mutex(&other);

	return held ? -EILSEQ : ret;
}

static int do_timedwait(void *arg)
{
	uint64_t then = t_now();
	struct timespec date = in_ms((long)(intptr_t)arg);
	int ret;

	evl_lock_mutex(&lock);
	ret = evl_timedwait_event(&event, &lock, &date);
	if (t_now() - then < (uint64_t)(intptr_t)arg * NSEC_PER_MSEC - 1000)
		ret = -EILSEQ;

	return evl_unlock_mutex(&lock) ? -EILSEQ : ret;
}

static int do_timedwait_date(void *arg)
{
	int ret;

	evl_lock_mutex(&lock);
	ret = evl_timedwait_event(&event, &lock, arg);

	return evl_unlock_mutex(&lock) ? -EILSEQ : ret;
}

static int do_wait_nested(void *arg)
{
	int n, ret;

	for (n = 0; n < 2; n++)
		evl_lock_mutex(&nested);
	ret = evl_wait_event(&event, &nested);
	for (n = 0; n < 2; n++)
		if (evl_unlock_mutex(&nested))
			return -EILSEQ;

	return evl_unlock_mutex(&nested) == -EPERM ? ret : -EILSEQ;
}

static int do_lock(void *arg)		{ return evl_lock_mutex(arg); }
static int do_unlock(void *arg)		{ return evl_unlock_mutex(arg); }
static int do_signal(void *arg)		{ return evl_signal_event(&event); }
static int do_broadcast(void *arg)	{ return evl_broadcast_event(&event); }
static int do_signal_thread(void *arg)	{ return evl_signal_thread(&event, (int)(intptr_t)arg); }

static int under_lock(int (*fn)(void *arg), void *arg)
{
	int ret;

	ask(&boss, do_lock, &lock);
	ret = ask(&boss, fn, arg);
	ask(&boss, do_unlock, &lock);

	return ret;
}

static void all_wait(void)
{
	nr_order = 0;
	tell(&low, do_wait, &low);
	is_blocked(&low);
	tell(&high, do_wait, &high);
	is_blocked(&high);
	tell(&mid, do_wait, &mid);
	is_blocked(&mid);
}

static void *come_and_go(void *arg)
{
	return (void *)(intptr_t)evl_attach_self("event-gone");
}

static int gone_thread(void)
{
	static void *efd = (void *)-1L;

	if ((intptr_t)efd < 0)
		pthread_join(t_thread(5, t_cpu(0), come_and_go, NULL), &efd);

	return (int)(intptr_t)efd;
}

static void test_signals(void)
{
	all_wait();
	ask(&boss, do_lock, &lock);
	t_ok(!ask(&boss, do_signal, NULL) && is_blocked(&high), "signalled, but not before the mutex is free");
	ask(&boss, do_unlock, &lock);
	t_ok(!outcome_of(&high) && is_blocked(&mid) && is_blocked(&low), "one signal, one waiter: the highest");
	t_ok(!under_lock(do_signal_thread, (void *)(intptr_t)low.efd) && !outcome_of(&low) && is_blocked(&mid),
	     "a certain one, whatever its priority");
	t_ok(!under_lock(do_signal_thread, (void *)(intptr_t)low.efd) && is_blocked(&mid), "one which does not wait: no effect");
	t_ok(under_lock(do_signal_thread, (void *)(intptr_t)lock.mon.efd) == -EINVAL, "no thread: EINVAL");
	t_ok(!under_lock(do_signal, NULL) && !outcome_of(&mid), "and the last");

	all_wait();
	t_ok(!under_lock(do_broadcast, NULL) && !outcome_of(&low) && !outcome_of(&mid) && !outcome_of(&high), "a broadcast");
	t_ok(order[0] == 3 && order[1] == 2 && order[2] == 1, "wakes all by priority (%d%d%d)", order[0], order[1], order[2]);

	all_wait();
	ask(&boss, do_lock, &lock);
	ask(&boss, do_signal, NULL);
	ask(&boss, do_signal, NULL);
	ask(&boss, do_unlock, &lock);
	t_ok(!outcome_of(&high) && !outcome_of(&mid) && is_blocked(&low), "two signals, two waiters");
	t_ok(ask(&boss, do_signal, NULL) == -EPERM && is_blocked(&low), "without the mutex: EPERM, nobody wakes up");
	t_ok(evl_signal_event(&event) == -EPERM, "nor by an unattached thread");
	t_ok(ask(&boss, do_broadcast, NULL) == -EPERM && ask(&boss, do_signal_thread, (void *)(intptr_t)low.efd) == -EPERM &&
	     is_blocked(&low), "nor a broadcast, nor to a certain thread");
	t_ok(evl_broadcast_event(&event) == -EPERM && evl_signal_thread(&event, low.efd) == -EPERM, "nor these");
	t_ok(ask(&boss, do_signal_thread, (void *)(intptr_t)gone_thread()) == -ESTALE && is_blocked(&low), "a thread which is gone: ESTALE");
	under_lock(do_signal, NULL);
	outcome_of(&low);
	t_ok(!ask(&boss, do_signal, NULL), "without waiters: 0");
	t_ok(!under_lock(do_broadcast, NULL) && (tell(&mid, do_wait, &mid), is_blocked(&mid)), "a signal is not kept");
	under_lock(do_signal, NULL);
	outcome_of(&mid);
}

static void ignore(int sig) { }

static void test_waits(void)
{
	struct timespec past = { .tv_nsec = 1 }, ill = { .tv_nsec = 1000000000 }, later = in_ms(60000);

	signal(SIGUSR1, ignore);
	t_ok(ask(&mid, do_wait_raw, &lock) == -EPERM, "a mutex which is not the caller's: EPERM");
	t_ok(ask(&mid, do_timedwait, (void *)50L) == -ETIMEDOUT, "a limit is kept, the mutex held");
	t_ok(ask(&mid, do_timedwait_date, &past) == -ETIMEDOUT, "a past date");
	t_ok(ask(&mid, do_timedwait_date, &ill) == -EINVAL, "an ill-formed date: EINVAL, held");
	t_ok(ask(&mid, do_timedwait_date, NULL) == -EFAULT, "no date: EFAULT, held");
	tell(&mid, do_wait, &mid);
	is_blocked(&mid);
	t_ok(ask(&high, do_wait_other, NULL) == -EBADFD, "another mutex: EBADFD, held");
	evl_unblock_thread(mid.efd);
	t_ok(outcome_of(&mid) == -EINTR, "unblocked: EINTR");
	tell(&mid, do_timedwait_date, &later);
	is_blocked(&mid);
	pthread_kill(mid.tid, SIGUSR1);
	t_ok(outcome_of(&mid) == -EINTR, "a signal: EINTR, the mutex held");
	tell(&high, do_wait_other, NULL);
	t_ok(is_blocked(&high), "nobody waits: another mutex is fine");
	ask(&boss, do_lock, &other);
	ask(&boss, do_signal, NULL);
	ask(&boss, do_unlock, &other);
	t_ok(!outcome_of(&high), "and comes back");

	tell(&mid, do_timedwait, (void *)50L);
	is_blocked(&mid);
	ask(&boss, do_lock, &lock);
	pause_ms(100);
	t_ok(mid.done != mid.orders, "the limit passes while the mutex is taken: it waits for it");
	ask(&boss, do_unlock, &lock);
	t_ok(outcome_of(&mid) == -ETIMEDOUT, "then tells");

	tell(&mid, do_timedwait, (void *)200L);
	is_blocked(&mid);
	ask(&boss, do_lock, &lock);
	ask(&boss, do_signal, NULL);
	pause_ms(250);
	ask(&boss, do_unlock, &lock);
	t_ok(!outcome_of(&mid), "signalled before the limit, woken up after: 0 (%d)", mid.ret);

	tell(&mid, do_wait, &mid);
	is_blocked(&mid);
	ask(&boss, do_lock, &lock);
	ask(&boss, do_signal, NULL);
	t_ok(is_blocked(&mid) && prio_of(&boss) == 40, "who was signalled waits for the mutex");
	evl_unblock_thread(mid.efd);
	pause_ms(20);
	t_ok(mid.done != mid.orders, "nothing interrupts this for good");
	ask(&boss, do_unlock, &lock);
	t_ok(!outcome_of(&mid), "it was signalled");

	tell(&low, do_wait_nested, NULL);
	is_blocked(&low);
	t_ok(!ask(&boss, do_lock, &nested), "a recursive mutex is dropped whatever its count");
	ask(&boss, do_signal, NULL);
	ask(&boss, do_unlock, &nested);
	t_ok(!outcome_of(&low), "and the count is back");

	/* Boosted owner of the mutex. */
	tell(&high, do_wait, &high);
	is_blocked(&high);
	ask(&low, do_lock, &lock);
	ask(&low, do_signal, NULL);
	t_ok(prio_of(&low) == 30, "who was signalled lends its priority (%d)", prio_of(&low));
	ask(&low, do_unlock, &lock);
	t_ok(!outcome_of(&high) && prio_of(&low) == 10, "until it has the mutex");
}

static volatile int turn;

static int ping(void *arg)
{
	int n, ret = 0, me = (int)(intptr_t)arg;

	ret = evl_lock_mutex(&lock);
	for (n = 0; n < ROUNDS && !ret; n++) {
		while (turn != me && !ret)
			ret = evl_wait_event(&event, &lock);
		turn = !me;
		ret |= evl_broadcast_event(&event);
	}
	evl_unlock_mutex(&lock);

	return ret;
}

static void test_ping_pong(void)
{
	struct hand one, two;

	hire(&one, "event-ping", 20, t_cpu(0));
	hire(&two, "event-pong", 20, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));
	tell(&one, ping, (void *)0L);
	tell(&two, ping, (void *)1L);
	t_ok(!outcome_of(&one) && !outcome_of(&two), "%d turns, no wake-up lost (%d %d)", ROUNDS, one.ret, two.ret);
	dismiss(&one);
	dismiss(&two);
}

static void test_objects(void)
{
	static DEFINE_EVL_EVENT(lazy);
	static DEFINE_EVL_MUTEX(closed);
	struct timespec past = { .tv_nsec = 1 };
	struct evl_event e, e2;

	evl_close_mutex(&closed);

	t_ok(evl_new_event(&e, "/public-event:%d", getpid()) >= 0 && evl_open_event(&e2, "/public-event:%d", getpid()) >= 0, "public: opened");
	t_ok(!evl_close_event(&e2) && evl_close_event(&e2) == -EINVAL, "closed, once");
	t_ok(evl_open_mutex(&other, "/public-event:%d", getpid()) == -EINVAL, "not as a mutex");
	evl_close_event(&e);
	t_ok(evl_open_event(&e2, "/public-event:%d", getpid()) == -ENOENT, "gone");
	t_ok(evl_create_event(&e, EVL_CLOCK_MONOTONIC, 1, "x:%d", getpid()) == -EINVAL, "unknown flags");
	t_ok(evl_signal_event(&e2) == -EINVAL && evl_broadcast_event(&e2) == -EINVAL && evl_signal_thread(&e2, low.efd) == -EINVAL &&
	     evl_wait_event(&e2, &lock) == -EINVAL && evl_timedwait_event(&e2, &lock, &past) == -EINVAL, "use after closing");
	t_ok(evl_wait_event(&event, &closed) == -EINVAL && evl_timedwait_event(&event, &closed, &past) == -EINVAL, "with a mutex which is closed");
	t_ok(evl_wait_event(&event, &lock) == -EPERM && evl_timedwait_event(&event, &lock, &past) == -EPERM, "waiting is for attached threads");
	t_ok(evl_create_event(&e, 1, 0, "x:%d", getpid()) == -EINVAL, "a clock which is none");
	t_ok(evl_new_event(&e, "/public-event:%d", getpid()) >= 0 && evl_new_event(&e2, "public-event:%d", getpid()) == -EEXIST,
	     "a name taken: EEXIST");
	evl_close_event(&e);
	t_ok(evl_signal_event(&lazy) == -EPERM && !evl_close_event(&lazy), "a static one is activated by a signal");

	evl_new_event(&e, NULL);
	ask(&boss, do_lock, &lock);
	close(e.mon.efd);
	ask(&boss, do_unlock, &lock);
}

static int do_wait_closing(void *arg)
{
	int ret;

	evl_lock_mutex(&lock);
	ret = evl_wait_event(arg, &lock);

	return evl_unlock_mutex(&lock) ? -EILSEQ : ret;
}

static void test_closing(void)
{
	struct evl_event e;

	evl_new_event(&e, "closing:%d", getpid());
	tell(&mid, do_wait_closing, &e);
	is_blocked(&mid);
	close(e.mon.efd);
	t_ok(outcome_of(&mid) == -EBADF, "closed under the waiter: EBADF, the mutex held (%d)", mid.ret);
}

struct vanishing {
	struct evl_mutex mutex;
	struct evl_event event;
	volatile int woken;
};

static int wait_for_vanishing(void *arg)
{
	struct vanishing *v = arg;
	int ret = evl_lock_mutex(&v->mutex);

	if (!ret)
		ret = evl_wait_event(&v->event, &v->mutex);
	v->woken = 1;

	return ret;
}

/* In one go: whatever interrupts the caller later on would let the waiter in as well. */
static int signal_vanishing(void *arg)
{
	struct vanishing *v = arg;
	int ret = evl_signal_event(&v->event);

	return ret ? ret : v->woken;
}

/* There is no mutex to wait for any more: who was signalled wakes up, above the signaller, which kept the CPU. */
static void test_vanishing_mutex(void)
{
	struct vanishing v = { .woken = 0 };
	int n, ret = 1;

	for (n = 0; n < 20 && ret == 1; n++) {
		v.woken = 0;
		/* No names: they are taken until the last of the former ones has gone, which is some time after close(). */
		if (evl_new_mutex(&v.mutex, NULL) < 0 || evl_new_event(&v.event, NULL) < 0)
			t_bail("cannot make a mutex and an event");
		tell(&high, wait_for_vanishing, &v);
		is_blocked(&high);
		ask(&low, do_lock, &v.mutex);
		close(v.mutex.mon.efd);
		ret = ask(&low, signal_vanishing, &v);
		if (outcome_of(&high) != -EBADF)
			ret = -EILSEQ;
		evl_close_event(&v.event);
	}
	t_ok(ret == 1, "a mutex which goes under a signalled waiter: EBADF, at once (%d, %d)", ret, high.ret);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	evl_new_mutex(&lock, "lock:%d", getpid());
	evl_create_mutex(&nested, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE, "nested:%d", getpid());
	evl_new_event(&event, "event:%d", getpid());
	hire(&low, "event-low", 10, t_cpu(0));
	hire(&mid, "event-mid", 20, t_cpu(0));
	hire(&high, "event-high", 30, t_cpu(0));
	hire(&boss, "event-boss", 40, t_cpu(0));

	t_plan(50);
	test_objects();
	evl_new_mutex(&other, "other:%d", getpid());
	test_signals();
	test_waits();
	test_closing();
	test_vanishing_mutex();
	test_ping_pong();

	return t_end();
}
