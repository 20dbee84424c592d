/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Scheduling: policies, attributes of a thread, per-CPU configuration of policies.
 */
#ifndef _UAPI_EVL_SCHED_ABI_H
#define _UAPI_EVL_SCHED_ABI_H

#include <evl/types.h>

/* Policies of the core beyond SCHED_FIFO and SCHED_RR. Outside the range of the regular kernel. */
#define SCHED_WEAK	43
#define SCHED_QUOTA	44
#define SCHED_TP	45

/*
 * Attributes of a thread. Only the member of the union which the policy uses is looked at:
 * SCHED_RR      sched_rr_quantum, well-formed and > 0
 * SCHED_QUOTA   sched_quota_group
 * SCHED_TP      sched_tp_partition
 */
struct evl_sched_attrs {
	__s32	sched_policy;
	__s32	sched_priority;
	__extension__ union {
		struct __evl_timespec	sched_rr_quantum;
		__s32			sched_quota_group;
		__s32			sched_tp_partition;
	};
};

/* Quota groups: operations, in evl_quota_ctlparam.op. */
enum evl_quota_ctlop {
	evl_quota_add = 0,
	evl_quota_remove = 1,
	evl_quota_force_remove = 2,
	evl_quota_set = 3,
	evl_quota_get = 4
};

struct evl_quota_ctlparam {
	__u32	op;
	union {
		struct {
			__s32	tgid;
		} remove;
		struct {
			__s32	tgid;
			__s32	quota;		/* percent */
			__s32	quota_peak;	/* percent */
		} set;
		struct {
			__s32	tgid;
		} get;
	} u;
};

struct evl_quota_ctlinfo {
	__s32	tgid;
	__s32	quota;
	__s32	quota_peak;
	__s32	quota_sum;
};

/* Temporal partitioning: operations, in evl_tp_ctlparam.op. */
enum evl_tp_ctlop {
	evl_tp_install = 0,
	evl_tp_uninstall = 1,
	evl_tp_start = 2,
	evl_tp_stop = 3,
	evl_tp_get = 4
};

#define EVL_TP_IDLE	(-1)	/* evl_tp_window.ptid: a hole */

/* The tag which older sources use. */
#define __sched_tp_window	__evl_tp_window

struct __evl_tp_window {
	struct __evl_timespec	offset;
	struct __evl_timespec	duration;
	__s32			ptid;
	__s32			reserved;
};

struct evl_tp_ctlparam {
	__u32				op;
	__s32				nr_windows;
	__extension__ struct __evl_tp_window	windows[0];
};

struct evl_tp_ctlinfo {
	__s32				nr_windows;
	__s32				reserved;
	__extension__ struct __evl_tp_window	windows[0];
};

/* Bytes to allocate for n windows. Nobody touches a byte past these, even if the union is larger. */
#define evl_tp_paramlen(__n)	\
	(sizeof(struct evl_tp_ctlparam) + (__n) * sizeof(struct __evl_tp_window))
#define evl_tp_infolen(__n)	\
	(sizeof(struct evl_tp_ctlinfo) + (__n) * sizeof(struct __evl_tp_window))

union evl_sched_ctlparam {
	struct evl_quota_ctlparam	quota;
	struct evl_tp_ctlparam		tp;
};

union evl_sched_ctlinfo {
	struct evl_quota_ctlinfo	quota;
	struct evl_tp_ctlinfo		tp;
};

/* State of a CPU, a mask. */
#define EVL_CPU_OOB	1
#define EVL_CPU_ISOL	2
#define EVL_CPU_OFFLINE	4

#endif /* _UAPI_EVL_SCHED_ABI_H */
