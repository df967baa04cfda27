/* SPDX-License-Identifier: MIT */
/*
 * One self-contained page: style, script and data inline, nothing from the network. What
 * comes from the trace is in a block of JSON that cannot end before its end (no '<'), and
 * the page's policy lets run only the script whose hash it names.
 */
#include <inttypes.h>
#include <string.h>

#include "apps/hvkit/trace/page.h"
#include "apps/hvkit/trace/tables.h"
#include "apps/hvkit/trace/trace.h"
#include "apps/net/sha256.h"
#include "hvkit_host/trace.h"

static void put(struct trace_html *html, const char *text)
{
	size_t length = strlen(text);

	if (fwrite(text, 1, length, html->out) != length)
		html->failed = true;
	html->size += length;
}

static void put_number(struct trace_html *html, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put(html, text);
}

/* JSON's escapes, and no character that means something in HTML. */
static void put_string(struct trace_html *html, const char *value)
{
	char text[8];

	put(html, "\"");
	for (; *value != '\0'; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&' || byte == '\'' || byte == 0x7f)
			snprintf(text, sizeof(text), "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			snprintf(text, sizeof(text), "\\%c", byte);
		else
			snprintf(text, sizeof(text), "%c", byte < 0x7f ? byte : '?');
		put(html, text);
	}
	put(html, "\"");
}

static void put_hash(struct trace_html *html, const char *content, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t hash[SHA256_BYTES];
	struct sha256 sha;
	char text[48];
	uint32_t used = 0;

	sha256_begin(&sha);
	sha256_add(&sha, content, length);
	sha256_end(&sha, hash);
	for (uint32_t n = 0; n < SHA256_BYTES; n += 3) {
		uint32_t bits = (uint32_t)hash[n] << 16 | (uint32_t)hash[n + 1] << 8 |
				(n + 2 < SHA256_BYTES ? hash[n + 2] : 0u);

		text[used++] = digits[bits >> 18];
		text[used++] = digits[bits >> 12 & 63];
		text[used++] = digits[bits >> 6 & 63];
		text[used++] = n + 2 < SHA256_BYTES ? digits[bits & 63] : '=';
	}
	text[used] = '\0';
	put(html, "'sha256-");
	put(html, text);
	put(html, "'");
}

void trace_html_begin(struct trace_html *html, FILE *out, const char *name)
{
	const char *base = strrchr(name, '/');

	memset(html, 0, sizeof(*html));
	html->out = out;
	put(html, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src ");
	put_hash(html, trace_page_js, strlen(trace_page_js));
	put(html, "; style-src ");
	put_hash(html, trace_page_css, strlen(trace_page_css));
	put(html, "\">\n<title>hvkit trace</title>\n<style>");
	put(html, trace_page_css);
	put(html, "</style>\n</head>\n<body>\n");
	put(html, trace_page_html);
	put(html, "<script type=\"application/json\" id=\"trace\">{\"name\":");
	put_string(html, base != NULL ? base + 1 : name);
	put(html, ",\"records\":[");
}

static void put_items(struct trace_html *html, const struct trace_decoded *decoded)
{
	for (uint32_t n = 0; n < decoded->item_count; n++) {
		const struct trace_item *item = &decoded->items[n];

		put(html, n > 0 ? ",[" : "[");
		put_string(html, item->is_layer ? "" : item->name);
		put(html, ",");
		put_string(html, decoded->text + item->value);
		put(html, ",");
		put_number(html, item->at);
		put(html, ",");
		put_number(html, item->size);
		put(html, "]");
	}
}

static void put_bytes(struct trace_html *html, const uint8_t *bytes, uint32_t count)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * TRACE_HTML_BYTES + 1];
	uint32_t kept = count < TRACE_HTML_BYTES ? count : TRACE_HTML_BYTES;

	for (uint32_t n = 0; n < kept; n++) {
		text[2 * n] = digits[bytes[n] >> 4];
		text[2 * n + 1] = digits[bytes[n] & 15];
	}
	text[2 * kept] = '\0';
	put(html, "\"");
	put(html, text);
	put(html, "\"");
}

/* A packet is for the CPU of its channel. */
static uint32_t cpu_of(const struct trace_decoder *decoder, const struct trace_record *record)
{
	if (record->kind == HVH_TRACE_PACKET && record->vp == TRACE_VP_NONE && record->channel != 0 &&
	    record->channel < TRACE_CHANNELS && decoder->channels[record->channel].device != NULL)
		return decoder->channels[record->channel].target_vp;
	return record->vp;
}

static void put_head(struct trace_html *html, const struct trace_decoder *decoder,
		     const struct trace_record *record, const struct trace_decoded *decoded)
{
	char device[TRACE_CHANNEL_TEXT], unknown[16];
	const char *kind = trace_name(&trace_kind_names, record->kind);
	uint32_t cpu = cpu_of(decoder, record);

	trace_channel_text(decoder, decoded->channel, device);
	snprintf(unknown, sizeof(unknown), "kind-%u", record->kind);
	put(html, html->written > 0 ? ",\n[" : "\n[");
	put_number(html, record->time);
	put(html, ",");
	if (cpu == TRACE_VP_NONE)
		put(html, "-1");
	else
		put_number(html, cpu);
	put(html, record->to_guest ? ",1," : ",0,");
	put_string(html, kind != NULL ? kind : unknown);
	put(html, ",");
	put_number(html, decoded->channel);
	put(html, ",");
	put_string(html, device);
	put(html, ",");
	put_string(html, decoded->words);
}

void trace_html_record(struct trace_html *html, const struct trace_decoder *decoder,
		       const struct trace_record *record, const struct trace_decoded *decoded)
{
	html->last_time = record->time;
	if (html->written == TRACE_HTML_RECORDS) {
		html->left_out++;
		return;
	}
	put_head(html, decoder, record, decoded);
	if (html->size < TRACE_HTML_PAGE) {
		put(html, ",[");
		put_items(html, decoded);
		put(html, "],[");
		put_bytes(html, record->bytes, record->byte_count);
		put(html, ",");
		put_bytes(html, record->bytes + record->byte_count, record->external_count);
		put(html, "],[");
	} else {
		html->without_bytes++;
		put(html, ",[],[\"\",\"\"],[");
	}
	put_number(html, record->byte_count);
	put(html, ",");
	put_number(html, record->external_count);
	put(html, "]]");
	html->written++;
}

bool trace_html_end(struct trace_html *html, const char *guest, const char *error)
{
	put(html, "\n],\"guest\":");
	put_string(html, guest);
	put(html, ",\"error\":");
	put_string(html, error != NULL ? error : "");
	put(html, ",\"left_out\":");
	put_number(html, html->left_out);
	put(html, ",\"without_bytes\":");
	put_number(html, html->without_bytes);
	put(html, ",\"last_time\":");
	put_number(html, html->last_time);
	put(html, "}</script>\n<script>");
	put(html, trace_page_js);
	put(html, "</script>\n</body>\n</html>\n");
	return !html->failed;
}
