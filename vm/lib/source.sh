# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel source trees: Debian's tarball unpacked once, and copies of it made of hard
# links, one per state of the patch series.

SOURCE_PACKAGE=linux-source-6.12
SOURCE_TARBALL=/usr/src/linux-source-6.12.tar.xz
SOURCE_VERSION=		# of a tarball that is not the installed package's
PATCHES=$EVL_TOP/dovetail-patches/6.12

source_version() {
	[ -z "$SOURCE_VERSION" ] || { printf '%s\n' "$SOURCE_VERSION"; return; }
	dpkg-query -W -f '${Version}' "$SOURCE_PACKAGE" 2>/dev/null ||
		die "package $SOURCE_PACKAGE is not installed"
}

# The names in the series file, without comments and options.
series_patches() {
	sed -e 's/#.*//' "$PATCHES/series" 2>/dev/null | awk 'NF { print $1 }'
}

have_series() { [ -n "$(series_patches)" ]; }

need_series() {
	have_series ||
		die "the evl kernel needs the patch series, and $PATCHES/series is absent or empty"
}

series_hash() {
	local p
	{
		for p in $(series_patches); do
			[ -r "$PATCHES/$p" ] || die "$PATCHES/series names $p, which is not there"
			printf '%s\n' "$p"
			cat "$PATCHES/$p"
		done
	} | sha256sum | cut -c1-12
}

unpack_source() {
	local tree=$1
	[ -r "$SOURCE_TARBALL" ] || die "$SOURCE_TARBALL is missing; reinstall $SOURCE_PACKAGE"
	rm -rf "$tree.new"
	mkdir -p "$tree.new"
	long_step "unpacking $SOURCE_TARBALL" "$EVL_CACHE/log/unpack.log" \
		tar -C "$tree.new" --strip-components=1 -xf "$SOURCE_TARBALL" || die "cannot unpack the kernel source"
	mv "$tree.new" "$tree"
}

# Hard links: patch(1) and quilt write a new file and rename it, so the pristine
# tree never changes through them.
copy_tree() {
	local from=$1 to=$2
	rm -rf "$to"
	mkdir -p "$to"
	(cd "$from" && find . -mindepth 1 -maxdepth 1 ! -name 'build-*' -exec cp -al -t "$to" {} +)
}

# Names patch, file and hunk of the first failure.
explain_quilt_failure() {
	awk '
		/^Applying patch /             { patch = $3 }
		/^patching file /              { file = $3 }
		/^can.t find file to patch/    { print patch ": no file for this hunk: " $0 }
		/^Hunk #[0-9]+ (FAILED|NOT MERGED)/ { print patch ": " file ": " $0 }
		/^Hunk #[0-9]+ succeeded.*fuzz/ { print patch ": " file ": " $0 }
		/malformed patch/              { print patch ": " $0 }
		/does not exist|already exists/ { print patch ": " $0 }
	' "$1" | sed 's/^/    /' >&2
}

# old_side PATCH FILE HUNK: the line where a hunk starts, then the lines it expects there.
old_side() {
	awk -v file="$2" -v hunk="$3" '
		/^--- /   { old = $2 }
		/^\+\+\+ / { here = ($2 != "/dev/null") ? $2 : old; sub(/^[^\/]*\//, "", here); n = left = 0; next }
		/^@@ / && here == file {
			split($2, at, /[-,]/)
			left = (at[3] == "") ? 1 : at[3]
			if (++n == hunk) print at[2]
			next
		}
		n == hunk && left > 0 && /^[ -]/ { print substr($0, 2); left-- }
	' "$1"
}

# Where the lines on stdin lie in FILE: judged by the first of them that is there just once.
find_place() {
	awk -v nominal="$2" '
		FILENAME != "-" { seen[$0]++; at[$0] = FNR; next }
		length($0) > 8 && seen[$0] == 1 { print at[$0] - FNR + 1; found = 1; exit }
		END { if (!found) print nominal }
	' "$1" -
}

# For each hunk that failed: how the source differs from what the hunk expects.
explain_changed_source() {
	local log=$1 tree=$2 patch file hunk want start count
	awk '
		/^Applying patch /      { patch = $3 }
		/^patching file /       { file = $3 }
		/^Hunk #[0-9]+ FAILED/  { sub("#", "", $2); print patch, file, $2 }
	' "$log" | while read -r patch file hunk; do
		[ -r "$tree/$file" ] || continue
		want=$(old_side "$PATCHES/$patch" "$file" "$hunk")
		start=${want%%$'\n'*} want=${want#*$'\n'}
		start=$(find_place "$tree/$file" "$start" <<<"$want")
		[ "$start" -ge 1 ] || start=1
		count=$(wc -l <<<"$want")
		diff -u --label "what hunk $hunk of $patch expects" --label "$file from line $start on, here" \
			<(printf '%s\n' "$want") <(sed -n "$start,$((start + count - 1))p" "$tree/$file")
	done | sed 's/^/    /' >&2
}

# in_quilt TREE COMMAND...: on our series, whatever the user's own settings are.
in_quilt() {
	local tree=$1
	shift
	(cd "$tree" && QUILT_PATCHES=$PATCHES QUILT_NO_DIFF_INDEX=1 LC_ALL=C quilt --quiltrc=/dev/null "$@")
}

# What newer sources have and the series builds on, for a source that takes it: a source that has it does not. No part
# of the series' hash: these patches say what the mainline says.
add_older() {
	local patch
	for patch in "$PATCHES"/older/*.patch; do
		[ -e "$patch" ] || continue
		patch -d "$1" -p1 -F0 -N -s --dry-run <"$patch" >/dev/null 2>&1 || continue
		patch -d "$1" -p1 -F0 -N -s <"$patch" || return
	done
}

push_series() { in_quilt "$1" push -a --fuzz=0; }

# apply_series TREE WHAT LOG: all of it to TREE, which is WHAT, or false and why not.
apply_series() {
	{ add_older "$1" && push_series "$1"; } >"$3" 2>&1 && return 0
	say "the series does not apply to $2 with fuzz 0:"
	explain_quilt_failure "$3"
	explain_changed_source "$3" "$1"
	return 1
}

make_patched_tree() {
	local pristine=$1 tree=$2 log=$EVL_CACHE/log/quilt.log
	copy_tree "$pristine" "$tree.new" || die "cannot copy $pristine"
	if ! apply_series "$tree.new" "$SOURCE_PACKAGE $(source_version)" "$log"; then
		rm -rf "$tree.new"
		die "fix the patch named above; the whole output is in $log"
	fi
	mv "$tree.new" "$tree"
}

# source_tree plain|patched: sets SOURCE_TREE, made if need be. The caller holds the build
# lock. (No command substitution around long steps: it would hold signals up.)
source_tree() {
	SOURCE_TREE=$EVL_CACHE/src/linux-$(source_version)
	[ -d "$SOURCE_TREE" ] || unpack_source "$SOURCE_TREE"
	[ "$1" = patched ] || return 0
	need_series
	local pristine=$SOURCE_TREE
	SOURCE_TREE=$pristine+$(series_hash)
	[ -d "$SOURCE_TREE" ] || make_patched_tree "$pristine" "$SOURCE_TREE"
	touch "$SOURCE_TREE"
}
