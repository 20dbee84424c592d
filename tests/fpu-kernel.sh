#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: registers of user threads and of in-kernel FPU sections survive one another, the sections being
# preempted by out-of-band threads at any point.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=120
here=$(dirname "$0")
. "$here/lib.sh"

control=/sys/kernel/debug/evl-fpu-test
have_test_module evl-fpu-test || skip_all "module evl-fpu-test is not installed for $(uname -r)"

check "in-kernel FPU users start on every CPU" load_test_module evl-fpu-test
sections() { cat $control/sections; }
before=$(sections)
"$here/fpu" 300 >fpu.out 2>&1
ok $? "the threads of fpu keep their registers meanwhile"
grep '^not ok' fpu.out | sed 's/^/# /'
after=$(sections)
[ "$after" -gt "$before" ]
ok $? "in-kernel sections went on ($before, then $after)"
[ "$(cat $control/errors)" = 0 ]
ok $? "and kept their registers ($(cat $control/errors) errors)"
check "the in-kernel users stop" rmmod evl-fpu-test
finish
