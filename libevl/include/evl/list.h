/* SPDX-License-Identifier: MIT */
/*
 * Circular lists by links within the items. Not synchronized. The names have no prefix: no other header of the library
 * includes this one.
 */
#ifndef _EVL_LIST_H
#define _EVL_LIST_H

#include <evl/compiler.h>

/* An anchor, or the link in an item. By itself it is its own neighbour. */
struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD_INITIALIZER(__name)	{ &(__name), &(__name) }

#define DEFINE_LIST_HEAD(__name)	struct list_head __name = LIST_HEAD_INITIALIZER(__name)

static inline void list_init(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

/* Closes the ring of two neighbours. */
static inline void __evl_list_tie(struct list_head *left, struct list_head *right)
{
	left->next = right;
	right->prev = left;
}

static inline int list_is_linked(const struct list_head *e)
{
	return e->next != e;
}

static inline int list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline int list_is_heading(const struct list_head *e, const struct list_head *head)
{
	return head->next == e;
}

static inline void list_insert(struct list_head *next, struct list_head *prev)
{
	__evl_list_tie(next, prev->next);
	__evl_list_tie(prev, next);
}

static inline void list_prepend(struct list_head *e, struct list_head *head)
{
	list_insert(e, head);
}

static inline void list_append(struct list_head *e, struct list_head *head)
{
	list_insert(e, head->prev);
}

static inline void list_remove(struct list_head *e)
{
	__evl_list_tie(e->prev, e->next);
}

static inline void list_remove_init(struct list_head *e)
{
	list_remove(e);
	list_init(e);
}

/* To the front of dst, in their order. Nothing to do for none. */
static inline void list_join(struct list_head *src, struct list_head *dst)
{
	if (list_empty(src))
		return;

	__evl_list_tie(src->prev, dst->next);
	__evl_list_tie(dst, src->next);
	list_init(src);
}

/* There must be one. */
static inline struct list_head *list_pop(struct list_head *head)
{
	struct list_head *e = head->next;

	list_remove(e);

	return e;
}

/* Other names of initialisation, insertion after, and removal. */
#define inith(__head)		list_init(__head)
#define ath(__head, __e)	list_insert(__e, __head)
#define dth(__e)		list_remove(__e)

#define list_entry(__ptr, __type, __member)	container_of(__ptr, __type, __member)

#define list_first_entry(__head, __type, __member)	list_entry((__head)->next, __type, __member)

#define list_last_entry(__head, __type, __member)	list_entry((__head)->prev, __type, __member)

#define list_pop_entry(__head, __type, __member)	list_entry(list_pop(__head), __type, __member)

/* The item at a link, whose type is that of another one. */
#define __evl_list_like(__link, __pos, __member)	list_entry(__link, __typeof__(*(__pos)), __member)

#define __evl_list_neighbour(__link, __pos, __head, __member)	\
	((__link) == (__head) ? (__typeof__(__pos))0 : __evl_list_like(__link, __pos, __member))

#define list_prev_entry(__pos, __head, __member)	\
	__evl_list_neighbour((__pos)->__member.prev, __pos, __head, __member)

#define list_next_entry(__pos, __head, __member)	\
	__evl_list_neighbour((__pos)->__member.next, __pos, __head, __member)

#define list_for_each(__pos, __head)	\
	for ((__pos) = (__head)->next; (__pos) != (__head); (__pos) = (__pos)->next)

#define list_for_each_reverse(__pos, __head)	\
	for ((__pos) = (__head)->prev; (__pos) != (__head); (__pos) = (__pos)->prev)

#define list_for_each_safe(__pos, __tmp, __head)			\
	for ((__pos) = (__head)->next, (__tmp) = (__pos)->next;		\
	     (__pos) != (__head);					\
	     (__pos) = (__tmp), (__tmp) = (__pos)->next)

#define __evl_list_each_entry(__pos, __head, __member, __way)			\
	for ((__pos) = __evl_list_like((__head)->__way, __pos, __member);	\
	     &(__pos)->__member != (__head);					\
	     (__pos) = __evl_list_like((__pos)->__member.__way, __pos, __member))

#define list_for_each_entry(__pos, __head, __member)	\
	__evl_list_each_entry(__pos, __head, __member, next)

#define list_for_each_entry_reverse(__pos, __head, __member)	\
	__evl_list_each_entry(__pos, __head, __member, prev)

#define __evl_list_each_entry_safe(__pos, __tmp, __head, __member, __way)		\
	for ((__pos) = __evl_list_like((__head)->__way, __pos, __member),		\
	     (__tmp) = __evl_list_like((__pos)->__member.__way, __pos, __member);	\
	     &(__pos)->__member != (__head);						\
	     (__pos) = (__tmp),								\
	     (__tmp) = __evl_list_like((__pos)->__member.__way, __pos, __member))

#define list_for_each_entry_safe(__pos, __tmp, __head, __member)	\
	__evl_list_each_entry_safe(__pos, __tmp, __head, __member, next)

#define list_for_each_entry_reverse_safe(__pos, __tmp, __head, __member)	\
	__evl_list_each_entry_safe(__pos, __tmp, __head, __member, prev)

#endif /* _EVL_LIST_H */
