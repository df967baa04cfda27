/* SPDX-License-Identifier: MIT */
/*
 * MSI-X. An interrupt has a vector on a CPU, whose poller runs the handler, and an address and data that the
 * host has given for both; these go into the table. A move keeps address and data: the host is told by a
 * hypercall where they lead to.
 */
#include "guest/pci/pci.h"

static bool fire(struct hvk_poller *poller, void *context)
{
	struct hvk_pci_interrupt *interrupt = context;
	struct hvk_pci_function *function = interrupt->function;
	enum hvk_pci_interrupt_state state;

	(void)poller;
	hvk_lock(function->bus->hvk, &function->lock);
	state = interrupt->state;
	hvk_unlock(function->bus->hvk, &function->lock);
	if (state != HVK_PCI_INTERRUPT_READY && state != HVK_PCI_INTERRUPT_MOVING)
		return false;
	__atomic_fetch_add(&function->counters.interrupts, 1, __ATOMIC_RELAXED);
	interrupt->handler(interrupt->context, function, interrupt->index);
	return false;
}

static void set_state(struct hvk_pci_interrupt *interrupt, enum hvk_pci_interrupt_state state)
{
	struct hvk *hvk = interrupt->function->bus->hvk;

	hvk_lock(hvk, &interrupt->function->lock);
	interrupt->state = state;
	hvk_unlock(hvk, &interrupt->function->lock);
}

/* Takes a state that only one may change from; false: it was another. */
static bool begin(struct hvk_pci_interrupt *interrupt, enum hvk_pci_interrupt_state from,
		  enum hvk_pci_interrupt_state to)
{
	struct hvk *hvk = interrupt->function->bus->hvk;
	bool begun;

	hvk_lock(hvk, &interrupt->function->lock);
	begun = interrupt->state == from;
	if (begun)
		interrupt->state = to;
	hvk_unlock(hvk, &interrupt->function->lock);
	return begun;
}

/* --- The table ------------------------------------------------------------------------------- */

static void write_word(const struct hvk_pci_interrupt *interrupt, uint32_t field, uint32_t value)
{
	struct hvk_pci_function *function = interrupt->function;
	uint64_t at = function->msix_table + (uint64_t)interrupt->index * sizeof(struct pci_msix_entry) +
		      field;

	hvk_pci_bar_write(function, function->msix_bar, at, 4, value);
}

static void write_mask(const struct hvk_pci_interrupt *interrupt, bool masked)
{
	write_word(interrupt, offsetof(struct pci_msix_entry, control), masked ? PCI_MSIX_ENTRY_MASKED : 0);
}

static void write_entry(const struct hvk_pci_interrupt *interrupt)
{
	write_mask(interrupt, true); /* a device may look at a half-written one */
	write_word(interrupt, offsetof(struct pci_msix_entry, address), (uint32_t)interrupt->address);
	write_word(interrupt, offsetof(struct pci_msix_entry, address) + 4u,
		   (uint32_t)(interrupt->address >> 32));
	write_word(interrupt, offsetof(struct pci_msix_entry, data), interrupt->data);
	write_mask(interrupt, interrupt->masked);
}

static void enable(struct hvk_pci_function *function)
{
	struct hvk_pci_bus *bus = function->bus;
	uint32_t control = bus->ops->read(bus, function->slot, function->msix_at + 2, 2);

	control = (control & ~PCI_MSIX_CONTROL_MASK_ALL) | PCI_MSIX_CONTROL_ENABLE;
	bus->ops->write(bus, function->slot, function->msix_at + 2, 2, control & 0xffffu);
}

/* Entries need memory decoding to be written; the driver has it on, or it is put on for the time. */
static void write_table(struct hvk_pci_function *function, const struct hvk_pci_interrupt *interrupt)
{
	struct hvk_pci_bus *bus = function->bus;
	uint32_t command = bus->ops->read(bus, function->slot, PCI_COMMAND, 2);

	if (hvk_pci_is_gone(function))
		return;
	if (!(command & PCI_COMMAND_MEMORY))
		bus->ops->write(bus, function->slot, PCI_COMMAND, 2,
				(command & 0xffffu) | PCI_COMMAND_MEMORY);
	write_entry(interrupt);
	enable(function);
	if (!(command & PCI_COMMAND_MEMORY))
		bus->ops->write(bus, function->slot, PCI_COMMAND, 2, command & 0xffffu);
}

void hvk_pci_interrupts_write(struct hvk_pci_function *function)
{
	for (uint32_t i = 0; i < function->interrupt_count; i++) {
		if (function->interrupts[i].created)
			write_table(function, &function->interrupts[i]);
	}
}

/* --- Vectors and pollers ------------------------------------------------------------------------ */

static hvk_status take_target(struct hvk_pci_interrupt *interrupt, struct hvk_pci_target *target,
			      uint32_t cpu)
{
	struct hvk *hvk = interrupt->function->bus->hvk;
	hvk_status status;

	target->poller = (struct hvk_poller){.run = fire, .context = interrupt, .cpu = cpu};
	status = hvk_poller_add(hvk, &target->poller);
	if (status != HVK_OK)
		return status;
	status = hvk_vector_take(hvk, &target->poller, &target->vector);
	target->taken = true;
	if (status != HVK_OK)
		target->vector = 0;
	return status;
}

/* The poller that leaves is the last thing to wait for. */
static void removed(struct hvk_request *request, void *context)
{
	struct hvk_pci_interrupt *interrupt = context;
	struct hvk_request *done = interrupt->request;
	struct hvk_pci_bus *bus = interrupt->function->bus;
	hvk_status result = interrupt->result;
	bool stays;

	(void)request;
	interrupt->request = NULL;
	hvk_lock(bus->hvk, &interrupt->function->lock);
	stays = interrupt->state == HVK_PCI_INTERRUPT_MOVING;
	interrupt->state = stays ? HVK_PCI_INTERRUPT_READY : HVK_PCI_INTERRUPT_FREE;
	hvk_unlock(bus->hvk, &interrupt->function->lock);
	hvk_request_finish(bus->hvk, done, result, bus->cpu);
	if (!stays)
		bus->ops->interrupt(bus, NULL); /* one less: whoever waits for all looks again */
}

static void give_back(struct hvk_pci_interrupt *interrupt, struct hvk_pci_target *target, hvk_status result)
{
	struct hvk_pci_bus *bus = interrupt->function->bus;

	interrupt->result = result;
	if (target->vector != 0)
		hvk_vector_give_back(bus->hvk, target->poller.cpu, target->vector);
	target->vector = 0;
	target->taken = false;
	interrupt->removed = (struct hvk_request){.done = removed, .context = interrupt};
	hvk_poller_remove(bus->hvk, &target->poller, &interrupt->removed, bus->cpu);
}

static void refuse(struct hvk_pci_function *function, struct hvk_request *request, hvk_status status)
{
	hvk_request_begin(request);
	hvk_request_finish(function->bus->hvk, request, status, function->bus->cpu);
}

/* --- Public ---------------------------------------------------------------------------------------- */

void hvk_pci_interrupt_create(struct hvk_pci_function *function, uint32_t index, uint32_t cpu,
			      void (*handler)(void *context, struct hvk_pci_function *function,
					      uint32_t index),
			      void *context, struct hvk_request *request)
{
	struct hvk_pci_interrupt *interrupt;
	hvk_status status;

	if (index >= function->interrupt_count || cpu >= hvk_cpu_count(function->bus->hvk)) {
		refuse(function, request, index >= function->interrupt_count ? HVK_ELIMIT : HVK_EINVAL);
		return;
	}
	interrupt = &function->interrupts[index];
	if (hvk_pci_is_gone(function) ||
	    !begin(interrupt, HVK_PCI_INTERRUPT_FREE, HVK_PCI_INTERRUPT_CREATING)) {
		refuse(function, request, hvk_pci_is_gone(function) ? HVK_EGONE : HVK_EBUSY);
		return;
	}
	hvk_request_begin(request);
	interrupt->request = request;
	interrupt->handler = handler;
	interrupt->context = context;
	interrupt->target = 0;
	interrupt->masked = false;
	interrupt->created = false;
	status = take_target(interrupt, &interrupt->targets[0], cpu);
	if (status == HVK_OK) {
		function->bus->ops->interrupt(function->bus, interrupt);
	} else if (interrupt->targets[0].taken) {
		give_back(interrupt, &interrupt->targets[0], status);
	} else {
		interrupt->request = NULL;
		set_state(interrupt, HVK_PCI_INTERRUPT_FREE);
		hvk_request_finish(function->bus->hvk, request, status, function->bus->cpu);
	}
}

static void take_creation(struct hvk_pci_interrupt *interrupt, hvk_status status, uint64_t address,
			  uint32_t data)
{
	struct hvk_pci_bus *bus = interrupt->function->bus;
	struct hvk_request *request = interrupt->request;

	if (status != HVK_OK) {
		give_back(interrupt, &interrupt->targets[0], status);
		return;
	}
	interrupt->address = address;
	interrupt->data = data;
	interrupt->created = true;
	interrupt->request = NULL;
	write_table(interrupt->function, interrupt);
	set_state(interrupt, HVK_PCI_INTERRUPT_READY);
	hvk_request_finish(bus->hvk, request, HVK_OK, bus->cpu);
}

void hvk_pci_interrupt_asked(struct hvk_pci_interrupt *interrupt, hvk_status status, uint64_t address,
			     uint32_t data)
{
	if (interrupt->state == HVK_PCI_INTERRUPT_CREATING) {
		take_creation(interrupt, status, address, data);
		return;
	}
	HVK_ASSERT(interrupt->state == HVK_PCI_INTERRUPT_DELETING);
	interrupt->created = false;
	/* What the host says of a deletion changes nothing: the vector is masked, and ours again. */
	give_back(interrupt, &interrupt->targets[interrupt->target], status == HVK_EGONE ? HVK_OK : status);
}

static void start_delete(struct hvk_pci_interrupt *interrupt, struct hvk_request *request)
{
	interrupt->request = request;
	write_mask(interrupt, true);
	interrupt->function->bus->ops->interrupt(interrupt->function->bus, interrupt);
}

void hvk_pci_interrupt_delete(struct hvk_pci_function *function, uint32_t index, struct hvk_request *request)
{
	if (index >= function->interrupt_count ||
	    !begin(&function->interrupts[index], HVK_PCI_INTERRUPT_READY, HVK_PCI_INTERRUPT_DELETING)) {
		refuse(function, request, HVK_ESTATE);
		return;
	}
	hvk_request_begin(request);
	start_delete(&function->interrupts[index], request);
}

void hvk_pci_interrupts_delete(struct hvk_pci_function *function)
{
	for (uint32_t i = 0; i < function->interrupt_count; i++) {
		if (begin(&function->interrupts[i], HVK_PCI_INTERRUPT_READY, HVK_PCI_INTERRUPT_DELETING))
			start_delete(&function->interrupts[i], NULL);
	}
}

bool hvk_pci_interrupts_idle(struct hvk_pci_function *function)
{
	bool idle = true;

	hvk_lock(function->bus->hvk, &function->lock);
	for (uint32_t i = 0; i < function->interrupt_count; i++)
		idle = idle && function->interrupts[i].state == HVK_PCI_INTERRUPT_FREE;
	hvk_unlock(function->bus->hvk, &function->lock);
	return idle;
}

/* New place first, then the hypercall, then the old place is given up: none is lost on the way. */
void hvk_pci_interrupt_retarget(struct hvk_pci_function *function, uint32_t index, uint32_t cpu,
				struct hvk_request *request)
{
	struct hvk_pci_bus *bus = function->bus;
	struct hvk_pci_interrupt *interrupt;
	struct hvk_pci_target *from, *to;
	hvk_status status;

	if (index >= function->interrupt_count || cpu >= hvk_cpu_count(bus->hvk) ||
	    !begin(&function->interrupts[index], HVK_PCI_INTERRUPT_READY, HVK_PCI_INTERRUPT_MOVING)) {
		refuse(function, request, HVK_ESTATE);
		return;
	}
	interrupt = &function->interrupts[index];
	from = &interrupt->targets[interrupt->target];
	to = &interrupt->targets[1 - interrupt->target];
	hvk_request_begin(request);
	interrupt->request = request;
	status = take_target(interrupt, to, cpu);
	if (status == HVK_OK)
		status = hvk_interrupt_retarget(bus->hvk, bus->ops->device_id(bus, function->slot),
						(uint32_t)interrupt->address, interrupt->data, to->vector,
						cpu);
	if (status == HVK_OK) {
		__atomic_fetch_add(&function->counters.retargets, 1, __ATOMIC_RELAXED);
		interrupt->target = 1 - interrupt->target;
		hvk_poller_kick(bus->hvk, &to->poller); /* one may have come in between */
		give_back(interrupt, from, HVK_OK);
	} else if (to->taken) {
		give_back(interrupt, to, status);
	} else {
		interrupt->request = NULL;
		set_state(interrupt, HVK_PCI_INTERRUPT_READY);
		hvk_request_finish(bus->hvk, request, status, bus->cpu);
	}
}

void hvk_pci_interrupt_mask(struct hvk_pci_function *function, uint32_t index, bool masked)
{
	struct hvk_pci_interrupt *interrupt;

	if (index >= function->interrupt_count)
		return;
	interrupt = &function->interrupts[index];
	interrupt->masked = masked;
	if (interrupt->created)
		write_mask(interrupt, masked);
}
