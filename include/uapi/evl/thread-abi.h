/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Threads.
 *
 * Attaching: EVL_IOC_CLONE (factory-abi.h) on /dev/evl/thread/clone attaches the calling thread.
 * -EBUSY: it is attached already. The request is an ordinary in-band one and returns in-band; the core
 * has translated the in-band scheduling parameters, and pinned the thread on its CPU. A thread
 * which did not become SCHED_WEAK is then expected to go out-of-band by EVL_THRIOC_SWITCH_OOB.
 *
 * Descriptors of a thread which detached or exited give -ESTALE to every request.
 */
#ifndef _UAPI_EVL_THREAD_ABI_H
#define _UAPI_EVL_THREAD_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>
#include <evl/sched-abi.h>

/* State and mode bits, one word: sysfs attribute "state", evl_thread_state, evl_user_window. */
#define EVL_T_SUSP	0x00000001	/* held by a suspension request */
#define EVL_T_PEND	0x00000002	/* asleep on a resource */
#define EVL_T_DELAY	0x00000004	/* a delay or a timeout is running */
#define EVL_T_WAIT	0x00000008	/* waits for its next period */
#define EVL_T_READY	0x00000010	/* in a run queue */
#define EVL_T_DORMANT	0x00000020	/* created, has never run */
#define EVL_T_ZOMBIE	0x00000040	/* ended, not reclaimed yet */
#define EVL_T_INBAND	0x00000080	/* on the in-band stage */
#define EVL_T_HALT	0x00000100	/* brought to a halt */
#define EVL_T_BOOST	0x00000200	/* under a priority boost */
#define EVL_T_PTSYNC	0x00000400	/* synchronises on a debugger event */
#define EVL_T_RRB	0x00000800	/* time-sliced */
#define EVL_T_ROOT	0x00001000	/* stands for the in-band stage of a CPU */
#define EVL_T_WEAK	0x00002000	/* weakly scheduled */
#define EVL_T_USER	0x00004000	/* application thread */
#define EVL_T_WOSS	0x00008000	/* mode: warn on stage switch */
#define EVL_T_WOLI	0x00010000	/* mode: warn on locking inconsistency */
#define EVL_T_WOSX	0x00020000	/* mode: warn on stage exclusion */
#define EVL_T_PTRACE	0x00040000	/* stopped under a debugger */
#define EVL_T_OBSERV	0x00080000	/* carries an observable */
#define EVL_T_HMSIG	0x00100000	/* mode: notify by SIGDEBUG */
#define EVL_T_HMOBS	0x00200000	/* mode: notify through the observable */
#define EVL_T_WOSO	0x00400000	/* mode: warn on schedule overrun */

/* All the bits EVL_THRIOC_SET_MODE and _CLEAR_MODE accept. */
#define EVL_T_MODE_BITS	(EVL_T_WOSS | EVL_T_WOLI | EVL_T_WOSX | EVL_T_WOSO | \
			 EVL_T_HMSIG | EVL_T_HMOBS)

/* Letter of bit n at position n; '.' has none. A monitoring tool turns W into w if D is set too. */
#define EVL_THREAD_STATE_LABELS	"SWDpRUZXHb#r...t..To.."

/* Diagnostic codes of health monitoring: cause of SIGDEBUG, tag of notices. */
#define EVL_HMDIAG_SIGDEMOTE	1
#define EVL_HMDIAG_SYSDEMOTE	2
#define EVL_HMDIAG_EXDEMOTE	3
#define EVL_HMDIAG_WATCHDOG	4
#define EVL_HMDIAG_LKDEPEND	5
#define EVL_HMDIAG_LKIMBALANCE	6
#define EVL_HMDIAG_LKSLEEP	7
#define EVL_HMDIAG_STAGEX	8
#define EVL_HMDIAG_OVERRUN	9

/*
 * Shared state of a thread, at evl_element_ids.state_offset; one cache line of its own.
 *
 * state: written by the core only. Copy of the state word of the thread. The owner reads EVL_T_INBAND
 *        from it without entering the core: the bit is up to date each time the thread is about to
 *        return to user space, whatever brought it there; no barrier is needed, since the reader is
 *        the very thread the core wrote it for. To other threads the word is a hint.
 * reserved: zero, kept for words which the thread writes.
 */
struct evl_user_window {
	__u32	state;
	__u32	reserved[15];
};

/*
 * Requests of a thread about itself. On a descriptor of the CONTROL device, because they have to work
 * when the thread descriptor was closed. No argument. -EPERM: the caller is not attached.
 *
 * SWITCH_OOB     out-of-band call only (syscall-abi.h); promotes the caller. 0 if already there.
 *                -EINVAL: no CPU of the affinity mask is an out-of-band one.
 * SWITCH_INBAND  out-of-band call only; demotes the caller, counted but never notified, since it is
 *                wanted. From in-band: 0 and no promotion.
 * DETACH_SELF    ioctl(2) only. On return the caller is unknown to the core.
 * YIELD          out-of-band call only; promotes, then moves to the tail of the priority level.
 *
 * The wrong form of call gives -ENOTTY.
 */
#define EVL_THRIOC_SWITCH_OOB		_IO(EVL_IOC_MAGIC, 0x20)
#define EVL_THRIOC_SWITCH_INBAND	_IO(EVL_IOC_MAGIC, 0x21)
#define EVL_THRIOC_DETACH_SELF		_IO(EVL_IOC_MAGIC, 0x22)
#define EVL_THRIOC_YIELD		_IO(EVL_IOC_MAGIC, 0x23)

/*
 * Requests on a thread descriptor, the target. Served alike from ioctl(2), by attached and other
 * threads, and from the out-of-band call, so that callers keep their stage.
 *
 * SET_SCHEDPARAM  policy and base priority. -EINVAL: see evl_set_schedattr(3); nothing changed.
 * GET_SCHEDPARAM  policy, base priority, member of the policy; other bytes are zero.
 * GET_STATE       run-time state; counters are zero without EVL_FEAT_RUNSTATS.
 * SET_MODE        add the bits of "mask" to the mode. oldmask_ptr: 0, or where to store, as a __u32, the
 *                 mode bits in force before; stored first, so that after -EFAULT nothing has changed.
 *                 A warning bit implies EVL_T_HMSIG if no delivery bit is given or set. -EINVAL: bit
 *                 outside EVL_T_MODE_BITS, EVL_T_HMOBS without observable; nothing changed.
 * CLEAR_MODE      remove bits; without any warning bit left, delivery bits go as well.
 * UNBLOCK         the target's current core wait, if any, fails with -EINTR. Not remembered.
 * DEMOTE          unblock, make it SCHED_WEAK 0, kick it in-band; no effect on a weak thread.
 */
struct evl_thread_state {
	struct evl_sched_attrs	eattrs;
	__u32			cpu;
	__u32			state;	/* EVL_T_* */
	__u32			isw;	/* switches to in-band */
	__u32			csw;	/* context switches */
	__u32			sc;	/* requests issued to the core */
	__u32			rwa;	/* wake-ups sent from another CPU */
	__u64			xtime;	/* CPU time consumed, ns */
};

struct evl_thread_mode {
	__u64	oldmask_ptr;
	__u32	mask;
	__u32	reserved;
};

#define EVL_THRIOC_SET_SCHEDPARAM	_IOW(EVL_IOC_MAGIC, 0x30, struct evl_sched_attrs)
#define EVL_THRIOC_GET_SCHEDPARAM	_IOR(EVL_IOC_MAGIC, 0x31, struct evl_sched_attrs)
#define EVL_THRIOC_GET_STATE		_IOR(EVL_IOC_MAGIC, 0x32, struct evl_thread_state)
#define EVL_THRIOC_SET_MODE		_IOW(EVL_IOC_MAGIC, 0x33, struct evl_thread_mode)
#define EVL_THRIOC_CLEAR_MODE		_IOW(EVL_IOC_MAGIC, 0x34, struct evl_thread_mode)
#define EVL_THRIOC_UNBLOCK		_IO(EVL_IOC_MAGIC, 0x35)
#define EVL_THRIOC_DEMOTE		_IO(EVL_IOC_MAGIC, 0x36)

#endif /* _UAPI_EVL_THREAD_ABI_H */
