/* SPDX-License-Identifier: MIT */
/* What tap.sh looks at: one end of a test program per mode. */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "../helpers.h"

int main(int argc, char *argv[])
{
	const char *mode = argc > 1 ? argv[1] : "";

	t_deadline(1);

	if (!strcmp(mode, "skip"))
		t_skip_all("no %s", "reason");
	if (!strcmp(mode, "core"))
		t_require_core();

	t_plan(2);
	t_ok(true, "first");

	if (!strcmp(mode, "hang"))
		for (;;)
			pause();
	if (!strcmp(mode, "crash"))
		raise(SIGABRT);
	if (strcmp(mode, "short"))
		t_ok(strcmp(mode, "fail"), "second %d", 2);

	return t_end();
}
