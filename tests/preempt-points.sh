#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: an out-of-band thread preempts in-band code in the middle of everything that holds state of the CPU,
# and nobody's state suffers; where the kernel masks interrupts in the CPU, it does not.
#
# In virtual time an instruction is a nanosecond: a timer whose period is no multiple of anything creeps over the
# work instruction by instruction. Where it hit is taken from the trace point evl_preempt; a place which was not hit
# fails the test, for it would have shown nothing.
#
# evl-vm: smp=1 kernel=evl debug=no timeout=400 icount mem=1536
here=$(dirname "$0")
. "$here/lib.sh"

T=/sys/kernel/tracing
helper=/usr/libexec/evl/tests/preempt
[ -x $helper ] || skip_all "the helper program is not installed"
have_test_module evl-fpu-test || skip_all "module evl-fpu-test is not installed for $(uname -r)"
[ -d $T/events ] || mount -t tracefs tracefs $T || skip_all "no tracefs"

check "in-kernel FPU users start" load_test_module evl-fpu-test
echo 65536 >$T/buffer_size_kb
echo 1 >$T/events/evl/evl_preempt/enable
$helper 3 >preempt.out 2>&1
ok $? "all kept their state"
sed 's/^/# /' preempt.out
echo 0 >$T/events/evl/evl_preempt/enable
[ "$(cat /sys/kernel/debug/evl-fpu-test/errors)" = 0 ]
ok $? "so did in-kernel FPU sections ($(cat /sys/kernel/debug/evl-fpu-test/sections))"

# "hits function", cold parts and clones with their function.
awk '/evl_preempt:/ { sub(/ \[[a-z_0-9]*\]$/, ""); sub(/\+.*/, "", $NF); sub(/\..*/, "", $NF); n[$NF]++ }
	END { for (f in n) print n[f], f }' $T/trace | sort -rn >hits
note "$(awk '{ s += $1 } END { print s }' hits) preemptions of in-band in $(wc -l <hits) functions"

# hit TEXT FUNCTION...: at least one of them was.
hit() {
	local text=$1 n
	shift
	n=$(printf '%s\n' "$@" | awk 'NR == FNR { want[$1]; next } $2 in want { s += $1 } END { print s + 0 }' - hits)
	[ "$n" -gt 0 ]
	ok $? "preempted $text ($n times)"
}

never() {
	local text=$1 n
	shift
	n=$(printf '%s\n' "$@" | awk 'NR == FNR { want[$1]; next } $2 in want { s += $1 } END { print s + 0 }' - hits)
	[ "$n" -eq 0 ]
	ok $? "never $text ($n times)"
}

hit "in a kernel FPU section" linger_with check_section kernel_fpu_begin_mask kernel_fpu_end
hit "in the scheduler, before and after the switch" __schedule finish_task_switch pick_next_task_fair
hit "in the tail of a switch" finish_task_switch
hit "on the way into the kernel" do_syscall_64 entry_SYSCALL_64 entry_SYSCALL_64_after_hwframe x64_sys_call
hit "in exit-to-user work" syscall_exit_to_user_mode exit_to_user_mode_loop irqentry_exit_to_user_mode \
	arch_do_signal_or_restart
hit "while a signal frame is set up" arch_do_signal_or_restart handle_signal x64_setup_rt_frame get_sigframe \
	copy_fpstate_to_sigframe setup_sigcontext
hit "while a signal frame is taken down" __do_sys_rt_sigreturn __x64_sys_rt_sigreturn restore_sigcontext \
	fpu__restore_sig __fpu_restore_sig
hit "while FPU state of a task is loaded or saved" switch_fpu_return fpregs_restore_userregs restore_fpregs_from_fpstate \
	save_fpregs_to_fpstate fpregs_mark_activate fpu_clone
# The first steps of a child are few, and are not met in every run.
hit "in fork" copy_process dup_mm copy_page_range dup_mmap ret_from_fork schedule_tail ret_from_fork_asm
hit "in exec" begin_new_exec load_elf_binary setup_new_exec bprm_execve exec_mmap setup_arg_pages
hit "in page faults" exc_page_fault do_user_addr_fault handle_mm_fault __handle_mm_fault asm_exc_page_fault
hit "while memory is unmapped" unmap_page_range unmap_vmas tlb_finish_mmu flush_tlb_mm_range zap_pte_range unmap_region
# Functions that mask by themselves can be hit on their first and last instructions; these are called masked.
never "in the switch itself" __switch_to __switch_to_asm
check "the in-kernel users stop" rmmod evl-fpu-test
echo 1408 >$T/buffer_size_kb
finish
