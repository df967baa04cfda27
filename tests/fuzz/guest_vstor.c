/* SPDX-License-Identifier: MIT */
/*
 * A storage controller's whole life with a hostile host: answers to the bring-up and to commands that are
 * replaced, left out or short, data that lie about themselves, notices, whatever else a host can do.
 * Header: {flags, protocol}; flags: 1 one bounce page, 2 answers come inside the hypercall.
 */
#include "tests/fuzz/hostile.h"

#include "guest/vmbus/versions.h"
#include "hvkit/storvsc.h"

#define REQUESTS 8u
#define BLOCK 512u
#define BYTES (24u * 1024u)
#define ANSWER_TURNS 4000u

struct slot {
	struct hvk_block_request block;
	struct hvk_scsi_request raw;
	struct hvk_buffer pieces[3];
	uint8_t *memory; /* page aligned; NULL: free */
	struct storage *storage;
};

struct storage {
	struct hostile *machine;
	struct hvk_channel *channel;
	struct hvk_storvsc *controller;
	struct hvk_storvsc_unit *unit;
	struct hvk_storvsc_config config;
	struct hvk_request attach, detach, rescan, reset;
	struct slot slots[REQUESTS];
	uint32_t gone;
	/* The host. */
	bool forged; /* it has written into the ring what it likes */
	uint16_t newest;
	uint8_t mute; /* a bit per kind: control, commands */
	uint8_t answer[64], data[64];
	uint32_t answer_length, data_length; /* 0: as is lawful */
	uint8_t failures, failure[5];        /* SRB status, SCSI status, sense key, code, qualifier */
	uint32_t answer_after;               /* commands from now */
};

/* --- The host --------------------------------------------------------------------------------- */

/* Memory that the guest names must be its own, and a request's only while that is under way; but a packet
 * that was completed before it was read (forged) may name any. */
static uint8_t *guest_page(struct storage *storage, uint64_t number)
{
	uint64_t address = number * 4096;

	for (uint32_t i = 0; i < REQUESTS; i++) {
		uint64_t from = (uint64_t)(uintptr_t)storage->slots[i].memory;

		if (storage->slots[i].memory && address >= from && address < from + BYTES)
			return storage->slots[i].memory + (address - from);
	}
	return hostile_memory(storage->machine, address, 4096);
}

static void put_data(struct storage *storage, const struct hostile_packet *packet, const uint8_t *bytes,
		     uint32_t length)
{
	uint32_t range[2];
	uint64_t number;
	uint8_t *page;

	if (packet->extension_length < 24)
		return;
	memcpy(range, packet->bytes + 8, sizeof(range));
	memcpy(&number, packet->bytes + 16, sizeof(number));
	page = guest_page(storage, number);
	FUZZ_CHECK(storage->forged || (page != NULL && range[1] < 4096 && range[0] != 0));
	if (page == NULL || range[1] >= 4096)
		return;
	if (length > range[0])
		length = range[0];
	if (length > 4096 - range[1])
		length = 4096 - range[1];
	memcpy(page + range[1], bytes, length);
}

static void check_pages(struct storage *storage, const struct hostile_packet *packet)
{
	for (uint32_t at = 16; at + 8 <= packet->extension_length; at += 8) {
		uint64_t number;

		memcpy(&number, packet->bytes + at, sizeof(number));
		FUZZ_CHECK(guest_page(storage, number) != NULL || storage->forged);
	}
}

static uint32_t inquiry(const uint8_t *srb, uint8_t data[64])
{
	static const uint8_t standard[] = {0, 0, 5, 2, 31, 0, 0, 2, 'M', 's', 'f', 't'};
	static const uint8_t pages[] = {0, 0, 0, 6, 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
	static const uint8_t thin[] = {0, 0xb2, 0, 4, 0, 0xe0, 2, 0};

	if (!srb[17]) {
		memcpy(data, standard, sizeof(standard));
		return 36;
	}
	if (srb[18] == SCSI_VPD_SUPPORTED_PAGES) {
		memcpy(data, pages, sizeof(pages));
		return sizeof(pages);
	}
	memset(data, srb[18] == SCSI_VPD_IDENTIFICATION ? 3 : 1, 64);
	memcpy(data, thin, sizeof(thin));
	data[1] = srb[18];
	data[3] = srb[18] == SCSI_VPD_PROVISIONING ? 4 : 60;
	return 64;
}

/* Instead of going well: the sense data that the fuzzer wants, so many times. */
static bool fails(struct storage *storage, uint8_t *answer)
{
	if (storage->failures == 0)
		return false;
	storage->failures--;
	answer[14] = storage->failure[0];
	answer[15] = storage->failure[1];
	answer[21] = 18;
	answer[28] = 0x70;
	answer[30] = storage->failure[2];
	answer[40] = storage->failure[3];
	answer[41] = storage->failure[4];
	return true;
}

/* One disk, LUN 0, of 64 blocks. */
static void lawful(struct storage *storage, const struct hostile_packet *packet, const uint8_t *srb,
		   uint8_t *answer)
{
	uint8_t data[64] = {0};
	uint32_t asked, length = 0;

	memcpy(&asked, srb + 12, sizeof(asked));
	if (fails(storage, answer))
		return;
	if (srb[6] != 0 || srb[7] != 0) {
		answer[14] = VSTOR_SRB_STATUS_INVALID_LUN;
		return;
	}
	switch (srb[16]) {
	case SCSI_REPORT_LUNS:
		data[3] = 8;
		length = 16;
		break;
	case SCSI_INQUIRY:
		length = inquiry(srb, data);
		break;
	case SCSI_READ_CAPACITY_10:
		data[3] = 63;
		data[6] = 2;
		length = 8;
		break;
	case SCSI_MODE_SENSE_6:
		data[0] = 3;
		length = 4;
		break;
	default:
		length = asked;
	}
	if (storage->data_length != 0 && length <= 64) {
		memcpy(data, storage->data, sizeof(data));
		length = storage->data_length;
	}
	if (srb[10] == VSTOR_DATA_IN)
		put_data(storage, packet, data, length < 64 ? length : 64);
	length = length < asked ? length : asked;
	answer[14] = VSTOR_SRB_STATUS_SUCCESS;
	memcpy(answer + 24, &length, sizeof(length));
}

static void control(struct storage *storage, uint32_t operation, const uint8_t *payload, uint8_t *answer)
{
	static const uint32_t transfer = 16384, refused = VSTOR_STATUS_REVISION_MISMATCH;
	uint16_t version;

	memcpy(&version, payload + 12, sizeof(version));
	if (operation == VSTOR_OPERATION_QUERY_PROTOCOL_VERSION && version > storage->newest)
		memcpy(answer + 8, &refused, sizeof(refused));
	if (operation == VSTOR_OPERATION_QUERY_PROPERTIES) {
		answer[20] = VSTOR_PROPERTY_MULTI_CHANNEL;
		answer[16] = 2;
		memcpy(answer + 24, &transfer, sizeof(transfer));
	}
}

static void answer_packet(struct storage *storage, const struct hostile_packet *packet)
{
	uint8_t answer[64] = {VSTOR_OPERATION_COMPLETE_IO}, payload[64] = {0};
	uint32_t operation, length = 64;

	check_pages(storage, packet);
	if (storage->forged && packet->payload_length > 64) /* its own indices were moved */
		return;
	FUZZ_CHECK(packet->payload_length == 48 || packet->payload_length == 64 || storage->forged);
	memcpy(payload, packet->bytes + packet->extension_length, packet->payload_length);
	memcpy(&operation, payload, sizeof(operation));
	FUZZ_CHECK(storage->forged || (operation >= VSTOR_OPERATION_EXECUTE_SRB &&
				       operation <= VSTOR_OPERATION_CREATE_SUBCHANNELS &&
				       operation != VSTOR_OPERATION_RESET_BUS));
	if (storage->mute & (operation == VSTOR_OPERATION_EXECUTE_SRB ? 2u : 1u))
		return;
	if (operation == VSTOR_OPERATION_EXECUTE_SRB)
		lawful(storage, packet, payload + 12, answer);
	else
		control(storage, operation, payload, answer);
	if (storage->answer_length != 0 && storage->answer_after-- == 0) {
		memcpy(answer, storage->answer, sizeof(answer));
		length = storage->answer_length;
		storage->answer_length = 0;
	}
	hostile_packet(storage->machine, VMBUS_PACKET_COMPLETION, 0, packet->descriptor.transaction_id, NULL,
		       0, answer, length);
}

static void host_runs(struct storage *storage)
{
	struct hostile_packet packet;

	for (uint32_t i = 0; i < 32 && hostile_ring_take(storage->machine, &packet); i++)
		answer_packet(storage, &packet);
}

/* --- The user ----------------------------------------------------------------------------------- */

static void step(struct storage *storage)
{
	host_runs(storage);
	hostile_step(storage->machine);
}

/* Every request has a bound of its own, whatever the host does. */
static void await(struct storage *storage, struct hvk_request *request)
{
	for (uint32_t i = 0; i < ANSWER_TURNS && request->status == HVK_EINPROGRESS; i++) {
		step(storage);
		(void)hvk_wait(storage->machine->hvk, request, 1);
	}
	FUZZ_CHECK(request->status != HVK_EINPROGRESS);
}

static void give_back(struct slot *slot)
{
	FUZZ_CHECK(slot->memory != NULL); /* once */
	free(slot->memory);
	slot->memory = NULL;
}

static void block_done(struct hvk_block_request *request, hvk_status status, void *context)
{
	FUZZ_CHECK(status != HVK_EINPROGRESS && status != HVK_EAGAIN);
	FUZZ_CHECK(request == &((struct slot *)context)->block);
	give_back(context);
}

static void raw_done(struct hvk_scsi_request *request, void *context)
{
	FUZZ_CHECK(request->status != HVK_EINPROGRESS && request->sense_length <= VSTOR_SENSE_SIZE);
	FUZZ_CHECK(request->transferred <= request->length);
	give_back(context);
}

static void unit_gone(void *context, struct hvk_block *block)
{
	struct storage *storage = context;

	if (storage->unit && hvk_storvsc_block(storage->unit) == block)
		storage->unit = NULL;
}

static void added(void *context, struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit)
{
	struct storage *storage = context;
	struct hvk_block *block = hvk_storvsc_block(unit);

	FUZZ_CHECK(hvk_storvsc_controller(unit) == controller);
	FUZZ_CHECK(block->info.transfer_max <= 1u << 21 && block->info.block_size <= 4096);
	FUZZ_CHECK(strlen(block->info.serial) < sizeof(block->info.serial));
	FUZZ_CHECK(block->info.identification_length <= sizeof(block->info.identification));
	block->hooks = (struct hvk_block_hooks){.gone = unit_gone, .context = storage};
	if (!storage->unit)
		storage->unit = unit;
}

static void controller_gone(void *context, struct hvk_storvsc *controller)
{
	struct storage *storage = context;

	(void)controller;
	storage->gone++;
	FUZZ_CHECK(storage->unit == NULL);
	for (uint32_t i = 0; i < REQUESTS; i++)
		FUZZ_CHECK(storage->slots[i].memory == NULL);
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct storage *storage = context;

	(void)again;
	if (!storage->channel)
		storage->channel = channel;
}

static void channel_gone(void *context, struct hvk_channel *channel)
{
	struct storage *storage = context;

	if (storage->channel == channel) {
		FUZZ_CHECK(storage->controller == NULL);
		storage->channel = NULL;
	}
}

static uint32_t cut(struct slot *slot, uint32_t length, uint8_t how)
{
	uint32_t count = 1u + how % 3u, at = how & 8u ? 4u : 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t part = i + 1 == count ? length : length / count;
		uint8_t *address = slot->memory + at;

		slot->pieces[i] = (struct hvk_buffer){how & 16u ? NULL : address,
						      how & 32u ? 0 : (uint64_t)(uintptr_t)address, part};
		length -= part;
		at += part;
	}
	return count;
}

/* {operation u8, block u8, count u8, how u8, flags u8}. */
static void op_request(struct hostile *machine, struct fuzz_input *arguments)
{
	struct storage *storage = machine->user;
	uint8_t operation = fuzz_u8(arguments), block = fuzz_u8(arguments), count = fuzz_u8(arguments) % 40u;
	uint8_t how = fuzz_u8(arguments), flags = fuzz_u8(arguments);
	struct slot *slot = storage->slots;
	hvk_status status;
	uint32_t size;

	while (slot < storage->slots + REQUESTS && slot->memory)
		slot++;
	if (slot == storage->slots + REQUESTS || !storage->unit)
		return;
	size = hvk_storvsc_block(storage->unit)->info.block_size;
	if (size == 0)
		size = BLOCK;
	if (count * size > BYTES - 8)
		count = (uint8_t)((BYTES - 8) / size);
	slot->memory = aligned_alloc(4096, BYTES);
	FUZZ_CHECK(slot->memory != NULL);
	memset(slot->memory, 0x5a, BYTES);
	if (operation % 8u < 5) {
		bool data = operation % 8u <= HVK_BLOCK_WRITE;

		slot->block = (struct hvk_block_request){
			.operation = (enum hvk_block_operation)(operation % 8u),
			.flags = flags % 8u,
			.block = block,
			.count = operation % 8u == HVK_BLOCK_FLUSH ? 0 : count,
			.pieces = slot->pieces,
			.piece_count = data ? cut(slot, count * size, how) : 0,
			.done = block_done,
			.context = slot};
		status = hvk_block_submit(hvk_storvsc_block(storage->unit), &slot->block);
	} else {
		slot->raw = (struct hvk_scsi_request){.cdb = {flags},
						      .cdb_length = 10,
						      .direction = count ? HVK_SCSI_IN : HVK_SCSI_NONE,
						      .order = (enum hvk_scsi_order)(block % 3u),
						      .pieces = slot->pieces,
						      .piece_count = count ? cut(slot, count * 16u, how) : 0,
						      .length = count * 16u,
						      .done = raw_done,
						      .context = slot};
		status = hvk_storvsc_submit(storage->unit, &slot->raw);
	}
	if (status != HVK_OK)
		give_back(slot);
}

static void op_life(struct hostile *machine, struct fuzz_input *arguments)
{
	struct storage *storage = machine->user;

	switch (fuzz_u8(arguments) % 6u) {
	case 0:
		if (storage->attach.status != HVK_EINPROGRESS)
			hvk_storvsc_attach(storage->controller, &storage->attach);
		break;
	case 1:
		if (storage->detach.status != HVK_EINPROGRESS) {
			hvk_storvsc_detach(storage->controller, &storage->detach);
			await(storage, &storage->detach);
			storage->unit = NULL;
		}
		break;
	case 2:
		if (storage->rescan.status != HVK_EINPROGRESS)
			hvk_storvsc_rescan(storage->controller, &storage->rescan);
		break;
	case 3:
		if (storage->reset.status != HVK_EINPROGRESS)
			hvk_storvsc_reset(storage->controller, storage->unit, &storage->reset);
		break;
	case 4:
		hvk_storvsc_dump(storage->controller, hostile_line, NULL);
		break;
	default: /* more time than any request has */
		for (uint32_t i = 0; i < 40; i++) {
			struct hvk_request never = {.status = HVK_EINPROGRESS};

			step(storage);
			(void)hvk_wait(machine->hvk, &never, 20);
		}
	}
}

static void op_turn(struct hostile *machine, struct fuzz_input *arguments)
{
	for (uint32_t n = fuzz_u8(arguments) % 64u + 1u; n != 0; n--)
		step(machine->user);
}

/* {after u8, length u8, bytes}: the answer then; the rest is zeros. */
static void op_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	struct storage *storage = machine->user;

	storage->answer_after = fuzz_u8(arguments);
	storage->answer_length = fuzz_u8(arguments) % 65u;
	memset(storage->answer, 0, sizeof(storage->answer));
	for (uint32_t i = 0; i < 64; i++)
		storage->answer[i] = fuzz_u8(arguments);
}

static void op_data(struct hostile *machine, struct fuzz_input *arguments)
{
	struct storage *storage = machine->user;

	storage->data_length = fuzz_u8(arguments) % 65u;
	for (uint32_t i = 0; i < 64; i++)
		storage->data[i] = fuzz_u8(arguments);
}

static void op_fail(struct hostile *machine, struct fuzz_input *arguments)
{
	struct storage *storage = machine->user;

	storage->failures = fuzz_u8(arguments) % 16u;
	for (uint32_t i = 0; i < 5; i++)
		storage->failure[i] = fuzz_u8(arguments);
}

static void op_mute(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct storage *)machine->user)->mute = fuzz_u8(arguments) % 4u;
}

static void op_notice(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t length = (uint32_t)(arguments->left < 64 ? arguments->left : 64);

	hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, arguments->bytes, length);
	step(machine->user);
}

static void op_packet(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct storage *)machine->user)->forged = true;
	hostile_op_packet(machine, arguments);
}

static void op_completion(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct storage *)machine->user)->forged = true;
	hostile_op_completion(machine, arguments);
}

static void op_ring_word(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct storage *)machine->user)->forged = true;
	hostile_op_ring_word(machine, arguments);
}

static void op_arm(struct hostile *machine, struct fuzz_input *arguments)
{
	((struct storage *)machine->user)->forged = true;
	hostile_op_arm(machine, arguments);
}

/* --- A run ----------------------------------------------------------------------------------------- */

static const hostile_operation operations[] = {
	op_request,
	op_turn,
	op_answer,
	op_data,
	op_notice,
	op_life,
	op_fail,
	op_mute,
	op_packet,
	op_completion,
	hostile_op_message,
	op_ring_word,
	hostile_op_poll,
	hostile_op_pass_time,
	hostile_op_allocation,
	hostile_op_offer,
	hostile_op_answer,
	hostile_op_mute,
	op_arm,
};

static void begin(struct storage *storage, struct fuzz_input *input)
{
	static const struct vmbus_guid type = VMBUS_GUID_STORVSC;
	static const uint16_t versions[] = {VSTOR_VERSION_6_2, VSTOR_VERSION_6_0, VSTOR_VERSION_5_1,
					    VSTOR_VERSION_4_2, VSTOR_VERSION_2_0};
	const struct hvk_vmbus_config bus = {.offered = offered, .gone = channel_gone, .context = storage};
	uint8_t flags = fuzz_u8(input);

	storage->newest = versions[fuzz_u8(input) % 5u];
	storage->machine = hostile_create(VMBUS_VERSION_5_3, 1);
	storage->machine->user = storage;
	storage->machine->type = type;
	storage->machine->eager = (flags & 2u) != 0;
	storage->config = (struct hvk_storvsc_config){.ring_pages = 2,
						      .queues = 2,
						      .queue_depth = 6,
						      .timeout_ms = 200,
						      .bounce_pages = flags & 1u ? 1 : 4,
						      .units_max = 4,
						      .added = added,
						      .gone = controller_gone,
						      .context = storage};
	hostile_connect(storage->machine, &bus);
	FUZZ_CHECK(storage->channel != NULL);
	FUZZ_CHECK(hvk_storvsc_create(storage->channel, &storage->config, &storage->controller) == HVK_OK);
	hvk_storvsc_attach(storage->controller, &storage->attach);
}

static void end(struct storage *storage)
{
	struct hvk_storvsc *controller = storage->controller;

	storage->mute = 0;
	await(storage, &storage->attach);
	if (storage->detach.status != HVK_EINPROGRESS)
		hvk_storvsc_detach(controller, &storage->detach);
	await(storage, &storage->detach);
	for (uint32_t i = 0; i < REQUESTS; i++)
		FUZZ_CHECK(storage->slots[i].memory == NULL);
	FUZZ_CHECK(storage->rescan.status != HVK_EINPROGRESS && storage->reset.status != HVK_EINPROGRESS);
	for (uint32_t i = 0; i < ANSWER_TURNS && hvk_storvsc_destroy(controller) != HVK_OK; i++) {
		FUZZ_CHECK(i + 1 < ANSWER_TURNS);
		step(storage);
	}
	storage->controller = NULL;
	hostile_destroy(storage->machine);
	free(storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct storage *storage = calloc(1, sizeof(*storage));

	FUZZ_CHECK(storage != NULL);
	begin(storage, &input);
	hostile_run(storage->machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	end(storage);
	return 0;
}
