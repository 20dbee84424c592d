#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The load of every loaded measurement: scheduler and pipes (hackbench), memory and write
# back (dd, sync), directory walks over files the kernel makes up (ls), short processes.
# Runs until it is killed.

trap 'kill 0' TERM

endless() { while :; do "$@"; done; }

fill_and_sync() { dd if=/dev/zero of=/tmp/evl-load bs=1M count=16 2>/dev/null; sync; }
short_forks()   { /bin/true; (:); }

endless hackbench -g 2 >/dev/null 2>&1 &
endless fill_and_sync &
endless ls -lR /proc/sys /sys/kernel >/dev/null 2>&1 &
endless short_forks &
wait
