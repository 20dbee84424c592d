#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the interrupt pipeline keeps its promises without any core: stages, virtual masking,
# out-of-band IPIs, in-band work from out-of-band, hard locks, the shared tick device.
#
# evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=180 nocore qemu="-device virtio-rng-pci,disable-modern=on -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu -device edu"
. "$(dirname "$0")/lib.sh"

run_test_module evl-pipeline-test
