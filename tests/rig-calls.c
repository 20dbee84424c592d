/* SPDX-License-Identifier: MIT */
/*
 * What calls cost that let threads meet: not a test, "./evl-vm bench calls" runs it.
 *
 * usage: rig-calls [--posix] [--cpus A,B] [--operations N] [CALL...]
 *
 * Two threads, the leader on CPU A, the follower on B. Without --posix they are threads of the core.
 *
 *   mutex  a lock is handed over. The threads follow each other around a ring of three mutexes, either takes
 *          the next before it drops the one it has, so that neither gets ahead: the follower, of higher
 *          priority, waits for the one the leader has. With a single mutex of one CPU it would have that back
 *          at once.
 *   sem    the leader puts a unit, the follower puts one back: the round trip
 *   xbuf   as sem, 8 bytes in a cross-buffer, whose other end is in-band: so is the follower. POSIX: pipes
 *   clock  reading the monotonic clock; the leader alone
 *
 * One JSON object for each call: nanoseconds from first to last operation over their number. All is in
 * locked memory, and was done before. There is none if a thread of the core was in-band meanwhile, if one
 * got a mutex which the other has not had in between, or if an answer was wrong.
 */
#include <getopt.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "common.h"

#define WARM_UP		100	/* rounds */
#define NR_MUTEXES	3
#define STEP		(2 * NR_MUTEXES)	/* what rounds of all calls divide */
#define OPERATIONS_MIN	120
#define OPERATIONS_MAX	1000000

static void fail(const char *what)
{
	fprintf(stderr, "rig-calls: %s failed\n", what);
	_exit(1);
}

#define refuse(...)						\
	do {							\
		fprintf(stderr, "rig-calls: " __VA_ARGS__);	\
		fputc('\n', stderr);				\
		exit(2);					\
	} while (0)

/* The two forms of each call; n is the object, or the way: 0 there, 1 back. */
struct form {
	void (*setup)(void);
	void (*lock)(int n);
	void (*unlock)(int n);
	void (*put)(int n);
	void (*get)(int n);
	void (*send)(int n, uint64_t *value);
	void (*receive)(int n, uint64_t *value);
	void (*read_clock)(struct timespec *ts);
};

static struct evl_mutex evl_mutexes[NR_MUTEXES];
static struct evl_sem evl_sems[2];
static int xbuf;

static void evl_setup(void)
{
	int n;

	if (evl_init())
		fail("evl_init, is the core loaded? (--posix does without): it");
	for (n = 0; n < NR_MUTEXES; n++)
		if (evl_new_mutex(&evl_mutexes[n], NULL) < 0)
			fail("a new mutex");
	for (n = 0; n < 2; n++)
		if (evl_new_sem(&evl_sems[n], NULL) < 0)
			fail("a new semaphore");
	xbuf = evl_new_xbuf(64, NULL);
	if (xbuf < 0)
		fail("a new cross-buffer");
}

static void evl_lock(int n)	{ if (evl_lock_mutex(&evl_mutexes[n])) fail("evl_lock_mutex"); }
static void evl_unlock(int n)	{ if (evl_unlock_mutex(&evl_mutexes[n])) fail("evl_unlock_mutex"); }
static void evl_put(int n)	{ if (evl_put_sem(&evl_sems[n])) fail("evl_put_sem"); }
static void evl_get(int n)	{ if (evl_get_sem(&evl_sems[n])) fail("evl_get_sem"); }

/* There: from the leader, who is out-of-band; back: from the follower. */
static void evl_send(int n, uint64_t *value)
{
	if ((n ? write(xbuf, value, sizeof(*value)) : oob_write(xbuf, value, sizeof(*value))) != sizeof(*value))
		fail("a write to the cross-buffer");
}

static void evl_receive(int n, uint64_t *value)
{
	if ((n ? oob_read(xbuf, value, sizeof(*value)) : read(xbuf, value, sizeof(*value))) != sizeof(*value))
		fail("a read from the cross-buffer");
}

static void evl_clock(struct timespec *ts)
{
	evl_read_clock(EVL_CLOCK_MONOTONIC, ts);
}

static const struct form evl_form = {
	evl_setup, evl_lock, evl_unlock, evl_put, evl_get, evl_send, evl_receive, evl_clock,
};

static pthread_mutex_t mutexes[NR_MUTEXES];
static sem_t sems[2];
static int pipes[2][2];

static void posix_setup(void)
{
	pthread_mutexattr_t attr;
	int n;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	for (n = 0; n < NR_MUTEXES; n++)
		if (pthread_mutex_init(&mutexes[n], &attr))
			fail("pthread_mutex_init");
	for (n = 0; n < 2; n++)
		if (sem_init(&sems[n], 0, 0) || pipe(pipes[n]))
			fail("a semaphore or a pipe");
}

static void posix_lock(int n)	{ if (pthread_mutex_lock(&mutexes[n])) fail("pthread_mutex_lock"); }
static void posix_unlock(int n)	{ if (pthread_mutex_unlock(&mutexes[n])) fail("pthread_mutex_unlock"); }
static void posix_put(int n)	{ if (sem_post(&sems[n])) fail("sem_post"); }
static void posix_get(int n)	{ if (sem_wait(&sems[n])) fail("sem_wait"); }

static void posix_send(int n, uint64_t *value)
{
	if (write(pipes[n][1], value, sizeof(*value)) != sizeof(*value))
		fail("a write to the pipe");
}

static void posix_receive(int n, uint64_t *value)
{
	if (read(pipes[n][0], value, sizeof(*value)) != sizeof(*value))
		fail("a read from the pipe");
}

static void posix_clock(struct timespec *ts)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
}

static const struct form posix_form = {
	posix_setup, posix_lock, posix_unlock, posix_put, posix_get, posix_send, posix_receive, posix_clock,
};

static const struct form *form = &evl_form;

enum { LEADER, FOLLOWER };

/* Who had each mutex last. The leader begins with the first of them, the follower with the last. */
static int holders[NR_MUTEXES] = { LEADER, FOLLOWER, FOLLOWER };

static void take(int n, int who)
{
	form->lock(n);
	if (holders[n] == who)
		fail("handing over a mutex");
	holders[n] = who;
}

static void lead_mutex(long rounds)
{
	int n;

	while (rounds--) {
		for (n = 0; n < NR_MUTEXES; n++) {
			take((n + 1) % NR_MUTEXES, LEADER);
			form->unlock(n);
		}
	}
}

static void follow_mutex(long rounds)
{
	int n;

	while (rounds--) {
		for (n = 0; n < NR_MUTEXES; n++) {
			take(n, FOLLOWER);
			form->unlock((n + 2) % NR_MUTEXES);
		}
	}
}

static void lead_sem(long rounds)
{
	while (rounds--) {
		form->put(0);
		form->get(1);
	}
}

static void follow_sem(long rounds)
{
	while (rounds--) {
		form->get(0);
		form->put(1);
	}
}

static void lead_xbuf(long rounds)
{
	uint64_t value;

	while (rounds--) {
		value = (uint64_t)rounds;
		form->send(0, &value);
		form->receive(1, &value);
		if (value != ~(uint64_t)rounds)
			fail("the answer");
	}
}

static void follow_xbuf(long rounds)
{
	uint64_t value;

	while (rounds--) {
		form->receive(0, &value);
		value = ~value;
		form->send(1, &value);
	}
}

static void lead_clock(long rounds)
{
	struct timespec ts;

	while (rounds--)
		form->read_clock(&ts);
}

#define LEADER_PRIORITY	85

/*
 * A round is what the functions above repeat. Across CPUs the leader has to wait as well, for the mutex which
 * the follower has until it got the next: twice as many are handed over.
 */
static const struct call {
	const char *name;
	void (*lead)(long rounds);
	void (*follow)(long rounds);	/* NULL: there is no follower */
	int follower_priority;
	bool locks;			/* either has a mutex before and after */
	bool inband_follower;
	int same, cross;		/* operations in a round; 0: none to measure */
} calls[] = {
	{ "mutex", lead_mutex, follow_mutex, LEADER_PRIORITY + 5, true, false, NR_MUTEXES, STEP },
	{ "sem", lead_sem, follow_sem, LEADER_PRIORITY - 5, false, false, 1, 1 },
	{ "xbuf", lead_xbuf, follow_xbuf, LEADER_PRIORITY - 5, false, true, 1, 1 },
	{ "clock", lead_clock, NULL, 0, false, false, 1, 0 },
};

#define NR_CALLS	(sizeof(calls) / sizeof(calls[0]))

struct end {
	const char *name;
	pthread_t tid;
	int efd;			/* -1: a thread of the kernel's only */
	volatile int about;
	long inband;			/* times brought in-band */
};

static int cpus[2];			/* of leader and follower */
static const struct call *call;
static long rounds;
static struct end leader, follower;
static uint64_t elapsed;

/* The caller's, from now on or until now. */
static void count_inband(struct end *e, int sign)
{
	struct evl_thread_state state;

	if (e->efd < 0)
		return;

	if (evl_get_state(e->efd, &state))
		fail("evl_get_state");
	e->inband += sign * (long)state.isw;
	if (state.state & EVL_T_INBAND)
		fail("going out-of-band");
}

static uint64_t go(struct end *e, void (*fn)(long rounds))
{
	uint64_t begin, end;

	if (e->efd >= 0)
		evl_switch_oob();
	fn(WARM_UP);
	count_inband(e, -1);
	begin = posix_now();
	fn(rounds);
	end = posix_now();
	count_inband(e, 1);

	return end - begin;
}

static void come_about(struct end *e, bool attaches)
{
	touch_memory();
	e->efd = attaches ? attach(e->name) : -1;
}

static volatile int turning, over;

/*
 * CPUs of the emulator run in turns on one clock, which would have the kernel's way into its idle loop in it.
 * With this below the threads none is ever idle, and PAUSE passes the turn. So many turns take their time:
 * they begin with the measurement.
 */
static void *fill(void *arg)
{
	while (!over)
		if (turning)
			__builtin_ia32_pause();

	return NULL;
}

static void *follower_main(void *arg)
{
	come_about(&follower, form == &evl_form && !call->inband_follower);
	if (call->locks)
		form->lock(NR_MUTEXES - 1);
	publish(&follower.about, 1);
	go(&follower, call->follow);
	if (call->locks)
		form->unlock(NR_MUTEXES - 1);

	return NULL;
}

/* The follower waits for the first of all before this goes on. */
static void *leader_main(void *arg)
{
	come_about(&leader, form == &evl_form);
	if (call->locks)
		form->lock(0);
	publish(&leader.about, 1);
	if (call->follow && !await(&follower.about, 1))
		fail("the other thread");
	pause_ms(20);
	turning = 1;
	elapsed = go(&leader, call->lead);
	turning = 0;
	if (call->locks)
		form->unlock(0);

	return NULL;
}

static void run_call(void)
{
	leader = (struct end){ .name = "leader" };
	follower = (struct end){ .name = "follower" };
	leader.tid = t_thread(LEADER_PRIORITY, cpus[0], leader_main, NULL);
	if (call->follow) {
		if (!await(&leader.about, 1))
			fail("a thread");
		follower.tid = t_thread(call->follower_priority, cpus[1], follower_main, NULL);
		pthread_join(follower.tid, NULL);
	}
	pthread_join(leader.tid, NULL);
}

static void measure(const struct call *c, long operations)
{
	bool same = cpus[0] == cpus[1];
	long per_round = same ? c->same : c->cross;

	call = c;
	rounds = operations / per_round;
	run_call();
	if (leader.inband || follower.inband)
		fail("staying out-of-band");
	printf("{\"call\":\"%s\",\"cpus\":\"%s\",\"ns\":%.1f,\"operations\":%ld}\n", call->name,
	       same ? "same" : "cross", (double)elapsed / (double)operations, operations);
}

static const struct call *find_call(const char *name)
{
	size_t n;

	for (n = 0; n < NR_CALLS; n++)
		if (!strcmp(calls[n].name, name))
			break;
	if (n == NR_CALLS)
		refuse("there is no call '%s': mutex, sem, xbuf, clock", name);
	if (cpus[0] != cpus[1] && !calls[n].cross)
		refuse("'%s' takes one CPU", name);

	return &calls[n];
}

static long read_operations(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < OPERATIONS_MIN || value > OPERATIONS_MAX || value % STEP)
		refuse("--operations %s: expected a multiple of %d from %d to %d", text, STEP,
		       OPERATIONS_MIN, OPERATIONS_MAX);

	return value;
}

static void read_cpus(const char *text)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);
	char rest;

	if (sscanf(text, "%d,%d%c", &cpus[0], &cpus[1], &rest) != 2)
		refuse("--cpus %s: expected two numbers, A,B", text);
	if (cpus[0] < 0 || cpus[0] >= nr || cpus[1] < 0 || cpus[1] >= nr)
		refuse("--cpus %s: there are the CPUs 0 to %ld", text, nr - 1);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "posix", no_argument, NULL, 'p' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "operations", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	long operations = 6000;
	pthread_t fillers[2];
	size_t n;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'p': form = &posix_form; break;
		case 'c': read_cpus(optarg); break;
		case 'n': operations = read_operations(optarg); break;
		default:
			refuse("usage: rig-calls [--posix] [--cpus A,B] [--operations N] [mutex|sem|xbuf|clock...]");
		}
	}
	for (opt = optind; opt < argc; opt++)
		find_call(argv[opt]);

	t_deadline(120);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		fail("mlockall");
	form->setup();
	for (n = 0; cpus[0] != cpus[1] && n < 2; n++)
		fillers[n] = t_thread(0, cpus[n], fill, NULL);
	for (opt = optind; opt < argc; opt++)
		measure(find_call(argv[opt]), operations);
	for (n = 0; optind == argc && n < NR_CALLS; n++)
		if (cpus[0] == cpus[1] || calls[n].cross)
			measure(&calls[n], operations);
	over = 1;
	for (n = 0; cpus[0] != cpus[1] && n < 2; n++)
		pthread_join(fillers[n], NULL);

	return 0;
}
