/* SPDX-License-Identifier: MIT */
/* Words for people, and what they type: at COM1, or at the synthetic keyboard. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/netboot/netboot.h"

void netboot_print(struct netboot *self, const char *format, ...)
{
	char text[SCRIPT_LINE_MAX + 200];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length > 0)
		self->platform.write(self->platform.context, text,
				     (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* "14.2 MiB", to one digit. */
void netboot_size(uint64_t bytes, char text[16])
{
	static const char *const units[] = {"KiB", "MiB", "GiB"};
	uint64_t tenths = bytes * 10 / 1024;
	uint32_t unit = 0;

	if (bytes < 1024) {
		snprintf(text, 16, "%u bytes", (unsigned)bytes);
		return;
	}
	while (tenths >= 10240 && unit < 2) {
		tenths /= 1024;
		unit++;
	}
	snprintf(text, 16, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
}

/* --- Keys ---------------------------------------------------------------------------------------- */

static void key_event(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event)
{
	struct netboot *self = context;
	uint32_t key = event->key;

	(void)keyboard;
	if (event->released || key == HVK_KEY_NONE || key > 0x7e || self->key_count == NETBOOT_KEYS_MAX)
		return;
	if ((event->modifiers & HVK_MODIFIER_CONTROL) && key >= 'a' && key <= 'z')
		key -= 'a' - 1;
	self->keys[self->key_count++] = (uint8_t)key;
}

static void keyboard_gone(void *context, struct hvk_keyboard *keyboard)
{
	(void)context; /* no more keys; its driver is detached with the others */
	(void)keyboard;
}

void netboot_keyboard_attach(struct netboot *self)
{
	static const struct vmbus_guid type = VMBUS_GUID_KEYBOARD;
	const struct hvk_keyboard_config config = {.layout = self->options.german ? &hvk_keyboard_german
										  : NULL,
						   .key = key_event,
						   .gone = keyboard_gone,
						   .context = self};
	struct hvk_channel *channel = netboot_channel(self, &type, 0);
	hvk_status status;

	if (!channel || hvk_keyboard_create(channel, &config, &self->keyboard) != HVK_OK)
		return;
	hvk_keyboard_attach(self->keyboard, netboot_request(self));
	status = netboot_wait(self);
	if (status == HVK_OK)
		return;
	netboot_print(self, "%s; the serial port is left\n",
		      netboot_failed(self, status, "attach the keyboard"));
	if (!self->abandoned)
		hvk_keyboard_destroy(self->keyboard);
	self->keyboard = NULL;
}

void netboot_keyboard_detach(struct netboot *self)
{
	if (!self->keyboard || self->abandoned)
		return;
	hvk_keyboard_detach(self->keyboard, netboot_request(self));
	if (netboot_wait(self) != HVK_EINPROGRESS && !self->abandoned)
		hvk_keyboard_destroy(self->keyboard);
	self->keyboard = NULL;
}

int netboot_key(struct netboot *self)
{
	int key;

	if (!self->key_count)
		return self->platform.read(self->platform.context);
	key = self->keys[0];
	memmove(self->keys, self->keys + 1, --self->key_count);
	return key;
}

/* --- Menus --------------------------------------------------------------------------------------- */

#define ENTER '\r'

static char key_of(uint32_t item)
{
	return (char)(item < 9 ? '1' + item : 'a' + (item - 9));
}

/* Of an item; UINT32_MAX: none. */
static uint32_t item_of(const struct script_menu *menu, int key)
{
	for (uint32_t i = 0; i < menu->count; i++) {
		if (key == key_of(i))
			return i;
	}
	return UINT32_MAX;
}

static void show(struct netboot *self, const struct script_menu *menu)
{
	netboot_print(self, "\n%s%s", menu->title, menu->title[0] ? "\n" : "");
	for (uint32_t i = 0; i < menu->count; i++)
		netboot_print(self, "  %c  %s%s\n", key_of(i), menu->items[i].title,
			      i == menu->chosen ? "  (Enter)" : "");
	if (menu->timeout)
		netboot_print(self, "A key chooses; %c in %u s otherwise.\n", key_of(menu->chosen),
			      menu->timeout);
	else
		netboot_print(self, "A key chooses.\n");
}

const char *netboot_choose(void *context, struct script_menu *menu)
{
	struct netboot *self = context;
	uint64_t limit = hvk_time(self->hvk) + menu->timeout * HVK_TIME_PER_SECOND;
	uint32_t chosen = UINT32_MAX;

	show(self, menu);
	while (chosen == UINT32_MAX) {
		int key;

		(void)netboot_turn(self);
		key = netboot_key(self);
		if (key == NETBOOT_ABORT)
			return "interrupted";
		if (key == ENTER || key == '\n' || (menu->timeout && hvk_time(self->hvk) >= limit))
			chosen = menu->chosen;
		else if (key >= 0) {
			chosen = item_of(menu, key);
			menu->timeout = 0; /* somebody is there */
		}
	}
	menu->chosen = chosen;
	netboot_print(self, "%s\n", menu->items[chosen].title);
	return NULL;
}
