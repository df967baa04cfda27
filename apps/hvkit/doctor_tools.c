/* SPDX-License-Identifier: MIT */
/* What is installed. */
#include <histedit.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/hvkit/doctor.h"

#define PATH_BYTES 512u
#define LINE_BYTES 256u

bool doctor_find_program(const char *name, char *path, size_t size)
{
	const char *at = getenv("PATH");

	while (at && *at) {
		size_t length = strcspn(at, ":");

		if (length && snprintf(path, size, "%.*s/%s", (int)length, at, name) < (int)size &&
		    access(path, X_OK) == 0)
			return true;
		at += length + (at[length] == ':');
	}
	return false;
}

/* The first line that a command prints; false if it fails. */
static bool first_line(const char *command, char line[LINE_BYTES])
{
	FILE *pipe = popen(command, "r");
	bool any;

	if (!pipe)
		return false;
	any = fgets(line, (int)LINE_BYTES, pipe) != NULL;
	while (any) { /* to its end: it is not to die of a closed pipe */
		char rest[LINE_BYTES];

		if (!fgets(rest, sizeof(rest), pipe))
			break;
	}
	if (!any)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return pclose(pipe) == 0 && any;
}

void doctor_slirp(struct doctor_finding *finding)
{
	doctor_say(finding, DOCTOR_OK, "%s: user-mode networking (--nic user)", slirp_version_string());
}

void doctor_console(struct doctor_finding *finding)
{
	const char *terminal = getenv("TERM");

	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		doctor_say(finding, DOCTOR_OK, "libedit %d.%d, terminal %.40s", LIBEDIT_MAJOR, LIBEDIT_MINOR,
			   terminal && *terminal ? terminal : "of no name");
	else
		doctor_say(finding, DOCTOR_NOTE,
			   "libedit %d.%d; no terminal here: hvkit run reads lines from standard input",
			   LIBEDIT_MAJOR, LIBEDIT_MINOR);
}

/* --- For traces ---------------------------------------------------------------------------- */

void doctor_tshark(struct doctor_finding *finding)
{
	char path[PATH_BYTES], line[LINE_BYTES];

	if (!doctor_find_program("tshark", path, sizeof(path))) {
		doctor_say(finding, DOCTOR_MISSING, "not in PATH: traces are not checked against Wireshark");
		doctor_advise(finding, "apt-get install tshark; hvkit trace FILE needs none");
		return;
	}
	if (first_line("tshark --version 2>/dev/null", line))
		doctor_say(finding, DOCTOR_OK, "%.150s", line);
	else
		doctor_say(finding, DOCTOR_MISSING, "%.150s does not run", path);
}

void doctor_wireshark(struct doctor_finding *finding)
{
	char path[PATH_BYTES];

	if (doctor_find_program("wireshark", path, sizeof(path))) {
		doctor_say(finding, DOCTOR_OK, "%.150s", path);
		return;
	}
	doctor_say(finding, DOCTOR_NOTE, "not in PATH; hvkit trace FILE --html PAGE shows the same dialogue");
}

/* The folder of one's own plugins, as tshark itself tells it. */
static bool plugin_folder(char line[LINE_BYTES])
{
	char *value;

	if (!first_line("tshark -G folders 2>/dev/null | grep '^Personal Lua Plugins' 2>/dev/null", line))
		return false;
	value = strchr(line, ':');
	if (!value)
		return false;
	value++;
	value += strspn(value, " \t");
	memmove(line, value, strlen(value) + 1);
	return line[0] == '/';
}

void doctor_dissector(struct doctor_finding *finding)
{
	char folder[LINE_BYTES], path[LINE_BYTES + 16];

	if (!plugin_folder(folder)) {
		doctor_say(finding, DOCTOR_NOTE, "without tshark nobody says where it belongs");
		return;
	}
	snprintf(path, sizeof(path), "%s/hvkit.lua", folder);
	if (access(path, R_OK) == 0) {
		doctor_say(finding, DOCTOR_OK, "%.200s", path);
		return;
	}
	doctor_say(finding, DOCTOR_MISSING, "Wireshark does not know the trace's records yet");
	doctor_advise(finding, "install -D -t %.150s tools/wireshark/hvkit.lua", folder);
}

/* --- For tests ------------------------------------------------------------------------------- */

void doctor_chromium(struct doctor_finding *finding)
{
	static const char *const names[] = {"chromium", "chromium-browser", "google-chrome"};
	char path[PATH_BYTES];

	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		if (doctor_find_program(names[n], path, sizeof(path))) {
			doctor_say(finding, DOCTOR_OK, "%.150s", path);
			return;
		}
	}
	doctor_say(finding, DOCTOR_NOTE, "none in PATH: the page of hvkit trace --html is not tested here");
}

void doctor_packages(struct doctor_finding *finding)
{
	char line[LINE_BYTES];

	if (access("scripts/deps", X_OK) != 0) {
		doctor_say(finding, DOCTOR_NOTE, "not looked for: this folder is not hvkit's source");
		return;
	}
	if (first_line("scripts/deps test --check 2>/dev/null", line)) {
		doctor_say(finding, DOCTOR_OK, "all that the tests need is installed");
		return;
	}
	doctor_say(finding, DOCTOR_MISSING, "%.200s", line[0] ? line : "what the tests need");
	doctor_advise(finding, "scripts/deps test, as root");
}
