# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel configurations: fragments of vm/config merged over allnoconfig, and the check
# that each wanted option survived.

CONFIGS=$EVL_TOP/vm/config

# config_fragments KIND DEBUG: the files, later ones win.
config_fragments() {
	local kind=$1 debug=$2
	printf '%s\n' "$CONFIGS/base.config"
	[ "$kind" = off ] || printf '%s\n' "$CONFIGS/$kind.config"
	[ "$debug" = yes ] || return 0
	printf '%s\n' "$CONFIGS/debug.config"
	[ "$kind" != evl ] || printf '%s\n' "$CONFIGS/debug-evl.config"
}

# Lines of .config that differ from what the fragments ask for.
lost_options() {
	local dotconfig=$1
	shift
	awk '
		FILENAME == ARGV[1] {
			if ($0 ~ /^CONFIG_/) { i = index($0, "="); got[substr($0, 1, i - 1)] = substr($0, i + 1) }
			next
		}
		/^CONFIG_/            { i = index($0, "="); want[substr($0, 1, i - 1)] = substr($0, i + 1) }
		/^# CONFIG_.* is not set/ { want[$2] = "n" }
		END {
			for (o in want) {
				have = (o in got) ? got[o] : "n"
				if (have != want[o]) print o "=" want[o] " is asked for, the result has " have
			}
		}
	' "$dotconfig" "$@" | sort
}

# merge_fragments TREE BUILD FRAGMENT...: into the configuration that is in BUILD.
merge_fragments() {
	local tree=$1 build=$2 lost
	shift 2
	"$tree/scripts/kconfig/merge_config.sh" -m -O "$build" "$build/.config" "$@" &&
		make -C "$tree" O="$build" "${KERNEL_MAKE[@]}" olddefconfig || return 1
	lost=$(lost_options "$build/.config" "$@")
	[ -z "$lost" ] && return 0
	printf 'these options did not end up in the configuration (renamed, or a dependency is off):\n%s\n' "$lost"
	return 1
}

# make_config TREE BUILD FRAGMENT...
make_config() {
	make -C "$1" O="$2" "${KERNEL_MAKE[@]}" allnoconfig && merge_fragments "$@"
}
