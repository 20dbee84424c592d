/* SPDX-License-Identifier: MIT */
/*
 * Every way out of the library: system calls, ordinary and out-of-band. The unit tests link the rest of
 * the library with a backend of their own. All return a negated error code and leave errno alone.
 */
#ifndef _LIBEVL_BACKEND_H
#define _LIBEVL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* nr: sys_evl_*, without the bit which marks a call of the core. */
long evl_backend_oob(unsigned int nr, long fd, long arg1, long arg2);

int evl_backend_ioctl(int fd, unsigned long request, void *arg);

int evl_backend_open(const char *path);	/* O_RDWR, O_CLOEXEC */

void evl_backend_close(int fd);

/* read(2) or write(2), no cancellation point. */
long evl_backend_transfer(bool write, int fd, void *buf, size_t count);

/* 0, or -EBADF: is this an open descriptor? */
int evl_backend_probe(int fd);

int evl_backend_lock_memory(void);

int evl_backend_map(int fd, size_t size, void **addr);

void evl_backend_unmap(void *addr, size_t size);

int evl_backend_gettime(clockid_t clock, struct timespec *ts);
int evl_backend_settime(clockid_t clock, const struct timespec *ts);
int evl_backend_getres(clockid_t clock, struct timespec *ts);

/* First line of a file, without its end; shorter than size, else cut. */
int evl_backend_read_line(const char *path, char *buf, size_t size);

#endif /* _LIBEVL_BACKEND_H */
