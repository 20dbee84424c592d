#!/bin/sh
# SPDX-License-Identifier: MIT
# Public headers: each one alone and twice, all names of the API, as C and C++, with each compiler there is.
# Compilers and paths come from make: CC CXX CLANG CLANGXX SRCDIR.
# shellcheck disable=SC2086,SC2012	# lists of words on purpose; names are plain
set -u

inc="-I$SRCDIR/include/uapi -I$SRCDIR/libevl/include"
flags="-Wall -Wextra -Werror -D_GNU_SOURCE"
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

headers=$(cd "$SRCDIR" && ls include/uapi/evl/*.h include/uapi/evl/*/*.h libevl/include/evl/*.h libevl/include/evl/*/*.h |
	sed 's,^.*include/\(uapi/\)\{0\,1\},,')

# try WHAT COMMAND...: the command succeeds
try() {
	what=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $what: $*"
		sed 's/^/  /' "$tmp/log"
	fi
}

# refuse WHAT COMMAND...: the command fails, and says WHAT
refuse() {
	what=$1
	shift
	if "$@" >"$tmp/log" 2>&1 || ! grep -q "$what" "$tmp/log"; then
		failed=$((failed + 1))
		echo "FAIL: accepted, or for another reason: $*"
	else
		passed=$((passed + 1))
	fi
}

# compile LANGUAGE STANDARD COMPILER...
compile() {
	lang=$1 std=$2
	shift 2
	for h in $headers; do
		if [ "$lang $h" = "cc evl/ring_ptr.h" ]; then
			echo "#include <$h>" >"$tmp/c-only.$lang"
			refuse "is for C programs only" "$@" -std="$std" $flags $inc -fsyntax-only "$tmp/c-only.$lang"
			continue
		fi
		printf '#include <%s>\n#include <%s>\n' "$h" "$h" >"$tmp/alone.$lang"
		try "$h alone, $std" "$@" -std="$std" $flags $inc -fsyntax-only "$tmp/alone.$lang"
	done
	echo "#include \"$SRCDIR/tests/headers/names.h\"" >"$tmp/names.$lang"
	try "names, $std" "$@" -std="$std" $flags -Wno-deprecated-declarations \
		$inc -fsyntax-only "$tmp/names.$lang"
	refuse "mode bit is now named EVL_T_WOSS" "$@" -std="$std" $flags \
		$inc -fsyntax-only "$tmp/names.$lang"
	printf '#include <evl/control.h>\n#undef EVL_ABI_LEVEL\n#define EVL_ABI_LEVEL 31\n#include <evl/evl.h>\n' \
		>"$tmp/old.$lang"
	refuse "are older than this library needs" "$@" -std="$std" $flags \
		$inc -fsyntax-only "$tmp/old.$lang"
}

# A ring too small for its name is no ring.
printf '#include <evl/ring_ptr.h>\nDEFINE_EVL_RINGPTR_STATIC(small, EVL_RINGPTR_MINORDER - 1)\n' >"$tmp/small.c"

# with LANGUAGE PACKAGE COMPILER STANDARD...
with() {
	lang=$1 package=$2 compiler=$3
	shift 3
	if [ -z "$compiler" ]; then
		echo "SKIP: no compiler of package $package"
		skipped=$((skipped + 1))
		return
	fi
	for std; do
		compile "$lang" "$std" $compiler
	done
}

with c gcc "$CC" gnu99 gnu11 c11
with cc g++ "$CXX" gnu++11 gnu++17 c++20
with c clang "$CLANG" gnu99 gnu11 c11
with cc clang "$CLANGXX" gnu++11 gnu++17 c++20
refuse "order of a ring of pointers" $CC $flags $inc -fsyntax-only "$tmp/small.c"

# One layout for 32 and 64 bits: the assertions of the library, compiled for both.
multiarch=/usr/include/$(${CC:-cc} -dumpmachine)
if [ -n "$CLANG" ] && [ -e "$multiarch/asm/types.h" ]; then
	try "32-bit layout" $CLANG -m32 -std=gnu11 $flags $inc -I"$multiarch" \
		-fsyntax-only "$SRCDIR/libevl/src/abi-check.c"
else
	echo "SKIP: 32-bit layout needs clang and $multiarch/asm/types.h"
	skipped=$((skipped + 1))
fi

# Scripts read the levels.
try "EVL_ABI_BASE is a literal" grep -qE '^#define EVL_ABI_BASE	[0-9]+$' \
	"$SRCDIR/include/uapi/evl/control-abi.h"
try "EVL_ABI_LEVEL is a literal" grep -qE '^#define EVL_ABI_LEVEL	[0-9]+$' \
	"$SRCDIR/include/uapi/evl/control-abi.h"

echo "headers: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
