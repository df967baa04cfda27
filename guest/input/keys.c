/* SPDX-License-Identifier: MIT */
/* Strokes to keys: scan codes of AT set 1 by a layout table, modifiers, locks. */
#include "guest/input/input.h"

#define CODE_CONTROL 0x1du
#define CODE_SHIFT_LEFT 0x2au
#define CODE_SHIFT_RIGHT 0x36u
#define CODE_NUM_LOCK 0x45u
#define KEYPAD_FIRST 0x47u
#define KEYPAD_LAST 0x53u
#define REPLACEMENT_CHARACTER 0xfffdu

/* Bits of keyboard_state.held, one per key: the left one of a pair may be released before the right one. */
#define HELD(key) (1u << ((key)-HVK_KEY_SHIFT_LEFT))

static const struct {
	uint16_t code;
	uint32_t key;
} e0_keys[] = {
	{0x1c, '\n'},
	{0x1d, HVK_KEY_CONTROL_RIGHT},
	{0x35, '/'},
	{0x37, HVK_KEY_PRINT},
	{0x38, HVK_KEY_ALT_RIGHT},
	{0x46, HVK_KEY_PAUSE}, /* with Control */
	{0x47, HVK_KEY_HOME},
	{0x48, HVK_KEY_UP},
	{0x49, HVK_KEY_PAGE_UP},
	{0x4b, HVK_KEY_LEFT},
	{0x4d, HVK_KEY_RIGHT},
	{0x4f, HVK_KEY_END},
	{0x50, HVK_KEY_DOWN},
	{0x51, HVK_KEY_PAGE_DOWN},
	{0x52, HVK_KEY_INSERT},
	{0x53, HVK_KEY_DELETE},
	{0x5b, HVK_KEY_META_LEFT},
	{0x5c, HVK_KEY_META_RIGHT},
	{0x5d, HVK_KEY_MENU},
};

static uint32_t modifiers(const struct keyboard_state *state, const struct hvk_keyboard_layout *layout)
{
	uint32_t right_alt = layout->alt_gr ? HVK_MODIFIER_ALT_GR : HVK_MODIFIER_ALT;
	uint32_t found = state->locks;

	if (state->held & (HELD(HVK_KEY_SHIFT_LEFT) | HELD(HVK_KEY_SHIFT_RIGHT)))
		found |= HVK_MODIFIER_SHIFT;
	if (state->held & (HELD(HVK_KEY_CONTROL_LEFT) | HELD(HVK_KEY_CONTROL_RIGHT)))
		found |= HVK_MODIFIER_CONTROL;
	if (state->held & HELD(HVK_KEY_ALT_LEFT))
		found |= HVK_MODIFIER_ALT;
	if (state->held & HELD(HVK_KEY_ALT_RIGHT))
		found |= right_alt;
	if (state->held & (HELD(HVK_KEY_META_LEFT) | HELD(HVK_KEY_META_RIGHT)))
		found |= HVK_MODIFIER_META;
	return found;
}

static bool is_keypad(uint32_t code)
{
	return code >= KEYPAD_FIRST && code <= KEYPAD_LAST && code != 0x4a && code != 0x4e;
}

static uint32_t by_layout(const struct hvk_keyboard_layout *layout, uint32_t code, uint32_t held)
{
	bool shift = (held & HVK_MODIFIER_SHIFT) != 0;
	bool letter = (layout->letters[code / 32] >> code % 32 & 1u) != 0;

	if (held & HVK_MODIFIER_ALT_GR)
		return layout->keys[code][shift ? 3 : 2];
	if (is_keypad(code) && (held & HVK_MODIFIER_NUM) != 0)
		shift = !shift;
	if (letter && (held & HVK_MODIFIER_CAPS) != 0)
		shift = !shift;
	return layout->keys[code][shift ? 1 : 0];
}

static uint32_t by_e0(uint16_t code)
{
	for (size_t i = 0; i < sizeof(e0_keys) / sizeof(e0_keys[0]); i++) {
		if (e0_keys[i].code == code)
			return e0_keys[i].key;
	}
	return HVK_KEY_NONE;
}

static void switch_lock(struct keyboard_state *state, uint32_t lock, bool released)
{
	if (released)
		state->locks_down &= ~lock;
	else if ((state->locks_down & lock) == 0)
		state->locks ^= lock;
	if (!released)
		state->locks_down |= lock;
}

static void follow(struct keyboard_state *state, uint32_t key, bool released)
{
	if (key >= HVK_KEY_SHIFT_LEFT && key <= HVK_KEY_META_RIGHT)
		state->held = released ? state->held & ~HELD(key) : state->held | HELD(key);
	else if (key == HVK_KEY_CAPS_LOCK)
		switch_lock(state, HVK_MODIFIER_CAPS, released);
	else if (key == HVK_KEY_NUM_LOCK)
		switch_lock(state, HVK_MODIFIER_NUM, released);
	else if (key == HVK_KEY_SCROLL_LOCK)
		switch_lock(state, HVK_MODIFIER_SCROLL, released);
}

/* Text: UTF-16 units. A character beyond the first plane comes with its second unit, and has no release. */
static bool by_unit(struct keyboard_state *state, const struct hvk_keystroke *stroke, uint32_t *key)
{
	uint32_t high = state->high;
	bool is_high = stroke->code >= 0xd800 && stroke->code < 0xdc00;
	bool is_low = stroke->code >= 0xdc00 && stroke->code < 0xe000;

	if (stroke->released) {
		*key = stroke->code;
		return !is_high && !is_low;
	}
	state->high = is_high ? stroke->code : 0;
	*key = stroke->code;
	if (is_low)
		*key = high ? 0x10000u + ((high - 0xd800u) << 10) + (stroke->code - 0xdc00u)
			    : REPLACEMENT_CHARACTER;
	return !is_high;
}

bool hvk_keys_translate(struct keyboard_state *state, const struct hvk_keyboard_layout *layout,
			const struct hvk_keystroke *stroke, struct hvk_key_event *event)
{
	bool paused = state->pause != 0;
	uint32_t key;

	*event = (struct hvk_key_event){.released = stroke->released, .stroke = *stroke};
	if (stroke->unicode) {
		if (!by_unit(state, stroke, &event->key))
			return false;
		event->modifiers = modifiers(state, layout);
		return true;
	}
	if (stroke->code > 127)
		return false;
	/* Pause is E1 and the code of Control, then that of Num Lock. */
	state->pause = stroke->e1 && stroke->code == CODE_CONTROL;
	if (state->pause)
		return false;
	if (stroke->e0 && (stroke->code == CODE_SHIFT_LEFT || stroke->code == CODE_SHIFT_RIGHT))
		return false; /* around keys that a keyboard of 84 keys did not have */
	if (paused && !stroke->e0 && stroke->code == CODE_NUM_LOCK)
		key = HVK_KEY_PAUSE;
	else if (stroke->e0)
		key = by_e0(stroke->code);
	else if (stroke->e1)
		key = HVK_KEY_NONE;
	else
		key = by_layout(layout, stroke->code, modifiers(state, layout));
	follow(state, key, stroke->released);
	event->key = key;
	event->modifiers = modifiers(state, layout);
	return true;
}
