/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/evl-api-test: has the module call what takes descriptors. Shared with tests/api-files.c. */
#ifndef _EVL_TESTS_API_FILES_H
#define _EVL_TESTS_API_FILES_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define API_DEV		"/dev/evl-api-test"
#define API_MAX_COUNT	4096

struct api_transfer {
	__s32	fd;		/* cross-buffer */
	__u32	count;
	__u32	f_flags;
	__u32	pad;
	__u64	buf;
};

/* ioctl() or oob_ioctl(): the number of bytes, or an error of evl_get_xbuf() or of the transfer. */
#define API_XBUF_READ	_IOW('a', 0, struct api_transfer)
#define API_XBUF_WRITE	_IOW('a', 1, struct api_transfer)
/* Hold a reference to the file of the descriptor which is the argument: -EBADF, -EBUSY; give it back. */
#define API_FILE_HOLD	_IO('a', 2)
#define API_FILE_DROP	_IO('a', 3)

/*
 * A public kernel thread which waits for a flag, over and over: run it, raise the flag, stop it. How many of its waits
 * were granted, and how many ended with an error.
 */
#define API_KTHREAD_NAME	"api-public"
#define API_KTHREAD_RUN		_IO('a', 4)
#define API_KTHREAD_RAISE	_IO('a', 5)
#define API_KTHREAD_STOP	_IO('a', 6)
#define API_KTHREAD_GRANTED	_IO('a', 7)
#define API_KTHREAD_BROKEN	_IO('a', 8)

#endif /* _EVL_TESTS_API_FILES_H */
