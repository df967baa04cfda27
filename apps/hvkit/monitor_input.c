/* SPDX-License-Identifier: MIT */
/* The monitor's commands that type and point. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "hvkit_host/input.h"

#define KEYBOARD "kbd0"
#define MOUSE "mouse0"
#define POSITION_MAX 32767u
#define WHEEL_MAX 127u

/* --- Keyboard ---------------------------------------------------------------------------------- */

static int type(const struct monitor_call *call, struct hvh_keyboard *keyboard)
{
	char text[SHELL_LINE_MAX + 1];
	const char *line = call->rest;
	size_t taken;

	if (!monitor_take_text(&line, text, sizeof(text)) || *line)
		return monitor_usage(call,
				     "type takes text in quotes, such as \"lsvmbus\\n\"; \\n is the Enter "
				     "key, and \\t, \\\" and \\\\ are there too");
	taken = hvh_keyboard_type(keyboard, call->now, text);
	if (taken < strlen(text))
		return monitor_fail(call,
				    "only %zu of %zu bytes are typed: the guest takes no more now, or what "
				    "follows is no UTF-8",
				    taken, strlen(text));
	return SHELL_OK;
}

static int press(const struct monitor_call *call, struct hvh_keyboard *keyboard)
{
	for (uint32_t n = 1; n < call->count; n++) {
		if (!hvh_keyboard_key(keyboard, call->now, call->arguments[n]))
			return monitor_usage(
				call,
				"'%.40s' is no key, or the guest takes none: keys are a, F2, Enter, "
				"Escape, Tab, Up, PageDown, Delete, Ctrl+C, Ctrl+Alt+Delete, ...",
				call->arguments[n]);
	}
	return SHELL_OK;
}

static const struct keyboard_verb {
	const char *name;
	int (*run)(const struct monitor_call *call, struct hvh_keyboard *keyboard);
} keyboard_verbs[] = {{"type", type}, {"key", press}};
#define KEYBOARD_VERBS (sizeof(keyboard_verbs) / sizeof(keyboard_verbs[0]))

int monitor_keyboard(const struct monitor_call *call)
{
	struct hvh_keyboard *keyboard = hvh_keyboard_find(call->partition, KEYBOARD);
	const char *names[KEYBOARD_VERBS];
	int status;

	if (!keyboard)
		return monitor_fail(call, "there is no keyboard: start with --input keyboard");
	for (size_t n = 0; n < KEYBOARD_VERBS; n++) {
		names[n] = keyboard_verbs[n].name;
		if (strcmp(call->arguments[0], names[n]) != 0)
			continue;
		status = keyboard_verbs[n].run(call, keyboard);
		if (status == SHELL_OK)
			monitor_settle_state(call, "devices/" KEYBOARD "/strokes-waiting", "0");
		return status;
	}
	return monitor_unknown(call, "what to do with a keyboard:", call->arguments[0], names,
			       KEYBOARD_VERBS);
}

void monitor_complete_keyboard(const struct monitor_completion *completion)
{
	static const char *const keys[] = {"Enter",  "Escape", "Tab",      "Backspace", "Up",
					   "Down",   "Left",   "Right",    "Home",      "End",
					   "PageUp", "Insert", "PageDown", "Delete",    "Ctrl+C",
					   "F1",     "F2",     "F12",      "CapsLock",  "Ctrl+Alt+Delete"};

	for (size_t n = 0; completion->argument == 0 && n < KEYBOARD_VERBS; n++)
		completion->offer(completion->context, keyboard_verbs[n].name);
	for (size_t n = 0; completion->argument && strcmp(completion->words[0], "key") == 0 &&
			   n < sizeof(keys) / sizeof(keys[0]);
	     n++)
		completion->offer(completion->context, keys[n]);
}

/* --- Mouse --------------------------------------------------------------------------------------- */

static const char *const buttons[] = {"left", "right", "middle"};
#define BUTTONS (sizeof(buttons) / sizeof(buttons[0]))

static int report(const struct monitor_call *call, struct hvh_mouse *mouse, uint32_t pressed, int8_t wheel)
{
	const struct monitor *monitor = call->monitor;

	if (hvh_mouse_report(mouse, call->now, (uint16_t)monitor->pointer_x, (uint16_t)monitor->pointer_y,
			     pressed, wheel))
		return SHELL_OK;
	return monitor_fail(call, "the guest takes no more moves now");
}

/* "-3", "5" */
static bool parse_wheel(const char *text, int8_t *wheel)
{
	bool back = *text == '-';
	uint64_t value;

	if (!monitor_number(text + back, WHEEL_MAX, &value))
		return false;
	*wheel = (int8_t)(back ? -(int)value : (int)value);
	return true;
}

static int move(const struct monitor_call *call, struct hvh_mouse *mouse)
{
	uint64_t x, y, pressed = 0;
	int8_t wheel = 0;

	if (call->count < 3 || !monitor_number(call->arguments[1], POSITION_MAX, &x) ||
	    !monitor_number(call->arguments[2], POSITION_MAX, &y) ||
	    (call->count > 3 && !monitor_number(call->arguments[3], 7, &pressed)) ||
	    (call->count > 4 && !parse_wheel(call->arguments[4], &wheel)))
		return monitor_usage(
			call,
			"move takes X and Y, 0 to %u over the screen, then the buttons held (1 left, "
			"2 right, 4 middle, or their sum) and the wheel (-%u to %u)",
			POSITION_MAX, WHEEL_MAX, WHEEL_MAX);
	call->monitor->pointer_x = (uint32_t)x;
	call->monitor->pointer_y = (uint32_t)y;
	return report(call, mouse, (uint32_t)pressed, wheel);
}

static int click(const struct monitor_call *call, struct hvh_mouse *mouse)
{
	const char *name = call->count > 1 ? call->arguments[1] : buttons[0];
	uint32_t n = 0;
	int status;

	while (n < BUTTONS && strcmp(name, buttons[n]) != 0)
		n++;
	if (n == BUTTONS)
		return monitor_unknown(call, "button", name, buttons, BUTTONS);
	if (call->count > 2)
		return monitor_usage(call, "'%.40s' is one argument too many", call->arguments[2]);
	status = report(call, mouse, 1u << n, 0);
	return status == SHELL_OK ? report(call, mouse, 0, 0) : status;
}

static const struct mouse_verb {
	const char *name;
	int (*run)(const struct monitor_call *call, struct hvh_mouse *mouse);
} mouse_verbs[] = {{"move", move}, {"click", click}};
#define MOUSE_VERBS (sizeof(mouse_verbs) / sizeof(mouse_verbs[0]))

int monitor_mouse(const struct monitor_call *call)
{
	struct hvh_mouse *mouse = hvh_mouse_find(call->partition, MOUSE);
	const char *names[MOUSE_VERBS];
	int status;

	if (!mouse)
		return monitor_fail(call, "there is no mouse: start with --input mouse");
	for (size_t n = 0; n < MOUSE_VERBS; n++) {
		names[n] = mouse_verbs[n].name;
		if (strcmp(call->arguments[0], names[n]) != 0)
			continue;
		status = mouse_verbs[n].run(call, mouse);
		if (status == SHELL_OK)
			monitor_settle_state(call, "devices/" MOUSE "/reports-waiting", "0");
		return status;
	}
	return monitor_unknown(call, "what to do with a mouse:", call->arguments[0], names, MOUSE_VERBS);
}

void monitor_complete_mouse(const struct monitor_completion *completion)
{
	for (size_t n = 0; completion->argument == 0 && n < MOUSE_VERBS; n++)
		completion->offer(completion->context, mouse_verbs[n].name);
	for (size_t n = 0;
	     completion->argument == 1 && strcmp(completion->words[0], "click") == 0 && n < BUTTONS; n++)
		completion->offer(completion->context, buttons[n]);
}
