#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2016,SC2317,SC3043
#
# property: the tools as far as they need no core: options, plug-ins, configurations, a made-up sysfs.
# Run by make check, in the build folder.
srcdir=${srcdir:-$(dirname "$0")/..}
top=$(cd "$srcdir" && pwd)
build=$(pwd)
. "$top/tests/lib.sh"

. "$top/tests/tools/common.sh"

### evl
check "no argument: the help" status_is 0 "$evl" -P "$cmddir"
cp "$work/out" "$work/help"
check "which lists the commands, on standard output" grep -q '^  check ' "$work/help"
check "-h" status_is 0 "$evl" -P "$cmddir" -h
check "prints the same" cmp "$work/help" "$work/out"
for option in -V -v; do
	check "a version line, $option" status_is 0 "$evl" $option
	[ "$(wc -l <"$work/out")" = 1 ] && grep -qE '^evl\.[0-9]+( -- #[0-9a-f]+ \(.*\))? \[requires ABI [0-9]+\]$' "$work/out"
	ok $? "of the given form"
done
script "$work/bin/evl-foo" <<'END'
echo "$# $1 $2 $EVL_CMDDIR"
exit 42
END
PATH=$work/bin:$PATH check "a plug-in in PATH: its status" status_is 42 "$evl" -P "$cmddir" foo a b
check "its arguments, its environment" says "^2 a b $cmddir\$"
script "$work/bin/evl-ps" <<'END'
echo mine
END
PATH=$work/bin:$PATH check "PATH comes first" status_is 0 "$evl" -P "$cmddir" ps
check "it was the one in PATH" says '^mine$'
check "an unknown command: 127" status_is 127 "$evl" -P "$cmddir" chek
check "with a proposal, on standard error" grep -q "'check'" "$work/err"
[ ! -s "$work/out" ]
ok $? "and nothing on standard output"
check "a name with a slash: 2" status_is 2 "$evl" -P "$cmddir" ../x
touch "$work/bin/evl-data"
PATH=$work/bin:$PATH check "no execute permission: 126" status_is 126 "$evl" -P "$cmddir" data
script "$work/bin/evl-environment" <<'END'
echo "$EVL_CMDDIR $EVL_TESTDIR $EVL_SYSDIR $EVL_TRACEDIR"
END
PATH=$work/bin:$PATH check "the variables of a plug-in" status_is 0 "$evl" -P "$cmddir" environment
check "are all there" grep -qE "^$cmddir [^ ]*/tests /sys/devices/virtual /sys/kernel/(debug/)?tracing\$" "$work/out"
EVL_CMDDIR=/c EVL_TESTDIR=/t EVL_SYSDIR=/s EVL_TRACEDIR=/f PATH=$work/bin:$PATH \
	check "those of the caller" status_is 0 "$evl" environment
check "stay as they are" grep -qx '/c /t /s /f' "$work/out"
for plugin in bench check doctor gdb help plot ps report start status stop test trace tune; do
	check "evl-$plugin -@" status_is 0 "$cmddir/evl-$plugin" -@
	[ "$(wc -l <"$work/out")" = 1 ] && grep -q . "$work/out"
	ok $? "evl-$plugin describes itself in one line"
	check "evl $plugin -h" status_is 0 "$evl" -P "$cmddir" $plugin -h
	grep -q "^usage: evl $plugin" "$work/out"
	ok $? "is its help, not that of evl"
done
# One says nothing, one its line and stays, one a letter now and then, one is silent and stays: 2 s each.
mkdir "$work/slow"
printf '#!/bin/sh\nexec sleep 60\n' >"$work/slow/evl-hangs"
printf '#!/bin/sh\necho I stay\nexec sleep 60\n' >"$work/slow/evl-stays"
printf '#!/bin/sh\nfor n in $(seq 60); do printf x; sleep 1; done\n' >"$work/slow/evl-drips"
printf '#!/bin/sh\nexec >/dev/null\nsleep 60\n' >"$work/slow/evl-closes"
chmod +x "$work"/slow/*
began=$(date +%s)
check "plug-ins which hang do not hold the help up" status_is 0 timeout 30 "$evl" -P "$work/slow" -h
took=$(($(date +%s) - began))
[ $took -le 12 ]
ok $? "for more than about two seconds each ($took s for four)"
[ "$(sed '/^user commands/,$d' "$work/out" | grep -c '(no description)$')" = 4 ]
ok $? "and have no description"

### check
config=$work/config
cat >"$config" <<'END'
# Linux/x86 6.12 Kernel Configuration
CONFIG_IRQ_PIPELINE=y
CONFIG_DOVETAIL=y
# CONFIG_KASAN is not set
END
check_config() { "$cmddir/evl-check" -f "$config" "$@"; }
check "a clean configuration" status_is 0 check_config
[ ! -s "$work/out" ]
ok $? "prints nothing"
{ cat "$config"; echo CONFIG_LOCKDEP=y; echo CONFIG_KASAN=m; } >"$config.bad"
check "two bad options: 2" status_is 2 "$cmddir/evl-check" -f "$config.bad"
[ "$(cat "$work/out")" = "CONFIG_LOCKDEP=y
CONFIG_KASAN=m" ]
ok $? "and what they are"
cp "$work/out" "$work/findings"
check "quietly" status_is 2 "$cmddir/evl-check" -q -f "$config.bad"
[ ! -s "$work/out" ] && [ ! -s "$work/err" ]
ok $? "without a word"
gzip -k "$config.bad"
check "compressed" status_is 2 "$cmddir/evl-check" -f "$config.bad.gz"
check "the same findings" cmp "$work/findings" "$work/out"
check "from standard input" status_is 2 sh -c '"$1" -f - <"$2"' - "$cmddir/evl-check" "$config.bad"
check "the same" cmp "$work/findings" "$work/out"
check "compressed, from standard input" status_is 2 sh -c '"$1" -f - <"$2"' - "$cmddir/evl-check" "$config.bad.gz"
check "the same again" cmp "$work/findings" "$work/out"
check "row 1 applies with CPU_FREQ" status_is 1 sh -c '{ cat "$2"; echo CONFIG_CPU_FREQ=y; } | "$1" -f -' - "$cmddir/evl-check" "$config"
with_list() { # STATUS LINE [ARGUMENTS...]
	local wanted="$1"
	printf '%s\n' "$2" >"$work/list"
	shift 2
	status_is "$wanted" check_config -L "$work/list" "$@"
}
check "list: a symbol alone takes y" with_list 0 CONFIG_DOVETAIL
check "list: =m does not take y" with_list 1 CONFIG_DOVETAIL=m
echo CONFIG_MODULAR=m >>"$config"
check "list: a symbol alone takes m" with_list 0 CONFIG_MODULAR
check "list: =y does not take m" with_list 1 CONFIG_MODULAR=y
check "list: =m takes m" with_list 0 CONFIG_MODULAR=m
check "list: is not set is n" with_list 0 CONFIG_KASAN=n
check "list: and not y" with_list 1 CONFIG_KASAN
check "list: ! reverses" with_list 1 '! CONFIG_DOVETAIL'
check "list: absent is n" with_list 0 CONFIG_NOTHING=n
check "list: if on an unset symbol" with_list 0 'CONFIG_NOTHING if CONFIG_KASAN'
check "list: if ! on an unset symbol" with_list 1 'CONFIG_NOTHING if !CONFIG_KASAN'
check "list: if on a set symbol" with_list 1 'CONFIG_NOTHING if CONFIG_MODULAR'
check "list: if ! on a set symbol" with_list 0 'CONFIG_NOTHING if !CONFIG_MODULAR'
check "list: on another architecture" with_list 0 'CONFIG_NOTHING on arm64'
check "list: on this one, read from the file" with_list 1 'CONFIG_NOTHING on x86_64'
check "list: -a overrides" with_list 1 'CONFIG_NOTHING on arm64' -a aarch64
for arch in aarch64 aarch32 arm64 arm; do
	check "list: on aarch, -a $arch" with_list 1 'CONFIG_NOTHING on aarch' -a $arch
done
check "list: on aarch32, -a arm" with_list 1 'CONFIG_NOTHING on aarch32' -a arm
check "list: on aarch32, -a arm64" with_list 0 'CONFIG_NOTHING on aarch32' -a arm64
check "list: on arm, -a aarch64" with_list 0 'CONFIG_NOTHING on arm' -a aarch64
check "list: a bad line: 255" with_list 255 'CONFIG_A if'
check "with file and line" says ':1: cannot parse: CONFIG_A if'
check "no such file: 255" status_is 255 "$cmddir/evl-check" -f /nonexistent
check "which is named" says /nonexistent
check "no such list: 255" status_is 255 check_config -L /nonexistent-list
check "which is named" says /nonexistent-list
check "no configuration at all: 255" status_is 255 "$cmddir/evl-check" -f /dev/null
for n in $(seq 300); do echo "CONFIG_MISSING_$n"; done >"$work/list"
check "300 failures: 250" status_is 250 check_config -L "$work/list"

### ps
sys=$work/sys
thread() { # NAME PID SCHED STATE STATS TIMEOUT WCHAN
	mkdir -p "$sys/thread/$1"
	echo "$2" >"$sys/thread/$1/pid"
	echo "$3" >"$sys/thread/$1/sched"
	echo "$4" >"$sys/thread/$1/state"
	echo "$5" >"$sys/thread/$1/stats"
	echo "$6" >"$sys/thread/$1/timeout"
	echo "$7" >"$sys/thread/$1/wchan"
}
ps() { EVL_SYSDIR=$sys "$cmddir/evl-ps" "$@"; }
check "ps without a core: 3" status_is 3 ps
mkdir -p "$sys/thread/clone"
check "ps without threads" status_is 0 ps
[ "$(wc -l <"$work/out")" = 1 ]
ok $? "prints the header"
thread axis 1412 "3 fifo 80 80" 0x00004006 "1 200 300 4 61000001000 42" 998120000 timer
thread feeder 388 "1 fifo 50 50" 0x00000002 "0 20 3 9 0 0" 0 flag
thread sampler 1420 "3 rr 10 10 5000000" 0x00004890 "7 2 3 0 12345678000 9" 0 -
mkdir "$sys/thread/half-gone"
check "ps with three threads, one vanishing" status_is 0 ps -l
[ "$(wc -l <"$work/out")" = 4 ]
ok $? "shows three"
check "CPU time, 61 s" says ' 01:1000\.001  '
check "CPU time, 12 s" says ' 00:12345\.678  '
check "a timeout" says ' 998ms120us '
check "states: pending with a limit" says ' w  .* axis$'
check "states: pending without" says ' W  .* \[feeder\]$'
check "states: ready, in-band, round-robin" says ' RXr  .* sampler$'
check "CPU time, none" says ' 00:000\.000  \[feeder\]$'
check "ps -n" status_is 0 ps -s -n
check "state as a number" says ' 0x00004890 '
columns() { # OPTIONS COLUMNS...: exactly these in the header, NAME behind them
	local options="$1"
	shift
	# shellcheck disable=SC2086
	check "ps ${options:-without options}" status_is 0 ps $options
	# shellcheck disable=SC2046,SC2005,SC2116
	[ "$(echo $(head -n 1 "$work/out"))" = "$(echo CPU PID "$@" NAME)" ]
	ok $? "its columns: $(head -n 1 "$work/out" | tr -s ' ')"
	[ "$(awk 'NR == 1 { n = NF } NF != n { bad++ } END { print bad + 0 }' "$work/out")" = 0 ]
	ok $? "each row fills them"
}
columns "" SCHED PRIO
columns -s ISW CTXSW SYS RWA STAT
columns -t TIMEOUT %CPU CPUTIME
columns -p SCHED PRIO
columns -w WCHAN
columns -l SCHED PRIO ISW CTXSW SYS RWA STAT TIMEOUT %CPU CPUTIME
cp "$work/out" "$work/long"
check "ps -s -t -p" status_is 0 ps -s -t -p
check "prints what -l does" cmp "$work/long" "$work/out"
names() { ps "$@" | awk 'NR > 1 { printf "%s%s", sep, $NF; sep = " " }'; }
shows() { # NAMES OPTIONS...
	local wanted="$1"
	shift
	[ "$(names "$@")" = "$wanted" ]
	ok $? "ps $*: $wanted ($(names "$@"))"
}
shows 'axis sampler' -c 3
shows '[feeder]' -c 0,1
shows '[feeder] axis sampler' -c 0,1-3
shows 'axis sampler' -c 3-3
shows '' -c 0
# Ties are broken by PID.
shows '[feeder] axis sampler'
shows '[feeder] axis sampler' -Sc
shows '[feeder] axis sampler' -Si
shows '[feeder] sampler axis' -St
shows 'axis sampler [feeder]' -Srt
shows 'sampler [feeder] axis' -Sx
shows 'axis [feeder] sampler' -Srx
shows 'sampler axis [feeder]' -Sw
shows '[feeder] sampler axis' -Su
thread twin 99 "3 fifo 80 80" 0x00004006 "1 200 300 4 61000001000 42" 0 -
shows 'sampler [feeder] twin axis' -Sx
shows 'axis twin [feeder] sampler' -Srx
rm -r "$sys/thread/twin"
# A thread for each state; bits as in <evl/thread-abi.h>.
state() { # STATE LETTERS
	thread one 7 "0 fifo 1 1" "$1" "0 0 0 0 0 0" 0 -
	[ "$(ps -s -c 0 | awk 'NR == 2 { print $7 }')" = "$2" ]
	ok $? "state $1 is $2 ($(ps -s -c 0 | awk 'NR == 2 { print $7 }'))"
	[ "$(ps -s -n -c 0 | awk 'NR == 2 { print $7 }')" = "$1" ]
	ok $? "and $1 with -n"
}
bits() { # NAME...: in the form of -n
	local name word=0 bit
	for name in "$@"; do
		bit=$(sed -n "s/^#define EVL_T_${name}[[:space:]]*\(0x[0-9a-f]*\).*/\1/p" "$top/include/uapi/evl/thread-abi.h")
		[ -n "$bit" ] || echo "no EVL_T_$name" >&2
		word=$((word | bit))
	done
	printf '0x%08x' $word
}
state "$(bits PEND DELAY)" w
state "$(bits PEND)" W
state "$(bits DELAY)" D
state "$(bits WAIT)" p
state "$(bits READY)" R
state "$(bits INBAND)" X
state "$(bits PTRACE)" T
state "$(bits READY RRB)" Rr
state "$(bits SUSP)" S
state "$(bits PEND SUSP)" WS
rm -r "$sys/thread/one"
for list in 3- a 5-3 '' 1,,2 '1,'; do
	check "ps -c '$list' is refused" status_is 2 ps -c "$list"
done
check "ps -c 0,3-5" status_is 0 ps -c 0,3-5
check "ps -S r is refused" status_is 2 ps -S r
check "ps --json" status_is 0 ps --json
if command -v jq >/dev/null; then
	check "is JSON with three threads" jq -e '.schema.name == "evl-ps" and (.threads | length) == 3 and .threads[0].name == "feeder"' "$work/out"
fi

### test
tests=$work/tests
mkdir "$tests"
printf '#!/bin/sh\nexit 0\n' >"$tests/a-good"
printf '#!/bin/sh\necho reason >&2\nexit 1\n' >"$tests/b-bad"
printf '#!/bin/sh\necho "1..0 # SKIP too small"\nexit 77\n' >"$tests/c-skip"
printf '#!/bin/sh\nkill -SEGV $$\n' >"$tests/d-dies"
printf '#!/bin/sh\nexec sleep 60\n' >"$tests/e-hangs"
chmod +x "$tests"/*
echo data >"$tests/data"
run_tests() { EVL_TESTDIR=$tests "$cmddir/evl-test" "$@"; }
check "test: stops at the first failure" status_is 1 run_tests
refuse "and runs nothing after it" says 'c-skip'
check "what it said is shown" says 'reason'
check "test -k goes on" status_is 1 run_tests -k --timeout=1
check "a skipped one" says '^c-skip: no kernel support'
check "a killed one names the signal" says 'd-dies: FAILED (killed by SIGSEGV)'
check "a hanging one is ended" says 'e-hangs: FAILED (no end after 1 s)'
check "test -l" status_is 0 run_tests -l
[ "$(tr '\n' ' ' <"$work/out")" = "a-good b-bad c-skip d-dies e-hangs " ]
ok $? "lists five, in order, and runs none"
check "test -l with names" status_is 0 run_tests -l c-skip a-good
[ "$(tr '\n' ' ' <"$work/out")" = "c-skip a-good " ]
ok $? "lists these"
check "test -L with a name" status_is 0 run_tests -L a-good
[ "$(cat "$work/out")" = "$tests/a-good" ]
ok $? "its path"
check "named tests only, one of them skipped: 0" status_is 0 run_tests a-good c-skip
[ "$(tr '\n' ' ' <"$work/out")" = "a-good: OK c-skip: no kernel support (too small) " ]
ok $? "both, and no other"
check "--strict" status_is 1 run_tests --strict c-skip
check "an unknown name: 2" status_is 2 run_tests a-good nobody
refuse "and nothing is run" says 'a-good: OK'
check "an empty folder: 3" status_is 3 env EVL_TESTDIR="$work/empty" "$cmddir/evl-test"
check "--tap" status_is 1 run_tests -k --tap a-good b-bad c-skip
[ "$(cat "$work/out")" = "KTAP version 1
1..3
ok 1 a-good
not ok 2 b-bad # status 1
ok 3 c-skip # SKIP no kernel support: too small" ]
ok $? "is TAP"

### latmus
bad_option() { # WORD-IN-MESSAGE ARGUMENTS...
	local word="$1"
	shift
	status_is 2 "$latmus" "$@" && says "$word"
}
exclude() { # OPTION OPTION ARGUMENTS...: both are named
	local one="$1" other="$2"
	shift 2
	status_is 2 "$latmus" "$@" && says "$one.* exclude one another" && says "$other.* exclude one another" && return
	cat "$work/err"
	return 1
}
check "latmus -h" status_is 0 "$latmus" -h
for duration in x 1y 1.5h -1 0 10x; do
	check "latmus -T $duration is refused" bad_option "$duration" -T "$duration"
done
check "-q wants -T" bad_option '-T' -q
check "-b wants -T" bad_option '-T' -b
check "-H wants -g" bad_option '-g' -H 100 -T 1
check "-t excludes -Z" exclude -t -Z -t -Z host -I a,1 -O a,2
check "-s excludes -z" exclude -s -z -s -z host -I a,1 -O a,2
check "-r excludes -m" exclude -r -m -r -m
check "-r excludes -g" exclude -r -g -r -g
check "-r excludes --json" exclude -r --json -r --json
check "-t excludes -m" exclude -t -m -t -m
check "-t excludes -s" exclude -t -s -t -s
check "-s excludes -Z" exclude -s -Z -s -Z host -T 1
check "--format wants a file, of -g" bad_option '-g' --format=cyclictest -T 1
check "--format=xml is none" bad_option 'latmus or cyclictest' --format=xml -T 1 -g
check "--json-lines excludes --json=FILE" exclude --json-lines --json= --json-lines --json="$work/hours" -T 1
check "--checkpoint wants a file next to which to save" bad_option '-g=FILE' --checkpoint=5 -T 1
check "--checkpoint does not go with --ctxsw" bad_option '-i, -k, -u and -s' --checkpoint=5 --ctxsw -T 1 -g"$work/hours"
touch "$work/hours.partial"
check "what a run cut short has left is not replaced" bad_option 'hours.partial exists' -T 11m -q -g"$work/hours"
check "--save goes with -t" bad_option '-t' --save -T 1
check "--ctxsw excludes --xcpu" exclude --ctxsw --xcpu --ctxsw --xcpu -T 1
check "--ctxsw excludes -s" exclude -s --ctxsw -s --ctxsw -T 1
check "--ctxsw excludes -k" exclude --ctxsw -k --ctxsw -k -T 1
check "--smp excludes --ctxsw" exclude --smp --ctxsw --smp --ctxsw -T 1
check "--smp excludes -c" exclude --smp -c --smp -c 0 -T 1
check "--smp excludes -t" exclude -t --smp -t --smp
check "-t excludes --xcpu" exclude -t --xcpu -t --xcpu
check "-K goes with -u, not --ctxsw" bad_option '-u' --ctxsw -K
check "--xcpu=x is refused" bad_option '--xcpu x' --xcpu=x -T 1
for line in gpiochip0 'gpiochip0,' ,3 gpiochip0,x gpiochip0,3,up 'gpiochip0,3,' ../mem,3 gpiochip0,70000; do
	check "latmus -I $line is refused" bad_option '-I' -Z host -I "$line" -O gpiochip0,1
done
check "-z wants -I and -O" bad_option '-O' -z host -I gpiochip0,1
for line in gpiochip0,0 gpiochip0,23,rising-edge gpiochip12,23,falling-edge; do
	check "latmus -I $line is a line, and nobody monitors it: 12" status_is 12 "$latmus" -z localhost:1 -I "$line" -O gpiochip0,1 -T 1
done
check "-O takes no edge" bad_option '-O' -Z host -I gpiochip0,1 -O gpiochip0,2,rising-edge
check "-Z wants a host" bad_option '-Z' -Z :2306 -I gpiochip0,1 -O gpiochip0,2
check "-Z host:0 is refused" bad_option 'port' -Z host:0 -I gpiochip0,1 -O gpiochip0,2
check "-Z wants -I and -O" bad_option '-I' -Z host -O gpiochip0,1
check "-I goes with -Z or -z" bad_option '-Z' -I gpiochip0,1 -T 1
check "-Z excludes -z" exclude -Z -z -Z host -z host -I a,1 -O a,2
check "-t excludes -z" exclude -t -z -t -z host -I a,1 -O a,2
check "no monitor: 12" status_is 12 "$latmus" -z localhost:1 -I a,1 -O a,2 -T 1
latmon=$build/utils/latmon/latmon
check "latmon -h" status_is 0 "$latmon" -h
check "latmon wants two lines" status_is 2 "$latmon" -O gpiochip0,1
check "latmon: a line nobody can read" status_is 2 "$latmon" -O x -I gpiochip0,1
check "latmon: a chip there is not: 1" status_is 1 "$latmon" -O gpiochip77,1 -I gpiochip77,2
check "and where to look" says 'gpiochip77,1: there is no such chip; see ls /dev/'
check "latmon: no simulated line: 1" status_is 1 "$latmon" -O sim:/nonexistent -I sim:/nonexistent
check "and what it should be" says 'the directory of a line'
check "-K goes with -u, not -s" bad_option '-u' -s -K
check "-t excludes -g" exclude -t -g -t -g
check "-t excludes -A" exclude -t -A -t -A 5
check "-K goes with -u" bad_option '-u' -k -K
check "a period of 20 us wants --force" bad_option force -p 20
check "a period of 2 s is refused" bad_option 1000000 -p 2000000
check "a period with a unit is refused" bad_option 10us -p 10us
check "priority 0 is refused" bad_option 99 -P 0
check "priority 100 is refused" bad_option 99 -P 100
check "an unknown option is named" bad_option frobnicate --frobnicate
check "an option without its value is named" bad_option '-p' -p
check "a stray word is named" bad_option stray stray
check "two results on standard output" bad_option 'standard output' --json -g
check "a file that cannot be written, before the run" bad_option /nonexistent/x --json=/nonexistent/x -T 1
### hectic
hectic=$build/utils/hectic/hectic
bad_hectic() { # WORD-IN-MESSAGE ARGUMENTS...
	local word="$1"
	shift
	status_is 2 "$hectic" "$@" && says "$word"
}
check "hectic -h" status_is 0 "$hectic" -h
for word in rtus_ufpp rtk_ufps rtup_ufps rtk_ufpp rtus_ufps_ufpp rtup0x rtup-1 rtup99999 rt xyz ''; do
	check "hectic '$word' is refused" bad_hectic "$word" "$word"
done
check "hectic -n and an FPU flag" bad_hectic rtup_ufpp -n rtup_ufpp
check "hectic -c and a thread elsewhere" bad_hectic 'CPU 3' -c 0-2 rtk3
check "without a number it is on CPU 0" bad_hectic 'rtk: CPU 0 ' -c 1-2 rtk
for list in '' 3- a 5-3; do
	check "hectic -c '$list' is refused" bad_hectic 'list of CPUs' -c "$list"
done
for value in 0 x 1.5h 10x; do
	check "hectic -T $value is refused" bad_hectic "$value" -T "$value"
done
for value in 0 -5 1000001 1ms; do
	check "hectic -s $value is refused" bad_hectic 1000000 -s "$value"
done
check "hectic -l x is refused" bad_hectic x -l x
check "hectic --inject of what there is not" bad_hectic selftest --inject=x
check "hectic --inject=stress wants -s" bad_hectic '-s' --inject=stress
check "hectic --inject=fpu and -n" bad_hectic '-n' --inject=fpu -n
check "hectic --verify takes no words" bad_hectic verify --verify rtk
check "hectic: an unknown option" bad_hectic frobnicate --frobnicate
check "hectic: an option without its value" bad_hectic '-T' -T
check "hectic: a file that cannot be written" bad_hectic /nonexistent/x --json=/nonexistent/x -T 1
# A tree without the core, on a kernel which would take it.
bare=$work/bare
mkdir -p "$bare/proc"
echo '0 T dovetail_register_core' >"$bare/proc/kallsyms"
bare() { EVL_ROOT=$bare "$@"; }
for word in rtk rtup rtup_ufpp rtus rtus_ufps7 rtuo rtuo_ufpp rtuo_ufps rtuo_ufpp_ufps12; do
	check "hectic $word is a thread; no driver: 3" status_is 3 bare "$hectic" "$word"
done
check "and what to load" says 'modprobe evl-hectic'
check "latmus, no driver: 3" status_is 3 bare "$latmus" -T 1
check "and what to load" says 'modprobe evl-latmus'
finish
