/* SPDX-License-Identifier: MIT */
/* Out-of-band transfers on files. C library style results: -1 and errno. */
#ifndef _EVL_SYSCALL_H
#define _EVL_SYSCALL_H

#include <sys/types.h>
#include <evl/compiler.h>

__EVL_BEGIN_DECLS

ssize_t oob_read(int efd, void *buf, size_t count);

ssize_t oob_write(int efd, const void *buf, size_t count);

int oob_ioctl(int efd, unsigned long request, ...);

__EVL_END_DECLS

#endif /* _EVL_SYSCALL_H */
