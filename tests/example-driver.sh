#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the example driver, built like one from elsewhere, does what docs/driver-api.md promises:
# out-of-band interrupt, reading, requests, polling, mapping; a device which goes while in use; nothing goes
# while somebody needs it.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=120 qemu="-device edu"
here=$(dirname "$0")
. "$here/lib.sh"

have_test_module evl-edu-example || skip_all "evl-edu-example.ko is not installed for $(uname -r)"
[ -e /dev/evl/control ] || skip_all "the core is not loaded"

check "the driver loads" load_test_module evl-edu-example
for address in /sys/bus/pci/drivers/evl-edu/0*; do :; done
[ -e "$address" ] && [ -e /dev/evl-edu ]
ok $? "and finds the device"
grep -q 'evl-edu' /proc/interrupts
ok $? "its interrupt is requested"
refuse "the core is in use by the driver" rmmod evl
"$here/rig-edu-user" "$(basename "$address")" >user.out 2>&1
ok $? "a program works with it"
sed 's/^/#   /' user.out
exec 9<>/dev/evl-edu
refuse "the driver is in use while its device is open" rmmod evl_edu_example
refuse "and there is one user at a time" sh -c ': <>/dev/evl-edu'
exec 9>&-
check "the driver goes when it is closed" rmmod evl_edu_example
[ ! -e /dev/evl-edu ] && ! grep -q 'evl-edu' /proc/interrupts
ok $? "and leaves nothing"
for n in 1 2 3 4 5; do
	load_test_module evl-edu-example && rmmod evl_edu_example || break
done
[ "$n" = 5 ]
ok $? "and comes back, several times"
finish
