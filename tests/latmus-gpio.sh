#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: latmus answers on GPIO lines and a monitor measures it: a plain thread on the kernel's GPIO simulator, a
# thread of the core on lines with out-of-band service; and what is refused, lost or gone ends as it should.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=300
. "$(dirname "$0")/lib.sh"

[ -e /dev/evl/control ] || skip_all "no core"
[ -c /dev/latmus ] || skip_all "no latency driver: modprobe evl-latmus"
modprobe gpio-sim || skip_all "no GPIO simulator"
have_test_module evl-gpio-test || skip_all "evl-gpio-test.ko is not installed for $(uname -r)"
mkdir -p /sys/kernel/config
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config || skip_all "no configfs"
ip link set lo up 2>/dev/null || ifconfig lo up

status_is() { # WANTED COMMAND...
	local wanted=$1 status=0
	shift
	"$@" >command.out 2>&1 || status=$?
	[ $status = "$wanted" ] && return
	cat command.out
	echo "status $status"
	return 1
}

field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1"; }

# monitor PULSE ACK: in the background; waits until it listens.
monitor() {
	local n
	latmon -p 2307 -O "$1" -I "$2" >monitor.out 2>&1 &
	monitor_pid=$!
	for n in $(seq 100); do
		grep -q '^waiting for' monitor.out && return
		sleep 0.1
	done
	cat monitor.out
	return 1
}

end_monitor() { kill $monitor_pid && wait $monitor_pid 2>/dev/null; }

# Samples of this second and the last, cells, summary, JSON.
judge_run() { # CONTEXT
	[ "$(grep -c '^RTD|' command.out)" -ge 1 ] && [ "$(grep -c '^RTS|' command.out)" = 1 ]
	ok $? "$1: a line a second, and a summary"
	[ "$(field gpio.json context)" = "$1" ] && [ "$(field gpio.json samples)" -ge 10 ] &&
		[ "$(field gpio.json min_ns)" -gt 0 ] && [ "$(field gpio.json min_ns)" -le "$(field gpio.json max_ns)" ] &&
		[ "$(field gpio.json tainted)" = false ]
	ok $? "$1: answers were measured ($(field gpio.json samples): $(field gpio.json min_ns) $(field gpio.json avg_ns) $(field gpio.json max_ns) ns)"
	awk '/^# sample count:/ { n = $4 } /^# outliers:/ { out = $3 } !/^#/ { s += $2 } END { exit !(n > 0 && n == s + out) }' gpio.txt
	ok $? "$1: the monitor's cells add up to the sample count"
	rm -f gpio.json gpio.txt
}

### In-band, on the simulator
bank=/sys/kernel/config/gpio-sim/latmus/bank0
mkdir -p $bank
echo 4 >$bank/num_lines
echo 1 >/sys/kernel/config/gpio-sim/latmus/live
chip=$(cat $bank/chip_name)
lines=/sys/devices/platform/$(cat /sys/kernel/config/gpio-sim/latmus/dev_name)/$chip
check "a monitor on simulated lines" monitor "sim:$lines/sim_gpio0" "sim:$lines/sim_gpio1"
check "-z: three seconds" status_is 0 latmus -z localhost:2307 -I "$chip,0" -O "$chip,1" -T3 -p10000 --json=gpio.json -ggpio.txt
grep -q '^CAUTION: .*in-band' command.out && grep -q '^the monitor is localhost, port 2307' command.out
ok $? "it names the monitor, and cautions"
judge_run inband-gpio
check "-z: falling edges" status_is 0 latmus -z localhost:2307 -I "$chip,0,falling-edge" -O "$chip,1" -q -T2 -p10000
latmus -z localhost:2307 -I "$chip,0" -O "$chip,1" -q -T60 -p10000 >/dev/null 2>&1 &
pid=$!
for n in $(seq 100); do grep -q latmon-pulse /proc/interrupts && break; sleep 0.1; done
check "the interrupt is called latmon-pulse" grep -q latmon-pulse /proc/interrupts
kill -TERM $pid
check "an interrupt is a normal end" wait $pid
check "a threshold of 1 us: status 10" status_is 10 latmus -z localhost:2307 -I "$chip,0" -O "$chip,1" -q -T60 -p10000 -A1
latmus -z localhost:2307 -I "$chip,0" -O "$chip,1" -T60 -p10000 --json=lost.json >lost.out 2>&1 &
pid=$!
for n in $(seq 300); do grep -q '^RTD' lost.out && break; sleep 0.1; done
end_monitor
wait $pid
[ $? = 12 ] && [ "$(field lost.json stopped_by)" = monitor ] && [ "$(field lost.json tainted)" = true ] && grep -q 'localhost, port 2307' lost.out
ok $? "a monitor which is lost: status 12, and the figures are tainted"
check "no monitor: status 12" status_is 12 latmus -z localhost:2307 -I "$chip,0" -O "$chip,1" -T1
monitor "sim:$lines/sim_gpio0" "sim:$lines/sim_gpio1"
check "a line there is not: status 1" status_is 1 latmus -z localhost:2307 -I "$chip,99" -O "$chip,1" -T1
check "a chip which sleeps has no out-of-band service: status 3" status_is 3 latmus -Z localhost:2307 -I "$chip,0" -O "$chip,1" -T1
check "nobody answers: status 1" status_is 1 latmus -z localhost:2307 -I "$chip,0" -O "$chip,2" -q -T1 -p10000
end_monitor
echo 0 >/sys/kernel/config/gpio-sim/latmus/live
rmdir $bank /sys/kernel/config/gpio-sim/latmus

### Out-of-band, on wires: 0 drives 1, 2 drives 3
check "the chip of wires" load_test_module evl-gpio-test
for path in /dev/evl-gpiochip*; do wires=${path#/dev/evl-}; done
[ -c "/dev/evl-$wires" ] && [ -c "/dev/$wires" ]
ok $? "is there for both stages"
check "a monitor on its lines" monitor "$wires,0" "$wires,3"
check "-Z: three seconds" status_is 0 latmus -Z localhost:2307 -I "$wires,1" -O "$wires,2" -T3 -p10000 --json=gpio.json -ggpio.txt
[ "$(field gpio.json mode_switches)" = 0 ]
ok $? "never in-band"
judge_run oob-gpio
check "-z on the same lines" status_is 0 latmus -z localhost:2307 -I "$wires,1" -O "$wires,2" -q -T2 -p10000
latmus -Z localhost:2307 -I "$wires,1" -O "$wires,2" -q -T60 -p10000 >/dev/null 2>&1 &
pid=$!
for n in $(seq 100); do grep -q latmon-pulse /proc/interrupts && break; sleep 0.1; done
check "the interrupt is called latmon-pulse" grep -q latmon-pulse /proc/interrupts
check "a line which is in use: status 1" status_is 1 latmus -z localhost:2307 -I "$wires,1" -O "$wires,2" -T1
refuse "the chip is in use" rmmod evl-gpio-test
kill -TERM $pid
check "an interrupt is a normal end" wait $pid
"$(dirname "$0")/rig-gpio-lines" "/dev/evl-$wires" >lines.out 2>&1
ok $? "the requests of lines"
sed 's/^/#   /' lines.out
end_monitor
check "the chip goes" rmmod evl-gpio-test
[ ! -e "/dev/evl-$wires" ] && ! grep -q latmon /proc/interrupts
ok $? "and leaves nothing"
check "the service goes" rmmod evl-gpio
finish
