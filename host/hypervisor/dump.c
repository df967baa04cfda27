/* SPDX-License-Identifier: MIT */
#include "host/core/dump.h"
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

static void dump_page(struct hvh_dump *dump, const char *name, const struct hvh_page_register *page)
{
	hvh_dump_text(dump, name, "0x%llx%s", (unsigned long long)page->value,
		      page->overlay.active ? ", visible" : "");
}

static void dump_sint(struct hvh_dump *dump, uint32_t number, const struct hvh_sint *sint)
{
	bool masked = (sint->value & HV_SINT_MASKED) != 0;

	if (masked && sint->delivered == 0 && sint->count == 0)
		return;
	hvh_dump_begin_number(dump, "sint", number);
	hvh_dump_hex(dump, "value", sint->value);
	hvh_dump_number(dump, "vector", sint->value & HV_SINT_VECTOR_MASK);
	hvh_dump_flag(dump, "masked", masked);
	hvh_dump_number(dump, "messages-waiting", sint->count);
	hvh_dump_number(dump, "messages-delivered", sint->delivered);
	hvh_dump_flag(dump, "pending-flag-set", sint->flagged);
	hvh_dump_flag(dump, "eom-owed", sint->waiting);
	hvh_dump_end(dump);
}

static void dump_timer(struct hvh_dump *dump, uint32_t number, const struct hvh_timer *timer)
{
	if (timer->config == 0 && timer->count == 0)
		return;
	hvh_dump_begin_number(dump, "timer", number);
	hvh_dump_hex(dump, "config", timer->config);
	hvh_dump_number(dump, "count", timer->count);
	hvh_dump_flag(dump, "message-waiting", timer->waiting);
	hvh_dump_time(dump, "due", timer->due);
	hvh_dump_end(dump);
}

static void dump_crash(struct hvh_dump *dump, const struct hvh_crash *crash)
{
	char line[HVH_CRASH_LINE + 1];

	hvh_dump_begin(dump, "crash");
	hvh_dump_number(dump, "reports", crash->reports);
	hvh_dump_time(dump, "time", crash->time);
	hvh_dump_number(dump, "vp", crash->vp);
	for (uint32_t n = 0; n < HV_CRASH_PARAMETERS; n++) {
		char name[] = "p0";
		name[1] = (char)('0' + n);
		hvh_dump_hex(dump, name, crash->parameters[n]);
	}
	if (crash->has_text) {
		hvh_dump_number(dump, "text-length", crash->text_length);
		hvh_crash_last_line(crash, line);
		hvh_dump_text(dump, "text", "%s", line[0] != 0 ? line : "(empty)");
	}
	hvh_dump_end(dump);
}

static void dump_vp(struct hvh_dump *dump, uint32_t number, const struct hvh_vp *vp)
{
	hvh_dump_begin_number(dump, "vp", number);
	hvh_dump_hex(dump, "scontrol", vp->scontrol);
	if (vp->assist_page != 0)
		hvh_dump_hex(dump, "assist-page", vp->assist_page);
	dump_page(dump, "simp", &vp->simp);
	dump_page(dump, "siefp", &vp->siefp);
	for (uint32_t n = 0; n < HV_SINT_COUNT; n++)
		dump_sint(dump, n, &vp->sints[n]);
	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++)
		dump_timer(dump, n, &vp->timers[n]);
	hvh_dump_end(dump);
}

void hvh_hypervisor_dump(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	const struct hvh_hypervisor *hypervisor = partition->hypervisor;

	hvh_dump_begin(dump, "hypervisor");
	hvh_dump_hex(dump, "os-id", hypervisor->os_id);
	dump_page(dump, "hypercall", &hypervisor->hypercall);
	dump_page(dump, "reference-tsc", &hypervisor->reference_tsc);
	if (hypervisor->crash.reports != 0)
		dump_crash(dump, &hypervisor->crash);
	for (uint32_t n = 0; n < partition->vps; n++)
		dump_vp(dump, n, &hypervisor->vps[n]);
	hvh_dump_end(dump);
}
