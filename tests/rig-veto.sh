#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: a machine on which interrupts cannot be pipelined boots as an ordinary one and says why, and the core
# refuses with the same sentence. Those QEMU cannot be are acted by irq_pipeline=NAME.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

# refused_with ARGUMENTS SENTENCE [RIG OPTIONS]
refused_with() {
	local append=$1 sentence=$2
	shift 2
	machine --append "$append" "$@" -- sh -c 'dmesg | grep "irq_pipeline: off"; modprobe evl 2>&1 && echo loaded
		dmesg | grep "evl.*refused"; grep -c processor /proc/cpuinfo'
	status_is 0 && grep -qF "irq_pipeline: off: $sentence" "$RIG_DIR/out" &&
		grep -qF "refused: $sentence" "$RIG_DIR/out" && ! grep -q loaded "$RIG_DIR/out" && return 0
	sed 's/^/# /' "$RIG_DIR/out"
	return 1
}

apic="no local APIC with IO-APIC in use"
point "noapic" refused_with noapic "$apic"
point "nolapic" refused_with nolapic "$apic" --smp 1
point "irq_pipeline=off" refused_with irq_pipeline=off "refused by irq_pipeline=off"
point "irq_pipeline=0" refused_with irq_pipeline=0 "refused by irq_pipeline=off"
point "no IO-APIC, acted" refused_with irq_pipeline=apic "$apic"
point "FRED, acted" refused_with irq_pipeline=fred "FRED event delivery is not supported"
point "encrypted guest state, acted" refused_with irq_pipeline=coco "guests with encrypted state are not supported"
point "Xen, acted" refused_with irq_pipeline=xen "Xen injects interrupts past the local APIC"
point "Hyper-V, acted" refused_with irq_pipeline=hyperv "Hyper-V may dismiss interrupts by itself"

# What is no name of a veto is an error of the command line, and changes nothing.
machine --append irq_pipeline=rubbish -- sh -c 'dmesg | grep -e "irq_pipeline:" -e "Malformed early option"'
pipelined_despite_rubbish() {
	status_is 0 && grep -q "Malformed early option 'irq_pipeline'" "$RIG_DIR/out" &&
		grep -q "masked by software" "$RIG_DIR/out"
}
point "irq_pipeline=rubbish is complained about" pipelined_despite_rubbish
finish
