/* SPDX-License-Identifier: MIT */
/*
 * What tests under random load share: chance which a seed repeats, processes which live, are killed, and end; a
 * bystander who must not notice; and what is counted before and after.
 */
#ifndef _TESTS_STRESS_H
#define _TESTS_STRESS_H

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "common.h"

#define STUCK_SECONDS	30
#define NOBODY		65534

#define NR_OF(array)	(sizeof(array) / sizeof((array)[0]))

static inline uint64_t seed_of(uint64_t number)
{
	return (number + 1) * 0x9e3779b97f4a7c15ULL;
}

static inline uint32_t roll(uint64_t *seed, uint32_t sides)
{
	/* xorshift64* */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;

	return (uint32_t)((*seed * 0x2545f4914f6cdd1dULL) >> 32) % sides;
}

/* Memory which the processes to come share. */
static inline void *shared_board(size_t size)
{
	void *board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED)
		t_bail("no memory: %s", strerror(errno));

	return board;
}

/* Not by pthread_kill(): its lock may be held by somebody else when a thread forks, in the child for ever. */
static inline long interrupt(pid_t tid)
{
	return syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
}

static inline void ignore_signal(int sig) { }

/* Results which are none of the possible ones: how many, and the first. Shared memory. */
struct surprises {
	atomic_int count, first, line;
};

static inline int wonder(struct surprises *s, int line, int ret)
{
	if (!atomic_fetch_add(&s->count, 1)) {
		atomic_store(&s->first, ret);
		atomic_store(&s->line, line);
	}

	return ret;
}

static inline void judge_surprises(struct surprises *s, const char *who)
{
	t_ok(!atomic_load(&s->count), "%s: no result is strange (%d, the first one %d in line %d)", who, atomic_load(&s->count),
	     atomic_load(&s->first), atomic_load(&s->line));
}

/* Of whoever is there: state, policy, priorities. */
static inline void show_threads(void)
{
	const char *command = "cd /sys/devices/virtual/thread && for t in *:*; do echo \"# $t $(cat $t/state $t/sched | tr '\\n' ' ')\"; done";

	fflush(NULL);
	if (system(command))
		t_diag("no threads to show");
}

/* Wait for a process to end by itself, as long as it makes some progress. */
static inline bool ends(pid_t pid, atomic_uint *progress, int *status)
{
	unsigned int last = 0, now;
	int n;

	for (n = 0; n < STUCK_SECONDS * 100; n++) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		now = atomic_load(progress);
		if (now != last)
			n = 0;
		last = now;
		usleep(10000);
	}
	t_diag("process %d is stuck after %u calls", pid, last);
	show_threads();
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);

	return false;
}

/* Who has nothing to do with all this. */
struct bystander {
	pid_t pid;
	atomic_uint turns;
	atomic_int error;
};

/* One turn: each of its elements does what it should. */
static inline int take_turn(struct evl_mutex *mutex, struct evl_sem *sem, int set)
{
	struct evl_poll_event ev;
	int ret = evl_lock_mutex(mutex);

	ret = ret ?: evl_put_sem(sem);
	ret = ret ?: evl_unlock_mutex(mutex);
	ret = ret ?: evl_poll(set, &ev, 1) == 1 && ev.fd == (uint32_t)sem->mon.efd ? 0 : -EILSEQ;
	ret = ret ?: evl_get_sem(sem);

	return ret ?: evl_usleep(2000);
}

static inline void be_bystander(struct bystander *b) __attribute__((__noreturn__));

static inline void be_bystander(struct bystander *b)
{
	static struct evl_mutex mutex;
	static struct evl_sem sem;
	int ret, set;

	evl_init();
	t_become(90, -1);
	attach("bystander");
	evl_new_mutex(&mutex, "/bystander-mutex:%d", getpid());
	evl_new_sem(&sem, "/bystander-sem:%d", getpid());
	set = evl_new_poll();
	ret = evl_add_pollfd(set, sem.mon.efd, POLLIN, evl_nil);
	if (ret || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	for (;;) {
		ret = take_turn(&mutex, &sem, set);
		if (ret)
			atomic_store(&b->error, ret);
		atomic_fetch_add(&b->turns, 1);
	}
}

static inline struct bystander *start_bystander(void)
{
	struct bystander *b = shared_board(sizeof(*b));
	pid_t pid;
	int n;

	fflush(NULL);
	pid = fork();
	if (!pid)
		be_bystander(b);
	b->pid = pid;
	for (n = 0; n < 1000 && !atomic_load(&b->turns); n++)
		pause_ms(10);

	return b;
}

static inline void end_bystander(struct bystander *b)
{
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
}

static inline int count_files(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);
	int count = 0;

	while (d && (entry = readdir(d)))
		count += entry->d_name[0] != '.';
	if (d)
		closedir(d);

	return count;
}

/* Elements which have a name, in both trees. */
static inline int count_elements(void)
{
	static const char *const kinds[] = { "thread", "monitor", "xbuf", "observable", "proxy", "clock", "poll" };
	char path[64];
	unsigned int n;
	int count = 0;

	for (n = 0; n < NR_OF(kinds); n++) {
		snprintf(path, sizeof(path), "/dev/evl/%s", kinds[n]);
		count += count_files(path);
		snprintf(path, sizeof(path), "/sys/devices/virtual/%s", kinds[n]);
		count += count_files(path);
	}

	return count;
}

static inline int count_references(void)
{
	FILE *file = fopen("/sys/module/evl/refcnt", "r");
	int count = -1;

	if (file) {
		if (fscanf(file, "%d", &count) != 1)
			count = -1;
		fclose(file);
	}

	return count;
}

static inline bool back_to(int (*measure)(void), int wanted)
{
	int n;

	for (n = 0; n < 500 && measure() != wanted; n++)
		pause_ms(10);

	return measure() == wanted;
}

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

static inline bool leak_command(const char *text)
{
	int fd = open(KMEMLEAK, O_WRONLY);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);

	return done;
}

/* The second scan: kmemleak wants objects to be older than some seconds. */
static inline void judge_leaks(bool watching)
{
	char line[256];
	FILE *file;
	int leaks = 0;

	if (!watching) {
		t_skip("no kmemleak here");
		return;
	}
	pause_ms(6000);
	leak_command("scan");
	leak_command("scan");
	file = fopen(KMEMLEAK, "r");
	while (file && fgets(line, sizeof(line), file)) {
		leaks += !strncmp(line, "unreferenced", 12);
		t_diag("%.*s", (int)strcspn(line, "\n"), line);
	}
	if (file)
		fclose(file);
	t_ok(file && !leaks, "no memory is lost (%d objects)", leaks);
}

/* What must be after as it was before. */
struct inventory {
	int elements;
	int references;
	bool leaks_watched;
};

static inline struct inventory take_inventory(void)
{
	return (struct inventory){
		.leaks_watched = leak_command("scan") && leak_command("clear"),
		.elements = count_elements(),
		.references = count_references(),
	};
}

/* Three results. */
static inline void judge_inventory(const struct inventory *before)
{
	t_ok(back_to(count_elements, before->elements), "no element is left (%d, %d before)", count_elements(), before->elements);
	t_ok(back_to(count_references, before->references), "no reference to the module is left (%d, %d before)",
	     count_references(), before->references);
	judge_leaks(before->leaks_watched);
}

/*
 * Lives: processes which do the same in one of several slots, and may be killed on their way. Each has a number of its
 * own. Who is doomed may have left anything half done, from a moment on before it is killed.
 */
#define NR_ALIVE	3
#define MAX_LIVES	20000

struct lives {
	void (*live)(int slot, int life) __attribute__((__noreturn__));
	atomic_uint progress[NR_ALIVE];
	int nr;				/* begun */
	pid_t pids[NR_ALIVE];
	int life[NR_ALIVE];
	atomic_bool doomed[MAX_LIVES];
};

static inline void start_life(struct lives *l, int slot)
{
	pid_t pid;

	if (l->nr >= MAX_LIVES - 1)
		t_bail("too many lives");
	fflush(NULL);
	l->life[slot] = ++l->nr;
	atomic_store(&l->progress[slot], 0);
	pid = fork();
	if (!pid)
		l->live(slot, l->life[slot]);
	if (pid < 0)
		t_bail("fork: %s", strerror(errno));
	l->pids[slot] = pid;
}

/* It was not killed. */
static inline bool ended_well(struct lives *l, int slot, int status)
{
	if (status)
		t_diag("life %d: status %#x", l->life[slot], status);

	return !status;
}

static inline bool await_end(struct lives *l, int slot)
{
	int status;

	return ends(l->pids[slot], &l->progress[slot], &status) && ended_well(l, slot, status);
}

/* False if it was not in time, and had not ended well. */
static inline bool kill_life(struct lives *l, int slot)
{
	int status;

	atomic_store(&l->doomed[l->life[slot]], true);
	kill(l->pids[slot], SIGKILL);
	waitpid(l->pids[slot], &status, 0);

	return (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || ended_well(l, slot, status);
}

/* Kills so many, one after the other; the last ones end by themselves. How many did not end well. */
static inline int play_lives(struct lives *l, uint64_t *seed, int kills, unsigned int max_delay_us)
{
	int n, slot, bad = 0;

	for (slot = 0; slot < NR_ALIVE; slot++)
		start_life(l, slot);
	for (n = 0; n < kills; n++) {
		usleep(roll(seed, max_delay_us));
		slot = (int)roll(seed, NR_ALIVE);
		bad += !kill_life(l, slot);
		start_life(l, slot);
	}
	for (slot = 0; slot < NR_ALIVE; slot++)
		bad += !await_end(l, slot);

	return bad;
}

/*
 * A test in two acts: one life alone, which comes to its end, then several, which are killed on their way. The test has
 * the board which they share, and judges what is on it.
 */
struct play {
	int plan;
	unsigned long calls;			/* of the short form */
	unsigned long calls_a_kill;
	unsigned int max_delay_us;		/* from one kill to the next */
	uint64_t *seed;				/* on the board */
	struct lives **lives;			/* made by run_play() */
	void (*live)(int slot, int life) __attribute__((__noreturn__));
	void (*create)(void);			/* what all lives use */
	void (*close)(void);
	void (*prepare_alone)(unsigned long calls);
	void (*prepare_several)(void);
	void (*judge)(const char *who, bool alone);
};

static inline void judge_act(const struct play *p, bool alone, int bad, struct bystander *b, unsigned int turns)
{
	const char *who = alone ? "alone" : "several";

	t_diag("%s: %d lives, %u turns of the bystander", who, (*p->lives)->nr, atomic_load(&b->turns));
	t_ok(!bad, "%s: each process which was not killed came to its end (%d did not)", who, bad);
	p->judge(who, alone);
	t_ok(atomic_load(&b->turns) != turns && !atomic_load(&b->error), "%s: the bystander was not disturbed (error %d)", who,
	     atomic_load(&b->error));
}

/* Arguments: calls, seed. */
static inline int run_play(const struct play *p, int argc, char *argv[])
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 0) : p->calls;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261125, chance = seed_of(seed);
	struct lives *lives = shared_board(sizeof(*lives));
	struct inventory before;
	struct bystander *b;
	unsigned int turns;
	int bad;

	deadline((unsigned int)(230 * (calls / p->calls + 1)));
	t_require_core();
	t_need_cpus(1);
	t_plan(p->plan);
	t_diag("seed %llu", (unsigned long long)seed);
	*p->seed = seed;
	*p->lives = lives;
	lives->live = p->live;
	before = take_inventory();
	b = start_bystander();
	p->create();

	p->prepare_alone(calls);
	turns = atomic_load(&b->turns);
	start_life(lives, 0);
	bad = !await_end(lives, 0);
	judge_act(p, true, bad, b, turns);

	p->prepare_several();
	turns = atomic_load(&b->turns);
	bad = play_lives(lives, &chance, (int)(calls / p->calls_a_kill), p->max_delay_us);
	judge_act(p, false, bad, b, turns);

	p->close();
	end_bystander(b);
	judge_inventory(&before);

	return t_end();
}

#endif /* _TESTS_STRESS_H */
