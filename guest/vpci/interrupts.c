/* SPDX-License-Identifier: MIT */
/* Interrupts: the host is asked for one at a time, in the order in which they were wanted. */
#include "guest/vpci/vpci_internal.h"

static void is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_vpci *vpci = context;

	(void)timer;
	vpci->interrupt_overdue = true;
	hvk_vpci_kick(vpci);
}

void hvk_vpci_interrupts_init(struct hvk_vpci *vpci)
{
	vpci->interrupt_timer = (struct hvk_timer){
		.fire = is_over, .context = vpci, .deadline = HVK_NEVER, .cpu = vpci->bus.cpu};
}

/* Linux, OpenVMM: of the bytes of the channel's instance as they lie on the wire. */
uint64_t hvk_vpci_device_id(const struct hvk_pci_bus *bus, uint32_t slot)
{
	const struct hvk_vpci *vpci = (const struct hvk_vpci *)(const void *)bus;
	const uint8_t *guid = hvk_channel_offer(vpci->channel)->instance.bytes;

	return (uint64_t)guid[5] << 24 | (uint64_t)guid[4] << 16 | (uint64_t)guid[7] << 8 |
	       (guid[6] & 0xf8u) | VPCI_SLOT_FUNCTION(slot);
}

void hvk_vpci_interrupt(struct hvk_pci_bus *bus, struct hvk_pci_interrupt *interrupt)
{
	struct hvk_vpci *vpci = (struct hvk_vpci *)(void *)bus;

	hvk_lock(bus->hvk, &vpci->lock);
	interrupt->next = NULL;
	if (vpci->interrupts_last)
		vpci->interrupts_last->next = interrupt;
	else
		vpci->interrupts_first = interrupt;
	vpci->interrupts_last = interrupt;
	hvk_unlock(bus->hvk, &vpci->lock);
	hvk_vpci_kick(vpci);
}

void hvk_vpci_changed(struct hvk_pci_bus *bus)
{
	hvk_vpci_kick((struct hvk_vpci *)(void *)bus);
}

/* A function that sleeps gets no new ones; what is to be deleted goes on. */
static bool is_held(const struct hvk_pci_interrupt *interrupt)
{
	const struct hvk_pci_function *function = interrupt->function;

	return interrupt->state == HVK_PCI_INTERRUPT_CREATING && hvk_pci_is_off(function) &&
	       !hvk_pci_is_gone(function);
}

/* The first that is not held back. Each is in the list once. */
static struct hvk_pci_interrupt *take(struct hvk_vpci *vpci)
{
	struct hvk_pci_interrupt *interrupt, *before = NULL;

	hvk_lock(vpci_hvk(vpci), &vpci->lock);
	for (interrupt = vpci->interrupts_first; interrupt && is_held(interrupt); interrupt = interrupt->next)
		before = interrupt;
	if (interrupt && before)
		before->next = interrupt->next;
	else if (interrupt)
		vpci->interrupts_first = interrupt->next;
	if (interrupt && !interrupt->next)
		vpci->interrupts_last = before;
	hvk_unlock(vpci_hvk(vpci), &vpci->lock);
	return interrupt;
}

/* --- One of them --------------------------------------------------------------------------------- */

static hvk_status send_create(struct hvk_vpci *vpci, const struct hvk_pci_interrupt *interrupt)
{
	const struct hvk_pci_target *target = &interrupt->targets[interrupt->target];
	struct hvk_vpci_message message;
	hvk_status status = hvk_vpci_build_create(&message, vpci->version, interrupt->function->slot,
						  target->vector,
						  hvk_cpu_vp_index(vpci_hvk(vpci), target->poller.cpu));

	if (status == HVK_OK)
		status = hvk_channel_send(vpci->channel, message.bytes, message.length, true,
					  &vpci->interrupt_ask);
	if (status != HVK_OK)
		return status;
	vpci->interrupt_ask.pending = true;
	hvk_timer_start(vpci_hvk(vpci), &vpci->interrupt_timer, vpci->bus.cpu,
			hvk_timeouts(vpci_hvk(vpci))->device_ms);
	return HVK_EINPROGRESS;
}

/* A deletion has no answer: Linux and FreeBSD ask for none. */
static hvk_status send_delete(struct hvk_vpci *vpci, const struct hvk_pci_interrupt *interrupt)
{
	struct hvk_vpci_message message;

	hvk_vpci_build_delete(&message, interrupt->function->slot, interrupt->address, interrupt->data);
	return hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
}

/* HVK_EINPROGRESS: an answer will come; HVK_EAGAIN: the ring is full. */
static hvk_status send(struct hvk_vpci *vpci, const struct hvk_pci_interrupt *interrupt)
{
	bool creates = interrupt->state != HVK_PCI_INTERRUPT_DELETING;

	if (vpci->lost != HVK_OK || !vpci->opened || hvk_pci_is_gone(interrupt->function))
		return HVK_EGONE;
	if (!creates && !interrupt->created) /* the host forgot it in a sleep */
		return HVK_OK;
	return creates ? send_create(vpci, interrupt) : send_delete(vpci, interrupt);
}

static void conclude(struct hvk_vpci *vpci, hvk_status status, uint64_t address, uint32_t data)
{
	struct hvk_pci_interrupt *interrupt = vpci->interrupt;
	const struct hvk_answer answer = {status, NULL, 0};
	bool renewed = interrupt->state == HVK_PCI_INTERRUPT_RENEWING;

	vpci->interrupt = NULL;
	hvk_timer_stop(vpci_hvk(vpci), &vpci->interrupt_timer);
	hvk_pci_interrupt_asked(interrupt, status, address, data);
	if (renewed)
		hvk_steps_answer(&vpci->steps, VPCI_EVENT_INTERRUPT, &answer);
}

/* Still masked: none can have gone to the wrong place. */
static hvk_status put_in_place(struct hvk_vpci *vpci, uint64_t address, uint32_t data)
{
	const struct hvk_pci_interrupt *interrupt = vpci->interrupt;
	const struct hvk_pci_target *target = &interrupt->targets[interrupt->target];
	uint32_t slot = interrupt->function->slot, cpu = target->poller.cpu;
	struct hvk_vpci_message message;
	hvk_status status;

	if (!hvk_vpci_create_is_elsewhere(vpci->version, hvk_cpu_vp_index(vpci_hvk(vpci), cpu)))
		return HVK_OK;
	status = hvk_interrupt_retarget(vpci_hvk(vpci), hvk_vpci_device_id(&vpci->bus, slot),
					(uint32_t)address, data, target->vector, cpu);
	if (status == HVK_OK)
		return HVK_OK;
	hvk_vpci_build_delete(&message, slot, address, data);
	(void)hvk_channel_send(vpci->channel, message.bytes, message.length, false, NULL);
	return status;
}

static void take_answer(struct hvk_vpci *vpci)
{
	struct vpci_ask *ask = &vpci->interrupt_ask;
	uint64_t address = 0;
	uint32_t data = 0;
	hvk_status status;

	if (ask->pending && ask->there) {
		status = hvk_vpci_parse_created(ask->bytes, ask->length, &address, &data);
	} else if (ask->pending && (vpci->interrupt_overdue || vpci->lost != HVK_OK || !vpci->opened)) {
		(void)hvk_channel_take_request(vpci->channel, ask);
		status = vpci->lost != HVK_OK || !vpci->opened ? HVK_EGONE : HVK_ETIMEDOUT_VPCI;
	} else {
		return;
	}
	ask->pending = ask->there = false;
	if (status == HVK_OK)
		status = put_in_place(vpci, address, data);
	if (hvk_status_is_host_fault(status))
		hvk_vpci_fault(vpci, status, "answer to CREATE_INTERRUPT");
	conclude(vpci, status, address, data);
}

void hvk_vpci_interrupts_go_on(struct hvk_vpci *vpci)
{
	hvk_status status;

	if (vpci->interrupt)
		take_answer(vpci);
	vpci->interrupt_overdue = false;
	for (uint32_t i = 0; i < HVK_PCI_INTERRUPTS_MAX && !vpci->interrupt_ask.pending; i++) {
		if (!vpci->interrupt)
			vpci->interrupt = take(vpci);
		if (!vpci->interrupt)
			return;
		status = send(vpci, vpci->interrupt);
		if (status == HVK_EAGAIN || status == HVK_EINPROGRESS)
			return;
		conclude(vpci, status, 0, 0);
	}
}

/* --- After a resume -------------------------------------------------------------------------------- */

hvk_status hvk_vpci_interrupts_again(struct hvk_vpci *vpci)
{
	bool later = false, this_later;

	for (uint32_t i = 0; i < vpci->function_max; i++) {
		struct hvk_pci_interrupt *interrupt;

		if (vpci->functions[i].state != VPCI_FUNCTION_READY)
			continue;
		interrupt = hvk_pci_interrupt_renew(&vpci->functions[i].pci, &this_later);
		later = later || this_later;
		if (interrupt) {
			hvk_vpci_interrupt(&vpci->bus, interrupt);
			return HVK_EINPROGRESS;
		}
	}
	return later ? HVK_EAGAIN : HVK_OK;
}
