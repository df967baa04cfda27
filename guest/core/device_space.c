/* SPDX-License-Identifier: MIT */
/* What devices on vPCI buses have of the machine: room in the MMIO windows, and numbers of PCI domains. */
#include "guest/core/state.h"

#define FOUR_GIB 0x100000000ull
#define TPM_BASE 0xfed40000ull /* of the virtual TPM: inside the low window, and somebody else's */
#define TPM_LENGTH 0x5000ull

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
	return a_length != 0 && b_length != 0 && a < b + b_length && b < a + a_length;
}

/* The first address behind everything that is in the way of that place; 0 if nothing is. Under the lock. */
static uint64_t behind_obstacle(const struct hvk *hvk, uint64_t address, uint64_t size)
{
	const struct hvk_device_space *devices = &hvk->devices;

	if (overlap(address, size, TPM_BASE, TPM_LENGTH))
		return TPM_BASE + TPM_LENGTH;
	for (uint32_t i = 0; i < HVK_MMIO_RANGES; i++) {
		const struct hvk_mmio_range *range = &hvk->config.mmio_reserved[i];

		if (overlap(address, size, range->base, range->length))
			return range->base + range->length;
	}
	for (uint32_t i = 0; i < HVK_MMIO_TAKEN_MAX; i++) {
		const struct hvk_mmio_range *range = &devices->taken[i];

		if (overlap(address, size, range->base, range->length))
			return range->base + range->length;
	}
	return 0;
}

static uint64_t round_up(uint64_t value, uint64_t size)
{
	return (value + size - 1) & ~(size - 1);
}

static bool is_inside(const struct hvk_mmio_range *window, uint64_t address, uint64_t size)
{
	return size <= window->length && address >= window->base &&
	       address - window->base <= window->length - size;
}

/* Each step passes one obstacle for good, so there are no more steps than obstacles. */
static bool find_in(const struct hvk *hvk, const struct hvk_mmio_range *window, uint64_t size,
		    uint64_t *address)
{
	uint64_t at = round_up(window->base, size);

	for (uint32_t i = 0; i <= HVK_MMIO_TAKEN_MAX + HVK_MMIO_RANGES + 1; i++) {
		uint64_t next;

		if (!is_inside(window, at, size))
			return false;
		next = behind_obstacle(hvk, at, size);
		if (next == 0) {
			*address = at;
			return true;
		}
		at = round_up(next, size);
	}
	return false;
}

/* Under the lock. */
static bool note(struct hvk *hvk, uint64_t address, uint64_t size)
{
	for (uint32_t i = 0; i < HVK_MMIO_TAKEN_MAX; i++) {
		if (hvk->devices.taken[i].length == 0) {
			hvk->devices.taken[i] = (struct hvk_mmio_range){address, size};
			return true;
		}
	}
	return false;
}

/* high: the windows above 4 GiB, else those below. */
static bool find(const struct hvk *hvk, bool high, uint64_t size, uint64_t *address)
{
	for (uint32_t i = 0; i < HVK_MMIO_RANGES; i++) {
		struct hvk_mmio_range window = hvk->config.mmio_windows[i];

		if (window.length == 0 || (window.base >= FOUR_GIB) != high)
			continue;
		if (!high && window.length > FOUR_GIB - window.base)
			window.length = FOUR_GIB - window.base;
		if (find_in(hvk, &window, size, address))
			return true;
	}
	return false;
}

hvk_status hvk_mmio_take(struct hvk *hvk, uint64_t size, bool wide, uint64_t *address)
{
	hvk_status status = HVK_ELIMIT;

	if (size < HVK_PAGE_SIZE || (size & (size - 1)) != 0)
		return HVK_EINVAL;
	hvk_lock(hvk, &hvk->devices.lock);
	if (((wide && find(hvk, true, size, address)) || find(hvk, false, size, address)) &&
	    note(hvk, *address, size))
		status = HVK_OK;
	hvk_unlock(hvk, &hvk->devices.lock);
	return status;
}

void hvk_mmio_give_back(struct hvk *hvk, uint64_t address)
{
	hvk_lock(hvk, &hvk->devices.lock);
	for (uint32_t i = 0; i < HVK_MMIO_TAKEN_MAX; i++) {
		struct hvk_mmio_range *range = &hvk->devices.taken[i];

		if (range->length != 0 && range->base == address)
			*range = (struct hvk_mmio_range){0};
	}
	hvk_unlock(hvk, &hvk->devices.lock);
}

bool hvk_mmio_available(const struct hvk *hvk)
{
	return hvk->port.mmio_read && hvk->port.mmio_write;
}

uint64_t hvk_mmio_read(struct hvk *hvk, uint64_t address, unsigned width)
{
	return hvk->port.mmio_read(hvk->port.context, address, width);
}

void hvk_mmio_write(struct hvk *hvk, uint64_t address, unsigned width, uint64_t value)
{
	hvk->port.mmio_write(hvk->port.context, address, width, value);
}

/* --- Domains ------------------------------------------------------------------------------ */

/* 0 is that of a machine's own PCI bus. */
static bool is_taken(const struct hvk_device_space *devices, uint16_t domain)
{
	if (domain == 0)
		return true;
	for (uint32_t i = 0; i < devices->domain_count; i++) {
		if (devices->domains[i] == domain)
			return true;
	}
	return false;
}

/* Of HVK_DOMAINS_MAX + 2 in a row one is free. A bus beyond HVK_DOMAINS_MAX is not noted, so that two of
 * those may have the same. */
uint16_t hvk_domain_take(struct hvk *hvk, uint16_t wanted)
{
	struct hvk_device_space *devices = &hvk->devices;
	uint16_t domain = wanted;

	hvk_lock(hvk, &devices->lock);
	for (uint32_t i = 0; i < HVK_DOMAINS_MAX + 1 && is_taken(devices, domain); i++)
		domain++;
	if (devices->domain_count < HVK_DOMAINS_MAX)
		devices->domains[devices->domain_count++] = domain;
	hvk_unlock(hvk, &devices->lock);
	return domain;
}

void hvk_domain_give_back(struct hvk *hvk, uint16_t domain)
{
	struct hvk_device_space *devices = &hvk->devices;

	hvk_lock(hvk, &devices->lock);
	for (uint32_t i = 0; i < devices->domain_count; i++) {
		if (devices->domains[i] == domain) {
			devices->domains[i] = devices->domains[--devices->domain_count];
			break;
		}
	}
	hvk_unlock(hvk, &devices->lock);
}
