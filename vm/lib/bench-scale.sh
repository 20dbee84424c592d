# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench scale: what a wake-up and the hand-over of a mutex cost while 1, 2, .. CPUs
# are at it, each for itself. The CPUs share one clock, which counts the instructions of all.

SCALE_OPERATIONS="wakeup handoff"
SCALE_ROUNDS=5000	# of each CPU, two operations each

scale_defaults() {
	BENCH_RUNS=3 BENCH_OPTIONS="--cpus" BENCH_CPUS="1 2 4 8 16 32"
}

scale_option() {
	case $1 in
	--cpus) BENCH_CPUS=$(tr , '\n' <<<"$2" | sort -nu) ;;
	esac
}

scale_variants() {
	local cpus
	[ -n "$BENCH_CPUS" ] || die "--cpus wants numbers, 1,2,4 for instance"
	for cpus in $BENCH_CPUS; do
		need_number --cpus "$cpus"
		[ "$cpus" -le 64 ] || die "--cpus $cpus: the kernels are configured for 64 CPUs"
		printf 'evl.%d\n' "$cpus"
	done
}

scale_machine() {
	local operation line=''
	bench_machine "$1"
	VM_SMP=${1#*.} VM_TIMEOUT=1200
	for operation in $SCALE_OPERATIONS; do
		line="$line /usr/libexec/evl/rig-scale $operation $SCALE_ROUNDS >/mnt/host/$operation.json || exit 1;"
	done
	VM_COMMAND=(/run/evl/busybox sh -c "$line")
}

scale_rows() {
	local operation
	for operation in $SCALE_OPERATIONS; do
		[ ! -s "$2/$operation.json" ] ||
			jq -c '{kernel: "evl", operation, cpus, ns_per_operation, operations}' "$2/$operation.json"
	done
}

# The spread is that of the runs, most less least, in parts of the median.
scale_medians() {
	jq -sc "$BENCH_JQ"'
		group_by([.operation == "handoff", .cpus])[]
		| map(.ns_per_operation) as $ns | ($ns | median) as $m
		| .[0] + {ns_per_operation: $m, operations: (map(.operations) | median | floor),
			  spread: ((($ns | max) - ($ns | min)) / $m * 1e5 | round / 1e5), runs: length}'
}

# The ratio is to the fewest CPUs there are.
scale_table() {
	printf '%-9s %5s %17s %8s %8s %11s\n' operation cpus ns_per_operation spread ratio operations
	jq -r '[.operation, .cpus, .ns_per_operation, .spread, .operations] | @tsv' | awk -F'\t' '
		!($1 in first) { first[$1] = $3 }
		{ printf "%-9s %5d %17.1f %7.2f%% %8.4f %11d\n", $1, $2, $3, $4 * 100, $3 / first[$1], $5 }'
}
