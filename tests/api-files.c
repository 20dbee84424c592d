/* SPDX-License-Identifier: MIT */
/*
 * Kernel code on descriptors of a process: cross-buffers from the kernel's end, references to files. By the
 * module evl-api-test, which tests/api-files.sh has loaded.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <evl/xbuf.h>
#include "crew.h"
#include "kmod/api-files.h"

static struct hand hand;
static int dev;

struct call {
	unsigned long cmd;
	void *arg;
};

static int do_call(void *arg)
{
	struct call *c = arg;
	int ret = oob_ioctl(dev, c->cmd, c->arg);

	return ret < 0 ? -errno : ret;
}

static struct api_transfer transfer;
static struct call call = { 0, &transfer };

static void prepare(unsigned long cmd, int fd, void *buf, unsigned int count, int f_flags)
{
	transfer = (struct api_transfer){ .fd = fd, .count = count, .f_flags = (unsigned int)f_flags,
					  .buf = (uintptr_t)buf };
	call.cmd = cmd;
}

static int kernel_reads(int fd, void *buf, unsigned int count, int f_flags)
{
	prepare(API_XBUF_READ, fd, buf, count, f_flags);

	return ask(&hand, do_call, &call);
}

static int kernel_writes(int fd, const char *text, unsigned int count, int f_flags)
{
	prepare(API_XBUF_WRITE, fd, (void *)text, count, f_flags);

	return ask(&hand, do_call, &call);
}

static void test_transfers(int xb)
{
	char buf[200] = "";
	int ret;

	t_ok(write(xb, "hello", 5) == 5, "in-band writes");
	ret = kernel_reads(xb, buf, 5, 0);
	t_ok(ret == 5 && !memcmp(buf, "hello", 5), "the kernel reads it (%d)", ret);
	ret = kernel_reads(xb, buf, 5, O_NONBLOCK);
	t_ok(ret == -EAGAIN, "nothing is left (%d)", ret);
	prepare(API_XBUF_READ, xb, buf, 3, 0);
	tell(&hand, do_call, &call);
	t_ok(is_blocked(&hand) && write(xb,
	     "abc", 3) == 3 && outcome_of(&hand) == 3 && !memcmp(buf, "abc", 3),
	     "the kernel waits for more");
	ret = kernel_writes(xb, "world", 5, 0);
	t_ok(ret == 5 && read(xb, buf, 5) == 5 && !memcmp(buf,
	     "world", 5), "the kernel writes, in-band reads (%d)", ret);
	ret = kernel_writes(xb, buf, 40, 0);
	t_ok(ret == 40, "it writes more (%d)", ret);
	ret = kernel_writes(xb, buf, 40, O_NONBLOCK);
	t_ok(ret == -EAGAIN, "no room is left (%d)", ret);
}

static void test_errors(int xb)
{
	char buf[200] = "";
	int ret, half = evl_create_xbuf(64, 0, EVL_CLONE_PRIVATE, "api-half:%d", getpid());

	ret = kernel_reads(xb, buf, 0, 0);
	t_ok(!ret, "nothing to read is read at once (%d)", ret);
	ret = kernel_reads(xb, buf, 200, O_NONBLOCK);
	t_ok(ret == -EINVAL, "more than fits the ring (%d)", ret);
	ret = kernel_writes(xb, buf, 200, 0);
	t_ok(ret == -EINVAL, "in the other direction as well (%d)", ret);
	ret = kernel_reads(12345, buf, 1, 0);
	t_ok(ret == -EBADF, "no descriptor (%d)", ret);
	ret = kernel_reads(0, buf, 1, 0);
	t_ok(ret == -EBADF, "no out-of-band file (%d)", ret);
	ret = kernel_reads(dev, buf, 1, 0);
	t_ok(ret == -EINVAL, "no cross-buffer (%d)", ret);
	t_ok(half >= 0 &&
	     (kernel_reads(half, buf, 1, 0) == -ENOBUFS) != (kernel_writes(half, buf, 1, 0) == -ENOBUFS),
	     "a direction which is absent");
	prepare(API_XBUF_READ, xb, buf, 1, 0);
	ret = ioctl(dev, API_XBUF_READ, &transfer) ? errno : 0;
	t_ok(ret == EPERM, "not by a plain task (%d)", ret);
	close(half);
}

static void test_removal(int xb)
{
	char buf[8];
	int ret;

	prepare(API_XBUF_READ, xb, buf, sizeof(buf), 0);
	tell(&hand, do_call, &call);
	t_ok(is_blocked(&hand), "the kernel waits");
	close(xb);
	ret = outcome_of(&hand);
	t_ok(ret == -EIDRM, "until the buffer is closed (%d)", ret);
}

static volatile int closed;

static void *close_it(void *fd)
{
	close(*(int *)fd);
	publish(&closed, 1);

	return NULL;
}

static void test_references(void)
{
	int xb = evl_create_xbuf(64, 64, EVL_CLONE_PRIVATE, "api-held:%d", getpid()), ret;
	pthread_t closer;

	ret = ioctl(dev, API_FILE_HOLD, 12345) ? errno : 0;
	t_ok(ret == EBADF, "no file behind a bad descriptor (%d)", ret);
	ret = ioctl(dev, API_FILE_HOLD, 0) ? errno : 0;
	t_ok(ret == EBADF, "nor behind one without an out-of-band side (%d)", ret);
	t_ok(!ioctl(dev, API_FILE_HOLD, xb), "a reference is held");
	pthread_create(&closer, NULL, close_it, &xb);
	pause_ms(200);
	t_ok(!closed, "the file is not released meanwhile");
	t_ok(!ioctl(dev, API_FILE_DROP, 0) && await(&closed, 1), "but when it is dropped");
	pthread_join(closer, NULL);
}

static bool reaches(unsigned long cmd, int count)
{
	int n;

	for (n = 0; n < 500 && ioctl(dev, cmd, 0) != count; n++)
		pause_ms(2);
	pause_ms(10);

	return ioctl(dev, cmd, 0) == count;
}

/* Demoted as if it were an application's, it never slept again. */
static void test_kernel_thread(void)
{
	struct evl_sched_attrs attrs = { .sched_policy = 0 };
	int fd, ret;

	ret = ioctl(dev, API_KTHREAD_RUN, 0);
	fd = open("/dev/evl/thread/" API_KTHREAD_NAME, O_RDWR | O_CLOEXEC);
	t_ok(!ret && fd >= 0, "a public thread of the kernel is opened by a program");
	ret = evl_demote_thread(fd);
	t_ok(!ret && !evl_get_schedattr(fd, &attrs) && attrs.sched_policy == SCHED_FIFO && attrs.sched_priority == 20,
	     "which cannot demote it (%d, %d)", ret, attrs.sched_policy);
	t_ok(reaches(API_KTHREAD_BROKEN, 0), "nor keep it from waiting (%d)", ioctl(dev, API_KTHREAD_BROKEN, 0));
	ret = evl_unblock_thread(fd);
	t_ok(!ret && reaches(API_KTHREAD_BROKEN, 1), "but unblock it once (%d)", ioctl(dev, API_KTHREAD_BROKEN, 0));
	t_ok(!ioctl(dev, API_KTHREAD_RAISE, 0) && reaches(API_KTHREAD_GRANTED, 1), "it waits for its flag all the time");
	t_ok(!ioctl(dev, API_KTHREAD_STOP, 0) && evl_unblock_thread(fd) == -ESTALE, "stopped: ESTALE");
	close(fd);
}

int main(void)
{
	int xb;

	deadline(40);
	t_require_core();
	t_need_cpus(1);
	t_plan(28);
	dev = open(API_DEV, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		t_bail(API_DEV ": %s", strerror(errno));
	hire(&hand, "api-files", 10, t_cpu(0));
	xb = evl_create_xbuf(64, 64, EVL_CLONE_PRIVATE, "api-files:%d", getpid());
	if (xb < 0)
		t_bail("no cross-buffer: %s", strerror(-xb));
	test_transfers(xb);
	test_errors(xb);
	test_removal(xb);
	test_references();
	test_kernel_thread();

	return t_end();
}
