/* SPDX-License-Identifier: MIT */
/* The quirks: one table over the fields of struct hvh_profile. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/nvs.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit/wire/vpci.h"
#include "hvkit/wire/vstor.h"
#include "hvkit_host/quirk.h"

#define CHOICES_LINE 160u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Choices, in the order of their enumeration, or with values of their own. */
static const char *const versions[] = {"0.13", "1.1", "2.4", "3.0", "4.0", "4.1",
				       "5.0",  "5.1", "5.2", "5.3", NULL};
static const uint32_t version_values[] = {
	VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
	VMBUS_VERSION_4_1,  VMBUS_VERSION_5_0, VMBUS_VERSION_5_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
};
static const char *const nvs_versions[] = {"1", "2", "4", "5", "6", "6.1", NULL};
static const uint32_t nvs_values[] = {NVS_VERSION_1, NVS_VERSION_2, NVS_VERSION_4,
				      NVS_VERSION_5, NVS_VERSION_6, NVS_VERSION_6_1};
static const char *const failures[] = {"0x8000ffff", "1", NULL};
static const uint32_t failure_values[] = {VMBUS_STATUS_FAILURE, 1};
static const char *const connections[] = {"none", "1", "4", NULL};
static const uint32_t connection_values[] = {0, VMBUS_CONNECTION_MESSAGE, VMBUS_CONNECTION_MESSAGE_V5};
static const char *const event_bases[] = {"0x2000", "16", NULL};
static const uint32_t event_base_values[] = {0x2000, 16};
static const char *const tendencies[] = {"by-seed", "off", "on", NULL};
static const char *const policies[] = {"exact", "range", NULL};
static const char *const redeliveries[] = {"on-eom", "by-looking", NULL};
static const char *const reference_tscs[] = {"present", "absent", "invalid", NULL};
static const char *const timers[] = {"absent", "messages", "direct", NULL};
static const char *const torndowns[] = {"never", "now-and-then", "always", NULL};
static const char *const replies[] = {"by-seed", "prompt", "slow", "absent", NULL};
static const char *const orders[] = {"in-order", "with-gaps", "shuffled", NULL};
static const char *const reuses[] = {"at-once", "late", NULL};
static const char *const post_statuses[] = {"by-seed", "accepted", "0x13", "0x78", "0x12", NULL};
static const char *const monitorings[] = {"as-asked", "none", "all", NULL};
static const char *const subchannel_orders[] = {"after", "before", "by-seed", NULL};
static const char *const send_tables[] = {"at-12", "at-40", "wrong-offset", NULL};
static const char *const vstor_versions[] = {"2.0", "4.2", "5.1", "6.0", NULL};
static const uint32_t vstor_values[] = {VSTOR_VERSION_2_0, VSTOR_VERSION_4_2, VSTOR_VERSION_5_1,
					VSTOR_VERSION_6_0};
static const char *const completion_sizes[] = {"exact", "shortest", NULL};
static const char *const resets[] = {"nothing", "aborts", "loses", NULL};
static const char *const vpci_versions[] = {"1.0", "1.1", "1.2", "1.3", "1.4", NULL};
static const uint32_t vpci_values[] = {VPCI_VERSION_1_0, VPCI_VERSION_1_1, VPCI_VERSION_1_2, VPCI_VERSION_1_3,
				       VPCI_VERSION_1_4};
static const char *const relations[] = {"when-asked", "before", "after", "by-seed", NULL};
static const char *const ic_versions[] = {"none",   "ws2008", "ws2008r2", "ws2012", "ws2012r2",
					  "ws2016", "ws2022", "openvmm",  NULL};

struct entry {
	struct hvh_quirk quirk;
	size_t offset;
	const uint32_t *values; /* of a choice; NULL: 0, 1, 2 ... */
};

_Static_assert(sizeof(enum hvh_tendency) == sizeof(uint32_t), "choices are stored as 32 bits");

#define FIELD(field) offsetof(struct hvh_profile, field)
#define LIVE true
#define BEFORE false
#define SWITCH(name, field, live, text)                                              \
	{                                                                            \
		{name, text, HVH_QUIRK_SWITCH, 0, 1, NULL, live}, FIELD(field), NULL \
	}
#define NUMBER(name, field, low, high, live, text)                                        \
	{                                                                                 \
		{name, text, HVH_QUIRK_NUMBER, low, high, NULL, live}, FIELD(field), NULL \
	}
#define CHOICE(name, field, choices, live, text)                                        \
	{                                                                               \
		{name, text, HVH_QUIRK_CHOICE, 0, 0, choices, live}, FIELD(field), NULL \
	}
#define VALUES(name, field, choices, values, live, text)                                  \
	{                                                                                 \
		{name, text, HVH_QUIRK_CHOICE, 0, 0, choices, live}, FIELD(field), values \
	}

/* In the order of a guest's life. */
static const struct entry entries[] = {
	/* Hypervisor */
	CHOICE("reference-tsc", reference_tsc, reference_tscs, BEFORE,
	       "reference TSC page: there, not there, or with sequence 0"),
	CHOICE("timers", timers, timers, BEFORE,
	       "synthetic timers: none, by SynIC message, or by message and by APIC vector"),
	SWITCH("message-privileges", message_privileges, BEFORE,
	       "CPUID leaf 0x40000003 EBX says that messages may be posted and events signalled"),
	CHOICE("redelivery", redelivery, redeliveries, LIVE,
	       "a message behind a full slot comes on EOM only, or when the host finds the slot empty"),
	CHOICE("late-pending", late_pending, tendencies, LIVE,
	       "the message-pending flag is set up to 1 ms after it is due"),
	CHOICE("post-status", post_status, post_statuses, LIVE,
	       "HvCallPostMessage refuses each message once, with this status"),
	/* Contact */
	VALUES("version-max", accept_newest, versions, version_values, BEFORE,
	       "newest VMBus version accepted"),
	CHOICE("version-policy", version_policy, policies, BEFORE,
	       "versions accepted: those that exist, or any number up to the newest"),
	SWITCH("unload-works", unload_works, BEFORE, "UNLOAD disconnects and is answered, at every version"),
	SWITCH("unload-before-contact", unload_before_contact, LIVE,
	       "UNLOAD without a connection is answered"),
	SWITCH("connection-4", connection_4, BEFORE, "message connection 4 exists"),
	VALUES("returned-connection", returned_connection, connections, connection_values, BEFORE,
	       "message connection for later posts, as the answer from 5.0 says"),
	SWITCH("response-state-garbage", response_state_garbage, LIVE,
	       "connection state is not zero below 2.4 and in refusals"),
	SWITCH("echoes-version", echoes_version, LIVE, "the answer repeats the version below 5.0"),
	SWITCH("loaded-system-crashes", loaded_system_crashes, LIVE,
	       "a system loaded over a bus that was used at 3.0 or newer, and not unloaded, crashes"),
	SWITCH("loaded-system-always-crashes", loaded_system_always_crashes, LIVE,
	       "... and if it was unloaded, too"),
	/* Channels */
	VALUES("event-connections", event_connections, event_bases, event_base_values, BEFORE,
	       "a channel's connection for signals is this number and its id"),
	SWITCH("short-offer", short_offer_at_0_13, LIVE, "offers have 190 bytes at 0.13"),
	CHOICE("channel-ids", id_order, orders, LIVE, "order of the ids of channels offered"),
	CHOICE("channel-id-reuse", id_reuse, reuses, LIVE, "when a released channel id is given again"),
	CHOICE("monitor", monitoring, monitorings, BEFORE, "channels that get a monitor id"),
	NUMBER("monitor-latency", monitor_latency, 1, 100000, LIVE,
	       "microseconds between two looks at the monitor page"),
	CHOICE("subchannel-offers", subchannel_order, subchannel_orders, LIVE,
	       "offers of sub-channels come before or after the device's answer"),
	CHOICE("rescind", rescind, tendencies, LIVE,
	       "channels are taken back out of the blue (on: one chance in 256)"),
	SWITCH("gpadl-errors-answered", gpadl_errors_answered, LIVE,
	       "a GPADL that the host cannot take is answered with a failure"),
	VALUES("open-failure", open_failure_status, failures, failure_values, LIVE,
	       "status of a failed OPEN_RESULT"),
	CHOICE("teardown-reply", teardown_reply, replies, LIVE,
	       "TORNDOWN comes at once, up to 50 ms late, or not before the channel closes"),
	SWITCH("modify-response", modify_response, LIVE, "MODIFY_CHANNEL is answered from 5.3"),
	/* Rings */
	CHOICE("first-signal-lost", first_signal_lost, tendencies, LIVE,
	       "the first signal after an open is lost, made good 100 ms later"),
	SWITCH("pending-feature", pending_feature_offered, LIVE,
	       "the host knows pending send sizes and sets their bit in its ring"),
	SWITCH("pending-feature-required", pending_feature_required, LIVE,
	       "the host obeys the guest's pending send size only with that bit"),
	/* Network */
	VALUES("nvs-max", nvs_newest, nvs_versions, nvs_values, BEFORE, "newest NVS version accepted"),
	CHOICE("torndown-withheld", torndown_withheld, torndowns, LIVE,
	       "TORNDOWN of the receive buffer waits for CLOSE (now and then: 10 s at most)"),
	SWITCH("status-0x40020006", status_0x40020006_malformed, LIVE,
	       "RNDIS status 0x40020006 after INITIALIZE, with a length that does not cover it"),
	SWITCH("revoke-completed", revoke_completed, LIVE,
	       "revokes are completed if asked; else the channel is dead after one"),
	NUMBER("receive-suballocation", receive_suballocation, 1558, 8192, LIVE,
	       "bytes of one piece of the receive buffer"),
	NUMBER("send-section", send_section, 0, 65536, LIVE,
	       "bytes of one section of the send buffer; 0: the buffer is of no use"),
	NUMBER("ranges-per-packet", ranges_per_packet_max, 1, 375, LIVE,
	       "messages in one transfer-page packet, at most"),
	NUMBER("rndis-packets", rndis_packets_max, 1, 64, LIVE, "packets in one RNDIS message, at most"),
	NUMBER("rndis-alignment", rndis_alignment_factor, 0, 7, LIVE,
	       "alignment of packets in an RNDIS message, as a power of two"),
	NUMBER("rndis-transfer", rndis_transfer_max, 256, 0xefffffff, LIVE,
	       "bytes of several packets in one RNDIS message, at most"),
	SWITCH("filter-at-start", filter_set_at_start, LIVE, "frames are delivered before a filter is set"),
	SWITCH("short-nvs-ignored", short_nvs_ignored, LIVE,
	       "NVS requests below 32 bytes (6.1: 40) are never answered"),
	SWITCH("receive-buffer-limit", receive_buffer_limited, LIVE,
	       "receive buffers have at most 15 MiB up to NVS 2, later 31 MiB"),
	SWITCH("information-offset-required", information_offset_required, LIVE,
	       "an RNDIS query without information needs the information's offset"),
	CHOICE("data-offset-unaligned", data_offset_unaligned, tendencies, LIVE,
	       "frames in RNDIS packets begin at any byte, not at a multiple of 4"),
	/* Network: queues */
	SWITCH("rss", rss, BEFORE, "receive-side scaling, and with it sub-channels"),
	NUMBER("queues-max", queues_max, 1, 64, LIVE, "receive queues of a card, the primary among them"),
	SWITCH("rss-unchanged-ignored", rss_unchanged_ignored, LIVE,
	       "flags in RSS parameters that say that something is as before are not heeded"),
	SWITCH("udp-hash-as-tcp", udp_hash_as_tcp, LIVE,
	       "hashes of UDP over IPv4 are labelled as those of TCP over IPv4"),
	CHOICE("subchannels-fewer", subchannels_fewer, tendencies, LIVE,
	       "fewer sub-channels are granted than were asked for, perhaps none"),
	CHOICE("subchannels-late", subchannels_late, tendencies, LIVE,
	       "sub-channels are offered up to half a second late"),
	CHOICE("subchannels-missing", subchannels_missing, tendencies, LIVE,
	       "some of the sub-channels that were granted are never offered"),
	CHOICE("subchannel-rescind", subchannel_rescind, tendencies, LIVE,
	       "a sub-channel is taken back within a second of its opening"),
	CHOICE("send-table", send_table, send_tables, LIVE,
	       "where the send indirection table lies, and whether its offset is right"),
	CHOICE("send-table-late", send_table_late, tendencies, LIVE,
	       "the send indirection table comes up to two seconds late"),
	CHOICE("send-table-missing", send_table_missing, tendencies, LIVE,
	       "the send indirection table never comes"),
	/* Network: offloads */
	SWITCH("udp-checksum", udp_checksum, BEFORE, "checksums of UDP are offered"),
	SWITCH("udp-checksum-broken", udp_checksum_broken, LIVE,
	       "UDP checksums over IPv4 are wrong above 1420 bytes unless fragments are forbidden"),
	SWITCH("udp-as-tcp-good", udp_as_tcp_good, LIVE,
	       "a good UDP checksum of a received frame is reported as one of TCP"),
	SWITCH("lso", lso, BEFORE, "large sends are offered"),
	SWITCH("rsc", rsc, BEFORE, "received segments are joined, if the guest asks for it"),
	NUMBER("lso-size", lso_size_max, 1024, 65535, BEFORE, "bytes of one large send, at most"),
	NUMBER("lso-segments", lso_segments_min, 1, 64, BEFORE, "segments of one large send, at least"),
	SWITCH("lso-offset-needed", lso_offset_needed, BEFORE,
	       "a large send must say where its TCP header is, else the host finds it"),
	/* Storage */
	VALUES("storvsp-max", vstor_newest, vstor_versions, vstor_values, BEFORE,
	       "newest storage protocol accepted, 6.2 apart"),
	SWITCH("storvsp-6-2", vstor_6_2, BEFORE, "the storage protocol 6.2 is accepted"),
	CHOICE("storvsp-completion-size", vstor_completions, completion_sizes, LIVE,
	       "answers are as long as what they answer, or as short as what they hold"),
	CHOICE("storvsp-reset", vstor_reset, resets, LIVE,
	       "what the reset of a unit or controller does to the requests it has"),
	CHOICE("storvsp-bus-reset", vstor_bus_reset, resets, LIVE,
	       "what the reset of a bus does to the requests it has"),
	SWITCH("storvsp-absent-check", absent_check_condition, LIVE,
	       "commands for a unit that is not there end with CHECK CONDITION, not GOOD"),
	SWITCH("storvsp-absent-zeroed", absent_zeroed, LIVE,
	       "INQUIRY of a unit that is not there has version and format 0"),
	SWITCH("storvsp-disk-spc2", disk_spc2, LIVE, "disks claim SPC-2 in INQUIRY, and do SPC-3"),
	SWITCH("storvsp-disk-no-unmap", disk_without_unmap, LIVE,
	       "disks know no UNMAP, and tell nothing of thin provisioning and limits"),
	SWITCH("storvsp-disk-no-write-same", disk_without_write_same, LIVE, "disks know no WRITE SAME"),
	SWITCH("storvsp-dvd-version-0", dvd_version_0, LIVE, "INQUIRY of a DVD has version 0"),
	CHOICE("storvsp-remove-notice", remove_notice, tendencies, LIVE,
	       "removal of a unit is told by REMOVE_DEVICE, not by ENUMERATE_BUS"),
	/* Pass-through PCI */
	VALUES("vpci-min", vpci_oldest, vpci_versions, vpci_values, BEFORE, "oldest vPCI version accepted"),
	VALUES("vpci-max", vpci_newest, vpci_versions, vpci_values, BEFORE, "newest vPCI version accepted"),
	CHOICE("vpci-relations", vpci_relations, relations, LIVE,
	       "bus relations come when asked for alone, or again before or after D0 entry's completion"),
	CHOICE("vpci-bar-flags-late", vpci_bar_flags_late, tendencies, LIVE,
	       "the low bits of a BAR read as 0 until it is written (by seed: one opening in two)"),
	/* Integration components */
	CHOICE("ic-versions", ic_versions, ic_versions, BEFORE,
	       "integration components, and the versions that they offer: those of that host"),
};

const struct hvh_quirk *hvh_quirk_get(uint32_t n)
{
	return n < COUNT(entries) ? &entries[n].quirk : NULL;
}

static const struct entry *find(const char *name)
{
	for (size_t n = 0; n < COUNT(entries); n++) {
		if (strcmp(entries[n].quirk.name, name) == 0)
			return &entries[n];
	}
	return NULL;
}

const struct hvh_quirk *hvh_quirk_find(const char *name)
{
	const struct entry *entry = find(name);

	return entry != NULL ? &entry->quirk : NULL;
}

/* --- Reading ------------------------------------------------------------------------ */

static uint32_t load(const struct hvh_profile *profile, const struct entry *entry)
{
	const uint8_t *field = (const uint8_t *)profile + entry->offset;
	uint32_t number;
	bool on;

	if (entry->quirk.kind == HVH_QUIRK_SWITCH) {
		memcpy(&on, field, sizeof(on));
		return on;
	}
	memcpy(&number, field, sizeof(number));
	return number;
}

void hvh_quirk_value(const struct hvh_profile *profile, const struct hvh_quirk *quirk, char *text,
		     size_t size)
{
	const struct entry *entry = find(quirk->name);

	if (entry == NULL) {
		snprintf(text, size, "-");
		return;
	}
	uint32_t value = load(profile, entry);
	if (quirk->kind == HVH_QUIRK_SWITCH) {
		snprintf(text, size, "%s", value != 0 ? "on" : "off");
		return;
	}
	for (uint32_t n = 0; quirk->choices != NULL && quirk->choices[n] != NULL; n++) {
		if ((entry->values != NULL ? entry->values[n] : n) == value) {
			snprintf(text, size, "%s", quirk->choices[n]);
			return;
		}
	}
	snprintf(text, size, "%u", value);
}

/* --- Setting -------------------------------------------------------------------------- */

static bool refuse(char *error, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(char *error, size_t size, const char *format, ...)
{
	va_list arguments;

	if (error == NULL || size == 0)
		return false;
	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	return false;
}

static bool parse_switch(const struct hvh_quirk *quirk, const char *text, uint32_t *value, char *error,
			 size_t size)
{
	*value = strcmp(text, "on") == 0;
	if (*value != 0 || strcmp(text, "off") == 0)
		return true;
	return refuse(error, size, "%s is on or off, not '%s'", quirk->name, text);
}

static bool parse_number(const struct hvh_quirk *quirk, const char *text, uint32_t *value, char *error,
			 size_t size)
{
	char *end = NULL;
	unsigned long long number = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 0) : 0;

	if (end == NULL || *end != '\0' || number < quirk->minimum || number > quirk->maximum)
		return refuse(error, size, "%s is a number from %u to %u, not '%s'", quirk->name,
			      quirk->minimum, quirk->maximum, text);
	*value = (uint32_t)number;
	return true;
}

static bool parse_choice(const struct entry *entry, const char *text, uint32_t *value, char *error,
			 size_t size)
{
	const char *const *choices = entry->quirk.choices;
	char line[CHOICES_LINE] = "";
	size_t used = 0;

	for (uint32_t n = 0; choices[n] != NULL; n++) {
		if (strcmp(choices[n], text) == 0) {
			*value = entry->values != NULL ? entry->values[n] : n;
			return true;
		}
		int more = snprintf(line + used, sizeof(line) - used, "%s%s",
				    n == 0                   ? ""
				    : choices[n + 1] == NULL ? " or "
							     : ", ",
				    choices[n]);
		if (more > 0 && (size_t)more < sizeof(line) - used)
			used += (size_t)more;
	}
	return refuse(error, size, "%s is %s, not '%s'", entry->quirk.name, line, text);
}

static bool parse(const struct entry *entry, const char *text, uint32_t *value, char *error, size_t size)
{
	switch (entry->quirk.kind) {
	case HVH_QUIRK_SWITCH:
		return parse_switch(&entry->quirk, text, value, error, size);
	case HVH_QUIRK_NUMBER:
		return parse_number(&entry->quirk, text, value, error, size);
	default:
		return parse_choice(entry, text, value, error, size);
	}
}

static void store(struct hvh_profile *profile, const struct entry *entry, uint32_t value)
{
	uint8_t *field = (uint8_t *)profile + entry->offset;
	bool on = value != 0;

	if (entry->quirk.kind == HVH_QUIRK_SWITCH)
		memcpy(field, &on, sizeof(on));
	else
		memcpy(field, &value, sizeof(value));
}

bool hvh_quirk_set(struct hvh_profile *profile, const char *name, const char *value, char *error,
		   size_t error_size)
{
	const struct entry *entry = find(name);
	uint32_t number = 0;

	if (entry == NULL)
		return refuse(error, error_size, "there is no quirk '%s'; `hvkit hosts` lists them", name);
	if (!parse(entry, value, &number, error, error_size))
		return false;
	if (entry->offset == FIELD(accept_newest) && number > profile->newest_version)
		return refuse(error, error_size, "version-max %s: %s knows nothing newer than %u.%u", value,
			      profile->name, profile->newest_version >> 16, profile->newest_version & 0xffff);
	store(profile, entry, number);
	return true;
}
