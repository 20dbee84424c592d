#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016
#
# property: the commands of evl on a core that runs: a healthy machine is called so, a peak is traced and
# explained, benchmarks and calibrations have results, the core is turned off and on again.
#
# evl-vm: smp=2 kernel=evl debug=yes timeout=600
. "$(dirname "$0")/lib.sh"

[ -e /dev/evl/control ] || skip_all "no core"
[ -c /dev/latmus ] || skip_all "no latency driver: modprobe evl-latmus"
schemas=/usr/share/evl/schemas
validate=$(dirname "$0")/tools/validate

status_is() { # WANTED COMMAND...
	local wanted=$1 status=0
	shift
	"$@" >out 2>err || status=$?
	[ $status = "$wanted" ] && return
	cat out err
	echo "status $status"
	return 1
}

says() { grep -q -e "$1" out err; }

# As its schema says, where there is what can tell.
valid_json() {
	if [ -x "$validate" ] && python3 -c 'import jsonschema' 2>/dev/null; then
		python3 "$validate" $schemas "$1"
	else
		awk -f /usr/libexec/evl/json.awk "$1" >/dev/null
	fi
}

row_is() { grep -q "^$2  *$1 " out; }

### doctor
check "doctor: nothing fails" status_is 0 evl doctor
for row in kernel pipeline core abi cpus drivers permissions; do
	row_is $row OK
	ok $? "doctor: $row is well"
done
evl doctor --json >doctor.json
check "doctor --json" valid_json doctor.json
# Somebody without privileges: on fake trees, tests/tools-plugins.sh.

### check, ps
evl check --json >check.json
check "check --json" valid_json check.json
evl check --explain >out 2>err
refuse "the kernel has what the core stands on" says 'CONFIG_DOVETAIL\|CONFIG_IRQ_PIPELINE'
latmus -q -T 600 -u >/dev/null 2>&1 &
measuring=$!
sleep 1.5
evl ps --json >ps.json
check "ps --json" valid_json ps.json
check "ps --name" status_is 0 evl ps --name=latmus
[ "$(wc -l <out)" -ge 2 ]
ok $? "keeps the responder"
pid=$(awk '$NF ~ /^latmus/ { print $2; exit }' out)
check "ps --pid" status_is 0 evl ps --pid="$pid"
[ "$(wc -l <out)" = 2 ]
ok $? "keeps one"
timeout 6 evl ps -s --watch >watched 2>&1
[ "$(grep -c '^CPU' watched)" -ge 2 ]
ok $? "ps --watch shows the table again and again"
kill -TERM $measuring
wait

### trace
settings() { (cd /sys/kernel/tracing && head -n 1 tracing_cpumask trace_clock); }
settings_before=$(settings)
check "trace: on" status_is 0 evl trace -etimer
latmus -q -T 5 -A 1 --freeze-trace >/dev/null 2>&1
[ $? = 10 ]
ok $? "a peak"
# On a busy host the thread may not have been waiting yet, which makes a peak of another kind.
whole_way() {
	evl trace --explain >way 2>&1
	for step in 'timer handler' 'thread woken up' 'switched to thread' 'clock read in thread'; do
		grep -q "^$step " way || return 1
	done
}
n=0
until whole_way || [ $n = 5 ]; do
	n=$((n + 1))
	evl trace -etimer >/dev/null 2>&1
	latmus -q -T 5 -A 1 --freeze-trace >/dev/null 2>&1
done
check "trace --explain" status_is 0 evl trace --explain
check "the steps of the way" sh -c 'grep -q "^timer handler " out && grep -q "^thread woken up " out && grep -q "^switched to thread " out'
[ "$(grep -c '[0-9] < ' out)" = 1 ]
ok $? "one is the biggest"
sed -n '/^step/,/^$/p' out | sed 's/^/# /'
evl trace --explain --json >trace.json
check "trace --explain --json" valid_json trace.json
awk -f /usr/libexec/evl/json.awk trace.json | awk -F'\t' '
	$1 ~ /at_ns$/ { if ($2 + 0 < last) bad = 1; last = $2 + 0 }
	$1 == "latency_ns" { latency = $2 + 0 }
	$1 ~ /name$/ && $2 == "clock read in thread" { read = 1 }
	END { exit bad || !read || last < latency }'
ok $? "in order, and the last after the latency"
check "trace: off" status_is 0 evl trace -d
[ "$(settings)" = "$settings_before" ] && [ "$(head -n 1 /sys/kernel/tracing/per_cpu/cpu0/buffer_size_kb)" -gt 1000 ]
ok $? "and all is as it was, a buffer which nobody had used of the size that it would have taken"
grep -q '\[local\]' /sys/kernel/tracing/trace_clock && ! grep -lx 1 /sys/kernel/tracing/events/evl/*/enable >/dev/null
ok $? "everything is as it was"
echo >/sys/kernel/tracing/trace

### test
check "test runs a test of ours" status_is 0 evl test --tap timer
check "and reports it" says '^ok 1 timer'

### bench, plot, report, tune
check "bench --json" status_is 0 evl bench -c user,irq -T 1 --json
cp out bench.json
check "is one document as its schema says" valid_json bench.json
[ "$(awk -f /usr/libexec/evl/json.awk bench.json | grep -c '^results/[0-9]*/max_ns')" = 2 ]
ok $? "with two results"
check "bench --handover" status_is 0 evl bench -T 1 --handover --json
cp out handover.json
check "is valid as well" valid_json handover.json
[ "$(awk -f /usr/libexec/evl/json.awk handover.json | grep -c '^handovers/[01]/avg_ns')" = 2 ]
ok $? "and has two handovers"
check "plot on the terminal" status_is 0 evl plot bench.json
if command -v gnuplot >/dev/null; then
	check "plot to a picture" status_is 0 evl plot -o plot.png bench.json
	[ -s plot.png ]
	ok $? "which is there"
fi
check "report" status_is 0 evl report -o report.tar.gz bench.json
tar -tzf report.tar.gz | grep -q '/added-bench.json'
ok $? "holds what was added"
in_force=/sys/devices/virtual/clock/monotonic/gravity
before=$(cat $in_force)

# What the core makes of a text: the gravity afterwards; what it refuses changes nothing.
accepts() { # TEXT GRAVITY
	{ echo "$1" >$in_force; } 2>/dev/null && [ "$(cat $in_force)" = "$2" ]
	ok $? "gravity: '$1' makes $2 ($(cat $in_force))"
}
accepts '2000i 3500k 3500u' '2000i 3500k 3500u'
accepts '4000u 1000i' '1000i 3500k 4000u'
accepts '3000k' '1000i 3000k 4000u'
accepts '0u 0k 0i' '0i 0k 0u'
for text in '-1i' '1000001u' '1i 99999999999999999999k' '5x' 5 i '' '1i 2k 3' '1i 2k 3u 4i' 'reset now' '1.5i' '1 i'; do
	! { echo "$text" >$in_force; } 2>/dev/null && [ "$(cat $in_force)" = '0i 0k 0u' ]
	ok $? "gravity: '$text' is refused as a whole ($(cat $in_force))"
done
echo reset >$in_force
built_in=$(cat $in_force)

gravity_lines() { sed -n 's/^\([a-z]*\) gravity\.\.\.\([0-9]*\) ns$/\1 \2/p' out | tr '\n' ' '; }
check "tune" status_is 0 evl tune --force -T 1
check "has figures before and after" sh -c 'grep -q "^before: gravity" out && grep -q "^after:  gravity" out'
check "latmus -t" status_is 0 latmus -t
[ "$(gravity_lines)" = "$(sed 's/\(.*\)i \(.*\)k \(.*\)u/irq \1 kernel \2 user \3 /' $in_force)" ]
ok $? "the core has what its three lines say ($(gravity_lines))"
check "tune --reset" status_is 0 evl tune --reset
[ "$(cat $in_force)" = "$built_in" ]
ok $? "is the built-in one ($built_in)"
echo 1i 2k 3u >$in_force
latmus -t >/dev/null 2>&1 &
sleep 4
# SIGINT is ignored in the background.
kill -TERM $!
wait $!
[ $? = 1 ] && [ "$(cat $in_force)" = '1i 2k 3u' ]
ok $? "a calibration which is interrupted leaves what was there ($(cat $in_force))"
check "latmus -r" status_is 0 latmus -r
[ "$(cat $in_force)" = "$built_in" ]
ok $? "brings the built-in one back"
mkdir kept
ln -s /dev /proc kept/
check "latmus -tui --save" status_is 0 env EVL_ROOT=kept EVL_SYSDIR=/sys/devices/virtual latmus -tui --save
gravity=$(cat $in_force)
[ "$(gravity_lines | sed 's/[0-9 ]*//g')" = irquser ] && [ "${gravity#* }" != "$gravity" ] &&
	[ "$(echo "$gravity" | cut -d' ' -f2)" = "$(echo "$built_in" | cut -d' ' -f2)" ]
ok $? "prints two lines, irq and user; the value of the kernel is unchanged ($gravity)"
[ "$(cat kept/etc/evl/gravity)" = "$(uname -r)
$gravity" ]
ok $? "keeps what it found where evl tune does ($gravity)"
echo reset >$in_force
check "tune --apply" status_is 0 env EVL_ROOT=kept EVL_SYSDIR=/sys/devices/virtual evl tune --apply
[ "$(cat $in_force)" = "$gravity" ]
ok $? "brings it back"
echo "$before" >$in_force

### start, stop
modules=$(ls /sys/module/evl/holders)
check "start what runs" status_is 0 evl start
latmus -q -T 600 -u >/dev/null 2>&1 &
sleep 1.5
check "stop refuses while threads are attached" status_is 1 evl stop
check "and says whose" says "$!"
check "stop --force" status_is 0 evl stop --force
wait
[ ! -e /dev/evl/control ]
ok $? "the core is off"
check "status: no core" status_is 3 evl status
check "ps: no core" status_is 3 evl ps
check "doctor: no core" status_is 1 evl doctor
check "and how to load it" says 'modprobe evl'
check "start" status_is 0 evl start
for module in $modules; do modprobe "$module"; done
check "status: running" sh -c 'evl status | grep -qx running'
check "latmus works again" status_is 0 latmus -q -T 1
finish
