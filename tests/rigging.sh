# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For tests of the rig, which run on the host: TAP points, and runs of ./evl-vm.

RIG_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RIG_KERNEL=${EVL_RIG_KERNEL:-off}
RIG_POINTS=0
RIG_FAILED=0
RIG_DIR=$(mktemp -d)
trap 'rm -rf "$RIG_DIR"' EXIT

# point TEXT COMMAND...: one point, which holds if COMMAND succeeds.
point() {
	local text=$1
	shift
	RIG_POINTS=$((RIG_POINTS + 1))
	if "$@"; then
		printf 'ok %d - %s\n' "$RIG_POINTS" "$text"
	else
		printf 'not ok %d - %s\n' "$RIG_POINTS" "$text"
		printf '# failed: %s\n' "$*"
		RIG_FAILED=1
	fi
}

# Skips the test if there is no patched kernel to run it on.
need_patched_kernel() {
	[ "$RIG_KERNEL" = evl ] && return
	echo "1..0 # SKIP the patched kernel is not to be tested"
	exit 77
}

# core_machine [OPTIONS] -- COMMAND: leaves $RIG_DIR/out, $RIG_DIR/err and RIG_STATUS. What may be the emulator's
# fault is repeated with one host thread, where it cannot be.
core_machine() {
	run_once "$@"
	[ "$RIG_STATUS" = 121 ] && grep -qF "may be the emulator's" "$RIG_DIR/err" || return 0
	echo "# the emulator's int3 fault; repeated with one host thread"
	run_once --single-thread "$@"
}

run_once() {
	RIG_STATUS=0
	"$RIG_TOP/evl-vm" run "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || RIG_STATUS=$?
}

# machine: the same, on the kernel to be tested and without the core.
machine() { core_machine --kernel "$RIG_KERNEL" --no-core "$@"; }

status_is() {
	[ "$RIG_STATUS" = "$1" ] && return 0
	echo "# status is $RIG_STATUS, wanted $1; stderr ends with:"
	tail -n 15 "$RIG_DIR/err" | sed 's/^/# /'
	return 1
}

out_is() {
	printf '%s' "$1" | cmp -s - "$RIG_DIR/out" && return 0
	echo "# stdout is: $(head -c 400 "$RIG_DIR/out")"
	return 1
}

err_has() {
	grep -qF -- "$1" "$RIG_DIR/err" && return 0
	echo "# stderr lacks '$1':"
	tail -n 15 "$RIG_DIR/err" | sed 's/^/# /'
	return 1
}

err_lacks() { ! grep -qF -- "$1" "$RIG_DIR/err"; }

finish() {
	printf '1..%d\n' "$RIG_POINTS"
	exit "$RIG_FAILED"
}
