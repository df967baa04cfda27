/* SPDX-License-Identifier: MIT */
/*
 * The synthetic interrupt controller of one CPU: pages, SINT, and taking messages and
 * events out of the pages (TLFS, "Synthetic Interrupt Controller").
 */
#include "guest/hypervisor/hypervisor.h"

#define SLOT_SIZE_AND_FLAGS 4u /* u32: size, flags, reserved */
#define SLOT_FLAGS_SHIFT 8u
#define DRAIN_MESSAGES_MAX 64u

/* On the way back, and in interrupts: nothing can be done about a fault. */
static void put_reg(struct hvk *hvk, enum hvk_register reg, uint64_t value)
{
	(void)hvk->port.reg_write(hvk->port.context, reg, value);
}

/* --- Taking in ------------------------------------------------------------------ */

static void end_of_message(struct hvk *hvk)
{
	HVK_COUNT(hvk->counters.eoms);
	put_reg(hvk, HVK_REG_EOM, 0);
}

/* Empties the slot: clear the type, full barrier, then look at the pending flag. In
 * any other order a message that the host queued in between would wait for ever. */
void hvk_synic_release_slot(struct hvk *hvk, const struct hvk_shared *slot)
{
	uint32_t word;

	hvk_shared_store_release(slot, HVK_SLOT_TYPE, HV_MESSAGE_NONE);
	hvk_full_barrier();
	word = hvk_shared_load(slot, SLOT_SIZE_AND_FLAGS);
	if ((word >> SLOT_FLAGS_SHIFT) & HV_MESSAGE_FLAG_PENDING)
		end_of_message(hvk);
}

/* The host may set the pending flag at any time: that word is read as one, the others
 * are ours until the slot is released. */
static void copy_slot(const struct hvk_shared *slot, uint32_t type, struct hv_message *to)
{
	uint32_t word = hvk_shared_load(slot, SLOT_SIZE_AND_FLAGS);

	to->type = type;
	to->payload_size = (uint8_t)word;
	to->flags = (uint8_t)(word >> SLOT_FLAGS_SHIFT);
	hvk_shared_read(slot, offsetof(struct hv_message, origin), &to->origin,
			sizeof(*to) - offsetof(struct hv_message, origin));
}

/* False: no room in the queue; the message stays in the slot. */
static bool take_messages(struct hvk *hvk, struct hvk_cpu *cpu)
{
	for (unsigned i = 0; i < HVK_INTERRUPT_MESSAGES; i++) {
		uint32_t type = hvk_shared_load_acquire(&cpu->slot, HVK_SLOT_TYPE);
		struct hv_message *to;

		if (type == HV_MESSAGE_NONE)
			return true;
		if (type == HV_MESSAGE_TIMER_EXPIRED) {
			hvk_event_timer_message(hvk, cpu, &cpu->slot);
			hvk_synic_release_slot(hvk, &cpu->slot);
			continue;
		}
		if (cpu->queue_count == HVK_MESSAGE_QUEUE)
			return false;
		to = &cpu->queue[(cpu->queue_head + cpu->queue_count) % HVK_MESSAGE_QUEUE];
		copy_slot(&cpu->slot, type, to);
		cpu->queue_count++;
		HVK_COUNT(hvk->counters.messages);
		hvk_synic_release_slot(hvk, &cpu->slot);
	}
	return false;
}

/* Moves the bits of region into the CPU's private events. Those that no channel was ever
 * offered for mean nothing, and stay where they are. */
static void take_bits(struct hvk *hvk, struct hvk_cpu *cpu, const struct hvk_shared *region)
{
	uint32_t words = hvk_min32(region->size / 4, __atomic_load_n(&hvk->event_words, __ATOMIC_RELAXED));

	for (uint32_t i = 0; i < words; i++) {
		uint32_t word;

		if (hvk_shared_load(region, i * 4) == 0)
			continue;
		word = hvk_shared_exchange(region, i * 4, 0);
		cpu->events[i] |= word;
		cpu->any_event = true;
		HVK_COUNT(hvk->counters.events);
	}
}

static void take_events(struct hvk *hvk, struct hvk_cpu *cpu)
{
	const struct hvk_shared *shared = &cpu->scan;

	if (shared->size == 0) {
		take_bits(hvk, cpu, &cpu->flags);
		return;
	}
	/* Below 2.4 flag 0 says that bits are set in the interrupt page. */
	if ((hvk_shared_load(&cpu->flags, 0) & 1u) == 0)
		return;
	(void)hvk_shared_and(&cpu->flags, 0, ~1u);
	take_bits(hvk, cpu, shared);
}

bool hvk_synic_take(struct hvk *hvk, struct hvk_cpu *cpu)
{
	bool all;

	hvk_lock(hvk, &cpu->lock);
	take_events(hvk, cpu); /* events first, as FreeBSD was advised */
	all = take_messages(hvk, cpu);
	hvk_unlock(hvk, &cpu->lock);
	return !all;
}

void hvk_interrupt(struct hvk *hvk, uint32_t index)
{
	struct hvk_cpu *cpu;

	if (index >= hvk->config.cpus || !hvk->cpus[index].started ||
	    __atomic_load_n(&hvk->quiesced, __ATOMIC_ACQUIRE))
		return;
	cpu = &hvk->cpus[index];
	HVK_COUNT(hvk->counters.interrupts);
	(void)hvk_synic_take(hvk, cpu);
}

/* --- Start and stop ----------------------------------------------------------------- */

static hvk_status save_registers(struct hvk *hvk, struct hvk_cpu *cpu)
{
	hvk_status status = hvk_register_read(hvk, HVK_REG_SIMP, &cpu->saved_simp);

	if (status == HVK_OK)
		status = hvk_register_read(hvk, HVK_REG_SIEFP, &cpu->saved_siefp);
	if (status == HVK_OK)
		status = hvk_register_read(hvk, (enum hvk_register)(HVK_REG_SINT0 + VMBUS_SINT),
					   &cpu->saved_sint);
	if (status == HVK_OK && (hvk->hypervisor.info.access & HV_ACCESS_VP_INDEX)) {
		uint64_t index = 0;

		status = hvk_register_read(hvk, HVK_REG_VP_INDEX, &index);
		cpu->vp_index = (uint32_t)index;
	}
	return status;
}

static hvk_status write_page(struct hvk *hvk, enum hvk_register reg, uint64_t saved,
			     const struct hvk_pages *page)
{
	return hvk_register_write(
		hvk, reg, (saved & HV_PAGE_RESERVED_MASK) | hvk_page_gpa(hvk, page, 0) | HV_PAGE_ENABLE);
}

static hvk_status enable(struct hvk *hvk, struct hvk_cpu *cpu)
{
	uint64_t vector = hvk->config.vector ? hvk->config.vector : HVK_VECTOR_DEFAULT;
	hvk_status status = write_page(hvk, HVK_REG_SIMP, cpu->saved_simp, &cpu->message_page);

	if (status == HVK_OK)
		status = write_page(hvk, HVK_REG_SIEFP, cpu->saved_siefp, &cpu->event_page);
	if (status == HVK_OK)
		/* Unmasked even when polled: a masked SINT gets no messages (iPXE). No
		 * auto-EOI: the TLFS advises against it. */
		status = hvk_register_write(hvk, (enum hvk_register)(HVK_REG_SINT0 + VMBUS_SINT),
					    (cpu->saved_sint & ~HV_SINT_DEFINED_MASK) | vector);
	if (status == HVK_OK)
		status = hvk_register_write(hvk, HVK_REG_SCONTROL, cpu->saved_scontrol | HV_SCONTROL_ENABLE);
	return status;
}

static void drain(struct hvk *hvk, struct hvk_cpu *cpu)
{
	for (unsigned i = 0; i < DRAIN_MESSAGES_MAX; i++) {
		if (hvk_shared_load_acquire(&cpu->slot, HVK_SLOT_TYPE) == HV_MESSAGE_NONE)
			break;
		hvk_synic_release_slot(hvk, &cpu->slot);
	}
}

/* A channel that was moved away may have been signalled here last: the contact CPU looks, which
 * is the one that cannot be stopping too. Without one, events mean nothing. */
static void pass_events_on(struct hvk *hvk, struct hvk_cpu *cpu)
{
	uint32_t words[VMBUS_MAX_CHANNELS / 32], other = 0;

	hvk_lock(hvk, &cpu->lock);
	take_events(hvk, cpu);
	memcpy(words, cpu->events, sizeof(words));
	hvk_unlock(hvk, &cpu->lock);
	while (other < hvk->config.cpus && !__atomic_load_n(&hvk->cpus[other].in_use, __ATOMIC_RELAXED))
		other++;
	if (other == hvk->config.cpus)
		return;
	hvk_lock(hvk, &hvk->cpus[other].lock);
	for (uint32_t i = 0; i < VMBUS_MAX_CHANNELS / 32; i++)
		hvk->cpus[other].events[i] |= words[i];
	hvk->cpus[other].any_event = true;
	hvk_unlock(hvk, &hvk->cpus[other].lock);
	hvk_wake(hvk, other);
}

/* Order: boot.md's checklist, from mu_msvm and iPXE. Windows Server 2016 keeps pages that it
 * finds set up, so they must be off before the memory is given back. What is in the pages stays
 * the hypervisor's when they are moved: whoever enables them next finds it there. */
void hvk_synic_leave(struct hvk *hvk, struct hvk_cpu *cpu, enum hvk_leave how)
{
	enum hvk_register sint = (enum hvk_register)(HVK_REG_SINT0 + VMBUS_SINT);
	uint64_t kept = how == HVK_LEAVE_AS_FOUND ? ~0ull : HV_PAGE_RESERVED_MASK;

	put_reg(hvk, sint, (cpu->saved_sint & ~HV_SINT_DEFINED_MASK) | HV_SINT_MASKED);
	drain(hvk, cpu);
	if (how == HVK_LEAVE_AS_FOUND)
		pass_events_on(hvk, cpu);
	hvk_shared_zero(&cpu->flags, 0, cpu->flags.size);
	put_reg(hvk, HVK_REG_SIEFP, cpu->saved_siefp & kept);
	put_reg(hvk, HVK_REG_SIMP, cpu->saved_simp & kept);
	if (how == HVK_LEAVE_QUIESCED)
		return;
	put_reg(hvk, HVK_REG_SCONTROL, cpu->saved_scontrol);
	if (how == HVK_LEAVE_AS_FOUND)
		put_reg(hvk, sint, cpu->saved_sint);
}

static void forget(struct hvk *hvk, struct hvk_cpu *cpu)
{
	hvk_lock(hvk, &cpu->lock);
	__atomic_store_n(&cpu->started, false, __ATOMIC_RELEASE);
	cpu->left = false;
	cpu->queue_count = 0;
	cpu->any_event = false;
	memset(cpu->events, 0, sizeof(cpu->events));
	hvk_unlock(hvk, &cpu->lock);
	hvk_pollers_stop(hvk, cpu);
	hvk_pages_put(hvk, &cpu->message_page);
	hvk_pages_put(hvk, &cpu->event_page);
}

hvk_status hvk_cpu_start(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];
	hvk_status status;

	if (!hvk->hypervisor.started || cpu->started)
		return HVK_ESTATE;
	status = save_registers(hvk, cpu);
	if (status == HVK_OK)
		status = hvk_register_read(hvk, HVK_REG_SCONTROL, &cpu->saved_scontrol);
	if (status == HVK_OK)
		status = hvk_pages_get(hvk, 1, HVK_PAGE_HOST_WRITES, &cpu->message_page);
	if (status == HVK_OK)
		status = hvk_pages_get(hvk, 1, HVK_PAGE_HOST_WRITES, &cpu->event_page);
	if (status == HVK_OK) {
		struct hvk_shared page = hvk_pages_shared(&cpu->message_page);

		cpu->slot = hvk_shared_part(&page, VMBUS_SINT * sizeof(struct hv_message),
					    sizeof(struct hv_message));
		page = hvk_pages_shared(&cpu->event_page);
		cpu->flags = hvk_shared_part(&page, VMBUS_SINT * HV_EVENT_FLAG_BYTES, HV_EVENT_FLAG_BYTES);
		status = enable(hvk, cpu);
		if (status != HVK_OK)
			hvk_synic_leave(hvk, cpu, HVK_LEAVE_AS_FOUND);
	}
	if (status != HVK_OK) {
		forget(hvk, cpu);
		return status;
	}
	(void)__atomic_add_fetch(&hvk->hypervisor.cpus_started, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->started, true, __ATOMIC_RELEASE);
	return HVK_OK;
}

/* After a time with a loaded system, which may have changed what is reserved; SCONTROL stays as it was
 * found first. */
hvk_status hvk_synic_return(struct hvk *hvk, struct hvk_cpu *cpu)
{
	hvk_status status = save_registers(hvk, cpu);

	return status == HVK_OK ? enable(hvk, cpu) : status;
}

void hvk_synic_forget(struct hvk *hvk, struct hvk_cpu *cpu)
{
	hvk_event_timer_forget(hvk, cpu);
	forget(hvk, cpu);
	(void)__atomic_sub_fetch(&hvk->hypervisor.cpus_started, 1, __ATOMIC_RELAXED);
}

hvk_status hvk_cpu_stop(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];

	if (!cpu->started || cpu->in_use || hvk->quiesced)
		return HVK_ESTATE;
	if (!cpu->left) {
		hvk_event_timer_leave(hvk, &cpu->event_timer);
		hvk_synic_leave(hvk, cpu, HVK_LEAVE_AS_FOUND);
	}
	hvk_synic_forget(hvk, cpu);
	return HVK_OK;
}
