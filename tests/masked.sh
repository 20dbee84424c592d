#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: a driver which returns to user mode with interrupts masked, a bug, holds nothing up: what came in
# meanwhile is delivered there.
#
# A debug kernel warns and unmasks, which is mainline's doing and proves nothing.
#
# evl-vm: smp=1,2 kernel=evl timeout=60 nocore
here=$(dirname "$0")
. "$here/lib.sh"

have_test_module evl-masked-test || skip_all "module evl-masked-test is not installed for $(uname -r)"
check "the driver loads" load_test_module evl-masked-test
check "a program goes on without it" "$here/rig-masked-user"
check "the driver goes" rmmod evl-masked-test
finish
