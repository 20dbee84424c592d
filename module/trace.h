/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace points. Emitted through evl_trace() only: out-of-band tasks may run where RCU does not watch, and a
 * trace point is an RCU reader.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM evl

#if !defined(_EVL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _EVL_TRACE_H

#include "thread.h"

#include <linux/rcupdate.h>
#include <linux/tracepoint.h>

TRACE_EVENT(evl_switch,
	TP_PROTO(struct evl_thread *prev, struct evl_thread *next),
	TP_ARGS(prev, next),
	TP_STRUCT__entry(
		__string(prev, prev->element.name)
		__string(next, next->element.name)
		__field(u32, prev_state)
		__field(int, prev_prio)
		__field(int, next_prio)
	),
	TP_fast_assign(
		__assign_str(prev);
		__assign_str(next);
		__entry->prev_state = prev->state;
		__entry->prev_prio = prev->prio;
		__entry->next_prio = next->prio;
	),
	TP_printk("%s [%d] state=%#x -> %s [%d]", __get_str(prev), __entry->prev_prio,
		  __entry->prev_state, __get_str(next), __entry->next_prio)
);

/* A thread takes the CPU from in-band, which was interrupted at @ip. */
TRACE_EVENT(evl_preempt,
	TP_PROTO(unsigned long ip),
	TP_ARGS(ip),
	TP_STRUCT__entry(
		__field(unsigned long, ip)
	),
	TP_fast_assign(
		__entry->ip = ip;
	),
	TP_printk("%pS", (void *)__entry->ip)
);

TRACE_EVENT(evl_wakeup,
	TP_PROTO(struct evl_thread *thread, u32 mask, u32 info),
	TP_ARGS(thread, mask, info),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__field(u32, mask)
		__field(u32, info)
		__field(int, cpu)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->mask = mask;
		__entry->info = info;
		__entry->cpu = thread->rq->cpu;
	),
	TP_printk("%s cpu=%d mask=%#x info=%#x", __get_str(name), __entry->cpu, __entry->mask,
		  __entry->info)
);

/* The current thread goes to wait in a queue. */
TRACE_EVENT(evl_wait,
	TP_PROTO(struct evl_thread *thread, const char *queue),
	TP_ARGS(thread, queue),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__string(queue, queue)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(queue);
	),
	TP_printk("%s queue=%s", __get_str(name), __get_str(queue))
);

/* What a thread runs at, by itself or by what its mutexes lend it. */
TRACE_EVENT(evl_rank,
	TP_PROTO(struct evl_thread *thread),
	TP_ARGS(thread),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__string(class, thread->sched_class->name)
		__field(int, prio)
		__field(int, base_prio)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(class);
		__entry->prio = thread->prio;
		__entry->base_prio = thread->base.prio;
	),
	TP_printk("%s %s prio=%d base=%d", __get_str(name), __get_str(class), __entry->prio, __entry->base_prio)
);

/* A mutex is wanted by @thread, and somebody else's. */
TRACE_EVENT(evl_mutex_contend,
	TP_PROTO(struct evl_thread *thread, struct evl_thread *owner),
	TP_ARGS(thread, owner),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__string(owner, owner->element.name)
		__field(int, prio)
		__field(int, owner_prio)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(owner);
		__entry->prio = thread->prio;
		__entry->owner_prio = owner->prio;
	),
	TP_printk("%s [%d] owner=%s [%d]", __get_str(name), __entry->prio, __get_str(owner), __entry->owner_prio)
);

/* It is handed to the first of those who wait for it. */
TRACE_EVENT(evl_mutex_grant,
	TP_PROTO(struct evl_thread *thread),
	TP_ARGS(thread),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__field(int, prio)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->prio = thread->prio;
	),
	TP_printk("%s [%d]", __get_str(name), __entry->prio)
);

TRACE_EVENT(evl_stage,
	TP_PROTO(struct evl_thread *thread, bool inband, int cause),
	TP_ARGS(thread, inband, cause),
	TP_STRUCT__entry(
		__string(name, thread->element.name)
		__field(bool, inband)
		__field(int, cause)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->inband = inband;
		__entry->cause = cause;
	),
	TP_printk("%s -> %s cause=%d", __get_str(name), __entry->inband ? "inband" : "oob",
		  __entry->cause)
);

DECLARE_EVENT_CLASS(evl_timer_class,
	TP_PROTO(struct evl_timer *timer),
	TP_ARGS(timer),
	TP_STRUCT__entry(
		__field(void *, timer)
		__field(void *, handler)
		__field(s64, expires)
	),
	TP_fast_assign(
		__entry->timer = timer;
		__entry->handler = timer->handler;
		__entry->expires = timer->node.expires;
	),
	TP_printk("timer=%p handler=%ps expires=%lld", __entry->timer, __entry->handler,
		  __entry->expires)
);

DEFINE_EVENT(evl_timer_class, evl_timer_start, TP_PROTO(struct evl_timer *timer), TP_ARGS(timer));
DEFINE_EVENT(evl_timer_class, evl_timer_expire, TP_PROTO(struct evl_timer *timer), TP_ARGS(timer));

TRACE_EVENT(evl_shot,
	TP_PROTO(ktime_t date),
	TP_ARGS(date),
	TP_STRUCT__entry(__field(s64, date)),
	TP_fast_assign(__entry->date = date;),
	TP_printk("date=%lld", __entry->date)
);

#define evl_trace(__event, ...)							\
	do {									\
		if (trace_##__event##_enabled() && rcu_is_watching())		\
			trace_##__event(__VA_ARGS__);				\
	} while (0)

#endif /* _EVL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
