#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: perf samples and counts around out-of-band code: its timer, and its ring buffers written to from the
# tracepoints of the core, with call chains; a thread of the core is at work meanwhile, and stays so.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=240 single
. "$(dirname "$0")/lib.sh"

need_tool perf linux-perf
T=/sys/kernel/tracing
[ -d $T/events ] || mount -t tracefs tracefs $T || skip_all "no tracefs"
cd "$(mktemp -d)" || exit 1

latmus -q -u -T 600 >busy.out 2>&1 &
busy=$!
sleep 2

# recorded EVENT PATTERN OPTION...: samples whose text matches, at least twenty.
recorded() {
	local event=$1 pattern=$2 samples
	shift 2
	if perf record -q -a -o data -e "$event" "$@" -- sleep 2 >out 2>&1; then
		samples=$(perf script -i data 2>>out | grep -c "$pattern")
		[ "$samples" -ge 20 ]
		ok $? "perf record -e $event $*: $samples times $pattern"
	else
		ok 1 "perf record -e $event $*"
	fi
	[ "${samples:-0}" -ge 20 ] || sed 's/^/#   /' out
	kill -0 $busy 2>/dev/null
	ok $? "the thread goes on after it"
}

recorded cpu-clock cpu-clock -F 500
recorded cpu-clock . -F 500 -g
recorded evl:evl_switch evl_switch
recorded evl:evl_switch schedule -g
recorded 'evl:*' evl: --call-graph fp

counts=$(perf stat -x, -a -e evl:evl_switch,context-switches -- sleep 2 2>&1)
[ "$(echo "$counts" | awk -F, '/evl_switch/ { print ($1 > 100) }')" = 1 ]
ok $? "perf stat counts switches of the core"
echo "$counts" | sed 's/^/# /'

kill $busy 2>/dev/null
wait $busy
avg=$(awk '/avg/ { print; exit }' busy.out)
note "$avg"
finish
