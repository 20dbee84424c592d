# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench latency: wake-up latency of our core beside Debian's kernels and ours
# with PREEMPT_RT. A row is the median of its runs, figure by figure.

latency_defaults() {
	BENCH_RUNS=5 BENCH_OPTIONS="--samples --kernels --load"
	BENCH_SAMPLES=5000 BENCH_KERNELS="evl stock rt ourrt" BENCH_LOADS="idle loaded"
}

latency_option() {
	case $1 in
	--samples) need_number "$1" "$2"; BENCH_SAMPLES=$2 ;;
	--kernels) BENCH_KERNELS=${2//,/ } ;;
	--load)
		case $2 in
		idle|loaded) BENCH_LOADS=$2 ;; both) BENCH_LOADS="idle loaded" ;;
		*) die "--load is idle, loaded or both, not '$2'" ;;
		esac ;;
	esac
}

latency_variants() {
	local kernel load
	[ "$BENCH_SAMPLES" -ge 1000 ] || die "--samples $BENCH_SAMPLES: a 99th percentile wants 1000 at least"
	for load in $BENCH_LOADS; do
		for kernel in $BENCH_KERNELS; do printf '%s.%s\n' "$kernel" "$load"; done
	done
}

contexts_of() {
	if [ "$1" = evl ]; then printf 'user kernel irq'; else printf 'user'; fi
}

# The guest's shell line for one boot of a kernel.
measurements() {
	local kind=$1 samples=$2 context line='sleep 1;'	# by then a load has its stride
	for context in $(contexts_of "$kind"); do
		if [ "$kind" = evl ]; then
			line="$line sh /run/evl/job/measure latmus $context $samples /mnt/host/$context.json || exit 1;"
		else
			line="$line sh /run/evl/job/measure cyclictest $samples /mnt/host/$context.json || exit 1;"
		fi
	done
	printf '%s' "$line"
}

latency_machine() {
	bench_machine "$1"
	[ "${1#*.}" = idle ] || VM_LOAD=yes
	VM_TIMEOUT=$((600 + BENCH_SAMPLES / 10))
	VM_COMMAND=(/run/evl/busybox sh -c "$(measurements "$VM_KERNEL" "$BENCH_SAMPLES")")
}

# One object per measurement, whatever tool made it. The histogram of cyclictest ends at
# one millisecond: a rank beyond it lies at the maximum, which is then an upper bound.
normalise() {
	jq -c --arg kernel "$1" --arg context "$2" --argjson load "$3" '
		def rank($cells; $rank; $max):
			reduce $cells[] as $c ({sum: 0, at: null};
				.sum += $c.n | if .at == null and .sum >= $rank then .at = $c.v else . end)
			| .at // $max;
		if has("thread") then
			.thread["0"] as $t
			| [$t.histogram | to_entries[] | {v: (.key | tonumber), n: .value}] | sort_by(.v) as $cells
			| {min_ns: $t.min, avg_ns: ($t.avg | round),
			   p99_ns: rank($cells; ($t.cycles * 0.99 | ceil); $t.max), max_ns: $t.max, samples: $t.cycles}
		else
			{min_ns, avg_ns, p99_ns: .percentiles_ns["99"], max_ns, samples}
		end
		| {kernel: $kernel, context: $context, load: $load} + .' "$4"
}

latency_rows() {
	local kind=${1%.*} load=false context
	[ "${1#*.}" = idle ] || load=true
	for context in $(contexts_of "$kind"); do
		[ ! -s "$2/$context.json" ] || normalise "$kind" "$context" "$load" "$2/$context.json"
	done
}

latency_medians() {
	jq -sc "$BENCH_JQ"'
		def ns: median | if . == null then null else round end;
		group_by([.load, .kernel, .context])[]
		| .[0] + {min_ns: map(.min_ns) | ns, avg_ns: map(.avg_ns) | ns,
			  p99_ns: map(.p99_ns) | ns, max_ns: map(.max_ns) | ns,
			  samples: map(.samples) | min}'
}

latency_table() {
	printf '%-7s %-8s %-7s %10s %10s %10s %10s %9s\n' kernel context load min_ns avg_ns p99_ns max_ns samples
	jq -r '[.kernel, .context, (if .load then "loaded" else "idle" end),
		.min_ns, .avg_ns, (.p99_ns // "-"), .max_ns, .samples] | @tsv' |
		awk -F'\t' '{ printf "%-7s %-8s %-7s %10s %10s %10s %10s %9s\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
}
