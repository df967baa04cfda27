/* SPDX-License-Identifier: MIT */
/* A function: who drives it, what it is, its BARs' memory. */
#include "guest/pci/pci.h"

static void read_msix(struct hvk_pci_function *function)
{
	uint32_t at = hvk_pci_find_capability(function, PCI_CAPABILITY_MSIX, 0), table, size;

	if (at == 0 || at > PCI_CONFIG_SIZE - sizeof(struct pci_msix_capability))
		return;
	size = (hvk_pci_config_read(function, at + 2, 2) & PCI_MSIX_CONTROL_SIZE) + 1u;
	table = hvk_pci_config_read(function, at + 4, 4);
	function->msix_at = at;
	function->msix_bar = (uint8_t)(table & PCI_MSIX_BAR_MASK);
	function->msix_table = table & ~PCI_MSIX_BAR_MASK;
	function->info.interrupts = (uint16_t)size;
}

static hvk_status init_interrupts(struct hvk_pci_function *function)
{
	uint32_t count = hvk_min32(function->info.interrupts, HVK_PCI_INTERRUPTS_MAX);
	size_t bytes = count * sizeof(function->interrupts[0]);
	hvk_status status;

	if (count == 0)
		return HVK_OK;
	status = hvk_pages_get(function->bus->hvk, (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE),
			       HVK_PAGE_PRIVATE, &function->interrupt_pages);
	if (status != HVK_OK)
		return status;
	function->interrupts = function->interrupt_pages.address; /* zeros */
	function->interrupt_count = count;
	for (uint32_t i = 0; i < count; i++) {
		function->interrupts[i].function = function;
		function->interrupts[i].index = i;
	}
	return HVK_OK;
}

/* A table that lies outside its BAR is none. */
static bool table_fits(const struct hvk_pci_function *function)
{
	const struct hvk_pci_bar *bar;
	uint64_t bytes = (uint64_t)function->info.interrupts * sizeof(struct pci_msix_entry);

	if (function->msix_bar >= PCI_BARS)
		return false;
	bar = &function->info.bars[function->msix_bar];
	return bytes <= bar->size && function->msix_table <= bar->size - bytes;
}

hvk_status hvk_pci_function_init(struct hvk_pci_function *function)
{
	read_msix(function);
	if (function->msix_at != 0 && !table_fits(function)) {
		function->msix_at = 0;
		function->info.interrupts = 0;
		(void)hvk_fault(function->bus->hvk, HVK_EHOST_VPCI, "pci: MSI-X table outside its BAR");
	}
	return init_interrupts(function);
}

void hvk_pci_function_end(struct hvk_pci_function *function)
{
	hvk_pci_bars_give_back(function);
	hvk_pages_put(function->bus->hvk, &function->interrupt_pages);
	function->interrupts = NULL;
	function->interrupt_count = 0;
}

/* --- Claims -------------------------------------------------------------------------------- */

hvk_status hvk_pci_claim(struct hvk_pci_function *function, const struct hvk_pci_hooks *hooks)
{
	hvk_status status = HVK_OK;

	hvk_lock(function->bus->hvk, &function->lock);
	if (function->leaving || hvk_pci_is_gone(function)) {
		status = HVK_EGONE;
	} else if (function->claimed || !hvk_pci_interrupts_idle(function)) { /* the last driver's */
		status = HVK_EBUSY;
	} else {
		function->claimed = true;
		function->hooks = *hooks;
	}
	hvk_unlock(function->bus->hvk, &function->lock);
	return status;
}

/* Another CPU may be on its way to the driver with hooks that it has taken before: whoever lets go destroys
 * what they lead to. The driver itself may let go from inside. */
static void await_teller(const struct hvk_pci_function *function)
{
	struct hvk *hvk = function->bus->hvk;
	uint32_t own = hvk_cpu_index(hvk) + 1, teller;

	while ((teller = __atomic_load_n(&function->teller, __ATOMIC_SEQ_CST)) != 0 && teller != own)
		hvk_pause(hvk);
}

/* The bus may forget the function, and itself be forgotten, as soon as this is over: not before. */
void hvk_pci_release(struct hvk_pci_function *function)
{
	struct hvk_pci_bus *bus = function->bus;
	struct hvk *hvk = bus->hvk;

	__atomic_fetch_add(&bus->visitors, 1, __ATOMIC_SEQ_CST);
	hvk_pci_interrupts_delete(function);
	(void)hvk_pci_enable(function, false, false);
	hvk_lock(hvk, &function->lock);
	function->hooks = (struct hvk_pci_hooks){0};
	hvk_unlock(hvk, &function->lock);
	await_teller(function);
	hvk_lock(hvk, &function->lock);
	function->claimed = false;
	function->released = function->leaving;
	hvk_unlock(hvk, &function->lock);
	bus->ops->changed(bus);
	__atomic_fetch_sub(&bus->visitors, 1, __ATOMIC_SEQ_CST);
}

/* One lock for who has it and whether it leaves: either a claim finds that it leaves, or this finds the
 * claim. */
void hvk_pci_function_leave(struct hvk_pci_function *function, bool eject)
{
	struct hvk *hvk = function->bus->hvk;

	hvk_lock(hvk, &function->lock);
	function->leaving = true;
	if (!eject)
		__atomic_store_n(&function->gone, true, __ATOMIC_SEQ_CST);
	if (!function->claimed)
		function->released = true;
	hvk_unlock(hvk, &function->lock);
}

bool hvk_pci_function_is_left(struct hvk_pci_function *function)
{
	bool left;

	hvk_lock(function->bus->hvk, &function->lock);
	left = function->released && hvk_pci_interrupts_idle(function);
	hvk_unlock(function->bus->hvk, &function->lock);
	return left;
}

void hvk_pci_function_tell(struct hvk_pci_function *function, bool eject)
{
	struct hvk *hvk = function->bus->hvk;
	struct hvk_pci_hooks hooks;

	hvk_lock(hvk, &function->lock);
	hooks = function->hooks;
	if (hooks.leaving)
		__atomic_store_n(&function->teller, hvk_cpu_index(hvk) + 1, __ATOMIC_SEQ_CST);
	hvk_unlock(hvk, &function->lock);
	if (hooks.leaving)
		hooks.leaving(hooks.context, function, eject);
	__atomic_store_n(&function->teller, 0, __ATOMIC_SEQ_CST);
}

/* --- Sleep ---------------------------------------------------------------------------------- */

void hvk_pci_function_wake(struct hvk_pci_function *function)
{
	struct hvk_pci_bus *bus = function->bus;

	hvk_pci_bars_write(function);
	hvk_lock(bus->hvk, &function->lock);
	if (function->command != 0)
		bus->ops->write(bus, function->slot, PCI_COMMAND, 2, function->command);
	__atomic_store_n(&function->asleep, false, __ATOMIC_SEQ_CST);
	hvk_unlock(bus->hvk, &function->lock);
}

/* --- What it is ------------------------------------------------------------------------------- */

const struct hvk_pci_info *hvk_pci_get_info(const struct hvk_pci_function *function)
{
	return &function->info;
}

struct hvk *hvk_pci_instance(struct hvk_pci_function *function)
{
	return function->bus->hvk;
}

void hvk_pci_get_counters(const struct hvk_pci_function *function, struct hvk_pci_counters *out)
{
	const uint64_t *from = (const uint64_t *)&function->counters;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* --- BARs' memory ------------------------------------------------------------------------------ */

static bool is_access(const struct hvk_pci_function *function, unsigned bar, uint64_t offset, unsigned width)
{
	uint64_t size = bar < PCI_BARS ? function->info.bars[bar].size : 0;

	return (width == 1 || width == 2 || width == 4 || width == 8) && offset % width == 0 &&
	       size >= width && offset <= size - width;
}

static uint64_t ones(unsigned width)
{
	return width >= 8 ? UINT64_MAX : (1ull << (8 * width)) - 1;
}

uint64_t hvk_pci_bar_read(struct hvk_pci_function *function, unsigned bar, uint64_t offset, unsigned width)
{
	HVK_ASSERT(is_access(function, bar, offset, width));
	if (!is_access(function, bar, offset, width) || hvk_pci_is_off(function))
		return ones(width);
	return hvk_mmio_read(function->bus->hvk, function->info.bars[bar].address + offset, width);
}

void hvk_pci_bar_write(struct hvk_pci_function *function, unsigned bar, uint64_t offset, unsigned width,
		       uint64_t value)
{
	HVK_ASSERT(is_access(function, bar, offset, width));
	if (is_access(function, bar, offset, width) && !hvk_pci_is_off(function))
		hvk_mmio_write(function->bus->hvk, function->info.bars[bar].address + offset, width, value);
}
