#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the packaging says what the tree says: licences by file, version, modules for DKMS, files that
# dovetail-kernel shares with the rig; the core is loaded where it should, and the reason given elsewhere.
# Run by make check; needs the whole tree, not the build.
srcdir=${srcdir:-$(dirname "$0")/..}
top=$(cd "$srcdir" && pwd)
. "$top/tests/lib.sh"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

[ -d "$top/debian" ] && [ -d "$top/module" ] && [ -d "$top/vm" ] || skip_all "a part of the tree is not here"

# PATH<tab>LICENCE of each file with an SPDX line: what debian/copyright gives by its last match.
declared() {
	awk '
		function regexp(glob) { gsub(/\./, "\\.", glob); gsub(/\*/, ".*", glob); return "^" glob "$" }
		FILENAME == ARGV[1] {
			if (/^Files:/) { globs = 1; nr = split(substr($0, 7), part, " ") }
			else if (globs && /^ /) nr += split($0, more, " ") && part[nr + 1] = more[1]
			else globs = 0
			if (/^License:/ && nr) { for (i = 1; i <= nr; i++) { re[++n] = regexp(part[i]); to[n] = $2 } nr = 0 }
			next
		}
		{ licence = "none"; for (i = 1; i <= n; i++) if ($0 ~ re[i]) licence = to[i]; print $0 "\t" licence }
	' "$top/debian/copyright" -
}

# The same as the files say it themselves; GPL-2.0 is the kernel's old spelling.
spdx() {
	while read -r f; do
		id=$(sed -n 's/.*SPDX-License-Identifier: \([^*]*[^* ]\).*/\1/p;10q' "$top/$f" | head -n 1)
		case $id in
		'') continue ;;
		GPL-2.0) id=GPL-2.0-only ;;
		*' WITH Linux-syscall-note') id=GPL-2.0-only-with-Linux-syscall-note ;;
		esac
		printf '%s\t%s\n' "$f" "$id"
	done
}

sources() {
	(cd "$top" && find debian docs dovetail-kernel dovetail-patches evl-vm include libevl m4 module tests utils vm \
		configure.ac Makefile.am bootstrap dkms.conf -type f ! -path 'debian/*/*' ! -name '*.o' ! -name '*.lo')
}

licences_agree() {
	sources | spdx | sort >"$work/spdx"
	cut -f1 "$work/spdx" | declared >"$work/declared"
	[ "$(wc -l <"$work/spdx")" -gt 200 ] || { echo "only $(wc -l <"$work/spdx") files have a licence"; return 1; }
	diff "$work/spdx" "$work/declared"
}

version_in() { sed -n "$2" "$top/$1" | head -n 1; }

versions_agree() {
	a=$(version_in configure.ac 's/^AC_INIT(\[evl\], \[\(.*\)\])/\1/p')
	b=$(version_in dkms.conf 's/^PACKAGE_VERSION="\(.*\)"/\1/p')
	c=$(version_in debian/changelog '1s/.*(\(.*\)).*/\1/p')
	echo "configure.ac $a, dkms.conf $b, debian/changelog $c"
	[ -n "$a" ] && [ "$a" = "$b" ] && [ "$a" = "$c" ]
}

modules_agree() {
	sed -n 's/^obj-m += \(.*\)\.o$/\1/p' "$top/module/Kbuild" | sort >"$work/kbuild"
	sed -n 's/^BUILT_MODULE_NAME.*="\(.*\)"/\1/p' "$top/dkms.conf" | sort >"$work/dkms"
	diff "$work/kbuild" "$work/dkms"
}

parts_agree() {
	sed -n 's/^for part in \(say .*\); do/\1/p' "$top/dovetail-kernel/dovetail-kernel" | tr ' ' '\n' | sort >"$work/used"
	sed -n 's,^vm/lib/\(.*\)\.sh .*,\1,p' "$top/debian/dovetail-kernel.install" | sort >"$work/packed"
	[ -s "$work/used" ] && diff "$work/used" "$work/packed"
}

# Depends of the package are what the command asks for at run time.
tools_agree() {
	sed -n 's/^DEPS_compile="\(.*\)"/\1/p' "$top/vm/lib/deps.sh" >"$work/need"
	sed -n 's/^DEPS_debs="\(.*\)"/\1/p' "$top/dovetail-kernel/dovetail-kernel" >>"$work/need"
	for p in $(cat "$work/need"); do
		sed -n '/^Package: dovetail-kernel/,$p' "$top/debian/control" | grep -qE "^(Depends:)? +$p(:any)?," ||
			{ echo "dovetail-kernel does not depend on $p"; return 1; }
	done
}

# root KALLSYMS CMDLINE [RELEASE-WITH-CORE]: a made-up system.
root() {
	rm -rf "$work/root"
	mkdir -p "$work/root/proc" "$work/root/lib/modules/6.12.1-amd64"
	echo "0 T $1" >"$work/root/proc/kallsyms"
	echo "$2" >"$work/root/proc/cmdline"
	[ -z "${3:-}" ] || { mkdir -p "$work/root/lib/modules/$3/updates/dkms"; : >"$work/root/lib/modules/$3/updates/dkms/evl.ko.xz"; }
}

# wanted STATUS TEXT
wanted() {
	status=0
	ROOT=$work/root RELEASE=6.12.1-amd64 sh "$top/debian/core-wanted" >"$work/out" 2>&1 || status=$?
	[ "$status" = "$1" ] && { [ -z "$2" ] || grep -qF -- "$2" "$work/out"; } && return
	echo "status $status: $(cat "$work/out")"
	return 1
}

# tree REVISION: kernel headers with that revision of the interface.
refuses() {
	mkdir -p "$work/tree/include/linux"
	echo "#define DOVETAIL_CORE_ABI	$1" >"$work/tree/include/linux/dovetail.h"
	! sh "$top/module/check-interface.sh" "$work/tree" 2>"$work/out" && [ "$(wc -l <"$work/out")" = 1 ] &&
		grep -q "revision $1 .*wants 1" "$work/out"
}

# The unit wants the file which the tool writes, and gives it an option which it has.
calibration_agrees() {
	unit=$top/debian/evl-utils.evl-gravity.service
	kept=$(sed -n 's/^KEPT=$ROOT//p' "$top/utils/evl/evl-tune")
	option=$(sed -n 's,^ExecStart=/usr/bin/evl tune ,,p' "$unit")
	[ -n "$kept" ] && grep -qx "ConditionPathExists=$kept" "$unit" && [ -n "$option" ] &&
		sh "$top/utils/evl/evl-tune" -h | grep -q -- " $option " && grep -q 'name=evl-gravity' "$top/debian/rules"
}

# Points of docs/tools-tests.md: NUMBER, FILE, WORDS.
points() { sed -n 's/^| *\([0-9]\{1,\}\) | [^|]* | \([^|]*\) | \(.*\) |$/\1\t\2\t\3/p' "$top/docs/tools-tests.md"; }

points_agree() {
	points | cut -f1 | sort -n -u >"$work/numbers"
	seq 90 | diff - "$work/numbers" || return
	points | while IFS="$(printf '\t')" read -r number file words; do
		grep -qF -- "$words" "$top/tests/$file" || echo "$number: $file does not say: $words"
	done >"$work/missing"
	cat "$work/missing"
	[ ! -s "$work/missing" ]
}

check "licences by file are those of debian/copyright" licences_agree
check "one version everywhere" versions_agree
check "DKMS takes all modules of Kbuild" modules_agree
check "the package of dovetail-kernel has the parts it sources" parts_agree
check "and depends on the tools it asks for" tools_agree
check "the calibration which is kept is what the service applies" calibration_agrees
check "docs/tools-tests.md has all points, and each is where it says" points_agree
root something ''
check "no core on a kernel without Dovetail, and how to get one" wanted 1 'make one with dovetail-kernel'
root something '' 6.12.2-evl
check "or which kernel to boot" wanted 1 'boot one of these: 6.12.2-evl'
root dovetail_register_core 'quiet irq_pipeline=off' 6.12.1-amd64
check "no core where the pipeline was turned off" wanted 1 'irq_pipeline=off'
root dovetail_register_core quiet 6.12.2-evl
check "a core that was not built is a fault" wanted 255 'dkms autoinstall -k 6.12.1-amd64'
root dovetail_register_core quiet 6.12.1-amd64
check "a core that is there is loaded" wanted 0 ''
check "another revision of the interface is refused in one line" refuses 7
finish
