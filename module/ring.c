// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rings of bytes between the stages. Each end is used from one stage: transfers of that end come one after the other,
 * under its own lock, core mutex or in-band mutex, and touch user memory under no other. Bytes are copied before
 * they are counted in, or counted out after they were copied: a memory fault leaves the ring as it was.
 *
 * Lock order: lock of the end > queue lock. Nobody waits for room or data with the lock of the end.
 */
#include "ring.h"
#include "clock.h"
#include "uaccess.h"

#include <linux/vmalloc.h>

/* In-band, after an event out-of-band. */
static void wake_inband(struct irq_work *work)
{
	wake_up_all(&container_of(work, struct evl_ring, wake_work)->inband);
}

int evl_init_ring(struct evl_ring *ring, size_t size, void (*changed)(struct evl_ring *ring))
{
	ring->size = size;
	ring->fill = 0;
	ring->rpos = ring->wpos = 0;
	ring->blocked = 0;
	ring->dead = false;
	ring->eof = false;
	ring->error = 0;
	ring->granule = 0;
	ring->stax = NULL;
	ring->changed = changed;
	evl_init_waitqueue(&ring->wq, &evl_mono_clock, EVL_WQ_PRIO);
	init_waitqueue_head(&ring->inband);
	init_irq_work(&ring->wake_work, wake_inband);
	evl_init_kmutex(&ring->oob_lock);
	mutex_init(&ring->inband_lock);
	ring->mem = size ? __vmalloc(size, GFP_KERNEL_ACCOUNT) : NULL;

	return size && !ring->mem ? -ENOMEM : 0;
}

/* Nobody may wait any more. In-band. */
void evl_evict_ring(struct evl_ring *ring)
{
	unsigned long flags;

	evl_wq_lock(&ring->wq, flags);
	ring->dead = true;
	evl_wq_unlock(&ring->wq, flags);
	evl_destroy_waitqueue(&ring->wq);
	wake_up_all(&ring->inband);
}

/* In-band, nobody uses it. */
void evl_destroy_ring(struct evl_ring *ring)
{
	irq_work_sync(&ring->wake_work);
	evl_destroy_kmutex(&ring->oob_lock);
	vfree(ring->mem);
}

/* Room or data has come, or a writer has got stuck. Either stage. */
static void announce(struct evl_ring *ring)
{
	evl_wake_up_all(&ring->wq);
	/* Pairs with the barrier of the in-band waiter between queueing and looking. */
	smp_mb();
	if (waitqueue_active(&ring->inband)) {
		if (running_inband())
			wake_up_all(&ring->inband);
		else
			irq_work_queue(&ring->wake_work);
	}
	if (ring->changed)
		ring->changed(ring);
}

/* Queue locked. How many bytes a transfer of @count may move now, 0 if it has to wait. */
static size_t readable(struct evl_ring *ring, size_t count)
{
	if (ring->granule)
		return rounddown(min(count, ring->fill), ring->granule);

	if (ring->fill >= count)
		return count;

	/* Neither the writer nor the reader would ever go on. */
	return ring->blocked ? ring->fill : 0;
}

static size_t writable(struct evl_ring *ring, size_t count)
{
	return ring->size - ring->fill >= count ? count : 0;
}

typedef size_t (*ready_fn)(struct evl_ring *ring, size_t count);

static size_t ready_now(struct evl_ring *ring, ready_fn ready, size_t count)
{
	guard(hard_spinlock_irqsave)(&ring->wq.lock);
	return ready(ring, count);
}

/* Queue locked: readers need not wait for more. */
static bool at_end(struct evl_ring *ring, ready_fn ready)
{
	return ready == readable && (ring->eof || ring->error);
}

static bool ready_or_dead(struct evl_ring *ring, ready_fn ready, size_t count)
{
	guard(hard_spinlock_irqsave)(&ring->wq.lock);
	return ring->dead || ready(ring, count) || at_end(ring, ready);
}

static int wait_ready(struct evl_ring *ring, ready_fn ready, size_t count, bool oob)
{
	int ret;

	if (ring->changed)
		ring->changed(ring);

	if (oob)
		return evl_wait_event(&ring->wq, ready(ring, count) || at_end(ring, ready));

	ret = wait_event_interruptible(ring->inband, ready_or_dead(ring, ready, count));

	return ret ? -EINTR : READ_ONCE(ring->dead) ? -EIDRM : 0;
}

static void count_blocked(struct evl_ring *ring, int delta)
{
	guard(hard_spinlock_irqsave)(&ring->wq.lock);
	ring->blocked += delta;
}

/* A writer which waits lets readers have less than they asked for. */
static int wait_for_room(struct evl_ring *ring, size_t count, bool oob)
{
	int ret;

	count_blocked(ring, 1);
	announce(ring);
	ret = wait_ready(ring, writable, count, oob);
	count_blocked(ring, -1);

	return ret;
}

static int lock_end(struct evl_ring *ring, bool oob)
{
	int ret = ring->stax ? evl_lock_stax(ring->stax) : 0;

	if (ret)
		return ret;

	if (oob)
		ret = evl_lock_kmutex(&ring->oob_lock);
	else
		ret = mutex_lock_interruptible(&ring->inband_lock) ? -EINTR : 0;

	if (ret && ring->stax)
		evl_unlock_stax(ring->stax);

	return ret;
}

static void unlock_end(struct evl_ring *ring, bool oob)
{
	if (oob)
		evl_unlock_kmutex(&ring->oob_lock);
	else
		mutex_unlock(&ring->inband_lock);

	if (ring->stax)
		evl_unlock_stax(ring->stax);
}

/* There is nothing to read: is there a reason, and no need to wait? 1: no; 0: end of file; or the error, once. */
static int take_end(struct evl_ring *ring, ready_fn ready)
{
	int error;

	guard(hard_spinlock_irqsave)(&ring->wq.lock);
	if (ready != readable || ready(ring, 1))
		return 1;
	error = ring->error;
	ring->error = 0;
	if (error)
		return error;
	return ring->eof ? 0 : 1;
}

/* Lock the end once there is something to do; returns how many bytes may be moved. */
static ssize_t begin_transfer(struct evl_ring *ring, ready_fn ready, size_t count, bool nonblock, bool oob)
{
	size_t len;
	int ret;

	for (;;) {
		ret = lock_end(ring, oob);
		if (ret)
			return ret;
		len = ready_now(ring, ready, count);
		if (len)
			return len;
		unlock_end(ring, oob);
		ret = take_end(ring, ready);
		/* Somebody wants more: let the other end look again. */
		if (ring->changed && (ret <= 0 || nonblock))
			ring->changed(ring);
		if (ret <= 0)
			return ret;
		if (nonblock)
			return -EAGAIN;
		ret = ready == writable ? wait_for_room(ring, count, oob) : wait_ready(ring, ready, count, oob);
		if (ret)
			return ret;
	}
}

static void end_transfer(struct evl_ring *ring, ssize_t delta, bool oob)
{
	unsigned long flags;

	evl_wq_lock(&ring->wq, flags);
	ring->fill += delta;
	evl_wq_unlock(&ring->wq, flags);
	unlock_end(ring, oob);
	announce(ring);
}

static int copy_in(void *dst, struct evl_ring_buf buf, size_t offset, size_t len)
{
	if (!buf.kernel)
		return evl_copy_from_user(dst, buf.user + offset, len);

	memcpy(dst, buf.kernel + offset, len);

	return 0;
}

static int copy_out(struct evl_ring_buf buf, size_t offset, const void *src, size_t len)
{
	if (!buf.kernel)
		return evl_copy_to_user(buf.user + offset, src, len);

	memcpy(buf.kernel + offset, src, len);

	return 0;
}

/* Bytes up to the end of the memory, the rest begins anew. */
static size_t first_part(struct evl_ring *ring, size_t pos, size_t len)
{
	return min(len, ring->size - pos);
}

static size_t advanced(struct evl_ring *ring, size_t pos, size_t len)
{
	pos += len;

	return pos >= ring->size ? pos - ring->size : pos;
}

static int put_bytes(struct evl_ring *ring, struct evl_ring_buf buf, size_t len)
{
	size_t part = first_part(ring, ring->wpos, len);
	int ret = copy_in(ring->mem + ring->wpos, buf, 0, part);

	if (!ret && part < len)
		ret = copy_in(ring->mem, buf, part, len - part);
	if (!ret)
		ring->wpos = advanced(ring, ring->wpos, len);

	return ret;
}

static int get_bytes(struct evl_ring *ring, struct evl_ring_buf buf, size_t len)
{
	size_t part = first_part(ring, ring->rpos, len);
	int ret = copy_out(buf, 0, ring->mem + ring->rpos, part);

	if (!ret && part < len)
		ret = copy_out(buf, part, ring->mem, len - part);
	if (!ret)
		ring->rpos = advanced(ring, ring->rpos, len);

	return ret;
}

static int check_count(struct evl_ring *ring, size_t count)
{
	if (!ring->size)
		return -ENOBUFS;

	return count > ring->size ? -EINVAL : 0;
}

/**
 * evl_ring_write - all of @count bytes, or none
 * @ring: of this end only writers of the caller's stage may be
 * @buf: from where
 * @count: how many, the size of the ring at most
 * @nonblock: -EAGAIN rather than waiting for room
 *
 * In-band task or out-of-band thread. @count; -ENOBUFS: no ring; -EINVAL, -EFAULT, -EINTR, -EIDRM.
 */
ssize_t evl_ring_write(struct evl_ring *ring, struct evl_ring_buf buf, size_t count, bool nonblock)
{
	bool oob = running_oob();
	ssize_t ret;

	if (!count)
		return 0;

	ret = check_count(ring, count) ?: begin_transfer(ring, writable, count, nonblock, oob);
	if (ret < 0)
		return ret;

	ret = put_bytes(ring, buf, count);
	end_transfer(ring, ret ? 0 : count, oob);

	return ret ?: count;
}

/**
 * evl_ring_read - @count bytes, or what there is if a writer waits for room
 * @ring: of this end only readers of the caller's stage may be
 * @buf: to where
 * @count: how many, the size of the ring at most
 * @nonblock: -EAGAIN rather than waiting for data
 *
 * As evl_ring_write().
 */
ssize_t evl_ring_read(struct evl_ring *ring, struct evl_ring_buf buf, size_t count, bool nonblock)
{
	bool oob = running_oob();
	ssize_t len, ret;

	if (!count)
		return 0;

	len = ring->granule ? 0 : check_count(ring, count);
	if (!len)
		len = begin_transfer(ring, readable, count, nonblock, oob);
	if (len <= 0)
		return len;

	ret = get_bytes(ring, buf, len);
	end_transfer(ring, ret ? 0 : -len, oob);

	return ret ?: len;
}

/* Bytes which are there at one go, from @p on. The only reader. */
size_t evl_ring_peek(struct evl_ring *ring, void **p)
{
	*p = ring->mem + ring->rpos;

	return first_part(ring, ring->rpos, evl_ring_fill(ring));
}

/* Room there is at one go, from @p on. The only writer. */
size_t evl_ring_room(struct evl_ring *ring, void **p)
{
	*p = ring->mem + ring->wpos;

	return first_part(ring, ring->wpos, ring->size - evl_ring_fill(ring));
}

static void change_fill(struct evl_ring *ring, ssize_t delta)
{
	unsigned long flags;

	evl_wq_lock(&ring->wq, flags);
	ring->fill += delta;
	evl_wq_unlock(&ring->wq, flags);
	announce(ring);
}

void evl_ring_consume(struct evl_ring *ring, size_t len)
{
	ring->rpos = advanced(ring, ring->rpos, len);
	change_fill(ring, -(ssize_t)len);
}

void evl_ring_produce(struct evl_ring *ring, size_t len)
{
	ring->wpos = advanced(ring, ring->wpos, len);
	WRITE_ONCE(ring->eof, false);
	change_fill(ring, len);
}

/*
 * No more bytes for now: end of file, or an error, which the next reader gets. Who hears of the same again is not
 * told, since he would look once more, for ever.
 */
void evl_ring_end(struct evl_ring *ring, int error)
{
	unsigned long flags;
	bool eof = !error, news;

	evl_wq_lock(&ring->wq, flags);
	news = eof != ring->eof || error != ring->error;
	WRITE_ONCE(ring->eof, eof);
	WRITE_ONCE(ring->error, error);
	evl_wq_unlock(&ring->wq, flags);
	if (news)
		announce(ring);
}

/* Any context; a hint. */
size_t evl_ring_fill(struct evl_ring *ring)
{
	guard(hard_spinlock_irqsave)(&ring->wq.lock);
	return ring->fill;
}
