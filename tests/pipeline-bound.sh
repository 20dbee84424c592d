#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: an out-of-band timer shot is handled within a bounded number of instructions, idle or inside
# in-band sections of 5 ms with interrupts masked.
#
# evl-vm: smp=1 kernel=evl debug=no timeout=120 icount nocore
. "$(dirname "$0")/lib.sh"

run_test_module evl-pipeline-test only=tick bound_ns=1000
