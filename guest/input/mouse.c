/* SPDX-License-Identifier: MIT */
/* The mouse: creating it, bring-up, receive. Sources: Linux hid-hyperv.c, FreeBSD hv_hid.c, OpenVMM. */
#include "guest/input/input.h"

#define EVENT_RESPONSE HVK_STEPS_OWN
#define EVENT_INFO (HVK_STEPS_OWN + 1u)
#define PACKET_MAX 8192u
#define REPORT_TYPE 0x22u

struct hvk_mouse {
	struct hvk_device device; /* first */
	struct hvk_mouse_config config;
	struct hvk_mouse_info info;
	struct mouse_layout layout;
	bool described; /* the host may send it before we wait for it */
	uint64_t reports, odd_reports;
	uint8_t descriptor[HVK_MOUSE_DESCRIPTOR_MAX];
};

/* --- Bring-up ----------------------------------------------------------------------------------------- */

static hvk_status send_message(struct hvk_mouse *mouse, const void *message, uint32_t length)
{
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, length};
	uint8_t bytes[32];

	HVK_ASSERT(length <= sizeof(bytes) - sizeof(pipe));
	memcpy(bytes, &pipe, sizeof(pipe));
	memcpy(bytes + sizeof(pipe), message, length);
	/* Answers are packets of their own; completions are asked for because Linux does. */
	return hvk_channel_send(mouse->device.channel, bytes, (uint32_t)sizeof(pipe) + length, true, mouse);
}

static hvk_status begin_protocol(void *context)
{
	static const struct mouse_protocol_request request = {{MOUSE_PROTOCOL_REQUEST, sizeof(uint32_t)},
							      MOUSE_VERSION_2_0};
	struct hvk_mouse *mouse = context;
	hvk_status status = send_message(mouse, &request, sizeof(request));

	if (status != HVK_OK)
		return status;
	mouse->described = false;
	mouse->device.steps.event = EVENT_RESPONSE;
	return HVK_EINPROGRESS;
}

static hvk_status protocol_answered(void *context, const struct hvk_answer *answer)
{
	struct mouse_protocol_response response = {.approved = 0};

	(void)context;
	if (answer->length < MOUSE_PROTOCOL_RESPONSE_SIZE_MIN)
		return HVK_EHOST_INPUT;
	memcpy(&response, answer->payload, hvk_min32(answer->length, sizeof(response)));
	return response.approved ? HVK_OK : HVK_EREFUSED_INPUT;
}

static hvk_status begin_info(void *context)
{
	struct hvk_mouse *mouse = context;

	if (mouse->described)
		return HVK_OK;
	mouse->device.steps.event = EVENT_INFO;
	return HVK_EINPROGRESS;
}

static hvk_status begin_ack(void *context)
{
	static const struct mouse_device_info_ack ack = {.header = {MOUSE_DEVICE_INFO_ACK, 1}};

	return send_message(context, &ack, sizeof(ack));
}

/* clang-format off */
static const struct hvk_step attach_steps[] = {
	HVK_DEVICE_OPEN,
	{"PROTOCOL_REQUEST", NULL, begin_protocol, protocol_answered,
	 HVK_DEVICE_WAIT, HVK_ETIMEDOUT_INPUT, false},
	{"DEVICE_INFO", NULL, begin_info, NULL, HVK_DEVICE_WAIT, HVK_ETIMEDOUT_INPUT, false},
	{"DEVICE_INFO_ACK", NULL, begin_ack, NULL, HVK_DEVICE_WAIT, HVK_ETIMEDOUT_INPUT, false},
};
/* clang-format on */
static const struct hvk_sequence attach_sequence = {attach_steps, 4, hvk_device_attach_failed,
						    hvk_device_is_up};

/* --- Receive ------------------------------------------------------------------------------------------ */

/* False: shorter than it says, or no report descriptor, or too large a one. */
static bool parse_info(struct hvk_mouse *mouse, const uint8_t *message, uint32_t length)
{
	struct mouse_device_attributes attributes;
	struct hid_descriptor hid;
	const uint32_t hid_at = sizeof(struct mouse_header) + sizeof(attributes);
	uint32_t report_length;

	if (length < MOUSE_DEVICE_INFO_SIZE_MIN)
		return false;
	memcpy(&attributes, message + sizeof(struct mouse_header), sizeof(attributes));
	memcpy(&hid, message + hid_at, sizeof(hid));
	report_length = hid.report_length[0] | (uint32_t)hid.report_length[1] << 8;
	if (hid.length < sizeof(hid) || hid.report_type != REPORT_TYPE || report_length == 0 ||
	    report_length > sizeof(mouse->descriptor) ||
	    !hvk_fits(hid_at + hid.length, report_length, length))
		return false;
	memcpy(mouse->descriptor, message + hid_at + hid.length, report_length);
	mouse->info = (struct hvk_mouse_info){
		.vendor = attributes.vendor,
		.product = attributes.product,
		.version = attributes.version,
		.descriptor = mouse->descriptor,
		.descriptor_length = report_length,
		.understood = hvk_mouse_parse_descriptor(mouse->descriptor, report_length, &mouse->layout),
	};
	return true;
}

/* A second one changes nothing under a user who has the first. */
static void take_info(struct hvk_mouse *mouse, const uint8_t *message, uint32_t length)
{
	struct hvk_answer answer = {HVK_OK, message, length};

	if (mouse->described || mouse->device.life != HVK_DEVICE_ATTACHING) {
		hvk_device_fault(&mouse->device, HVK_EHOST_DUPLICATE, "a second DEVICE_INFO");
		return;
	}
	mouse->described = parse_info(mouse, message, length);
	if (!mouse->described)
		answer.status = HVK_EHOST_INPUT;
	if (!mouse->described && mouse->device.steps.event != EVENT_INFO)
		hvk_device_fault(&mouse->device, HVK_EHOST_INPUT, "DEVICE_INFO that cannot be");
	hvk_steps_answer(&mouse->device.steps, EVENT_INFO, &answer);
}

static void take_report(struct hvk_mouse *mouse, const uint8_t *report, uint32_t length)
{
	struct hvk_mouse_event event;

	if (mouse->device.life != HVK_DEVICE_ATTACHED)
		return;
	if (length == 0 || length > HVK_MOUSE_REPORT_MAX) {
		hvk_device_fault(&mouse->device, HVK_EHOST_INPUT,
				 "INPUT_REPORT of no size that reports have");
		return;
	}
	mouse->reports++;
	if (mouse->config.report)
		mouse->config.report(mouse->config.context, mouse, report, length);
	if (!mouse->info.understood)
		return;
	if (!hvk_mouse_parse_report(&mouse->layout, report, length, &event))
		mouse->odd_reports++;
	else if (mouse->config.move)
		mouse->config.move(mouse->config.context, mouse, &event);
}

/* The message inside the pipe's packet; its size is what its header says. */
static const uint8_t *find_message(const struct hvk_packet *packet, struct mouse_header *header)
{
	struct pipe_header pipe;

	if (packet->payload_length < sizeof(pipe) + sizeof(*header))
		return NULL;
	memcpy(&pipe, packet->payload, sizeof(pipe));
	memcpy(header, packet->payload + sizeof(pipe), sizeof(*header));
	if (pipe.type != PIPE_MESSAGE_DATA || pipe.size < sizeof(*header) ||
	    pipe.size > packet->payload_length - sizeof(pipe) || header->size > pipe.size - sizeof(*header))
		return NULL;
	return packet->payload + sizeof(pipe);
}

static void take(void *context, const struct hvk_packet *packet)
{
	struct hvk_mouse *mouse = context;
	struct mouse_header header;
	const uint8_t *message = find_message(packet, &header);
	struct hvk_answer answer = {HVK_OK, message, (uint32_t)sizeof(header)};

	if (!message) {
		hvk_device_fault(&mouse->device, HVK_EHOST_INPUT, "packet without a message");
		return;
	}
	answer.length += header.size;
	switch (header.type) {
	case MOUSE_PROTOCOL_RESPONSE:
		hvk_steps_answer(&mouse->device.steps, EVENT_RESPONSE, &answer);
		break;
	case MOUSE_DEVICE_INFO:
		take_info(mouse, message, answer.length);
		break;
	case MOUSE_INPUT_REPORT:
		take_report(mouse, message + sizeof(header), header.size);
		break;
	default:
		mouse->device.unknown++;
		break;
	}
}

static void gone(void *context)
{
	struct hvk_mouse *mouse = context;

	if (mouse->config.gone)
		mouse->config.gone(mouse->config.context, mouse);
}

static const struct hvk_device_kind kind = {
	.name = "mouse",
	.ring_pages = 4,
	.packet_max = PACKET_MAX,
	.attach = &attach_sequence,
	.take = take,
	.gone = gone,
};

/* --- Public ------------------------------------------------------------------------------------------- */

hvk_status hvk_mouse_create(struct hvk_channel *channel, const struct hvk_mouse_config *config,
			    struct hvk_mouse **out)
{
	static const struct vmbus_guid type = VMBUS_GUID_MOUSE;
	struct hvk_device *device;
	hvk_status status;

	*out = NULL;
	if (memcmp(&hvk_channel_offer(channel)->type, &type, sizeof(type)) != 0)
		return HVK_EINVAL;
	status = hvk_device_create(channel, &kind, config->cpu, sizeof(struct hvk_mouse), &device);
	if (status != HVK_OK)
		return status;
	*out = (struct hvk_mouse *)device;
	(*out)->config = *config;
	return HVK_OK;
}

void hvk_mouse_attach(struct hvk_mouse *mouse, struct hvk_request *request)
{
	hvk_device_attach(&mouse->device, request);
}

void hvk_mouse_detach(struct hvk_mouse *mouse, struct hvk_request *request)
{
	hvk_device_detach(&mouse->device, request);
}

hvk_status hvk_mouse_destroy(struct hvk_mouse *mouse)
{
	return hvk_device_destroy(&mouse->device);
}

struct hvk_channel *hvk_mouse_channel(struct hvk_mouse *mouse)
{
	return mouse->device.channel;
}

void hvk_mouse_get_info(const struct hvk_mouse *mouse, struct hvk_mouse_info *out)
{
	*out = mouse->info;
}

void hvk_mouse_dump(struct hvk_mouse *mouse, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};

	hvk_dump_begin(&dump, "mouse");
	hvk_device_dump(&dump, &mouse->device);
	hvk_dump_value(&dump, "vendor", "0x%04x", (unsigned)mouse->info.vendor);
	hvk_dump_value(&dump, "product", "0x%04x", (unsigned)mouse->info.product);
	hvk_dump_number(&dump, "descriptor-bytes", mouse->info.descriptor_length);
	hvk_dump_flag(&dump, "understood", mouse->info.understood);
	hvk_dump_number(&dump, "reports", mouse->reports);
	hvk_dump_number(&dump, "odd-reports", mouse->odd_reports);
	hvk_dump_end(&dump);
}
