// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cross-buffers: two rings of bytes, one to in-band, which oob_write() feeds and read(2) empties, one from it.
 */
#include "xbuf.h"
#include "wait.h"
#include "factory.h"
#include "poll.h"
#include "ring.h"
#include "syscall.h"
#include "thread.h"

#include <linux/poll.h>
#include <linux/slab.h>

#include <evl/xbuf-abi.h>

struct evl_xbuf {
	struct evl_element	element;
	struct evl_ring		to_inband;
	struct evl_ring		from_inband;
	struct evl_pollq	pollq;		/* out-of-band side */
};

static struct evl_xbuf *element_xbuf(struct evl_element *e)
{
	return container_of(e, struct evl_xbuf, element);
}

static struct evl_xbuf *file_xbuf(struct file *filp)
{
	return element_xbuf(evl_file_element(filp));
}

static __poll_t oob_events(struct evl_xbuf *xbuf)
{
	__poll_t events = 0;

	if (evl_ring_fill(&xbuf->from_inband))
		events |= EPOLLIN | EPOLLRDNORM;
	if (evl_ring_fill(&xbuf->to_inband) < xbuf->to_inband.size)
		events |= EPOLLOUT | EPOLLWRNORM;

	return events;
}

static __poll_t inband_events(struct evl_xbuf *xbuf)
{
	__poll_t events = 0;

	if (evl_ring_fill(&xbuf->to_inband))
		events |= EPOLLIN | EPOLLRDNORM;
	if (evl_ring_fill(&xbuf->from_inband) < xbuf->from_inband.size)
		events |= EPOLLOUT | EPOLLWRNORM;

	return events;
}

static void notify_oob(struct evl_xbuf *xbuf)
{
	evl_poll_notify(&xbuf->pollq, oob_events(xbuf));
}

static void to_inband_changed(struct evl_ring *ring)
{
	notify_oob(container_of(ring, struct evl_xbuf, to_inband));
}

static void from_inband_changed(struct evl_ring *ring)
{
	notify_oob(container_of(ring, struct evl_xbuf, from_inband));
}

static ssize_t user_result(ssize_t ret)
{
	return ret == -EIDRM ? -EBADF : ret;
}

/* Closing does not wait for those who sleep here: the element stays as long as they do. */
static ssize_t oob_transfer(struct file *filp, char __user *u_buf, size_t count, bool write)
{
	struct evl_ring_buf buf = { .user = u_buf };
	struct evl_xbuf *xbuf = file_xbuf(filp);
	bool nonblock = filp->f_flags & O_NONBLOCK;
	ssize_t ret;

	evl_get_element(&xbuf->element);
	evl_end_file_use(evl_current());
	ret = write ? evl_ring_write(&xbuf->to_inband, buf, count, nonblock) :
		evl_ring_read(&xbuf->from_inband, buf, count, nonblock);
	evl_put_element(&xbuf->element);

	return user_result(ret);
}

static ssize_t xbuf_oob_read(struct file *filp, char __user *u_buf, size_t count)
{
	return oob_transfer(filp, u_buf, count, false);
}

static ssize_t xbuf_oob_write(struct file *filp, const char __user *u_buf, size_t count)
{
	return oob_transfer(filp, (char __user *)u_buf, count, true);
}

static ssize_t xbuf_read(struct file *filp, char __user *u_buf, size_t count, loff_t *ppos)
{
	struct evl_ring_buf buf = { .user = u_buf };

	return user_result(evl_ring_read(&file_xbuf(filp)->to_inband, buf, count, filp->f_flags & O_NONBLOCK));
}

static ssize_t xbuf_write(struct file *filp, const char __user *u_buf, size_t count, loff_t *ppos)
{
	struct evl_ring_buf buf = { .user = (void __user *)u_buf };

	return user_result(evl_ring_write(&file_xbuf(filp)->from_inband, buf, count, filp->f_flags & O_NONBLOCK));
}

static __poll_t xbuf_oob_poll(struct file *filp, struct oob_poll_wait *wait)
{
	struct evl_xbuf *xbuf = file_xbuf(filp);

	evl_poll_register(&xbuf->pollq, wait);

	return oob_events(xbuf);
}

static __poll_t xbuf_poll(struct file *filp, struct poll_table_struct *pt)
{
	struct evl_xbuf *xbuf = file_xbuf(filp);

	poll_wait(filp, &xbuf->to_inband.inband, pt);
	poll_wait(filp, &xbuf->from_inband.inband, pt);

	return inband_events(xbuf);
}

/* stream_open() does not fail. */
static int xbuf_open(struct inode *inode, struct file *filp)
{
	return evl_open_element(inode, filp) ?: stream_open(inode, filp);
}

static const struct file_operations xbuf_fops = {
	.owner		= THIS_MODULE,
	.open		= xbuf_open,
	.release	= evl_release_element,
	.read		= xbuf_read,
	.write		= xbuf_write,
	.poll		= xbuf_poll,
	.oob_read	= xbuf_oob_read,
	.oob_write	= xbuf_oob_write,
	.oob_poll	= xbuf_oob_poll,
};

static void free_xbuf(struct evl_xbuf *xbuf)
{
	evl_destroy_ring(&xbuf->to_inband);
	evl_destroy_ring(&xbuf->from_inband);
	kfree(xbuf);
}

static struct evl_xbuf *alloc_xbuf(const struct evl_xbuf_attrs *attrs)
{
	struct evl_xbuf *xbuf;
	int ret;

	if (attrs->i_bufsz > EVL_XBUF_MAXSZ || attrs->o_bufsz > EVL_XBUF_MAXSZ || !(attrs->i_bufsz | attrs->o_bufsz))
		return ERR_PTR(-EINVAL);

	xbuf = kzalloc(sizeof(*xbuf), GFP_KERNEL_ACCOUNT);
	if (!xbuf)
		return ERR_PTR(-ENOMEM);

	evl_init_pollq(&xbuf->pollq);
	ret = evl_init_ring(&xbuf->to_inband, attrs->i_bufsz, to_inband_changed);
	ret = evl_init_ring(&xbuf->from_inband, attrs->o_bufsz, from_inband_changed) ?: ret;
	if (ret) {
		free_xbuf(xbuf);
		return ERR_PTR(ret);
	}

	return xbuf;
}

static struct evl_element *build_xbuf(struct evl_factory *fac, const char *name, const void *attrs,
				      u32 clone_flags, struct file *filp)
{
	struct evl_xbuf *xbuf = alloc_xbuf(attrs);
	int ret;

	if (IS_ERR(xbuf))
		return ERR_CAST(xbuf);

	ret = evl_init_element(&xbuf->element, fac, name, clone_flags);
	if (ret)
		goto err_free;

	evl_set_element_owner(&xbuf->element, file_inode(filp)->i_uid, file_inode(filp)->i_gid);
	ret = evl_publish_element(&xbuf->element);
	if (ret)
		goto err_cancel;

	return &xbuf->element;

err_cancel:
	evl_cancel_element(&xbuf->element);
err_free:
	free_xbuf(xbuf);
	return ERR_PTR(ret);
}

static void evict_xbuf(struct evl_element *e)
{
	struct evl_xbuf *xbuf = element_xbuf(e);

	evl_evict_ring(&xbuf->to_inband);
	evl_evict_ring(&xbuf->from_inband);
	evl_poll_drop(&xbuf->pollq);
}

static void dispose_xbuf(struct evl_element *e)
{
	free_xbuf(element_xbuf(e));
}

struct evl_factory evl_xbuf_factory = {
	.name		= EVL_XBUF_DEV,
	.fops		= &xbuf_fops,
	.flags		= EVL_FACTORY_CLONE,
	.nrdev		= 256,
	.attrs_size	= sizeof(struct evl_xbuf_attrs),
	.build		= build_xbuf,
	.evict		= evict_xbuf,
	.dispose	= dispose_xbuf,
};

/**
 * evl_get_xbuf - cross-buffer behind a descriptor of the current process
 * @efd: the descriptor
 * @efilpp: file to give back by evl_put_xbuf()
 *
 * In-band task or out-of-band thread. ERR_PTR(-EBADF): no out-of-band file, ERR_PTR(-EINVAL): another kind.
 */
struct evl_xbuf *evl_get_xbuf(int efd, struct evl_file **efilpp)
{
	struct evl_file *efilp = evl_get_file(efd);

	if (!efilp && running_inband() && !evl_mirror_fd(efd))
		efilp = evl_get_file(efd);
	if (!efilp)
		return ERR_PTR(-EBADF);

	if (efilp->filp->f_op != &xbuf_fops) {
		evl_put_file(efilp);
		return ERR_PTR(-EINVAL);
	}
	*efilpp = efilp;

	return file_xbuf(efilp->filp);
}
EVL_EXPORT(evl_get_xbuf);

/** evl_put_xbuf - end of the use of a cross-buffer */
void evl_put_xbuf(struct evl_file *efilp)
{
	evl_put_file(efilp);
}
EVL_EXPORT(evl_put_xbuf);

/**
 * evl_read_xbuf - read what in-band has written
 * @xbuf: the buffer
 * @buf: kernel memory
 * @count: how many bytes
 * @f_flags: O_NONBLOCK or 0
 *
 * Core thread, which goes out-of-band. The number of bytes, -EAGAIN, -EINVAL, -ENOBUFS, -EINTR, -EIDRM; -EPERM: no core
 * thread.
 */
ssize_t evl_read_xbuf(struct evl_xbuf *xbuf, void *buf, size_t count, int f_flags)
{
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	return evl_ring_read(&xbuf->from_inband, (struct evl_ring_buf){ .kernel = buf }, count, f_flags & O_NONBLOCK);
}
EVL_EXPORT(evl_read_xbuf);

/** evl_write_xbuf - write for in-band to read; as evl_read_xbuf() */
ssize_t evl_write_xbuf(struct evl_xbuf *xbuf, const void *buf, size_t count, int f_flags)
{
	int ret = evl_begin_wait();

	if (ret)
		return ret;

	return evl_ring_write(&xbuf->to_inband, (struct evl_ring_buf){ .kernel = (void *)buf }, count,
			      f_flags & O_NONBLOCK);
}
EVL_EXPORT(evl_write_xbuf);
