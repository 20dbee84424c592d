#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: with irq_pipeline=off the core is refused, and the log gives the reason.
#
# evl-vm: smp=2 kernel=evl debug=yes timeout=30 nocore append="irq_pipeline=off"
. "$(dirname "$0")/lib.sh"

modinfo evl >/dev/null 2>&1 || skip_all "evl.ko is not installed for $(uname -r)"
refuse "the core does not load" modprobe evl
dmesg | grep -q 'irq_pipeline=off'
ok $? "the log gives the reason"
[ ! -e /dev/evl/control ] && [ ! -d /sys/module/evl ]
ok $? "nothing is left of the attempt"
finish
