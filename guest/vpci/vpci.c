/* SPDX-License-Identifier: MIT */
/* The object: creating it, looking inside. */
#include "guest/core/dump.h"
#include "guest/vpci/vpci_internal.h"

static const struct hvk_pci_bus_ops bus_ops = {
	.read = hvk_vpci_window_read,
	.write = hvk_vpci_window_write,
	.interrupt = hvk_vpci_interrupt,
	.changed = hvk_vpci_changed,
	.device_id = hvk_vpci_device_id,
};

static bool is_version(uint32_t version)
{
	return version == VPCI_VERSION_1_1 || version == VPCI_VERSION_1_2 || version == VPCI_VERSION_1_3 ||
	       version == VPCI_VERSION_1_4;
}

static hvk_status check(const struct hvk *hvk, const struct hvk_offer *offer, struct hvk_vpci_config *config)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;

	if (memcmp(&offer->type, &type, sizeof(type)) != 0 || offer->subchannel_index != 0)
		return HVK_EINVAL;
	if (!hvk_mmio_available(hvk))
		return HVK_ELEVEL;
	if (config->protocol_newest == 0)
		config->protocol_newest = VPCI_VERSION_1_4;
	if (config->functions_max == 0)
		config->functions_max = VPCI_FUNCTIONS_DEFAULT;
	if (config->eject_ms == 0)
		config->eject_ms = VPCI_EJECT_DEFAULT_MS;
	if (!is_version(config->protocol_newest) || config->functions_max > VPCI_FUNCTIONS_MAX ||
	    config->cpu >= hvk_cpu_count(hvk))
		return HVK_EINVAL;
	return HVK_OK;
}

static hvk_status init(struct hvk_vpci *vpci)
{
	hvk_status status = hvk_lock_init(vpci_hvk(vpci), &vpci->lock);

	if (status == HVK_OK)
		status = hvk_lock_init(vpci_hvk(vpci), &vpci->window_lock);
	for (uint32_t i = 0; i < vpci->function_max && status == HVK_OK; i++)
		status = hvk_lock_init(vpci_hvk(vpci), &vpci->functions[i].pci.lock);
	hvk_vpci_life_init(vpci);
	hvk_vpci_interrupts_init(vpci);
	return status;
}

hvk_status hvk_vpci_create(struct hvk_channel *channel, const struct hvk_vpci_config *config,
			   struct hvk_vpci **out)
{
	struct hvk *hvk = hvk_channel_instance(channel);
	struct hvk_vpci_config checked = *config;
	hvk_status status = check(hvk, hvk_channel_offer(channel), &checked);
	struct hvk_pages pages;
	struct hvk_vpci *vpci;
	size_t bytes;

	*out = NULL;
	if (status == HVK_OK)
		status = hvk_channel_claim(channel);
	if (status != HVK_OK)
		return status;
	bytes = sizeof(*vpci) + checked.functions_max * (sizeof(vpci->functions[0]) + sizeof(vpci->list[0]));
	status = hvk_pages_get(hvk, (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE), HVK_PAGE_PRIVATE,
			       &pages);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		return status;
	}
	vpci = pages.address; /* zeros */
	vpci->bus = (struct hvk_pci_bus){hvk, &bus_ops, checked.cpu, 0};
	vpci->pages = pages;
	vpci->channel = channel;
	vpci->config = checked;
	vpci->function_max = checked.functions_max;
	vpci->list = (struct vpci_function2 *)(void *)&vpci->functions[checked.functions_max];
	status = init(vpci);
	if (status != HVK_OK) {
		hvk_channel_unclaim(channel);
		hvk_pages_put(hvk, &pages);
		return status;
	}
	*out = vpci;
	return HVK_OK;
}

hvk_status hvk_vpci_destroy(struct hvk_vpci *vpci)
{
	struct hvk_pages pages = vpci->pages;
	struct hvk *hvk = vpci_hvk(vpci);
	bool idle;

	hvk_lock(hvk, &vpci->lock);
	idle = vpci->life == VPCI_DETACHED && !__atomic_load_n(&vpci->kicked, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &vpci->lock);
	if (!idle)
		return HVK_ESTATE;
	hvk_channel_unclaim(vpci->channel);
	hvk_pages_put(hvk, &pages);
	return HVK_OK;
}

struct hvk_channel *hvk_vpci_channel(struct hvk_vpci *vpci)
{
	return vpci->channel;
}

uint32_t hvk_vpci_protocol(const struct hvk_vpci *vpci)
{
	return vpci->version;
}

uint16_t hvk_vpci_domain(const struct hvk_vpci *vpci)
{
	return vpci->domain;
}

/* The next slot above the one before. */
struct hvk_pci_function *hvk_vpci_next_function(struct hvk_vpci *vpci, struct hvk_pci_function *previous)
{
	struct hvk_pci_function *found = NULL;

	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (!child->told || child->state == VPCI_FUNCTION_FREE)
			continue;
		if ((!previous || child->pci.slot > previous->slot) &&
		    (!found || child->pci.slot < found->slot))
			found = &child->pci;
	}
	return found;
}

static void dump_bars(struct hvk_dump *dump, const struct hvk_pci_info *info)
{
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		const struct hvk_pci_bar *bar = &info->bars[n];

		if (bar->size == 0)
			continue;
		hvk_dump_begin(dump, "bar-%u", n);
		hvk_dump_value(dump, "address", "0x%llx", (unsigned long long)bar->address);
		hvk_dump_value(dump, "bytes", "0x%llx", (unsigned long long)bar->size);
		hvk_dump_flag(dump, "wide", bar->wide);
		hvk_dump_end(dump);
	}
}

static void dump_function(struct hvk_dump *dump, const struct vpci_child *child)
{
	static const char *const states[] = {"free", "new", "sized", "ready", "leaving"};
	const struct hvk_pci_info *info = &child->pci.info;
	uint32_t ready = 0;

	for (uint32_t i = 0; i < child->pci.interrupt_count; i++)
		ready += child->pci.interrupts[i].state == HVK_PCI_INTERRUPT_READY;
	hvk_dump_begin(dump, "function-%u", child->pci.slot);
	hvk_dump_value(dump, "state", "%s", hvk_dump_name(states, 5, child->state));
	hvk_dump_value(dump, "vendor", "0x%04x", (unsigned)info->vendor_id);
	hvk_dump_value(dump, "device", "0x%04x", (unsigned)info->device_id);
	hvk_dump_value(dump, "serial", "0x%x", info->serial);
	hvk_dump_flag(dump, "driven", child->pci.claimed);
	hvk_dump_number(dump, "interrupts", ready);
	hvk_dump_number(dump, "interrupts-most", info->interrupts);
	dump_bars(dump, info);
	hvk_dump_end(dump);
}

void hvk_vpci_dump(struct hvk_vpci *vpci, hvk_dump_line line, void *context)
{
	static const char *const lives[] = {"detached",  "attaching",  "attached",
					    "detaching", "suspending", "suspended"};
	struct hvk_dump dump = {line, context, 0};

	hvk_dump_begin(&dump, "vpci");
	hvk_dump_value(&dump, "state", "%s", hvk_dump_name(lives, 6, vpci->life));
	hvk_dump_value(&dump, "step", "%s", hvk_steps_name(&vpci->steps));
	hvk_dump_value(&dump, "protocol", "%u.%u", vpci->version >> 16, vpci->version & 0xffffu);
	hvk_dump_value(&dump, "domain", "0x%04x", (unsigned)vpci->domain);
	hvk_dump_value(&dump, "window", "0x%llx", (unsigned long long)vpci->window);
	hvk_dump_number(&dump, "host-faults", vpci->faults);
	hvk_dump_number(&dump, "unknown-messages", vpci->unknown);
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state != VPCI_FUNCTION_FREE)
			dump_function(&dump, &vpci->functions[i]);
	}
	hvk_dump_end(&dump);
}
