/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SYSCALL_H
#define _EVL_SYSCALL_H

#include <linux/types.h>

struct pt_regs;

void evl_oob_syscall(struct pt_regs *regs);
int evl_pipelined_syscall(bool caller_oob, struct pt_regs *regs);

#endif /* _EVL_SYSCALL_H */
