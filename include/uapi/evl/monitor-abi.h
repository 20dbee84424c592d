/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Monitors: mutexes ("gates"), and what is waited for: events, semaphores, flag groups.
 *
 * Each has a record in the shared memory (control-abi.h), which user space may change by itself as long as nobody
 * waits and nobody polls. All such changes are compare-and-exchange with full ordering. The core validates what it
 * reads there; a process which writes nonsense confuses those who share the element with it, nobody else.
 */
#ifndef _UAPI_EVL_MONITOR_ABI_H
#define _UAPI_EVL_MONITOR_ABI_H

#include <linux/ioctl.h>
#include <evl/factory-abi.h>
#include <evl/types.h>

/* evl_monitor_attrs.type, and protocol of each. */
#define EVL_MONITOR_EVENT	0	/* anything which is waited for */
#define EVL_EVENT_GATED		0	/* event, used with a mutex */
#define EVL_EVENT_COUNT		1	/* semaphore */
#define EVL_EVENT_MASK		2	/* flag group */
#define EVL_MONITOR_GATE	1	/* mutex */
#define EVL_GATE_PI		0	/* priority inheritance */
#define EVL_GATE_PP		1	/* priority protection: ceiling */

/* Added to the protocol of a gate: its owner may take it again. */
#define EVL_GATE_RECURSIVE	0x100

/*
 * Creation attributes. clockfd: clock of timeouts, a descriptor or a built-in identifier. initval: initial count,
 * 0 to INT_MAX; initial bits; ceiling, 1 to 99, for EVL_GATE_PP only; else 0.
 */
struct evl_monitor_attrs {
	__u32	clockfd;
	__u32	type;
	__u32	protocol;
	__u32	initval;
};

/* Shared record; reserved words pad it to a cache line. */
struct evl_monitor_state {
	union {
		/*
		 * Gate. owner: 0, free; else the handle of the owner. EVL_GATE_KNOWN in it: the core has to be
		 * entered to drop the mutex. Threads which are out-of-band, not weak, and find no ceiling, may
		 * change it from 0 to their handle, and back.
		 * ceiling, recursive: for reading. nesting: how many times more the owner took it; its own.
		 */
		struct {
			__u32	owner;
			__u32	ceiling;
			__u32	recursive;
			__u32	nesting;
		} gate;
		/*
		 * The others. value: count of a semaphore, negative: so many threads wait; bits of a flag group;
		 * unused by an event. waiters: how many threads wait. polled: somebody polls it.
		 * Semaphore: user space may decrement a positive value, and increment one which is not negative
		 * and below INT_MAX. Flag group: it may clear bits, and set some if there are no waiters. After
		 * any such change it looks at "polled" and, for bits it set, again at "waiters"; if not zero,
		 * EVL_MONIOC_NOTIFY.
		 */
		struct {
			__s32	value;
			__u32	waiters;
			__u32	polled;
		} event;
	};
	__u32	reserved[12];
};

#define EVL_GATE_KNOWN	0x80000000U

/*
 * EVL_MONIOC_BIND: what is this? Any form.
 */
struct evl_monitor_binding {
	__u32			type;
	__u32			protocol;
	struct evl_element_ids	eids;
	__u32			reserved;
};

/*
 * Waits.
 *
 * timeout_ptr: struct __evl_timespec, a date of the clock of the element; 0 or {0, 0}: no limit. Looked at
 *              if there is something to wait for: -EINVAL, -EFAULT.
 * gatefd:      events: the mutex, which the caller owns, nesting 0. Else 0.
 * value:       flag groups: bits to wait for on entry, bits received on return. Else 0.
 * status:      events, if the request gives -EINTR, -ETIMEDOUT or 0: outcome of the wait.
 */
struct evl_monitor_waitreq {
	__u64	timeout_ptr;
	__s32	gatefd;
	__u32	value;
	__s32	status;
	__u32	reserved;
};

/*
 * ENTER       out-of-band call. Takes a gate, waits if need be. -EDEADLK: it is the caller's, or waiting would close a
 *             cycle; -ETIMEDOUT, -EINTR; -EBADF: the last descriptor was closed.
 * TRYENTER    out-of-band call. The same without waiting; -EAGAIN.
 * EXIT        any form, by attached threads, which keep their stage in-band. Drops a gate. -EPERM: not the caller's.
 * SET_CEILING any form. 1 to 99; -EINVAL: not a gate with a ceiling.
 * WAIT        out-of-band call. Semaphores: one unit; flag groups: any of the bits of value, which are cleared;
 *             -EAGAIN: non-blocking, or flushed. Events: drops the gate and waits for a signal; on return,
 *             0: signalled, the gate is the caller's again. Else with status set the gate is not, and has to be
 *             taken by ENTER; then status is the outcome. -EBADFD: waiters with another gate; -EPERM: the gate
 *             is not the caller's: both leave the gate alone, as -EINVAL.
 * WAIT_EXACT  out-of-band call, flag groups: all the bits of value.
 * SIGNAL      any form. Semaphores: gives a unit; -EOVERFLOW. Flag groups: sets the bits of the argument, serves
 *             waiters in order. Events: the first waiter; -EPERM: the gate is another thread's.
 * BROADCAST   any form. Semaphores: waiters leave with -EAGAIN, a negative value becomes 0. Flag groups: as
 *             SIGNAL, and each waiter the value satisfies gets its bits. Events: all waiters.
 * SIGNAL_THREAD  any form, events. The argument is the descriptor of a thread; -EINVAL, -ESTALE.
 * NOTIFY      any form. User space has changed the value, see struct evl_monitor_state.
 */
#define EVL_MONIOC_BIND		 _IOR(EVL_IOC_MAGIC, 0x60, struct evl_monitor_binding)
#define EVL_MONIOC_ENTER	 _IOW(EVL_IOC_MAGIC, 0x61, struct evl_monitor_waitreq)
#define EVL_MONIOC_TRYENTER	 _IO(EVL_IOC_MAGIC, 0x62)
#define EVL_MONIOC_EXIT		 _IO(EVL_IOC_MAGIC, 0x63)
#define EVL_MONIOC_SET_CEILING	 _IOW(EVL_IOC_MAGIC, 0x64, __u32)
#define EVL_MONIOC_WAIT		 _IOWR(EVL_IOC_MAGIC, 0x65, struct evl_monitor_waitreq)
#define EVL_MONIOC_WAIT_EXACT	 _IOWR(EVL_IOC_MAGIC, 0x66, struct evl_monitor_waitreq)
#define EVL_MONIOC_SIGNAL	 _IOW(EVL_IOC_MAGIC, 0x67, __s32)
#define EVL_MONIOC_BROADCAST	 _IOW(EVL_IOC_MAGIC, 0x68, __s32)
#define EVL_MONIOC_SIGNAL_THREAD _IOW(EVL_IOC_MAGIC, 0x69, __s32)
#define EVL_MONIOC_NOTIFY	 _IO(EVL_IOC_MAGIC, 0x6a)

#endif /* _UAPI_EVL_MONITOR_ABI_H */
