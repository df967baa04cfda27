/* SPDX-License-Identifier: MIT */
/* A register block behind vPCI: device memory by exits of all widths, and its interrupt by MSI-X. */
#include "channel.inc"
#include "hvkit/wire/vpci.h"

#define WINDOW 0xf8000000u
#define REGISTERS 0xf8010000u
#define MSIX 0xf8020000u
#define SCRATCH (REGISTERS + 0x08u)
#define RAISE (REGISTERS + 0x10u)
#define DATA_BYTES (sizeof(ring) / 2 - 4096u)

static volatile uint32_t *word_at(uint32_t at)
{
	return (volatile uint32_t *)(ring + at);
}

static void put(uint32_t *at, const void *bytes, uint32_t length)
{
	for (uint32_t n = 0; n < length; n++)
		ring[4096 + (*at + n) % DATA_BYTES] = ((const uint8_t *)bytes)[n];
	*at = (*at + length) % (uint32_t)DATA_BYTES;
}

/* Padded to whole words. */
static void send(const void *message, uint32_t length)
{
	uint32_t padded = (length + 7) & ~7u, before = *word_at(VMBUS_RING_WRITE_INDEX), at = before;
	struct vmbus_packet_descriptor descriptor = {
		.type = VMBUS_PACKET_IN_BAND,
		.header_length8 = 2,
		.length8 = (uint16_t)(2 + padded / 8),
		.flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		.transaction_id = 1,
	};
	struct vmbus_packet_trailer trailer = {0, before};
	const uint64_t zero = 0;

	put(&at, &descriptor, sizeof(descriptor));
	put(&at, message, length);
	put(&at, &zero, padded - length);
	put(&at, &trailer, sizeof(trailer));
	__asm__ volatile("mfence" : : : "memory");
	*word_at(VMBUS_RING_WRITE_INDEX) = at;
	__asm__ volatile("mfence" : : : "memory");
	if (*word_at(VMBUS_RING_INTERRUPT_MASK) == 0 && *word_at(VMBUS_RING_READ_INDEX) == before)
		signal_channel();
}

/* Takes packets until a completion comes, which is copied from its status on. */
static uint32_t await_completion(void *payload, uint32_t length)
{
	uint32_t half = sizeof(ring) / 2, read = *word_at(half + VMBUS_RING_READ_INDEX);
	struct vmbus_packet_descriptor descriptor;
	uint32_t status;

	do {
		while (*word_at(half + VMBUS_RING_WRITE_INDEX) == read)
			__asm__ volatile("pause" : : : "memory");
		for (uint32_t n = 0; n < sizeof(descriptor); n++)
			((uint8_t *)&descriptor)[n] = ring[half + 4096 + (read + n) % DATA_BYTES];
		for (uint32_t n = 0; n < length; n++)
			((uint8_t *)payload)[n] = ring[half + 4096 + (read + 16 + n) % DATA_BYTES];
		read = (read + descriptor.length8 * 8u + 8) % (uint32_t)DATA_BYTES;
		*word_at(half + VMBUS_RING_READ_INDEX) = read;
	} while (descriptor.type != VMBUS_PACKET_COMPLETION);
	memcpy(&status, payload, sizeof(status));
	return status;
}

static uint32_t ask(const void *message, uint32_t length)
{
	uint8_t answer[8];

	send(message, length);
	return await_completion(answer, sizeof(answer));
}

static void config_write(uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(uint64_t)(WINDOW + VPCI_WINDOW_CONFIG + offset) = value;
}

static uint32_t config_read(uint32_t offset)
{
	return *(volatile uint32_t *)(uint64_t)(WINDOW + VPCI_WINDOW_CONFIG + offset);
}

/* 0, or which step failed. */
static int set_up(uint32_t slot)
{
	const struct vpci_version_request version = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
	const struct vpci_d0_entry entry = {VPCI_BUS_D0_ENTRY, 0, WINDOW};
	struct {
		struct vpci_slot_message head;
		uint8_t zeros[VPCI_RESOURCES_ASSIGNED2_SIZE - sizeof(struct vpci_slot_message)];
	} assigned = {.head = {VPCI_RESOURCES_ASSIGNED2, slot}};

	if (ask(&version, sizeof(version)) != 0)
		return 10;
	if (ask(&entry, sizeof(entry)) != 0)
		return 11;
	if (ask(&assigned, sizeof(assigned)) != 0)
		return 12;
	*(volatile uint32_t *)(uint64_t)WINDOW = slot;
	config_write(PCI_BAR0, REGISTERS);
	config_write(PCI_BAR0 + 16, MSIX);
	config_write(PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return config_read(PCI_VENDOR) == 0x10f01af4u ? 0 : 13;
}

static int all_widths_work(void)
{
	*(volatile uint64_t *)(uint64_t)SCRATCH = 0x1122334455667788ull;
	*(volatile uint8_t *)(uint64_t)(SCRATCH + 1) = 0xaa;
	*(volatile uint16_t *)(uint64_t)(SCRATCH + 2) = 0xbbbb;
	return *(volatile uint64_t *)(uint64_t)SCRATCH == 0x11223344bbbbaa88ull &&
	       *(volatile uint32_t *)(uint64_t)SCRATCH == 0xbbbbaa88u &&
	       *(volatile uint16_t *)(uint64_t)(SCRATCH + 6) == 0x1122 &&
	       *(volatile uint8_t *)(uint64_t)(SCRATCH + 5) == 0x33;
}

static int interrupts(uint32_t slot)
{
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt3 interrupt;
	} create = {{VPCI_CREATE_INTERRUPT3, slot},
		    {.vector = GUEST_VECTOR, .count = 1, .processor_count = 1}};
	struct vpci_create_interrupt_answer answer;
	volatile uint32_t *entry = (volatile uint32_t *)(uint64_t)MSIX;
	uint32_t before;

	send(&create, sizeof(create));
	if (await_completion(&answer, sizeof(answer)) != 0)
		return 0;
	config_write(0x40, PCI_MSIX_CONTROL_ENABLE << 16 | config_read(0x40));
	entry[0] = (uint32_t)answer.interrupt.address;
	entry[1] = (uint32_t)(answer.interrupt.address >> 32);
	entry[2] = answer.interrupt.data;
	entry[3] = 0;
	before = guest_interrupts;
	*(volatile uint32_t *)(uint64_t)RAISE = 0;
	await_interrupts(before + 1);
	return 1;
}

int guest_main(const void *zero_page)
{
	int failed = open_first_channel();

	(void)zero_page;
	if (failed)
		return failed;
	*word_at(sizeof(ring) / 2 +
		 VMBUS_RING_INTERRUPT_MASK) = 1; /* polled: no interrupt but the device's */
	await_interrupts(1);
	failed = set_up(2);
	if (failed)
		return failed;
	if (!all_widths_work())
		return 14;
	if (*(volatile uint32_t *)0xf8100000u != UINT32_MAX) /* nothing is there */
		return 15;
	return interrupts(2) && !guest_faults ? 0 : 16;
}
