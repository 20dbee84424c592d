#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: what is used to look into a kernel works from and around out-of-band code: tracers, probes, static keys,
# a change of the clock source. A thread of the core is at work meanwhile.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=240 single
. "$(dirname "$0")/lib.sh"

T=/sys/kernel/tracing
[ -d $T/events ] || mount -t tracefs tracefs $T || skip_all "no tracefs"

# A kernel thread: programs read the clock by themselves, which a change of the clock source ends.
latmus -q -k -T 600 >busy.out 2>&1 &
busy=$!
sleep 2

# still TEXT: the thread is there, and still gets its wake-ups.
still() {
	local before after
	before=$(cat /sys/devices/virtual/thread/*/stats 2>/dev/null | awk '{ s += $2 } END { print s + 0 }')
	sleep 1
	after=$(cat /sys/devices/virtual/thread/*/stats 2>/dev/null | awk '{ s += $2 } END { print s + 0 }')
	kill -0 $busy 2>/dev/null && [ "$after" -gt "$before" ]
	ok $? "the thread goes on after $1 ($((after - before)) switches a second)"
}

# traced TRACER PATTERN: the trace holds what was run out-of-band.
traced() {
	grep -q -w "$1" $T/available_tracers || { note "no tracer $1 here"; return; }
	echo >$T/trace
	echo "$1" >$T/current_tracer
	sleep 1
	echo 0 >$T/tracing_on
	grep -q "$2" $T/trace
	ok $? "tracer $1 shows $2"
	echo nop >$T/current_tracer
	echo 1 >$T/tracing_on
	still "tracer $1"
}

still "its start"

# In-band is well: whoever runs out-of-band is not disturbed by a look after it.
echo >$T/trace
echo 1 >$T/events/evl/evl_timer_expire/enable
sleep 9
echo 0 >$T/events/evl/evl_timer_expire/enable
cpu=$(grep -m 1 'handler=latmus_tick' $T/trace | grep -o '\[[0-9]*\]')
times=$(grep 'handler=watchdog_handler' $T/trace | grep -cF "$cpu")
[ -n "$cpu" ] && [ "$times" -le 1 ]
ok $? "the watchdog does not go off by itself ($times times in 9 s)"

echo 256 >$T/buffer_size_kb
traced function evl_irq_exit
traced function_graph evl_irq_exit
# Lockdep takes exception to the lock of this tracer in an NMI, which an oob interrupt is like.
[ -e /proc/lockdep ] || traced irqsoff '#'

# A probe in code which runs out-of-band only.
echo 'p:oobprobe evl_announce_tick' >$T/kprobe_events
echo >$T/trace
echo 1 >$T/events/kprobes/oobprobe/enable
sleep 1
echo 0 >$T/events/kprobes/oobprobe/enable
hits=$(grep -c oobprobe: $T/trace)
echo >$T/kprobe_events
[ "$hits" -gt 10 ]
ok $? "a probe in the core is hit ($hits times)"
still "a probe"

toggle() {
	local n
	for n in $(seq 20); do
		echo 1 >$T/events/evl/enable
		echo 0 >$T/events/evl/enable
	done
}
check "static keys are switched on and off" toggle
still "static keys"

# What happens to threads and their mutexes is told: each event of the core is met, or named here.
# The first ones stay: at its end the program makes thousands of mutexes.
echo >$T/trace
echo 2048 >$T/buffer_size_kb
echo 0 >$T/options/overwrite
echo 1 >$T/events/evl/enable
"$(dirname "$0")/mutex" >mutex.out 2>&1
status=$?
echo 0 >$T/events/evl/enable
echo 1 >$T/options/overwrite
ok $status "a program with mutexes runs while all events are on"
grep -o ' evl_[a-z_]*: ' $T/trace | sort -u | tr -d ' :' >met
for event in $(cd $T/events/evl && echo evl_*); do
	[ "$event" = evl_latspot ] || grep -qx "$event" met
	ok $? "event $event"
done
still "all events"

cs=/sys/devices/system/clocksource/clocksource0
was=$(cat $cs/current_clocksource)
for other in $(cat $cs/available_clocksource); do
	[ "$other" = "$was" ] || { echo "$other" >$cs/current_clocksource; break; }
done
[ "$(cat $cs/current_clocksource)" != "$was" ]
ok $? "the clock source is $(cat $cs/current_clocksource) now, was $was"
still "the change of the clock source"
echo "$was" >$cs/current_clocksource
still "the change back"

kill $busy 2>/dev/null
wait $busy 2>/dev/null
echo 1408 >$T/buffer_size_kb
finish
