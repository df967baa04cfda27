/* SPDX-License-Identifier: MIT */
/* The raw guest's vPCI bus: lawful steps, its messages, device memory, interrupts, and a bus that leaves. */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/vpci.h"
#include "hvkit_host/registers.h"

#define SLOT 2u
#define WINDOW (HVH_MMIO_LOW_BASE)
#define REGISTERS (HVH_MMIO_LOW_BASE + 0x10000u)
#define MEMORY (HVH_MMIO_HIGH_BASE)
#define MSIX (HVH_MMIO_HIGH_BASE + 0x10000u)
#define BYTES_MAX 256u
#define VECTOR 0x60u

void raw_create_pci(struct raw_guest *guest)
{
	const struct hvh_vpci_config config = {
		.instance = {1, 2, 3, 4, 5, 6, 7, 8},
		.serial = 7,
		.protocol_newest = VPCI_VERSION_1_4,
		.eject_wait = HVH_TIME_PER_SECOND,
	};
	struct hvh_registers *registers = hvh_registers_create(guest->host, &config);

	FUZZ_CHECK(registers != NULL);
	guest->pci = hvh_registers_bus(registers);
	memset(guest->shown, true, sizeof(guest->shown)); /* it may store anywhere */
}

/* --- Lawful steps --------------------------------------------------------------------------- */

static void send(struct raw_guest *guest, const void *message, uint32_t length)
{
	uint8_t bytes[BYTES_MAX] = {0};

	memcpy(bytes, message, length);
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, bytes, (length + 7u) & ~7u);
	raw_pass(guest, 10 * HVH_TIME_PER_MS);
	raw_drain(guest);
}

static void write_memory(struct raw_guest *guest, uint64_t gpa, unsigned width, uint64_t value)
{
	(void)hvh_mmio_write(guest->host, guest->now, 0, gpa, width, value);
	raw_settle(guest);
}

static void write_config(struct raw_guest *guest, uint32_t offset, unsigned width, uint32_t value)
{
	write_memory(guest, WINDOW + VPCI_WINDOW_CONFIG + offset, width, value);
}

/* The newest version that the profile has, if it has any. */
void raw_pci_negotiate(struct raw_guest *guest)
{
	const struct vpci_version_request version = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
	const struct vpci_message relations = {VPCI_QUERY_BUS_RELATIONS};
	const struct vpci_d0_entry entry = {.type = VPCI_BUS_D0_ENTRY, .window = WINDOW};
	const struct vpci_resources_assigned assigned = {.type = VPCI_RESOURCES_ASSIGNED2, .slot = SLOT};

	send(guest, &version, sizeof(version));
	send(guest, &relations, sizeof(relations));
	send(guest, &entry, sizeof(entry));
	send(guest, &assigned, sizeof(assigned));
	write_memory(guest, WINDOW, 4, SLOT);
	write_config(guest, PCI_BAR0, 4, (uint32_t)REGISTERS);
	write_config(guest, PCI_BAR0 + 8, 4, (uint32_t)MEMORY);
	write_config(guest, PCI_BAR0 + 12, 4, (uint32_t)(MEMORY >> 32));
	write_config(guest, PCI_BAR0 + 16, 4, (uint32_t)MSIX);
	write_config(guest, PCI_BAR0 + 20, 4, (uint32_t)(MSIX >> 32));
	write_config(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	write_config(guest, 0x42, 2, PCI_MSIX_CONTROL_ENABLE | (HVH_REGISTERS_INTERRUPTS - 1));
}

/* --- What the fuzzer can do --------------------------------------------------------------------- */

/* {how, which, bytes}: a message from its type on; of the function's slot. how: 1 another slot, 2 another
 * length, 4 no completion, 8 a type that is none. */
void raw_op_vpci(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t how = fuzz_u8(arguments), which = fuzz_u8(arguments), bytes[BYTES_MAX] = {0};
	struct vpci_slot_message head = {VPCI_MESSAGE_BASE + which % 0x1fu, SLOT};
	uint32_t length = VPCI_RESOURCES_ASSIGNED2_SIZE + 6u, left;

	if (how & 8u)
		head.type = fuzz_u32(arguments);
	if (how & 1u)
		head.slot = fuzz_u32(arguments);
	if (how & 2u)
		length = fuzz_u8(arguments) & ~7u;
	left = (uint32_t)arguments->left;
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), arguments->bytes,
	       left < BYTES_MAX - sizeof(head) ? left : BYTES_MAX - sizeof(head));
	raw_packet(guest, VMBUS_PACKET_IN_BAND, how & 4u ? 0 : VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		   ++guest->transaction, NULL, 0, bytes, length);
}

/* {how, offset u16, value u64}: how: bits 0 and 1 the width, 2 to 4 where, 5 a write, 6 any width. */
void raw_op_mmio(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint64_t places[] = {WINDOW,
					  WINDOW + VPCI_WINDOW_CONFIG,
					  REGISTERS,
					  MEMORY,
					  MSIX,
					  MSIX + 8192u,
					  HVH_MMIO_HIGH_BASE + HVH_MMIO_HIGH_LENGTH - 4096u,
					  0};
	uint8_t how = fuzz_u8(arguments);
	uint64_t gpa = places[how >> 2 & 7u] + fuzz_u16(arguments), value = fuzz_u64(arguments), read;
	unsigned width = how & 0x40u ? fuzz_u8(arguments) % 9u : 1u << (how & 3u);

	if (how & 0x20u) {
		(void)hvh_mmio_write(guest->host, guest->now, 0, gpa, width, value);
	} else {
		(void)hvh_mmio_read(guest->host, guest->now, 0, gpa, width, &read);
		FUZZ_CHECK(width >= sizeof(read) || read >> (8u * width) == 0);
	}
	raw_settle(guest);
}

/* {entry, vector}: makes an interrupt, and puts what the host answers into the table. */
void raw_op_interrupt(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt2 interrupt;
	} create = {{VPCI_CREATE_INTERRUPT2, SLOT}, {.count = 1, .processor_count = 1}};
	uint32_t entry = fuzz_u8(arguments) % HVH_REGISTERS_INTERRUPTS;
	struct vpci_translated_interrupt made;

	create.interrupt.vector = (uint8_t)(VECTOR + fuzz_u8(arguments) % 64u);
	send(guest, &create, sizeof(create));
	memcpy(&made, guest->answer + 8, sizeof(made));
	guest->interrupt_data = made.data;
	guest->interrupt_address = made.address;
	write_memory(guest, MSIX + entry * 16ull, 8, made.address);
	write_memory(guest, MSIX + entry * 16ull + 8, 8, made.data);
	write_memory(guest, REGISTERS + HVH_REGISTERS_RAISE, 4, entry);
}

/* {words, flags, bytes}: retargets the interrupt made last; the bytes replace what is behind its data, as
 * pairs {at, value}. */
void raw_op_retarget(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint32_t words = fuzz_u8(arguments), flags = fuzz_u8(arguments);
	struct {
		struct hv_retarget_input input;
		uint64_t set[4];
	} call = {
		.input =
			{
				.partition = HV_PARTITION_SELF,
				.device_id = 0x06050800u, /* of the instance above */
				.source = HV_INTERRUPT_SOURCE_MSI,
				.address = (uint32_t)guest->interrupt_address,
				.data = guest->interrupt_data,
				.vector = VECTOR,
				.flags = flags % 4u,
				.processors = flags & HV_INTERRUPT_PROCESSOR_SET ? HV_PROCESSOR_SET_SPARSE
										 : 1,
			},
		.set = {1, 2},
	};

	while (arguments->left >= 2) {
		uint8_t at = fuzz_u8(arguments);

		((uint8_t *)&call)[at % sizeof(call)] = fuzz_u8(arguments);
	}
	raw_write(guest, RAW_INPUT * HVK_PAGE_SIZE, &call, sizeof(call));
	(void)raw_hypercall(guest, 0, HV_CALL_RETARGET_DEVICE_INTERRUPT | HV_CALL_VARIABLE_HEADER(words),
			    RAW_INPUT * HVK_PAGE_SIZE);
}

/* {what, number u32} */
void raw_op_bus(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments);
	uint32_t number = fuzz_u32(arguments);

	switch (what % 6u) {
	case 0:
		(void)hvh_vpci_eject(guest->pci, guest->now);
		break;
	case 1:
		(void)hvh_vpci_rescind(guest->pci, guest->now);
		break;
	case 2:
		(void)hvh_vpci_offer(guest->pci, guest->now, number);
		break;
	case 3:
	case 4:
		hvh_vpci_interrupt(guest->pci, guest->now, number);
		break;
	default:
		hvh_silence_set(guest->host, (enum hvh_silence)(number % HVH_SILENCE_COUNT));
		break;
	}
	raw_settle(guest);
}
