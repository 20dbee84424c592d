#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: tests/selftests/run refuses what it does not know before it builds or starts anything, and its
# list is well formed.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

export EVL_CACHE=$RIG_DIR/cache

selftests() {
	RIG_STATUS=0
	"$RIG_TOP/tests/selftests/run" "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || RIG_STATUS=$?
}

selftests no-such-test
point 'an unknown test is refused by name' err_has "there is no test and no group 'no-such-test'"
point 'with status 2' status_is 2
selftests futex tim
point 'so is a part of a name' err_has "there is no test and no group 'tim'"
selftests --kernels off,xen futex
point 'an unknown kernel is refused' err_has "there is no kernel 'xen'"
selftests --kernels
point 'a missing value is refused' err_has '--kernels wants a value'
selftests --kernels '' futex
point 'no kernel is refused' err_has '--kernels names none'
selftests --frobnicate
point 'an unknown option shows the usage' err_has 'usage: tests/selftests/run'
point 'nothing was built' test ! -e "$EVL_CACHE/selftests"

selftests --list
well_formed() {
	awk 'seen[$1]++ || $1 !~ /^(timers|x86|futex|seccomp|ptrace|rseq|signal|mm)\.[a-zA-Z0-9_-]+$/ ||
		$2 !~ /^[1-9][0-9]*$/ || $3 !~ /^[a-z0-9]+\/[a-zA-Z0-9_\/-]+$/ { bad = 1; print "# " $0 }
		END { exit bad || NR < 50 }' "$RIG_DIR/out"
}
point 'each line has a name of its own, a time and a program' well_formed
groups() { [ "$(cut -d. -f1 "$RIG_DIR/out" | sort -u | tr '\n' ' ')" = 'futex mm ptrace rseq seccomp signal timers x86 ' ]; }
point 'all groups have tests' groups

finish
