#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: ./evl-vm bench refuses what makes no sense before it builds or starts anything; its
# rows have the shape that docs/latency.md tells, and its medians and ratios are right.
# needs: the host, the kernel of the rig's tests.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

bench() {
	RIG_STATUS=0
	"$RIG_TOP/evl-vm" bench "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || RIG_STATUS=$?
}

# refused TEXT MESSAGE OPTIONS...
refused() {
	local text=$1 message=$2
	shift 2
	bench "$@"
	point "$text" err_has "$message"
	point 'with status 125, before anything ran' test "$RIG_STATUS.$(grep -c ' run 1 of ' "$RIG_DIR/err")" = 125.0
}

refused 'an unknown measurement is refused' 'bench knows four measurements' bandwidth
refused 'no measurement is refused' 'bench knows four measurements'
refused 'an option of the other measurement is refused' "not '--samples'" inband --samples 1000
refused 'a missing value is refused' '--runs wants a value' inband --runs
refused 'no runs are refused' '--runs wants at least 1' inband --runs 0
refused 'a number that is none is refused' "--jobs wants a number, not 'all'" latency --jobs all
refused 'a kernel without ratio is refused' "bench inband compares off and evl, not 'rt'" inband --kernels off,rt
refused 'samples that give no percentile are refused' 'a 99th percentile wants 1000' latency --samples 10
refused 'a load that is none is refused' "--load is idle, loaded or both, not 'heavy'" latency --load heavy
refused 'CPUs which are no number are refused' "--cpus wants a number, not 'all'" scale --cpus 1,all
refused 'nor are numbers as C writes them in octal' "--cpus wants a number, not '010'" scale --cpus 010
refused 'no CPU is refused' '--cpus wants at least 1' scale --cpus 0
refused 'more CPUs than a kernel takes are refused' 'configured for 64 CPUs' scale --cpus 2,65
refused 'a list of nothing is refused' '--cpus wants numbers' scale --cpus ,
refused 'the kernel of a scale is no matter of choice' "not '--kernels'" scale --kernels off
refused 'a kernel nobody has is refused' "bench calls knows the kernels evl, off, ourrt, stock and rt, not 'bsd'" \
	calls --kernels rt,bsd
refused 'operations that make no whole rounds are refused' '--operations 100: expected a multiple of 6' calls --operations 100

# The figures, from made up runs.
EVL_TOP=$RIG_TOP
for part in say bench bench-inband bench-latency bench-scale bench-calls; do
	# shellcheck source=/dev/null
	. "$RIG_TOP/vm/lib/$part.sh"
done

for seconds in 2.0 1.0 1.1; do
	printf '{"kernel":"off","core":false,"workload":"pipe","seconds":%s}\n' "$seconds"
	printf '{"kernel":"off","text_bytes":1000}\n'
done >"$RIG_DIR/rows"
printf '{"kernel":"evl","core":%s,"workload":"pipe","seconds":%s}\n' true 2.2 false 1.2 false 1.0 >>"$RIG_DIR/rows"
printf '{"kernel":"evl","text_bytes":1010}\n' >>"$RIG_DIR/rows"
inband_medians <"$RIG_DIR/rows" >"$RIG_DIR/out"
point 'medians, spreads and counts of the runs' out_is \
	'{"kernel":"off","core":false,"workload":"pipe","seconds":1.1,"spread":0.90909,"runs":3}
{"kernel":"evl","core":false,"workload":"pipe","seconds":1.1,"spread":0.18182,"runs":2}
{"kernel":"evl","core":true,"workload":"pipe","seconds":2.2,"spread":0,"runs":1}
{"kernel":"evl","text_bytes":1010}
{"kernel":"off","text_bytes":1000}
'
inband_table <"$RIG_DIR/out" >"$RIG_DIR/table"
row_is() { [ "$(grep "^$1" "$RIG_DIR/table" | tr -s ' ')" = "$2" ]; }
point 'a workload is one line with its ratios' row_is pipe \
	'pipe 1.100000 90.91% 1.0000 1.100000 18.18% 1.0000 2.200000 0.00% 2.0000'
point 'so are the texts of the kernels' row_is text 'text, bytes 1000 1.0000 1010 1.0100'

printf '{"kernel":"evl","context":"irq","load":%s,"min_ns":%s,"avg_ns":9,"p99_ns":null,"max_ns":20,"samples":%s}\n' \
	false 5 1000 false 8 900 true 1 800 >"$RIG_DIR/rows"
latency_medians <"$RIG_DIR/rows" >"$RIG_DIR/out"
point 'latencies are whole nanoseconds' out_is \
	'{"kernel":"evl","context":"irq","load":false,"min_ns":7,"avg_ns":9,"p99_ns":null,"max_ns":20,"samples":900}
{"kernel":"evl","context":"irq","load":true,"min_ns":1,"avg_ns":9,"p99_ns":null,"max_ns":20,"samples":800}
'

printf '{"kernel":"evl","operation":"%s","cpus":%d,"ns_per_operation":%s,"operations":10000}\n' \
	handoff 1 3000 wakeup 32 2100 wakeup 1 2010 wakeup 1 2000 wakeup 1 1900 >"$RIG_DIR/rows"
scale_option --cpus 4,1,4
point 'each number of CPUs is one kind of machine, whoever asks twice' test "$(scale_variants | tr '\n' ' ')" = 'evl.1 evl.4 '
scale_medians <"$RIG_DIR/rows" >"$RIG_DIR/out"
point 'a row of a scale is one operation on so many CPUs' out_is \
	'{"kernel":"evl","operation":"wakeup","cpus":1,"ns_per_operation":2000,"operations":10000,"spread":0.055,"runs":3}
{"kernel":"evl","operation":"wakeup","cpus":32,"ns_per_operation":2100,"operations":10000,"spread":0,"runs":1}
{"kernel":"evl","operation":"handoff","cpus":1,"ns_per_operation":3000,"operations":10000,"spread":0,"runs":1}
'
scale_table <"$RIG_DIR/out" >"$RIG_DIR/table"
point 'its ratio is to the fewest CPUs' row_is 'wakeup *32' 'wakeup 32 2100.0 0.00% 1.0500 10000'

for ns in 300.5 100.26 100.2; do
	printf '{"kernel":"rt","call":"sem","cpus":"same","ns":%s,"operations":600}\n' "$ns"
done >"$RIG_DIR/rows"
printf '{"kernel":"evl","call":"sem","cpus":"%s","ns":50,"operations":600}\n' same cross >>"$RIG_DIR/rows"
calls_medians <"$RIG_DIR/rows" >"$RIG_DIR/out"
point 'calls have tenths of nanoseconds' out_is \
	'{"kernel":"evl","call":"sem","cpus":"cross","ns":50,"operations":600,"runs":1}
{"kernel":"evl","call":"sem","cpus":"same","ns":50,"operations":600,"runs":1}
{"kernel":"rt","call":"sem","cpus":"same","ns":100.3,"operations":600,"runs":3}
'
BENCH_KERNELS='evl rt' calls_table <"$RIG_DIR/out" >"$RIG_DIR/table"
point 'a call of one CPU is one line with its ratio' row_is 'sem *same' 'sem same 50.0 100.3 0.499'
point 'what there is not is a dash' row_is 'sem *cross' 'sem cross 50.0 - -'

# Real runs.
bench inband --json --runs 1 --kernels "$RIG_KERNEL"
point 'a real run ends well' status_is 0
workloads='dd fork-exec getppid hackbench page-fault pipe'
shapes() {
	local cores='[false]'
	[ "$RIG_KERNEL" = off ] || cores='[false,true]'
	jq -se --arg kernel "$RIG_KERNEL" --argjson cores "$cores" --arg workloads "$workloads" '
		map(select(.workload)) as $rows
		| ($rows | all(.kernel == $kernel and .seconds > 0 and .seconds < 60 and .spread == 0 and .runs == 1))
		  and all($cores[]; . as $core | [$rows[] | select(.core == $core) | .workload] | sort
			== ($workloads | split(" ")))
		  and ($rows | length) == ($workloads | split(" ") | length) * ($cores | length)
		  and ([.[] | select(.text_bytes) | .text_bytes > 1000000] == [true])' "$RIG_DIR/out" >/dev/null
}
point 'it has all workloads, with and without the core' shapes

# Its pairs check themselves; here is to be seen that both operations are there.
if [ "$RIG_KERNEL" = evl ]; then
	has_both() {
		jq -se 'map(.operation) == ["wakeup", "handoff"] and
			all(.kernel == "evl" and .cpus == 2 and .ns_per_operation > 100 and .operations >= 20000)' \
			"$RIG_DIR/out" >/dev/null
	}
	bench scale --json --runs 1 --cpus 2
	point 'a real run of the scale ends well' status_is 0
	point 'with a row for each operation' has_both
fi
bench calls --json --runs 1 --jobs 1 --operations 120 --kernels "$RIG_KERNEL"
point 'so does one of calls' status_is 0
call_shapes() {
	jq -se --arg kernel "$RIG_KERNEL" '
		all(.kernel == $kernel and .ns > 0 and .ns < 1e6 and .operations == 120 and .runs == 1)
		and (map(.call + " " + .cpus) == ["clock same", "mutex cross", "mutex same", "sem cross", "sem same",
			"xbuf cross", "xbuf same"])' "$RIG_DIR/out" >/dev/null
}
point 'it has all calls, on one CPU and across two' call_shapes

# shellcheck disable=SC2016
machine -- sh -c 'for options in --cpus=0 --cpus=0,9 --operations=7 --fast nocall "--cpus=0,1 clock"; do
	/usr/libexec/evl/rig-calls --posix $options
	echo $?
done'
point 'its program refuses bad options with status 2' test "$(tr '\n' ' ' <"$RIG_DIR/out")" = '2 2 2 2 2 2 '
for message in '--cpus 0: expected two numbers' '--cpus 0,9: there are the CPUs 0 to 1' \
	'--operations 7: expected a multiple of 6' "there is no call 'nocall'" "'clock' takes one CPU"; do
	point "and says: $message" err_has "$message"
done

finish
