#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: the pipeline and the core work on the local APIC's newer interface, x2APIC, with interrupt remapping, and with
# interrupt remapping alone. The first needs an emulator newer than Debian 12's, which the backports have.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

EVL_CACHE=${EVL_CACHE:-${HOME:-/root}/.cache/evl}
TOOLS=$EVL_CACHE/tools/qemu-backports

# By apt alone, with lists of its own; nothing is installed.
fetch_qemu() {
	local apt="-o Dir::Etc::sourcelist=$RIG_DIR/apt/list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$RIG_DIR/apt/lists"
	mkdir -p "$RIG_DIR/apt/lists/partial" "$TOOLS.new"
	echo "deb http://deb.debian.org/debian bookworm-backports main" >"$RIG_DIR/apt/list"
	# shellcheck disable=SC2086
	(apt-get $apt update && cd "$RIG_DIR/apt" &&
		apt-get $apt -o APT::Sandbox::User=root download qemu-system-x86 qemu-system-data) || return 1
	for deb in "$RIG_DIR"/apt/*.deb; do
		dpkg-deb -x "$deb" "$TOOLS.new" || return 1
	done
	mv "$TOOLS.new" "$TOOLS"
}

have_qemu() {
	[ -d "$TOOLS" ] || fetch_qemu >/dev/null 2>&1
	"$TOOLS/usr/bin/qemu-system-x86_64" --version >/dev/null 2>&1
}

# A level line behind interrupt remapping cannot be out-of-band, and is refused (docs/pipeline.md).
# works QEMU-ARGUMENTS: the core serves on each CPU, CPU1 comes and goes, and the log says how interrupts come.
works() {
	local args=() a
	for a in $1; do args+=(--qemu-arg "$a"); done
	core_machine --smp 2 --timeout 240 "${args[@]}" --share "$RIG_TOP" -- sh -c '
		dmesg | grep -i -e x2apic -e "irq remapping" -e "masked by software"
		latmus -q -u -c 0 -T 2 && latmus -q -u -c 1 -T 2 && latmus -q -k -c 1 -T 2 || exit 3
		echo 0 >/sys/devices/system/cpu/cpu1/online && echo 1 >/sys/devices/system/cpu/cpu1/online || exit 4
		latmus -q -u -c 1 -T 2 || exit 5
		rmmod $(ls /sys/module/evl/holders) evl || exit 6
		cd /tmp && sh /mnt/host/tests/pipeline.sh | grep -e "^not ok" -e "^1\.\." | grep -v "INTx.*(-22)"'
	grep -q '^1\.\.' "$RIG_DIR/out" && ! grep -q '^not ok' "$RIG_DIR/out" && return 0
	status_is 0
	sed 's/^/# /' "$RIG_DIR/out"
	return 1
}

said() { grep -qi -e "$1" "$RIG_DIR/out"; }

point "interrupt remapping" works "-M q35 -device intel-iommu,intremap=on -device edu -device edu"
point "which was there" said "Enabled IRQ remapping in xapic mode"
if have_qemu; then
	export EVL_QEMU="$TOOLS/usr/bin/qemu-system-x86_64 -L $TOOLS/usr/share/qemu -L /usr/share/seabios"
	point "x2APIC with interrupt remapping" works "-M q35 -device intel-iommu,intremap=on,eim=on -device edu -device edu"
	point "which was there" said "Enabled IRQ remapping in x2apic mode"
else
	for n in 3 4; do
		RIG_POINTS=$n
		echo "ok $n - x2APIC # SKIP the newer QEMU cannot be had from Debian's backports"
	done
fi
finish
