#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: a hard masked section which is missing does not go unnoticed. The sections of a function are taken away
# from the running kernel, and the test that preempts in-band at every other instruction has to fail, or the machine.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

# preempt_without FUNCTION: leaves RIG_STATUS and the results of the machine.
preempt_without() {
	core_machine --icount --mem 1536 --timeout 400 --share "$RIG_TOP" -- sh -c "
		[ -z '$1' ] || modprobe evl-unmask-test function=$1 || exit 99
		cd /tmp && sh /mnt/host/tests/preempt-points.sh"
}

all_well() {
	[ "$RIG_STATUS" = 0 ] && ! grep -q '^not ok' "$RIG_DIR/out" && return 0
	status_is 0
	grep '^not ok' "$RIG_DIR/out" | sed 's/^/# /'
	return 1
}

# Wrong results, or a machine which fell over it: a splat, a panic, a reset, a hang.
noticed() {
	echo "# ended with status $RIG_STATUS: $(grep -h -m 1 -e '^not ok' -e 'BUG' -e 'Oops' -e 'evl-vm:' "$RIG_DIR/out" "$RIG_DIR/err")"
	case $RIG_STATUS in
	1|120|121|122|124) return 0 ;;
	esac
	return 1
}

preempt_without ''
point "nothing is found as long as nothing is missing" all_well
preempt_without __schedule
point "the hard masked switch of __schedule() is missed" noticed
preempt_without switch_mm_irqs_off
point "that of switch_mm_irqs_off() is missed" noticed
finish
