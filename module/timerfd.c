// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers of applications: an anonymous descriptor, made from that of a clock.
 *
 * Lock order: wait queue lock > timer base lock. The queue lock covers "ticks"; settings are serialised by
 * the lock of the timer base, the last one wins. Lifetime: until release(), which evicts the readers, then
 * waits for the requests in progress to end.
 */
#include "clock.h"
#include "poll.h"
#include "timer.h"
#include "timespec.h"
#include "uaccess.h"
#include "wait.h"

#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include <evl/clock-abi.h>

struct evl_timerfd {
	struct evl_file		efile;
	struct evl_clock	*clock;
	struct evl_timer	timer;
	struct evl_waitqueue	readers;
	u64			ticks;		/* not collected yet */
	struct evl_pollq	pollq;
	wait_queue_head_t	pollers;	/* in-band */
	struct irq_work		poll_work;
	bool			polled;		/* somebody has been in poll() */
};

/* In-band, on the CPU of the timer. */
static void wake_pollers(struct irq_work *work)
{
	wake_up_poll(&container_of(work, struct evl_timerfd, poll_work)->pollers, EPOLLIN);
}

/* Context H. */
static void timerfd_handler(struct evl_timer *timer)
{
	struct evl_timerfd *tfd = container_of(timer, struct evl_timerfd, timer);

	hard_spin_lock(&tfd->readers.lock);
	tfd->ticks += 1 + evl_get_timer_overruns(timer);
	evl_wake_up_locked(&tfd->readers, EVL_WAKE_GRANT);
	if (tfd->polled)
		irq_work_queue(&tfd->poll_work);
	hard_spin_unlock(&tfd->readers.lock);
	evl_poll_notify_nosched(&tfd->pollq, EPOLLIN | EPOLLRDNORM);
}

static void get_setting(struct evl_timerfd *tfd, struct __evl_itimerspec *its)
{
	ktime_t date = evl_get_timer_date(&tfd->timer);

	memset(its, 0, sizeof(*its));
	if (!date)
		return;

	its->it_value = evl_ktime_to_timespec(date);
	its->it_interval = evl_ktime_to_timespec(evl_get_interval(&tfd->timer));
}

static void drop_ticks(struct evl_timerfd *tfd)
{
	guard(hard_spinlock_irqsave)(&tfd->readers.lock);
	tfd->ticks = 0;
}

static int apply_setting(struct evl_timerfd *tfd, const struct __evl_itimerspec *its)
{
	ktime_t date, interval;

	if (!evl_timespec_is_sane(&its->it_value))
		return -EINVAL;

	date = evl_timespec_to_ktime(&its->it_value);
	if (!date) {
		evl_cancel_timer(&tfd->timer);
		drop_ticks(tfd);
		return 0;
	}

	if (!evl_timespec_is_sane(&its->it_interval))
		return -EINVAL;

	interval = evl_timespec_to_ktime(&its->it_interval);
	if (interval && interval < EVL_MIN_PERIOD)
		return -EINVAL;

	evl_cancel_timer(&tfd->timer);
	drop_ticks(tfd);
	evl_start_timer(&tfd->timer, date, interval);

	return 0;
}

static long timerfd_set(struct evl_timerfd *tfd, unsigned long arg)
{
	struct __evl_itimerspec its, old;
	struct evl_timer_setreq req;
	int ret;

	ret = evl_copy_from_user(&req, (void __user *)arg, sizeof(req));
	if (ret)
		return ret;

	ret = evl_copy_from_user(&its, evl_uptr(req.value_ptr), sizeof(its));
	if (ret)
		return ret;

	get_setting(tfd, &old);
	ret = apply_setting(tfd, &its);
	if (ret || !req.ovalue_ptr)
		return ret;

	return evl_copy_to_user(evl_uptr(req.ovalue_ptr), &old, sizeof(old));
}

static long timerfd_get(struct evl_timerfd *tfd, unsigned long arg)
{
	struct __evl_itimerspec its;

	get_setting(tfd, &its);
	return evl_copy_to_user((void __user *)arg, &its, sizeof(its));
}

/* Both stages. */
static long timerfd_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_timerfd *tfd = filp->private_data;

	switch (cmd) {
	case EVL_TFDIOC_SET:
		return timerfd_set(tfd, arg);
	case EVL_TFDIOC_GET:
		return timerfd_get(tfd, arg);
	default:
		return -ENOTTY;
	}
}

/* readers.lock held. */
static bool collect(struct evl_timerfd *tfd, u64 *ticks)
{
	*ticks = tfd->ticks;
	tfd->ticks = 0;
	return *ticks;
}

static int collect_now(struct evl_timerfd *tfd, u64 *ticks)
{
	guard(hard_spinlock_irqsave)(&tfd->readers.lock);
	return collect(tfd, ticks) ? 0 : -EAGAIN;
}

/* The reader could not have them: they wait for the next one. */
static void give_back(struct evl_timerfd *tfd, u64 ticks)
{
	unsigned long flags;

	evl_wq_lock(&tfd->readers, flags);
	tfd->ticks += ticks;
	evl_wake_up_locked(&tfd->readers, EVL_WAKE_GRANT);
	hard_spin_unlock(&tfd->readers.lock);
	evl_poll_notify_nosched(&tfd->pollq, EPOLLIN | EPOLLRDNORM);
	evl_schedule();
	hard_local_irq_restore(flags);
}

static ssize_t timerfd_oob_read(struct file *filp, char __user *buf, size_t count)
{
	struct evl_timerfd *tfd = filp->private_data;
	u64 ticks;
	int ret;

	if (count < sizeof(ticks))
		return -EINVAL;

	if (filp->f_flags & O_NONBLOCK)
		ret = collect_now(tfd, &ticks);
	else
		ret = evl_wait_event(&tfd->readers, collect(tfd, &ticks));

	/* The last descriptor was closed under the reader. */
	if (ret)
		return ret == -EIDRM ? -EBADF : ret;

	ret = evl_copy_to_user(buf, &ticks, sizeof(ticks));
	if (ret) {
		give_back(tfd, ticks);
		return ret;
	}

	return sizeof(ticks);
}

/* The look at "ticks" comes after the poller is queued, or an expiry in between would not wake it. */
static __poll_t timerfd_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct evl_timerfd *tfd = filp->private_data;

	poll_wait(filp, &tfd->pollers, pt);

	guard(hard_spinlock_irqsave)(&tfd->readers.lock);
	tfd->polled = true;
	return tfd->ticks ? EPOLLIN | EPOLLRDNORM : 0;
}

static __poll_t timerfd_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_timerfd *tfd = filp->private_data;

	evl_poll_register(&tfd->pollq, wait);

	guard(hard_spinlock_irqsave)(&tfd->readers.lock);
	return tfd->ticks ? EPOLLIN | EPOLLRDNORM : 0;
}

static int timerfd_release(struct inode *inode, struct file *filp)
{
	struct evl_timerfd *tfd = filp->private_data;

	evl_destroy_timer(&tfd->timer);
	evl_destroy_waitqueue(&tfd->readers);
	evl_poll_drop(&tfd->pollq);
	evl_release_file(&tfd->efile);
	/* A request which was in progress may have armed it again. */
	evl_destroy_timer(&tfd->timer);
	irq_work_sync(&tfd->poll_work);
	evl_put_clock(tfd->clock);
	kfree(tfd);

	return 0;
}

static const struct file_operations timerfd_fops = {
	.owner			= THIS_MODULE,
	.release		= timerfd_release,
	.poll			= timerfd_poll,
	.unlocked_ioctl		= timerfd_ioctl,
	.compat_ioctl		= compat_ptr_ioctl,
	.oob_read		= timerfd_oob_read,
	.oob_ioctl		= timerfd_ioctl,
	.oob_poll		= timerfd_oob_poll,
	.compat_oob_ioctl	= timerfd_ioctl,
};

static struct evl_timerfd *alloc_timerfd(struct evl_clock *clock)
{
	struct evl_timerfd *tfd = kzalloc(sizeof(*tfd), GFP_KERNEL_ACCOUNT);

	if (!tfd)
		return NULL;

	tfd->clock = clock;
	evl_get_element(&clock->element);
	evl_init_timer(&tfd->timer, clock, timerfd_handler, NULL, EVL_TIMER_GRAVITY_USER);
	__evl_init_waitqueue(&tfd->readers, clock, EVL_WQ_PRIO, "timer");
	evl_init_pollq(&tfd->pollq);
	init_waitqueue_head(&tfd->pollers);
	init_irq_work(&tfd->poll_work, wake_pollers);

	return tfd;
}

static void free_timerfd(struct evl_timerfd *tfd)
{
	evl_put_clock(tfd->clock);
	kfree(tfd);
}

static struct file *open_timerfd(struct evl_clock *clock, u32 flags)
{
	int f_flags = O_RDWR | (flags & EVL_CLONE_NONBLOCK ? O_NONBLOCK : 0);
	struct evl_timerfd *tfd = alloc_timerfd(clock);
	struct file *filp;
	int ret;

	if (!tfd)
		return ERR_PTR(-ENOMEM);

	filp = anon_inode_getfile("[evl-timer]", &timerfd_fops, tfd, f_flags);
	if (IS_ERR(filp)) {
		free_timerfd(tfd);
		return filp;
	}

	ret = evl_open_file(&tfd->efile, filp);
	if (ret) {
		fput(filp);
		return ERR_PTR(ret);
	}

	return filp;
}

/*
 * EVL_CLKIOC_NEW_TIMER: in-band. The descriptor is told before it is installed, so that nothing is left to
 * undo.
 */
long evl_new_timerfd(struct evl_clock *clock, unsigned long arg)
{
	struct evl_new_timer_req __user *u_req = (void __user *)arg;
	struct evl_new_timer_req req;
	struct file *filp;
	int fd;

	if (copy_from_user(&req, u_req, sizeof(req)))
		return -EFAULT;

	if (req.flags & ~EVL_CLONE_NONBLOCK)
		return -EINVAL;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	filp = open_timerfd(clock, req.flags);
	if (IS_ERR(filp)) {
		put_unused_fd(fd);
		return PTR_ERR(filp);
	}

	if (put_user(fd, &u_req->efd)) {
		put_unused_fd(fd);
		fput(filp);
		return -EFAULT;
	}

	fd_install(fd, filp);

	return 0;
}
