// SPDX-License-Identifier: GPL-2.0-only
/*
 * What in-band tells about threads of the core.
 */
#include "event.h"
#include "evl-arch.h"
#include "kthread.h"
#include "thread.h"

/* In-band scheduler locks are held. The thread is in-band, and stays blocked as far as we are concerned. */
static void note_migration(struct dovetail_migration_data *d)
{
	struct evl_thread *thread = evl_task_thread(d->task);

	if (!thread)
		return;

	guard(hard_spinlock_irqsave)(&thread->lock);
	evl_change_rq(thread, evl_cpu_rq(d->dest_cpu));
}

/* Locks of the sender are held, and those of in-band scheduling. */
static void note_signal(struct task_struct *p)
{
	struct evl_thread *thread = evl_task_thread(p);

	if (thread)
		evl_kick_thread(thread, EVL_I_KICKED);
}

void evl_inband_event(enum inband_event_type event, void *data)
{
	switch (event) {
	case INBAND_TASK_SIGNAL:
		note_signal(data);
		break;
	case INBAND_TASK_MIGRATION:
		note_migration(data);
		break;
	case INBAND_TASK_EXIT:
		evl_lose_kthread();
		evl_detach_current();
		break;
	case INBAND_TASK_EXEC:
		evl_detach_current();
		break;
	default:
		/* Debugger events: a thread which stops or single-steps is in-band, and stays there. */
		break;
	}
}

/* The current thread took an exception out-of-band; hard off. The ordinary handler follows, in-band. */
void evl_trap_entry(unsigned int trapnr, struct pt_regs *regs)
{
	evl_demote_current(evl_arch_is_debug_trap(trapnr) ? EVL_HMDIAG_NONE : EVL_HMDIAG_EXDEMOTE);
}
