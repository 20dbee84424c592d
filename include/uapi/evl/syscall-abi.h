/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Out-of-band calls.
 *
 * A call of the core is a system call whose number has the most significant bit of 32 set, made with
 * the ordinary convention of the architecture: number in the low 32 bits of the register (x86-64: eax),
 * the upper half clear, result in -4095..-1 for errors. Three arguments:
 *
 *   EVL_SYSNR(sys_evl_read)   fd, buffer, size       bytes stored
 *   EVL_SYSNR(sys_evl_write)  fd, buffer, size       bytes taken
 *   EVL_SYSNR(sys_evl_ioctl)  fd, request, argument  what the driver answers
 *
 * The caller has to be attached (-EPERM). Called in-band, it is promoted first; a weak caller is back
 * in-band when the call returns. The descriptor must refer to an out-of-band capable file (-EBADF).
 * -EINVAL no such transfer; -ENOTTY no such request; -EINTR for a wait cut short, never restarted;
 * -ENOSYS unknown number. A kernel without core answers -ENOSYS to all.
 */
#ifndef _UAPI_EVL_SYSCALL_ABI_H
#define _UAPI_EVL_SYSCALL_ABI_H

#define EVL_SYSCALL_BIT	0x80000000U

#define sys_evl_read	0U
#define sys_evl_write	1U
#define sys_evl_ioctl	2U

#define NR_EVL_SYSCALLS	3U

#define EVL_SYSNR(__nr)	(EVL_SYSCALL_BIT | (__nr))

#endif /* _UAPI_EVL_SYSCALL_ABI_H */
