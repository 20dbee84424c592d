# SPDX-License-Identifier: MIT
# Public headers, compiled in every language and by every compiler at hand.
AM_TESTS_ENVIRONMENT =						\
	SRCDIR='$(abs_top_srcdir)'; export SRCDIR;		\
	BUILDDIR='$(abs_top_builddir)'; export BUILDDIR;	\
	CC='$(CC)'; export CC;					\
	CXX='$(HEADER_CXX)'; export CXX;			\
	CLANG='$(CLANG)'; export CLANG;				\
	CLANGXX='$(CLANGXX)'; export CLANGXX;			\
	MANDOC='$(MANDOC)'; export MANDOC;			\
	NM='$(NM)'; export NM;

TESTS += tests/headers/headers.sh tests/headers/symbols.sh

EXTRA_DIST += tests/headers/headers.sh tests/headers/names.h tests/headers/symbols.sh
