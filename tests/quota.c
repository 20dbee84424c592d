/* SPDX-License-Identifier: MIT */
/*
 * property: members of a quota group stop when its budget has gone, all together, and go on in the next period; boosted
 * by a mutex, signalled, evicted or given another policy they go on at once. Requests check what they are told.
 *
 * With periods of 20 s a group which has stopped stays so for the time of a case; should a period begin meanwhile, which
 * a bystander in the group tells, the case is repeated.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=180 append="evl.quota_period_ms=20000"
 */
#include <sys/wait.h>
#include "metered.h"

#define MAX_GROUPS	1024

static int cpu;

static int control(enum evl_quota_ctlop op, int tgid, int quota, int peak, struct evl_quota_ctlinfo *info)
{
	union evl_sched_ctlparam param = { .quota = { .op = op } };

	if (op == evl_quota_set) {
		param.quota.u.set.tgid = tgid;
		param.quota.u.set.quota = quota;
		param.quota.u.set.quota_peak = peak;
	} else if (op == evl_quota_get) {
		param.quota.u.get.tgid = tgid;
	} else {
		param.quota.u.remove.tgid = tgid;
	}

	return evl_control_sched(SCHED_QUOTA, &param, (union evl_sched_ctlinfo *)info, cpu);
}

static int add_group(int quota)
{
	struct evl_quota_ctlinfo info = { .tgid = -1 };

	if (control(evl_quota_add, 0, 0, 0, &info) || control(evl_quota_set, info.tgid, quota, quota, NULL))
		t_bail("no quota group");

	return info.tgid;
}

static int remove_group(int tgid)
{
	return control(evl_quota_remove, tgid, 0, 0, NULL);
}

static struct evl_sched_attrs member_of(int tgid, int prio)
{
	return (struct evl_sched_attrs){
		.sched_policy = SCHED_QUOTA, .sched_priority = prio, .sched_quota_group = tgid,
	};
}

static bool info_is(const struct evl_quota_ctlinfo *info, int tgid, int quota, int peak, int sum)
{
	if (info->tgid == tgid && info->quota == quota && info->quota_peak == peak && info->quota_sum == sum)
		return true;

	t_diag("group %d, quota %d, peak %d, sum %d", info->tgid, info->quota, info->quota_peak, info->quota_sum);
	return false;
}

static void test_groups(void)
{
	struct evl_quota_ctlinfo one = { .tgid = -1 }, two = { .tgid = -1 }, info = { .tgid = -1 };

	t_ok(!control(evl_quota_add, 0, 0, 0, &one) && info_is(&one, one.tgid, 100, 100, 100), "a new group has it all");
	t_ok(!control(evl_quota_add, 0, 0, 0, &two) && two.tgid != one.tgid && info_is(&two, two.tgid, 100, 100, 200),
	     "so has a second one, with another identifier; the sum is a mere sum");
	t_ok(!control(evl_quota_set, two.tgid, 30, 60, &info) && info_is(&info, two.tgid, 30, 60, 130),
	     "quota and peak are set");
	memset(&info, 0, sizeof(info));
	t_ok(!control(evl_quota_get, two.tgid, 0, 0, &info) && info_is(&info, two.tgid, 30, 60, 130), "and read back");
	t_ok(!control(evl_quota_remove, one.tgid, 0, 0, &info) && info.quota_sum == 30, "removing a group gives the new sum");
	t_ok(!control(evl_quota_force_remove, two.tgid, 0, 0, &info) && info.quota_sum == 0, "so does force");
	t_ok(control(evl_quota_get, two.tgid, 0, 0, &info) == -EINVAL, "it is unknown then");
}

static void test_bad_values(int tgid)
{
	static const int bad[][2] = { { 0, 10 }, { -1, 10 }, { 101, 101 }, { 50, 49 }, { 50, 101 } };
	struct evl_quota_ctlinfo info = { .tgid = -1 };
	unsigned int n;
	int wrong = 0;

	for (n = 0; n < sizeof(bad) / sizeof(bad[0]); n++)
		wrong += control(evl_quota_set, tgid, bad[n][0], bad[n][1], &info) != -EINVAL;
	t_ok(!wrong, "quota below 1 or above 100, peak below quota or above 100: EINVAL (%d were not)", wrong);
	t_ok(!control(evl_quota_get, tgid, 0, 0, &info) && info.quota == 40, "nothing has changed");
	wrong = 0;
	for (n = 0; n < 4; n++) {
		int unknown = (const int[]){ 0, -1, 1000, 1 << 30 }[n];

		wrong += control(evl_quota_set, unknown, 10, 10, NULL) != -EINVAL;
		wrong += control(evl_quota_get, unknown, 0, 0, &info) != -EINVAL;
		wrong += control(evl_quota_remove, unknown, 0, 0, NULL) != -EINVAL;
		wrong += control(evl_quota_force_remove, unknown, 0, 0, NULL) != -EINVAL;
	}
	t_ok(!wrong, "unknown groups: EINVAL (%d were not)", wrong);
	t_ok(control((enum evl_quota_ctlop)5, tgid, 0, 0, &info) == -EINVAL, "unknown operation: EINVAL");
	t_ok(control(evl_quota_get, tgid, 0, 0, NULL) == -EINVAL, "nowhere to put what is read: EINVAL");
}

static void test_bad_calls(int tgid)
{
	union evl_sched_ctlparam param = { .quota = { .op = evl_quota_get, .u.get.tgid = tgid } };
	union evl_sched_ctlinfo info;
	int saved = cpu, wrong = 0, sum;

	wrong += evl_control_sched(SCHED_FIFO, &param, &info, cpu) != -EINVAL;
	wrong += evl_control_sched(-1, &param, &info, cpu) != -EINVAL;
	wrong += evl_control_sched(SCHED_QUOTA, &param, &info, -1) != -EINVAL;
	wrong += evl_control_sched(SCHED_QUOTA, &param, &info, 100000) != -EINVAL;
	t_ok(!wrong, "policy without control, no such CPU: EINVAL (%d were not)", wrong);
	wrong = evl_control_sched(SCHED_QUOTA, NULL, &info, cpu) != -EFAULT;
	wrong += evl_control_sched(SCHED_QUOTA, BAD_ADDRESS, &info, cpu) != -EFAULT;
	wrong += evl_control_sched(SCHED_QUOTA, &param, BAD_ADDRESS, cpu) != -EFAULT;
	t_ok(!wrong, "bad addresses: EFAULT (%d were not)", wrong);
	control(evl_quota_get, tgid, 0, 0, &info.quota);
	sum = info.quota.quota_sum;
	t_ok(control(evl_quota_add, 0, 0, 0, BAD_ADDRESS) == -EFAULT && control(evl_quota_set, tgid, 5, 5, BAD_ADDRESS) == -EFAULT &&
	     !control(evl_quota_get, tgid, 0, 0, &info.quota) && info.quota.quota_sum == sum && info.quota.quota == 40,
	     "with nowhere to put the result no group is made or changed");
	cpu = other_cpu(cpu);
	if (cpu < 0)
		t_skip("a group is unknown on another CPU: there is none");
	else
		t_ok(control(evl_quota_get, tgid, 0, 0, &info.quota) == -EINVAL, "a group is unknown on another CPU");
	cpu = saved;
}

/* The requests of an out-of-band thread: it stays so. */
static int do_control(void *arg)
{
	struct evl_quota_ctlinfo info = { .tgid = -1 };
	int ret = control(evl_quota_add, 0, 0, 0, &info);

	ret = ret ?: control(evl_quota_set, info.tgid, 20, 40, &info);
	ret = ret ?: control(evl_quota_get, info.tgid, 0, 0, &info);
	ret = ret ?: info.quota_peak == 40 ? 0 : -EBADMSG;
	ret = ret ?: remove_group(info.tgid);
	ret = ret ?: control(evl_quota_get, info.tgid, 0, 0, NULL) == -EINVAL ? 0 : -EBADMSG;

	return ret ?: evl_is_inband() ? -ESRCH : 0;
}

static void test_out_of_band(void)
{
	struct hand hand;
	int ret;

	hire(&hand, "hand", 50, cpu);
	ret = ask(&hand, do_control, NULL);
	t_ok(!ret, "an out-of-band thread does the same, and is out-of-band afterwards (%d)", ret);
	dismiss(&hand);
}

static void test_table_full(void)
{
	static int ids[MAX_GROUPS + 1];
	struct evl_quota_ctlinfo info = { .tgid = -1 };
	int n, ret = 0, failed = 0;

	for (n = 0; n <= MAX_GROUPS && !ret; n++) {
		ret = control(evl_quota_add, 0, 0, 0, &info);
		ids[n] = info.tgid;
	}
	t_ok(ret == -ENOMEM && n == MAX_GROUPS + 1, "after %d groups: ENOMEM (%d after %d)", MAX_GROUPS, ret, n - 1);
	for (n -= 2; n >= 0; n--)
		failed += remove_group(ids[n]) != 0;
	t_ok(!failed, "all of them removed (%d failed)", failed);
}

static void test_attributes(int tgid)
{
	struct evl_sched_attrs before, attrs = member_of(tgid, 42);
	struct evl_quota_ctlinfo info = { .tgid = -1 };
	pid_t tid = (pid_t)syscall(SYS_gettid);
	int efd, wrong = 0, n;
	char wanted[32];

	t_become(33, cpu);
	efd = attach("attributes");
	evl_get_schedattr(efd, &before);
	for (n = 0; n < 5; n++) {
		static const int bad[][2] = { { 0, 42 }, { -1, 42 }, { 1 << 30, 42 }, { 1, 0 }, { 1, 100 } };
		struct evl_sched_attrs ill = member_of(bad[n][0] == 1 ? tgid : bad[n][0], bad[n][1]);

		wrong += evl_set_schedattr(efd, &ill) != -EINVAL;
	}
	t_ok(!wrong && has_attrs(efd, &before), "unknown group, priority out of range: EINVAL, nothing changed");
	t_ok(!evl_set_schedattr(efd, &attrs) && has_attrs(efd, &attrs), "SCHED_QUOTA is set and read back");
	snprintf(wanted, sizeof(wanted), "%d quota 42 42 %d\n", cpu, tgid);
	t_ok(shows(tid, "attributes", wanted), "sysfs shows it: %.*s", (int)strlen(wanted) - 1, wanted);
	t_ok(remove_group(tgid) == -EBUSY && !control(evl_quota_get, tgid, 0, 0, &info) && info.quota == 40,
	     "a group with members is busy, and stays");
	t_ok(!evl_set_schedattr(efd, &before) && has_attrs(efd, &before), "back to FIFO");
	evl_set_schedattr(efd, &attrs);
	evl_detach_self();
	close(efd);
	t_become(0, -1);
	t_ok(!remove_group(tgid), "a thread which has detached is no member any more");
}

/*
 * Two runners share a budget which has gone. Cases on one of them hold if the other one, a bystander, shows that no
 * period has begun meanwhile.
 */
struct stalled {
	int tgid;
	struct runner subject, bystander;
	unsigned long laps;
	struct evl_mutex *mutex;
};

static void stall(struct stalled *s, struct evl_mutex *mutex)
{
	struct evl_sched_attrs attrs;

	s->tgid = add_group(1);
	attrs = member_of(s->tgid, 10);
	start_runner(&s->subject, cpu, &attrs, mutex);
	if (!comes_to_a_stop(&s->subject))
		t_bail("the budget does not end");
	/* It would be the first to use the next one. */
	attrs = member_of(s->tgid, 11);
	start_runner(&s->bystander, cpu, &attrs, NULL);
	if (!comes_to_a_stop(&s->bystander))
		t_bail("the bystander is not stalled");
	s->laps = s->bystander.laps;
}

static bool still_stalled(struct stalled *s)
{
	return s->bystander.laps == s->laps;
}

static void release(struct stalled *s)
{
	end_runner(&s->subject);
	end_runner(&s->bystander);
	if (remove_group(s->tgid))
		t_bail("the group does not go");
}

/* Result of a case, tried until no period came in between. */
static bool while_stalled(bool (*act)(struct stalled *s), struct evl_mutex *mutex)
{
	struct stalled s = { .mutex = mutex };
	bool passed, valid;
	int tries = 3;

	do {
		stall(&s, mutex);
		passed = act(&s);
		valid = still_stalled(&s);
		release(&s);
	} while (!valid && --tries);

	if (!valid)
		t_diag("a period began during each attempt");
	return passed && valid;
}

static bool just_wait(struct stalled *s)
{
	pause_ms(100);
	return stands_still(&s->subject);
}

static bool send_signal(struct stalled *s)
{
	return serves_signal(&s->subject);
}

static int do_lock(void *arg)	{ return evl_lock_mutex(arg); }
static int do_unlock(void *arg)	{ return evl_unlock_mutex(arg); }

/* The owner gets on while somebody waits, and stops once it has let the mutex go. */
static bool wait_for_mutex_as(struct stalled *s, int (*order)(void *arg), const char *policy)
{
	struct hand waiter;
	bool passed;
	int ret;

	hire(&waiter, "waiter", 40, cpu);
	publish(&s->subject.stop, 1);
	ret = ask(&waiter, order, s->mutex);
	passed = !ret && stands_still(&s->subject) && still_stalled(s);
	ret = ret ?: ask(&waiter, do_unlock, s->mutex);
	if (!passed || ret)
		t_diag("waiter %s: %d, subject %#x", policy, ret, runner_state(&s->subject));
	dismiss(&waiter);

	return passed && !ret;
}

static bool wait_for_mutex(struct stalled *s)
{
	return wait_for_mutex_as(s, do_lock, "FIFO");
}

static int second_group;

/* In a group of its own which has budget, of less priority than the owner. */
static int do_lock_from_group(void *arg)
{
	struct evl_sched_attrs attrs = member_of(second_group, 5);
	int ret = evl_set_schedattr(evl_get_self(), &attrs);

	return ret ?: evl_lock_mutex(arg);
}

static bool wait_from_other_group(struct stalled *s)
{
	bool passed;

	second_group = add_group(100);
	passed = wait_for_mutex_as(s, do_lock_from_group, "QUOTA");
	if (remove_group(second_group))
		t_bail("the second group does not go");

	return passed;
}

/* Forced removal leaves FIFO threads, which run. */
static void test_evict(void)
{
	struct evl_sched_attrs fifo = { .sched_policy = SCHED_FIFO, .sched_priority = 10 };
	struct stalled s = { };
	int ret;

	stall(&s, NULL);
	publish(&s.bystander.end, 1);
	publish(&s.subject.end, 1);
	ret = control(evl_quota_force_remove, s.tgid, 0, 0, NULL);
	pthread_join(s.subject.tid, NULL);
	pthread_join(s.bystander.tid, NULL);
	t_ok(!ret && same_attrs(&s.subject.last, &fifo), "forced removal evicts members, which get on as FIFO (%d)", ret);
	t_ok(remove_group(s.tgid) == -EINVAL, "and the group is gone");
}

/* Another policy. */
static void test_new_policy(void)
{
	struct evl_sched_attrs fifo = { .sched_policy = SCHED_FIFO, .sched_priority = 10 };
	struct stalled s = { };
	int ret;

	stall(&s, NULL);
	publish(&s.subject.end, 1);
	ret = evl_set_schedattr(s.subject.efd, &fifo);
	pthread_join(s.subject.tid, NULL);
	t_ok(!ret && same_attrs(&s.subject.last, &fifo), "made FIFO by another thread, a member gets on (%d)", ret);
	end_runner(&s.bystander);
	t_ok(!remove_group(s.tgid), "and has left the group");
}

/* The emergency brake: in-band, it ends its loop. */
static void test_demote(void)
{
	struct evl_sched_attrs weak = { .sched_policy = SCHED_WEAK };
	struct stalled s = { };
	int ret;

	stall(&s, NULL);
	ret = evl_demote_thread(s.subject.efd);
	publish(&s.subject.end, 1);
	pthread_join(s.subject.tid, NULL);
	t_ok(!ret && same_attrs(&s.subject.last, &weak), "demoted, a member goes on in-band as a weak thread (%d)", ret);
	end_runner(&s.bystander);
	remove_group(s.tgid);
}

/* A process which is killed while its threads cannot run. */
static bool kill_process(void)
{
	struct evl_sched_attrs attrs;
	struct runner runner;
	int status, tgid = add_group(1);
	pid_t child = fork();

	if (!child) {
		attrs = member_of(tgid, 10);
		if (evl_init())
			_exit(1);
		start_runner(&runner, cpu, &attrs, NULL);
		if (comes_to_a_stop(&runner))
			kill(getpid(), SIGKILL);
		_exit(2);
	}

	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		t_diag("status %#x", status);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !remove_group(tgid);
}

static void test_stalled(void)
{
	struct evl_mutex mutex;

	signal(SIGUSR1, count_signal);
	if (evl_new_mutex(&mutex, NULL) < 0)
		t_bail("no mutex");
	t_ok(while_stalled(just_wait, NULL), "members stop when the budget has gone");
	t_ok(while_stalled(send_signal, NULL), "a signal is served nevertheless");
	t_ok(while_stalled(wait_for_mutex, &mutex), "the owner of a mutex a FIFO thread wants runs until it lets it go");
	t_ok(while_stalled(wait_from_other_group, &mutex),
	     "also for a thread of another group, of less priority than its own");
	test_evict();
	test_new_policy();
	test_demote();
	t_ok(kill_process(), "a process whose threads have no budget can be killed; they leave their group");
	evl_close_mutex(&mutex);
}

/* Not raised by a quota thread, whatever its priority: FIFO is above it anyway. */
static void test_no_boost(void)
{
	struct evl_mutex mutex;
	struct hand owner, waiter;
	int prio;

	if (evl_new_mutex(&mutex, NULL) < 0)
		t_bail("no mutex");
	second_group = add_group(100);
	hire(&owner, "owner", 3, cpu);
	hire(&waiter, "waiter", 40, cpu);
	ask(&owner, do_lock, &mutex);
	tell(&waiter, do_lock_from_group, &mutex);
	is_blocked(&waiter);
	prio = prio_of(&owner);
	t_ok(prio == 3, "a FIFO owner is not raised by a quota thread of higher priority (%d)", prio);
	ask(&owner, do_unlock, &mutex);
	outcome_of(&waiter);
	ask(&waiter, do_unlock, &mutex);
	dismiss(&owner);
	dismiss(&waiter);
	evl_close_mutex(&mutex);
	remove_group(second_group);
}

/* The next period gives the budget back. */
static void test_refill(void)
{
	struct stalled s = { };
	int n;

	stall(&s, NULL);
	for (n = 0; n < 600 && still_stalled(&s); n++)
		pause_ms(100);
	t_ok(!still_stalled(&s) && comes_to_a_stop(&s.bystander), "in the next period they go on, and stop again");
	release(&s);
}

static void test_move(void)
{
	int tgid, other = other_cpu(cpu);
	struct evl_sched_attrs attrs;
	bool passed;

	if (other < 0) {
		t_skip("a member which changes CPU: there is but one");
		return;
	}
	tgid = add_group(50);
	attrs = member_of(tgid, 10);
	passed = goes_on_as_fifo_elsewhere(&attrs, cpu, other);
	t_ok(!remove_group(tgid) && passed, "a member which changes CPU leaves the group, and goes on as FIFO");
}

int main(void)
{
	int tgid;

	deadline(170);
	t_require_core();
	t_need_cpus(1);
	t_plan(38);
	cpu = t_cpu(0);
	test_groups();
	tgid = add_group(40);
	test_bad_values(tgid);
	test_bad_calls(tgid);
	test_attributes(tgid);
	test_out_of_band();
	test_table_full();
	test_stalled();
	test_no_boost();
	test_refill();
	test_move();

	return t_end();
}
