# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the rig needs from Debian's archive, in sets, so that a run of a cached kernel
# does not ask for a compiler.

DEPS_machine="qemu-system-x86 busybox-static cpio gzip kmod rt-tests procps util-linux"
DEPS_compile="quilt patch ccache gcc make flex bison bc libelf-dev libssl-dev xz-utils rsync cpio kmod"
DEPS_kernel="linux-source-6.12 $DEPS_compile"
DEPS_userland="libc6-dev gcc g++ make autoconf automake libtool pkg-config check rsync kmod gnuplot-nox python3-jsonschema linux-perf"
DEPS_series="quilt patch git xz-utils"
DEPS_peers="apt dpkg kmod"

package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
	local set name p
	for set in "$@"; do
		name=DEPS_$set
		for p in ${!name}; do
			package_installed "$p" || printf '%s\n' "$p"
		done
	done | sort -u
}

install_packages() {
	export DEBIAN_FRONTEND=noninteractive
	# Another part of a check may be at it.
	local install="apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends"
	$install "$@" && return 0
	apt-get update && $install "$@"
}

# need_packages SET...: installs as root, tells what to install otherwise.
need_packages() {
	local missing
	command -v dpkg-query >/dev/null ||
		die "this rig takes its kernels and tools from Debian's archive, and there is no dpkg here"
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] ||
		die "packages are missing; install them with: sudo apt-get install --no-install-recommends ${missing[*]}"
	long_step "installing ${missing[*]}" "$EVL_CACHE/log/apt.log" install_packages "${missing[@]}" ||
		die "apt-get could not install: ${missing[*]}"
}
