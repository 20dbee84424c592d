// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crew of a CPU: its threads, each in its loop. Workers hand the turn over as the driver chooses; the
 * switcher, whose turn comes back after so many hand-overs, lets in-band breathe before the next burst.
 */
#include "hectic.h"
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <evl/evl.h>

#define PRIORITY	10
#define BREATH_NS	1000000
#define STRESS_LAPS	20000

/* Posted by each thread once it is enlisted, or failed to. */
static sem_t enlisted;
/* And then by the main thread, for each switcher. */
static sem_t begin;

static bool is_over(const struct crew *crew)
{
	return __atomic_load_n(&crew->over, __ATOMIC_ACQUIRE);
}

static bool attached(const struct worker *w)
{
	return w->spec.kind != KIND_SWITCHER && w->spec.kind != KIND_FPU_STRESS;
}

static int enlist(struct worker *w)
{
	struct hectic_task_index t = { .index = (uint32_t)w->index };
	int efd;

	if (attached(w)) {
		efd = evl_attach_self("%s:%d", w->name, getpid());
		if (efd < 0)
			return -efd;
		close(efd);
	}

	return ioctl(w->crew->fd, EVL_HECIOC_REGISTER_UTASK, &t) ? errno : 0;
}

/* Which stage the next wait is on; rtuo takes turns. */
static bool waits_oob(const struct worker *w, unsigned long turn)
{
	return w->spec.kind == KIND_RTUP || (w->spec.kind == KIND_RTUO && turn % 2);
}

/* One request, on a stage. 0, or an errno value. */
static int request(struct worker *w, bool oob, unsigned long what, struct hectic_switch_req *req)
{
	int ret = oob ? oob_ioctl(w->crew->fd, what, req) : ioctl(w->crew->fd, what, req);

	return ret ? errno : 0;
}

/* After a signal the turn may have been given away: wait for the next one. */
static int await_turn(struct worker *w, bool oob, struct hectic_switch_req *req)
{
	int ret;

	do {
		req->to = (uint32_t)w->index;
		ret = request(w, oob, EVL_HECIOC_PEND, req);
	} while (ret == EINTR);

	return ret;
}

static void report_mismatch(struct worker *w, bool oob, const struct hectic_switch_req *req,
			    const struct fpu_mismatch *m)
{
	struct hectic_error error = {
		.last_switch = { .from = req->from, .to = (uint32_t)w->index },
		.fp_reg = m->reg, .fp_val = m->found, .fp_expected = m->expected,
	};

	if (oob)
		oob_ioctl(w->crew->fd, EVL_HECIOC_REPORT_ERROR, &error);
	else
		ioctl(w->crew->fd, EVL_HECIOC_REPORT_ERROR, &error);
}

static uint32_t successor(const struct worker *w)
{
	return w->crew->opt->verify ? HECTIC_NEXT : HECTIC_ANYONE;
}

/* Gives the turn away and has it again. The registers are filled on the stage the last wait left us on. */
static int hand_over(struct worker *w, unsigned long turn, struct hectic_switch_req *req)
{
	bool oob = waits_oob(w, turn), filled = waits_oob(w, turn - 1) ? w->spec.fpu_oob : w->spec.fpu_inband;
	uint64_t pattern = (uint64_t)(w->crew->cpu + 1) << 48 | (uint64_t)(w->index + 1) << 32 | (turn & 0xffffff) << 8;
	struct fpu_mismatch m;
	bool kept = true;
	long ret;

	*req = (struct hectic_switch_req) { .from = (uint32_t)w->index, .to = successor(w) };
	if (filled)
		kept = fpu_kept_over_call(pattern, &ret, oob, w->crew->fd, EVL_HECIOC_SWITCH_TO, req, &m);
	else
		ret = -request(w, oob, EVL_HECIOC_SWITCH_TO, req);
	if (ret == -EINTR)
		ret = -await_turn(w, oob, req);
	if (!kept)
		report_mismatch(w, oob, req, &m);

	return (int)-ret;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct hectic_switch_req req;
	unsigned long turn = 1;
	int ret;

	w->error = enlist(w);
	sem_post(&enlisted);
	if (w->error)
		return NULL;

	ret = await_turn(w, waits_oob(w, turn), &req);
	while (!ret)
		ret = hand_over(w, ++turn, &req);
	if (ret != EIDRM)
		w->error = ret;
	evl_detach_self();

	return NULL;
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

static void *trigger(void *arg)
{
	const struct timespec breath = { .tv_nsec = BREATH_NS };
	struct worker *w = arg;
	struct hectic_switch_req req;
	int ret;

	w->error = enlist(w);
	sem_post(&enlisted);
	if (w->error)
		return NULL;

	wait_for(&begin);
	do {
		nanosleep(&breath, NULL);
		req = (struct hectic_switch_req) { .to = successor(w) };
		ret = is_over(w->crew) ? EIDRM : request(w, false, EVL_HECIOC_SWITCH_TO, &req);
		if (ret == EINTR)
			ret = await_turn(w, false, &req);
		while (w->crew->opt->fault == FAULT_STALL && !is_over(w->crew))
			nanosleep(&breath, NULL);
	} while (!ret);
	if (ret != EIDRM)
		w->error = ret;

	return NULL;
}

/* Uses the registers all the time, in-band, at no priority. */
static void *stress_fpu(void *arg)
{
	struct worker *w = arg;
	struct crew *crew = w->crew;
	uint64_t pattern = (uint64_t)(crew->cpu + 1) << 48 | 0xffffULL << 32;

	sem_post(&enlisted);
	while (!is_over(crew)) {
		pattern += 0x100;
		if (fpu_kept_over_spin(pattern, STRESS_LAPS, &crew->mismatch))
			continue;
		__atomic_store_n(&crew->stress_failed, true, __ATOMIC_RELEASE);
		break;
	}

	return NULL;
}

static void start_thread(struct worker *w, void *(*fn)(void *), int priority)
{
	struct sched_param param = { .sched_priority = priority };
	pthread_attr_t attr;
	cpu_set_t cpus;
	int ret;

	CPU_ZERO(&cpus);
	CPU_SET(w->crew->cpu, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, priority ? SCHED_FIFO : SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setstacksize(&attr, EVL_STACK_DEFAULT);
	ret = pthread_create(&w->thread, &attr, fn, w);
	pthread_attr_destroy(&attr);
	if (ret == EPERM)
		tool_die(STATUS_DENIED, "not allowed to use SCHED_FIFO: run hectic as root, or raise the rtprio limit of this user");
	if (ret)
		tool_die(STATUS_FAILED, "cannot create %s: %s", w->name, strerror(ret));
	w->started = true;
	wait_for(&enlisted);
	if (w->error)
		tool_die(tool_status_of(w->error), "%s cannot take part: %s", w->name, strerror(w->error));
}

static void start_kthread(struct worker *w)
{
	struct hectic_task_index t = {
		.index = (uint32_t)w->index,
		.flags = HECTIC_OOB_WAIT | (w->crew->opt->verify ? HECTIC_IN_ORDER : 0),
	};

	if (ioctl(w->crew->fd, EVL_HECIOC_CREATE_KTASK, &t))
		tool_die(tool_status_of(errno), "cannot create %s: %s", w->name, strerror(errno));
}

static void start_worker(struct worker *w)
{
	switch (w->spec.kind) {
	case KIND_SWITCHER:
		start_thread(w, trigger, PRIORITY);
		break;
	case KIND_RTK:
		start_kthread(w);
		break;
	default:
		start_thread(w, work, PRIORITY);
	}
}

static void open_crew(struct crew *crew)
{
	struct hectic_pause pause = { .pause = (uint64_t)crew->opt->stress_us * 1000 };
	uint32_t cpu = (uint32_t)crew->cpu, count = (uint32_t)crew->nr_workers;

	crew->fd = open(HECTIC_DEV, O_RDWR | O_CLOEXEC);
	if (crew->fd < 0)
		tool_die(tool_status_of(errno), HECTIC_DEV ": %s", strerror(errno));
	if (ioctl(crew->fd, EVL_HECIOC_SET_CPU, &cpu) || ioctl(crew->fd, EVL_HECIOC_SET_PAUSE, &pause) ||
	    ioctl(crew->fd, EVL_HECIOC_SET_TASKS_COUNT, &count))
		tool_die(STATUS_FAILED, "the driver refuses %d threads on CPU%d: %s", crew->nr_workers, crew->cpu,
			 strerror(errno));
}

void start_crews(struct crews *crews)
{
	int n, k;

	sem_init(&enlisted, 0, 0);
	sem_init(&begin, 0, 0);
	for (n = 0; n < crews->count; n++) {
		struct crew *crew = &crews->all[n];

		open_crew(crew);
		for (k = 0; k < crew->nr_workers; k++)
			start_worker(&crew->workers[k]);
	}
	for (n = 0; n < crews->count; n++) {
		if (crews->all[n].has_stress)
			start_thread(&crews->all[n].stress, stress_fpu, 0);
		sem_post(&begin);
	}
}

void stop_crews(struct crews *crews)
{
	int n, k;

	for (n = 0; n < crews->count; n++) {
		__atomic_store_n(&crews->all[n].over, true, __ATOMIC_RELEASE);
		ioctl(crews->all[n].fd, EVL_HECIOC_STOP);
	}
	for (n = 0; n < crews->count; n++) {
		struct crew *crew = &crews->all[n];

		for (k = 0; k < crew->nr_workers; k++)
			if (crew->workers[k].started)
				pthread_join(crew->workers[k].thread, NULL);
		if (crew->stress.started)
			pthread_join(crew->stress.thread, NULL);
		close(crew->fd);
	}
}

static void add_worker(struct crew *crew, const struct spec *spec)
{
	struct worker *w = &crew->workers[crew->nr_workers];

	*w = (struct worker) { .crew = crew, .spec = *spec, .index = crew->nr_workers++ };
	name_thread(w->name, spec, w->index);
}

static void fill_crew(struct crew *crew, const struct options *opt)
{
	struct spec switcher = { .kind = KIND_SWITCHER, .cpu = crew->cpu }, specs[MAX_DEFAULT_SPECS];
	int n, count;

	add_worker(crew, &switcher);
	for (n = 0; n < opt->nr_specs; n++)
		if (opt->specs[n].cpu == crew->cpu)
			add_worker(crew, &opt->specs[n]);
	if (!opt->nr_specs) {
		count = default_specs(specs, crew->cpu, opt->nofpu);
		for (n = 0; n < count; n++)
			add_worker(crew, &specs[n]);
	}
	crew->has_stress = opt->stress_us && !opt->nofpu;
	crew->stress = (struct worker) {
		.crew = crew, .index = crew->nr_workers, .spec = { .kind = KIND_FPU_STRESS, .cpu = crew->cpu },
	};
	name_thread(crew->stress.name, &crew->stress.spec, crew->stress.index);
}

static bool wants_cpu(const struct options *opt, int cpu, const cpu_set_t *core)
{
	int n;

	if (!opt->nr_specs)
		return CPU_ISSET(cpu, opt->have_cpus ? &opt->cpus : core);
	for (n = 0; n < opt->nr_specs; n++)
		if (opt->specs[n].cpu == cpu)
			return true;

	return false;
}

void make_crews(struct crews *crews, const struct options *opt, const cpu_set_t *core)
{
	size_t room = (size_t)(opt->nr_specs ? opt->nr_specs : MAX_DEFAULT_SPECS) + 1;
	int cpu;

	crews->count = 0;
	crews->all = calloc(CPU_SETSIZE, sizeof(*crews->all));
	if (!crews->all)
		tool_die(STATUS_FAILED, "out of memory");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		struct crew *crew = &crews->all[crews->count];

		if (!wants_cpu(opt, cpu, core))
			continue;
		*crew = (struct crew) { .opt = opt, .cpu = cpu };
		crew->workers = calloc(room, sizeof(*crew->workers));
		if (!crew->workers)
			tool_die(STATUS_FAILED, "out of memory");
		fill_crew(crew, opt);
		crews->count++;
	}
}
