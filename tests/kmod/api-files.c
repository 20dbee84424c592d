// SPDX-License-Identifier: GPL-2.0-only
/* What takes descriptors of a process: a device which passes them on. The program is tests/api-files.c. */
#include "api-test.h"
#include "api-files.h"
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

struct api_file {
	struct evl_file		efile;
	struct evl_file		*held;
	char			buf[API_MAX_COUNT];
};

static long read_xbuf(struct api_file *f, struct evl_xbuf *xbuf, const struct api_transfer *t)
{
	ssize_t ret = evl_read_xbuf(xbuf, f->buf, t->count, t->f_flags);

	if (ret > 0 && evl_copy_to_user(u64_to_user_ptr(t->buf), f->buf, ret))
		return -EFAULT;

	return ret;
}

static long write_xbuf(struct api_file *f, struct evl_xbuf *xbuf, const struct api_transfer *t)
{
	if (evl_copy_from_user(f->buf, u64_to_user_ptr(t->buf), t->count))
		return -EFAULT;

	return evl_write_xbuf(xbuf, f->buf, t->count, t->f_flags);
}

static long use_xbuf(struct api_file *f, unsigned int cmd, const void __user *arg)
{
	struct evl_file *efilp;
	struct api_transfer t;
	struct evl_xbuf *xbuf;
	long ret;

	if (evl_copy_from_user(&t, arg, sizeof(t)))
		return -EFAULT;
	if (t.count > API_MAX_COUNT)
		return -E2BIG;

	xbuf = evl_get_xbuf(t.fd, &efilp);
	if (IS_ERR(xbuf))
		return PTR_ERR(xbuf);

	ret = cmd == API_XBUF_READ ? read_xbuf(f, xbuf, &t) : write_xbuf(f, xbuf, &t);
	evl_put_xbuf(efilp);

	return ret;
}

/* One reference from the lookup, one more which goes again. */
static long hold_file(struct api_file *f, unsigned int fd)
{
	struct evl_file *efilp;

	if (f->held)
		return -EBUSY;

	efilp = evl_get_file(fd);
	if (!efilp)
		return -EBADF;

	evl_get_fileref(efilp);
	evl_put_file(efilp);
	f->held = efilp;

	return 0;
}

static long drop_file(struct api_file *f)
{
	if (f->held)
		evl_put_file(f->held);
	f->held = NULL;

	return 0;
}

#define MAX_BROKEN	1000

static struct {
	struct evl_kthread	kthread;
	struct evl_flag		flag;
	atomic_t		granted, broken;
	bool			runs;
} public;

static void wait_for_flag(void *arg)
{
	while (!evl_kthread_should_stop() && atomic_read(&public.broken) < MAX_BROKEN)
		atomic_inc(evl_wait_flag(&public.flag) ? &public.broken : &public.granted);
}

static long run_public(void)
{
	int ret;

	if (public.runs)
		return -EBUSY;

	evl_init_flag(&public.flag);
	atomic_set(&public.granted, 0);
	atomic_set(&public.broken, 0);
	ret = evl_run_kthread(&public.kthread, wait_for_flag, NULL, 20, EVL_CLONE_PUBLIC, API_KTHREAD_NAME);
	public.runs = !ret;

	return ret;
}

static long stop_public(void)
{
	if (!public.runs)
		return -ESRCH;

	evl_stop_kthread(&public.kthread);
	evl_destroy_flag(&public.flag);
	public.runs = false;

	return 0;
}

static long api_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct api_file *f = filp->private_data;

	switch (cmd) {
	case API_XBUF_READ:
	case API_XBUF_WRITE:
		return use_xbuf(f, cmd, (const void __user *)arg);
	case API_FILE_HOLD:
		return hold_file(f, arg);
	case API_FILE_DROP:
		return drop_file(f);
	case API_KTHREAD_RUN:
		return run_public();
	case API_KTHREAD_RAISE:
		evl_raise_flag(&public.flag);
		return 0;
	case API_KTHREAD_STOP:
		return stop_public();
	case API_KTHREAD_GRANTED:
		return atomic_read(&public.granted);
	case API_KTHREAD_BROKEN:
		return atomic_read(&public.broken);
	default:
		return -ENOTTY;
	}
}

/* A file which has an out-of-band side already cannot have another. */
static int api_open(struct inode *inode, struct file *filp)
{
	struct api_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	struct evl_file second = { };
	int ret;

	if (!f)
		return -ENOMEM;

	ret = evl_open_file(&f->efile, filp);
	if (!ret && evl_open_file(&second, filp) != -EINVAL) {
		evl_release_file(&f->efile);
		ret = -EPROTO;
	}
	if (ret) {
		kfree(f);
		return ret;
	}
	filp->private_data = f;

	return 0;
}

static int api_release(struct inode *inode, struct file *filp)
{
	struct api_file *f = filp->private_data;

	evl_release_file(&f->efile);
	drop_file(f);
	kfree(f);

	return 0;
}

static const struct file_operations api_fops = {
	.owner		= THIS_MODULE,
	.open		= api_open,
	.release	= api_release,
	.unlocked_ioctl	= api_ioctl,
	.oob_ioctl	= api_ioctl,
};

struct miscdevice api_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evl-api-test",
	.fops	= &api_fops,
};
