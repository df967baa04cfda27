/* SPDX-License-Identifier: MIT */
/* Requests of every kind, and what must be true of each when it is done. */
#include "tests/support/storage_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/scsi.h"

#define UNTOUCHED 0xa5u
#define GUARD 64u /* bytes looked at before and behind */
#define HOT_BLOCKS 64u
#define INQUIRY_SIZE 36u

static const char *const names[STORE_KINDS] = {"read",   "write",    "flush",     "discard",
					       "zeroes", "raw read", "raw write", "raw command"};

static bool is_write(enum store_kind kind)
{
	return kind == STORE_WRITE || kind == STORE_RAW_WRITE || kind == STORE_DISCARD ||
	       kind == STORE_ZEROES;
}

static bool is_read(enum store_kind kind)
{
	return kind == STORE_READ || kind == STORE_RAW_READ;
}

static bool overlap(struct truth_run one, struct truth_run other)
{
	return one.block < other.block + other.count && other.block < one.block + one.count;
}

/* --- What others that are under way must know of it ------------------------------------------------- */

static struct store_request *others(struct store_request *request, uint32_t n)
{
	struct store_request *other = &request->store->requests[n];

	return other != request && atomic_load(&other->taken) && other->disk == request->disk ? other : NULL;
}

/* Writes of its own epoch may come before or after it. */
static void see_others(struct store_request *reader)
{
	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *other = others(reader, n);

		if (!other || !other->writes || !overlap(other->run, reader->run))
			continue;
		reader->mixed = true;
		if (other->epoch == reader->epoch)
			truth_seen_add(reader->seen, reader->run, other->run, other->version, TRUTH_MAYBE);
	}
}

static void tell_of_beginning(struct store_request *writer)
{
	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *other = others(writer, n);

		if (!other || !overlap(other->run, writer->run))
			continue;
		if (other->writes && other->epoch == writer->epoch)
			other->mixed = writer->mixed = true;
		if (is_read(other->kind))
			other->mixed = true;
		if (is_read(other->kind) && other->epoch == writer->epoch)
			truth_seen_add(other->seen, other->run, writer->run, writer->version, TRUTH_MAYBE);
	}
}

/* Those of later epochs come after it. */
static void tell_of_end(struct store_request *writer, enum truth_end end)
{
	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *other = others(writer, n);

		if (!other || !other->seen || other->epoch <= writer->epoch)
			continue;
		truth_seen_add(other->seen, other->run, writer->run, writer->version, end);
		if (is_read(other->kind))
			see_others(other);
	}
}

/* --- Its memory ---------------------------------------------------------------- */

static void add_piece(struct store_request *request, uint32_t offset, uint32_t length, bool direct)
{
	const struct hvk_port *port = hosted_port(request->store->rig->machine);
	uint8_t *address = request->memory + request->start + offset;
	uint32_t in_page = (request->start + offset) % HVK_PAGE_SIZE;
	uint64_t gpa = direct ? port->page_gpa(port->context, address - in_page) + in_page : 0;

	request->pieces[request->piece_count++] = (struct hvk_buffer){address, gpa, length};
}

enum layout { PAGES, BLOCKS, COPIED, ANY, LAYOUTS };

/* Pages as they are; runs that start somewhere; no addresses; some of all. */
static void lay_out(struct store_request *request)
{
	struct store *store = request->store;
	enum layout layout = (enum layout)store_pick(store, LAYOUTS);
	uint32_t offset = 0;

	request->start = HVK_PAGE_SIZE;
	if (layout == BLOCKS)
		request->start += 4 * store_pick(store, 1000);
	else if (layout != PAGES)
		request->start += store_pick(store, 4000);
	while (offset < request->length) {
		uint32_t left = request->length - offset, length = left;
		bool direct = layout != COPIED && (layout != ANY || store_pick(store, 2));
		uint32_t in_page = HVK_PAGE_SIZE - (request->start + offset) % HVK_PAGE_SIZE;

		if (layout >= COPIED && request->piece_count < STORE_PIECES - STORE_LARGE_PAGES - 8)
			length = 1 + store_pick(store, left < 6000 ? left : 6000);
		else if (layout >= COPIED)
			direct = false;
		if (direct && length > in_page)
			length = in_page;
		add_piece(request, offset, length, direct);
		offset += length;
	}
	if (layout == PAGES || layout == BLOCKS)
		store->counts.direct++;
	else
		store->counts.copied++;
}

static bool is_untouched(const struct store_request *request, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		if (request->memory[i] != UNTOUCHED)
			return false;
	}
	return true;
}

/* Before and behind; and all of it, once nobody should write there any more. */
static void check_guards(struct store_request *request)
{
	uint32_t end = request->start + request->length;

	if (!is_untouched(request, request->start - GUARD, request->start) ||
	    !is_untouched(request, end, end + GUARD))
		store_fail(request->store, "memory before or behind a request's was written");
}

static bool take_memory(struct store_request *request)
{
	if (request->length == 0)
		return true;
	lay_out(request);
	return is_untouched(request, request->start - GUARD, request->start + request->length + GUARD);
}

static void fill(struct store_request *request)
{
	struct store_disk *disk = request->disk;

	for (uint64_t i = 0; i < request->run.count; i++)
		truth_fill(&disk->truth, request->run.block + i, request->version,
			   request->memory + request->start + i * disk->block_size);
}

/* --- Done: the data ---------------------------------------------------------------- */

static void check_unchanged(struct store_request *request)
{
	struct store_disk *disk = request->disk;

	for (uint64_t i = 0; i < request->run.count; i++) {
		uint32_t version;

		if (!truth_parse(&disk->truth, request->run.block + i,
				 request->memory + request->start + i * disk->block_size, &version) ||
		    version != request->version)
			store_fail(request->store, "the memory of a write was written to");
	}
}

/* One medium's, and none that was out before the request came. */
static void check_disc(struct store_request *request)
{
	struct store_disk *disk = request->disk;
	uint32_t first = 0, version;

	for (uint64_t i = 0; i < request->run.count; i++) {
		uint64_t block = request->run.block + i;

		if (!truth_parse(&disk->truth, block, request->memory + request->start + i * disk->block_size,
				 &version))
			store_fail(request->store, "%s: block %llu is of no medium", disk->serial,
				   (unsigned long long)block);
		else if (version < request->medium || version > disk->medium)
			store_fail(request->store, "%s: block %llu is of medium %u; %u to %u were in",
				   disk->serial, (unsigned long long)block, version, request->medium,
				   disk->medium);
		else if (i != 0 && version != first)
			store_fail(request->store, "%s: half of medium %u, half of %u", disk->serial, first,
				   version);
		first = version;
	}
}

static void check_data(struct store_request *request)
{
	struct store_disk *disk = request->disk;

	if (disk->cdrom) {
		check_disc(request);
		return;
	}
	for (uint64_t i = 0; i < request->run.count; i++) {
		uint64_t block = request->run.block + i;
		uint32_t version;

		request->store->counts.checked_blocks++;
		if (!truth_parse(&disk->truth, block, request->memory + request->start + i * disk->block_size,
				 &version)) {
			store_fail(request->store, "%s: block %llu holds nothing that was ever written",
				   disk->serial, (unsigned long long)block);
			return;
		}
		if (!truth_has(&request->seen[i], version)) {
			store_fail(request->store, "%s: block %llu holds write %u; %u of %u would be right",
				   disk->serial, (unsigned long long)block, version,
				   request->seen[i].versions[0], request->seen[i].count);
			return;
		}
		if (!request->mixed)
			truth_read(&disk->truth, block, version);
	}
}

static void end_write(struct store_request *request, bool good)
{
	struct store_disk *disk = request->disk;
	enum truth_end end = TRUTH_FAILED;

	if (good)
		end = request->kind == STORE_DISCARD || request->mixed ? TRUTH_MAYBE : TRUTH_DONE;
	truth_end(&disk->truth, request->run, request->version, end,
		  !request->void_ && (request->fua || disk->no_write_cache));
	tell_of_end(request, end);
	if (request->length != 0)
		check_unchanged(request);
	if (good && request->length != 0) {
		request->store->written += request->length;
		request->store->counts.written_bytes += request->length;
	}
}

static void end_data(struct store_request *request, bool good)
{
	if (request->length != 0)
		check_guards(request);
	if (request->writes)
		end_write(request, good);
	else if (is_read(request->kind) && good)
		check_data(request);
	else if (request->kind == STORE_FLUSH && good && request->seen && !request->void_)
		truth_flushed(&request->disk->truth, request->seen, request->since);
	if (request->length != 0)
		memset(request->memory + request->start, UNTOUCHED, request->length);
	free(request->seen);
	request->seen = NULL;
}

/* --- Done: the status ---------------------------------------------------------------- */

static uint32_t reasons_for(const struct store_request *request, hvk_status status)
{
	switch (status) {
	case HVK_EIO:
		return STORE_WHY_MEDIUM | STORE_WHY_BUSY | STORE_WHY_ATTENTION | STORE_WHY_NEVER |
		       STORE_WHY_SHRUNK | STORE_WHY_EJECTED | (request->raw ? STORE_WHY_RESET : 0);
	case HVK_ETIMEDOUT_REQUEST:
		return STORE_WHY_NEVER;
	case HVK_EGONE:
		return STORE_WHY_GONE | STORE_WHY_NEVER | (request->raw ? STORE_WHY_QUEUE : 0);
	case HVK_ENODEVICE:
		return request->raw ? STORE_WHY_GONE : 0;
	case HVK_ECANCELED:
		return STORE_WHY_DETACHED;
	case HVK_ENOMEDIUM:
		return STORE_WHY_EJECTED;
	default:
		return 0;
	}
}

/* A raw command hears what a block request hides: that something has happened to the unit. */
static bool is_attention(const struct store_request *request)
{
	return request->raw && request->scsi.status == HVK_EIO &&
	       request->scsi.scsi_status == SCSI_STATUS_CHECK_CONDITION && request->scsi.sense_length >= 3 &&
	       (request->scsi.sense[2] & 0xf) == SCSI_SENSE_UNIT_ATTENTION;
}

static bool raw_is_true(const struct store_request *request, hvk_status status)
{
	const struct hvk_scsi_request *scsi = &request->scsi;
	bool good = scsi->scsi_status == SCSI_STATUS_GOOD;

	if (status == HVK_OK)
		return good && scsi->transferred <= scsi->length &&
		       (request->kind == STORE_RAW_ASK || scsi->transferred == scsi->length);
	if (status == HVK_EIO)
		return !good || scsi->srb_status != VSTOR_SRB_STATUS_SUCCESS;
	return true;
}

static void count_status(struct store_request *request, hvk_status status)
{
	struct store_counts *counts = &request->store->counts;

	switch (status) {
	case HVK_OK:
		counts->done[request->kind]++;
		request->disk->good[request->kind]++;
		counts->fua += request->fua;
		counts->ordered += request->ordered;
		break;
	case HVK_EIO:
		counts->failed_medium++;
		break;
	case HVK_ETIMEDOUT_REQUEST:
		counts->timed_out++;
		break;
	case HVK_EGONE:
		counts->gone++;
		break;
	case HVK_ENODEVICE:
		counts->absent++;
		break;
	case HVK_ECANCELED:
		counts->canceled++;
		break;
	default:
		counts->no_medium++;
		break;
	}
}

static void check_status(struct store_request *request, hvk_status status)
{
	if (status != HVK_OK && !(request->why & reasons_for(request, status)) && !is_attention(request))
		store_fail(request->store, "%s: %s of block %llu, %llu of them: %s without a reason (%x)",
			   request->disk->serial, names[request->kind],
			   (unsigned long long)request->run.block, (unsigned long long)request->run.count,
			   hvk_status_name(status), request->why);
	if (request->raw && !raw_is_true(request, status))
		store_fail(request->store, "%s: %s, and SRB %x, SCSI %x, %u bytes of %u",
			   request->disk->serial, hvk_status_name(status), request->scsi.srb_status,
			   request->scsi.scsi_status, request->scsi.transferred, request->scsi.length);
	count_status(request, status);
}

static void log_request(const struct store_request *request, const char *what)
{
	if (getenv("STORE_LOG"))
		(void)fprintf(stderr, "%10llu %s: %s %s of %llu + %llu, write %u, epoch %u%s%s%s: %s\n",
			      (unsigned long long)store_now(request->store), request->disk->serial,
			      names[request->kind], request->ordered ? "(ordered)" : "",
			      (unsigned long long)request->run.block, (unsigned long long)request->run.count,
			      request->version, request->epoch, request->fua ? ", FUA" : "",
			      request->mixed ? ", mixed" : "", request->void_ ? ", void" : "", what);
}

static void finish(struct store_request *request, hvk_status status)
{
	struct store *store = request->store;
	struct store_disk *disk = request->disk;

	if (!atomic_load(&request->taken)) {
		store_fail(store, "a request was done twice");
		return;
	}
	log_request(request, hvk_status_name(status));
	check_status(request, status);
	end_data(request, status == HVK_OK);
	atomic_store(&request->taken, false);
	store->done++;
	if (store->done == store->cut_at) {
		store_cut(store);
		store->over = true;
	}
	if (atomic_load(&store->chain) && disk->unit && store_pick(store, 3) == 0) {
		store->counts.chained++;
		(void)store_submit(disk, store_pick(store, 2) ? STORE_READ : STORE_WRITE,
				   (struct truth_run){store_pick(store, HOT_BLOCKS), 1}, false);
	}
}

static void block_done(struct hvk_block_request *block, hvk_status status, void *context)
{
	(void)block;
	finish(context, status);
}

static void raw_done(struct hvk_scsi_request *scsi, void *context)
{
	finish(context, scsi->status);
}

/* --- In ---------------------------------------------------------------- */

static void put_be(uint8_t *to, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

static void make_raw(struct store_request *request)
{
	struct hvk_scsi_request *scsi = &request->scsi;
	bool write = request->kind == STORE_RAW_WRITE;

	*scsi = (struct hvk_scsi_request){.pieces = request->pieces,
					  .piece_count = request->piece_count,
					  .length = request->length,
					  .done = raw_done,
					  .context = request,
					  .order = request->ordered ? HVK_SCSI_ORDERED : HVK_SCSI_SIMPLE};
	if (request->length != 0)
		scsi->direction = write ? HVK_SCSI_OUT : HVK_SCSI_IN;
	if (request->kind == STORE_RAW_ASK) {
		if (!request->ordered && store_pick(request->store, 4) == 0)
			scsi->order = HVK_SCSI_HEAD_OF_QUEUE;
		scsi->cdb[0] = request->length ? SCSI_INQUIRY : SCSI_TEST_UNIT_READY;
		scsi->cdb[4] = (uint8_t)request->length;
		scsi->cdb_length = 6;
		return;
	}
	scsi->cdb[0] = write ? SCSI_WRITE_10 : SCSI_READ_10;
	scsi->cdb[1] = request->fua ? 0x08 : 0;
	put_be(scsi->cdb + 2, request->run.block, 4);
	put_be(scsi->cdb + 7, request->run.count, 2);
	scsi->cdb_length = 10;
}

static void make_block(struct store_request *request)
{
	static const enum hvk_block_operation operations[] = {[STORE_READ] = HVK_BLOCK_READ,
							      [STORE_WRITE] = HVK_BLOCK_WRITE,
							      [STORE_FLUSH] = HVK_BLOCK_FLUSH,
							      [STORE_DISCARD] = HVK_BLOCK_DISCARD,
							      [STORE_ZEROES] = HVK_BLOCK_WRITE_ZEROES};
	struct store *store = request->store;

	request->block = (struct hvk_block_request){
		.operation = operations[request->kind],
		.flags = (request->fua ? HVK_BLOCK_FUA : 0) | (request->ordered ? HVK_BLOCK_ORDERED : 0),
		.block = request->run.block,
		.count = request->kind == STORE_FLUSH ? 0 : request->run.count,
		.pieces = request->piece_count ? request->pieces : NULL,
		.piece_count = request->piece_count,
		.done = block_done,
		.context = request,
		.cpu_hint = store_pick(store, 6),
	};
	if (request->kind == STORE_ZEROES && store_pick(store, 2))
		request->block.flags |= HVK_BLOCK_MAY_DISCARD;
}

/* Before it is handed over: it may be done before submit returns. */
static void begin(struct store_request *request)
{
	struct store_disk *disk = request->disk;

	request->why = request->store->why | disk->controller->why | disk->why;
	if (request->ordered)
		disk->epoch++;
	request->epoch = disk->epoch;
	if (request->ordered)
		disk->epoch++;
	request->medium = disk->medium;
	if (disk->cdrom)
		return;
	if (is_read(request->kind)) {
		request->seen = truth_seen(&disk->truth, request->run);
		see_others(request);
	} else if (request->kind == STORE_FLUSH && !disk->read_only) {
		request->run = (struct truth_run){0, disk->truth.blocks};
		request->seen = truth_seen(&disk->truth, request->run);
		request->since = disk->truth.clock;
	} else if (request->writes) {
		truth_begin(&disk->truth, request->run, request->version);
		tell_of_beginning(request);
	}
}

static bool may_refuse(const struct store_request *request, hvk_status status)
{
	const struct store_disk *disk = request->disk;
	uint32_t why = request->why | disk->controller->why | disk->why | request->store->why;

	switch (status) {
	case HVK_EAGAIN:
		return true;
	case HVK_EREADONLY:
		return (disk->read_only || disk->cdrom) && request->writes;
	case HVK_ENOTSUP:
		return request->kind == STORE_DISCARD;
	case HVK_ENOMEDIUM:
		return disk->cdrom;
	case HVK_ETOOBIG: /* one transfer, which must be copied and cannot */
		return request->raw &&
		       request->length > request->store->plan.config.bounce_pages * HVK_PAGE_SIZE;
	case HVK_EINVAL:
		return (why & STORE_WHY_SHRUNK) || disk->cdrom;
	case HVK_EGONE:
	case HVK_ESTATE:
		return (why & (STORE_WHY_GONE | STORE_WHY_NEVER | STORE_WHY_DETACHED)) != 0;
	default:
		return false;
	}
}

static void refused(struct store_request *request, hvk_status status)
{
	struct store_disk *disk = request->disk;
	struct store_counts *counts = &request->store->counts;

	log_request(request, hvk_status_name(status));
	if (!may_refuse(request, status))
		store_fail(request->store, "%s: kind %u of block %llu refused: %s", disk->serial,
			   request->kind, (unsigned long long)request->run.block, hvk_status_name(status));
	if (request->ordered) /* nobody else has begun anything meanwhile */
		disk->epoch -= 2;
	counts->refused_busy += status == HVK_EAGAIN;
	counts->refused_read_only += status == HVK_EREADONLY;
	counts->refused_gone += status == HVK_EGONE || status == HVK_ESTATE;
	if (request->writes && !disk->cdrom)
		truth_undo(&disk->truth, request->run, request->version);
	if (request->length != 0)
		memset(request->memory + request->start, UNTOUCHED, request->length);
	free(request->seen);
	request->seen = NULL;
	atomic_store(&request->taken, false);
}

static struct store_request *find_free(struct store *store, uint64_t bytes)
{
	uint32_t first = store_pick(store, STORE_REQUESTS);

	for (uint32_t i = 0; i < STORE_REQUESTS; i++) {
		struct store_request *request = &store->requests[(first + i) % STORE_REQUESTS];

		if (!atomic_load(&request->taken) &&
		    bytes + 2 * HVK_PAGE_SIZE <= (uint64_t)request->pages.count * HVK_PAGE_SIZE)
			return request;
	}
	return NULL;
}

static uint64_t bytes_of(const struct store_disk *disk, enum store_kind kind, struct truth_run run)
{
	if (kind == STORE_RAW_ASK)
		return run.count ? INQUIRY_SIZE : 0;
	if (is_read(kind) || kind == STORE_WRITE || kind == STORE_RAW_WRITE)
		return run.count * disk->block_size;
	return 0;
}

static struct store_request *prepare(struct store_disk *disk, enum store_kind kind, struct truth_run run,
				     bool ordered)
{
	struct store *store = disk->store;
	uint64_t bytes = bytes_of(disk, kind, run);
	struct store_request *request = find_free(store, bytes);

	if (!request)
		return NULL;
	request->disk = disk;
	request->kind = kind;
	request->raw = kind >= STORE_RAW_READ;
	request->writes = is_write(kind);
	request->ordered = ordered;
	request->fua = request->writes && kind != STORE_DISCARD && store_pick(store, 6) == 0;
	request->mixed = request->void_ = false;
	request->run = run;
	request->length = (uint32_t)bytes;
	request->piece_count = 0;
	request->version = TRUTH_ZEROS;
	if (kind == STORE_WRITE || kind == STORE_RAW_WRITE)
		request->version = ++disk->truth.last;
	if (!take_memory(request)) {
		store_fail(store, "the memory of a request that was done has been written to");
		return NULL;
	}
	atomic_store(&request->taken, true);
	if (kind == STORE_WRITE || kind == STORE_RAW_WRITE)
		fill(request);
	return request;
}

/* FUA counts where the device knows it; raw, it would be refused elsewhere. */
static bool knows_fua(const struct store_disk *disk)
{
	return (hvk_storvsc_block(disk->unit)->info.flags & HVK_BLOCK_CAN_FUA) != 0;
}

bool store_submit(struct store_disk *disk, enum store_kind kind, struct truth_run run, bool ordered)
{
	uint32_t readies = disk->readies;
	struct store_request *request;
	hvk_status status;

	if (atomic_load(&disk->ordering) || (ordered && atomic_load(&disk->using) != 0))
		return false; /* whose turn it is would not be known */
	if (is_write(kind) && !disk->cdrom && !truth_room(&disk->truth, run))
		return false;
	request = prepare(disk, kind, run, ordered);
	if (!request)
		return false;
	if (request->raw && !knows_fua(disk))
		request->fua = false;
	begin(request);
	if (request->raw)
		make_raw(request);
	else
		make_block(request);
	if (request->length > hvk_storvsc_block(disk->unit)->info.transfer_max)
		disk->store->counts.split++;
	log_request(request, "taken");
	atomic_fetch_add(&disk->using, 1);
	atomic_store(&disk->ordering, ordered);
	status = request->raw ? hvk_storvsc_submit(disk->unit, &request->scsi)
			      : hvk_block_submit(hvk_storvsc_block(disk->unit), &request->block);
	if (ordered)
		atomic_store(&disk->ordering, false);
	atomic_fetch_sub(&disk->using, 1);
	if (status == HVK_OK)
		return true;                                  /* it may be done, and another by now */
	if (status == HVK_EAGAIN && disk->readies == readies) /* else it has been told already */
		disk->starved = true;
	refused(request, status);
	return false;
}

uint32_t store_under_way(const struct store *store, const struct store_disk *disk)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < STORE_REQUESTS; n++)
		count += atomic_load(&store->requests[n].taken) && (!disk || store->requests[n].disk == disk);
	return count;
}

/* --- Some request ---------------------------------------------------------------- */

static struct truth_run choose_run(struct store_disk *disk, enum store_kind kind, uint64_t blocks)
{
	struct store *store = disk->store;
	uint32_t most = 4096 / disk->block_size ? 4096 / disk->block_size : 1;
	uint32_t size = store_pick(store, 20);
	struct truth_run run;

	if (size == 0 && kind != STORE_RAW_READ && kind != STORE_RAW_WRITE)
		most = (STORE_LARGE_PAGES - 2) * HVK_PAGE_SIZE / disk->block_size;
	else if (size < 8)
		most = (STORE_SMALL_PAGES - 2) * HVK_PAGE_SIZE / disk->block_size;
	if (kind == STORE_RAW_READ || kind == STORE_RAW_WRITE) {
		uint32_t limit = hvk_storvsc_block(disk->unit)->info.transfer_max / disk->block_size;

		most = most < limit ? most : limit;
	}
	if (most > blocks)
		most = (uint32_t)blocks;
	run.count = 1 + store_pick(store, most);
	run.block = store_pick(store, (uint32_t)(blocks - run.count + 1));
	if (store_pick(store, 4) == 0)
		run.block %= HOT_BLOCKS;
	return run;
}

static enum store_kind choose_kind(struct store *store, const struct store_disk *disk)
{
	uint32_t chance = store_pick(store, 100);

	if (chance < store->plan.flushes)
		return STORE_FLUSH;
	chance = store_pick(store, 100);
	if (!store->plan.plain && chance < 20) {
		static const enum store_kind rare[] = {STORE_RAW_READ, STORE_RAW_WRITE, STORE_RAW_ASK,
						       STORE_DISCARD};

		return rare[store_pick(store, 4)];
	}
	if (chance < 24)
		return STORE_ZEROES;
	if (disk->cdrom && store_pick(store, 8))
		return STORE_READ;
	return store_pick(store, 100) < store->plan.reads ? STORE_READ : STORE_WRITE;
}

bool store_submit_any(struct store *store)
{
	struct store_disk *disk = &store->disks[store_pick(store, STORE_DISKS)];
	bool ordered = store_pick(store, 25) == 0;
	struct truth_run run = {0, 0};
	enum store_kind kind;
	uint64_t blocks;

	if (!disk->unit || !disk->controller->up || atomic_load(&disk->controller->gone) || store->over)
		return false;
	kind = choose_kind(store, disk);
	blocks = hvk_storvsc_block(disk->unit)->info.blocks;
	if (kind == STORE_RAW_ASK)
		run.count = store_pick(store, 2);
	else if (kind != STORE_FLUSH && blocks == 0)
		return false;
	else if (kind != STORE_FLUSH)
		run = choose_run(disk, kind, blocks);
	if ((disk->read_only || disk->cdrom) && kind == STORE_RAW_WRITE)
		return false; /* it is refused by the host; that is another test's */
	if (disk->cdrom)
		ordered = false;
	if (is_write(kind) && !disk->cdrom && !truth_room(&disk->truth, run))
		kind = STORE_READ; /* which makes room, as a flush does */
	return store_submit(disk, kind, run, ordered);
}

/* --- Power ---------------------------------------------------------------- */

static uint32_t left_in(struct store_disk *disk, uint64_t block)
{
	uint8_t bytes[4096];
	uint32_t version = 0;
	struct store *store = disk->store;

	if (!disk->inner.read(disk->inner.context, block * disk->block_size, bytes, disk->block_size))
		store_fail(store, "%s: the image cannot be read", disk->serial);
	else if (!truth_parse(&disk->truth, block, bytes, &version))
		store_fail(store, "%s: after the cut block %llu is torn", disk->serial,
			   (unsigned long long)block);
	else if (!truth_left(&disk->truth, block, version))
		store_fail(store, "%s: after the cut block %llu holds write %u; %u was safe", disk->serial,
			   (unsigned long long)block, version,
			   disk->truth.block[block].stable_count ? disk->truth.block[block].stable[0].version
								 : 0);
	return version;
}

static void cut_disk(struct store_disk *disk)
{
	struct store *store = disk->store;
	uint64_t lost = hvh_write_cache_lost(disk->cache);

	hvh_write_cache_cut(disk->cache);
	store->counts.lost_sectors += hvh_write_cache_lost(disk->cache) - lost;
	store->counts.cut_blocks += disk->blocks;
	for (uint64_t block = 0; block < disk->blocks; block++) {
		const struct truth_block *known = &disk->truth.block[block];
		bool safe = known->stable_count == 1 && known->stable[0].version != TRUTH_ZEROS;
		uint32_t version = left_in(disk, block);

		store->counts.safe_blocks += safe;

		for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
			struct store_request *request = &store->requests[n];

			if (!atomic_load(&request->taken) || request->disk != disk)
				continue;
			request->void_ = request->mixed = true;
			if (request->seen)
				truth_seen_add(request->seen, request->run, (struct truth_run){block, 1},
					       version, TRUTH_MAYBE);
		}
	}
	truth_cut_off(&disk->truth, (struct truth_run){disk->blocks, disk->truth.blocks - disk->blocks});
}

void store_cut(struct store *store)
{
	store_lock(store);
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		if (store->disks[n].there && store->disks[n].cache)
			cut_disk(&store->disks[n]);
	}
	store_unlock(store);
}

/* --- At the end ---------------------------------------------------------------- */

/* A block at a time is enough for the few of a CD-ROM. */
static void read_disk(struct store_disk *disk)
{
	struct store *store = disk->store;
	uint64_t most = (STORE_SMALL_PAGES - 2) * HVK_PAGE_SIZE / disk->block_size, at = 0;
	uint64_t limit = store_now(store) + 60 * HVK_TIME_PER_SECOND;

	while (at < disk->blocks && !store_failed(store) && store_now(store) < limit) {
		struct truth_run run = {at, disk->blocks - at < most ? disk->blocks - at : most};

		if (disk->unit && store_submit(disk, STORE_READ, run, false))
			at += run.count;
		else
			rig_turn(store->rig);
		store_go_on(store);
	}
	if (at < disk->blocks)
		store_fail(store, "%s cannot be read at the end", disk->serial);
}

void store_read_all(struct store *store)
{
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		if (store->disks[n].there)
			read_disk(&store->disks[n]);
	}
}

/* What the image holds is what was read last. */
static void compare_image(struct store_disk *disk)
{
	uint8_t bytes[4096];

	for (uint64_t block = 0; block < disk->blocks; block++) {
		uint32_t version;

		if (!disk->front.read(disk->front.context, block * disk->block_size, bytes,
				      disk->block_size) ||
		    !truth_parse(&disk->truth, block, bytes, &version) ||
		    !truth_has(&disk->truth.block[block].now, version)) {
			store_fail(disk->store, "%s: block %llu of the image is not what was read",
				   disk->serial, (unsigned long long)block);
			return;
		}
	}
}

void store_compare_images(struct store *store)
{
	store_lock(store);
	for (uint32_t n = 0; n < STORE_DISKS; n++) {
		if (store->disks[n].there && !store->disks[n].cdrom)
			compare_image(&store->disks[n]);
	}
	store_unlock(store);
}

void store_requests_create(struct store *store)
{
	const struct hvk_port *port = hosted_port(store->rig->machine);

	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *request = &store->requests[n];
		uint32_t pages = n < STORE_LARGE ? STORE_LARGE_PAGES : STORE_SMALL_PAGES;

		request->store = store;
		if (port->pages_alloc(port->context, pages, HVK_PAGE_HOST_WRITES, &request->pages) !=
		    HVK_OK) {
			store_fail(store, "no memory for requests");
			request->pages.count = 0;
			continue;
		}
		request->memory = request->pages.address;
		memset(request->memory, UNTOUCHED, (size_t)pages * HVK_PAGE_SIZE);
	}
}

void store_requests_destroy(struct store *store)
{
	const struct hvk_port *port = hosted_port(store->rig->machine);

	for (uint32_t n = 0; n < STORE_REQUESTS; n++) {
		struct store_request *request = &store->requests[n];

		if (request->pages.count == 0)
			continue;
		if (atomic_load(&request->taken))
			store_fail(store, "a request was never done");
		else if (!is_untouched(request, 0, request->pages.count * HVK_PAGE_SIZE))
			store_fail(store, "the memory of a request that was done has been written to");
		port->pages_free(port->context, &request->pages);
	}
}
