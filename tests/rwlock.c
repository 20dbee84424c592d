/* SPDX-License-Identifier: MIT */
/*
 * property: reader/writer locks let in readers together, writers alone, and starve neither.
 *
 * evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=120
 */
#include "crew.h"

#define ROUNDS	2000

static struct evl_rwlock rw;
static struct hand low, mid, high;

static int do_lock_read(void *arg)	{ return evl_lock_read(&rw); }
static int do_unlock_read(void *arg)	{ return evl_unlock_read(&rw); }
static int do_trylock_read(void *arg)	{ return evl_trylock_read(&rw); }
static int do_lock_write(void *arg)	{ return evl_lock_write(&rw); }
static int do_unlock_write(void *arg)	{ return evl_unlock_write(&rw); }
static int do_trylock_write(void *arg)	{ return evl_trylock_write(&rw); }

static void test_rules(void)
{
	t_ok(!ask(&low, do_lock_read, NULL) && !ask(&mid, do_lock_read, NULL), "readers are in together");
	t_ok(ask(&high, do_trylock_write, NULL) == -EAGAIN, "no writer now");
	tell(&high, do_lock_write, NULL);
	t_ok(is_blocked(&high), "it waits");
	t_ok(evl_trylock_read(&rw) == -EAGAIN, "and holds back new readers");
	t_ok(evl_destroy_rwlock(&rw) == -EBUSY, "in use: EBUSY");
	ask(&low, do_unlock_read, NULL);
	t_ok(is_blocked(&high) && !ask(&mid, do_unlock_read, NULL) && !outcome_of(&high), "in when the last reader is out");
	t_ok(ask(&high, do_lock_write, NULL) == -EDEADLK && ask(&high, do_lock_read, NULL) == -EDEADLK, "once more: EDEADLK");
	t_ok(ask(&low, do_trylock_read, NULL) == -EAGAIN && ask(&low, do_unlock_write, NULL) == -EPERM &&
	     ask(&low, do_unlock_read, NULL) == -EPERM, "a writer is alone, and unlocks by itself");
	t_ok(evl_lock_read(&rw) == -EPERM && evl_lock_write(&rw) == -EPERM, "unattached threads cannot wait");
	tell(&low, do_lock_read, NULL);
	is_blocked(&low);
	tell(&mid, do_lock_write, NULL);
	is_blocked(&mid);
	ask(&high, do_unlock_write, NULL);
	t_ok(!outcome_of(&low) && is_blocked(&mid), "readers who waited come before the next writer");
	t_ok(!ask(&low, do_unlock_read, NULL) && !outcome_of(&mid), "which comes then");
	tell(&low, do_lock_read, NULL);
	is_blocked(&low);
	evl_unblock_thread(low.efd);
	t_ok(outcome_of(&low) == -EINTR, "interrupted: EINTR");
	tell(&low, do_lock_write, NULL);
	is_blocked(&low);
	evl_unblock_thread(low.efd);
	t_ok(outcome_of(&low) == -EINTR && !ask(&mid, do_unlock_write, NULL), "as reader and as writer");
	t_ok(!evl_trylock_write(&rw) && !evl_unlock_write(&rw) && !evl_trylock_read(&rw) && !evl_unlock_read(&rw),
	     "free again, also for unattached threads");
	t_ok(!evl_destroy_rwlock(&rw) && evl_destroy_rwlock(&rw) == -EINVAL, "destroyed, once");
	t_ok(evl_lock_read(&rw) == -EINVAL && evl_trylock_read(&rw) == -EINVAL && evl_unlock_read(&rw) == -EINVAL &&
	     evl_lock_write(&rw) == -EINVAL && evl_trylock_write(&rw) == -EINVAL && evl_unlock_write(&rw) == -EINVAL, "use after that: EINVAL");
}

static volatile int first, second, wrong;

static int write_many(void *arg)
{
	int n, ret = 0;

	for (n = 0; n < ROUNDS && !ret; n++) {
		ret = evl_lock_write(&rw);
		first++;
		if (n % 16 == 0)
			evl_usleep(1);
		second++;
		ret |= evl_unlock_write(&rw);
	}

	return ret;
}

static int read_many(void *arg)
{
	int n, ret = 0;

	for (n = 0; n < ROUNDS && !ret; n++) {
		ret = evl_lock_read(&rw);
		wrong += first != second;
		if (n % 16 == 0)
			evl_usleep(1);
		ret |= evl_unlock_read(&rw);
	}

	return ret;
}

static void test_stress(void)
{
	int n, ret = 0, nr_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct hand reader[3], writer[2];

	for (n = 0; n < 3; n++)
		hire(&reader[n], "rwlock-reader", 20, t_cpu(n % nr_cpus));
	for (n = 0; n < 2; n++)
		hire(&writer[n], "rwlock-writer", 10, t_cpu((n + 1) % nr_cpus));
	for (n = 0; n < 3; n++)
		tell(&reader[n], read_many, NULL);
	for (n = 0; n < 2; n++)
		tell(&writer[n], write_many, NULL);
	for (n = 0; n < 3; n++)
		ret |= outcome_of(&reader[n]);
	for (n = 0; n < 2; n++)
		ret |= outcome_of(&writer[n]);
	t_ok(!ret && !wrong && first == 2 * ROUNDS, "no reader sees half an update (%d wrong, %d updates)", wrong, first);
	for (n = 0; n < 3; n++)
		dismiss(&reader[n]);
	for (n = 0; n < 2; n++)
		dismiss(&writer[n]);
}

int main(void)
{
	static DEFINE_EVL_RWLOCK(lazy);

	deadline(110);
	t_require_core();
	t_need_cpus(1);
	evl_init();

	t_plan(19);
	t_ok(evl_unlock_read(&lazy) == -EINVAL && evl_unlock_write(&lazy) == -EINVAL, "static: unlocking is no use");
	t_ok(!evl_trylock_write(&lazy) && !evl_unlock_write(&lazy) && !evl_destroy_rwlock(&lazy), "the first lock creates it");
	hire(&low, "rwlock-low", 10, t_cpu(0));
	hire(&mid, "rwlock-mid", 20, t_cpu(0));
	hire(&high, "rwlock-high", 30, t_cpu(0));
	evl_new_rwlock(&rw);
	test_rules();
	evl_new_rwlock(&rw);
	test_stress();

	return t_end();
}
