/* SPDX-License-Identifier: MIT */
/*
 * property: mutexes exclude, queue by priority, nest, find deadlocks, lend priority along chains or up to a ceiling, and
 * come back when their owner goes.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "crew.h"

#define LOOPS	2000
#define NR_ADDERS	4

static struct evl_mutex a, b, c;
static struct hand low, mid, high;

static int do_lock(void *arg)		{ return evl_lock_mutex(arg); }
static int do_trylock(void *arg)	{ return evl_trylock_mutex(arg); }
static int do_unlock(void *arg)		{ return evl_unlock_mutex(arg); }

static int do_timedlock(void *arg)
{
	uint64_t then = t_now();
	struct timespec date = in_ms(50);
	int ret = evl_timedlock_mutex(arg, &date);

	return t_now() - then < 50 * NSEC_PER_MSEC - 1000 ? -EILSEQ : ret;
}

static int do_timedlock_past(void *arg)
{
	struct timespec date = { .tv_sec = 0, .tv_nsec = 1 };

	return evl_timedlock_mutex(arg, &date);
}

static int do_timedlock_ill(void *arg)
{
	struct timespec date = { .tv_sec = 1, .tv_nsec = 1000000000 };

	return evl_timedlock_mutex(arg, &date);
}

static int do_timedlock_null(void *arg)
{
	return evl_timedlock_mutex(arg, NULL);
}

static int do_timedlock_zero(void *arg)
{
	struct timespec date = { .tv_sec = 0, .tv_nsec = 0 };

	return evl_timedlock_mutex(arg, &date);
}

static int do_timedlock_later(void *arg)
{
	struct timespec date = in_ms(300);

	return evl_timedlock_mutex(arg, &date);
}

static void *detach_itself(void *arg)
{
	attach("leaver");
	evl_lock_mutex(arg);

	return NULL;
}

static void test_basics(void)
{
	int n, ret = 0;

	t_ok(ask(&low, do_lock, &a) == 0 && ask(&low, do_lock, &a) == -EDEADLK, "locking what one owns: EDEADLK");
	t_ok(ask(&low, do_trylock, &a) == -EDEADLK, "and so with trylock");
	t_ok(ask(&mid, do_trylock, &a) == -EAGAIN, "trylock of another's: EAGAIN");
	t_ok(ask(&mid, do_unlock, &a) == -EPERM, "unlocking another's: EPERM");
	t_ok(ask(&mid, do_timedlock, &a) == -ETIMEDOUT, "a limit is kept");
	t_ok(ask(&mid, do_timedlock_past, &a) == -ETIMEDOUT, "a date in the past does not wait");
	t_ok(ask(&mid, do_timedlock_ill, &a) == -EINVAL, "an ill-formed date: EINVAL");
	t_ok(ask(&mid, do_timedlock_null, &a) == -EFAULT, "no date: EFAULT");
	t_ok(ask(&low, do_unlock, &a) == 0 && ask(&low, do_unlock, &a) == -EPERM, "unlocking a free one: EPERM");
	t_ok(ask(&mid, do_timedlock_past, &a) == 0 && ask(&mid, do_unlock, &a) == 0, "free: no date matters");
	t_ok(ask(&mid, do_timedlock_ill, &a) == 0 && ask(&mid, do_unlock, &a) == 0, "not even an ill-formed one");

	for (n = 0; n < 3; n++)
		ret |= ask(&low, do_lock, &c);
	t_ok(!ret && ask(&mid, do_trylock, &c) == -EAGAIN, "recursive: taken three times");
	ret = ask(&low, do_unlock, &c) | ask(&low, do_unlock, &c);
	t_ok(!ret && ask(&mid, do_trylock, &c) == -EAGAIN, "dropped twice: still owned");
	t_ok(!ask(&low, do_unlock, &c) && !ask(&mid, do_trylock, &c) && !ask(&mid, do_unlock, &c), "thrice: free");

	t_ok(evl_lock_mutex(&a) == -EPERM && evl_trylock_mutex(&a) == -EPERM && evl_unlock_mutex(&a) == -EPERM &&
	     evl_timedlock_mutex(&a, &(struct timespec){ .tv_nsec = 1 }) == -EPERM,
	     "not for unattached threads");
}

static void test_inheritance(void)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = 35 };

	ask(&low, do_lock, &a);
	tell(&high, do_lock, &a);
	t_ok(is_blocked(&high) && prio_of(&low) == 30, "the owner runs at the waiter's priority (%d)", prio_of(&low));
	evl_get_schedattr(low.efd, &attrs);
	t_ok(attrs.sched_priority == 10, "its own is as before");
	t_ok(state_of(&low).state & EVL_T_BOOST, "and its state tells");
	attrs.sched_priority = 35;
	evl_set_schedattr(high.efd, &attrs);
	t_ok(prio_of(&low) == 35, "it follows the waiter's (%d)", prio_of(&low));
	attrs.sched_priority = 30;
	evl_set_schedattr(high.efd, &attrs);
	attrs.sched_priority = 12;
	evl_set_schedattr(low.efd, &attrs);
	t_ok(prio_of(&low) == 30, "a change of its own priority waits (%d)", prio_of(&low));
	t_ok(!ask(&low, do_unlock, &a) && outcome_of(&high) == 0, "unlocking hands over");
	t_ok(prio_of(&low) == 12 && prio_of(&high) == 30, "and ends the boost (%d)", prio_of(&low));
	attrs.sched_priority = 10;
	evl_set_schedattr(low.efd, &attrs);
	ask(&high, do_unlock, &a);
}

static void test_chain(void)
{
	ask(&low, do_lock, &a);
	ask(&mid, do_lock, &b);
	tell(&mid, do_lock, &a);
	t_ok(is_blocked(&mid) && prio_of(&low) == 20, "chain: first link");
	tell(&high, do_timedlock_later, &b);
	t_ok(is_blocked(&high) && prio_of(&mid) == 30 && prio_of(&low) == 30, "chain: both are boosted (%d %d)",
	     prio_of(&mid), prio_of(&low));
	t_ok(outcome_of(&high) == -ETIMEDOUT && prio_of(&mid) == 20 && prio_of(&low) == 20,
	     "the waiter gives up: both go back (%d %d)", prio_of(&mid), prio_of(&low));
	tell(&high, do_lock, &b);
	t_ok(is_blocked(&high) && prio_of(&low) == 30, "again");
	evl_unblock_thread(high.efd);
	t_ok(outcome_of(&high) == -EINTR && prio_of(&low) == 20, "unblocked: EINTR, and back");
	tell(&high, do_lock, &b);
	is_blocked(&high);
	t_ok(!ask(&low, do_unlock, &a) && outcome_of(&mid) == 0 && prio_of(&low) == 10 && prio_of(&mid) == 30,
	     "the boost leaves link by link (%d %d)", prio_of(&low), prio_of(&mid));
	ask(&mid, do_unlock, &a);
	t_ok(!ask(&mid, do_unlock, &b) && outcome_of(&high) == 0 && prio_of(&mid) == 20, "to the end");
	ask(&high, do_unlock, &b);
}

static void test_deadlock(void)
{
	ask(&low, do_lock, &a);
	ask(&mid, do_lock, &b);
	tell(&low, do_lock, &b);
	t_ok(is_blocked(&low) && ask(&mid, do_lock, &a) == -EDEADLK, "a cycle of two is refused");
	t_ok(!ask(&mid, do_unlock, &b) && outcome_of(&low) == 0, "and nothing was released");
	ask(&low, do_unlock, &b);

	ask(&mid, do_lock, &b);
	ask(&high, do_lock, &c);
	tell(&mid, do_lock, &c);
	is_blocked(&mid);
	tell(&low, do_lock, &b);
	t_ok(is_blocked(&low) && ask(&high, do_lock, &a) == -EDEADLK, "a cycle of three");
	ask(&high, do_unlock, &c);
	outcome_of(&mid);
	ask(&mid, do_unlock, &c);
	ask(&mid, do_unlock, &b);
	outcome_of(&low);
	ask(&low, do_unlock, &b);
	t_ok(ask(&low, do_unlock, &a) == 0, "all is free again");
}

static void test_order(void)
{
	struct hand more;

	hire(&more, "mutex-more", 20, t_cpu(0));
	ask(&low, do_lock, &a);
	tell(&mid, do_lock, &a);
	is_blocked(&mid);
	tell(&more, do_timedlock_zero, &a);
	is_blocked(&more);
	tell(&high, do_lock, &a);
	is_blocked(&high);
	ask(&low, do_unlock, &a);
	t_ok(outcome_of(&high) == 0 && is_blocked(&mid) && is_blocked(&more), "the highest is first");
	ask(&high, do_unlock, &a);
	t_ok(outcome_of(&mid) == 0 && is_blocked(&more), "equals in order of arrival");
	ask(&mid, do_unlock, &a);
	t_ok(outcome_of(&more) == 0 && !ask(&more, do_unlock, &a), "a date of zero is none");
	dismiss(&more);
}

static void test_ceiling(void)
{
	struct evl_mutex pp, pp2;

	evl_create_mutex(&pp, EVL_CLOCK_MONOTONIC, 40, EVL_CLONE_PRIVATE, "ceiling:%d", getpid());
	evl_create_mutex(&pp2, EVL_CLOCK_MONOTONIC, 25, EVL_CLONE_PRIVATE, "ceiling2:%d", getpid());
	t_ok(evl_get_mutex_ceiling(&pp) == 40 && evl_get_mutex_ceiling(&a) == 0, "the ceiling is read back");
	t_ok(!ask(&low, do_lock, &pp) && prio_of(&low) == 40, "the owner is at the ceiling (%d)", prio_of(&low));
	ask(&low, do_lock, &pp2);
	t_ok(!ask(&low, do_unlock, &pp) && prio_of(&low) == 25, "the highest of several (%d)", prio_of(&low));
	t_ok(!ask(&low, do_unlock, &pp2) && prio_of(&low) == 10, "back to its own");
	t_ok(!evl_set_mutex_ceiling(&pp, 50) && evl_get_mutex_ceiling(&pp) == 50, "the ceiling is changed");
	t_ok(evl_set_mutex_ceiling(&pp, 0) == -EINVAL && evl_set_mutex_ceiling(&pp, 100) == -EINVAL &&
	     evl_set_mutex_ceiling(&a, 20) == -EINVAL, "not to 0 or 100, not of a mutex without");
	ask(&low, do_lock, &a);
	tell(&high, do_lock, &a);
	is_blocked(&high);
	ask(&low, do_lock, &pp2);
	t_ok(prio_of(&low) == 30, "with inheritance: the higher of both (%d)", prio_of(&low));
	ask(&low, do_unlock, &pp2);
	ask(&low, do_unlock, &a);
	outcome_of(&high);
	ask(&high, do_unlock, &a);
	evl_close_mutex(&pp);
	evl_close_mutex(&pp2);
}

static int weak_inside(void *arg)
{
	int ret = evl_lock_mutex(arg), inside;

	if (ret)
		return ret;

	inside = evl_is_inband();
	ret = evl_unlock_mutex(arg);

	return ret ? ret : inside * 2 + evl_is_inband();
}

static int unlock_inband(void *arg)
{
	int ret;

	evl_switch_inband();
	ret = evl_unlock_mutex(arg);

	return ret ? ret : !evl_is_inband();
}

static void test_inband_owner(void)
{
	struct evl_mutex pp;

	evl_create_mutex(&pp, EVL_CLOCK_MONOTONIC, 40, EVL_CLONE_PRIVATE, "inband:%d", getpid());
	t_ok(!ask(&low, do_lock, &pp) && !ask(&low, unlock_inband, &pp) && prio_of(&low) == 10,
	     "an owner which came in-band drops a mutex with a ceiling there (%d)", low.ret);
	ask(&low, do_lock, &a);
	tell(&high, do_lock, &a);
	t_ok(is_blocked(&high) && !ask(&low, unlock_inband, &a) && outcome_of(&high) == 0 && prio_of(&low) == 10,
	     "and one which is waited for (%d)", low.ret);
	ask(&high, do_unlock, &a);
	evl_close_mutex(&pp);
}

static void test_weak(void)
{
	struct hand weak;

	hire(&weak, "mutex-weak", 0, t_cpu(0));
	t_ok(ask(&weak, weak_inside, &a) == 1, "a weak owner is out-of-band, and in-band after (%d)", weak.ret);
	ask(&weak, do_lock, &a);
	tell(&high, do_lock, &a);
	t_ok(is_blocked(&high) && prio_of(&weak) == 30, "it is boosted like any (%d)", prio_of(&weak));
	t_ok(!ask(&weak, do_unlock, &a) && !outcome_of(&high) && prio_of(&weak) == 0, "and so is the end of it");
	ask(&high, do_unlock, &a);
	dismiss(&weak);
}

static void test_exit(void)
{
	pthread_t tid;

	tid = t_thread(15, t_cpu(0), detach_itself, &a);
	pthread_join(tid, NULL);
	t_ok(ask(&low, do_lock, &a) == 0, "the owner went with a mutex: it is free");
	tell(&high, do_lock, &a);
	is_blocked(&high);
	ask(&low, do_unlock, &a);
	outcome_of(&high);
	ask(&high, do_unlock, &a);
}

static int lock_for_good(void *name)
{
	struct evl_mutex m;
	int ret;

	attach("victim");
	ret = evl_open_mutex(&m, "%s", (char *)name);
	if (ret < 0 || evl_lock_mutex(&m))
		_exit(1);
	evl_switch_inband();
	for (;;)
		pause();
}

static void test_kill(void)
{
	struct evl_mutex shared;
	char name[64];
	pid_t pid;

	snprintf(name, sizeof(name), "/mutex-shared:%d", getpid());
	t_ok(evl_new_mutex(&shared, "%s", name) >= 0, "a public mutex");
	pid = fork();
	if (!pid)
		_exit(lock_for_good(name));
	while (!ask(&low, do_trylock, &shared)) {
		ask(&low, do_unlock, &shared);
		pause_ms(5);
	}
	tell(&high, do_lock, &shared);
	t_ok(is_blocked(&high), "another process has it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	t_ok(outcome_of(&high) == 0, "it is killed: the waiter gets it");
	ask(&high, do_unlock, &shared);
	t_ok(!evl_close_mutex(&shared) && evl_close_mutex(&shared) == -EINVAL, "closing it, twice");
	t_ok(evl_lock_mutex(&shared) == -EINVAL && evl_unlock_mutex(&shared) == -EINVAL, "use after closing: EINVAL");
	t_ok(evl_open_mutex(&shared, "%s", name) == -ENOENT, "nothing is left to open");
}

static void test_closing(void)
{
	struct evl_mutex m;

	evl_new_mutex(&m, "closing:%d", getpid());
	ask(&low, do_lock, &m);
	tell(&mid, do_lock, &m);
	is_blocked(&mid);
	close(m.mon.efd);
	t_ok(outcome_of(&mid) == -EBADF, "closed under the waiter: EBADF");
	t_ok(prio_of(&low) == 10, "the owner is rid of it (%d)", prio_of(&low));
}

/* Nobody, who may not open what is root's. The connection to the core is there already. */
static int open_as_nobody(const char *name)
{
	struct evl_mutex m;

	if (evl_init() || setegid(65534) || seteuid(65534))
		return 1;

	return evl_open_mutex(&m, "%s", name) == -EACCES ? 0 : 2;
}

static void test_permission(void)
{
	struct evl_mutex m;
	int status = -1;
	char name[64];
	pid_t pid;

	snprintf(name, sizeof(name), "/mutex-of-root:%d", getpid());
	evl_new_mutex(&m, "%s", name);
	pid = fork();
	if (!pid)
		_exit(open_as_nobody(name));
	waitpid(pid, &status, 0);
	t_ok(!status, "a public one is not for everybody: EACCES (%#x)", (unsigned int)status);
	evl_close_mutex(&m);
}

/* How many monitors there may be is a parameter of the core. */
static int make_monitors(void)
{
	struct rlimit limit = { .rlim_cur = 65536, .rlim_max = 65536 };
	struct evl_mutex m;
	int n, ret = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	if (evl_init())
		return 1;
	for (n = 0; n < 65000 && ret >= 0; n++)
		ret = evl_new_mutex(&m, NULL);

	return ret == -ENOMEM && n > 100 ? 0 : 2;
}

static void test_exhaustion(void)
{
	struct evl_mutex m;
	int status = -1, ret;
	pid_t pid;

	t_spare_fds(1);
	ret = evl_new_mutex(&m, "/mutex-without:%d", getpid());
	t_spare_fds(-1);
	t_ok(ret == -EMFILE && evl_open_mutex(&m, "/mutex-without:%d", getpid()) == -ENOENT,
	     "no descriptor is left: EMFILE, no device either (%d)", ret);
	pid = fork();
	if (!pid)
		_exit(make_monitors());
	waitpid(pid, &status, 0);
	t_ok(!status, "no place is left: ENOMEM (%#x)", (unsigned int)status);
	ret = evl_new_mutex(&m, NULL);
	t_ok(ret >= 0 && !evl_close_mutex(&m), "there are places again");
}

static void test_creation(void)
{
	static DEFINE_EVL_MUTEX(lazy);
	struct evl_mutex m, m2;
	char name[300];
	int fd;

	t_ok(evl_create_mutex(&m, EVL_CLOCK_MONOTONIC, 100, 0, "x:%d", getpid()) == -EINVAL, "a ceiling of 100: EINVAL");
	t_ok(evl_create_mutex(&m, 1, 0, 0, "x:%d", getpid()) == -EINVAL, "a clock which is none: EINVAL");
	t_ok(evl_create_mutex(&m, EVL_CLOCK_MONOTONIC, 0, 0x8, "x:%d", getpid()) == -EINVAL, "unknown flags: EINVAL");
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	t_ok(evl_new_mutex(&m, "%s", name) == -ENAMETOOLONG, "a name too long");
	t_ok(evl_new_mutex(&m, "twice:%d", getpid()) >= 0 && evl_new_mutex(&m2, "twice:%d", getpid()) == -EEXIST,
	     "a name taken: EEXIST");
	t_ok(evl_open_mutex(&m2, "twice:%d", getpid()) == -ENOENT, "private: not for opening");
	t_ok(evl_new_mutex(&m2, "/a/b:%d", getpid()) == -EINVAL && evl_new_mutex(&m2, "%s", "") == -EINVAL &&
	     evl_create_mutex(&m2, EVL_CLOCK_MONOTONIC, 0, EVL_CLONE_PUBLIC, NULL) == -EINVAL, "no names: EINVAL");
	evl_close_mutex(&m);
	fd = evl_new_mutex(&m, "a/b:%d", getpid());
	t_ok(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC && !evl_close_mutex(&m), "but a private one; closed by exec()");
	fd = evl_new_mutex(&m, NULL);
	t_ok(fd >= 0 && !evl_close_mutex(&m), "no name: one is made up");
	t_ok(evl_unlock_mutex(&lazy) == -EINVAL && evl_get_mutex_ceiling(&lazy) == -EINVAL, "static: not there yet");
	t_ok(!ask(&low, do_lock, &lazy) && !ask(&low, do_unlock, &lazy), "the first lock creates it");
	t_ok(!evl_close_mutex(&lazy) && evl_close_mutex(&lazy) == -EINVAL, "and it is closed like any");
	t_ok(evl_trylock_mutex(&lazy) == -EINVAL && evl_timedlock_mutex(&lazy, &(struct timespec){ .tv_nsec = 1 }) == -EINVAL &&
	     evl_set_mutex_ceiling(&lazy, 3) == -EINVAL && evl_get_mutex_ceiling(&lazy) == -EINVAL, "closed: EINVAL of all calls");
}

static unsigned long counter;

static int add(void *arg)
{
	int n, ret = 0;

	for (n = 0; n < LOOPS && !ret; n++) {
		ret = evl_lock_mutex(arg);
		counter++;
		if (n % 50 == 0)
			evl_usleep(1);
		ret |= evl_unlock_mutex(arg);
	}

	return ret;
}

static void test_exclusion(void)
{
	struct hand adder[NR_ADDERS];
	int n, ret = 0, nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	for (n = 0; n < NR_ADDERS; n++)
		hire(&adder[n], "adder", 10 + n, t_cpu(n % nr_cpus));
	for (n = 0; n < NR_ADDERS; n++)
		tell(&adder[n], add, &a);
	for (n = 0; n < NR_ADDERS; n++)
		ret |= outcome_of(&adder[n]);
	t_ok(!ret && counter == NR_ADDERS * LOOPS, "no increment is lost (%lu of %d)", counter, NR_ADDERS * LOOPS);
	for (n = 0; n < NR_ADDERS; n++)
		dismiss(&adder[n]);
}

static int nr_syscalls(void *arg)
{
	struct evl_thread_state before, after;
	int n, self = evl_get_self();

	evl_get_state(self, &before);
	for (n = 0; n < 100; n++) {
		evl_lock_mutex(arg);
		evl_unlock_mutex(arg);
	}
	evl_get_state(self, &after);

	return (int)(after.sc - before.sc);
}

int main(void)
{
	int ret;

	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	evl_new_mutex(&a, "a:%d", getpid());
	evl_new_mutex(&b, "b:%d", getpid());
	evl_create_mutex(&c, EVL_CLOCK_MONOTONIC, 0, EVL_MUTEX_RECURSIVE, "c:%d", getpid());
	hire(&low, "mutex-low", 10, t_cpu(0));
	hire(&mid, "mutex-mid", 20, t_cpu(0));
	hire(&high, "mutex-high", 30, t_cpu(0));

	t_plan(76);
	test_creation();
	test_basics();
	ret = ask(&low, nr_syscalls, &a);
	t_ok(ret <= 1, "without contention the core is not entered (%d times)", ret);
	test_inheritance();
	test_chain();
	test_deadlock();
	test_order();
	test_ceiling();
	test_inband_owner();
	test_weak();
	test_exit();
	test_kill();
	test_closing();
	test_exclusion();
	/* They fork, after which the first write to a page is a fault, which takes the writer in-band. */
	test_permission();
	test_exhaustion();

	return t_end();
}
