#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: what goes wrong on the out-of-band stage is reported readably, and does not lock the machine up: after a
# warning it goes on, what is fatal ends in a panic with a trace. Messages come out.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

# trouble HOW WHERE: in a machine with the core, which has to serve before and after.
trouble() {
	core_machine --smp 2 --timeout 120 --log "$RIG_DIR/log" -- sh -c "
		latmus -q -u -T 1 >/dev/null || exit 3
		modprobe evl-oops-test how=$1 where=$2 || exit 4
		latmus -q -u -T 1 >/dev/null || exit 5
		rmmod evl-oops-test
		echo survived"
}

log_has() {
	local text
	for text in "$@"; do
		grep -qF -- "$text" "$RIG_DIR/log" && continue
		echo "# the log lacks '$text'"
		tail -n 40 "$RIG_DIR/log" | tr -d '\r' | sed 's/^/# /'
		return 1
	done
}

survives() { status_is "$1" && grep -q survived "$RIG_DIR/out" && log_has "${@:2}"; }
panics() { status_is 121 && ! grep -q survived "$RIG_DIR/out" && log_has "Kernel panic - not syncing" "$@"; }

# Backtraces of all CPUs, by NMI, while a thread of the core is at work on the other one.
core_machine --smp 2 --timeout 120 --log "$RIG_DIR/log" -- sh -c "
	latmus -q -k -c 1 -T 3 >/dev/null &
	sleep 2; echo l >/proc/sysrq-trigger; wait \$! && echo survived"
point "backtraces of all CPUs come out" survives 120 "NMI backtrace for cpu 1"

# The debugger's own test: its hardware breakpoints fail in the emulator, on the unpatched kernel too, and say so.
stepped() {
	survives 120 "kgdbts:RUN sw breakpoint test" "kgdbts:RUN singlestep [900/1000]" &&
		! grep -aE 'kgdbts: ERROR.*(sw_|singlestep|step)' "$RIG_DIR/log"
}
core_machine --smp 2 --single-thread --timeout 180 --log "$RIG_DIR/log" -- sh -c "
	latmus -q -k -c 1 -T 600 >/dev/null &
	sleep 2; echo V1 >/sys/module/kgdbts/parameters/kgdbts; sleep 1; kill -0 \$! && echo survived"
point "the debugger stops and steps the machine, a thread of the core goes on" stepped

for where in irq thread; do
	case $where in
	irq) frame=make_it_on_the_stage ;;
	thread) frame=make_it_in_a_thread ;;
	esac
	trouble printk $where
	point "$where: a message comes out" survives 0 "said out-of-band"
	trouble warn $where
	point "$where: a warning is reported, and survived" survives 120 "a warning out-of-band" "Call Trace" $frame
	# A thread comes in-band with its exception and dies there; on top of in-band there is nowhere to go.
	case $where in irq) ends=panics ;; thread) ends="survives 120" ;; esac
	trouble bug $where
	point "$where: BUG() is reported with a trace, $ends" $ends "oops-test.c" "Call Trace" $frame
	trouble fault $where
	point "$where: so is a NULL pointer" $ends "NULL pointer dereference" "Call Trace" $frame
	trouble panic $where
	point "$where: panic() ends the machine" panics "evl-oops-test: out-of-band"
done
finish
