/* SPDX-License-Identifier: MIT */
/*
 * Handing the machine over to a loaded system: the two exits, and what memory it may not have. The
 * order of the registers is in guest/hypervisor.
 */
#include "hvkit/handover.h"

#include "guest/hypervisor/hypervisor.h"
#include "guest/vmbus/bus.h"

/* Closes and teardowns have times of their own; UNLOAD comes after them. */
#define DISCONNECT_MS 600000u

static hvk_status check_cpus(struct hvk *hvk, uint32_t self)
{
	for (uint32_t i = 0; i < hvk->config.cpus; i++) {
		if (i == self || !hvk->cpus[i].started || hvk->cpus[i].left)
			continue;
		hvk_log(hvk, HVK_LOG_ERROR,
			"hand-over: CPU %u is still started: hvk_handover_cpu there first", i);
		return HVK_ESTATE;
	}
	return hvk->hypervisor.started && !hvk->quiesced ? HVK_OK : HVK_ESTATE;
}

static hvk_status check_channels(struct hvk *hvk)
{
	const struct hvk_channel *channel = NULL;

	hvk_lock(hvk, &hvk->bus->lock);
	if (hvk->bus->active)
		channel = HVK_OWNER(hvk_channel, active, hvk->bus->active);
	hvk_unlock(hvk, &hvk->bus->lock);
	if (!channel)
		return HVK_OK;
	hvk_log(hvk, HVK_LOG_ERROR, "hand-over: channel %u is open: detach its driver, or close it, first",
		channel->offer.channel_id);
	return HVK_EBUSY;
}

static hvk_status check_orderly(struct hvk *hvk, enum hvk_handover_choice choice)
{
	uint32_t self = hvk_cpu_index(hvk);
	const struct hvk_bus *bus = hvk->bus;
	hvk_status status = check_cpus(hvk, self);

	if (status != HVK_OK)
		return status;
	if (hvk->cpus[self].polling)
		return HVK_ECONTEXT;
	if (hvk_bus_at_rest(bus->state))
		return bus->request ? HVK_ESTATE : HVK_OK;
	if (self != bus->config.cpu)
		return HVK_ECONTEXT;
	if (bus->state != HVK_VMBUS_CONNECTED || bus->request)
		return HVK_ESTATE;
	if (!bus->knows_3_0 && choice == HVK_HANDOVER_OR_STOP)
		return HVK_EHOSTTOOOLD;
	return check_channels(hvk);
}

/* What is wrong with a bus that is at rest. */
static hvk_status let_go(const struct hvk *hvk)
{
	return hvk->bus->state == HVK_VMBUS_ABANDONED && !hvk->bus->abandon_answered ? HVK_ETIMEDOUT_UNLOAD
										     : HVK_OK;
}

static hvk_status leave_bus(struct hvk *hvk)
{
	bool knows = hvk->bus->knows_3_0;
	struct hvk_request request = {0};
	hvk_status status;

	if (hvk_bus_at_rest(hvk->bus->state))
		return let_go(hvk);
	hvk_vmbus_disconnect(hvk, &request);
	status = hvk_wait(hvk, &request, DISCONNECT_MS);
	return status == HVK_OK && !knows ? HVK_EHOSTTOOOLD : status;
}

static bool all_is_listed(const struct hvk *hvk)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < hvk->quarantine.count; i++)
		pages += hvk->quarantine.entries[i].count;
	return pages == hvk->quarantine.pages;
}

static void leave_registers(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];

	if (cpu->started && !cpu->left) {
		hvk_event_timer_leave(hvk, &cpu->event_timer);
		hvk_synic_leave(hvk, cpu, HVK_LEAVE_OFF);
		cpu->left = true;
	}
	hvk_hypervisor_leave(hvk, HVK_LEAVE_OFF);
}

hvk_status hvk_handover_orderly(struct hvk *hvk, enum hvk_handover_choice choice)
{
	hvk_status status = check_orderly(hvk, choice);

	if (status != HVK_OK)
		return status;
	status = leave_bus(hvk);
	if (status != HVK_OK && choice == HVK_HANDOVER_OR_STOP)
		return status;
	leave_registers(hvk);
	for (uint32_t i = 0; i < hvk->config.cpus; i++) {
		if (hvk->cpus[i].started)
			hvk_synic_forget(hvk, &hvk->cpus[i]);
	}
	(void)hvk_stop(hvk);
	return all_is_listed(hvk) ? status : HVK_EQUARANTINE;
}

static hvk_status abandon(struct hvk *hvk, uint32_t timeout_ms)
{
	bool knows = hvk->bus->knows_3_0;
	hvk_status status = hvk_vmbus_abandon(hvk, timeout_ms);

	return status == HVK_OK && !knows ? HVK_EHOSTTOOOLD : status;
}

hvk_status hvk_handover_abrupt(struct hvk *hvk, uint32_t timeout_ms)
{
	uint32_t self = hvk_cpu_index(hvk);
	hvk_status status;

	if (!hvk->hypervisor.started || hvk->quiesced)
		return HVK_ESTATE;
	if (hvk_bus_at_rest(hvk->bus->state))
		status = let_go(hvk);
	else
		status = abandon(hvk, timeout_ms);
	leave_registers(hvk);
	for (uint32_t i = 0; i < hvk->config.cpus && status == HVK_OK; i++) {
		if (i != self && hvk->cpus[i].started && !hvk->cpus[i].left)
			status = HVK_EBUSY;
	}
	return status;
}

hvk_status hvk_handover_cpu(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];

	if (!cpu->started || cpu->in_use || cpu->left || hvk->quiesced)
		return HVK_ESTATE;
	hvk_event_timer_leave(hvk, &cpu->event_timer);
	hvk_synic_leave(hvk, cpu, HVK_LEAVE_OFF);
	cpu->left = true;
	return HVK_OK;
}

/* --- Reserved memory ------------------------------------------------------------------ */

/* Pages of a CPU that is still started after the machine was left. */
static bool cpu_withheld(const struct hvk *hvk, uint32_t n, struct hvk_pages *out)
{
	for (uint32_t i = 0; i < hvk->config.cpus && !hvk->hypervisor.taken; i++) {
		const struct hvk_cpu *cpu = &hvk->cpus[i];

		if (!cpu->started || cpu->left || hvk->quiesced)
			continue;
		if (n < 2) {
			*out = n == 0 ? cpu->message_page : cpu->event_page;
			return true;
		}
		n -= 2;
	}
	return false;
}

static uint64_t gpa_of(const struct hvk *hvk, const struct hvk_pages *pages, uint32_t index)
{
	return hvk->port.page_gpa(hvk->port.context,
				  (const uint8_t *)pages->address + (size_t)index * HVK_PAGE_SIZE);
}

static bool withheld(const struct hvk *hvk, uint32_t n, struct hvk_pages *out)
{
	uint32_t before = 0;

	if (hvk_quarantine_pages(hvk, n, out))
		return true;
	/* Those of the CPUs come last: count what is before. */
	while (before < n && hvk_quarantine_pages(hvk, before, out))
		before++;
	return cpu_withheld(hvk, n - before, out);
}

bool hvk_handover_next_reserved(const struct hvk *hvk, struct hvk_handover_cursor *cursor,
				struct hvk_mmio_range *out)
{
	struct hvk_pages pages;

	while (withheld(hvk, cursor->entry, &pages)) {
		if (cursor->page >= pages.count) {
			*cursor = (struct hvk_handover_cursor){cursor->entry + 1, 0};
			continue;
		}
		*out = (struct hvk_mmio_range){gpa_of(hvk, &pages, cursor->page++), HVK_PAGE_SIZE};
		while (cursor->page < pages.count &&
		       gpa_of(hvk, &pages, cursor->page) == out->base + out->length) {
			out->length += HVK_PAGE_SIZE;
			cursor->page++;
		}
		return true;
	}
	return false;
}
