/* SPDX-License-Identifier: MIT */
/*
 * property: the counters and the state word of a thread tell what it did, through evl_get_state() and sysfs alike.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=60
 */
#include <inttypes.h>
#include "common.h"

static void test_counters(int efd)
{
	struct evl_thread_state before, after;
	int n;

	evl_switch_oob();
	evl_get_state(efd, &before);
	for (n = 0; n < 100; n++)
		evl_usleep(200);
	evl_get_state(efd, &after);
	t_ok(after.csw - before.csw >= 100 && after.csw - before.csw <= 300, "a hundred sleeps: about as many context switches (%u)",
	     after.csw - before.csw);
	t_ok(after.sc - before.sc >= 100, "and requests (%u)", after.sc - before.sc);
	t_ok(after.isw == before.isw, "no switch in-band (%u)", after.isw - before.isw);
	evl_switch_inband();
	evl_switch_oob();
	evl_get_state(efd, &before);
	t_ok(before.isw == after.isw + 1, "then one (%u)", before.isw - after.isw);
}

static void test_cpu_time(int efd)
{
	struct evl_thread_state before, after;
	uint64_t used;

	evl_switch_oob();
	evl_get_state(efd, &before);
	spin_ns(100 * NSEC_PER_MSEC);
	evl_get_state(efd, &after);
	used = after.xtime - before.xtime;
	t_ok(used >= 50 * NSEC_PER_MSEC && used <= 200 * NSEC_PER_MSEC, "spinning for 100 ms took %" PRIu64 " us of CPU", used / 1000);
	evl_get_state(efd, &before);
	sleep_ns(100 * NSEC_PER_MSEC);
	evl_get_state(efd, &after);
	used = after.xtime - before.xtime;
	t_ok(used <= 50 * NSEC_PER_MSEC, "sleeping for 100 ms took %" PRIu64 " us", used / 1000);
}

static struct {
	volatile int ready;
	int efd, tfd;
} sleeper;

static void *sleep_on_timer(void *unused)
{
	uint64_t ticks;

	sleeper.efd = evl_attach_self("state-sleeper");
	sleeper.tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	publish(&sleeper.ready, 1);
	oob_read(sleeper.tfd, &ticks, sizeof(ticks));
	publish(&sleeper.ready, 2);
	evl_detach_self();

	return NULL;
}

static bool read_attribute(const char *attr, char *text, int size)
{
	char path[128];
	FILE *fp;
	bool good;

	snprintf(path, sizeof(path), "/sys/devices/virtual/thread/state-sleeper/%s", attr);
	fp = fopen(path, "r");
	if (!fp)
		return false;
	good = fgets(text, size, fp) != NULL;
	fclose(fp);

	return good;
}

static void test_sleeping_state(void)
{
	pthread_t thread = t_thread(45, t_cpu(1), sleep_on_timer, NULL);
	struct evl_thread_state state;
	unsigned int word = 0, isw, csw, sc, rwa;
	char text[256] = "", policy[16];
	int ret, cpu, base, current;

	await(&sleeper.ready, 1);
	pause_ms(50);
	ret = evl_get_state(sleeper.efd, &state);
	t_ok(!ret && (state.state & EVL_T_PEND) && !(state.state & EVL_T_INBAND) && (state.state & EVL_T_USER),
	     "a thread asleep on a timer is pending, out-of-band (%#x)", state.state);
	t_ok((int)state.cpu == t_cpu(1), "on its CPU (%u)", state.cpu);
	t_ok(read_attribute("state", text, sizeof(text)) && sscanf(text, "%x", &word) == 1 && word == state.state,
	     "attribute state says the same (%#x)", word);
	t_ok(read_attribute("sched", text, sizeof(text)) &&
	     sscanf(text, "%d %15s %d %d", &cpu, policy, &base, &current) == 4 && cpu == t_cpu(1) &&
	     !strcmp(policy, "fifo") && base == 45 && current == 45, "attribute sched: %s", text);
	t_ok(read_attribute("stats", text, sizeof(text)) && sscanf(text, "%u %u %u %u", &isw, &csw, &sc, &rwa) == 4 &&
	     csw >= 1, "attribute stats: %s", text);
	t_ok(read_attribute("wchan", text, sizeof(text)) && *text != '-', "attribute wchan: %s", text);
	t_ok(!evl_unblock_thread(sleeper.efd) && await(&sleeper.ready, 2), "unblocked from in-band");
	pthread_join(thread, NULL);
	close(sleeper.efd);
}

static void test_demotion(int efd)
{
	struct evl_sched_attrs attrs;
	int ret;

	evl_switch_oob();
	ret = evl_demote_thread(efd);
	t_ok(!ret && evl_is_inband(), "a thread which demotes itself is in-band (%d)", ret);
	ret = evl_get_schedattr(efd, &attrs);
	t_ok(!ret && attrs.sched_policy == SCHED_WEAK, "and weak (%d)", attrs.sched_policy);
}

/* All the calls on the descriptor of a thread, given what is none. The number of those which do not say so. */
static int not_said(int fd, int error)
{
	struct evl_sched_attrs attrs = { .sched_policy = SCHED_FIFO, .sched_priority = 1 };
	struct evl_thread_state state;
	int mask, wrong = 0;

	wrong += evl_get_state(fd, &state) != error;
	wrong += evl_unblock_thread(fd) != error;
	wrong += evl_demote_thread(fd) != error;
	wrong += evl_set_schedattr(fd, &attrs) != error;
	wrong += evl_get_schedattr(fd, &attrs) != error;
	wrong += evl_set_thread_mode(fd, 0, &mask) != error;
	wrong += evl_clear_thread_mode(fd, 0, &mask) != error;

	return wrong;
}

static void *come_and_go(void *unused)
{
	return (void *)(intptr_t)evl_attach_self("state-gone");
}

/* By a caller on either stage. */
static void test_bad_targets(int closed, int stale, int other)
{
	const char *stage = evl_is_inband() ? "in-band" : "out-of-band";
	int wrong;

	wrong = not_said(closed, -EBADF) + not_said(-1, -EBADF);
	t_ok(!wrong, "%s, a descriptor which is not open: EBADF (%d did not say so)", stage, wrong);
	wrong = not_said(other, -EBADF);
	t_ok(!wrong, "%s, one of a polling set: EBADF (%d did not)", stage, wrong);
	wrong = not_said(stale, -ESTALE);
	t_ok(!wrong, "%s, one of a thread which is gone: ESTALE (%d did not)", stage, wrong);
}

static void test_targets(int efd)
{
	struct evl_sched_attrs attrs;
	void *nowhere = (void *)8, *gone;
	int set = evl_new_poll(), file, wrong = 0, mask;

	pthread_join(t_thread(45, t_cpu(0), come_and_go, NULL), &gone);
	file = open("/dev/null", O_RDWR);
	wrong += not_said(file, -EBADF);
	close(file);
	t_ok(!wrong, "a descriptor of a plain file: EBADF (%d did not say so)", wrong);
	test_bad_targets(file, (int)(intptr_t)gone, set);
	evl_switch_oob();
	test_bad_targets(file, (int)(intptr_t)gone, set);

	wrong = evl_get_state(efd, nowhere) != -EFAULT;
	wrong += evl_set_schedattr(efd, nowhere) != -EFAULT;
	wrong += evl_get_schedattr(efd, nowhere) != -EFAULT;
	wrong += evl_set_thread_mode(efd, 0, nowhere) != -EFAULT;
	wrong += evl_clear_thread_mode(efd, 0, nowhere) != -EFAULT;
	t_ok(!wrong, "bad addresses: EFAULT (%d did not say so)", wrong);
	wrong = evl_set_thread_mode(efd, 1, NULL) != -EINVAL;
	wrong += evl_clear_thread_mode(efd, 1, NULL) != -EINVAL;
	wrong += evl_set_thread_mode(efd, EVL_T_HMOBS, NULL) != -EINVAL;
	wrong += evl_set_thread_mode(efd, 0, &mask) != 0 || mask;
	t_ok(!wrong, "bits which are no modes, notices of a thread without observable: EINVAL, nothing is set (%d)", wrong);
	t_ok(!evl_get_schedattr(efd, &attrs) && attrs.sched_priority == 50, "the thread is as it was");
	close(set);
	close((int)(intptr_t)gone);
}

/* A warning is sent by a signal, unless there is an observable; nothing is left to be sent without any. */
static void test_modes(int efd)
{
	int mask = -1, wrong;

	wrong = evl_set_thread_mode(efd, EVL_T_WOSS, NULL) || evl_set_thread_mode(efd, 0, &mask) || mask != (EVL_T_WOSS | EVL_T_HMSIG);
	t_ok(!wrong, "a warning brings the signal along (%#x)", (unsigned int)mask);
	wrong = evl_set_thread_mode(efd, EVL_T_WOLI, &mask) || mask != (EVL_T_WOSS | EVL_T_HMSIG);
	wrong = wrong || evl_clear_thread_mode(efd, EVL_T_WOSS, &mask) || mask != (EVL_T_WOSS | EVL_T_WOLI | EVL_T_HMSIG);
	t_ok(!wrong, "each change tells what was before (%#x)", (unsigned int)mask);
	wrong = evl_clear_thread_mode(efd, EVL_T_WOLI, NULL) || evl_clear_thread_mode(efd, 0, &mask) || mask;
	t_ok(!wrong, "which goes with the last of them (%#x)", (unsigned int)mask);
}

int main(void)
{
	int efd;

	deadline(50);
	t_require_core();
	t_need_cpus(2);
	t_plan(29);
	t_ok(evl_yield() == -EPERM && evl_switch_oob() == -EPERM && evl_switch_inband() == -EPERM && evl_is_inband(),
	     "unattached threads have no stage, nor anything to yield: EPERM");
	t_become(50, t_cpu(0));
	efd = attach("counted");
	test_counters(efd);
	test_cpu_time(efd);
	evl_switch_inband();
	test_targets(efd);
	evl_switch_inband();
	test_modes(efd);
	test_sleeping_state();
	test_demotion(efd);

	return t_end();
}
