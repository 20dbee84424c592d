/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_FILE_H
#define _EVL_FILE_H

#include "lock.h"

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/refcount.h>

struct files_struct;

/*
 * struct evl_file - out-of-band side of an open file; file->oob_data
 *
 * @refs starts at 1, held by the opener until evl_release_file(); each lookup adds one. @mirrors counts the
 * entries of the descriptor table which lead here.
 */
struct evl_file {
	struct file		*filp;
	refcount_t		refs;
	u64			serial;		/* no other file has it */
	atomic_t		mirrors;
	struct irq_work		drained_work;
	struct completion	drained;
};

int evl_open_file(struct evl_file *efilp, struct file *filp);
void evl_release_file(struct evl_file *efilp);
struct evl_file *evl_get_file(unsigned int fd);
void evl_put_file(struct evl_file *efilp);

static inline void evl_get_fileref(struct evl_file *efilp)
{
	refcount_inc(&efilp->refs);
}

int evl_mirror_fd(unsigned int fd);

void evl_fd_install(unsigned int fd, struct file *file, struct files_struct *files);
void evl_fd_replace(unsigned int fd, struct file *file, struct files_struct *files);
void evl_fd_uninstall(unsigned int fd, struct file *file, struct files_struct *files);

int evl_init_files(void);
void evl_cleanup_files(void);

#endif /* _EVL_FILE_H */
