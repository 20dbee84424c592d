/* SPDX-License-Identifier: MIT */
/*
 * property: a timer expires at its dates; expiries that were not collected are counted, none is lost, none is
 * invented.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include "crew.h"

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

/* The date after the first one is beyond the end of time. It was computed as one of the past, again and again. */
static void test_endless_period(int tfd)
{
	struct itimerspec its = { .it_interval = { .tv_sec = INT64_MAX, .tv_nsec = 1 } };
	uint64_t ticks;
	ssize_t ret;

	its.it_value = timespec_of(t_now() + 5 * NSEC_PER_MSEC);
	ret = evl_set_timer(tfd, &its, NULL);
	ticks = collect(tfd);
	t_ok(!ret && ticks == 1, "a timer with an endless period expires (%zd, %llu)", ret, (unsigned long long)ticks);
	sleep_ns(20 * NSEC_PER_MSEC);
	fcntl(tfd, F_SETFL, O_RDWR | O_NONBLOCK);
	ret = oob_read(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EAGAIN, "once");
	fcntl(tfd, F_SETFL, O_RDWR);
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

#define NOWHERE	((void *)8)

static void test_bad_requests(int tfd)
{
	struct itimerspec bad = { .it_value.tv_nsec = 1000000000 }, good = { .it_value.tv_sec = 1 };
	uint64_t ticks;
	uint32_t small;
	int ret, fd;

	ret = evl_set_timer(tfd, &bad, NULL);
	t_ok(ret == -EINVAL, "an ill-formed date is refused (%d)", ret);
	bad = (struct itimerspec){ .it_value.tv_sec = 1, .it_interval.tv_nsec = -1 };
	ret = evl_set_timer(tfd, &bad, NULL);
	t_ok(ret == -EINVAL, "an ill-formed period is refused (%d)", ret);
	ret = evl_set_timer(tfd, NULL, NULL);
	t_ok(ret == -EFAULT, "no date: bad address (%d)", ret);
	ret = evl_set_timer(tfd, &good, NOWHERE);
	t_ok(ret == -EFAULT && evl_get_timer(tfd, NULL) == -EFAULT, "nowhere to store: bad address (%d)", ret);
	ret = (int)oob_read(tfd, &small, sizeof(small));
	t_ok(ret == -1 && errno == EINVAL, "four bytes are too few");
	ret = (int)read(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EINVAL, "read(2) is refused");
	ret = (int)oob_write(tfd, &ticks, sizeof(ticks));
	t_ok(ret == -1 && errno == EINVAL, "writing is refused");
	ret = evl_get_timer(STDOUT_FILENO, &bad);
	t_ok(ret == -EBADF && evl_set_timer(STDOUT_FILENO, &good, NULL) == -EBADF, "standard output is no timer (%d)", ret);
	fd = evl_new_poll();
	ret = evl_get_timer(fd, &bad);
	t_ok(ret == -EBADF && evl_set_timer(fd, &good, NULL) == -EBADF, "nor is a polling set (%d)", ret);
	close(fd);
	ret = evl_get_timer(fd, &bad);
	t_ok(ret == -EBADF && evl_set_timer(fd, &good, NULL) == -EBADF && oob_read(fd, &ticks, 8) == -1 && errno == EBADF,
	     "nor is what is closed (%d)", ret);
}

static void test_creation(void)
{
	int ret;

	t_ok(evl_new_timer(-5) == -EBADF && evl_new_timer(999) == -EBADF, "no timer on no clock: EBADF");
	ret = evl_new_timer(STDOUT_FILENO);
	t_ok(ret == -ENOTTY, "nor on a file which is none: ENOTTY (%d)", ret);
	t_spare_fds(0);
	ret = evl_new_timer(EVL_CLOCK_MONOTONIC);
	t_spare_fds(-1);
	t_ok(ret == -EMFILE, "nor without a descriptor: EMFILE (%d)", ret);
	ret = evl_new_timer(EVL_CLOCK_REALTIME);
	t_ok(ret >= 0 && fcntl(ret, F_GETFD) & FD_CLOEXEC && !(fcntl(ret, F_GETFL) & O_NONBLOCK),
	     "one on the wall clock is closed by exec(), and blocks");
	close(ret);
}

/* What could not be stored is there for the next reader. */
static void test_faults(int tfd)
{
	uint64_t ticks = 0;
	ssize_t ret;

	set_timer(tfd, t_now() - NSEC_PER_MSEC, 0);
	ret = oob_read(tfd, NOWHERE, sizeof(ticks));
	t_ok(ret == -1 && errno == EFAULT, "a bad address to read to");
	fcntl(tfd, F_SETFL, O_RDWR | O_NONBLOCK);
	ret = oob_read(tfd, &ticks, sizeof(ticks));
	fcntl(tfd, F_SETFL, O_RDWR);
	t_ok(ret == sizeof(ticks) && ticks == 1, "loses no expiry (%zd, %llu)", ret, (unsigned long long)ticks);
}

static void test_settings(int tfd)
{
	uint64_t date = t_now() + NSEC_PER_SEC;
	struct itimerspec old, off = { .it_interval.tv_nsec = -1 };
	int ret;

	set_timer(tfd, date, 3 * NSEC_PER_MSEC);
	ret = evl_set_timer(tfd, &off, &old);
	t_ok(!ret && old.it_value.tv_sec == (time_t)(date / NSEC_PER_SEC) &&
	     old.it_value.tv_nsec == (long)(date % NSEC_PER_SEC) && !old.it_interval.tv_sec &&
	     old.it_interval.tv_nsec == (long)(3 * NSEC_PER_MSEC), "settings are given back by the next ones (%d)", ret);
	ret = evl_get_timer(tfd, &old);
	t_ok(!ret && !old.it_value.tv_sec && !old.it_value.tv_nsec && !old.it_interval.tv_nsec,
	     "a date of zero disarms, whatever the period (%d)", ret);
}

static int read_timer(void *arg)
{
	uint64_t ticks;
	ssize_t ret = oob_read(*(int *)arg, &ticks, sizeof(ticks));

	return ret < 0 ? -errno : (int)ticks;
}

static void ignore(int sig) { }

/* By threads which are attached and by others. */
static void test_others(void)
{
	struct sigaction sa = { .sa_handler = ignore, .sa_flags = SA_RESTART };
	struct itimerspec its;
	struct hand reader;
	int tfd = new_timer();

	sigaction(SIGUSR1, &sa, NULL);
	hire(&reader, "timer-reader", 30, t_cpu(0));
	t_ok(read_timer(&tfd) == -EPERM, "reading is for attached threads");
	tell(&reader, read_timer, &tfd);
	is_blocked(&reader);
	t_ok(!set_timer(tfd, t_now() + NSEC_PER_MSEC, 0) && outcome_of(&reader) == 1 && !evl_get_timer(tfd, &its),
	     "arming it is for all");
	tell(&reader, read_timer, &tfd);
	is_blocked(&reader);
	evl_unblock_thread(reader.efd);
	t_ok(outcome_of(&reader) == -EINTR, "a reader who is unblocked: EINTR (%d)", reader.ret);
	tell(&reader, read_timer, &tfd);
	is_blocked(&reader);
	pthread_kill(reader.tid, SIGUSR1);
	t_ok(outcome_of(&reader) == -EINTR, "or gets a signal, SA_RESTART or not (%d)", reader.ret);
	tell(&reader, read_timer, &tfd);
	is_blocked(&reader);
	close(tfd);
	t_ok(outcome_of(&reader) == -EBADF, "closed under the reader: EBADF (%d)", reader.ret);
	dismiss(&reader);
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
	t_need_cpus(1);
	t_plan(38);
	evl_init();
	test_creation();
	test_others();
	t_become(80, -1);
	attach("timer-test");
	tfd = new_timer();
	test_periodic(tfd);
	test_overruns(tfd);
	test_one_shot(tfd);
	test_past(tfd);
	test_endless_period(tfd);
	test_nonblocking(tfd);
	test_bad_requests(tfd);
	test_faults(tfd);
	test_settings(tfd);
	test_poll(tfd);
	close(tfd);

	return t_end();
}
