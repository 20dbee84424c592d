/* SPDX-License-Identifier: MIT */
/*
 * property: without the core, everything says so and nothing breaks: the library, its calls, a raw call of
 * the core, the tools.
 *
 * evl-vm: smp=1 kernel=evl debug=yes timeout=30 nocore
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <evl/syscall-abi.h>
#include "common.h"

static long raw_call(unsigned int nr)
{
	long ret;

	/* glibc's syscall() would sign-extend the number. */
	__asm__ volatile("syscall" : "=a" (ret) : "a" ((unsigned long)EVL_SYSNR(nr)), "D" (0L), "S" (0L), "d" (0L)
			 : "rcx", "r11", "memory");

	return ret;
}

static int status_of(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
	char byte;
	long ret;
	int status;

	deadline(25);
	if (!access(EVL_CONTROL_DEV, F_OK))
		t_skip_all("the core is loaded");
	t_plan(9);
	ret = evl_init();
	t_ok(ret == -ENOSYS, "evl_init(): no core (%ld)", ret);
	ret = evl_attach_self("nobody");
	t_ok(ret == -ENOSYS, "attaching: no core (%ld)", ret);
	ret = evl_usleep(1);
	t_ok(ret == -EPERM, "sleeping: not attached (%ld)", ret);
	ret = evl_new_timer(EVL_CLOCK_MONOTONIC);
	t_ok(ret == -ENXIO, "a timer: no core (%ld)", ret);
	ret = oob_read(0, &byte, 1);
	t_ok(ret == -1 && errno == EPERM, "oob_read(): not attached");
	ret = raw_call(sys_evl_read);
	t_ok(ret == -ENOSYS, "a raw call of the core: unknown (%ld)", ret);
	ret = raw_call(0x7ffffff0U);
	t_ok(ret == -ENOSYS, "a raw call of any such number: unknown (%ld)", ret);
	status = status_of("latmus -T 1 >/dev/null 2>&1");
	t_ok(status == 3, "latmus: status 3 (%d)", status);
	status = status_of("evl ps >/dev/null 2>&1");
	t_ok(status == 3, "evl ps: status 3 (%d)", status);

	return t_end();
}
