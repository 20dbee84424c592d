#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: ./evl-vm check tells passed, failed, skipped, late, crashed and splattering
# tests apart, names the one that crashed, and runs the ones after it.
# needs: the host, a kernel of our configuration.

# shellcheck source=tests/rigging.sh disable=SC2317,SC2329
. "$(dirname "$0")/rigging.sh"

made=$RIG_DIR/tests
mkdir -p "$made"

# make_test NAME WISH < body
make_test() {
	{
		printf '#!/bin/sh\n# evl-vm: kernel=%s nocore %s\n' "$RIG_KERNEL" "$2"
		cat
	} >"$made/$1.sh"
	chmod 755 "$made/$1.sh"
}

make_test a-passes 'smp=2' <<-'END'
	echo 1..3; echo ok 1; echo ok 2 - two; echo "ok 3 # SKIP no third hand"
END
make_test b-fails 'smp=2' <<-'END'
	echo ok 1; echo not ok 2 - it broke; echo 1..2; exit 1
END
make_test c-crashes 'smp=2' <<-'END'
	echo ok 1; echo c >/proc/sysrq-trigger; sleep 20
END
make_test d-splats 'smp=2' <<-'END'
	echo "BUG: made up by d" >/dev/kmsg; echo ok 1; echo 1..1
END
make_test e-hangs 'smp=2 timeout=5' <<-'END'
	echo ok 1; echo 1..1; sleep 1000
END
make_test f-short 'smp=2' <<-'END'
	echo 1..4; echo ok 1
END
make_test g-skips 'smp=2' <<-'END'
	echo 1..0 "# SKIP no such device"
END
make_test h-mute 'smp=2' <<-'END'
	exit 0
END
make_test i-on-one-and-three 'smp=1,3' <<-'END'
	echo 1..1; [ "$(nproc)" = "${0##*/none}" ] || [ "$(nproc)" = 1 ] || [ "$(nproc)" = 3 ] && echo ok 1
END
make_test j-meets-the-emulator 'smp=2' <<-'END'
	echo "Oops: int3: made up" >/dev/kmsg; echo 1..1; echo ok 1
END

status=0
EVL_TESTS=$made "$RIG_TOP/evl-vm" check a-passes b-fails c-crashes d-splats e-hangs f-short g-skips \
	h-mute i-on-one-and-three j-meets-the-emulator >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || status=$?

point 'the status is not zero' test "$status" != 0
point 'the last line has the counts' out_is $'9 passed, 7 failed, 2 skipped\n'
point 'the failing point is named' err_has 'FAILED b-fails.smp2: not ok 2 - it broke'
point 'the crashing test is named' err_has 'FAILED c-crashes.smp2: the kernel panicked'
point 'the splat is charged to its test' err_has 'FAILED d-splats.smp2: the kernel log:'
point 'a hang is a failure' err_has 'FAILED e-hangs.smp2: it did not end in time'
point 'a broken plan is a failure' err_has 'FAILED f-short.smp2: planned 4 checks, made 1'
point 'no result is a failure' err_has 'FAILED h-mute.smp2: it printed no result'
point 'the emulator is given one excuse' err_has \
	"j-meets-the-emulator.smp2: the emulator's int3 fault; repeated with one host thread"
point 'and no second one' err_has 'FAILED j-meets-the-emulator.smp2: the kernel log:'
point 'skips are listed with their reason' err_has 'skipped: g-skips.smp2: no such device'

EVL_TESTS=$made "$RIG_TOP/evl-vm" check no-such-test >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null
point 'an unknown test is refused by name' err_has "there is no test 'no-such-test'"

EVL_TESTS=$made "$RIG_TOP/evl-vm" check a-passes >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null
point 'one test alone' out_is $'2 passed, 0 failed, 1 skipped\n'

printf 'sleep 1; echo 1..2; echo ok 1; echo not ok 2\n' >"$made/rig-quick.sh"
status=0
EVL_TESTS=$made "$RIG_TOP/evl-vm" check rig-quick >"$RIG_DIR/out" 2>"$RIG_DIR/err" </dev/null || status=$?
point 'a test without a machine alone' out_is $'1 passed, 1 failed, 0 skipped\n'
point 'whose failure counts' test "$status" != 0

finish
