/* SPDX-License-Identifier: MIT */
/*
 * Connecting the process to the core, once; forgetting it in the child of a fork.
 *
 * status says whether evl_core may be used. It leaves STATUS_UNTRIED under init_lock, after evl_core was
 * filled (release); evl_check_core() reads it without the lock (acquire).
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <evl/control-abi.h>
#include <evl/evl.h>
#include <evl/sys.h>
#include "arch.h"
#include "backend.h"
#include "internal.h"
#include "proxy.h"

#define STATUS_UNTRIED	1

#define CLOCKSOURCE_FILE	\
	"/sys/devices/system/clocksource/clocksource0/current_clocksource"

struct evl_core_link evl_core = {
	.control_fd = -1,
	.monotonic_fd = -1,
	.realtime_fd = -1,
	.abi_level = EVL_ABI_PREREQ,
};

static pthread_mutex_t init_lock = PTHREAD_MUTEX_INITIALIZER;
static int status = STATUS_UNTRIED;
static bool fork_hook_installed;

int evl_check_core(void)
{
	return __atomic_load_n(&status, __ATOMIC_ACQUIRE) ? -ENXIO : 0;
}

bool evl_clocksource_in_vdso(const char *name)
{
	static const char *const readable[] = { EVL_ARCH_VDSO_CLOCKSOURCES };
	size_t n;

	for (n = 0; n < sizeof(readable) / sizeof(readable[0]); n++)
		if (!strcmp(name, readable[n]))
			return true;

	return false;
}

static bool detect_vdso_clocks(void)
{
	char name[64];

	return !evl_backend_read_line(CLOCKSOURCE_FILE, name, sizeof(name)) &&
		evl_clocksource_in_vdso(name);
}

/* mlockall() says EAGAIN when part of the memory could not be locked: for us this is no memory. */
static int lock_memory(void)
{
	int ret = evl_backend_lock_memory();

	return ret == -EAGAIN ? -ENOMEM : ret;
}

static int open_control(void)
{
	int fd = evl_backend_open(EVL_CONTROL_DEV);

	if (fd == -ENOENT || fd == -ENXIO || fd == -ENODEV)
		return -ENOSYS;

	return fd;
}

static int query_core(int control_fd, struct evl_core_info *info)
{
	int ret = evl_backend_ioctl(control_fd, EVL_CTLIOC_GET_COREINFO, info);

	if (ret == -ENOTTY)
		return -ENOEXEC;

	if (ret < 0)
		return ret;

	if (info->abi_base > EVL_ABI_PREREQ || info->abi_current < EVL_ABI_PREREQ)
		return -ENOEXEC;

	return 0;
}

static int open_clock(const char *name)
{
	char path[64] = "/dev/evl/" EVL_CLOCK_DEV "/";

	strncat(path, name, sizeof(path) - strlen(path) - 1);

	return evl_backend_open(path);
}

static int open_clocks(struct evl_core_link *link)
{
	link->monotonic_fd = open_clock(EVL_CLOCK_MONOTONIC_DEV);
	if (link->monotonic_fd < 0)
		return link->monotonic_fd;

	link->realtime_fd = open_clock(EVL_CLOCK_REALTIME_DEV);
	if (link->realtime_fd < 0) {
		evl_backend_close(link->monotonic_fd);
		return link->realtime_fd;
	}

	return 0;
}

static int map_shared(struct evl_core_link *link, size_t size)
{
	void *addr;
	int ret;

	ret = evl_backend_map(link->control_fd, size, &addr);
	if (ret < 0)
		return ret;

	link->shared = addr;
	link->shared_size = size;

	return 0;
}

static int connect_core(struct evl_core_link *link)
{
	struct evl_core_info info = { 0 };
	int ret;

	link->control_fd = open_control();
	if (link->control_fd < 0)
		return link->control_fd;

	ret = query_core(link->control_fd, &info);
	if (ret < 0)
		goto err_close_control;

	ret = map_shared(link, (size_t)info.shm_size);
	if (ret < 0)
		goto err_close_control;

	ret = open_clocks(link);
	if (ret < 0)
		goto err_unmap;

	link->stdout_fd = evl_open_stream(STDOUT_FILENO);
	link->stderr_fd = evl_open_stream(STDERR_FILENO);
	link->abi_level = (int)info.abi_current;
	link->vdso_clocks = detect_vdso_clocks();

	return 0;

err_unmap:
	evl_backend_unmap(link->shared, link->shared_size);
err_close_control:
	evl_backend_close(link->control_fd);

	return ret;
}

static void close_stream(int fd)
{
	if (fd >= 0)
		evl_backend_close(fd);
}

static void disconnect_core(struct evl_core_link *link)
{
	evl_backend_unmap(link->shared, link->shared_size);
	close_stream(link->stderr_fd);
	close_stream(link->stdout_fd);
	evl_backend_close(link->realtime_fd);
	evl_backend_close(link->monotonic_fd);
	evl_backend_close(link->control_fd);
}

/*
 * The child has one thread, which is not attached, and no memory locked. Another thread of the parent may
 * have held init_lock when the process was copied.
 */
static void forget_core(void)
{
	static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

	if (!evl_check_core())
		disconnect_core(&evl_core);

	evl_core.abi_level = EVL_ABI_PREREQ;
	evl_self.window = NULL;
	memcpy(&init_lock, &unlocked, sizeof(init_lock));
	evl_forget_activations();
	__atomic_store_n(&status, STATUS_UNTRIED, __ATOMIC_RELEASE);
}

/* Stays in force in the child, hence only once in a line of processes. */
static int install_fork_hook(void)
{
	int ret;

	if (fork_hook_installed)
		return 0;

	ret = pthread_atfork(NULL, NULL, forget_core);
	if (ret)
		return -ret;

	fork_hook_installed = true;

	return 0;
}

static int init_process(void)
{
	struct evl_core_link link;
	int ret;

	ret = install_fork_hook();
	if (ret)
		return ret;

	ret = lock_memory();
	if (ret)
		return ret;

	ret = connect_core(&link);
	if (ret)
		return ret;

	evl_core = link;

	return 0;
}

EVL_API int evl_init(void)
{
	int ret = __atomic_load_n(&status, __ATOMIC_ACQUIRE);

	if (ret != STATUS_UNTRIED)
		return ret;

	pthread_mutex_lock(&init_lock);
	ret = status;
	if (ret == STATUS_UNTRIED) {
		ret = init_process();
		__atomic_store_n(&status, ret, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&init_lock);

	return ret;
}

EVL_API unsigned int evl_detect_fpu(void)
{
	return evl_arch_fpu_features();
}
