/* SPDX-License-Identifier: MIT */
/*
 * The backend for real use: the kernel. Files are opened, read and closed by raw system calls, since the
 * calls of the C library are cancellation points, and this one has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <evl/syscall-abi.h>
#include "arch.h"
#include "backend.h"

long evl_backend_oob(unsigned int nr, long fd, long arg1, long arg2)
{
	return evl_arch_oob_call(EVL_SYSNR(nr), fd, arg1, arg2);
}

/* The result of a C library call as a negated code, errno put back to what the caller had. */
static int outcome(int ret, int saved_errno)
{
	if (ret < 0)
		ret = -errno;

	errno = saved_errno;

	return ret;
}

static int open_raw(const char *path, int mode)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, mode | O_CLOEXEC);
}

int evl_backend_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;

	return outcome(ioctl(fd, request, arg), saved);
}

int evl_backend_open(const char *path)
{
	int saved = errno;

	return outcome(open_raw(path, O_RDWR), saved);
}

void evl_backend_close(int fd)
{
	int saved = errno;

	outcome((int)syscall(SYS_close, fd), saved);
}

long evl_backend_transfer(bool write, int fd, void *buf, size_t count)
{
	long saved = errno, ret = syscall(write ? SYS_write : SYS_read, fd, buf, count);

	if (ret < 0)
		ret = -errno;
	errno = (int)saved;

	return ret;
}

int evl_backend_probe(int fd)
{
	int saved = errno;

	return outcome(fcntl(fd, F_GETFD), saved) < 0 ? -EBADF : 0;
}

int evl_backend_lock_memory(void)
{
	int saved = errno;

	return outcome(mlockall(MCL_CURRENT | MCL_FUTURE), saved);
}

int evl_backend_map(int fd, size_t size, void **addr)
{
	int saved = errno;
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return outcome(-1, saved);

	*addr = p;

	return 0;
}

void evl_backend_unmap(void *addr, size_t size)
{
	int saved = errno;

	outcome(munmap(addr, size), saved);
}

int evl_backend_gettime(clockid_t clock, struct timespec *ts)
{
	int saved = errno;

	return outcome(clock_gettime(clock, ts), saved);
}

/* The raw call: the C library would touch a bad address in user space, where we want -EFAULT. */
int evl_backend_settime(clockid_t clock, const struct timespec *ts)
{
	int saved = errno;

	return outcome((int)syscall(SYS_clock_settime, clock, ts), saved);
}

/* Same here: the vDSO serves this one. */
int evl_backend_getres(clockid_t clock, struct timespec *ts)
{
	int saved = errno;

	return outcome((int)syscall(SYS_clock_getres, clock, ts), saved);
}

int evl_backend_read_line(const char *path, char *buf, size_t size)
{
	int saved = errno, fd, len;

	fd = open_raw(path, O_RDONLY);
	if (fd < 0)
		return outcome(-1, saved);

	len = outcome((int)syscall(SYS_read, fd, buf, size - 1), saved);
	evl_backend_close(fd);
	if (len < 0)
		return len;

	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';

	return 0;
}
