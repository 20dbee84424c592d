# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench inband: what ordinary programs pay for the patched kernel, and for the
# core when it is loaded and has nothing to do, beside our configuration unpatched.

inband_defaults() {
	BENCH_RUNS=7 BENCH_OPTIONS="--kernels" BENCH_KERNELS="off evl"
}

inband_option() {
	case $1 in
	--kernels) BENCH_KERNELS=${2//,/ } ;;
	esac
}

inband_variants() {
	local kernel
	for kernel in $BENCH_KERNELS; do
		case $kernel in
		off|evl) ;;
		*) die "bench inband compares off and evl, not '$kernel'" ;;
		esac
		printf '%s.plain\n' "$kernel"
		[ "$kernel" = off ] || printf '%s.core\n' "$kernel"
	done
}

inband_machine() {
	bench_machine "$1"
	[ "${1#*.}" = core ] || VM_CORE=no
	VM_COMMAND=(/run/evl/busybox sh -c "exec /$INSTALLED_TESTS/rig-inband >/mnt/host/seconds")
}

inband_rows() {
	local kernel=${1%.*} core=false
	[ "${1#*.}" = plain ] || core=true
	[ -s "$2/seconds" ] || return 0
	jq -Rc --arg kernel "$kernel" --argjson core "$core" 'split(" ")
		| {kernel: $kernel, core: $core, workload: .[0], seconds: (.[1] | tonumber)}' "$2/seconds"
	[ "$core" = true ] || text_row "$kernel" "$BENCH_DIR/$1.prepared"
}

# The sum of the functions: the section .text itself is filled up to whole pages of 2 MB.
text_bytes() {
	nm -S -t d -n "$1" | awk '
		$NF == "_stext" { on = 1 }
		$NF == "_etext" { exit }
		on && NF == 4 && $3 ~ /^[tTwW]$/ && $1 != last { sum += $2; last = $1 }
		END { if (sum) print sum }'
}

# text_row KERNEL PREPARED
text_row() {
	local bytes
	bytes=$(
		# shellcheck source=/dev/null
		. "$2"
		text_bytes "$VM_KERNEL_DIR/build/vmlinux"
	)
	[ -z "$bytes" ] || jq -nc --arg kernel "$1" --argjson bytes "$bytes" '{kernel: $kernel, text_bytes: $bytes}'
}

# The spread is that of the runs: slowest less fastest, in parts of the median.
inband_medians() {
	jq -sc "$BENCH_JQ"'
		(map(select(.workload)) | group_by([.workload, .kernel == "evl", .core])[]
			| map(.seconds) as $s | ($s | median) as $m
			| .[0] + {seconds: $m, spread: ((($s | max) - ($s | min)) / $m * 1e5 | round / 1e5),
				  runs: length}),
		(map(select(.text_bytes)) | unique[])'
}

# The variants side by side; a ratio is to the unpatched kernel.
inband_table() {
	jq -r 'if .workload then [.workload, .kernel + (if .core then "+core" else "" end), .seconds, .spread]
		else ["text", .kernel, .text_bytes, 0] end | @tsv' | awk -F'\t' '
		function cells(name, what) {
			if (!((name, what) in value)) return sprintf("%10s %7s %7s", "-", "-", "-")
			return sprintf(name == "text" ? "%10d %7s %7s" : "%10.6f %7s %7s", value[name, what],
				name == "text" ? "" : sprintf("%.2f%%", spread[name, what] * 100),
				(name, "off") in value ? sprintf("%.4f", value[name, what] / value[name, "off"]) : "-")
		}
		{
			value[$1, $2] = $3; spread[$1, $2] = $4
			if (!seen[$1]++ && $1 != "text") names[++n] = $1
		}
		END {
			printf "%-11s %26s  %26s  %26s\n", "", "off", "evl", "evl+core"
			printf "%-11s", "workload"
			for (i = 0; i < 3; i++) printf " %10s %7s %7s ", "seconds", "spread", "ratio"
			print ""
			for (i = 1; i <= n; i++)
				printf "%-11s %s  %s  %s\n", names[i], cells(names[i], "off"), cells(names[i], "evl"), cells(names[i], "evl+core")
			printf "%-11s %s  %s\n", "text, bytes", cells("text", "off"), cells("text", "evl")
		}'
}
