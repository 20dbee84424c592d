# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench latency: wake-up latency of our core beside Debian's kernels and ours
# with PREEMPT_RT, in a machine whose nanoseconds are instructions. Every run is a boot of
# its own; a row is the median of its runs, figure by figure.

DEPS_bench="jq rt-tests"

BENCH_DIR=

bench_defaults() {
	BENCH_JSON=no BENCH_RUNS=5 BENCH_SAMPLES=5000 BENCH_KERNELS="evl stock rt ourrt" BENCH_LOADS="no yes"
	BENCH_JOBS=2
}

read_bench_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--runs|--samples|--kernels|--load|--jobs) [ $# -ge 2 ] || die "$1 wants a value" ;;
		esac
		case $1 in
		--json)    BENCH_JSON=yes ;;
		--runs)    need_number "$1" "$2"; BENCH_RUNS=$2; shift ;;
		--samples) need_number "$1" "$2"; BENCH_SAMPLES=$2; shift ;;
		--jobs)    need_number "$1" "$2"; BENCH_JOBS=$2; shift ;;
		--kernels) BENCH_KERNELS=${2//,/ }; shift ;;
		--load)
			case $2 in
			idle) BENCH_LOADS=no ;; loaded) BENCH_LOADS=yes ;; both) BENCH_LOADS="no yes" ;;
			*) die "--load is idle, loaded or both, not '$2'" ;;
			esac
			shift ;;
		*) die "bench latency knows --json --runs --samples --kernels --load --jobs, not '$1'" ;;
		esac
		shift
	done
	[ "$BENCH_SAMPLES" -ge 1000 ] || die "--samples $BENCH_SAMPLES: a 99th percentile wants 1000 at least"
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

# bench_machine KIND LOAD
bench_machine() {
	machine_defaults
	VM_KERNEL=$1 VM_LOAD=$2 VM_ICOUNT=yes VM_SMP=1 VM_SHARE_CACHE=none
	VM_TIMEOUT=$((600 + BENCH_SAMPLES / 10))
	VM_COMMAND=(/run/evl/busybox sh -c "$(measurements "$1" "$BENCH_SAMPLES")")
}

# One boot; runs in a shell of its own beside others.
bench_run() {
	local kind=$1 load=$2 run=$3 dir status=0
	dir=$BENCH_DIR/$kind.$load.$run
	mkdir -p "$dir"
	bench_machine "$kind" "$load"
	VM_SHARE=$dir VM_LOG=$dir/console.log
	trap end_machine EXIT
	# shellcheck source=/dev/null
	. "$BENCH_DIR/$kind.prepared"
	run_machine >"$dir/out" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		say "$kind, load $load, run $run ended with status $status:"
		tail -n 25 "$dir/out" >&2
	fi
	return "$status"
}

# Interleaved, so that whatever drifts on the host drifts for all.
bench_plan() {
	local run load kind
	for run in $(seq "$BENCH_RUNS"); do
		for load in $BENCH_LOADS; do
			for kind in $BENCH_READY; do printf '%s %s %s\n' "$kind" "$load" "$run"; done
		done
	done
}

run_bench_plan() {
	local total done=0 failed=0 began=$SECONDS kind load run
	total=$(bench_plan | wc -l)
	while read -r kind load run; do
		while [ "$(jobs -rp | wc -l)" -ge "$BENCH_JOBS" ]; do wait -n || failed=1; done
		done=$((done + 1))
		say "run $done of $total: $kind, $([ "$load" = yes ] && echo loaded || echo idle) ($(elapsed_since "$began"))"
		(bench_run "$kind" "$load" "$run") </dev/null &
	done < <(bench_plan)
	while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n || failed=1; done
	return "$failed"
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

gather_rows() {
	local kind load run context file
	while read -r kind load run; do
		for context in $(contexts_of "$kind"); do
			file=$BENCH_DIR/$kind.$load.$run/$context.json
			[ -s "$file" ] || continue
			normalise "$kind" "$context" "$([ "$load" = yes ] && echo true || echo false)" "$file"
		done
	done < <(bench_plan)
}

median_rows() {
	jq -sc '
		def median: map(select(. != null)) | sort
			| if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
			  else ((.[length / 2 - 1] + .[length / 2]) / 2 | round) end;
		group_by([.load, .kernel, .context])[]
		| .[0] + {min_ns: map(.min_ns) | median, avg_ns: map(.avg_ns) | median,
			  p99_ns: map(.p99_ns) | median, max_ns: map(.max_ns) | median,
			  samples: map(.samples) | min}'
}

print_table() {
	printf '%-7s %-8s %-7s %10s %10s %10s %10s %9s\n' kernel context load min_ns avg_ns p99_ns max_ns samples
	jq -r '[.kernel, .context, (if .load then "loaded" else "idle" end),
		.min_ns, .avg_ns, (.p99_ns // "-"), .max_ns, .samples] | @tsv' |
		awk -F'\t' '{ printf "%-7s %-8s %-7s %10s %10s %10s %10s %9s\n", $1, $2, $3, $4, $5, $6, $7, $8 }'
}

# The runs of one table are of one state of the sources, whatever is edited meanwhile.
save_preparation() {
	local v
	for v in VM_KERNEL_DIR VM_INITRAMFS VM_USERLAND VM_MODULES_ROOT VM_MODULES VM_CORE VM_MEM; do
		printf '%s=%q\n' "$v" "${!v}"
	done
}

# Builds and fetches before any clock runs. A kernel that cannot be had costs its rows
# and the exit status, not the others' rows.
ready_kernels() {
	local kind
	BENCH_READY='' BENCH_FAILED=0
	for kind in $BENCH_KERNELS; do
		bench_machine "$kind" no
		if (prepare_machine && save_preparation >"$BENCH_DIR/$kind.prepared"); then
			BENCH_READY="$BENCH_READY $kind"
		else
			warn "no rows for '$kind'"
			BENCH_FAILED=1
		fi
	done
	[ -n "$BENCH_READY" ] || die "none of the kernels ($BENCH_KERNELS) could be had"
}

bench_subcommand() {
	[ "${1:-}" = latency ] || die "bench knows one measurement: ./evl-vm bench latency"
	shift
	bench_defaults
	read_bench_options "$@"
	need_packages machine bench
	BENCH_DIR=$(mktemp -d "${TMPDIR:-/tmp}/evl-bench.XXXXXX") || die "cannot make a directory"
	ready_kernels
	run_bench_plan || BENCH_FAILED=1
	gather_rows >"$BENCH_DIR/rows"
	if [ "$BENCH_JSON" = yes ]; then
		median_rows <"$BENCH_DIR/rows"
	else
		say "nanoseconds are instructions of the machine: exact on path length, blind to caches and buses"
		median_rows <"$BENCH_DIR/rows" | print_table
	fi
	cp "$BENCH_DIR/rows" "$EVL_CACHE/log/bench-rows.json"
	rm -rf "$BENCH_DIR"
	return "$BENCH_FAILED"
}

# ./evl-vm latmus without arguments: five seconds of each context, then a table.
measure_contexts() {
	local status=0 context
	need_packages bench
	BENCH_SAMPLES=5000
	BENCH_DIR=$(mktemp -d "${TMPDIR:-/tmp}/evl-latmus.XXXXXX") || die "cannot make a directory"
	VM_SHARE=$BENCH_DIR VM_SHARE_CACHE=none
	VM_COMMAND=(/run/evl/busybox sh -c "$(measurements evl "$BENCH_SAMPLES")")
	say "measuring, about half a minute"
	run_machine || status=$?
	for context in $(contexts_of evl); do
		[ ! -s "$BENCH_DIR/$context.json" ] || normalise evl "$context" false "$BENCH_DIR/$context.json"
	done | print_table
	rm -rf "$BENCH_DIR"
	return "$status"
}
