/* SPDX-License-Identifier: MIT */
/* Key-value pairs between their two forms: the host's message and the user's structures. Pure functions. */
#ifndef HVK_UTILITIES_KVP_H
#define HVK_UTILITIES_KVP_H

#include "hvkit/utilities.h"

/* A text of size bytes of UTF-16, with its end or without, of at most max_units units. False: it cannot be:
 * odd, longer than field, a zero inside, or too many units. */
bool hvk_kvp_text(const uint8_t *field, uint32_t size, uint32_t field_size, char *out, size_t out_size);
/* The key, and value by its type. False: malformed. */
bool hvk_kvp_parse_key(const uint8_t *key, uint32_t key_size, struct hvk_kvp_pair *pair);
bool hvk_kvp_parse_value(const struct ic_kvp_value *value, struct hvk_kvp_pair *pair);
/* False: what the user gave does not fit, or is not UTF-8. */
bool hvk_kvp_build_value(const struct hvk_kvp_pair *pair, struct ic_kvp_value *value);

/* kvp_ip.c: the body after struct ic_kvp_header. */
enum kvp_ip_parsed { KVP_IP_OK, KVP_IP_MALFORMED, KVP_IP_NO_ADAPTER };
enum kvp_ip_parsed hvk_kvp_parse_adapter(const uint8_t *body, struct vmbus_guid *adapter);
bool hvk_kvp_parse_ip(const uint8_t *body, struct hvk_kvp_ip *ip);
bool hvk_kvp_build_ip(const struct hvk_kvp_ip *ip, uint8_t *body);

#endif
