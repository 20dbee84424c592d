/* SPDX-License-Identifier: MIT */
/*
 * property: semaphores count, queue by priority, lose and duplicate no unit, whoever puts, gets, gives up or flushes.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include "crew.h"

#define UNITS	3000

static struct evl_sem sem;
static struct hand low, mid, high;

static int do_get(void *arg)	{ return evl_get_sem(arg); }
static int do_tryget(void *arg)	{ return evl_tryget_sem(arg); }
static int do_put(void *arg)	{ return evl_put_sem(arg); }

static int do_timedget(void *arg)
{
	uint64_t then = t_now();
	struct timespec date = in_ms(50);
	int ret = evl_timedget_sem(arg, &date);

	return ret == -ETIMEDOUT && t_now() - then < 50 * NSEC_PER_MSEC - 1000 ? -EILSEQ : ret;
}

static int do_timedget_past(void *arg)
{
	struct timespec date = { .tv_nsec = 1 };

	return evl_timedget_sem(arg, &date);
}

static int do_timedget_ill(void *arg)
{
	struct timespec date = { .tv_nsec = -1 };

	return evl_timedget_sem(arg, &date);
}

static int do_timedget_null(void *arg)	{ return evl_timedget_sem(arg, NULL); }

static int peek(void)
{
	int val = -77;

	evl_peek_sem(&sem, &val);
	return val;
}

static void ignore(int sig) { }

static void test_counting(void)
{
	struct timespec past = { .tv_nsec = 1 };
	struct evl_sem s;
	int val;

	t_ok(evl_create_sem(&s, EVL_CLOCK_MONOTONIC, -1, 0, "s:%d", getpid()) == -EINVAL, "a negative count: EINVAL");
	t_ok(evl_create_sem(&s, EVL_CLOCK_MONOTONIC, 2, 0, "s:%d", getpid()) >= 0, "two units");
	t_ok(!evl_tryget_sem(&s) && !evl_tryget_sem(&s) && evl_tryget_sem(&s) == -EAGAIN, "can be had, then EAGAIN");
	t_ok(!evl_peek_sem(&s, &val) && val == 0, "none is left");
	t_ok(evl_get_sem(&s) == -EPERM && evl_timedget_sem(&s, &past) == -EPERM, "waiting is for attached threads");
	evl_close_sem(&s);
	t_ok(evl_tryget_sem(&s) == -EINVAL && evl_put_sem(&s) == -EINVAL && evl_peek_sem(&s, &val) == -EINVAL &&
	     evl_flush_sem(&s) == -EINVAL && evl_get_sem(&s) == -EINVAL && evl_timedget_sem(&s, &past) == -EINVAL &&
	     evl_close_sem(&s) == -EINVAL, "use after closing: EINVAL");
	t_ok(evl_create_sem(&s, 1, 0, 0, "s:%d", getpid()) == -EINVAL &&
	     evl_create_sem(&s, EVL_CLOCK_MONOTONIC, 0, 1, "s:%d", getpid()) == -EINVAL, "no clock, unknown flags: EINVAL");
	t_ok(evl_new_sem(&s, "sem:%d", getpid()) == -EEXIST && evl_open_sem(&s, "sem:%d", getpid()) == -ENOENT,
	     "a name taken: EEXIST; by a private one: ENOENT");
	evl_create_sem(&s, EVL_CLOCK_MONOTONIC, INT_MAX, 0, "s:%d", getpid());
	t_ok(evl_put_sem(&s) == -EOVERFLOW && !evl_peek_sem(&s, &val) && val == INT_MAX, "no more than INT_MAX");
	t_ok(ask(&low, do_get, &s) == 0, "one of them");
	evl_close_sem(&s);
}

static void test_waiting(void)
{
	tell(&low, do_get, &sem);
	is_blocked(&low);
	tell(&mid, do_get, &sem);
	is_blocked(&mid);
	tell(&high, do_get, &sem);
	is_blocked(&high);
	t_ok(peek() == -3, "three wait (%d)", peek());
	t_ok(!evl_put_sem(&sem) && !outcome_of(&high) && is_blocked(&mid), "the highest first, put by an unattached thread");
	t_ok(!ask(&high, do_put, &sem) && !outcome_of(&mid) && is_blocked(&low), "then the next, put out-of-band");
	t_ok(evl_tryget_sem(&sem) == -EAGAIN && peek() == -1, "trying changes nothing");
	t_ok(!evl_put_sem(&sem) && !outcome_of(&low) && peek() == 0, "and the last");

	t_ok(ask(&mid, do_timedget, &sem) == -ETIMEDOUT && peek() == 0, "a limit is kept, the count restored");
	t_ok(ask(&mid, do_timedget_past, &sem) == -ETIMEDOUT, "a past date");
	t_ok(ask(&mid, do_timedget_ill, &sem) == -EINVAL && ask(&mid, do_timedget_null, &sem) == -EFAULT && peek() == 0,
	     "ill-formed, none: EINVAL, EFAULT");
	evl_put_sem(&sem);
	t_ok(!ask(&mid, do_timedget_past, &sem), "which does not matter if there is a unit");

	tell(&mid, do_get, &sem);
	is_blocked(&mid);
	evl_unblock_thread(mid.efd);
	t_ok(outcome_of(&mid) == -EINTR && peek() == 0, "unblocked: EINTR, the count restored");
	tell(&mid, do_get, &sem);
	is_blocked(&mid);
	pthread_kill(mid.tid, SIGUSR1);
	t_ok(outcome_of(&mid) == -EINTR && peek() == 0, "a signal: the same");
	tell(&mid, do_get, &sem);
	tell(&low, do_get, &sem);
	is_blocked(&mid);
	is_blocked(&low);
	t_ok(!evl_flush_sem(&sem) && outcome_of(&mid) == -EAGAIN && outcome_of(&low) == -EAGAIN && peek() == 0, "flushed");
	evl_put_sem(&sem);
	t_ok(!evl_flush_sem(&sem) && peek() == 1, "a flush drops no units");
	ask(&low, do_tryget, &sem);

	tell(&low, do_get, &sem);
	is_blocked(&low);
	t_ok(!ask(&high, do_put, &sem) && ask(&high, do_tryget, &sem) == -EAGAIN && !outcome_of(&low),
	     "a unit which was put for a waiter cannot be stolen");
}

static void test_files(void)
{
	static DEFINE_EVL_SEM(lazy);
	struct evl_sem s, theirs;
	int val;
	pid_t pid;

	evl_create_sem(&s, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_NONBLOCK, "s:%d", getpid());
	t_ok(ask(&mid, do_get, &s) == -EAGAIN && !evl_peek_sem(&s, &val) && val == 0, "non-blocking: EAGAIN");
	evl_close_sem(&s);

	evl_new_sem(&s, "s:%d", getpid());
	tell(&mid, do_get, &s);
	is_blocked(&mid);
	close(s.mon.efd);
	t_ok(outcome_of(&mid) == -EBADF, "closed under the waiter: EBADF");

	evl_new_sem(&s, "/public-sem:%d", getpid());
	tell(&mid, do_get, &s);
	is_blocked(&mid);
	pid = fork();
	if (!pid) {
		evl_init();
		_exit(evl_open_sem(&theirs, "/public-sem:%d", getppid()) < 0 || evl_put_sem(&theirs) || evl_close_sem(&theirs));
	}
	waitpid(pid, &val, 0);
	t_ok(!val && !outcome_of(&mid), "a public one, put by another process");
	t_ok(evl_open_event((struct evl_event *)&theirs, "/public-sem:%d", getpid()) == -EINVAL, "not an event");
	evl_close_sem(&s);

	t_ok(!evl_flush_sem(&lazy) && evl_peek_sem(&lazy, &val) == -EINVAL, "static: flush 0, peek EINVAL");
	t_ok(!evl_put_sem(&lazy) && !evl_peek_sem(&lazy, &val) && val == 1, "put creates it");
	evl_close_sem(&lazy);
	lazy = (struct evl_sem)EVL_SEM_INITIALIZER(NULL, EVL_CLOCK_MONOTONIC, 3, 0);
	t_ok(!evl_tryget_sem(&lazy) && !evl_peek_sem(&lazy, &val) && val == 2, "initialised again, without a name");
	evl_close_sem(&lazy);
}

static volatile int taken;

/* Half of the getters give up soon, and try again. */
static int get_many(void *arg)
{
	int n, ret;

	for (n = 0; n < UNITS / 3;) {
		struct timespec date = timespec_of(t_now() + 20000);

		ret = arg ? evl_timedget_sem(&sem, &date) : evl_get_sem(&sem);
		if (ret && ret != -ETIMEDOUT)
			return ret;
		if (!ret) {
			n++;
			__atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
		}
	}

	return 0;
}

static int put_many(void *arg)
{
	int n;

	for (n = 0; n < UNITS; n++) {
		if (evl_put_sem(&sem))
			return -1;
		if (n % 8 == 0)
			evl_usleep(30);
	}

	return 0;
}

static void test_race(void)
{
	struct hand getter[3], putter;
	int n, nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), ret = 0;

	for (n = 0; n < 3; n++) {
		hire(&getter[n], "sem-getter", 10 + n, t_cpu(n % nr_cpus));
		tell(&getter[n], get_many, (void *)(intptr_t)(n != 2));
	}
	hire(&putter, "sem-putter", 20, t_cpu((nr_cpus - 1) % nr_cpus));
	tell(&putter, put_many, NULL);
	ret = outcome_of(&putter);
	for (n = 0; n < 3; n++)
		ret |= outcome_of(&getter[n]);
	t_ok(!ret && taken == UNITS && peek() == 0, "%d units, none lost, none doubled (%d, %d left)", UNITS, taken, peek());
	for (n = 0; n < 3; n++)
		dismiss(&getter[n]);
	dismiss(&putter);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	signal(SIGUSR1, ignore);
	evl_new_sem(&sem, "sem:%d", getpid());
	hire(&low, "sem-low", 10, t_cpu(0));
	hire(&mid, "sem-mid", 20, t_cpu(0));
	hire(&high, "sem-high", 30, t_cpu(0));

	t_plan(32);
	test_counting();
	test_waiting();
	test_files();
	test_race();

	return t_end();
}
