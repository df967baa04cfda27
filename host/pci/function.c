/* SPDX-License-Identifier: MIT */
#include "host/pci/function.h"

#include <stdlib.h>
#include <string.h>

#include "host/core/core.h"

#define CAPABILITY_HEADER 3u /* id, next, length */
#define CAPABILITIES_AT 0x40u

/* Do the capabilities follow each other to the end, and is there room for them? */
static bool capabilities_valid(const struct hvh_pci_model *model)
{
	uint32_t at = 0, place = CAPABILITIES_AT + sizeof(struct pci_msix_capability);

	while (at < model->capabilities_size) {
		uint32_t left = model->capabilities_size - at, length;

		if (left < CAPABILITY_HEADER)
			return false;
		length = model->capabilities[at + 2];
		if (length < CAPABILITY_HEADER || length > left)
			return false;
		at += length;
		place += (length + 3u) & ~3u;
	}
	return place <= PCI_CONFIG_SIZE;
}

bool pci_function_init(struct pci_function *function, struct hvh_partition *partition,
		       const struct hvh_pci_model *model)
{
	memset(function, 0, sizeof *function);
	function->partition = partition;
	function->model = *model;
	if (model->read == NULL || model->write == NULL || model->reset == NULL || !capabilities_valid(model))
		return false;
	if (model->capabilities_size != 0) {
		function->capabilities = malloc(model->capabilities_size);
		if (function->capabilities == NULL)
			return false;
		memcpy(function->capabilities, model->capabilities, model->capabilities_size);
		function->model.capabilities = function->capabilities;
	}
	if (!pci_bars_init(function) || !pci_msix_init(function)) {
		pci_function_free(function);
		return false;
	}
	pci_config_init(function);
	pci_config_reset(function);
	return true;
}

void pci_function_free(struct pci_function *function)
{
	for (unsigned n = 0; n < PCI_BARS; n++)
		if (function->partition != NULL)
			hvh_mmio_unmap(function->partition, &function->bars[n].region);
	free(function->capabilities);
	free(function->entries);
	free(function->pending);
	function->capabilities = NULL;
	function->entries = NULL;
	function->pending = NULL;
}

void pci_function_reset(struct pci_function *function, uint64_t now)
{
	pci_config_reset(function);
	pci_msix_reset(function);
	pci_bars_update(function, now, UINT32_MAX);
	if (function->model.enabled != NULL)
		function->model.enabled(function->model.context, now, false, false);
	function->model.reset(function->model.context, now);
}

void pci_function_power(struct pci_function *function, uint64_t now, bool on)
{
	if (!on)
		pci_function_reset(function, now);
	function->powered = on;
	pci_bars_update(function, now, UINT32_MAX);
}
