/* SPDX-License-Identifier: MIT */
/*
 * The pairs that the host has set, in memory and in a file: a line each, pool, key and value with tabs
 * between, in UTF-8; \t, \n, \r, \\ stand for what would end them. The file stays open from the start:
 * behind KVM nothing can be opened once the guest runs. It is written anew by one write, which ends in empty
 * lines where the text has become shorter: whoever is killed in between leaves a file that can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "host/utilities/utilities.h"

#define LINE_MAX 16384u
#define WHAT_IS_RIGHT "pool (0 to 3), key and value with tabs between would be right"

/* --- In memory ----------------------------------------------------------------------------------- */

static uint32_t find(const struct kvp_store *store, uint8_t pool, const char *key)
{
	uint32_t n = 0;

	while (n < store->count && (store->pairs[n].pool != pool || strcmp(store->pairs[n].key, key) != 0))
		n++;
	return n;
}

static void forget(struct kvp_store *store, uint32_t n)
{
	free(store->pairs[n].key);
	free(store->pairs[n].value);
	store->count--;
	memmove(&store->pairs[n], &store->pairs[n + 1], (store->count - n) * sizeof(store->pairs[0]));
}

static const char *add(struct kvp_store *store, uint8_t pool, const char *key, char *value)
{
	struct kvp_pair *pairs;

	if (store->count == KVP_PAIRS_MAX)
		return "it has 1024 pairs already";
	pairs = realloc(store->pairs, (store->count + 1) * sizeof(*pairs));
	if (pairs == NULL)
		return "out of memory";
	store->pairs = pairs;
	pairs[store->count] = (struct kvp_pair){pool, strdup(key), value};
	if (pairs[store->count].key == NULL)
		return "out of memory";
	store->count++;
	return NULL;
}

static const char *put(struct kvp_store *store, uint8_t pool, const char *key, const char *value)
{
	uint32_t n = find(store, pool, key);
	char *copy = strdup(value);
	const char *wrong;

	if (copy == NULL)
		return "out of memory";
	if (n < store->count) {
		free(store->pairs[n].value);
		store->pairs[n].value = copy;
		return NULL;
	}
	wrong = add(store, pool, key, copy);
	if (wrong != NULL)
		free(copy);
	return wrong;
}

/* --- The file ------------------------------------------------------------------------------------ */

static void write_text(FILE *file, const char *text)
{
	static const char special[] = "\t\n\r\\", names[] = "tnr\\";

	for (; *text != '\0'; text++) {
		const char *at = strchr(special, *text);

		if (at != NULL) {
			(void)fputc('\\', file);
			(void)fputc(names[at - special], file);
		} else {
			(void)fputc(*text, file);
		}
	}
}

static void write_pairs(const struct kvp_store *store, FILE *file)
{
	for (uint32_t n = 0; n < store->count; n++) {
		(void)fprintf(file, "%u\t", store->pairs[n].pool);
		write_text(file, store->pairs[n].key);
		(void)fputc('\t', file);
		write_text(file, store->pairs[n].value);
		(void)fputc('\n', file);
	}
}

static bool write_all(int file, const char *text, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t wrote = pwrite(file, text + done, length - done, (off_t)done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		done += (size_t)wrote;
	}
	return true;
}

static const char *save(struct kvp_store *store)
{
	int file = fileno(store->file);
	char *text = NULL;
	size_t length = 0, kept;
	bool written;
	FILE *memory = open_memstream(&text, &length);

	if (memory == NULL)
		return "out of memory";
	write_pairs(store, memory);
	(void)fflush(memory);
	kept = length;
	for (size_t n = kept; n < store->file_bytes; n++)
		(void)fputc('\n', memory);
	written = fclose(memory) == 0 && write_all(file, text, length);
	free(text);
	if (!written)
		return "its file cannot be written";
	/* Empty lines do no harm. */
	store->file_bytes = ftruncate(file, (off_t)kept) == 0 ? kept : length;
	return NULL;
}

/* In place. False: a backslash before something else. */
static bool unescape(char *text)
{
	static const char special[] = "\t\n\r\\", names[] = "tnr\\";
	char *to = text;

	for (; *text != '\0'; text++) {
		const char *at;

		if (*text != '\\') {
			*to++ = *text;
			continue;
		}
		at = *++text != '\0' ? strchr(names, *text) : NULL;
		if (at == NULL)
			return false;
		*to++ = special[at - names];
	}
	*to = '\0';
	return true;
}

/* Fits into a message? */
static bool is_text(const char *text, uint32_t max)
{
	uint8_t units[IC_KVP_VALUE_SIZE];

	return utility_to_utf16(text, units, max) != UTILITY_BAD_TEXT;
}

static const char *read_line(struct kvp_store *store, char *line)
{
	size_t length = strlen(line);
	char *key, *value;

	if (length == 0 || line[length - 1] != '\n')
		return "a line without an end, or of more than 16383 bytes";
	line[length - 1] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return NULL;
	key = line[0] >= '0' && line[0] < '0' + (int)IC_KVP_POOL_AUTO_INTERNAL && line[1] == '\t' ? line + 2
												  : NULL;
	value = key != NULL ? strchr(key, '\t') : NULL;
	if (value == NULL)
		return WHAT_IS_RIGHT;
	*value++ = '\0';
	if (!unescape(key) || !unescape(value))
		return "\\t, \\n, \\r and \\\\ are all that there is with a backslash";
	if (key[0] == '\0' || !is_text(key, IC_KVP_KEY_SIZE / 2 - 1) ||
	    !is_text(value, IC_KVP_VALUE_SIZE / 2 - 1))
		return "UTF-8 of 1 to 255 UTF-16 units for a key and at most 1023 for a value would be right";
	return put(store, (uint8_t)(line[0] - '0'), key, value);
}

/* NULL, or why not. Nobody else may write it meanwhile. */
static const char *open_file(struct kvp_store *store, const char *name)
{
	int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (file < 0)
		return strerror(errno);
	store->file = fdopen(file, "r+");
	if (store->file == NULL) {
		(void)close(file);
		return "out of memory";
	}
	return flock(file, LOCK_EX | LOCK_NB) == 0 ? NULL : "another program uses it";
}

bool kvp_store_load(struct kvp_store *store, const char *file, char *error, size_t error_size)
{
	char line[LINE_MAX];
	const char *wrong;
	uint32_t number = 0;

	if (file == NULL)
		return true;
	wrong = open_file(store, file);
	if (wrong != NULL) {
		(void)snprintf(error, error_size, "key-value pairs: cannot open %s: %s", file, wrong);
		return false;
	}
	while (wrong == NULL && fgets(line, sizeof(line), store->file) != NULL) {
		number++;
		wrong = read_line(store, line);
	}
	store->file_bytes = (size_t)ftello(store->file);
	if (wrong == NULL && ferror(store->file) != 0)
		wrong = "it cannot be read";
	if (wrong != NULL)
		(void)snprintf(error, error_size, "key-value pairs: %s, line %u: %s", file, number, wrong);
	return wrong == NULL;
}

const char *kvp_store_set(struct kvp_store *store, uint8_t pool, const char *key, const char *value)
{
	const char *wrong = NULL;
	uint32_t n = find(store, pool, key);

	if (value != NULL)
		wrong = put(store, pool, key, value);
	else if (n < store->count)
		forget(store, n);
	else
		return NULL;
	return wrong != NULL || store->file == NULL ? wrong : save(store);
}

void kvp_store_free(struct kvp_store *store)
{
	while (store->count > 0)
		forget(store, store->count - 1);
	free(store->pairs);
	if (store->file != NULL)
		(void)fclose(store->file);
	*store = (struct kvp_store){0};
}
