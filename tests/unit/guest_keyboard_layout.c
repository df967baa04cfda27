/* SPDX-License-Identifier: MIT */
/* Strokes to keys: the two layouts, modifiers, locks, the keypad, Pause, text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/input/input.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

static struct keyboard_state keys;
static const struct hvk_keyboard_layout *layout;
static struct hvk_key_event event;

static bool stroke(uint16_t code, const char *how)
{
	const struct hvk_keystroke made = {.code = code,
					   .released = strchr(how, 'r') != NULL,
					   .e0 = strchr(how, '0') != NULL,
					   .e1 = strchr(how, '1') != NULL,
					   .unicode = strchr(how, 'u') != NULL};

	return hvk_keys_translate(&keys, layout, &made, &event);
}

/* What a key makes, pressed and released. */
static uint32_t tap(uint16_t code)
{
	uint32_t key;

	assert_true(stroke(code, ""));
	key = event.key;
	assert_true(stroke(code, "r"));
	assert_int_equal(event.key, key);
	return key;
}

static void begin(const struct hvk_keyboard_layout *with)
{
	layout = with;
	memset(&keys, 0, sizeof(keys));
}

static void us(void **state)
{
	(void)state;
	begin(&hvk_keyboard_us);
	assert_int_equal(tap(0x15), 'y');
	assert_int_equal(tap(0x2c), 'z');
	assert_int_equal(tap(0x28), '\'');
	assert_int_equal(tap(0x1c), '\n');
	stroke(0x36, ""); /* the right Shift */
	assert_int_equal(tap(0x03), '@');
	assert_int_equal(tap(0x1a), '{');
	stroke(0x2a, "");
	stroke(0x36, "r"); /* the left one still holds */
	assert_int_equal(tap(0x1e), 'A');
	stroke(0x2a, "r");
	assert_int_equal(tap(0x1e), 'a');
	stroke(0x38, "0"); /* the right Alt is Alt here */
	assert_int_equal(tap(0x10), 'q');
	assert_int_equal(event.modifiers, HVK_MODIFIER_ALT);
	assert_int_equal(tap(0x3c), HVK_KEY_F1 + 1);
	assert_int_equal(tap(0x7f), HVK_KEY_NONE);
}

static void german(void **state)
{
	(void)state;
	begin(&hvk_keyboard_german);
	assert_int_equal(tap(0x15), 'z');
	assert_int_equal(tap(0x2c), 'y');
	assert_int_equal(tap(0x28), 0xe4);
	stroke(0x38, "0"); /* AltGr */
	assert_int_equal(tap(0x10), '@');
	assert_int_equal(event.modifiers, HVK_MODIFIER_ALT_GR);
	assert_int_equal(tap(0x12), 0x20ac);
	assert_int_equal(tap(0x56), '|');
	stroke(0x2a, "");
	assert_int_equal(tap(0x0c), 0x1e9e);
	stroke(0x2a, "r");
	stroke(0x38, "0r");
	tap(0x3a); /* Caps Lock: shifts letters alone */
	assert_int_equal(tap(0x27), 0xd6);
	assert_int_equal(tap(0x08), '7');
}

static void locks(void **state)
{
	(void)state;
	begin(&hvk_keyboard_us);
	stroke(0x3a, "");
	stroke(0x3a, ""); /* it repeats while it is held */
	stroke(0x3a, "r");
	assert_int_equal(keys.locks, HVK_MODIFIER_CAPS);
	assert_int_equal(tap(0x1e), 'A');
	assert_int_equal(tap(0x02), '1');
	stroke(0x2a, "");
	assert_int_equal(tap(0x1e), 'a');
	stroke(0x2a, "r");
	tap(0x3a);
	assert_int_equal(keys.locks, 0);
	assert_int_equal(tap(0x47), HVK_KEY_HOME);
	tap(0x45);
	assert_int_equal(keys.locks, HVK_MODIFIER_NUM);
	assert_int_equal(tap(0x47), '7');
	assert_int_equal(tap(0x53), '.');
	stroke(0x2a, "");
	assert_int_equal(tap(0x47), HVK_KEY_HOME);
	assert_int_equal(tap(0x4a), '-');
}

static void extended(void **state)
{
	(void)state;
	begin(&hvk_keyboard_us);
	assert_true(stroke(0x48, "0"));
	assert_int_equal(event.key, HVK_KEY_UP);
	assert_false(stroke(0x2a, "0")); /* a shift that nobody pressed */
	assert_int_equal(tap(0x1e), 'a');
	assert_true(stroke(0x35, "0"));
	assert_int_equal(event.key, '/');
	assert_true(stroke(0x1d, "0"));
	assert_int_equal(event.modifiers, HVK_MODIFIER_CONTROL);
	assert_true(stroke(0x2e, ""));
	assert_int_equal(event.key, 'c');
	assert_int_equal(event.modifiers, HVK_MODIFIER_CONTROL);
}

static void pause_key(void **state)
{
	(void)state;
	begin(&hvk_keyboard_us);
	assert_false(stroke(0x1d, "1"));
	assert_true(stroke(0x45, ""));
	assert_int_equal(event.key, HVK_KEY_PAUSE);
	assert_int_equal(keys.locks | keys.held, 0); /* neither Num Lock nor Control */
	assert_false(stroke(0x1d, "1r"));
	assert_true(stroke(0x45, "r"));
	assert_true(event.key == HVK_KEY_PAUSE && event.released);
	assert_false(stroke(0x1d, "1")); /* its other half does not come */
	assert_int_equal(tap(0x1e), 'a');
	assert_int_equal(tap(0x45), HVK_KEY_NUM_LOCK);
}

static void text(void **state)
{
	(void)state;
	begin(&hvk_keyboard_us);
	assert_true(stroke(0x20ac, "u"));
	assert_int_equal(event.key, 0x20ac);
	assert_false(stroke(0xd83d, "u"));
	assert_false(stroke(0xd83d, "ur"));
	assert_true(stroke(0xde00, "u"));
	assert_int_equal(event.key, 0x1f600);
	assert_false(stroke(0xde00, "ur"));
	assert_true(stroke(0xde00, "u")); /* a half without the other */
	assert_int_equal(event.key, 0xfffd);
	assert_false(stroke(0xd83d, "u"));
	assert_true(stroke('x', "u"));
	assert_int_equal(event.key, 'x');
	assert_true(stroke(0xde00, "u"));
	assert_int_equal(event.key, 0xfffd);
	assert_false(stroke(0x80, "")); /* a code has seven bits */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(us),       cmocka_unit_test(german),    cmocka_unit_test(locks),
		cmocka_unit_test(extended), cmocka_unit_test(pause_key), cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
