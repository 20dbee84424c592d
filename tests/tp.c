/* SPDX-License-Identifier: MIT */
/*
 * property: threads of SCHED_TP run in the windows of their partition only; without a running plan they stand still,
 * unless boosted by a mutex, signalled or given another policy. Requests check what they are told.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=120
 */
#include "metered.h"

#define MSEC	1000000L

static int cpu;

static struct __evl_tp_window window(long offset, long duration, int ptid)
{
	return (struct __evl_tp_window){
		.offset = { .tv_sec = 0, .tv_nsec = offset },
		.duration = { .tv_sec = 0, .tv_nsec = duration }, .ptid = ptid,
	};
}

/* The block has not a byte more than it must. */
static struct evl_tp_ctlparam *plan_of(const struct __evl_tp_window *windows, int count)
{
	struct evl_tp_ctlparam *param = before_the_wall(evl_tp_paramlen((size_t)count));

	param->op = evl_tp_install;
	param->nr_windows = count;
	memcpy(param->windows, windows, (size_t)count * sizeof(*windows));

	return param;
}

static int request(struct evl_tp_ctlparam *param)
{
	return evl_control_sched(SCHED_TP, (union evl_sched_ctlparam *)param, NULL, cpu);
}

static int install(const struct __evl_tp_window *windows, int count)
{
	return request(plan_of(windows, count));
}

static int control(enum evl_tp_ctlop op)
{
	struct evl_tp_ctlparam *param = before_the_wall(evl_tp_paramlen(0));

	param->op = op;
	return request(param);
}

/* Number of windows, or error. */
static int get(struct evl_tp_ctlinfo *info, int capacity)
{
	struct evl_tp_ctlparam param = { .op = evl_tp_get, .nr_windows = capacity };
	int ret = evl_control_sched(SCHED_TP, (union evl_sched_ctlparam *)&param, (union evl_sched_ctlinfo *)info, cpu);

	return ret ?: info->nr_windows;
}

static struct evl_sched_attrs in_partition(int ptid, int prio)
{
	return (struct evl_sched_attrs){
		.sched_policy = SCHED_TP, .sched_priority = prio, .sched_tp_partition = ptid,
	};
}

static int refused(long off, long dur, long off2, long dur2, int ptid)
{
	struct __evl_tp_window w[2] = { window(off, dur, 0), window(off2, dur2, ptid) };

	return install(w, 2) == -EINVAL;
}

static void test_plan(void)
{
	struct __evl_tp_window w[3] = { window(0, MSEC, 0), window(MSEC, 2 * MSEC, 1), window(3 * MSEC, MSEC, EVL_TP_IDLE) };
	struct evl_tp_ctlinfo *two = before_the_wall(evl_tp_infolen(2)), *four = before_the_wall(evl_tp_infolen(4));
	int bad;

	t_ok(control(evl_tp_start) == -EINVAL && !control(evl_tp_stop) && !get(four, 4), "without a plan nothing starts");
	bad = !refused(MSEC, MSEC, 2 * MSEC, MSEC, 1) + !refused(0, MSEC, 2 * MSEC, MSEC, 1) +
		!refused(0, 2 * MSEC, MSEC, MSEC, 1) + !refused(0, 0, 0, MSEC, 1) + !refused(0, MSEC, MSEC, -MSEC, 1) +
		!refused(0, MSEC, MSEC, 1000000000, 1) + !refused(0, MSEC, MSEC, MSEC, 8) +
		!refused(0, MSEC, MSEC, MSEC, -2) + !refused(0, MSEC, MSEC, 999, 1) + (install(w, 0) != -EINVAL);
	t_ok(!bad, "late start, gap, overlap, bad duration, bad partition, no window: EINVAL (%d were not)", bad);
	t_ok(!install(w, 3), "a plan of three windows is installed");
	t_ok(get(two, 2) == 2 && get(four, 4) == 3 && four->windows[2].ptid == EVL_TP_IDLE &&
	     four->windows[1].offset.tv_nsec == MSEC && four->windows[1].duration.tv_nsec == 2 * MSEC,
	     "and read back, capped by room and by what there is");
	t_ok(get(NULL, 4) == -EINVAL && get(BAD_ADDRESS, 4) == -EFAULT && get(four, -1) == -EINVAL &&
	     control((enum evl_tp_ctlop)5) == -EINVAL && evl_control_sched(SCHED_TP, NULL, NULL, cpu) == -EFAULT,
	     "bad operation, room, addresses");
	t_ok(!control(evl_tp_uninstall) && !get(four, 4), "uninstalled, it is gone");
}

static int do_lock(void *arg)	{ return evl_lock_mutex(arg); }
static int do_unlock(void *arg)	{ return evl_unlock_mutex(arg); }

static void test_stopped(void)
{
	struct __evl_tp_window w[2] = { window(0, 20 * MSEC, 0), window(20 * MSEC, 20 * MSEC, EVL_TP_IDLE) };
	struct evl_sched_attrs attrs = in_partition(0, 10);
	struct evl_mutex mutex;
	struct runner owner;
	struct hand waiter;

	install(w, 2);
	if (evl_new_mutex(&mutex, NULL) < 0)
		t_bail("no mutex");
	start_runner(&owner, cpu, &attrs, &mutex);
	t_ok(comes_to_a_stop(&owner) && has_attrs(owner.efd, &attrs), "installed, but not started: nobody runs");
	t_ok(serves_signal(&owner) && comes_to_a_stop(&owner), "a signal is served nevertheless");
	hire(&waiter, "waiter", 40, cpu);
	publish(&owner.stop, 1);
	t_ok(!ask(&waiter, do_lock, &mutex), "the owner of a mutex a FIFO thread wants runs until it lets it go");
	t_ok(comes_to_a_stop(&owner), "then stands still again");
	ask(&waiter, do_unlock, &mutex);
	dismiss(&waiter);
	t_ok(!control(evl_tp_start) && gets_on(&owner), "started, it gets on");
	t_ok(!control(evl_tp_stop) && comes_to_a_stop(&owner), "stopped, it stands still");
	t_ok(!control(evl_tp_start) && gets_on(&owner) && !install(w, 2) && comes_to_a_stop(&owner),
	     "a plan put over a running one is stopped");
	end_runner(&owner);
	t_ok(owner.last.sched_policy == SCHED_FIFO, "made FIFO, it gets on");
	evl_close_mutex(&mutex);
	control(evl_tp_uninstall);
}

/* Two which never stop share a frame with a hole: the one of the other partition, and in-band, run as well. */
static void test_windows(void)
{
	struct __evl_tp_window w[3] = {
		window(0, 20 * MSEC, 0), window(20 * MSEC, 20 * MSEC, 1), window(40 * MSEC, 40 * MSEC, EVL_TP_IDLE),
	};
	struct evl_sched_attrs high = in_partition(0, 90), low = in_partition(1, 1);
	struct runner one, two;
	bool both;

	install(w, 3);
	start_runner(&one, cpu, &high, NULL);
	start_runner(&two, cpu, &low, NULL);
	control(evl_tp_start);
	both = gets_on(&one) && gets_on(&two);
	t_ok(both, "each partition has its window, whatever the priorities");
	control(evl_tp_stop);
	end_runner(&one);
	end_runner(&two);
	w[0] = window(0, 40 * MSEC, 0);
	w[1] = window(40 * MSEC, 40 * MSEC, EVL_TP_IDLE);
	install(w, 2);
	start_runner(&one, cpu, &high, NULL);
	start_runner(&two, cpu, &low, NULL);
	control(evl_tp_start);
	t_ok(gets_on(&one) && stands_still(&two), "a partition without window never runs");
	control(evl_tp_stop);
	end_runner(&one);
	end_runner(&two);
	control(evl_tp_uninstall);
}

static void test_move(void)
{
	struct __evl_tp_window w[1] = { window(0, 20 * MSEC, 0) };
	struct evl_sched_attrs attrs = in_partition(0, 10);
	int other = other_cpu(cpu);

	if (other < 0) {
		t_skip("a thread which changes CPU: there is but one");
		return;
	}
	install(w, 1);
	control(evl_tp_start);
	t_ok(goes_on_as_fifo_elsewhere(&attrs, cpu, other), "a thread which changes CPU goes on as FIFO");
	control(evl_tp_uninstall);
}

/* A reader gets one plan or the other, not parts of both, while they are replaced from another CPU. */
static volatile int enough;

static void *replace_plans(void *arg)
{
	struct __evl_tp_window few[2] = { window(0, MSEC, 0), window(MSEC, MSEC, 1) }, many[64];
	struct evl_tp_ctlparam *one, *other;
	int n;

	for (n = 0; n < 64; n++)
		many[n] = window(n * 2 * MSEC, 2 * MSEC, 2);
	one = plan_of(many, 64);
	other = plan_of(few, 2);
	while (!enough) {
		request(one);
		request(other);
	}

	return NULL;
}

static bool is_one_plan(const struct evl_tp_ctlinfo *info, int count)
{
	long duration = count == 2 ? MSEC : 2 * MSEC;
	int n;

	for (n = 0; n < count; n++)
		if (info->windows[n].duration.tv_nsec != duration || info->windows[n].offset.tv_nsec != n * duration)
			return false;
	return count == 2 || count == 64;
}

static void test_replaced(void)
{
	struct evl_tp_ctlinfo *info = before_the_wall(evl_tp_infolen(64));
	int n, count, whole = 0, given_up = 0, other = other_cpu(cpu);
	pthread_t tid;

	if (other < 0) {
		t_skip("a plan which is replaced while it is read: there is but one CPU");
		return;
	}
	install((struct __evl_tp_window[]){ window(0, MSEC, 0), window(MSEC, MSEC, 1) }, 2);
	tid = t_thread(0, other, replace_plans, NULL);
	for (n = 0; n < 300; n++) {
		count = get(info, 64);
		whole += count > 0 && is_one_plan(info, count);
		given_up += count == -EAGAIN;
	}
	publish(&enough, 1);
	pthread_join(tid, NULL);
	t_ok(whole && whole + given_up == n, "a plan which is replaced meanwhile is read as a whole, or EAGAIN (%d, %d)",
	     whole, given_up);
	control(evl_tp_uninstall);
}

#define DEPARTURES	10

static volatile int departed;

/* A CPU with a running plan does not go: this one goes in between two. */
static void *depart(void *unused)
{
	int n;

	for (n = 0; n < DEPARTURES; n++) {
		while (!set_cpu_online(cpu, false))
			pause_ms(1);
		set_cpu_online(cpu, true);
	}
	publish(&departed, 1);

	return NULL;
}

/*
 * A plan which runs can be started over as long as the CPU has a tick, and keeps it there. How often it could not, or its
 * CPU was gone all the same.
 */
static int start_and_stop(int *started)
{
	struct evl_tp_ctlparam begin = { .op = evl_tp_start }, end = { .op = evl_tp_stop };
	int bad = 0;

	for (*started = 0; !__atomic_load_n(&departed, __ATOMIC_ACQUIRE);) {
		if (request(&begin))
			continue;
		++*started;
		bad += !!request(&begin);
		request(&end);
	}

	return bad;
}

static void test_hotplug(void)
{
	struct __evl_tp_window w[1] = { window(0, 10 * MSEC, 0) };
	int others = other_cpu(cpu), bad, started;
	pthread_t tid;

	if (others < 0) {
		t_skip("one CPU only");
		return;
	}
	cpu = others;
	install(w, 1);
	tid = t_thread(0, t_cpu(0), depart, NULL);
	bad = start_and_stop(&started);
	pthread_join(tid, NULL);
	t_ok(!bad && started, "no plan runs on a CPU which goes (%d of %d did)", bad, started);
	control(evl_tp_uninstall);
}

int main(void)
{
	deadline(110);
	t_require_core();
	t_need_cpus(1);
	t_plan(19);
	cpu = t_cpu(0);
	signal(SIGUSR1, count_signal);
	test_plan();
	test_stopped();
	test_windows();
	test_move();
	test_replaced();
	test_hotplug();

	return t_end();
}
