/* SPDX-License-Identifier: MIT */
/*
 * property: a signal reaches an out-of-band thread whether it sleeps or spins in user space: the wait is cut
 * short, the handler runs in-band, the thread goes on. Stop and continue work.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=90
 */
#include <signal.h>
#include <sys/wait.h>
#include "common.h"

#define MANY	200

static struct {
	volatile int handled, inband;
	volatile int ready, leave;
	volatile int wait_result;
	volatile long laps;
	int efd;
} target;

static void handle(int sig)
{
	(void)sig;
	target.inband += evl_is_inband();
	target.handled++;
}

static void catch(int sig, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigaction(sig, &sa, NULL);
}

static void *sleep_long(void *unused)
{
	struct timespec date;
	int ret;

	target.efd = attach("signal-sleeper");
	date = timespec_of(t_now() + 30 * NSEC_PER_SEC);
	publish(&target.ready, 1);
	ret = evl_sleep_until(EVL_CLOCK_MONOTONIC, &date);
	target.wait_result = ret;
	evl_detach_self();
	close(target.efd);

	return NULL;
}

/* Never enters a kernel of its own accord. */
static void *spin(void *unused)
{
	target.efd = attach("signal-spinner");
	publish(&target.ready, 1);
	while (!target.leave)
		target.laps++;
	target.wait_result = evl_switch_oob();
	evl_detach_self();
	close(target.efd);

	return NULL;
}

static pthread_t start(void *(*fn)(void *))
{
	pthread_t thread;

	memset((void *)&target, 0, sizeof(target));
	thread = t_thread(50, t_cpu(0), fn, NULL);
	if (!await(&target.ready, 1))
		t_bail("the target does not get ready");
	pause_ms(20);

	return thread;
}

static void test_sleeper(void)
{
	pthread_t thread = start(sleep_long);

	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	t_ok(target.handled == 1 && target.inband == 1, "the handler of a sleeper runs once, in-band (%d)", target.handled);
	t_ok(target.wait_result == -EINTR, "its sleep ends with EINTR (%d)", target.wait_result);
}

/* An ignored signal must not disturb anybody. */
static void test_ignored(void)
{
	pthread_t thread;

	catch(SIGUSR2, SIG_IGN);
	thread = start(sleep_long);
	pthread_kill(thread, SIGUSR2);
	pause_ms(50);
	t_ok(!target.wait_result, "an ignored signal leaves a sleeper alone (%d)", target.wait_result);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	t_ok(target.wait_result == -EINTR, "another one does not");
}

/* On one CPU the sender only runs when the spinner is gone: needs another. */
static void test_spinner(void)
{
	pthread_t thread;
	int n, late = 0;
	long laps;

	t_become(0, t_cpu(1));
	thread = start(spin);

	for (n = 1; n <= MANY; n++) {
		pthread_kill(thread, SIGUSR1);
		late += !await(&target.handled, n);
	}
	laps = target.laps;
	pause_ms(20);
	t_ok(!late && target.inband == MANY, "%d signals to a spinner: handled one by one, in-band (%d late, %d in-band)",
	     MANY, late, target.inband);
	t_ok(target.laps > laps, "it goes on spinning");
	target.leave = 1;
	pthread_join(thread, NULL);
	t_ok(!target.wait_result, "and goes back out-of-band (%d)", target.wait_result);
}

/*
 * These threads are SCHED_FIFO in-band, too, and never sleep of their own accord: where there is one CPU, not
 * only the sender would starve, but the threads of the kernel with it, those of RCU first.
 */
static void leave_the_cpu(void)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) == 1)
		usleep(200);
}

/* A process whose thread spins out-of-band, stopped and continued. */
static void test_stop(void)
{
	int status, counter[2], ret;
	char byte;
	pid_t pid;

	if (pipe(counter))
		t_bail("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		t_become(50, t_cpu(0));
		attach("signal-stopped");
		for (;;) {
			spin_ns(NSEC_PER_MSEC);
			if (write(counter[1], ".", 1) != 1)
				_exit(1);
			leave_the_cpu();
			evl_switch_oob();
		}
	}
	close(counter[1]);
	ret = (int)read(counter[0], &byte, 1);
	kill(pid, SIGSTOP);
	ret = waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status);
	t_ok(ret, "SIGSTOP stops it (%#x)", status);
	kill(pid, SIGCONT);
	ret = waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status);
	t_ok(ret && read(counter[0], &byte, 1) == 1, "SIGCONT sets it going again");
	kill(pid, SIGKILL);
	ret = waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	t_ok(ret, "SIGKILL ends it (%#x)", status);
	close(counter[0]);
}

/* Signals that come while the thread switches stages all the time. */
static void *switch_stages(void *unused)
{
	target.efd = attach("signal-switcher");
	publish(&target.ready, 1);
	while (!target.leave) {
		target.wait_result |= evl_switch_inband();
		leave_the_cpu();
		evl_switch_oob();	/* may be interrupted, before it has begun */
		target.laps++;
	}
	evl_detach_self();
	close(target.efd);

	return NULL;
}

static void test_switcher(void)
{
	pthread_t thread = start(switch_stages);
	int n, late = 0;

	for (n = 1; n <= MANY; n++) {
		pthread_kill(thread, SIGUSR1);
		late += !await(&target.handled, n);
	}
	target.leave = 1;
	pthread_join(thread, NULL);
	t_ok(!late && !target.wait_result, "%d signals to a thread which changes stages (%d late, %d)", MANY, late,
	     target.wait_result);
}

int main(void)
{
	deadline(80);
	t_require_core();
	t_need_cpus(1);
	t_plan(11);
	catch(SIGUSR1, handle);
	test_sleeper();
	test_ignored();
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1) {
		test_spinner();
	} else {
		t_skip("one CPU: a spinner lets no sender run");
		t_skip("one CPU: a spinner lets no sender run");
		t_skip("one CPU: a spinner lets no sender run");
	}
	test_stop();
	test_switcher();

	return t_end();
}
