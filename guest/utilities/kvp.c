/* SPDX-License-Identifier: MIT */
/* Key-value pairs: the host asks of pools and of addresses. Sources: Linux hv_kvp.c, OpenVMM hyperv_ic. */
#include "guest/utilities/kvp.h"
#include "guest/utilities/utilities_internal.h"

#define BODY sizeof(struct ic_kvp_header)

static struct hvk_kvp_callbacks *callbacks(struct hvk_utility *utility)
{
	return &utility->config.callbacks.kvp;
}

/* Not by a literal, which a compiler may build on the stack. */
static void clear(struct hvk_kvp_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pair->type = IC_KVP_SZ;
}

/* The answer to GET and ENUMERATE has the pair at that offset. */
static uint32_t put_pair(struct hvk_utility *utility, uint8_t *body, size_t offset)
{
	struct ic_kvp_value *value = &utility->state.kvp.value;

	if (!hvk_kvp_build_value(&utility->state.kvp.pair, value)) {
		hvk_log(utility_hvk(utility), HVK_LOG_WARN,
			"kvp: a pair does not fit, is not UTF-8 or has no type");
		return IC_STATUS_FAIL;
	}
	memcpy(body + offset, value, sizeof(*value));
	return IC_STATUS_OK;
}

static uint32_t conclude(struct hvk_utility *utility, enum hvk_utility_answer answer, uint8_t *body)
{
	if (answer != HVK_UTILITY_DONE) {
		if (answer == HVK_UTILITY_NOT_FOUND && body[0] == IC_KVP_ENUMERATE)
			return IC_STATUS_NO_MORE_ITEMS;
		return hvk_utility_status(answer);
	}
	switch (body[0]) {
	case IC_KVP_GET:
		return put_pair(utility, body, BODY);
	case IC_KVP_ENUMERATE:
		return put_pair(utility, body, BODY + offsetof(struct ic_kvp_enumerate, pair));
	case IC_KVP_GET_IP:
		return hvk_kvp_build_ip(&utility->state.kvp.ip, body + IC_KVP_IP_OFFSET) ? IC_STATUS_OK
											 : IC_STATUS_FAIL;
	default:
		return IC_STATUS_OK;
	}
}

static uint32_t ask_value(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	struct hvk_kvp_pair *pair = &utility->state.kvp.pair;
	const struct hvk_kvp_callbacks *ask = callbacks(utility);
	void *context = utility->config.context;
	struct ic_kvp_value *value = &utility->state.kvp.value;

	if (length < BODY + sizeof(*value))
		return UTILITY_MALFORMED;
	memcpy(value, body + BODY, sizeof(*value));
	clear(pair);
	if (!hvk_kvp_parse_key(value->key, value->key_size, pair))
		return UTILITY_MALFORMED;
	if (body[0] == IC_KVP_GET)
		return ask->get ? conclude(utility, ask->get(context, body[1], pair), body)
				: IC_STATUS_NOT_SUPPORTED;
	if (!hvk_kvp_parse_value(value, pair))
		return UTILITY_MALFORMED;
	return ask->set ? conclude(utility, ask->set(context, body[1], pair), body) : IC_STATUS_NOT_SUPPORTED;
}

static uint32_t ask_delete(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	struct hvk_kvp_pair *pair = &utility->state.kvp.pair;
	const struct hvk_kvp_callbacks *ask = callbacks(utility);
	uint32_t key_size;

	if (length < BODY + sizeof(struct ic_kvp_delete))
		return UTILITY_MALFORMED;
	memcpy(&key_size, body + BODY, sizeof(key_size));
	clear(pair);
	if (!hvk_kvp_parse_key(body + BODY + offsetof(struct ic_kvp_delete, key), key_size, pair))
		return UTILITY_MALFORMED;
	return ask->remove ? conclude(utility, ask->remove(utility->config.context, body[1], pair->key), body)
			   : IC_STATUS_NOT_SUPPORTED;
}

static uint32_t ask_enumerate(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	struct hvk_kvp_pair *pair = &utility->state.kvp.pair;
	const struct hvk_kvp_callbacks *ask = callbacks(utility);
	uint32_t index;

	if (length < BODY + sizeof(struct ic_kvp_enumerate))
		return UTILITY_MALFORMED;
	memcpy(&index, body + BODY, sizeof(index));
	clear(pair);
	return ask->enumerate ? conclude(utility,
					 ask->enumerate(utility->config.context, body[1], index, pair), body)
			      : IC_STATUS_NOT_SUPPORTED;
}

static uint32_t ask_ip(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	const struct hvk_kvp_callbacks *ask = callbacks(utility);
	struct hvk_kvp_ip *ip = &utility->state.kvp.ip;
	enum kvp_ip_parsed parsed;

	if (length < IC_KVP_IP_OFFSET + sizeof(struct ic_kvp_ip))
		return UTILITY_MALFORMED;
	memset(ip, 0, sizeof(*ip));
	parsed = hvk_kvp_parse_adapter(body + IC_KVP_IP_OFFSET, &ip->adapter);
	if (parsed == KVP_IP_MALFORMED)
		return UTILITY_MALFORMED;
	if (parsed == KVP_IP_NO_ADAPTER)
		return IC_STATUS_NOT_FOUND;
	if (body[0] == IC_KVP_GET_IP)
		return ask->get_ip ? conclude(utility, ask->get_ip(utility->config.context, ip), body)
				   : IC_STATUS_NOT_SUPPORTED;
	if (!hvk_kvp_parse_ip(body + IC_KVP_IP_OFFSET, ip))
		return UTILITY_MALFORMED;
	return ask->set_ip ? conclude(utility, ask->set_ip(utility->config.context, ip), body)
			   : IC_STATUS_NOT_SUPPORTED;
}

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	if (length < BODY)
		return UTILITY_MALFORMED;
	if (body[0] == IC_KVP_GET_IP || body[0] == IC_KVP_SET_IP) /* of no pool */
		return ask_ip(utility, body, length);
	if (body[0] > IC_KVP_SET_IP)
		return IC_STATUS_NOT_SUPPORTED;
	if (body[1] >= IC_KVP_POOL_AUTO_INTERNAL) /* never exchanged, or no pool at all */
		return IC_STATUS_INVALID_ARGUMENT;
	switch (body[0]) {
	case IC_KVP_ENUMERATE:
		return ask_enumerate(utility, body, length);
	case IC_KVP_DELETE:
		return ask_delete(utility, body, length);
	default:
		return ask_value(utility, body, length);
	}
}

/* 5.0 has another form of addresses. */
const struct utility_service hvk_utility_kvp = {
	.name = "kvp",
	.type = VMBUS_GUID_KVP,
	.kind = HVK_UTILITY_KVP,
	.message_type = IC_TYPE_KVP,
	.versions = {IC_VERSION(4, 0), IC_VERSION(3, 0), IC_VERSION(1, 0)},
	.message_max = 8192,
	.answer_ms = UTILITY_ANSWER_MS,
	.ask = ask,
	.conclude = conclude,
};
