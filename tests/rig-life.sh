#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: a machine with the core on it can be suspended, rebooted, replaced by another kernel, and dumped when it
# crashes, with threads of the core at work; a suspend is refused as long as they are.
#
# The root of these machines is in memory, since a suspended machine loses the host's files.
. "$(dirname "$0")/rigging.sh"

need_patched_kernel

EVL_TOP=$RIG_TOP
EVL_CACHE=${EVL_CACHE:-${HOME:-/root}/.cache/evl}
for part in say deps source config kernel userland machine; do
	# shellcheck source=/dev/null
	. "$RIG_TOP/vm/lib/$part.sh"
done
LIFE_ROOT=$RIG_DIR/root

# A program of the host with the libraries it needs; those of ours come from the built tree.
put_program() {
	local program=$1 lib
	install -D -m 755 "$program" "$LIFE_ROOT/bin/$(basename "$program")"
	LD_LIBRARY_PATH=$VM_USERLAND/usr/lib/$(gcc -print-multiarch) ldd "$program" |
		awk '/=> \//{ print $3 } /^\t\/lib/{ print $1 }' | while read -r lib; do
		install -D -m 755 "$(readlink -f "$lib")" "$LIFE_ROOT/lib/$(basename "$lib")"
	done
}

# Not installed: the package changes how its machine reboots. Its libraries are.
find_kexec() {
	local libraries
	command -v kexec && return
	mapfile -t libraries < <(apt-cache depends kexec-tools | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p')
	[ "$(id -u)" != 0 ] || install_packages "${libraries[@]}" >/dev/null 2>&1
	(mkdir "$RIG_DIR/deb" && cd "$RIG_DIR/deb" && apt-get -o APT::Sandbox::User=root download kexec-tools &&
		dpkg-deb -x kexec-tools_*.deb .) >/dev/null 2>&1
	[ -x "$RIG_DIR/deb/sbin/kexec" ] && ! ldd "$RIG_DIR/deb/sbin/kexec" | grep -q 'not found' &&
		echo "$RIG_DIR/deb/sbin/kexec"
}

pack_root() {
	(cd "$LIFE_ROOT" && find . -print0 | cpio -0 -o -H newc --quiet -R 0:0) | gzip -1 >"$1"
}

# Twice: the root which a next kernel gets is a file of the first one's.
make_root() {
	local m
	mkdir -p "$LIFE_ROOT/modules" "$LIFE_ROOT/bin" "$LIFE_ROOT/boot"
	ln -s lib "$LIFE_ROOT/lib64"
	cp "$(command -v busybox)" "$LIFE_ROOT/bin/busybox"
	install -m 755 "$RIG_TOP/tests/life/init" "$LIFE_ROOT/init"
	put_program "$VM_USERLAND/usr/bin/latmus"
	put_program "$kexec"
	find "$VM_MODULES_ROOT" -name 'evl.ko' -o -name 'evl-latmus.ko' -o -name 'evl-oops-test.ko' |
		while read -r m; do cp "$m" "$LIFE_ROOT/modules/"; done
	pack_root "$RIG_DIR/next.gz"
	cp "$RIG_DIR/next.gz" "$LIFE_ROOT/boot/initramfs.gz"
	cp "$VM_KERNEL_DIR/bzImage" "$LIFE_ROOT/boot/bzImage"
	[ -z "$dumper" ] || cp "$dumper" "$LIFE_ROOT/boot/dumper"
	pack_root "$RIG_DIR/first.gz"
}

# One host thread for all CPUs: a kernel which goes down gives the other CPUs a second to stop, and a thread of a busy
# host may not have run by then. What is left of the old kernel would go on inside the next.
#
# live SCENARIO [KERNEL ARGUMENTS]: leaves the console's log in $RIG_DIR/SCENARIO.log.
live() {
	timeout -k 5 300 qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 -m 1024 -no-reboot -nodefaults -display none \
		-nic none -kernel "$VM_KERNEL_DIR/bzImage" -initrd "$RIG_DIR/first.gz" \
		-append "console=ttyS0 panic=-1 tsc=reliable no_timer_check life=$1 ${2:-}" \
		-serial "file:$RIG_DIR/$1.log" </dev/null >"$RIG_DIR/$1.qemu" 2>&1
	LIFE_STATUS=$?
}

# lived SCENARIO POINTS: the machine ended by itself, and all it said was good.
lived() {
	local log=$RIG_DIR/$1.log good bad
	good=$(grep -ac 'life: ok' "$log")
	bad=$(grep -ac 'life: not ok' "$log")
	if [ "$LIFE_STATUS" = 0 ] && [ "$good" = "$2" ] && [ "$bad" = 0 ] && ! grep -aqE "$3" "$log"; then
		return 0
	fi
	echo "# status $LIFE_STATUS, $good of $2 points good, $bad bad"
	grep -a 'life:' "$log" | tr -d '\r' | sed 's/^/# /'
	tail -n 30 "$log" | tr -d '\r' | sed 's/^/# /'
	return 1
}

kexec=$(find_kexec)
[ -n "$kexec" ] || { echo "1..0 # SKIP Debian's kexec-tools cannot be had"; exit 77; }
machine_defaults
VM_KERNEL=evl
kernel_dir evl no
VM_KERNEL_DIR=$KERNEL_DIR
prepare_userland
prepare_modules
# Ours is not relocatable: Debian's own runs in the memory set aside and saves what ours left.
dumper=$(kernel_dir stock no >"$RIG_DIR/stock" 2>&1 && echo "$KERNEL_DIR/bzImage")
make_root

complaints='BUG:|WARNING:|Oops|Call Trace|rcu.*stall'
live suspend
point "suspend to memory, refused with threads, three times without" lived suspend 14 "$complaints"
live reboot
point "reboot with a thread at work" lived reboot 2 "$complaints"
live kexec
point "a next kernel started with a thread at work" lived kexec 5 "$complaints"

# dumped SCENARIO TEXT
dumped() {
	if [ -n "$dumper" ]; then
		live "$1" crashkernel=256M
		point "$2, dumped" lived "$1" 5 'BUG: unable to handle|WARNING:'
	else
		RIG_POINTS=$((RIG_POINTS + 1))
		echo "ok $RIG_POINTS - $2, dumped # SKIP Debian's kernel cannot be had"
	fi
}

dumped crash "a crash of in-band with a thread at work"
dumped oobcrash "a panic out-of-band with a thread at work"
finish
