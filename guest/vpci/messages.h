/* SPDX-License-Identifier: MIT */
/*
 * vPCI codec: builds requests, parses what the host says into checked private values. Pure functions. Private
 * to guest/vpci.
 */
#ifndef HVK_VPCI_MESSAGES_H
#define HVK_VPCI_MESSAGES_H

#include "guest/core/core.h"
#include "hvkit/wire/vpci.h"

#define HVK_VPCI_MESSAGE_MAX 208u /* padding is zero */

struct hvk_vpci_message {
	uint32_t length;
	_Alignas(8) uint8_t bytes[HVK_VPCI_MESSAGE_MAX];
};

void hvk_vpci_build(struct hvk_vpci_message *message, uint32_t type);
void hvk_vpci_build_version(struct hvk_vpci_message *message, uint32_t version);
void hvk_vpci_build_slot(struct hvk_vpci_message *message, uint32_t type, uint32_t slot);
void hvk_vpci_build_d0_entry(struct hvk_vpci_message *message, uint64_t window);
/* By version, with room for what hosts may look for behind it: zeros. */
void hvk_vpci_build_assigned(struct hvk_vpci_message *message, uint32_t version, uint32_t slot);
/* HVK_ENOTSUP: that processor cannot be named at all. */
hvk_status hvk_vpci_build_create(struct hvk_vpci_message *message, uint32_t version, uint32_t slot,
				 uint8_t vector, uint32_t processor);
/* That version cannot name the processor: the interrupt is made for processor 0, and to be moved. */
bool hvk_vpci_create_is_elsewhere(uint32_t version, uint32_t processor);
void hvk_vpci_build_delete(struct hvk_vpci_message *message, uint32_t slot, uint64_t address, uint32_t data);
void hvk_vpci_build_ejected(struct hvk_vpci_message *message, uint32_t slot);

/* An answer's NT status; HVK_EHOST_VPCI: too short. */
hvk_status hvk_vpci_parse_status(const void *payload, uint32_t length, uint32_t *status);
/* HVK_EREFUSED_VPCI: the host failed it. */
hvk_status hvk_vpci_parse_success(const void *payload, uint32_t length);
hvk_status hvk_vpci_parse_requirements(const void *payload, uint32_t length, uint32_t probed[PCI_BARS]);
hvk_status hvk_vpci_parse_created(const void *payload, uint32_t length, uint64_t *address, uint32_t *data);
/* A list of functions, either format, each at its own stride; at most max are taken, *count says how many.
 * HVK_EHOST_VPCI: it is shorter than it says; HVK_ELIMIT: there are more (those that fit are taken). */
hvk_status hvk_vpci_parse_relations(const void *payload, uint32_t length, struct vpci_function2 *list,
				    uint32_t max, uint32_t *count);
hvk_status hvk_vpci_parse_slot(const void *payload, uint32_t length, uint32_t *slot);

#endif
