/* SPDX-License-Identifier: MIT */
/*
 * property: whatever threads do with nested mutexes at the same time, each mutex excludes, nobody is forgotten, every
 * thread has its own rank back in the end, and processes killed on their way take nothing along.
 *
 * Usage: pi-stress [LOCKS [SEED]]; 1000000 for long. The same seed makes each thread choose the same steps; how threads
 * interleave is up to the machine. Mutexes are taken in the order of their numbers, so that there is no deadlock to
 * be found; some of them inherit, some have a ceiling, some are recursive. Two threads pass a ball by an event whose
 * mutex is one of those, with nobody else to wake them up: one wake-up which is lost, and they stop for good.
 *
 * evl-vm: smp=1,2,4,8 kernel=evl debug=yes timeout=240
 */
#include <sched.h>
#include <evl/monitor-abi.h>
#include "stress.h"

#define NR_LOCKS	100000
#define NR_THREADS	16	/* of a process which is alone */
#define NR_FEW		6	/* of each of several */
#define FEW_ROUNDS	8
#define NR_MUTEXES	12
#define NR_EVENTS	3
#define DEPTH		4
#define LOCKS_A_ROUND	250	/* of each thread */
#define LOCKS_A_KILL	2500
#define MAX_DELAY_US	150000
#define BALL_MUTEX	10

struct place {
	atomic_int holder;
	unsigned long visits;	/* written by who has the mutex only */
	atomic_ulong entered;	/* the same number, whoever writes */
};

/* Shared with the children. */
static struct {
	struct surprises surprises;
	struct place places[NR_MUTEXES];
	atomic_ulong locks, taken, waits;
	atomic_int trespasses, wrong_ranks;
	int nr_threads, nr_rounds;
	uint64_t seed;
} *board;

static struct lives *lives;

struct worker {
	pthread_t tid;
	pid_t pid;
	int efd;
	int nr, life;
	atomic_uint *progress;
	uint64_t seed;
	int locks;
	volatile int ready, arrived;
};

static struct evl_mutex mutexes[NR_MUTEXES];
static struct evl_event events[NR_EVENTS], ball_event;
static struct worker workers[NR_THREADS];
static volatile int ball, released;

static bool has_ceiling(int i)	{ return i % 3 == 1; }
static bool is_recursive(int i)	{ return i % 4 == 3; }
static bool has_event(int i)	{ return i % 4 == 2; }

#define expect(ret, other)				\
({							\
	int __ret = (ret);				\
							\
	if (__ret && __ret != -EINTR && __ret != (other))	\
		wonder(&board->surprises, __LINE__, __ret);		\
	__ret;						\
})

static int name_of(struct worker *w)
{
	return w->life * NR_THREADS + w->nr;
}

static void enter(struct worker *w, int i)
{
	struct place *p = &board->places[i];
	int was = atomic_exchange(&p->holder, name_of(w));

	if (was && !atomic_load(&lives->doomed[was / NR_THREADS]))
		atomic_fetch_add(&board->trespasses, 1);
	p->visits++;
	atomic_fetch_add(&p->entered, 1);
}

static void leave(struct worker *w, int i)
{
	if (atomic_exchange(&board->places[i].holder, 0) != name_of(w))
		atomic_fetch_add(&board->trespasses, 1);
}

static struct timespec soon(struct worker *w, uint32_t max_ns)
{
	return timespec_of(t_now() + roll(&w->seed, max_ns) - max_ns / 8);
}

static int lock_somehow(struct worker *w, struct evl_mutex *mutex)
{
	struct timespec date;

	switch (roll(&w->seed, 4)) {
	case 0:
		return expect(evl_trylock_mutex(mutex), -EAGAIN);
	case 1:
		date = soon(w, 1000000);
		return expect(evl_timedlock_mutex(mutex, &date), -ETIMEDOUT);
	default:
		return expect(evl_lock_mutex(mutex), 0);
	}
}

static bool take(struct worker *w, int i)
{
	bool taken = !lock_somehow(w, &mutexes[i]);

	w->locks++;
	if (taken)
		enter(w, i);

	return taken;
}

/* No signal may keep it from being dropped. */
static void drop(struct worker *w, int i)
{
	int ret;

	leave(w, i);
	ret = evl_unlock_mutex(&mutexes[i]);
	if (ret)
		wonder(&board->surprises, __LINE__, ret);
}

static void nest(struct worker *w, int i)
{
	if (is_recursive(i) && !expect(evl_lock_mutex(&mutexes[i]), 0))
		expect(evl_unlock_mutex(&mutexes[i]), 0);
}

static void move_ceiling(struct worker *w, int i)
{
	if (has_ceiling(i))
		expect(evl_set_mutex_ceiling(&mutexes[i], 10 + roll(&w->seed, 50)), 0);
}

static void wait_for_news(struct worker *w, int i)
{
	struct timespec date = soon(w, 500000);

	leave(w, i);
	expect(evl_timedwait_event(&events[i / 4], &mutexes[i], &date), -ETIMEDOUT);
	enter(w, i);
	atomic_fetch_add(&board->waits, 1);
}

static void spread_news(struct worker *w, int i)
{
	struct evl_event *event = &events[i / 4];
	struct worker *other = &workers[roll(&w->seed, (uint32_t)board->nr_threads)];

	switch (roll(&w->seed, 3)) {
	case 0:
		expect(evl_signal_event(event), 0);
		break;
	case 1:
		if (__atomic_load_n(&other->ready, __ATOMIC_ACQUIRE))
			expect(evl_signal_thread(event, other->efd), 0);
		break;
	default:
		expect(evl_broadcast_event(event), 0);
	}
}

/* With some mutexes, the last of which is number i. */
static void dwell(struct worker *w, int i)
{
	switch (roll(&w->seed, 12)) {
	case 0:
		expect(evl_usleep(roll(&w->seed, 100)), 0);
		break;
	case 1:
		spin_ns(roll(&w->seed, 20000));
		break;
	case 2:
		expect(evl_yield(), 0);
		break;
	case 3:
		nest(w, i);
		break;
	case 4:
		move_ceiling(w, i);
		break;
	case 5: case 6: case 7:
		if (has_event(i))
			wait_for_news(w, i);
		break;
	case 8: case 9:
		if (has_event(i))
			spread_news(w, i);
		break;
	case 10:
		evl_switch_inband();
	}
}

/* Some mutexes in order, dropped in any. */
static void visit(struct worker *w)
{
	int held[DEPTH], nr = 0, n, i;

	for (i = (int)roll(&w->seed, NR_MUTEXES); i < NR_MUTEXES && nr < DEPTH && take(w, i); i += 1 + (int)roll(&w->seed, 4))
		held[nr++] = i;
	if (nr)
		dwell(w, held[nr - 1]);
	atomic_fetch_add(&board->taken, (unsigned int)nr);
	atomic_fetch_add(w->progress, (unsigned int)nr);
	while (nr) {
		n = (int)roll(&w->seed, (uint32_t)nr);
		drop(w, held[n]);
		held[n] = held[--nr];
	}
}

static void pass_ball(struct worker *w)
{
	int side = w->nr;

	while (!take(w, BALL_MUTEX))
		;
	while (ball != side) {
		leave(w, BALL_MUTEX);
		expect(evl_wait_event(&ball_event, &mutexes[BALL_MUTEX]), 0);
		enter(w, BALL_MUTEX);
	}
	ball = !side;
	atomic_fetch_add(w->progress, 1);
	expect(evl_signal_event(&ball_event), 0);
	drop(w, BALL_MUTEX);
}

/* End with mutexes. */
static void abandon(struct worker *w)
{
	int i;

	for (i = (int)roll(&w->seed, NR_MUTEXES); i < NR_MUTEXES; i += 3)
		if (take(w, i))
			leave(w, i);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int n;

	w->pid = (pid_t)syscall(SYS_gettid);
	w->efd = attach("pi-stress");
	publish(&w->ready, 1);
	if (w->nr < 2) {
		for (n = 0; n < LOCKS_A_ROUND / 2; n++)
			pass_ball(w);
	} else {
		while (w->locks < LOCKS_A_ROUND)
			visit(w);
	}
	publish(&w->arrived, 1);
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		pause_ms(2);
	if (!roll(&w->seed, 4))
		abandon(w);
	if (roll(&w->seed, 2))
		evl_detach_self();

	return NULL;
}

static void start_workers(int slot, int life, uint64_t *seed)
{
	struct worker *w;
	int n, nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	publish(&released, 0);
	for (n = 0; n < board->nr_threads; n++) {
		workers[n] = (struct worker){ .nr = n, .life = life, .progress = &lives->progress[slot] };
		workers[n].seed = seed_of(roll(seed, UINT32_MAX));
	}
	for (n = 0; n < board->nr_threads; n++) {
		w = &workers[n];
		/* One in four is weak. */
		w->tid = t_thread(roll(seed, 4) ? 1 + (int)roll(seed, 40) : 0, t_cpu((int)roll(seed, (uint32_t)nr_cpus)), work, w);
	}
}

static void change_rank(struct worker *w, uint64_t *seed)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = 1 + (int)roll(seed, 50) };

	switch (roll(seed, 4)) {
	case 0:
		attrs.sched_policy = SCHED_WEAK;
		attrs.sched_priority = 0;
		break;
	case 1:
		attrs.sched_policy = SCHED_RR;
		attrs.sched_rr_quantum.tv_nsec = 200000;
	}
	expect(evl_set_schedattr(w->efd, &attrs), 0);
}

/* Somebody from outside. */
static void meddle(struct worker *w, uint64_t *seed)
{
	if (!__atomic_load_n(&w->ready, __ATOMIC_ACQUIRE))
		return;

	switch (roll(seed, 6)) {
	case 0:
		expect(evl_unblock_thread(w->efd), 0);
		break;
	case 1:
		interrupt(w->pid);
		break;
	default:
		change_rank(w, seed);
	}
}

static bool all_arrived(void)
{
	int n;

	for (n = 0; n < board->nr_threads; n++)
		if (!__atomic_load_n(&workers[n].arrived, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

/* It owns nothing, and nobody changes it. */
static void check_rank(struct worker *w)
{
	struct evl_thread_state state = { .state = 0 };
	struct evl_sched_attrs base;

	if (expect(evl_get_schedattr(w->efd, &base), 0) || expect(evl_get_state(w->efd, &state), 0))
		return;
	if (state.eattrs.sched_priority != base.sched_priority || state.state & EVL_T_BOOST)
		atomic_fetch_add(&board->wrong_ranks, 1);
}

static void play_round(int slot, int life, uint64_t *seed)
{
	int n;

	ball = 0;
	start_workers(slot, life, seed);
	while (!all_arrived()) {
		meddle(&workers[roll(seed, (uint32_t)board->nr_threads)], seed);
		usleep(500);
	}
	for (n = 0; n < board->nr_threads; n++)
		check_rank(&workers[n]);
	publish(&released, 1);
	for (n = 0; n < board->nr_threads; n++) {
		pthread_join(workers[n].tid, NULL);
		close(workers[n].efd);
		atomic_fetch_add(&board->locks, (unsigned int)workers[n].locks);
	}
}

static bool open_all(int life)
{
	bool opened = true;
	int n;

	for (n = 0; n < NR_MUTEXES; n++)
		opened &= evl_open_mutex(&mutexes[n], "/pi-stress-mutex%d", n) >= 0;
	for (n = 0; n < NR_EVENTS; n++)
		opened &= evl_open_event(&events[n], "/pi-stress-event%d", n) >= 0;
	opened &= evl_new_event(&ball_event, "/pi-stress-ball%d", life) >= 0;

	return opened;
}

static void live(int slot, int life) __attribute__((__noreturn__));

static void live(int slot, int life)
{
	struct sigaction act = { .sa_handler = ignore_signal };
	uint64_t seed = seed_of(board->seed + (uint64_t)life);
	int n;

	sigaction(SIGUSR1, &act, NULL);
	if (evl_init() || !open_all(life))
		_exit(2);
	for (n = 0; n < board->nr_rounds; n++)
		play_round(slot, life, &seed);
	_exit(0);
}

static void create_all(void)
{
	int n;

	for (n = 0; n < NR_MUTEXES; n++)
		if (evl_create_mutex(&mutexes[n], EVL_CLOCK_MONOTONIC, has_ceiling(n) ? 30 : 0,
				     EVL_CLONE_PUBLIC | (is_recursive(n) ? EVL_MUTEX_RECURSIVE : 0), "/pi-stress-mutex%d", n) < 0)
			t_bail("cannot create a mutex");
	for (n = 0; n < NR_EVENTS; n++)
		if (evl_new_event(&events[n], "/pi-stress-event%d", n) < 0)
			t_bail("cannot create an event");
}

static void close_all(void)
{
	int n;

	for (n = 0; n < NR_MUTEXES; n++)
		evl_close_mutex(&mutexes[n]);
	for (n = 0; n < NR_EVENTS; n++)
		evl_close_event(&events[n]);
}

/* Nobody is there any more. */
static int count_locked(void)
{
	int n, locked = 0;

	for (n = 0; n < NR_MUTEXES; n++)
		locked += !!mutexes[n].mon.state->gate.owner;

	return locked;
}

static long count_lost(void)
{
	long lost = 0;
	int n;

	for (n = 0; n < NR_MUTEXES; n++)
		lost += (long)(atomic_load(&board->places[n].entered) - board->places[n].visits);

	return lost;
}

static void judge(const char *who, bool alone)
{
	t_diag("%s: %lu locks, %lu visits, %lu waits", who, atomic_load(&board->locks), atomic_load(&board->taken),
	       atomic_load(&board->waits));
	t_ok(!atomic_load(&board->trespasses), "%s: nobody is where another is (%d)", who, atomic_load(&board->trespasses));
	t_ok(!atomic_load(&board->wrong_ranks), "%s: threads without mutex have their own rank (%d have not)", who,
	     atomic_load(&board->wrong_ranks));
	t_ok(!count_locked(), "%s: all mutexes are free (%d are not)", who, count_locked());
	judge_surprises(&board->surprises, who);
	if (alone)
		t_ok(!count_lost(), "%s: every visit is counted (%ld are not)", who, count_lost());
}

static void prepare_alone(unsigned long locks)
{
	board->nr_threads = NR_THREADS;
	board->nr_rounds = (int)(locks / NR_THREADS / LOCKS_A_ROUND) + 1;
}

static void prepare_several(void)
{
	board->nr_threads = NR_FEW;
	board->nr_rounds = FEW_ROUNDS;
}

int main(int argc, char *argv[])
{
	board = shared_board(sizeof(*board));

	return run_play(&(struct play){
		.plan = 16,
		.calls = NR_LOCKS,
		.calls_a_kill = LOCKS_A_KILL,
		.max_delay_us = MAX_DELAY_US,
		.seed = &board->seed,
		.lives = &lives,
		.live = live,
		.create = create_all,
		.close = close_all,
		.prepare_alone = prepare_alone,
		.prepare_several = prepare_several,
		.judge = judge,
	}, argc, argv);
}
