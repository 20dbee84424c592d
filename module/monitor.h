/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_MONITOR_H
#define _EVL_MONITOR_H

#include "element.h"
#include "gate.h"
#include "poll.h"

#include <evl/monitor-abi.h>

struct evl_monitor;

/**
 * struct evl_monitor_ops - a kind of monitor
 * @init:	in-band; check the attributes, set up; 0 or -EINVAL
 * @ioctl:	either stage; requests which do not wait
 * @oob_ioctl:	out-of-band; requests which may, the others are tried with @ioctl
 * @evict:	in-band; the last file is being closed, or creation failed: nobody may wait any more
 * @poll:	any; what is true now; NULL: nothing, ever
 */
struct evl_monitor_ops {
	int	(*init)(struct evl_monitor *mon, const struct evl_monitor_attrs *attrs);
	long	(*ioctl)(struct evl_monitor *mon, unsigned int cmd, unsigned long arg);
	long	(*oob_ioctl)(struct evl_monitor *mon, struct file *filp, unsigned int cmd, unsigned long arg);
	void	(*evict)(struct evl_monitor *mon);
	__poll_t (*poll)(struct evl_monitor *mon);
};

/*
 * struct evl_monitor - mutex, event, semaphore or flag group of applications
 *
 * @state is shared with user space: values are validated when they are read. Waiters keep a reference to the element,
 * not to a file: evl_end_file_use().
 */
struct evl_monitor {
	struct evl_element		element;
	const struct evl_monitor_ops	*ops;
	struct evl_monitor_state	*state;
	struct evl_clock		*clock;
	u32				type;
	u32				protocol;
	struct evl_pollq		pollq;
	union {
		struct evl_gate		gate;
		struct evl_waitqueue	wq;
	};
	struct evl_monitor		*mutex;		/* events: that of the waiters; lock of wq */
	struct list_head		next;		/* gates: all of them; lock in monitor-gate.c */
};

extern struct evl_factory evl_monitor_factory;

extern const struct evl_monitor_ops evl_monitor_gate_ops;
extern const struct evl_monitor_ops evl_monitor_event_ops;
extern const struct evl_monitor_ops evl_monitor_sem_ops;
extern const struct evl_monitor_ops evl_monitor_mask_ops;

static inline struct evl_monitor *evl_wq_monitor(struct evl_waitqueue *wq)
{
	return container_of(wq, struct evl_monitor, wq);
}

/* A word of the shared record, as the atomic which user space takes it for. */
static inline atomic_t *evl_state_word(void *word)
{
	return word;
}

struct evl_monitor *evl_get_monitor_by_fd(int fd, u32 type);
int evl_get_wait_request(struct evl_monitor_waitreq *req, unsigned long arg, ktime_t *date);
void evl_init_monitor_queue(struct evl_monitor *mon, const struct evl_wq_ops *ops, const char *name);
void evl_check_lock_sleep(void);
void evl_notify_monitor(struct evl_monitor *mon);

static inline int evl_wait_error(int ret)
{
	return ret == -EIDRM ? -EBADF : ret;
}

void evl_init_monitor_limit(void);
void evl_release_unknown_gates(fundle_t fundle);

#endif /* _EVL_MONITOR_H */
