#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: threads of all kinds on both stages switch on every CPU and keep their registers; hectic tells when they
# do not, when a CPU stands still, and when its own check is broken.
#
# evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=150
. "$(dirname "$0")/lib.sh"

[ -e /dev/evl/control ] || skip_all "no core"
[ -c /dev/hectic ] || skip_all "no stress driver: modprobe evl-hectic"

cpus=$(nproc)

status_is() { # WANTED COMMAND...
	local wanted=$1 status=0
	shift
	"$@" >command.out 2>command.err || status=$?
	[ $status = "$wanted" ] && return
	cat command.out command.err
	echo "status $status"
	return 1
}

check "three seconds of everything" status_is 0 hectic -T 3
grep -q '^FPU check routines: OK$' command.out
ok $? "the register check was tested first"
names=$(sed -n 's/^threads: //p' command.out | wc -w)
[ "$names" = $((cpus * 19)) ]
ok $? "19 threads a CPU ($names on $cpus)"
rows=$(grep -c '^RTD|' command.out)
[ "$rows" = $((cpus * 3)) ]
ok $? "a line per CPU and second ($rows)"
awk -F'|' '/^RTD/ { if ($4 + 0 < last[$2] || $3 + 0 == 0) bad = 1; last[$2] = $4 + 0 } END { exit bad }' command.out
ok $? "each of them with progress, and totals do not fall"
[ "$(grep -c '^RTS|' command.out)" = "$cpus" ] && grep -q '^passed: ' command.out
ok $? "a summary per CPU, and the verdict"

check "stress mode" status_is 0 hectic -s 200 -T 3
[ "$(sed -n 's/^threads: //p' command.out | wc -w)" = $((cpus * 20)) ]
ok $? "20 threads a CPU"
awk -F'|' -v cpus="$cpus" '/^RTD/ { if ($3 + 0 == 0) bad = 1; n++ } END { exit bad || n != 3 * cpus }' command.out
ok $? "every CPU makes progress each second"
check "-n, -q" status_is 0 hectic -n -q -T 1
refuse "-q: no line per second" grep -q '^RTD' command.out
[ "$(sed -n 's/^threads: //p' command.out | wc -w)" = $((cpus * 9)) ]
ok $? "9 threads a CPU"
check "-Q" status_is 0 hectic -Q -T 1
[ ! -s command.out ] && [ ! -s command.err ]
ok $? "is silent"
check "threads as given, on CPU 0" status_is 0 hectic -T 1 rtk rtup_ufpp rtus_ufps0 rtuo_ufpp_ufps
grep -q '^threads: switcher0-0 rtk0-1 rtup_ufpp0-2 rtus_ufps0-3 rtuo_ufpp_ufps0-4$' command.out
ok $? "with these names"
check "one CPU only" status_is 0 hectic -T 1 -c 0
[ "$(grep -c '^RTS|' command.out)" = 1 ]
ok $? "one summary"
check "--verify" status_is 0 hectic --verify -T 2
[ "$(wc -l <command.out)" = 1 ] && grep -q '^passed: ' command.out
ok $? "says one line"
check "--json" status_is 0 hectic -T 1 --json=hectic.json
grep -q '"schema":{"name":"evl-hectic","version":1}.*"verdict":"passed"' hectic.json
ok $? "is the result"
check "which is not replaced" status_is 2 hectic -T 1 --json=hectic.json
check "an interrupt ends it well" status_is 0 sh -c 'hectic -q >/dev/null & sleep 3; kill -TERM $!; wait $!'

check "a wrong register: 20" status_is 20 hectic -T 20 --inject=fpu
grep -q 'register 15 changed over the switch from [a-z_]*[0-9]*-[0-9]* to [a-z_]*[0-9]*-[0-9]*: found 0x[0-9a-f]*, expected 0x' command.err
ok $? "with both threads, the register, both values"
check "in the background task: 20" status_is 20 hectic -T 20 -s 500 --inject=stress
grep -q 'fpu_stress[0-9]*-19, vector register 15: found' command.err
ok $? "with its name and the values"
check "no switch: 21" status_is 21 hectic -T 20 --inject=stall
grep -q 'CPU[0-9]*: no switch for 2 seconds; the last one was from .* to switcher' command.err
ok $? "with the CPU and the last thread"
check "a broken check: 22" status_is 22 hectic -T 20 --inject=selftest

check "a CPU which is not the core's: 2" status_is 2 hectic -T 1 -c 900
grep -q control/cpus command.err
ok $? "the message names the file"

# Nothing stays behind: neither threads nor the driver's users.
[ "$(find /sys/devices/virtual/thread -mindepth 1 -maxdepth 1 -name 'rt[ku]*' | wc -l)" = 0 ]
ok $? "no thread is left"
hectic -Q -T 60 &
victim=$!
sleep 2
kill -KILL "$victim"
wait "$victim" 2>/dev/null
check "killed, it leaves no kernel thread" sh -c 'for n in $(seq 50); do ps -e | grep -q "rtk[0-9]*-" || exit 0; sleep 0.2; done; exit 1'
check "and the driver is free" status_is 0 hectic -Q -T 1
finish
