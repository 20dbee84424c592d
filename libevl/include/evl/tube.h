/* SPDX-License-Identifier: MIT */
/*
 * Tubes: first-in first-out queues in user memory, for any thread on any stage. Nothing here enters the kernel, waits
 * or allocates. An item is copied into a canister by who sends, and out of it by who receives; two queues of canister
 * numbers tell those which hold an item from those which are free.
 *
 * There are no addresses in a tube of the relative kind, nor in its canisters, which follow it in memory.
 */
#ifndef _EVL_TUBE_H
#define _EVL_TUBE_H

#include <evl/compiler.h>
#include <evl/index-queue.h>

#define DECLARE_EVL_CANISTER(__can_struct, __type)	\
	struct __can_struct {				\
		struct __evl_index_links next;		\
		__typeof__(__type) payload;		\
	}

#define __EVL_TUBE(__name, __cans)				\
	struct __name {						\
		struct __evl_index_queue __full;		\
		struct __evl_index_queue __free;		\
		long max_items;					\
		__cans;						\
	}

#define DECLARE_EVL_TUBE(__name, __can_struct)	\
	__EVL_TUBE(__name, struct __can_struct *__cans)

/* Without canisters: full and empty. */
#define TUBE_INITIALIZER(__name)	{ { 0, 0 }, { 0, 0 }, 0, 0 }

#define __evl_tube_slots(__tube, __queue)						\
	__evl_index_slots((__tube)->__cans, offsetof(struct __evl_index_links, __queue),	\
			  sizeof((__tube)->__cans[0]), (uint32_t)(__tube)->max_items)

#define __evl_start_tube(__tube, __count)						\
	do {										\
		(__tube)->max_items = (long)(__count);					\
		__evl_index_reset(&(__tube)->__full, __evl_tube_slots(__tube, full),	\
				  &(__tube)->__free, __evl_tube_slots(__tube, free));	\
	} while (0)

#define evl_init_tube(__tube, __freevec, __count)	\
	do {						\
		(__tube)->__cans = (__freevec);		\
		__evl_start_tube(__tube, __count);	\
	} while (0)

#define evl_send_tube(__tube, __item)								\
	__extension__ ({									\
		uint32_t __evl_n;								\
		bool __evl_done = __evl_index_pop(&(__tube)->__free,				\
						  __evl_tube_slots(__tube, free), &__evl_n);	\
												\
		if (__evl_done) {								\
			(__tube)->__cans[__evl_n].payload = (__item);				\
			__evl_index_push(&(__tube)->__full, __evl_tube_slots(__tube, full), __evl_n);	\
		}										\
		__evl_done;									\
	})

#define evl_receive_tube(__tube, __item)							\
	__extension__ ({									\
		uint32_t __evl_n;								\
		bool __evl_done = __evl_index_pop(&(__tube)->__full,				\
						  __evl_tube_slots(__tube, full), &__evl_n);	\
												\
		if (__evl_done) {								\
			(__item) = (__tube)->__cans[__evl_n].payload;				\
			__evl_index_push(&(__tube)->__free, __evl_tube_slots(__tube, free), __evl_n);	\
		}										\
		__evl_done;									\
	})

#define evl_get_tube_size(__name, __count)	\
	(sizeof(struct __name) + (size_t)(__count) * sizeof(((struct __name *)0)->__cans[0]))

#define DECLARE_EVL_CANISTER_REL(__can_struct, __type)	DECLARE_EVL_CANISTER(__can_struct, __type)

#define DECLARE_EVL_TUBE_REL(__name, __can_struct, ...)	\
	__EVL_TUBE(__name, struct __can_struct __cans[])

#define evl_get_tube_size_rel(__name, __count)	evl_get_tube_size(__name, __count)

/* How many canisters fit behind the tube. */
#define __evl_tube_room(__name, __can_struct, __size)		\
	((size_t)(__size) < sizeof(struct __name) ? 0 :		\
	 ((size_t)(__size) - sizeof(struct __name)) / sizeof(struct __can_struct))

#define evl_init_tube_rel(__name, __can_struct, __mem, __size)						\
	__extension__ ({										\
		struct __name *__evl_tube = (struct __name *)(void *)(__mem);				\
													\
		__evl_start_tube(__evl_tube, __evl_tube_room(__name, __can_struct, __size));		\
		__evl_tube;										\
	})

#define evl_send_tube_rel(__tube, __item)	evl_send_tube(__tube, __item)

#define evl_receive_tube_rel(__tube, __item)	evl_receive_tube(__tube, __item)

#endif /* _EVL_TUBE_H */
