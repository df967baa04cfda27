/* SPDX-License-Identifier: MIT */
/* The guest's user: says yes, no, later or nothing, and sees to it that he is asked what was to be asked. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/services_private.h"

#define SIXTEENTHS 16u
#define ALONE_SLACK_MS 1500u
/* How far a time that was told may be off: messages before 4.0 do not say when they were sent. */
#define TOLD_NEW (2 * HVK_TIME_PER_MS)
#define TOLD_OLD (500 * HVK_TIME_PER_MS)

/* A request ends the one before, whose late answer nobody wants. */
static enum hvk_utility_answer mood(struct session *session, enum hvk_utility_kind kind)
{
	struct component *component = &session->components[kind];
	uint32_t limit = session->plan->answer_max_ms;

	component->waiting = component->by_index = component->wants_ip = false;
	component->pair = NULL;
	if (session->settling || services_pick(session, SIXTEENTHS) >= session->plan->moods)
		return HVK_UTILITY_DONE;
	switch (services_pick(session, 6)) {
	case 0:
		session->counts.no++;
		return HVK_UTILITY_REFUSED;
	case 1:
		session->counts.never++;
		return HVK_UTILITY_LATER;
	default:
		component->waiting = true;
		component->answer_at = services_now(session) +
				       (1 + services_pick(session, limit + limit / 4)) * HVK_TIME_PER_MS;
		return HVK_UTILITY_LATER;
	}
}

/* --- Shutdown ------------------------------------------------------------------------------------ */

static enum hvk_utility_answer shutdown_asked(void *context, const struct hvk_shutdown *shutdown)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_SHUTDOWN);

	if (strcmp(shutdown->text, "reason: \xc3\xa4") != 0)
		WRONG(session, "shutdown: the text is '%s'", shutdown->text);
	session->asked_action = shutdown->action;
	session->asked_forced = shutdown->forced;
	session->may_go_down = answer != HVK_UTILITY_REFUSED;
	return answer;
}

static void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	struct session *session = context;

	if (!session->may_go_down)
		WRONG(session, "goes down though it said no, or twice");
	if (action != session->asked_action || forced != session->asked_forced)
		WRONG(session, "goes down otherwise than asked");
	session->may_go_down = false;
	session->counts.went_down++;
	session->downs++;
}

/* --- Time ---------------------------------------------------------------------------------------- */

static uint64_t guest_clock(void *context)
{
	struct session *session = context;

	return CLOCK_BASE + services_now(session) + (uint64_t)session->guest_offset;
}

/* What the host may have said when it sent this: the clock as it is, or as it was a step or two ago. */
static bool may_be_told(const struct session *session, uint64_t told, uint64_t tolerance)
{
	uint64_t now = services_now(session);

	for (uint32_t n = 0; n < session->step_count; n++) {
		uint64_t truth = CLOCK_BASE + now + (uint64_t)session->steps[n];
		uint64_t apart = told > truth ? told - truth : truth - told;

		/* The one that follows has been in force for a while: it is what is said. */
		if (n + 1 < session->step_count && now - session->step_at[n + 1] > HVK_TIME_PER_SECOND)
			continue;
		if (apart <= tolerance)
			return true;
	}
	return false;
}

static void adjust(void *context, const struct hvk_time_offer *offer, int64_t difference)
{
	struct session *session = context;
	struct component *component = &session->components[HVK_UTILITY_TIMESYNC];
	uint32_t framework, version;

	hvk_utility_versions(component->utility, &framework, &version);
	if (!may_be_told(session, offer->host_time, version == IC_VERSION(4, 0) ? TOLD_NEW : TOLD_OLD))
		WRONG(session, "time: told %lld us more than the host's clock says",
		      (long long)(offer->host_time - services_host_clock(session, services_now(session))) /
			      10);
	if ((int64_t)(offer->host_time - guest_clock(session)) != difference)
		WRONG(session, "time: the difference is not that of the clocks");
	if (!offer->step &&
	    (difference > 5 * (int64_t)HVK_TIME_PER_SECOND || difference < -5 * (int64_t)HVK_TIME_PER_SECOND))
		WRONG(session, "time: far off, and to be slewed");
	session->guest_offset += offer->step ? difference : difference / 2;
	session->counts.stepped += offer->step;
	session->counts.slewed += !offer->step;
}

/* --- Key-value pairs ----------------------------------------------------------------------------- */

static struct component *kvp(struct session *session)
{
	return &session->components[HVK_UTILITY_KVP];
}

/* The pair is asked for: the answer is of when it is given. */
static enum hvk_utility_answer put_off(struct session *session, uint8_t pool, struct hvk_kvp_pair *pair)
{
	session->pair = *pair;
	kvp(session)->pair = &session->pair;
	kvp(session)->pool = pool;
	return HVK_UTILITY_LATER;
}

static enum hvk_utility_answer kvp_get(void *context, uint8_t pool, struct hvk_kvp_pair *pair)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);

	if (answer == HVK_UTILITY_LATER)
		return put_off(session, pool, pair);
	return answer == HVK_UTILITY_DONE ? hvk_kvp_store_get(session->store, pool, pair) : answer;
}

static enum hvk_utility_answer kvp_enumerate(void *context, uint8_t pool, uint32_t index,
					     struct hvk_kvp_pair *pair)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);

	if (answer == HVK_UTILITY_LATER) {
		kvp(session)->by_index = true;
		kvp(session)->index = index;
		return put_off(session, pool, pair);
	}
	return answer == HVK_UTILITY_DONE ? hvk_kvp_store_enumerate(session->store, pool, index, pair)
					  : answer;
}

/* Done at once, and perhaps said later. */
static enum hvk_utility_answer kvp_set(void *context, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);

	if (answer != HVK_UTILITY_REFUSED &&
	    hvk_kvp_store_set(session->store, pool, pair) != HVK_UTILITY_DONE)
		WRONG(session, "kvp: the store is full");
	return answer;
}

static enum hvk_utility_answer kvp_remove(void *context, uint8_t pool, const char *key)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);
	enum hvk_utility_answer removed;

	if (answer == HVK_UTILITY_REFUSED)
		return answer;
	removed = hvk_kvp_store_remove(session->store, pool, key);
	return answer == HVK_UTILITY_DONE ? removed : answer;
}

static bool is_adapter(uint32_t n, const struct vmbus_guid *guid)
{
	struct vmbus_guid own;
	char text[40];

	services_adapter(n, &own, text);
	return memcmp(&own, guid, sizeof(own)) == 0;
}

static enum hvk_utility_answer fill_ip(struct session *session, struct hvk_kvp_ip *ip)
{
	for (uint32_t n = 0; n < ADAPTERS; n++) {
		if (is_adapter(n, &ip->adapter)) {
			struct vmbus_guid adapter = ip->adapter;

			*ip = session->ip[n];
			ip->adapter = adapter;
			return HVK_UTILITY_DONE;
		}
	}
	return HVK_UTILITY_NOT_FOUND;
}

static enum hvk_utility_answer kvp_get_ip(void *context, struct hvk_kvp_ip *ip)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);

	if (answer == HVK_UTILITY_LATER) {
		kvp(session)->wants_ip = true;
		session->asked_ip = *ip;
	}
	return answer == HVK_UTILITY_DONE ? fill_ip(session, ip) : answer;
}

static enum hvk_utility_answer kvp_set_ip(void *context, const struct hvk_kvp_ip *ip)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_KVP);
	char address[64];

	if (answer == HVK_UTILITY_REFUSED)
		return answer;
	for (uint32_t n = 0; n < ADAPTERS; n++) {
		if (!is_adapter(n, &ip->adapter))
			continue;
		services_address(n, session->ip_sent[n], address, sizeof(address));
		if (strcmp(ip->addresses, address) != 0)
			WRONG(session, "ip: '%.60s' for adapter %u, not '%s'", ip->addresses, n, address);
		session->ip[n] = *ip;
		session->ip_number[n] = session->ip_sent[n];
		return answer;
	}
	WRONG(session, "ip: set for an adapter that is not here");
	return HVK_UTILITY_NOT_FOUND;
}

/* --- Backup -------------------------------------------------------------------------------------- */

static enum hvk_utility_answer freeze(void *context)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_VSS);

	if (session->frozen)
		WRONG(session, "vss: frozen while frozen");
	if (answer == HVK_UTILITY_REFUSED)
		return answer;
	session->frozen = true;
	session->frozen_at = services_now(session);
	session->counts.frozen++;
	return answer;
}

static void thaw(void *context, bool by_itself)
{
	struct session *session = context;
	uint64_t longest = (uint64_t)session->plan->answer_max_ms + session->plan->freeze_max_ms +
			   ALONE_SLACK_MS;

	if (!session->frozen)
		WRONG(session, "vss: thawed while thawed");
	if (services_now(session) - session->frozen_at > longest * HVK_TIME_PER_MS)
		WRONG(session, "vss: frozen for %llu ms",
		      (unsigned long long)((services_now(session) - session->frozen_at) / HVK_TIME_PER_MS));
	session->frozen = false;
	session->components[HVK_UTILITY_VSS].waiting = false; /* who has not frozen yet need not */
	session->host_thaws += !by_itself;
	session->counts.thawed += !by_itself;
	session->counts.thawed_alone += by_itself;
}

/* --- File copy ----------------------------------------------------------------------------------- */

static enum hvk_utility_answer copy_start(void *context, const char *path, const char *name, uint64_t size,
					  bool overwrite, bool create_path)
{
	struct session *session = context;
	enum hvk_utility_answer answer = mood(session, HVK_UTILITY_FCOPY);
	uint32_t which = (uint32_t)strtoul(name, NULL, 10);

	(void)create_path;
	if (session->copying)
		WRONG(session, "fcopy: begun while one is under way");
	if (strcmp(path, "in/a place") != 0 || which >= COPIES || !overwrite ||
	    size != session->file_sizes[which])
		WRONG(session, "fcopy: %s/%s of %llu bytes", path, name, (unsigned long long)size);
	if (answer == HVK_UTILITY_REFUSED || which >= COPIES)
		return HVK_UTILITY_REFUSED;
	session->copying = true;
	session->copying_which = which;
	session->copied = 0;
	return answer;
}

static enum hvk_utility_answer copy_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct session *session = context;
	const uint8_t *bytes = data;

	if (!session->copying || offset != session->copied ||
	    length > session->file_sizes[session->copying_which] - offset)
		WRONG(session, "fcopy: %u bytes at %llu, not at %u", length, (unsigned long long)offset,
		      session->copied);
	for (uint32_t n = 0; n < length; n++) {
		if (bytes[n] != services_byte(session->copying_which, (uint32_t)offset + n))
			WRONG(session, "fcopy: byte %llu is another", (unsigned long long)offset + n);
	}
	session->copied += length;
	return mood(session, HVK_UTILITY_FCOPY);
}

static enum hvk_utility_answer copy_end(void *context, bool ok)
{
	struct session *session = context;

	if (!session->copying)
		WRONG(session, "fcopy: ended twice");
	if (ok && session->copied != session->file_sizes[session->copying_which])
		WRONG(session, "fcopy: complete with %u bytes", session->copied);
	session->copying = false;
	session->counts.copied += ok;
	session->counts.copies_aborted += !ok;
	if (!ok) {
		session->components[HVK_UTILITY_FCOPY].waiting = false;
		return HVK_UTILITY_DONE;
	}
	return mood(session, HVK_UTILITY_FCOPY);
}

/* --- All ----------------------------------------------------------------------------------------- */

static void gone(void *context, struct hvk_utility *utility)
{
	struct session *session = context;

	session->components[hvk_utility_kind(utility)].gone = true;
	session->counts.gone++;
}

void services_guest_config(struct session *session, enum hvk_utility_kind kind,
			   struct hvk_utility_config *config)
{
	*config = (struct hvk_utility_config){
		.cpu = session->plan->cpu,
		.gone = gone,
		.context = session,
		.answer_max_ms = session->plan->answer_max_ms,
		.newest = session->plan->guest_newest,
	};
	switch (kind) {
	case HVK_UTILITY_SHUTDOWN:
		config->callbacks.shutdown = (struct hvk_shutdown_callbacks){shutdown_asked, go_down};
		break;
	case HVK_UTILITY_TIMESYNC:
		config->callbacks.time = (struct hvk_time_callbacks){.now = guest_clock, .adjust = adjust};
		break;
	case HVK_UTILITY_KVP:
		config->callbacks.kvp = (struct hvk_kvp_callbacks){kvp_get,       kvp_set,    kvp_remove,
								   kvp_enumerate, kvp_get_ip, kvp_set_ip};
		break;
	case HVK_UTILITY_VSS:
		config->callbacks.vss = (struct hvk_vss_callbacks){
			.freeze = freeze, .thaw = thaw, .freeze_max_ms = session->plan->freeze_max_ms};
		break;
	case HVK_UTILITY_FCOPY:
		config->callbacks.fcopy = (struct hvk_fcopy_callbacks){
			.start = copy_start, .write = copy_write, .end = copy_end};
		break;
	case HVK_UTILITY_HEARTBEAT:
		break;
	}
}

static void say(struct session *session, struct component *component)
{
	enum hvk_utility_answer answer = HVK_UTILITY_DONE;
	const struct hvk_kvp_ip *ip = NULL;
	hvk_status status;

	component->waiting = false;
	if (component->wants_ip) {
		answer = fill_ip(session, &session->asked_ip);
		ip = &session->asked_ip;
	} else if (component->pair && component->by_index) {
		answer = hvk_kvp_store_enumerate(session->store, component->pool, component->index,
						 component->pair);
	} else if (component->pair) {
		answer = hvk_kvp_store_get(session->store, component->pool, component->pair);
	}
	status = hvk_utility_answer(component->utility, answer, component->pair, ip);
	if (status != HVK_OK && status != HVK_ESTATE)
		WRONG(session, "an answer: %s", hvk_status_name(status));
	session->counts.late += status == HVK_OK;
	session->counts.too_late += status == HVK_ESTATE;
}

void services_guest_turn(struct session *session)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		struct component *component = &session->components[kind];

		if (component->waiting && component->utility && services_now(session) >= component->answer_at)
			say(session, component);
	}
}
