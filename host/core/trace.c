/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/core/state.h"

#define NOTE_TEXT 160u

bool hvh_trace_wanted(const struct hvh_partition *partition)
{
	return partition->ops.trace != NULL;
}

void hvh_trace_emit(struct hvh_partition *partition, const struct hvh_trace_record *record)
{
	if (partition->ops.trace != NULL)
		partition->ops.trace(partition->ops.context, record);
}

void hvh_note(struct hvh_partition *partition, uint64_t now, uint32_t channel_id, const char *format, ...)
{
	char text[NOTE_TEXT];
	va_list arguments;

	if (!hvh_trace_wanted(partition))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = now,
					  .kind = HVH_TRACE_NOTE,
					  .vp = UINT32_MAX,
					  .channel_id = channel_id,
					  .bytes = text,
					  .byte_count = (uint32_t)strlen(text),
				  });
}

const char *hvh_trace_kind_name(enum hvh_trace_kind kind)
{
	static const char *const names[] = {
		[HVH_TRACE_MSR_WRITE] = "msr-write", [HVH_TRACE_MSR_READ] = "msr-read",
		[HVH_TRACE_HYPERCALL] = "hypercall", [HVH_TRACE_MESSAGE] = "message",
		[HVH_TRACE_SIGNAL] = "signal",       [HVH_TRACE_EVENT] = "event",
		[HVH_TRACE_INTERRUPT] = "interrupt", [HVH_TRACE_PACKET] = "packet",
		[HVH_TRACE_VIOLATION] = "violation", [HVH_TRACE_NOTE] = "note",
	};
	if ((unsigned)kind >= sizeof(names) / sizeof(names[0]) || names[kind] == NULL)
		return "unknown";
	return names[kind];
}
