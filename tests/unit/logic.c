/* SPDX-License-Identifier: MIT */
/*
 * The library without a kernel: every test runs in a process of its own, with a fake backend.
 */
#include <stdlib.h>
#include "suites.h"

int main(void)
{
	SRunner *runner = srunner_create(name_suite());
	int failed;

	srunner_add_suite(runner, time_suite());
	srunner_add_suite(runner, init_suite());
	srunner_add_suite(runner, element_suite());
	srunner_add_suite(runner, thread_suite());
	srunner_add_suite(runner, request_suite());
	srunner_add_suite(runner, clock_suite());
	srunner_add_suite(runner, sigdebug_suite());
	srunner_add_suite(runner, answers_suite());
	srunner_add_suite(runner, create_suite());
	srunner_add_suite(runner, monitor_suite());
	srunner_add_suite(runner, heap_suite());
	srunner_add_suite(runner, socket_suite());
	srunner_add_suite(runner, tube_suite());
	srunner_add_suite(runner, ring_suite());
	srunner_add_suite(runner, utility_suite());

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
