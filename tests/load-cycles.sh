#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the core loads and unloads a hundred times and leaves nothing behind; while somebody uses it, it
# refuses to go.
#
# Registering a core patches live code, which QEMU cannot stand with a host thread for each CPU: hence "single".
#
# evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=600 nocore single
here=$(dirname "$0")
. "$here/lib.sh"

CYCLES=100
modinfo evl >/dev/null 2>&1 || skip_all "evl.ko is not installed for $(uname -r)"
! [ -e /dev/evl/control ] || skip_all "the core is loaded already"

load() { modprobe evl && modprobe evl-latmus; }
unload() { rmmod evl-latmus && rmmod evl; }

# Memory of the kernel proper, in kB, once caches of files and dead objects are gone.
kernel_kb() {
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^SUnreclaim:|^VmallocUsed:|^Percpu:|^KernelStack:|^PageTables:/ { s += $2 } END { print s }' /proc/meminfo
}

use_it() { "$here/thread-attach" >use.out 2>&1; }

cycle() {
	local n
	for n in $(seq "$1"); do
		load || { note "loading failed in round $n"; return 1; }
		[ $((n % 10)) != 1 ] || use_it || { note "a test failed in round $n:"; sed 's/^/#   /' use.out; return 1; }
		unload || { note "unloading failed in round $n"; return 1; }
	done
}

# First rounds fill what the kernel keeps: names in sysfs, per-CPU chunks, slab caches, which each CPU has of its
# own. Over four hundred rounds on eight CPUs it levels off after the first hundred.
cycle $((10 * $(nproc)))
ok $? "some rounds to warm up"
before=$(kernel_kb)
cycle $CYCLES
ok $? "$CYCLES rounds of loading and unloading"
after=$(kernel_kb)
# Kernels that check memory keep what is freed for a while, and know better themselves. Others: less than a page a round.
leaks=/sys/kernel/debug/kmemleak
if [ -w $leaks ]; then
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
	[ ! -s $leaks ] || [ -z "$(cat $leaks)" ]
	ok $? "no memory was lost by them"
	head -n 20 $leaks | sed 's/^/# /'
else
	[ $((after - before)) -lt $((CYCLES * 4)) ]
	ok $? "memory of the kernel did not grow with them ($before kB, then $after kB)"
fi

load
ok $? "loaded once more"
refuse "evl.ko is in use by its driver" rmmod evl
exec 9<>/dev/latmus
refuse "the driver is in use while its device is open" rmmod evl-latmus
exec 9>&-
check "the driver goes when its device is closed" rmmod evl-latmus
exec 9<>/dev/evl/control
refuse "the core is in use while its device is open" rmmod evl
exec 9>&-

"$here/thread-attach" >attach.out 2>&1
ok $? "threads came and went"
check "the core goes when nobody uses it" rmmod evl
[ ! -e /dev/evl ] && [ ! -d /sys/devices/virtual/evl ]
ok $? "no device, no attribute is left"
refuse "parameters are checked: oob_cpus=none" modprobe evl oob_cpus=none
refuse "parameters are checked: nr_threads=0" modprobe evl nr_threads=0
refuse "parameters are checked: latency_user=2000000" modprobe evl latency_user=2000000
check "oob_cpus=0 loads" modprobe evl oob_cpus=0
[ "$(cat /sys/devices/virtual/evl/control/cpus)" = 0 ]
ok $? "and is what the core tells"
check "then unloads" rmmod evl
finish
