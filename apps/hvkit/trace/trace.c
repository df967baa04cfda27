/* SPDX-License-Identifier: MIT */
/* hvkit trace FILE */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/trace/tables.h"
#include "apps/hvkit/trace/trace.h"
#include "hvkit_host/trace.h"

#define OK 0
#define FAILED 1
#define USAGE 2

/* Too much for a stack. */
struct work {
	struct trace_options options;
	struct trace_reader reader;
	struct trace_decoder decoder;
	struct trace_decoded decoded;
	struct trace_html html;
	uint64_t shown, violations, last_time;
	uint64_t by_kind[HVH_TRACE_NOTE + 1];
};

static void print_help(void)
{
	printf("hvkit trace [OPTIONS] FILE\n"
	       "\n"
	       "Shows what guest and host said to each other, from a file that hvkit run --trace wrote\n"
	       "(- is standard input): time, CPU, direction (--> to the host, <-- to the guest), channel\n"
	       "and device, what was said with its fields. docs/tracing.md explains the words.\n"
	       "\n"
	       "  --channel LIST   only these channels, e.g. 1,2 (0: what belongs to none)\n"
	       "  --kind LIST      only these kinds:");
	for (uint32_t n = 0; n < trace_kind_names.count; n++)
		printf("%s%s",
		       n == 0   ? " "
		       : n == 5 ? ",\n                   "
				: ",",
		       trace_kind_names.list[n].name);
	printf("\n"
	       "  --from SECONDS   from then on\n"
	       "  --to SECONDS     up to then\n"
	       "  --bytes          with the bytes of each record; '>' marks those that a packet points to\n"
	       "  --check          shows nothing but whether the file is whole, and how much is in it\n"
	       "  --html FILE      writes a page to open in a browser: the dialogue as a sequence diagram\n"
	       "                   (the first %u records)\n"
	       "\n"
	       "Exit status: 0 all well; 1 the file cannot be read, is damaged or no trace; 2 a wrong "
	       "option.\n",
	       TRACE_HTML_RECORDS);
}

static void take_record(struct work *work, const struct trace_record *record)
{
	trace_decode(&work->decoder, record, &work->decoded);
	if (record->kind <= HVH_TRACE_NOTE)
		work->by_kind[record->kind]++;
	if (!trace_wanted(&work->options, record, work->decoded.channel))
		return;
	work->shown++;
	if (work->options.html != NULL)
		trace_html_record(&work->html, &work->decoder, record, &work->decoded);
	else if (!work->options.check)
		trace_text_record(stdout, &work->decoder, record, &work->decoded, work->options.bytes);
}

static bool check_record(struct work *work, const struct trace_record *record)
{
	struct trace_reader *reader = &work->reader;

	if (record->time < work->last_time) {
		snprintf(reader->error, sizeof(reader->error),
			 "at offset %" PRIu64 ": record %" PRIu64 " is earlier than the one before it",
			 record->offset, record->number);
		return false;
	}
	if (trace_name(&trace_kind_names, record->kind) == NULL) {
		snprintf(reader->error, sizeof(reader->error),
			 "at offset %" PRIu64 ": record %" PRIu64 " is of kind %u, which there is not",
			 record->offset, record->number, record->kind);
		return false;
	}
	work->last_time = record->time;
	return true;
}

static bool read_all(struct work *work)
{
	bool text = work->options.html == NULL && !work->options.check, begun = false;
	struct trace_record record;

	for (;;) {
		enum trace_read result = trace_reader_next(&work->reader, &record);

		if (text && !begun && result != TRACE_READ_BAD) { /* nothing over a file that is no trace */
			trace_text_heading(stdout);
			begun = true;
		}
		if (result == TRACE_READ_END)
			return true;
		if (result == TRACE_READ_BAD || (work->options.check && !check_record(work, &record)))
			return false;
		take_record(work, &record);
	}
}

static void print_check(const struct work *work)
{
	printf("%" PRIu64 " records", work->reader.records);
	for (uint32_t n = 0; n < trace_kind_names.count; n++) {
		uint64_t count = work->by_kind[trace_kind_names.list[n].value];

		if (count > 0)
			printf(", %" PRIu64 " %s", count, trace_kind_names.list[n].name);
	}
	printf("\n");
}

static int finish_html(struct work *work, FILE *out, bool whole)
{
	bool written = trace_html_end(&work->html, work->reader.guest, whole ? NULL : work->reader.error);

	if (fclose(out) != 0 || !written) {
		fprintf(stderr, "hvkit: trace: %s cannot be written: %s\n", work->options.html,
			strerror(errno));
		return FAILED;
	}
	printf("%s: %" PRIu64 " records", work->options.html, work->html.written);
	if (work->html.left_out > 0)
		printf(", %" PRIu64 " later ones only counted", work->html.left_out);
	printf("\n");
	return OK;
}

static int show(struct work *work, FILE *file)
{
	FILE *out = NULL;
	int status = OK;
	bool whole;

	if (work->options.html != NULL) {
		out = fopen(work->options.html, "w");
		if (out == NULL) {
			fprintf(stderr, "hvkit: trace: %s cannot be written: %s\n", work->options.html,
				strerror(errno));
			return FAILED;
		}
		trace_html_begin(&work->html, out, work->options.file);
	}
	trace_reader_begin(&work->reader, file);
	trace_decoder_begin(&work->decoder);
	whole = read_all(work);
	if (out != NULL)
		status = finish_html(work, out, whole);
	else if (work->options.check && whole)
		print_check(work);
	if (!whole) {
		fflush(stdout);
		fprintf(stderr, "hvkit: trace: %s: %s\n", work->options.file, work->reader.error);
		status = FAILED;
	}
	trace_reader_end(&work->reader);
	return status;
}

static int open_and_show(struct work *work)
{
	FILE *file = stdin;
	int status;

	if (strcmp(work->options.file, "-") == 0)
		return show(work, file);
	file = fopen(work->options.file, "rb");
	if (file == NULL) {
		fprintf(stderr, "hvkit: trace: %s: %s\n", work->options.file, strerror(errno));
		return FAILED;
	}
	status = show(work, file);
	fclose(file);
	return status;
}

int cli_trace(int count, char *const arguments[])
{
	struct work *work = calloc(1, sizeof(*work));
	char error[TRACE_ERROR_MAX];
	int status = USAGE;

	if (work == NULL) {
		fprintf(stderr, "hvkit: trace: no memory\n");
		return FAILED;
	}
	if (!trace_options_parse(count, arguments, &work->options, error)) {
		fprintf(stderr, "hvkit: %s\n", error);
	} else if (work->options.help) {
		print_help();
		status = OK;
	} else {
		status = open_and_show(work);
	}
	free(work);
	return status;
}
