# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels of our configuration, built once per key and kept in the cache, and those of
# Debian's archive. Each kernel is a directory with:
#   bzImage    what QEMU boots
#   release    what uname -r says
#   build      the tree that modules are built against (ours only)
#   modules    a root holding lib/modules/RELEASE (Debian's only)

KERNEL_RECIPE=1		# part of the key: raise it when the way of building changes

KERNEL_MAKE=(CC="ccache gcc" HOSTCC="ccache gcc" KBUILD_BUILD_VERSION=1)

kernel_environment() {
	export CCACHE_DIR=$EVL_CACHE/ccache CCACHE_NOHASHDIR=1
	export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
	export KBUILD_BUILD_USER=evl KBUILD_BUILD_HOST=evl
	export LC_ALL=C
	unset ARCH CROSS_COMPILE KBUILD_OUTPUT MAKEFLAGS
}

# with_lock NAME COMMAND...: "build" for kernels and source trees, one each for what is ours;
# sessions on one machine share the cache.
with_lock() {
	local lock=$EVL_CACHE/lock/$1 status=0
	shift
	mkdir -p "$EVL_CACHE/lock"
	exec 9>>"$lock" || die "cannot open $lock"
	if ! flock -n 9; then
		say "waiting for another build to end ($lock)"
		until flock -w 2 9; do :; done
	fi
	"$@" || status=$?
	exec 9>&-
	return "$status"
}

# kernel_key KIND DEBUG: all that decides the binary.
kernel_key() {
	local kind=$1 debug=$2 frags name=$1
	mapfile -t frags < <(config_fragments "$kind" "$debug")
	[ "$debug" = yes ] && name=$kind-debug
	printf '%s-%s\n' "$name" "$({
		printf '%s\n' "$KERNEL_RECIPE"
		source_version
		[ "$kind" != evl ] || series_hash
		gcc --version | head -n 1
		cat "${frags[@]}"
	} | sha256sum | cut -c1-12)"
}

# The build directory lies inside the source tree: kbuild then uses relative paths,
# so ccache hits whatever tree an unchanged file is in.
compile_kernel() {
	local tree=$1 build=$2 suffix=$3
	shift 3
	mkdir -p "$build"
	make_config "$tree" "$build" "$@" || return 1
	make -C "$tree" O="$build" "${KERNEL_MAKE[@]}" LOCALVERSION="$suffix" -j"$(nproc)" bzImage modules
}

# Objects are several hundred megabytes that nothing reads again.
drop_objects() {
	find "$1" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \) \
		! -path '*/scripts/*' ! -path '*/tools/*' -delete
}

# all_but_latest N: reads "TIME PATH" lines, prints the paths but the N latest.
all_but_latest() { sort -rn | awk -v n="$1" 'NR > n { print $2 }'; }

# The cache must not grow with each edit of a patch: of a kind the three latest kernels
# stay, and builds that were interrupted stay a day, to be taken up again.
prune_kernels() {
	local kind=$1 old
	find "$EVL_CACHE/kernel" -mindepth 1 -maxdepth 1 -name "$kind-????????????" -printf '%T@ %p\n' |
		all_but_latest 3 | while read -r old; do
		[ -n "$(find "$old" -maxdepth 0 -mmin +180)" ] || continue
		rm -rf "$(readlink -f "$old/build")" "$old"
	done
	find "$EVL_CACHE/src" -mindepth 2 -maxdepth 2 -name 'build-*' -mmin +1440 | while read -r old; do
		[ -e "$EVL_CACHE/kernel/${old##*/build-}/done" ] || rm -rf "$old"
	done
	find "$EVL_CACHE/src" -mindepth 1 -maxdepth 1 -name 'linux-*+????????????' -printf '%T@ %p\n' |
		all_but_latest 3 | while read -r old; do
		compgen -G "$old/build-*" >/dev/null || rm -rf "$old"
	done
}

build_kernel() {
	local kind=$1 debug=$2 key=$3 dir=$EVL_CACHE/kernel/$3 build suffix=-$1 frags flavour=plain
	[ ! -e "$dir/done" ] || return 0	# another session built it while we waited for the lock
	[ "$kind" != evl ] || flavour=patched
	[ "$debug" = no ] || suffix=$suffix-debug
	kernel_environment
	source_tree "$flavour"
	build=$SOURCE_TREE/build-$key
	mapfile -t frags < <(config_fragments "$kind" "$debug")
	rm -rf "$dir"
	long_step "building kernel ${suffix#-} (once per change of patches or configuration)" \
		"$EVL_CACHE/log/kernel-$key.log" compile_kernel "$SOURCE_TREE" "$build" "$suffix" "${frags[@]}" ||
		die "kernel $key was not built"
	mkdir -p "$dir"
	cp "$build/arch/x86/boot/bzImage" "$dir/bzImage"
	cp "$build/include/config/kernel.release" "$dir/release"
	ln -s "$build" "$dir/build"
	drop_objects "$build"
	touch "$dir/done"
	prune_kernels "${key%-*}"
}

# A built tree given by hand stands for the evl kernel: for work on the patch itself.
adopt_kernel_dir() {
	local build=$1 dir
	build=$(realpath "$1") || die "no directory $1"
	[ -r "$build/arch/x86/boot/bzImage" ] || die "$build holds no arch/x86/boot/bzImage; build that kernel first"
	dir=$EVL_CACHE/kernel/adopted-$(printf '%s' "$build" | sha256sum | cut -c1-8)
	mkdir -p "$dir"
	ln -sfn "$build" "$dir/build"
	ln -sfn "$build/arch/x86/boot/bzImage" "$dir/bzImage"
	cp "$build/include/config/kernel.release" "$dir/release"
	KERNEL_DIR=$dir
}

# The newest 6.12 binary of the flavour (amd64 or rt-amd64) that matches the source if
# there is one, else the newest of the same 6.12 line.
peer_package() {
	local flavour=$1 upstream name
	upstream=$(source_version)
	upstream=${upstream%%-*}
	name=$(apt-cache pkgnames "linux-image-$upstream" |
		grep -E "^linux-image-${upstream//./\\.}[^-]*-$flavour(-unsigned)?\$" | sort | head -n 1)
	[ -n "$name" ] || name=$(apt-cache pkgnames linux-image-6.12 |
		grep -E "^linux-image-6\.12\.[0-9]+[^-]*-$flavour(-unsigned)?\$" | sort -V | tail -n 1)
	[ -n "$name" ] || die "Debian's archive shows no linux-image-6.12.*-$flavour; run apt-get update"
	printf '%s\n' "$name"
}

fetch_peer() {
	local package=$1 into=$2
	mkdir -p "$into/deb" && cd "$into/deb" || return 1
	apt-get -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb "$into/modules"
}

# As Debian's root has it: the tree becomes a layer over the host's, where /lib is a link.
merge_usr() {
	mkdir -p "$1/usr/lib"
	[ ! -d "$1/lib/modules" ] || mv "$1/lib/modules" "$1/usr/lib/"
	rm -rf "${1:?}/lib" "${1:?}/boot" "${1:?}/usr/share"
	ln -s usr/lib "$1/lib"
}

# unpack_peer KIND DIR
unpack_peer() {
	local kind=$1 dir=$2 flavour=amd64 package release
	[ ! -e "$dir/done" ] || return 0
	[ "$kind" = stock ] || flavour=rt-amd64
	package=$(peer_package "$flavour") || exit 125
	rm -rf "$dir"
	long_step "fetching $package" "$EVL_CACHE/log/$kind.log" fetch_peer "$package" "$dir" ||
		die "cannot fetch $package from Debian's archive"
	release=$(basename "$dir"/modules/boot/vmlinuz-*)
	release=${release#vmlinuz-}
	printf '%s\n' "$release" >"$dir/release"
	mv "$dir/modules/boot/vmlinuz-$release" "$dir/bzImage"
	merge_usr "$dir/modules"
	depmod -b "$dir/modules" "$release" || die "depmod failed for $package"
	rm -rf "$dir/deb"
	touch "$dir/done"
}

# One binary of each flavour stands beside one version of the source.
peer_kernel() {
	KERNEL_DIR=$EVL_CACHE/kernel/$1-$(source_version)
	[ -e "$KERNEL_DIR/done" ] || with_lock products unpack_peer "$1" "$KERNEL_DIR"
}

# kernel_dir KIND DEBUG: sets KERNEL_DIR to that of a ready kernel.
kernel_dir() {
	local kind=$1 debug=$2 key
	case $kind in
	evl|off|ourrt) ;;
	stock|rt)
		[ "$debug" = no ] || die "--debug is for kernels of our configuration; Debian has no debug variant of '$kind'"
		need_packages kernel peers
		peer_kernel "$kind"
		return ;;
	*)	die "unknown kernel '$kind': evl, off, ourrt, stock or rt" ;;
	esac
	if [ "$kind" = evl ] && [ -n "${EVL_KERNEL_DIR:-}" ]; then
		adopt_kernel_dir "$EVL_KERNEL_DIR"
		return
	fi
	need_packages kernel
	[ "$kind" != evl ] || need_series
	key=$(kernel_key "$kind" "$debug") || exit 125
	[ -e "$EVL_CACHE/kernel/$key/done" ] ||
		with_lock build build_kernel "$kind" "$debug" "$key" || exit 125
	KERNEL_DIR=$EVL_CACHE/kernel/$key
	touch "$KERNEL_DIR"
}
