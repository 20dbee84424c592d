# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The first root: busybox, vm/init and, for Debian's kernels, the modules that reach the
# host's files.

INITRAMFS_MODULES="virtio_pci virtio_console 9pnet_virtio 9p overlay"

# module_paths KERNELDIR: files to load, each after what it needs.
module_paths() {
	local dir=$1 m
	for m in $INITRAMFS_MODULES; do
		modprobe -d "$dir/modules" -S "$(cat "$dir/release")" --show-depends "$m" || return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

put_module() {
	local path=$1 into=$2 name
	name=$(basename "$path")
	case $name in
	*.xz)  xz -dc "$path"   >"$into/${name%.xz}";  name=${name%.xz} ;;
	*.zst) zstd -dqc "$path" >"$into/${name%.zst}"; name=${name%.zst} ;;
	*)     cp "$path" "$into/" ;;
	esac
	printf '%s\n' "$name" >>"$into/order"
}

pack_initramfs() {
	local kernel=$1 out=$2 new=$2.$BASHPID status=0 root path paths
	root=$(mktemp -d) || return 1
	mkdir -p "$root/bin" "$root/modules" "$root/dev"
	cp "$(command -v busybox)" "$root/bin/busybox" && cp "$EVL_TOP/vm/init" "$root/init" || return 1
	chmod 755 "$root/init"
	: >"$root/modules/order"
	if [ -d "$kernel/modules" ]; then
		paths=$(module_paths "$kernel") || return 1
		for path in $paths; do
			put_module "$path" "$root/modules" || return 1
		done
	fi
	(set -o pipefail && cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet -R 0:0 | gzip -1 >"$new") &&
		mv "$new" "$out" || status=1
	rm -rf "$root" "$new"
	return "$status"
}

# initramfs_of KERNELDIR: prints the path of a fresh one.
initramfs_of() {
	local kernel=$1 out=$1/initramfs.gz
	if ! [ "$out" -nt "$EVL_TOP/vm/init" ] || ! [ "$out" -nt "$kernel/release" ] ||
	   ! [ "$out" -nt "$EVL_TOP/vm/lib/initramfs.sh" ]; then
		pack_initramfs "$kernel" "$out" || die "cannot pack the initramfs for $kernel"
	fi
	printf '%s\n' "$out"
}
