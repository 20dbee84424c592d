# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the shell tests share: results in TAP, test modules. Sourced.

POINTS=0 FAILURES=0
# Tools of administrators live there, also where PATH is a plain user's.
PATH=$PATH:/usr/sbin:/sbin

# ok CONDITION-STATUS TEXT...
ok() {
	local status=$1
	shift
	POINTS=$((POINTS + 1))
	if [ "$status" = 0 ]; then
		echo "ok $POINTS - $*"
	else
		FAILURES=$((FAILURES + 1))
		echo "not ok $POINTS - $*"
	fi
}

# check TEXT COMMAND...: one point, the command's status; its output only on failure.
check() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		ok 0 "$text"
	else
		ok 1 "$text"
		note "$*"
		[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/#   /'
	fi
}

# refuse TEXT COMMAND...: the command must fail.
refuse() {
	local text=$1
	shift
	if "$@" >/dev/null 2>&1; then
		ok 1 "$text"
		note "this went through: $*"
	else
		ok 0 "$text"
	fi
}

# status_is WANTED COMMAND...: its outputs go to command.out, and are shown if it ends in another way.
status_is() {
	local wanted=$1 status=0
	shift
	"$@" >command.out 2>&1 || status=$?
	[ $status = "$wanted" ] && return
	cat command.out
	echo "status $status"
	return 1
}

# json_field FILE KEY: its value in an object, numbers and words alike.
json_field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1"; }

note() { echo "# $*"; }

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

finish() {
	echo "1..$POINTS"
	[ "$FAILURES" = 0 ]
	exit
}

need_tool() {
	command -v "$1" >/dev/null || skip_all "$1 is not installed (Debian package $2)"
}

# load_test_module NAME [PARAMETER...]: installed for this kernel, or in $EVL_TEST_MODULES.
load_test_module() {
	local name=$1
	shift
	if [ -n "${EVL_TEST_MODULES:-}" ]; then
		insmod "$EVL_TEST_MODULES/$name.ko" "$@"
	else
		modprobe "$name" "$@"
	fi
}

have_test_module() {
	if [ -n "${EVL_TEST_MODULES:-}" ]; then
		[ -e "$EVL_TEST_MODULES/$1.ko" ]
	else
		modinfo "$1" >/dev/null 2>&1
	fi
}

# run_test_module NAME [PARAMETER...]: the module tests itself while it loads; passes its TAP on.
run_test_module() {
	local name=$1 tap=/sys/kernel/debug/$1/tap
	have_test_module "$name" || skip_all "module $name is not installed for $(uname -r)"
	if ! load_test_module "$@"; then
		echo "Bail out! $name does not load"
		exit 1
	fi
	cat "$tap"
	! grep -q '^not ok' "$tap" || FAILURES=1
	rmmod "$name" || { echo "Bail out! $name does not unload"; exit 1; }
	[ "$FAILURES" = 0 ]
	exit
}
