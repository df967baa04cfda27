/* SPDX-License-Identifier: MIT */
/*
 * The small guest of host_guest.h with a register block behind a vPCI bus, and vPCI packets by hand. The
 * window into configuration space is at WINDOW, BARs are put where a test says.
 */
#ifndef HOST_VPCI_GUEST_H
#define HOST_VPCI_GUEST_H

#include "host_packets.h"
#include "hvkit/wire/vpci.h"
#include "hvkit_host/quirk.h"
#include "hvkit_host/registers.h"

#define WINDOW 0xf8000000ull
#define REGISTER_BAR 0xf8010000ull /* BAR 0 */
#define MEMORY_BAR 0xfe0000000ull  /* BAR 2 */
#define MSIX_BAR 0xfe0010000ull    /* BAR 4 */
#define SLOT 2u
#define CONFIG_SERIAL 0x12345678u
#define DEVICE_VECTOR 0x60u

/* Sends it and takes its completion; what else comes before is left out, and counted. Returns the status. */
static inline uint32_t ask_counting(struct guest *guest, const void *message, uint32_t length,
				    struct answer *answer, unsigned *others)
{
	uint64_t id = 0x1000u + *(const uint32_t *)message % 0x100u;

	send_message(guest, message, length, true, id);
	for (*others = 0; receive(guest, answer); (*others)++) {
		if (answer->descriptor.type == VMBUS_PACKET_COMPLETION) {
			assert_int_equal(answer->descriptor.transaction_id, id);
			return word_of(answer, 0);
		}
	}
	fail_msg("no completion of message %#x", *(const uint32_t *)message);
	return 0;
}

static inline uint32_t ask(struct guest *guest, const void *message, uint32_t length, struct answer *answer)
{
	unsigned others;

	return ask_counting(guest, message, length, answer, &others);
}

static inline uint32_t ask_slot(struct guest *guest, uint32_t type, struct answer *answer)
{
	struct vpci_slot_message message = {type, SLOT};

	return ask(guest, &message, sizeof message, answer);
}

/* --- Device memory ------------------------------------------------------------------------------- */

static inline uint64_t mmio_read(struct guest *guest, uint64_t gpa, unsigned width)
{
	uint64_t value = 0;

	(void)hvh_mmio_read(guest->host, guest->now, 0, gpa, width, &value);
	return value;
}

static inline void mmio_write(struct guest *guest, uint64_t gpa, unsigned width, uint64_t value)
{
	(void)hvh_mmio_write(guest->host, guest->now, 0, gpa, width, value);
	settle(guest);
}

static inline uint32_t config_read(struct guest *guest, uint32_t offset, unsigned width)
{
	return (uint32_t)mmio_read(guest, WINDOW + VPCI_WINDOW_CONFIG + offset, width);
}

static inline void config_write(struct guest *guest, uint32_t offset, unsigned width, uint32_t value)
{
	mmio_write(guest, WINDOW + VPCI_WINDOW_CONFIG + offset, width, value);
}

/* --- Life ---------------------------------------------------------------------------------------- */

static inline struct hvh_vpci *bus_offered(struct guest *guest, const struct hvh_vpci_config *config)
{
	static const struct hvh_vpci_config plain = {.serial = CONFIG_SERIAL};
	struct hvh_registers *registers = hvh_registers_create(guest->host, config != NULL ? config : &plain);

	assert_non_null(registers);
	guest_start(guest);
	connect_at(guest, guest->profile.accept_newest);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	return hvh_registers_bus(registers);
}

static inline struct hvh_vpci *bus_opened(struct guest *guest, const struct hvh_vpci_config *config)
{
	struct hvh_vpci *bus = bus_offered(guest, config);

	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_message(guest, 0, golden_all_offers_delivered);
	open_channel(guest, 1);
	return bus;
}

static inline uint32_t ask_version(struct guest *guest, uint32_t version, struct answer *answer)
{
	struct vpci_version_request request = {VPCI_QUERY_PROTOCOL_VERSION, version};

	return ask(guest, &request, sizeof request, answer);
}

static inline uint32_t enter_d0(struct guest *guest, uint64_t window, struct answer *answer)
{
	struct vpci_d0_entry entry = {.type = VPCI_BUS_D0_ENTRY, .window = window};

	return ask(guest, &entry, sizeof entry, answer);
}

static inline void drain(struct guest *guest)
{
	struct answer answer;

	pass(guest, 10 * MS);
	while (receive(guest, &answer))
		assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
}

/* Up to D0, the slot chosen. */
static inline struct hvh_vpci *bus_in_d0(struct guest *guest, uint32_t version)
{
	struct hvh_vpci *bus = bus_opened(guest, NULL);
	struct answer answer;

	assert_int_equal(ask_version(guest, version, &answer), 0);
	assert_int_equal(enter_d0(guest, WINDOW, &answer), 0);
	drain(guest);
	mmio_write(guest, WINDOW, 4, SLOT);
	return bus;
}

static inline uint32_t assign_resources(struct guest *guest, uint32_t type, struct answer *answer)
{
	uint8_t bytes[VPCI_RESOURCES_ASSIGNED2_SIZE] = {0};
	struct vpci_slot_message head = {type, SLOT};

	memcpy(bytes, &head, sizeof head);
	return ask(guest, bytes,
		   type == VPCI_RESOURCES_ASSIGNED ? VPCI_RESOURCES_ASSIGNED_SIZE : sizeof bytes, answer);
}

/* ... and its BARs placed, memory and bus mastering on. */
static inline struct hvh_vpci *function_ready(struct guest *guest)
{
	struct hvh_vpci *bus = bus_in_d0(guest, VPCI_VERSION_1_2);
	struct answer answer;

	assert_int_equal(assign_resources(guest, VPCI_RESOURCES_ASSIGNED2, &answer), 0);
	config_write(guest, PCI_BAR0, 4, (uint32_t)REGISTER_BAR);
	config_write(guest, PCI_BAR0 + 8, 4, (uint32_t)MEMORY_BAR);
	config_write(guest, PCI_BAR0 + 12, 4, (uint32_t)(MEMORY_BAR >> 32));
	config_write(guest, PCI_BAR0 + 16, 4, (uint32_t)MSIX_BAR);
	config_write(guest, PCI_BAR0 + 20, 4, (uint32_t)(MSIX_BAR >> 32));
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return bus;
}

/* --- Interrupts ---------------------------------------------------------------------------------- */

static inline uint32_t create_interrupt(struct guest *guest, uint8_t vector, uint16_t processor,
					struct answer *answer)
{
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt2 interrupt;
	} message = {
		.header = {VPCI_CREATE_INTERRUPT2, SLOT},
		.interrupt = {.vector = vector, .count = 1, .processor_count = 1, .processors = {processor}},
	};

	return ask(guest, &message, sizeof message, answer);
}

static inline struct vpci_translated_interrupt created(const struct answer *answer)
{
	struct vpci_create_interrupt_answer created;

	memcpy(&created, answer->payload, sizeof created);
	return created.interrupt;
}

static inline uint32_t capability(struct guest *guest, uint8_t id)
{
	uint32_t at = config_read(guest, PCI_CAPABILITIES, 1);

	for (unsigned n = 0; n < 48 && at != 0; n++, at = config_read(guest, at + 1, 1))
		if (config_read(guest, at, 1) == id)
			return at;
	return 0;
}

static inline void enable_msix(struct guest *guest, uint32_t bits)
{
	uint32_t at = capability(guest, PCI_CAPABILITY_MSIX);

	config_write(guest, at + 2, 2, (HVH_REGISTERS_INTERRUPTS - 1) | bits);
}

/* Entry n is that interrupt, not masked. */
static inline void set_entry(struct guest *guest, uint32_t n, const struct vpci_translated_interrupt *to)
{
	uint64_t entry = MSIX_BAR + n * sizeof(struct pci_msix_entry);

	mmio_write(guest, entry, 8, to->address);
	mmio_write(guest, entry + 8, 4, to->data);
	mmio_write(guest, entry + 12, 4, 0);
}

/* One whose host tells what is said, notes among it. */
static inline void guest_create_traced(struct guest *guest, const char *profile,
				       void (*trace)(void *context, const struct hvh_trace_record *record))
{
	struct hvh_config config = {.vps = VPS, .seed = 1, .tsc_hz = 1000000000ull, .deterministic = true};
	struct hvh_ops ops = {.context = guest,
			      .translate = guest_translate,
			      .interrupt = guest_interrupt,
			      .violation = guest_violation,
			      .trace = trace,
			      .kick = guest_kick};

	guest_create(guest, profile);
	hvh_destroy(guest->host);
	config.profile = &guest->profile;
	guest->host = hvh_create(&config, &ops);
	assert_non_null(guest->host);
}

#endif
