# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What evl doctor and evl check --live look at, one function a fact. Each prints rows NAME, VERDICT, TEXT,
# REMEDY, with tabs between them; the verdicts are OK, WARN, FAIL, SKIP. Nothing is changed. Sourced after
# tool.sh, whose ROOT and SYSDIR say where the trees are.

DOCTOR_PROBES="kernel pipeline core abi cpus isolation drivers permissions memlock clocksource gravity tracing disk"
LIVE_PROBES="bootline governor idle clocksource nmi_watchdog rt_throttling irq_affinity hugepages"

CLOCKSOURCE=$ROOT/sys/devices/system/clocksource/clocksource0
CPU_DIR=$ROOT/sys/devices/system/cpu

row() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}"; }

# Sentence with which the kernel refused the core, out of its log.
refusal() {
	kernel_log | sed -n 's/.*evl refused: //p' | tail -n 1
}

probe_kernel() {
	case $(kernel_is_patched) in
	yes) row kernel OK "$(uname -r), with Dovetail" ;;
	no)  row kernel FAIL "kernel $(uname -r) has no Dovetail, which the core stands on" \
		"boot the kernel built with dovetail-patches (CONFIG_DOVETAIL=y)" ;;
	*)   row kernel SKIP "cannot tell whether kernel $(uname -r) has Dovetail: neither /proc/config.gz nor /boot/config-$(uname -r)" \
		"turn CONFIG_IKCONFIG_PROC on" ;;
	esac
}

probe_pipeline() {
	local why
	if boot_word irq_pipeline=off; then
		row pipeline FAIL "the interrupt pipeline is off: irq_pipeline=off is on the boot line" \
			"remove irq_pipeline=off from the boot line and reboot"
		return
	fi
	why=$(refusal)
	if core_is_loaded; then
		row pipeline OK "interrupts are pipelined"
	elif [ -n "$why" ]; then
		row pipeline FAIL "the kernel refused the core: $why" "see docs/pipeline.md, vetoes, and the kernel log"
	else
		row pipeline SKIP "known once the core is loaded"
	fi
}

# What to do about a core that is not there depends on what else is missing, which has a row of its own.
core_remedy() {
	if boot_word irq_pipeline=off || [ "$(kernel_is_patched)" = no ]; then
		echo "first the failure above"
	else
		loading_remedy
	fi
}

probe_core() {
	local state
	if ! core_is_loaded; then
		row core FAIL "no core: the module evl is not loaded" "$(core_remedy)"
		return
	fi
	state=$(line_of "$SYSDIR/evl/control/state")
	if [ "$state" = running ]; then
		row core OK "running"
	else
		row core FAIL "the core is ${state:-in an unknown state}" "$(as_root evl start)"
	fi
}

probe_abi() {
	local base level needs
	read -r base level 2>/dev/null <"$SYSDIR/evl/control/abi" || {
		row abi SKIP "known once the core is loaded"
		return
	}
	needs=$(version_line | sed -n 's/.*ABI \([0-9]*\).*/\1/p')
	if [ -z "$needs" ]; then
		row abi SKIP "the evl command is not in PATH: cannot tell which ABI the library needs" "install evl, or extend PATH"
	elif [ "$needs" -ge "$base" ] && [ "$needs" -le "$level" ]; then
		row abi OK "the library needs revision $needs, the core has $base to $level"
	elif [ "$needs" -gt "$level" ]; then
		row abi FAIL "the library needs ABI $needs, the core ends at $level" "install the module of the library's release and reload it"
	else
		row abi FAIL "the library needs ABI $needs, the core begins with $base" "install the library of the module's release"
	fi
}

probe_cpus() {
	local cpus
	core_is_loaded || { row cpus SKIP "known once the core is loaded"; return; }
	cpus=$(line_of "$SYSDIR/evl/control/cpus")
	if [ -n "$cpus" ]; then
		row cpus OK "real-time threads may run on CPU $cpus"
	else
		row cpus FAIL "no CPU is given to the core" "evl.oob_cpus=LIST on the boot line, or reload the module with oob_cpus=LIST"
	fi
}

# Online CPUs in words of the kernel.
online_cpus() { line_of "$CPU_DIR/online"; }

probe_isolation() {
	local isolated oob
	isolated=$(line_of "$CPU_DIR/isolated")
	oob=$(line_of "$SYSDIR/evl/control/cpus")
	if [ "$(cpus_of "$(online_cpus)" | wc -l)" -lt 2 ]; then
		row isolation SKIP "one CPU: nothing to isolate"
	elif [ -z "$isolated" ]; then
		row isolation WARN "no CPU is isolated: in-band work evicts the caches of real-time threads" \
			"isolcpus=1 evl.oob_cpus=1 on the boot line"
	elif core_is_loaded && ! { cpus_of "$isolated"; cpus_of "$oob"; } | sort | uniq -d | grep -q .; then
		row isolation WARN "CPU $isolated is isolated, but the core has CPU $oob" "evl.oob_cpus=$isolated on the boot line"
	else
		row isolation OK "CPU $isolated is isolated"
	fi
}

probe_drivers() {
	core_is_loaded || { row drivers SKIP "known once the core is loaded"; return; }
	if [ -e "$ROOT/dev/latmus" ]; then
		row drivers OK "the latency driver is loaded"
	else
		row drivers WARN "/dev/latmus is missing, latmus cannot measure" "$(as_root modprobe evl-latmus)"
	fi
}

# Judged by opening, for what group memberships mean is the kernel's to say.
probe_permissions() {
	local device="$ROOT/dev/evl/control"
	if ! [ -e "$device" ]; then
		row permissions SKIP "known once the core is loaded"
		return
	fi
	if may_use "$device"; then
		row permissions OK "$(user_name) may use the core"
	else
		row permissions FAIL "$(denial_of "$device")" "$(denial_remedy "$device")"
	fi
}

# In KiB, or "unlimited".
memlock_limit() {
	awk '/^Max locked memory/ { print $4 == "unlimited" ? $4 : int($4 / 1024) }' "$ROOT/proc/self/limits" 2>/dev/null
}

# A thread locks its stack, of 8 MiB unless told otherwise, and the C library.
probe_memlock() {
	local limit
	limit=$(memlock_limit)
	if [ -z "$limit" ]; then
		row memlock SKIP "/proc/self/limits cannot be read"
	elif is_root || [ "$limit" = unlimited ]; then
		row memlock OK "as much memory can be locked as is wanted"
	elif [ "$limit" -ge 131072 ]; then
		row memlock OK "$((limit / 1024)) MiB can be locked"
	else
		row memlock WARN "at most $limit KiB of memory can be locked, which is soon too little for real-time threads" \
			"this line in /etc/security/limits.d/evl.conf, then log in again: @evl - memlock unlimited"
	fi
}

probe_clocksource() {
	local current
	current=$(line_of "$CLOCKSOURCE/current_clocksource")
	case $current in
	'') row clocksource SKIP "the clock source is not known" ;;
	tsc|kvm-clock|arch_sys_counter|hyperv_clocksource_tsc_page)
		row clocksource OK "$current, read without a system call" ;;
	*)
		case " $(line_of "$CLOCKSOURCE/available_clocksource") " in
		*' tsc '*) row clocksource WARN "$current: each time stamp is a system call, and the TSC is there" \
			"$(as_root "sh -c 'echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource'"), or tsc=nowatchdog on the boot line" ;;
		*) row clocksource WARN "$current: each time stamp is a system call" \
			"if the TSC of this machine is good: tsc=nowatchdog or tsc=reliable on the boot line" ;;
		esac ;;
	esac
}

probe_gravity() {
	local gravity
	gravity=$(line_of "$SYSDIR/clock/monotonic/gravity")
	case $gravity in
	'') row gravity SKIP "known once the core is loaded" ;;
	'0i 0k 0u') row gravity WARN "the clock is not calibrated: wake-ups come late by a constant" "$(as_root evl tune)" ;;
	*) row gravity OK "$gravity" ;;
	esac
}

trace_dir() {
	local dir
	for dir in "${EVL_TRACEDIR:-}" "$ROOT/sys/kernel/tracing" "$ROOT/sys/kernel/debug/tracing"; do
		if [ -n "$dir" ] && [ -e "$dir/tracing_on" ]; then echo "$dir"; return; fi
	done
	return 1
}

probe_tracing() {
	local dir
	if dir=$(trace_dir); then
		if [ -d "$dir/events/evl" ]; then
			row tracing OK "$dir"
		else
			row tracing SKIP "the events of the core are known once it is loaded"
		fi
	elif is_root; then
		row tracing WARN "there are no tracing files" "mount -t tracefs tracefs /sys/kernel/tracing; CONFIG_FTRACE"
	else
		row tracing SKIP "the tracing files are for root"
	fi
}

probe_disk() {
	local free
	free=$(df -Pk "${ROOT:-/}" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')
	if [ -z "$free" ]; then
		row disk SKIP "free space is not known"
	elif [ "$free" -lt 50 ]; then
		row disk WARN "$free MiB are free, results may not fit" "make room"
	else
		row disk OK "$free MiB are free"
	fi
}

### What costs latency on the machine as it runs.

probe_bootline() {
	if [ -z "$(line_of "$ROOT/proc/cmdline")" ]; then
		row bootline SKIP "the boot line cannot be read"
	elif [ "$(cpus_of "$(online_cpus)" | wc -l)" -gt 1 ] && [ -z "$(line_of "$CPU_DIR/isolated")" ]; then
		row bootline WARN "isolcpus= is missing: no CPU is kept free of in-band work" "isolcpus=1 evl.oob_cpus=1"
	else
		row bootline OK "$(line_of "$ROOT/proc/cmdline")"
	fi
}

# Of each CPU that has one, once each.
governors() { cat "$CPU_DIR"/cpu*/cpufreq/scaling_governor 2>/dev/null | sort -u | tr '\n' ' '; }

probe_governor() {
	local all
	all=$(governors)
	case $all in
	'') row governor OK "the kernel does not change the frequency" ;;
	'performance ') row governor OK "performance" ;;
	*) row governor WARN "governor ${all% }: a change of frequency costs ten to more than a hundred us" \
		"$(as_root cpupower frequency-set -g performance)" ;;
	esac
}

# The worst exit latency of an idle state that may be entered, in us.
deepest_idle_us() {
	local state worst=0 latency
	for state in "$CPU_DIR"/cpu*/cpuidle/state*; do
		[ "$(line_of "$state/disable")" = 0 ] || continue
		latency=$(line_of "$state/latency")
		[ "${latency:-0}" -le "$worst" ] || worst=$latency
	done
	echo "$worst"
}

probe_idle() {
	local us
	us=$(deepest_idle_us)
	if [ "$us" -gt 10 ]; then
		row idle WARN "idle states take up to $us us to leave" \
			"hold /dev/cpu_dma_latency at 0, as latmus does, or idle=poll, or CONFIG_ACPI_PROCESSOR_IDLE=n"
	else
		row idle OK "idle states are shallow ($us us)"
	fi
}

probe_nmi_watchdog() {
	case $(line_of "$ROOT/proc/sys/kernel/nmi_watchdog") in
	1) row nmi_watchdog WARN "the NMI watchdog is on: each of its NMIs delays what runs" "nmi_watchdog=0 on the boot line" ;;
	0) row nmi_watchdog OK "off" ;;
	*) row nmi_watchdog SKIP "this kernel has none" ;;
	esac
}

# Of no concern to threads of the core; an in-band thread that is measured beside them is throttled.
probe_rt_throttling() {
	local us
	us=$(line_of "$ROOT/proc/sys/kernel/sched_rt_runtime_us")
	case $us in
	'') row rt_throttling SKIP "not known" ;;
	-1) row rt_throttling OK "off" ;;
	*)  row rt_throttling OK "in-band real-time threads get $us us of each second, threads of the core are not concerned" ;;
	esac
}

# Interrupt lines which may be served by an isolated CPU.
probe_irq_affinity() {
	local isolated busy
	isolated=$(line_of "$CPU_DIR/isolated")
	[ -n "$isolated" ] || { row irq_affinity SKIP "no CPU is isolated"; return; }
	busy=$(for irq in "$ROOT"/proc/irq/[0-9]*; do
		{ cpus_of "$isolated"; cpus_of "$(line_of "$irq/smp_affinity_list")"; } | sort | uniq -d | grep -q . && echo "${irq##*/}"
	done | tr '\n' ' ')
	if [ -n "$busy" ]; then
		row irq_affinity WARN "interrupts ${busy% } may reach isolated CPU $isolated" \
			"write the list of the other CPUs to /proc/irq/N/smp_affinity_list; irqaffinity= on the boot line"
	else
		row irq_affinity OK "no interrupt line is bound to CPU $isolated"
	fi
}

probe_hugepages() {
	case $(line_of "$ROOT/sys/kernel/mm/transparent_hugepage/enabled") in
	'') row hugepages SKIP "this kernel makes none" ;;
	*'[always]'*) row hugepages WARN "transparent huge pages are always made: compaction sends interrupts to all CPUs" \
		"transparent_hugepage=madvise on the boot line" ;;
	*) row hugepages OK "made on request only" ;;
	esac
}

run_probes() { # NAME...
	local name
	for name in "$@"; do "probe_$name"; done
}
