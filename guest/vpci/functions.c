/* SPDX-License-Identifier: MIT */
/*
 * Functions: what the host lists, against what we know. The newest list counts; one that says the same again
 * changes nothing.
 */
#include "guest/vpci/vpci_internal.h"

static bool is_same(const struct vpci_function2 *a, const struct vpci_function2 *b)
{
	return a->function.slot == b->function.slot && a->function.vendor == b->function.vendor &&
	       a->function.device == b->function.device && a->function.serial == b->function.serial;
}

static bool is_listed(const struct hvk_vpci *vpci, const struct vpci_child *child)
{
	for (uint32_t i = 0; i < vpci->listed; i++) {
		if (is_same(&vpci->list[i], &child->description))
			return true;
	}
	return false;
}

static bool is_known(const struct hvk_vpci *vpci, const struct vpci_function2 *description)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		const struct vpci_child *child = &vpci->functions[i];

		if (child->state != VPCI_FUNCTION_FREE && child->state != VPCI_FUNCTION_LEAVING &&
		    is_same(&child->description, description))
			return true;
	}
	return false;
}

struct vpci_child *hvk_vpci_function_in(struct hvk_vpci *vpci, enum vpci_function_state state)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state == state)
			return &vpci->functions[i];
	}
	return NULL;
}

bool hvk_vpci_has_functions(const struct hvk_vpci *vpci)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state != VPCI_FUNCTION_FREE)
			return true;
	}
	return false;
}

/* --- Coming ------------------------------------------------------------------------------------ */

static void take_domain(struct hvk_vpci *vpci, uint32_t serial)
{
	if (vpci->has_domain)
		return;
	vpci->domain = hvk_domain_take(vpci_hvk(vpci), (uint16_t)serial);
	vpci->has_domain = true;
}

static void describe(const struct hvk_vpci *vpci, struct vpci_child *child)
{
	const struct vpci_function2 *from = &child->description;
	struct hvk_pci_info *info = &child->pci.info;

	*info = (struct hvk_pci_info){
		.domain = vpci->domain,
		.device = (uint8_t)VPCI_SLOT_DEVICE(from->function.slot),
		.function = (uint8_t)VPCI_SLOT_FUNCTION(from->function.slot),
		.serial = from->function.serial,
		.vendor_id = from->function.vendor,
		.device_id = from->function.device,
		.subsystem_vendor_id = (uint16_t)from->function.subsystem,
		.subsystem_id = (uint16_t)(from->function.subsystem >> 16),
		.revision = from->function.revision,
		.class_ = from->function.class_,
		.subclass = from->function.subclass,
		.programming_interface = from->function.programming_interface,
		.numa_node = from->flags & VPCI_FUNCTION_NUMA_NODE ? from->numa_node : HVK_PCI_NO_NODE,
	};
	child->pci.subsystem = from->function.subsystem;
}

static void eject_is_over(struct hvk_timer *timer, void *context)
{
	struct vpci_child *child = context;

	(void)timer;
	child->overdue = true;
	hvk_vpci_kick((struct hvk_vpci *)(void *)child->pci.bus);
}

static void note(struct hvk_vpci *vpci, const struct vpci_function2 *description)
{
	struct vpci_child *child = hvk_vpci_function_in(vpci, VPCI_FUNCTION_FREE);

	if (!child) {
		hvk_log(vpci_hvk(vpci), HVK_LOG_WARN, "vpci: more functions than functions_max, %u",
			vpci->function_max);
		return;
	}
	*child = (struct vpci_child){.state = VPCI_FUNCTION_NEW, .description = *description};
	child->pci.bus = &vpci->bus;
	child->pci.slot = description->function.slot;
	child->eject_timer = (struct hvk_timer){
		.fire = eject_is_over, .context = child, .deadline = HVK_NEVER, .cpu = vpci->bus.cpu};
	take_domain(vpci, description->function.serial);
	describe(vpci, child);
}

static void leave(struct hvk_vpci *vpci, struct vpci_child *child, bool eject)
{
	bool told = child->told, claimed;

	if (child->state == VPCI_FUNCTION_LEAVING && (eject || hvk_pci_is_gone(&child->pci)))
		return;
	if (!told) { /* nobody knows of it */
		hvk_vpci_function_drop(vpci, child);
		return;
	}
	child->state = VPCI_FUNCTION_LEAVING;
	hvk_lock(vpci_hvk(vpci), &child->pci.lock);
	claimed = child->pci.claimed;
	hvk_unlock(vpci_hvk(vpci), &child->pci.lock);
	if (!claimed) {
		hvk_lock(vpci_hvk(vpci), &vpci->lock);
		child->released = true;
		hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	}
	if (eject)
		hvk_timer_start(vpci_hvk(vpci), &child->eject_timer, vpci->bus.cpu, vpci->config.eject_ms);
	hvk_pci_function_leave(&child->pci, eject);
	hvk_vpci_kick(vpci);
}

bool hvk_vpci_functions_compare(struct hvk_vpci *vpci)
{
	vpci->news = false;
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (child->state != VPCI_FUNCTION_FREE && !is_listed(vpci, child))
			leave(vpci, child, false);
	}
	for (uint32_t i = 0; i < vpci->listed; i++) {
		if (!is_known(vpci, &vpci->list[i]))
			note(vpci, &vpci->list[i]);
	}
	return hvk_vpci_function_in(vpci, VPCI_FUNCTION_NEW) != NULL;
}

/* --- Leaving -------------------------------------------------------------------------------------- */

static void answer_eject(struct hvk_vpci *vpci, struct vpci_child *child)
{
	struct hvk_vpci_message message;

	if (!child->eject_answer || vpci->lost != HVK_OK)
		return;
	hvk_vpci_build_ejected(&message, child->pci.slot);
	if (hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL) != HVK_EAGAIN)
		child->eject_answer = false; /* else the next turn tries again */
}

void hvk_vpci_function_eject(struct hvk_vpci *vpci, uint32_t slot)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (child->state == VPCI_FUNCTION_FREE || child->pci.slot != slot)
			continue;
		child->eject_answer = true;
		if (!child->told)
			answer_eject(vpci, child);
		leave(vpci, child, true);
		return;
	}
	hvk_vpci_fault(vpci, HVK_EHOST_ID, "EJECT of a function that is not there");
}

void hvk_vpci_functions_leave(struct hvk_vpci *vpci, bool eject)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state != VPCI_FUNCTION_FREE)
			leave(vpci, &vpci->functions[i], eject);
	}
}

void hvk_vpci_function_drop(struct hvk_vpci *vpci, struct vpci_child *child)
{
	hvk_timer_stop(vpci_hvk(vpci), &child->eject_timer);
	hvk_pci_function_end(&child->pci);
	child->state = VPCI_FUNCTION_FREE;
}

static bool was_released(struct hvk_vpci *vpci, const struct vpci_child *child)
{
	bool released;

	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	released = child->released;
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	return released;
}

/* One that is not ejected gives its resources back; nobody waits for what the host says of it. */
static void release_resources(struct hvk_vpci *vpci, struct vpci_child *child)
{
	struct hvk_vpci_message message;

	if (!child->assigned || hvk_pci_is_gone(&child->pci) || vpci->lost != HVK_OK || !vpci->opened)
		return;
	hvk_vpci_build_slot(&message, VPCI_RESOURCES_RELEASED, child->pci.slot);
	(void)hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
}

static void reap(struct hvk_vpci *vpci, struct vpci_child *child)
{
	bool ejected = child->eject_answer;

	if (child->overdue && !hvk_pci_is_gone(&child->pci)) {
		hvk_log(vpci_hvk(vpci), HVK_LOG_WARN, "vpci: the driver of slot %u did not let go in %u ms",
			child->pci.slot, vpci->config.eject_ms);
		hvk_pci_function_leave(&child->pci, false);
		answer_eject(vpci, child);
	}
	if (!was_released(vpci, child) || !hvk_pci_interrupts_idle(&child->pci))
		return;
	answer_eject(vpci, child);
	if (child->eject_answer && vpci->lost == HVK_OK)
		return; /* the ring is full */
	if (!ejected)
		release_resources(vpci, child);
	if (vpci->config.removed)
		vpci->config.removed(vpci->config.context, vpci, &child->pci);
	hvk_vpci_function_drop(vpci, child);
}

void hvk_vpci_functions_reap(struct hvk_vpci *vpci)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		if (vpci->functions[i].state == VPCI_FUNCTION_LEAVING)
			reap(vpci, &vpci->functions[i]);
	}
}

/* Its driver has let go: of one that stays, so that another may claim it. */
void hvk_vpci_released(struct hvk_pci_bus *bus, struct hvk_pci_function *function)
{
	struct hvk_vpci *vpci = (struct hvk_vpci *)(void *)bus;
	struct vpci_child *child = (struct vpci_child *)(void *)((uint8_t *)function -
								 offsetof(struct vpci_child, pci));

	hvk_lock(bus->hvk, &vpci->lock);
	child->released = child->pci.leaving;
	hvk_unlock(bus->hvk, &vpci->lock);
	hvk_vpci_kick(vpci);
}
