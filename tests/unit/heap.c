/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <evl/evl.h>
#include <evl/heap.h>
#include "fake.h"
#include "suites.h"

#define PAGES	40
#define USER	(PAGES * EVL_HEAP_PAGE_SIZE)
#define LIVE	200

static char area[EVL_HEAP_RAW_SIZE(USER)], second[EVL_HEAP_RAW_SIZE(2 * USER)];
static struct evl_heap heap;

static void start(void)
{
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, sizeof(area)), 0);
}

static void *get(size_t size)
{
	return evl_alloc_block_unlocked(&heap, size);
}

static int put(void *block)
{
	return evl_free_block_unlocked(&heap, block);
}

/* Gets blocks until there are no more: how many. */
static int count_blocks(size_t size)
{
	int n = 0;

	while (get(size))
		n++;

	return n;
}

START_TEST(sizes)
{
	ck_assert_uint_gt(EVL_HEAP_RAW_SIZE(1), 512);
	ck_assert_uint_eq(EVL_HEAP_RAW_SIZE(1), EVL_HEAP_RAW_SIZE(512));
	ck_assert_uint_lt(EVL_HEAP_RAW_SIZE(512), EVL_HEAP_RAW_SIZE(513));
	ck_assert_uint_eq(EVL_HEAP_RAW_SIZE(8192) % EVL_HEAP_PAGE_SIZE, 0);
	start();
	ck_assert_uint_eq(evl_heap_size(&heap), USER);
	ck_assert_uint_eq(evl_heap_raw_size(&heap), sizeof(area));
	ck_assert_uint_eq(evl_heap_used(&heap), 0);
}
END_TEST

START_TEST(size_of_every_count)
{
	char *mem = malloc(EVL_HEAP_RAW_SIZE(300 * EVL_HEAP_PAGE_SIZE));
	size_t n;

	for (n = 1; n <= 300; n++) {
		ck_assert_int_eq(evl_init_heap_unlocked(&heap, mem, EVL_HEAP_RAW_SIZE(n * EVL_HEAP_PAGE_SIZE)), 0);
		ck_assert_uint_eq(evl_heap_size(&heap), n * EVL_HEAP_PAGE_SIZE);
		ck_assert_int_eq(count_blocks(EVL_HEAP_PAGE_SIZE), (int)n);
	}
	free(mem);
}
END_TEST

START_TEST(bad_sizes)
{
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, 0), -EINVAL);
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, EVL_HEAP_RAW_SIZE(1) - 1), -EINVAL);
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, EVL_HEAP_RAW_SIZE((size_t)EVL_HEAP_MAX_EXTSZ + 1)), -EINVAL);
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, SIZE_MAX), -EINVAL);
	start();
	ck_assert_int_eq(evl_extend_heap_unlocked(&heap, second, EVL_HEAP_RAW_SIZE(1) - 1), -EINVAL);
	ck_assert_int_eq(evl_extend_heap_unlocked(&heap, second, SIZE_MAX), -EINVAL);
	ck_assert_uint_eq(evl_heap_raw_size(&heap), sizeof(area));
	ck_assert_int_eq(count_blocks(512), PAGES);
}
END_TEST

START_TEST(one_page)
{
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, area, EVL_HEAP_RAW_SIZE(1)), 0);
	ck_assert_uint_eq(evl_heap_size(&heap), 512);
	ck_assert_int_eq(count_blocks(512), 1);
}
END_TEST

/* Request, what is reserved for it, how many fit. */
static const struct rounding {
	size_t asked, reserved;
	int fit;
} roundings[] = {
	{ 1, 16, 32 * PAGES }, { 16, 16, 32 * PAGES }, { 17, 32, 16 * PAGES }, { 32, 32, 16 * PAGES },
	{ 33, 64, 8 * PAGES }, { 60, 64, 8 * PAGES }, { 128, 128, 4 * PAGES }, { 129, 256, 2 * PAGES },
	{ 256, 256, 2 * PAGES }, { 257, 512, PAGES }, { 512, 512, PAGES }, { 513, 1024, PAGES / 2 },
	{ 1025, 1536, PAGES / 3 }, { USER, USER, 1 }, { USER + 1, 0, 0 },
};

START_TEST(rounding)
{
	const struct rounding *r = &roundings[_i];
	void *block;

	start();
	block = get(r->asked);
	if (r->fit) {
		ck_assert_int_eq(evl_check_block_unlocked(&heap, block), (ssize_t)r->reserved);
		ck_assert_uint_eq(evl_heap_used(&heap), r->reserved);
		ck_assert_int_eq(put(block), 0);
	}
	ck_assert_uint_eq(evl_heap_used(&heap), 0);
	ck_assert_int_eq(count_blocks(r->asked), r->fit);
	ck_assert_uint_eq(evl_heap_used(&heap), (size_t)r->fit * r->reserved);
}
END_TEST

START_TEST(not_to_be_had)
{
	start();
	ck_assert_ptr_null(get(0));
	ck_assert_ptr_null(get(USER + 1));
	ck_assert_ptr_null(get((size_t)EVL_HEAP_MAX_EXTSZ + 1));
	ck_assert_ptr_null(get(SIZE_MAX));
	ck_assert_uint_eq(evl_heap_used(&heap), 0);
	ck_assert_ptr_nonnull(get(USER));
	ck_assert_ptr_null(get(1));
}
END_TEST

START_TEST(pages_merge)
{
	void *block[PAGES];
	int n;

	start();
	for (n = 0; n < PAGES; n++)
		block[n] = get(512);
	for (n = 0; n < PAGES; n += 2)
		ck_assert_int_eq(put(block[n]), 0);
	ck_assert_ptr_null(get(1024));
	for (n = 1; n < PAGES; n += 2)
		ck_assert_int_eq(put(block[n]), 0);
	ck_assert_ptr_nonnull(get(USER));
}
END_TEST

START_TEST(bad_blocks)
{
	char other[64], *small, *large;

	start();
	small = get(60);
	large = get(1500);
	ck_assert_int_eq(put(other), -EINVAL);
	ck_assert_int_eq(put(NULL), -EINVAL);
	ck_assert_int_eq(put(area), -EINVAL);
	ck_assert_int_eq(put(small + 16), -EINVAL);
	ck_assert_int_eq(put(small + 64), -EINVAL);
	ck_assert_int_eq(put(large + 16), -EINVAL);
	ck_assert_int_eq(put(large + 512), -EINVAL);
	ck_assert_int_eq(put(large + 1536), -EINVAL);
	ck_assert_int_eq(evl_check_block_unlocked(&heap, small + 1), -EINVAL);
	ck_assert_int_eq(evl_check_block_unlocked(&heap, area + sizeof(area)), -EINVAL);
	ck_assert_uint_eq(evl_heap_used(&heap), 64 + 1536);
	ck_assert_int_eq(put(small), 0);
	ck_assert_int_eq(put(small), -EINVAL);
	ck_assert_int_eq(put(large), 0);
	ck_assert_int_eq(put(large), -EINVAL);
	ck_assert_int_eq(evl_check_block_unlocked(&heap, large), -EINVAL);
	ck_assert_ptr_nonnull(get(USER));
}
END_TEST

START_TEST(extents)
{
	void *first, *big;

	start();
	ck_assert_int_eq(evl_extend_heap_unlocked(&heap, second, sizeof(second)), 0);
	ck_assert_uint_eq(evl_heap_size(&heap), 3 * USER);
	ck_assert_uint_eq(evl_heap_raw_size(&heap), sizeof(area) + sizeof(second));
	ck_assert_ptr_null(get(2 * USER + 1));
	big = get(2 * USER);
	ck_assert(big > (void *)second && (char *)big + 2 * USER <= second + sizeof(second));
	first = get(USER);
	ck_assert(first > (void *)area && (char *)first + USER <= area + sizeof(area));
	ck_assert_ptr_null(get(16));
	ck_assert_int_eq(put(big), 0);
	ck_assert_ptr_nonnull(get(16));
	ck_assert_int_eq(put(first), 0);
}
END_TEST

/* Any alignment of the area will do, and nothing beside it is touched. */
START_TEST(alignment)
{
	char *room = malloc(sizeof(area) + 2048), *mem = room + 512 + _i, *block;
	size_t n;

	memset(room, 0x5a, sizeof(area) + 2048);
	ck_assert_int_eq(evl_init_heap_unlocked(&heap, mem, sizeof(area)), 0);
	while ((block = get(48))) {
		ck_assert_uint_eq((uintptr_t)block % EVL_HEAP_MIN_ALIGN, 0);
		ck_assert(block >= mem && block + 64 <= mem + sizeof(area));
		memset(block, 0xff, 64);
	}
	ck_assert_uint_eq(evl_heap_used(&heap), USER);
	for (n = 0; n < 512 + (size_t)_i; n++)
		ck_assert_int_eq(room[n], 0x5a);
	for (n = 512 + (size_t)_i + sizeof(area); n < sizeof(area) + 2048; n++)
		ck_assert_int_eq(room[n], 0x5a);
	free(room);
}
END_TEST

START_TEST(contents_stay)
{
	char *block;

	start();
	block = get(100);
	strcpy(block, "still here");
	evl_destroy_heap_unlocked(&heap);
	ck_assert_str_eq(block, "still here");
	ck_assert_uint_eq(evl_heap_size(&heap), 0);
	ck_assert_ptr_null(get(1));
}
END_TEST

struct live {
	unsigned char *mem;
	size_t asked;
};

/* One assertion for all: each costs a system call. */
static void check_live(struct live *live, unsigned char mark)
{
	size_t n, bad = 0;

	for (n = 0; n < live->asked; n++)
		bad += live->mem[n] != mark;
	ck_assert_uint_eq(bad, 0);
}

static size_t some_size(void)
{
	size_t r = (size_t)random();

	return 1 + (r % 4 ? r / 4 % 300 : r / 4 % 3000);
}

/* Blocks of one size fit none but themselves: each is filled with a number of its own. */
START_TEST(stress)
{
	static struct live live[LIVE];
	size_t used = 0, rounds, n;

	srandom((unsigned int)_i);
	memset(live, 0, sizeof(live));
	start();
	ck_assert_int_eq(evl_extend_heap_unlocked(&heap, second + 8, sizeof(second) - 8), 0);
	for (rounds = 0; rounds < 5000; rounds++) {
		struct live *l = &live[n = (size_t)random() % LIVE];

		if (l->mem) {
			check_live(l, (unsigned char)n);
			used -= (size_t)evl_check_block_unlocked(&heap, l->mem);
			ck_assert_int_eq(put(l->mem), 0);
			ck_assert_int_eq(put(l->mem), -EINVAL);
			l->mem = NULL;
		} else if ((l->mem = get(l->asked = some_size()))) {
			memset(l->mem, (int)n, l->asked);
			ck_assert_int_ge(evl_check_block_unlocked(&heap, l->mem), (ssize_t)l->asked);
			used += (size_t)evl_check_block_unlocked(&heap, l->mem);
		}
		ck_assert_uint_eq(evl_heap_used(&heap), used);
		ck_assert_uint_le(used, evl_heap_size(&heap));
	}
	for (n = 0; n < LIVE; n++)
		if (live[n].mem)
			ck_assert_int_eq(put(live[n].mem), 0);
	ck_assert_uint_eq(evl_heap_used(&heap), 0);
	ck_assert_ptr_nonnull(get(evl_heap_size(&heap) - USER));
	ck_assert_ptr_nonnull(get(USER));
}
END_TEST

START_TEST(needs_init)
{
	fake_reset();
	ck_assert_int_eq(evl_init_heap(&heap, area, sizeof(area)), -ENXIO);
}
END_TEST

START_TEST(mutex_of_its_own)
{
	fake_attach_oob();
	ck_assert_int_eq(evl_init_heap(&heap, area, 100), -EINVAL);
	ck_assert_int_eq(fake.nr_calls, 0);
	fake.clone_status = -ENOMEM;
	ck_assert_int_eq(evl_init_heap(&heap, area, sizeof(area)), -ENOMEM);
	fake.clone_status = 0;
	ck_assert_int_eq(evl_init_heap(&heap, area, sizeof(area)), 0);
	ck_assert_uint_eq(fake.clone_req.name_ptr, 0);
	ck_assert_uint_eq(fake.clone_req.clone_flags & EVL_CLONE_PUBLIC, 0);
	evl_destroy_heap(&heap);
	ck_assert_int_eq(fake.nr_closed, 1);
	ck_assert_ptr_null(evl_alloc_block(&heap, 1));
	ck_assert_int_eq(evl_free_block(&heap, area), -EINVAL);
	ck_assert_int_eq(evl_check_block(&heap, area), -EINVAL);
	ck_assert_int_eq(evl_extend_heap(&heap, area, sizeof(area)), -EINVAL);
}
END_TEST

/* A free mutex is taken without the core: no request. */
START_TEST(locked_forms)
{
	void *block;

	fake_attach_oob();
	ck_assert_int_eq(evl_init_heap(&heap, area, sizeof(area)), 0);
	fake.nr_calls = 0;
	block = evl_alloc_block(&heap, 100);
	ck_assert_int_eq(evl_check_block(&heap, block), 128);
	ck_assert_uint_eq(evl_heap_used(&heap), 128);
	ck_assert_int_eq(evl_free_block(&heap, block), 0);
	ck_assert_int_eq(evl_free_block(&heap, block), -EINVAL);
	ck_assert_int_eq(evl_check_block(&heap, block), -EINVAL);
	ck_assert_ptr_null(evl_alloc_block(&heap, 0));
	ck_assert_int_eq(evl_extend_heap(&heap, second, 0), -EINVAL);
	ck_assert_int_eq(evl_extend_heap(&heap, second, sizeof(second)), 0);
	ck_assert_uint_eq(evl_heap_size(&heap), 3 * USER);
	ck_assert_int_eq(fake.nr_calls, 0);
	ck_assert_int_eq(evl_free_block_unlocked(&heap, evl_alloc_block_unlocked(&heap, 1)), 0);
}
END_TEST

START_TEST(not_attached)
{
	fake_reset();
	ck_assert_int_eq(evl_init(), 0);
	ck_assert_int_eq(evl_init_heap(&heap, area, sizeof(area)), 0);
	ck_assert_ptr_null(evl_alloc_block(&heap, 100));
	ck_assert_int_eq(evl_free_block(&heap, area), -EPERM);
	ck_assert_int_eq(evl_check_block(&heap, area), -EPERM);
	ck_assert_int_eq(evl_extend_heap(&heap, second, sizeof(second)), -EPERM);
	ck_assert_uint_eq(evl_heap_size(&heap), USER);
	evl_destroy_heap(&heap);
}
END_TEST

Suite *heap_suite(void)
{
	Suite *s = suite_create("heap");
	TCase *tc = tcase_create("heap");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, sizes);
	tcase_add_test(tc, size_of_every_count);
	tcase_add_test(tc, bad_sizes);
	tcase_add_test(tc, one_page);
	tcase_add_loop_test(tc, rounding, 0, sizeof(roundings) / sizeof(roundings[0]));
	tcase_add_test(tc, not_to_be_had);
	tcase_add_test(tc, pages_merge);
	tcase_add_test(tc, bad_blocks);
	tcase_add_test(tc, extents);
	tcase_add_loop_test(tc, alignment, 0, 17);
	tcase_add_test(tc, contents_stay);
	tcase_add_loop_test(tc, stress, 1, 5);
	tcase_add_test(tc, needs_init);
	tcase_add_test(tc, mutex_of_its_own);
	tcase_add_test(tc, locked_forms);
	tcase_add_test(tc, not_attached);
	suite_add_tcase(s, tc);

	return s;
}
