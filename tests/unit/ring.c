/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <evl/ring_ptr.h>
#include "suites.h"

#define ORDER		4
#define SIZE		(1 << ORDER)
#define ITEMS		50000L
#define PRODUCERS	3
#define CONSUMERS	3

DEFINE_EVL_RINGPTR_STATIC(fixed, ORDER)
DEFINE_EVL_RINGPTR_DYNAMIC(pool, 10)
DEFINE_EVL_RINGPTR_DYNAMIC(vast, 31)

static TYPEOF_EVL_RINGPTR(mine, EVL_RINGPTR_MINORDER) my_ring;
DEFINE_EVL_RINGPTR_OPS(mine, my_ring, EVL_RINGPTR_MINORDER)

_Static_assert(sizeof(struct fixed) == SIZEOF_EVL_RINGPTR(ORDER), "size of a ring");
_Static_assert(_Alignof(struct fixed) == EVL_RING_ALIGNMENT, "alignment of a ring");
_Static_assert(EVL_RING_ALIGNMENT == 256 && EVL_RING_CACHELINE_BYTES == 128, "public figures");
_Static_assert(sizeof(lfatomic_big_t) == 2 * sizeof(lfatomic_t) && sizeof(lfatomic_t) == sizeof(void *), "words");

static void *item(long n)
{
	return (void *)(uintptr_t)n;
}

START_TEST(first_in_first_out)
{
	struct evl_ring_cursor cursor;
	void *ptr = &cursor;
	long round, n;

	evl_init_cursor_fixed(&cursor);
	ck_assert(!evl_dequeue_fixed(&ptr));
	ck_assert_ptr_eq(ptr, &cursor);
	for (round = 0; round < 100; round++) {
		for (n = 0; n < SIZE; n++)
			ck_assert(evl_enqueue_fixed(item(round + n), &cursor));
		ck_assert(!evl_enqueue_fixed(&cursor, &cursor));
		ck_assert(evl_dequeue_fixed(&ptr));
		ck_assert_ptr_eq(ptr, item(round));
		ck_assert(evl_enqueue_fixed(NULL, &cursor));
		for (n = 1; n < SIZE; n++) {
			ck_assert(evl_dequeue_fixed(&ptr));
			ck_assert_ptr_eq(ptr, item(round + n));
		}
		ck_assert(evl_dequeue_fixed(&ptr));
		ck_assert_ptr_null(ptr);
		ck_assert(!evl_dequeue_fixed(&ptr));
	}
}
END_TEST

START_TEST(clearing)
{
	struct evl_ring_cursor cursor;
	void *ptr;
	int n;

	evl_init_cursor_fixed(&cursor);
	for (n = 0; n < 5; n++)
		ck_assert(evl_enqueue_fixed(&cursor, &cursor));
	ck_assert(evl_dequeue_fixed(&ptr));
	evl_clear_fixed();
	evl_init_cursor_fixed(&cursor);
	ck_assert(!evl_dequeue_fixed(&ptr));
	for (n = 0; n < SIZE; n++)
		ck_assert(evl_enqueue_fixed(&cursor, &cursor));
	ck_assert(!evl_enqueue_fixed(&cursor, &cursor));
}
END_TEST

START_TEST(ring_of_ones_own)
{
	struct evl_ring_cursor cursor;
	void *ptr;

	evl_clear_mine();
	evl_init_cursor_mine(&cursor);
	ck_assert(evl_enqueue_mine(&my_ring, &cursor));
	ck_assert(evl_dequeue_mine(&ptr));
	ck_assert_ptr_eq(ptr, &my_ring);
}
END_TEST

START_TEST(no_memory)
{
	struct rlimit before, limit;
	int ret;

	getrlimit(RLIMIT_AS, &before);
	limit = before;
	limit.rlim_cur = sizeof(*vast) / 2;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	ret = evl_alloc_vast();
	setrlimit(RLIMIT_AS, &before);
	ck_assert_int_eq(ret, ENOMEM);
	ck_assert_ptr_null(vast);
}
END_TEST

START_TEST(dynamic)
{
	struct evl_ring_cursor cursor;
	void *ptr;
	long n;

	ck_assert_int_eq(evl_alloc_pool(), 0);
	ck_assert_uint_eq((uintptr_t)pool % EVL_RING_ALIGNMENT, 0);
	evl_init_cursor_pool(&cursor);
	ck_assert(!evl_dequeue_pool(&ptr));
	for (n = 0; n < 1024; n++)
		ck_assert(evl_enqueue_pool(item(n), &cursor));
	ck_assert(!evl_enqueue_pool(item(n), &cursor));
	for (n = 0; n < 1024; n++) {
		ck_assert(evl_dequeue_pool(&ptr));
		ck_assert_ptr_eq(ptr, item(n));
	}
	evl_clear_pool();
	free(pool);
}
END_TEST

static long counts[CONSUMERS], sums[CONSUMERS], disorder;
static int producers_done;

static void *produce(void *arg)
{
	long n, base = (long)arg * ITEMS;
	struct evl_ring_cursor cursor;

	evl_init_cursor_fixed(&cursor);
	for (n = 0; n < ITEMS; n++)
		while (!evl_enqueue_fixed(item(base + n), &cursor))
			sched_yield();

	return NULL;
}

/* Those of each producer come in order. */
static void *consume(void *arg)
{
	long last[PRODUCERS] = { -1, -1, -1 }, who = (long)arg, n;
	void *ptr;

	for (;;) {
		int done = __atomic_load_n(&producers_done, __ATOMIC_ACQUIRE);

		if (!evl_dequeue_fixed(&ptr)) {
			if (done)
				return NULL;
			sched_yield();
			continue;
		}
		n = (long)(uintptr_t)ptr;
		if (n % ITEMS <= last[n / ITEMS])
			__atomic_add_fetch(&disorder, 1, __ATOMIC_RELAXED);
		last[n / ITEMS] = n % ITEMS;
		sums[who] += n;
		counts[who]++;
	}
}

START_TEST(many_threads)
{
	long n, sum = 0, count = 0, total = PRODUCERS * ITEMS;
	pthread_t producer[PRODUCERS], consumer[CONSUMERS];

	evl_clear_fixed();
	for (n = 0; n < CONSUMERS; n++)
		pthread_create(&consumer[n], NULL, consume, (void *)n);
	for (n = 0; n < PRODUCERS; n++)
		pthread_create(&producer[n], NULL, produce, (void *)n);
	for (n = 0; n < PRODUCERS; n++)
		pthread_join(producer[n], NULL);
	__atomic_store_n(&producers_done, 1, __ATOMIC_RELEASE);
	for (n = 0; n < CONSUMERS; n++) {
		pthread_join(consumer[n], NULL);
		sum += sums[n];
		count += counts[n];
	}
	ck_assert_int_eq(count, total);
	ck_assert_int_eq(sum, total * (total - 1) / 2);
	ck_assert_int_eq(disorder, 0);
}
END_TEST

Suite *ring_suite(void)
{
	Suite *s = suite_create("ring");
	TCase *tc = tcase_create("ring");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, first_in_first_out);
	tcase_add_test(tc, clearing);
	tcase_add_test(tc, ring_of_ones_own);
	tcase_add_test(tc, no_memory);
	tcase_add_test(tc, dynamic);
	tcase_add_test(tc, many_threads);
	suite_add_tcase(s, tc);

	return s;
}
