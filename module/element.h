/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_ELEMENT_H
#define _EVL_ELEMENT_H

#include "compat.h"
#include "file.h"
#include "waitqueue.h"

#include <linux/device.h>
#include <linux/irq_work.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

#include <evl/types.h>
#include <evl/factory-abi.h>

struct evl_element;
struct evl_factory;

/**
 * struct evl_element - base of everything an application can name or hold a descriptor of
 *
 * Lifetime: @refs counts open files, and whoever else took a reference; the creator starts with one. The
 * last one gone, the element is unpublished, then evl_factory.dispose() frees it. A thread is unpublished
 * earlier, when it detaches: evl_hide_element().
 */
struct evl_element {
	/* private: */
	struct evl_factory	*factory;
	const char		*name;
	u32			clone_flags;
	fundle_t		fundle;
	int			minor;		/* 0: none */
	u32			state_offset;	/* in the shared memory */
	bool			published;	/* registry mutex of the factory */
	kuid_t			uid;
	kgid_t			gid;
	refcount_t		refs;
	atomic_t		nr_files;	/* of a class with evict(), the creator counts until it has one; 0: for good */
	struct device		*dev;
	struct hlist_node	fundle_next;	/* lock of its bucket of the handle table */
	struct irq_work		put_irq_work;
	struct work_struct	put_work;
};

/*
 * An open file on an element; file->private_data. Requests which concern nobody else sleep in @sleepers, from
 * which release() evicts them.
 */
struct evl_file_binding {
	struct evl_file		efile;
	struct evl_element	*element;
	struct evl_waitqueue	sleepers;
};

static inline struct evl_element *evl_file_element(struct file *filp)
{
	struct evl_file_binding *b = filp->private_data;

	return b->element;
}

/* Whether somebody has, or may still get, a file on an element of a class with evict(). */
static inline bool evl_element_is_open(const struct evl_element *e)
{
	return atomic_read(&e->nr_files);
}

int evl_init_element(struct evl_element *e, struct evl_factory *fac, const char *name, u32 clone_flags);
void evl_set_element_owner(struct evl_element *e, kuid_t uid, kgid_t gid);
int evl_publish_element(struct evl_element *e);
void evl_hide_element(struct evl_element *e);
void evl_cancel_element(struct evl_element *e);

static inline void evl_get_element(struct evl_element *e)
{
	refcount_inc(&e->refs);
}

void evl_put_element(struct evl_element *e);
void evl_put_element_later(struct evl_element *e);
void evl_leave_element(struct evl_element *e);
struct evl_element *evl_get_element_by_fundle(struct evl_factory *fac, fundle_t fundle);

struct file *evl_open_element_file(struct evl_element *e, unsigned int f_flags);
int evl_open_element(struct inode *inode, struct file *filp);
int evl_release_element(struct inode *inode, struct file *filp);
struct evl_element *evl_get_element_by_fd(struct evl_factory *fac, unsigned int fd, struct evl_file **efilpp);

extern struct workqueue_struct *evl_element_queue;

int evl_init_elements(void);
void evl_cleanup_elements(void);

#endif /* _EVL_ELEMENT_H */
