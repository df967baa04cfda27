/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/vmbus.h"

#define VECTOR 0x75u
#define TSC_HZ 1000000000ull
#define TAKES_MAX 64u
#define MONITOR_PERIOD_MIN 500u /* 50 us: it looks at monitored channels more rarely */

static uint64_t address(uint32_t page)
{
	return (uint64_t)page * HVK_PAGE_SIZE;
}

/* --- Memory -------------------------------------------------------------------------- */

uint8_t *raw_at(struct raw_guest *guest, uint64_t gpa, uint32_t length)
{
	uint64_t page = gpa / HVK_PAGE_SIZE, offset = gpa % HVK_PAGE_SIZE;

	if (page >= RAW_PAGES || length > HVK_PAGE_SIZE - offset)
		return NULL;
	return guest->pages[page] + offset;
}

void raw_write(struct raw_guest *guest, uint64_t gpa, const void *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		uint8_t *to = raw_at(guest, gpa + i, 1);

		if (to != NULL)
			*to = ((const uint8_t *)bytes)[i];
	}
}

static void strike(struct raw_guest *guest)
{
	for (uint32_t i = 0; i < RAW_ARMED; i++) {
		struct raw_armed *armed = &guest->armed[i];

		if (armed->after != 0 && --armed->after == 0)
			raw_write(guest, address(armed->page) + armed->offset, armed->bytes, armed->length);
	}
}

static void *translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct raw_guest *guest = context;
	uint64_t page = gpa / HVK_PAGE_SIZE;

	FUZZ_CHECK(++guest->reaches < RAW_REACHES_MAX);
	FUZZ_CHECK(length > 0 && length <= HVK_PAGE_SIZE - gpa % HVK_PAGE_SIZE);
	strike(guest);
	if (page >= RAW_PAGES || guest->gone[page])
		return NULL;
	FUZZ_CHECK(!write || guest->shown[page]);
	return guest->pages[page] + gpa % HVK_PAGE_SIZE;
}

static void show(struct raw_guest *guest, uint64_t page)
{
	if (page < RAW_PAGES)
		guest->shown[page] = true;
}

/* --- Callbacks --------------------------------------------------------------------------- */

static void interrupt(void *context, uint32_t vp, uint8_t vector)
{
	(void)context, (void)vector;
	FUZZ_CHECK(vp < RAW_VPS);
}

static void violation(void *context, const struct hvh_violation *found)
{
	(void)context;
	FUZZ_CHECK(found->kind < HVH_V_COUNT && hvh_violation_name(found->kind) != NULL);
	FUZZ_CHECK(memchr(found->text, 0, sizeof(found->text)) != NULL);
	FUZZ_CHECK(found->byte_count <= HVH_VIOLATION_BYTES);
}

static void trace(void *context, const struct hvh_trace_record *record)
{
	struct raw_guest *guest = context;

	for (uint32_t i = 0; i < record->byte_count; i++)
		guest->sum = (uint8_t)(guest->sum + ((const uint8_t *)record->bytes)[i]);
	for (uint32_t i = 0; record->external != NULL && i < record->external_count; i++)
		guest->sum = (uint8_t)(guest->sum + ((const uint8_t *)record->external)[i]);
}

/* --- Life ------------------------------------------------------------------------------------ */

static void set_faults(struct raw_guest *guest, uint8_t faults)
{
	static const uint32_t chances[] = {0, 2048, 16384, 65535};

	for (int fault = 0; fault < HVH_FAULT_COUNT; fault++) {
		uint32_t chance = chances[faults % 4u];

		if (fault == HVH_FAULT_RESCIND)
			chance = chances[faults / 4u % 4u] / 16u;
		hvh_fault_set(guest->host, (enum hvh_fault)fault, chance);
	}
}

/* By name, so that a new profile does not make other inputs of those that are kept. */
static const struct hvh_profile *find_profile(uint8_t n)
{
	static const char *const names[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022",
					    "ws2008",   "ws2016", "ws2019",   "azure"};
	const struct hvh_profile *profile = hvh_profile_find(names[n % (sizeof(names) / sizeof(names[0]))]);

	return profile != NULL ? profile : hvh_profile_find(names[n % 4u]);
}

struct raw_guest *raw_create(uint8_t profile, uint8_t faults, uint64_t seed)
{
	struct raw_guest *guest = calloc(1, sizeof(*guest));
	struct hvh_config config = {.vps = RAW_VPS, .seed = seed, .tsc_hz = TSC_HZ, .deterministic = true};
	struct hvh_ops ops = {
		.context = guest,
		.translate = translate,
		.interrupt = interrupt,
		.violation = violation,
		.trace = trace,
	};

	FUZZ_CHECK(guest != NULL);
	for (uint32_t i = 0; i < RAW_PAGES; i++) {
		guest->pages[i] = aligned_alloc(HVK_PAGE_SIZE, HVK_PAGE_SIZE);
		FUZZ_CHECK(guest->pages[i] != NULL);
		memset(guest->pages[i], 0, HVK_PAGE_SIZE);
	}
	guest->ring = RAW_RING;
	guest->ring_gpadl = RAW_GPADL_RING;
	guest->profile = *find_profile(profile);
	config.profile = &guest->profile;
	guest->host = hvh_create(&config, &ops);
	FUZZ_CHECK(guest->host != NULL);
	set_faults(guest, faults);
	return guest;
}

void raw_destroy(struct raw_guest *guest)
{
	hvh_destroy(guest->host);
	for (uint32_t i = 0; i < RAW_PAGES; i++)
		free(guest->pages[i]);
	free(guest);
}

/* --- Time ---------------------------------------------------------------------------------------- */

void raw_settle(struct raw_guest *guest)
{
	bool more = true;

	for (uint32_t i = 0; more; i++) {
		FUZZ_CHECK(i < RAW_RUNS_MAX);
		guest->reaches = 0;
		more = hvh_run(guest->host, guest->now);
	}
}

void raw_pass(struct raw_guest *guest, uint64_t time)
{
	uint64_t until = guest->now + time;
	uint64_t runs_max = RAW_RUNS_MAX + time / MONITOR_PERIOD_MIN;

	for (uint64_t i = 0;; i++) {
		uint64_t next = hvh_next_event(guest->host);

		if (next > until)
			break;
		if (next > guest->now)
			guest->now = next;
		guest->reaches = 0;
		(void)hvh_run(guest->host, guest->now);
		FUZZ_CHECK(i < runs_max);
	}
	guest->now = until;
}

/* --- Registers and hypercalls ------------------------------------------------------------------------ */

void raw_set_msr(struct raw_guest *guest, uint32_t vp, uint32_t msr, uint64_t value)
{
	if (msr == HV_MSR_HYPERCALL || msr == HV_MSR_REFERENCE_TSC || msr == HV_MSR_SIEFP ||
	    msr == HV_MSR_SIMP)
		show(guest, value >> HVK_PAGE_SHIFT);
	guest->reaches = 0;
	(void)hvh_msr_write(guest->host, guest->now, vp, msr, value);
}

uint32_t raw_hypercall(struct raw_guest *guest, uint32_t vp, uint64_t control, uint64_t input)
{
	bool valid;

	guest->reaches = 0;
	return (uint32_t)hvh_hypercall(guest->host, guest->now, vp, control, input, 0, &valid);
}

/* Whatever a message names is shown, right or wrong. */
static void show_all(struct raw_guest *guest, const uint8_t *bytes, uint32_t size)
{
	uint32_t type = 0, first;
	uint64_t value;

	memcpy(&type, bytes, size < 4 ? size : 4);
	if (type == VMBUS_MSG_INITIATE_CONTACT) {
		for (uint32_t at = 16; at + 8 <= size; at += 8) {
			memcpy(&value, bytes + at, 8);
			show(guest, value >> HVK_PAGE_SHIFT);
		}
	}
	if (type != VMBUS_MSG_GPADL_HEADER && type != VMBUS_MSG_GPADL_BODY)
		return;
	first = type == VMBUS_MSG_GPADL_HEADER ? 20u : 16u;
	for (uint32_t at = first; at + 8 <= size; at += 8) {
		memcpy(&value, bytes + at, 8);
		show(guest, value);
	}
}

uint32_t raw_post(struct raw_guest *guest, uint32_t connection, const void *bytes, uint32_t size)
{
	struct hv_post_message_input input = {
		.connection_id = connection,
		.message_type = HV_MESSAGE_VMBUS,
		.payload_size = size,
	};

	FUZZ_CHECK(size <= sizeof(input.payload));
	if (size != 0)
		memcpy(input.payload, bytes, size);
	show_all(guest, input.payload, size);
	raw_write(guest, address(RAW_INPUT), &input, sizeof(input));
	return raw_hypercall(guest, 0, HV_CALL_POST_MESSAGE, address(RAW_INPUT));
}

uint32_t raw_take(struct raw_guest *guest, uint32_t vp)
{
	uint8_t *slot = raw_at(guest, address(RAW_SIMP + vp) + VMBUS_SINT * sizeof(struct hv_message),
			       sizeof(struct hv_message));
	struct hv_message message;
	uint32_t type = 0;

	memcpy(&message, slot, sizeof(message));
	if (message.type == HV_MESSAGE_NONE)
		return 0;
	memcpy(guest->message, message.payload, sizeof(guest->message));
	memcpy(&type, guest->message, sizeof(type));
	memset(slot, 0, 4);
	if (slot[5] & HV_MESSAGE_FLAG_PENDING)
		raw_set_msr(guest, vp, HV_MSR_EOM, 0);
	raw_settle(guest);
	return type;
}

/* --- Lawful steps --------------------------------------------------------------------------------------- */

static uint32_t word(const struct raw_guest *guest, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, guest->message + offset, sizeof(value));
	return value;
}

/* Posts until it is taken, and passes time until an answer of that type has come. */
static bool ask(struct raw_guest *guest, const void *bytes, uint32_t size, uint32_t type)
{
	for (uint32_t i = 0; i < TAKES_MAX; i++) {
		if (raw_post(guest, guest->connection, bytes, size) == HV_STATUS_SUCCESS)
			break;
		raw_pass(guest, HVH_TIME_PER_MS);
	}
	for (uint32_t i = 0; i < TAKES_MAX && type != 0; i++) {
		raw_settle(guest);
		if (raw_take(guest, 0) == type)
			return true;
		raw_pass(guest, HVH_TIME_PER_MS);
	}
	return type == 0;
}

void raw_check_lawful(struct raw_guest *guest, uint8_t faults)
{
	const struct hvh_violation *found = hvh_violation_get(guest->host, 0);

	if (faults % 16u != 0)
		return;
	if (found != NULL && found->kind != HVH_V_SIGNAL_UNNEEDED && found->kind != HVH_V_EVENT_BIT)
		fprintf(stderr, "%s\n", found->text);
	FUZZ_CHECK(found == NULL || found->kind == HVH_V_SIGNAL_UNNEEDED || found->kind == HVH_V_EVENT_BIT);
	FUZZ_CHECK(guest->channel != 0);
}

/* Points a page register somewhere, reserved bits kept. */
static void set_page(struct raw_guest *guest, uint32_t vp, uint32_t msr, uint32_t page)
{
	uint64_t value = 0;

	(void)hvh_msr_read(guest->host, guest->now, vp, msr, &value);
	raw_set_msr(guest, vp, msr, (value & HV_PAGE_RESERVED_MASK) | address(page) | HV_PAGE_ENABLE);
}

void raw_start(struct raw_guest *guest)
{
	uint64_t control = 0, sint = 0;

	raw_set_msr(guest, 0, HV_MSR_GUEST_OS_ID, HV_OS_ID_OPEN_SOURCE | 1);
	set_page(guest, 0, HV_MSR_HYPERCALL, RAW_HYPERCALL);
	for (uint32_t vp = 0; vp < RAW_VPS; vp++) {
		set_page(guest, vp, HV_MSR_SIMP, RAW_SIMP + vp);
		set_page(guest, vp, HV_MSR_SIEFP, RAW_SIEFP + vp);
		(void)hvh_msr_read(guest->host, guest->now, vp, HV_MSR_SINT0 + VMBUS_SINT, &sint);
		raw_set_msr(guest, vp, HV_MSR_SINT0 + VMBUS_SINT, (sint & ~HV_SINT_DEFINED_MASK) | VECTOR);
		(void)hvh_msr_read(guest->host, guest->now, vp, HV_MSR_SCONTROL, &control);
		raw_set_msr(guest, vp, HV_MSR_SCONTROL, control | HV_SCONTROL_ENABLE);
	}
	guest->connection = VMBUS_CONNECTION_MESSAGE;
}

void raw_contact(struct raw_guest *guest, uint32_t version)
{
	struct vmbus_initiate_contact contact = {
		.header = {VMBUS_MSG_INITIATE_CONTACT, 0},
		.version = version,
		.interrupt_page_or_target = version >= VMBUS_VERSION_5_0 ? VMBUS_SINT
									 : address(RAW_INTERRUPT),
		.monitor_page_host_to_guest = address(RAW_MONITOR),
		.monitor_page_guest_to_host = address(RAW_MONITOR + 1),
	};

	guest->connection = version >= VMBUS_VERSION_5_0 ? VMBUS_CONNECTION_MESSAGE_V5
							 : VMBUS_CONNECTION_MESSAGE;
	if (ask(guest, &contact, sizeof(contact), VMBUS_MSG_VERSION_RESPONSE) &&
	    version >= VMBUS_VERSION_5_0 && guest->message[8] != 0)
		guest->connection = word(guest, 12);
}

void raw_connect(struct raw_guest *guest)
{
	const struct vmbus_message_header request = {VMBUS_MSG_REQUEST_OFFERS, 0};

	raw_start(guest);
	raw_contact(guest, guest->profile.accept_newest);
	if (ask(guest, &request, sizeof(request), VMBUS_MSG_OFFER_CHANNEL)) {
		guest->channel = word(guest, 184);
		guest->event_connection = guest->profile.accept_newest > VMBUS_VERSION_0_13
						  ? word(guest, 192)
						  : VMBUS_CONNECTION_EVENT;
	}
	for (uint32_t i = 0; i < TAKES_MAX && raw_take(guest, 0) != VMBUS_MSG_ALL_OFFERS_DELIVERED; i++)
		raw_pass(guest, HVH_TIME_PER_MS);
}

void raw_gpadl(struct raw_guest *guest, uint32_t id, uint32_t page, uint32_t pages)
{
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
	struct vmbus_gpadl_header header = {
		.header = {VMBUS_MSG_GPADL_HEADER, 0},
		.channel_id = guest->channel,
		.gpadl = id,
		.range_buffer_length = (uint16_t)(8 + 8 * pages),
		.range_count = 1,
		.byte_count = pages * HVK_PAGE_SIZE,
	};

	FUZZ_CHECK(pages <= VMBUS_GPADL_HEADER_PFNS);
	memcpy(bytes, &header, sizeof(header));
	for (uint32_t i = 0; i < pages; i++) {
		uint64_t pfn = page + i;

		memcpy(bytes + sizeof(header) + 8 * i, &pfn, sizeof(pfn));
	}
	(void)ask(guest, bytes, (uint32_t)sizeof(header) + 8 * pages, VMBUS_MSG_GPADL_CREATED);
}

void raw_open(struct raw_guest *guest)
{
	struct vmbus_open_channel open = {
		.header = {VMBUS_MSG_OPEN_CHANNEL, 0},
		.channel_id = guest->channel,
		.open_id = guest->channel,
		.ring_gpadl = guest->ring_gpadl,
		.downstream_page_offset = RAW_DOWNSTREAM,
	};

	raw_gpadl(guest, guest->ring_gpadl, guest->ring, RAW_RING_PAGES);
	(void)ask(guest, &open, sizeof(open), VMBUS_MSG_OPEN_RESULT);
}

void raw_negotiate(struct raw_guest *guest, uint32_t version)
{
	const struct nvs_init init = {NVS_TYPE_INIT, version, version};
	const struct nvs_ndis_config config = {.type = NVS_TYPE_NDIS_CONFIG,
					       .mtu = 1514,
					       .capabilities_low = NVS_NDIS_CAPABILITY_VLAN |
								   NVS_NDIS_CAPABILITY_RSC};
	const struct nvs_ndis_version ndis = {NVS_TYPE_NDIS_VERSION, 6, version > NVS_VERSION_4 ? 30 : 1};
	const struct nvs_buffer receive = {NVS_TYPE_RECEIVE_BUFFER, RAW_GPADL_RECEIVE,
					   NVS_RECEIVE_PAGE_SET_ID, 0};
	const struct nvs_buffer send = {NVS_TYPE_SEND_BUFFER, RAW_GPADL_SEND, NVS_SEND_PAGE_SET_ID, 0};

	raw_gpadl(guest, RAW_GPADL_RECEIVE, RAW_RECEIVE, RAW_RECEIVE_PAGES);
	raw_gpadl(guest, RAW_GPADL_SEND, RAW_SEND, RAW_SEND_PAGES);
	raw_nvs(guest, &init, sizeof(init));
	if (version >= NVS_VERSION_2)
		raw_nvs(guest, &config, sizeof(config));
	raw_nvs(guest, &ndis, sizeof(ndis));
	raw_nvs(guest, &receive, sizeof(receive));
	raw_nvs(guest, &send, sizeof(send));
	raw_pass(guest, HVH_TIME_PER_MS);
	raw_drain(guest);
}

void raw_initialize(struct raw_guest *guest)
{
	const struct rndis_initialize initialize = {
		{RNDIS_MSG_INITIALIZE, sizeof(struct rndis_initialize)}, 1, 1, 0, 0x4000};
	const struct {
		struct rndis_request request;
		uint32_t filter;
	} set = {{{RNDIS_MSG_SET, 32}, 2, RNDIS_OID_GEN_CURRENT_PACKET_FILTER, 4, 20, 0},
		 RNDIS_FILTER_PROMISCUOUS};

	raw_rndis(guest, NVS_CHANNEL_CONTROL, &initialize, sizeof(initialize));
	raw_pass(guest, 20 * HVH_TIME_PER_MS);
	raw_drain(guest);
	raw_rndis(guest, NVS_CHANNEL_CONTROL, &set, sizeof(set));
	raw_pass(guest, 20 * HVH_TIME_PER_MS);
	raw_drain(guest);
}
