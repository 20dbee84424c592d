#!/bin/sh
# SPDX-License-Identifier: MIT
# Manual pages: mandoc finds nothing, references among our pages hold, every public function has a page.
# shellcheck disable=SC2013	# words are wanted
# Comes from make: MANDOC SRCDIR.
set -u

if [ -z "$MANDOC" ]; then
	echo "SKIP: mandoc not found (apt install mandoc)"
	exit 77
fi

cd "$SRCDIR/libevl/man" || exit 99
failed=0

# Whether a referenced page is installed is no property of ours.
if "$MANDOC" -T lint -W style ./*.[37] 2>/dev/null | grep -v 'referenced manual not found'; then
	failed=1
fi

names=$(sed -n 's/^\.Nm \([a-z_0-9]*\).*/\1/p' ./*.[37] | sort -u)

for ref in $(sed -n 's/^\.Xr \([a-z_]*\) .*/\1/p' ./*.[37] | grep -E '^(evl_|oob_|libevl)' | sort -u); do
	echo "$names" | grep -qx "$ref" || { echo "FAIL: reference to $ref: no such page"; failed=1; }
done

for fn in $(sed -n 's/^	\(\(evl\|oob\)_[a-z_]*\);$/\1/p' ../libevl.map); do
	echo "$names" | grep -qx "$fn" || { echo "FAIL: $fn has no page"; failed=1; }
done

echo "manual pages: $(echo "$names" | wc -l) names"
exit $failed
