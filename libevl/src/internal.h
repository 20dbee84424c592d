/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the library share. Nothing here is exported.
 */
#ifndef _LIBEVL_INTERNAL_H
#define _LIBEVL_INTERNAL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <evl/factory-abi.h>
#include <evl/thread-abi.h>

#define EVL_API		__attribute__((__visibility__("default")))

/* One relaxed load of a word which the core may change behind our back. */
#define read_once(__x)	__atomic_load_n(&(__x), __ATOMIC_RELAXED)

/*
 * The connection of this process to the core, set up by evl_init(), constant from then on but for the
 * child of a fork, which starts again from nothing.
 */
struct evl_core_link {
	int control_fd;
	int monotonic_fd;
	int realtime_fd;
	int stdout_fd;		/* proxies, or why there are none */
	int stderr_fd;
	int abi_level;
	char *shared;		/* mapping of the control device */
	size_t shared_size;
	bool vdso_clocks;	/* reading a POSIX clock issues no system call */
};

extern struct evl_core_link evl_core;

/* 0 once evl_init() succeeded in this process, else -ENXIO. */
int evl_check_core(void);

/* vDSO clocks, from the name of the current clock source of the kernel. */
bool evl_clocksource_in_vdso(const char *name);

/*
 * The calling thread, as far as attached by this library: window is NULL otherwise. Static TLS, so
 * that no access ever allocates: that would be a system call under an out-of-band caller.
 */
struct evl_self {
	struct evl_user_window *window;
	int efd;
	fundle_t fundle;
};

extern __thread struct evl_self evl_self __attribute__((__tls_model__("initial-exec")));

static inline bool evl_self_attached(void)
{
	return evl_self.window != NULL;
}

static inline bool evl_self_inband(void)
{
	return !evl_self_attached() || (read_once(evl_self.window->state) & EVL_T_INBAND);
}

/*
 * Requests to the core, by the form of call which keeps the stage of the caller: ioctl(2) in-band,
 * the out-of-band call otherwise. Negated error codes.
 */
int evl_request(int fd, unsigned long request, void *arg);

/* Same, about the caller itself, always out-of-band. -EPERM if not attached. */
int evl_self_request(unsigned long request);

/*
 * Names. On input *flags holds EVL_CLONE_*; a leading slash adds EVL_CLONE_PUBLIC. The result is
 * 1 and a name without slash, 0 if the core has to make up a name (NULL format), or a negated error.
 */
int evl_format_name(char name[EVL_NAME_MAX + 1], int *flags, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 3, 0)));

/* name NULL: made up by the core. */
int evl_clone_element(const char *type, const char *name, void *attrs,
		      int clone_flags, struct evl_element_ids *eids);

/* Checks the connection, flags and name, then creates: what most classes do. */
int evl_create_formatted(const char *type, void *attrs, int flags, int allowed, const char *fmt, va_list ap)
	__attribute__((__format__(__printf__, 5, 0)));

/* The shared state of an element, or NULL if the core gave an offset outside of the mapping. */
void *evl_shared_state(const struct evl_element_ids *eids, size_t size, size_t align);

/* Monitors are activated under a lock, which the child of a fork has to find free. */
void evl_forget_activations(void);

/* The descriptor behind EVL_CLOCK_MONOTONIC or _REALTIME; any other value is returned as it is. */
int evl_clock_descriptor(int clockfd);

/* Stands for a missing date: to the core NULL is no limit, to the API it is a bad address. */
#define BAD_ADDRESS	((const struct timespec *)~(uintptr_t)0)

/* Time arithmetic. */
void evl_timespec_add_us(struct timespec *ts, unsigned int usecs);

#endif /* _LIBEVL_INTERNAL_H */
