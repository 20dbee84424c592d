# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of the tools on the host share: the commands in a directory of their own, places for what they
# print. Sourced, with top and build set.

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
evl=$build/utils/evl/evl
latmus=$build/utils/latmus/latmus
cmddir=$work/cmds
mkdir "$cmddir" "$work/bin" "$work/empty"
cp "$top"/utils/evl/evl-* "$top"/utils/evl/*.sh "$top"/utils/evl/*.awk "$top"/utils/evl/kconf-*.evl "$top"/utils/evl/trace.* "$cmddir/"
chmod +x "$cmddir"/evl-*
# Not the copy of an in-tree build: libtool's script runs where it was made only.
ln -sf "$build/utils/evl/evl-ps" "$cmddir/evl-ps"
unset EVL_CMDDIR EVL_TESTDIR EVL_SYSDIR EVL_TRACEDIR EVL_ROOT
PATH=$build/utils/evl:$PATH
export EVL_PROGRAM="$evl"

status_is() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	[ $status = "$wanted" ] && return
	echo "status $status, not $wanted"
	cat "$work/out" "$work/err"
	return 1
}

says() { grep -q -e "$1" "$work/out" "$work/err"; }

script() { # PATH, body on standard input
	{ echo '#!/bin/sh'; cat; } >"$1"
	chmod +x "$1"
}

### A tree that is made up, as of the running kernel.
root=$work/root
sys=$root/sys/devices/virtual
tracing=$root/sys/kernel/tracing
release=$(uname -r)

put() { mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$1"; }

# In the made-up tree, as the user who runs the test.
in_tree() { EVL_ROOT=$root EVL_SYSDIR=$sys EVL_TRACEDIR=$tracing EVL_CMDDIR=$cmddir "$@"; }

# As somebody without privileges; the tree must be open to them.
as_nobody() {
	if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi
}
