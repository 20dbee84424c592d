# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm bench calls: what calls cost by which threads meet, of our core and in-band on other
# kernels. One machine of one CPU, one of two which take turns on one clock.

calls_defaults() {
	BENCH_RUNS=3 BENCH_OPTIONS="--kernels --operations"
	BENCH_KERNELS="evl rt ourrt" BENCH_OPERATIONS=6000
}

calls_option() {
	case $1 in
	--kernels) BENCH_KERNELS=${2//,/ } ;;
	--operations) need_number "$1" "$2"; BENCH_OPERATIONS=$2 ;;
	esac
}

calls_variants() {
	local kernel
	if [ "$BENCH_OPERATIONS" -lt 120 ] || [ $((BENCH_OPERATIONS % 6)) != 0 ]; then
		die "--operations $BENCH_OPERATIONS: expected a multiple of 6, 120 at least"
	fi
	for kernel in $BENCH_KERNELS; do
		case $kernel in
		evl|off|ourrt|stock|rt) printf '%s.%s\n' "$kernel" same "$kernel" cross ;;
		*) die "bench calls knows the kernels evl, off, ourrt, stock and rt, not '$kernel'" ;;
		esac
	done
}

calls_machine() {
	local options="--operations $BENCH_OPERATIONS"
	bench_machine "$1"
	[ "$VM_KERNEL" = evl ] || options="$options --posix"
	[ "${1#*.}" = same ] || { VM_SMP=2; options="$options --cpus 0,1"; }
	VM_COMMAND=(/run/evl/busybox sh -c "sleep 2; exec /usr/libexec/evl/rig-calls $options")
}

calls_rows() {
	grep '^{' "$2/out" | jq -c --arg kernel "${1%.*}" '{kernel: $kernel} + .'
}

calls_medians() {
	jq -sc "$BENCH_JQ"'
		group_by([.call, .cpus, .kernel])[]
		| .[0] + {ns: (map(.ns) | median * 10 | round / 10), operations: map(.operations) | min, runs: length}'
}

# The kernels side by side; a ratio is that of the core to the kernel.
calls_table() {
	jq -r '[.kernel, .call, .cpus, .ns] | @tsv' | awk -F'\t' -v kernels="$BENCH_KERNELS" '
		function cell(row, kernel) {
			if (!((row, kernel) in ns)) return sprintf(" %10s %6s", "-", kernel == "evl" ? "" : "-")
			if (kernel == "evl") return sprintf(" %10.1f %6s", ns[row, kernel], "")
			if (!((row, "evl") in ns)) return sprintf(" %10.1f %6s", ns[row, kernel], "-")
			return sprintf(" %10.1f %6.3f", ns[row, kernel], ns[row, "evl"] / ns[row, kernel])
		}
		{
			row = sprintf("%-6s %-6s", $2, $3)
			ns[row, $1] = $4
			if (!seen[row]++) rows[++n] = row
		}
		END {
			nr = split(kernels, kernel, " ")
			printf "%-6s %-6s", "call", "cpus"
			for (k = 1; k <= nr; k++) printf " %10s %6s", kernel[k], kernel[k] == "evl" ? "" : "ratio"
			print ""
			for (i = 1; i <= n; i++) {
				printf "%s", rows[i]
				for (k = 1; k <= nr; k++) printf "%s", cell(rows[i], kernel[k])
				print ""
			}
		}'
}
