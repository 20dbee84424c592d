#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: latmus answers on GPIO lines and a monitor measures it: a plain thread on the kernel's GPIO
# simulator, a thread of the core on lines with out-of-band service; and what is refused, lost or gone ends
# as it should.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=300
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

[ -e /dev/evl/control ] || skip_all "no core"
[ -c /dev/latmus ] || skip_all "no latency driver: modprobe evl-latmus"
modprobe gpio-sim || skip_all "no GPIO simulator: the kernel wants CONFIG_GPIO_SIM"
have_test_module evl-gpio-test || skip_all "evl-gpio-test.ko is not installed for $(uname -r)"
configfs=/sys/kernel/config
mountpoint -q $configfs || mount -t configfs none $configfs || skip_all "no configfs"
ip link set lo up 2>/dev/null || ifconfig lo up

sim=$configfs/gpio-sim/latmus
monitor_pid='' latmus_pid=''
work=$(mktemp -d) || skip_all "no directory for files"
cd "$work" || exit 1

clean_up() {
	[ -z "$latmus_pid" ] || kill "$latmus_pid" 2>/dev/null
	end_monitor
	[ ! -d $sim ] || remove_simulator
	cd / && rm -rf "$work"
}
trap clean_up EXIT

# await SECONDS COMMAND...: until it succeeds.
await() {
	local n=$(($1 * 10))
	shift
	until "$@"; do
		n=$((n - 1))
		[ $n -gt 0 ] || return
		sleep 0.1
	done
}

# The functions which start and end processes are not for check(), whose commands run in a subshell.
start_monitor() { # PULSE ACK
	latmon -p 2307 -O "$1" -I "$2" >monitor.out 2>&1 &
	monitor_pid=$!
	await 10 grep -q '^waiting for' monitor.out && return
	cat monitor.out
	return 1
}

end_monitor() {
	[ -n "$monitor_pid" ] || return
	kill "$monitor_pid" 2>/dev/null
	wait "$monitor_pid" 2>/dev/null
	monitor_pid=''
}

answer() { # MODE OPTIONS...: on the lines of now
	local mode=$1
	shift
	latmus "$mode" localhost:2307 -I "$pulse" -O "$ack" -p10000 "$@"
}

# The process is latmus itself: a function in the background would be a shell around it.
start_answering() {
	local mode=$1
	shift
	latmus "$mode" localhost:2307 -I "$pulse" -O "$ack" -p10000 "$@" >command.out 2>&1 &
	latmus_pid=$!
}

ends_with() { # WANTED
	local status=0
	wait "$latmus_pid" || status=$?
	latmus_pid=''
	[ $status = "$1" ] && return
	note "status $status:"
	sed 's/^/#   /' command.out
	return 1
}

is_measuring() { grep -q '^RTD' command.out; }

measure_three_seconds() { # MODE CONTEXT
	rm -f gpio.json gpio.txt
	check "$2: three seconds" status_is 0 answer "$1" -T3 --json=gpio.json -ggpio.txt
	grep -q '^the monitor is localhost, port 2307' command.out
	ok $? "$2: it names the monitor"
	[ "$(grep -c '^RTD|' command.out)" -ge 1 ] && [ "$(grep -c '^RTS|' command.out)" = 1 ]
	ok $? "$2: a line a second, and a summary"
	[ "$(json_field gpio.json context)" = "$2" ] && [ "$(json_field gpio.json tainted)" = false ] &&
		[ "$(json_field gpio.json mode_switches)" = 0 ] && [ "$(json_field gpio.json samples)" -ge 5 ]
	ok $? "$2: answers were measured, none switched in-band ($(json_field gpio.json samples))"
	[ "$(json_field gpio.json min_ns)" -gt 0 ] && [ "$(json_field gpio.json min_ns)" -le "$(json_field gpio.json max_ns)" ]
	ok $? "$2: min, avg, max: $(json_field gpio.json min_ns) $(json_field gpio.json avg_ns) $(json_field gpio.json max_ns) ns"
	awk '/^# sample count:/ { n = $4 } /^# outliers:/ { out = $3 } !/^#/ { s += $2 }
		END { exit !(n > 0 && n == s + out) }' gpio.txt
	ok $? "$2: the monitor's cells add up to the sample count"
}

interrupt_it() { # MODE CONTEXT
	start_answering "$1" -T60
	await 10 is_measuring
	grep -q latmon-pulse /proc/interrupts
	ok $? "$2: the interrupt is called latmon-pulse"
	check "$2: a line which is in use: status 1" sh -c "latmus -z localhost:2307 -I $pulse -O $ack -T1; [ \$? = 1 ]"
	kill -TERM "$latmus_pid"
	ends_with 0
	ok $? "$2: an interrupt is a normal end"
	grep -q '^RTS|' command.out
	ok $? "$2: with a summary"
}

lose_monitor() { # MODE CONTEXT
	rm -f lost.json
	start_answering "$1" -T60 --json=lost.json
	await 30 is_measuring
	end_monitor
	ends_with 12
	ok $? "$2: a monitor which is lost: status 12"
	[ "$(json_field lost.json stopped_by)" = monitor ] && [ "$(json_field lost.json tainted)" = true ]
	ok $? "$2: the figures are tainted"
	grep -q 'localhost, port 2307' command.out
	ok $? "$2: the message names it"
	check "$2: no monitor: status 12" status_is 12 answer "$1" -T1
}

# It is there, and says nothing more.
silence_monitor() { # MODE CONTEXT
	start_answering "$1" -T60
	await 30 is_measuring
	kill -STOP "$monitor_pid"
	ends_with 12
	ok $? "$2: a monitor which falls silent: status 12"
	grep -q 'port 2307: no word for 5 seconds' command.out
	ok $? "$2: the message tells for how long"
	kill -CONT "$monitor_pid"
}

test_runs() { # MODE CONTEXT
	start_monitor "$monitor_pulse" "$monitor_ack"
	ok $? "$2: a monitor"
	measure_three_seconds "$1" "$2"
	interrupt_it "$1" "$2"
	check "$2: a threshold of 1 us: status 10" status_is 10 answer "$1" -q -T60 -A1
	check "$2: a count of samples ends the run" status_is 0 answer "$1" -q --samples=20
	silence_monitor "$1" "$2"
	lose_monitor "$1" "$2"
	start_monitor "$monitor_pulse" "$monitor_ack"
	ok $? "$2: a second monitor in place of the first"
	check "$2: is as good" status_is 0 answer "$1" -q -T1
}

make_simulator() {
	mkdir -p $sim/bank0 && echo 4 >$sim/bank0/num_lines && echo 1 >$sim/live
}

remove_simulator() {
	echo 0 >$sim/live && rmdir $sim/bank0 $sim
}

test_inband() {
	local chip lines
	make_simulator
	ok $? "lines of the GPIO simulator"
	chip=$(cat $sim/bank0/chip_name)
	lines=/sys/devices/platform/$(cat $sim/dev_name)/$chip
	pulse=$chip,0 ack=$chip,1 monitor_pulse=sim:$lines/sim_gpio0 monitor_ack=sim:$lines/sim_gpio1
	test_runs -z inband-gpio
	grep -q '^CAUTION: .*in-band' command.out
	ok $? "inband-gpio: it cautions"
	pulse=$chip,0,falling-edge
	check "inband-gpio: falling edges" status_is 0 answer -z -q -T1
	pulse=$chip,99
	check "a line there is not: status 1" status_is 1 answer -z -T1
	pulse=gpiochip99,0
	check "a chip there is not: status 1" status_is 1 answer -z -T1
	pulse=$chip,0
	check "a chip which sleeps has no out-of-band service: status 3" status_is 3 answer -Z -T1
	grep -q "/dev/evl-$chip is not there: .* evl-gpio.ko; -z does without" command.out
	ok $? "and what to do"
	ack=$chip,2
	check "nobody answers: status 1" status_is 1 answer -z -q -T1
	end_monitor
	remove_simulator
	ok $? "nothing is left of the simulator"
}

# A signal finds the responder asleep, and takes it in-band.
switch_in_band() {
	start_answering -Z -T60
	await 10 is_measuring
	kill -STOP "$latmus_pid"
	sleep 0.2
	kill -CONT "$latmus_pid"
	ends_with 11
	ok $? "oob-gpio: switched in-band: status 11"
}

# Wires: 0 drives 1, 2 drives 3.
test_oob() {
	local chip
	load_test_module evl-gpio-test
	ok $? "the chip of wires"
	chip=$(cd /dev && echo evl-gpiochip*)
	chip=${chip#evl-}
	[ -c "/dev/evl-$chip" ] && [ -c "/dev/$chip" ]
	ok $? "is there for both stages"
	pulse=$chip,1 ack=$chip,2 monitor_pulse=$chip,0 monitor_ack=$chip,3
	test_runs -Z oob-gpio
	switch_in_band
	check "inband-gpio on the same lines" status_is 0 answer -z -q -T1
	refuse "the chip is in use" rmmod evl-gpio-test
	end_monitor
	"$here/rig-gpio-lines" "/dev/evl-$chip" >lines.out 2>&1
	ok $? "the requests of lines, until the chip goes"
	sed 's/^/#   /' lines.out
	[ ! -e "/dev/evl-$chip" ] && ! grep -q latmon /proc/interrupts
	ok $? "and leaves nothing"
	check "the service goes" rmmod evl-gpio
}

test_inband
test_oob
modprobe evl-gpio
modprobe -r gpio-sim
finish
