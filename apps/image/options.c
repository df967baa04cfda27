/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "apps/image/options.h"
#include "apps/shell/driver_options.h"
#include "hvkit/hvkit.h"
#include "hvkit/vf.h"
#include "hvkit/wire/vmbus.h"

#define WORD_MAX 100u
#define TEST_LATE "late:"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_one_of(const char *value, const char *first, const char *second, bool *is_first)
{
	*is_first = strcmp(value, first) == 0;
	return *is_first || strcmp(value, second) == 0;
}

static bool parse_number(const char *value, uint32_t least, uint32_t most, uint32_t *number)
{
	*number = 0;
	for (; *value >= '0' && *value <= '9' && *number <= most; value++)
		*number = *number * 10 + (uint32_t)(*value - '0');
	return !*value && *number >= least && *number <= most;
}

static bool parse_vmbus(struct image_options *options, const char *value)
{
	static const uint32_t versions[] = {
		VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
		VMBUS_VERSION_4_0,  VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_1,
		VMBUS_VERSION_5_2,  VMBUS_VERSION_5_3,
	};
	char text[12];

	for (uint32_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		snprintf(text, sizeof(text), "%u.%u", versions[i] >> 16, versions[i] & 0xffff);
		if (strcmp(value, text) == 0) {
			options->vmbus_newest = versions[i];
			return true;
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_seed(struct image_options *options, const char *value)
{
	if (strlen(value) != 2 * sizeof(options->seed))
		return false;
	for (size_t i = 0; i < sizeof(options->seed); i++) {
		int high = hex_digit(value[2 * i]), low = hex_digit(value[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		options->seed[i] = (uint8_t)(high << 4 | low);
	}
	options->seeded = true;
	return true;
}

static bool parse_log(struct image_options *options, const char *value)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) == 0) {
			options->log_level = i + 1;
			return true;
		}
	}
	return false;
}

static bool parse_conformance(struct image_options *options, const char *value)
{
	bool stay = strcmp(value, "stay") == 0;

	options->conformance = stay ? IMAGE_CONFORMANCE_STAY : IMAGE_CONFORMANCE_END;
	return stay || strcmp(value, "end") == 0;
}

static bool parse_timer(struct image_options *options, const char *value)
{
	bool direct = strcmp(value, "direct") == 0, message = strcmp(value, "message") == 0;

	options->timer = direct ? IMAGE_TIMER_DIRECT : message ? IMAGE_TIMER_MESSAGE : IMAGE_TIMER_APIC;
	return direct || message || strcmp(value, "apic") == 0;
}

static bool parse_test(struct image_options *options, const char *value)
{
	if (!*value || strlen(value) >= sizeof(options->test))
		return false;
	options->test_late = strncmp(value, TEST_LATE, strlen(TEST_LATE)) == 0;
	snprintf(options->test, sizeof(options->test), "%s",
		 value + (options->test_late ? strlen(TEST_LATE) : 0));
	return true;
}

static bool parse_grace(struct image_options *options, const char *value)
{
	if (strcmp(value, "event") == 0) {
		options->vf_grace_ms = HVK_VF_GRACE_EVENT;
		return true;
	}
	return parse_number(value, 1, 600000, &options->vf_grace_ms);
}

/* What is asked of drivers, that of the network card first. */
static const char *parse_driver_word(struct image_options *options, const char *word, const char *value,
				     bool *known)
{
	if (strcmp(word, "queues") == 0)
		return parse_number(value, 1, HVK_NETVSC_QUEUES_MAX, &options->driver.queues)
			       ? NULL
			       : "a number from 1 to 64";
	if (strcmp(word, "offloads") == 0)
		return shell_offloads_parse(value, &options->driver.offloads) ? NULL : SHELL_OFFLOADS_NAMES;
	if (strcmp(word, "mtu") == 0)
		return parse_number(value, SHELL_MTU_MIN, SHELL_MTU_MAX, &options->driver.mtu)
			       ? NULL
			       : "a number from 68 to 65521";
	if (strcmp(word, "vf") == 0) {
		options->vf = is_one_of(value, "separate", "transparent", &options->vf_separate);
		return options->vf ? NULL : "transparent or separate";
	}
	if (strcmp(word, "vf_grace_ms") == 0)
		return parse_grace(options, value) ? NULL : "a number from 1 to 600000, or event";
	if (strcmp(word, "freeze_max_ms") == 0)
		return parse_number(value, 1, 3600000, &options->freeze_max_ms)
			       ? NULL
			       : "a number from 1 to 3600000";
	*known = false;
	return NULL;
}

/* NULL, or what the value is to be; word is "name=value". */
static const char *parse_word(struct image_options *options, char *word, bool *known)
{
	char *value = memchr(word, '=', strlen(word));

	*known = value != NULL;
	if (!value)
		return NULL;
	*value++ = '\0';
	if (strcmp(word, "cpus") == 0)
		return parse_number(value, 1, HVK_CPUS_MAX, &options->cpus) ? NULL : "a number from 1 to 64";
	if (strcmp(word, "mode") == 0)
		return is_one_of(value, "boot", "system", &options->boot_mode) ? NULL : "boot or system";
	if (strcmp(word, "vmbus") == 0)
		return parse_vmbus(options, value) ? NULL
						   : "0.13, 1.1, 2.4, 3.0, 4.0, 4.1, 5.0, 5.1, 5.2 or 5.3";
	if (strcmp(word, "nic") == 0) {
		options->nic_said = true;
		return is_one_of(value, "yes", "no", &options->nic) ? NULL : "yes or no";
	}
	if (strcmp(word, "seed") == 0)
		return parse_seed(options, value) ? NULL : "64 hexadecimal digits";
	if (strcmp(word, "log") == 0)
		return parse_log(options, value) ? NULL : "error, warning, info or debug";
	if (strcmp(word, "timer") == 0)
		return parse_timer(options, value) ? NULL : "direct, message or apic";
	if (strcmp(word, "memory") == 0)
		return is_one_of(value, "high", "low", &options->high_memory) ? NULL : "low or high";
	if (strcmp(word, "console") == 0)
		return is_one_of(value, "yes", "no", &options->console) ? NULL : "yes or no";
	if (strcmp(word, "conformance") == 0)
		return parse_conformance(options, value) ? NULL : "stay or end";
	if (strcmp(word, "crash_text") == 0)
		return is_one_of(value, "yes", "no", &options->crash_text) ? NULL : "yes or no";
	if (strcmp(word, "test") == 0)
		return parse_test(options, value) ? NULL : "the name of a test";
	return parse_driver_word(options, word, value, known);
}

/* The next word, copied. Returns what follows, or NULL if it does not fit. */
static const char *next_word(const char *line, char word[WORD_MAX])
{
	size_t length = 0;

	for (; *line && !is_blank(*line); line++) {
		if (length + 1 == WORD_MAX)
			return NULL;
		word[length++] = *line;
	}
	word[length] = '\0';
	while (is_blank(*line))
		line++;
	return line;
}

/* What is right word by word can be wrong together. */
static bool agree(const struct image_options *options, char error[IMAGE_ERROR_MAX])
{
	if (!options->boot_mode || !options->vmbus_newest)
		return true;
	snprintf(error, IMAGE_ERROR_MAX,
		 "vmbus= is for mode=system: boot mode tries 3.0, then upwards from 0.13");
	return false;
}

bool image_options_parse(struct image_options *options, const char *line, char error[IMAGE_ERROR_MAX])
{
	char word[WORD_MAX], whole[WORD_MAX];

	*options = (struct image_options){.log_level = HVK_LOG_WARN, .crash_text = true};
	while (is_blank(*line))
		line++;
	while (*line) {
		const char *next = next_word(line, word), *expected;
		bool known;

		if (!next) {
			snprintf(error, IMAGE_ERROR_MAX, "'%.40s...' is too long for a word", line);
			return false;
		}
		if (strcmp(word, "--") == 0) {
			options->has_commands = true;
			options->commands = next;
			break;
		}
		snprintf(whole, sizeof(whole), "%s", word);
		expected = parse_word(options, word, &known);
		if (!known) {
			snprintf(error, IMAGE_ERROR_MAX,
				 "'%.40s' is no word of the command line; there are cpus=, mode=, vmbus=, "
				 "nic=, queues=, offloads=, mtu=, seed=, log=, memory=, timer=, console=, "
				 "crash_text=, conformance=, test= and, before the commands, --",
				 whole);
			return false;
		}
		if (expected) {
			snprintf(error, IMAGE_ERROR_MAX, "%.60s: %.20s= takes %.80s", whole, word, expected);
			return false;
		}
		line = next;
	}
	return agree(options, error);
}

bool image_next_command(const char **commands, char *out, size_t size, bool *whole)
{
	const char *at = *commands, *end;
	size_t length;

	while (is_blank(*at) || *at == ';')
		at++;
	if (!*at) {
		*commands = at;
		return false;
	}
	for (end = at; *end && *end != ';';)
		end++;
	*commands = end;
	while (is_blank(end[-1]))
		end--;
	length = (size_t)(end - at);
	*whole = length < size;
	length = *whole ? length : size - 1;
	memcpy(out, at, length);
	out[length] = '\0';
	return true;
}
