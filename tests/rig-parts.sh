#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the parts of the rig that need no machine: a series that does not apply is
# explained by patch, file and hunk; an option lost by the configuration is named; parts
# of a check side by side keep to the CPUs of the host and are all counted.
# needs: quilt.

# shellcheck source=tests/rigging.sh disable=SC2016,SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

EVL_TOP=$RIG_TOP EVL_CACHE=$RIG_DIR/cache
for part in say source config splat tap jobs; do
	# shellcheck source=/dev/null
	. "$RIG_TOP/vm/lib/$part.sh"
done

# A tree of one file, and a patch that changes its line five.
tree=$RIG_DIR/tree
PATCHES=$RIG_DIR/patches
mkdir -p "$tree" "$PATCHES" "$RIG_DIR/cache/log"
seq 20 >"$tree/numbers"
(cd "$RIG_DIR" && mkdir a b && seq 20 >a/numbers && sed 's/^5$/five/' a/numbers >b/numbers &&
	diff -u a/numbers b/numbers >"$PATCHES/0001-five.patch")
echo '0001-five.patch	# with a comment' >"$PATCHES/series"

series_is() { [ "$(series_patches)" = "$1" ]; }
point 'the series is read without comments' series_is 0001-five.patch

(push_series "$tree") >"$RIG_DIR/log" 2>&1
point 'a patch that fits applies' grep -qx five "$tree/numbers"

rm -rf "$tree"
mkdir "$tree"
seq 20 | sed 's/^5$/cinq/' >"$tree/numbers"
refused() { ! (push_series "$tree") >"$RIG_DIR/log" 2>&1; }
point 'a patch that does not fit is refused' refused
explain_quilt_failure "$RIG_DIR/log" 2>"$RIG_DIR/err"
point 'patch, file and hunk are named' err_has '0001-five.patch: numbers: Hunk #1 FAILED'
explain_changed_source "$RIG_DIR/log" "$tree" 2>"$RIG_DIR/err"
point 'what the patch expects and what there is are shown' eval 'err_has -5 && err_has +cinq'

rm -rf "$tree"
mkdir "$tree"
seq 20 | sed 's/^3$/trois/' >"$tree/numbers"
point 'fuzz counts as a failure' refused

cat >"$RIG_DIR/wanted" <<'END'
CONFIG_A=y
CONFIG_B=y
CONFIG_C=n
# CONFIG_D is not set
CONFIG_E="text"
END
printf 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_D=y\nCONFIG_E="text"\n' >"$RIG_DIR/dotconfig"
lost_options "$RIG_DIR/dotconfig" "$RIG_DIR/wanted" >"$RIG_DIR/out"
point 'lost options are named, kept ones are not' out_is \
	$'CONFIG_B=y is asked for, the result has n\nCONFIG_D=n is asked for, the result has y\n'
echo 'CONFIG_D=y' >"$RIG_DIR/later"
lost_options "$RIG_DIR/dotconfig" "$RIG_DIR/wanted" "$RIG_DIR/later" >"$RIG_DIR/out"
point 'a later fragment wins' out_is $'CONFIG_B=y is asked for, the result has n\n'

splats() { printf '%s\n' "$1" >"$RIG_DIR/log" && has_splat "$RIG_DIR/log"; }
clean() { ! splats "$1"; }
point 'a lockdep report is a splat' splats '[ 1.0] WARNING: possible circular locking dependency detected'
point 'a KASAN report is a splat' splats '[ 1.0] BUG: KASAN: slab-use-after-free in x'
point 'an RCU stall is a splat' splats '[ 1.0] rcu: INFO: rcu_sched self-detected stall on CPU'
point 'leaks are a splat' splats 'kmemleak: unreferenced object 0xffff888003a3c000 (size 1024):'
point 'ordinary lines are not' clean '[ 1.0] kmemleak: Kernel memory leak detector initialized'

# Each notes how many there are while it runs.
leave() { rm -f "$RIG_DIR/here.$BASHPID" "${JOB_COUNTS[@]}"; }
counted_part() {
	: >"$RIG_DIR/here.$BASHPID"
	find "$RIG_DIR" -name 'here.*' | wc -l >>"$RIG_DIR/together"
	sleep 0.5
	TESTS_PASSED=$((TESTS_PASSED + 10))
	[ "$1" = good ] || count_failure part "$1"
}
broken_part() { exit 1; }
side_by_side() { # CPUS: the most there were at a time
	rm -f "$RIG_DIR/together"
	for n in 1 2 3 4; do start_job "$1" counted_part good; done
	await_jobs
	sort -n "$RIG_DIR/together" | tail -n 1
}
JOB_CPUS=2 JOB_FREE=2
at_most() { [ "$(side_by_side "$1")" = "$2" ]; }
point 'parts of one CPU run two by two on two CPUs' at_most 1 2
point 'parts which want both run one by one' at_most 2 1
point 'so do those which want more than there are' at_most 8 1
reset_counts
start_job 1 counted_part good
start_job 1 counted_part 'a reason'
start_job 1 broken_part
await_jobs 2>"$RIG_DIR/err"
counts_are() { [ "$TESTS_PASSED/$TESTS_FAILED" = "$1" ] && [[ ${FAILED_NAMES[*]} = *'part: a reason'* ]]; }
point 'all are counted, one that broke off is a failure' counts_are 20/2

finish
