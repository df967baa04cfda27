/* SPDX-License-Identifier: MIT */
/* Keys by name and characters, as strokes: codes of AT set 1, where a keyboard for the US has them. */
#include <string.h>
#include <strings.h>

#include "host/input/input.h"

#define CODE_SHIFT 0x2au
#define CODE_CONTROL 0x1du
#define MODIFIERS_MAX 8u

struct key {
	const char *name;
	uint16_t code;
	uint16_t flags;
};

static const struct key modifier_names[] = {
	{"Shift", CODE_SHIFT, 0},
	{"RightShift", 0x36, 0},
	{"Ctrl", CODE_CONTROL, 0},
	{"Control", CODE_CONTROL, 0},
	{"RightCtrl", CODE_CONTROL, HVH_STROKE_E0},
	{"Alt", 0x38, 0},
	{"AltGr", 0x38, HVH_STROKE_E0},
	{"RightAlt", 0x38, HVH_STROKE_E0},
	{"Meta", 0x5b, HVH_STROKE_E0},
	{"Win", 0x5b, HVH_STROKE_E0},
	{"RightMeta", 0x5c, HVH_STROKE_E0},
};

static const struct key key_names[] = {
	{"Escape", 0x01, 0},
	{"Esc", 0x01, 0},
	{"Backspace", 0x0e, 0},
	{"Tab", 0x0f, 0},
	{"Enter", 0x1c, 0},
	{"Return", 0x1c, 0},
	{"Space", 0x39, 0},
	{"CapsLock", 0x3a, 0},
	{"NumLock", 0x45, 0},
	{"ScrollLock", 0x46, 0},
	{"F1", 0x3b, 0},
	{"F2", 0x3c, 0},
	{"F3", 0x3d, 0},
	{"F4", 0x3e, 0},
	{"F5", 0x3f, 0},
	{"F6", 0x40, 0},
	{"F7", 0x41, 0},
	{"F8", 0x42, 0},
	{"F9", 0x43, 0},
	{"F10", 0x44, 0},
	{"F11", 0x57, 0},
	{"F12", 0x58, 0},
	{"Home", 0x47, HVH_STROKE_E0},
	{"Up", 0x48, HVH_STROKE_E0},
	{"PageUp", 0x49, HVH_STROKE_E0},
	{"Left", 0x4b, HVH_STROKE_E0},
	{"Right", 0x4d, HVH_STROKE_E0},
	{"End", 0x4f, HVH_STROKE_E0},
	{"Down", 0x50, HVH_STROKE_E0},
	{"PageDown", 0x51, HVH_STROKE_E0},
	{"Insert", 0x52, HVH_STROKE_E0},
	{"Delete", 0x53, HVH_STROKE_E0},
	{"Del", 0x53, HVH_STROKE_E0},
	{"Print", 0x37, HVH_STROKE_E0},
	{"PrintScreen", 0x37, HVH_STROKE_E0},
	{"Break", 0x46, HVH_STROKE_E0},
	{"Menu", 0x5d, HVH_STROKE_E0},
	{"KeypadEnter", 0x1c, HVH_STROKE_E0},
	{"Keypad/", 0x35, HVH_STROKE_E0},
	{"Keypad*", 0x37, 0},
	{"Keypad-", 0x4a, 0},
	{"Keypad+", 0x4e, 0},
	{"Keypad.", 0x53, 0},
	{"Keypad0", 0x52, 0},
	{"Keypad1", 0x4f, 0},
	{"Keypad2", 0x50, 0},
	{"Keypad3", 0x51, 0},
	{"Keypad4", 0x4b, 0},
	{"Keypad5", 0x4c, 0},
	{"Keypad6", 0x4d, 0},
	{"Keypad7", 0x47, 0},
	{"Keypad8", 0x48, 0},
	{"Keypad9", 0x49, 0},
};

/* What rows of keys make, from a code on, without Shift and with it. */
static const struct {
	uint16_t code;
	const char *plain, *shifted;
} rows[] = {
	{0x02, "1234567890-=\b\t", "!@#$%^&*()_+"},
	{0x10, "qwertyuiop[]\n", "QWERTYUIOP{}"},
	{0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
	{0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
	{0x39, " ", ""},
	{0x01, "\033", ""},
	{0x1c, "\r", ""},
};

static void add(struct input_strokes *out, uint16_t code, uint32_t flags)
{
	if (out->count < KEYS_STROKES_MAX)
		out->strokes[out->count++] = (struct input_stroke){code, (uint16_t)flags};
}

/* A character that a key makes. */
static bool find_character(char character, uint16_t *code, bool *shifted)
{
	for (unsigned n = 0; character != '\0' && n < sizeof rows / sizeof rows[0]; n++) {
		const char *plain = strchr(rows[n].plain, character);
		const char *with_shift = strchr(rows[n].shifted, character);

		*shifted = plain == NULL;
		if (plain != NULL)
			*code = (uint16_t)(rows[n].code + (plain - rows[n].plain));
		else if (with_shift != NULL)
			*code = (uint16_t)(rows[n].code + (with_shift - rows[n].shifted));
		if (plain != NULL || with_shift != NULL)
			return true;
	}
	return false;
}

/* --- By name ------------------------------------------------------------------------------------- */

static const struct key *find(const struct key *keys, size_t count, const char *name, size_t length)
{
	for (size_t n = 0; n < count; n++)
		if (strlen(keys[n].name) == length && strncasecmp(keys[n].name, name, length) == 0)
			return &keys[n];
	return NULL;
}

#define FIND(keys, name, length) find(keys, sizeof(keys) / sizeof((keys)[0]), name, length)

/* Where the name of the modifier that text begins with ends; NULL: there is none. A '+' at the end is a
 * key. */
static const char *modifier_end(const char *text)
{
	const char *plus = strchr(text, '+');

	return plus != NULL && plus != text && plus[1] != '\0' ? plus : NULL;
}

/* E1 and the code of Control, then Num Lock's, and again when it is released. */
static void add_pause(struct input_strokes *out)
{
	add(out, CODE_CONTROL, HVH_STROKE_E1);
	add(out, 0x45, 0);
	add(out, CODE_CONTROL, HVH_STROKE_E1 | HVH_STROKE_RELEASED);
	add(out, 0x45, HVH_STROKE_RELEASED);
}

static void add_press(struct input_strokes *out, uint16_t code, uint32_t flags)
{
	add(out, code, flags);
	add(out, code, flags | HVH_STROKE_RELEASED);
}

/* With a modifier a letter is the cap's: Ctrl+C has no Shift. */
static bool add_character(const char *text, bool modified, struct input_strokes *out)
{
	bool shifted;
	uint16_t code;

	if (!find_character(*text, &code, &shifted))
		return false;
	shifted = shifted && !(modified && *text >= 'A' && *text <= 'Z');
	if (shifted)
		add(out, CODE_SHIFT, 0);
	add_press(out, code, 0);
	if (shifted)
		add(out, CODE_SHIFT, HVH_STROKE_RELEASED);
	return true;
}

static bool add_key(const char *name, bool modified, struct input_strokes *out)
{
	size_t length = strlen(name);
	const struct key *key = FIND(key_names, name, length);

	if (key == NULL)
		key = FIND(modifier_names, name, length);
	if (key != NULL)
		add_press(out, key->code, key->flags);
	else if (strcasecmp(name, "Pause") == 0)
		add_pause(out);
	else
		return length == 1 && add_character(name, modified, out);
	return true;
}

bool input_keys_by_name(const char *name, struct input_strokes *out)
{
	const struct key *held[MODIFIERS_MAX];
	uint32_t count = 0;

	out->count = 0;
	for (const char *end = modifier_end(name); end != NULL; end = modifier_end(name)) {
		const struct key *key = FIND(modifier_names, name, (size_t)(end - name));

		if (key == NULL || count == MODIFIERS_MAX)
			return false;
		held[count++] = key;
		add(out, key->code, key->flags);
		name = end + 1;
	}
	if (!add_key(name, count > 0, out))
		return false;
	while (count-- > 0)
		add(out, held[count]->code, held[count]->flags | HVH_STROKE_RELEASED);
	return true;
}

/* --- Characters ---------------------------------------------------------------------------------- */

uint32_t input_keys_by_character(const char *text, struct input_strokes *out)
{
	uint32_t point, length = hvh_utf8_decode(text, &point);

	out->count = 0;
	if (length == 0 || point == 0 || (point >= 0xd800 && point < 0xe000))
		return 0;
	if (length == 1 && add_character(text, false, out))
		return length;
	if (point < 0x10000) {
		add_press(out, (uint16_t)point, HVH_STROKE_UNICODE);
		return length;
	}
	point -= 0x10000;
	add_press(out, (uint16_t)(0xd800 + (point >> 10)), HVH_STROKE_UNICODE);
	add_press(out, (uint16_t)(0xdc00 + (point & 0x3ffu)), HVH_STROKE_UNICODE);
	return length;
}
