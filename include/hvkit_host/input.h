/* SPDX-License-Identifier: MIT */
/*
 * The host's side of the synthetic keyboard and mouse. What is typed and moved here is queued until
 * the guest's driver has accepted the protocol and its ring has room.
 */
#ifndef HVKIT_HOST_INPUT_H
#define HVKIT_HOST_INPUT_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_keyboard;
struct hvh_mouse;

struct hvh_input_config {
	uint8_t instance[16]; /* GUID as on the wire; zeros = the one that Windows has */
	bool refuses;         /* answers the protocol request with no */
};

/* Each offers one ("kbd0", "mouse0"). NULL if there is no room. It lives until the partition does. */
struct hvh_keyboard *hvh_keyboard_create(struct hvh_partition *partition,
					 const struct hvh_input_config *config);
struct hvh_keyboard *hvh_keyboard_find(struct hvh_partition *partition, const char *name);

#define HVH_STROKE_RELEASED (1u << 0)
#define HVH_STROKE_E0 (1u << 1)
#define HVH_STROKE_E1 (1u << 2)
#define HVH_STROKE_UNICODE (1u << 3)
/* One stroke: code of AT set 1, or a UTF-16 unit. False: the queue (1024) is full, or the code has more than
 * 7 bits and is no UNICODE. */
bool hvh_keyboard_stroke(struct hvh_keyboard *keyboard, uint64_t now, uint16_t code, uint32_t flags);
/* A key by name, pressed and released: "F2", "Enter", "Ctrl+C", "Ctrl+Alt+Delete", "a". False: no such
 * key, or no room (then nothing is sent). */
bool hvh_keyboard_key(struct hvh_keyboard *keyboard, uint64_t now, const char *name);
/* Text as strokes of the US layout; what it has no key for goes as UNICODE strokes. Returns how many
 * bytes of the UTF-8 were taken: fewer than all where the queue is full, or before bytes that are none. */
size_t hvh_keyboard_type(struct hvh_keyboard *keyboard, uint64_t now, const char *text);
/* KEYBOARD_LED_* as the guest set them last. */
uint16_t hvh_keyboard_leds(const struct hvh_keyboard *keyboard);
/* Rescinds it, and offers it again: a restart of the host's service. */
void hvh_keyboard_restart(struct hvh_keyboard *keyboard, uint64_t now);

struct hvh_mouse *hvh_mouse_create(struct hvh_partition *partition, const struct hvh_input_config *config);
struct hvh_mouse *hvh_mouse_find(struct hvh_partition *partition, const char *name);
/* x and y 0 to 32767; buttons bit 0 left, 1 right, 2 middle. Moves that wait are joined, buttons and
 * wheel are not lost. False: no room, or a value out of range (the wheel's: -127 to 127). */
bool hvh_mouse_report(struct hvh_mouse *mouse, uint64_t now, uint16_t x, uint16_t y, uint32_t buttons,
		      int8_t wheel);
void hvh_mouse_restart(struct hvh_mouse *mouse, uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
