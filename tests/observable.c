/* SPDX-License-Identifier: MIT */
/*
 * property: observables hand notices to all observers, or one in turn; keep what fits; merge repeats if asked to. Those
 * of threads tell about their health.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <evl/observable.h>
#include "crew.h"

#define NOTICES	2000

static struct hand one, two;
static int obs;

static struct evl_notification nf[8];

struct call {
	int fd;
	int nr;
	int flags;
};

static int do_subscribe(void *arg)
{
	struct call *c = arg;

	return evl_subscribe(c->fd, (unsigned int)c->nr, c->flags);
}

static int do_unsubscribe(void *arg)	{ return evl_unsubscribe(*(int *)arg); }

static int do_read(void *arg)
{
	struct call *c = arg;

	return evl_read_observable(c->fd, nf, c->nr);
}

static int subscribe(struct hand *h, int fd, int backlog, int flags)
{
	struct call c = { fd, backlog, flags };

	return ask(h, do_subscribe, &c);
}

static int reads(struct hand *h, int fd, int nr)
{
	struct call c = { fd, nr, 0 };

	memset(nf, 0, sizeof(nf));

	return ask(h, do_read, &c);
}

static int send(int fd, unsigned int tag, long val)
{
	struct evl_notice ntc = { .tag = tag, .event = { .lval = val } };

	return evl_update_observable(fd, &ntc, 1);
}

static void test_broadcast(void)
{
	struct evl_notice three[3] = { { .tag = 64 }, { .tag = 65 }, { .tag = 63 } };
	struct pollfd pfd = { .fd = obs, .events = POLLIN | POLLOUT };
	struct evl_sem sem;
	int semfd = evl_new_sem(&sem, NULL);

	t_ok(send(obs, 64, 1) == 0, "nobody listens: lost");
	t_ok(subscribe(&one, obs, 0, 0) == -EINVAL && subscribe(&one, obs, 1, 2) == -EINVAL && subscribe(&one, obs, 1048577, 0) == -EINVAL,
	     "no backlog, bad flags, too much: EINVAL");
	t_ok(subscribe(&one, semfd, 4, 0) == -EPERM && subscribe(&one, 999, 4, 0) == -EBADF && subscribe(&one, one.efd, 4, 0) == -EPERM,
	     "no observable: EPERM, nothing: EBADF");
	t_ok(!subscribe(&one, obs, 4, 0) && subscribe(&one, obs, 4, 0) == -EEXIST, "subscribed, once");
	t_ok(!subscribe(&two, obs, 2, 0) && !evl_subscribe(obs, 4, 0), "by another, and by an unattached thread");
	t_ok(send(obs, 64, 77) == 1 && reads(&one, obs, 8) == 1 && nf[0].tag == 64 && nf[0].event.lval == 77 && nf[0].issuer == getpid(),
	     "a notice, and who sent it (%d)", nf[0].issuer);
	t_ok(nf[0].serial == 1 && t_now() - ((uint64_t)nf[0].date.tv_sec * NSEC_PER_SEC + (uint64_t)nf[0].date.tv_nsec) < 10 * NSEC_PER_SEC,
	     "when and which (%u)", nf[0].serial);
	t_ok(reads(&two, obs, 8) == 1 && nf[0].serial == 1 && evl_read_observable(obs, nf, 8) == 1 && nf[0].serial == 1, "the same for all");
	t_ok(evl_update_observable(obs, three, 2) == 2 && send(obs, 66, 0) == 1, "two at once, and one more");
	t_ok(reads(&two, obs, 8) == 2 && nf[0].tag == 64 && nf[1].tag == 65, "who has room for two only keeps the first ones");
	t_ok(reads(&one, obs, 2) == 2 && reads(&one, obs, 8) == 1 && nf[0].tag == 66, "as many as asked for, then the rest");
	fcntl(obs, F_SETFL, O_NONBLOCK);
	t_ok(evl_update_observable(obs, three, 3) == -EINVAL && send(obs, 0, 0) == -EINVAL && reads(&two, obs, 8) == -EAGAIN,
	     "a tag of the core, even behind good ones: EINVAL, nothing is sent");
	fcntl(obs, F_SETFL, 0);
	t_ok(evl_update_observable(obs, three, INT_MAX) == -EINVAL, "more than a million at once: EINVAL");
	t_ok(evl_update_observable(obs, (void *)8, 1) == -EFAULT && evl_update_observable(obs, three, -1) == -EINVAL &&
	     evl_update_observable(obs, three, 0) == 0, "bad address, bad number, none");
	t_ok(evl_update_observable(semfd, three, 1) == -EPERM && evl_read_observable(semfd, nf, 1) == -EPERM &&
	     evl_unsubscribe(semfd) == -EPERM, "not an observable: EPERM");
	t_ok(evl_update_observable(999, three, 1) == -EBADF && evl_read_observable(999, nf, 1) == -EBADF && evl_unsubscribe(999) == -EBADF &&
	     reads(&one, 999, 1) == -EBADF, "nothing: EBADF");
	t_ok(reads(&one, semfd, 1) == -EPERM && reads(&one, STDOUT_FILENO, 1) == -EPERM, "from out-of-band, too: EPERM");
	t_ok(evl_read_observable(obs, (void *)8, 1) == -EFAULT, "a bad address to read to: EFAULT, and nothing is lost");
	t_ok(evl_read_observable(obs, nf, 8) == 3 && poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT, "read: writable (%#x)", pfd.revents);
	send(obs, 64, 0);
	t_ok(poll(&pfd, 1, 0) == 1 && pfd.revents & POLLIN, "and readable again");
	t_ok(!evl_unsubscribe(obs) && evl_unsubscribe(obs) == -ENOENT && evl_read_observable(obs, nf, 1) == -ENXIO,
	     "unsubscribed, once; reading: ENXIO");
	t_ok(poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR, "and polling: an error");
	evl_close_sem(&sem);
}

static void test_waiting(void)
{
	struct call c = { obs, 8, 0 };

	reads(&one, obs, 8);
	tell(&one, do_read, &c);
	t_ok(is_blocked(&one) && send(obs, 70, 5) == 1 && outcome_of(&one) == 1 && nf[0].tag == 70, "a reader waits for one");
	tell(&one, do_read, &c);
	is_blocked(&one);
	evl_unblock_thread(one.efd);
	t_ok(outcome_of(&one) == -EINTR, "unblocked: EINTR");
	fcntl(obs, F_SETFL, O_NONBLOCK);
	t_ok(reads(&one, obs, 8) == -EAGAIN && reads(&one, obs, 0) == 0 && reads(&one, obs, -1) == -EINVAL, "non-blocking: EAGAIN");
	fcntl(obs, F_SETFL, 0);
	t_ok(!ask(&one, do_unsubscribe, &obs) && !ask(&two, do_unsubscribe, &obs), "both unsubscribe");
}

static void test_modes(void)
{
	int fd = evl_create_observable(EVL_CLONE_MASTER, "/turns:%d", getpid());
	int n, a = 0, b = 0;

	subscribe(&one, fd, 2, 0);
	subscribe(&two, fd, 3, 0);
	for (n = 0; n < 6; n++)
		a += send(fd, 64, n);
	t_ok(a == 5, "in turns, while there is room (%d)", a);
	a = reads(&one, fd, 8);
	b = reads(&two, fd, 8);
	t_ok(a == 2 && b == 3, "each got its share (%d %d)", a, b);
	tell(&one, do_read, &(struct call){ fd, 1, 0 });
	is_blocked(&one);
	close(fd);
	t_ok(outcome_of(&one) == -EBADF, "closed under the reader: EBADF");

	fd = evl_new_observable("merge:%d", getpid());
	subscribe(&one, fd, 8, EVL_NOTIFY_ONCHANGE);
	send(fd, 64, 1);
	send(fd, 64, 1);
	send(fd, 64, 1L << 40);
	send(fd, 65, 1L << 40);
	t_ok(reads(&one, fd, 8) == 3, "repeats are merged");
	t_ok(send(fd, 65, 1L << 40) == 0 && send(fd, 64, 1) == 1, "against the last one, read or not");
	close(fd);
	t_ok(evl_create_observable(1, "x:%d", getpid()) == -EINVAL, "unknown flags: EINVAL");
	t_ok(evl_new_observable("obs:%d", getpid()) == -EEXIST, "a name taken: EEXIST");
}

struct watched {
	int efd;
	volatile int ready, go;
};

static void ignore(int sig) { }

static void *demote_itself(void *arg)
{
	struct watched *w = arg;

	touch_memory();
	w->efd = evl_attach_thread(EVL_CLONE_OBSERVABLE, "watched:%d", getpid());
	evl_set_thread_mode(w->efd, EVL_T_WOSS | EVL_T_HMOBS, NULL);
	publish(&w->ready, 1);
	while (!w->go)
		evl_usleep(500);
	syscall(SYS_gettid);
	evl_usleep(500);

	return NULL;
}

static void test_health(void)
{
	struct watched w = { .ready = 0 };
	struct pollfd pfd = { .events = POLLIN };
	pthread_t tid;

	signal(SIGDEBUG, ignore);
	t_ok(evl_attach_thread(EVL_CLONE_MASTER, "x:%d", getpid()) == -EINVAL, "turns without an observable: EINVAL");
	t_ok(evl_set_thread_mode(one.efd, EVL_T_HMOBS, NULL) == -EINVAL, "no observable, no notices: EINVAL");
	tid = t_thread(10, t_cpu(0), demote_itself, &w);
	await(&w.ready, 1);
	t_ok(!evl_subscribe(w.efd, 4, 0), "a thread is observed");
	t_ok(send(w.efd, 99, 3) == 1 && evl_read_observable(w.efd, nf, 8) == 1 && nf[0].tag == 99, "it is an observable like any");
	pfd.fd = w.efd;
	publish(&w.go, 1);
	t_ok(poll(&pfd, 1, 5000) == 1 && evl_read_observable(w.efd, nf, 1) == 1 && nf[0].tag == EVL_HMDIAG_SYSDEMOTE && !nf[0].issuer,
	     "and its health is told (%u)", nf[0].tag);
	pthread_join(tid, NULL);
	t_ok(evl_read_observable(w.efd, nf, 1) == -ESTALE && send(w.efd, 99, 3) == -ESTALE && evl_subscribe(w.efd, 1, 0) == -ESTALE &&
	     evl_unsubscribe(w.efd) == -ESTALE, "gone: ESTALE");
	close(w.efd);
}

static int read_all(void *arg)
{
	struct evl_notification mine[4];
	long sum = 0;
	int n, nr, total = 0;

	if (evl_subscribe(obs, NOTICES, 0))
		return -1;
	publish(arg, 1);
	while (total < NOTICES) {
		nr = evl_read_observable(obs, mine, 4);
		if (nr < 0)
			return nr;
		for (n = 0; n < nr; n++)
			sum += mine[n].event.lval == total + n ? 0 : 1;
		total += nr;
	}
	evl_unsubscribe(obs);

	return (int)sum;
}

static int send_all(void *arg)
{
	int n, ret = 0;

	for (n = 0; n < NOTICES && ret >= 0; n++) {
		ret = send(obs, 64, n);
		if (n % 8 == 0)
			evl_usleep(50);
	}

	return ret;
}

static void test_stream(void)
{
	struct hand sender;
	volatile int ready[2] = { 0, 0 };

	hire(&sender, "obs-sender", 20, t_cpu((int)sysconf(_SC_NPROCESSORS_ONLN) - 1));
	tell(&one, read_all, (void *)&ready[0]);
	tell(&two, read_all, (void *)&ready[1]);
	await(&ready[0], 1);
	await(&ready[1], 1);
	tell(&sender, send_all, NULL);
	t_ok(outcome_of(&sender) == 1 && !outcome_of(&one) && !outcome_of(&two), "%d notices in order for two (%d %d)", NOTICES, one.ret, two.ret);
	dismiss(&sender);
}

#define TURNS	300

/* Public elements made and dropped: how many could not be made. */
static void *come_and_go(void *arg)
{
	intptr_t failed = 0;
	int n, fd;

	for (n = 0; n < TURNS; n++) {
		fd = evl_new_observable("/comer-%s", (const char *)arg);
		if (fd < 0)
			failed++;
		else
			close(fd);
	}

	return (void *)failed;
}

/* A minor was given to a new element while the device of the old one was still there: EEXIST, and a warning. */
static void test_minor_reuse(void)
{
	static char names[][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];
	intptr_t failed = 0;
	void *ret;
	int n;

	for (n = 0; n < 4; n++)
		threads[n] = t_thread(0, -1, come_and_go, names[n]);
	for (n = 0; n < 4; n++) {
		pthread_join(threads[n], &ret);
		failed += (intptr_t)ret;
	}
	t_ok(!failed, "public elements come and go in four threads (%d failed)", (int)failed);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	obs = evl_new_observable("obs:%d", getpid());
	hire(&one, "obs-one", 15, t_cpu(0));
	hire(&two, "obs-two", 16, t_cpu(0));

	t_plan(41);
	test_broadcast();
	test_waiting();
	test_modes();
	test_health();
	test_stream();
	test_minor_reuse();

	return t_end();
}
