/* SPDX-License-Identifier: MIT */
#include "apps/shell/fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROGRESS_TIME HVK_TIME_PER_SECOND

void transfer_add(struct transfer *transfer, const void *data, size_t length)
{
	sha256_add(&transfer->sha, data, length);
	transfer->bytes += length;
}

void transfer_fail(struct transfer *transfer, const char *format, ...)
{
	va_list arguments;

	if (transfer->failed)
		return;
	transfer->failed = true;
	va_start(arguments, format);
	vsnprintf(transfer->error, sizeof(transfer->error), format, arguments);
	va_end(arguments);
}

void transfer_progress(struct transfer *transfer)
{
	uint64_t now = hvk_time(atomic_load(&transfer->shell->hvk));
	char done[SHELL_SIZE_TEXT], size[SHELL_SIZE_TEXT], rate[SHELL_SIZE_TEXT];

	if (now - transfer->last_progress < PROGRESS_TIME)
		return;
	transfer->last_progress = now;
	shell_size_text(transfer->bytes, done);
	shell_size_text(transfer->size, size);
	shell_size_text(shell_rate(transfer->bytes, now - transfer->started), rate);
	shell_print(transfer->shell, SHELL_OUTPUT, "  %s%s%s, %s/s\n", done,
		    transfer->size_known ? " of " : "", transfer->size_known ? size : "", rate);
}

static void record(struct transfer *transfer, const char *url, uint64_t time, const char *digest,
		   struct shell_fetch_result *result)
{
	snprintf(result->url, sizeof(result->url), "%s", url);
	snprintf(result->error, sizeof(result->error), "%s", transfer->error);
	snprintf(result->sha256, sizeof(result->sha256), "%s", digest);
	result->bytes = transfer->bytes;
	result->time = time;
	result->done = !transfer->failed;
}

static void finish(struct transfer *transfer, const char *url, struct shell_fetch_result *result)
{
	struct shell *shell = transfer->shell;
	uint64_t time = hvk_time(atomic_load(&shell->hvk)) - transfer->started;
	unsigned long long bytes = transfer->bytes;
	char text[SHA256_TEXT], rate[SHELL_SIZE_TEXT];
	uint8_t digest[SHA256_BYTES];

	sha256_end(&transfer->sha, digest);
	sha256_text(digest, text);
	if (result)
		record(transfer, url, time, transfer->failed ? "" : text, result);
	if (transfer->failed) {
		shell_error(shell, "fetch %s: %s (after %llu bytes)\n", url, transfer->error, bytes);
		return;
	}
	shell_size_text(shell_rate(bytes, time), rate);
	shell_print(shell, SHELL_OUTPUT, "fetched %s\n  %llu bytes in %llu.%03llu s, %s/s\n  sha256 %s\n",
		    url, bytes, (unsigned long long)(time / HVK_TIME_PER_SECOND),
		    (unsigned long long)(time % HVK_TIME_PER_SECOND / HVK_TIME_PER_MS), rate, text);
}

int shell_command_fetch(struct shell *shell, uint32_t count, char *const words[])
{
	struct shell_results *results = &shell->results;
	struct shell_fetch_result *result = NULL;
	struct transfer transfer = {.shell = shell};
	struct url url;
	const char *wrong;

	if (count != 2)
		return shell_usage(
			shell, "fetch needs one URL: fetch http://HOST[:PORT]/PATH or tftp://HOST/FILE\n");
	wrong = url_parse(words[1], &url);
	if (wrong)
		return shell_usage(shell, "fetch %s: %s\n", words[1], wrong);
	if (results->fetch_count < SHELL_FETCHES_MAX)
		result = &results->fetches[results->fetch_count++];
	transfer.url = &url;
	transfer.started = transfer.last_progress = hvk_time(atomic_load(&shell->hvk));
	sha256_begin(&transfer.sha);
	wrong = shell_cannot_go_on(shell);
	if (!wrong)
		wrong = shell_resolve(shell, url.host, &transfer.address);
	if (wrong)
		transfer_fail(&transfer, "%s", wrong);
	else if (url.scheme == URL_HTTP)
		fetch_http(&transfer);
	else
		fetch_tftp(&transfer);
	finish(&transfer, words[1], result);
	return transfer.failed ? SHELL_FAILED : SHELL_OK;
}
