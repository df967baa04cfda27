/* SPDX-License-Identifier: MIT */
/* The life of the components: they come, are asked, go and come again; and what must hold at the end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hvkit/wire/guids.h"
#include "tests/support/services_private.h"

#define PAIRS_MAX 64u
#define UP_MS 130000u /* a host that gives up negotiating has tried for a minute */
#define SETTLE_MS 30000u
#define DOWN_MS 1000u
#define CLOCKS_APART (HVK_TIME_PER_SECOND / 2)
#define SILENCE_MS 3000u
#define TURN_NS 8000000u

const char *services_event_name(enum services_event event)
{
	static const char *const names[] = {
		"shutdown", "clock step", "set",  "get",     "delete",      "list",     "get IP",  "set IP",
		"backup",   "freeze",     "copy", "restart", "restart all", "reattach", "silence", "drift"};

	return names[event];
}

uint32_t services_pick(struct session *session, uint32_t below)
{
	uint64_t z = session->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) % below);
}

uint64_t services_now(const struct session *session)
{
	return hosted_now(session->rig->machine);
}

/* --- Channels ------------------------------------------------------------------------------------ */

static int kind_of(const struct hvk_channel *channel)
{
	static const struct vmbus_guid types[KINDS] = {
		[HVK_UTILITY_SHUTDOWN] = VMBUS_GUID_SHUTDOWN,
		[HVK_UTILITY_TIMESYNC] = VMBUS_GUID_TIMESYNC,
		[HVK_UTILITY_HEARTBEAT] = VMBUS_GUID_HEARTBEAT,
		[HVK_UTILITY_KVP] = VMBUS_GUID_KVP,
		[HVK_UTILITY_VSS] = VMBUS_GUID_VSS,
		[HVK_UTILITY_FCOPY] = VMBUS_GUID_FCOPY,
	};

	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (memcmp(&hvk_channel_offer(channel)->type, &types[kind], sizeof(types[kind])) == 0)
			return (int)kind;
	}
	return -1;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct session *session = context;
	int kind = kind_of(channel);

	(void)again;
	if (kind < 0)
		return;
	session->components[kind].channel = channel;
	session->host_kinds |= 1u << kind;
}

static void channel_gone(void *context, struct hvk_channel *channel)
{
	struct session *session = context;

	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (session->components[kind].channel == channel)
			session->components[kind].channel = NULL;
	}
}

/* --- A component's life: one step a turn --------------------------------------------------------- */

static struct hvk_request *request(struct component *component)
{
	memset(&component->request, 0, sizeof(component->request));
	return &component->request;
}

static void come(struct session *session, uint32_t kind)
{
	struct component *component = &session->components[kind];
	struct hvk_utility_config config;
	hvk_status status;

	if (!component->channel || hvk_channel_rescinded(component->channel) || component->leave)
		return;
	services_guest_config(session, (enum hvk_utility_kind)kind, &config);
	component->gone = component->waiting = false;
	status = hvk_utility_create(component->channel, &config, &component->utility);
	if (status == HVK_EGONE || status == HVK_EBUSY)
		return;
	if (status != HVK_OK) {
		WRONG(session, "create: %s", hvk_status_name(status));
		return;
	}
	hvk_utility_attach(component->utility, request(component));
	component->life = LIFE_ATTACHING;
}

static void attached(struct session *session, struct component *component)
{
	hvk_status status = component->request.status;

	if (status == HVK_EINPROGRESS)
		return;
	component->life = LIFE_UP;
	component->ups += status == HVK_OK;
	if (status == HVK_OK)
		return;
	if (status != HVK_EGONE && session->rig->config.rescind_chance == 0)
		WRONG(session, "attach: %s", hvk_status_name(status));
	component->gone = true;
}

static void up(struct component *component)
{
	if (!component->gone && !component->leave)
		return;
	hvk_utility_detach(component->utility, request(component));
	component->life = LIFE_DETACHING;
}

/* The guest is another from now on, as if installed anew: what the host keeps it will hear again. */
static void forget_pairs(struct session *session)
{
	hvk_kvp_store_destroy(session->store);
	if (hvk_kvp_store_create(session->rig->hvk, PAIRS_MAX, &session->store) != HVK_OK)
		WRONG(session, "no store");
	services_host_forgotten(session);
	session->counts.forgotten++;
}

static void detached(struct session *session, uint32_t kind)
{
	struct component *component = &session->components[kind];
	struct hvk_utility_counters counters;
	hvk_status status = component->request.status;

	if (status == HVK_EINPROGRESS)
		return;
	if (status != HVK_OK && status != HVK_EGONE)
		WRONG(session, "detach: %s", hvk_status_name(status));
	hvk_utility_get_counters(component->utility, &counters);
	session->counts.negotiations += counters.negotiations;
	if (counters.malformed != 0)
		WRONG(session, "the guest calls %llu messages of component %u malformed",
		      (unsigned long long)counters.malformed, kind);
	if (kind == HVK_UTILITY_VSS && session->frozen)
		WRONG(session, "vss: detached and frozen");
	if (kind == HVK_UTILITY_FCOPY && session->copying)
		WRONG(session, "fcopy: detached with a copy under way");
	status = hvk_utility_destroy(component->utility);
	if (status != HVK_OK)
		WRONG(session, "destroy: %s", hvk_status_name(status));
	component->utility = NULL;
	component->waiting = false;
	component->life = LIFE_AWAY;
	if (kind == HVK_UTILITY_KVP && services_pick(session, 3) == 0)
		forget_pairs(session);
}

static void check_shutdown(struct session *session)
{
	const struct operation *operation = &session->operations[HVK_UTILITY_SHUTDOWN];

	if (operation->agreed && session->may_go_down &&
	    services_now(session) > operation->done_at + DOWN_MS * HVK_TIME_PER_MS)
		WRONG(session, "the guest has agreed to go down, and does not");
}

static void turn(struct session *session)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		struct component *component = &session->components[kind];

		switch (component->life) {
		case LIFE_AWAY:
			come(session, kind);
			break;
		case LIFE_ATTACHING:
			attached(session, component);
			break;
		case LIFE_UP:
			up(component);
			break;
		case LIFE_DETACHING:
			detached(session, kind);
			break;
		}
	}
	services_guest_turn(session);
	check_shutdown(session);
	(void)hvk_poll(session->rig->hvk, session->rig->config.bus_cpu);
	hosted_wait(session->rig->machine, TURN_NS);
}

static void pass(struct session *session, uint32_t ms)
{
	uint64_t end = services_now(session) + ms * HVK_TIME_PER_MS;

	while (services_now(session) < end && session->wrong[0] == '\0')
		turn(session);
}

#define UNTIL(session, ms, condition)                                                               \
	do {                                                                                        \
		uint64_t end_ = services_now(session) + (uint64_t)(ms)*HVK_TIME_PER_MS;             \
		while (!(condition) && services_now(session) < end_ && (session)->wrong[0] == '\0') \
			turn(session);                                                              \
		if (!(condition))                                                                   \
			WRONG(session, "after %u ms not yet: " #condition, (unsigned)(ms));         \
	} while (0)

/* --- Events -------------------------------------------------------------------------------------- */

static void restart(struct session *session, uint32_t which)
{
	services_host_lock(session);
	hvh_utilities_restart(session->host, services_now(session), which);
	services_host_unlock(session);
}

static void be_silent(struct session *session)
{
	services_host_lock(session);
	hvh_silence_set(hosted_partition(session->rig->machine), HVH_SILENCE_IC_NEGOTIATE);
	services_host_unlock(session);
	restart(session, HVH_UTILITIES_ALL);
	pass(session, 1 + services_pick(session, SILENCE_MS));
	services_host_lock(session);
	hvh_silence_set(hosted_partition(session->rig->machine), HVH_SILENCE_NONE);
	services_host_unlock(session);
	restart(session, HVH_UTILITIES_ALL);
}

static void reattach(struct session *session)
{
	struct component *component = &session->components[services_pick(session, KINDS)];

	component->leave = true;
	pass(session, services_pick(session, 200));
	component->leave = false;
}

/* Seconds, of either sign, many of them small. */
static int64_t some_time(struct session *session)
{
	int64_t apart = services_pick(session, 2) ? services_pick(session, 4000000)
						  : services_pick(session, 2000000000);

	return services_pick(session, 2) ? apart : -apart;
}

static bool happen(struct session *session, enum services_event event)
{
	switch (event) {
	case SERVICES_STEP:
		services_host_step(session, some_time(session));
		return true;
	case SERVICES_RESTART:
		restart(session, 1u << services_pick(session, KINDS));
		return true;
	case SERVICES_RESTART_ALL:
		restart(session, HVH_UTILITIES_ALL);
		return true;
	case SERVICES_REATTACH:
		reattach(session);
		return true;
	case SERVICES_SILENCE:
		be_silent(session);
		return true;
	case SERVICES_DRIFT:
		session->guest_offset += some_time(session);
		return true;
	default:
		return services_host_begin(session, event);
	}
}

static void events(struct session *session)
{
	for (uint32_t n = 0; n < session->plan->events && session->wrong[0] == '\0'; n++) {
		enum services_event event = (enum services_event)services_pick(session, SERVICES_EVENTS);

		if (happen(session, event))
			session->counts.events[event]++;
		pass(session, services_pick(session, 2 * session->plan->pause_ms + 1));
	}
}

/* --- What must hold at the end ------------------------------------------------------------------- */

static bool is_negotiated(const struct session *session, uint32_t kind)
{
	const struct component *component = &session->components[kind];
	uint32_t framework, version = 0;

	if (component->life == LIFE_UP)
		hvk_utility_versions(component->utility, &framework, &version);
	return version != 0;
}

static bool none_is_busy(const struct session *session)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (session->operations[kind].busy)
			return false;
	}
	return true;
}

/* Some have nothing in common, if the plan has put a limit to the versions. */
static bool all_are_there(const struct session *session)
{
	const struct services_plan *plan = session->plan;
	bool limited = plan->framework_newest || plan->message_newest || plan->guest_newest ||
		       strcmp(session->rig->profile.name, "ws2008") == 0 ||
		       strcmp(session->rig->profile.name, "ws2012") == 0;

	for (uint32_t kind = 0; kind < KINDS; kind++) {
		bool wanted = (session->host_kinds & 1u << kind) != 0;

		if (wanted && (session->components[kind].life != LIFE_UP ||
			       (!limited && !is_negotiated(session, kind))))
			return false;
	}
	return true;
}

static bool clocks_agree(struct session *session)
{
	int64_t apart = session->guest_offset - session->steps[session->step_count - 1];

	return !is_negotiated(session, HVK_UTILITY_TIMESYNC) ||
	       (apart < (int64_t)CLOCKS_APART && apart > -(int64_t)CLOCKS_APART);
}

static uint64_t beats(struct session *session)
{
	uint64_t found;

	services_host_lock(session);
	found = hvh_heartbeats(session->host, NULL);
	services_host_unlock(session);
	return found;
}

/* Each works once more, for a user who says yes. */
static void works(struct session *session, enum services_event event, uint32_t kind)
{
	uint64_t before = session->counts.done + session->counts.lists;

	if (!is_negotiated(session, kind))
		return;
	(void)services_host_begin(session, event);
	UNTIL(session, SETTLE_MS, none_is_busy(session));
	if (session->counts.done + session->counts.lists == before)
		WRONG(session, "at the end: %s fails", services_event_name(event));
}

/* Whoever said no before says yes now to all that the host keeps. */
static void hear_pairs_again(struct session *session)
{
	struct component *component = &session->components[HVK_UTILITY_KVP];

	if (services_pick(session, 2)) {
		restart(session, HVH_UTILITY_KVP);
		return;
	}
	component->leave = true;
	UNTIL(session, UP_MS, component->life == LIFE_AWAY);
	if (session->wrong[0] == '\0')
		forget_pairs(session);
	component->leave = false;
	UNTIL(session, UP_MS, all_are_there(session));
}

static void settle(struct session *session)
{
	struct hvh_partition *partition = hosted_partition(session->rig->machine);
	uint64_t before;

	session->settling = true;
	services_host_lock(session);
	hvh_fault_set(partition, HVH_FAULT_RESCIND, 0);
	services_host_unlock(session);
	UNTIL(session, UP_MS, all_are_there(session));
	UNTIL(session, UP_MS, none_is_busy(session) && !session->frozen);
	hear_pairs_again(session);
	pass(session, session->plan->answer_max_ms); /* and the late answers */
	works(session, SERVICES_SET, HVK_UTILITY_KVP);
	for (uint32_t pool = 0; pool < 2 * POOLS; pool++)
		works(session, pool % 2 ? SERVICES_SET : SERVICES_LIST, HVK_UTILITY_KVP);
	works(session, SERVICES_SET_IP, HVK_UTILITY_KVP);
	works(session, SERVICES_SHUTDOWN, HVK_UTILITY_SHUTDOWN);
	works(session, SERVICES_COPY, HVK_UTILITY_FCOPY);
	works(session, SERVICES_BACKUP, HVK_UTILITY_VSS);
	UNTIL(session, SETTLE_MS, clocks_agree(session));
	before = beats(session);
	if (is_negotiated(session, HVK_UTILITY_HEARTBEAT))
		UNTIL(session, SETTLE_MS, beats(session) > before + 2);
	pass(session, 2 * DOWN_MS);
}

static bool all_away(const struct session *session)
{
	for (uint32_t kind = 0; kind < KINDS; kind++) {
		if (session->components[kind].life != LIFE_AWAY)
			return false;
	}
	return true;
}

static void leave(struct session *session)
{
	uint64_t end = services_now(session) + UP_MS * HVK_TIME_PER_MS;

	for (uint32_t kind = 0; kind < KINDS; kind++)
		session->components[kind].leave = true;
	while (!all_away(session) && services_now(session) < end)
		turn(session);
	if (!all_away(session))
		WRONG(session, "not all components can be detached");
}

static void live(void *context, struct rig *rig)
{
	struct session *session = context;

	session->rig = rig;
	if (hvk_kvp_store_create(rig->hvk, PAIRS_MAX, &session->store) != HVK_OK) {
		WRONG(session, "no store");
		return;
	}
	services_host_create(session);
	if (session->host) {
		pass(session, session->plan->pause_ms);
		events(session);
		if (session->wrong[0] == '\0')
			settle(session);
		session->counts.beats = beats(session);
	}
	leave(session);
	hvk_kvp_store_destroy(session->store);
}

/* --- Files, and the whole ------------------------------------------------------------------------ */

static bool write_file(struct session *session, uint32_t n)
{
	static const uint32_t sizes[COPIES] = {0, 6144, COPY_MAX};
	uint8_t bytes[COPY_MAX];
	FILE *file;
	int fd;

	session->file_sizes[n] = sizes[n];
	(void)snprintf(session->files[n], sizeof(session->files[n]), "/tmp/hvkit-services-XXXXXX");
	fd = mkstemp(session->files[n]);
	file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!file) {
		session->files[n][0] = '\0';
		return false;
	}
	for (uint32_t at = 0; at < sizes[n]; at++)
		bytes[at] = services_byte(n, at);
	return fwrite(bytes, 1, sizes[n], file) == sizes[n] && fclose(file) == 0;
}

const char *services_session_run(const struct services_plan *plan, const struct rig_config *machine,
				 struct services_counts *counts)
{
	static struct session session;
	struct rig_config config = *machine;
	struct rig_result result;
	const char *wrong;

	session = (struct session){.plan = plan, .random = plan->seed * 0x9e3779b97f4a7c15ull + 1};
	for (uint32_t n = 0; n < COPIES; n++) {
		if (!write_file(&session, n))
			WRONG(&session, "no file to copy can be made in /tmp");
	}
	config.no_nic = true;
	config.session = live;
	config.offered = offered;
	config.gone = channel_gone;
	config.session_context = &session;
	rig_run(&config, &result);
	for (uint32_t n = 0; n < COPIES; n++) {
		if (session.files[n][0] != '\0')
			(void)unlink(session.files[n]);
	}
	*counts = session.counts;
	if (session.wrong[0] != '\0')
		return session.wrong;
	wrong = rig_check(&result, true);
	return wrong;
}
