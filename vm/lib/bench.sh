# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench MEASUREMENT: what all measurements share. Each is a boot of its own, in a
# machine whose nanoseconds are instructions; a row is the median of its runs.
#
# A measurement NAME is a file bench-NAME.sh with these functions. A variant is one kind of
# machine, KERNEL.MODE, and the order of its modes is the measurement's own:
#   NAME_defaults            sets BENCH_RUNS, and BENCH_OPTIONS: its options, all with a value
#   NAME_option OPTION VALUE
#   NAME_variants            prints the variants; refuses what makes no sense
#   NAME_machine VARIANT     the settings of the machine and its command
#   NAME_rows VARIANT DIR    prints the rows of one run, from what it left in DIR
#   NAME_medians             makes one row of all runs of a kind
#   NAME_table               prints rows for people

DEPS_bench="jq rt-tests binutils"

BENCH_DIR=

# For the medians in jq. Without a middle the mean of the two beside it.
BENCH_JQ='def median: map(select(. != null)) | sort
	| if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
	  else (.[length / 2 - 1] + .[length / 2]) / 2 end;'

read_bench_options() {
	while [ $# -gt 0 ]; do
		if [ "$1" = --json ]; then
			BENCH_JSON=yes
			shift
			continue
		fi
		case " --runs --jobs $BENCH_OPTIONS " in
		*" $1 "*) [ $# -ge 2 ] || die "$1 wants a value" ;;
		*) die "bench $BENCH knows --json --runs --jobs $BENCH_OPTIONS, not '$1'" ;;
		esac
		case $1 in
		--runs) need_number "$1" "$2"; BENCH_RUNS=$2 ;;
		--jobs) need_number "$1" "$2"; BENCH_JOBS=$2 ;;
		*)      "${BENCH}_option" "$1" "$2" ;;
		esac
		shift 2
	done
}

# The machine of all measurements; VARIANT is KERNEL.MODE.
bench_machine() {
	machine_defaults
	VM_KERNEL=${1%.*} VM_ICOUNT=yes VM_SMP=1 VM_SHARE_CACHE=none
}

# One boot; runs in a shell of its own beside others.
bench_run() {
	local variant=$1 run=$2 dir status=0
	dir=$BENCH_DIR/$variant.$run
	mkdir -p "$dir"
	"${BENCH}_machine" "$variant"
	VM_SHARE=$dir VM_LOG=$dir/console.log
	trap end_machine EXIT
	# shellcheck source=/dev/null
	. "$BENCH_DIR/$variant.prepared"
	run_machine >"$dir/out" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		say "$variant, run $run ended with status $status:"
		tail -n 25 "$dir/out" >&2
	fi
	return "$status"
}

# Interleaved, so that whatever drifts on the host drifts for all.
bench_plan() {
	local run variant
	for run in $(seq "$BENCH_RUNS"); do
		for variant in $BENCH_READY; do printf '%s %s\n' "$variant" "$run"; done
	done
}

run_bench_plan() {
	local total done=0 began=$SECONDS variant run
	total=$(bench_plan | wc -l)
	while read -r variant run; do
		while [ "$(jobs -rp | wc -l)" -ge "$BENCH_JOBS" ]; do wait -n; done
		done=$((done + 1))
		say "run $done of $total: ${variant/./, } ($(elapsed_since "$began"))"
		(bench_run "$variant" "$run" || touch "$BENCH_DIR/failed") </dev/null &
	done < <(bench_plan)
	wait
	[ ! -e "$BENCH_DIR/failed" ]
}

gather_rows() {
	local variant run
	while read -r variant run; do
		"${BENCH}_rows" "$variant" "$BENCH_DIR/$variant.$run"
	done < <(bench_plan)
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
ready_variants() {
	local variant variants
	variants=$("${BENCH}_variants") || exit 125
	BENCH_READY='' BENCH_FAILED=0
	for variant in $variants; do
		"${BENCH}_machine" "$variant"
		if (prepare_machine && save_preparation >"$BENCH_DIR/$variant.prepared"); then
			BENCH_READY="$BENCH_READY $variant"
		else
			warn "no rows for '$variant'"
			BENCH_FAILED=1
		fi
	done
	[ -n "$BENCH_READY" ] || die "none of the kernels (${variants//$'\n'/ }) could be had"
}

print_bench_rows() {
	if [ "$BENCH_JSON" = yes ]; then
		"${BENCH}_medians" <"$1"
	else
		say "nanoseconds are instructions of the machine: exact on path length, blind to caches and buses"
		"${BENCH}_medians" <"$1" | "${BENCH}_table"
	fi
}

bench_subcommand() {
	case ${1:-} in
	latency|inband|scale|calls) BENCH=$1 ;;
	*) die "bench knows four measurements: ./evl-vm bench latency, inband, scale or calls" ;;
	esac
	shift
	BENCH_JSON=no BENCH_JOBS=2
	"${BENCH}_defaults"
	read_bench_options "$@"
	"${BENCH}_variants" >/dev/null
	need_packages machine bench
	BENCH_DIR=$(mktemp -d "${TMPDIR:-/tmp}/evl-bench.XXXXXX") || die "cannot make a directory"
	ready_variants
	run_bench_plan || BENCH_FAILED=1
	gather_rows >"$BENCH_DIR/rows"
	print_bench_rows "$BENCH_DIR/rows"
	cp "$BENCH_DIR/rows" "$EVL_CACHE/log/bench-$BENCH-rows.json"
	rm -rf "$BENCH_DIR"
	return "$BENCH_FAILED"
}
