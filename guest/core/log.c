/* SPDX-License-Identifier: MIT */
#include "guest/core/format.h"
#include "guest/core/state.h"

#define LOG_LINE_MAX 200u

#ifdef HVK_CONFIG_SMALL

hvk_status hvk_fault_count(struct hvk *hvk, hvk_status status)
{
	HVK_COUNT(hvk->counters.host_faults);
	return status;
}

#else

void hvk_log(struct hvk *hvk, enum hvk_log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list arguments;

	if (level > hvk->config.log_level)
		return;
	va_start(arguments, format);
	hvk_vformat(line, sizeof(line), format, arguments);
	va_end(arguments);
	hvk->port.log(hvk->port.context, level, line);
}

void hvk_log_refusal(const struct hvk_port *port, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list arguments;

	if (!port)
		return;
	va_start(arguments, format);
	hvk_vformat(line, sizeof(line), format, arguments);
	va_end(arguments);
	port->log(port->context, HVK_LOG_ERROR, line);
}

/* The host chooses how often this happens, so it must not choose how much is logged:
 * the first few, then only powers of two. */
static bool worth_a_line(uint64_t count)
{
	return count <= HVK_FAULT_LOG_FIRST || (count & (count - 1)) == 0;
}

hvk_status hvk_fault(struct hvk *hvk, hvk_status status, const char *format, ...)
{
	uint32_t kind = hvk_status_is_host_fault(status) ? (uint32_t)status - HVK_EHOST_FIRST + 1 : 0;
	uint64_t count = __atomic_add_fetch(&hvk->fault_counts[kind % HVK_FAULT_KINDS], 1, __ATOMIC_RELAXED);
	char line[LOG_LINE_MAX];
	va_list arguments;

	HVK_COUNT(hvk->counters.host_faults);
	if (hvk->config.log_level >= HVK_LOG_WARN && worth_a_line(count)) {
		va_start(arguments, format);
		hvk_vformat(line, sizeof(line), format, arguments);
		va_end(arguments);
		hvk_log(hvk, HVK_LOG_WARN, "%s: %s (%llu so far)", hvk_status_text(status), line,
			(unsigned long long)count);
	}
	return status;
}

#endif
