#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: ./evl-vm run hands over words, streams and status of a command unchanged, and
# says in its own statuses what else can end a machine.
# needs: the host, a kernel of our configuration.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

machine -- sh -c 'echo out; echo err >&2; exit 3'
point 'the status is the command'"'"'s' status_is 3
point 'stdout carries stdout alone' out_is $'out\n'
point 'stderr carries stderr' err_has 'err'
point 'stderr carries no boot noise' err_lacks 'Linux version'

# shellcheck disable=SC2016
machine -- printf '%s|' 'a b' "it's" '"q"' '$HOME' '' '*' '\n' $'tab\there' 'ä'
point 'words arrive as they were given' out_is "a b|it's|\"q\"|\$HOME||*|\\n|"$'tab\there'"|ä|"

machine -- sh -c 'read -r x && exit 9; echo again >/dev/stdout; kill -KILL $$'
point 'stdin is empty, death by signal has the shell'"'"'s status' status_is 137
point 'the streams can be opened by name' out_is $'again\n'

echo from-host >"$RIG_DIR/given"
machine --share "$RIG_DIR" -- sh -c 'pwd; cat given; echo back >made; test -x /usr/bin/gcc -o -x /bin/bash'
point 'the shared directory is where the command starts' out_is $'/mnt/host\nfrom-host\n'
point 'what it writes there arrives' grep -qx back "$RIG_DIR/made"

machine -- head -c 3000000 /dev/zero
point 'three megabytes of output arrive' test "$(stat -c %s "$RIG_DIR/out")" = 3000000

machine -- sh -c 'nproc; touch /etc/evl-made && rm /etc/hostname'
point 'the machine has two CPUs unless told otherwise' out_is $'2\n'
point 'its writes do not reach the host' test ! -e /etc/evl-made -a -e /etc/hostname

machine --smp 3 --append evl.probe=7 -- sh -c 'nproc; grep -o evl.probe=7 /proc/cmdline'
point '--smp and --append are obeyed' out_is $'3\nevl.probe=7\n'

machine --icount -- sh -c 'nproc; grep -o nokaslr /proc/cmdline'
point '--icount has one CPU and a fixed kernel address' out_is $'1\nnokaslr\n'

machine --timeout 20 -- sh -c 'echo begun; sleep 1000'
point 'time running out has status 124' status_is 124
point 'what was said before it arrives' out_is $'begun\n'
point 'the registers of the CPUs are in the log' grep -q 'RIP=\|EIP=' \
	"$(sed -n 's/^evl-vm: kernel log: //p' "$RIG_DIR/err")"

machine -- sh -c 'echo "WARNING: CPU: 0 made up" >/dev/kmsg; exit 0'
point 'a splat has status 120 though the command passed' status_is 120
point 'and its line is shown' err_has 'made up'

machine --timeout 60 -- sh -c 'echo c >/proc/sysrq-trigger; sleep 60'
point 'a panic has status 121' status_is 121

machine --timeout 60 -- sh -c 'echo b >/proc/sysrq-trigger; sleep 60'
point 'a machine that ends without a word has status 122' status_is 122

machine --qemu-arg -no-such-option -- true
point 'a QEMU that does not start has status 125' status_is 125

machine --smp 0 -- true
point '--smp 0 is refused' err_has '--smp wants at least 1'
machine --mem lots -- true
point '--mem lots is refused' err_has "--mem wants a number, not 'lots'"
machine --share /nonexistent -- true
point 'a share that is not there is refused' err_has 'no such directory'
machine --frobnicate -- true
point 'an unknown option is refused' err_has 'unknown option --frobnicate'
machine
point 'no command is refused' err_has 'run wants a command'
point 'with status 125' status_is 125

# A killed rig takes its machine along.
"$RIG_TOP/evl-vm" run --kernel "$RIG_KERNEL" --no-core --append "evl.orphan=$$" -- sleep 1000 \
	>/dev/null 2>&1 </dev/null &
rig=$!
orphan() { pgrep -f "qemu.*evl.orphan=$$ " >/dev/null; }
no_orphan() { ! orphan; }
for _ in $(seq 600); do
	orphan && break
	sleep 0.1
done
point 'the machine runs' orphan
kill -KILL "$rig"
wait "$rig" 2>/dev/null
sleep 1
point 'and ends with the rig, even when that is killed' no_orphan

finish
