/* SPDX-License-Identifier: MIT */
/* Counting, and what the process takes. */
#include "vmm/counters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hvkit/wire/hypervisor.h"
#include "vmm/private.h"

#define SYNTHETIC_MSR_CLASS 0x40000000u
#define MSR_CLASS_MASK 0xfffffe00u

#define NAMES(table, n) ((n) < sizeof(table) / sizeof((table)[0]) ? (table)[n] : NULL)

const char *vmm_register_name(uint32_t n)
{
	static const char *const names[] = {"identity", "vp_index", "time",  "apic",  "synic",  "eom",
					    "sint",     "timer",    "crash", "other", "foreign"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == VMM_REGISTERS, "one each");
	return NAMES(names, n);
}

const char *vmm_device_name(uint32_t n)
{
	static const char *const names[] = {"hypercall", "serial", "acpi", "cmos",
					    "end",       "mark",   "bios", "none"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == VMM_DEVICES, "one each");
	return NAMES(names, n);
}

const char *vmm_call_name(uint32_t n)
{
	static const char *const names[] = {"post_message", "signal_event", "vp_registers", "other"};

	_Static_assert(sizeof(names) / sizeof(names[0]) == VMM_CALLS, "one each");
	return NAMES(names, n);
}

bool vmm_is_synthetic(uint32_t index)
{
	return (index & MSR_CLASS_MASK) == SYNTHETIC_MSR_CLASS;
}

enum vmm_register vmm_register_of(uint32_t index)
{
	/* Sorted by their last; each begins behind the one before. */
	static const struct {
		uint32_t last;
		enum vmm_register what;
	} ranges[] = {
		{HV_MSR_HYPERCALL, VMM_REGISTER_IDENTITY},
		{HV_MSR_VP_INDEX, VMM_REGISTER_VP_INDEX},
		{0x4000000fu, VMM_REGISTER_OTHER},
		{0x4000002fu, VMM_REGISTER_TIME},
		{0x4000006fu, VMM_REGISTER_OTHER},
		{HV_MSR_VP_ASSIST_PAGE, VMM_REGISTER_APIC},
		{0x4000007fu, VMM_REGISTER_OTHER},
		{HV_MSR_SIMP, VMM_REGISTER_SYNIC},
		{HV_MSR_EOM, VMM_REGISTER_EOM},
		{0x4000008fu, VMM_REGISTER_OTHER},
		{HV_MSR_SINT0 + 15u, VMM_REGISTER_SINT},
		{0x400000afu, VMM_REGISTER_OTHER},
		{0x400000b7u, VMM_REGISTER_TIMER},
		{0x400000ffu, VMM_REGISTER_OTHER},
		{HV_MSR_CRASH_CONTROL, VMM_REGISTER_CRASH},
	};

	if (!vmm_is_synthetic(index))
		return VMM_REGISTER_FOREIGN;
	for (size_t n = 0; n < sizeof(ranges) / sizeof(ranges[0]); n++) {
		if (index <= ranges[n].last)
			return ranges[n].what;
	}
	return VMM_REGISTER_OTHER;
}

enum vmm_call vmm_call_of(uint64_t control)
{
	switch (control & HV_CALL_CODE_MASK) {
	case HV_CALL_POST_MESSAGE:
		return VMM_CALL_POST_MESSAGE;
	case HV_CALL_SIGNAL_EVENT:
		return VMM_CALL_SIGNAL_EVENT;
	case 0x50: /* get, set */
	case 0x51:
		return VMM_CALL_VP_REGISTERS;
	default:
		return VMM_CALL_OTHER;
	}
}

static void add(struct vmm_counters *sum, const struct vmm_counters *own)
{
	const uint64_t *from = (const uint64_t *)own;
	uint64_t *to = (uint64_t *)sum;

	_Static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "numbers alone");
	for (size_t n = 0; n < sizeof(*sum) / sizeof(uint64_t); n++)
		to[n] += __atomic_load_n(&from[n], __ATOMIC_RELAXED);
}

void vmm_get_counters(struct vmm *vmm, struct vmm_counters *out)
{
	*out = (struct vmm_counters){0};
	add(out, &vmm->counters);
	for (uint32_t n = 0; n < vmm->config.cpus; n++)
		add(out, &vmm->vcpus[n].counters);
	out->device_wakeups = out->device_kicks + out->device_times;
}

/* --- Memory --------------------------------------------------------------------------------- */

#define MAP_LINE_MAX 512u

bool vmm_usage_open(struct vmm *vmm)
{
	vmm->maps = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	return vmm->maps >= 0;
}

/* The kernel describes one mapping after another: its range, then "Rss: N kB" among others. */
bool vmm_get_usage(struct vmm *vmm, struct vmm_usage *out)
{
	const uint64_t begin = (uint64_t)(uintptr_t)vmm->memory.base;
	const uint64_t end = begin + vmm->memory.low + vmm->memory.high;
	int file = vmm->maps < 0 ? -1 : dup(vmm->maps);
	FILE *maps = file < 0 || lseek(file, 0, SEEK_SET) < 0 ? NULL : fdopen(file, "r");
	char line[MAP_LINE_MAX];
	uint64_t at = 0;

	*out = (struct vmm_usage){0};
	if (!maps) {
		if (file >= 0)
			(void)close(file);
		return false;
	}
	while (fgets(line, sizeof(line), maps)) {
		char *rest;
		uint64_t first = strtoull(line, &rest, 16);

		if (rest > line && *rest == '-')
			at = first;
		else if (strncmp(line, "Rss:", 4) == 0)
			*(at >= begin && at < end ? &out->guest_bytes
						  : &out->monitor_bytes) += strtoull(line + 4, NULL, 10)
									    << 10;
	}
	(void)fclose(maps);
	return true;
}
