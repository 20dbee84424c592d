# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel logs: what counts as a splat, and where it begins.

SPLAT_PATTERN='WARNING:|BUG:|kernel BUG at|Oops|Kernel panic|INFO: rcu|INFO: task .* blocked|INFO: trying to register|INFO: possible|rcu: INFO:|suspicious RCU|possible (circular|recursive|irq)|inconsistent lock state|bad unlock balance|held lock freed|lock held when returning|KASAN:|UBSAN:|KFENCE:|kmemleak: |general protection fault|unable to handle|scheduling while atomic|sleeping function called|soft lockup|hard LOCKUP|double fault|refcount_t:|ODEBUG:|list_(add|del) corruption|unchecked MSR access|Call Trace:|nobody cared|stack-protector:|detected stalls'

# What stock kernels say on this machine without anything being wrong.
SPLAT_HARMLESS='kmemleak: (Kernel memory leak detector|Automatic memory scanning|Memory pool)'

splat_lines() { grep -nE "$SPLAT_PATTERN" "$1" | grep -vE "$SPLAT_HARMLESS"; }

has_splat() { splat_lines "$1" >/dev/null; }

has_panic() { grep -qE 'Kernel panic - not syncing' "$1"; }

first_splat() { splat_lines "$1" | head -n 1 | sed -E 's/^[0-9]+://; s/\r$//'; }

# From a little before the first splat on, cut at a screenful.
show_splat() {
	local log=$1 line
	line=$(splat_lines "$log" | head -n 1 | cut -d: -f1)
	[ -n "$line" ] || return 0
	[ "$line" -gt 3 ] && line=$((line - 3)) || line=1
	tail -n "+$line" "$log" | head -n "${2:-80}" | tr -d '\r' | sed 's/^/    /' >&2
}

# A fault of multi-threaded TCG, on stock kernels too: it drops the translation of a line of
# code before it stores the new bytes, so a CPU that runs the line in between keeps the
# breakpoint of a live patch for ever. One host thread for all CPUs has no such moment.
has_emulator_fault() {
	[ "$VM_SMP" -gt 1 ] && [ "$VM_SINGLE" = no ] && [ "$VM_ICOUNT" = no ] && grep -q 'Oops: int3:' "$1"
}
