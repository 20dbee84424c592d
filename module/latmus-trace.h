/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM evl
#undef TRACE_SYSTEM_VAR
#define TRACE_SYSTEM_VAR evl_latmus

#if !defined(_EVL_LATMUS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _EVL_LATMUS_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(evl_latspot,
	TP_PROTO(s32 latency),
	TP_ARGS(latency),
	TP_STRUCT__entry(__field(s32, latency)),
	TP_fast_assign(__entry->latency = latency;),
	TP_printk("latency peak: %d.%03d us", __entry->latency / 1000, abs(__entry->latency % 1000))
);

#endif /* _EVL_LATMUS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE latmus-trace
#include <trace/define_trace.h>
