/* SPDX-License-Identifier: MIT */
/* fetch: a download that is hashed and told about. */
#include <stdio.h>

#include "apps/net/fetch.h"
#include "apps/shell/private.h"

#define PROGRESS_TIME HVK_TIME_PER_SECOND

struct download {
	struct shell *shell;
	struct net_transfer transfer;
	struct sha256 sha;
	uint64_t started, last_progress;
};

static void take(struct net_transfer *transfer, const void *bytes, size_t length)
{
	sha256_add(&((struct download *)transfer->context)->sha, bytes, length);
}

/* Once a second, if it takes that long. */
static void tell_progress(struct net_transfer *transfer)
{
	struct download *download = transfer->context;
	uint64_t now = hvk_time(atomic_load(&download->shell->hvk));
	char done[SHELL_SIZE_TEXT], size[SHELL_SIZE_TEXT], rate[SHELL_SIZE_TEXT];

	if (now - download->last_progress < PROGRESS_TIME)
		return;
	download->last_progress = now;
	shell_size_text(transfer->bytes, done);
	shell_size_text(transfer->size, size);
	shell_size_text(shell_rate(transfer->bytes, now - download->started), rate);
	shell_print(download->shell, SHELL_OUTPUT, "  %s%s%s, %s/s\n", done,
		    transfer->size_known ? " of " : "", transfer->size_known ? size : "", rate);
}

static void record(const struct net_transfer *transfer, const char *url, uint64_t time, const char *digest,
		   struct shell_fetch_result *result)
{
	snprintf(result->url, sizeof(result->url), "%s", url);
	snprintf(result->error, sizeof(result->error), "%s", transfer->error);
	snprintf(result->sha256, sizeof(result->sha256), "%s", digest);
	result->bytes = transfer->bytes;
	result->time = time;
	result->done = !transfer->failed;
}

static void finish(struct download *download, const char *url, struct shell_fetch_result *result)
{
	const struct net_transfer *transfer = &download->transfer;
	struct shell *shell = download->shell;
	uint64_t time = hvk_time(atomic_load(&shell->hvk)) - download->started;
	unsigned long long bytes = transfer->bytes;
	char text[SHA256_TEXT], rate[SHELL_SIZE_TEXT];
	uint8_t digest[SHA256_BYTES];

	sha256_end(&download->sha, digest);
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
	struct download download = {.shell = shell};
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
	download.started = download.last_progress = hvk_time(atomic_load(&shell->hvk));
	download.transfer = (struct net_transfer){.user = &shell->net_user,
						  .url = &url,
						  .data = take,
						  .turned = tell_progress,
						  .context = &download};
	sha256_begin(&download.sha);
	wrong = shell_cannot_go_on(shell); /* before there is a stack, too */
	if (wrong)
		net_transfer_fail(&download.transfer, "%s", wrong);
	else
		net_fetch(&download.transfer);
	finish(&download, words[1], result);
	return download.transfer.failed ? SHELL_FAILED : SHELL_OK;
}
