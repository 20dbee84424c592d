#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: a CPU leaves and comes back while the core is loaded and works on others; it stays while a thread
# of the core lives there, and works for the core again once it is back.
#
# evl-vm: smp=2,4 kernel=evl debug=yes timeout=180
. "$(dirname "$0")/lib.sh"

CPU=/sys/devices/system/cpu/cpu1
[ -w $CPU/online ] || skip_all "CPU1 cannot be taken offline"
[ -e /dev/evl/control ] || skip_all "the core is not loaded"
[ ! -d /sys/module/evl_inject_test ] || skip_all "the injector has threads on every CPU, which keep it online"

# serve CPU [SECONDS]: latmus gets samples there.
serve() { latmus -q -u -c "$1" -T "${2:-1}" >latmus.out 2>&1; }

wait_for_threads() {
	local n
	for n in $(seq 50); do
		ls /sys/devices/virtual/thread/*/pid >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

check "CPU1 serves the core" serve 1
check "CPU1 goes" sh -c "echo 0 >$CPU/online"
refuse "no thread is measured on a CPU which is offline" serve 1
check "CPU0 serves the core meanwhile" serve 0
check "CPU1 comes back" sh -c "echo 1 >$CPU/online"
check "and serves the core again" serve 1

latmus -q -u -c 1 -T 600 >busy.out 2>&1 &
busy=$!
check "a thread lives on CPU1" wait_for_threads
sleep 1
refuse "CPU1 does not go while it does" sh -c "echo 0 >$CPU/online"
check "the thread was not disturbed" kill -0 $busy
kill $busy 2>/dev/null
wait $busy 2>/dev/null
sleep 1
check "CPU1 goes when the thread has gone" sh -c "echo 0 >$CPU/online"
check "and comes back" sh -c "echo 1 >$CPU/online"

latmus -q -u -c 0 -T 600 >busy.out 2>&1 &
busy=$!
cycles() {
	local n
	for n in $(seq 10); do
		echo 0 >$CPU/online && echo 1 >$CPU/online || return 1
	done
}
check "ten times offline and online while CPU0 works" cycles
check "CPU0 still does" kill -0 $busy
kill $busy 2>/dev/null
wait $busy 2>/dev/null
check "CPU1 serves the core at last" serve 1
finish
