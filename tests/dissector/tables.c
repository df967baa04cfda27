/* SPDX-License-Identifier: MIT */
/*
 * tools/wireshark/hvkit.lua holds the decoder's tables between two lines that say so. Here
 * they are printed from the decoder's own (--print), and compared with those in the file;
 * --update writes them into it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/trace/tables.h"

#define SCRIPT HVKIT_SOURCE_DIR "/tools/wireshark/hvkit.lua"
#define BEGIN "-- BEGIN TABLES"
#define END "-- END TABLES"
#define FILE_MAX (1u << 20)

static void print_names(FILE *out)
{
	fprintf(out, "local NAMES = {\n");
	for (uint32_t n = 0; n < trace_all_names_count; n++) {
		const struct trace_names *names = trace_all_names[n];

		fprintf(out, "\t%s = {\n", names->id);
		for (uint32_t m = 0; m < names->count; m++)
			fprintf(out, "\t\t{ 0x%" PRIx64 ", \"%s\" },\n", names->list[m].value,
				names->list[m].name);
		fprintf(out, "\t},\n");
	}
	fprintf(out, "}\n");
}

static void print_protocol(FILE *out, const struct trace_protocol *protocol)
{
	static const char *const forms[] = {"dec",   "hex",   "version", "guid",   "yes",     "name",  "bits",
					    "bytes", "pages", "network", "marked", "swapped", "text16"};
	static const char *const shows[] = {"detail", "always", "nonzero"};

	fprintf(out, "\t%s = {\n", protocol->id);
	for (uint32_t n = 0; n < protocol->count; n++) {
		const struct trace_layout *layout = &protocol->layouts[n];

		fprintf(out, "\t\t[0x%x] = { \"%s\", %u, {\n", layout->type, layout->name, layout->size_min);
		for (uint32_t m = 0; m < layout->field_count; m++) {
			const struct trace_field *field = &layout->fields[m];

			fprintf(out, "\t\t\t{ \"%s\", %u, %u, \"%s\", \"%s\"", field->name, field->at,
				field->size, forms[field->form], shows[field->show]);
			if (field->names != NULL)
				fprintf(out, ", \"%s\"", field->names->id);
			fprintf(out, " },\n");
		}
		fprintf(out, "\t\t} },\n");
	}
	fprintf(out, "\t},\n");
}

static void print_rest(FILE *out)
{
	static const char *const forms[] = {"plain", "page", "sint", "enable"};

	fprintf(out, "local REGISTERS = {\n");
	for (uint32_t n = 0; n < trace_register_count; n++)
		fprintf(out, "\t[0x%08x] = { \"%s\", \"%s\" },\n", trace_registers[n].number,
			trace_registers[n].name, forms[trace_registers[n].form]);
	fprintf(out, "}\nlocal INTERFACES = {\n");
	for (uint32_t n = 0; n < trace_interface_count; n++) {
		fprintf(out, "\t[\"");
		for (uint32_t m = 0; m < sizeof(trace_interfaces[n].guid.bytes); m++)
			fprintf(out, "%02x", trace_interfaces[n].guid.bytes[m]);
		fprintf(out, "\"] = \"%s\",\n", trace_interfaces[n].name);
	}
	fprintf(out, "}\n");
}

static char *print_all(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		exit(1);
	print_names(out);
	fprintf(out, "local LAYOUTS = {\n");
	print_protocol(out, &trace_messages);
	print_protocol(out, &trace_nvs);
	print_protocol(out, &trace_nvs_answers);
	print_protocol(out, &trace_rndis);
	print_protocol(out, &trace_ndis);
	print_protocol(out, &trace_keyboard);
	print_protocol(out, &trace_mouse);
	print_protocol(out, &trace_ic);
	print_protocol(out, &trace_ic_body);
	print_protocol(out, &trace_kvp);
	print_protocol(out, &trace_vss);
	print_protocol(out, &trace_fcopy);
	print_protocol(out, &trace_vstor);
	print_protocol(out, &trace_vstor_answers);
	print_protocol(out, &trace_scsi);
	fprintf(out, "}\n");
	print_rest(out);
	fclose(out);
	return text;
}

static char *read_script(void)
{
	char *text = calloc(1, FILE_MAX);
	FILE *file = fopen(SCRIPT, "r");

	if (text == NULL || file == NULL || fread(text, 1, FILE_MAX - 1u, file) == 0) {
		fprintf(stderr, "%s cannot be read\n", SCRIPT);
		exit(1);
	}
	fclose(file);
	return text;
}

static void report(const char *wanted, const char *found, size_t length)
{
	size_t line = 1, n = 0;

	while (n < length && wanted[n] == found[n])
		line += wanted[n++] == '\n';
	printf("the tables of %s are not those of apps/hvkit/trace, from line %zu of them on:\n%.60s\nshould "
	       "be\n%.60s\n",
	       SCRIPT, line, found + n, wanted + n);
	printf("run build/tests/dissector_tables --update\n");
}

int main(int count, char **arguments)
{
	char *wanted = print_all(), *script = read_script();
	char *begin = strstr(script, BEGIN "\n"), *end = strstr(script, END "\n");
	size_t length = strlen(wanted);
	int status = 0;

	if (begin == NULL || end == NULL || end < begin) {
		printf("%s has no tables between \"%s\" and \"%s\"\n", SCRIPT, BEGIN, END);
		return 1;
	}
	begin += strlen(BEGIN "\n");
	if (count > 1 && strcmp(arguments[1], "--print") == 0) {
		fputs(wanted, stdout);
	} else if (count > 1 && strcmp(arguments[1], "--update") == 0) {
		FILE *file = fopen(SCRIPT, "w");

		if (file == NULL ||
		    fprintf(file, "%.*s%s%s", (int)(begin - script), script, wanted, end) < 0 ||
		    fclose(file) != 0)
			status = 1;
	} else if ((size_t)(end - begin) != length || memcmp(begin, wanted, length) != 0) {
		report(wanted, begin, length);
		status = 1;
	} else {
		printf("did: %zu bytes of tables compared\n", length);
	}
	free(wanted);
	free(script);
	return status;
}
