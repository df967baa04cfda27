/* SPDX-License-Identifier: MIT */
/*
 * A bench for vpci and the PCI functions: what they call of core and vmbus, faked, with a scripted host
 * behind it. The host has functions with configuration space, BARs and an MSI-X table, and answers as it
 * must; rules have it say something else, so many times, or nothing. bench.log has each message by its name,
 * in order.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_VPCI_HOST_H
#define GUEST_VPCI_HOST_H

#include "hvkit/vpci.h"
#include "tests/unit/guest_fake_core.h"

#include "guest/pci/pci.h" /* after what it takes the place of */

#define FAKE_SENT_MAX 512u
#define FAKE_INBOX_MAX 64u
#define FAKE_FUNCTIONS 4u
#define FAKE_RULES 4u
#define FAKE_POLLERS 64u
#define FAKE_ENTRIES 8u
#define FAKE_WINDOW 0xf8000000ull
#define FAKE_BARS 0xfe0000000ull
#define FAKE_VECTOR 0x60u
#define FAKE_ADDRESS 0xfee01000u
#define FAKE_MSIX_AT 0x40u
#define FAKE_REGISTERS 4096u /* BAR 0 */
#define FAKE_TABLE 16384u    /* BAR 2, wide */

struct fake_sent {
	uint8_t payload[208];
	uint32_t type, length;
	bool answered;
	void *cookie; /* NULL again once completed or taken back */
};

struct fake_packet {
	uint16_t type;
	void *cookie;
	uint8_t payload[1024];
	uint32_t length;
	bool answer_wanted;
	hvk_status status; /* not HVK_OK: what receive says instead */
};

struct fake_rule {
	uint32_t type, count;
	uint32_t status; /* NT */
	uint32_t length; /* of the answer; 0: as it must be */
	bool silent;
};

struct fake_function {
	struct vpci_function2 description;
	uint32_t probed[PCI_BARS];
	uint8_t config[256];
	uint8_t table[FAKE_TABLE];
};

struct fake_bench {
	struct hvk hvk;
	struct hvk_channel channel;
	struct hvk_vpci *bus;
	struct fake_function functions[FAKE_FUNCTIONS];
	uint32_t function_count;
	struct fake_rule rules[FAKE_RULES];
	uint32_t newest, slot, created;
	bool d0, old_format;
	char log[8192];
	uint32_t nowhere; /* accesses where nothing is */
	uint32_t completions;

	struct hvk_poller *pollers[FAKE_POLLERS], *vectors[FAKE_CPUS][16];
	uint32_t vector_count, poller_room;
	hvk_status retarget_status;
	uint32_t vp_first;
	uint32_t mmio_room; /* places to be had; FAKE_NONE: any number */
	uint64_t mmio_next;
	uint32_t mmio_taken;
	bool no_mmio;
	void (*moved)(void); /* while the hypercall goes on */

	/* The user. */
	uint32_t added, removed, gone, asked, told_gone, fired, last_index;
	struct hvk_pci_function *function, *second;
	bool holds_on;
	struct hvk_request attach, detach, suspend, interrupt, other;
};

static struct fake_bench bench;

static void fake_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fake_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fake_append(bench.log, sizeof(bench.log), format, arguments);
	va_end(arguments);
}

/* --- Core: pollers, device memory, the hypercall ------------------------------------------------------ */

void hvk_pause(struct hvk *hvk)
{
	(void)hvk;
	fail(); /* one CPU at a time: there is no other to wait for */
}

hvk_status hvk_poller_add(struct hvk *hvk, struct hvk_poller *poller)
{
	assert_int_equal(hvk->locked, 0);
	if (!hvk_cpu_runs(hvk, poller->cpu))
		return HVK_ESTATE;
	for (uint32_t i = 0; i < FAKE_POLLERS && bench.poller_room != 0; i++) {
		if (!bench.pollers[i]) {
			bench.pollers[i] = poller;
			bench.poller_room--;
			return HVK_OK;
		}
	}
	return HVK_ELIMIT;
}

void hvk_poller_remove(struct hvk *hvk, struct hvk_poller *poller, struct hvk_request *request,
		       uint32_t done_cpu)
{
	bool found = false;

	for (uint32_t i = 0; i < FAKE_POLLERS; i++) {
		if (bench.pollers[i] == poller) {
			bench.pollers[i] = NULL;
			bench.poller_room++;
			found = true;
		}
	}
	assert_true(found);
	for (uint32_t i = 0; i < 16; i++) /* vectors are given back before */
		assert_ptr_not_equal(bench.vectors[poller->cpu][i], poller);
	hvk_request_begin(request);
	hvk_request_finish(hvk, request, HVK_OK, done_cpu);
}

void hvk_poller_kick(struct hvk *hvk, struct hvk_poller *poller)
{
	assert_int_equal(hvk->locked, 0);
	poller->kicked = true;
}

hvk_status hvk_vector_take(struct hvk *hvk, struct hvk_poller *poller, uint8_t *vector)
{
	(void)hvk;
	for (uint32_t i = 0; i < bench.vector_count; i++) {
		if (!bench.vectors[poller->cpu][i]) {
			bench.vectors[poller->cpu][i] = poller;
			*vector = (uint8_t)(FAKE_VECTOR + i);
			return HVK_OK;
		}
	}
	return bench.vector_count == 0 ? HVK_ELEVEL : HVK_ELIMIT;
}

void hvk_vector_give_back(struct hvk *hvk, uint32_t cpu, uint8_t vector)
{
	(void)hvk;
	assert_non_null(bench.vectors[cpu][vector - FAKE_VECTOR]);
	bench.vectors[cpu][vector - FAKE_VECTOR] = NULL;
}

/* Vectors that are taken. */
static uint32_t fake_vectors(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FAKE_CPUS * 16u; i++)
		count += bench.vectors[i / 16][i % 16] != NULL;
	return count;
}

bool hvk_mmio_available(const struct hvk *hvk)
{
	(void)hvk;
	return !bench.no_mmio;
}

hvk_status hvk_mmio_take(struct hvk *hvk, uint64_t size, bool wide, uint64_t *address)
{
	(void)hvk;
	(void)wide;
	assert_true(size >= 4096 && (size & (size - 1)) == 0);
	if (bench.mmio_room == 0)
		return HVK_ELIMIT;
	bench.mmio_room -= bench.mmio_room != FAKE_NONE;
	*address = bench.mmio_taken == 0 ? FAKE_WINDOW : (bench.mmio_next + size - 1) & ~(size - 1);
	bench.mmio_next = bench.mmio_taken == 0 ? FAKE_BARS : *address + size;
	bench.mmio_taken++;
	return HVK_OK;
}

void hvk_mmio_give_back(struct hvk *hvk, uint64_t address)
{
	(void)hvk;
	assert_true(address != 0 && bench.mmio_taken != 0);
	bench.mmio_taken--;
}

uint16_t hvk_domain_take(struct hvk *hvk, uint16_t wanted)
{
	(void)hvk;
	fake_log("domain:%x", (unsigned)wanted);
	return wanted;
}

void hvk_domain_give_back(struct hvk *hvk, uint16_t domain)
{
	(void)hvk;
	(void)domain;
}

uint32_t hvk_cpu_vp_index(const struct hvk *hvk, uint32_t cpu)
{
	(void)hvk;
	return bench.vp_first + cpu;
}

hvk_status hvk_interrupt_retarget(struct hvk *hvk, uint64_t device, uint32_t address, uint32_t data,
				  uint8_t vector, uint32_t cpu)
{
	assert_int_equal(hvk->locked, 0);
	fake_log("retarget:%llx:%x:%x:%x:%u", (unsigned long long)device, address, data, (unsigned)vector,
		 cpu);
	if (bench.moved)
		bench.moved();
	return bench.retarget_status;
}

/* --- Device memory ---------------------------------------------------------------------------- */

static struct fake_function *fake_in_slot(uint32_t slot)
{
	for (uint32_t i = 0; i < bench.function_count; i++) {
		if (bench.functions[i].description.function.slot == slot)
			return &bench.functions[i];
	}
	return NULL;
}

static uint64_t get_bytes(const uint8_t *from, unsigned width)
{
	uint64_t value = 0;

	memcpy(&value, from, width);
	return value;
}

/* NULL: nothing is there. */
static uint8_t *fake_at(uint64_t address, unsigned width)
{
	static uint8_t scratch[8];

	if (bench.d0 && address >= FAKE_WINDOW + VPCI_WINDOW_CONFIG &&
	    address < FAKE_WINDOW + VPCI_WINDOW_SIZE) {
		struct fake_function *function = fake_in_slot(bench.slot);
		uint64_t offset = address - FAKE_WINDOW - VPCI_WINDOW_CONFIG;

		return function && offset + width <= 256 ? function->config + offset : NULL;
	}
	for (uint32_t i = 0; i < bench.function_count && bench.d0; i++) {
		struct fake_function *function = &bench.functions[i];
		uint64_t registers = get_bytes(function->config + PCI_BAR0, 4) & ~0xfull;
		uint64_t table = get_bytes(function->config + PCI_BAR0 + 8, 8) & ~0xfull;

		if (!(function->config[PCI_COMMAND] & PCI_COMMAND_MEMORY))
			continue;
		if (address >= registers && address < registers + FAKE_REGISTERS)
			return scratch;
		if (address >= table && address < table + FAKE_TABLE)
			return function->table + (address - table);
	}
	return NULL;
}

uint64_t hvk_mmio_read(struct hvk *hvk, uint64_t address, unsigned width)
{
	uint8_t *at = fake_at(address, width);

	(void)hvk;
	bench.nowhere += at == NULL;
	return at ? get_bytes(at, width) : UINT64_MAX;
}

void hvk_mmio_write(struct hvk *hvk, uint64_t address, unsigned width, uint64_t value)
{
	uint8_t *at;

	(void)hvk;
	if (bench.d0 && address == FAKE_WINDOW) {
		bench.slot = (uint32_t)value;
		return;
	}
	at = fake_at(address, width);
	bench.nowhere += at == NULL;
	if (at)
		memcpy(at, &value, width);
}

/* --- vmbus ------------------------------------------------------------------------------------ */

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	assert_true(channel->claimed);
	assert_false(channel->open);
	channel->claimed = false;
}

void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request)
{
	hvk_request_begin(request);
	fake_log("open");
	channel->config = *config;
	channel->open = !channel->rescinded;
	hvk_request_finish(channel->hvk, request, channel->rescinded ? HVK_EGONE : HVK_OK, config->cpu);
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	assert_true(channel->open);
	hvk_request_begin(request);
	fake_log("close");
	channel->open = bench.d0 = false;
	channel->inbox_count = 0;
	channel->seen = channel->sent_count = 0;
	hvk_request_finish(channel->hvk, request, HVK_OK, channel->config.cpu);
}

hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie)
{
	hvk_status status = fake_take_room(channel);
	struct fake_sent *sent;

	assert_int_equal(channel->hvk->locked, 0);
	assert_true(length >= 4 && length <= sizeof(sent->payload) && answered == (cookie != NULL));
	if (status != HVK_OK)
		return status;
	assert_true(channel->sent_count < FAKE_SENT_MAX);
	sent = &channel->sent[channel->sent_count++];
	memset(sent, 0, sizeof(*sent));
	memcpy(sent->payload, payload, length);
	memcpy(&sent->type, payload, 4);
	sent->length = length;
	sent->answered = answered;
	sent->cookie = cookie;
	return HVK_OK;
}

hvk_status hvk_channel_complete(struct hvk_channel *channel, uint64_t transaction_id, const void *payload,
				uint32_t length)
{
	(void)channel;
	(void)payload;
	assert_int_equal(transaction_id, 77);
	assert_int_equal(length, 0);
	bench.completions++;
	return HVK_OK;
}

hvk_status hvk_channel_receive(struct hvk_channel *channel, void *buffer, uint32_t size,
			       struct hvk_packet *packet)
{
	struct fake_packet *next;

	assert_int_equal((uintptr_t)buffer % 8, 0);
	memset(buffer, 0xee, size);
	if (channel->inbox_count == 0)
		return HVK_EEMPTY;
	next = &channel->inbox[channel->inbox_first];
	channel->inbox_first = (channel->inbox_first + 1) % FAKE_INBOX_MAX;
	channel->inbox_count--;
	if (next->status != HVK_OK)
		return next->status;
	memcpy((uint8_t *)buffer + 16, next->payload, next->length);
	*packet = (struct hvk_packet){.type = next->type,
				      .cookie = next->cookie,
				      .payload = (uint8_t *)buffer + 16,
				      .payload_length = next->length,
				      .answer_wanted = next->answer_wanted,
				      .transaction_id = 77};
	return HVK_OK;
}

void *hvk_channel_take_request(struct hvk_channel *channel, void *cookie)
{
	for (uint32_t i = 0; i < channel->sent_count; i++) {
		if (channel->sent[i].cookie && channel->sent[i].cookie == cookie) {
			channel->sent[i].cookie = NULL;
			return cookie;
		}
	}
	return NULL;
}

/* --- What the host says ----------------------------------------------------------------------- */

static struct fake_packet *fake_put(uint16_t type, void *cookie, const void *payload, uint32_t length)
{
	struct fake_packet *packet;

	assert_true(bench.channel.inbox_count < FAKE_INBOX_MAX && length <= sizeof(packet->payload));
	packet = &bench.channel
			  .inbox[(bench.channel.inbox_first + bench.channel.inbox_count++) % FAKE_INBOX_MAX];
	memset(packet, 0, sizeof(*packet));
	packet->type = type;
	packet->cookie = cookie;
	packet->length = length;
	memcpy(packet->payload, payload, length);
	return packet;
}

static struct fake_packet *fake_say(const void *payload, uint32_t length)
{
	return fake_put(VMBUS_PACKET_IN_BAND, NULL, payload, length);
}

static void fake_say_slot(uint32_t type, uint32_t slot)
{
	const struct vpci_slot_message message = {type, slot};

	(void)fake_say(&message, sizeof(message));
}

static void fake_list(void)
{
	struct vpci_bus_relations header = {bench.old_format ? VPCI_BUS_RELATIONS : VPCI_BUS_RELATIONS2,
					    bench.function_count};
	uint32_t stride = bench.old_format ? 20 : 28, length = sizeof(header);
	uint8_t bytes[1024];

	memcpy(bytes, &header, sizeof(header));
	for (uint32_t i = 0; i < bench.function_count; i++, length += stride)
		memcpy(bytes + length, &bench.functions[i].description, stride);
	(void)fake_say(bytes, length);
}

static struct fake_rule *fake_rule_for(uint32_t type)
{
	for (uint32_t i = 0; i < FAKE_RULES; i++) {
		if (bench.rules[i].count != 0 && bench.rules[i].type == type)
			return &bench.rules[i];
	}
	return NULL;
}

static struct fake_rule *fake_rule(uint32_t type, uint32_t count)
{
	for (uint32_t i = 0; i < FAKE_RULES; i++) {
		if (bench.rules[i].count == 0) {
			bench.rules[i] = (struct fake_rule){.type = type, .count = count};
			return &bench.rules[i];
		}
	}
	fail_msg("too many rules");
	return NULL;
}

static void fake_power(bool on)
{
	bench.d0 = on;
	for (uint32_t i = 0; i < bench.function_count && !on; i++) {
		memset(bench.functions[i].config + PCI_COMMAND, 0, 2);
		memset(bench.functions[i].config + PCI_BAR0, 0, 24);
		memset(bench.functions[i].table, 0, FAKE_TABLE);
		bench.functions[i].config[FAKE_MSIX_AT + 3] = 0;
	}
}

/* The answer's length; its bytes behind the status are written. */
static uint32_t fake_answer(const struct fake_sent *sent, uint8_t *bytes)
{
	struct vpci_create_interrupt_answer created = {0};
	uint32_t status = 0, word[2];

	memcpy(word, sent->payload, 8);
	switch (sent->type) {
	case VPCI_QUERY_PROTOCOL_VERSION:
		status = word[1] > bench.newest ? VPCI_STATUS_REVISION_MISMATCH : 0;
		memcpy(bytes, &status, 4);
		return 8;
	case VPCI_QUERY_RESOURCE_REQUIREMENTS:
		assert_non_null(fake_in_slot(word[1]));
		memcpy(bytes + 4, fake_in_slot(word[1])->probed, 24);
		return 28;
	case VPCI_CREATE_INTERRUPT:
	case VPCI_CREATE_INTERRUPT2:
	case VPCI_CREATE_INTERRUPT3:
		created.interrupt = (struct vpci_translated_interrupt){0, 1, ++bench.created, FAKE_ADDRESS};
		memcpy(bytes, &created, sizeof(created));
		return sizeof(created);
	default:
		return 4;
	}
}

static const char *fake_name(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{VPCI_QUERY_PROTOCOL_VERSION, "version"},
		{VPCI_QUERY_BUS_RELATIONS, "relations"},
		{VPCI_QUERY_RESOURCE_REQUIREMENTS, "sizes"},
		{VPCI_BUS_D0_ENTRY, "d0"},
		{VPCI_BUS_D0_EXIT, "exit"},
		{VPCI_RESOURCES_ASSIGNED, "assigned"},
		{VPCI_RESOURCES_ASSIGNED2, "assigned2"},
		{VPCI_RESOURCES_RELEASED, "released"},
		{VPCI_CREATE_INTERRUPT, "create"},
		{VPCI_CREATE_INTERRUPT2, "create2"},
		{VPCI_CREATE_INTERRUPT3, "create3"},
		{VPCI_DELETE_INTERRUPT, "delete"},
		{VPCI_EJECTION_COMPLETE, "ejected"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	fail_msg("a message of type %#x", type);
	return NULL;
}

static void fake_take(struct fake_sent *sent)
{
	struct fake_rule *rule = fake_rule_for(sent->type);
	uint8_t bytes[64] = {0};
	uint32_t length = fake_answer(sent, bytes);
	void *cookie = sent->cookie;

	fake_log("%s", fake_name(sent->type));
	if (rule) {
		rule->count -= rule->count != FAKE_NONE;
		if (rule->silent)
			return;
		if (rule->status != 0)
			memcpy(bytes, &rule->status, 4);
		length = rule->length != 0 ? rule->length : length;
	}
	if (sent->type == VPCI_BUS_D0_ENTRY && get_bytes(bytes, 4) == 0)
		fake_power(true);
	if (sent->type == VPCI_BUS_D0_EXIT)
		fake_power(false);
	if (sent->type == VPCI_QUERY_BUS_RELATIONS)
		fake_list();
	sent->cookie = NULL;
	if (cookie)
		(void)fake_put(VMBUS_PACKET_COMPLETION, cookie, bytes, length);
}

static bool fake_host(void)
{
	bool any = false;

	while (bench.channel.open && bench.channel.seen < bench.channel.sent_count) {
		fake_take(&bench.channel.sent[bench.channel.seen++]);
		any = true;
	}
	return any;
}

static bool fake_run_pollers(void)
{
	bool any = false;

	for (uint32_t i = 0; i < FAKE_POLLERS; i++) {
		struct hvk_poller *poller = bench.pollers[i];

		if (poller && poller->kicked) {
			poller->kicked = false;
			bench.hvk.cpu = poller->cpu;
			(void)poller->run(poller, poller->context);
			any = true;
		}
	}
	return any;
}

/* Until nothing moves any more. */
static void fake_run(void)
{
	for (uint32_t i = 0; i < 10000; i++) {
		bool any = fake_host();

		any = fake_run_finished(&bench.hvk) || any;
		any = fake_poll_channel(&bench.channel) || any;
		any = fake_run_pollers() || any;
		bench.hvk.cpu = 0;
		if (!any)
			return;
	}
	fail_msg("it never rests");
}

static void fake_pass(uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i += 10) {
		bench.hvk.now_ms += 10;
		fake_run_timers(&bench.hvk);
		fake_run();
	}
}

/* The channel is looked at, as after a signal. */
static void fake_kick(void)
{
	bench.channel.kicked = true;
	fake_run();
}

/* --- The user --------------------------------------------------------------------------------- */

static void on_fire(void *context, struct hvk_pci_function *function, uint32_t index)
{
	assert_ptr_equal(context, &bench);
	(void)function;
	bench.fired++;
	bench.last_index = index;
}

static void on_leaving(void *context, struct hvk_pci_function *function, bool eject)
{
	assert_ptr_equal(context, &bench);
	bench.asked += eject;
	bench.told_gone += !eject;
	if (!bench.holds_on)
		hvk_pci_release(function);
}

static void on_added(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)context;
	(void)bus;
	fake_log("added:%u", function->slot);
	if (bench.added++ == 0)
		bench.function = function;
	else
		bench.second = function;
}

static void on_removed(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function)
{
	(void)context;
	(void)bus;
	fake_log("removed:%u", function->slot);
	bench.removed++;
}

static void on_gone(void *context, struct hvk_vpci *bus)
{
	(void)context;
	assert_ptr_equal(bus, bench.bus);
	assert_int_equal(bench.removed, bench.added);
	bench.gone++;
}

static void claim(struct hvk_pci_function *function)
{
	const struct hvk_pci_hooks hooks = {on_leaving, &bench};

	assert_int_equal(hvk_pci_claim(function, &hooks), HVK_OK);
	assert_int_equal(hvk_pci_enable(function, true, true), HVK_OK);
}

/* --- Beginning and end ------------------------------------------------------------------------ */

static void fake_describe(struct fake_function *function, uint32_t slot)
{
	const struct pci_msix_capability msix = {
		.id = PCI_CAPABILITY_MSIX, .control = FAKE_ENTRIES - 1, .table = 2, .pending = 0x2002};

	memset(function, 0, sizeof(*function));
	function->description = (struct vpci_function2){
		.function = {0x1af4, 0x1041, 1, 0, 0, 2, 0x00011af4, slot, 0x10005678u + slot},
		.flags = VPCI_FUNCTION_NUMA_NODE,
		.numa_node = 1};
	function->probed[0] = ~(FAKE_REGISTERS - 1);
	function->probed[2] = ~(FAKE_TABLE - 1) | PCI_BAR_64 | PCI_BAR_PREFETCHABLE;
	function->probed[3] = UINT32_MAX;
	function->config[PCI_STATUS] = PCI_STATUS_CAPABILITIES;
	function->config[PCI_CAPABILITIES] = FAKE_MSIX_AT;
	memcpy(function->config + FAKE_MSIX_AT, &msix, sizeof(msix));
}

static void fake_begin(const struct hvk_vpci_config *changes)
{
	struct hvk_vpci_config config = changes ? *changes : (struct hvk_vpci_config){0};

	memset(&bench, 0, sizeof(bench));
	fake_core_begin(&bench.hvk, 2);
	bench.hvk.timeouts.device_ms = 5000;
	bench.newest = VPCI_VERSION_1_4;
	bench.function_count = 1;
	fake_describe(&bench.functions[0], 2);
	bench.vector_count = 16;
	bench.poller_room = FAKE_POLLERS;
	bench.mmio_room = FAKE_NONE;
	bench.channel = (struct hvk_channel){
		.hvk = &bench.hvk,
		.offer = {.type = VMBUS_GUID_VPCI, .instance = {{1, 2, 3, 4, 0x55, 0x66, 0x7f, 0x88}}},
		.room = FAKE_NONE};
	bench.channel.sent = calloc(FAKE_SENT_MAX, sizeof(struct fake_sent));
	bench.channel.inbox = calloc(FAKE_INBOX_MAX, sizeof(struct fake_packet));
	config.added = on_added;
	config.removed = on_removed;
	config.gone = on_gone;
	config.context = &bench;
	assert_int_equal(hvk_vpci_create(&bench.channel, &config, &bench.bus), HVK_OK);
}

static hvk_status fake_attach(void)
{
	hvk_vpci_attach(bench.bus, &bench.attach);
	fake_run();
	return bench.attach.status;
}

static void fake_up(const struct hvk_vpci_config *changes)
{
	fake_begin(changes);
	assert_int_equal(fake_attach(), HVK_OK);
}

/* Down, if it is not; nothing is left of it. */
static void fake_end(void)
{
	hvk_vpci_detach(bench.bus, &bench.detach);
	fake_run();
	fake_pass(20000);
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_int_equal(bench.removed, bench.added);
	assert_int_equal(hvk_vpci_destroy(bench.bus), HVK_OK);
	assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
	assert_int_equal(bench.mmio_taken, 0);
	assert_int_equal(bench.poller_room, FAKE_POLLERS);
	assert_int_equal(fake_vectors(), 0);
	assert_false(bench.channel.claimed);
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++)
		assert_null(bench.hvk.timers[i]);
	free(bench.channel.sent);
	free(bench.channel.inbox);
}

#endif
