/* SPDX-License-Identifier: MIT */
/*
 * property: threads of all CPUs share a heap out-of-band, without leaving the stage, and nothing gets lost or mixed up.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <stdlib.h>
#include <evl/heap.h>
#include "crew.h"

#define HANDS	4
#define LIVE	50
#define ROUNDS	2000
#define USER	(128 * EVL_HEAP_PAGE_SIZE)

static char area[EVL_HEAP_RAW_SIZE(USER)], second[EVL_HEAP_RAW_SIZE(USER)];
static struct evl_heap heap;
static struct hand hands[HANDS], weak;

static int cycle(void *arg)
{
	uint32_t isw = t_isw(hands[0].efd);
	void *block = evl_alloc_block(&heap, 100);
	ssize_t size = evl_check_block(&heap, block);
	int ret = evl_free_block(&heap, block);

	return block && size == 128 && !ret && !evl_is_inband() && t_isw(hands[0].efd) == isw;
}

static int cycle_weak(void *arg)
{
	void *block = evl_alloc_block(&heap, 100);
	bool inband = evl_is_inband();

	return block && inband && !evl_free_block(&heap, block) && evl_is_inband();
}

static int extend(void *arg)
{
	return evl_extend_heap(&heap, arg, arg ? sizeof(second) : 0);
}

static void test_basics(void)
{
	void *block;

	t_ok(evl_init_heap(&heap, area, 100) == -EINVAL, "an area which is too small");
	t_ok(!evl_init_heap(&heap, area, sizeof(area)), "a heap");
	t_ok(!evl_alloc_block(&heap, 1), "no blocks for threads which are not attached");
	t_ok(evl_free_block(&heap, area) == -EPERM && evl_check_block(&heap, area) == -EPERM &&
	     evl_extend_heap(&heap, second, sizeof(second)) == -EPERM, "nor may they do anything else with it");
	t_ok(ask(&hands[0], cycle, NULL) == 1, "a block comes and goes out-of-band");
	t_ok(ask(&weak, cycle_weak, NULL) == 1, "weak threads end up in-band");
	t_ok(ask(&hands[0], extend, NULL) == -EINVAL && ask(&hands[0], extend, second) == 0 &&
	     evl_heap_size(&heap) == 2 * USER, "more memory, from out-of-band");
	block = evl_alloc_block_unlocked(&heap, 1);
	t_ok(block && !evl_free_block_unlocked(&heap, block), "the caller may see to exclusion himself");
}

struct live {
	unsigned char *mem;
	size_t size;
};

static bool is_filled(struct live *l, unsigned char mark)
{
	size_t n;

	for (n = 0; n < l->size; n++)
		if (l->mem[n] != mark)
			return false;

	return true;
}

/* How many things went wrong. Blocks are marked by the hand. */
static int churn(void *arg)
{
	struct hand *h = arg;
	struct live live[LIVE] = { { NULL, 0 } };
	uint32_t isw = t_isw(h->efd);
	unsigned int seed = (unsigned int)(h - hands), n;
	int rounds, wrong = 0;

	for (rounds = 0; rounds < ROUNDS; rounds++) {
		struct live *l = &live[(unsigned int)rand_r(&seed) % LIVE];

		if (l->mem) {
			wrong += !is_filled(l, (unsigned char)(h - hands + 1));
			wrong += evl_check_block(&heap, l->mem) < (ssize_t)l->size;
			wrong += evl_free_block(&heap, l->mem) != 0;
			l->mem = NULL;
			continue;
		}
		l->size = 1 + (unsigned int)rand_r(&seed) % (rounds % 8 ? 200 : 1500);
		l->mem = evl_alloc_block(&heap, l->size);
		if (l->mem)
			memset(l->mem, (int)(h - hands + 1), l->size);
	}
	for (n = 0; n < LIVE; n++)
		if (live[n].mem)
			wrong += evl_free_block(&heap, live[n].mem) != 0;

	return wrong + (evl_is_inband() || t_isw(h->efd) != isw ? 100000 : 0);
}

static void test_sharing(void)
{
	int n, wrong = 0;

	for (n = 0; n < HANDS; n++)
		tell(&hands[n], churn, &hands[n]);
	for (n = 0; n < HANDS; n++)
		wrong += outcome_of(&hands[n]);
	t_ok(!wrong, "%d threads at once (%d wrong)", HANDS, wrong);
	t_ok(!evl_heap_used(&heap), "everything is back (%zu bytes are not)", evl_heap_used(&heap));
	t_ok(evl_alloc_block_unlocked(&heap, USER) && evl_alloc_block_unlocked(&heap, USER), "and merged");
}

/* A block from one thread is freed by another. */
static int get_one(void *arg)
{
	*(void **)arg = evl_alloc_block(&heap, 300);

	return *(void **)arg != NULL;
}

static int put_one(void *arg)
{
	return evl_free_block(&heap, *(void **)arg);
}

static void test_handing_over(void)
{
	void *block;

	t_ok(ask(&hands[0], get_one, &block) == 1 && ask(&hands[1], put_one, &block) == 0,
	     "freed by another thread");
	t_ok(ask(&hands[0], put_one, &block) == -EINVAL, "once");
}

int main(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), n;

	deadline(110);
	t_require_core();
	t_need_cpus(1);

	for (n = 0; n < HANDS; n++)
		hire(&hands[n], "heap-hand", 10 + n, t_cpu(n % cpus));
	hire(&weak, "heap-weak", 0, -1);

	t_plan(14);
	test_basics();
	test_handing_over();
	test_sharing();
	evl_destroy_heap(&heap);
	t_ok(ask(&hands[0], get_one, &(void *){ NULL }) == 0, "no blocks of a heap which is gone");

	return t_end();
}
