# SPDX-License-Identifier: MIT
# Unit tests of the library, which need no core. evl-unit-logic: everything above a fake backend;
# evl-unit-backend: the real one, on the kernel of the build host.
UNIT_CPPFLAGS = $(LIBEVL_CPPFLAGS) -I$(top_srcdir)/tests/unit $(CHECK_CFLAGS)

UNIT_LOGIC_SOURCES =		\
	tests/unit/answers.c	\
	tests/unit/clock.c	\
	tests/unit/create.c	\
	tests/unit/element.c	\
	tests/unit/fake.c	\
	tests/unit/fake.h	\
	tests/unit/heap.c	\
	tests/unit/init.c	\
	tests/unit/logic.c	\
	tests/unit/monitor.c	\
	tests/unit/name.c	\
	tests/unit/request.c	\
	tests/unit/ring.c	\
	tests/unit/sigdebug.c	\
	tests/unit/socket.c	\
	tests/unit/suites.h	\
	tests/unit/thread.c	\
	tests/unit/time.c	\
	tests/unit/tube.c	\
	tests/unit/utility.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/evl-unit-logic tests/unit/evl-unit-backend
TESTS += tests/unit/evl-unit-logic tests/unit/evl-unit-backend

tests_unit_evl_unit_logic_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_evl_unit_logic_SOURCES = $(UNIT_LOGIC_SOURCES)
tests_unit_evl_unit_logic_LDADD = libevl/libevl-logic.la $(CHECK_LIBS)

tests_unit_evl_unit_backend_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_evl_unit_backend_SOURCES = tests/unit/backend.c libevl/src/backend.c
tests_unit_evl_unit_backend_LDADD = libevl/libevl-logic.la $(CHECK_LIBS)
else
TESTS += tests/unit/no-check.sh
endif

check_PROGRAMS += tests/unit/tap-sample
TESTS += tests/unit/tap.sh

tests_unit_tap_sample_SOURCES = tests/unit/tap-sample.c
tests_unit_tap_sample_LDADD = $(EVLTEST_LIBS)

EXTRA_DIST += tests/unit/no-check.sh tests/unit/tap.sh
