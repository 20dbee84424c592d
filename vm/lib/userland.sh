# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Our own products as layers of the machine's root: library, tools and tests by
# Autotools, kernel modules by module/Makefile. Both are built from a copy in the cache,
# so the work tree stays clean.

USERLAND_SOURCES="configure.ac Makefile.am m4 bootstrap include libevl utils tests"

# Made by the build, here and in a work tree in which somebody configured by hand.
GENERATED="/configure /configure~ /aclocal.m4 /autom4te.cache /build-aux /config.* /Makefile /Makefile.in
	/libtool /m4/l*.m4 /stamp-h1 .deps .libs .dirstamp *.o *.lo *.la *.ko *.mod *.mod.c .*.cmd"

# Userland does not depend on these.
NOT_USERLAND="/.git /module /vm /dovetail-patches /evl-vm /.ci"

present_sources() {
	local s
	for s in "$@"; do
		[ -e "$EVL_TOP/$s" ] && printf '%s\n' "$s"
	done
	return 0
}

exclusions() { printf -- '--exclude=%s\n' "$@"; }

# tree_hash NAME...: of the content of files and folders below the top.
tree_hash() {
	(cd "$EVL_TOP" && find "$@" -type f ! -name '.*' ! -name '*.o' ! -name '*.ko' ! -name '*.mod*' \
		-print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-12
}

mirror_userland() {
	local into=$1 skip
	# shellcheck disable=SC2086
	mapfile -t skip < <(set -f; exclusions $GENERATED $NOT_USERLAND)
	mkdir -p "$into"
	rsync -a --delete "${skip[@]}" "$EVL_TOP/" "$into/"
}

MODULE_SOURCES="module include/uapi tests/kmod"

mirror_module() {
	local into=$1 skip sources
	# shellcheck disable=SC2086
	mapfile -t skip < <(set -f; exclusions $GENERATED | grep -v '/Makefile$')
	# shellcheck disable=SC2086
	mapfile -t sources < <(present_sources $MODULE_SOURCES)
	mkdir -p "$into"
	(cd "$EVL_TOP" && rsync -aR "${skip[@]}" "${sources[@]}" "$into/")
}

# Maintainer mode is off, so make does not see these change.
configured_after_sources() {
	[ -e "$1/build/config.status" ] &&
		[ -z "$(find "$1/src" -type f \( -name '*.ac' -o -name '*.am' -o -name '*.mk' -o -name '*.m4' -o -name '*.in' \) \
			! -path '*/autom4te.cache/*' ! -name aclocal.m4 ! -name Makefile.in ! -name 'config.h.in' ! -path '*/m4/l*' \
			-newer "$1/build/config.status" -print -quit)" ]
}

configure_userland() {
	local work=$1
	(cd "$work/src" && autoreconf -fi) || return 1
	mkdir -p "$work/build"
	(cd "$work/build" && ../src/configure --with-config=user --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var --libdir="/usr/lib/$(gcc -print-multiarch)")
}

build_userland() {
	local work=$1 stage=$2
	configured_after_sources "$work" || configure_userland "$work" || return 1
	rm -rf "$stage"
	make -C "$work/build" -j"$(nproc)" && make -C "$work/build" install DESTDIR="$stage"
}

# Of each work tree its own: make judges by time stamps, which of two trees say nothing about each other.
userland_work() {
	printf '%s/userland/%s\n' "$EVL_CACHE" "$(printf '%s' "$EVL_TOP" | sha256sum | cut -c1-8)"
}

# A build that fails is tried once more from nothing: the old one may be of other sources.
stage_userland() {
	local work stage=$1
	work=$(userland_work)
	[ ! -d "$stage" ] || return 0
	mkdir -p "$work"
	touch "$work"
	find "$EVL_CACHE/userland" -mindepth 1 -maxdepth 1 -mmin +1440 -exec rm -rf {} +
	mirror_userland "$work/src" || die "cannot copy the sources"
	if ! build_userland "$work" "$stage.new" >"$EVL_CACHE/log/userland-first.log" 2>&1; then
		rm -rf "$work"
		mirror_userland "$work/src" || die "cannot copy the sources"
		long_step "building library, tools and tests" "$EVL_CACHE/log/userland.log" \
			build_userland "$work" "$stage.new" || die "library, tools and tests were not built"
	fi
	mv "$stage.new" "$stage"
}

# prune_old DIR: keeps the four latest entries, and what a session may be running on.
prune_old() {
	local old
	find "$1" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | all_but_latest 4 | while read -r old; do
		[ -z "$(find "$old" -maxdepth 0 -mmin +180)" ] || rm -rf "$old"
	done
}

# Sets VM_USERLAND to the installed tree, or to nothing as long as there is no build file.
# Without the core a machine is of use without it, too.
prepare_userland() {
	local sources
	VM_USERLAND=
	[ -e "$EVL_TOP/configure.ac" ] || return 0
	need_packages userland
	# shellcheck disable=SC2086
	mapfile -t sources < <(present_sources $USERLAND_SOURCES)
	VM_USERLAND=$EVL_CACHE/install/$(tree_hash "${sources[@]}")
	if [ ! -d "$VM_USERLAND" ]; then
		mkdir -p "$EVL_CACHE/install" "$EVL_CACHE/log"
		if ! (with_lock "$(basename "$(userland_work)")" stage_userland "$VM_USERLAND"); then
			[ "$VM_CORE" = no ] || exit 125
			warn "going on without library and tools"
			VM_USERLAND=
			return 0
		fi
		prune_old "$EVL_CACHE/install"
	fi
	touch "$VM_USERLAND"
}

# Copies whatever was built below a folder to the layer.
collect_modules() {
	find "$1" -name '*.ko' -exec cp -t "$2" {} +
}

# Modules of the kernel itself, from its tree.
collect_kernel_modules() {
	local build=$1/build into=$2 path
	while read -r path; do
		install -D -m 644 "$build/${path%.o}.ko" "$into/kernel/${path%.o}.ko" || return 1
	done <"$build/modules.order"
	cp "$build/modules.order" "$build/modules.builtin" "$build/modules.builtin.modinfo" "$into/"
}

# build_modules WORK KERNEL STAGE WHICH: the core and the test modules, or those alone.
build_modules() {
	local work=$1 kernel=$2 stage=$3 which=$4 release into
	release=$(cat "$kernel/release")
	into=$stage/lib/modules/$release
	rm -rf "$stage"
	mkdir -p "$stage/usr/lib/modules/$release/updates"
	ln -s usr/lib "$stage/lib"
	if [ "$which" = all ]; then
		make -C "$work/module" KERNELDIR="$kernel/build" -j"$(nproc)" || return 1
		make -C "$work/module/examples" KERNELDIR="$kernel/build" EVL_MODULE_DIR="$work/module" || return 1
		collect_modules "$work/module" "$into/updates"
	fi
	if [ -e "$work/tests/kmod/Makefile" ]; then
		make -C "$work/tests/kmod" KERNELDIR="$kernel/build" -j"$(nproc)" \
			"$([ "$which" = all ] && echo "EVL_MODULE_DIR=$work/module" || echo NO_CORE=1)" || return 1
		collect_modules "$work/tests/kmod" "$into/updates"
	fi
	collect_kernel_modules "$kernel" "$into" || return 1
	depmod -b "$stage" "$release"
}

stage_modules() {
	local stage=$1 which=$2 work=$1.src
	[ ! -d "$stage" ] || return 0
	rm -rf "$work"
	mirror_module "$work" || die "cannot copy the sources"
	if ! long_step "building modules ($which) for $(cat "$VM_KERNEL_DIR/release")" "$EVL_CACHE/log/$(basename "$stage").log" \
			build_modules "$work" "$VM_KERNEL_DIR" "$stage.new" "$which"; then
		rm -rf "$work" "$stage.new"
		return 1
	fi
	rm -rf "$work"
	mv "$stage.new" "$stage"
}

# had_modules WHICH: sets VM_MODULES_ROOT to a layer with them; false if they do not build.
had_modules() {
	local which=$1
	# shellcheck disable=SC2046,SC2086
	VM_MODULES_ROOT=$EVL_CACHE/modules/$which-$(tree_hash $(present_sources $MODULE_SOURCES))-$(sha256sum <"$VM_KERNEL_DIR/bzImage" | cut -c1-12)
	if [ ! -d "$VM_MODULES_ROOT" ]; then
		need_packages userland
		mkdir -p "$EVL_CACHE/modules"
		(with_lock "$(basename "$VM_MODULES_ROOT")" stage_modules "$VM_MODULES_ROOT" "$which") || return 1
		prune_old "$EVL_CACHE/modules"
	fi
	touch "$VM_MODULES_ROOT"
}

# The core first, then its companions; modules made for tests are loaded by the tests.
core_modules() {
	local name
	find "$VM_MODULES_ROOT/usr/lib/modules" -name '*.ko' -printf '%f\n' | sort | while read -r name; do
		case $name in
		evl.ko) printf '0 evl\n' ;;
		evl[-_]*test*|*torture*|*example*) ;;
		evl[-_]*.ko) printf '1 %s\n' "${name%.ko}" ;;
		esac
	done | sort | awk '{ printf "%s%s", sep, $2; sep = " " }'
}

# Sets VM_MODULES_ROOT (a layer with lib/modules, or nothing) and VM_MODULES (to load).
prepare_modules() {
	VM_MODULES_ROOT='' VM_MODULES=''
	case $VM_KERNEL in
	stock|rt) VM_MODULES_ROOT=$VM_KERNEL_DIR/modules; return 0 ;;
	evl) ;;
	*) return 0 ;;
	esac
	if [ "$VM_CORE" = yes ]; then
		[ -e "$EVL_TOP/module/Makefile" ] ||
			die "there is no module/Makefile to build the core with; --no-core runs the evl kernel alone"
		had_modules all || die "the core was not built"
		VM_MODULES=$(core_modules)
		[ -n "$VM_MODULES" ] || die "module/Makefile built no evl.ko"
		return 0
	fi
	# Tests without the core must not depend on a core that does not build.
	if [ -e "$EVL_TOP/module/Makefile" ] && grep -qx CONFIG_DOVETAIL=y "$VM_KERNEL_DIR/build/.config" &&
	   had_modules all; then
		return 0
	fi
	VM_MODULES_ROOT=
	[ ! -e "$EVL_TOP/tests/kmod/Makefile" ] || had_modules tests || die "the test modules were not built"
}
