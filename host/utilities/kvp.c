/* SPDX-License-Identifier: MIT */
/*
 * Key-value pairs: one question at a time. What the host has set is kept, and told the guest again each
 * time that it has negotiated. Sizes count the end, which need not be there (Linux).
 */
#include <inttypes.h>
#include <string.h>

#include "host/utilities/utilities.h"

#define BODY sizeof(struct ic_kvp_header)
#define KEY_UNITS (IC_KVP_KEY_SIZE / 2 - 1)
#define VALUE_UNITS (IC_KVP_VALUE_SIZE / 2 - 1)

static const char *const operation_names[] = {"GET", "SET", "DELETE", "ENUMERATE"};
/* --- Building ---------------------------------------------------------------------------------------- */

/* Bytes, the end included; 0: not UTF-8, or too long. */
static uint32_t put_text(uint8_t *field, const char *text, uint32_t max)
{
	uint32_t units = utility_to_utf16(text, field, max);

	return units == UTILITY_BAD_TEXT ? 0 : 2 * units + 2;
}

static const char *put_key(uint8_t *field, const char *key, uint32_t *size)
{
	*size = key != NULL && key[0] != '\0' ? put_text(field, key, KEY_UNITS) : 0;
	return *size != 0 ? NULL : "a key is UTF-8, of 1 to 255 UTF-16 units";
}

/* NULL, or what is wrong. */
static const char *put_pair(uint8_t *body, const char *key, const char *value)
{
	struct ic_kvp_value pair = {.type = IC_KVP_SZ};
	const char *wrong = put_key(pair.key, key, &pair.key_size);

	if (value != NULL)
		pair.value_size = put_text(pair.value, value, VALUE_UNITS);
	if (wrong == NULL && value != NULL && pair.value_size == 0)
		wrong = "a value is UTF-8, of at most 1023 UTF-16 units";
	memcpy(body + BODY, &pair, sizeof(pair));
	return wrong;
}

static const char *put_delete(uint8_t *body, const char *key)
{
	struct ic_kvp_delete message = {0};
	const char *wrong = put_key(message.key, key, &message.key_size);

	memcpy(body + BODY, &message, sizeof(message));
	return wrong;
}

static const char *build(uint8_t *body, uint8_t operation, uint8_t pool, const char *key, const char *value,
			 uint32_t index)
{
	if (pool >= IC_KVP_POOL_AUTO_INTERNAL)
		return "pools are 0 (external), 1 (guest), 2 (auto), 3 (auto-external)";
	body[0] = operation;
	body[1] = pool;
	switch (operation) {
	case IC_KVP_GET:
		return put_pair(body, key, NULL);
	case IC_KVP_SET:
		return put_pair(body, key, value != NULL ? value : "");
	case IC_KVP_DELETE:
		return put_delete(body, key);
	default:
		memcpy(body + BODY, &index, sizeof(index));
		return NULL;
	}
}

void hvh_kvp_request(struct hvh_utilities *utilities, uint64_t now, uint8_t operation, uint8_t pool,
		     const char *key, const char *value, uint32_t index, hvh_utility_done done, void *context)
{
	struct utility *utility = &utilities->all[UTILITY_AT_KVP];
	bool known = operation <= IC_KVP_ENUMERATE;
	struct utility_request *request = utility_request(utility, now,
							  known ? operation_names[operation] : "operation",
							  IC_KVP_MESSAGE_SIZE, done, context);
	const char *wrong = "operations are GET 0, SET 1, DELETE 2, ENUMERATE 3";

	if (request == NULL)
		return;
	if (known)
		wrong = build(request->body, operation, pool, key, value, index);
	if (wrong != NULL)
		utility_refuse(utility, request, "kvp: %s", wrong);
	else
		utility_submit(utility, request);
}

/* --- Answers ------------------------------------------------------------------------------------------- */

static const char *check_text(uint32_t size, uint32_t max)
{
	return size > max || size % 2 != 0 ? "a size is odd, or more than its field has" : NULL;
}

/* NULL, or what is wrong with it. */
static const char *check_pair(const struct ic_kvp_value *pair)
{
	const char *wrong = check_text(pair->key_size, IC_KVP_KEY_SIZE);

	if (wrong != NULL)
		return wrong;
	switch (pair->type) {
	case IC_KVP_SZ:
	case IC_KVP_EXPAND_SZ:
		return check_text(pair->value_size, IC_KVP_VALUE_SIZE);
	case IC_KVP_U32:
		return pair->value_size == 4 ? NULL : "a value of type 4 has 4 bytes";
	case IC_KVP_U64:
	case IC_KVP_U64_LINUX:
		return pair->value_size == 8 ? NULL : "a value of type 11 has 8 bytes";
	default:
		return "types of values are 1, 2, 4, 11";
	}
}

/* "key = value" */
static void pair_text(struct utility *utility, const struct ic_kvp_value *pair)
{
	char *text = utility->text;
	size_t used = utility_line_from_utf16(pair->key, pair->key_size / 2, text, UTILITY_TEXT_MAX);
	uint64_t number = 0;

	used += (size_t)snprintf(text + used, UTILITY_TEXT_MAX - used, " = ");
	if (pair->type == IC_KVP_SZ || pair->type == IC_KVP_EXPAND_SZ) {
		(void)utility_line_from_utf16(pair->value, pair->value_size / 2, text + used,
					      UTILITY_TEXT_MAX - used);
		return;
	}
	memcpy(&number, pair->value, pair->value_size);
	(void)snprintf(text + used, UTILITY_TEXT_MAX - used, "%" PRIu64, number);
}

/* An end of its own is none of the key. */
static bool is_same_key(const struct ic_kvp_value *one, const struct ic_kvp_value *other)
{
	char a[3 * (KEY_UNITS + 1) + 1], b[3 * (KEY_UNITS + 1) + 1];

	(void)utility_from_utf16(one->key, one->key_size / 2, a, sizeof(a));
	(void)utility_from_utf16(other->key, other->key_size / 2, b, sizeof(b));
	return strcmp(a, b) == 0;
}

static void finish_pair(struct utility *utility, const struct utility_request *request,
			const struct utility_answer *answer)
{
	struct utility_answer end = *answer;
	struct ic_kvp_value pair, asked;
	bool is_get = request->body[0] == IC_KVP_GET;
	const char *wrong;

	memcpy(&pair, answer->body + BODY + (is_get ? 0 : offsetof(struct ic_kvp_enumerate, pair)),
	       sizeof(pair));
	memcpy(&asked, request->body + BODY, sizeof(asked));
	wrong = check_pair(&pair);
	if (wrong == NULL && is_get && !is_same_key(&pair, &asked))
		wrong = "the answer to GET has another key than was asked for";
	if (wrong != NULL) {
		UTILITY_VIOLATE(utility, HVH_V_IC_VALUE, answer->body, answer->length, "kvp: %s: %s",
				request->name, wrong);
		end.result = HVH_UTILITY_FAILED;
		utility_finish(utility, &end, "an answer that cannot be: %s", wrong);
		return;
	}
	pair_text(utility, &pair);
	utility_finish(utility, &end, "%s", utility->text);
}

static const char *keep_pair(struct hvh_utilities *owner, uint8_t pool, const char *key, const char *value)
{
	uint32_t before = owner->store.count;
	const char *wrong = kvp_store_set(&owner->store, pool, key, value);

	if (owner->store.count > before && owner->restored == before)
		owner->restored++; /* the guest has it */
	else if (owner->store.count < before && owner->restored > 0)
		owner->restored--; /* better one twice than none */
	return wrong;
}

/* What the guest has taken is what the host keeps; what is to go goes even if the guest has it not. */
static const char *keep(struct utility *utility, const uint8_t *body)
{
	char key[3 * KEY_UNITS + 1], value[3 * VALUE_UNITS + 1];
	struct ic_kvp_value pair;

	if (body[0] == IC_KVP_DELETE) {
		(void)utility_from_utf16(body + BODY + offsetof(struct ic_kvp_delete, key), KEY_UNITS, key,
					 sizeof(key));
		return keep_pair(utility->owner, body[1], key, NULL);
	}
	memcpy(&pair, body + BODY, sizeof(pair));
	(void)utility_from_utf16(pair.key, KEY_UNITS, key, sizeof(key));
	(void)utility_from_utf16(pair.value, VALUE_UNITS, value, sizeof(value));
	return keep_pair(utility->owner, body[1], key, value);
}

static void finish_change(struct utility *utility, const struct utility_request *request,
			  const struct utility_answer *answer)
{
	const char *wrong = keep(utility, request->body);

	if (wrong != NULL)
		utility_finish(utility, answer, "done, but not kept on the host: %s", wrong);
	else
		utility_finish_plainly(utility, answer);
}

static void finish_ip(struct utility *utility, const struct utility_answer *answer)
{
	const char *wrong = utility_kvp_ip_text(utility, answer->body);
	struct utility_answer end = *answer;

	if (wrong != NULL) {
		end.result = HVH_UTILITY_FAILED;
		utility_finish(utility, &end, "an answer that cannot be: %s", wrong);
		return;
	}
	utility_finish(utility, answer, "%s", utility->text);
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	if (request == NULL) { /* a pair of the store */
		if (answer->result == HVH_UTILITY_TIMED_OUT)
			utility->owner->restored = utility->owner->store.count;
		return;
	}
	if (answer->result != HVH_UTILITY_OK) {
		if (answer->result == HVH_UTILITY_FAILED && request->body[0] == IC_KVP_DELETE)
			(void)keep(utility, request->body);
		utility_finish_plainly(utility, answer);
		return;
	}
	switch (request->body[0]) {
	case IC_KVP_GET:
	case IC_KVP_ENUMERATE:
		finish_pair(utility, request, answer);
		break;
	case IC_KVP_GET_IP:
		finish_ip(utility, answer);
		break;
	case IC_KVP_SET_IP:
		utility_finish_plainly(utility, answer);
		break;
	default:
		finish_change(utility, request, answer);
		break;
	}
}

/* --- What the host has set before ------------------------------------------------------------------ */

static uint64_t own_next(const struct utility *utility)
{
	return utility->owner->restored < utility->owner->store.count ? utility->now : HVH_NEVER;
}

static bool own(struct utility *utility)
{
	const struct kvp_store *store = &utility->owner->store;
	const struct kvp_pair *pair;

	if (utility->owner->restored >= store->count)
		return false;
	pair = &store->pairs[utility->owner->restored++];
	(void)build(utility_body(utility), IC_KVP_SET, pair->pool, pair->key, pair->value, 0);
	utility_begin(utility, NULL, IC_TYPE_KVP, IC_KVP_MESSAGE_SIZE, utility->service->wait);
	return true;
}

static void ready(struct utility *utility)
{
	utility->owner->restored = 0;
}

static void dump(const struct utility *utility, struct hvh_dump *dump)
{
	hvh_dump_number(dump, "pairs-kept", utility->owner->store.count);
	hvh_dump_number(dump, "pairs-told", utility->owner->restored);
}

const struct utility_service utility_kvp = {
	.bit = HVH_UTILITY_KVP,
	.type = VMBUS_GUID_KVP,
	.instance = VMBUS_GUID(0x242ff919u, 0x07dbu, 0x4180u, 0x9c, 0x2e, 0xb8, 0x6c, 0xb6, 0x8c, 0x8c, 0x55),
	.message_type = IC_TYPE_KVP,
	.wait = UTILITY_WAIT,
	.ops = UTILITY_OPS("kvp"),
	.ready = ready,
	.own = own,
	.own_next = own_next,
	.answered = answered,
	.dump = dump,
};
