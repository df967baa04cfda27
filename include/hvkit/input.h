/* SPDX-License-Identifier: MIT */
/*
 * input: the synthetic keyboard and mouse.
 *
 * The keyboard hands up raw strokes, as they came, and keys with their meaning by a layout
 * table; the mouse its report descriptor and raw reports, and absolute positions as far as the
 * descriptor is the usual one.
 */
#ifndef HVKIT_INPUT_H
#define HVKIT_INPUT_H

#include "hvkit.h"
#include "vmbus.h"
#include "wire/input.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Keyboard ---------------------------------------------------------------------------- */

struct hvk_keyboard;

/* A stroke as the host sent it. */
struct hvk_keystroke {
	uint16_t code; /* AT set 1, 7 bits; or a UTF-16 unit if unicode */
	bool released, e0, e1, unicode;
};

/* Keys that make no character; others have the Unicode code point of what they make. */
enum hvk_key {
	HVK_KEY_NONE = 0,
	HVK_KEY_FIRST = 0x110000, /* beyond Unicode */
	HVK_KEY_F1 = HVK_KEY_FIRST,
	HVK_KEY_F12 = HVK_KEY_F1 + 11,
	HVK_KEY_UP,
	HVK_KEY_DOWN,
	HVK_KEY_LEFT,
	HVK_KEY_RIGHT,
	HVK_KEY_HOME,
	HVK_KEY_END,
	HVK_KEY_PAGE_UP,
	HVK_KEY_PAGE_DOWN,
	HVK_KEY_INSERT,
	HVK_KEY_DELETE,
	HVK_KEY_SHIFT_LEFT,
	HVK_KEY_SHIFT_RIGHT,
	HVK_KEY_CONTROL_LEFT,
	HVK_KEY_CONTROL_RIGHT,
	HVK_KEY_ALT_LEFT,
	HVK_KEY_ALT_RIGHT, /* AltGr where the layout has a third level */
	HVK_KEY_META_LEFT,
	HVK_KEY_META_RIGHT,
	HVK_KEY_MENU,
	HVK_KEY_CAPS_LOCK,
	HVK_KEY_NUM_LOCK,
	HVK_KEY_SCROLL_LOCK,
	HVK_KEY_PRINT,
	HVK_KEY_PAUSE
};

#define HVK_MODIFIER_SHIFT (1u << 0)
#define HVK_MODIFIER_CONTROL (1u << 1)
#define HVK_MODIFIER_ALT (1u << 2)
#define HVK_MODIFIER_ALT_GR (1u << 3)
#define HVK_MODIFIER_META (1u << 4)
#define HVK_MODIFIER_CAPS (1u << 5)
#define HVK_MODIFIER_NUM (1u << 6)
#define HVK_MODIFIER_SCROLL (1u << 7)

struct hvk_key_event {
	uint32_t key; /* code point, or enum hvk_key; HVK_KEY_NONE: the layout has nothing there */
	uint32_t modifiers;
	bool released;
	struct hvk_keystroke stroke; /* what it was made of */
};

/* What each of the codes 0 to 127 makes, without E0, by level: plain, shift, AltGr, shift and AltGr. A
 * code point, an enum hvk_key, or HVK_KEY_NONE; dead keys make their accent. letters: bit n of the word
 * set: Caps Lock acts as shift on code n. */
struct hvk_keyboard_layout {
	const char *name; /* "us", "de" */
	uint32_t keys[128][4];
	uint32_t letters[4];
	bool alt_gr; /* the right Alt key chooses levels 3 and 4 */
};
extern const struct hvk_keyboard_layout hvk_keyboard_us;
extern const struct hvk_keyboard_layout hvk_keyboard_german;

struct hvk_keyboard_config {
	uint32_t cpu;                             /* of the channel; 0 below VMBus 2.4 */
	const struct hvk_keyboard_layout *layout; /* NULL = hvk_keyboard_us; may be the caller's own */
	/* In hvk_poll; each may be NULL. Every stroke goes to stroke, then its meaning to key. */
	void (*stroke)(void *context, struct hvk_keyboard *keyboard, const struct hvk_keystroke *stroke);
	void (*key)(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event);
	void (*gone)(void *context, struct hvk_keyboard *keyboard);
	void *context;
};

/* As hvk_netvsc_create, attach, detach and destroy (netvsc.h); the type is VMBUS_GUID_KEYBOARD. attach
 * finishes with HVK_ETIMEDOUT_INPUT or HVK_EREFUSED_INPUT where the host is silent or does not take the
 * protocol 1.0. */
hvk_status hvk_keyboard_create(struct hvk_channel *channel, const struct hvk_keyboard_config *config,
			       struct hvk_keyboard **out);
void hvk_keyboard_attach(struct hvk_keyboard *keyboard, struct hvk_request *request);
void hvk_keyboard_detach(struct hvk_keyboard *keyboard, struct hvk_request *request);
hvk_status hvk_keyboard_destroy(struct hvk_keyboard *keyboard);
struct hvk_channel *hvk_keyboard_channel(struct hvk_keyboard *keyboard);
/* Locks as they are (HVK_MODIFIER_CAPS, _NUM, _SCROLL); the keyboard keeps them itself by the keys, and
 * tells the host (LEDs). set is for a console that has its own. HVK_ESTATE: not attached; HVK_EAGAIN: no
 * room, call again. */
uint32_t hvk_keyboard_locks(const struct hvk_keyboard *keyboard);
hvk_status hvk_keyboard_set_locks(struct hvk_keyboard *keyboard, uint32_t locks);
void hvk_keyboard_dump(struct hvk_keyboard *keyboard, hvk_dump_line line, void *context);

/* --- Mouse ---------------------------------------------------------------------------------- */

struct hvk_mouse;

#define HVK_MOUSE_DESCRIPTOR_MAX 4096u
#define HVK_MOUSE_REPORT_MAX 256u

struct hvk_mouse_info {
	uint16_t vendor, product, version;
	const uint8_t *descriptor; /* HID report descriptor; the mouse's while attached */
	uint32_t descriptor_length;
	bool understood; /* move will be called: buttons, X, Y and wheel were found in it */
};

struct hvk_mouse_event {
	uint16_t x, y;    /* 0 to 32767 over the screen */
	uint32_t buttons; /* bit 0 left, 1 right, 2 middle */
	int32_t wheel;
};

struct hvk_mouse_config {
	uint32_t cpu;
	/* In hvk_poll; each may be NULL. report is borrowed for the call. */
	void (*report)(void *context, struct hvk_mouse *mouse, const uint8_t *report, uint32_t length);
	void (*move)(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event);
	void (*gone)(void *context, struct hvk_mouse *mouse);
	void *context;
};

/* As the keyboard's; the type is VMBUS_GUID_MOUSE. attach waits for the device's description. */
hvk_status hvk_mouse_create(struct hvk_channel *channel, const struct hvk_mouse_config *config,
			    struct hvk_mouse **out);
void hvk_mouse_attach(struct hvk_mouse *mouse, struct hvk_request *request);
void hvk_mouse_detach(struct hvk_mouse *mouse, struct hvk_request *request);
hvk_status hvk_mouse_destroy(struct hvk_mouse *mouse);
struct hvk_channel *hvk_mouse_channel(struct hvk_mouse *mouse);
void hvk_mouse_get_info(const struct hvk_mouse *mouse, struct hvk_mouse_info *out);
void hvk_mouse_dump(struct hvk_mouse *mouse, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
