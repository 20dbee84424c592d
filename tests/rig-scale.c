/* SPDX-License-Identifier: MIT */
/*
 * What an operation costs while all CPUs are at it: not a test, "./evl-vm bench scale" runs it.
 *
 * usage: rig-scale OPERATION ROUNDS
 *
 *   wakeup   two threads wake one another up, each by a semaphore of its own
 *   handoff  two threads hand a mutex to one another, each waits for it as soon as it has dropped it
 *
 * Each CPU has such a pair, out-of-band, which has nothing in common with the other ones. They begin together; a round
 * is two operations. All go on until the last pair has done ROUNDS, so that no CPU idles, and all they did counts.
 * In virtual time (-icount) CPUs take turns on one clock, which counts the instructions of whoever has the turn: the
 * time which passed, over the operations of all, is what one costs, whatever the turns were. A busy CPU would keep its
 * turn for up to 100 ms. It gives it away after each round; and a timer on each CPU ends some turns anywhere, with a
 * lock held as well, which the next CPU then finds taken. The timers cost a percent, on one CPU as on many.
 *
 * Prints one JSON object.
 */
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include "common.h"

#define PRIORITY	50
#define WARM_UP		50
#define ROUNDS_MAX	600000		/* of all pairs: the watchdog of the core allows some 4 s in virtual time */
#define TIMER_NS	50000		/* between two timers, whatever their CPUs */

struct pair {
	struct evl_sem ask, answer;
	struct evl_mutex mutex;
	long rounds;
	uint32_t switches;		/* context switches to the leader meanwhile */
	volatile int efds[2];		/* of leader and follower, once attached */
} __attribute__((__aligned__(128)));

struct operation {
	const char *name;
	void (*prepare)(struct pair *p);
	void (*round)(struct pair *p);
	void (*dismiss)(struct pair *p);
	void (*follow)(struct pair *p);
};

static const struct operation *operation;
static long nr_rounds;
static int nr_pairs, nr_ready, nr_done;
static volatile int started, over;
static uint64_t start_date, end_date;

static void __t_printf(1, 2) __attribute__((__noreturn__)) fail(const char *fmt, ...)
{
	va_list ap;

	fputs("rig-scale: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

static void check(int ret, const char *what)
{
	if (ret)
		fail("%s: %s", what, strerror(-ret));
}

static bool is_set(volatile int *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put(struct evl_sem *sem)		{ check(evl_put_sem(sem), "evl_put_sem"); }
static void get(struct evl_sem *sem)		{ check(evl_get_sem(sem), "evl_get_sem"); }
static void lock(struct evl_mutex *mutex)	{ check(evl_lock_mutex(mutex), "evl_lock_mutex"); }
static void unlock(struct evl_mutex *mutex)	{ check(evl_unlock_mutex(mutex), "evl_unlock_mutex"); }

/* The follower waits to be asked. */
static void do_nothing(struct pair *p)
{
}

static void ask_and_wait(struct pair *p)
{
	put(&p->ask);
	get(&p->answer);
}

static void ask_last(struct pair *p)
{
	put(&p->ask);
}

static void answer_all(struct pair *p)
{
	for (;;) {
		get(&p->ask);
		if (is_set(&over))
			return;
		put(&p->answer);
	}
}

/* The follower waits for the mutex, which the leader has. */
static void take_first(struct pair *p)
{
	lock(&p->mutex);
	put(&p->ask);
	check(evl_yield(), "evl_yield");
}

static void pass_and_want(struct pair *p)
{
	unlock(&p->mutex);
	lock(&p->mutex);
}

static void pass_last(struct pair *p)
{
	unlock(&p->mutex);
}

static void want_and_pass(struct pair *p)
{
	get(&p->ask);
	do {
		lock(&p->mutex);
		unlock(&p->mutex);
	} while (!is_set(&over));
}

static const struct operation operations[] = {
	{ "wakeup", do_nothing, ask_and_wait, ask_last, answer_all },
	{ "handoff", take_first, pass_and_want, pass_last, want_and_pass },
};

#define NR_OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

/* The emulator gives the turn to the next CPU. */
static void let_others_run(void)
{
	__builtin_ia32_pause();
}

static void begin_together(void)
{
	if (__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST) == nr_pairs) {
		start_date = t_now();
		publish(&started, 1);
	}
	while (!is_set(&started))
		let_others_run();
}

/* The last pair to get there ends it for all. */
static void count_round(struct pair *p)
{
	if (++p->rounds == nr_rounds && __atomic_add_fetch(&nr_done, 1, __ATOMIC_SEQ_CST) == nr_pairs) {
		end_date = t_now();
		publish(&over, 1);
	}
}

static struct evl_thread_state state_of(int efd)
{
	struct evl_thread_state state;

	check(evl_get_state(efd, &state), "evl_get_state");

	return state;
}

static void check_stayed(uint32_t isw, int efd)
{
	if (state_of(efd).isw != isw)
		fail("a thread went in-band meanwhile");
}

static void *lead(void *arg)
{
	struct pair *p = arg;
	uint64_t period = (uint64_t)nr_pairs * TIMER_NS;
	struct evl_thread_state state;
	int n, efd = attach("scale-lead"), tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);

	if (tfd < 0)
		fail("evl_new_timer: %s", strerror(-tfd));
	publish(&p->efds[0], efd);
	get(&p->answer);
	operation->prepare(p);
	for (n = 0; n < WARM_UP; n++)
		operation->round(p);

	check(set_timer(tfd, t_now() + period, period), "evl_set_timer");
	state = state_of(efd);
	begin_together();
	while (!is_set(&over)) {
		operation->round(p);
		count_round(p);
		let_others_run();
	}
	p->switches = state_of(efd).csw - state.csw;
	check_stayed(state.isw, efd);
	operation->dismiss(p);

	return NULL;
}

static void *follow(void *arg)
{
	struct pair *p = arg;
	int efd = attach("scale-follow");
	uint32_t isw;

	check(evl_switch_oob(), "evl_switch_oob");
	isw = state_of(efd).isw;
	publish(&p->efds[1], efd);
	operation->follow(p);
	check_stayed(isw, efd);

	return NULL;
}

static void await_asleep(volatile int *efd)
{
	while (!is_set(efd) || !(state_of(*efd).state & EVL_T_PEND))
		pause_ms(1);
}

static void make_pair(struct pair *p, int cpu, pthread_t tids[2])
{
	if (evl_new_sem(&p->ask, NULL) < 0 || evl_new_sem(&p->answer, NULL) < 0 || evl_new_mutex(&p->mutex, NULL) < 0)
		fail("no memory for another pair");
	tids[0] = t_thread(PRIORITY, cpu, lead, p);
	tids[1] = t_thread(PRIORITY, cpu, follow, p);
	await_asleep(&p->efds[0]);
	await_asleep(&p->efds[1]);
}

/* This thread is of the first CPU, where it does not run any more once its pair does. */
static void run_pairs(struct pair *pairs)
{
	pthread_t tids[nr_pairs][2];
	int n;

	t_become(0, t_cpu(0));
	for (n = 0; n < nr_pairs; n++)
		make_pair(&pairs[n], t_cpu(n), tids[n]);
	for (n = nr_pairs - 1; n >= 0; n--)
		put(&pairs[n].answer);
	for (n = 0; n < nr_pairs; n++) {
		pthread_join(tids[n][0], NULL);
		pthread_join(tids[n][1], NULL);
	}
}

/* An operation without a switch is none. */
static void print_result(const struct pair *pairs)
{
	uint64_t ns = end_date - start_date;
	long sum = 0;
	int n;

	for (n = 0; n < nr_pairs; n++) {
		if (pairs[n].rounds < nr_rounds || pairs[n].switches != (uint32_t)pairs[n].rounds)
			fail("pair %d did %ld rounds with %u switches", n, pairs[n].rounds, pairs[n].switches);
		sum += pairs[n].rounds * 2;
	}
	printf("{\"operation\":\"%s\",\"cpus\":%d,\"ns_per_operation\":%.2f,\"operations\":%ld,\"ns\":%llu}\n",
	       operation->name, nr_pairs, (double)ns / (double)sum, sum, (unsigned long long)ns);
}

static void refuse(const char *what, const char *given, const char *wanted)
{
	fprintf(stderr, "rig-scale: %s '%s': expected %s\nusage: rig-scale wakeup|handoff ROUNDS\n", what, given, wanted);
	exit(2);
}

static void read_arguments(int argc, char *argv[])
{
	unsigned int n;
	char *end;

	if (argc != 3) {
		fprintf(stderr, "usage: rig-scale wakeup|handoff ROUNDS\n");
		exit(2);
	}
	for (n = 0; n < NR_OPERATIONS; n++)
		if (!strcmp(argv[1], operations[n].name))
			operation = &operations[n];
	if (!operation)
		refuse("operation", argv[1], "wakeup or handoff");
	nr_rounds = strtol(argv[2], &end, 10);
	if (*end || nr_rounds < 1 || nr_rounds > ROUNDS_MAX / nr_pairs)
		refuse("rounds", argv[2], "a number from 1 on, 600000 at most on all CPUs together");
}

int main(int argc, char *argv[])
{
	struct pair *pairs;
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	nr_pairs = CPU_COUNT(&allowed);
	read_arguments(argc, argv);
	check(evl_init(), "the core cannot be used");
	t_need_cpus(nr_pairs);
	pairs = aligned_alloc(128, (size_t)nr_pairs * sizeof(*pairs));
	if (!pairs)
		fail("no memory");
	memset(pairs, 0, (size_t)nr_pairs * sizeof(*pairs));
	run_pairs(pairs);
	print_result(pairs);

	return 0;
}
