#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: latmus measures the three contexts, its figures agree with one another, its files have their form,
# and it ends as its exit statuses say. evl ps shows the threads meanwhile.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=300
. "$(dirname "$0")/lib.sh"

[ -e /dev/evl/control ] || skip_all "no core"
[ -c /dev/latmus ] || skip_all "no latency driver: modprobe evl-latmus"

measure_context() {
	local name=$1 flag=$2 json=$1.json
	check "$name: two seconds" status_is 0 latmus "$flag" -q -T2 -p1000 --json="$json" --overwrite
	[ -s "$json" ] || { ok 1 "$name: there is a result"; return; }
	[ "$(json_field "$json" context)" = "$name" ]
	ok $? "$name: the context is named"
	[ "$(json_field "$json" samples)" -ge 20 ] && [ "$(json_field "$json" samples)" -le 2000 ]
	ok $? "$name: as many samples as ticks, or fewer ($(json_field "$json" samples), $(json_field "$json" overruns) overruns)"
	[ "$(json_field "$json" min_ns)" -le "$(json_field "$json" avg_ns)" ] && [ "$(json_field "$json" avg_ns)" -le "$(json_field "$json" max_ns)" ]
	ok $? "$name: min, avg, max in order ($(json_field "$json" min_ns) $(json_field "$json" avg_ns) $(json_field "$json" max_ns))"
	[ "$(json_field "$json" stopped_by)" = timeout ] && [ "$(json_field "$json" tainted)" = false ]
	ok $? "$name: ended by time, not tainted"
}

measure_context irq -i
measure_context kernel -k
measure_context user -u
measure_context sirq -s

# The ten worst samples, the worst of all first.
[ "$(grep -o '"value_ns"' user.json | wc -l)" = 10 ] &&
	[ "$(sed 's/.*"spikes"//; s/"value_ns":\(-\{0,1\}[0-9]*\).*/\1/; s/.*[^-0-9]//' user.json)" = "$(json_field user.json max_ns)" ]
ok $? "ten spikes, the first is the maximum"

# Cells and outliers of the data file make up the sample count.
latmus -q -T1 -g histogram.txt >/dev/null 2>&1
refuse "-g takes its file glued: a stray word is refused" test -e histogram.txt
check "a histogram for gnuplot" status_is 0 latmus -q -T1 -ghistogram.txt
awk '/^# sample count:/ { n = $4 } /^# outliers:/ { out = $3 } !/^#/ { s += $2 } END { exit !(n > 0 && n == s + out) }' histogram.txt
ok $? "its cells add up to the sample count"
grep -q '^RTS|' command.out && ! grep -q '^RTD|' command.out
ok $? "-q prints the summary only"
check "an existing file is not replaced" status_is 2 latmus -q -T1 -ghistogram.txt
check "but with --overwrite" status_is 0 latmus -q -T1 -ghistogram.txt --overwrite

# Threshold, trace and file in one.
if [ -d /sys/kernel/tracing/events/evl ]; then
	check "--auto=1 stops at a peak" status_is 10 latmus -q -T20 --auto=1
	trace=$(ls latmus-*.trace)
	check "the trace before it is kept" grep -q evl_ "$trace"
	refuse "and tracing is off again" grep -q 1 /sys/kernel/tracing/events/evl/enable
fi

# The form which scripts for cyclictest read.
check "a histogram as of cyclictest" status_is 0 latmus -q -T1 --format=cyclictest -gforeign.txt
awk '/^# Total:/ { n = $3 } !/^#/ { s += $2 } END { exit !(n > 0 && n == s) }' foreign.txt
ok $? "its cells add up to its total"
check "which evl plot takes for one" status_is 0 evl plot foreign.txt

# An object a second, then the result.
latmus -T3 --json-lines >seconds.json 2>/dev/null
ok $? "--json-lines: status 0"
n=$(grep -c '"evl-latmus-second"' seconds.json)
[ "$n" -ge 2 ] && [ "$n" -le 4 ] && [ "$(wc -l <seconds.json)" = $((n + 1)) ] && tail -n 1 seconds.json | grep -q '"evl-latmus"'
ok $? "a line for each second ($n), then one for the result"
sum=$(sed -n 's/.*latmus-second.*"samples":\([0-9]*\).*/\1/p' seconds.json | awk '{ s += $1 } END { print s }')
[ "$sum" = "$(tail -n 1 seconds.json | sed 's/.*"samples":\([0-9]*\).*/\1/')" ]
ok $? "whose samples add up ($sum)"

# A long run saves what it has now and then.
latmus -q -T60 --checkpoint=1 -glong.txt >/dev/null 2>&1 &
pid=$!
n=0
while [ ! -s long.txt.partial ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.2; done
kill -KILL $pid
wait $pid
# Its cells may be ahead of the count by what came in while it was written.
awk '/^# sample count:/ { n = $4 } /^# outliers:/ { out = $3 } !/^#/ { s += $2 } END { exit !(n > 0 && s + out >= n && s + out < n + 20) }' long.txt.partial
ok $? "killed, it leaves what it had saved"
check "which nobody overwrites unasked" status_is 2 latmus -q -T2 --checkpoint=1 -glong.txt
check "but with --overwrite" status_is 0 latmus -q -T2 --checkpoint=1 -glong.txt --overwrite
[ -s long.txt ] && [ ! -e long.txt.partial ]
ok $? "and at the end there is the result alone"

# Held while it measures, and no longer.
held_off() { find /proc/[0-9]*/fd -lname /dev/cpu_dma_latency 2>/dev/null | grep -q .; }
refuse "nobody holds idle states off" held_off
latmus -T5 >lines.out 2>/dev/null &
pid=$!
sleep 2
if [ -c /dev/cpu_dma_latency ]; then
	check "latmus holds them off while it measures" held_off
fi
wait $pid
ok $? "five seconds: status 0"
refuse "and no longer" held_off
lines=$(grep -c '^RTD|' lines.out)
[ "$lines" -ge 4 ] && [ "$lines" -le 6 ] && [ "$(grep -c '^RTS|' lines.out)" = 1 ]
ok $? "a line per second, one summary ($lines)"
awk -F'|' '/^RTD/ { if (min == "" || $2 < min) min = $2; if ($4 > max) max = $4 }
	/^RTS/ { exit !($2 + 0 <= min + 0 && $4 + 0 >= max + 0) }' lines.out
ok $? "the summary spans the lines"

check "a threshold of 1 us is exceeded: status 10" status_is 10 latmus -q -T20 -A1
grep -q '^RTS|' command.out && grep -q '^stopped: .* us exceed the threshold of 1 us' command.out
ok $? "the summary is there, and why"
check "a count of samples ends the run" status_is 0 latmus -q --samples=100 -p2000
check "an interrupt from the keyboard is a normal end" status_is 0 timeout --preserve-status -s INT 4 latmus -ginterrupted.txt
grep -q '^RTS|' command.out
ok $? "with the summary"
awk '/^# sample count:/ { n = $4 } !/^#/ { s += $2 } END { exit !(n > 0 && s > 0) }' interrupted.txt
ok $? "and the data file"
check "SIGUSR1 is a normal event" status_is 0 sh -c 'latmus -q -T5 2>&1 & sleep 3; kill -USR1 $!; wait $!'
grep -q '^so far: min .* samples' command.out
ok $? "which shows an interim summary"
check "an interrupt is a normal end" status_is 0 sh -c 'latmus >/dev/null 2>&1 & sleep 3; kill -TERM $!; wait $!'

# A signal finds the responder asleep, and takes it in-band.
switch_responder() { # STATUS OPTIONS...
	local wanted=$1 status=0
	shift
	latmus -T6 "$@" >switched.out 2>&1 &
	sleep 4
	kill -STOP $!
	sleep 0.2
	kill -CONT $!
	wait $! || status=$?
	[ $status = "$wanted" ] || note "status $status: $(tail -n 1 switched.out)"
	[ $status = "$wanted" ]
}

switch_responder 11
ok $? "a signal switches the responder in-band: status 11"
grep -q '^RTS|.* TAINTED' switched.out
ok $? "with a summary, tainted"
switch_responder 0 -K --json=switched.json
ok $? "-K goes on: status 0"
[ "$(json_field switched.json mode_switches)" -ge 1 ] && [ "$(json_field switched.json stopped_by)" = timeout ]
ok $? "to the end, the switches are counted ($(json_field switched.json mode_switches))"

check "a CPU which is not the core's: status 2" status_is 2 latmus -T1 -c 1000
grep -q 'control/cpus' command.out
ok $? "the message names the file"
check "no monitor: status 12" status_is 12 latmus -T1 -Z localhost:1 -I a,1 -O a,2

before=$(json_field irq.json user)
check "the calibration is reset" status_is 0 latmus -r
note "gravity for users was $before"

# A run on each CPU at a time.
cpus=$(nproc)
check "--smp: two seconds on all CPUs" status_is 0 latmus --smp -i -T2 --json=smp.json
[ "$(grep -c '^RTS|.*|  *[0-9]*$' command.out)" = "$cpus" ] && [ "$(grep -c '^RTS|.*|   all$' command.out)" = 1 ]
ok $? "a summary for each CPU, and one for all"
[ "$(sed -n 's/^RTD|.*|  *\([0-9]*\)$/\1/p' command.out | sort -u | wc -l)" = "$cpus" ]
ok $? "lines of each"
awk -F'|' '/^RTS/ && $8 !~ /all/ { if (n++ == 0 || $2 + 0 < min) min = $2 + 0; if ($4 + 0 > max) max = $4 + 0 }
	/^RTS/ && $8 ~ /all/ { exit !($2 + 0 == min && $4 + 0 == max) }' command.out
ok $? "the last one has the extremes of all"
awk -f /usr/libexec/evl/json.awk smp.json | awk -F'\t' -v cpus="$cpus" '
	$1 == "samples" { all = $2 } $1 ~ "^cpus/[0-9]*/samples$" { n++; sum += $2 } END { exit !(n == cpus && sum == all && all > 0) }'
ok $? "the samples in JSON are the sum of those of the CPUs"
check "--smp ends with -A like one" status_is 10 latmus --smp -u -q -T20 -A1

# Two threads which pass a token.
check "--ctxsw: two seconds" status_is 0 latmus --ctxsw -T2 -p1000 --json=ctxsw.json
[ "$(grep -c '^RTD|' command.out)" -ge 1 ] && [ "$(grep -c '^RTS|' command.out)" = 1 ]
ok $? "lines and a summary"
[ "$(json_field ctxsw.json context)" = ctxsw ] && [ "$(json_field ctxsw.json samples)" -ge 20 ] && [ "$(json_field ctxsw.json min_ns)" -gt 0 ] &&
	[ "$(json_field ctxsw.json mode_switches)" = 0 ] && [ "$(json_field ctxsw.json tainted)" = false ]
ok $? "a switch takes time ($(json_field ctxsw.json min_ns) $(json_field ctxsw.json avg_ns) $(json_field ctxsw.json max_ns) ns), never in-band"
check "--ctxsw ends with its samples" status_is 0 latmus --ctxsw -q --samples=200
latmus --ctxsw -q -T200 >/dev/null 2>&1 &
pid=$!
check "evl ps sees both threads on one CPU" sh -c 'for n in $(seq 50); do
	evl ps | awk "\$NF ~ /^latmus(-peer)?:/ { n++; cpu[\$1] } END { for (c in cpu) k++; exit !(n == 2 && k == 1) }" && exit; sleep 0.1; done; exit 1'
kill -TERM $pid
wait $pid
check "--ctxsw: a threshold" status_is 10 latmus --ctxsw -q -T20 -A1
check "--ctxsw: an interrupt is a normal end" status_is 0 timeout --preserve-status -s INT 3 latmus --ctxsw
grep -q '^RTS|' command.out
ok $? "with the summary"
switch_responder 11 --ctxsw
ok $? "--ctxsw: a signal switches it in-band: status 11"
if [ "$cpus" = 1 ]; then
	check "--xcpu wants two CPUs: status 2" status_is 2 latmus --xcpu -q -T1
else
	rwa() { evl ps -s --json | awk -f /usr/libexec/evl/json.awk - | awk -F'\t' '$1 ~ /rwa$/ { sum += $2 } END { print sum + 0 }'; }
	check "--xcpu: two seconds" status_is 0 latmus --xcpu -c 0 -q -T2 --json=xcpu.json
	[ "$(json_field xcpu.json cpu)" = 0 ] && [ "$(json_field xcpu.json peer_cpu)" = 1 ] && [ "$(json_field xcpu.json samples)" -ge 20 ]
	ok $? "from one CPU to another"
	latmus --xcpu=0 -c 1 -q -T10 >/dev/null 2>&1 &
	pid=$!
	sleep 3
	[ "$(rwa)" -ge 20 ]
	ok $? "by remote wake-ups"
	kill -INT $pid
	wait $pid
	check "--xcpu to itself: status 2" status_is 2 latmus --xcpu=0 -c 0 -q -T1
	check "--xcpu to a CPU which is not the core's: status 2" status_is 2 latmus --xcpu=1000 -q -T1
fi

# Threads in sight while a measurement runs.
latmus -q -T10 -k >/dev/null 2>&1 &
sleep 2
check "evl ps lists the kernel thread" sh -c 'evl ps -l | grep -q "\[latmus:"'
check "evl ps --json as well" sh -c 'evl ps --json | grep -q "\"name\":\"latmus:"'
wait
latmus -q -T10 -u >/dev/null 2>&1 &
sleep 2
check "evl ps lists the responder" sh -c 'evl ps -p | grep -q " fifo .* latmus:"'
wait

check "evl test -l names this test" sh -c 'evl test -l | grep -qx latmus.sh'
finish
