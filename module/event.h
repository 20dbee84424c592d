/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _EVL_EVENT_H
#define _EVL_EVENT_H

#include <linux/dovetail.h>

void evl_inband_event(enum inband_event_type event, void *data);
void evl_trap_entry(unsigned int trapnr, struct pt_regs *regs);

#endif /* _EVL_EVENT_H */
