/* SPDX-License-Identifier: MIT */
/*
 * Contact and unload. Versions are matched exactly. Any INITIATE_CONTACT first resets
 * whatever was connected. Rules by version: OpenVMM channels.rs; old hosts: iPXE
 * 0166a6835.
 */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"
#include "hvkit_host/firmware.h"

/* Before 3.0 the host answers VP 0 whatever the message says (OpenVMM). */
static const uint32_t versions[] = {
	VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
	VMBUS_VERSION_4_1,  VMBUS_VERSION_5_0, VMBUS_VERSION_5_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
};

bool hvh_version_known(uint32_t version)
{
	for (size_t n = 0; n < sizeof(versions) / sizeof(versions[0]); n++) {
		if (versions[n] == version)
			return true;
	}
	return false;
}

/* 6.0 is known of what the firmware says alone; from there on it is as 5.3. */
static bool accepted(const struct hvh_partition *partition, uint32_t version)
{
	const struct hvh_profile *profile = &partition->profile;

	if (partition->firmware_owns && version == HVH_FIRMWARE_VERSION)
		return profile->accept_newest >= VMBUS_VERSION_5_3;
	if (profile->version_policy == HVH_VERSIONS_EXACT && !hvh_version_known(version))
		return false;
	return version > 0 && version <= profile->newest_version && version <= profile->accept_newest;
}

static void complain(struct hvh_partition *partition, enum hvh_violation_kind kind,
		     const struct hvh_post *post, const char *what)
{
	hvh_violate(partition, kind, partition->now, post->vp, 0, post->bytes, post->size,
		    "initiate-contact: %s", what);
}

static void reset(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	hvh_vmbus_drop_outgoing(partition);
	hvh_offers_reset(partition, now);
	hvh_gpadls_free(partition, NULL);
	bus->connected = false;
	bus->offers_requested = false;
	bus->shared_bitless = 0;
	bus->pages = (struct hvh_shared_pages){0, 0, 0};
	bus->monitor_due = HVH_NEVER;
}

/* --- The answer -------------------------------------------------------------------- */

struct answer {
	uint32_t vp, sint, version;
	bool supported, failed;
};

static void send_answer(struct hvh_partition *partition, uint64_t now, const struct answer *answer)
{
	const struct hvh_profile *profile = &partition->profile;
	struct vmbus_version_response response = {
		.header = {VMBUS_MSG_VERSION_RESPONSE, 0},
		.version_supported = answer->supported,
		.connection_state = answer->failed ? HVH_CONTACT_FAILED : 0,
	};

	if (profile->response_state_garbage && (!answer->supported || answer->version < VMBUS_VERSION_2_4))
		response.connection_state = (uint8_t)(1 + hvh_choose(partition, 255));
	if (answer->supported && !answer->failed) {
		if (answer->version >= VMBUS_VERSION_5_0)
			response.version_or_connection_id = profile->returned_connection;
		else if (profile->echoes_version)
			response.version_or_connection_id = answer->version;
	}
	if (partition->silence != HVH_SILENCE_CONTACT)
		hvh_vmbus_send_to(partition, now, answer->vp, answer->sint, &response, sizeof(response));
}

/* --- What the message says ---------------------------------------------------------- */

/* SINT and VTL count only on connection 4 (OpenVMM). False: no answer at all. */
static bool parse_target(struct hvh_partition *partition, const struct hvh_post *post,
			 const struct vmbus_initiate_contact *contact, struct answer *answer)
{
	uint64_t target = contact->interrupt_page_or_target;
	uint32_t sint = (uint32_t)(target & 0xff), vtl = (uint32_t)(target >> 8 & 0xff);
	bool newer = contact->version >= VMBUS_VERSION_5_0;

	answer->vp = contact->version >= VMBUS_VERSION_3_0 ? contact->target_vp : 0;
	answer->sint = VMBUS_SINT;
	if (answer->vp >= partition->vps) {
		complain(partition, HVH_V_TARGET_VP, post, "the target VP does not exist");
		return false;
	}
	if (newer != (post->connection == VMBUS_CONNECTION_MESSAGE_V5) && !partition->firmware_owns)
		complain(partition, HVH_V_CONTACT, post, "from 5.0 on connection 4, below on connection 1");
	if (!newer || contact->version > VMBUS_VERSION_5_3)
		return true;
	if ((target >> 16) != 0 || (vtl != 0 && contact->version < VMBUS_VERSION_5_1))
		complain(partition, HVH_V_MESSAGE_PADDING, post,
			 "bytes after SINT (and VTL, from 5.1) are to be 0");
	if (post->connection != VMBUS_CONNECTION_MESSAGE_V5)
		return true;
	if (sint >= HV_SINT_COUNT || (vtl != 0 && contact->version >= VMBUS_VERSION_5_1)) {
		complain(partition, HVH_V_CONTACT, post, "no server at that SINT and VTL: nobody answers");
		return false;
	}
	answer->sint = sint;
	return true;
}

static bool page_usable(struct hvh_partition *partition, const struct hvh_post *post, uint64_t gpa,
			const char *what)
{
	uint32_t word;

	if (gpa % HVK_PAGE_SIZE != 0) {
		complain(partition, HVH_V_CONTACT, post, what);
		return false;
	}
	if (hvh_memory_load32(partition, gpa, &word))
		return true;
	complain(partition, HVH_V_MEMORY, post, what);
	return false;
}

/* The pages of the contact; false if it fails because of them. */
static bool parse_pages(struct hvh_partition *partition, const struct hvh_post *post,
			const struct vmbus_initiate_contact *contact, struct hvh_shared_pages *pages)
{
	pages->monitor_host_to_guest = contact->monitor_page_host_to_guest;
	pages->monitor_guest_to_host = contact->monitor_page_guest_to_host;
	pages->interrupt = contact->version < VMBUS_VERSION_2_4 ? contact->interrupt_page_or_target : 0;
	if ((pages->monitor_host_to_guest == 0) != (pages->monitor_guest_to_host == 0)) {
		complain(partition, HVH_V_CONTACT, post, "one monitor page without the other");
		return false;
	}
	if (pages->monitor_host_to_guest != 0 && (!page_usable(partition, post, pages->monitor_host_to_guest,
							       "monitor page misaligned or not RAM") ||
						  !page_usable(partition, post, pages->monitor_guest_to_host,
							       "monitor page misaligned or not RAM")))
		return false;
	if (contact->version >= VMBUS_VERSION_2_4)
		return true;
	if (pages->interrupt == 0) {
		complain(partition, HVH_V_CONTACT, post,
			 "no interrupt page; below 2.4 there is no signal without it");
		return false;
	}
	return page_usable(partition, post, pages->interrupt, "interrupt page misaligned or not RAM");
}

static void connect(struct hvh_partition *partition, uint64_t now, const struct answer *answer,
		    const struct hvh_shared_pages *pages)
{
	struct hvh_vmbus *bus = partition->vmbus;

	/* An old host never lets go of the first contact's pages and offers nothing to a
	 * second one. */
	bus->unusable = !partition->profile.unload_works && bus->contacted;
	if (!bus->contacted)
		bus->loader = partition->hypervisor->os_id;
	bus->contacted = true;
	bus->last_version = answer->version;
	bus->last_unloaded = false;
	bus->connected = true;
	bus->version = answer->version;
	bus->vp = answer->vp;
	bus->connection = answer->version >= VMBUS_VERSION_5_0 ? partition->profile.returned_connection
							       : VMBUS_CONNECTION_MESSAGE;
	bus->pages = *pages;
	if (pages->monitor_guest_to_host != 0) {
		hvh_monitor_clear_all(partition); /* left behind by the last system */
		bus->monitor_due = now;
	}
}

/* Pages that an old host was given once it goes on writing: HVH_STALE_WRITES times here, so
 * that a partition comes to rest. */
static void keep_stale(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	if (partition->profile.unload_works || !bus->connected || bus->stale_due != HVH_NEVER)
		return;
	bus->stale = bus->pages;
	bus->stale_due = now + HVH_STALE_PERIOD;
}

bool hvh_loaded_system_crashes(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	return partition->profile.loaded_system_crashes && bus->last_version >= VMBUS_VERSION_3_0 &&
	       (!bus->last_unloaded || partition->profile.loaded_system_always_crashes);
}

/* A system that was loaded, known by its identity. What crashes there is its own driver (iPXE 0166a6835): it
 * never gets as far as a connection. */
static bool crashes(struct hvh_partition *partition, const struct hvh_post *post)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	if (!hvh_loaded_system_crashes(partition) || bus->loader == partition->hypervisor->os_id)
		return false;
	hvh_violate(partition, HVH_V_LOADED_SYSTEM, partition->now, post->vp, 0, post->bytes, post->size,
		    "the loaded system crashes: the last contact before its own was at %u.%u, %s",
		    bus->last_version >> 16, bus->last_version & 0xffff,
		    bus->last_unloaded ? "with an UNLOAD since" : "with no UNLOAD since");
	return true;
}

void hvh_contact(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_initiate_contact contact;
	struct hvh_shared_pages pages;
	struct answer answer = {0};

	memcpy(&contact, post->bytes, sizeof(contact));
	partition->counters.contacts++;
	if (!parse_target(partition, post, &contact, &answer))
		return;
	answer.version = contact.version;
	if (answer.sint != VMBUS_SINT) { /* somebody else's bus: no, and nothing else happens */
		send_answer(partition, now, &answer);
		return;
	}
	if (crashes(partition, post)) {
		send_answer(partition, now, &answer);
		return;
	}
	keep_stale(partition, now);
	reset(partition, now);
	if (accepted(partition, contact.version)) {
		bool good = parse_pages(partition, post, &contact, &pages);
		answer.failed = !good;
		/* Below 2.4 the answer cannot carry a failure. */
		answer.supported = good || contact.version >= VMBUS_VERSION_2_4;
		if (good && partition->silence != HVH_SILENCE_CONTACT)
			connect(partition, now, &answer, &pages);
	}
	send_answer(partition, now, &answer);
}

/* --- Unload ----------------------------------------------------------------------------- */

void hvh_unload(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	static const struct vmbus_message_header response = {VMBUS_MSG_UNLOAD_RESPONSE, 0};

	partition->counters.unloads++;
	if (!partition->vmbus->connected && !partition->profile.unload_before_contact) {
		hvh_violate(partition, HVH_V_MESSAGE_STATE, now, post->vp, 0, post->bytes, post->size,
			    "unload: sent while not connected");
		return;
	}
	if (!partition->profile.unload_works) {
		hvh_note(partition, now, 0, "UNLOAD ignored: this host does not know 3.0");
		keep_stale(partition, now);
		return;
	}
	if (partition->silence == HVH_SILENCE_UNLOAD)
		return;
	partition->vmbus->last_unloaded = true;
	reset(partition, now);
	hvh_vmbus_send(partition, now, &response, sizeof(response));
}

/* What such a host goes on doing to pages that the guest may have given back: a bit in
 * the interrupt page, the time of its next look in the monitor pages. */
#define MONITOR_NEXT_CHECK 64u

void hvh_stale_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint32_t before;

	if (bus->stale_due > now)
		return;
	bus->stale_writes++;
	bus->stale_due = bus->stale_writes < HVH_STALE_WRITES ? now + HVH_STALE_PERIOD : HVH_NEVER;
	if (bus->stale.interrupt != 0)
		hvh_memory_or32(partition, bus->stale.interrupt + VMBUS_INTERRUPT_PAGE_HOST_TO_GUEST, 2u,
				&before);
	if (bus->stale.monitor_host_to_guest != 0)
		hvh_memory_store32(partition, bus->stale.monitor_host_to_guest + MONITOR_NEXT_CHECK,
				   (uint32_t)now);
	if (bus->stale.monitor_guest_to_host != 0)
		hvh_memory_store32(partition, bus->stale.monitor_guest_to_host + MONITOR_NEXT_CHECK,
				   (uint32_t)now);
}
