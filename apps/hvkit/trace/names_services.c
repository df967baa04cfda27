/* SPDX-License-Identifier: MIT */
/* Names of what keyboards, mice and integration components say. */
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/ic.h"
#include "hvkit/wire/input.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))
#define NAMES(variable, id) const struct trace_names trace_##variable = {id, variable, COUNT(variable)}

static const struct trace_name keystroke_bits[] = {
	{KEYBOARD_UNICODE, "unicode"},
	{KEYBOARD_BREAK, "break"},
	{KEYBOARD_E0, "e0"},
	{KEYBOARD_E1, "e1"},
};
NAMES(keystroke_bits, "keystroke");

static const struct trace_name led_bits[] = {
	{KEYBOARD_LED_SCROLL, "scroll"},
	{KEYBOARD_LED_NUM, "num"},
	{KEYBOARD_LED_CAPS, "caps"},
};
NAMES(led_bits, "led");

static const struct trace_name ic_status_names[] = {
	{IC_STATUS_OK, "ok"},
	{IC_STATUS_FAIL, "fail"},
	{IC_STATUS_NO_MORE_ITEMS, "no-more-items"},
	{IC_STATUS_NOT_SUPPORTED, "not-supported"},
	{IC_STATUS_NOT_FOUND, "not-found"},
	{IC_STATUS_INVALID_ARGUMENT, "invalid-argument"},
	{IC_STATUS_ALREADY_EXISTS, "already-exists"},
	{IC_STATUS_DISK_FULL, "disk-full"},
};
NAMES(ic_status_names, "ic_status");

static const struct trace_name ic_flag_bits[] = {
	{IC_FLAG_TRANSACTION, "transaction"},
	{IC_FLAG_REQUEST, "request"},
	{IC_FLAG_RESPONSE, "response"},
};
NAMES(ic_flag_bits, "ic_flag");

static const struct trace_name shutdown_bits[] = {
	{IC_SHUTDOWN_FORCE, "force"},
	{IC_SHUTDOWN_RESTART, "restart"},
	{IC_SHUTDOWN_HIBERNATE, "hibernate"},
};
NAMES(shutdown_bits, "shutdown");

static const struct trace_name timesync_bits[] = {
	{IC_TIMESYNC_SYNC, "sync"},
	{IC_TIMESYNC_SAMPLE, "sample"},
};
NAMES(timesync_bits, "timesync");

static const struct trace_name pool_names[] = {
	{IC_KVP_POOL_EXTERNAL, "external"},
	{IC_KVP_POOL_GUEST, "guest"},
	{IC_KVP_POOL_AUTO, "auto"},
	{IC_KVP_POOL_AUTO_EXTERNAL, "auto-external"},
	{IC_KVP_POOL_AUTO_INTERNAL, "auto-internal"},
};
NAMES(pool_names, "pool");

static const struct trace_name kvp_type_names[] = {
	{IC_KVP_SZ, "sz"},   {IC_KVP_EXPAND_SZ, "expand-sz"}, {IC_KVP_U32, "u32"},
	{IC_KVP_U64, "u64"}, {IC_KVP_U64_LINUX, "u64-linux"},
};
NAMES(kvp_type_names, "kvp_type");

static const struct trace_name family_bits[] = {
	{IC_KVP_FAMILY_IPV4, "ipv4"},
	{IC_KVP_FAMILY_IPV6, "ipv6"},
};
NAMES(family_bits, "family");

static const struct trace_name vss_bits[] = {
	{IC_VSS_FLAG_HOT_BACKUP, "hot-backup"},
	{IC_VSS_FLAG_NO_AUTO_RECOVERY, "no-auto-recovery"},
};
NAMES(vss_bits, "vss");

static const struct trace_name fcopy_bits[] = {
	{IC_FCOPY_FLAG_OVERWRITE, "overwrite"},
	{IC_FCOPY_FLAG_CREATE_PATH, "create-path"},
};
NAMES(fcopy_bits, "fcopy");

bool trace_is_component(const char *device)
{
	static const char *const names[] = {"shutdown", "timesync", "heartbeat", "kvp", "vss", "fcopy"};

	for (uint32_t n = 0; n < COUNT(names); n++) {
		if (strcmp(device, names[n]) == 0)
			return true;
	}
	return false;
}
