/* SPDX-License-Identifier: MIT */
/*
 * A backend for unit tests: plays the kernel, with or without core, and records what it was asked.
 */
#ifndef _TESTS_UNIT_FAKE_H
#define _TESTS_UNIT_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <evl/control-abi.h>
#include <evl/factory-abi.h>
#include <evl/monitor-abi.h>
#include <evl/thread-abi.h>

/* Descriptors the fake kernel hands out. */
#define FAKE_CONTROL_FD		100
#define FAKE_MONOTONIC_FD	101
#define FAKE_REALTIME_FD	102
#define FAKE_CLONE_FD		103
#define FAKE_THREAD_FD		104
#define FAKE_OTHER_FD		105
/* Of the streams, which no test looks at: neither counted nor recorded. */
#define FAKE_PROXY_FD		106
#define FAKE_STREAM_FD		107
/* Of the elements of class monitor, whose state is at a place of its own. */
#define FAKE_MONITOR_CLONE_FD	108
#define FAKE_MONITOR_FD		109
#define FAKE_MONITOR_OFFSET	1024
/* To clone cross-buffers and observables, which are FAKE_OTHER_FD. */
#define FAKE_OTHER_CLONE_FD	110

enum fake_form { FAKE_IOCTL, FAKE_OOB };

struct fake_call {
	enum fake_form form;
	unsigned int nr;	/* FAKE_OOB: sys_evl_* */
	long fd;
	unsigned long request;	/* or buffer address, for transfers */
	unsigned long arg;	/* or byte count */
};

#define FAKE_MAX_CALLS	64

struct fake_kernel {
	/* Set by a test: 0 or a negated error code. */
	int lock_status;
	int control_status;
	int coreinfo_status;
	int map_status;
	int clock_status;	/* of opening the realtime clock */
	int clone_status;
	int proxy_status;	/* of creating proxies */
	int open_status;	/* of opening public elements of class monitor, polling sets */
	int ioctl_status;	/* of requests which have no setting of their own */
	long oob_result;
	int probe_status;
	const char *clocksource;
	struct evl_core_info info;
	__u32 attach_state;	/* EVL_T_* of a thread which was just attached */
	__u32 state_offset;
	bool switch_fails;
	void (*on_clone)(void);	/* called for each element, before it is made */

	/* Seen by the test. */
	int nr_calls;
	struct fake_call calls[FAKE_MAX_CALLS];
	struct evl_clone_req clone_req;
	struct evl_monitor_attrs monitor_attrs;	/* also what FAKE_MONITOR_FD is bound as */
	char clone_name[EVL_NAME_MAX + 2];
	char clone_path[64];
	char last_path[5000];
	int nr_locks;
	int nr_opens;
	int nr_closed;		/* of the descriptors above, but the clone device */
	int nr_maps;
	int nr_unmaps;
	int nr_gettime;
	int nr_settime;
	clockid_t last_clock;
	struct timespec now;
	union {
		char bytes[4096];
		struct evl_user_window window;
	} shared;
};

extern struct fake_kernel fake;

/* A kernel with a core which serves just our ABI level. */
void fake_reset(void);

/* The last request recorded; fails the test if there is none. */
const struct fake_call *fake_last(void);

/* evl_init() and evl_attach_self() with the thread out-of-band, or in-band, in the end. */
void fake_attach_oob(void);
void fake_attach_weak(void);

/* What the library and the core share of the monitor created last. */
struct evl_monitor_state *fake_monitor(void);

/* Stage of the attached caller, as the core publishes it. */
void fake_set_inband(bool inband);

#endif /* _TESTS_UNIT_FAKE_H */
