/* SPDX-License-Identifier: MIT */
/* `hvkit hosts`: the hosts it can be, in what each differs from the usual one, and what can
 * be set by itself. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/options.h"
#include "apps/shell/private.h"
#include "hvkit_host/quirk.h"

#define USUAL_HOST "ws2022"
#define COLUMNS 96u
#define INDENT 4u
#define PAIR_BYTES 80u
#define VALUES_BYTES 80u

/* Said in words already, or by connection-4=off. */
static bool told(const struct hvh_quirk *quirk, const char *value)
{
	return strcmp(quirk->name, "version-max") == 0 || strcmp(quirk->name, "nvs-max") == 0 ||
	       (strcmp(quirk->name, "returned-connection") == 0 && strcmp(value, "none") == 0);
}

static void print_differences(const struct hvh_profile *host, const struct hvh_profile *usual)
{
	char value[HVH_QUIRK_VALUE_MAX], other[HVH_QUIRK_VALUE_MAX], pair[PAIR_BYTES];
	const struct hvh_quirk *quirk;
	size_t column = 0;

	for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
		hvh_quirk_value(host, quirk, value, sizeof(value));
		hvh_quirk_value(usual, quirk, other, sizeof(other));
		if (told(quirk, value) || strcmp(value, other) == 0)
			continue;
		int length = snprintf(pair, sizeof(pair), "%s=%s", quirk->name, value);
		if (column == 0)
			column = (size_t)printf("    unlike %s: %s", usual->name, pair);
		else if (column + (size_t)length + 1 > COLUMNS)
			column = (size_t)printf("\n%*s%s", (int)(2 * INDENT), "", pair) - 1;
		else
			column += (size_t)printf(" %s", pair);
	}
	if (column != 0)
		printf("\n");
}

static void values_text(const struct hvh_quirk *quirk, char *text, size_t size)
{
	size_t used = 0;

	if (quirk->kind == HVH_QUIRK_SWITCH) {
		snprintf(text, size, "on, off");
		return;
	}
	if (quirk->kind == HVH_QUIRK_NUMBER) {
		snprintf(text, size, "%u to %u", quirk->minimum, quirk->maximum);
		return;
	}
	for (uint32_t n = 0; quirk->choices[n] != NULL && used < size; n++) {
		int length = snprintf(text + used, size - used, "%s%s", n == 0 ? "" : ", ",
				      quirk->choices[n]);
		used += length > 0 ? (size_t)length : 0;
	}
}

static void print_quirks(const struct hvh_profile *usual)
{
	const struct hvh_quirk *quirk;
	char value[HVH_QUIRK_VALUE_MAX], values[VALUES_BYTES];

	printf("\nQuirks: hvkit run --quirk NAME=VALUE; those marked * can change while a guest runs\n"
	       "(quirk NAME VALUE on the monitor console). In brackets what %s has.\n\n",
	       usual->name);
	for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
		hvh_quirk_value(usual, quirk, value, sizeof(value));
		values_text(quirk, values, sizeof(values));
		printf("%s %s: %s [%s]\n      %s\n", quirk->live ? " *" : "  ", quirk->name, values, value,
		       quirk->description);
	}
}

void cli_print_hosts(void)
{
	const struct hvh_profile *usual = hvh_profile_find(USUAL_HOST), *host;

	for (uint32_t n = 0; (host = hvh_profile_get(n)) != NULL; n++) {
		printf("%s: %s\n", host->name, host->description);
		printf("    VMBus up to %u.%u, NVS up to %s\n", host->newest_version >> 16,
		       host->newest_version & 0xffff, shell_nvs_name(host->nvs_newest));
		print_differences(host, usual);
	}
	print_quirks(usual);
}
