/* SPDX-License-Identifier: MIT */
/*
 * Key-value pairs: pools in memory, and where the platform has files, in the pool files that Linux and
 * FreeBSD have, too. Pool 2 is what the guest says of itself, and not the host's to change.
 */
#include <stdio.h>
#include <string.h>

#include "apps/shell/service_files.h"
#include "hvkit/version.h"

static const char *const pool_names[] = {"external", "guest", "auto", "auto-external"};
#define POOLS (sizeof(pool_names) / sizeof(pool_names[0]))

/* --- Files -------------------------------------------------------------------------------- */

#define FILE_NAME 16u
static void file_name(uint8_t pool, char name[FILE_NAME])
{
	snprintf(name, FILE_NAME, SHELL_POOL_FILE "%u", pool);
}

static void load(struct shell *shell, uint8_t pool)
{
	const struct shell_files *files = shell->platform.files;
	struct shell_pairs *pairs = &shell->services.pairs;
	char name[FILE_NAME];
	hvk_status status;

	file_name(pool, name);
	for (uint32_t n = 0; n < SHELL_PAIRS_MAX; n++) {
		if (files->read(files->context, name, (uint64_t)n * HVK_KVP_RECORD_SIZE, pairs->record,
				HVK_KVP_RECORD_SIZE) != HVK_KVP_RECORD_SIZE)
			return;
		status = hvk_kvp_store_load(pairs->store, pool, pairs->record);
		if (status != HVK_OK)
			shell_print(shell, SHELL_ERROR, "kvp: %s, record %u: %s: %s\n", name, n,
				    hvk_status_name(status), hvk_status_text(status));
	}
}

static bool save_records(struct shell *shell, uint8_t pool, void *file)
{
	const struct shell_files *files = shell->platform.files;
	struct shell_pairs *pairs = &shell->services.pairs;
	uint64_t offset = 0;

	for (uint32_t n = 0; n < SHELL_PAIRS_MAX; n++) {
		hvk_status status = hvk_kvp_store_save(pairs->store, pool, n, pairs->record);

		if (status == HVK_EEMPTY)
			return true;
		if (status != HVK_OK) { /* too long for a record: kept in memory alone */
			shell_print(shell, SHELL_ERROR, "kvp: pool %s, pair %u does not fit into its file\n",
				    pool_names[pool], n);
			continue;
		}
		if (!files->write(files->context, file, offset, pairs->record, HVK_KVP_RECORD_SIZE))
			return false;
		offset += HVK_KVP_RECORD_SIZE;
	}
	return true;
}

static bool save(struct shell *shell, uint8_t pool)
{
	const struct shell_files *files = shell->platform.files;
	enum shell_file_error error;
	char name[FILE_NAME];
	bool right;
	void *file;

	if (!files || pool == IC_KVP_POOL_AUTO)
		return true;
	file_name(pool, name);
	file = files->create(files->context, name, true, false, &error);
	right = file && save_records(shell, pool, file);
	if (file)
		right = files->close(files->context, file, right) && right;
	if (!right)
		shell_print(shell, SHELL_ERROR, "kvp: %s could not be written\n", name);
	return right;
}

/* --- What the guest says of itself -------------------------------------------------------- */

static void say(struct shell *shell, const char *key, const char *value)
{
	struct shell_pairs *pairs = &shell->services.pairs;

	memset(&pairs->scratch, 0, sizeof(pairs->scratch));
	snprintf(pairs->scratch.key, sizeof(pairs->scratch.key), "%s", key);
	snprintf(pairs->scratch.value, sizeof(pairs->scratch.value), "%s", value);
	pairs->scratch.type = IC_KVP_SZ;
	(void)hvk_kvp_store_set(pairs->store, IC_KVP_POOL_AUTO, &pairs->scratch);
}

static void say_address(struct shell *shell)
{
	char address[SHELL_ADDRESS_TEXT] = "";

	if (shell->netif_added)
		shell_address_text((const uint8_t *)netif_ip4_addr(&shell->netif.netif), address);
	say(shell, "NetworkAddressIPv4", address);
}

hvk_status shell_pairs_create(struct shell *shell)
{
	struct shell_pairs *pairs = &shell->services.pairs;
	hvk_status status = hvk_kvp_store_create(atomic_load(&shell->hvk), SHELL_PAIRS_MAX, &pairs->store);

	if (status != HVK_OK)
		return status;
	say(shell, "OSName", "hvkit shell");
	say(shell, "OSVersion", HVKIT_VERSION);
	say(shell, "IntegrationServicesVersion", HVKIT_VERSION);
	for (uint8_t pool = 0; shell->platform.files && pool < POOLS; pool++) {
		if (pool != IC_KVP_POOL_AUTO)
			load(shell, pool);
	}
	return HVK_OK;
}

void shell_pairs_destroy(struct shell *shell)
{
	hvk_kvp_store_destroy(shell->services.pairs.store);
	shell->services.pairs.store = NULL;
}

/* --- Callbacks, in hvk_poll --------------------------------------------------------------- */

static enum hvk_utility_answer get(void *context, uint8_t pool, struct hvk_kvp_pair *pair)
{
	struct shell *shell = context;

	if (pool == IC_KVP_POOL_AUTO)
		say_address(shell);
	return hvk_kvp_store_get(shell->services.pairs.store, pool, pair);
}

static enum hvk_utility_answer enumerate(void *context, uint8_t pool, uint32_t index,
					 struct hvk_kvp_pair *pair)
{
	struct shell *shell = context;

	if (pool == IC_KVP_POOL_AUTO)
		say_address(shell);
	return hvk_kvp_store_enumerate(shell->services.pairs.store, pool, index, pair);
}

static enum hvk_utility_answer put(struct shell *shell, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	enum hvk_utility_answer answer = hvk_kvp_store_set(shell->services.pairs.store, pool, pair);

	if (answer == HVK_UTILITY_DONE && !save(shell, pool))
		return HVK_UTILITY_REFUSED;
	return answer;
}

static enum hvk_utility_answer take_out(struct shell *shell, uint8_t pool, const char *key)
{
	enum hvk_utility_answer answer = hvk_kvp_store_remove(shell->services.pairs.store, pool, key);

	if (answer == HVK_UTILITY_DONE && !save(shell, pool))
		return HVK_UTILITY_REFUSED;
	return answer;
}

static enum hvk_utility_answer set(void *context, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	return pool == IC_KVP_POOL_AUTO ? HVK_UTILITY_REFUSED : put(context, pool, pair);
}

static enum hvk_utility_answer drop(void *context, uint8_t pool, const char *key)
{
	return pool == IC_KVP_POOL_AUTO ? HVK_UTILITY_REFUSED : take_out(context, pool, key);
}

void shell_pairs_callbacks(struct hvk_kvp_callbacks *callbacks)
{
	*callbacks = (struct hvk_kvp_callbacks){.get = get,
						.set = set,
						.remove = drop,
						.enumerate = enumerate,
						.get_ip = shell_addresses_get,
						.set_ip = shell_addresses_set};
}

/* --- The command -------------------------------------------------------------------------- */

static bool parse_pool(const char *text, uint8_t *pool)
{
	for (*pool = 0; *pool < POOLS; (*pool)++) {
		if (strcmp(text, pool_names[*pool]) == 0 || (text[0] == '0' + *pool && !text[1]))
			return true;
	}
	return false;
}

static void show_pair(struct shell *shell, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	if (pair->type == IC_KVP_SZ || pair->type == IC_KVP_EXPAND_SZ)
		shell_print(shell, SHELL_OUTPUT, "%-14s %s = %s\n", pool_names[pool], pair->key, pair->value);
	else
		shell_print(shell, SHELL_OUTPUT, "%-14s %s = %llu\n", pool_names[pool], pair->key,
			    (unsigned long long)pair->number);
}

static int list(struct shell *shell, uint32_t first, uint32_t end)
{
	struct hvk_kvp_pair *pair = &shell->services.pairs.scratch;

	for (uint32_t pool = first; pool < end; pool++) {
		if (pool == IC_KVP_POOL_AUTO)
			say_address(shell);
		for (uint32_t n = 0; n < SHELL_PAIRS_MAX; n++) {
			if (hvk_kvp_store_enumerate(shell->services.pairs.store, (uint8_t)pool, n, pair) !=
			    HVK_UTILITY_DONE)
				break;
			show_pair(shell, (uint8_t)pool, pair);
		}
	}
	return SHELL_OK;
}

static int command_get(struct shell *shell, uint8_t pool, const char *key)
{
	struct hvk_kvp_pair *pair = &shell->services.pairs.scratch;

	memset(pair, 0, sizeof(*pair));
	snprintf(pair->key, sizeof(pair->key), "%s", key);
	if (hvk_kvp_store_get(shell->services.pairs.store, pool, pair) != HVK_UTILITY_DONE)
		return shell_error(shell, "kvp: there is no '%.200s' in pool %s\n", key, pool_names[pool]);
	show_pair(shell, pool, pair);
	return SHELL_OK;
}

static int command_set(struct shell *shell, uint8_t pool, uint32_t count, char *const words[])
{
	struct hvk_kvp_pair *pair = &shell->services.pairs.scratch;
	size_t used = 0;

	memset(pair, 0, sizeof(*pair));
	if (strlen(words[0]) >= sizeof(pair->key))
		return shell_usage(shell, "kvp: a key has at most %u bytes\n", HVK_KVP_KEY_MAX - 1);
	snprintf(pair->key, sizeof(pair->key), "%s", words[0]);
	for (uint32_t n = 1; n < count && used < sizeof(pair->value); n++)
		used += (size_t)snprintf(pair->value + used, sizeof(pair->value) - used, "%s%s",
					 n > 1 ? " " : "", words[n]);
	pair->type = IC_KVP_SZ;
	if (put(shell, pool, pair) != HVK_UTILITY_DONE)
		return shell_error(shell, "kvp: there is no room for more than %u pairs\n", SHELL_PAIRS_MAX);
	return SHELL_OK;
}

static int command_delete(struct shell *shell, uint8_t pool, const char *key)
{
	if (take_out(shell, pool, key) != HVK_UTILITY_DONE)
		return shell_error(shell, "kvp: there is no '%.200s' in pool %s\n", key, pool_names[pool]);
	return SHELL_OK;
}

static int usage(struct shell *shell)
{
	return shell_usage(shell,
			   "kvp: list [POOL], get POOL KEY, set POOL KEY VALUE or delete POOL KEY; the "
			   "pools are external, guest, auto and auto-external\n");
}

int shell_command_kvp(struct shell *shell, uint32_t count, char *const words[])
{
	const char *verb = count > 1 ? words[1] : "list";
	uint8_t pool = 0;

	if (!shell->services.pairs.store)
		return shell_error(shell, "kvp: there are no pools\n");
	if (count > 2 && !parse_pool(words[2], &pool))
		return shell_usage(
			shell, "kvp: '%.40s' is no pool; there are: external, guest, auto, auto-external\n",
			words[2]);
	if (strcmp(verb, "list") == 0 && count <= 3)
		return count > 2 ? list(shell, pool, pool + 1u) : list(shell, 0, POOLS);
	if (strcmp(verb, "get") == 0 && count == 4)
		return command_get(shell, pool, words[3]);
	if (strcmp(verb, "set") == 0 && count > 4)
		return command_set(shell, pool, count - 3, words + 3);
	if (strcmp(verb, "delete") == 0 && count == 4)
		return command_delete(shell, pool, words[3]);
	return usage(shell);
}

void shell_pairs_dump(struct shell *shell, const struct shell_dump_to *to)
{
	const struct shell_pairs *pairs = &shell->services.pairs;

	to->line(to->context, "pairs:");
	for (uint8_t pool = 0; pool < POOLS; pool++) {
		uint32_t count = 0;

		while (count < SHELL_PAIRS_MAX &&
		       hvk_kvp_store_enumerate(pairs->store, pool, count, &shell->services.pairs.scratch) ==
			       HVK_UTILITY_DONE)
			count++;
		shell_dump_value(to, pool_names[pool], "%u", count);
	}
	shell_dump_value(to, "adapters-injected", "%llu", (unsigned long long)pairs->injected);
}
