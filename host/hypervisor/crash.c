/* SPDX-License-Identifier: MIT */
/*
 * Crash registers: what a guest says before it dies (TLFS; Linux, which writes them on
 * panic). The text comes from a guest in an unknown state: its length is bounded, and only
 * characters that harm no terminal stay.
 */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

#define TEXT_ADDRESS 3u /* number of the parameter */
#define TEXT_LENGTH 4u

_Static_assert(HVH_CRASH_TEXT_MAX == HV_CRASH_MESSAGE_MAX, "a whole message is kept");

bool hvh_crash_register(uint32_t msr)
{
	return msr >= HV_MSR_CRASH_P0 && msr <= HV_MSR_CRASH_CONTROL;
}

uint64_t hvh_crash_read(const struct hvh_partition *partition, uint32_t msr)
{
	if (msr == HV_MSR_CRASH_CONTROL)
		return HV_CRASH_NOTIFY | HV_CRASH_MESSAGE;
	return partition->hypervisor->crash_parameters[msr - HV_MSR_CRASH_P0];
}

static void sanitise(char *text, uint32_t length)
{
	for (uint32_t n = 0; n < length; n++) {
		if ((text[n] < ' ' || text[n] > '~') && text[n] != '\n' && text[n] != '\t')
			text[n] = '?';
	}
}

static void read_text(struct hvh_partition *partition, uint32_t vp, struct hvh_crash *crash)
{
	uint64_t gpa = crash->parameters[TEXT_ADDRESS], length = crash->parameters[TEXT_LENGTH];

	if (length > HV_CRASH_MESSAGE_MAX) {
		hvh_register_fault(partition, vp, HV_MSR_CRASH_CONTROL, length,
				   "a crash message has at most 4096 bytes: the rest is not read");
		length = HV_CRASH_MESSAGE_MAX;
	}
	if (!hvh_memory_read(partition, gpa, crash->text, (uint32_t)length)) {
		hvh_violate(partition, HVH_V_MEMORY, partition->now, vp, 0, &gpa, sizeof(gpa),
			    "the crash message at P3 is not in RAM");
		length = 0;
	}
	crash->has_text = true;
	crash->text_length = (uint32_t)length;
	crash->text[length] = '\0';
	sanitise(crash->text, crash->text_length);
}

static bool is_blank(char c)
{
	return c == '\n' || c == '\t' || c == ' ' || c == '?';
}

void hvh_crash_last_line(const struct hvh_crash *crash, char line[HVH_CRASH_LINE + 1])
{
	uint32_t end = crash->text_length, begin;

	while (end > 0 && is_blank(crash->text[end - 1]))
		end--;
	begin = end;
	while (begin > 0 && end - begin < HVH_CRASH_LINE && crash->text[begin - 1] != '\n')
		begin--;
	while (begin < end && is_blank(crash->text[begin]))
		begin++;
	for (uint32_t n = 0; n < end - begin; n++)
		line[n] = crash->text[begin + n] == '\t' ? ' ' : crash->text[begin + n];
	line[end - begin] = '\0';
}

static void report(struct hvh_partition *partition, uint32_t vp, uint64_t control)
{
	struct hvh_crash *crash = &partition->hypervisor->crash;
	char line[HVH_CRASH_LINE + 1];

	crash->reports++;
	crash->time = partition->now;
	crash->vp = vp;
	memcpy(crash->parameters, partition->hypervisor->crash_parameters, sizeof(crash->parameters));
	crash->has_text = false;
	crash->text_length = 0;
	crash->text[0] = '\0';
	if ((control & HV_CRASH_MESSAGE) != 0)
		read_text(partition, vp, crash);
	hvh_note(partition, partition->now, 0, "crash of VP %u: P0 %#llx P1 %#llx P2 %#llx P3 %#llx P4 %#llx",
		 vp, (unsigned long long)crash->parameters[0], (unsigned long long)crash->parameters[1],
		 (unsigned long long)crash->parameters[2], (unsigned long long)crash->parameters[3],
		 (unsigned long long)crash->parameters[4]);
	hvh_crash_last_line(crash, line);
	if (line[0] != '\0')
		hvh_note(partition, partition->now, 0, "crash says: %s", line);
	hvh_kick(partition);
}

void hvh_crash_write(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	if (msr != HV_MSR_CRASH_CONTROL)
		partition->hypervisor->crash_parameters[msr - HV_MSR_CRASH_P0] = value;
	else if ((value & HV_CRASH_NOTIFY) != 0)
		report(partition, vp, value);
}

bool hvh_crash_get(const struct hvh_partition *partition, struct hvh_crash *out)
{
	*out = partition->hypervisor->crash;
	return out->reports != 0;
}
