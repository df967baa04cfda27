/* SPDX-License-Identifier: MIT */
/* Pairs between the host's form and the user's. */
#include "guest/core/core.h"
#include "guest/utilities/kvp.h"
#include "guest/utilities/utf16.h"

bool hvk_kvp_text(const uint8_t *field, uint32_t size, uint32_t field_size, char *out, size_t out_size)
{
	uint32_t units = size / 2;

	if (size % 2 != 0 || size > field_size)
		return false;
	while (units > 0 && hvk_utf16_unit(field, units - 1) == 0)
		units--;
	/* An end has its place in the field, whether or not it was sent. */
	return units < field_size / 2 && hvk_utf16_length(field, units) == units &&
	       hvk_utf16_to_utf8(field, units, out, out_size);
}

bool hvk_kvp_parse_key(const uint8_t *key, uint32_t key_size, struct hvk_kvp_pair *pair)
{
	return hvk_kvp_text(key, key_size, IC_KVP_KEY_SIZE, pair->key, sizeof(pair->key)) &&
	       pair->key[0] != '\0';
}

/* Numbers are little-endian in the first bytes of the value. */
static bool parse_number(const struct ic_kvp_value *value, uint32_t size, uint64_t *number)
{
	*number = 0;
	if (value->value_size != size)
		return false;
	for (uint32_t i = 0; i < size; i++)
		*number |= (uint64_t)value->value[i] << 8 * i;
	return true;
}

bool hvk_kvp_parse_value(const struct ic_kvp_value *value, struct hvk_kvp_pair *pair)
{
	pair->type = value->type;
	pair->value[0] = '\0';
	pair->number = 0;
	switch (value->type) {
	case IC_KVP_SZ:
	case IC_KVP_EXPAND_SZ:
		return hvk_kvp_text(value->value, value->value_size, IC_KVP_VALUE_SIZE, pair->value,
				    sizeof(pair->value));
	case IC_KVP_U32:
		return parse_number(value, 4, &pair->number);
	case IC_KVP_U64_LINUX:
	case IC_KVP_U64:
		pair->type = IC_KVP_U64;
		return parse_number(value, 8, &pair->number);
	default:
		return false;
	}
}

/* Bytes with the end; 0: it does not fit. */
static uint32_t build_text(const char *text, size_t text_max, uint8_t *field, uint32_t field_size)
{
	uint32_t units = UINT32_MAX;

	for (size_t i = 0; i < text_max && units == UINT32_MAX; i++) {
		if (text[i] == '\0')
			units = 0;
	}
	if (units == UINT32_MAX) /* no end */
		return 0;
	units = hvk_utf16_from_utf8(text, field, field_size / 2 - 1);
	return units == UINT32_MAX ? 0 : 2 * units + 2;
}

static uint32_t build_number(uint64_t number, uint8_t *field, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		field[i] = (uint8_t)(number >> 8 * i);
	return size;
}

bool hvk_kvp_build_value(const struct hvk_kvp_pair *pair, struct ic_kvp_value *value)
{
	memset(value, 0, sizeof(*value));
	value->type = pair->type;
	value->key_size = build_text(pair->key, sizeof(pair->key), value->key, IC_KVP_KEY_SIZE);
	switch (pair->type) {
	case IC_KVP_SZ:
	case IC_KVP_EXPAND_SZ:
		value->value_size = build_text(pair->value, sizeof(pair->value), value->value,
					       IC_KVP_VALUE_SIZE);
		break;
	case IC_KVP_U32:
		value->value_size = pair->number <= UINT32_MAX ? build_number(pair->number, value->value, 4)
							       : 0;
		break;
	case IC_KVP_U64:
		value->value_size = build_number(pair->number, value->value, 8);
		break;
	default:
		break;
	}
	return value->key_size > 2 && value->value_size != 0;
}
