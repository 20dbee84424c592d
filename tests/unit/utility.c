/* SPDX-License-Identifier: MIT */
/* The headers of helpers: lists, atomic words, compiler shorthands. */
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <evl/atomic.h>
#include <evl/compiler.h>
#include <evl/evl.h>
#include <evl/list.h>
#include "suites.h"

struct item {
	int name;
	struct list_head link;
};

static struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };

/* The names in a list, as the digits of a number, either way. */
static int forward(struct list_head *head)
{
	struct item *pos;
	int names = 0;

	list_for_each_entry(pos, head, link)
		names = names << 8 | pos->name;

	return names;
}

static int backward(struct list_head *head)
{
	struct item *pos;
	int names = 0;

	list_for_each_entry_reverse(pos, head, link)
		names = names << 8 | pos->name;

	return names;
}

#define NAMES(__x, __y, __z)	((__x) << 16 | (__y) << 8 | (__z))

START_TEST(list_order)
{
	DEFINE_LIST_HEAD(head);
	struct list_head *pos;
	int n = 0;

	ck_assert(list_empty(&head));
	list_append(&a.link, &head);
	list_append(&b.link, &head);
	list_prepend(&c.link, &head);
	ck_assert(!list_empty(&head));
	ck_assert_int_eq(forward(&head), NAMES('c', 'a', 'b'));
	ck_assert_int_eq(backward(&head), NAMES('b', 'a', 'c'));
	list_for_each(pos, &head)
		n = n << 8 | list_entry(pos, struct item, link)->name;
	ck_assert_int_eq(n, NAMES('c', 'a', 'b'));
	n = 0;
	list_for_each_reverse(pos, &head)
		n = n << 8 | list_entry(pos, struct item, link)->name;
	ck_assert_int_eq(n, NAMES('b', 'a', 'c'));
	ck_assert(list_is_heading(&c.link, &head) && !list_is_heading(&a.link, &head));
	ck_assert_ptr_eq(list_first_entry(&head, struct item, link), &c);
	ck_assert_ptr_eq(list_last_entry(&head, struct item, link), &b);
	ck_assert_ptr_eq(list_next_entry(&c, &head, link), &a);
	ck_assert_ptr_null(list_next_entry(&b, &head, link));
	ck_assert_ptr_eq(list_prev_entry(&b, &head, link), &a);
	ck_assert_ptr_null(list_prev_entry(&c, &head, link));
}
END_TEST

START_TEST(list_removal)
{
	struct list_head head = LIST_HEAD_INITIALIZER(head), *pos, *next;

	list_init(&a.link);
	ck_assert(!list_is_linked(&a.link));
	list_append(&a.link, &head);
	list_insert(&b.link, &a.link);
	list_append(&c.link, &head);
	ck_assert(list_is_linked(&a.link));
	ck_assert_int_eq(forward(&head), NAMES('a', 'b', 'c'));
	list_remove(&b.link);
	ck_assert_int_eq(backward(&head), 'c' << 8 | 'a');
	list_remove_init(&a.link);
	ck_assert(!list_is_linked(&a.link));
	list_prepend(&b.link, &head);
	ck_assert_ptr_eq(list_pop(&head), &b.link);
	ck_assert_ptr_eq(list_pop_entry(&head, struct item, link), &c);
	ck_assert(list_empty(&head));

	ath(&head, &a.link);
	ath(&head, &b.link);
	dth(&a.link);
	ck_assert_int_eq(forward(&head), 'b');
	list_for_each_safe(pos, next, &head)
		list_remove(pos);
	ck_assert(list_empty(&head));
	inith(&head);
}
END_TEST

START_TEST(list_emptied_on_the_way)
{
	DEFINE_LIST_HEAD(head);
	struct item *pos, *next;
	int names = 0;

	list_append(&a.link, &head);
	list_append(&b.link, &head);
	list_append(&c.link, &head);
	list_for_each_entry_safe(pos, next, &head, link) {
		names = names << 8 | pos->name;
		list_remove(&pos->link);
		pos->link.next = pos->link.prev = NULL;
	}
	ck_assert(list_empty(&head));
	ck_assert_int_eq(names, NAMES('a', 'b', 'c'));

	names = 0;
	list_append(&a.link, &head);
	list_append(&b.link, &head);
	list_append(&c.link, &head);
	list_for_each_entry_reverse_safe(pos, next, &head, link) {
		names = names << 8 | pos->name;
		list_remove(&pos->link);
		pos->link.next = pos->link.prev = NULL;
	}
	ck_assert(list_empty(&head));
	ck_assert_int_eq(names, NAMES('c', 'b', 'a'));
}
END_TEST

START_TEST(list_joined)
{
	DEFINE_LIST_HEAD(from);
	DEFINE_LIST_HEAD(to);

	list_append(&a.link, &from);
	list_append(&b.link, &from);
	list_append(&c.link, &to);
	list_join(&from, &to);
	ck_assert_int_eq(forward(&to), NAMES('a', 'b', 'c'));
	ck_assert_int_eq(backward(&to), NAMES('c', 'b', 'a'));
	ck_assert(list_empty(&from));
	list_join(&from, &to);
	ck_assert_int_eq(forward(&to), NAMES('a', 'b', 'c'));
}
END_TEST

static atomic_t counter;

static void *count(void *arg)
{
	int n, seen;

	(void)arg;
	for (n = 0; n < 50000; n++)
		do {
			seen = atomic_read(&counter);
		} while ((n % 2 ? atomic_cmpxchg(&counter, seen, seen + 1) :
				  atomic_cmpxchg_weak(&counter, seen, seen + 1)) != seen);

	return NULL;
}

START_TEST(atomic_words)
{
	void *word = NULL, *expected = NULL;
	uatomic_t unsigned_word = 7;
	pthread_t tid[4];
	long long_word = 5;
	int n;

	ck_assert_uint_eq(atomic_cmpxchg(&unsigned_word, 7U, 9U), 7);
	ck_assert_uint_eq(atomic_cmpxchg(&unsigned_word, 7U, 11U), 9);
	ck_assert_uint_eq(atomic_read(&unsigned_word), 9);
	ck_assert_int_eq(atomic_cmpxchg(&long_word, 5, 1L << 40), 5);
	ck_assert_int_eq(long_word, 1L << 40);
	ck_assert_ptr_null(atomic_cmpxchg(&word, expected, (void *)&word));
	ck_assert_ptr_eq(atomic_read(&word), (void *)&word);

	for (n = 0; n < 4; n++)
		pthread_create(&tid[n], NULL, count, NULL);
	for (n = 0; n < 4; n++)
		pthread_join(tid[n], NULL);
	ck_assert_int_eq(atomic_read(&counter), 200000);
}
END_TEST

START_TEST(bit_counts)
{
	ck_assert_int_eq(__lzcount((uint32_t)1), 31);
	ck_assert_int_eq(__lzcount((uint32_t)0), 32);
	ck_assert_int_eq(__lzcount((uint8_t)1), 7);
	ck_assert_int_eq(__lzcount((int8_t)-1), 0);
	ck_assert_int_eq(__lzcount((uint16_t)0), 16);
	ck_assert_int_eq(__lzcount((uint64_t)1), 63);
	ck_assert_int_eq(__lzcount((uint64_t)0), 64);
	ck_assert_int_eq(__lzcount(-1), 0);
	ck_assert_int_eq(__tzcount(8), 3);
	ck_assert_int_eq(__tzcount(0), 32);
	ck_assert_int_eq(__tzcount((uint8_t)0), 8);
	ck_assert_int_eq(__tzcount((uint64_t)1 << 40), 40);
}
END_TEST

static int fall(int n)
{
	switch (n) {
	case 1:
		n++;
		__fallthrough;
	default:
		n++;
	}

	return n;
}

struct __packed tight {
	char c;
	int i;
};

START_TEST(shorthands)
{
	char room[__align_to(13, 8)] __aligned(64);
	volatile int word = 3;

	ck_assert_uint_eq(sizeof(room), 16);
	ck_assert_uint_eq((uintptr_t)room % 64, 0);
	ck_assert_int_eq(__align_to(16, 8), 16);
	ck_assert_ptr_eq(container_of(&b.link, struct item, link), &b);
	ck_assert_ptr_eq(__memptr(&a, __memoff(&a, &b)), (void *)&b);
	ck_assert_str_eq(__stringify(EVL_UNIT_MACRO one, two), "EVL_UNIT_MACRO one, two");
	ck_assert_uint_eq(alignof(uint64_t), sizeof(uint64_t));
	ck_assert_uint_eq(sizeof(struct tight), 1 + sizeof(int));
	ck_assert_int_eq(fall(1), 3);
	__force_read_access(word);
	compiler_barrier();
}
END_TEST

START_TEST(values)
{
	union evl_value v = evl_ptrval(&a);

	ck_assert_ptr_eq(v.ptr, &a);
	v = evl_intval(-3);
	ck_assert_int_eq(v.lval, -3);
	ck_assert_int_eq(v.val, -3);
	v = evl_intval(1LL << 40);
	ck_assert_int_eq(v.lval, 1LL << 40);
	v = evl_nil;
	ck_assert_int_eq(v.lval, 0);
	ck_assert_ptr_null(v.ptr);
}
END_TEST

START_TEST(stack_size)
{
	ck_assert_uint_ge(EVL_STACK_DEFAULT, 65536);
	ck_assert_uint_ge(EVL_STACK_DEFAULT, (unsigned long)PTHREAD_STACK_MIN);
}
END_TEST

Suite *utility_suite(void)
{
	Suite *s = suite_create("utility");
	TCase *tc = tcase_create("utility");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, list_order);
	tcase_add_test(tc, list_removal);
	tcase_add_test(tc, list_emptied_on_the_way);
	tcase_add_test(tc, list_joined);
	tcase_add_test(tc, atomic_words);
	tcase_add_test(tc, bit_counts);
	tcase_add_test(tc, shorthands);
	tcase_add_test(tc, values);
	tcase_add_test(tc, stack_size);
	suite_add_tcase(s, tc);

	return s;
}
