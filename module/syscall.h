/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_SYSCALL_H
#define _EVL_SYSCALL_H

#include <linux/types.h>

struct evl_thread;
struct pt_regs;

void evl_oob_syscall(struct pt_regs *regs);
void evl_end_file_use(struct evl_thread *curr);
int evl_pipelined_syscall(bool caller_oob, struct pt_regs *regs);

#endif /* _EVL_SYSCALL_H */
