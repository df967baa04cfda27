/* SPDX-License-Identifier: MIT */
/* The monitor's command for key-value pairs and addresses: kvp VERB. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"

static const char *const pools[] = {"external", "guest", "auto", "auto-external"};
#define POOLS (sizeof(pools) / sizeof(pools[0]))
#define KEY_BYTES 1024u

static bool find_pool(const char *text, uint32_t *pool)
{
	for (*pool = 0; *pool < POOLS; ++*pool) {
		if (strcmp(text, pools[*pool]) == 0 || (text[0] == (char)('0' + *pool) && !text[1]))
			return true;
	}
	return false;
}

/* --- Pairs ----------------------------------------------------------------------------------------- */

static void ask_next(struct monitor_request *request)
{
	const struct machine *machine = &request->monitor->machine;

	hvh_kvp_request(hvh_utilities_find(machine_partition(machine)), machine_now(machine),
			IC_KVP_ENUMERATE, (uint8_t)request->step, NULL, NULL, request->index,
			monitor_answered, request);
}

static bool list_answered(struct monitor_request *request, enum hvh_utility_result result, uint32_t status,
			  const char *text)
{
	char before[24];

	if (result == HVH_UTILITY_OK) {
		snprintf(before, sizeof(before), "%-14s ", pools[request->step]);
		monitor_show_line(request->monitor, before, text);
		request->index++;
		ask_next(request);
		return true;
	}
	if (result != HVH_UTILITY_FAILED || status != IC_STATUS_NO_MORE_ITEMS)
		return false;
	request->index = 0;
	if (request->step++ < request->last)
		ask_next(request);
	else
		monitor_request_done(request);
	return true;
}

static bool get_answered(struct monitor_request *request, enum hvh_utility_result result, uint32_t status,
			 const char *text)
{
	(void)status;
	if (result != HVH_UTILITY_OK)
		return false;
	monitor_show_line(request->monitor, "", text);
	monitor_request_done(request);
	return true;
}

static int list(const struct monitor_call *call, const char *line)
{
	struct monitor_request *request;
	uint32_t pool = 0;

	(void)line;
	if (call->count > 2 || (call->count == 2 && !find_pool(call->arguments[1], &pool)))
		return monitor_unknown(call, "pool", call->arguments[call->count - 1], pools, POOLS);
	request = monitor_request(call);
	if (!request)
		return SHELL_FAILED;
	request->go_on = list_answered;
	request->step = pool;
	request->last = call->count == 2 ? pool : POOLS - 1;
	ask_next(request);
	return monitor_await(call, request);
}

/* To the line's end, or in quotes. */
static bool take_value(const char *line, char *value, size_t size)
{
	if (*line == '"')
		return monitor_take_text(&line, value, size) && !*line;
	snprintf(value, size, "%s", line);
	return *line != '\0';
}

/* POOL KEY, and if there is to be one, VALUE. */
static int ask_pair(const struct monitor_call *call, const char *line, uint8_t operation)
{
	char name[40], key[KEY_BYTES], value[SHELL_LINE_MAX + 1];
	bool has_value = operation == IC_KVP_SET;
	struct monitor_request *request;
	uint32_t pool;

	if (!monitor_take_text(&line, name, sizeof(name)) || !monitor_take_text(&line, key, sizeof(key)) ||
	    (has_value ? !take_value(line, value, sizeof(value)) : *line != '\0'))
		return monitor_usage(
			call, "%s takes POOL KEY%s; quotes go around a key with blanks, or an empty value",
			call->arguments[0], has_value ? " VALUE" : "");
	if (!find_pool(name, &pool))
		return monitor_unknown(call, "pool", name, pools, POOLS);
	request = monitor_request(call);
	if (!request)
		return SHELL_FAILED;
	request->go_on = operation == IC_KVP_GET ? get_answered : NULL;
	hvh_kvp_request(hvh_utilities_find(call->partition), call->now, operation, (uint8_t)pool, key,
			has_value ? value : NULL, 0, monitor_answered, request);
	return monitor_await(call, request);
}

static int get(const struct monitor_call *call, const char *line)
{
	return ask_pair(call, line, IC_KVP_GET);
}

static int set(const struct monitor_call *call, const char *line)
{
	return ask_pair(call, line, IC_KVP_SET);
}

static int remove_pair(const struct monitor_call *call, const char *line)
{
	return ask_pair(call, line, IC_KVP_DELETE);
}

/* --- Addresses --------------------------------------------------------------------------------------- */

#define GUID_BYTES 40u

static void guid_text(const uint8_t guid[16], char text[GUID_BYTES])
{
	snprintf(text, GUID_BYTES, "{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
		 guid[3], guid[2], guid[1], guid[0], guid[5], guid[4], guid[7], guid[6], guid[8], guid[9],
		 guid[10], guid[11], guid[12], guid[13], guid[14], guid[15]);
}

/* A device's name, or a GUID or hardware address as it is. */
static void adapter_of(const struct monitor_call *call, const char *word, char text[GUID_BYTES])
{
	struct hvh_device_info device;

	snprintf(text, GUID_BYTES, "%s", word);
	for (uint32_t n = 0; hvh_device_get(call->partition, n, &device); n++) {
		if (strcmp(device.name, word) == 0)
			guid_text(device.instance, text);
	}
}

static int get_ip(const struct monitor_call *call)
{
	struct monitor_request *request;
	char adapter[GUID_BYTES];

	if (call->count != 3)
		return monitor_usage(call,
				     "ip get takes ADAPTER: a device such as net0, a GUID, or a hardware "
				     "address (which Linux wants)");
	request = monitor_request(call);
	if (!request)
		return SHELL_FAILED;
	adapter_of(call, call->arguments[2], adapter);
	request->go_on = get_answered;
	hvh_kvp_get_ip(hvh_utilities_find(call->partition), call->now, adapter, monitor_answered, request);
	return monitor_await(call, request);
}

/* "address=10.0.0.5" and so on, "dhcp". */
static bool take_ip_word(const char *word, struct hvh_kvp_ip *ip)
{
	const struct {
		const char *name;
		const char **value;
	} words[] = {{"address=", &ip->addresses},
		     {"mask=", &ip->masks},
		     {"gateway=", &ip->gateways},
		     {"dns=", &ip->name_servers}};

	if (strcmp(word, "dhcp") == 0) {
		ip->dhcp = true;
		return true;
	}
	for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
		size_t length = strlen(words[n].name);

		if (strncmp(word, words[n].name, length) == 0) {
			*words[n].value = word + length;
			return true;
		}
	}
	return false;
}

static int set_ip(const struct monitor_call *call)
{
	struct monitor_request *request;
	char adapter[GUID_BYTES];
	struct hvh_kvp_ip ip = {.adapter = adapter};

	for (uint32_t n = 3; n < call->count; n++) {
		if (!take_ip_word(call->arguments[n], &ip))
			return monitor_usage(
				call,
				"'%.60s' is not known; there are: dhcp, address=, mask=, gateway= and "
				"dns=, each a list with commas or ';' between",
				call->arguments[n]);
	}
	if (call->count < 4 || (!ip.dhcp && (!ip.addresses || !ip.masks)))
		return monitor_usage(call, "ip set takes ADAPTER dhcp, or ADAPTER address=LIST mask=LIST "
					   "[gateway=LIST] [dns=LIST]");
	ip.ipv4 = !ip.addresses || strchr(ip.addresses, '.');
	ip.ipv6 = ip.addresses && strchr(ip.addresses, ':');
	request = monitor_request(call);
	if (!request)
		return SHELL_FAILED;
	adapter_of(call, call->arguments[2], adapter);
	for (uint32_t n = 3; n < call->count; n++) { /* ';' ends a command */
		for (char *at = call->arguments[n]; *at; at++)
			*at = *at == ',' ? ';' : *at;
	}
	hvh_kvp_set_ip(hvh_utilities_find(call->partition), call->now, &ip, monitor_answered, request);
	return monitor_await(call, request);
}

static int addresses(const struct monitor_call *call, const char *line)
{
	(void)line;
	if (call->count > 1 && strcmp(call->arguments[1], "get") == 0)
		return get_ip(call);
	if (call->count > 1 && strcmp(call->arguments[1], "set") == 0)
		return set_ip(call);
	return monitor_usage(call, "ip takes get ADAPTER, or set ADAPTER dhcp or address=LIST mask=LIST ...");
}

/* --- The command --------------------------------------------------------------------------------------- */

static const struct verb {
	const char *name;
	int (*run)(const struct monitor_call *call, const char *line); /* behind the verb */
} verbs[] = {
	{"list", list}, {"get", get}, {"set", set}, {"delete", remove_pair}, {"ip", addresses},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int monitor_kvp(const struct monitor_call *call)
{
	const char *names[VERBS];
	size_t n = 0;

	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	while (n < VERBS && strcmp(call->arguments[0], names[n]) != 0)
		n++;
	if (n == VERBS)
		return monitor_unknown(call, "what to do with pairs:", call->arguments[0], names, VERBS);
	if (!monitor_utilities(call))
		return SHELL_FAILED;
	return verbs[n].run(call, call->rest);
}

void monitor_complete_kvp(const struct monitor_completion *completion)
{
	const char *verb = completion->argument ? completion->words[0] : "";
	bool ip = strcmp(verb, "ip") == 0;

	for (size_t n = 0; completion->argument == 0 && n < VERBS; n++)
		completion->offer(completion->context, verbs[n].name);
	for (size_t n = 0; completion->argument == 1 && !ip && n < POOLS; n++)
		completion->offer(completion->context, pools[n]);
	if (completion->argument == 1 && ip) {
		completion->offer(completion->context, "get");
		completion->offer(completion->context, "set");
	}
	if (completion->argument == 2 && ip)
		monitor_complete_card(completion);
}
