#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the debug kernel notices in-band services called out-of-band: taking a lock, unmasking interrupts.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

# complains HOW WHERE TEXT
complains() {
	core_machine --debug --smp 2 --timeout 300 --log "$RIG_DIR/log" -- \
		modprobe evl-oops-test how="$1" where="$2"
	status_is 120 && grep -qF "$3" "$RIG_DIR/log"
}

point "a lock taken in an escalated call" complains lock irq "taken out-of-band"
point "a lock taken by a thread" complains lock thread "taken out-of-band"
point "in-band unmasked by a thread" complains unmask thread "softmask_unmask"
finish
