/* SPDX-License-Identifier: MIT */
/*
 * Guest x host profile x protocol version: what is negotiated, and, per version, each cell
 * of docs/vmbus-versions.md as it is seen on the wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"
#include "tests/support/rig.h"

static const uint32_t versions[] = {
	VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
	VMBUS_VERSION_4_1,  VMBUS_VERSION_5_0, VMBUS_VERSION_5_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))
static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};

/* What was seen of each cell. */
struct seen {
	uint32_t contacts;
	struct vmbus_initiate_contact contact;     /* the last INITIATE_CONTACT */
	bool modified;                             /* MODIFY_CHANNEL was seen */
	uint32_t event_flag_0, event_flag_channel; /* host to guest */
	uint32_t signal_connection;                /* the last signal's */
	bool signal_mixed;                         /* signals went to more than one connection */
	uint32_t offer_size, offer_connection;
	uint32_t target_vp; /* of OPEN_CHANNEL */
	uint32_t unloads, unload_responses;
	uint32_t message_vp; /* where messages came */
	bool message_mixed;  /* ... not all to the same */
	uint32_t messages;
};

static void take_to_guest(struct seen *seen, const struct hvh_trace_record *record)
{
	struct vmbus_offer_channel offer = {0};
	uint32_t type;

	memcpy(&type, record->bytes, sizeof(type));
	seen->message_mixed |= seen->messages++ && seen->message_vp != record->vp;
	seen->message_vp = record->vp;
	if (type == VMBUS_MSG_OFFER_CHANNEL) {
		memcpy(&offer, record->bytes, record->byte_count);
		seen->offer_size = record->byte_count;
		seen->offer_connection = offer.connection_id;
	} else if (type == VMBUS_MSG_UNLOAD_RESPONSE) {
		seen->unload_responses++;
	}
}

static void take_from_guest(struct seen *seen, const struct hvh_trace_record *record)
{
	struct vmbus_open_channel open;
	uint32_t type;

	memcpy(&type, record->bytes, sizeof(type));
	if (type == VMBUS_MSG_INITIATE_CONTACT) {
		memcpy(&seen->contact, record->bytes, sizeof(seen->contact));
		seen->contacts++;
	} else if (type == VMBUS_MSG_OPEN_CHANNEL) {
		memcpy(&open, record->bytes, sizeof(open));
		seen->target_vp = open.target_vp;
	} else if (type == VMBUS_MSG_UNLOAD) {
		seen->unloads++;
	} else if (type == VMBUS_MSG_MODIFY_CHANNEL) {
		seen->modified = true;
	}
}

static void take(void *context, const struct hvh_trace_record *record)
{
	struct seen *seen = context;
	uint32_t words[2];

	if (record->byte_count >= sizeof(words))
		memcpy(words, record->bytes, sizeof(words));
	switch (record->kind) {
	case HVH_TRACE_MESSAGE:
		if (record->to_guest)
			take_to_guest(seen, record);
		else
			take_from_guest(seen, record);
		break;
	case HVH_TRACE_EVENT:
		if (words[0] == 0)
			seen->event_flag_0++;
		else
			seen->event_flag_channel++;
		break;
	case HVH_TRACE_SIGNAL:
		seen->signal_mixed |= seen->signal_connection && seen->signal_connection != words[0];
		seen->signal_connection = words[0];
		break;
	default:
		break;
	}
}

static void run_on(const char *profile, const struct hvh_profile *custom, uint32_t version, uint32_t cpus,
		   struct seen *seen, struct rig_result *result)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.custom = custom,
		.newest = version,
		.oldest = version,
		.cpus = cpus,
		.nic_cpu = version >= VMBUS_VERSION_2_4 ? cpus - 1 : 0,
		.bus_cpu = version >= VMBUS_VERSION_3_0 ? 1 : 0,
		.seed = version ^ cpus,
		.frames = 60,
		.tap = take,
		.context = seen,
	};

	memset(seen, 0, sizeof(*seen));
	rig_run(&config, result);
}

static void run(const char *profile, uint32_t version, uint32_t cpus, struct seen *seen,
		struct rig_result *result)
{
	run_on(profile, NULL, version, cpus, seen, result);
}

/* Every version on every host: taken where the host knows it, refused where not. */
static void each_version_on_each_host(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
		uint32_t newest = hvh_profile_find(profiles[p])->newest_version;

		for (size_t v = 0; v < VERSIONS; v++) {
			struct rig_result result;
			struct seen seen;
			const char *wrong;

			run(profiles[p], versions[v], 2, &seen, &result);
			if (versions[v] > newest) {
				assert_int_equal(result.status, HVK_EVERSION);
				assert_int_equal(result.leaked_pages + result.bad_writes + result.violations,
						 0);
				continue;
			}
			wrong = rig_check(&result, true);
			if (wrong)
				print_error("%s at %u.%u: %s\n", profiles[p], versions[v] >> 16,
					    versions[v] & 0xffff, wrong);
			assert_null(wrong);
			assert_int_equal(result.version, versions[v]);
			assert_int_equal(result.echoed, 60);
		}
	}
}

/* The newest that both know, whatever the cap on either side. */
static void the_newest_common_version_is_taken(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
		for (size_t v = 0; v < VERSIONS; v++) {
			uint32_t newest = hvh_profile_find(profiles[p])->newest_version;
			uint32_t expected = versions[v] < newest ? versions[v] : newest;
			struct rig_config config = {
				.mode = HOSTED_DETERMINISTIC,
				.profile = profiles[p],
				.accept_newest = expected,
				.seed = v + 1,
				.no_nic = true,
			};
			struct rig_result result;

			rig_run(&config, &result);
			assert_null(rig_check(&result, true));
			assert_int_equal(result.version, expected);
		}
	}
}

static void check_contact(uint32_t version, const struct seen *seen)
{
	uint32_t contact_cpu = version >= VMBUS_VERSION_3_0 ? 1 : 0;

	/* SINT in the first byte, VTL (5.1) in the next, zeros; below 5.0 the interrupt page. */
	if (version >= VMBUS_VERSION_5_0)
		assert_int_equal(seen->contact.interrupt_page_or_target, VMBUS_SINT);
	else
		assert_int_equal(seen->contact.interrupt_page_or_target % HVK_PAGE_SIZE, 0);
	assert_int_not_equal(seen->contact.interrupt_page_or_target, 0);
	assert_int_not_equal(seen->contact.monitor_page_host_to_guest, 0);
	assert_int_not_equal(seen->contact.monitor_page_guest_to_host, 0);
	assert_int_equal(seen->contact.target_vp, contact_cpu);
	assert_int_equal(seen->message_vp, contact_cpu);
	assert_false(seen->message_mixed);
}

static void check_signals(uint32_t version, const struct seen *seen)
{
	/* Host to guest: flag 0 and the interrupt page below 2.4, the channel's own flag from there. */
	if (version < VMBUS_VERSION_2_4) {
		assert_true(seen->event_flag_0 > 0);
		assert_int_equal(seen->event_flag_channel, 0);
	} else {
		assert_true(seen->event_flag_channel > 0);
		assert_int_equal(seen->event_flag_0, 0);
	}
	/* Guest to host: connection 2 at 0.13, the offer's from 1.1. The bit is the model's to police. */
	assert_false(seen->signal_mixed);
	assert_int_equal(seen->signal_connection,
			 version == VMBUS_VERSION_0_13 ? VMBUS_CONNECTION_EVENT : seen->offer_connection);
}

static void check_leaving(const char *profile, uint32_t version, const struct seen *seen,
			  const struct rig_result *result)
{
	bool shown = version >= VMBUS_VERSION_3_0;

	assert_int_equal(seen->unloads, 1);
	/* Awaited where the host has shown that it knows 3.0; below, its pages are withheld. */
	if (shown)
		assert_int_equal(seen->unload_responses, 1);
	if (!hvh_profile_find(profile)->unload_works)
		assert_int_equal(seen->unload_responses, 0);
	assert_int_equal(result->quarantined_pages != 0, !shown);
}

static void each_cell_of_the_table(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(profiles) / sizeof(profiles[0]); p++) {
		const struct hvh_profile *host = hvh_profile_find(profiles[p]);

		for (size_t v = 0; v < VERSIONS && versions[v] <= host->newest_version; v++) {
			bool is_short = versions[v] == VMBUS_VERSION_0_13 && host->short_offer_at_0_13;
			struct rig_result result;
			struct seen seen;

			run(profiles[p], versions[v], 3, &seen, &result);
			assert_null(rig_check(&result, true));
			assert_int_equal(seen.contacts, 1);
			assert_int_equal(seen.contact.version, versions[v]);
			check_contact(versions[v], &seen);
			check_signals(versions[v], &seen);
			assert_int_equal(seen.offer_size,
					 is_short ? VMBUS_OFFER_SIZE_0_13_MIN : VMBUS_OFFER_SIZE);
			/* The card's CPU: 2, or 0 where there is no other. */
			assert_int_equal(seen.target_vp, versions[v] >= VMBUS_VERSION_2_4 ? 2 : 0);
			assert_false(seen.modified);
			check_leaving(profiles[p], versions[v], &seen, &result);
		}
	}
}

/* From 5.0 the host says where later messages go. Messages to the other connection are a
 * violation in the model, so a guest that does not look fails with one of the two hosts. */
static void messages_go_where_the_host_says(void **state)
{
	struct hvh_profile host = *hvh_profile_find("ws2022");

	(void)state;
	for (size_t v = 0; v < VERSIONS; v++) {
		if (versions[v] < VMBUS_VERSION_5_0)
			continue;
		for (uint32_t which = 0; which < 2; which++) {
			struct rig_result result;
			struct seen seen;

			host.returned_connection = which ? VMBUS_CONNECTION_MESSAGE_V5
							 : VMBUS_CONNECTION_MESSAGE;
			run_on(NULL, &host, versions[v], 2, &seen, &result);
			assert_null(rig_check(&result, true));
			assert_int_equal(result.version, versions[v]);
			assert_int_equal(seen.unload_responses, 1);
		}
	}
}

/* Below 3.0 messages come to CPU 0: a bus on another leaves those versions out. */
static void a_bus_on_another_cpu_begins_at_3_0(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .cpus = 2, .bus_cpu = 1, .no_nic = true};
	struct rig_result result;

	(void)state;
	config.profile = "ws2012"; /* knows 2.4 */
	rig_run(&config, &result);
	assert_int_equal(result.status, HVK_EVERSION);
	assert_int_equal(result.attempts, 7);          /* 3.0 to 5.3 */
	assert_int_equal(result.host.contacts, 7 - 4); /* an old host has no connection 4 */
	config.newest = VMBUS_VERSION_2_4;
	rig_run(&config, &result);
	assert_int_equal(result.status, HVK_EINVAL);
	config.newest = 0;
	config.vmbus_mode = HVK_VMBUS_MODE_BOOT; /* which uses the oldest version */
	rig_run(&config, &result);
	assert_int_equal(result.status, HVK_EINVAL);
	assert_int_equal(result.host.contacts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_on_each_host),
		cmocka_unit_test(the_newest_common_version_is_taken),
		cmocka_unit_test(each_cell_of_the_table),
		cmocka_unit_test(messages_go_where_the_host_says),
		cmocka_unit_test(a_bus_on_another_cpu_begins_at_3_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
