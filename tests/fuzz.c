/* SPDX-License-Identifier: MIT */
/*
 * property: whatever calls a program makes in whatever order, others are not disturbed, and nothing of it is left.
 *
 * Usage: fuzz [CALLS [SEED]]. The same seed makes each thread choose the same sequence of calls; how threads
 * interleave is up to the machine. Two places are spared: the wall clock is never set, because the machine would
 * not be left as it was found; and the shared memory is written at the caller's own elements only, because
 * docs/uapi.md promises nothing to libraries whose words are overwritten.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=240
 */
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <evl/clock-abi.h>
#include <evl/control-abi.h>
#include <evl/factory-abi.h>
#include <evl/monitor-abi.h>
#include <evl/observable-abi.h>
#include <evl/poll-abi.h>
#include <evl/proxy-abi.h>
#include <evl/syscall-abi.h>
#include <evl/thread-abi.h>
#include <evl/xbuf-abi.h>
#include "stress.h"

#define NR_CALLS	100000
#define NR_PROCESSES	3
#define NR_THREADS	4
#define CALLS_A_ROUND	500	/* of each thread */
#define NR_SLOTS	64

/* What a process has open. Slots of the fixed part are never closed. */
static const char *const devices[] = {
	"/dev/evl/control", "/dev/evl/thread/clone", "/dev/evl/monitor/clone", "/dev/evl/xbuf/clone",
	"/dev/evl/observable/clone", "/dev/evl/proxy/clone", "/dev/evl/poll", "/dev/evl/clock/monotonic",
	"/dev/evl/clock/realtime", "/dev/null",
};

enum { CONTROL, THREAD, MONITOR, XBUF, OBSERVABLE, PROXY, POLL, MONOTONIC, REALTIME, NONE, NR_FIXED };

static atomic_int slots[NR_SLOTS];
static pid_t fuzzers[NR_THREADS];
static char *shared_words;
static size_t shared_size;
static char *edge;		/* last byte before an unmapped page */
static char *readonly;

/* Shared with the children. */
static struct {
	atomic_uint progress[NR_PROCESSES];
	atomic_ulong done, accepted;
} *board;

struct fuzzer {
	uint64_t seed;
	int process, nr;
	int files;		/* forks may not fork */
	uint32_t own_state;	/* offset of the last element created; 0: none */
	union {
		char bytes[512];
		uint32_t words[128];
		uint64_t longs[64];
	} arg;
	char name[64], attrs[64], data[512];
	struct __evl_timespec date;
	struct __evl_itimerspec timer;
};

static uint32_t dice(struct fuzzer *f, uint32_t sides)
{
	return roll(&f->seed, sides);
}

static uint32_t any_word(struct fuzzer *f)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 4, 8, 63, 64, 99, 100, 255, 256, 1000, 4095, 4096, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x40000000, 0x3fffffff };

	return dice(f, 4) ? edges[dice(f, NR_OF(edges))] : dice(f, UINT32_MAX);
}

/* Mostly the place meant, sometimes one which faults. */
static uint64_t place(struct fuzzer *f, void *meant)
{
	switch (dice(f, 24)) {
	case 0: return 0;
	case 1: return 8;
	case 2: return 0xffff888000000000ULL;
	case 3: return (uintptr_t)edge;
	case 4: return (uintptr_t)readonly;
	case 5: return 0x8000000000000000ULL;
	default: return (uintptr_t)meant;
	}
}

static int any_slot(struct fuzzer *f)
{
	return atomic_load(&slots[dice(f, NR_SLOTS)]);
}

static int any_fd(struct fuzzer *f)
{
	return dice(f, 16) ? any_slot(f) : (int)any_word(f) | 0x1000;
}

static void keep(struct fuzzer *f, int fd)
{
	int slot = NR_FIXED + (int)dice(f, NR_SLOTS - NR_FIXED);
	int old;

	if (fd < 0)
		return;
	old = atomic_exchange(&slots[slot], fd);
	if (old >= 0)
		close(old);
}

/* A date up to 2 ms ahead, in the past, or none. Waits without end are ended by the signals of stir(). */
static struct __evl_timespec any_date(struct fuzzer *f)
{
	struct timespec now;
	uint64_t ns;

	if (!dice(f, 8))
		return (struct __evl_timespec){ (int32_t)any_word(f), (int32_t)any_word(f) };
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec + dice(f, 2000000) - 500000;

	return (struct __evl_timespec){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
}

static void fill_date(struct fuzzer *f)
{
	*(struct __evl_timespec *)f->arg.bytes = any_date(f);
}

static void fill_wild(struct fuzzer *f)
{
	int n;

	for (n = 0; n < 24; n++)
		f->arg.words[n] = any_word(f);
}

static void fill_fd(struct fuzzer *f)
{
	f->arg.words[0] = (uint32_t)any_fd(f);
}

static void fill_word(struct fuzzer *f)
{
	f->arg.words[0] = any_word(f);
}

static void fill_badtime(struct fuzzer *f)
{
	f->arg.longs[0] = any_word(f);
	f->arg.longs[1] = NSEC_PER_SEC + any_word(f);
}

static void fill_timer(struct fuzzer *f)
{
	struct evl_timer_setreq *req = (void *)f->arg.bytes;

	f->timer.it_value = any_date(f);
	f->timer.it_interval.tv_sec = 0;
	f->timer.it_interval.tv_nsec = dice(f, 3) ? 100000 + (int)dice(f, 1000000) : (int)any_word(f);
	if (f->timer.it_interval.tv_nsec > 0 && f->timer.it_interval.tv_nsec < 100000)
		f->timer.it_interval.tv_nsec = 0;	/* the machine is emulated: leave it some time */
	req->value_ptr = place(f, &f->timer);
	req->ovalue_ptr = dice(f, 2) ? place(f, f->data) : 0;
}

static void fill_wait(struct fuzzer *f)
{
	struct evl_monitor_waitreq *req = (void *)f->arg.bytes;

	f->date = any_date(f);
	req->timeout_ptr = place(f, &f->date);
	req->gatefd = dice(f, 4) ? any_fd(f) : -1;
	req->value = any_word(f);
	req->reserved = dice(f, 16) ? 0 : any_word(f);
}

static void fill_sched(struct fuzzer *f)
{
	static const int policies[] = { 0, 1, 2, 43, 43, 1, 1, 99 };
	struct evl_sched_attrs *attrs = (void *)f->arg.bytes;

	attrs->sched_policy = policies[dice(f, NR_OF(policies))];
	attrs->sched_priority = dice(f, 8) ? (int)dice(f, 40) : (int)any_word(f);
	/* Below the bystander: nobody promises anything to it from threads above. */
	if (attrs->sched_priority > 60 && attrs->sched_priority < 100)
		attrs->sched_priority = 60;
	attrs->sched_rr_quantum.tv_sec = dice(f, 8) ? 0 : (int)any_word(f);
	attrs->sched_rr_quantum.tv_nsec = dice(f, 4) ? 1000000 : any_word(f);
}

static void fill_mode(struct fuzzer *f)
{
	struct evl_thread_mode *mode = (void *)f->arg.bytes;

	mode->oldmask_ptr = dice(f, 2) ? place(f, f->data) : 0;
	mode->mask = dice(f, 8) ? dice(f, UINT32_MAX) & EVL_T_MODE_BITS : any_word(f);
	mode->reserved = dice(f, 16) ? 0 : 1;
}

static void fill_pollctl(struct fuzzer *f)
{
	struct evl_poll_ctlreq *req = (void *)f->arg.bytes;

	req->action = dice(f, 16) ? dice(f, 3) : any_word(f);
	req->fd = any_fd(f);
	req->events = dice(f, 4) ? POLLIN | POLLOUT : any_word(f);
	req->reserved = dice(f, 16) ? 0 : 1;
	req->pollval.lval = any_word(f);
}

static void fill_pollwait(struct fuzzer *f)
{
	struct evl_poll_waitreq *req = (void *)f->arg.bytes;

	f->date = any_date(f);
	req->timeout_ptr = place(f, &f->date);
	req->pollset_ptr = place(f, f->data);
	req->nrset = dice(f, 8) ? (int)dice(f, sizeof(f->data) / sizeof(struct evl_poll_event)) : (int)any_word(f);
	if (req->nrset > 32)
		req->pollset_ptr = 8;	/* no scribbling past our buffer */
	req->reserved = dice(f, 16) ? 0 : 1;
}

static void fill_subscription(struct fuzzer *f)
{
	f->arg.words[0] = dice(f, 8) ? 1 + dice(f, 64) : any_word(f);
	f->arg.words[1] = dice(f, 8) ? dice(f, 2) : any_word(f);
}

static void fill_notices(struct fuzzer *f)
{
	struct evl_observable_req *req = (void *)f->arg.bytes;
	struct evl_notice *notices = (void *)f->data;
	int n;

	for (n = 0; n < 10; n++)
		notices[n] = (struct evl_notice){ .tag = 60 + dice(f, 20), .event.lval = any_word(f) };
	req->array_ptr = place(f, f->data);
	req->nr = dice(f, 8) ? (int)dice(f, 10) : (int)any_word(f);
	if (req->nr > 10)
		req->array_ptr = 8;
	req->reserved = dice(f, 16) ? 0 : 1;
}

static void fill_cpustate(struct fuzzer *f)
{
	struct evl_cpu_state *req = (void *)f->arg.bytes;

	req->state_ptr = place(f, f->data);
	req->cpu = any_word(f);
	req->reserved = dice(f, 8) ? 0 : 1;
}

static void fill_schedctl(struct fuzzer *f)
{
	struct evl_sched_ctlreq *req = (void *)f->arg.bytes;

	/* Groups and schedules would outlive their maker: none are made. */
	req->policy = any_word(f);
	if (req->policy == SCHED_QUOTA || req->policy == SCHED_TP)
		req->policy = 0;
	req->param_ptr = place(f, f->data);
	req->info_ptr = place(f, f->data);
	req->cpu = (int)any_word(f);
	req->reserved = dice(f, 8) ? 0 : 1;
}

static void fill_newtimer(struct fuzzer *f)
{
	f->arg.words[0] = dice(f, 8) ? 0 : any_word(f);
	f->arg.words[1] = (uint32_t)-1;
}

static const struct request {
	unsigned long nr;
	void (*fill)(struct fuzzer *f);
	int device;		/* preferred slot, or -1 */
} requests[] = {
	{ EVL_CTLIOC_GET_COREINFO, fill_wild, CONTROL }, { EVL_CTLIOC_SCHEDCTL, fill_schedctl, CONTROL },
	{ EVL_CTLIOC_GET_CPUSTATE, fill_cpustate, CONTROL }, { EVL_THRIOC_SWITCH_OOB, fill_wild, CONTROL },
	{ EVL_THRIOC_SWITCH_OOB, fill_wild, CONTROL }, { EVL_THRIOC_SWITCH_INBAND, fill_wild, CONTROL },
	{ EVL_THRIOC_DETACH_SELF, fill_wild, CONTROL }, { EVL_THRIOC_YIELD, fill_wild, CONTROL },
	{ EVL_THRIOC_SET_SCHEDPARAM, fill_sched, -1 }, { EVL_THRIOC_GET_SCHEDPARAM, fill_wild, -1 },
	{ EVL_THRIOC_GET_STATE, fill_wild, -1 }, { EVL_THRIOC_SET_MODE, fill_mode, -1 },
	{ EVL_THRIOC_CLEAR_MODE, fill_mode, -1 }, { EVL_THRIOC_UNBLOCK, fill_wild, -1 },
	{ EVL_THRIOC_DEMOTE, fill_wild, -1 }, { EVL_CLKIOC_SLEEP, fill_date, MONOTONIC },
	{ EVL_CLKIOC_GET_RES, fill_wild, MONOTONIC }, { EVL_CLKIOC_GET_TIME, fill_wild, REALTIME },
	{ EVL_CLKIOC_SET_TIME, fill_badtime, REALTIME }, { EVL_CLKIOC_NEW_TIMER, fill_newtimer, MONOTONIC },
	{ EVL_CLKIOC_NEW_TIMER, fill_newtimer, REALTIME }, { EVL_TFDIOC_SET, fill_timer, -1 },
	{ EVL_TFDIOC_GET, fill_wild, -1 }, { EVL_MONIOC_BIND, fill_wild, -1 }, { EVL_MONIOC_ENTER, fill_wait, -1 },
	{ EVL_MONIOC_TRYENTER, fill_wild, -1 }, { EVL_MONIOC_EXIT, fill_wild, -1 },
	{ EVL_MONIOC_SET_CEILING, fill_word, -1 }, { EVL_MONIOC_WAIT, fill_wait, -1 },
	{ EVL_MONIOC_WAIT_EXACT, fill_wait, -1 }, { EVL_MONIOC_SIGNAL, fill_fd, -1 },
	{ EVL_MONIOC_SIGNAL, fill_word, -1 }, { EVL_MONIOC_BROADCAST, fill_word, -1 },
	{ EVL_MONIOC_SIGNAL_THREAD, fill_fd, -1 }, { EVL_MONIOC_NOTIFY, fill_wild, -1 },
	{ EVL_POLIOC_CTL, fill_pollctl, POLL }, { EVL_POLIOC_CTL, fill_pollctl, -1 },
	{ EVL_POLIOC_WAIT, fill_pollwait, POLL }, { EVL_OBSIOC_SUBSCRIBE, fill_subscription, -1 },
	{ EVL_OBSIOC_UNSUBSCRIBE, fill_wild, -1 }, { EVL_OBSIOC_UPDATE, fill_notices, -1 },
	{ EVL_OBSIOC_READ, fill_notices, -1 },
};

static long do_request(struct fuzzer *f)
{
	const struct request *r = &requests[dice(f, NR_OF(requests))];
	int fd = r->device >= 0 && dice(f, 8) ? atomic_load(&slots[r->device]) : any_fd(f);
	unsigned long nr = dice(f, 64) ? r->nr : r->nr ^ (1UL << dice(f, 32));
	unsigned long arg;
	bool oob = dice(f, 4);
	long ret;

	r->fill(f);
	arg = place(f, f->arg.bytes);
	ret = oob ? oob_call(sys_evl_ioctl, fd, nr, arg) : ioctl(fd, nr, arg);
	if (!ret && r->nr == EVL_CLKIOC_NEW_TIMER)
		keep(f, (int)f->arg.words[1]);

	return ret;
}

static uint32_t fill_attrs(struct fuzzer *f, int device)
{
	uint32_t *w = (void *)f->attrs;

	switch (device) {
	case MONITOR:
		w[0] = dice(f, 2) ? (uint32_t)EVL_CLOCK_MONOTONIC : (uint32_t)any_fd(f);
		w[1] = dice(f, 2);
		w[2] = dice(f, 3) | (dice(f, 4) ? 0 : EVL_GATE_RECURSIVE);
		w[3] = dice(f, 3) ? dice(f, 50) : any_word(f);
		return sizeof(struct evl_monitor_attrs);
	case XBUF:
		w[0] = dice(f, 2) ? 1 + dice(f, 256) : dice(f, 2) * 64;
		w[1] = dice(f, 2) ? 1 + dice(f, 256) : dice(f, 2) * 64;
		return sizeof(struct evl_xbuf_attrs);
	case PROXY:
		w[0] = (uint32_t)any_fd(f);
		w[1] = dice(f, 256);
		w[2] = dice(f, 2) ? 0 : 8;
		return sizeof(struct evl_proxy_attrs);
	default:
		return 0;
	}
}

static long do_clone(struct fuzzer *f)
{
	int device = THREAD + (int)dice(f, PROXY - THREAD + 1);
	static const uint32_t flags[] = { 0, EVL_CLONE_OBSERVABLE, EVL_CLONE_NONBLOCK, EVL_CLONE_UNICAST,
		EVL_CLONE_INPUT, EVL_CLONE_OUTPUT, EVL_CLONE_INPUT | EVL_CLONE_OUTPUT };
	struct evl_clone_req req = {
		.attrs_len = fill_attrs(f, device),
		.clone_flags = flags[dice(f, NR_OF(flags))] | (dice(f, 2) ? EVL_CLONE_PUBLIC : 0),
		.efd = -1,
	};
	int ret;

	/* Few names: they collide. */
	snprintf(f->name, sizeof(f->name), "fuzz-%u", dice(f, 30));
	req.name_ptr = dice(f, 8) ? place(f, f->name) : 0;
	req.attrs_ptr = req.attrs_len ? place(f, f->attrs) : 0;
	if (!dice(f, 16))
		req.attrs_len = any_word(f);
	if (!dice(f, 16))
		req.clone_flags = any_word(f);
	ret = ioctl(atomic_load(&slots[device]), EVL_IOC_CLONE, &req);
	if (!ret && req.efd >= 0) {
		f->own_state = device == MONITOR ? req.eids.state_offset : f->own_state;
		keep(f, req.efd);
	}

	return ret;
}

/* The words of an own monitor, which the core has to take for a hint. */
static long do_scribble(struct fuzzer *f)
{
	struct evl_monitor_state *state = (void *)(shared_words + f->own_state);

	if (!f->own_state || f->own_state + sizeof(*state) > shared_size)
		return -1;
	/* Another's by now, if the monitor is gone: of this process all the same, or of nobody. */
	__atomic_store_n((uint32_t *)state + dice(f, 4), any_word(f), __ATOMIC_RELAXED);

	return 0;
}

static long do_transfer(struct fuzzer *f)
{
	unsigned long len = dice(f, 8) ? dice(f, sizeof(f->data)) : 8;
	unsigned long buf = place(f, f->data);
	int fd = any_slot(f);

	if (fd < 0)
		return -1;
	switch (dice(f, 8)) {
	case 0: return syscall(SYS_read, fd, buf, len);
	case 1: return syscall(SYS_write, fd, buf, len);
	case 2: return oob_call(sys_evl_read + 3 + dice(f, 100), fd, buf, len);
	case 3: case 4: return oob_call(sys_evl_write, fd, buf, len);
	default: return oob_call(sys_evl_read, fd, buf, len);
	}
}

static long do_open(struct fuzzer *f)
{
	static const char *const kinds[] = { "thread", "monitor", "xbuf", "observable", "proxy" };
	char path[64];
	int fd;

	if (dice(f, 3))
		snprintf(path, sizeof(path), "/dev/evl/%s/fuzz-%u", kinds[dice(f, NR_OF(kinds))], dice(f, 30));
	else
		snprintf(path, sizeof(path), "%s", devices[dice(f, NR_OF(devices))]);
	fd = dice(f, 6) ? open(path, O_RDWR | O_CLOEXEC | (dice(f, 2) ? O_NONBLOCK : 0)) :
		eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	keep(f, fd);

	return fd;
}

static long do_close(struct fuzzer *f)
{
	int fd = atomic_exchange(&slots[NR_FIXED + dice(f, NR_SLOTS - NR_FIXED)], -1);

	return fd < 0 ? -1 : close(fd);
}

static long do_dup(struct fuzzer *f)
{
	int fd = dup(any_slot(f));

	keep(f, fd);

	return fd;
}

static long do_map(struct fuzzer *f)
{
	size_t len = dice(f, 2) ? shared_size : 4096 * (size_t)dice(f, 64);
	void *p = mmap(NULL, len, (int)dice(f, 4), dice(f, 4) ? MAP_SHARED : MAP_PRIVATE, any_slot(f),
		       4096 * (off_t)(dice(f, 4) ? 0 : dice(f, 9)));

	return p == MAP_FAILED ? -1 : munmap(p, len);
}

static long do_inband_poll(struct fuzzer *f)
{
	struct pollfd pfds[4];
	int n;

	for (n = 0; n < 4; n++)
		pfds[n] = (struct pollfd){ .fd = any_slot(f), .events = POLLIN | POLLOUT };

	return poll(pfds, 4, (int)dice(f, 2));
}

static long do_signal(struct fuzzer *f)
{
	return interrupt(fuzzers[dice(f, NR_THREADS)]);
}

static long do_fork(struct fuzzer *f);

static long do_any(struct fuzzer *f)
{
	switch (dice(f, 64)) {
	case 0: return do_fork(f);
	case 1: case 2: return do_signal(f);
	case 3: case 4: return do_map(f);
	case 5: case 6: return do_inband_poll(f);
	case 7: case 8: case 9: return do_dup(f);
	case 10: case 11: case 12: return do_close(f);
	case 13: case 14: case 15: return do_open(f);
	case 16: case 17: return do_scribble(f);
	case 18 ... 23: return do_clone(f);
	case 24 ... 29: return do_transfer(f);
	default: return do_request(f);
	}
}

static long do_fork(struct fuzzer *f)
{
	struct fuzzer twin = *f;
	pid_t pid;
	int n;

	if (f->files || dice(f, 4))
		return -1;
	pid = (pid_t)syscall(SYS_fork);
	if (!pid) {
		alarm(10);
		twin.files = 1;
		for (n = 0; n < 20; n++)
			if (dice(&twin, 2))
				do_open(&twin);
			else
				do_any(&twin);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;

	return pid;
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;
	unsigned long accepted = 0;
	int n;

	fuzzers[f->nr] = (pid_t)syscall(SYS_gettid);
	for (n = 0; n < CALLS_A_ROUND; n++) {
		accepted += do_any(f) >= 0;
		atomic_fetch_add(&board->progress[f->process], 1);
	}
	atomic_fetch_add(&board->done, CALLS_A_ROUND);
	atomic_fetch_add(&board->accepted, accepted);

	return NULL;
}

static void *stir(void *unused)
{
	int n;

	(void)unused;
	for (n = 0;; n++) {
		usleep(10000);
		interrupt(fuzzers[n % NR_THREADS]);
	}

	return NULL;
}

static void open_all(void)
{
	struct evl_core_info info;
	int n;

	for (n = 0; n < NR_SLOTS; n++)
		atomic_store(&slots[n], n < NR_FIXED ? open(devices[n], O_RDWR | O_CLOEXEC) : -1);
	ioctl(slots[CONTROL], EVL_CTLIOC_GET_COREINFO, &info);
	shared_size = info.shm_size;
	shared_words = mmap(NULL, shared_size, PROT_READ | PROT_WRITE, MAP_SHARED, slots[CONTROL], 0);
	edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	edge += 4095;
	readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void live(int process, uint64_t seed)
{
	static struct fuzzer all[NR_THREADS];
	struct sigaction act = { .sa_handler = ignore_signal };
	pthread_t thread;
	int n;

	open_all();
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGXCPU, &act, NULL);
	for (n = 0; n < NR_THREADS; n++)
		fuzzers[n] = getpid();
	for (n = 0; n < NR_THREADS; n++) {
		all[n] = (struct fuzzer){ .process = process, .nr = n };
		all[n].seed = seed_of((seed * NR_PROCESSES + (uint64_t)process) * NR_THREADS + (uint64_t)n);
		pthread_create(&thread, NULL, fuzz, &all[n]);
	}
	pthread_create(&thread, NULL, stir, NULL);
	/* The stirrer goes on to signal threads which ended: there is nobody of that number then. */
	while (atomic_load(&board->progress[process]) < NR_THREADS * CALLS_A_ROUND)
		usleep(1000);
	_exit(0);
}

/* All but the first process may be killed on their way. */
static int play(uint64_t seed)
{
	struct fuzzer f = { .seed = seed_of(seed) };
	pid_t pids[NR_PROCESSES];
	int n, status, stuck = 0;

	fflush(NULL);
	for (n = 0; n < NR_PROCESSES; n++) {
		atomic_store(&board->progress[n], 0);
		pids[n] = fork();
		if (!pids[n])
			live(n, seed);
	}
	if (!dice(&f, 4)) {
		usleep(dice(&f, 200000));
		kill(pids[1 + dice(&f, NR_PROCESSES - 1)], SIGKILL);
	}
	for (n = 0; n < NR_PROCESSES; n++)
		stuck += !ends(pids[n], &board->progress[n], &status);

	return stuck;
}

int main(int argc, char *argv[])
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 0) : NR_CALLS, begun = 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261125;
	struct inventory before;
	struct bystander *bystander;
	unsigned int turns, idle = 0;
	int stuck = 0;

	deadline((int)(230 * (calls / NR_CALLS + 1)));
	t_require_core();
	t_plan(6);
	t_diag("seed %llu", (unsigned long long)seed);
	board = shared_board(sizeof(*board));
	before = take_inventory();
	bystander = start_bystander();
	for (; begun < calls; begun += NR_PROCESSES * NR_THREADS * CALLS_A_ROUND, seed++) {
		turns = atomic_load(&bystander->turns);
		stuck += play(seed);
		idle += atomic_load(&bystander->turns) == turns;
	}
	t_diag("%lu calls, %lu of them accepted; %u turns of the bystander", atomic_load(&board->done),
	       atomic_load(&board->accepted), atomic_load(&bystander->turns));
	t_ok(!stuck, "each process came to its end (%d did not)", stuck);
	t_ok(atomic_load(&board->accepted) > atomic_load(&board->done) / 20, "the core was reached");
	t_ok(!idle && !atomic_load(&bystander->error), "the bystander was not disturbed (%u rounds idle, error %d)",
	     idle, atomic_load(&bystander->error));
	end_bystander(bystander);
	judge_inventory(&before);

	return t_end();
}
