/* SPDX-License-Identifier: MIT */
/*
 * property: /dev/hectic refuses what makes no sense and changes nothing then; its turn and its stage exclusion lock
 * work from both stages.
 *
 * evl-vm: smp=2 kernel=evl debug=yes timeout=60
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <evl/devices/hectic.h>
#include "common.h"

#define NOWHERE	((void *)8)

static int inband(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static int outofband(int fd, unsigned long request, void *arg)
{
	return oob_ioctl(fd, request, arg) ? -errno : 0;
}

static void expect(int got, int wanted, const char *what)
{
	t_ok(got == wanted, "%s: %d (%d)", what, wanted, got);
}

static void test_set_up(int fd)
{
	struct hectic_task_index t = { .index = 1 }, k = { .index = 1 };
	uint32_t count = 0, huge = HECTIC_MAX_TASKS + 1, three = 3, cpu = 100000;
	struct hectic_pause pause = { .pause = HECTIC_MAX_PAUSE + 1 };

	expect(inband(fd, EVL_HECIOC_REGISTER_UTASK, &t), -EAGAIN, "enlisting before the count is set");
	expect(inband(fd, EVL_HECIOC_SET_TASKS_COUNT, &count), -EINVAL, "no threads");
	expect(inband(fd, EVL_HECIOC_SET_TASKS_COUNT, &huge), -EINVAL, "too many threads");
	expect(inband(fd, EVL_HECIOC_SET_TASKS_COUNT, NOWHERE), -EFAULT, "a count nowhere");
	expect(inband(fd, EVL_HECIOC_SET_CPU, &cpu), -EINVAL, "a CPU there is not");
	expect(inband(fd, EVL_HECIOC_SET_PAUSE, &pause), -EINVAL, "too long a pause");
	expect(inband(fd, EVL_HECIOC_SET_TASKS_COUNT, &three), 0, "three threads");
	expect(inband(fd, EVL_HECIOC_SET_TASKS_COUNT, &three), -EBUSY, "once more");
	t.index = 3;
	expect(inband(fd, EVL_HECIOC_REGISTER_UTASK, &t), -EINVAL, "index 3 of three");
	t = (struct hectic_task_index) { .index = 1, .flags = 1 };
	expect(inband(fd, EVL_HECIOC_REGISTER_UTASK, &t), -EINVAL, "an unknown flag");
	k.flags = HECTIC_INBAND_WAIT;
	expect(inband(fd, EVL_HECIOC_CREATE_KTASK, &k), -EINVAL, "a kernel thread in-band");
	k.flags = HECTIC_OOB_WAIT | HECTIC_FPU_OOB;
	expect(inband(fd, EVL_HECIOC_CREATE_KTASK, &k), -EOPNOTSUPP, "a kernel thread with the FPU");
	k = (struct hectic_task_index) { .flags = HECTIC_OOB_WAIT };
	expect(inband(fd, EVL_HECIOC_CREATE_KTASK, &k), -EINVAL, "a kernel thread in the place of the switcher");
	expect(inband(fd, 0xec99, NULL), -ENOTTY, "an unknown request");
}

static void test_turn(int fd)
{
	struct hectic_switch_req req = { .from = 0, .to = 1 };
	struct hectic_task_index t = { .index = 0 }, k = { .index = 1, .flags = HECTIC_OOB_WAIT };
	struct hectic_count count;
	struct hectic_error error = { };

	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), -EINVAL, "a switch by nobody");
	expect(inband(fd, EVL_HECIOC_REGISTER_UTASK, &t), 0, "enlisting");
	expect(inband(fd, EVL_HECIOC_REGISTER_UTASK, &t), -EBUSY, "enlisting twice");
	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), -EINVAL, "a switch to nobody");
	req.to = HECTIC_ANYONE;
	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), -ESRCH, "a switch to anyone, of whom there is none");
	expect(inband(fd, EVL_HECIOC_CREATE_KTASK, &k), 0, "a kernel thread");
	req = (struct hectic_switch_req) { .from = 1, .to = 0 };
	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), -EPERM, "in the name of another one");
	req = (struct hectic_switch_req) { .to = 0 };
	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), -EINVAL, "to oneself");
	req.to = 1;
	expect(inband(fd, EVL_HECIOC_SWITCH_TO, &req), 0, "a turn and back, in-band");
	t_ok(req.from == 1 && req.to == 0, "the giver is told");
	req = (struct hectic_switch_req) { .to = 1 };
	expect(outofband(fd, EVL_HECIOC_SWITCH_TO, &req), 0, "the same, out-of-band");
	expect(outofband(fd, EVL_HECIOC_PEND, &req), 0, "waiting for the turn one has");
	expect(inband(fd, EVL_HECIOC_GET_SWITCHES_COUNT, &count), 0, "the count");
	t_ok(count.switches == 4 && count.last_switch.from == 1, "is four (%llu)", (unsigned long long)count.switches);
	expect(inband(fd, EVL_HECIOC_GET_LAST_ERROR, &error), -ENODATA, "no error so far");
	error.fp_reg = 7;
	expect(outofband(fd, EVL_HECIOC_REPORT_ERROR, &error), 0, "an error");
	error.fp_reg = 8;
	expect(inband(fd, EVL_HECIOC_REPORT_ERROR, &error), 0, "another one");
	expect(inband(fd, EVL_HECIOC_GET_LAST_ERROR, &error), 0, "the error");
	t_ok(error.fp_reg == 7, "is the first one");
	expect(inband(fd, EVL_HECIOC_STOP, NULL), 0, "stop");
	req = (struct hectic_switch_req) { .to = 1 };
	expect(outofband(fd, EVL_HECIOC_SWITCH_TO, &req), -EIDRM, "a switch after it");
}

static volatile int waiter_state;

static void *wait_inband(void *arg)
{
	int fd = (int)(intptr_t)arg;

	publish(&waiter_state, 1);
	if (inband(fd, EVL_HECIOC_LOCK_STAX, NULL))
		return NULL;
	publish(&waiter_state, 2);
	inband(fd, EVL_HECIOC_UNLOCK_STAX, NULL);

	return NULL;
}

static void test_stax(int fd)
{
	pthread_t waiter;

	expect(inband(fd, EVL_HECIOC_UNLOCK_STAX, NULL), -EPERM, "unlocking what nobody holds");
	expect(outofband(fd, EVL_HECIOC_LOCK_STAX, NULL), 0, "locked out-of-band");
	expect(inband(fd, EVL_HECIOC_UNLOCK_STAX, NULL), -EPERM, "unlocking in-band what is held out-of-band");
	expect(outofband(fd, EVL_HECIOC_LOCK_STAX, NULL), 0, "locked again");
	expect(outofband(fd, EVL_HECIOC_UNLOCK_STAX, NULL), 0, "unlocked");
	waiter = t_thread(0, t_cpu(1), wait_inband, (void *)(intptr_t)fd);
	await(&waiter_state, 1);
	pause_ms(50);
	t_ok(waiter_state == 1, "an in-band thread waits");
	expect(outofband(fd, EVL_HECIOC_UNLOCK_STAX, NULL), 0, "unlocked for good");
	t_ok(await(&waiter_state, 2), "and gets in");
	pthread_join(waiter, NULL);
	expect(outofband(fd, EVL_HECIOC_LOCK_STAX, NULL), 0, "locked, and left to the end of the file");
}

int main(void)
{
	int fd;

	deadline(50);
	t_require_core();
	t_need_cpus(2);
	fd = open(HECTIC_DEV, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		t_skip_all("no stress driver: modprobe evl-hectic");
	t_plan(44);
	t_become(5, t_cpu(0));
	attach("hectic-driver");
	test_set_up(fd);
	test_turn(fd);
	test_stax(fd);
	close(fd);

	return t_end();
}
