/* SPDX-License-Identifier: MIT */
/* What the synthetic keyboard types, as lines to run; and where the mouse is. */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"

#define BACKSPACE 0x08u
#define DELETE 0x7fu
#define UTF8_MAX 4u

/* --- Lines -------------------------------------------------------------------------------- */

/* Where the line that is being typed begins: behind the last whole one. */
static uint32_t line_start(const struct shell_typed *typed)
{
	uint32_t start = typed->length;

	while (start && typed->bytes[start - 1] != '\n')
		start--;
	return start;
}

static uint32_t encode(uint32_t code, char out[UTF8_MAX])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0u | code >> 6);
		out[1] = (char)(0x80u | (code & 0x3fu));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0u | code >> 12);
		out[1] = (char)(0x80u | (code >> 6 & 0x3fu));
		out[2] = (char)(0x80u | (code & 0x3fu));
		return 3;
	}
	out[0] = (char)(0xf0u | code >> 18);
	out[1] = (char)(0x80u | (code >> 12 & 0x3fu));
	out[2] = (char)(0x80u | (code >> 6 & 0x3fu));
	out[3] = (char)(0x80u | (code & 0x3fu));
	return 4;
}

/* One character more. The last byte of the buffer is the end of a line's. */
static void put(struct shell_typed *typed, uint32_t code)
{
	char bytes[UTF8_MAX];
	uint32_t count = encode(code, bytes);

	if (typed->length + count >= SHELL_TYPED_BYTES ||
	    typed->length - line_start(typed) + count > SHELL_LINE_MAX) {
		typed->overflowed = true;
		typed->lost++;
		return;
	}
	memcpy(typed->bytes + typed->length, bytes, count);
	typed->length += count;
}

static void end_line(struct shell *shell, struct shell_typed *typed)
{
	if (typed->overflowed || typed->length == SHELL_TYPED_BYTES) {
		typed->length = line_start(typed);
		typed->overflowed = false;
		shell_print(shell, SHELL_ERROR, "keyboard: a line that is too long is not run\n");
		return;
	}
	typed->bytes[typed->length++] = '\n';
}

/* The last character of the line, all its bytes. */
static void take_back(struct shell_typed *typed)
{
	uint32_t start = line_start(typed);

	while (typed->length > start) {
		typed->length--;
		if (((uint8_t)typed->bytes[typed->length] & 0xc0u) != 0x80u)
			return;
	}
}

static void forget(struct shell_typed *typed)
{
	typed->length = line_start(typed);
	typed->overflowed = false;
}

bool shell_typed_take(struct shell *shell, char *line, size_t size)
{
	struct shell_typed *typed = &shell->services.typed;
	char *end = memchr(typed->bytes, '\n', typed->length);
	size_t length;

	if (!end)
		return false;
	*end = '\0';
	length = (size_t)(end - typed->bytes);
	snprintf(line, size, "%s", typed->bytes);
	typed->length -= (uint32_t)length + 1;
	memmove(typed->bytes, end + 1, typed->length);
	return true;
}

/* --- In hvk_poll -------------------------------------------------------------------------- */

static void control(struct shell *shell, uint32_t key)
{
	if (key == 'c' || key == 'C') {
		forget(&shell->services.typed);
		if (shell->command_runs)
			shell_cancel(shell);
	} else if (key == 'u' || key == 'U') {
		forget(&shell->services.typed);
	}
}

void shell_typed_key(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event)
{
	struct shell *shell = context;
	struct shell_typed *typed = &shell->services.typed;

	(void)keyboard;
	if (event->released || event->key == HVK_KEY_NONE)
		return;
	typed->keys++;
	typed->last_key = event->key;
	if (event->key >= HVK_KEY_FIRST)
		return;
	if (event->modifiers & (HVK_MODIFIER_CONTROL | HVK_MODIFIER_ALT | HVK_MODIFIER_META)) {
		if (event->modifiers & HVK_MODIFIER_CONTROL)
			control(shell, event->key);
	} else if (event->key == '\n' || event->key == '\r') {
		end_line(shell, typed);
	} else if (event->key == BACKSPACE || event->key == DELETE) {
		take_back(typed);
	} else if (event->key == '\t') {
		put(typed, ' ');
	} else if (event->key >= ' ') {
		put(typed, event->key);
	}
}

void shell_pointer_move(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event)
{
	struct shell *shell = context;

	(void)mouse;
	shell->services.pointer.at = *event;
	shell->services.pointer.moves++;
}

/* --- Showing it --------------------------------------------------------------------------- */

static void key_text(uint32_t key, char text[16])
{
	static const char *const names[] = {
		"Up",          "Down",         "Left",    "Right",      "Home",      "End",
		"PageUp",      "PageDown",     "Insert",  "Delete",     "LeftShift", "RightShift",
		"LeftControl", "RightControl", "LeftAlt", "RightAlt",   "LeftMeta",  "RightMeta",
		"Menu",        "CapsLock",     "NumLock", "ScrollLock", "Print",     "Pause",
	};
	uint32_t name = key - HVK_KEY_UP;

	if (key >= HVK_KEY_F1 && key <= HVK_KEY_F12)
		snprintf(text, 16, "F%u", key - HVK_KEY_F1 + 1);
	else if (key >= HVK_KEY_UP && name < sizeof(names) / sizeof(names[0]))
		snprintf(text, 16, "%s", names[name]);
	else if (key == HVK_KEY_NONE)
		snprintf(text, 16, "none");
	else
		snprintf(text, 16, "U+%04X", key);
}

static const char *lock_text(uint32_t locks, uint32_t bit)
{
	return locks & bit ? "on" : "off";
}

static void show_keyboard(struct shell *shell)
{
	const struct hvk_keyboard *keyboard = shell->services.service[SHELL_KEYBOARD].keyboard;
	const struct shell_typed *typed = &shell->services.typed;
	uint32_t locks;
	char key[16];

	if (!keyboard || shell->services.service[SHELL_KEYBOARD].step != SHELL_SERVICE_UP) {
		shell_print(shell, SHELL_OUTPUT, "keyboard: none\n");
		return;
	}
	locks = hvk_keyboard_locks(keyboard);
	key_text(typed->last_key, key);
	shell_print(shell, SHELL_OUTPUT,
		    "keyboard: %llu keys, last %s; Caps Lock %s, Num Lock %s, Scroll Lock %s\n",
		    (unsigned long long)typed->keys, key, lock_text(locks, HVK_MODIFIER_CAPS),
		    lock_text(locks, HVK_MODIFIER_NUM), lock_text(locks, HVK_MODIFIER_SCROLL));
}

int shell_command_input(struct shell *shell, uint32_t count, char *const words[])
{
	const struct shell_pointer *pointer = &shell->services.pointer;

	(void)count;
	(void)words;
	show_keyboard(shell);
	if (shell->services.service[SHELL_MOUSE].step != SHELL_SERVICE_UP)
		shell_print(shell, SHELL_OUTPUT, "mouse: none\n");
	else
		shell_print(shell, SHELL_OUTPUT, "mouse: at %u %u of 32767, buttons %s%s%s, %llu moves\n",
			    pointer->at.x, pointer->at.y, pointer->at.buttons & 1 ? "left " : "",
			    pointer->at.buttons & 2 ? "right " : "",
			    pointer->at.buttons & 4 ? "middle"
			    : pointer->at.buttons   ? ""
						    : "none",
			    (unsigned long long)pointer->moves);
	return SHELL_OK;
}

void shell_typed_dump(struct shell *shell, const struct shell_dump_to *to)
{
	const struct shell_typed *typed = &shell->services.typed;
	const struct shell_pointer *pointer = &shell->services.pointer;
	char key[16];

	key_text(typed->last_key, key);
	to->line(to->context, "typed:");
	shell_dump_value(to, "keys", "%llu", (unsigned long long)typed->keys);
	shell_dump_value(to, "last", "%s", key);
	shell_dump_value(to, "waiting", "%u", typed->length);
	shell_dump_value(to, "lost", "%llu", (unsigned long long)typed->lost);
	to->line(to->context, "pointer:");
	shell_dump_value(to, "moves", "%llu", (unsigned long long)pointer->moves);
	shell_dump_value(to, "x", "%u", pointer->at.x);
	shell_dump_value(to, "y", "%u", pointer->at.y);
	shell_dump_value(to, "buttons", "%u", pointer->at.buttons);
}
