/* SPDX-License-Identifier: MIT */
/*
 * property: a timer expires at its dates; expiries that were not collected are counted, none is lost, none is
 * invented.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <poll.h>
#include "common.h"

static int new_timer(void)
{
	int tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);

	if (tfd < 0)
		t_bail("no timer: %s", strerror(-tfd));

	return tfd;
}

static uint64_t collect(int tfd)
{
	uint64_t ticks = 0;
	ssize_t ret = oob_read(tfd, &ticks, sizeof(ticks));

	return ret == sizeof(ticks) ? ticks : 0;
}

static void test_periodic(int tfd)
{
	uint64_t start, ticks = 0, early = 0, first;
	int n;

	start = t_now();
	first = start + 10 * NSEC_PER_MSEC;
	set_timer(tfd, first, NSEC_PER_MSEC);
	for (n = 0; n < 500; n++) {
		ticks += collect(tfd);
		early += t_now() < first + (ticks - 1) * NSEC_PER_MSEC;
	}
	t_ok(!early, "500 reads of a periodic timer, none ahead of the dates it counts (%llu)", (unsigned long long)early);
	t_ok(ticks >= 500, "each told of one expiry at least (%llu in all)", (unsigned long long)ticks);
}

static void test_overruns(int tfd)
{
	uint64_t start = t_now(), ticks, due;

	set_timer(tfd, start + 5 * NSEC_PER_MSEC, 5 * NSEC_PER_MSEC);
	spin_ns(52 * NSEC_PER_MSEC);
	ticks = collect(tfd);
	due = (t_now() - start) / (5 * NSEC_PER_MSEC);
	t_ok(ticks >= 10 && ticks <= due, "expiries while the thread was busy are counted (%llu, %llu due)",
	     (unsigned long long)ticks, (unsigned long long)due);
	ticks = collect(tfd);
	t_ok(ticks >= 1 && ticks <= 1 + (t_now() - start) / (5 * NSEC_PER_MSEC) - due,
	     "the next read starts from zero (%llu)", (unsigned long long)ticks);
	sleep_ns(12 * NSEC_PER_MSEC);
	ticks = collect(tfd);
	t_ok(ticks >= 2, "expiries during a sleep elsewhere are counted (%llu)", (unsigned long long)ticks);
}

static void test_one_shot(int tfd)
{
	struct itimerspec left;
	uint64_t date = t_now() + 20 * NSEC_PER_MSEC, ticks;
	int ret;

	set_timer(tfd, date, 0);
	ret = evl_get_timer(tfd, &left);
	t_ok(!ret && (left.it_value.tv_sec || left.it_value.tv_nsec) && !left.it_interval.tv_nsec,
	     "an armed one-shot timer tells its date (%d)", ret);
	ticks = collect(tfd);
	t_ok(ticks == 1 && t_now() >= date, "it expires once, on time");
	ret = evl_get_timer(tfd, &left);
	t_ok(!ret && !left.it_value.tv_sec && !left.it_value.tv_nsec, "then tells it is idle (%d)", ret);
}

static void test_past(int tfd)
{
	uint64_t start = t_now(), ticks;

	set_timer(tfd, start - 10 * NSEC_PER_MSEC, 2 * NSEC_PER_MSEC);
	ticks = collect(tfd);
	t_ok(ticks >= 5, "a first date in the past counts the periods since (%llu)", (unsigned long long)ticks);
	set_timer(tfd, 0, 0);
}

static void test_nonblocking(int tfd)
{
	uint64_t ticks;
	ssize_t ret;

	fcntl(tfd, F_SETFL, O_RDWR | O_NONBLOCK);
	ret = oob_read(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EAGAIN, "a disarmed timer has nothing to read");
	set_timer(tfd, t_now() - 1, 0);
	sleep_ns(2 * NSEC_PER_MSEC);
	ret = oob_read(tfd, &ticks, sizeof(ticks));
	t_ok(ret == sizeof(ticks) && ticks == 1, "an expired one has");
	fcntl(tfd, F_SETFL, O_RDWR);
}

static void test_bad_requests(int tfd)
{
	struct itimerspec bad = { .it_value.tv_nsec = 1000000000 };
	uint64_t ticks;
	uint32_t small;
	int ret;

	ret = evl_set_timer(tfd, &bad, NULL);
	t_ok(ret == -EINVAL, "an ill-formed date is refused (%d)", ret);
	ret = evl_set_timer(tfd, NULL, NULL);
	t_ok(ret == -EFAULT, "no date: bad address (%d)", ret);
	ret = (int)oob_read(tfd, &small, sizeof(small));
	t_ok(ret == -1 && errno == EINVAL, "four bytes are too few");
	ret = (int)read(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EINVAL, "read(2) is refused");
	ret = (int)oob_write(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EINVAL, "writing is refused");
	ret = evl_get_timer(STDOUT_FILENO, &bad);
	t_ok(ret == -EBADF, "standard output is no timer (%d)", ret);
	ret = evl_new_timer(-5);
	t_ok(ret == -EBADF || ret == -EINVAL, "no timer on no clock (%d)", ret);
}

/* poll(2) on the in-band side. */
static void test_poll(int tfd)
{
	struct pollfd pfd = { .fd = tfd, .events = POLLIN };
	int ret;

	ret = poll(&pfd, 1, 0);
	t_ok(!ret, "poll() on an idle timer (%d)", ret);
	set_timer(tfd, t_now() + 5 * NSEC_PER_MSEC, 0);
	ret = poll(&pfd, 1, 5000);
	t_ok(ret == 1 && (pfd.revents & POLLIN), "poll() wakes up on its expiry (%d)", ret);
	collect(tfd);
}

int main(void)
{
	int tfd;

	deadline(50);
	t_require_core();
	t_plan(20);
	t_become(80, -1);
	attach("timer-test");
	tfd = new_timer();
	test_periodic(tfd);
	test_overruns(tfd);
	test_one_shot(tfd);
	test_past(tfd);
	test_nonblocking(tfd);
	test_bad_requests(tfd);
	test_poll(tfd);
	close(tfd);

	return t_end();
}
