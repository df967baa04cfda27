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

/* One that does not leave. */
static struct vpci_child *slot_has_function(struct hvk_vpci *vpci, uint32_t slot)
{
	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (child->state != VPCI_FUNCTION_FREE && child->state != VPCI_FUNCTION_LEAVING &&
		    child->description.function.slot == slot)
			return child;
	}
	return NULL;
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

/* One that finds no place waits until one that leaves has left. */
static void note(struct hvk_vpci *vpci, const struct vpci_function2 *description)
{
	struct vpci_child *child = hvk_vpci_function_in(vpci, VPCI_FUNCTION_FREE);
	struct hvk_lock lock;

	if (!child) {
		vpci->news = true;
		return;
	}
	lock = child->pci.lock;
	*child = (struct vpci_child){.state = VPCI_FUNCTION_NEW, .description = *description};
	child->pci.lock = lock;
	child->pci.bus = &vpci->bus;
	child->pci.slot = description->function.slot;
	child->eject_timer = (struct hvk_timer){
		.fire = eject_is_over, .context = child, .deadline = HVK_NEVER, .cpu = vpci->bus.cpu};
	take_domain(vpci, description->function.serial);
	describe(vpci, child);
}

/* One that nobody knows of yet has nothing to wait for but room for an answer in the ring. */
static void leave(struct hvk_vpci *vpci, struct vpci_child *child, bool eject)
{
	if (child->state == VPCI_FUNCTION_LEAVING && (eject || hvk_pci_is_gone(&child->pci)))
		return;
	child->state = VPCI_FUNCTION_LEAVING;
	if (eject && child->told)
		hvk_timer_start(vpci_hvk(vpci), &child->eject_timer, vpci->bus.cpu, vpci->config.eject_ms);
	hvk_pci_function_leave(&child->pci, eject);
	hvk_pci_function_tell(&child->pci, eject);
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
		if (is_known(vpci, &vpci->list[i]))
			continue;
		if (slot_has_function(vpci, vpci->list[i].function.slot))
			hvk_vpci_fault(vpci, HVK_EHOST_VPCI, "two functions in one slot");
		else
			note(vpci, &vpci->list[i]);
	}
	return hvk_vpci_function_in(vpci, VPCI_FUNCTION_NEW) != NULL;
}

/* --- Leaving -------------------------------------------------------------------------------------- */

/* HVK_EAGAIN: the ring is full, the next turn tries again. */
static hvk_status send_ejected(struct hvk_vpci *vpci, uint32_t slot)
{
	struct hvk_vpci_message message;

	hvk_vpci_build_ejected(&message, slot);
	return hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
}

static void answer_eject(struct hvk_vpci *vpci, struct vpci_child *child)
{
	if (child->eject_answer && vpci->lost == HVK_OK && send_ejected(vpci, child->pci.slot) != HVK_EAGAIN)
		child->eject_answer = false;
}

static bool is_listed_slot(const struct hvk_vpci *vpci, uint32_t slot)
{
	for (uint32_t i = 0; i < vpci->listed; i++) {
		if (vpci->list[i].function.slot == slot)
			return true;
	}
	return false;
}

/* What was ejected is not there any more, until the host says so again. */
static void strike_off(struct hvk_vpci *vpci, uint32_t slot)
{
	for (uint32_t i = 0; i < vpci->listed; i++) {
		if (vpci->list[i].function.slot == slot) {
			vpci->list[i] = vpci->list[--vpci->listed];
			return;
		}
	}
}

/* One that leaves by itself already owes the host an answer now. */
static struct vpci_child *to_eject(struct hvk_vpci *vpci, uint32_t slot)
{
	struct vpci_child *child = slot_has_function(vpci, slot);

	for (uint32_t i = 0; i < vpci->function_max && !child; i++) {
		if (vpci->functions[i].state == VPCI_FUNCTION_LEAVING && vpci->functions[i].pci.slot == slot)
			child = &vpci->functions[i];
	}
	return child;
}

void hvk_vpci_function_eject(struct hvk_vpci *vpci, uint32_t slot)
{
	struct vpci_child *child = to_eject(vpci, slot);

	if (child) {
		child->ejected = child->eject_answer = true;
		leave(vpci, child, true);
	} else if (is_listed_slot(vpci, slot)) { /* left alone, or not looked at yet */
		(void)send_ejected(vpci, slot);
		strike_off(vpci, slot);
	} else {
		hvk_vpci_fault(vpci, HVK_EHOST_ID, "EJECT of a function that is not there");
	}
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

/* One that is not ejected gives its resources back; nobody waits for what the host says of it. */
static void release_resources(struct hvk_vpci *vpci, struct vpci_child *child)
{
	struct hvk_vpci_message message;

	if (!child->assigned || hvk_pci_is_gone(&child->pci) || vpci->lost != HVK_OK || !vpci->opened)
		return;
	hvk_vpci_build_slot(&message, VPCI_RESOURCES_RELEASED, child->pci.slot);
	(void)hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
}

/* Its driver holds on; the host need not wait any longer for all that. */
static void take_away(struct hvk_vpci *vpci, struct vpci_child *child)
{
	hvk_log(vpci_hvk(vpci), HVK_LOG_WARN, "vpci: the driver of slot %u did not let go in %u ms",
		child->pci.slot, vpci->config.eject_ms);
	leave(vpci, child, false);
	answer_eject(vpci, child);
}

static void reap(struct hvk_vpci *vpci, struct vpci_child *child)
{
	if (child->overdue && !hvk_pci_is_gone(&child->pci))
		take_away(vpci, child);
	if (!hvk_pci_function_is_left(&child->pci))
		return;
	answer_eject(vpci, child);
	if (child->eject_answer && vpci->lost == HVK_OK)
		return; /* the ring is full */
	if (child->ejected)
		strike_off(vpci, child->pci.slot);
	else
		release_resources(vpci, child);
	if (child->told && vpci->config.removed)
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

/* Those that leave have no time left: the host forgets that it asked. */
bool hvk_vpci_functions_sleep(struct hvk_vpci *vpci)
{
	bool rest = true;

	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct vpci_child *child = &vpci->functions[i];

		if (child->state == VPCI_FUNCTION_LEAVING) {
			answer_eject(vpci, child);
			child->eject_answer = false;
			leave(vpci, child, false);
		} else if (child->state == VPCI_FUNCTION_READY && !hvk_pci_function_sleep(&child->pci)) {
			rest = false;
		}
	}
	return rest;
}
