#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports what its headers declare, and nothing else; docs/api.md has a row for each call, and
# docs/api-errors.md, whose sums are right.
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

# Rows of calls, each with as many errors in two columns.
errors=$SRCDIR/docs/api-errors.md
# shellcheck disable=SC2016
if grep -o '^| `[^|]*' "$errors" | grep -o '`[a-z_]*`' | tr -d '`' | sort -u | comm -13 - "$tmp/exported" | grep .; then
	echo "FAIL: without a row in docs/api-errors.md"
	exit 1
fi
# shellcheck disable=SC2016
counted=$(awk -F'|' '/^\| `(evl|oob)_/ {
	calls = gsub(/`[a-z_]*`/, "", $2)
	total += calls
	core += calls * ($3 ~ /[^ ]/ ? split($3, part, ",") : 0)
	played += calls * ($4 ~ /[^ ]/ ? split($4, part, ",") : 0)
} END {
	printf "**Counted: %d calls; %d errors: %d on the core, %d played.**", total, core + played, core, played
}' "$errors")
if ! grep -qxF "$counted" "$errors"; then
	echo "FAIL: docs/api-errors.md has $counted"
	exit 1
fi

echo "symbols: $(wc -l <"$tmp/exported") names, all declared"
