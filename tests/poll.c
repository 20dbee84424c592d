/* SPDX-License-Identifier: MIT */
/*
 * property: polling sets report what is ready for as long as it is, wake up their waiters, contain each other without
 * cycles, and forget members which were closed.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "crew.h"

#define ROUNDS	3000
#define LOOKS	300
#define NR_MORE	100

static struct evl_sem sem;
static struct evl_flags flg;
static struct hand hand;
static int set, semfd, flgfd;

static struct evl_poll_event got[16];

struct wait {
	int set;
	int nr;
	long ms;	/* 0: no limit, < 0: a past date */
};

static int do_poll(void *arg)
{
	struct wait *w = arg;
	struct timespec date = w->ms < 0 ? (struct timespec){ .tv_nsec = 1 } : in_ms(w->ms);

	memset(got, 0, sizeof(got));

	return w->ms ? evl_timedpoll(w->set, got, w->nr, &date) : evl_poll(w->set, got, w->nr);
}

static int poll_now(int fd, int nr)
{
	struct wait w = { fd, nr, -1 };

	return ask(&hand, do_poll, &w);
}

struct control {
	int set, fd;
	unsigned int events;
	long val;
};

static int do_add(void *arg)
{
	struct control *c = arg;

	return evl_add_pollfd(c->set, c->fd, c->events, evl_intval(c->val));
}

static int do_mod(void *arg)
{
	struct control *c = arg;

	return evl_mod_pollfd(c->set, c->fd, c->events, evl_intval(c->val));
}

static int do_del(void *arg)
{
	struct control *c = arg;

	return evl_del_pollfd(c->set, c->fd);
}

static int add(int to, int fd, unsigned int events, long val)
{
	struct control c = { to, fd, events, val };

	return ask(&hand, do_add, &c);
}

static int mod(int in, int fd, unsigned int events, long val)
{
	struct control c = { in, fd, events, val };

	return ask(&hand, do_mod, &c);
}

static int del(int from, int fd)
{
	struct control c = { from, fd, 0, 0 };

	return ask(&hand, do_del, &c);
}

static void test_control(void)
{
	int pipefd[2];

	if (pipe(pipefd))
		t_bail("pipe");
	t_ok(evl_add_pollfd(set, semfd, POLLIN, evl_nil) == -EPERM && evl_poll(set, got, 1) == -EPERM, "attached threads only");
	t_ok(!add(set, semfd, POLLIN, 11), "a semaphore is added");
	t_ok(add(set, semfd, POLLIN, 12) == -EEXIST, "twice: EEXIST");
	t_ok(add(set, pipefd[0], POLLIN, 0) == -EBADF && add(set, 999, POLLIN, 0) == -EBADF, "a pipe, nothing: EBADF");
	t_ok(add(semfd, flgfd, POLLIN, 0) == -EBADF && poll_now(semfd, 1) == -EBADF, "to what is no set: EBADF");
	t_ok(add(set, flgfd, POLLNVAL, 0) == -EINVAL && mod(set, semfd, 0x40000000, 0) == -EINVAL, "unknown events: EINVAL");
	t_ok(del(set, flgfd) == -ENOENT && mod(set, flgfd, POLLIN, 0) == -ENOENT, "not a member: ENOENT");
	t_ok(add(set, set, POLLIN, 0) == -ELOOP, "itself: ELOOP");
	t_ok(evl_mod_pollfd(set, semfd, POLLIN, evl_nil) == -EPERM && evl_del_pollfd(set, semfd) == -EPERM &&
	     evl_timedpoll(set, got, 1, NULL) == -EPERM, "changing and waiting with a limit: attached threads only");
	t_ok(mod(semfd, flgfd, POLLIN, 0) == -EBADF && del(semfd, flgfd) == -EBADF && mod(999, semfd, POLLIN, 0) == -EBADF &&
	     del(999, semfd) == -EBADF && poll_now(999, 1) == -EBADF, "in what is no set, or nothing: EBADF");
	close(pipefd[0]);
	close(pipefd[1]);
}

static void ignore(int sig) { }

static int do_bad_polls(void *arg)
{
	struct timespec ill = { .tv_nsec = 1000000000 }, negative = { .tv_sec = -1 }, past = { .tv_nsec = 1 };
	void *nowhere = (void *)8;
	int ret = 0;

	ret |= evl_timedpoll(set, got, 4, &ill) != -EINVAL || evl_timedpoll(set, got, 4, &negative) != -EINVAL;
	ret |= evl_timedpoll(set, got, 4, NULL) != -EFAULT || evl_timedpoll(set, got, 4, nowhere) != -EFAULT;
	ret |= evl_timedpoll(set, got, -1, &past) != -EINVAL || evl_poll(set, got, -1) != -EINVAL || evl_poll(semfd, got, 1) != -EBADF;
	evl_put_sem(&sem);
	ret |= evl_poll(set, nowhere, 4) != -EFAULT || evl_timedpoll(set, nowhere, 4, &past) != -EFAULT;
	ret |= evl_poll(set, got, 4) != 1;

	return evl_tryget_sem(&sem) || ret;
}

static void test_readiness(void)
{
	struct wait forever = { set, 4, 0 }, limited = { set, 4, 50 };
	uint64_t then;

	t_ok(poll_now(set, 4) == -ETIMEDOUT, "nothing is ready: a past date polls once");
	then = t_now();
	t_ok(ask(&hand, do_poll, &limited) == -ETIMEDOUT && t_now() - then >= 50 * NSEC_PER_MSEC, "a limit is kept");
	t_ok(poll_now(set, 0) == 0, "no room: 0 at once");
	t_ok(poll_now(set, -1) == -EINVAL, "a negative number: EINVAL");
	tell(&hand, do_poll, &forever);
	t_ok(is_blocked(&hand) && !evl_put_sem(&sem) && outcome_of(&hand) == 1, "a put wakes the waiter");
	t_ok(got[0].fd == (uint32_t)semfd && got[0].events == (POLLIN & got[0].events) && got[0].pollval.lval == 11,
	     "and is what it says it is (%d %#x %lld)", got[0].fd, got[0].events, (long long)got[0].pollval.lval);
	t_ok(poll_now(set, 4) == 1 && poll_now(set, 4) == 1, "for as long as it holds");
	evl_tryget_sem(&sem);
	t_ok(poll_now(set, 4) == -ETIMEDOUT, "not longer");

	t_ok(!add(set, flgfd, POLLIN | POLLOUT, 22) && poll_now(set, 4) == 1 && got[0].events & POLLOUT, "an empty flag group: writable");
	evl_post_flags(&flg, 1);
	t_ok(poll_now(set, 4) == 1 && got[0].events & POLLIN && !(got[0].events & POLLOUT), "with bits: readable");
	t_ok(!mod(set, flgfd, POLLOUT, 23) && poll_now(set, 4) == -ETIMEDOUT, "what is not asked for is not told");
	tell(&hand, do_poll, &forever);
	is_blocked(&hand);
	evl_trywait_flags(&flg, NULL);
	t_ok(outcome_of(&hand) == 1 && got[0].pollval.lval == 23, "consuming wakes as well");
	t_ok(!del(set, flgfd) && poll_now(set, 4) == -ETIMEDOUT, "removed: not told any more");

	tell(&hand, do_poll, &forever);
	is_blocked(&hand);
	evl_unblock_thread(hand.efd);
	t_ok(outcome_of(&hand) == -EINTR, "unblocked: EINTR");
	tell(&hand, do_poll, &forever);
	is_blocked(&hand);
	pthread_kill(hand.tid, SIGUSR1);
	t_ok(outcome_of(&hand) == -EINTR, "a signal: EINTR");
	t_ok(ask(&hand, do_bad_polls, NULL) == 0, "bad dates, bad addresses: EINVAL, EFAULT");
}

static void test_others(void)
{
	struct wait w = { set, 4, 0 };
	struct evl_mutex mutex;
	struct evl_sem more[3];
	int tfd = evl_new_timer(EVL_CLOCK_MONOTONIC), n, seen = 0, mfd;

	t_ok(!add(set, tfd, POLLIN, 33), "a timer");
	set_timer(tfd, t_now() + 20 * NSEC_PER_MSEC, 0);
	t_ok(ask(&hand, do_poll, &w) == 1 && got[0].pollval.lval == 33, "its expiry");
	t_ok(!del(set, tfd), "goes");
	close(tfd);
	mfd = evl_new_mutex(&mutex, "poll-mutex:%d", getpid());
	t_ok(!add(set, mfd, POLLIN | POLLOUT, 0) && poll_now(set, 4) == -ETIMEDOUT && !del(set, mfd), "a mutex is never ready");
	evl_close_mutex(&mutex);

	for (n = 0; n < 3; n++) {
		int fd = evl_create_sem(&more[n], EVL_CLOCK_MONOTONIC, 1, 0, "poll-more%d:%d", n, getpid());

		add(set, fd, POLLIN, n);
	}
	t_ok(poll_now(set, 4) == 3, "three are ready");
	for (n = 0; n < 3; n++)
		if (poll_now(set, 1) == 1)
			seen |= 1 << got[0].pollval.val;
	t_ok(seen == 7, "one at a time, all have their turn (%#x)", seen);
	for (n = 0; n < 3; n++)
		evl_close_sem(&more[n]);
	t_ok(poll_now(set, 4) == -ETIMEDOUT, "closed: they have left");
}

static void test_nesting(void)
{
	struct wait w;
	int sets[8], n, ret = 0, depth;

	for (n = 0; n < 8; n++)
		sets[n] = evl_new_poll();
	t_ok(!add(sets[0], semfd, POLLIN, 1) && !add(sets[1], sets[0], POLLIN, 2) && !add(sets[2], sets[1], POLLIN, 3) &&
	     !add(sets[3], sets[2], POLLIN, 4), "four levels");
	t_ok(add(sets[0], sets[3], POLLIN, 0) == -ELOOP && add(sets[1], sets[2], POLLIN, 0) == -ELOOP, "no cycles");
	w = (struct wait){ sets[3], 4, 0 };
	tell(&hand, do_poll, &w);
	is_blocked(&hand);
	evl_put_sem(&sem);
	t_ok(outcome_of(&hand) == 1 && got[0].fd == (uint32_t)sets[2] && got[0].events & POLLIN, "the outermost is told");
	evl_tryget_sem(&sem);
	t_ok(poll_now(sets[3], 4) == -ETIMEDOUT, "until it is over");
	for (depth = 4; depth < 8 && !ret; depth++)
		ret = add(sets[depth], sets[depth - 1], POLLIN, 0);
	t_ok(ret == -ELOOP, "too many levels: ELOOP (%d)", depth);
	close(sets[1]);
	evl_put_sem(&sem);
	t_ok(poll_now(sets[3], 4) == -ETIMEDOUT && poll_now(sets[0], 4) == 1, "a set in between is closed");
	evl_tryget_sem(&sem);
	for (n = 0; n < 8; n++)
		if (n != 1)
			close(sets[n]);
}

/* The child of a fork has the descriptors of its parent, which the core learns as they are used. */
static int poll_inherited(void)
{
	struct timespec past = { .tv_nsec = 1 };
	struct evl_poll_event ev;
	int ret;

	if (evl_attach_self("poll-child:%d", getpid()) < 0)
		return 1;
	ret = evl_timedpoll(set, &ev, 1, &past);
	if (ret != -ETIMEDOUT && ret != 1)
		return 2;
	if (oob_ioctl(semfd, 0) != -1 || errno != ENOTTY)
		return 3;
	if (evl_timedpoll(set, &ev, 1, &past) != 1 || ev.fd != (uint32_t)semfd)
		return 4;

	return evl_del_pollfd(set, semfd) == -ENOENT ? 0 : 5;
}

/* Who looked at a set with the descriptors of another process removed what it did not find among its own. */
static void test_sharing(void)
{
	int status = -1;
	pid_t pid;

	evl_put_sem(&sem);
	pid = fork();
	if (!pid)
		_exit(poll_inherited());
	waitpid(pid, &status, 0);
	t_ok(!status, "the child of a fork polls a set which it inherited (%#x)", (unsigned int)status);
	t_ok(poll_now(set, 4) == 1 && got[0].pollval.lval == 11, "whose members stay those of the parent");
	evl_tryget_sem(&sem);
}

#define LAYERS	5
#define WIDTH	16

static int layer[LAYERS][WIDTH];

static void make_layers(void)
{
	int n, m, l;

	for (l = 0; l < LAYERS; l++)
		for (n = 0; n < WIDTH; n++)
			layer[l][n] = evl_new_poll();
	for (l = LAYERS - 1; l > 0; l--)
		for (n = 0; n < WIDTH; n++)
			for (m = 0; m < WIDTH; m++)
				if (add(layer[l][n], layer[l - 1][m], POLLIN, m))
					t_bail("layer %d: %d to %d", l, m, n);
	for (n = 0; n < WIDTH; n++)
		if (add(layer[0][n], semfd, POLLIN, 1))
			t_bail("layer 0: %d", n);
}

/* Each set is in all those of the next layer: a thousand links make a million ways, which nobody walks. */
static void test_many_ways(void)
{
	struct wait w;
	uint64_t then;
	int n, l;

	make_layers();
	w = (struct wait){ layer[LAYERS - 1][0], 4, 0 };
	then = t_now();
	t_ok(poll_now(w.set, 4) == -ETIMEDOUT && t_now() - then < NSEC_PER_SEC, "a look at a thousand links takes %llu us",
	     (unsigned long long)(t_now() - then) / 1000);
	tell(&hand, do_poll, &w);
	is_blocked(&hand);
	then = t_now();
	evl_put_sem(&sem);
	then = t_now() - then;
	t_ok(then < NSEC_PER_SEC / 2, "news along them %llu us", (unsigned long long)then / 1000);
	t_ok(outcome_of(&hand) == 4 && got[3].events & POLLIN, "and get there, by all members (%d)", hand.ret);
	evl_tryget_sem(&sem);
	for (l = 0; l < LAYERS; l++)
		for (n = 0; n < WIDTH; n++)
			close(layer[l][n]);
}

static int get_polled(void *arg)
{
	int n, ret;

	for (n = 0; n < ROUNDS; ) {
		ret = evl_poll(set, got, 4);
		if (ret != 1)
			return ret < 0 ? ret : -EILSEQ;
		while (!evl_tryget_sem(&sem))
			n++;
	}

	return n == ROUNDS ? 0 : n;
}

static int put_many(void *arg)
{
	int n, ret = 0;

	for (n = 0; n < ROUNDS && !ret; n++) {
		ret = evl_put_sem(&sem);
		if (n % 4 == 0)
			evl_usleep(20);
	}

	return ret;
}

/* Sets which come, go, and get members while their members change, are closed, and are polled by others. */
static int churn(void *arg)
{
	struct evl_sem s;
	int n, fd, other;

	for (n = 0; n < ROUNDS / 20; n++) {
		other = evl_new_poll();
		fd = evl_new_sem(&s, NULL);
		if (other < 0 || fd < 0 || evl_add_pollfd(other, fd, POLLIN, evl_nil) || evl_add_pollfd(other, set, POLLIN, evl_nil))
			return -1;
		evl_put_sem(&s);
		if (evl_poll(other, got + 8, 4) < 1)
			return -2;
		if (n & 1)
			evl_close_sem(&s);
		close(other);
		if (!(n & 1))
			evl_close_sem(&s);
	}

	return 0;
}

static void test_races(void)
{
	struct hand putter, churner;
	int last = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;

	hire(&putter, "poll-putter", 20, t_cpu(last));
	hire(&churner, "poll-churner", 10, t_cpu(last / 2));
	tell(&hand, get_polled, NULL);
	tell(&churner, churn, NULL);
	tell(&putter, put_many, NULL);
	t_ok(!outcome_of(&putter) && !outcome_of(&hand), "%d units, no event lost (%d)", ROUNDS, hand.ret);
	t_ok(!outcome_of(&churner), "while other sets come and go (%d)", churner.ret);
	dismiss(&putter);
	dismiss(&churner);
}

static volatile int looked_enough;

/* Takes its time, with the set locked. */
static int keep_looking(void *arg)
{
	struct timespec past = { .tv_nsec = 1 };
	struct evl_poll_event events[4];

	while (!__atomic_load_n(&looked_enough, __ATOMIC_ACQUIRE)) {
		evl_timedpoll(*(int *)arg, events, 4, &past);
		evl_usleep(20);
	}

	return 0;
}

/* A member is ready: who is unblocked while it waits to look at it must not go to sleep. How often it was in time, or < 0. */
static int break_looks(int outer)
{
	struct wait w = { outer, 4, 0 };
	int n, ret, hits = 0;

	for (n = 0; n < LOOKS; n++) {
		tell(&hand, do_poll, &w);
		while (hand.done != hand.orders && !(state_of(&hand).state & EVL_T_PEND))
			;
		evl_unblock_thread(hand.efd);
		ret = outcome_of(&hand);
		hits += ret == -EINTR;
		if (ret != 1 && ret != -EINTR)
			return ret < 0 ? ret : -EILSEQ;
	}

	return hits;
}

static void test_broken_looks(void)
{
	int inner = evl_new_poll(), outer = evl_new_poll(), n, ret;
	struct evl_sem more[NR_MORE];
	struct hand looker;

	for (n = 0; n < NR_MORE; n++)
		add(inner, evl_new_sem(&more[n], NULL), POLLIN, n);
	evl_put_sem(&more[0]);
	add(outer, inner, POLLIN, 0);
	hire(&looker, "poll-looker", 10, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));
	tell(&looker, keep_looking, &inner);
	ret = break_looks(outer);
	t_ok(ret >= 0, "a look which is broken off ends the poll (%d of %d)", ret, LOOKS);
	evl_unblock_thread(hand.efd);
	publish(&looked_enough, 1);
	dismiss(&looker);
	for (n = 0; n < NR_MORE; n++)
		evl_close_sem(&more[n]);
	close(outer);
	close(inner);
}

int main(void)
{
	struct wait w;

	deadline(110);
	t_require_core();
	t_need_cpus(1);
	t_plan(49);
	evl_init();
	signal(SIGUSR1, ignore);

	set = evl_new_poll();
	semfd = evl_new_sem(&sem, "poll-sem:%d", getpid());
	flgfd = evl_new_flags(&flg, "poll-flags:%d", getpid());
	hire(&hand, "poll-hand", 15, t_cpu(0));

	test_control();
	test_readiness();
	test_others();
	test_nesting();
	test_sharing();
	test_many_ways();
	test_races();
	test_broken_looks();

	w = (struct wait){ set, 4, 0 };
	fcntl(set, F_SETFL, O_NONBLOCK);
	t_ok(ask(&hand, do_poll, &w) == -EAGAIN, "non-blocking: EAGAIN");
	fcntl(set, F_SETFL, 0);
	tell(&hand, do_poll, &w);
	is_blocked(&hand);
	close(set);
	t_ok(outcome_of(&hand) == -EBADF, "closed under the waiter: EBADF");

	return t_end();
}
