# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tools of this folder share: the series they work on, and the parts of the rig that know kernel sources.
# Sourced. A tool's statuses: 0 all is well, 1 what it looks for is there, 2 trouble.

EVL_TOP=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
EVL_CACHE=${EVL_CACHE:-${HOME:-/root}/.cache/evl}
SAY_NAME=$(basename "$0") SAY_TROUBLE=2
for part in say deps source; do
	# shellcheck source=/dev/null
	. "$EVL_TOP/vm/lib/$part.sh" || exit 2
done
SOURCE_TARBALL=${LINUX_TARBALL:-$SOURCE_TARBALL}
mkdir -p "$EVL_CACHE/log" || die "cannot write to $EVL_CACHE"

# The head of a tool's source is its help.
print_usage() { sed -n '/^# usage:/,/^$/s/^# \{0,1\}//p' "$0"; }

usage() {
	print_usage >&2
	exit 2
}

case ${1:-} in -h | --help)
	print_usage
	exit 0
	;;
esac

# use_series [FOLDER]
use_series() {
	PATCHES=$(readlink -f "${1:-$PATCHES}") || die "no folder $1"
	have_series || die "no series in $PATCHES"
}

# need_tree DIR: sets TREE.
need_tree() {
	TREE=$(readlink -f "$1")
	grep -qs '^PATCHLEVEL = ' "$TREE/Makefile" || die "$1 is no kernel source tree"
}

# What a tool leaves behind when it ends, however that comes about.
# shellcheck disable=SC2317,SC2329
clean_up() {
	[ -z "${LONG_STEP_PID:-}" ] || kill_tree "$LONG_STEP_PID"
	rm -rf "$SCRATCH"
}

SCRATCH=$(mktemp -d) || die "cannot make a directory"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
