/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The latency measurement driver, /dev/latmus.
 *
 * One run per open file; runs on different CPUs may go on at the same time. Life of a run:
 *
 *   MEASURE   parameters; nothing moves yet
 *   START     the timer ticks. Type user: it starts ticking when the responder has entered PULSE
 *   FETCH     in a loop, by a logging thread: one record per interval, the last one marked
 *   STOP      by any thread; or the run ends by itself, see LATMUS_STOPPED_*
 *   RESULT    totals and histogram, any number of times, until the next MEASURE
 *
 * Closing the file stops the run. All requests are ioctl(2) ones, but PULSE, which is out-of-band.
 * Latencies are signed nanoseconds: negative ones mean a tick anticipated too much.
 */
#ifndef _UAPI_EVL_DEVICES_LATMUS_H
#define _UAPI_EVL_DEVICES_LATMUS_H

#include <linux/ioctl.h>
#include <evl/types.h>

#define LATMUS_DEV	"/dev/latmus"

#define LATMUS_IOC_MAGIC	0xec

/* Who is measured. */
#define EVL_LAT_IRQ	0	/* timer interrupt handler */
#define EVL_LAT_KERN	1	/* kernel thread of the core */
#define EVL_LAT_USER	2	/* application thread, the responder */
#define EVL_LAT_SIRQ	3	/* in-band handler of a synthetic interrupt */
#define EVL_LAT_LAST	EVL_LAT_SIRQ

#define LATMUS_MIN_PERIOD	1000ULL		/* ns */
#define LATMUS_MAX_PERIOD	1000000000ULL
#define LATMUS_MAX_HCELLS	(1U << 18)
#define LATMUS_MAX_HCELL_NS	1000000U

/* latmus_setup.flags */
#define LATMUS_KEEP_GOING	0x1	/* user: do not stop when the responder is switched in-band */
#define LATMUS_SETUP_FLAGS	LATMUS_KEEP_GOING

/*
 * EVL_LATIOC_MEASURE: prepare a run, forgetting the previous one of this file.
 *
 * type        EVL_LAT_*
 * priority    1-99, FIFO: of the kernel thread; ignored for irq and sirq; informative for user
 * cpu         of the out-of-band set, else -EINVAL
 * hcells      cells of the histogram, 0: none. Cell n counts latencies in [n, n+1) * hcell_ns; negative
 *             ones go to cell 0, later ones are counted as outliers
 * hcell_ns    width of a cell, 1..LATMUS_MAX_HCELL_NS; ignored without histogram
 * period      ns, LATMUS_MIN_PERIOD..LATMUS_MAX_PERIOD
 * warmup      ns during which samples are taken and dropped
 * max_samples the run stops once it has that many; 0: no limit
 * max_lat     ns; the run stops with the first sample above; 0: no limit
 * interval    ns between records for FETCH, >= period; 0: 1 s
 *
 * -EINVAL, -ENOMEM; -EBUSY a run is in progress on this file; -ENOSPC no synthetic interrupt is left (sirq).
 */
struct latmus_setup {
	__u32	type;
	__u32	flags;
	__s32	priority;
	__s32	cpu;
	__u32	hcells;
	__u32	hcell_ns;
	__u64	period;
	__u64	warmup;
	__u64	max_samples;
	__u64	max_lat;
	__u64	interval;
	__u64	reserved[2];
};

/* EVL_LATIOC_START: -EAGAIN nothing prepared (MEASURE is needed before each START); -EBUSY running. */

/*
 * EVL_LATIOC_FETCH: one interval. Sleeps until a record is complete, -EAGAIN instead if O_NONBLOCK;
 * -EINTR signal, nothing lost; -ENODATA the final record was fetched already, or no run was started.
 * The driver keeps the last LATMUS_NR_RECORDS records; if nobody fetches, the oldest ones are lost,
 * which leaves a gap in "serial". The final record, of a partial interval, is never lost. An interval
 * without samples has zero latencies.
 */
#define LATMUS_NR_RECORDS	16

#define LATMUS_RECORD_FINAL	0x1	/* latmus_measurement.flags */

struct latmus_measurement {
	__s64	sum_lat;
	__s32	min_lat;
	__s32	max_lat;
	__u32	samples;
	__u32	overruns;	/* ticks due before the previous one was handled; they give no sample */
	__u32	mode_switches;	/* of the responder to in-band */
	__u32	flags;
	__u64	serial;		/* 0 for the first record of a run */
};

/* EVL_LATIOC_STOP: the run is over when it returns. 0 also if none was going on. */

/*
 * EVL_LATIOC_RESULT: totals since the end of the warm-up. -EBUSY still running; -ENODATA no run was
 * started; -EFAULT.
 *
 * hist_ptr, hist_cells: in, where to store the histogram, __u64 per cell, and its capacity; hist_cells
 * is set to the number of cells of the run, of which the first min(capacity, number) are stored. 0, 0: not wanted.
 * The cells plus outliers add up to samples.
 */
#define LATMUS_STOPPED_REQUEST	1	/* STOP, or close */
#define LATMUS_STOPPED_SAMPLES	2	/* max_samples reached */
#define LATMUS_STOPPED_MAXLAT	3	/* max_lat exceeded */
#define LATMUS_STOPPED_SWITCH	4	/* responder switched in-band */
#define LATMUS_STOPPED_GONE	5	/* responder has not come back for three seconds */

struct latmus_result {
	__u64	hist_ptr;
	__u32	hist_cells;
	__u32	stopped_by;
	__s64	sum_lat;
	__s32	min_lat;
	__s32	max_lat;
	__u64	samples;
	__u64	early;		/* samples with a negative latency, counted in cell 0 as well */
	__u64	outliers;	/* samples beyond the last cell; 0 without histogram */
	__u64	overruns;
	__u64	mode_switches;
	__u64	elapsed;	/* ns measured */
	__u64	peak_at;	/* ns from the end of the warm-up to the sample of max_lat */
	__u64	reserved[2];
};

/*
 * EVL_LATIOC_PEEK: as RESULT, of a run which may still go on; -ENODATA none was started. While it does, samples are
 * counted meanwhile: the cells may add up to some more than "samples", and stopped_by is 0.
 */

/* EVL_LATIOC_SPIKES: the worst samples so far, in no order. -ENODATA no run was started. */
#define LATMUS_NR_SPIKES	10

struct latmus_spike {
	__s64	at;		/* ns from the end of the warm-up */
	__s32	value;
	__u32	reserved;	/* 0 */
};

struct latmus_spikes {
	__u32	count;
	__u32	reserved;	/* 0 */
	struct latmus_spike spikes[LATMUS_NR_SPIKES];
};

/*
 * EVL_LATIOC_PULSE: out-of-band call by the responder (type user). The argument is the address of a __u64:
 * the date, ns on the monotonic clock, read first thing after the previous return; 0 the first time.
 * Sleeps until the next tick. The first caller becomes the responder of the run.
 * -EAGAIN nothing prepared for type user; -EBUSY there is a responder already; -EIDRM the run is over;
 * -EINTR signal or unblocking: the run goes on, and the date of the next call is ignored; -EPERM not attached;
 * -EFAULT. A signal switches its receiver in-band, which ends the run at the next call, unless told to keep going.
 */

/*
 * Gravity of the core's monotonic clock, ns by which shots are anticipated for each kind of receiver, for
 * calibration. SET: values above LATMUS_MAX_GRAVITY are refused as a whole, -EINVAL; -EPERM without
 * CAP_SYS_ADMIN. RESET: back to the built-in values, same privilege.
 */
#define LATMUS_MAX_GRAVITY	1000000U

struct latmus_gravity {
	__u32	irq;
	__u32	kernel;
	__u32	user;
	__u32	reserved;
};

#define EVL_LATIOC_MEASURE	_IOW(LATMUS_IOC_MAGIC, 0x40, struct latmus_setup)
#define EVL_LATIOC_START	_IO(LATMUS_IOC_MAGIC, 0x41)
#define EVL_LATIOC_FETCH	_IOR(LATMUS_IOC_MAGIC, 0x42, struct latmus_measurement)
#define EVL_LATIOC_STOP		_IO(LATMUS_IOC_MAGIC, 0x43)
#define EVL_LATIOC_RESULT	_IOWR(LATMUS_IOC_MAGIC, 0x44, struct latmus_result)
#define EVL_LATIOC_PULSE	_IOW(LATMUS_IOC_MAGIC, 0x45, __u64)
#define EVL_LATIOC_GET_GRAVITY	_IOR(LATMUS_IOC_MAGIC, 0x46, struct latmus_gravity)
#define EVL_LATIOC_SET_GRAVITY	_IOW(LATMUS_IOC_MAGIC, 0x47, struct latmus_gravity)
#define EVL_LATIOC_RESET	_IO(LATMUS_IOC_MAGIC, 0x48)
#define EVL_LATIOC_PEEK		_IOWR(LATMUS_IOC_MAGIC, 0x49, struct latmus_result)
#define EVL_LATIOC_SPIKES	_IOR(LATMUS_IOC_MAGIC, 0x4a, struct latmus_spikes)

#endif /* _UAPI_EVL_DEVICES_LATMUS_H */
