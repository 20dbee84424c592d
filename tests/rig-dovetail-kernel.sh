#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: dovetail-kernel refuses with a clear line what cannot work, says what a patch that
# does not apply expected and what the source has, goes on where it was interrupted, and writes
# to its two directories only. A small tree and a false make(1) stand for the kernel.
# needs: quilt.

# shellcheck source=tests/rigging.sh disable=SC2016,SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

if ! command -v quilt >/dev/null; then
	echo "1..0 # SKIP quilt is not installed"
	exit 0
fi

version=6.12.40-1
work=$RIG_DIR/work
share=$RIG_DIR/usr/share/dovetail-kernel

# As the package lays it out.
install_script() {
	mkdir -p "$RIG_DIR/usr/bin" "$share/dovetail-kernel" "$share/vm" "$share/dovetail-patches/6.12" "$RIG_DIR/out.d"
	cp "$RIG_TOP/dovetail-kernel/dovetail-kernel" "$RIG_DIR/usr/bin/"
	cp "$RIG_TOP/dovetail-kernel/debian.config" "$share/dovetail-kernel/"
	cp -r "$RIG_TOP/vm/lib" "$RIG_TOP/vm/config" "$share/vm/"
}

# shim NAME: a false tool; its text comes from stdin.
shim() {
	{ printf '#!/bin/bash\n'; cat; } >"$RIG_DIR/bin/$1"
	chmod +x "$RIG_DIR/bin/$1"
}

make_shims() {
	mkdir -p "$RIG_DIR/bin"
	shim dpkg-query <<-'END'
		case ${*: -1} in
		linux-source-*|linux-config-*) exit 1 ;;
		dovetail-kernel) printf 0.1 ;;
		"${FAKE_MISSING:-}") exit 1 ;;
		*) printf installed ;;
		esac
	END
	shim apt-cache <<-END
		printf ' linux-source-6.12 | %s | archive\n' 6.12.30-1 $version
	END
	shim apt-get <<-'END'
		echo "E: no network" >&2; exit 100
	END
	shim df <<-'END'
		printf 'Avail\n%s\n' "${FAKE_ROOM:-500}"
	END
	shim make <<-'END'
		for a; do case $a in O=*) build=${a#O=} ;; KDEB_PKGVERSION=*) v=${a#*=} ;; esac; done
		case " $* " in
		*' bindeb-pkg '*)
			echo built >>"$build/../builds"
			[ -z "${FAKE_FULL:-}" ] || { echo 'cc1: No space left on device'; exit 2; }
			mkdir -p "$build/include/config"
			release=6.12.40$(sed -n 's/^CONFIG_LOCALVERSION="\(.*\)"/\1/p' "$build/.config" | tail -n 1)
			echo "$release" >"$build/include/config/kernel.release"
			for k in image headers; do echo "$k" >"$build/../linux-$k-${release}_${v}_amd64.deb"; done ;;
		esac
	END
}

# What apt would have brought.
make_source() {
	local tree=$RIG_DIR/linux-source-6.12 root=$work/fetched/linux-source-6.12-$version
	mkdir -p "$tree/scripts/kconfig" "$root/usr/src"
	seq -f 'line number %g' 30 >"$tree/numbers"
	printf '#!/bin/sh\nshift 3; o=$1; shift; cat "$@" >>"$o.new"; cat "$o.new" >>"$o"; rm "$o.new"\n' \
		>"$tree/scripts/kconfig/merge_config.sh"
	chmod +x "$tree/scripts/kconfig/merge_config.sh"
	tar -C "$RIG_DIR" -cJf "$root/usr/src/linux-source-6.12.tar.xz" linux-source-6.12
}

# series_changing TEXT: one patch, which turns the line TEXT of numbers into another.
series_changing() {
	local d=$RIG_DIR/diff
	mkdir -p "$d/a" "$d/b"
	seq -f 'line number %g' 30 | sed "s/^line number 15\$/$1/" >"$d/a/numbers"
	sed "s/^$1\$/ours/" "$d/a/numbers" >"$d/b/numbers"
	(cd "$d" && diff -u a/numbers b/numbers) >"$share/dovetail-patches/6.12/0001-numbers.patch"
	echo 0001-numbers.patch >"$share/dovetail-patches/6.12/series"
}

# run ARGS: leaves out, err and RIG_STATUS.
run() {
	RIG_STATUS=0
	HOME=$RIG_DIR/home PATH=$RIG_DIR/bin:$PATH "$RIG_DIR/usr/bin/dovetail-kernel" "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null ||
		RIG_STATUS=$?
}

build() { run build --config "$RIG_DIR/config" --work "$work" --output "$RIG_DIR/out.d" "$@"; }
refused() { [ "$RIG_STATUS" = 125 ] && err_has "$1"; }
builds() { [ "$(cat "$work"/src/*/builds 2>/dev/null | wc -l)" = "$1" ]; }

install_script
make_shims
make_source
echo CONFIG_X=y >"$RIG_DIR/config"
series_changing 'line number 15'

run help
point 'help is on stdout, with status 0' eval '[ "$RIG_STATUS" = 0 ] && grep -q "^usage:" "$RIG_DIR/out"'
run rebuild
point 'an unknown subcommand is refused' refused "unknown subcommand 'rebuild'"
build --flavour huge
point 'an unknown flavour is refused' refused "--flavour is full, cloud or running, not 'huge'"
build --jobs many
point 'jobs are a number' refused "--jobs wants a number, not 'many'"
build --suffix 'A B'
point 'a suffix that no package may have is refused' refused "--suffix 'A B'"
build --version 6.1.5
point 'another series of Linux is refused' refused "the series is for Linux 6.12, not for '6.1.5'"
build --version 6.12.99
point 'of an unknown version those known are told' refused "It knows: 6.12.30-1 $version"
FAKE_MISSING=bison build
point 'a missing package is named, in a command to type' refused 'sudo apt-get install --no-install-recommends bison'
FAKE_ROOM=2 build
point 'too little room is told beforehand' refused '2 GB left, this build wants 5'
run build --work "$work" --output "$RIG_DIR/out.d"
point 'a fetch that fails says of what' refused "cannot fetch linux-config-6.12 $version"

series_changing 'line as upstream had it'
build
point 'a patch that does not fit is refused' refused '0001-numbers.patch: numbers: Hunk #1 FAILED'
point 'what the patch expects is shown' err_has '-line as upstream had it'
point 'what the source has is shown' err_has '+line number 15'
point 'and no package was made' builds 0

series_changing 'line number 15'
FAKE_FULL=yes build
point 'a full disk in the middle says how to go on' refused 'make room and call this again'
tree=$(echo "$work"/src/*+*)
touch "$tree/same-tree"
build
image=$RIG_DIR/out.d/linux-image-6.12.40-custom-evl_$version+evl0.1_amd64.deb
point 'a build makes image and headers, and prints their names' \
	eval '[ "$RIG_STATUS" = 0 ] && [ -s "$image" ] && [ "$(wc -l <"$RIG_DIR/out")" = 2 ] && grep -qxF "$image" "$RIG_DIR/out"'
point 'it went on in the tree that was there' eval '[ -e "$tree/same-tree" ]'
point 'the series is applied, the fragments are in' \
	eval 'grep -qx ours "$tree/numbers" && grep -qx "CONFIG_DOVETAIL=y" "$tree"/debs-*/.config'
build
point 'the same call again builds nothing' eval '[ "$RIG_STATUS" = 0 ] && builds 2'
echo CONFIG_Y=y >>"$RIG_DIR/config"
build
point 'another configuration builds again' eval '[ "$RIG_STATUS" = 0 ] && builds 3'
point 'nothing is written to the home directory when --work names another' eval '[ ! -e "$RIG_DIR/home" ]'
finish
