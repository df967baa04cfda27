/* SPDX-License-Identifier: MIT */
#include "guest/vpci/messages.h"

#define STATUS_FAILURE 0x80000000u /* the sign of an NT status */
#define DELIVERY_FIXED 0u
#define MASK_PROCESSORS 64u /* that the mask of 1.1 has */

static void *start(struct hvk_vpci_message *message, uint32_t type, uint32_t length)
{
	memset(message->bytes, 0, sizeof(message->bytes));
	memcpy(message->bytes, &type, sizeof(type));
	message->length = length;
	return message->bytes;
}

void hvk_vpci_build(struct hvk_vpci_message *message, uint32_t type)
{
	(void)start(message, type, sizeof(struct vpci_message));
}

void hvk_vpci_build_version(struct hvk_vpci_message *message, uint32_t version)
{
	struct vpci_version_request *request = start(message, VPCI_QUERY_PROTOCOL_VERSION, sizeof(*request));

	request->version = version;
}

void hvk_vpci_build_slot(struct hvk_vpci_message *message, uint32_t type, uint32_t slot)
{
	struct vpci_slot_message *request = start(message, type, sizeof(*request));

	request->slot = slot;
}

void hvk_vpci_build_d0_entry(struct hvk_vpci_message *message, uint64_t window)
{
	struct vpci_d0_entry *request = start(message, VPCI_BUS_D0_ENTRY, sizeof(*request));

	request->window = window;
}

/* Hosts that look at the resources take those of length 0 for BARs to be cleared, and read them from the
 * configuration space otherwise: BARs are written afterwards (Linux and FreeBSD send zeros too). */
void hvk_vpci_build_assigned(struct hvk_vpci_message *message, uint32_t version, uint32_t slot)
{
	bool old = version < VPCI_VERSION_1_2;
	struct vpci_resources_assigned *request = start(
		message, old ? VPCI_RESOURCES_ASSIGNED : VPCI_RESOURCES_ASSIGNED2,
		old ? VPCI_RESOURCES_ASSIGNED_SIZE : VPCI_RESOURCES_ASSIGNED2_SIZE);

	request->slot = slot;
}

static void create_1_1(struct hvk_vpci_message *message, uint32_t slot, uint8_t vector, uint32_t processor)
{
	struct vpci_create_interrupt_header *header = start(message, VPCI_CREATE_INTERRUPT,
							    sizeof(*header) + sizeof(struct vpci_interrupt));
	const struct vpci_interrupt interrupt = {.vector = vector,
						 .delivery_mode = DELIVERY_FIXED,
						 .count = 1,
						 .processors = processor < MASK_PROCESSORS ? 1ull << processor
											   : 1};

	header->slot = slot;
	memcpy(header + 1, &interrupt, sizeof(interrupt));
}

static void create_1_2(struct hvk_vpci_message *message, uint32_t slot, uint8_t vector, uint32_t processor)
{
	struct vpci_create_interrupt_header *header = start(message, VPCI_CREATE_INTERRUPT2,
							    sizeof(*header) + sizeof(struct vpci_interrupt2));
	const struct vpci_interrupt2 interrupt = {.vector = vector,
						  .delivery_mode = DELIVERY_FIXED,
						  .count = 1,
						  .processor_count = 1,
						  .processors = {(uint16_t)processor}};

	header->slot = slot;
	memcpy(header + 1, &interrupt, sizeof(interrupt));
}

static void create_1_4(struct hvk_vpci_message *message, uint32_t slot, uint8_t vector, uint32_t processor)
{
	struct vpci_create_interrupt_header *header = start(message, VPCI_CREATE_INTERRUPT3,
							    sizeof(*header) + sizeof(struct vpci_interrupt3));
	const struct vpci_interrupt3 interrupt = {.vector = vector,
						  .delivery_mode = DELIVERY_FIXED,
						  .count = 1,
						  .processor_count = 1,
						  .processors = {(uint16_t)processor}};

	header->slot = slot;
	memcpy(header + 1, &interrupt, sizeof(interrupt));
}

hvk_status hvk_vpci_build_create(struct hvk_vpci_message *message, uint32_t version, uint32_t slot,
				 uint8_t vector, uint32_t processor)
{
	if (processor > UINT16_MAX)
		return HVK_ENOTSUP;
	if (version < VPCI_VERSION_1_2)
		create_1_1(message, slot, vector, processor);
	else if (version < VPCI_VERSION_1_4)
		create_1_2(message, slot, vector, processor);
	else
		create_1_4(message, slot, vector, processor);
	return HVK_OK;
}

bool hvk_vpci_create_is_elsewhere(uint32_t version, uint32_t processor)
{
	return version < VPCI_VERSION_1_2 && processor >= MASK_PROCESSORS;
}

void hvk_vpci_build_delete(struct hvk_vpci_message *message, uint32_t slot, uint64_t address, uint32_t data)
{
	struct vpci_delete_interrupt *request = start(message, VPCI_DELETE_INTERRUPT, sizeof(*request));

	request->slot = slot;
	request->interrupt.count = 1;
	request->interrupt.address = address;
	request->interrupt.data = data;
}

void hvk_vpci_build_ejected(struct hvk_vpci_message *message, uint32_t slot)
{
	struct vpci_ejection_complete *request = start(message, VPCI_EJECTION_COMPLETE, sizeof(*request));

	request->slot = slot;
	request->status = VPCI_STATUS_SUCCESS;
}

/* --- From the host -------------------------------------------------------------------------- */

hvk_status hvk_vpci_parse_status(const void *payload, uint32_t length, uint32_t *status)
{
	if (length < sizeof(*status))
		return HVK_EHOST_VPCI;
	memcpy(status, payload, sizeof(*status));
	return HVK_OK;
}

hvk_status hvk_vpci_parse_success(const void *payload, uint32_t length)
{
	uint32_t nt_status = 0;
	hvk_status status = hvk_vpci_parse_status(payload, length, &nt_status);

	if (status == HVK_OK && (nt_status & STATUS_FAILURE))
		status = HVK_EREFUSED_VPCI;
	return status;
}

hvk_status hvk_vpci_parse_requirements(const void *payload, uint32_t length, uint32_t probed[PCI_BARS])
{
	struct vpci_resource_requirements answer;
	hvk_status status = hvk_vpci_parse_success(payload, length);

	if (status != HVK_OK)
		return status;
	if (length < sizeof(answer))
		return HVK_EHOST_VPCI;
	memcpy(&answer, payload, sizeof(answer));
	memcpy(probed, answer.probed_bars, sizeof(answer.probed_bars));
	return HVK_OK;
}

hvk_status hvk_vpci_parse_created(const void *payload, uint32_t length, uint64_t *address, uint32_t *data)
{
	struct vpci_create_interrupt_answer answer;
	hvk_status status = hvk_vpci_parse_success(payload, length);

	if (status != HVK_OK)
		return status;
	if (length < sizeof(answer))
		return HVK_EHOST_VPCI;
	memcpy(&answer, payload, sizeof(answer));
	*address = answer.interrupt.address;
	*data = answer.interrupt.data;
	return HVK_OK;
}

hvk_status hvk_vpci_parse_relations(const void *payload, uint32_t length, struct vpci_function2 *list,
				    uint32_t max, uint32_t *count)
{
	const uint8_t *bytes = payload;
	struct vpci_bus_relations header;
	uint32_t stride, taken;

	if (length < sizeof(header))
		return HVK_EHOST_VPCI;
	memcpy(&header, bytes, sizeof(header));
	stride = header.type == VPCI_BUS_RELATIONS ? sizeof(struct vpci_function)
						   : sizeof(struct vpci_function2);
	if (header.count > (length - sizeof(header)) / stride)
		return HVK_EHOST_VPCI;
	taken = hvk_min32(header.count, max);
	for (uint32_t i = 0; i < taken; i++) {
		list[i] = (struct vpci_function2){0};
		memcpy(&list[i], bytes + sizeof(header) + (size_t)i * stride, stride);
	}
	*count = taken;
	return taken == header.count ? HVK_OK : HVK_ELIMIT;
}

hvk_status hvk_vpci_parse_slot(const void *payload, uint32_t length, uint32_t *slot)
{
	struct vpci_slot_message message;

	if (length < sizeof(message))
		return HVK_EHOST_VPCI;
	memcpy(&message, payload, sizeof(message));
	*slot = message.slot;
	return HVK_OK;
}
