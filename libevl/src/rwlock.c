/* SPDX-License-Identifier: MIT */
/*
 * Reader/writer locks, phase-fair: a waiting writer holds back new readers; at its end all readers which wait by then
 * enter together, before the next writer.
 *
 * One word says how many readers are in, whether a writer is, and how many of each wait. Who leaves last changes it in
 * one step to what it is with the next ones in, then gives each of them a unit of the semaphore it waits at. So
 * nobody is let in twice, and nobody steals the lock.
 */
#include <errno.h>
#include <evl/rwlock.h>
#include "internal.h"
#include "sem.h"

#define READER		1ULL			/* 0 to 30: readers which are in */
#define READERS		0x7fffffffULL
#define READERS_MAX	0x40000000ULL
#define WRITER		(1ULL << 31)		/* a writer is in */
#define WAIT_READER	(1ULL << 32)		/* 32 to 47: readers which wait */
#define WAIT_READERS	(0xffffULL << 32)
#define WAIT_WRITER	(1ULL << 48)		/* 48 to 63: writers which wait */
#define WAIT_WRITERS	(0xffffULL << 48)

static bool is_live(const struct evl_rwlock *rwlock)
{
	return __atomic_load_n(&rwlock->magic, __ATOMIC_ACQUIRE) == __EVL_RWLOCK_MAGIC;
}

static bool is_static(const struct evl_rwlock *rwlock)
{
	return __atomic_load_n(&rwlock->magic, __ATOMIC_ACQUIRE) == __EVL_STATIC_MAGIC(__EVL_RWLOCK_MAGIC);
}

/* Threads are told apart by where they keep what is theirs. */
static const void *self(void)
{
	return &evl_self;
}

static bool swap(struct evl_rwlock *rwlock, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(&rwlock->state, old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static uint64_t look(struct evl_rwlock *rwlock)
{
	return __atomic_load_n(&rwlock->state, __ATOMIC_RELAXED);
}

EVL_API int evl_create_rwlock(struct evl_rwlock *rwlock)
{
	int ret;

	rwlock->state = 0;
	rwlock->writer = NULL;
	ret = evl_new_sem(&rwlock->readers, NULL);
	if (ret < 0)
		return ret;

	ret = evl_new_sem(&rwlock->writers, NULL);
	if (ret < 0) {
		evl_close_sem(&rwlock->readers);
		return ret;
	}

	__atomic_store_n(&rwlock->magic, __EVL_RWLOCK_MAGIC, __ATOMIC_RELEASE);

	return 0;
}

/* The semaphores of a static lock are activated by their first use, like any. */
static int need_lock(struct evl_rwlock *rwlock)
{
	unsigned int fixed = __EVL_STATIC_MAGIC(__EVL_RWLOCK_MAGIC);
	int ret;

	if (is_live(rwlock))
		return 0;

	if (!is_static(rwlock))
		return -EINVAL;

	ret = evl_activate_sem(&rwlock->readers);
	if (!ret)
		ret = evl_activate_sem(&rwlock->writers);
	if (ret)
		return ret;

	__atomic_compare_exchange_n(&rwlock->magic, &fixed, __EVL_RWLOCK_MAGIC, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);

	return 0;
}

EVL_API int evl_destroy_rwlock(struct evl_rwlock *rwlock)
{
	unsigned int magic = __EVL_RWLOCK_MAGIC;

	if (is_static(rwlock)) {
		rwlock->magic = 0;
		return 0;
	}

	if (!is_live(rwlock))
		return -EINVAL;

	if (look(rwlock))
		return -EBUSY;

	if (!__atomic_compare_exchange_n(&rwlock->magic, &magic, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EINVAL;

	evl_close_sem(&rwlock->readers);
	evl_close_sem(&rwlock->writers);

	return 0;
}

/* Those who waited as readers enter, or else one writer. */
static uint64_t next_in(uint64_t state, bool readers_first)
{
	uint64_t nr = (state & WAIT_READERS) / WAIT_READER;

	if (nr && (readers_first || !(state & WAIT_WRITERS)))
		return state - nr * WAIT_READER + nr * READER;

	if (state & WAIT_WRITERS)
		return (state - WAIT_WRITER) | WRITER;

	return state;
}

static void admit(struct evl_rwlock *rwlock, uint64_t before, uint64_t after)
{
	uint64_t nr = ((before & WAIT_READERS) - (after & WAIT_READERS)) / WAIT_READER;

	while (nr--)
		evl_put_sem(&rwlock->readers);

	if ((before & WAIT_WRITERS) != (after & WAIT_WRITERS))
		evl_put_sem(&rwlock->writers);
}

/* The lock is free but for those who wait: state is without the one who left. */
static void leave(struct evl_rwlock *rwlock, uint64_t old, uint64_t (*without)(uint64_t), bool readers_first)
{
	uint64_t left, new;

	do {
		left = without(old);
		new = left & (READERS | WRITER) ? left : next_in(left, readers_first);
	} while (!swap(rwlock, &old, new));

	admit(rwlock, left, new);
}

static uint64_t without_reader(uint64_t state)
{
	return state - READER;
}

static uint64_t without_writer(uint64_t state)
{
	return state & ~WRITER;
}

static uint64_t without_waiting_writer(uint64_t state)
{
	return state - WAIT_WRITER;
}

/* 0: in; -EBUSY: has to wait, and is counted if told so. */
static int enter_read(struct evl_rwlock *rwlock, bool wait)
{
	uint64_t old = look(rwlock), new;
	bool blocked;

	do {
		blocked = old & (WRITER | WAIT_WRITERS);
		if (blocked && !wait)
			return -EBUSY;
		if ((old & READERS) >= READERS_MAX || (old & WAIT_READERS) == WAIT_READERS)
			return -EAGAIN;
		new = old + (blocked ? WAIT_READER : READER);
	} while (!swap(rwlock, &old, new));

	return blocked ? -EBUSY : 0;
}

static int enter_write(struct evl_rwlock *rwlock, bool wait)
{
	uint64_t old = look(rwlock), new;
	bool blocked;

	do {
		blocked = old & (WRITER | READERS);
		if (blocked && !wait)
			return -EBUSY;
		if ((old & WAIT_WRITERS) == WAIT_WRITERS)
			return -EAGAIN;
		new = blocked ? old + WAIT_WRITER : old | WRITER;
	} while (!swap(rwlock, &old, new));

	return blocked ? -EBUSY : 0;
}

static bool stop_waiting_read(struct evl_rwlock *rwlock)
{
	uint64_t old = look(rwlock);

	do
		if (!(old & WAIT_READERS))
			return false;
	while (!swap(rwlock, &old, old - WAIT_READER));

	return true;
}

/* Readers may have been waiting behind this writer alone. */
static bool stop_waiting_write(struct evl_rwlock *rwlock)
{
	uint64_t old = look(rwlock), left, new;

	do {
		if (!(old & WAIT_WRITERS))
			return false;
		left = without_waiting_writer(old);
		new = left & (WRITER | WAIT_WRITERS) ? left : next_in(left, true);
	} while (!swap(rwlock, &old, new));

	admit(rwlock, left, new);

	return true;
}

/* A unit which is due, or on its way. */
static void collect(struct evl_sem *sem)
{
	while (evl_get_sem(sem) == -EINTR)
		;
}

/*
 * Who was interrupted does not wait any more; or it turns out that it has been let in, then it has the lock, and
 * leaves again.
 */
EVL_API int evl_lock_read(struct evl_rwlock *rwlock)
{
	int ret = need_lock(rwlock);

	if (ret)
		return ret;

	if (__atomic_load_n(&rwlock->writer, __ATOMIC_RELAXED) == self())
		return -EDEADLK;

	ret = enter_read(rwlock, evl_self_attached());
	if (ret != -EBUSY)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	ret = evl_get_sem(&rwlock->readers);
	if (ret && !stop_waiting_read(rwlock)) {
		collect(&rwlock->readers);
		evl_unlock_read(rwlock);
	}

	return ret;
}

EVL_API int evl_trylock_read(struct evl_rwlock *rwlock)
{
	int ret = need_lock(rwlock);

	if (ret)
		return ret;

	ret = enter_read(rwlock, false);

	return ret == -EBUSY ? -EAGAIN : ret;
}

EVL_API int evl_unlock_read(struct evl_rwlock *rwlock)
{
	uint64_t old;

	if (!is_live(rwlock))
		return -EINVAL;

	old = look(rwlock);
	if (!(old & READERS))
		return -EPERM;

	leave(rwlock, old, without_reader, false);

	return 0;
}

static int become_writer(struct evl_rwlock *rwlock)
{
	__atomic_store_n(&rwlock->writer, self(), __ATOMIC_RELAXED);

	return 0;
}

EVL_API int evl_lock_write(struct evl_rwlock *rwlock)
{
	int ret = need_lock(rwlock);

	if (ret)
		return ret;

	if (__atomic_load_n(&rwlock->writer, __ATOMIC_RELAXED) == self())
		return -EDEADLK;

	ret = enter_write(rwlock, evl_self_attached());
	if (!ret)
		return become_writer(rwlock);
	if (ret != -EBUSY)
		return ret;

	if (!evl_self_attached())
		return -EPERM;

	ret = evl_get_sem(&rwlock->writers);
	if (!ret)
		return become_writer(rwlock);

	if (!stop_waiting_write(rwlock)) {
		collect(&rwlock->writers);
		become_writer(rwlock);
		evl_unlock_write(rwlock);
	}

	return ret;
}

EVL_API int evl_trylock_write(struct evl_rwlock *rwlock)
{
	int ret = need_lock(rwlock);

	if (ret)
		return ret;

	ret = enter_write(rwlock, false);
	if (!ret)
		return become_writer(rwlock);

	return ret == -EBUSY ? -EAGAIN : ret;
}

EVL_API int evl_unlock_write(struct evl_rwlock *rwlock)
{
	if (!is_live(rwlock))
		return -EINVAL;

	if (__atomic_load_n(&rwlock->writer, __ATOMIC_RELAXED) != self())
		return -EPERM;

	__atomic_store_n(&rwlock->writer, NULL, __ATOMIC_RELAXED);
	leave(rwlock, look(rwlock), without_writer, true);

	return 0;
}
