# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# For the tests beside it: a Debian 12 of its own in $root, with Debian's kernel and all that DKMS wants, and apt
# in it. The base is kept in EVL_CACHE. Wants RIG_DIR of rigging.sh.

EVL_CACHE=${EVL_CACHE:-${HOME:-/root}/.cache/evl}/debian
mirror=${EVL_MIRROR:-http://deb.debian.org/debian}
root=$RIG_DIR/root
trap 'unmount; rm -rf --one-file-system "$RIG_DIR"' EXIT

skip() {
	echo "1..0 # SKIP $*"
	exit 77
}

# need TOOL...: and root, and packages.
need() {
	local tool
	[ "$(id -u)" = 0 ] || skip "a chroot wants root"
	for tool; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
	compgen -G "${EVL_PACKAGES:-/nowhere}/evl-dkms_*.deb" >/dev/null ||
		skip "EVL_PACKAGES names no directory with the packages of dpkg-buildpackage"
	[ -z "${EVL_KERNEL_PACKAGES:-}" ] || compgen -G "$EVL_KERNEL_PACKAGES/linux-image-6.12*evl_*.deb" >/dev/null ||
		skip "EVL_KERNEL_PACKAGES names no directory with the packages of dovetail-kernel"
}

mount_root() {
	mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" || exit 1
}

unmount() {
	local m
	for m in "$root" "$EVL_CACHE/base.new"; do
		umount "$m/sys" "$m/proc" "$m/dev" 2>/dev/null
	done
}

apt_in() {
	local in=$1
	shift
	DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$in" apt-get -y -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

# With Debian's own kernel and all that DKMS wants, so that only our packages make a difference later.
make_base() {
	[ ! -d "$EVL_CACHE/base" ] || return 0
	local new=$EVL_CACHE/base.new
	rm -rf --one-file-system "$new"
	mkdir -p "$new"
	debootstrap --variant=minbase --include=systemd-sysv,udev,kmod,libelf1,procps,perl bookworm "$new" "$mirror" ||
		return 1
	mount_root "$new"
	apt_in "$new" install dkms initramfs-tools linux-image-cloud-amd64 linux-headers-cloud-amd64 || return 1
	unmount
	rm -f "$new"/var/cache/apt/archives/*.deb
	mv "$new" "$EVL_CACHE/base"
}

# repository DIR: what apt may install from, in the chroot.
repository() {
	mkdir -p "$root/repo"
	cp "$@" "$root/repo/"
	(cd "$root/repo" && dpkg-scanpackages -m . >Packages 2>/dev/null)
	echo 'deb [trusted=yes] file:/repo ./' >"$root/etc/apt/sources.list.d/repo.list"
	apt_in "$root" update >/dev/null
}

make_root() {
	mkdir -p "$EVL_CACHE"
	make_base >"$EVL_CACHE/base.log" 2>&1 || skip "no base system, see $EVL_CACHE/base.log"
	cp -a "$EVL_CACHE/base" "$root"
	mount_root "$root"
}

in_root() { chroot "$root" "$@"; }

# Makes all packages known to apt and installs the kernel, whose name release has then.
install_kernel() {
	repository "$EVL_PACKAGES"/*.deb "$EVL_KERNEL_PACKAGES"/linux-{image,headers}-*evl_*.deb
	release=$(basename "$root"/repo/linux-image-*.deb)
	release=${release#linux-image-}
	release=${release%%_*}
	apt_in "$root" install "linux-image-$release" "linux-headers-$release" >"$RIG_DIR/kernel.log" 2>&1 && return 0
	tail -n 20 "$RIG_DIR/kernel.log" | sed 's/^/# /'
	return 1
}
