/* SPDX-License-Identifier: MIT */
/*
 * The synthetic keyboard and mouse. Sources: Linux hyperv-keyboard.c and hid-hyperv.c,
 * FreeBSD hv_kbd.c and hv_hid.c, OpenVMM uidevices.
 */
#ifndef HVKIT_WIRE_INPUT_H
#define HVKIT_WIRE_INPUT_H

#include "wire.h"

/* --- Keyboard: in-band packets without a pipe header -------------------------------- */

#define KEYBOARD_PROTOCOL_REQUEST 1u
#define KEYBOARD_PROTOCOL_RESPONSE 2u
#define KEYBOARD_EVENT 3u
#define KEYBOARD_LEDS 4u
#define KEYBOARD_VERSION_1_0 0x00010000u

struct keyboard_protocol_request {
	uint32_t type;
	uint32_t version;
};
HVK_WIRE_SIZE(struct keyboard_protocol_request, 8);

#define KEYBOARD_ACCEPTED 1u

struct keyboard_protocol_response {
	uint32_t type;
	uint32_t status; /* bit 0: accepted */
};
HVK_WIRE_SIZE(struct keyboard_protocol_response, 8);

#define KEYBOARD_UNICODE (1u << 0) /* make_code is a UTF-16 unit: text that the host types */
#define KEYBOARD_BREAK (1u << 1)
#define KEYBOARD_E0 (1u << 2)
#define KEYBOARD_E1 (1u << 3)

struct keyboard_event {
	uint32_t type;
	uint16_t make_code; /* AT set 1, 7 bits */
	uint16_t reserved;
	uint32_t info;
};
HVK_WIRE_SIZE(struct keyboard_event, 12);

#define KEYBOARD_LED_SCROLL (1u << 0)
#define KEYBOARD_LED_NUM (1u << 1)
#define KEYBOARD_LED_CAPS (1u << 2)

struct keyboard_leds {
	uint32_t type;
	uint16_t flags;
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct keyboard_leds, 8);

/* --- Mouse: a pipe header before each message ---------------------------------------- */

#define PIPE_MODE_MESSAGE 4u /* first byte of the user data of a pipe's offer (OpenVMM) */
#define PIPE_MESSAGE_DATA 1u

struct pipe_header {
	uint32_t type; /* PIPE_MESSAGE_DATA */
	uint32_t size; /* of what follows */
};
HVK_WIRE_SIZE(struct pipe_header, 8);

#define MOUSE_PROTOCOL_REQUEST 0u
#define MOUSE_PROTOCOL_RESPONSE 1u
#define MOUSE_DEVICE_INFO 2u
#define MOUSE_DEVICE_INFO_ACK 3u
#define MOUSE_INPUT_REPORT 4u
#define MOUSE_VERSION_2_0 0x00020000u

struct mouse_header {
	uint32_t type;
	uint32_t size; /* of what follows */
};
HVK_WIRE_SIZE(struct mouse_header, 8);

struct mouse_protocol_request {
	struct mouse_header header;
	uint32_t version;
};
HVK_WIRE_SIZE(struct mouse_protocol_request, 12);

struct mouse_protocol_response {
	struct mouse_header header;
	uint32_t version;
	uint8_t approved;
	uint8_t padding[3];
};
HVK_WIRE_SIZE(struct mouse_protocol_response, 16);
#define MOUSE_PROTOCOL_RESPONSE_SIZE_MIN 13u

struct mouse_device_attributes {
	uint32_t size; /* 32 */
	uint16_t vendor, product, version;
	uint16_t reserved[11];
};
HVK_WIRE_SIZE(struct mouse_device_attributes, 32);

struct hid_descriptor { /* HID 1.11, 6.2.1; then the report descriptor */
	uint8_t length;
	uint8_t type; /* 0x21 */
	uint8_t version[2];
	uint8_t country;
	uint8_t descriptor_count;
	uint8_t report_type; /* 0x22 */
	uint8_t report_length[2];
};
HVK_WIRE_SIZE(struct hid_descriptor, 9);

struct mouse_device_info {
	struct mouse_header header;
	struct mouse_device_attributes attributes;
	struct hid_descriptor hid; /* and its report descriptor */
};
/* 49 bytes; C pads it to 52: copy the parts. */
#define MOUSE_DEVICE_INFO_SIZE_MIN 49u

struct mouse_device_info_ack {
	struct mouse_header header;
	uint8_t reserved;
	uint8_t padding[3];
};
HVK_WIRE_SIZE(struct mouse_device_info_ack, 12);

#endif
