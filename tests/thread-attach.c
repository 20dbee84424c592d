/* SPDX-License-Identifier: MIT */
/*
 * property: a thread attaches, once, under a name of its own; detaching or ending in any way gives the name
 * back.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=60
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "common.h"

static const char *sysfs_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/devices/virtual/thread/%s", name);

	return path;
}

static bool visible(const char *name)	{ return !access(sysfs_path(name), F_OK); }
static bool vanishes(const char *name)	{ return path_vanishes(sysfs_path(name)); }

static void test_attach_detach(void)
{
	int efd, again, ret;

	t_ok(evl_get_self() == -EPERM && evl_detach_self() == -EPERM, "an unattached thread has no self, and cannot detach");
	efd = evl_attach_self("attach-test");
	t_ok(efd >= 0, "attached (%d)", efd);
	t_ok(evl_detach_thread(1) == -EINVAL && evl_get_self() == efd, "flags of detaching: EINVAL, it stays attached");
	again = evl_attach_self("attach-again");
	t_ok(again == -EBUSY, "attaching again: busy (%d)", again);
	t_ok(evl_get_self() == efd, "self is that descriptor");
	t_ok(visible("attach-test"), "visible in sysfs");
	ret = evl_detach_self();
	t_ok(!ret && vanishes("attach-test"), "detached, no longer visible (%d)", ret);
	t_ok(evl_get_state(efd, &(struct evl_thread_state){ }) == -ESTALE, "the descriptor is stale");
	close(efd);
	efd = evl_attach_self("attach-test");
	t_ok(efd >= 0, "the name can be used again (%d)", efd);
	evl_detach_self();
	close(efd);
}

static void *attach_same(void *result)
{
	*(int *)result = evl_attach_self("twin");
	if (*(int *)result >= 0)
		evl_detach_self();

	return NULL;
}

static void test_names(void)
{
	char name[300];
	int efd, ret, other = 0;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ret = evl_attach_self("%s", name);
	t_ok(ret == -ENAMETOOLONG, "a name of 299 letters is too long (%d)", ret);
	ret = evl_attach_self("/a/b");
	t_ok(ret == -EINVAL, "a slash inside a public name is invalid (%d)", ret);
	ret = evl_attach_thread(0x40000000, "flags");
	t_ok(ret == -EINVAL, "unknown flags are invalid (%d)", ret);
	ret = evl_attach_thread(EVL_CLONE_MASTER, "flags");
	t_ok(ret == -EINVAL, "turns need an observable (%d)", ret);
	t_spare_fds(1);
	ret = evl_attach_self("/descriptors");
	t_spare_fds(-1);
	t_ok(ret == -EMFILE && access("/dev/evl/thread/descriptors", F_OK), "no descriptor is left (%d)", ret);
	t_ok(evl_get_self() == -EPERM && evl_detach_self() == -EPERM, "nothing of this attached");

	efd = evl_attach_self("twin");
	pthread_join(t_thread(0, -1, attach_same, &other), NULL);
	t_ok(efd >= 0 && other == -EEXIST, "two threads cannot have one name (%d)", other);
	evl_detach_self();
	close(efd);
}

static void *leave_attached(void *arg)
{
	int efd = evl_attach_self("%s", (const char *)arg);

	/* No detach: the end of the thread has to do. */
	return (void *)(intptr_t)efd;
}

static void test_thread_exit(void)
{
	void *efd;

	pthread_join(t_thread(50, -1, leave_attached, "leaver-fifo"), &efd);
	t_ok((intptr_t)efd >= 0 && vanishes("leaver-fifo"), "a thread which ends out-of-band is detached");
	close((int)(intptr_t)efd);
	pthread_join(t_thread(0, -1, leave_attached, "leaver-weak"), &efd);
	t_ok((intptr_t)efd >= 0 && vanishes("leaver-weak"), "a weak thread which ends is detached");
	close((int)(intptr_t)efd);
}

/* A child which attaches, then ends as told. */
static int end_process(void (*how)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		t_become(50, -1);
		if (evl_attach_thread(EVL_CLONE_PUBLIC, "/leaver-process") < 0)
			_exit(99);
		how();
		_exit(98);
	}
	waitpid(pid, &status, 0);

	return status;
}

static void by_exit(void)
{
	_exit(7);
}

static void by_signal(void)
{
	kill(getpid(), SIGTERM);
	pause();
}

static void by_fault(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 0;
}

static void test_process_exit(void)
{
	static const char device[] = "/dev/evl/thread/leaver-process";
	int status;

	status = end_process(by_exit);
	t_ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a process exits with an attached thread (%#x)", status);
	t_ok(vanishes("leaver-process") && access(device, F_OK), "its public device is gone");
	status = end_process(by_signal);
	t_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "a process is ended by a signal it sent itself (%#x)", status);
	t_ok(vanishes("leaver-process") && access(device, F_OK), "its public device is gone");
	status = end_process(by_fault);
	t_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a process is ended by a fault (%#x)", status);
	t_ok(vanishes("leaver-process") && access(device, F_OK), "its public device is gone");
}

int main(void)
{
	deadline(50);
	t_require_core();
	t_plan(24);
	test_attach_detach();
	test_names();
	test_thread_exit();
	test_process_exit();

	return t_end();
}
