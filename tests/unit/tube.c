/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <evl/tube.h>
#include "suites.h"

#define ITEMS	50000
#define SENDERS	3
#define RECEIVERS	3

DECLARE_EVL_CANISTER(number_can, long);
DECLARE_EVL_TUBE(number_tube, number_can);

struct pair { int a, b; };

DECLARE_EVL_CANISTER_REL(pair_can, struct pair);
DECLARE_EVL_TUBE_REL(pair_tube, pair_can, struct pair);

START_TEST(first_in_first_out)
{
	static struct number_tube tube;
	struct number_can cans[4];
	long n, round, out = -1;

	evl_init_tube(&tube, cans, 4);
	ck_assert_int_eq(tube.max_items, 4);
	ck_assert(!evl_receive_tube(&tube, out));
	ck_assert_int_eq(out, -1);
	for (round = 0; round < 50; round++) {
		for (n = 0; n < 4; n++)
			ck_assert(evl_send_tube(&tube, round * 10 + n));
		ck_assert(!evl_send_tube(&tube, 99));
		for (n = 0; n < 4; n++) {
			ck_assert(evl_receive_tube(&tube, out));
			ck_assert_int_eq(out, round * 10 + n);
		}
		ck_assert(!evl_receive_tube(&tube, out));
	}
}
END_TEST

START_TEST(no_canisters)
{
	static struct number_tube tube = TUBE_INITIALIZER(tube);
	long out = 5;

	ck_assert_int_eq(tube.max_items, 0);
	ck_assert(!evl_send_tube(&tube, 1));
	ck_assert(!evl_receive_tube(&tube, out));
	ck_assert_int_eq(out, 5);
}
END_TEST

START_TEST(relative)
{
	size_t size = evl_get_tube_size_rel(pair_tube, 10);
	struct pair_tube *tube, *theirs;
	struct pair in = { 3, 4 }, out = { 0, 0 };
	int fd, status;

	fd = memfd_create("tube", 0);
	ck_assert_int_eq(ftruncate(fd, 8192), 0);
	tube = evl_init_tube_rel(pair_tube, pair_can, mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), size);
	ck_assert_int_eq(tube->max_items, 10);
	ck_assert(evl_send_tube_rel(tube, in));
	theirs = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(theirs, tube);
	if (!fork()) {
		if (!evl_receive_tube_rel(theirs, out) || out.a != 3 || out.b != 4)
			_exit(1);
		out.a = 5;
		_exit(!evl_send_tube_rel(theirs, out));
	}
	wait(&status);
	ck_assert_int_eq(status, 0);
	ck_assert(evl_receive_tube_rel(tube, out));
	ck_assert_int_eq(out.a, 5);
}
END_TEST

static struct number_tube shared;
static long sums[RECEIVERS], counts[RECEIVERS], disorder;
static int stop;

static void *send_many(void *arg)
{
	long n, base = (long)arg * ITEMS;

	for (n = 0; n < ITEMS; n++)
		while (!evl_send_tube(&shared, base + n))
			sched_yield();

	return NULL;
}

/* Of each sender the items come in order. */
static void *receive_many(void *arg)
{
	long who = (long)arg, out, last[SENDERS] = { -1, -1, -1 };

	for (;;) {
		int done = __atomic_load_n(&stop, __ATOMIC_ACQUIRE);

		if (!evl_receive_tube(&shared, out)) {
			if (done)
				return NULL;
			sched_yield();
			continue;
		}
		if (out % ITEMS <= last[out / ITEMS])
			__atomic_add_fetch(&disorder, 1, __ATOMIC_RELAXED);
		last[out / ITEMS] = out % ITEMS;
		sums[who] += out;
		counts[who]++;
	}
}

START_TEST(many_threads)
{
	static struct number_can cans[32];
	pthread_t senders[SENDERS], receivers[RECEIVERS];
	long n, sum = 0, count = 0, total = (long)SENDERS * ITEMS;

	evl_init_tube(&shared, cans, 32);
	for (n = 0; n < RECEIVERS; n++)
		pthread_create(&receivers[n], NULL, receive_many, (void *)n);
	for (n = 0; n < SENDERS; n++)
		pthread_create(&senders[n], NULL, send_many, (void *)n);
	for (n = 0; n < SENDERS; n++)
		pthread_join(senders[n], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (n = 0; n < RECEIVERS; n++) {
		pthread_join(receivers[n], NULL);
		sum += sums[n];
		count += counts[n];
	}
	ck_assert_int_eq(count, total);
	ck_assert_int_eq(sum, total * (total - 1) / 2);
	ck_assert_int_eq(disorder, 0);
	for (n = 0; n < 32; n++)
		ck_assert(evl_send_tube(&shared, n));
	ck_assert(!evl_send_tube(&shared, n));
}
END_TEST

/* Whole canisters only, and nothing beyond them. */
START_TEST(relative_bounds)
{
	size_t size = evl_get_tube_size_rel(pair_tube, 3) + sizeof(struct pair_can) - 1;
	struct pair in = { 1, 2 };
	struct pair_tube *tube;
	char *mem = malloc(size + 64);
	size_t n;

	memset(mem, 0x5a, size + 64);
	tube = evl_init_tube_rel(pair_tube, pair_can, mem, size);
	ck_assert_int_eq(tube->max_items, 3);
	for (n = 0; n < 3; n++)
		ck_assert(evl_send_tube_rel(tube, in));
	ck_assert(!evl_send_tube_rel(tube, in));
	for (n = evl_get_tube_size_rel(pair_tube, 3); n < size + 64; n++)
		ck_assert_int_eq(mem[n], 0x5a);
	ck_assert_int_eq(evl_init_tube_rel(pair_tube, pair_can, mem, 3)->max_items, 0);
	free(mem);
}
END_TEST

/* Any type which can be copied. */
DECLARE_EVL_CANISTER(text_can, struct text { char words[100]; });
DECLARE_EVL_TUBE(text_tube, text_can);

START_TEST(structures)
{
	struct text in = { "a tube conveys it as it is" }, out;
	struct text_can cans[2];
	struct text_tube tube;

	ck_assert_uint_eq(evl_get_tube_size(text_tube, 2), sizeof(tube) + sizeof(cans));
	evl_init_tube(&tube, cans, 2);
	ck_assert(evl_send_tube(&tube, in));
	memset(&in, 0, sizeof(in));
	ck_assert(evl_receive_tube(&tube, out));
	ck_assert_str_eq(out.words, "a tube conveys it as it is");
}
END_TEST

/* Two processes, one of which maps the tube elsewhere, as a stream each way. */
START_TEST(between_processes)
{
	struct pair_tube *to, *from, *their_to, *their_from;
	struct pair item = { 0, 0 };
	int fd = memfd_create("tube", 0), n, status, sent = 0, got = 0, bad = 0;
	char *ours, *theirs;

	ck_assert_int_eq(ftruncate(fd, 8192), 0);
	ours = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	theirs = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	to = evl_init_tube_rel(pair_tube, pair_can, ours, 1000);
	from = evl_init_tube_rel(pair_tube, pair_can, ours + 4096, 1000);
	if (!fork()) {
		their_to = (struct pair_tube *)theirs;
		their_from = (struct pair_tube *)(theirs + 4096);
		for (n = 0; n < ITEMS; n++) {
			while (!evl_receive_tube_rel(their_to, item))
				sched_yield();
			while (!evl_send_tube_rel(their_from, item))
				sched_yield();
		}
		_exit(0);
	}
	while (got < ITEMS) {
		struct pair next = { sent, ~sent };

		if (sent < ITEMS && evl_send_tube_rel(to, next))
			sent++;
		else
			sched_yield();
		while (evl_receive_tube_rel(from, item)) {
			bad += item.a != got || item.b != ~got;
			got++;
		}
	}
	wait(&status);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(bad, 0);
}
END_TEST

Suite *tube_suite(void)
{
	Suite *s = suite_create("tube");
	TCase *tc = tcase_create("tube");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, first_in_first_out);
	tcase_add_test(tc, no_canisters);
	tcase_add_test(tc, relative);
	tcase_add_test(tc, relative_bounds);
	tcase_add_test(tc, structures);
	tcase_add_test(tc, between_processes);
	tcase_add_test(tc, many_threads);
	suite_add_tcase(s, tc);

	return s;
}
