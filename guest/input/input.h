/* SPDX-License-Identifier: MIT */
/*
 * input: what its files call of each other. Private to guest/input.
 *
 *   keyboard.c         the keyboard: creating it, bring-up, receive, LEDs
 *   keys.c             strokes to keys by a layout table
 *   layout_us.c, layout_german.c
 *   mouse.c            the mouse: creating it, bring-up, receive
 *   report.c           HID report descriptors, as far as a mouse needs them
 */
#ifndef HVK_INPUT_INPUT_H
#define HVK_INPUT_INPUT_H

#include "guest/device/device.h"
#include "hvkit/input.h"

/* --- keys.c ------------------------------------------------------------------------------------ */

/* Keys that are held, and locks. */
struct keyboard_state {
	uint32_t held; /* HVK_MODIFIER_SHIFT and following, without locks; a bit per side, see keys.c */
	uint32_t locks;
	uint32_t locks_down; /* lock keys that are held: a repeat does not switch again */
	uint32_t pause;      /* what of the Pause key's two strokes has come */
	uint16_t high;       /* first half of a surrogate pair; 0: none */
};

/* What the stroke means. False: nothing yet, or a part of something. lock_changed says that locks have. */
bool hvk_keys_translate(struct keyboard_state *state, const struct hvk_keyboard_layout *layout,
			const struct hvk_keystroke *stroke, struct hvk_key_event *event);

/* --- report.c ------------------------------------------------------------------------------------- */

/* Where a field is in a report: bits from its beginning, the report id's byte included. */
struct mouse_field {
	uint32_t offset, bits; /* bits 0: there is none */
	int32_t minimum, maximum;
};

struct mouse_layout {
	uint8_t id; /* of the report, its first byte; 0: reports have none */
	struct mouse_field buttons[3], x, y, wheel;
	uint32_t bits; /* of the whole report */
};

/* The first report with absolute X and Y in a descriptor. False: there is none, or it cannot be read. */
bool hvk_mouse_parse_descriptor(const uint8_t *descriptor, uint32_t length, struct mouse_layout *out);
/* False: another report, or too short. */
bool hvk_mouse_parse_report(const struct mouse_layout *layout, const uint8_t *report, uint32_t length,
			    struct hvk_mouse_event *out);

#endif
