# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# One virtual machine from start to verdict.

STATUS_SPLAT=120	# the kernel log holds a splat, whatever the command said
STATUS_PANIC=121	# the kernel panicked
STATUS_DIED=122		# the machine ended, or stayed on, without the command's status
STATUS_CORE=123		# the core could not be loaded
STATUS_TIMEOUT=124	# --timeout ran out
STATUS_RIG=125		# the rig failed

machine_defaults() {
	VM_KERNEL=evl VM_DEBUG=no VM_SMP=2 VM_MEM=1024 VM_ICOUNT=no VM_SINGLE=no VM_LOAD=no
	VM_SHARE=$PWD VM_TIMEOUT=600 VM_APPEND='' VM_CORE=yes VM_SHELL=no VM_LOG='' VM_LEAKS=no
	VM_SHARE_CACHE=mmap VM_SUITE=no VM_INJECT=no
	VM_QEMU_ARGS=() VM_COMMAND=()
}

check_settings() {
	need_number --smp "$VM_SMP"
	need_number --mem "$VM_MEM"
	need_number --timeout "$VM_TIMEOUT"
	[ "$VM_SMP" -le 64 ] || die "--smp $VM_SMP: the kernels are configured for 64 CPUs"
	[ "$VM_MEM" -ge 256 ] || die "--mem $VM_MEM: the machine needs 256 MB"
	[ -d "$VM_SHARE" ] || die "--share $VM_SHARE: no such directory"
	VM_SHARE=$(realpath "$VM_SHARE")
	case $VM_SHARE in *,*) die "--share $VM_SHARE: QEMU cannot take a comma in a path" ;; esac
	[ "$VM_KERNEL" = evl ] || VM_CORE=no
	if [ "$VM_INJECT" != no ]; then
		need_number --inject "$VM_INJECT"
		[ "$VM_CORE$VM_DEBUG" = yesyes ] || die "--inject is for the debug kernel with the core"
	fi
	[ "$VM_DEBUG" = no ] || [ "$VM_MEM" -ge 1536 ] || VM_MEM=1536	# KASAN takes an eighth
}

# POSIX quoting: the guest's /bin/sh reads it.
quoted() {
	local w
	for w in "$@"; do
		printf " '%s'" "${w//\'/\'\\\'\'}"
	done
}

write_job() {
	local job=$1
	cp "$EVL_TOP"/vm/{session,suite,measure,load.sh} "$job/job/"
	printf 'exec%s\n' "$(quoted "${VM_COMMAND[@]}")" >"$job/job/command"
	{
		printf 'SHARE_CACHE=%s\nDIRECTORY=/mnt/host\n' "$VM_SHARE_CACHE"
		printf 'LOAD=%s\nLEAKS=%s\nINJECT=%s\n' "$VM_LOAD" "$VM_LEAKS" "$VM_INJECT"
		printf 'CORE_MODULES=%s\n' "$(quoted "${VM_MODULES-}" | sed 's/^ //')"
		printf 'SHELL_PROGRAM=%s\nSHELL_TERM=%s\n' "$VM_SHELL" "$(quoted "${TERM:-dumb}" | sed 's/^ //')"
	} >"$job/job/settings"
}

kernel_arguments() {
	local a='console=ttyS0 earlyprintk=ttyS0 panic=-1 no_timer_check tsc=reliable loglevel=7 printk.devkmsg=on'
	[ "$VM_ICOUNT" = no ] || a="$a nokaslr"
	# With five levels, KASAN takes a good address for a wild one if an interrupt comes while identify_cpu()
	# has the features of the boot CPU cleared.
	[ "$VM_DEBUG" = no ] || a="$a kmemleak=on no5lvl"
	printf '%s %s' "$a" "$VM_APPEND"
}

share_arguments() {
	local path=$1 tag=$2 mode=$3
	QEMU+=(-virtfs "local,path=$path,mount_tag=$tag,security_model=none,multidevs=remap$mode")
}

# port_arguments NAME FILE
port_arguments() {
	QEMU+=(-chardev "file,id=$1,path=$2" -device "virtserialport,chardev=$1,name=evl.$1")
}

compose_qemu() {
	local kernel=$1 job=$2 accel=tcg
	[ "$VM_SINGLE" = no ] || accel=tcg,thread=single
	# EVL_QEMU: another QEMU, with the options it needs to find its files.
	# shellcheck disable=SC2206
	QEMU=(${EVL_QEMU:-qemu-system-x86_64} -accel "$accel" -cpu max -smp "$VM_SMP" -m "$VM_MEM"
		-no-reboot -nodefaults -display none -nic none
		-kernel "$kernel/bzImage" -initrd "$job/initramfs.gz" -append "$(kernel_arguments)"
		-chardev "pipe,id=mon,path=$job/mon" -mon chardev=mon,mode=readline
		-serial "file:$job/console.log" -device virtio-serial-pci)
	[ "$VM_ICOUNT" = no ] || QEMU+=(-icount "shift=0,sleep=off" -rtc clock=vm)
	# The other board's interrupt routing is a program in its ACPI tables, which takes the
	# debug kernel half a minute for each PCI device.
	case " ${VM_QEMU_ARGS[*]} " in
	*' -M '*|*' -machine '*) ;;
	*) [ "$VM_DEBUG" = no ] || QEMU+=(-M q35) ;;
	esac
	share_arguments / host ,readonly=on
	share_arguments "$job/job" job ,readonly=on
	share_arguments "$VM_SHARE" share ""
	[ -z "$VM_USERLAND" ] || share_arguments "$VM_USERLAND" userland ,readonly=on
	[ -z "$VM_MODULES_ROOT" ] || share_arguments "$VM_MODULES_ROOT" modules ,readonly=on
	port_arguments ctl "$job/ctl"
	if [ "$VM_SHELL" = no ]; then
		port_arguments out "$job/out"
		port_arguments err "$job/err"
	else
		QEMU+=(-chardev "stdio,id=tty,signal=off" -device virtconsole,chardev=tty)
	fi
	QEMU+=("${VM_QEMU_ARGS[@]}")
}

# A FIFO's two ends open together, so the relays wait here for QEMU.
start_host_relays() {
	local job=$1
	mkfifo "$job/mon.in" "$job/mon.out" "$job/out" "$job/err"
	cat "$job/mon.out" >"$job/monitor.log" &
	VM_RELAYS=($!)
	[ "$VM_SHELL" = no ] || return 0
	cat "$job/out" &
	VM_RELAYS+=($!)
	cat "$job/err" >&2 &
	VM_RELAYS+=($!)
}

# What QEMU left is in the pipes, and the relays end at its end. A QEMU that never opened
# them left the relays waiting for a writer: here is one.
stop_host_relays() {
	local job=$1 pipe
	for pipe in "$job/mon.out" "$job/out" "$job/err"; do
		: <>"$pipe"
	done
	wait "${VM_RELAYS[@]}" 2>/dev/null
	VM_RELAYS=()
}

# The machine dies with this shell, however that ends.
start_qemu() {
	local job=$1
	setpriv --pdeathsig KILL "${QEMU[@]}" 2>"$job/qemu.err" <&0 &
	VM_PID=$!
}

kill_qemu() {
	[ -n "${VM_PID:-}" ] || return 0
	kill -KILL "$VM_PID" 2>/dev/null
	wait "$VM_PID" 2>/dev/null
	VM_PID=
}

# Where every CPU was when time ran out.
snapshot_cpus() {
	local job=$1
	# shellcheck disable=SC2016
	timeout 2 sh -c 'printf "info registers -a\ninfo lapic\ninfo registers -a\n" >"$1"' - "$job/mon.in"
	sleep 1
}

machine_deadline() {
	if [ "$VM_SUITE" = yes ]; then suite_deadline; else printf '%s' $((VM_START + VM_TIMEOUT)); fi
}

# Sets VM_LATE when the machine should have ended by now: with the command still running
# ("yes"), or with its status given and the power still on.
look_at_clock() {
	local job=$1
	if [ -z "$VM_ENDED" ] && grep -q '^status ' "$job/ctl" 2>/dev/null; then
		VM_ENDED=$((SECONDS + 60))
	fi
	if [ -n "$VM_ENDED" ]; then
		[ "$SECONDS" -lt "$VM_ENDED" ] || VM_LATE=at-power-off
	elif [ "$VM_SHELL" = no ]; then
		[ "$SECONDS" -lt "$(machine_deadline)" ] || VM_LATE=yes
	fi
}

# Waits for the end of the machine, or makes it. Leaves the verdict of the clock in VM_LATE.
await_qemu() {
	local job=$1 beat=0
	VM_LATE=no VM_START=$SECONDS VM_ENDED=''
	while kill -0 "$VM_PID" 2>/dev/null; do
		sleep 0.1
		beat=$((beat + 1))
		[ $((beat % 20)) = 0 ] || continue
		look_at_clock "$job"
		[ "$VM_LATE" != no ] || continue
		snapshot_cpus "$job"
		kill_qemu
		return
	done
	wait "$VM_PID" 2>/dev/null
	VM_PID=
}

ctl_value() { sed -n "s/^$2 //p" "$1/ctl" 2>/dev/null | tail -n 1; }

keep_log() {
	local job=$1
	VM_KEPT_LOG=${VM_LOG:-$EVL_CACHE/log/console-$BASHPID.log}
	cp "$job/console.log" "$VM_KEPT_LOG" 2>/dev/null || : >"$VM_KEPT_LOG"
	[ "$VM_LATE" = no ] || tr -d '\r' <"$job/monitor.log" >>"$VM_KEPT_LOG"
}

explain() {
	say "$1"
	say "kernel log: $VM_KEPT_LOG"
}

log_tail() { tail -n "${1:-25}" "$VM_KEPT_LOG" | tr -d '\r' | sed 's/^/    /' >&2; }

# judge JOB: the exit status, with a sentence when it is not the command's own.
judge() {
	local job=$1 status
	status=$(ctl_value "$job" status)
	if has_panic "$job/console.log"; then
		explain "the kernel panicked"
		! has_emulator_fault "$job/console.log" ||
			say "an int3 Oops may be the emulator's: see docs/debugging-in-qemu.md, and try --single-thread"
		show_splat "$VM_KEPT_LOG"
		return $STATUS_PANIC
	elif [ "$VM_LATE" = yes ]; then
		explain "time ran out after $VM_TIMEOUT s; the log ends with the registers of each CPU"
		show_splat "$VM_KEPT_LOG"
		log_tail 60
		return $STATUS_TIMEOUT
	elif [ -n "$(ctl_value "$job" rig)" ]; then
		explain "the machine could not be set up: $(ctl_value "$job" rig)"
		return $STATUS_RIG
	elif [ -n "$(ctl_value "$job" core)" ]; then
		explain "the core is not loaded: $(ctl_value "$job" core)"
		log_tail 10
		return $STATUS_CORE
	elif has_splat "$job/console.log"; then
		explain "the kernel log holds a splat (the command's status was ${status:-not given})"
		show_splat "$VM_KEPT_LOG"
		return $STATUS_SPLAT
	elif [ -z "$status" ]; then
		if [ -s "$job/qemu.err" ]; then
			say "QEMU: $(head -n 3 "$job/qemu.err")"
			return $STATUS_RIG
		fi
		explain "the machine ended without giving the command's status"
		log_tail
		return $STATUS_DIED
	elif [ "$VM_LATE" = at-power-off ]; then
		explain "the command ended with status $status, but the machine did not power off"
		log_tail 60
		return $STATUS_DIED
	fi
	[ -n "$VM_LOG" ] || rm -f "$VM_KEPT_LOG"
	return "$status"
}

end_machine() {
	kill_qemu
	[ ${#VM_RELAYS[@]} = 0 ] || kill "${VM_RELAYS[@]}" 2>/dev/null
	VM_RELAYS=()
	[ -z "${VM_TTY:-}" ] || stty "$VM_TTY" 2>/dev/null
	[ -z "${VM_JOB:-}" ] || rm -rf "$VM_JOB"
	VM_JOB=
}

# prepare_machine: everything that may be built or fetched, before the clock runs.
prepare_machine() {
	check_settings
	need_packages machine
	kernel_dir "$VM_KERNEL" "$VM_DEBUG"
	VM_KERNEL_DIR=$KERNEL_DIR
	VM_INITRAMFS=$(initramfs_of "$VM_KERNEL_DIR") || exit 125
	prepare_userland
	prepare_modules
}

start_machine() {
	VM_RELAYS=() VM_PID='' VM_TTY=''
	VM_JOB=$(mktemp -d "${TMPDIR:-/tmp}/evl-vm.XXXXXX") || die "cannot make a directory for the run"
	mkdir -p "$VM_JOB/job" "$EVL_CACHE/log"
	: >"$VM_JOB/ctl"
	: >"$VM_JOB/console.log"
	cp "$VM_INITRAMFS" "$VM_JOB/initramfs.gz"
	write_job "$VM_JOB"
	compose_qemu "$VM_KERNEL_DIR" "$VM_JOB"
	[ "$VM_SHELL" = no ] || VM_TTY=$(stty -g 2>/dev/null)
	start_host_relays "$VM_JOB"
	if [ "$VM_SHELL" = no ]; then start_qemu "$VM_JOB" </dev/null; else start_qemu "$VM_JOB"; fi
}

died_booting_by_emulator() {
	! grep -q 'evl-vm: command starts' "$1/console.log" && has_emulator_fault "$1/console.log"
}

# run_machine: after prepare_machine; may be called again with other commands.
run_machine() {
	local status=0 tries=1
	while :; do
		start_machine
		await_qemu "$VM_JOB"
		stop_host_relays "$VM_JOB"
		if [ "$tries" = 3 ] || ! died_booting_by_emulator "$VM_JOB"; then break; fi
		say "the emulator's int3 fault while booting; starting the machine again"
		end_machine
		tries=$((tries + 1))
	done
	keep_log "$VM_JOB"
	judge "$VM_JOB" || status=$?
	end_machine
	return "$status"
}
