/* SPDX-License-Identifier: MIT */
/*
 * The scripted firmware: registers, messages and their order are those of mu_msvm. Everything that it does
 * goes through the doors that a guest has.
 */
#include "hvkit_host/firmware.h"

#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "hvkit/wire/vmbus.h"

#define VECTOR 0x41u /* mu_msvm's on x64 */
#define GPADL_FIRST 1u
#define RETRY HVH_TIME_PER_MS
#define MESSAGES_PER_RUN 32u
#define SLOT_FLAGS 5u
#define DOWNSTREAM_PAGE (HVH_FIRMWARE_CHANNEL_PAGES / 2u)

enum page { PAGE_HYPERCALL, PAGE_INPUT, PAGE_MESSAGES, PAGE_EVENTS };

enum step {
	STEP_CONTACT,
	STEP_OFFERS,
	STEP_GPADL, /* of channel number `opening` */
	STEP_OPEN,
	STEP_IDLE,
	STEP_UNLOAD
};

struct hvh_firmware {
	struct hvh_partition *partition;
	uint64_t pages[HVH_FIRMWARE_PAGES + HVH_FIRMWARE_CHANNELS_MAX * HVH_FIRMWARE_CHANNEL_PAGES];
	uint32_t channels_max;
	bool keeps_identity;
	enum hvh_firmware_state state;
	enum step step;
	uint32_t version;
	uint32_t offered[HVH_FIRMWARE_CHANNELS_MAX];
	uint32_t offered_count, opening, open;
	/* What is to be posted. */
	uint8_t message[HV_MESSAGE_PAYLOAD_MAX];
	uint32_t message_size, connection, message_connection;
	uint64_t post_at;
};

/* --- Its doors --------------------------------------------------------------------------------- */

static uint64_t read_register(struct hvh_firmware *firmware, uint32_t msr)
{
	struct hvh_partition *partition = firmware->partition;
	uint64_t value = 0;

	(void)hvh_msr_read(partition, partition->now, 0, msr, &value);
	return value;
}

static void write_register(struct hvh_firmware *firmware, uint32_t msr, uint64_t value)
{
	struct hvh_partition *partition = firmware->partition;

	partition->firmware_speaks = true;
	(void)hvh_msr_write(partition, partition->now, 0, msr, value);
	partition->firmware_speaks = false;
}

/* Reserved bits as they are. */
static void write_page(struct hvh_firmware *firmware, uint32_t msr, uint64_t value)
{
	uint64_t mask = msr == HV_MSR_HYPERCALL ? HV_HYPERCALL_RESERVED_MASK : HV_PAGE_RESERVED_MASK;

	write_register(firmware, msr, value | (read_register(firmware, msr) & mask));
}

static void write_sint(struct hvh_firmware *firmware, uint32_t sint, uint64_t value)
{
	uint32_t msr = HV_MSR_SINT0 + sint;

	write_register(firmware, msr, value | (read_register(firmware, msr) & ~HV_SINT_DEFINED_MASK));
}

/* Taken: nothing waits to be posted any more. */
static void post(struct hvh_firmware *firmware, uint64_t now)
{
	struct hvh_partition *partition = firmware->partition;
	struct hv_post_message_input input = {
		.connection_id = firmware->connection,
		.message_type = HV_MESSAGE_VMBUS,
		.payload_size = firmware->message_size,
	};
	uint64_t status;
	bool valid;

	memcpy(input.payload, firmware->message, firmware->message_size);
	(void)hvh_memory_write(partition, firmware->pages[PAGE_INPUT], &input, sizeof(input));
	partition->firmware_speaks = true;
	status = hvh_hypercall(partition, now, 0, HV_CALL_POST_MESSAGE, firmware->pages[PAGE_INPUT], 0,
			       &valid);
	partition->firmware_speaks = false;
	if (valid && (status & HV_CALL_STATUS_MASK) == HV_STATUS_SUCCESS)
		firmware->message_size = 0;
	else
		firmware->post_at = now + RETRY;
}

static void say(struct hvh_firmware *firmware, uint64_t now, enum step step, const void *bytes, uint32_t size)
{
	firmware->step = step;
	firmware->connection = firmware->message_connection;
	firmware->message_size = size;
	memcpy(firmware->message, bytes, size);
	post(firmware, now);
}

static uint64_t slot_of(const struct hvh_firmware *firmware)
{
	return firmware->pages[PAGE_MESSAGES] + VMBUS_SINT * sizeof(struct hv_message);
}

static bool take(struct hvh_firmware *firmware, struct hv_message *message)
{
	struct hvh_partition *partition = firmware->partition;
	uint8_t flags = 0;

	if (!hvh_memory_read(partition, slot_of(firmware), message, sizeof(*message)) ||
	    message->type == HV_MESSAGE_NONE)
		return false;
	(void)hvh_memory_store32(partition, slot_of(firmware), HV_MESSAGE_NONE);
	hvh_memory_barrier();
	(void)hvh_memory_read(partition, slot_of(firmware) + SLOT_FLAGS, &flags, sizeof(flags));
	if ((flags & HV_MESSAGE_FLAG_PENDING) != 0)
		write_register(firmware, HV_MSR_EOM, 0);
	return true;
}

/* --- Coming -------------------------------------------------------------------------------------- */

static void contact(struct hvh_firmware *firmware, uint64_t now, uint32_t version)
{
	struct vmbus_initiate_contact message = {
		.header = {VMBUS_MSG_INITIATE_CONTACT, 0},
		.version = version,
	};

	if (version >= VMBUS_VERSION_5_0)
		message.interrupt_page_or_target = VMBUS_SINT;
	firmware->version = version;
	firmware->message_connection = VMBUS_CONNECTION_MESSAGE; /* whatever the version */
	say(firmware, now, STEP_CONTACT, &message, sizeof(message));
}

static void open_next(struct hvh_firmware *firmware, uint64_t now)
{
	uint32_t channel = firmware->opening;
	uint8_t bytes[sizeof(struct vmbus_gpadl_header) + HVH_FIRMWARE_CHANNEL_PAGES * sizeof(uint64_t)];
	struct vmbus_gpadl_header header = {
		.header = {VMBUS_MSG_GPADL_HEADER, 0},
		.gpadl = GPADL_FIRST + channel,
		.range_buffer_length = 8 + HVH_FIRMWARE_CHANNEL_PAGES * sizeof(uint64_t),
		.range_count = 1,
		.byte_count = HVH_FIRMWARE_CHANNEL_PAGES * HVK_PAGE_SIZE,
	};

	if (channel == firmware->offered_count || channel == firmware->channels_max) {
		firmware->step = STEP_IDLE;
		firmware->state = HVH_FIRMWARE_OWNS;
		return;
	}
	header.channel_id = firmware->offered[channel];
	memcpy(bytes, &header, sizeof(header));
	for (uint32_t n = 0; n < HVH_FIRMWARE_CHANNEL_PAGES; n++) {
		uint64_t gpa = firmware->pages[HVH_FIRMWARE_PAGES + channel * HVH_FIRMWARE_CHANNEL_PAGES + n];
		uint64_t frame = gpa / HVK_PAGE_SIZE;
		static const uint8_t zeros[HVK_PAGE_SIZE];

		(void)hvh_memory_write(firmware->partition, gpa, zeros, sizeof(zeros));
		memcpy(bytes + sizeof(header) + n * sizeof(frame), &frame, sizeof(frame));
	}
	say(firmware, now, STEP_GPADL, bytes, sizeof(bytes));
}

static void open_channel(struct hvh_firmware *firmware, uint64_t now)
{
	uint32_t id = firmware->offered[firmware->opening];
	struct vmbus_open_channel message = {
		.header = {VMBUS_MSG_OPEN_CHANNEL, 0},
		.channel_id = id,
		.open_id = id,
		.ring_gpadl = GPADL_FIRST + firmware->opening,
		.downstream_page_offset = DOWNSTREAM_PAGE,
	};

	say(firmware, now, STEP_OPEN, &message, sizeof(message));
}

static void take_on(struct hvh_firmware *firmware)
{
	struct hvh_partition *partition = firmware->partition;

	partition->firmware_owns = true;
	partition->hypervisor->vps[0].scontrol |= HV_SCONTROL_ENABLE; /* on at reset: OpenVMM */
	write_register(firmware, HV_MSR_GUEST_OS_ID, HV_OS_ID_FIRMWARE);
	write_page(firmware, HV_MSR_HYPERCALL, firmware->pages[PAGE_HYPERCALL] | HV_PAGE_ENABLE);
	write_page(firmware, HV_MSR_SIMP, firmware->pages[PAGE_MESSAGES] | HV_PAGE_ENABLE);
	write_page(firmware, HV_MSR_SIEFP, firmware->pages[PAGE_EVENTS] | HV_PAGE_ENABLE);
	write_sint(firmware, VMBUS_SINT, VECTOR);
}

/* --- Going --------------------------------------------------------------------------------------- */

static void give_back(struct hvh_firmware *firmware)
{
	static const uint8_t no_flags[HV_EVENT_FLAG_BYTES];
	struct hvh_partition *partition = firmware->partition;
	struct hv_message message;
	uint64_t value;

	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++) {
		if (!hvh_timer_read(partition, 0, HV_MSR_STIMER0_COUNT + 2 * n, &value))
			break;
		write_register(firmware, HV_MSR_STIMER0_COUNT + 2 * n, 0);
		write_register(firmware, HV_MSR_STIMER0_CONFIG + 2 * n, 0);
	}
	for (uint32_t n = 0; n < HV_SINT_COUNT; n++) {
		write_sint(firmware, n, HV_SINT_MASKED);
		if (n == VMBUS_SINT) {
			for (uint32_t i = 0; i < MESSAGES_PER_RUN && take(firmware, &message); i++) {
			}
		}
		(void)hvh_memory_write(partition, firmware->pages[PAGE_EVENTS] + n * HV_EVENT_FLAG_BYTES,
				       no_flags, sizeof(no_flags));
	}
	write_page(firmware, HV_MSR_SIMP, 0);
	write_page(firmware, HV_MSR_SIEFP, 0);
	write_page(firmware, HV_MSR_HYPERCALL, 0);
	if (!firmware->keeps_identity)
		write_register(firmware, HV_MSR_GUEST_OS_ID, 0);
	partition->firmware_owns = firmware->keeps_identity;
	firmware->state = HVH_FIRMWARE_GONE;
	firmware->step = STEP_IDLE;
}

/* --- Messages --------------------------------------------------------------------------------------- */

static void version_response(struct hvh_firmware *firmware, uint64_t now, const uint8_t *payload)
{
	struct vmbus_version_response response;

	memcpy(&response, payload, sizeof(response));
	if (firmware->step != STEP_CONTACT)
		return;
	if (!response.version_supported && firmware->version == HVH_FIRMWARE_VERSION) {
		contact(firmware, now, VMBUS_VERSION_3_0);
		return;
	}
	if (firmware->version >= VMBUS_VERSION_5_0)
		firmware->message_connection = response.version_or_connection_id;
	say(firmware, now, STEP_OFFERS, &(struct vmbus_message_header){VMBUS_MSG_REQUEST_OFFERS, 0},
	    sizeof(struct vmbus_message_header));
}

/* What is not awaited is dropped: left over, or a channel that comes or goes. */
static void hear(struct hvh_firmware *firmware, uint64_t now, const struct hv_message *message)
{
	uint32_t words[VMBUS_OFFER_SIZE / 4] = {0};

	memcpy(words, message->payload, sizeof(words));
	switch (words[0]) {
	case VMBUS_MSG_VERSION_RESPONSE:
		version_response(firmware, now, message->payload);
		break;
	case VMBUS_MSG_OFFER_CHANNEL:
		if (firmware->step == STEP_OFFERS && firmware->offered_count < HVH_FIRMWARE_CHANNELS_MAX)
			firmware->offered[firmware->offered_count++] =
				words[offsetof(struct vmbus_offer_channel, channel_id) / 4];
		break;
	case VMBUS_MSG_ALL_OFFERS_DELIVERED:
		if (firmware->step == STEP_OFFERS)
			open_next(firmware, now);
		break;
	case VMBUS_MSG_GPADL_CREATED:
		if (firmware->step == STEP_GPADL)
			open_channel(firmware, now);
		break;
	case VMBUS_MSG_OPEN_RESULT:
		if (firmware->step != STEP_OPEN)
			break;
		firmware->open += words[4] == 0; /* status */
		firmware->opening++;
		open_next(firmware, now);
		break;
	case VMBUS_MSG_UNLOAD_RESPONSE:
		if (firmware->step == STEP_UNLOAD)
			give_back(firmware);
		break;
	default:
		break;
	}
}

static bool message_waits(const struct hvh_firmware *firmware)
{
	uint32_t type = HV_MESSAGE_NONE;

	return firmware->state != HVH_FIRMWARE_GONE &&
	       hvh_memory_load32(firmware->partition, slot_of(firmware), &type) && type != HV_MESSAGE_NONE;
}

bool hvh_firmware_run(void *context, uint64_t now)
{
	struct hvh_firmware *firmware = context;
	struct hv_message message;

	now = hvh_clock(firmware->partition, now);
	if (firmware->partition->ended || firmware->state == HVH_FIRMWARE_GONE)
		return false;
	if (firmware->message_size != 0 && now >= firmware->post_at)
		post(firmware, now);
	for (uint32_t n = 0; n < MESSAGES_PER_RUN && firmware->message_size == 0; n++) {
		if (firmware->state == HVH_FIRMWARE_GONE || !take(firmware, &message))
			break;
		hear(firmware, now, &message);
	}
	return hvh_firmware_next_event(firmware) <= now;
}

uint64_t hvh_firmware_next_event(void *context)
{
	const struct hvh_firmware *firmware = context;

	if (firmware->partition->ended || firmware->state == HVH_FIRMWARE_GONE)
		return HVH_NEVER;
	if (firmware->message_size != 0)
		return firmware->post_at;
	return message_waits(firmware) ? firmware->partition->now : HVH_NEVER;
}

/* --- Life ------------------------------------------------------------------------------------------ */

struct hvh_firmware *hvh_firmware_create(struct hvh_partition *partition, uint64_t now,
					 const struct hvh_firmware_config *config)
{
	struct hvh_firmware *firmware;
	uint32_t channels;

	if (config->page_count < HVH_FIRMWARE_PAGES || !partition->profile.unload_works)
		return NULL;
	firmware = calloc(1, sizeof(*firmware));
	if (firmware == NULL)
		return NULL;
	channels = (config->page_count - HVH_FIRMWARE_PAGES) / HVH_FIRMWARE_CHANNEL_PAGES;
	firmware->channels_max = channels < HVH_FIRMWARE_CHANNELS_MAX ? channels : HVH_FIRMWARE_CHANNELS_MAX;
	memcpy(firmware->pages, config->pages,
	       (HVH_FIRMWARE_PAGES + firmware->channels_max * HVH_FIRMWARE_CHANNEL_PAGES) * sizeof(uint64_t));
	firmware->partition = partition;
	firmware->keeps_identity = config->keeps_identity;
	now = hvh_clock(partition, now);
	take_on(firmware);
	contact(firmware, now, HVH_FIRMWARE_VERSION);
	return firmware;
}

void hvh_firmware_destroy(struct hvh_firmware *firmware)
{
	free(firmware);
}

void hvh_firmware_exit_boot_services(struct hvh_firmware *firmware, uint64_t now)
{
	if (firmware->state != HVH_FIRMWARE_OWNS)
		return;
	firmware->state = HVH_FIRMWARE_LEAVING;
	say(firmware, hvh_clock(firmware->partition, now), STEP_UNLOAD,
	    &(struct vmbus_message_header){VMBUS_MSG_UNLOAD, 0}, sizeof(struct vmbus_message_header));
}

enum hvh_firmware_state hvh_firmware_get_state(const struct hvh_firmware *firmware)
{
	return firmware->state;
}

uint32_t hvh_firmware_version(const struct hvh_firmware *firmware)
{
	return firmware->state == HVH_FIRMWARE_STARTING ? 0 : firmware->version;
}

uint32_t hvh_firmware_channels(const struct hvh_firmware *firmware)
{
	return firmware->open;
}
