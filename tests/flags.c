/* SPDX-License-Identifier: MIT */
/*
 * property: flag groups hand out each posted bit once, to whom it satisfies, in order; broadcasts to all.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <limits.h>
#include <signal.h>
#include "crew.h"

#define ROUNDS	3000

static struct evl_flags flg;
static struct hand low, mid, high;

struct wish {
	int bits;	/* 0: all of them */
	bool exact;
	int got;
};

static int do_wait(void *arg)
{
	struct wish *w = arg;

	if (!w->bits)
		return evl_wait_flags(&flg, &w->got);

	return w->exact ? evl_wait_exact_flags(&flg, w->bits) : evl_wait_some_flags(&flg, w->bits, &w->got);
}

static int do_timedwait(void *arg)
{
	struct timespec date = in_ms(50);
	struct wish *w = arg;

	if (!w->bits)
		return evl_timedwait_flags(&flg, &date, &w->got);

	return w->exact ? evl_timedwait_exact_flags(&flg, w->bits, &date) :
		evl_timedwait_some_flags(&flg, w->bits, &date, &w->got);
}

static int do_bad_waits(void *arg)
{
	struct timespec ill = { .tv_nsec = 1000000000 }, past = { .tv_nsec = 1 };
	int got = 77;

	if (evl_timedwait_flags(&flg, &ill, &got) != -EINVAL || evl_timedwait_flags(&flg, NULL, &got) != -EFAULT ||
	    evl_timedwait_flags(&flg, &past, &got) != -ETIMEDOUT || evl_wait_some_flags(&flg, 0, &got) != -EINVAL ||
	    evl_wait_exact_flags(&flg, 0) != -EINVAL)
		return -1;

	if (evl_timedwait_some_flags(&flg, 1, &ill, &got) != -EINVAL || evl_timedwait_some_flags(&flg, 1, NULL, &got) != -EFAULT ||
	    evl_timedwait_some_flags(&flg, 1, &past, &got) != -ETIMEDOUT || evl_timedwait_some_flags(&flg, 0, &past, &got) != -EINVAL)
		return -2;

	if (evl_timedwait_exact_flags(&flg, 1, &ill) != -EINVAL || evl_timedwait_exact_flags(&flg, 1, NULL) != -EFAULT ||
	    evl_timedwait_exact_flags(&flg, 1, &past) != -ETIMEDOUT || evl_timedwait_exact_flags(&flg, 0, &past) != -EINVAL)
		return -3;

	return got == 77 ? 0 : -1;
}

static int peek(void)
{
	int bits = 0x77777777;

	evl_peek_flags(&flg, &bits);
	return bits;
}

static int try_all(void)
{
	int bits = 0;

	evl_trywait_flags(&flg, &bits);
	return bits;
}

static void test_alone(void)
{
	struct evl_flags f;
	struct wish w = { .bits = 0 };
	int bits = 77;

	t_ok(evl_create_flags(&f, EVL_CLOCK_MONOTONIC, 0x50, 0, "f:%d", getpid()) >= 0 && !evl_peek_flags(&f, &bits) &&
	     bits == 0x50, "an initial value");
	t_ok(!evl_trywait_flags(&f, &bits) && bits == 0x50, "is there to take");
	bits = 77;
	t_ok(evl_trywait_flags(&f, &bits) == -EAGAIN && bits == 77, "once");
	evl_close_flags(&f);
	t_ok(evl_post_flags(&f, 1) == -EINVAL && evl_peek_flags(&f, &bits) == -EINVAL && evl_trywait_flags(&f, &bits) == -EINVAL &&
	     evl_broadcast_flags(&f, 1) == -EINVAL && evl_close_flags(&f) == -EINVAL, "use after closing: EINVAL");

	evl_post_flags(&flg, 1);
	evl_post_flags(&flg, 4);
	t_ok(!ask(&mid, do_wait, &w) && w.got == 5 && peek() == 0, "posts add up");
	t_ok(evl_post_flags(&flg, 0) == -EINVAL && evl_broadcast_flags(&flg, 0) == -EINVAL, "posting nothing: EINVAL");
	evl_post_flags(&flg, INT_MIN);
	t_ok(peek() == INT_MIN && peek() == INT_MIN && try_all() == INT_MIN, "bit 31 is one like any; peeking takes nothing");
	evl_post_flags(&flg, 6);
	t_ok(!evl_trywait_some_flags(&flg, 3, &bits) && bits == 2 && peek() == 4, "some: those there are");
	t_ok(evl_trywait_exact_flags(&flg, 5) == -EAGAIN && !evl_trywait_exact_flags(&flg, 4) && peek() == 0, "exact: all or none");
	evl_post_flags(&flg, 1);
	t_ok(!evl_trywait_flags(&flg, NULL), "nobody has to look at them");
	t_ok(evl_wait_flags(&flg, &bits) == -EPERM, "waiting is for attached threads");
	t_ok(!ask(&mid, do_bad_waits, NULL), "bad dates, empty masks: the error, nothing stored");
}

static void test_waiters(void)
{
	struct wish any = { }, any2 = { }, some = { .bits = 4 }, exact = { .bits = 3, .exact = true };

	any.got = 77;
	t_ok(ask(&mid, do_timedwait, &any) == -ETIMEDOUT && any.got == 77, "a limit is kept, nothing stored");
	t_ok(ask(&mid, do_timedwait, &some) == -ETIMEDOUT && ask(&mid, do_timedwait, &exact) == -ETIMEDOUT, "by all forms");
	evl_post_flags(&flg, 8);
	t_ok(peek() == 8 && try_all() == 8, "a later post stays");

	tell(&low, do_wait, &any);
	is_blocked(&low);
	tell(&high, do_wait, &any2);
	is_blocked(&high);
	t_ok(!evl_post_flags(&flg, 3) && !outcome_of(&high) && any2.got == 3 && is_blocked(&low), "the highest takes all");
	t_ok(!evl_post_flags(&flg, 1) && !outcome_of(&low) && any.got == 1 && peek() == 0, "then the other");

	tell(&high, do_wait, &exact);
	is_blocked(&high);
	evl_post_flags(&flg, 1);
	t_ok(is_blocked(&high) && peek() == 1, "exact: half is not enough, and stays");
	evl_post_flags(&flg, 0x12);
	t_ok(!outcome_of(&high) && peek() == 0x10, "until the rest comes; what is too much stays");
	try_all();

	tell(&high, do_wait, &exact);
	is_blocked(&high);
	tell(&low, do_wait, &some);
	is_blocked(&low);
	evl_post_flags(&flg, 4);
	t_ok(!outcome_of(&low) && some.got == 4 && is_blocked(&high), "who is not satisfied lets others pass");
	evl_unblock_thread(high.efd);
	t_ok(outcome_of(&high) == -EINTR, "unblocked: EINTR");

	tell(&low, do_wait, &any);
	is_blocked(&low);
	tell(&mid, do_wait, &any2);
	is_blocked(&mid);
	tell(&high, do_wait, &exact);
	is_blocked(&high);
	evl_broadcast_flags(&flg, 5);
	t_ok(!outcome_of(&low) && !outcome_of(&mid) && any.got == 5 && any2.got == 5 && is_blocked(&high),
	     "a broadcast gives the same to all it satisfies");
	t_ok(peek() == 0, "and is used up");
	evl_broadcast_flags(&flg, 0x13);
	t_ok(!outcome_of(&high) && peek() == 0x10 && try_all() == 0x10, "but for what nobody took");
	evl_broadcast_flags(&flg, 2);
	t_ok(try_all() == 2, "without waiters it is a post");
}

/* All forms on a group which is empty, by an attached thread. The number of those with another result. */
static int all_forms(struct evl_flags *f, int error)
{
	struct timespec later = in_ms(5000);
	int bits = 77, wrong = 0;

	wrong += evl_wait_flags(f, &bits) != error;
	wrong += evl_timedwait_flags(f, &later, &bits) != error;
	wrong += evl_wait_some_flags(f, 1, &bits) != error;
	wrong += evl_timedwait_some_flags(f, 1, &later, &bits) != error;
	wrong += evl_wait_exact_flags(f, 1) != error;
	wrong += evl_timedwait_exact_flags(f, 1, &later) != error;

	return wrong + (bits != 77);
}

static int do_not_block(void *arg)	{ return all_forms(arg, -EAGAIN); }
static int do_wait_on(void *arg)	{ return evl_wait_flags(arg, NULL); }
static int do_some_on(void *arg)	{ return evl_wait_some_flags(arg, 1, NULL); }

static void ignore(int sig) { }

static void test_errors(void)
{
	struct evl_flags f, theirs;
	int fd;

	t_ok(!all_forms(&flg, -EPERM), "waiting in any form: attached threads only");
	evl_create_flags(&f, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_NONBLOCK, "f:%d", getpid());
	t_ok(!ask(&mid, do_not_block, &f), "non-blocking, in any form: EAGAIN (%d are not)", mid.ret);
	evl_close_flags(&f);
	t_ok(!all_forms(&f, -EINVAL) && evl_trywait_some_flags(&f, 1, NULL) == -EINVAL && evl_trywait_exact_flags(&f, 1) == -EINVAL,
	     "closed, in any form: EINVAL");
	t_ok(evl_create_flags(&f, 1, 0, 0, "f:%d", getpid()) == -EINVAL &&
	     evl_create_flags(&f, EVL_CLOCK_MONOTONIC, 0, 1, "f:%d", getpid()) == -EINVAL, "no clock, unknown flags: EINVAL");
	t_ok(evl_new_flags(&f, "flags:%d", getpid()) == -EEXIST, "a name taken: EEXIST");
	fd = evl_new_flags(&f, "/open-flags:%d", getpid());
	t_ok(fd >= 0 && evl_open_flags(&theirs, "/open-flags:%d", getpid()) >= 0 && !evl_post_flags(&theirs, 6) &&
	     !evl_trywait_exact_flags(&f, 6) && !evl_close_flags(&theirs), "a public one is opened, and is the same");
	tell(&mid, do_some_on, &f);
	is_blocked(&mid);
	pthread_kill(mid.tid, SIGUSR1);
	t_ok(outcome_of(&mid) == -EINTR, "a signal: EINTR");
	tell(&mid, do_wait_on, &f);
	is_blocked(&mid);
	evl_unblock_thread(mid.efd);
	t_ok(outcome_of(&mid) == -EINTR && evl_trywait_some_flags(&f, 1, NULL) == -EAGAIN, "unblocked: the same");
	tell(&mid, do_wait_on, &f);
	is_blocked(&mid);
	close(fd);
	t_ok(outcome_of(&mid) == -EBADF, "closed under the waiter: EBADF");
	t_ok(evl_open_flags(&theirs, "/open-flags:%d", getpid()) == -ENOENT, "gone: ENOENT");
}

static void test_files(void)
{
	static DEFINE_EVL_FLAGS(lazy);
	struct evl_flags f;
	int bits;

	evl_create_flags(&f, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PUBLIC, "public-flags:%d", getpid());
	t_ok(evl_open_sem((struct evl_sem *)&lazy, "/public-flags:%d", getpid()) == -EINVAL, "not a semaphore");
	evl_close_flags(&f);
	t_ok(evl_peek_flags(&lazy, &bits) == -EINVAL && evl_trywait_flags(&lazy, &bits) == -EAGAIN &&
	     !evl_peek_flags(&lazy, &bits) && bits == 0, "static: created by the first use, peeking is none");
	evl_close_flags(&lazy);
}

static int collect(void *arg)
{
	int n, bits, ret = 0;
	unsigned int sum = 0;

	for (n = 0; sum < ROUNDS && !ret; n++) {
		ret = evl_wait_flags(&flg, &bits);
		sum += (unsigned int)__builtin_popcount((unsigned int)bits);
	}

	return ret ? ret : (int)sum;
}

/* Never the same bit twice before it was taken, or it would count once. */
static int post_many(void *arg)
{
	int n, bits;

	for (n = 0; n < ROUNDS; n++) {
		do
			evl_peek_flags(&flg, &bits);
		while (bits & 1 << n % 32 && !evl_usleep(1));
		if (evl_post_flags(&flg, 1 << n % 32))
			return -1;
	}

	return 0;
}

static void test_race(void)
{
	struct hand poster, collector;

	hire(&collector, "flags-get", 20, t_cpu(0));
	hire(&poster, "flags-post", 20, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));
	tell(&collector, collect, NULL);
	tell(&poster, post_many, NULL);
	t_ok(!outcome_of(&poster) && outcome_of(&collector) == ROUNDS, "%d bits, none lost (%d)", ROUNDS, collector.ret);
	dismiss(&poster);
	dismiss(&collector);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	signal(SIGUSR1, ignore);
	evl_new_flags(&flg, "flags:%d", getpid());
	hire(&low, "flags-low", 10, t_cpu(0));
	hire(&mid, "flags-mid", 20, t_cpu(0));
	hire(&high, "flags-high", 30, t_cpu(0));

	t_plan(38);
	test_alone();
	test_waiters();
	test_errors();
	test_files();
	test_race();

	return t_end();
}
