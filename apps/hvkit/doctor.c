/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/json.h"
#include "apps/hvkit/options.h"

static const struct check {
	const char *name;
	void (*look)(struct doctor_finding *finding);
} checks[] = {
	{"machine", doctor_machine},       {"memory", doctor_memory},
	{"loopback", doctor_loopback},     {"libslirp", doctor_slirp},
	{"console", doctor_console},       {"processor", doctor_processor},
	{"hypervisor", doctor_hypervisor}, {"kvm", doctor_kvm},
	{"accel", doctor_accel},           {"tshark", doctor_tshark},
	{"wireshark", doctor_wireshark},   {"dissector", doctor_dissector},
	{"chromium", doctor_chromium},     {"packages", doctor_packages},
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

void doctor_say(struct doctor_finding *finding, enum doctor_state state, const char *format, ...)
{
	va_list arguments;

	finding->state = state;
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
}

void doctor_advise(struct doctor_finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->advice, sizeof(finding->advice), format, arguments);
	va_end(arguments);
}

static const char *state_name(enum doctor_state state)
{
	static const char *const names[] = {"ok", "note", "missing", "broken"};

	return names[state];
}

static void print_line(const struct check *check, const struct doctor_finding *finding, bool color)
{
	enum style style = finding->state == DOCTOR_OK     ? STYLE_GOOD
			   : finding->state == DOCTOR_NOTE ? STYLE_PLAIN
							   : STYLE_ERROR;

	printf("%-11s %s%-8s%s %s\n", check->name, color ? style_begin(style) : "",
	       state_name(finding->state), color ? STYLE_END : "", finding->text);
	if (finding->advice[0])
		printf("%-11s %-8s -> %s\n", "", "", finding->advice);
}

static void put_finding(struct json *json, const struct check *check, const struct doctor_finding *finding)
{
	json_object(json, NULL);
	json_string(json, "name", check->name);
	json_string(json, "state", state_name(finding->state));
	json_string(json, "text", finding->text);
	json_string(json, "advice", finding->advice[0] ? finding->advice : NULL);
	json_close(json);
}

int cli_doctor(int count, char *const arguments[])
{
	bool as_json = count == 2 && strcmp(arguments[1], "--json") == 0, works = true;
	bool color = style_wanted(STYLE_AUTO, stdout);
	struct json json;

	if (count > 1 && !as_json) {
		fprintf(stderr, "hvkit: doctor takes --json only, not '%.40s'\n",
			arguments[strcmp(arguments[1], "--json") == 0 ? 2 : 1]);
		return CLI_USAGE;
	}
	if (as_json) {
		json_begin(&json, stdout);
		json_string(&json, "hvkit", HVKIT_VERSION);
		json_array(&json, "checks");
	}
	for (size_t n = 0; n < CHECKS; n++) {
		struct doctor_finding finding = {.state = DOCTOR_NOTE};

		checks[n].look(&finding);
		works = works && finding.state != DOCTOR_BROKEN;
		if (as_json)
			put_finding(&json, &checks[n], &finding);
		else
			print_line(&checks[n], &finding, color);
	}
	if (as_json) {
		json_close(&json);
		json_bool(&json, "works", works);
		return json_end(&json) && works ? CLI_OK : CLI_FAILED;
	}
	return works ? CLI_OK : CLI_FAILED;
}

void cli_print_doctor_help(void)
{
	printf("hvkit doctor [--json]\n"
	       "\n"
	       "Says what this machine can do, a line each: 'ok', 'note' (so it is), 'missing' (with what "
	       "to\n"
	       "do about it) or 'broken'. Exit status: 0 if hvkit run works here, 1 if it does not.\n"
	       "\n"
	       "  --json                 the same as JSON: a list of name, state, text, advice\n"
	       "  --help                 this text\n");
}
