#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the tools of dovetail-patches apply a series without fuzz and name what does not fit, refresh it without
# touching what did not change, and find what is wrong with the form of a patch.
# needs: quilt, git.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

TOOLS=$RIG_TOP/dovetail-patches
export EVL_CACHE=$RIG_DIR/cache

# tool NAME OPTIONS...
tool() {
	local name=$1
	shift
	RIG_STATUS=0
	"$TOOLS/$name" "$@" >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || RIG_STATUS=$?
}

# A tree of two files, and a series of two patches: one makes a file, one changes one.
fresh_tree() {
	rm -rf "$RIG_DIR/tree"
	mkdir -p "$RIG_DIR/tree/kernel"
	printf 'VERSION = 6\nPATCHLEVEL = 12\n' >"$RIG_DIR/tree/Makefile"
	seq 20 >"$RIG_DIR/tree/kernel/numbers"
}

header() {
	cat <<-END
	From: A B <a@b.example>
	Date: Sat, 21 Nov 2026 00:00:00 +0000
	Subject: $1
	Origin: vendor
	Forwarded: no
	Last-Update: 2026-11-21

	Numbers are hard to read.
	---
	END
}

fresh_series() {
	rm -rf "$RIG_DIR/series"
	mkdir "$RIG_DIR/series"
	printf '# Base\n0001-made.patch\n\n0002-five.patch\n' >"$RIG_DIR/series/series"
	{
		header 'made: a file'
		printf ' kernel/made.c | 2 ++\n 1 file changed, 2 insertions(+)\n\n'
		printf 'diff --git a/kernel/made.c b/kernel/made.c\nnew file mode 100644\n--- /dev/null\n+++ b/kernel/made.c\n'
		printf '@@ -0,0 +1,2 @@\n+/* SPDX-License-Identifier: GPL-2.0 */\n+int made;\n'
	} >"$RIG_DIR/series/0001-made.patch"
	{
		header 'numbers: five is a word'
		printf ' kernel/numbers | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n'
		printf 'diff --git a/kernel/numbers b/kernel/numbers\n--- a/kernel/numbers\n+++ b/kernel/numbers\n'
		printf '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n'
	} >"$RIG_DIR/series/0002-five.patch"
	cp -r "$RIG_DIR/series" "$RIG_DIR/as-made.$$"
	rm -rf "$RIG_DIR/as-made" && mv "$RIG_DIR/as-made.$$" "$RIG_DIR/as-made"
}

unchanged() { diff -r "$RIG_DIR/as-made" "$RIG_DIR/series"; }
tree_has() { grep -qx -- "$2" "$RIG_DIR/tree/$1"; }

fresh_tree
fresh_series
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'a series that fits applies' status_is 0
point 'all of it' tree_has kernel/numbers five
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'twice is once' status_is 0
tool refresh "$RIG_DIR/tree" "$RIG_DIR/series"
point 'a refresh succeeds' status_is 0
point 'and leaves what did not change as it is, byte by byte' unchanged
point 'without a word' out_is ''

sed -i 's/^4$/four/' "$RIG_DIR/tree/kernel/numbers"
tool refresh "$RIG_DIR/tree" "$RIG_DIR/series"
point 'an edit goes into the patch on top' grep -qx '+four' "$RIG_DIR/series/0002-five.patch"
point 'which is named, alone' out_is $'0002-five.patch: refreshed\n'
point 'its header and its figures are kept up' grep -qx ' 1 file changed, 2 insertions(+), 2 deletions(-)' \
	"$RIG_DIR/series/0002-five.patch"

# A source that lacks what the series builds on: it has 3 where newer ones have three.
fresh_tree
fresh_series
mkdir "$RIG_DIR/series/older"
sed -i 's/^ 3$/ three/' "$RIG_DIR/series/0002-five.patch"
printf -- '--- a/kernel/numbers\n+++ b/kernel/numbers\n@@ -1,5 +1,5 @@\n 1\n 2\n-3\n+three\n 4\n 5\n' >"$RIG_DIR/series/older/0001-three.patch"
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'an older source first gets what it lacks' status_is 0
point 'of newer ones' tree_has kernel/numbers three
fresh_tree
sed -i 's/^3$/three/' "$RIG_DIR/tree/kernel/numbers"
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'one that has it is left alone' status_is 0
rm "$RIG_DIR/series/older/0001-three.patch"
fresh_tree
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'and without that patch the older source does not fit' status_is 1

fresh_tree
fresh_series
seq 100 119 >"$RIG_DIR/tree/kernel/numbers"
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'a patch that does not fit has status 1' status_is 1
point 'patch, file and hunk are named' err_has '0002-five.patch: kernel/numbers: Hunk #1 FAILED'
point 'the patch before it stays' test -e "$RIG_DIR/tree/kernel/made.c"

fresh_tree
fresh_series
sed -i 's/^2$/two/' "$RIG_DIR/tree/kernel/numbers"
tool apply "$RIG_DIR/tree" "$RIG_DIR/series"
point 'fuzz is a failure' err_has '0002-five.patch: kernel/numbers: Hunk #1 FAILED'

tool apply "$RIG_DIR/series" "$RIG_DIR/series"
point 'what is no kernel tree is refused' err_has 'is no kernel source tree'
tool apply "$RIG_DIR/tree" "$RIG_DIR/tree"
point 'what is no series is refused' err_has 'no series in'
point 'with status 2' status_is 2
tool apply
point 'no folder shows the usage' err_has 'usage: dovetail-patches/apply'

fresh_series
tool check -f "$RIG_DIR/series"
point 'a series in form passes' status_is 0

# faulty TEXT SED-SCRIPT MESSAGE: one fault in the patch that makes a file.
faulty() {
	fresh_series
	sed -i "$2" "$RIG_DIR/series/0001-made.patch"
	tool check -f "$RIG_DIR/series"
	point "$1" grep -qF -- "0001-made.patch: $3" "$RIG_DIR/out"
	point 'and is the only fault, with status 1' test "$RIG_STATUS.$(tail -n 1 "$RIG_DIR/out")" = '1.2 patches, 1 faults of form'
}
faulty 'a missing field is found' '/^Origin:/d' 'no field Origin'
faulty 'a date that is none is found' 's/^Last-Update: .*/Last-Update: now/' 'Last-Update is "now"'
faulty 'a subject without area is found' 's/^Subject: made:/Subject:/' 'Subject is "a file"'
faulty 'a missing reason is found' '/^Numbers/d' 'no text says why'
faulty 'a new file without licence is found' 's/^+.*SPDX.*/+/; s/^+int made;/&\n+;/' 'new file kernel/made.c has no SPDX line'
faulty 'even one of two lines' 's/^+.*SPDX.*/+/' 'new file kernel/made.c has no SPDX line'
faulty 'also in a patch that git did not write' '/^diff --git/d; /^new file/d; s/^+.*SPDX.*/+/' \
	'new file kernel/made.c has no SPDX line'

fresh_series
sed -i 's,kernel/made.c,arch/x86/made.c,' "$RIG_DIR/series/0001-made.patch"
tool check -f "$RIG_DIR/series"
point 'code of an architecture in a generic patch is found' grep -qF \
	'changes arch/x86/made.c, but its name does not begin with x86' "$RIG_DIR/out"
fresh_series
echo 0000-none.patch >>"$RIG_DIR/series/series"
cp "$RIG_DIR/series/0001-made.patch" "$RIG_DIR/series/0003-stray.patch"
tool check -f "$RIG_DIR/series"
point 'a patch that is not there, a stray one and a wrong order are found' out_is \
	'series: the patches are not in the order of their numbers
0003-stray.patch: not in the series
0000-none.patch: not there
3 patches, 3 faults of form
'

tool check -f
point 'our own series is in form' status_is 0

finish
