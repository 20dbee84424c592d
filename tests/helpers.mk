# SPDX-License-Identifier: MIT
# TAP support for tests/local.mk. A test there reads:
#   evltest_PROGRAMS += tests/foo
#   tests_foo_SOURCES = tests/foo.c
#   tests_foo_LDADD = $(EVLTEST_LIBS)
EVLTEST_LIBS = tests/libhelpers.la libevl/libevl.la

noinst_LTLIBRARIES += tests/libhelpers.la
tests_libhelpers_la_SOURCES = tests/helpers.c tests/helpers.h
