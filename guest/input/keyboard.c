/* SPDX-License-Identifier: MIT */
/* The keyboard: creating it, bring-up, receive, LEDs. Sources: Linux hyperv-keyboard.c, OpenVMM uidevices. */
#include "guest/input/input.h"

#define EVENT_RESPONSE HVK_STEPS_OWN
#define LOCKS (HVK_MODIFIER_CAPS | HVK_MODIFIER_NUM | HVK_MODIFIER_SCROLL)
#define PACKET_MAX 128u

struct hvk_keyboard {
	struct hvk_device device; /* first */
	struct hvk_keyboard_config config;
	struct keyboard_state state; /* locks: under the device's lock */
	bool leds_owed;              /* likewise */
	uint64_t strokes, leds_sent;
};

/* --- Bring-up --------------------------------------------------------------------------------------- */

static hvk_status begin_protocol(void *context)
{
	static const struct keyboard_protocol_request request = {KEYBOARD_PROTOCOL_REQUEST,
								 KEYBOARD_VERSION_1_0};
	struct hvk_keyboard *keyboard = context;
	/* The answer is a packet of its own; a completion is asked for because Linux does. */
	hvk_status status = hvk_channel_send(keyboard->device.channel, &request, sizeof(request), true,
					     keyboard);

	if (status != HVK_OK)
		return status;
	keyboard->device.steps.event = EVENT_RESPONSE;
	return HVK_EINPROGRESS;
}

static hvk_status protocol_answered(void *context, const struct hvk_answer *answer)
{
	struct keyboard_protocol_response response;
	struct hvk_keyboard *keyboard = context;

	if (answer->length < sizeof(response))
		return HVK_EHOST_INPUT;
	memcpy(&response, answer->payload, sizeof(response));
	if ((response.status & KEYBOARD_ACCEPTED) == 0)
		return HVK_EREFUSED_INPUT;
	hvk_lock(keyboard->device.hvk, &keyboard->device.lock);
	keyboard->state = (struct keyboard_state){.locks = keyboard->state.locks};
	keyboard->leds_owed = true;
	hvk_unlock(keyboard->device.hvk, &keyboard->device.lock);
	return HVK_OK;
}

/* clang-format off */
static const struct hvk_step attach_steps[] = {
	HVK_DEVICE_OPEN,
	{"PROTOCOL_REQUEST", NULL, begin_protocol, protocol_answered,
	 HVK_DEVICE_WAIT, HVK_ETIMEDOUT_INPUT, false},
};
/* clang-format on */
static const struct hvk_sequence attach_sequence = {attach_steps, 2, hvk_device_attach_failed,
						    hvk_device_is_up};

/* --- Receive ---------------------------------------------------------------------------------------- */

static void translate(struct hvk_keyboard *keyboard, const struct hvk_keystroke *stroke)
{
	struct hvk_device *device = &keyboard->device;
	struct hvk_key_event event;
	uint32_t before;
	bool told;

	hvk_lock(device->hvk, &device->lock);
	before = keyboard->state.locks;
	told = hvk_keys_translate(&keyboard->state, keyboard->config.layout, stroke, &event);
	keyboard->leds_owed |= keyboard->state.locks != before;
	hvk_unlock(device->hvk, &device->lock);
	if (told && keyboard->config.key)
		keyboard->config.key(keyboard->config.context, keyboard, &event);
}

static void take_event(struct hvk_keyboard *keyboard, const struct hvk_packet *packet)
{
	struct hvk_keystroke stroke;
	struct keyboard_event event;

	if (packet->payload_length < sizeof(event)) {
		hvk_device_fault(&keyboard->device, HVK_EHOST_INPUT, "EVENT too short");
		return;
	}
	memcpy(&event, packet->payload, sizeof(event));
	stroke = (struct hvk_keystroke){
		.code = event.make_code,
		.released = (event.info & KEYBOARD_BREAK) != 0,
		.e0 = (event.info & KEYBOARD_E0) != 0,
		.e1 = (event.info & KEYBOARD_E1) != 0,
		.unicode = (event.info & KEYBOARD_UNICODE) != 0,
	};
	if (!stroke.unicode && stroke.code > 127) {
		hvk_device_fault(&keyboard->device, HVK_EHOST_INPUT, "EVENT with a code above 127");
		return;
	}
	keyboard->strokes++;
	if (keyboard->config.stroke)
		keyboard->config.stroke(keyboard->config.context, keyboard, &stroke);
	translate(keyboard, &stroke);
}

static void take(void *context, const struct hvk_packet *packet)
{
	const struct hvk_answer answer = {HVK_OK, packet->payload, packet->payload_length};
	struct hvk_keyboard *keyboard = context;
	uint32_t type = 0;

	if (packet->payload_length < sizeof(type)) {
		hvk_device_fault(&keyboard->device, HVK_EHOST_INPUT, "message without a type");
		return;
	}
	memcpy(&type, packet->payload, sizeof(type));
	if (type == KEYBOARD_PROTOCOL_RESPONSE)
		hvk_steps_answer(&keyboard->device.steps, EVENT_RESPONSE, &answer);
	else if (type != KEYBOARD_EVENT)
		keyboard->device.unknown++;
	else if (keyboard->device.life == HVK_DEVICE_ATTACHED)
		take_event(keyboard, packet);
}

static hvk_status send_leds(struct hvk_keyboard *keyboard, uint32_t locks)
{
	struct keyboard_leds leds = {.type = KEYBOARD_LEDS};

	leds.flags = (uint16_t)((locks & HVK_MODIFIER_SCROLL ? KEYBOARD_LED_SCROLL : 0) |
				(locks & HVK_MODIFIER_NUM ? KEYBOARD_LED_NUM : 0) |
				(locks & HVK_MODIFIER_CAPS ? KEYBOARD_LED_CAPS : 0));
	return hvk_channel_send(keyboard->device.channel, &leds, sizeof(leds), false, NULL);
}

static void work(void *context)
{
	struct hvk_keyboard *keyboard = context;
	struct hvk_device *device = &keyboard->device;
	uint32_t locks;
	bool owed;

	hvk_lock(device->hvk, &device->lock);
	owed = keyboard->leds_owed;
	locks = keyboard->state.locks;
	keyboard->leds_owed = false;
	hvk_unlock(device->hvk, &device->lock);
	if (!owed)
		return;
	if (send_leds(keyboard, locks) != HVK_EAGAIN) {
		keyboard->leds_sent++;
		return;
	}
	hvk_lock(device->hvk, &device->lock);
	keyboard->leds_owed = true;
	hvk_unlock(device->hvk, &device->lock);
}

static void gone(void *context)
{
	struct hvk_keyboard *keyboard = context;

	if (keyboard->config.gone)
		keyboard->config.gone(keyboard->config.context, keyboard);
}

static const struct hvk_device_kind kind = {
	.name = "keyboard",
	.ring_pages = 4,
	.packet_max = PACKET_MAX,
	.attach = &attach_sequence,
	.take = take,
	.work = work,
	.gone = gone,
};

/* --- Public ----------------------------------------------------------------------------------------- */

hvk_status hvk_keyboard_create(struct hvk_channel *channel, const struct hvk_keyboard_config *config,
			       struct hvk_keyboard **out)
{
	static const struct vmbus_guid type = VMBUS_GUID_KEYBOARD;
	struct hvk_keyboard *keyboard;
	struct hvk_device *device;
	hvk_status status;

	*out = NULL;
	if (memcmp(&hvk_channel_offer(channel)->type, &type, sizeof(type)) != 0)
		return HVK_EINVAL;
	status = hvk_device_create(channel, &kind, config->cpu, sizeof(*keyboard), &device);
	if (status != HVK_OK)
		return status;
	keyboard = (struct hvk_keyboard *)device;
	keyboard->config = *config;
	if (!keyboard->config.layout)
		keyboard->config.layout = &hvk_keyboard_us;
	*out = keyboard;
	return HVK_OK;
}

void hvk_keyboard_attach(struct hvk_keyboard *keyboard, struct hvk_request *request)
{
	hvk_device_attach(&keyboard->device, request);
}

void hvk_keyboard_detach(struct hvk_keyboard *keyboard, struct hvk_request *request)
{
	hvk_device_detach(&keyboard->device, request);
}

hvk_status hvk_keyboard_destroy(struct hvk_keyboard *keyboard)
{
	return hvk_device_destroy(&keyboard->device);
}

struct hvk_channel *hvk_keyboard_channel(struct hvk_keyboard *keyboard)
{
	return keyboard->device.channel;
}

uint32_t hvk_keyboard_locks(const struct hvk_keyboard *keyboard)
{
	return __atomic_load_n(&keyboard->state.locks, __ATOMIC_RELAXED);
}

hvk_status hvk_keyboard_set_locks(struct hvk_keyboard *keyboard, uint32_t locks)
{
	struct hvk_device *device = &keyboard->device;
	hvk_status status = HVK_ESTATE;

	if (locks & ~LOCKS)
		return HVK_EINVAL;
	hvk_lock(device->hvk, &device->lock);
	if (device->life == HVK_DEVICE_ATTACHED && !device->detach_wanted) {
		keyboard->state.locks = locks;
		keyboard->leds_owed = true;
		status = HVK_OK;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_OK)
		hvk_device_kick(device);
	return status;
}

void hvk_keyboard_dump(struct hvk_keyboard *keyboard, hvk_dump_line line, void *context)
{
	struct hvk_dump dump = {line, context, 0};

	hvk_dump_begin(&dump, "keyboard");
	hvk_device_dump(&dump, &keyboard->device);
	hvk_dump_value(&dump, "layout", "%s", keyboard->config.layout->name);
	hvk_dump_flag(&dump, "caps-lock", (keyboard->state.locks & HVK_MODIFIER_CAPS) != 0);
	hvk_dump_flag(&dump, "num-lock", (keyboard->state.locks & HVK_MODIFIER_NUM) != 0);
	hvk_dump_flag(&dump, "scroll-lock", (keyboard->state.locks & HVK_MODIFIER_SCROLL) != 0);
	hvk_dump_number(&dump, "strokes", keyboard->strokes);
	hvk_dump_number(&dump, "leds-sent", keyboard->leds_sent);
	hvk_dump_end(&dump);
}
