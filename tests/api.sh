#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: each call the core exports to drivers does what docs/driver-api.md says, from in-band, from its
# threads, from out-of-band interrupts.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=180
. "$(dirname "$0")/lib.sh"

[ -e /dev/evl/control ] || skip_all "the core is not loaded"
run_test_module evl-api-test
