#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016,SC2317,SC3043
#
# property: whoever cannot use the core is told why and what to do, in one sentence and by every tool: without the
# core, with a kernel for which there is none, with the pipeline turned off, without its group, without being root.
# Run by make check, in the build folder, on trees that are made up.
srcdir=${srcdir:-$(dirname "$0")/..}
top=$(cd "$srcdir" && pwd)
build=$(pwd)
. "$top/tests/lib.sh"
. "$top/tests/tools/common.sh"

# Programs where another user can run them.
mkdir "$work/lib" "$cmddir/tests"
cp "$build"/libevl/.libs/libevl.so* "$work/lib/" 2>/dev/null
for program in latmus/latmus hectic/hectic evl/evl-ps evl/evl; do
	name=${program##*/}
	rm -f "$work/bin/$name"
	cp "$build/utils/${program%/*}/.libs/$name" "$work/bin/$name" 2>/dev/null || cp "$build/utils/$program" "$work/bin/$name"
done
ln -sf "$work/bin/evl-ps" "$cmddir/evl-ps"
script "$cmddir/tests/a-test" <<'END'
exit 0
END
echo 'a-test nocore' >"$cmddir/tests/needs"
export EVL_PROGRAM="$work/bin/evl" LD_LIBRARY_PATH="$work/lib"
PATH=$work/bin:$PATH

nobody=$(as_nobody id -un)
[ "$(id -u)" = 0 ] && sudo='' || sudo='sudo '

# says_only STATUS WORDS AS TOOL...: that status, and one line on standard error with these words, nothing else.
says_only() {
	local wanted="$1" words="$2" as="$3"
	shift 3
	# shellcheck disable=SC2086
	status_is "$wanted" in_tree $as tool_of "$@" || return
	[ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -qF -- "$words" "$work/err" && return
	cat "$work/out" "$work/err"
	return 1
}

# A tool, in words of its command line; no function, for setpriv(1) to run it.
script "$work/bin/tool_of" <<'END'
name=$1
shift
case $name in
latmus|hectic) exec "$name" "$@" ;;
*) exec "$EVL_CMDDIR/evl-$name" "$@" ;;
esac
END

kernel_of_the_core() {
	rm -rf "$root"
	put "$root/proc/cmdline" "root=/dev/sda"
	put "$root/proc/kallsyms" "0 T dovetail_register_core"
	put "$root/boot/config-$release" "CONFIG_DOVETAIL=y
CONFIG_IRQ_PIPELINE=y"
	put "$root/proc/meminfo" "MemAvailable:    4000000 kB"
	put "$root/proc/self/limits" "Max locked memory         unlimited            unlimited            bytes"
	put "$root/dev/kmsg" "booted"
	put "$root/sys/devices/system/cpu/online" 0-3
	put "$tracing/tracing_on" 0
	mkdir -p "$tracing/events/irq" "$root/run"
	open_tree
}

another_kernel() {
	kernel_of_the_core
	put "$root/proc/kallsyms" "0 T something"
	put "$root/boot/config-$release" "CONFIG_SMP=y"
	open_tree
}

# As after modprobe evl.
load_core() {
	put "$sys/evl/control/state" running
	put "$sys/evl/control/cpus" 1
	put "$sys/evl/control/abi" "1 1000000"
	put "$sys/clock/monotonic/gravity" "2000i 3500k 3500u"
	mkdir -p "$sys/thread/clone" "$tracing/events/evl"
	put "$root/dev/evl/control" ""
	put "$root/dev/latmus" ""
	put "$root/dev/hectic" ""
	open_tree
	chmod a+rw "$root/dev/evl/control" "$root/dev/latmus" "$root/dev/hectic"
}

open_tree() { chmod a+rx "$work"; chmod -R a+rX "$root" "$work/bin" "$work/lib" "$cmddir"; }

# What stands in the way of the core stands in the way of each; WORDS may hold MISSING and MODULE.
all_say() { # WHAT WORDS AS
	local what="$1" words="$2" as="$3" line name missing module text
	while read -r name missing module line; do
		text=$(printf '%s' "$words" | sed "s,MISSING,$root/$missing,; s,MODULE,$module,")
		# shellcheck disable=SC2086
		check "$what: $name $line: 3, and why" says_only 3 "$text" "$as" $name $line
	done <<-END
		ps     sys/devices/virtual/thread evl
		status sys/devices/virtual/evl/control/state evl
		start  sys/devices/virtual/evl/control/state evl
		stop   sys/devices/virtual/evl/control/state evl
		tune   sys/devices/virtual/clock/monotonic/gravity evl
		tune   sys/devices/virtual/clock/monotonic/gravity evl --apply
		tune   sys/devices/virtual/clock/monotonic/gravity evl --reset
		trace  sys/kernel/tracing/events/evl evl -eirq
		bench  dev/evl/control evl
		bench  dev/evl/control evl --json --load=grinder
		latmus dev/evl/control evl-latmus -T1
		latmus dev/evl/control evl-latmus -t
		latmus dev/evl/control evl-latmus -r
		latmus dev/evl/control evl-latmus --smp -i -T1
		latmus dev/evl/control evl-latmus -Z localhost -I a,1 -O a,2
		hectic dev/evl/control evl-hectic
		hectic dev/evl/control evl-hectic --verify
	END
	# shellcheck disable=SC2086
	check "$what: test: 3" status_is 3 in_tree $as tool_of test
	text=$(printf '%s' "$words" | sed "s,MISSING,$root/dev/evl/control,; s,MODULE,evl,")
	check "$what: test: why" says "$text"
	check "$what: test: what can be run all the same" says '--in-band'
	for name in "help" "test -l" "gdb -h" "bench --dry-run" "tune --hints" "report --list"; do
		# shellcheck disable=SC2086
		check "$what: $name does without" status_is 0 in_tree $as tool_of $name
	done
}

first_fail_is() { grep -m1 '^FAIL' "$work/out" | grep -q "^FAIL  *$1 .*$2"; }

### A kernel which would take the core, but there is none
kernel_of_the_core
all_say "no core" "no core: MISSING is missing; ${sudo}modprobe MODULE, or see evl doctor" ""
all_say "no core, not root" "no core: MISSING is missing; sudo modprobe MODULE, or see evl doctor" as_nobody
check "no core: doctor: 1" status_is 1 in_tree tool_of doctor
check "no core: doctor: that is what fails" first_fail_is core 'no core: the module evl is not loaded'
check "no core: doctor: what to do" says "-> ${sudo}modprobe evl\$"
check "no core: check is content with the kernel" status_is 0 in_tree tool_of check

### A kernel which knows nothing of it
another_kernel
all_say "wrong kernel" "no core: kernel $release has no Dovetail, which it stands on; boot a kernel built with dovetail-patches, or see evl doctor" ""
check "wrong kernel: doctor: 1" status_is 1 in_tree tool_of doctor
check "wrong kernel: doctor: the kernel fails first" first_fail_is kernel "kernel $release has no Dovetail"
check "wrong kernel: doctor: what to do" says '-> boot the kernel built with dovetail-patches'
check "wrong kernel: doctor: the core comes after that" says '-> first the failure above'
check "wrong kernel: check: two settings" status_is 2 in_tree tool_of check
[ "$(cat "$work/out")" = "CONFIG_IRQ_PIPELINE=n
CONFIG_DOVETAIL=n" ]
ok $? "wrong kernel: check: which they are"
check "wrong kernel: check --explain" status_is 2 in_tree tool_of check --explain
check "wrong kernel: check --explain: what to do" says 'remedy: build the kernel with CONFIG_DOVETAIL=y'

### The right one, told not to
kernel_of_the_core
put "$root/proc/cmdline" "quiet irq_pipeline=off"
all_say "pipeline off" "no core: irq_pipeline=off is on the boot line; remove it and reboot" ""
check "pipeline off: doctor: 1" status_is 1 in_tree tool_of doctor
check "pipeline off: doctor: that fails first" first_fail_is pipeline 'irq_pipeline=off is on the boot line'

### The core is there, its drivers are not
kernel_of_the_core
load_core
rm "$root/dev/latmus" "$root/dev/hectic"
check "no driver: latmus: 3" says_only 3 "dev/latmus is missing: the driver is not loaded; ${sudo}modprobe evl-latmus" "" latmus -T1
check "no driver: hectic: 3" says_only 3 "dev/hectic is missing: the driver is not loaded; ${sudo}modprobe evl-hectic" "" hectic
check "no driver: bench: 3, before a load is started" says_only 3 "dev/latmus is missing: the driver is not loaded; ${sudo}modprobe evl-latmus" "" bench --load=grinder

### Who may not use the core
kernel_of_the_core
load_core
chmod 000 "$root/dev/evl/control"
group=$(stat -c %G "$root/dev/evl/control")
whose="$nobody may not use the core: $root/dev/evl/control belongs to group $group; run"
for words in "latmus -T1" "latmus -t" "hectic" "hectic --verify"; do
	# shellcheck disable=SC2086
	check "no permission: $words: 4" says_only 4 "$whose ${words%% *} as root, or see evl doctor" as_nobody $words
done
for words in "bench" "bench --json --load=grinder" "test" "test a-test"; do
	# shellcheck disable=SC2086
	check "no permission: $words: 4" says_only 4 "$whose it as root; or: sudo addgroup --system evl, install the udev rules of evl" as_nobody $words
done
check "no permission: doctor: 1" status_is 1 in_tree as_nobody tool_of doctor
check "no permission: doctor: that is what fails" first_fail_is permissions "$nobody may not use the core"
for words in "ps" "status" "start" "check" "test -l" "test --in-band -l" "help" "report --list"; do
	# shellcheck disable=SC2086
	check "no permission: $words does without" status_is 0 in_tree as_nobody tool_of $words
done
# As with the udev rules: a group which this user is not in.
script "$work/bin/stat" <<'END'
[ "$1 $2" = "-c %G" ] && { echo evl; exit; }
exec /usr/bin/stat "$@"
END
open_tree
member="$nobody may not use the core: $root/dev/evl/control is for group evl, of which $nobody is no member; sudo usermod -aG evl $nobody, then log in again"
check "not in the group: bench: 4" says_only 4 "$member" as_nobody bench
check "not in the group: test: 4" says_only 4 "$member" as_nobody test
check "not in the group: doctor: 1" status_is 1 in_tree as_nobody tool_of doctor
check "not in the group: doctor: what to do" says "-> sudo usermod -aG evl $nobody, then log in again\$"
rm "$work/bin/stat"

### Who may use the core, and is not root
kernel_of_the_core
load_core
for name in state cpus abi; do chmod a-w "$sys/evl/control/$name"; done
chmod 000 "$root/dev/kmsg"
chmod a-w "$sys/clock/monotonic/gravity"
check "not root: stop: 4" says_only 4 "state cannot be written by $nobody; sudo evl stop" as_nobody stop
put "$sys/evl/control/state" stopped
chmod a-w "$sys/evl/control/state"
check "not root: start: 4" says_only 4 "state cannot be written by $nobody; sudo evl start" as_nobody start
put "$sys/evl/control/state" running
check "not root: tune: 4" says_only 4 "gravity cannot be written by $nobody; sudo evl tune" as_nobody tune
check "not root: tune --apply: 4" says_only 4 "gravity cannot be written by $nobody; sudo evl tune" as_nobody tune --apply
check "not root: tune --reset: 4" says_only 4 "gravity cannot be written by $nobody; sudo evl tune" as_nobody tune --reset
chmod a-w "$tracing/tracing_on"
check "not root: trace -eirq: 4" says_only 4 "tracing_on cannot be written; sudo evl trace" as_nobody trace -eirq
chmod 000 "$tracing"
for words in "" "-eirq" "-d" "--explain"; do
	# shellcheck disable=SC2086
	check "not root: trace $words: 4" says_only 4 'the tracing files are for root; sudo evl trace' as_nobody trace $words
done
chmod 755 "$tracing"
check "not root: report" status_is 0 in_tree as_nobody tool_of report --list
check "not root: report: what it lacks" says 'the kernel log, which is for root, is missing in it; sudo evl report'
for words in ps status doctor check help; do
	check "not root: $words" status_is 0 in_tree as_nobody tool_of $words
done
finish
