/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The context-switch stress driver, /dev/hectic.
 *
 * Each open file has a crew: threads, numbered from 0, which hand a turn to one another. Who does not have it
 * waits for it, in-band or out-of-band. Life of a crew:
 *
 *   SET_TASKS_COUNT    how many; once. SET_CPU and SET_PAUSE go before it
 *   REGISTER_UTASK     each application thread enlists itself; the one with index 0 has the turn
 *   CREATE_KTASK       each kernel thread of the core is created; it waits, then switches on and on
 *   SWITCH_TO, PEND    by application threads
 *   STOP               or close: all waits end, with -EIDRM
 *
 * SWITCH_TO, PEND, LOCK_STAX and UNLOCK_STAX exist on both stages: by ioctl(2) the caller waits in-band, by
 * oob_ioctl() out-of-band. All others are ioctl(2) ones, but REPORT_ERROR, which is on both as well.
 */
#ifndef _UAPI_EVL_DEVICES_HECTIC_H
#define _UAPI_EVL_DEVICES_HECTIC_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define HECTIC_DEV	"/dev/hectic"

#define HECTIC_IOC_MAGIC	0xec

#define HECTIC_MAX_TASKS	1024U
#define HECTIC_MAX_PAUSE	1000000000ULL	/* ns */

/* hectic_task_index.flags */
#define HECTIC_INBAND_WAIT	0x00000
#define HECTIC_OOB_WAIT		0x10000		/* of kernel threads: all of them do */
#define HECTIC_FPU_OOB		0x20000		/* uses the FPU out-of-band: -EOPNOTSUPP where the kernel has none for it */
#define HECTIC_IN_ORDER		0x40000		/* hands over to HECTIC_NEXT, not to HECTIC_ANYONE */
#define HECTIC_TASK_FLAGS	(HECTIC_OOB_WAIT | HECTIC_FPU_OOB | HECTIC_IN_ORDER)

/*
 * REGISTER_UTASK: flags must be 0. CREATE_KTASK: HECTIC_OOB_WAIT, and any other. -EINVAL index or flags; -EBUSY the
 * index is taken; -EAGAIN no SET_TASKS_COUNT; -EIDRM stopped.
 */
struct hectic_task_index {
	__u32	index;
	__u32	flags;
};

/* hectic_switch_req.to: chosen by the driver, among those enlisted, but the caller. */
#define HECTIC_ANYONE	0xffffffffU	/* at random */
#define HECTIC_NEXT	0xfffffffeU	/* the one of the next higher index, cyclically */

/* To be set by SET_PAUSE: after so many hand-overs by HECTIC_ANYONE or HECTIC_NEXT, index 0 has its turn. */
#define HECTIC_DEFAULT_BURST	64U

/*
 * SWITCH_TO: the caller, index "from", gives its turn away and waits for the next one. On return "from" tells who
 * gave it, "to" is the caller. With a pause, the caller sleeps first, on the stage of the call.
 * PEND: waits for the first turn, or goes on waiting after -EINTR. "to" is the caller, "from" is set.
 * -EINVAL no such thread; -EPERM the caller is not that one; -EAGAIN it does not have the turn; -ESRCH there is nobody
 * to hand over to; -EINTR signal: PEND, since the turn may have been given away; -EIDRM stopped; -EFAULT.
 */
struct hectic_switch_req {
	__u32	from;
	__u32	to;
};

/* GET_SWITCHES_COUNT: how many since the start, and which was the last one. */
struct hectic_count {
	__u64	switches;
	struct hectic_switch_req last_switch;
};

/*
 * REPORT_ERROR: the caller, last_switch.to, found a register changed. The first report is kept, GET_LAST_ERROR reads
 * it: 0, or -ENODATA none so far.
 */
struct hectic_error {
	struct hectic_switch_req last_switch;
	__u64	fp_val;		/* found */
	__u64	fp_expected;
	__u32	fp_reg;		/* which register */
	__u32	reserved;	/* 0 */
};

/* SET_PAUSE: ns before each hand-over, 0..HECTIC_MAX_PAUSE; burst: see above, 0 is the default. */
struct hectic_pause {
	__u64	pause;
	__u32	burst;
	__u32	reserved;	/* 0 */
};

#define EVL_HECIOC_SET_TASKS_COUNT	_IOW(HECTIC_IOC_MAGIC, 0x60, __u32)	/* -EINVAL, -EBUSY set before, -ENOMEM */
#define EVL_HECIOC_SET_CPU		_IOW(HECTIC_IOC_MAGIC, 0x61, __u32)	/* of kernel threads; -EINVAL: not the core's */
#define EVL_HECIOC_REGISTER_UTASK	_IOW(HECTIC_IOC_MAGIC, 0x62, struct hectic_task_index)
#define EVL_HECIOC_CREATE_KTASK		_IOW(HECTIC_IOC_MAGIC, 0x63, struct hectic_task_index)
#define EVL_HECIOC_PEND			_IOWR(HECTIC_IOC_MAGIC, 0x64, struct hectic_switch_req)
#define EVL_HECIOC_SWITCH_TO		_IOWR(HECTIC_IOC_MAGIC, 0x65, struct hectic_switch_req)
#define EVL_HECIOC_GET_SWITCHES_COUNT	_IOR(HECTIC_IOC_MAGIC, 0x66, struct hectic_count)
#define EVL_HECIOC_GET_LAST_ERROR	_IOR(HECTIC_IOC_MAGIC, 0x67, struct hectic_error)
#define EVL_HECIOC_SET_PAUSE		_IOW(HECTIC_IOC_MAGIC, 0x68, struct hectic_pause)
#define EVL_HECIOC_REPORT_ERROR		_IOW(HECTIC_IOC_MAGIC, 0x69, struct hectic_error)
#define EVL_HECIOC_STOP			_IO(HECTIC_IOC_MAGIC, 0x6a)
/*
 * A stage exclusion lock of the file, for tests. Any thread may take it, several times; it is an error, -EPERM, to
 * unlock what nobody of the caller's stage holds. An out-of-band call wants a thread of the core.
 */
#define EVL_HECIOC_LOCK_STAX		_IO(HECTIC_IOC_MAGIC, 0x6b)
#define EVL_HECIOC_UNLOCK_STAX		_IO(HECTIC_IOC_MAGIC, 0x6c)

#endif /* _UAPI_EVL_DEVICES_HECTIC_H */
