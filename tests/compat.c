/* SPDX-License-Identifier: MIT */
/*
 * property: requests made with the 32-bit convention (int $0x80) reach the core from both stages, and ordinary
 * 32-bit calls bring an out-of-band caller in-band, as 64-bit ones do.
 *
 * The program is a 64-bit one: the convention is what counts for the kernel. Its records are below 4 GB.
 *
 * evl-vm: smp=1,2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <evl/clock-abi.h>
#include <evl/control-abi.h>
#include <evl/syscall-abi.h>
#include <evl/thread-abi.h>
#include "common.h"

#define NR32_getpid	20

static struct low {
	struct __evl_timespec date;
	uint64_t ticks;
} *low;

static long call32(unsigned int nr, unsigned long arg0, unsigned long arg1, unsigned long arg2)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(arg0), "c"(arg1), "d"(arg2)
			 : "memory", "cc", "r8", "r9", "r10", "r11");

	return (int)ret;
}

static long ioctl32(int fd, unsigned int request, void *arg)
{
	return call32(EVL_SYSNR(sys_evl_ioctl), fd, request, (unsigned long)arg);
}

static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		t_bail("%s: %s", path, strerror(errno));

	return fd;
}

static void test_stages(int efd, int cfd)
{
	long pid = getpid();

	t_ok(!ioctl32(cfd, EVL_THRIOC_SWITCH_OOB, NULL) && really_oob(efd), "a 32-bit request goes out-of-band");
	t_ok(!ioctl32(cfd, EVL_THRIOC_SWITCH_OOB, NULL) && really_oob(efd), "and stays there");
	t_ok(call32(NR32_getpid, 0, 0, 0) == pid && evl_is_inband(), "a 32-bit getpid() from there is served in-band");
	t_ok(!ioctl32(cfd, EVL_THRIOC_SWITCH_OOB, NULL) && really_oob(efd), "a 32-bit request goes out-of-band again");
	t_ok(!ioctl32(cfd, EVL_THRIOC_SWITCH_INBAND, NULL) && evl_is_inband(), "and back in-band");
}

static void test_sleep(int efd)
{
	int fd = open_device("/dev/evl/clock/monotonic");
	uint64_t end = t_now() + 20 * NSEC_PER_MSEC;
	struct timespec ts = timespec_of(end);
	long ret;

	low->date.tv_sec = ts.tv_sec;
	low->date.tv_nsec = ts.tv_nsec;
	ret = ioctl32(fd, EVL_CLKIOC_SLEEP, &low->date);
	t_ok(!ret && t_now() >= end && really_oob(efd), "a 32-bit sleep, to the end, out-of-band (%ld)", ret);
	ret = ioctl32(fd, EVL_CLKIOC_SLEEP, (void *)16UL);
	t_ok(ret == -EFAULT, "a bad address is EFAULT (%ld)", ret);
	low->date.tv_nsec = -1;
	ret = ioctl32(fd, EVL_CLKIOC_SLEEP, &low->date);
	t_ok(ret == -EINVAL, "a bad date is EINVAL (%ld)", ret);
	close(fd);
}

static void test_read(int efd)
{
	int tfd = evl_new_timer(EVL_CLOCK_MONOTONIC);
	long ret;

	set_timer(tfd, t_now() + 10 * NSEC_PER_MSEC, 0);
	low->ticks = 0;
	ret = call32(EVL_SYSNR(sys_evl_read), tfd, (unsigned long)&low->ticks, sizeof(low->ticks));
	t_ok(ret == sizeof(low->ticks) && low->ticks == 1 && really_oob(efd), "a 32-bit read of a timer (%ld)", ret);
	close(tfd);
}

static void test_errors(int cfd)
{
	long ret;

	t_ok(ioctl32(-1, EVL_THRIOC_SWITCH_OOB, NULL) == -EBADF, "a bad descriptor is EBADF");
	t_ok(ioctl32(cfd, 0x12345678, NULL) == -ENOTTY, "an unknown request is ENOTTY");
	ret = call32(EVL_SYSNR(NR_EVL_SYSCALLS), 0, 0, 0);
	t_ok(ret == -ENOSYS, "an unknown call of the core is ENOSYS (%ld)", ret);
}

static void *unattached(void *cfd)
{
	long ret = ioctl32(*(int *)cfd, EVL_THRIOC_SWITCH_OOB, NULL);

	t_ok(ret == -EPERM, "a thread which is not attached gets EPERM (%ld)", ret);

	return NULL;
}

int main(void)
{
	int efd, cfd;

	deadline(40);
	t_require_core();
	t_need_cpus(1);
	t_plan(13);

	low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE, -1, 0);
	if (low == MAP_FAILED)
		t_bail("no memory below 4 GB: %s", strerror(errno));
	cfd = open_device(EVL_CONTROL_DEV);
	pthread_join(t_thread(0, t_cpu(0), unattached, &cfd), NULL);

	t_become(50, t_cpu(0));
	efd = attach("compat");
	test_stages(efd, cfd);
	test_sleep(efd);
	test_read(efd);
	test_errors(cfd);
	evl_detach_self();

	return t_end();
}
