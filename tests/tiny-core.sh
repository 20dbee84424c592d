#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the interface of the patch carries another core than ours: module/examples/tiny-core.c loads, runs
# its threads on the out-of-band stage, and goes.
#
# Registering a core patches live code, which QEMU cannot stand with a host thread for each CPU: hence
# "single".
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=180 nocore single
here=$(dirname "$0")
. "$here/lib.sh"

modinfo tiny-core >/dev/null 2>&1 || skip_all "tiny-core.ko is not installed for $(uname -r)"
! [ -e /dev/evl/control ] || skip_all "another core is loaded"

check "the core loads" modprobe tiny-core
refuse "another one is refused meanwhile" modprobe evl
"$here/rig-tiny-user" >user.out 2>&1
ok $? "a program runs its thread on it"
sed 's/^/#   /' user.out
exec 9<>/dev/tiny-core
refuse "the core is in use while its worker runs" rmmod tiny_core
exec 9>&-
check "the core goes" rmmod tiny_core
for n in 1 2 3 4 5; do
	modprobe tiny-core && "$here/rig-tiny-user" >user.out 2>&1 && rmmod tiny_core || break
done
[ "$n" = 5 ] && [ ! -e /dev/tiny-core ]
ok $? "and comes back, several times"
[ "$FAILURES" = 0 ] || sed 's/^/#   /' user.out
check "ours loads afterwards" modprobe evl
refuse "and then refuses the other" modprobe tiny-core
check "ours goes" rmmod evl
finish
