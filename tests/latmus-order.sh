#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the farther a receiver is from the tick, the later it is. Medians rise from the interrupt handler
# over the kernel thread to the application thread while the machine idles; while in-band masks interrupts, its
# handler of a synthetic interrupt waits, the handler of the tick does not.
#
# The core anticipates, for each kind of receiver by as much as it takes to get there, so that all come out as
# about zero: that is switched off. One virtual nanosecond is one instruction here, the host does not matter.
#
# evl-vm: smp=1 kernel=evl debug=no icount timeout=120
. "$(dirname "$0")/lib.sh"

[ -c /dev/latmus ] || skip_all "no latency driver: modprobe evl-latmus"
have_test_module evl-disturb-test || skip_all "module evl-disturb-test is not installed for $(uname -r)"
gravity=/sys/devices/virtual/clock/monotonic/gravity
before=$(cat $gravity) || skip_all "no clock of the core"
json=$(mktemp)
trap 'echo "$before" >$gravity; rm -f "$json"' EXIT

field() { sed -n "s/.*$1:\(-\{0,1\}[0-9]*\).*/\1/p" "$json"; }

# measure FLAG: sets P50 and MAX, in ns.
measure() {
	latmus "$1" -q --samples=300 -p1000 --json="$json" --overwrite >/dev/null 2>&1
	ok $? "latmus $1"
	P50=$(field '"50"') MAX=$(field '"max_ns"')
	P50=${P50:--1} MAX=${MAX:--1}
}

check "the core does not anticipate" sh -c "echo 0i 0k 0u >$gravity && grep -qx '0i 0k 0u' $gravity"

measure -i
irq=$P50
measure -k
kernel=$P50
measure -u
[ 0 -lt "$irq" ] && [ "$irq" -le "$kernel" ] && [ "$kernel" -le "$P50" ]
ok $? "idle: medians rise from handler over kernel thread to application thread ($irq $kernel $P50 ns)"

check "in-band masks interrupts, for 5 ms at a time" load_test_module evl-disturb-test mask_us=5000
measure -i
irq=$P50 irq_max=$MAX
measure -s
check "and ends" rmmod evl-disturb-test
[ 0 -lt "$irq" ] && [ "$irq" -lt "$P50" ]
ok $? "masked: the median of the in-band handler is above that of the tick's ($P50, $irq ns)"
[ 0 -lt "$irq_max" ] && [ $((irq_max * 10)) -lt "$MAX" ]
ok $? "masked: its worst case by far ($MAX, $irq_max ns)"
finish
