/* SPDX-License-Identifier: MIT */
#ifndef _TESTS_UNIT_SUITES_H
#define _TESTS_UNIT_SUITES_H

#include <check.h>

Suite *name_suite(void);
Suite *time_suite(void);
Suite *init_suite(void);
Suite *element_suite(void);
Suite *thread_suite(void);
Suite *request_suite(void);
Suite *clock_suite(void);
Suite *sigdebug_suite(void);
Suite *answers_suite(void);
Suite *create_suite(void);
Suite *monitor_suite(void);
Suite *heap_suite(void);
Suite *socket_suite(void);
Suite *tube_suite(void);
Suite *ring_suite(void);
Suite *utility_suite(void);

#endif /* _TESTS_UNIT_SUITES_H */
