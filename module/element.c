// SPDX-License-Identifier: GPL-2.0-only
/*
 * Elements: names, handles, references, files.
 *
 * Life of an element, all steps but the last reference in-band:
 *
 *   evl_init_element()     name reserved, one reference, known to nobody
 *   evl_publish_element()  handle, device and sysfs directory: others can find it
 *   evl_hide_element()     the reverse; nobody finds it any more, descriptors stay valid
 *   evl_put_element()      last reference: hidden if it was not, name withdrawn, dispose()
 *   evl_cancel_element()   instead, by a creator who failed: no dispose()
 *
 * Locks: evl_factory.lock (mutex) for names and minors; hard locks for the handle table: serial_lock, which only
 * those who make elements take, before the lock of a bucket. Handles are looked up on both stages, whenever a mutex
 * is contended, with its queue locked; a reference is taken under the bucket lock, unless the last one is being dropped.
 */
#include "element.h"
#include "clock.h"
#include "factory.h"
#include "lock.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/slab.h>

#define FUNDLE_BITS	8

/* CPUs which look different handles up should not meet. */
struct fundle_bucket {
	hard_spinlock_t		lock;
	struct hlist_head	head;
} ____cacheline_aligned_in_smp;

static struct fundle_bucket fundles[1 << FUNDLE_BITS] = {
	[0 ... (1 << FUNDLE_BITS) - 1] = { .lock = __HARD_SPIN_LOCK_UNLOCKED },
};

static DEFINE_HARD_SPINLOCK(serial_lock);	/* covers last_fundle; comes before the lock of a bucket */
static u32 last_fundle;

/* What elements do in-band by themselves. Unloading drains it, so that no work of theirs is left in our text. */
struct workqueue_struct *evl_element_queue;

static struct fundle_bucket *bucket_of(fundle_t fundle)
{
	return &fundles[hash_32(fundle, FUNDLE_BITS)];
}

/* Bucket locked. The walk is bounded by the number of elements. */
static struct evl_element *find_fundle(struct fundle_bucket *b, fundle_t fundle)
{
	struct evl_element *e;

	hlist_for_each_entry(e, &b->head, fundle_next)
		if (e->fundle == fundle)
			return e;
	return NULL;
}

/* Hard off. False if another element has this handle. */
static bool enter_fundle(struct evl_element *e, fundle_t fundle)
{
	struct fundle_bucket *b = bucket_of(fundle);

	guard(hard_spinlock)(&b->lock);
	if (find_fundle(b, fundle))
		return false;

	e->fundle = fundle;
	hlist_add_head(&e->fundle_next, &b->head);

	return true;
}

/* Numbers go round the whole range, so that a stale one is not taken for another element soon. */
static void add_fundle(struct evl_element *e)
{
	guard(hard_spinlock_irqsave)(&serial_lock);
	do
		last_fundle = (last_fundle + 1) & EVL_HANDLE_MASK;
	while (last_fundle == EVL_NO_HANDLE || !enter_fundle(e, last_fundle));
}

static void del_fundle(struct evl_element *e)
{
	guard(hard_spinlock_irqsave)(&bucket_of(e->fundle)->lock);
	hlist_del_init(&e->fundle_next);
}

/** evl_get_element_by_fundle - element of class @fac with this handle, with a reference; NULL if none; any context */
struct evl_element *evl_get_element_by_fundle(struct evl_factory *fac, fundle_t fundle)
{
	struct fundle_bucket *b = bucket_of(fundle);
	struct evl_element *e;

	guard(hard_spinlock_irqsave)(&b->lock);
	e = find_fundle(b, fundle);
	if (!e || e->factory != fac || !refcount_inc_not_zero(&e->refs))
		return NULL;
	return e;
}
EVL_EXPORT(evl_get_element_by_fundle);

static void free_device(struct device *dev)
{
	kfree(dev);
}

static char *element_devnode(const struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid)
{
	const struct evl_element *e = dev_get_drvdata(dev);

	if (mode)
		*mode = 0660;
	if (uid)
		*uid = e->uid;
	if (gid)
		*gid = e->gid;

	return kasprintf(GFP_KERNEL, "evl/%s/%s", e->factory->name, e->name);
}

static const struct device_type element_type = {
	.name		= "evl_element",
	.devnode	= element_devnode,
};

static int add_device(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int ret;

	if (!dev)
		return -ENOMEM;

	device_initialize(dev);
	dev->class = &fac->class;
	dev->type = &element_type;
	dev->release = free_device;
	dev->groups = (const struct attribute_group **)fac->attrs;
	if (e->minor)
		dev->devt = MKDEV(MAJOR(fac->rdev), e->minor);
	dev_set_drvdata(dev, e);

	ret = dev_set_name(dev, "%s", e->name) ?: device_add(dev);
	if (ret) {
		put_device(dev);
		return ret;
	}

	e->dev = dev;

	return 0;
}

/* Waits for readers of the attributes, hence without the lock of the factory. */
static void del_device(struct evl_element *e)
{
	device_unregister(e->dev);
	e->dev = NULL;
}

static void finish_element(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;

	evl_hide_element(e);
	kfree(e->name);
	fac->dispose(e);
	/* Last: unloading waits for this count. */
	if (atomic_dec_and_test(&fac->nr_elements))
		wake_up_var(&fac->nr_elements);
}

/* The handler of the irq_work has returned before the memory goes. */
static void put_work(struct work_struct *work)
{
	struct evl_element *e = container_of(work, struct evl_element, put_work);

	irq_work_sync(&e->put_irq_work);
	finish_element(e);
}

static void put_irq_work(struct irq_work *work)
{
	queue_work(evl_element_queue, &container_of(work, struct evl_element, put_irq_work)->put_work);
}

/**
 * evl_init_element - first step of making an element
 * @e: the element
 * @fac: its class
 * @name: of the element, not used by any other one of the class; copied
 * @clone_flags: EVL_CLONE_* bits
 *
 * In-band. 0, -EEXIST, -ENAMETOOLONG, -EINVAL, -ENOMEM, -EAGAIN: the class is full.
 */
int evl_init_element(struct evl_element *e, struct evl_factory *fac, const char *name, u32 clone_flags)
{
	int ret = evl_check_name(name);

	if (ret)
		return ret;

	e->factory = fac;
	e->clone_flags = clone_flags;
	e->fundle = EVL_NO_HANDLE;
	e->minor = 0;
	e->published = false;
	e->uid = GLOBAL_ROOT_UID;
	e->gid = GLOBAL_ROOT_GID;
	e->dev = NULL;
	refcount_set(&e->refs, 1);
	atomic_set(&e->nr_files, 1);
	init_irq_work(&e->put_irq_work, put_irq_work);
	INIT_WORK(&e->put_work, put_work);

	e->name = kstrdup(name, GFP_KERNEL);
	if (!e->name)
		return -ENOMEM;

	ret = evl_reserve_name(e);
	if (ret)
		kfree(e->name);

	return ret;
}
EVL_EXPORT(evl_init_element);

/* Owner of the device file; before publishing. */
void evl_set_element_owner(struct evl_element *e, kuid_t uid, kgid_t gid)
{
	e->uid = uid;
	e->gid = gid;
}

/**
 * evl_publish_element - let others find an element, which is complete
 * @e: the element
 *
 * In-band. On failure it stays as evl_init_element() left it.
 */
int evl_publish_element(struct evl_element *e)
{
	int ret;

	add_fundle(e);
	ret = add_device(e);
	if (ret) {
		del_fundle(e);
		return ret;
	}

	e->published = true;

	return 0;
}
EVL_EXPORT(evl_publish_element);

/**
 * evl_hide_element - let nobody find an element any more
 * @e: the element
 *
 * In-band; by the one who published it, or by the last reference. Its name and minor may be used again
 * afterwards. The minor leads nowhere first, so that no open() gets to it while the device is being removed.
 */
void evl_hide_element(struct evl_element *e)
{
	if (!e->published)
		return;

	e->published = false;
	evl_withdraw_minor(e);
	del_fundle(e);
	del_device(e);
	evl_withdraw_name(e);
}
EVL_EXPORT(evl_hide_element);

/* Undo evl_init_element() of an element which nobody else has seen. In-band. */
void evl_cancel_element(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;

	WARN_ON_ONCE(e->published);
	evl_withdraw_minor(e);
	evl_withdraw_name(e);
	kfree(e->name);
	if (atomic_dec_and_test(&fac->nr_elements))
		wake_up_var(&fac->nr_elements);
}

/**
 * evl_put_element - drop a reference
 * @e: the element
 *
 * In-band and able to sleep, or out-of-band. The last one disposes of the element, at once or, coming from
 * the out-of-band stage, soon.
 */
void evl_put_element(struct evl_element *e)
{
	if (running_inband()) {
		if (refcount_dec_and_test(&e->refs))
			finish_element(e);
	} else {
		evl_put_element_later(e);
	}
}
EVL_EXPORT(evl_put_element);

/* The same from any context, hard off included: the element is never disposed of at once. */
void evl_put_element_later(struct evl_element *e)
{
	if (refcount_dec_and_test(&e->refs))
		irq_work_queue(&e->put_irq_work);
}

/* A file which comes when the last one has gone is too late: all waiters were told that this is the end. */
static bool add_file(struct evl_element *e)
{
	return !e->factory->evict || atomic_inc_not_zero(&e->nr_files);
}

/* The last one may be gone while another is being opened, which then fails. */
static void drop_file(struct evl_element *e)
{
	if (e->factory->evict && atomic_dec_and_test(&e->nr_files))
		e->factory->evict(e);
}

/* The creator has got its file, or failed to. In-band. */
void evl_leave_element(struct evl_element *e)
{
	drop_file(e);
	evl_put_element(e);
}

static struct evl_file_binding *alloc_binding(struct evl_element *e)
{
	struct evl_file_binding *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;

	b->element = e;
	__evl_init_waitqueue(&b->sleepers, &evl_mono_clock, EVL_WQ_PRIO, e->factory->name);

	return b;
}

/*
 * An anonymous file on an element, for the one who creates it; consumes no reference. In-band.
 */
struct file *evl_open_element_file(struct evl_element *e, unsigned int f_flags)
{
	struct evl_file_binding *b = alloc_binding(e);
	struct file *filp;
	int ret;

	if (!b)
		return ERR_PTR(-ENOMEM);

	filp = anon_inode_getfile("[evl]", e->factory->fops, b, f_flags);
	if (IS_ERR(filp)) {
		kfree(b);
		return filp;
	}

	/* From here on, release() drops both. */
	evl_get_element(e);
	WARN_ON_ONCE(!add_file(e));
	ret = evl_open_file(&b->efile, filp);
	if (ret) {
		fput(filp);
		return ERR_PTR(ret);
	}

	return filp;
}

/**
 * evl_open_element - open() of a device of an element
 * @inode: of the device
 * @filp: the file
 *
 * In-band. The factory has found it and passes its reference in private_data. 0, -ENOMEM, -EINVAL, -ENXIO: the last
 * file is being closed.
 */
int evl_open_element(struct inode *inode, struct file *filp)
{
	struct evl_element *e = filp->private_data;
	struct evl_file_binding *b;
	int ret = -ENOMEM;

	if (!add_file(e))
		return -ENXIO;

	b = alloc_binding(e);
	if (!b)
		goto err_drop;

	ret = evl_open_file(&b->efile, filp);
	if (ret)
		goto err_free;

	filp->private_data = b;

	return 0;

err_free:
	kfree(b);
err_drop:
	drop_file(e);
	return ret;
}
EVL_EXPORT(evl_open_element);

/**
 * evl_release_element - release() of files on elements
 * @inode: of the device
 * @filp: the file
 *
 * In-band. Who sleeps elsewhere than in the file is evicted with the last one, evl_factory.evict(). 0.
 */
int evl_release_element(struct inode *inode, struct file *filp)
{
	struct evl_file_binding *b = filp->private_data;

	drop_file(b->element);
	evl_destroy_waitqueue(&b->sleepers);
	evl_release_file(&b->efile);
	evl_put_element(b->element);
	kfree(b);

	return 0;
}
EVL_EXPORT(evl_release_element);

/*
 * Element of class @fac behind a descriptor of the current process, kept by the reference to the file which
 * is stored in @efilpp; NULL if none. In-band or out-of-band thread.
 */
struct evl_element *evl_get_element_by_fd(struct evl_factory *fac, unsigned int fd, struct evl_file **efilpp)
{
	struct evl_file *efilp = evl_get_file(fd);

	if (!efilp && running_inband() && !evl_mirror_fd(fd))
		efilp = evl_get_file(fd);
	if (!efilp)
		return NULL;

	if (efilp->filp->f_op != fac->fops) {
		evl_put_file(efilp);
		return NULL;
	}

	*efilpp = efilp;

	return evl_file_element(efilp->filp);
}

int evl_init_elements(void)
{
	evl_element_queue = alloc_workqueue("evl_element", WQ_UNBOUND, 0);

	return evl_element_queue ? 0 : -ENOMEM;
}

void evl_cleanup_elements(void)
{
	destroy_workqueue(evl_element_queue);
}
