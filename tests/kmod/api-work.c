// SPDX-License-Identifier: GPL-2.0-only
/* Deferred in-band work, and the heap. */
#include "api-test.h"
#include <linux/slab.h>

static struct evl_work work;
static int runs, misplaced;
static struct completion gate;

static void note_work(struct evl_work *w)
{
	misplaced += running_oob() || !in_task() || w != &work;
	runs++;
}

static void wait_at_gate(struct evl_work *w)
{
	note_work(w);
	wait_for_completion(&gate);
}

static int post_work(void *unused) { return evl_queue_work(&work); }

/* Interrupts masked meanwhile: it cannot run in between. */
static int post_twice(void *unused) { return evl_queue_work(&work) * 2 + evl_queue_work(&work); }

static void check_once(const char *from, int ret, int expected)
{
	evl_flush_work(&work);
	tap_ok(ret == expected && runs == 1 && !misplaced,
	       "work: queued from %s, it runs once (%d, %d times)", from, ret, runs);
	runs = 0;
}

void test_work(void)
{
	struct api_hand h;
	int ret;

	if (!hire(&h, "work", 10, api_other_cpu))
		return;
	init_completion(&gate);
	evl_init_work(&work, note_work);
	evl_flush_work(&work);
	tap_ok(!runs, "work: nothing to flush");
	check_once("in-band", post_work(NULL), 1);
	check_once("a thread", ask(&h, post_work, NULL), 1);
	check_once("an interrupt", from_interrupt(post_work, NULL), 1);
	check_once("an interrupt, twice", from_interrupt(post_twice, NULL), 2);
	check_once("a masked section, twice", in_masked_section(post_twice, NULL), 2);

	evl_init_work(&work, wait_at_gate);
	post_work(NULL);
	comes_true(READ_ONCE(runs) == 1);
	ret = from_interrupt(post_work, NULL);
	complete_all(&gate);
	evl_flush_work(&work);
	tap_ok(ret == 1 && runs == 2, "work: queued while it runs, it runs again (%d times)", runs);
	dismiss(&h);
}

/* Heap. */

#define NR_BLOCKS	64

static bool is_zero(const void *p, size_t size) { return !memchr_inv(p, 0, size); }

static int fill_and_free(void *unused)
{
	void *blocks[NR_BLOCKS];
	int n, lap, bad = 0;
	size_t size;

	for (lap = 0; lap < 20; lap++) {
		for (n = 0; n < NR_BLOCKS; n++) {
			size = 1 + (n * 37 + lap * 911) % 5000;
			blocks[n] = evl_alloc_core(size);
			if (!blocks[n] || !is_zero(blocks[n], size)) {
				bad++;
				continue;
			}
			memset(blocks[n], 0xa5 ^ n, size);
		}
		for (n = 0; n < NR_BLOCKS; n++) {
			size = 1 + (n * 37 + lap * 911) % 5000;
			bad += blocks[n] && memchr_inv(blocks[n], 0xa5 ^ n, size);
		}
		for (n = lap & 1; n < NR_BLOCKS; n += 2)
			evl_free_core(blocks[n]);
		for (n = !(lap & 1); n < NR_BLOCKS; n += 2)
			evl_free_core(blocks[n]);
	}

	return bad;
}

/* As many of the largest as there are; what is freed joins again, or the second round finds less. */
static int count_largest(void)
{
	void **chain = NULL, **p;
	int nr = 0;

	while ((p = evl_alloc_core(EVL_COREMEM_MAX_BLOCK))) {
		*p = chain;
		chain = p;
		nr++;
	}
	while (chain) {
		p = *chain;
		evl_free_core(chain);
		chain = p;
	}

	return nr;
}

void test_coremem(void)
{
	int before = count_largest(), ret;
	struct api_hand h;
	void *p;

	tap_ok(before > 0, "heap: exhausted after %d of the largest blocks", before);
	tap_ok(!evl_alloc_core(0) && !evl_alloc_core(EVL_COREMEM_MAX_BLOCK + 1) && !evl_alloc_core(SIZE_MAX),
	       "heap: no such sizes");
	evl_free_core(NULL);
	p = evl_alloc_core(3000);
	tap_ok(p && IS_ALIGNED((unsigned long)p, 4096), "heap: aligned to the size");
	tap_ok(count_largest() == before - 1, "heap: which takes one of them");
	evl_free_core(p);
	if (!hire(&h, "heap", 10, api_other_cpu))
		return;
	tell(&h, fill_and_free, NULL);
	ret = fill_and_free(NULL);
	tap_ok(!ret && !outcome(&h), "heap: both stages at once, nobody gets the other's (%d)", ret);
	dismiss(&h);
	tap_ok(count_largest() == before, "heap: all of it is whole again");
}
