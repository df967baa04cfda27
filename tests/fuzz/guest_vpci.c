/* SPDX-License-Identifier: MIT */
/*
 * A vPCI bus's whole life with a hostile host: answers that are replaced, left out or short, lists and
 * ejections at any moment, configuration space that says what it likes, a driver that does everything
 * meanwhile.
 * Header: {flags, version}; flags: 1 answers come inside the hypercall, 2 two CPUs, 4 the driver holds on.
 */
#include "tests/fuzz/hostile.h"

#include "guest/vmbus/versions.h"
#include "hvkit/vpci.h"

#define ANSWER_TURNS 4000u
#define DEVICE_BYTES 8192u
#define ENTRIES 4u
#define SLOTS 4u

struct pci {
	struct hostile *machine;
	struct hvk_channel *channel;
	struct hvk_vpci *bus;
	struct hvk_pci_function *functions[SLOTS]; /* claimed */
	struct hvk_request attach, detach, suspend, interrupts[SLOTS][ENTRIES];
	uint32_t added, removed, gone;
	bool holds_on, forged;
	/* The host. */
	uint32_t newest, mute; /* a bit per message */
	uint8_t space[DEVICE_BYTES], answer[32];
	uint32_t answer_length, answer_after;
};

/* --- The host --------------------------------------------------------------------------------------- */

/* One configuration space for all slots; what lies at BARs is the same bytes. */
static uint64_t memory(void *context, uint64_t address, unsigned width, const uint64_t *to)
{
	struct pci *pci = ((struct hostile *)context)->user;
	uint8_t *at = pci->space + address % DEVICE_BYTES;
	uint64_t value = 0;

	memcpy(&value, at, width);
	if (to && (address & 0x3fc) == PCI_COMMAND)
		memcpy(at, to, width);
	return value;
}

static uint32_t lawful(struct pci *pci, uint32_t type, const uint8_t *payload, uint8_t *answer)
{
	static const uint32_t probed[] = {0xfffff000, 0, 0xffffc004, 0xffffffff};
	static const uint32_t refused = VPCI_STATUS_REVISION_MISMATCH, address = 0xfee00000;
	uint32_t version;

	memcpy(&version, payload + 4, sizeof(version));
	if (type == VPCI_QUERY_PROTOCOL_VERSION && version > pci->newest)
		memcpy(answer, &refused, sizeof(refused));
	if (type == VPCI_QUERY_RESOURCE_REQUIREMENTS)
		memcpy(answer + 4, probed, sizeof(probed));
	if (type == VPCI_CREATE_INTERRUPT || type == VPCI_CREATE_INTERRUPT2 || type == VPCI_CREATE_INTERRUPT3)
		memcpy(answer + 16, &address, sizeof(address));
	return 28;
}

static void list(struct pci *pci, uint32_t count)
{
	struct {
		struct vpci_bus_relations head;
		struct vpci_function2 functions[SLOTS];
	} message = {.head = {VPCI_BUS_RELATIONS2, count}};

	for (uint32_t i = 0; i < count; i++)
		message.functions[i].function = (struct vpci_function){
			.vendor = 0x1af4, .slot = i, .serial = i + 1};
	hostile_packet(pci->machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, &message,
		       (uint32_t)(sizeof(message.head) + count * sizeof(message.functions[0])));
}

static void answer_packet(struct pci *pci, const struct hostile_packet *packet)
{
	uint8_t payload[8] = {0}, answer[32] = {0};
	uint32_t type, length;

	FUZZ_CHECK(pci->forged || packet->payload_length >= 4);
	if (packet->payload_length < 4)
		return;
	memcpy(payload, packet->bytes + packet->extension_length,
	       packet->payload_length < 8 ? packet->payload_length : 8);
	memcpy(&type, payload, sizeof(type));
	FUZZ_CHECK(pci->forged || (type >= VPCI_BUS_RELATIONS && type <= VPCI_RESET_DEVICE));
	if (pci->mute & 1u << (type & 31u))
		return;
	if (type == VPCI_QUERY_BUS_RELATIONS)
		list(pci, 2);
	if (!(packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED))
		return;
	length = lawful(pci, type, payload, answer);
	if (pci->answer_length != 0 && pci->answer_after-- == 0) {
		memcpy(answer, pci->answer, sizeof(answer));
		length = pci->answer_length;
		pci->answer_length = 0;
	}
	hostile_packet(pci->machine, VMBUS_PACKET_COMPLETION, 0, packet->descriptor.transaction_id, NULL, 0,
		       answer, length);
}

static void step(struct pci *pci)
{
	struct hostile_packet packet;

	for (uint32_t i = 0; i < 32 && hostile_ring_take(pci->machine, &packet); i++)
		answer_packet(pci, &packet);
	hostile_step(pci->machine);
}

static void await(struct pci *pci, struct hvk_request *request)
{
	for (uint32_t i = 0; i < ANSWER_TURNS && request->status == HVK_EINPROGRESS; i++) {
		step(pci);
		(void)hvk_wait(pci->machine->hvk, request, 1);
	}
	FUZZ_CHECK(request->status != HVK_EINPROGRESS);
}

/* --- The driver ------------------------------------------------------------------------------------- */

static uint32_t number_of(const struct pci *pci, const struct hvk_pci_function *function)
{
	uint32_t i = 0;

	while (i < SLOTS && pci->functions[i] != function)
		i++;
	return i;
}

static void let_go(struct pci *pci, uint32_t number)
{
	struct hvk_pci_function *function = pci->functions[number];

	pci->functions[number] = NULL;
	if (function)
		hvk_pci_release(function);
}

static void leaving(void *context, struct hvk_pci_function *function, bool eject)
{
	struct pci *pci = context;
	uint32_t number = number_of(pci, function);

	FUZZ_CHECK(number < SLOTS);
	if (!pci->holds_on || !eject)
		let_go(pci, number);
}

static void fired(void *context, struct hvk_pci_function *function, uint32_t index)
{
	FUZZ_CHECK(number_of(context, function) < SLOTS); /* nobody's interrupt after its release */
	FUZZ_CHECK(index < ENTRIES);
}

static void added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	const struct hvk_pci_info *info = hvk_pci_get_info(function);
	struct pci *pci = context;
	const struct hvk_pci_hooks hooks = {leaving, pci};
	uint32_t free_place = number_of(pci, NULL);

	(void)bus;
	pci->added++;
	FUZZ_CHECK(info->domain != 0 && info->interrupts <= PCI_MSIX_ENTRIES_MAX);
	for (uint32_t i = 0; i < PCI_BARS; i++)
		FUZZ_CHECK(info->bars[i].size == 0 ||
			   (info->bars[i].address != 0 && info->bars[i].address % info->bars[i].size == 0));
	if (free_place < SLOTS && hvk_pci_claim(function, &hooks) == HVK_OK)
		pci->functions[free_place] = function;
}

static void removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	struct pci *pci = context;

	(void)bus;
	pci->removed++;
	FUZZ_CHECK(number_of(pci, function) == SLOTS);
}

static void bus_gone(void *context, struct hvk_vpci *bus)
{
	struct pci *pci = context;

	(void)bus;
	pci->gone++;
	FUZZ_CHECK(pci->added == pci->removed);
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct pci *pci = context;

	(void)again;
	if (!pci->channel)
		pci->channel = channel;
}

static void interrupt_operation(struct pci *pci, struct hvk_pci_function *function, uint8_t what,
				uint32_t cpu)
{
	uint32_t number = number_of(pci, function), entry = what / 8u % ENTRIES;
	struct hvk_request *request = &pci->interrupts[number][entry];

	if (request->status == HVK_EINPROGRESS)
		return;
	if (what % 8u == 0)
		hvk_pci_interrupt_create(function, entry, cpu, fired, pci, request);
	else if (what % 8u == 1)
		hvk_pci_interrupt_retarget(function, entry, cpu, request);
	else if (what % 8u == 2)
		hvk_pci_interrupt_delete(function, entry, request);
	else
		hvk_pci_interrupt_mask(function, entry, what & 4u);
}

/* {what, number, arguments}. */
static void op_driver(struct hostile *machine, struct fuzz_input *arguments)
{
	struct pci *pci = machine->user;
	uint8_t what = fuzz_u8(arguments), number = fuzz_u8(arguments) % SLOTS, more = fuzz_u8(arguments);
	struct hvk_pci_function *function = pci->functions[number];

	if (!function)
		return;
	switch (what % 8u) {
	case 0:
		interrupt_operation(pci, function, more, fuzz_u8(arguments) % machine->cpus);
		break;
	case 1:
		(void)hvk_pci_enable(function, more & 1u, more & 2u);
		break;
	case 2:
		(void)hvk_pci_config_read(function, fuzz_u16(arguments), more % 5u);
		(void)hvk_pci_find_capability(function, more, fuzz_u8(arguments));
		break;
	case 3:
		(void)hvk_pci_config_write(function, fuzz_u16(arguments), more % 5u, fuzz_u32(arguments));
		break;
	case 4:
		(void)hvk_pci_bar_read(function, more & 2u, 8u * (more >> 2), 4);
		break;
	case 5:
		let_go(pci, number);
		break;
	default:
		for (uint8_t vector = 0; vector < HOSTILE_VECTORS; vector++)
			hvk_interrupt_device(machine->hvk, more % machine->cpus,
					     (uint8_t)(HOSTILE_VECTOR + vector));
	}
}

/* --- Operations --------------------------------------------------------------------------------------- */

static void let_all_go(struct pci *pci)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		let_go(pci, i);
}

static void op_life(struct hostile *machine, struct fuzz_input *arguments)
{
	struct pci *pci = machine->user;

	switch (fuzz_u8(arguments) % 6u) {
	case 0:
		if (pci->attach.status != HVK_EINPROGRESS)
			hvk_vpci_attach(pci->bus, &pci->attach);
		break;
	case 1:
		if (pci->attach.status != HVK_EINPROGRESS)
			hvk_vpci_resume(pci->bus, &pci->attach);
		break;
	case 2:
		if (pci->suspend.status != HVK_EINPROGRESS)
			hvk_vpci_suspend(pci->bus, &pci->suspend);
		break;
	case 3:
		let_all_go(pci);
		if (pci->detach.status != HVK_EINPROGRESS)
			hvk_vpci_detach(pci->bus, &pci->detach);
		break;
	case 4:
		hvk_vpci_dump(pci->bus, hostile_line, NULL);
		break;
	default:
		let_all_go(pci);
	}
}

static void op_turn(struct hostile *machine, struct fuzz_input *arguments)
{
	for (uint32_t n = fuzz_u8(arguments) % 64u + 1u; n != 0; n--)
		step(machine->user);
}

/* {after, length, bytes}: the answer then; the rest is zeros. */
static void op_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	struct pci *pci = machine->user;

	pci->answer_after = fuzz_u8(arguments);
	pci->answer_length = fuzz_u8(arguments) % 33u;
	for (uint32_t i = 0; i < sizeof(pci->answer); i++)
		pci->answer[i] = fuzz_u8(arguments);
}

static void op_say(struct hostile *machine, struct fuzz_input *arguments)
{
	hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, arguments->bytes,
		       (uint32_t)arguments->left);
	step(machine->user);
}

static void op_list(struct hostile *machine, struct fuzz_input *arguments)
{
	list(machine->user, fuzz_u8(arguments) % (SLOTS + 1));
}

static void op_eject(struct hostile *machine, struct fuzz_input *arguments)
{
	const struct vpci_slot_message message = {VPCI_EJECT, fuzz_u8(arguments) % SLOTS};

	hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, &message, sizeof(message));
}

/* {offset u16, bytes}: what configuration space and BARs read as. */
static void op_space(struct hostile *machine, struct fuzz_input *arguments)
{
	struct pci *pci = machine->user;
	uint32_t offset = fuzz_u16(arguments) % DEVICE_BYTES;

	for (; arguments->left != 0 && offset < DEVICE_BYTES; offset++)
		pci->space[offset] = fuzz_u8(arguments);
}

static void op_mute(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct pci *)machine->user)->mute = fuzz_u32(arguments);
}

static void op_retarget(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->retarget_status = fuzz_u16(arguments);
}

static void op_packet(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct pci *)machine->user)->forged = true;
	hostile_op_packet(machine, arguments);
}

static void op_ring_word(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct pci *)machine->user)->forged = true;
	hostile_op_ring_word(machine, arguments);
}

static const hostile_operation operations[] = {
	op_turn,
	op_driver,
	op_life,
	op_answer,
	op_list,
	op_eject,
	op_say,
	op_space,
	op_mute,
	op_retarget,
	op_packet,
	op_ring_word,
	hostile_op_message,
	hostile_op_pass_time,
	hostile_op_offer,
};

/* --- A run ---------------------------------------------------------------------------------------------- */

static void fill_space(struct pci *pci)
{
	const struct pci_msix_capability msix = {
		.id = PCI_CAPABILITY_MSIX, .control = ENTRIES - 1, .table = 2};

	pci->space[0x1000 + PCI_STATUS] = PCI_STATUS_CAPABILITIES;
	pci->space[0x1000 + PCI_CAPABILITIES] = 0x40;
	memcpy(pci->space + 0x1040, &msix, sizeof(msix));
}

static void begin(struct pci *pci, struct fuzz_input *input)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;
	const struct hvk_vmbus_config bus = {.offered = offered, .context = pci};
	uint8_t flags = fuzz_u8(input);
	const struct hvk_vpci_config config = {.functions_max = SLOTS,
					       .eject_ms = 50,
					       .added = added,
					       .removed = removed,
					       .gone = bus_gone,
					       .context = pci};

	pci->newest = VPCI_VERSION_1_1 + fuzz_u8(input) % 4u;
	pci->holds_on = (flags & 4u) != 0;
	fill_space(pci);
	pci->machine = hostile_create_with_devices(VMBUS_VERSION_5_3, flags & 2u ? 2 : 1, memory);
	pci->machine->user = pci;
	pci->machine->type = type;
	pci->machine->eager = (flags & 1u) != 0;
	hostile_connect(pci->machine, &bus);
	FUZZ_CHECK(pci->channel != NULL);
	FUZZ_CHECK(hvk_vpci_create(pci->channel, &config, &pci->bus) == HVK_OK);
	hvk_vpci_attach(pci->bus, &pci->attach);
}

static void end(struct pci *pci)
{
	pci->holds_on = false;
	if (pci->detach.status != HVK_EINPROGRESS)
		hvk_vpci_detach(pci->bus, &pci->detach);
	let_all_go(pci);
	for (uint32_t i = 0; i < ANSWER_TURNS && pci->detach.status == HVK_EINPROGRESS; i++) {
		step(pci);
		(void)hvk_wait(pci->machine->hvk, &pci->detach, 1);
		let_all_go(pci);
	}
	await(pci, &pci->detach);
	if (hvk_vpci_destroy(pci->bus) != HVK_OK) { /* an attach was asked for behind it */
		hvk_vpci_detach(pci->bus, &pci->detach);
		let_all_go(pci);
		await(pci, &pci->detach);
		FUZZ_CHECK(hvk_vpci_destroy(pci->bus) == HVK_OK);
	}
	FUZZ_CHECK(pci->added == pci->removed);
	FUZZ_CHECK(pci->attach.status != HVK_EINPROGRESS && pci->suspend.status != HVK_EINPROGRESS);
	for (uint32_t i = 0; i < SLOTS * ENTRIES; i++)
		FUZZ_CHECK(pci->interrupts[i / ENTRIES][i % ENTRIES].status != HVK_EINPROGRESS);
	hostile_destroy(pci->machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct pci *pci = calloc(1, sizeof(*pci));

	FUZZ_CHECK(pci != NULL);
	begin(pci, &input);
	hostile_run(pci->machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	end(pci);
	free(pci);
	return 0;
}
