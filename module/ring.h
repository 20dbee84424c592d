/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_RING_H
#define _EVL_RING_H

#include "kmutex.h"
#include "poll.h"
#include "stax.h"
#include "wait.h"

#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/wait.h>

/* Where the bytes of a transfer come from or go to. */
struct evl_ring_buf {
	void __user	*user;
	void		*kernel;	/* NULL: @user */
};

/**
 * struct evl_ring - bytes which go from one stage to the other, or stay on one
 * @mem:	the bytes
 * @size:	how many
 * @wq:		out-of-band threads which wait for room or data; the lock covers @fill and @blocked
 * @inband:	in-band tasks which do
 * @wake_work:	wakes them up from out-of-band
 * @oob_lock:	one transfer at a time on this stage; covers @rpos or @wpos, whichever is of that end
 * @inband_lock: the same on the other one
 * @fill:	bytes there
 * @blocked:	writers which wait for room
 * @rpos:	where to go on reading
 * @wpos:	where to go on writing
 * @dead:	no more transfers; lock of @wq
 * @eof:	readers get the end of file once it is empty; lock of @wq
 * @error:	or this, as @eof
 * @granule:	0, or readers take what there is, a multiple of so many bytes
 * @stax:	the user's end is used from both stages, NULL: from one; excludes them
 * @changed:	called after @fill has changed, and when somebody begins to wait; any stage
 */
struct evl_ring {
	void			*mem;
	size_t			size;
	struct evl_waitqueue	wq;
	wait_queue_head_t	inband;
	struct irq_work		wake_work;
	struct evl_kmutex	oob_lock;
	struct mutex		inband_lock;
	size_t			fill;
	unsigned int		blocked;
	size_t			rpos, wpos;
	bool			dead;
	bool			eof;
	int			error;
	size_t			granule;
	struct evl_stax		*stax;
	void			(*changed)(struct evl_ring *ring);
};

int evl_init_ring(struct evl_ring *ring, size_t size, void (*changed)(struct evl_ring *ring));
void evl_evict_ring(struct evl_ring *ring);
void evl_destroy_ring(struct evl_ring *ring);

ssize_t evl_ring_read(struct evl_ring *ring, struct evl_ring_buf buf, size_t count, bool nonblock);
ssize_t evl_ring_write(struct evl_ring *ring, struct evl_ring_buf buf, size_t count, bool nonblock);
size_t evl_ring_fill(struct evl_ring *ring);

/* The other end, of one in-band worker: what it may move at one go, and that it has. */
size_t evl_ring_peek(struct evl_ring *ring, void **p);
size_t evl_ring_room(struct evl_ring *ring, void **p);
void evl_ring_consume(struct evl_ring *ring, size_t len);
void evl_ring_produce(struct evl_ring *ring, size_t len);
void evl_ring_end(struct evl_ring *ring, int error);

#endif /* _EVL_RING_H */
