/* SPDX-License-Identifier: MIT */
/* What the host asks for, and what it may be told. One operation of a component at a time. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/services_private.h"

void services_host_lock(struct session *session)
{
	hosted_lock(session->rig->machine);
}

void services_host_unlock(struct session *session)
{
	hosted_kick(session->rig->machine);
	hosted_unlock(session->rig->machine);
}

/* --- Texts that follow from numbers -------------------------------------------------------------- */

const char *services_key(uint32_t key)
{
	static const char *const keys[KEYS] = {"plain", "Schl\xc3\xbcssel",
					       "\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87", "\xe9\x8d\xb5",
					       "\xf0\x9f\x98\x80 key"};

	return keys[key];
}

/* "NUMBER:" and more of it, up to as much as a value can be. */
void services_value(uint32_t number, char *text, size_t size)
{
	static const char *const pieces[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	uint32_t count = number % 7 == 0 ? 500 : number % 40;
	size_t used = (size_t)snprintf(text, size, "%u:", number);

	for (uint32_t n = 0; n < count && used + 5 < size; n++)
		used += (size_t)snprintf(text + used, size - used, "%s", pieces[(number + n) % 4]);
}

uint8_t services_byte(uint32_t copy, uint32_t offset)
{
	return (uint8_t)(offset * 2654435761u >> (8 + copy));
}

void services_adapter(uint32_t adapter, struct vmbus_guid *guid, char text[40])
{
	static const uint8_t bytes[16] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
					  0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10};

	memcpy(guid, bytes, sizeof(bytes));
	((uint8_t *)guid)[15] = (uint8_t)(0x10 + adapter);
	(void)snprintf(text, 40, "{04030201-0605-0807-090A-0B0C0D0E0F%02X}", 0x10 + adapter);
}

void services_address(uint32_t adapter, uint32_t number, char *text, size_t size)
{
	(void)snprintf(text, size, "10.%u.%u.%u;fe80::%x", adapter, number / 256 % 256, number % 256, number);
}

/* --- Key-value pairs ----------------------------------------------------------------------------- */

static void may_be(struct session *session, struct slot *slot, uint32_t value)
{
	for (uint32_t n = 0; n < slot->count; n++) {
		if (slot->values[n] == value)
			return;
	}
	if (slot->count == CANDIDATES)
		WRONG(session, "the test's own: too many values that may be");
	else
		slot->values[slot->count++] = value;
}

static void is(struct slot *slot, uint32_t value)
{
	slot->count = 1;
	slot->values[0] = value;
}

void services_host_forgotten(struct session *session)
{
	for (uint32_t pool = 0; pool < POOLS; pool++) {
		for (uint32_t key = 0; key < KEYS; key++)
			is(&session->slots[pool][key], 0);
	}
}

/* What the host keeps it tells the guest again each time that it has negotiated. */
static bool can_be(const struct slot *slot, uint32_t value)
{
	if (value != 0 && value == slot->kept)
		return true;
	for (uint32_t n = 0; n < slot->count; n++) {
		if (slot->values[n] == value)
			return true;
	}
	return false;
}

/* "key = value", of one of ours: which. */
static bool read_pair(struct session *session, const char *text, uint32_t *key, uint32_t *value)
{
	char wanted[HVK_KVP_VALUE_MAX];

	for (*key = 0; *key < KEYS; (*key)++) {
		size_t length = strlen(services_key(*key));

		if (strncmp(text, services_key(*key), length) != 0 || strncmp(text + length, " = ", 3) != 0)
			continue;
		*value = (uint32_t)strtoul(text + length + 3, NULL, 10);
		services_value(*value, wanted, sizeof(wanted));
		session->counts.pairs_read++;
		return strcmp(text + length + 3, wanted) == 0;
	}
	return false;
}

static void ask_kvp(struct operation *operation);

static void set_done(struct session *session, struct operation *operation, enum hvh_utility_result result)
{
	struct slot *slot = &session->slots[operation->pool][operation->key];

	if (result == HVH_UTILITY_OK) {
		is(slot, operation->value);
		slot->kept = operation->value;
	} else {
		may_be(session, slot, operation->value);
	}
}

static void delete_done(struct session *session, struct operation *operation, enum hvh_utility_result result,
			uint32_t status)
{
	struct slot *slot = &session->slots[operation->pool][operation->key];

	if (result != HVH_UTILITY_AWAY)
		slot->kept = 0;
	if (result == HVH_UTILITY_OK || status == IC_STATUS_NOT_FOUND) {
		if (result != HVH_UTILITY_OK && !can_be(slot, 0))
			WRONG(session, "kvp: '%s' is not there to be deleted", services_key(operation->key));
		is(slot, 0);
	} else {
		may_be(session, slot, 0);
	}
}

static void get_done(struct session *session, struct operation *operation, enum hvh_utility_result result,
		     uint32_t status, const char *text)
{
	struct slot *slot = &session->slots[operation->pool][operation->key];
	uint32_t key, value = 0;

	if (result == HVH_UTILITY_OK && (!read_pair(session, text, &key, &value) || key != operation->key))
		WRONG(session, "kvp: GET %s: '%.60s'", services_key(operation->key), text);
	if (status == IC_STATUS_NO_MORE_ITEMS)
		WRONG(session, "kvp: GET %s: no more items", services_key(operation->key));
	if (result != HVH_UTILITY_OK && status != IC_STATUS_NOT_FOUND)
		return;
	if (!can_be(slot, value))
		WRONG(session, "kvp: GET %s: value %u of pool %u", services_key(operation->key), value,
		      operation->pool);
	is(slot, value);
}

/* Is every key that must be there among those that came? */
static void list_done(struct session *session, const struct operation *operation)
{
	for (uint32_t key = 0; key < KEYS; key++) {
		const struct slot *slot = &session->slots[operation->pool][key];

		/* Who says yes to everything has all that the host keeps. */
		if ((!can_be(slot, 0) || (session->settling && slot->kept != 0)) &&
		    (operation->seen & 1u << key) == 0)
			WRONG(session, "kvp: the list lacks '%s'", services_key(key));
	}
}

/* True: the list goes on. */
static bool item_done(struct session *session, struct operation *operation, enum hvh_utility_result result,
		      uint32_t status, const char *text)
{
	uint32_t key, value;

	if (result == HVH_UTILITY_FAILED && status == IC_STATUS_NO_MORE_ITEMS) {
		list_done(session, operation);
		session->counts.lists++;
	}
	if (result != HVH_UTILITY_OK)
		return false;
	if (!read_pair(session, text, &key, &value) ||
	    !can_be(&session->slots[operation->pool][key], value) || (operation->seen & 1u << key) != 0) {
		WRONG(session, "kvp: ENUMERATE: '%.60s'", text);
		return false;
	}
	operation->seen |= 1u << key;
	operation->index++;
	return true;
}

static void get_ip_done(struct session *session, const struct operation *operation,
			enum hvh_utility_result result, const char *text)
{
	char address[64];

	if (result != HVH_UTILITY_OK)
		return;
	services_address(operation->adapter, session->ip_number[operation->adapter], address,
			 sizeof(address));
	if (session->ip_number[operation->adapter] != 0 && !strstr(text, address))
		WRONG(session, "ip: '%.120s' lacks %s", text, address);
}

/* --- The ends of requests ------------------------------------------------------------------------ */

static void count(struct session *session, enum hvh_utility_result result, uint32_t status)
{
	session->counts.done += result == HVH_UTILITY_OK;
	session->counts.failed += result == HVH_UTILITY_FAILED && status != IC_STATUS_INVALID_ARGUMENT;
	session->counts.refused += result == HVH_UTILITY_FAILED && status == IC_STATUS_INVALID_ARGUMENT;
	session->counts.away += result == HVH_UTILITY_AWAY;
	if (result == HVH_UTILITY_TIMED_OUT)
		WRONG(session, "the guest did not answer the host");
}

static void ask_vss(struct operation *operation, uint8_t what);

static void vss_done(struct session *session, struct operation *operation, enum hvh_utility_result result)
{
	static const uint8_t steps[] = {IC_VSS_HOT_BACKUP, IC_VSS_FREEZE, IC_VSS_THAW};
	bool last = operation->step == (operation->event == SERVICES_FREEZE ? 1u : 2u);

	if (operation->step == 2 && result == HVH_UTILITY_OK && session->host_thaws == operation->thaws)
		WRONG(session, "vss: thawed by the host's word, and was not frozen");
	operation->busy = result == HVH_UTILITY_OK && !last;
	if (!operation->busy)
		return;
	operation->thaws = session->host_thaws;
	ask_vss(operation, steps[++operation->step]);
}

static void done(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	struct operation *operation = context;
	struct session *session = operation->session;

	if (!operation->busy) {
		WRONG(session, "a request of the host's ended twice: %s", text);
		return;
	}
	count(session, result, status);
	if (operation->kind == HVK_UTILITY_VSS) {
		vss_done(session, operation, result);
		return;
	}
	operation->busy = false;
	switch (operation->event) {
	case SERVICES_SHUTDOWN:
		operation->agreed = result == HVH_UTILITY_OK;
		operation->done_at = services_now(session);
		break;
	case SERVICES_SET:
		set_done(session, operation, result);
		break;
	case SERVICES_DELETE:
		delete_done(session, operation, result, status);
		break;
	case SERVICES_GET:
		get_done(session, operation, result, status, text);
		break;
	case SERVICES_LIST:
		if (item_done(session, operation, result, status, text)) {
			operation->busy = true;
			ask_kvp(operation);
		}
		break;
	case SERVICES_GET_IP:
		get_ip_done(session, operation, result, text);
		break;
	case SERVICES_SET_IP:
		if (result == HVH_UTILITY_OK &&
		    session->ip_number[operation->adapter] != session->ip_sent[operation->adapter])
			WRONG(session, "ip: set, and the guest has not heard of it");
		break;
	default:
		break;
	}
}

/* --- Asking -------------------------------------------------------------------------------------- */

static void ask_kvp(struct operation *operation)
{
	struct session *session = operation->session;
	char value[HVK_KVP_VALUE_MAX];
	uint8_t what = IC_KVP_ENUMERATE;

	services_value(operation->value, value, sizeof(value));
	if (operation->event == SERVICES_SET)
		what = IC_KVP_SET;
	else if (operation->event == SERVICES_GET)
		what = IC_KVP_GET;
	else if (operation->event == SERVICES_DELETE)
		what = IC_KVP_DELETE;
	hvh_kvp_request(session->host, services_now(session), what, operation->pool,
			what == IC_KVP_ENUMERATE ? NULL : services_key(operation->key),
			what == IC_KVP_SET ? value : NULL, operation->index, done, operation);
}

static void ask_ip(struct operation *operation)
{
	struct session *session = operation->session;
	char adapter[40], address[64];
	struct vmbus_guid guid;

	services_adapter(operation->adapter, &guid, adapter);
	if (operation->event == SERVICES_GET_IP) {
		hvh_kvp_get_ip(session->host, services_now(session), adapter, done, operation);
		return;
	}
	session->ip_sent[operation->adapter] = ++session->next_ip;
	services_address(operation->adapter, session->next_ip, address, sizeof(address));
	const struct hvh_kvp_ip ip = {.adapter = adapter,
				      .addresses = address,
				      .masks = "255.255.255.0;/64",
				      .gateways = "10.0.0.1",
				      .name_servers = "10.0.0.2",
				      .ipv4 = true,
				      .ipv6 = true};
	hvh_kvp_set_ip(session->host, services_now(session), &ip, done, operation);
}

static void ask_vss(struct operation *operation, uint8_t what)
{
	struct session *session = operation->session;

	hvh_vss_request(session->host, services_now(session), what, done, operation);
}

static void ask_shutdown(struct operation *operation)
{
	static const uint32_t flags[] = {0, IC_SHUTDOWN_RESTART, IC_SHUTDOWN_HIBERNATE};
	struct session *session = operation->session;

	operation->agreed = false;
	operation->flags = flags[services_pick(session, session->settling ? 1 : 3)]; /* of any version */
	if (services_pick(session, 2))
		operation->flags |= IC_SHUTDOWN_FORCE;
	hvh_shutdown_request(session->host, services_now(session), operation->flags, "reason: \xc3\xa4", done,
			     operation);
}

static void ask_copy(struct operation *operation)
{
	struct session *session = operation->session;
	char name[16];

	(void)snprintf(name, sizeof(name), "%u.txt", operation->copy);
	hvh_fcopy_send(session->host, services_now(session), session->files[operation->copy], "in/a place",
		       name, true, done, operation);
}

static enum hvk_utility_kind kind_of(enum services_event event)
{
	switch (event) {
	case SERVICES_SHUTDOWN:
		return HVK_UTILITY_SHUTDOWN;
	case SERVICES_BACKUP:
	case SERVICES_FREEZE:
		return HVK_UTILITY_VSS;
	case SERVICES_COPY:
		return HVK_UTILITY_FCOPY;
	default:
		return HVK_UTILITY_KVP;
	}
}

static void ask(struct operation *operation)
{
	switch (operation->event) {
	case SERVICES_SHUTDOWN:
		ask_shutdown(operation);
		break;
	case SERVICES_BACKUP:
	case SERVICES_FREEZE:
		ask_vss(operation, IC_VSS_HOT_BACKUP);
		break;
	case SERVICES_COPY:
		ask_copy(operation);
		break;
	case SERVICES_GET_IP:
	case SERVICES_SET_IP:
		ask_ip(operation);
		break;
	default:
		ask_kvp(operation);
		break;
	}
}

bool services_host_begin(struct session *session, enum services_event event)
{
	enum hvk_utility_kind kind = kind_of(event);
	struct operation *operation = &session->operations[kind];

	services_host_lock(session);
	if (operation->busy) {
		services_host_unlock(session);
		return false;
	}
	*operation = (struct operation){
		.session = session,
		.kind = kind,
		.event = event,
		.busy = true,
		.pool = (uint8_t)services_pick(session, POOLS),
		.key = services_pick(session, KEYS),
		.adapter = services_pick(session, ADAPTERS),
		.copy = services_pick(session, COPIES),
	};
	if (event == SERVICES_SET)
		operation->value = ++session->next_value;
	ask(operation);
	services_host_unlock(session);
	return true;
}

/* --- Clock and creation -------------------------------------------------------------------------- */

static uint64_t base_clock(void *context, uint64_t now)
{
	(void)context;
	return CLOCK_BASE + now;
}

uint64_t services_host_clock(const struct session *session, uint64_t now)
{
	return CLOCK_BASE + now + (uint64_t)session->steps[session->step_count - 1];
}

void services_host_step(struct session *session, int64_t difference)
{
	int64_t last = session->steps[session->step_count - 1];

	if (session->step_count == CLOCKS)
		return;
	services_host_lock(session);
	session->step_at[session->step_count] = services_now(session);
	session->steps[session->step_count++] = last + difference;
	hvh_time_step(session->host, services_now(session), difference);
	services_host_unlock(session);
}

void services_host_create(struct session *session)
{
	const struct services_plan *plan = session->plan;
	const struct hvh_utilities_config config = {
		.framework_newest = plan->framework_newest,
		.message_newest = plan->message_newest,
		.wall_clock = base_clock,
		.heartbeat_period = HVH_TIME_PER_SECOND / 5,
		.sample_period = HVH_TIME_PER_SECOND / 4,
	};
	char error[160] = "";

	session->step_count = 1;
	services_host_forgotten(session);
	services_host_lock(session);
	session->host = hvh_utilities_create(hosted_partition(session->rig->machine), &config, error,
					     sizeof(error));
	services_host_unlock(session);
	if (!session->host)
		WRONG(session, "%s", error);
}
