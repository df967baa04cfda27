/* SPDX-License-Identifier: MIT */
/* Files: fetched from wherever, one behind the other into memory, told about, and their sums checked. */
#include <stdio.h>
#include <string.h>

#include "apps/netboot/netboot.h"

#define PAGE 4096u
#define PROGRESS_TIME HVK_TIME_PER_SECOND

/* One download. */
struct loading {
	struct netboot *self;
	uint8_t *to;
	uint64_t room, got, size; /* size: 0: not known */
	uint64_t started, last_progress;
	char wrong[NETBOOT_ERROR_MAX];
};

static const char *too_large(struct loading *loading)
{
	char room[16];

	netboot_size(loading->room, room);
	snprintf(loading->wrong, sizeof(loading->wrong), "it does not fit: there is room for %s", room);
	return loading->wrong;
}

static const char *take_size(void *context, uint64_t size)
{
	struct loading *loading = context;

	loading->size = size;
	return size > loading->room ? too_large(loading) : NULL;
}

static void tell_progress(struct loading *loading)
{
	uint64_t now = hvk_time(loading->self->hvk);
	char got[16], size[16], rate[16];

	if (now - loading->last_progress < PROGRESS_TIME)
		return;
	loading->last_progress = now;
	netboot_size(loading->got, got);
	netboot_size(loading->size, size);
	netboot_size(loading->got * 1000 / ((now - loading->started) / HVK_TIME_PER_MS), rate);
	netboot_print(loading->self, "  %s%s%s, %s/s\n", got, loading->size ? " of " : "",
		      loading->size ? size : "", rate);
}

static const char *take_data(void *context, const void *bytes, size_t length)
{
	struct loading *loading = context;

	if (length > loading->room - loading->got)
		return too_large(loading);
	if (!loading->self->first_byte)
		loading->self->first_byte = hvk_time(loading->self->hvk);
	memcpy(loading->to + loading->got, bytes, length);
	loading->got += length;
	tell_progress(loading);
	return NULL;
}

static void take_bytes(struct net_transfer *transfer, const void *bytes, size_t length)
{
	struct loading *loading = transfer->context;
	const char *wrong = NULL;

	if (transfer->size_known && !loading->got)
		wrong = take_size(loading, transfer->size);
	if (!wrong)
		wrong = take_data(loading, bytes, length);
	if (wrong)
		net_transfer_fail(transfer, "%s", wrong);
}

static const char *fetch(struct loading *loading, const struct url *url)
{
	struct netboot *self = loading->self;
	struct net_transfer transfer = {
		.user = &self->net_user, .url = url, .data = take_bytes, .context = loading};
	const char *wrong = netboot_network_up(self);

	if (wrong)
		return wrong;
	net_fetch(&transfer);
	if (!transfer.failed)
		return NULL;
	snprintf(loading->wrong, sizeof(loading->wrong), "%s", transfer.error);
	return loading->wrong;
}

static void tell_loaded(struct loading *loading)
{
	uint64_t ms = (hvk_time(loading->self->hvk) - loading->started) / HVK_TIME_PER_MS;
	char got[16], rate[16];

	netboot_size(loading->got, got);
	netboot_size(loading->got * 1000 / (ms ? ms : 1), rate);
	netboot_print(loading->self, "  %s in %u.%03u s, %s/s\n", got, (unsigned)(ms / 1000),
		      (unsigned)(ms % 1000), rate);
}

/* Into memory at self->used; file->name is set. */
static const char *load(struct netboot *self, struct netboot_file *file)
{
	static struct location location;
	struct loading loading = {.self = self,
				  .to = self->platform.files_bytes + self->used,
				  .room = self->platform.files.length - self->used};
	const struct netboot_sink sink = {.size = take_size, .data = take_data, .context = &loading};
	const char *wrong = location_parse(file->name, &location);

	if (wrong)
		return netboot_wrong(self, "%.80s: %s", file->name, wrong);
	netboot_print(self, "%s\n", file->name);
	file->by_network = location.kind == LOCATION_NETWORK;
	if (file->by_network)
		wrong = netboot_network_up(self); /* not part of the time that it takes */
	loading.started = loading.last_progress = hvk_time(self->hvk);
	if (!wrong)
		wrong = file->by_network ? fetch(&loading, &location.url)
					 : netboot_disk_read(self, &location, &sink);
	if (!wrong && loading.got == 0)
		wrong = "it is empty";
	if (wrong)
		return netboot_wrong(self, "%.120s: %s", file->name, wrong);
	tell_loaded(&loading);
	file->offset = self->used;
	file->length = loading.got;
	file->checked = false;
	return NULL;
}

/* Up to the next page there are zeros: Linux takes what follows for one initrd. */
static void keep(struct netboot *self, struct netboot_file *file)
{
	uint64_t end = file->offset + file->length;

	while (end % PAGE && end < self->platform.files.length)
		self->platform.files_bytes[end++] = 0;
	self->used = end;
	self->last = file;
}

/* --- Sums ---------------------------------------------------------------------------------------- */

static const char *check(struct netboot *self, struct netboot_file *file, const char *sum)
{
	struct sha256 sha;
	uint8_t digest[SHA256_BYTES];
	char text[SHA256_TEXT];

	sha256_begin(&sha);
	sha256_add(&sha, self->platform.files_bytes + file->offset, file->length);
	sha256_end(&sha, digest);
	sha256_text(digest, text);
	if (strcmp(text, sum) != 0)
		return netboot_wrong(self, "%.80s: its SHA-256 is %s, not %s", file->name, text, sum);
	netboot_print(self, "  SHA-256 is right\n");
	file->checked = true;
	return NULL;
}

const char *netboot_check_sum(void *context, const char *sum)
{
	struct netboot *self = context;
	const char *wrong;

	if (!self->last)
		return "no file has been loaded before it";
	wrong = check(self, self->last, sum);
	if (wrong && self->last == &self->kernel)
		self->kernel.length = 0; /* is not started */
	else if (wrong)
		self->module_count--;
	if (wrong)
		self->last = NULL;
	return wrong;
}

static const char *load_and_check(struct netboot *self, struct netboot_file *file, const char *name,
				  const char *sum)
{
	const char *wrong = location_join(self->base, name, file->name);

	if (wrong)
		return netboot_wrong(self, "%.80s: %s", name, wrong);
	wrong = load(self, file);
	if (!wrong && sum)
		wrong = check(self, file, sum);
	return wrong;
}

/* --- Which --------------------------------------------------------------------------------------- */

/* A kernel begins anew: what was loaded before it is dropped. */
const char *netboot_kernel(void *context, const char *name, const char *arguments, const char *sum)
{
	struct netboot *self = context;
	const char *wrong;

	self->used = 0;
	self->module_count = 0;
	self->kernel.length = 0;
	self->last = NULL;
	wrong = load_and_check(self, &self->kernel, name, sum);
	if (wrong) {
		self->kernel.length = 0;
		return wrong;
	}
	keep(self, &self->kernel);
	snprintf(self->command_line, sizeof(self->command_line), "%s", arguments);
	return NULL;
}

const char *netboot_initrd(void *context, const char *name, const char *sum)
{
	struct netboot *self = context;
	struct netboot_file *file = &self->modules[self->module_count];
	const char *wrong;

	if (!self->kernel.length)
		return "there is no kernel yet; 'kernel URL' goes before initrd";
	if (self->module_count == PLAN_MODULES_MAX)
		return "a kernel gets at most 8 initrds";
	wrong = load_and_check(self, file, name, sum);
	if (wrong)
		return wrong;
	self->module_count++;
	keep(self, file);
	return NULL;
}

const char *netboot_load_script(struct netboot *self, const char *name)
{
	char error[SCRIPT_ERROR_MAX];
	struct netboot_file *file = &self->kernel; /* there is none yet */
	const char *wrong = load_and_check(self, file, name, NULL);

	if (wrong)
		return wrong;
	snprintf(self->base, sizeof(self->base), "%s", file->name);
	if (!script_parse(&self->script, (const char *)self->platform.files_bytes + file->offset,
			  file->length, false, error))
		wrong = netboot_wrong(self, "%.80s: %s", self->base, error);
	file->length = 0;
	return wrong;
}
