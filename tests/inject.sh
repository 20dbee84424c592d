#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: in-band stands out-of-band interrupts, each of which switches to threads of the core, at random points where
# it changes its interrupt state; with work of all kinds going on, and a user thread that uses the FPU among the woken.
#
# evl-vm: smp=1,2,8 kernel=evl debug=only timeout=180 mem=2048
. "$(dirname "$0")/lib.sh"

helper=/usr/libexec/evl/tests/preempt
[ -x $helper ] || skip_all "the helper program is not installed"
have_test_module evl-inject-test || skip_all "module evl-inject-test is not installed for $(uname -r)"

refuse "one point in one is refused" load_test_module evl-inject-test every=1
check "injection starts" load_test_module evl-inject-test every=200 seed="$$"
note "seed $$"
$helper 5 /dev/evl-inject-test >inject.out 2>&1
ok $? "all kept their state"
sed 's/^/# /' inject.out
interrupts=$(cat /sys/kernel/debug/evl-inject-test/interrupts)
wakeups=$(cat /sys/kernel/debug/evl-inject-test/wakeups)
[ "$interrupts" -gt 1000 ]
ok $? "$interrupts interrupts were injected"
[ "$wakeups" -gt 1000 ]
ok $? "$wakeups times a thread of the core was woken up"
check "injection ends" rmmod evl-inject-test
finish
