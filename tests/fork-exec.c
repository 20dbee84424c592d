/* SPDX-License-Identifier: MIT */
/*
 * property: the child of an attached thread is not attached, and can attach; a program executed by an attached
 * thread starts afresh; the parent is not disturbed.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <stdlib.h>
#include <sys/wait.h>
#include "common.h"

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;

	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void child_attaches(void)
{
	int efd;

	if (evl_get_self() != -EPERM || evl_usleep(1) != -EPERM)
		_exit(1);
	efd = evl_attach_self("fork-child:%d", getpid());
	if (efd < 0 || !really_oob(efd))
		_exit(2);
	if (sleep_ns(NSEC_PER_MSEC))
		_exit(3);
	evl_detach_self();
	_exit(0);
}

static void test_fork(int efd)
{
	int n, wrong = 0, last = 0, ret;
	pid_t pid;

	for (n = 0; n < 50; n++) {
		evl_switch_oob();
		pid = fork();
		if (!pid)
			child_attaches();
		ret = status_of(pid);
		if (ret) {
			wrong++;
			last = ret;
		}
		evl_switch_oob();
		wrong += !really_oob(efd) || sleep_ns(100000);
	}
	t_ok(!wrong, "50 forks out of out-of-band: children attach, the parent goes on (%d wrong, last %d)", wrong, last);
}

/* In the child: the program replaces an attached, out-of-band thread. */
static void test_exec(const char *self)
{
	int n, wrong = 0, last = 0, ret;
	pid_t pid;

	for (n = 0; n < 20; n++) {
		pid = fork();
		if (!pid) {
			attach("exec-before");
			execl(self, self, "executed", (char *)NULL);
			_exit(97);
		}
		ret = status_of(pid);
		if (ret) {
			wrong++;
			last = ret;
		}
	}
	t_ok(!wrong, "20 programs executed by out-of-band threads (%d wrong, last %d)", wrong, last);
}

static void *sleep_forever(void *unused)
{
	attach("exec-bystander");
	for (;;)
		evl_usleep(500);

	return NULL;
}

/* The other threads of the process die in exec, wherever they are. */
static void test_exec_among_threads(const char *self)
{
	int n, ret, wrong = 0, last = 0;
	pid_t pid;

	for (n = 0; n < 20; n++) {
		pid = fork();
		if (!pid) {
			evl_init();
			t_thread(20, -1, sleep_forever, NULL);
			t_thread(30, -1, sleep_forever, NULL);
			usleep((unsigned int)(n * 500));
			attach("exec-among");
			execl(self, self, "executed", (char *)NULL);
			_exit(97);
		}
		ret = status_of(pid);
		if (ret) {
			wrong++;
			last = ret;
		}
	}
	t_ok(!wrong, "20 programs executed beside out-of-band threads (%d wrong, last %d)", wrong, last);
}

/* A failed exec leaves the thread attached. */
static void test_failed_exec(int efd)
{
	evl_switch_oob();
	execl("/nonexistent", "nonexistent", (char *)NULL);
	t_ok(errno == ENOENT && !evl_switch_oob() && really_oob(efd), "a failed exec changes nothing");
}

static void test_shell(void)
{
	evl_switch_oob();
	t_ok(system("exit 3") == 3 << 8, "system() from out-of-band");
}

/* The executed program: a new process as far as the core goes. */
static int executed(void)
{
	int efd;

	if (evl_get_self() != -EPERM)
		return 11;
	efd = evl_attach_self("exec-after:%d", getpid());
	if (efd < 0)
		return 12;
	if (!really_oob(efd) || sleep_ns(NSEC_PER_MSEC))
		return 13;

	return 0;
}

int main(int argc, char *argv[])
{
	char self[4096];
	ssize_t len;
	int efd;

	if (argc > 1 && !strcmp(argv[1], "executed"))
		return executed();

	deadline(55);
	t_require_core();
	t_plan(5);
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = '\0';
	t_become(40, -1);
	efd = attach("fork-parent");
	test_fork(efd);
	test_exec(self);
	test_exec_among_threads(self);
	test_failed_exec(efd);
	test_shell();

	return t_end();
}
