#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports what its headers declare, and nothing else; docs/api.md has a row for each call.
set -u

lib=$BUILDDIR/libevl/.libs/libevl.so
if ! [ -e "$lib" ]; then
	echo "SKIP: shared library not built"
	exit 77
fi

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

${NM:-nm} -D --defined-only "$lib" | sed -n 's/.* [TDBR] \([^@]*\).*/\1/p' | sort >"$tmp/exported"
cat "$SRCDIR"/libevl/include/evl/*.h "$SRCDIR"/libevl/include/evl/net/*.h | grep -v '^[#	 ]' |
	sed -n 's/.*[ *]\(\(evl\|oob\)_[a-z_]*\)(.*/\1/p' | sort -u >"$tmp/declared"

if ! [ -s "$tmp/exported" ] || ! diff -u "$tmp/declared" "$tmp/exported"; then
	echo "FAIL: declared (-) and exported (+) names differ"
	exit 1
fi
# shellcheck disable=SC2016	# the backquotes are of Markdown
if grep -o '^| `[^|]*' "$SRCDIR/docs/api.md" | grep -o '`[a-z_]*`' | tr -d '`' | sort -u |
	comm -13 - "$tmp/exported" | grep .; then
	echo "FAIL: without a row in docs/api.md"
	exit 1
fi
echo "symbols: $(wc -l <"$tmp/exported") names, all declared"
