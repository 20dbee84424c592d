#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: with irq_pipeline=off the tools say so, with the remedy, and each ends with its status.
#
# evl-vm: smp=2 kernel=evl debug=yes timeout=60 nocore append="irq_pipeline=off"
. "$(dirname "$0")/lib.sh"

evl doctor >out 2>&1
[ $? = 1 ]
ok $? "doctor: not healthy"
[ "$(grep -m1 '^FAIL' out | grep -c 'irq_pipeline=off is on the boot line')" = 1 ]
ok $? "doctor: the first that fails is the pipeline"
check "doctor: the kernel is right" grep -q '^OK  *kernel ' out
check "doctor: the remedy" grep -q -- '-> remove irq_pipeline=off' out
check "doctor: the core comes after that" grep -q -- '-> first the failure above' out
for command in "evl start" "evl stop" "evl status" "evl ps" "evl tune" "evl trace -eevl" "evl bench" "evl test" "latmus -T1" "latmus -t" hectic; do
	$command >out 2>&1
	[ $? = 3 ] && [ "$(tail -n 1 out)" = "$(echo "$command" | sed 's/^evl \([a-z]*\).*/evl-\1/; s/ .*//'): no core: irq_pipeline=off is on the boot line; remove it and reboot" ]
	ok $? "$command: no core, why, and what to do ($(tail -n 1 out))"
done
finish
