/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The control device, /dev/evl/control: connection of a process to the core.
 *
 * Shared memory: mmap(MAP_SHARED, PROT_READ|PROT_WRITE) at offset 0, of exactly evl_core_info.shm_size
 * bytes (a multiple of the page size; any other offset or length: -EINVAL). It holds the shared state
 * of the elements, each at its evl_element_ids.state_offset. The core trusts nothing it reads there.
 *
 * The file is out-of-band capable: it takes the requests a thread makes about itself (thread-abi.h).
 */
#ifndef _UAPI_EVL_CONTROL_ABI_H
#define _UAPI_EVL_CONTROL_ABI_H

#include <linux/ioctl.h>
#include <evl/types.h>
#include <evl/sched-abi.h>

/*
 * ABI revisions served by this core, oldest and current. Plain decimal literals: scripts read them.
 * The level grows by one with each change a program or the library could notice; the base grows when
 * something is taken away.
 */
#define EVL_ABI_BASE	32
#define EVL_ABI_LEVEL	32

/* evl_core_info.features: what this core was built or loaded with. Unknown bits are to be ignored. */
#define EVL_FEAT_SCHED_QUOTA	(1ULL << 0)
#define EVL_FEAT_SCHED_TP	(1ULL << 1)
#define EVL_FEAT_RUNSTATS	(1ULL << 2)	/* counters of struct evl_thread_state are kept */
#define EVL_FEAT_WATCHDOG	(1ULL << 3)
#define EVL_FEAT_DEBUG		(1ULL << 4)	/* internal checks are compiled in */

/*
 * EVL_CTLIOC_GET_COREINFO: what core is this? In-band. The one request whose number and leading
 * members never change, whatever the ABI level: it is how levels are compared.
 */
struct evl_core_info {
	__u32	abi_base;
	__u32	abi_current;
	__u64	shm_size;	/* bytes to map from the control device */
	__u64	features;	/* EVL_FEAT_* */
	__u64	reserved[5];	/* zero */
};

#define EVL_CTLIOC_GET_COREINFO	_IOR(EVL_IOC_MAGIC, 0x10, struct evl_core_info)

/*
 * EVL_CTLIOC_SCHEDCTL: configure a policy on one CPU. Either stage.
 *
 * policy:    SCHED_QUOTA or SCHED_TP, anything else: -EINVAL; -EOPNOTSUPP if this core lacks it.
 * cpu:       a CPU of the out-of-band set, else -EINVAL.
 * param_ptr: union evl_sched_ctlparam, of which only the bytes of the policy are read.
 * info_ptr:  union evl_sched_ctlinfo for results, or 0 except with the get operations.
 */
struct evl_sched_ctlreq {
	__u64	param_ptr;
	__u64	info_ptr;
	__u32	policy;
	__s32	cpu;
	__u64	reserved;
};

#define EVL_CTLIOC_SCHEDCTL	_IOW(EVL_IOC_MAGIC, 0x11, struct evl_sched_ctlreq)

/*
 * EVL_CTLIOC_GET_CPUSTATE: EVL_CPU_* bits (sched-abi.h) of CPU "cpu", stored as a __u32 at state_ptr.
 * Either stage. -EINVAL: no such CPU; -EFAULT.
 */
struct evl_cpu_state {
	__u64	state_ptr;
	__u32	cpu;
	__u32	reserved;
};

#define EVL_CTLIOC_GET_CPUSTATE	_IOW(EVL_IOC_MAGIC, 0x12, struct evl_cpu_state)

#endif /* _UAPI_EVL_CONTROL_ABI_H */
