// SPDX-License-Identifier: GPL-2.0-only
/*
 * Factories: classes of elements, their devices, creation of elements by applications.
 *
 * Each class has one range of device numbers. Minor 0 is the clone device, or the command device of a class
 * without elements; public elements have the others. One open() serves them all, and hands the file over to
 * the operations of what it has found.
 *
 * Opening versus the last close: open() looks the minor up under evl_factory.lock and takes a reference
 * unless the count is 0. Who disposes of the element withdraws the minor under the same lock before it goes
 * on.
 */
#include "factory.h"
#include "clock.h"
#include "control.h"
#include "monitor.h"
#include "observable.h"
#include "poll.h"
#include "proxy.h"
#include "thread.h"
#include "xbuf.h"

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

/* The table: all the classes there are. */
static struct evl_factory * const factories[] = {
	&evl_control_factory,
	&evl_clock_factory,
	&evl_thread_factory,
	&evl_monitor_factory,
	&evl_poll_factory,
	&evl_proxy_factory,
	&evl_observable_factory,
	&evl_xbuf_factory,
};

struct name_entry {
	struct list_head	next;
	struct evl_element	*element;
};

/* Reserved: the name of the clone device. */
#define CLONE_NAME	"clone"

int evl_check_name(const char *name)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/'))
		return -EINVAL;

	return strlen(name) > EVL_NAME_MAX ? -ENAMETOOLONG : 0;
}

/* fac->lock held. */
static struct name_entry *find_name(struct evl_factory *fac, const char *name)
{
	struct name_entry *entry;

	list_for_each_entry(entry, &fac->names, next)
		if (!strcmp(entry->element->name, name))
			return entry;
	return NULL;
}

/* fac->lock held. Minors of public elements lead open() to them, once they are published. */
static int get_minor(struct evl_factory *fac, struct evl_element *e)
{
	int minor;

	if (!(e->clone_flags & EVL_CLONE_PUBLIC))
		return 0;

	minor = idr_alloc(&fac->minors, e, 1, fac->nrdev + 1, GFP_KERNEL);
	if (minor < 0)
		return minor == -ENOSPC ? -ENOMEM : minor;

	e->minor = minor;

	return 0;
}

/* Make @e the only one of its class with its name, and give it a minor if it is public. In-band. */
int evl_reserve_name(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;
	struct name_entry *entry;
	int ret = -EEXIST;

	if (!strcmp(e->name, CLONE_NAME))
		return -EEXIST;

	entry = kmalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->element = e;

	mutex_lock(&fac->lock);
	if (find_name(fac, e->name))
		goto err_unlock;

	ret = -EAGAIN;
	if (atomic_read(&fac->nr_elements) >= fac->nrdev)
		goto err_unlock;

	ret = get_minor(fac, e);
	if (ret)
		goto err_unlock;

	list_add(&entry->next, &fac->names);
	atomic_inc(&fac->nr_elements);
	mutex_unlock(&fac->lock);

	return 0;

err_unlock:
	mutex_unlock(&fac->lock);
	kfree(entry);
	return ret;
}

/* And its minor: the device which had both is gone. In-band. */
void evl_withdraw_name(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;
	struct name_entry *entry;

	mutex_lock(&fac->lock);
	entry = find_name(fac, e->name);
	list_del(&entry->next);
	if (e->minor)
		idr_remove(&fac->minors, e->minor);
	mutex_unlock(&fac->lock);

	kfree(entry);
}

/* No open() gets to @e any more. The number stays taken: the device is still known to sysfs by it. In-band. */
void evl_withdraw_minor(struct evl_element *e)
{
	struct evl_factory *fac = e->factory;

	if (!e->minor)
		return;

	mutex_lock(&fac->lock);
	idr_replace(&fac->minors, NULL, e->minor);
	mutex_unlock(&fac->lock);
}

static int copy_request(struct evl_clone_req *req, struct evl_clone_req __user *u_req)
{
	if (copy_from_user(req, u_req, sizeof(*req)))
		return -EFAULT;

	if (req->reserved[0] || req->reserved[1])
		return -EINVAL;

	return 0;
}

static int check_clone_flags(struct evl_factory *fac, const struct evl_clone_req *req)
{
	if (req->clone_flags & ~(EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK | fac->clone_mask))
		return -EINVAL;

	/* A made-up name is of no use to others. */
	if (req->clone_flags & EVL_CLONE_PUBLIC && !req->name_ptr)
		return -EINVAL;

	return 0;
}

static char *copy_name(struct evl_factory *fac, u64 name_ptr)
{
	char *name;

	if (!name_ptr)
		return kasprintf(GFP_KERNEL, "%s:%d.%d", fac->name, task_tgid_nr(current),
				 atomic_inc_return(&fac->serial)) ?: ERR_PTR(-ENOMEM);

	name = strndup_user(u64_to_user_ptr(name_ptr), EVL_NAME_MAX + 1);

	return IS_ERR(name) && PTR_ERR(name) == -EINVAL ? ERR_PTR(-ENAMETOOLONG) : name;
}

static void *copy_attrs(struct evl_factory *fac, const struct evl_clone_req *req)
{
	if (req->attrs_len != fac->attrs_size || !req->attrs_ptr != !req->attrs_len)
		return ERR_PTR(-EINVAL);

	return req->attrs_len ? memdup_user(u64_to_user_ptr(req->attrs_ptr), req->attrs_len) : NULL;
}

static void revert_element(struct evl_element *e)
{
	if (e->factory->revert)
		e->factory->revert(e);
	else
		evl_leave_element(e);
}

/*
 * Give the new element its descriptor. The result is stored before anybody can use the descriptor, and before there is
 * a file, whose release takes its time: failure leaves nothing behind. The creator has left before others can close it, so
 * that the last to close is the one who evicts.
 */
static int install_element(struct evl_element *e, struct evl_clone_req *req,
			   struct evl_clone_req __user *u_req)
{
	unsigned int f_flags = O_RDWR | (req->clone_flags & EVL_CLONE_NONBLOCK ? O_NONBLOCK : 0);
	struct file *filp;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	req->eids.minor = e->minor;
	req->eids.fundle = e->fundle;
	req->eids.state_offset = e->state_offset;
	req->efd = fd;
	ret = -EFAULT;
	if (copy_to_user(u_req, req, sizeof(*req)))
		goto err_put_fd;

	filp = evl_open_element_file(e, f_flags);
	ret = PTR_ERR_OR_ZERO(filp);
	if (ret)
		goto err_put_fd;

	evl_leave_element(e);
	fd_install(fd, filp);

	return 0;

err_put_fd:
	put_unused_fd(fd);
	return ret;
}

static int clone_element(struct evl_factory *fac, struct file *clone_filp, struct evl_clone_req *req,
			 struct evl_clone_req __user *u_req, const char *name)
{
	void *attrs __free(kfree) = copy_attrs(fac, req);
	struct evl_element *e;
	int ret;

	if (IS_ERR(attrs))
		return PTR_ERR(no_free_ptr(attrs));

	e = fac->build(fac, name, attrs, req->clone_flags, clone_filp);
	if (IS_ERR(e))
		/* The class is full. */
		return PTR_ERR(e) == -EAGAIN ? -ENOMEM : PTR_ERR(e);

	ret = install_element(e, req, u_req);
	if (ret)
		revert_element(e);

	return ret;
}

static long clone_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct evl_factory *fac = filp->private_data;
	struct evl_clone_req __user *u_req = (void __user *)arg;
	struct evl_clone_req req;
	char *name;
	int ret;

	if (cmd != EVL_IOC_CLONE)
		return -ENOTTY;

	ret = copy_request(&req, u_req) ?: check_clone_flags(fac, &req);
	if (ret)
		return ret;

	name = copy_name(fac, req.name_ptr);
	if (IS_ERR(name))
		return PTR_ERR(name);

	ret = clone_element(fac, filp, &req, u_req, name);
	kfree(name);

	return ret;
}

static const struct file_operations clone_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= clone_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct evl_element *get_element_by_minor(struct evl_factory *fac, int minor)
{
	struct evl_element *e;

	guard(mutex)(&fac->lock);
	e = idr_find(&fac->minors, minor);
	if (!e || !e->published || !refcount_inc_not_zero(&e->refs))
		return NULL;
	return e;
}

static int open_public(struct evl_factory *fac, struct inode *inode, struct file *filp)
{
	struct evl_element *e = get_element_by_minor(fac, iminor(inode));
	int ret;

	if (!e)
		return -ENXIO;

	filp->private_data = e;
	replace_fops(filp, fops_get(fac->fops));
	ret = filp->f_op->open(inode, filp);
	if (ret)
		evl_put_element(e);

	return ret;
}

static int factory_open(struct inode *inode, struct file *filp)
{
	struct evl_factory *fac = container_of(inode->i_cdev, struct evl_factory, cdev);

	if (iminor(inode))
		return open_public(fac, inode, filp);

	filp->private_data = fac;
	if (fac->flags & EVL_FACTORY_CLONE) {
		replace_fops(filp, fops_get(&clone_fops));
		return 0;
	}

	if (!(fac->flags & EVL_FACTORY_SINGLE))
		return -ENXIO;

	replace_fops(filp, fops_get(fac->fops));

	return filp->f_op->open(inode, filp);
}

static const struct file_operations factory_fops = {
	.owner	= THIS_MODULE,
	.open	= factory_open,
};

static char *class_devnode(const struct device *dev, umode_t *mode)
{
	const struct evl_factory *fac = container_of(dev->class, struct evl_factory, class);

	if (mode)
		*mode = 0660;

	return kasprintf(GFP_KERNEL, "evl/%s/%s", fac->name, dev_name(dev));
}

static char *command_devnode(const struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0660;

	return kasprintf(GFP_KERNEL, "evl/%s", dev_name(dev));
}

/* Of all command devices: they are in sysfs below "evl". */
static struct class command_class = {
	.name		= "evl",
	.devnode	= command_devnode,
};

static struct class *factory_class(struct evl_factory *fac)
{
	return fac->flags & EVL_FACTORY_SINGLE ? &command_class : &fac->class;
}

static int register_class(struct evl_factory *fac)
{
	if (fac->flags & EVL_FACTORY_SINGLE)
		return 0;

	memset(&fac->class, 0, sizeof(fac->class));
	fac->class.name = fac->name;
	fac->class.devnode = class_devnode;

	return class_register(&fac->class);
}

static void unregister_class(struct evl_factory *fac)
{
	if (!(fac->flags & EVL_FACTORY_SINGLE))
		class_unregister(&fac->class);
}

/* Minor 0: "clone", or the command device, which is named after its class. */
static int create_first_device(struct evl_factory *fac)
{
	const struct attribute_group **groups = NULL;
	const char *name = CLONE_NAME;
	struct device *dev;

	if (!(fac->flags & (EVL_FACTORY_CLONE | EVL_FACTORY_SINGLE)))
		return 0;

	if (fac->flags & EVL_FACTORY_SINGLE) {
		name = fac->name;
		groups = (const struct attribute_group **)fac->attrs;
	}

	dev = device_create_with_groups(factory_class(fac), NULL, fac->rdev, fac, groups, "%s", name);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	fac->clone_dev = dev;

	return 0;
}

static int create_factory(struct evl_factory *fac)
{
	int ret;

	mutex_init(&fac->lock);
	idr_init(&fac->minors);
	INIT_LIST_HEAD(&fac->names);
	atomic_set(&fac->nr_elements, 0);
	fac->clone_dev = NULL;
	ret = register_class(fac);
	if (ret)
		return ret;

	ret = alloc_chrdev_region(&fac->rdev, 0, fac->nrdev + 1, fac->name);
	if (ret)
		goto err_unregister_class;

	cdev_init(&fac->cdev, &factory_fops);
	fac->cdev.owner = THIS_MODULE;
	ret = cdev_add(&fac->cdev, fac->rdev, fac->nrdev + 1);
	if (ret)
		goto err_unregister_region;

	ret = create_first_device(fac);
	if (ret)
		goto err_del_cdev;

	return 0;

err_del_cdev:
	cdev_del(&fac->cdev);
err_unregister_region:
	unregister_chrdev_region(fac->rdev, fac->nrdev + 1);
err_unregister_class:
	unregister_class(fac);
	return ret;
}

/* Elements whose last reference was dropped out-of-band may still be on their way out. */
static void delete_factory(struct evl_factory *fac)
{
	wait_var_event(&fac->nr_elements, !atomic_read(&fac->nr_elements));

	if (fac->clone_dev)
		device_unregister(fac->clone_dev);
	cdev_del(&fac->cdev);
	unregister_chrdev_region(fac->rdev, fac->nrdev + 1);
	unregister_class(fac);
	idr_destroy(&fac->minors);
	mutex_destroy(&fac->lock);
}

static void delete_factories(int nr)
{
	while (nr-- > 0)
		delete_factory(factories[nr]);
}

int evl_init_factories(void)
{
	int n, ret = class_register(&command_class);

	if (ret)
		return ret;

	for (n = 0; n < ARRAY_SIZE(factories); n++) {
		ret = create_factory(factories[n]);
		if (ret) {
			pr_err("class %s cannot be created (%d)\n", factories[n]->name, ret);
			delete_factories(n);
			class_unregister(&command_class);
			return ret;
		}
	}

	return 0;
}

void evl_cleanup_factories(void)
{
	delete_factories(ARRAY_SIZE(factories));
	class_unregister(&command_class);
}
