/* SPDX-License-Identifier: MIT */
#ifndef _EVL_RWLOCK_H
#define _EVL_RWLOCK_H

#include <stdint.h>
#include <evl/sem.h>

struct evl_rwlock {
	unsigned int magic;
	uint64_t state;		/* who is in, who waits: rwlock.c */
	const void *writer;	/* identity of the one who is in */
	struct evl_sem readers;	/* where they wait */
	struct evl_sem writers;
};

#define EVL_RWLOCK_INITIALIZER()						\
	__evl_static_init(evl_rwlock, __EVL_STATIC_MAGIC(__EVL_RWLOCK_MAGIC), 0, 0,	\
		{ __EVL_MONITOR_INIT(__EVL_SEM_MAGIC, 0, EVL_CLOCK_MONOTONIC, 0, 0) },	\
		{ __EVL_MONITOR_INIT(__EVL_SEM_MAGIC, 0, EVL_CLOCK_MONOTONIC, 0, 0) })

#define DEFINE_EVL_RWLOCK(__ident)	\
	struct evl_rwlock __ident = EVL_RWLOCK_INITIALIZER()

__EVL_BEGIN_DECLS

int evl_create_rwlock(struct evl_rwlock *rwlock);

#define evl_new_rwlock(__rwlock)	evl_create_rwlock(__rwlock)

int evl_destroy_rwlock(struct evl_rwlock *rwlock);

int evl_lock_read(struct evl_rwlock *rwlock);

int evl_trylock_read(struct evl_rwlock *rwlock);

int evl_unlock_read(struct evl_rwlock *rwlock);

int evl_lock_write(struct evl_rwlock *rwlock);

int evl_trylock_write(struct evl_rwlock *rwlock);

int evl_unlock_write(struct evl_rwlock *rwlock);

__EVL_END_DECLS

#endif /* _EVL_RWLOCK_H */
