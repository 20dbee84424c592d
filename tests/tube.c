/* SPDX-License-Identifier: MIT */
/*
 * property: tubes and rings of pointers carry items between the stages, each once, in the order of its sender, and no
 * operation changes the stage of a thread or enters the core.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include <evl/ring_ptr.h>
#include <evl/tube.h>
#include "crew.h"

#define ITEMS	5000
#define ROOM	8

DECLARE_EVL_CANISTER(can, long);
DECLARE_EVL_TUBE(tube, can);
DEFINE_EVL_RINGPTR_STATIC(ring, EVL_RINGPTR_MINORDER)

static struct hand sender, receiver;
static struct can cans[ROOM];
static struct tube tube;
static long sum, disorder;

static int still(void *arg)
{
	struct evl_thread_state before, after;
	struct evl_ring_cursor cursor;
	void *ptr = NULL;
	long n, out = 0;
	int good = 0;

	evl_init_cursor_ring(&cursor);
	evl_get_state(sender.efd, &before);
	for (n = 1; n <= 100; n++) {
		good += evl_send_tube(&tube, n) && evl_receive_tube(&tube, out) && out == n;
		good += evl_enqueue_ring(&out, &cursor) && evl_dequeue_ring(&ptr) && ptr == &out;
	}
	evl_get_state(sender.efd, &after);

	/* One request is the look at the state itself. */
	return good == 200 && !evl_is_inband() && after.isw == before.isw && after.sc - before.sc <= 1;
}

static int send_all(void *arg)
{
	long n;

	for (n = 1; n <= ITEMS; n++)
		while (!evl_send_tube(&tube, n))
			evl_usleep(50);

	return 0;
}

static int receive_all(void *arg)
{
	long n, out = 0;

	for (n = 1; n <= ITEMS; n++) {
		while (!evl_receive_tube(&tube, out))
			evl_usleep(50);
		disorder += out != n;
		sum += out;
	}

	return 0;
}

static int enqueue_all(void *arg)
{
	struct evl_ring_cursor cursor;
	long n;

	evl_init_cursor_ring(&cursor);
	for (n = 1; n <= ITEMS; n++)
		while (!evl_enqueue_ring((void *)(uintptr_t)n, &cursor))
			evl_usleep(50);

	return 0;
}

static int dequeue_all(void *arg)
{
	void *ptr = NULL;
	long n;

	for (n = 1; n <= ITEMS; n++) {
		while (!evl_dequeue_ring(&ptr))
			evl_usleep(50);
		disorder += (long)(uintptr_t)ptr != n;
		sum += (long)(uintptr_t)ptr;
	}

	return 0;
}

static bool all_came(void)
{
	bool good = !disorder && sum == (long)ITEMS * (ITEMS + 1) / 2;

	if (!good)
		t_diag("sum %ld, %ld not in order", sum, disorder);
	sum = disorder = 0;

	return good;
}

/* In-band, not attached: what the hands do out-of-band. */
static void receive_inband(void)
{
	long n, out = 0;

	for (n = 1; n <= ITEMS; n++) {
		while (!evl_receive_tube(&tube, out))
			sched_yield();
		disorder += out != n;
		sum += out;
	}
}

static void send_inband(void)
{
	long n;

	for (n = 1; n <= ITEMS; n++)
		while (!evl_send_tube(&tube, n))
			sched_yield();
}

static void test_tube(void)
{
	tell(&receiver, receive_all, NULL);
	t_ok(!ask(&sender, send_all, NULL) && !outcome_of(&receiver) && all_came(), "out-of-band to out-of-band");
	tell(&sender, send_all, NULL);
	receive_inband();
	t_ok(!outcome_of(&sender) && all_came(), "out-of-band to in-band");
	tell(&receiver, receive_all, NULL);
	send_inband();
	t_ok(!outcome_of(&receiver) && all_came(), "in-band to out-of-band");
}

static void test_ring(void)
{
	struct evl_ring_cursor cursor;
	void *ptr = NULL;
	long n;

	tell(&receiver, dequeue_all, NULL);
	t_ok(!ask(&sender, enqueue_all, NULL) && !outcome_of(&receiver) && all_came(), "ring, out-of-band");
	tell(&sender, enqueue_all, NULL);
	for (n = 1; n <= ITEMS; n++) {
		while (!evl_dequeue_ring(&ptr))
			sched_yield();
		disorder += (long)(uintptr_t)ptr != n;
		sum += (long)(uintptr_t)ptr;
	}
	t_ok(!outcome_of(&sender) && all_came(), "ring, to in-band");
	tell(&receiver, dequeue_all, NULL);
	evl_init_cursor_ring(&cursor);
	for (n = 1; n <= ITEMS; n++)
		while (!evl_enqueue_ring((void *)(uintptr_t)n, &cursor))
			sched_yield();
	t_ok(!outcome_of(&receiver) && all_came(), "ring, from in-band");
}

int main(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init_tube(&tube, cans, ROOM);
	hire(&sender, "tube-sender", 10, t_cpu(0));
	hire(&receiver, "tube-receiver", 12, t_cpu(cpus - 1));

	t_plan(7);
	t_ok(ask(&sender, still, NULL) == 1, "no operation changes the stage or enters the core");
	test_tube();
	test_ring();

	return t_end();
}
