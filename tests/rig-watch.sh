#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: vm/watch builds, loads and tests the core in a running machine each time a source is saved, tells what does
# not build and goes on, and leaves no machine behind.
# needs: the patched kernel.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"
need_patched_kernel

# A tree of its own to save files in.
tree=$RIG_DIR/tree
mkdir "$tree"
(cd "$RIG_TOP" && find . -mindepth 1 -maxdepth 1 ! -name .git -exec cp -a -t "$tree" {} +)
source=$tree/module/rank.c
cp -p "$source" "$RIG_DIR/rank.c"

said() { grep -qE -- "$1" "$RIG_DIR/err"; }

# says SECONDS PATTERN: on stderr, by then.
says() {
	local left=$1
	until said "$2"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] && kill -0 "$watch" 2>/dev/null && sleep 1 && continue
		echo "# stderr ends with:"
		tail -n 15 "$RIG_DIR/err" | sed 's/^/# /'
		return 1
	done
}

"$tree/vm/watch" sleep 'grep -q "^evl " /proc/modules' >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null &
watch=$!
trap 'kill $watch 2>/dev/null; wait; rm -rf "$RIG_DIR"' EXIT

point 'it builds the core and starts a machine' says 400 'save a file of module/'
sleep 1
echo 'int missing_semicolon' >>"$source"
point 'a source that does not build is named' says 200 'module/rank.c: does not build'
sleep 1
cp "$RIG_DIR/rank.c" "$source"
point 'the next one is built, loaded and tested' says 200 \
	'module/rank.c: built in [0-9]+\.[0-9]{2} s, loaded in [0-9]+\.[0-9]{2} s, tested in [0-9]+\.[0-9]{2} s: status 0'
grep 'built in' "$RIG_DIR/err" | sed 's/^/# /'

kill "$watch"
wait "$watch"
point 'a signal ends it' test $? = 130
point 'and its machine' test -z "$(pgrep -f "vm/watch serve sleep")"

"$tree/vm/watch" >"$RIG_DIR/out" 2>"$RIG_DIR/err"
point 'without a test to run it says what it wants' said 'name a test'

finish
