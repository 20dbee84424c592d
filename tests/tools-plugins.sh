#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016,SC2009,SC2013,SC2317,SC3043
#
# property: the plug-ins on trees that are made up: doctor, check, trace, start, stop, test, bench, plot, report,
# tune; their JSON against the schemas, their help against manual pages and completion.
# Run by make check, in the build folder.
srcdir=${srcdir:-$(dirname "$0")/..}
top=$(cd "$srcdir" && pwd)
build=$(pwd)
. "$top/tests/lib.sh"
. "$top/tests/tools/common.sh"

# A machine on which all is well.
healthy_tree() {
	rm -rf "$root"
	put "$root/proc/cmdline" "root=/dev/sda isolcpus=1 evl.oob_cpus=1"
	put "$root/boot/config-$release" "CONFIG_DOVETAIL=y
CONFIG_IRQ_PIPELINE=y"
	put "$root/proc/self/limits" "Max locked memory         unlimited            unlimited            bytes"
	put "$root/proc/loadavg" "0.00 0.00 0.00 1/100 1"
	put "$root/proc/meminfo" "MemAvailable:    4000000 kB"
	put "$root/proc/sys/kernel/nmi_watchdog" 0
	put "$root/dev/kmsg" "booted"
	put "$root/sys/devices/system/cpu/online" 0-3
	put "$root/sys/devices/system/cpu/isolated" 1
	put "$root/sys/devices/system/clocksource/clocksource0/current_clocksource" tsc
	put "$sys/evl/control/state" running
	put "$sys/evl/control/cpus" 1
	put "$sys/evl/control/abi" "1 1000000"
	put "$sys/evl/control/features" "runstats watchdog"
	put "$sys/clock/monotonic/gravity" "2000i 3500k 3500u"
	put "$root/dev/evl/control" ""
	put "$root/dev/latmus" ""
	chmod 666 "$root/dev/evl/control"
	put "$tracing/tracing_on" 0
	mkdir -p "$tracing/events/evl" "$root/run"
	chmod -R a+rX "$root"
	chmod a+rx "$work"
}

doctor() { in_tree "$cmddir/evl-doctor" "$@"; }
row_is() { grep -q "^$2  *$1 " "$work/out"; }

### doctor
mkdir -p "$root"
EVL_ROOT=$root EVL_SYSDIR=$root/none check "doctor on an empty tree: 1" status_is 1 "$cmddir/evl-doctor"
[ "$(grep -m1 '^FAIL' "$work/out" | grep -c 'no core')" = 1 ]
ok $? "the first that fails is: no core"
healthy_tree
check "doctor on a healthy tree: 0" status_is 0 doctor
refuse "nothing fails, nothing warns" grep -E '^(FAIL|WARN)' "$work/out"
check "--live as well" status_is 0 doctor --live
refuse "neither there" grep -E '^(FAIL|WARN)' "$work/out"

# broken ROW VERDICT WORDS-OF-THE-REMEDY: exactly that row is at fault.
broken() {
	local row="$1" verdict=$2 words=$3
	shift 3
	check "doctor, $row broken" status_is "$([ "$verdict" = FAIL ] && echo 1 || echo 0)" doctor "$@"
	row_is "$row" "$verdict"
	ok $? "$row: $verdict"
	[ "$(grep -cE '^(FAIL|WARN)' "$work/out")" = 1 ]
	ok $? "$row: and no other row"
	check "$row: the remedy" says "$words"
	healthy_tree
}

put "$sys/evl/control/state" stopped
broken core FAIL 'evl start'
put "$sys/evl/control/cpus" ""
: >"$root/sys/devices/system/cpu/isolated"; put "$root/sys/devices/system/cpu/online" 0
broken cpus FAIL 'evl.oob_cpus=LIST'
: >"$root/sys/devices/system/cpu/isolated"
broken isolation WARN 'isolcpus=1 evl.oob_cpus=1'
rm "$root/dev/latmus"
broken drivers WARN 'modprobe evl-latmus'
put "$sys/evl/control/abi" "500000 1000000"
broken abi FAIL 'install the library'
put "$sys/evl/control/abi" "0 0"
broken abi FAIL 'install the module'
put "$root/sys/devices/system/clocksource/clocksource0/current_clocksource" hpet
broken clocksource WARN 'tsc=nowatchdog'
put "$sys/clock/monotonic/gravity" "0i 0k 0u"
broken gravity WARN 'evl tune'
put "$root/boot/config-$release" "CONFIG_SMP=y"
broken kernel FAIL 'dovetail-patches'
put "$root/proc/cmdline" "root=/dev/sda irq_pipeline=off"
broken pipeline FAIL 'remove irq_pipeline=off'
put "$root/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor" powersave
broken governor WARN 'performance' --live
put "$root/proc/sys/kernel/nmi_watchdog" 1
broken nmi_watchdog WARN 'nmi_watchdog=0' --live
put "$root/proc/irq/9/smp_affinity_list" 0-3
broken irq_affinity WARN 'smp_affinity_list' --live
put "$root/sys/kernel/mm/transparent_hugepage/enabled" "[always] madvise never"
broken hugepages WARN 'madvise' --live
mkdir -p "$root/sys/devices/system/cpu/cpu0/cpuidle/state1"
put "$root/sys/devices/system/cpu/cpu0/cpuidle/state1/latency" 30
put "$root/sys/devices/system/cpu/cpu0/cpuidle/state1/disable" 0
broken idle WARN 'cpu_dma_latency' --live

if [ "$(id -u)" = 0 ]; then
	rm -rf "$tracing"
	broken tracing WARN 'mount -t tracefs'
fi
script "$work/bin/df" <<'END'
printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 100000 90000 10000 90%% /\n'
END
PATH=$work/bin:$PATH
broken disk WARN 'make room'
rm "$work/bin/df"

# The same for a user without privileges, to whom some rows matter that do not to root.
doctor() { as_nobody env EVL_ROOT="$root" EVL_SYSDIR="$sys" EVL_TRACEDIR="$tracing" EVL_CMDDIR="$cmddir" "$cmddir/evl-doctor" "$@"; }
check "doctor on a healthy tree, not root: 0" status_is 0 doctor
refuse "nothing fails, nothing warns there" grep -E '^(FAIL|WARN)' "$work/out"
chmod 000 "$root/dev/evl/control"
broken permissions FAIL 'usermod -aG evl'
put "$root/proc/self/limits" "Max locked memory         65536                65536                bytes"
broken memlock WARN '@evl - memlock unlimited'
doctor() { in_tree "$cmddir/evl-doctor" "$@"; }

rm -rf "$sys/evl" "$sys/clock" "$root/dev/evl"
check "no core, a kernel which would take it" status_is 1 doctor
check "load it" says '-> .*modprobe evl'
put "$root/dev/kmsg" "[    1.2] dovetail: evl refused: Hyper-V eats interrupts"
check "no core, and the kernel said why" status_is 1 doctor
check "its words" says 'refused the core: Hyper-V eats interrupts'
put "$root/proc/cmdline" "irq_pipeline=off"
check "no core because of irq_pipeline=off" status_is 1 doctor
check "first that" says 'first the failure above'
healthy_tree
### check
config=$work/config
printf '%s\n' '# Linux/x86 6.12 Kernel Configuration' CONFIG_IRQ_PIPELINE=y CONFIG_DOVETAIL=y CONFIG_IKCONFIG_PROC=y >"$config"
check_config() { "$cmddir/evl-check" -f "$config.one" "$@"; }
for setting in CONFIG_DEBUG_HARD_LOCKS=y CONFIG_ACPI_PROCESSOR_IDLE=y CONFIG_LOCKDEP=y CONFIG_DEBUG_LIST=y CONFIG_DEBUG_VM=y \
	CONFIG_DEBUG_PER_CPU_MAPS=y CONFIG_KASAN=y CONFIG_DEBUG_ENTRY=y CONFIG_EVL_DEBUG_CORE=y CONFIG_EVL_DEBUG_MEMORY=y CONFIG_FTRACE=y; do
	{ cat "$config"; echo $setting; } >"$config.one"
	status_is 1 check_config && [ "$(cat "$work/out")" = $setting ]
	ok $? "the list finds $setting, and nothing else"
done
{ cat "$config"; echo CONFIG_CPU_FREQ=y; } >"$config.one"
status_is 1 check_config && [ "$(cat "$work/out")" = CONFIG_CPU_FREQ_DEFAULT_GOV_PERFORMANCE=n ]
ok $? "the governor, if there are frequencies"
{ cat "$config"; echo CONFIG_ARM=y; } >"$config.one"
status_is 1 check_config && [ "$(cat "$work/out")" = CONFIG_VDSO=n ]
ok $? "the vDSO, on ARM"
{ cat "$config"; echo CONFIG_FTRACE=y; echo CONFIG_KASAN=y; } >"$config.one"
check "profile analysis leaves the tracer alone" status_is 1 check_config --profile=analysis
refuse "and does not name it" says FTRACE
check "profile porting, the checkers too" status_is 0 check_config --profile=porting
check "no such profile: 255" status_is 255 check_config --profile=party
check "--explain" status_is 2 check_config --explain
check "reason, cost, remedy" sh -c 'grep -q "reason: Instruments" "$1" && grep -q "cost:   hundreds of us" "$1" && grep -q "remedy: .*CONFIG_KASAN=n" "$1"' - "$work/out"
check "--fix" status_is 2 check_config --fix="$work/fix"
check "what is there is not replaced" status_is 255 check_config --fix="$work/fix"
{ grep -vE 'KASAN|FTRACE' "$config.one"; cat "$work/fix"; } >"$config.fixed"
check "merged, it makes the configuration clean" status_is 0 "$cmddir/evl-check" -f "$config.fixed"
check "--json" status_is 2 check_config --json
cp "$work/out" "$work/check.json"
put "$root/proc/sys/kernel/nmi_watchdog" 1
check "--live adds the machine as it runs" status_is 3 in_tree "$cmddir/evl-check" -f "$config.one" --live
check "by name" says '^nmi_watchdog: '
healthy_tree

### trace
trace_tree() {
	local e
	rm -rf "$tracing"
	for e in irq/irq_pipeline_entry irq/irq_pipeline_exit irq/irq_handler_entry irq/irq_handler_exit irq/other evl/evl_timer_shot \
		evl/evl_trigger evl/evl_latspot evl/evl_wakeup; do
		put "$tracing/events/$e/enable" 0
	done
	put "$tracing/events/enable" 0
	put "$tracing/events/evl/enable" 0
	for e in tracing_on:0 current_tracer:nop buffer_size_kb:7 trace_clock:'[local] global mono' tracing_cpumask:f trace:; do
		put "$tracing/${e%%:*}" "${e#*:}"
	done
	for e in 0 1; do
		put "$tracing/per_cpu/cpu$e/buffer_size_kb" 7
		put "$tracing/per_cpu/cpu$e/snapshot" "entry of cpu$e"
		put "$tracing/per_cpu/cpu$e/trace" "trace of cpu$e"
	done
	put "$tracing/snapshot" "snapshot of all"
}
trace() { in_tree "$cmddir/evl-trace" "$@"; }
tree_sum() { (cd "$tracing" && find . -type f | sort | xargs cat) | cksum; }
enabled() { (cd "$tracing/events" && grep -lx 1 ./*/enable ./*/*/enable | sort | tr '\n' ' '); }

trace_tree
check "trace -eirq" status_is 0 trace -eirq
[ "$(enabled)" = "./evl/evl_latspot/enable ./evl/evl_timer_shot/enable ./evl/evl_trigger/enable ./irq/irq_handler_entry/enable ./irq/irq_handler_exit/enable ./irq/irq_pipeline_entry/enable ./irq/irq_pipeline_exit/enable " ]
ok $? "the seven events of the group which exist, and no other ($(enabled))"
check "tracing is on" grep -qx 1 "$tracing/tracing_on"
check "and said so" says 'tracing enabled'
check "clock of the core" grep -qx mono "$tracing/trace_clock"
check "trace -d" status_is 0 trace -d
[ -z "$(enabled)" ] && grep -qx 0 "$tracing/tracing_on" && grep -qx nop "$tracing/current_tracer"
ok $? "tracing off, no event, no tracer"
grep -qx local "$tracing/trace_clock" && grep -qx 7 "$tracing/buffer_size_kb"
ok $? "clock and buffer as they were"
trace_tree
rm -r "$tracing/events/irq/irq_pipeline_exit" "$tracing/events/evl/evl_trigger"
check "trace -eirq, two events of which there are not" status_is 0 trace -eirq
[ "$(enabled | wc -w)" = 5 ] && grep -qx 1 "$tracing/tracing_on"
ok $? "the others are traced"
trace -d >/dev/null
before=$(tree_sum)
check "trace -t -eirq" status_is 0 trace -t -eirq
[ "$(tree_sum)" = "$before" ]
ok $? "changes no file"
check "prints the writes" says '^events/irq/irq_handler_entry/enable <- 1'
check "and events this kernel does not know" says 'irq_pipeline_exit: unknown'
check "trace -e: everything" status_is 0 trace -e
check "the function tracer" grep -qx function "$tracing/current_tracer"
trace_tree
check "an unknown group: 2" status_is 2 trace -eparty
check "which groups there are" says 'evl irq timer'
check "an unreadable file: 2" status_is 2 trace -E "$work/nothing"
printf '# mine\n\nirq/other\n' >"$work/mine"
check "events of a file" status_is 0 trace -E "$work/mine"
[ "$(enabled)" = "./irq/other/enable " ]
ok $? "those, and no other"
trace_tree
check "trace -c1 -s4096" status_is 0 trace -c1 -s4096
[ "$(cat "$tracing/buffer_size_kb" "$tracing/per_cpu/cpu0/buffer_size_kb" "$tracing/per_cpu/cpu1/buffer_size_kb" | tr '\n' ' ')" = "7 7 4096 " ]
ok $? "the buffer of CPU 1 only"
check "no option: the snapshot" status_is 0 trace
check "of all" says 'snapshot of all'
check "trace -c 1" status_is 0 trace -c 1
check "that of CPU 1" says 'entry of cpu1'
check "no such CPU: 2" status_is 2 trace -c 9
rm "$tracing/snapshot" "$tracing"/per_cpu/*/snapshot
check "no snapshots: enabling works" status_is 0 trace -eevl
check "and says so" says 'takes no snapshots'
rm -rf "$tracing/events/evl"
check "no events of the core: 3" status_is 3 trace -eirq
rm -rf "$tracing" "$root/sys/kernel/debug"
if [ "$(id -u)" = 0 ]; then
	check "no tracing files: 3" status_is 3 env EVL_ROOT="$root" "$cmddir/evl-trace" -eirq
fi
for word in -e:-d -t: --json: ; do
	check "trace ${word%%:*} ${word#*:} does not fit" status_is 2 trace "${word%%:*}" -p ${word#*:}
done
cat >"$work/trace" <<'END'
# tracer: nop
          <idle>-0       [000] d.Z1.   123.682880: evl_shot: date=123683877418
          <idle>-0       [001] d.Z1.   123.683800: evl_wakeup: other cpu=1 mask=0x2 info=0x0
          <idle>-0       [000] d.Z1.   123.683878: evl_timer_expire: timer=0000000095fdfd59 handler=latmus_tick [evl_latmus] expires=123683877418
          <idle>-0       [000] d.Z1.   123.683879: evl_wakeup: latmus:108 cpu=0 mask=0x2 info=0x0
          <idle>-0       [000] d.Z1.   123.683880: evl_preempt: pv_native_safe_halt+0x39/0x40
          <idle>-0       [000] d.Z1.   123.683890: evl_switch: in-band [-1] state=0x1000 -> latmus:108 [90]
          latmus-110     [000] d.z..   123.683894: evl_latspot: latency peak: 15.216 us
END
check "trace --explain of a file" status_is 0 "$cmddir/evl-trace" --explain="$work/trace"
check "the steps" sh -c 'grep -qE "^switched to thread +12.582 +10.000 <" "$1" && grep -qE "^clock read in thread +15.216 +2.634 " "$1"' - "$work/out"
[ "$(grep -c '[0-9] < ' "$work/out")" = 1 ]
ok $? "one is the biggest"
check "when it was programmed" says '997.418 us ahead'
check "--explain --json" status_is 0 "$cmddir/evl-trace" --explain="$work/trace" --json
cp "$work/out" "$work/trace.json"
grep -v latspot "$work/trace" >"$work/trace.none"
check "no peak: 1" status_is 1 "$cmddir/evl-trace" --explain="$work/trace.none"
grep -v expire "$work/trace" >"$work/trace.none"
check "the beginning is lost: 1" status_is 1 "$cmddir/evl-trace" --explain="$work/trace.none"
healthy_tree

### start, stop, status
put "$sys/evl/control/state" stopped
check "start" status_is 0 in_tree "$cmddir/evl-start"
check "writes the word" grep -qx start "$sys/evl/control/state"
put "$sys/evl/control/state" running
check "start what runs" status_is 0 in_tree "$cmddir/evl-start"
check "writes nothing" grep -qx running "$sys/evl/control/state"
check "stop" status_is 0 in_tree "$cmddir/evl-stop"
check "writes its word" grep -qx stop "$sys/evl/control/state"
put "$sys/evl/control/state" running
put "$sys/thread/busy/pid" 999999999
check "stop refuses while threads are attached" status_is 1 in_tree "$cmddir/evl-stop"
check "and names the process" says 999999999
check "status" status_is 0 in_tree "$cmddir/evl-status"
check "prints the state" says '^running$'
rm -rf "$sys/thread"
chmod 444 "$sys/evl/control/state"
check "not writable: 4" status_is 4 as_nobody env EVL_ROOT="$root" EVL_SYSDIR="$sys" "$cmddir/evl-stop"
rm "$sys/evl/control/state"
for command in start stop status; do
	check "$command without a core: 3" status_is 3 in_tree "$cmddir/evl-$command"
done
healthy_tree

### gdb, help
check "gdb without a command: 2" status_is 2 in_tree "$cmddir/evl-gdb"
check "gdb of a script: 2" status_is 2 in_tree "$cmddir/evl-gdb" check
check "because it is one" says 'is a script'
check "gdb of nothing known: 2" status_is 2 in_tree "$cmddir/evl-gdb" party
script "$work/bin/gdb" <<'END'
echo "gdb $*"
END
cp "$build/utils/evl/.libs/evl-ps" "$work/bin/evl-ps" 2>/dev/null || cp "$build/utils/evl/evl-ps" "$work/bin/evl-ps"
EVL_CMDDIR=$work/bin PATH=$work/bin:$PATH check "gdb of a program" status_is 0 "$cmddir/evl-gdb" ps -- -ex run
check "with its arguments" says "^gdb $work/bin/evl-ps -ex run\$"
check "help" status_is 0 "$evl" -P "$cmddir" help
[ "$(sed '/^user commands/,$d' "$work/out" | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p' | tr '\n' ' ')" = "bench check doctor gdb plot ps report start status stop test trace tune " ]
ok $? "lists the commands but itself, sorted"
check "help without a directory: 3" status_is 3 env EVL_CMDDIR="$work/none" "$cmddir/evl-help"

### test
tests=$work/tests
mkdir "$tests"
printf '#!/bin/sh\nexit 0\n' >"$tests/a-good"
printf '#!/bin/sh\necho "<&\\"bad"; exit 1\n' >"$tests/b-bad"
printf '#!/bin/sh\necho "1..0 # SKIP too small"\nexit 77\n' >"$tests/c-skip"
printf '#!/bin/sh\necho "WARNING: CPU: 0 made up" >>"$EVL_ROOT/dev/kmsg"\n' >"$tests/d-splat"
printf '#!/bin/sh\nexit 0\n' >"$tests/e-needs"
chmod +x "$tests"/*
printf 'a-good nocore\ne-needs config=CONFIG_NOWHERE\n' >"$tests/needs"
run_tests() { EVL_TESTDIR=$tests in_tree "$cmddir/evl-test" "$@"; }
check "test: a splat in the kernel log is a failure" status_is 1 run_tests d-splat
check "which is shown" says 'd-splat: FAILED (kernel log: WARNING: CPU: 0 made up)'
check "but not when the log is not looked at" status_is 0 run_tests --no-kernel-log d-splat
check "a splat of before is not charged" status_is 0 run_tests c-skip
check "a need that is not met" status_is 0 run_tests e-needs
check "is named" says 'no kernel support (needs CONFIG_NOWHERE)'
rm -rf "$sys/evl"
check "--in-band: what needs no core" status_is 0 run_tests --in-band -l
[ "$(cat "$work/out")" = a-good ]
ok $? "is one"
check "--repeat" status_is 0 run_tests --repeat=3 a-good
[ "$(grep -c 'a-good: OK' "$work/out")" = 3 ]
ok $? "three times"
check "--shuffle" status_is 1 run_tests -k --shuffle=7 --repeat=4
cp "$work/out" "$work/shuffled"
check "the seed is said" says '--shuffle=7'
run_tests -k --shuffle=7 --repeat=4 2>/dev/null | cmp -s - "$work/shuffled"
ok $? "the same seed, the same order"
run_tests -k --shuffle=8 --repeat=4 2>/dev/null | cmp -s - "$work/shuffled"
[ $? = 1 ]
ok $? "another seed, another order"
check "--junit" status_is 1 run_tests -k --junit="$work/junit.xml"
check "is XML with the right counts" python3 -c '
import sys, xml.etree.ElementTree as tree
s = tree.parse(sys.argv[1]).getroot()
assert [s.get(k) for k in ("tests", "failures", "skipped")] == ["5", "2", "2"], s.attrib
assert len(s.findall("testcase")) == 5 and len(s.findall("testcase/failure")) == 2' "$work/junit.xml"
check "an existing file is not replaced" status_is 2 run_tests --junit="$work/junit.xml"
check "--tap" status_is 1 run_tests --tap
check "says that it stopped" says '^Bail out!'
check "--json" status_is 1 run_tests -k --json
cp "$work/out" "$work/test.json"
healthy_tree

### plot
printf '%s\n' '# Linux version 5.5.0-rc7 (x) #1 SMP' '# sampling period: 1000 microseconds' '# context: user' \
	'# min latency: 0.205' '# avg latency: 3.097' '# max latency: 25.510' '# sample count: 71598' >"$work/published"
for cell in 0:95 1:25561 2:18747 3:2677 4:6592 5:17056 6:664 7:48 8:18 9:12 10:18 11:24 12:14 13:2 14:6 15:5 16:5 17:6 18:23 \
	19:17 20:3 21:1 22:1 23:1 24:1 25:1; do echo "${cell%:*} ${cell#*:}"; done >>"$work/published"
plot() { "$cmddir/evl-plot" "$@"; }
check "plot on the terminal" status_is 0 plot "$work/published"
check "with its figures" says 'min 0.205  avg 3.097  p99.9 14.000  max 25.510 us, 71598 samples'
if command -v gnuplot >/dev/null; then
	for suffix in png svg pdf; do
		check "plot to .$suffix" status_is 0 plot -o "$work/plot.$suffix" "$work/published"
		[ -s "$work/plot.$suffix" ]
		ok $? "which is not empty"
	done
	check "is SVG" grep -q '<svg' "$work/plot.svg"
	grep -q 'latency (us)' "$work/plot.svg" && grep -q 'samples per cell of 1 us' "$work/plot.svg" && grep -q 'max 25.510' "$work/plot.svg"
	ok $? "axes and marks have their words"
	check "the legend has figures and their number" grep -q 'max 25.510 us, 71598 samples' "$work/plot.svg"
	check "a picture is not replaced" status_is 2 plot -o "$work/plot.png" "$work/published"
	check "two on one" status_is 0 plot -o "$work/two.svg" -l idle -l loaded "$work/published" "$work/published"
	grep -q 'idle: min' "$work/two.svg" && grep -q 'loaded: min' "$work/two.svg"
	ok $? "with a legend"
else
	note "gnuplot is not installed (Debian package gnuplot-nox): no pictures"
fi
mkdir "$work/few"
for tool in sh awk sed cat head tail tr cut grep mktemp rm basename dirname readlink sort getopt iconv wc id env mv cp; do
	ln -s "$(command -v $tool)" "$work/few/$tool"
done
PATH=$work/few check "without gnuplot, on the terminal" status_is 0 plot -o "$work/none.png" "$work/published"
check "what is missing" says 'gnuplot is not installed'
check "and the plot" says '^ *0.000 '
check "a suffix nobody knows: 2" status_is 2 plot -o "$work/plot.bmp" "$work/published"
check "a file without a histogram: 2" status_is 2 plot "$config"
check "no file: 2" status_is 2 plot
printf '%s\n' '{"file_version":1,"thread":{"0":{"histogram":{"3":20,"4":80,"9":1},"cycles":101,"min":3,"max":9,"avg":3.85}}}' >"$work/cyclic.json"
check "JSON of cyclictest" status_is 0 plot "$work/cyclic.json"
check "its figures" says 'in-band: min 3.000  avg 3.850 .*max 9.000'
printf '%s\n' '# Histogram' '000003 000020	000001' '000004 000080	000002' '# Min Latencies: 00003' '# Avg Latencies: 00003' '# Max Latencies: 00009' >"$work/cyclic.hist"
check "histogram of cyclictest, threads summed" status_is 0 plot "$work/cyclic.hist"
check "its count" says '4.000 *82 '

### bench
bench() { in_tree "$cmddir/evl-bench" "$@"; }
check "bench --dry-run" status_is 0 bench --dry-run --load=idle,grinder
check "the loads" says '^loads: *idle grinder'
check "CPUs of the load: not the isolated one, to the last" says '^load CPUs: 0,2-3$'
check "its memory" says ' 2343 MiB'
check "its limit" says '^limit: *95 degrees'
script "$work/bin/latmus" <<'END'
: >"$(dirname "$0")/started"
END
cp "$work/bin/latmus" "$work/bin/hackbench"
cp "$work/bin/latmus" "$work/bin/stress-ng"
PATH=$work/bin:$PATH check "bench --dry-run of all loads" status_is 0 bench --dry-run --load=none,idle,grinder,neighbour
[ ! -e "$work/bin/started" ]
ok $? "starts nothing"
rm "$work/bin/stress-ng"
check "a load nobody knows: 2" status_is 2 bench --load=party
check "a time nobody can read: 2" status_is 2 bench -T 1y
put "$root/proc/meminfo" "MemAvailable:    40000 kB"
check "no memory: refused" status_is 1 bench --load=grinder
put "$root/proc/meminfo" "MemAvailable:    4000000 kB"
put "$root/sys/class/power_supply/BAT0/type" Battery
put "$root/sys/class/power_supply/BAT0/status" Discharging
check "on battery: refused" status_is 1 bench --load=grinder
check "and why" says 'battery'
rm -r "$root/sys/class/power_supply"
put "$root/sys/class/thermal/thermal_zone0/temp" 99000
check "too hot: refused" status_is 1 bench --load=grinder
rm -r "$root/sys/class/thermal"
# A latmus that takes its time, a hackbench that can be told from others.
script "$work/bin/latmus" <<'END'
file=/dev/null
for word in "$@"; do case $word in --json=*) file=${word#--json=} ;; esac; done
[ -z "${FAKE_SLOW:-}" ] || sleep 30
cat "$FAKE_RESULT" >"$file"
END
printf '#!/bin/sh\nexec sleep 987654\n' >"$work/bin/hackbench"
chmod +x "$work/bin/hackbench"
cat >"$work/result" <<'END'
{"schema":{"name":"evl-latmus","version":1},"tool":"latmus","version":"evl.1","abi":32,"started":"2026-11-25T10:00:00Z","host":"h","kernel":"k","cmdline":"c","arguments":["-u"],"context":"user","period_us":1000,"priority":90,"cpu":1,"cpu_isolated":true,"gravity_ns":{"irq":0,"kernel":0,"user":0},"clocksource":"tsc","vdso":"architected","cstates_restricted":true,"requested_s":5,"elapsed_s":5.0,"peak_at_s":1.0,"samples":30,"overruns":0,"mode_switches":0,"early":0,"outliers":0,"min_ns":1200,"avg_ns":1500,"max_ns":2900,"stddev_ns":10,"percentiles_ns":{"50":1500,"99.9":null},"histogram":{"kind":"linear","cell_ns":1000,"first":0,"counts":[0,20,10]},"spikes":[{"at_s":1.0,"value_ns":2900}],"stopped_by":"timeout","tainted":false,"taint_reason":null,"load":null}
END
export FAKE_RESULT="$work/result"
PATH=$work/bin:$PATH check "bench --json" status_is 0 bench --json -c user,irq
cp "$work/out" "$work/bench.json"
PATH=$work/bin:$PATH check "bench with a directory" status_is 0 bench -o "$work/results" -T 1
[ -s "$work/results/bench.json" ] && grep -q '^user *none *1.2 ' "$work/results/report.txt"
ok $? "of results, a page of text among them"
check "its document can be plotted" status_is 0 plot "$work/bench.json"
cp "$work/out" "$work/plotted"
for name in - /dev/stdin; do
	check "from a pipe, $name" status_is 0 sh -c 'cat "$1" | "$2" "$3"' - "$work/bench.json" "$cmddir/evl-plot" $name
	# But for the name of the file, which tells two of a kind apart.
	sed 's/ ([^ ]*)//' "$work/plotted" >"$work/without" && sed 's/ ([^ ]*)//' "$work/out" | cmp -s - "$work/without"
	ok $? "the same"
done
check "a folder is no result: 2" status_is 2 plot "$work"
# Of the load, not of whatever runs beside us.
load_runs() { ps ax | grep -q '[s]leep 987654'; }
await() { # COMMAND...: within ten seconds
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return
		sleep 0.1
	done
}
load_is_gone() { ! load_runs; }
for signal in TERM INT HUP KILL; do
	# The shell starts background jobs with SIGINT ignored, which nothing brings back.
	FAKE_SLOW=1 EVL_ROOT=$root PATH=$work/bin:$PATH python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$cmddir/evl-bench" -L grinder -T 1 >/dev/null 2>&1 &
	pid=$!
	await load_runs
	ok $? "bench: a load runs"
	kill -$signal $pid
	wait $pid
	await load_is_gone
	ok $? "ended midway by SIG$signal, no load is left"
done

### report
check "report --list" status_is 0 in_tree "$cmddir/evl-report" --list "$config"
check "holds doctor's rows, and what was added" sh -c 'grep -q doctor.txt "$1" && grep -q added-config "$1"' - "$work/out"
put "$root/proc/cmdline" "host=$(uname -n) ip=192.168.7.9 mac=52:54:00:12:34:56"
check "report --hide" status_is 0 in_tree "$cmddir/evl-report" --hide -o "$work/report.tar.gz"
tar -xzOf "$work/report.tar.gz" --wildcards '*/bootline.txt' >"$work/bootline"
check "name and addresses are gone" sh -c 'grep -q "host=HOST ip=ADDRESS mac=ADDRESS" "$1"' - "$work/bootline"
check "an archive is not replaced" status_is 2 in_tree "$cmddir/evl-report" -o "$work/report.tar.gz"
sed 's/max latency: 25.510/max latency: 29.5/' "$work/published" >"$work/worse"
check "compare: worse by 15 %" status_is 1 "$cmddir/evl-report" --compare "$work/published" "$work/worse"
check "which is within 20 %" status_is 0 "$cmddir/evl-report" --compare --limit=20% "$work/published" "$work/worse"
check "better is not worse" status_is 0 "$cmddir/evl-report" --compare "$work/worse" "$work/published"
check "compare --json" status_is 1 "$cmddir/evl-report" --compare --json "$work/published" "$work/worse"
cp "$work/out" "$work/report.json"

### tune
healthy_tree
tune() { in_tree env PATH="$work/bin:$PATH" "$cmddir/evl-tune" "$@"; }
check "tune --save" status_is 0 tune --save
check "before and after" sh -c 'grep -q "^before: gravity" "$1" && grep -q "^after:  gravity" "$1"' - "$work/out"
check "is kept" grep -qx '2000i 3500k 3500u' "$root/etc/evl/gravity"
put "$sys/clock/monotonic/gravity" "0i 0k 0u"
check "tune --apply" status_is 0 tune --apply
check "sets it again" grep -qx '2000i 3500k 3500u' "$sys/clock/monotonic/gravity"
put "$sys/clock/monotonic/gravity" "1i 2k 3u"
check "tune --keep" status_is 0 tune --keep
[ "$(cat "$root/etc/evl/gravity")" = "$(uname -r)
1i 2k 3u" ]
ok $? "keeps what is in force, in the same form"
rm -r "$root/etc/evl"
: >"$root/etc/evl"
check "tune --keep, nowhere to write: 4" status_is 4 tune --keep
rm "$root/etc/evl"
mkdir "$root/etc/evl"
put "$root/etc/evl/gravity" "other-kernel
2000i 3500k 3500u"
check "not on another kernel" status_is 1 tune --apply
check "unless told" status_is 0 tune --apply --force
put "$root/etc/evl/gravity" "$(uname -r)
rm -rf"
check "not if it holds anything else" status_is 1 tune --apply
unit=$top/debian/evl-utils.evl-gravity.service
# What the service of the package does at a boot, with the environment systemd gives it: "skipped", or the status.
boot() {
	local path status=0
	for path in $(sed -n 's/^ConditionPathExists=//p' "$unit"); do
		[ -e "$root$path" ] || { echo skipped; return; }
	done
	# shellcheck disable=SC2046
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin EVL_ROOT="$root" EVL_SYSDIR="$sys" EVL_PROGRAM="$evl" \
		"$evl" -P "$cmddir" $(sed -n 's,^ExecStart=/usr/bin/evl ,,p' "$unit") >"$work/out" 2>"$work/err" || status=$?
	echo $status
}
boots() { # STATUS GRAVITY WORDS TEXT: that status, this gravity in force, those words
	put "$sys/clock/monotonic/gravity" "1i 2k 3u"
	[ "$(boot)" = "$1" ] && grep -qx "$2" "$sys/clock/monotonic/gravity" && says "$3"
	ok $? "boot: $4 ($(tail -n 1 "$work/err"))"
}
kept() { printf '%s' "$1" >"$root/etc/evl/gravity"; }
if [ -e "$unit" ]; then
	kept "$(printf '%s\n%s\n' "$release" '2000i 3500k 3500u')"
	boots 0 '2000i 3500k 3500u' 'gravity is 2000i' "a calibration is set"
	kept "$(printf '%s\n%s' "$release" '2000i 3500k 3500u')"
	boots 0 '2000i 3500k 3500u' 'gravity is 2000i' "without a newline at its end, too"
	kept ''
	boots 1 '1i 2k 3u' 'does not hold a gravity; evl tune --save' "an empty file is refused, the core keeps what it has"
	kept "$release"
	boots 1 '1i 2k 3u' 'does not hold a gravity; evl tune --save' "so is half of one"
	for text in '2000i 3500k' '2000i 3500k 3500u 1u' '-1i 2k 3u' '2000 3500 3500' '99999999i 2k 3u' '2000i 3500k 3500u; reboot'; do
		kept "$(printf '%s\n%s\n' "$release" "$text")"
		boots 1 '1i 2k 3u' 'does not hold a gravity; evl tune --save' "so is '$text'"
	done
	head -c 300 /dev/zero >"$root/etc/evl/gravity"
	boots 1 '1i 2k 3u' 'does not hold a gravity; evl tune --save' "so are zeros, as after a crash"
	kept "$(printf 'other-kernel\n%s\n' '2000i 3500k 3500u')"
	boots 1 '1i 2k 3u' 'was made on kernel other-kernel, this is .*; calibrate anew' "so is one of another kernel"
	rm "$root/etc/evl/gravity"
	[ "$(boot)" = skipped ]
	ok $? "boot: without a calibration the service is skipped, which is no failure"
	kept "$(printf '%s\n%s\n' "$release" '2000i 3500k 3500u')"
	mv "$sys/clock" "$work/clock"
	[ "$(boot)" = skipped ]
	ok $? "boot: so it is without the core"
	mv "$work/clock" "$sys/clock"
	rm "$root/etc/evl/gravity"
	mkdir "$root/etc/evl/gravity"
	boots 1 '1i 2k 3u' 'does not hold a gravity; evl tune --save' "a directory in its place is refused"
	rmdir "$root/etc/evl/gravity"
else
	note "the packaging is not here: the service was not tried"
fi
put "$root/proc/loadavg" "9.00 0.00 0.00 1/100 1"
check "a busy machine is refused" status_is 1 tune
check "tune --hints" status_is 0 tune --hints
check "tune --json" status_is 0 tune --json --hints
cp "$work/out" "$work/tune.json"
rm -rf "$sys/clock"
check "tune without a core: 3" status_is 3 tune

### JSON: what the schemas promise
healthy_tree
doctor --json >"$work/doctor.json"
mkdir -p "$sys/thread/clone"
for name in 'axis 1412 "3 fifo 80 80" 0x00004006 "1 200 300 4 61000001000 42" 998120000 timer' \
	'feeder 388 "1 fifo 50 50" 0x00000002 "0 20 3 9 0 0" 0 flag'; do
	eval "set -- $name"
	put "$sys/thread/$1/pid" "$2"
	put "$sys/thread/$1/sched" "$3"
	put "$sys/thread/$1/state" "$4"
	put "$sys/thread/$1/stats" "$5"
	put "$sys/thread/$1/timeout" "$6"
	put "$sys/thread/$1/wchan" "$7"
done
in_tree "$cmddir/evl-ps" --json >"$work/ps.json"
in_tree "$cmddir/evl-ps" -l -w >"$work/ps.table"
awk -f "$cmddir/json.awk" "$work/ps.json" | awk -F'\t' '
	{ split($1, part, "/") }
	part[1] == "threads" { v[part[2], part[3]] = $2; n = part[2] + 1 }
	END {
		for (i = 0; i < n; i++) {
			us = int(v[i, "cputime_ns"] / 1000)
			print v[i, "cpu"], v[i, "pid"], v[i, "sched"], v[i, "prio"], v[i, "isw"], v[i, "ctxsw"], v[i, "sys"], v[i, "rwa"],
				v[i, "stat"], (v[i, "timeout_ns"] + 0 ? int(v[i, "timeout_ns"] / 1000000) "ms" v[i, "timeout_ns"] % 1000000 / 1000 "us" : "-"),
				sprintf("%.1f", v[i, "cpu_share_permille"] / 10),
				sprintf("%02d:%03d.%03d", us / 60000000, us % 60000000 / 1000, us % 1000), v[i, "wchan"],
				(v[i, "kernel"] == "true" ? "[" v[i, "name"] "]" : v[i, "name"])
		}
	}' >"$work/ps.values"
awk 'NR > 1 { $1 = $1; print }' "$work/ps.table" | cmp - "$work/ps.values" && [ "$(wc -l <"$work/ps.values")" = 2 ]
ok $? "ps: JSON holds what the table shows"
python=$(for p in python3 /usr/bin/python3; do $p -c 'import jsonschema' 2>/dev/null && { echo $p; break; }; done)
for name in bench check doctor ps report test trace tune; do
	if [ -n "$python" ]; then
		check "evl $name: JSON as its schema says" "$python" "$top/tests/tools/validate" "$top/utils/schemas" "$work/$name.json"
	fi
	awk -f "$cmddir/json.awk" "$work/$name.json" | grep -q "^schema/name	evl-$name\$"
	ok $? "evl $name: JSON names its schema"
done
[ -n "$python" ] || note "schemas were not applied: python3-jsonschema is not installed"
for text in '{"a":}' '{"a":1' '[1,]' '{"a" 1}' '1 2'; do
	refuse "no JSON: $text" sh -c 'printf "%s\n" "$1" | awk -f "$2"' - "$text" "$cmddir/json.awk"
done

### help, manual pages, completion
long_options() { "$1" -h 2>/dev/null | grep -E '^ +-' | sed 's/   *[^- ].*$//' | grep -oE -- '(^|[ ,])--?[A-Za-z][A-Za-z0-9-]*' | tr -d ' ,' | sort -u; }
page_options() { grep -E '^\.It Fl' "$1" | grep -oE 'Fl -?[A-Za-z][A-Za-z0-9-]*' | sed 's/^Fl /-/' | sort -u; }
completion=$build/utils/completion/evl
completes_all() { # CALLED: the options of $name
	for option in $(cat "$work/options"); do
		sed -n "s/^\t$name) options=\"\(.*\)\" ;;/ \1 /p" "$completion" | grep -q -- " $option " || echo "$option"
	done >"$work/missing"
	[ ! -s "$work/missing" ]
	ok $? "$1: completion has them all $(tr '\n' ' ' <"$work/missing")"
}
for name in bench check doctor gdb help plot ps report start stop status test trace tune; do
	page=$top/utils/man/evl-$name.1
	check "evl-$name has a manual page" test -s "$page"
	[ "$("$cmddir/evl-$name" -@ | grep -c .)" = 1 ]
	ok $? "evl-$name describes itself in a line"
	check "evl-$name: an unknown option is refused" status_is "$([ $name = check ] && echo 255 || echo 2)" "$cmddir/evl-$name" --frobnicate
	long_options "$cmddir/evl-$name" >"$work/options"
	case $name in
	stop|status) page=$top/utils/man/evl-start.1 ;;	# one page for the three
	esac
	page_options "$page" >"$work/in-page"
	if [ $name = start ]; then
		# Its page has the options of evl stop, too.
		comm -23 "$work/options" "$work/in-page" >"$work/missing"
		check "evl-$name: the page has all options" test ! -s "$work/missing"
	elif [ $name = status ] || [ $name = stop ]; then
		comm -23 "$work/options" "$work/in-page" >"$work/missing"
		check "evl-$name: the page of evl start has all options" test ! -s "$work/missing"
	else
		check "evl-$name: help and page have the same options" cmp "$work/options" "$work/in-page"
	fi
	completes_all "evl-$name"
	refuse "evl-$name: no colours where there is no terminal" sh -c '"$1" -h | grep -q "$(printf "\033")"' - "$cmddir/evl-$name"
done
for program in evl/evl latmus/latmus latmon/latmon hectic/hectic; do
	name=${program##*/}
	long_options "$build/utils/$program" >"$work/options"
	[ "$(wc -l <"$work/options")" -ge 5 ]
	ok $? "$name has options ($(wc -l <"$work/options"))"
	# An old spelling is not in the help.
	page_options "$top/utils/man/$name.1" | grep -vxe --maxlat-abort >"$work/in-page"
	check "$name: help and page have the same options" cmp "$work/options" "$work/in-page"
	completes_all "$name"
	refuse "$name: no colours where there is no terminal" sh -c '"$1" -h | grep -q "$(printf "\033")"' - "$build/utils/$program"
done
# On a terminal there are, unless NO_COLOR is set: what is looked for can be there.
escapes() { grep -q "$(printf '\033')" "$1"; }
if [ -x /usr/bin/script ]; then
	# Not the function of that name.
	on_terminal() { command script -qec "$1" /dev/null >"$work/out" 2>&1 </dev/null; }
	put "$sys/evl/control/state" stopped
	export EVL_ROOT="$root" EVL_SYSDIR="$sys"
	unset NO_COLOR
	TERM=xterm on_terminal "$cmddir/evl-doctor"
	check "evl-doctor: colours on a terminal" escapes "$work/out"
	NO_COLOR=1 on_terminal "$cmddir/evl-doctor"
	refuse "evl-doctor: none with NO_COLOR" escapes "$work/out"
	"$cmddir/evl-doctor" --live >"$work/out"
	refuse "evl-doctor: none in a file, with FAIL and WARN" escapes "$work/out"
	on_terminal "timeout 1 '$cmddir/evl-ps' -s --watch"
	check "evl-ps: growing ISW has a colour on a terminal" escapes "$work/out"
	timeout 1 "$cmddir/evl-ps" -s --watch >"$work/out"
	refuse "evl-ps: not in a file" escapes "$work/out"
	unset EVL_ROOT EVL_SYSDIR
	healthy_tree
else
	note "script(1) is not installed (Debian package bsdutils): nothing was seen on a terminal"
fi
refuse "evl-doctor: nor in its rows" sh -c 'EVL_ROOT=$1 "$2" | grep -q "$(printf "\033")"' - "$root" "$cmddir/evl-doctor"
complete_words() { bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _evl_complete; echo "${COMPREPLY[*]}"' - "$completion" "$@"; }
[ "$(complete_words evl doc)" = doctor ] && [ "$(complete_words evl check --prof)" = --profile ] &&
	[ "$(complete_words evl check --profile an)" = analysis ]
ok $? "bash completes commands, options, values"
finish
