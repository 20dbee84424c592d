/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A factory is a class of elements. Adding one takes a new file with a struct evl_factory, and one line in
 * the table of factory.c; docs/adding-an-element.md walks through it.
 */
#ifndef _EVL_FACTORY_H
#define _EVL_FACTORY_H

#include "element.h"

#include <linux/cdev.h>
#include <linux/idr.h>
#include <linux/mutex.h>

#define EVL_FACTORY_CLONE	0x1	/* applications create elements: there is a clone device */
#define EVL_FACTORY_SINGLE	0x2	/* a command device, no elements */

/**
 * struct evl_factory - a class of elements
 * @name:	class name: directory of /dev/evl and of /sys/devices/virtual
 * @fops:	of the files of an element, or of the command device
 * @flags:	EVL_FACTORY_*
 * @nrdev:	largest number of elements
 * @clone_mask:	EVL_CLONE_* bits which mean something to this class, besides PUBLIC and NONBLOCK
 * @attrs_size:	size of the creation attributes, 0 if the class takes none
 * @build:	in-band; make and publish an element for EVL_IOC_CLONE; returns it with one reference,
 *		dropped by evl_leave_element() once there is a descriptor
 * @revert:	in-band; the descriptor could not be made: undo @build, evl_leave_element() included; NULL:
 *		nothing but that
 * @evict:	in-band; the last file is being closed, by name no more are opened: nobody may wait on the
 *		element any more. NULL: the class has nobody wait but in files
 * @dispose:	in-band; the last reference has gone
 * @attrs:	sysfs attributes of each element, or of the command device
 *
 * The rest belongs to the core. @lock covers @minors, @names and evl_element.published.
 */
struct evl_factory {
	const char				*name;
	const struct file_operations		*fops;
	unsigned int				flags;
	unsigned int				nrdev;
	u32					clone_mask;
	size_t					attrs_size;
	struct evl_element *			(*build)(struct evl_factory *fac, const char *name,
							 const void *attrs, u32 clone_flags,
							 struct file *filp);
	void					(*revert)(struct evl_element *e);
	void					(*evict)(struct evl_element *e);
	void					(*dispose)(struct evl_element *e);
	const struct attribute_group * const	*attrs;

	/* private: */
	struct class		class;
	struct cdev		cdev;
	dev_t			rdev;
	struct device		*clone_dev;
	struct mutex		lock;
	struct idr		minors;
	struct list_head	names;
	atomic_t		nr_elements;
	atomic_t		serial;
};

int evl_reserve_name(struct evl_element *e);
void evl_withdraw_name(struct evl_element *e);
void evl_withdraw_minor(struct evl_element *e);
int evl_check_name(const char *name);

int evl_init_factories(void);
void evl_cleanup_factories(void);

#endif /* _EVL_FACTORY_H */
