#!/bin/sh
# SPDX-License-Identifier: MIT
# Ends of a test program: what the helpers print, and the exit status.
set -u
failed=0

# ending MODE STATUS TEXT
ending() {
	out=$("$BUILDDIR/tests/unit/tap-sample" "$1")
	status=$?
	if [ $status = "$2" ] && printf '%s\n' "$out" | grep -qx "$3"; then
		echo "ok: $1"
	else
		echo "FAIL: $1: status $status, output:"
		printf '%s\n' "$out"
		failed=1
	fi
}

ending pass 0 'ok 2 - second 2'
ending fail 1 'not ok 2 - second 2'
ending short 1 '# 1 results, 2 planned'
ending skip 77 '1..0 # SKIP no reason'
ending hang 1 'Bail out! no end after 1 seconds'
ending crash 1 'Bail out! killed by signal 6 .*'
[ -e /dev/evl/control ] || ending core 77 '1..0 # SKIP this kernel runs no core .*'

exit $failed
