/* SPDX-License-Identifier: MIT */
/*
 * property: polling goes on, and tells the truth, while others make, duplicate, close, nest, and feed what is polled, end,
 * or are killed.
 *
 * Usage: poll-stress [CALLS [SEED]]; 1000000 for long. The same seed makes each thread choose the same calls; how threads
 * interleave is up to the machine. Pairs of threads depend on each other: one makes something ready, the other
 * polls it without limit, takes it and says so. The sets they poll, others churn: these add members which are soon
 * closed, make them members of other sets, poll and interrupt.
 *
 * evl-vm: smp=1,2,4,8 kernel=evl debug=yes timeout=240
 */
#include <sched.h>
#include <sys/eventfd.h>
#include <evl/monitor-abi.h>
#include <evl/observable.h>
#include <evl/proxy.h>
#include <evl/xbuf.h>
#include "stress.h"

#define NR_CALLS	20000
#define NR_CHURNERS	6
#define CALLS_A_ROUND	400	/* of each churner */
#define STROKES_A_ROUND	60	/* of each pair */
#define CALLS_A_KILL	1000
#define MAX_DELAY_US	150000
#define LIFE_ROUNDS	2
#define NR_FILES	24
#define NR_SHARED	3	/* of each of so many kinds */
#define NR_KINDS	5
#define HIGH_FD		500
#define PRECIOUS	0x5eed0000

enum { SEM, FLAGS, XBUF, PROXY, OBSERVABLE, TIMER, NESTED, CLOSING, NR_PAIRS };

#define NR_THREADS	(2 * NR_PAIRS + NR_CHURNERS)

/* Shared with the children. */
static struct {
	struct surprises surprises;
	atomic_ulong calls, strokes, ready;
	atomic_int lies;
	int nr_rounds;
	uint64_t seed;
} *board;

static struct lives *lives;

/* The first feeds, the second polls. */
struct pair {
	int kind;
	int fd, infd;		/* what is polled; what is written to instead, if not the same */
	int set, inner;
	struct evl_sem sem;
	struct evl_flags flags;
	struct evl_sem taken;
	volatile int current;	/* CLOSING: the set of now */
};

struct player {
	pthread_t tid;
	pid_t pid;
	int efd;
	int nr;
	uint64_t seed;
	volatile int ready, arrived;
};

static struct pair pairs[NR_PAIRS];
static struct player players[NR_THREADS];
static atomic_int files[NR_FILES];
static atomic_uint *progress;
static volatile int released;

#define expect(ret, ...)						\
({									\
	static const int __others[] = { 0, -EINTR, ##__VA_ARGS__ };	\
	int __ret = (int)(ret);						\
	unsigned int __n;						\
									\
	for (__n = 0; __n < NR_OF(__others); __n++)			\
		if (__ret == __others[__n])				\
			break;						\
	__ret > 0 || __n < NR_OF(__others) ? __ret : wonder(&board->surprises, __LINE__, __ret);	\
})

static int result_of(long ret)
{
	return ret < 0 ? -errno : (int)ret;
}

static void lie(void)
{
	atomic_fetch_add(&board->lies, 1);
}

static bool make_source(struct pair *p, int life)
{
	int fds[2];

	p->infd = -1;
	switch (p->kind) {
	case FLAGS:
		p->fd = evl_new_flags(&p->flags, "/poll-stress-flags-%d", life);
		break;
	case XBUF:
		p->fd = evl_new_xbuf(64, "/poll-stress-xbuf-%d", life);
		break;
	case PROXY:
		if (pipe(fds))
			return false;
		p->fd = evl_create_proxy(fds[0], 64, 0, EVL_CLONE_INPUT | EVL_CLONE_PUBLIC, "/poll-stress-proxy-%d", life);
		close(fds[0]);
		p->infd = fds[1];
		break;
	case OBSERVABLE:
		p->fd = evl_new_observable("/poll-stress-observable-%d", life);
		break;
	case TIMER:
		p->fd = evl_new_timer(EVL_CLOCK_MONOTONIC);
		break;
	default:
		p->fd = evl_new_sem(&p->sem, "/poll-stress-sem-%d-%d", p->kind, life);
	}

	return p->fd >= 0;
}

static bool fill_sets(struct pair *p)
{
	union evl_value mark = evl_intval(PRECIOUS + p->kind);

	if (p->kind == CLOSING)
		return true;
	if (p->kind != NESTED)
		return !evl_add_pollfd(p->set, p->fd, POLLIN, mark);

	return !evl_add_pollfd(p->inner, p->fd, POLLIN, mark) && !evl_add_pollfd(p->set, p->inner, POLLIN, mark);
}

/* By an attached thread, before there are others. */
static bool make_pair(struct pair *p, int kind, int life)
{
	p->kind = kind;
	p->set = evl_new_poll();
	p->inner = evl_new_poll();
	p->current = -1;

	return make_source(p, life) && p->set >= 0 && p->inner >= 0 &&
		evl_new_sem(&p->taken, "/poll-stress-taken-%d-%d", kind, life) >= 0 &&
		fill_sets(p);
}

static int feed_source(struct pair *p)
{
	struct evl_notice notice = { .tag = EVL_NOTICE_USER };

	switch (p->kind) {
	case FLAGS:
		return evl_post_flags(&p->flags, 1);
	case XBUF:
		return result_of(write(p->fd, "x", 1));
	case PROXY:
		return result_of(write(p->infd, "x", 1));
	case OBSERVABLE:
		return evl_update_observable(p->fd, &notice, 1);
	case TIMER:
		return set_timer(p->fd, t_now() + 50000, 0);
	default:
		return evl_put_sem(&p->sem);
	}
}

/* It is ready, and nobody else takes it. */
static int take_source(struct pair *p)
{
	struct evl_notification notification;
	uint64_t ticks;
	char c;

	switch (p->kind) {
	case FLAGS:
		return evl_trywait_flags(&p->flags, NULL);
	case XBUF:
		return result_of(oob_read(p->fd, &c, 1));
	case PROXY:
		return (int)evl_read_proxy(p->fd, &c, 1);
	case OBSERVABLE:
		return evl_read_observable(p->fd, &notification, 1);
	case TIMER:
		return result_of(oob_read(p->fd, &ticks, sizeof(ticks)));
	default:
		return evl_tryget_sem(&p->sem);
	}
}

/* Entries of a set which belongs to a pair: @mine is among them, and others have to leave. */
static bool sort_out(struct pair *p, int set, int mine, struct evl_poll_event *events, int nr)
{
	bool found = false;
	int n;

	for (n = 0; n < nr; n++) {
		if (events[n].fd == (uint32_t)mine) {
			found = true;
			if (events[n].pollval.val != PRECIOUS + p->kind || !(events[n].events & POLLIN))
				lie();
		} else {
			expect(evl_del_pollfd(set, (int)events[n].fd), -ENOENT);
		}
	}

	return found;
}

static bool look_inside(struct pair *p)
{
	struct timespec past = { .tv_nsec = 1 };
	struct evl_poll_event events[6];
	int ret = expect(evl_timedpoll(p->inner, events, NR_OF(events), &past), -ETIMEDOUT);

	return sort_out(p, p->inner, p->fd, events, ret);
}

/* The set inside may be ready because of others. */
static void await_source(struct pair *p)
{
	struct evl_poll_event events[6];
	int ret;

	do {
		ret = expect(evl_poll(p->set, events, NR_OF(events)));
		if (!ret)
			lie();
	} while (!sort_out(p, p->set, p->kind == NESTED ? p->inner : p->fd, events, ret) ||
		 (p->kind == NESTED && !look_inside(p)));
}

/* A forced wake-up may come in between. */
static void insist(int (*call)(struct pair *), struct pair *p)
{
	int ret;

	do
		ret = expect(call(p));
	while (ret == -EINTR);
}

static int await_taker(struct pair *p)	{ return evl_get_sem(&p->taken); }
static int tell_feeder(struct pair *p)	{ return evl_put_sem(&p->taken); }

static void feed(struct pair *p)
{
	int n;

	for (n = 0; n < STROKES_A_ROUND; n++) {
		insist(feed_source, p);
		insist(await_taker, p);
	}
}

static void poll_and_take(struct pair *p)
{
	int n;

	while (p->kind == OBSERVABLE && expect(evl_subscribe(p->fd, 8, 0)) == -EINTR)
		;
	insist(tell_feeder, p);
	for (n = 0; n < STROKES_A_ROUND; n++) {
		await_source(p);
		insist(take_source, p);
		insist(tell_feeder, p);
		atomic_fetch_add(progress, 1);
	}
}

/* A descriptor which nobody else gets as soon as it is closed. */
static int new_high_set(void)
{
	int low = expect(evl_new_poll()), high = fcntl(low, F_DUPFD_CLOEXEC, HIGH_FD);

	close(low);

	return high;
}

/* A set is closed under those who poll it, by one or by two descriptors. */
static void close_sets(struct pair *p, uint64_t *seed)
{
	int n, set, second;

	for (n = 0; n < STROKES_A_ROUND; n++) {
		set = new_high_set();
		second = roll(seed, 2) ? dup(set) : -1;
		publish(&p->current, set);
		insist(await_taker, p);
		expect(evl_usleep(roll(seed, 300)));
		close(set);
		if (second >= 0)
			close(second);
		insist(await_taker, p);
	}
}

static void poll_closing(struct pair *p)
{
	struct evl_poll_event events[2];
	int n, set, ret;

	for (n = 0; n < STROKES_A_ROUND; n++) {
		while ((set = __atomic_exchange_n(&p->current, -1, __ATOMIC_ACQ_REL)) < 0)
			expect(evl_usleep(50));
		insist(tell_feeder, p);
		expect(evl_add_pollfd(set, p->fd, POLLIN, evl_nil), -EBADF);
		do
			ret = expect(evl_poll(set, events, NR_OF(events)), -EBADF);
		while (ret == -EINTR);
		if (ret != -EBADF)
			lie();
		insist(tell_feeder, p);
		atomic_fetch_add(progress, 1);
	}
}

static void play(struct player *pl)
{
	struct pair *p = &pairs[pl->nr / 2];
	bool polls = pl->nr % 2;

	if (p->kind == CLOSING) {
		if (polls)
			poll_closing(p);
		else
			close_sets(p, &pl->seed);
	} else if (polls) {
		poll_and_take(p);
	} else {
		/* Who polls is an observer by then. */
		insist(await_taker, p);
		feed(p);
	}
	if (polls && p->kind == OBSERVABLE)
		expect(evl_unsubscribe(p->fd));
	atomic_fetch_add(&board->strokes, STROKES_A_ROUND);
}

/* The churners. */

static int any_file(struct player *pl)
{
	return atomic_load(&files[roll(&pl->seed, NR_FILES)]);
}

static void keep(struct player *pl, int fd)
{
	int old;

	if (fd < 0)
		return;
	old = atomic_exchange(&files[roll(&pl->seed, NR_FILES)], fd);
	if (old >= 0)
		close(old);
}

/* A set of a pair, or any file. */
static int any_set(struct player *pl)
{
	struct pair *p = &pairs[roll(&pl->seed, NR_PAIRS)];

	if (roll(&pl->seed, 3))
		return any_file(pl);

	return roll(&pl->seed, 2) ? p->set : p->inner;
}

static int open_shared(struct player *pl)
{
	static const char *const kinds[NR_KINDS] = { "monitor/poll-stress-sem", "monitor/poll-stress-flags", "xbuf/poll-stress-xbuf",
		"observable/poll-stress-observable", "proxy/poll-stress-proxy" };
	char path[64];

	snprintf(path, sizeof(path), "/dev/evl/%s%u", kinds[roll(&pl->seed, NR_KINDS)], roll(&pl->seed, NR_SHARED));

	return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

static int proxy_to_event(const char *name)
{
	int target = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), fd;

	fd = evl_create_proxy(target, 64, 8, EVL_CLONE_NONBLOCK, name ? "%s" : NULL, name);
	close(target);

	return fd;
}

static int make_file(struct player *pl)
{
	struct evl_sem sem;
	struct evl_flags flags;
	int fd;

	switch (roll(&pl->seed, 8)) {
	case 0:
		return evl_new_sem(&sem, NULL);
	case 1:
		return evl_new_flags(&flags, NULL);
	case 2:
		return evl_create_xbuf(64, 64, EVL_CLONE_NONBLOCK, NULL);
	case 3:
		return evl_create_observable(EVL_CLONE_NONBLOCK, NULL);
	case 4:
		return proxy_to_event(NULL);
	case 5:
		fd = evl_new_timer(EVL_CLOCK_MONOTONIC);
		if (fd >= 0)
			fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	case 6:
		return open_shared(pl);
	default:
		return evl_new_poll();
	}
}

static bool is_precious(int fd)
{
	int n;

	for (n = 0; n < NR_PAIRS; n++)
		if (pairs[n].fd == fd || pairs[n].inner == fd)
			return true;
	return false;
}

/* A descriptor may lead elsewhere, or nowhere, by the time it is used. */
static void change_set(struct player *pl)
{
	int set = any_set(pl), fd = roll(&pl->seed, 4) ? any_file(pl) : any_set(pl);
	unsigned int events = roll(&pl->seed, 2) ? POLLIN : POLLIN | POLLOUT;

	switch (is_precious(fd) ? 2 : roll(&pl->seed, 4)) {
	case 0:
		expect(evl_mod_pollfd(set, fd, events, evl_intval(fd)), -EBADF, -ENOENT);
		break;
	case 1:
		expect(evl_del_pollfd(set, fd), -EBADF, -ENOENT);
		break;
	default:
		expect(evl_add_pollfd(set, fd, events, evl_intval(fd)), -EBADF, -EEXIST, -ELOOP);
	}
}

/* Those of pairs have values of their own. */
static bool is_true(const struct evl_poll_event *event)
{
	return event->events && (is_precious((int)event->fd) || event->pollval.val == (int)event->fd);
}

static void look_at_set(struct player *pl)
{
	int room = 1 + (int)roll(&pl->seed, 4), ret, n;
	struct timespec date = timespec_of(t_now() + roll(&pl->seed, 400000) - 100000);
	struct evl_poll_event events[4];

	ret = expect(evl_timedpoll(any_set(pl), events, room, &date), -EBADF, -ETIMEDOUT);
	if (!ret || ret > room)
		lie();
	for (n = 0; n < ret; n++)
		if (!is_true(&events[n]))
			lie();
	if (ret > 0)
		atomic_fetch_add(&board->ready, (unsigned int)ret);
}

/* Whatever it is, one of these makes it ready or not so any more. Nothing of it waits. */
static void touch_file(struct player *pl)
{
	struct evl_notice notice = { .tag = EVL_NOTICE_USER };
	struct evl_notification notification;
	uint64_t value = 1;
	int fd = any_file(pl);

	switch (roll(&pl->seed, 8)) {
	case 0: case 1:
		oob_call(sys_evl_ioctl, fd, (long)EVL_MONIOC_SIGNAL, (long)(uintptr_t)&value);
		break;
	case 2:
		oob_call(sys_evl_write, fd, (long)(uintptr_t)&value, sizeof(value));
		break;
	case 3:
		oob_call(sys_evl_read, fd, (long)(uintptr_t)&value, sizeof(value));
		break;
	case 4:
		evl_update_observable(fd, &notice, 1);
		break;
	case 5:
		evl_read_observable(fd, &notification, 1);
		break;
	case 6:
		set_timer(fd, t_now() + roll(&pl->seed, 200000), 0);
		break;
	default:
		if (roll(&pl->seed, 2))
			evl_subscribe(fd, 4, 0);
		else
			evl_unsubscribe(fd);
	}
}

static void disturb(struct player *pl)
{
	struct player *other = &players[roll(&pl->seed, NR_THREADS)];

	if (!__atomic_load_n(&other->ready, __ATOMIC_ACQUIRE))
		return;
	if (roll(&pl->seed, 2))
		expect(evl_unblock_thread(other->efd), -ESTALE);
	else
		interrupt(other->pid);
}

static void close_file(struct player *pl)
{
	int fd = atomic_exchange(&files[roll(&pl->seed, NR_FILES)], -1);

	if (fd >= 0)
		close(fd);
}

static void churn_once(struct player *pl)
{
	switch (roll(&pl->seed, 16)) {
	case 0: case 1:
		keep(pl, make_file(pl));
		break;
	case 2:
		keep(pl, dup(any_file(pl)));
		break;
	case 3:
		close_file(pl);
		break;
	case 4: case 5:
		disturb(pl);
		break;
	case 6: case 7: case 8: case 9:
		change_set(pl);
		break;
	case 10: case 11: case 12:
		touch_file(pl);
		break;
	default:
		look_at_set(pl);
	}
}

static void churn(struct player *pl)
{
	int n;

	for (n = 0; n < CALLS_A_ROUND; n++) {
		churn_once(pl);
		atomic_fetch_add(progress, 1);
		/* These threads must not have the CPU for themselves. */
		if (n % 16 == 0)
			evl_usleep(200);
	}
	atomic_fetch_add(&board->calls, CALLS_A_ROUND);
}

static void *be_player(void *arg)
{
	struct player *pl = arg;

	pl->pid = (pid_t)syscall(SYS_gettid);
	pl->efd = attach("poll-stress");
	publish(&pl->ready, 1);
	if (pl->nr < 2 * NR_PAIRS)
		play(pl);
	else
		churn(pl);
	publish(&pl->arrived, 1);
	/* Nobody ends before all are done with disturbing each other. */
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		pause_ms(2);

	return NULL;
}

static bool all_arrived(void)
{
	int n;

	for (n = 0; n < NR_THREADS; n++)
		if (!__atomic_load_n(&players[n].arrived, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static void play_round(uint64_t *seed)
{
	uint32_t nr_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	int n;

	publish(&released, 0);
	for (n = 0; n < NR_THREADS; n++)
		players[n] = (struct player){ .nr = n, .seed = seed_of(roll(seed, UINT32_MAX)) };
	for (n = 0; n < NR_THREADS; n++) {
		players[n].tid = t_thread(roll(seed, 4) ? 1 + (int)roll(seed, 40) : 0, t_cpu((int)roll(seed, nr_cpus)),
					  be_player, &players[n]);
	}
	while (!all_arrived())
		pause_ms(2);
	publish(&released, 1);
	for (n = 0; n < NR_THREADS; n++) {
		pthread_join(players[n].tid, NULL);
		close(players[n].efd);
	}
}

static void live(int slot, int life) __attribute__((__noreturn__));

static void live(int slot, int life)
{
	struct sigaction act = { .sa_handler = ignore_signal };
	uint64_t seed = seed_of(board->seed + (uint64_t)life);
	int n;

	progress = &lives->progress[slot];
	sigaction(SIGUSR1, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (evl_init())
		_exit(2);
	for (n = 0; n < NR_FILES; n++)
		atomic_store(&files[n], -1);
	close(attach("poll-stress-maker"));
	for (n = 0; n < NR_PAIRS; n++)
		if (!make_pair(&pairs[n], n, life))
			_exit(3);
	evl_detach_self();
	for (n = 0; n < board->nr_rounds; n++)
		play_round(&seed);
	_exit(0);
}

static int shared_fds[NR_SHARED * NR_KINDS], nr_shared;

static void share(int fd)
{
	if (fd < 0)
		t_bail("cannot create element %d: %s", nr_shared, strerror(-fd));
	shared_fds[nr_shared++] = fd;
}

static void create_shared(void)
{
	static struct evl_sem sem;
	static struct evl_flags flags;
	char name[32];
	int n;

	for (n = 0; n < NR_SHARED; n++) {
		share(evl_new_sem(&sem, "/poll-stress-sem%d", n));
		share(evl_new_flags(&flags, "/poll-stress-flags%d", n));
		share(evl_new_xbuf(64, "/poll-stress-xbuf%d", n));
		share(evl_new_observable("/poll-stress-observable%d", n));
		snprintf(name, sizeof(name), "/poll-stress-proxy%d", n);
		share(proxy_to_event(name));
	}
}

static void close_shared(void)
{
	while (nr_shared)
		close(shared_fds[--nr_shared]);
}

static void judge(const char *who, bool alone __attribute__((__unused__)))
{
	t_diag("%s: %lu calls, %lu strokes, %lu times ready", who, atomic_load(&board->calls), atomic_load(&board->strokes),
	       atomic_load(&board->ready));
	t_ok(!atomic_load(&board->lies), "%s: what is ready is what it should be (%d times not)", who, atomic_load(&board->lies));
	judge_surprises(&board->surprises, who);
}

static void prepare_alone(unsigned long calls)
{
	board->nr_rounds = (int)(calls / NR_CHURNERS / CALLS_A_ROUND) + 1;
}

static void prepare_several(void)
{
	board->nr_rounds = LIFE_ROUNDS;
}

int main(int argc, char *argv[])
{
	board = shared_board(sizeof(*board));

	return run_play(&(struct play){
		.plan = 11,
		.calls = NR_CALLS,
		.calls_a_kill = CALLS_A_KILL,
		.max_delay_us = MAX_DELAY_US,
		.seed = &board->seed,
		.lives = &lives,
		.live = live,
		.create = create_shared,
		.close = close_shared,
		.prepare_alone = prepare_alone,
		.prepare_several = prepare_several,
		.judge = judge,
	}, argc, argv);
}
