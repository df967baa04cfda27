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

/* --- The table -------------------------------------------------------------------------------
 * Under the function's lock: mask, entry and command word have several writers. */

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

/* The table is behind a BAR: where the driver has it not on, memory decoding is on for the time. */
static void open_table(struct hvk_pci_function *function)
{
	if (!(function->command & PCI_COMMAND_MEMORY))
		function->bus->ops->write(function->bus, function->slot, PCI_COMMAND, 2,
					  function->command | PCI_COMMAND_MEMORY);
}

static void close_table(struct hvk_pci_function *function)
{
	if (!(function->command & PCI_COMMAND_MEMORY))
		function->bus->ops->write(function->bus, function->slot, PCI_COMMAND, 2, function->command);
}

static void put_into_table(const struct hvk_pci_interrupt *interrupt)
{
	if (hvk_pci_is_off(interrupt->function))
		return;
	open_table(interrupt->function);
	write_entry(interrupt);
	enable(interrupt->function);
	close_table(interrupt->function);
}

static void mask(const struct hvk_pci_interrupt *interrupt, bool masked)
{
	if (hvk_pci_is_off(interrupt->function))
		return;
	open_table(interrupt->function);
	write_mask(interrupt, masked);
	close_table(interrupt->function);
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

static void start_delete(struct hvk_pci_interrupt *interrupt, struct hvk_request *request)
{
	struct hvk_pci_bus *bus = interrupt->function->bus;

	interrupt->request = request;
	hvk_lock(bus->hvk, &interrupt->function->lock);
	mask(interrupt, true);
	hvk_unlock(bus->hvk, &interrupt->function->lock);
	bus->ops->interrupt(bus, interrupt);
}

/* What was done to it is done; unless nobody wants it any more it is ready. False: it is being deleted. */
static bool become_ready(struct hvk_pci_interrupt *interrupt, bool to_table)
{
	struct hvk *hvk = interrupt->function->bus->hvk;
	bool unwanted;

	hvk_lock(hvk, &interrupt->function->lock);
	unwanted = interrupt->unwanted;
	if (!unwanted && to_table)
		put_into_table(interrupt);
	interrupt->unwanted = false;
	interrupt->state = unwanted ? HVK_PCI_INTERRUPT_DELETING : HVK_PCI_INTERRUPT_READY;
	hvk_unlock(hvk, &interrupt->function->lock);
	if (unwanted)
		start_delete(interrupt, NULL);
	return !unwanted;
}

static void become_free(struct hvk_pci_interrupt *interrupt)
{
	struct hvk *hvk = interrupt->function->bus->hvk;

	hvk_lock(hvk, &interrupt->function->lock);
	interrupt->unwanted = false;
	interrupt->state = HVK_PCI_INTERRUPT_FREE;
	hvk_unlock(hvk, &interrupt->function->lock);
}

/* The poller that leaves is the last thing to wait for. */
static void removed(struct hvk_request *request, void *context)
{
	struct hvk_pci_interrupt *interrupt = context;
	struct hvk_request *done = interrupt->request;
	struct hvk_pci_bus *bus = interrupt->function->bus;
	hvk_status result = interrupt->result;

	(void)request;
	interrupt->request = NULL;
	if (interrupt->state == HVK_PCI_INTERRUPT_MOVING)
		(void)become_ready(interrupt, false);
	else
		become_free(interrupt);
	hvk_request_finish(bus->hvk, done, result, bus->cpu);
	bus->ops->changed(bus);
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
		become_free(interrupt);
		hvk_request_finish(function->bus->hvk, request, status, function->bus->cpu);
		function->bus->ops->changed(function->bus);
	}
}

/* The first time, or after a sleep. */
static void take_creation(struct hvk_pci_interrupt *interrupt, hvk_status status, uint64_t address,
			  uint32_t data)
{
	struct hvk_pci_bus *bus = interrupt->function->bus;
	struct hvk_request *request = interrupt->request;

	if (status != HVK_OK && interrupt->state == HVK_PCI_INTERRUPT_CREATING) {
		give_back(interrupt, &interrupt->targets[0], status);
		return;
	}
	interrupt->address = address;
	interrupt->data = data;
	interrupt->created = status == HVK_OK;
	interrupt->request = NULL;
	if (!become_ready(interrupt, interrupt->created))
		status = HVK_ECANCELED;
	hvk_request_finish(bus->hvk, request, status, bus->cpu);
}

void hvk_pci_interrupt_asked(struct hvk_pci_interrupt *interrupt, hvk_status status, uint64_t address,
			     uint32_t data)
{
	if (interrupt->state != HVK_PCI_INTERRUPT_DELETING) {
		take_creation(interrupt, status, address, data);
		return;
	}
	interrupt->created = false;
	/* What the host says of a deletion changes nothing: the vector is masked, and ours again. */
	give_back(interrupt, &interrupt->targets[interrupt->target], status == HVK_EGONE ? HVK_OK : status);
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
	struct hvk *hvk = function->bus->hvk;

	for (uint32_t i = 0; i < function->interrupt_count; i++) {
		struct hvk_pci_interrupt *interrupt = &function->interrupts[i];
		bool ready;

		hvk_lock(hvk, &function->lock);
		ready = interrupt->state == HVK_PCI_INTERRUPT_READY;
		if (ready)
			interrupt->state = HVK_PCI_INTERRUPT_DELETING;
		else
			interrupt->unwanted = interrupt->state != HVK_PCI_INTERRUPT_FREE &&
					      interrupt->state != HVK_PCI_INTERRUPT_DELETING;
		hvk_unlock(hvk, &function->lock);
		if (ready)
			start_delete(interrupt, NULL);
	}
}

bool hvk_pci_interrupts_idle(const struct hvk_pci_function *function)
{
	bool idle = true;

	for (uint32_t i = 0; i < function->interrupt_count; i++)
		idle = idle && function->interrupts[i].state == HVK_PCI_INTERRUPT_FREE;
	return idle;
}

/* What the host has forgotten it is told anew when it wakes up. */
static hvk_status tell_host(const struct hvk_pci_interrupt *interrupt, const struct hvk_pci_target *to)
{
	struct hvk_pci_function *function = interrupt->function;
	struct hvk_pci_bus *bus = function->bus;
	hvk_status status;

	if (!interrupt->created)
		return HVK_OK;
	status = hvk_interrupt_retarget(bus->hvk, bus->ops->device_id(bus, function->slot),
					(uint32_t)interrupt->address, interrupt->data, to->vector,
					to->poller.cpu);
	return status != HVK_OK && hvk_pci_is_gone(function) ? HVK_EGONE : status;
}

/* New place first, then the hypercall, then the old place is given up: none is lost on the way. */
static void move(struct hvk_pci_interrupt *interrupt, uint32_t cpu, struct hvk_request *request)
{
	struct hvk_pci_function *function = interrupt->function;
	struct hvk_pci_target *from = &interrupt->targets[interrupt->target];
	struct hvk_pci_target *to = &interrupt->targets[1 - interrupt->target];
	struct hvk *hvk = function->bus->hvk;
	hvk_status status = take_target(interrupt, to, cpu);

	interrupt->request = request;
	if (status == HVK_OK)
		status = tell_host(interrupt, to);
	if (status == HVK_OK) {
		__atomic_fetch_add(&function->counters.retargets, 1, __ATOMIC_RELAXED);
		interrupt->target = 1 - interrupt->target;
		hvk_poller_kick(hvk, &to->poller); /* one may have come in between */
		give_back(interrupt, from, HVK_OK);
	} else if (to->taken) {
		give_back(interrupt, to, status);
	} else {
		interrupt->request = NULL;
		(void)become_ready(interrupt, false);
		hvk_request_finish(hvk, request, status, function->bus->cpu);
		function->bus->ops->changed(function->bus);
	}
}

void hvk_pci_interrupt_retarget(struct hvk_pci_function *function, uint32_t index, uint32_t cpu,
				struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	if (index >= function->interrupt_count || cpu >= hvk_cpu_count(function->bus->hvk))
		status = HVK_EINVAL;
	else if (hvk_pci_is_gone(function))
		status = HVK_EGONE;
	else if (!begin(&function->interrupts[index], HVK_PCI_INTERRUPT_READY, HVK_PCI_INTERRUPT_MOVING))
		status = HVK_ESTATE;
	if (status != HVK_OK) {
		refuse(function, request, status);
		return;
	}
	hvk_request_begin(request);
	move(&function->interrupts[index], cpu, request);
}

void hvk_pci_interrupt_mask(struct hvk_pci_function *function, uint32_t index, bool masked)
{
	struct hvk *hvk = function->bus->hvk;
	struct hvk_pci_interrupt *interrupt;

	if (index >= function->interrupt_count)
		return;
	interrupt = &function->interrupts[index];
	hvk_lock(hvk, &function->lock);
	interrupt->masked = masked;
	if (interrupt->state == HVK_PCI_INTERRUPT_READY || interrupt->state == HVK_PCI_INTERRUPT_MOVING)
		mask(interrupt, masked);
	hvk_unlock(hvk, &function->lock);
}

/* --- Sleep ------------------------------------------------------------------------------------------ */

bool hvk_pci_function_sleep(struct hvk_pci_function *function)
{
	struct hvk *hvk = function->bus->hvk;
	bool rests = true;

	hvk_lock(hvk, &function->lock);
	for (uint32_t i = 0; i < function->interrupt_count && !function->asleep; i++)
		rests = rests && (function->interrupts[i].state == HVK_PCI_INTERRUPT_FREE ||
				  function->interrupts[i].state == HVK_PCI_INTERRUPT_READY);
	for (uint32_t i = 0; i < function->interrupt_count && rests; i++)
		function->interrupts[i].created = false;
	if (rests)
		__atomic_store_n(&function->asleep, true, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &function->lock);
	return rests;
}

struct hvk_pci_interrupt *hvk_pci_interrupt_renew(struct hvk_pci_function *function, bool *later)
{
	struct hvk_pci_interrupt *found = NULL;
	struct hvk *hvk = function->bus->hvk;

	*later = false;
	hvk_lock(hvk, &function->lock);
	for (uint32_t i = 0; i < function->interrupt_count && !found; i++) {
		struct hvk_pci_interrupt *interrupt = &function->interrupts[i];

		if (interrupt->state == HVK_PCI_INTERRUPT_MOVING && !interrupt->created)
			*later = true;
		if (interrupt->state == HVK_PCI_INTERRUPT_READY && !interrupt->created)
			found = interrupt;
	}
	if (found)
		found->state = HVK_PCI_INTERRUPT_RENEWING;
	hvk_unlock(hvk, &function->lock);
	return found;
}
