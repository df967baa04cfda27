/* SPDX-License-Identifier: MIT */
/* What the fuzzer can do as a guest; each target has a table of some of it. */
#include "tests/fuzz/raw_guest.h"

#include "hvkit/wire/ring.h"
#include "hvkit/wire/vmbus.h"

#define NVS_BYTES 40u
#define FRAME_MAX 2048u
#define PAGE_LIST_MAX 31u
#define INJECTED_MAX 400u /* more than a packet has ranges */
#define LINE_MAX 512u
#define TIME_UNITS_MAX 8192u

static void line(void *context, const char *text)
{
	(void)context;
	FUZZ_CHECK(text != NULL && strlen(text) < LINE_MAX);
}

void raw_run(struct raw_guest *guest, struct fuzz_input *input, const raw_operation *operations,
	     uint32_t count)
{
	struct fuzz_input arguments;
	uint8_t code;

	for (uint32_t i = 0; i < FUZZ_OPERATIONS_MAX && fuzz_operation(input, &code, &arguments); i++) {
		operations[code % count](guest, &arguments);
		raw_settle(guest);
	}
	raw_pass(guest, HVH_TIME_PER_SECOND / 5); /* what is owed comes out, and it rests */
	raw_settle(guest);
	hvh_dump(guest->host, line, NULL);
}

/* A control message of these bytes; connection 0 is the one in use. */
void raw_op_post(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t connection = fuzz_u8(arguments);
	uint32_t size = (uint32_t)arguments->left;

	if (size > HV_MESSAGE_PAYLOAD_MAX)
		size = HV_MESSAGE_PAYLOAD_MAX;
	(void)raw_post(guest, connection == 0 ? guest->connection : connection, arguments->bytes, size);
}

static uint32_t size_of(uint32_t type)
{
	switch (type) {
	case VMBUS_MSG_INITIATE_CONTACT:
		return sizeof(struct vmbus_initiate_contact);
	case VMBUS_MSG_OPEN_CHANNEL:
		return sizeof(struct vmbus_open_channel);
	case VMBUS_MSG_GPADL_HEADER:
		return sizeof(struct vmbus_gpadl_header);
	case VMBUS_MSG_GPADL_BODY:
	case VMBUS_MSG_GPADL_TEARDOWN:
	case VMBUS_MSG_MODIFY_CHANNEL:
		return 16;
	case VMBUS_MSG_OPEN_RESERVED:
		return sizeof(struct vmbus_open_reserved);
	case VMBUS_MSG_CLOSE_RESERVED:
		return sizeof(struct vmbus_close_reserved);
	case VMBUS_MSG_REQUEST_OFFERS:
	case VMBUS_MSG_UNLOAD:
		return 8;
	default:
		return 12;
	}
}

/* {type, bytes}: a message of its proper length, or longer. */
void raw_op_message(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX] = {0};
	uint32_t type = fuzz_u8(arguments) % 25u, size = size_of(type);
	uint32_t rest = (uint32_t)arguments->left;

	if (rest > sizeof(bytes) - 8)
		rest = sizeof(bytes) - 8;
	memcpy(bytes, &type, sizeof(type));
	memcpy(bytes + 8, arguments->bytes, rest);
	(void)raw_post(guest, guest->connection, bytes, rest + 8 > size ? rest + 8 : size);
}

/* {vp, control u32, page, offset u16, bytes of the page there}. */
void raw_op_hypercall(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t vp = fuzz_u8(arguments);
	uint64_t control = fuzz_u32(arguments);
	uint64_t input = fuzz_u8(arguments) * (uint64_t)HVK_PAGE_SIZE;

	input += fuzz_u16(arguments);
	raw_write(guest, input, arguments->bytes, (uint32_t)arguments->left);
	(void)raw_hypercall(guest, vp, control, input);
}

void raw_op_msr(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t vp = fuzz_u8(arguments);
	uint32_t msr = 0x40000000u + fuzz_u16(arguments) % 0x110u;
	uint64_t value;

	if (arguments->left == 0)
		(void)hvh_msr_read(guest->host, guest->now, vp, msr, &value);
	else
		raw_set_msr(guest, vp, msr, fuzz_u64(arguments));
}

void raw_op_take(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint32_t vp = fuzz_u8(arguments) % RAW_VPS, count = fuzz_u8(arguments) % 16u;

	for (uint32_t i = 0; i <= count; i++)
		(void)raw_take(guest, vp);
}

/* {which, connection u32, flag u16}; even: the channel's own. */
void raw_op_signal(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t which = fuzz_u8(arguments);
	uint64_t input = fuzz_u32(arguments);

	input |= (uint64_t)fuzz_u16(arguments) << 32;
	if (which & 1u)
		(void)raw_hypercall(guest, which >> 1, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, input);
	else
		raw_signal(guest);
}

/* Up to 1.6 s, in units of 0.2 ms; a monitored channel is looked at 10,000 times in a second. */
void raw_op_time(struct raw_guest *guest, struct fuzz_input *arguments)
{
	raw_pass(guest, fuzz_u16(arguments) % TIME_UNITS_MAX * (HVH_TIME_PER_MS / 5));
}

void raw_op_write(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint64_t gpa = fuzz_u8(arguments) % RAW_PAGES * (uint64_t)HVK_PAGE_SIZE;

	gpa += fuzz_u16(arguments) % HVK_PAGE_SIZE;
	raw_write(guest, gpa, arguments->bytes, (uint32_t)arguments->left);
}

/* The same, in between two accesses of the host's. */
void raw_op_arm(struct raw_guest *guest, struct fuzz_input *arguments)
{
	struct raw_armed *armed = &guest->armed[fuzz_u8(arguments) % RAW_ARMED];

	armed->after = fuzz_u16(arguments);
	armed->page = fuzz_u8(arguments) % RAW_PAGES;
	armed->offset = fuzz_u16(arguments) % HVK_PAGE_SIZE;
	armed->length = (uint32_t)arguments->left;
	memcpy(armed->bytes, arguments->bytes, arguments->left);
}

/* A page stops being RAM, or is again. */
void raw_op_gone(struct raw_guest *guest, struct fuzz_input *arguments)
{
	bool *gone = &guest->gone[fuzz_u8(arguments) % RAW_PAGES];

	*gone = !*gone;
}

/* What happens to the device on the host's side. */
void raw_op_device(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t what = fuzz_u8(arguments);

	switch (what % 4) {
	case 0:
		if (guest->nic != NULL)
			hvh_nic_rescind(guest->nic, guest->now);
		else
			hvh_channel_rescind(guest->echo, guest->now);
		break;
	case 1:
		if (guest->nic != NULL)
			hvh_nic_offer_again(guest->nic, guest->now);
		else
			hvh_channel_offer_again(guest->echo, guest->now);
		break;
	case 2:
		if (guest->nic != NULL)
			hvh_nic_set_link(guest->nic, guest->now, (what & 4u) != 0);
		break;
	default:
		hvh_silence_set(guest->host, (enum hvh_silence)(what / 4u % HVH_SILENCE_COUNT));
		break;
	}
}

/* {type, flags, transaction u64, extension length, bytes}: lengths as they must be. */
void raw_op_packet(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint16_t type = fuzz_u8(arguments), flags = fuzz_u8(arguments);
	uint64_t transaction = fuzz_u64(arguments);
	uint32_t extension = fuzz_u8(arguments), left = (uint32_t)arguments->left;

	if (extension > left)
		extension = left;
	raw_packet(guest, type, flags, transaction, arguments->bytes, extension, arguments->bytes + extension,
		   left - extension);
}

/* Into the ring as they are; bit 0: shown. */
void raw_op_ring_bytes(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t flags = fuzz_u8(arguments);
	uint32_t write = raw_ring_word(guest, guest->ring, VMBUS_RING_WRITE_INDEX) % RAW_RING_BYTES;

	raw_ring_bytes(guest, write, arguments->bytes, (uint32_t)arguments->left);
	write = (write + (uint32_t)arguments->left) % RAW_RING_BYTES;
	if (flags & 2u)
		write &= ~7u;
	if (flags & 1u)
		memcpy(guest->pages[guest->ring] + VMBUS_RING_WRITE_INDEX, &write, sizeof(write));
	raw_signal(guest);
}

/* One word of a control page: inbound or outbound, index, mask, pending size, features. */
void raw_op_ring_word(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint32_t offsets[] = {0, 4, 8, 12, 64};
	uint8_t which = fuzz_u8(arguments);
	uint32_t value = fuzz_u32(arguments);

	memcpy(guest->pages[which & 1u ? guest->ring + RAW_DOWNSTREAM : guest->ring] +
		       offsets[(which >> 1) % 5],
	       &value, sizeof(value));
	raw_signal(guest);
}

/* A page-list packet: {payload length, count u32, ranges}: count 0 means as many as there
 * are; a range is {bytes u16, offset u16, pages u8}; pages from RAW_DATA on. */
void raw_op_page_list(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint64_t words[1 + 2 * PAGE_LIST_MAX];
	uint8_t payload[256] = {0};
	uint32_t length = fuzz_u8(arguments), at = 1, ranges = 0;
	struct vmbus_gpa_direct_header header = {0, fuzz_u32(arguments)};
	const struct nvs_rndis nvs = {NVS_TYPE_RNDIS, length & 1u, NVS_SECTION_NONE, 0};

	for (; arguments->left != 0 && at + 2 <= sizeof(words) / sizeof(words[0]); ranges++) {
		struct vmbus_gpa_range range = {fuzz_u16(arguments), 0};
		uint32_t pages;

		range.byte_offset = fuzz_u16(arguments);
		pages = fuzz_u8(arguments) % 8u;
		memcpy(&words[at++], &range, sizeof(range));
		for (uint32_t i = 0; i < pages && at < sizeof(words) / sizeof(words[0]); i++)
			words[at++] = RAW_DATA + i;
	}
	if (header.range_count == 0)
		header.range_count = ranges;
	memcpy(&words[0], &header, sizeof(header));
	memcpy(payload, &nvs, sizeof(nvs));
	raw_packet(guest, VMBUS_PACKET_GPA_DIRECT, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		   ++guest->transaction, words, at * 8u, payload, length < NVS_BYTES ? NVS_BYTES : length);
}

/* Of something that the host waits for, or of a small number. */
void raw_op_completion(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t which = fuzz_u8(arguments);
	uint64_t transaction = which & 0x80u ? guest->pending[which % RAW_PENDING] : which;

	raw_packet(guest, VMBUS_PACKET_COMPLETION, 0, transaction, NULL, 0, arguments->bytes,
		   (uint32_t)arguments->left);
}

void raw_op_drain(struct raw_guest *guest, struct fuzz_input *arguments)
{
	guest->hold = (fuzz_u8(arguments) & 1u) != 0;
	raw_drain(guest);
}

/* {type, bytes behind it}. */
void raw_op_nvs(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t bytes[256] = {fuzz_u8(arguments)};
	uint32_t length = (uint32_t)arguments->left;

	if (length > sizeof(bytes) - 4)
		length = sizeof(bytes) - 4;
	memcpy(bytes + 4, arguments->bytes, length);
	raw_nvs(guest, bytes, length + 4);
}

/* An RNDIS message by page list: {flags, bytes}; 1: on the data channel, 2: its length is
 * put right. */
void raw_op_rndis(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t flags = fuzz_u8(arguments), bytes[256];
	uint32_t length = (uint32_t)arguments->left;

	memcpy(bytes, arguments->bytes, length);
	if ((flags & 2u) && length >= 8)
		memcpy(bytes + 4, &length, 4);
	raw_rndis(guest, flags & 1u ? NVS_CHANNEL_DATA : NVS_CHANNEL_CONTROL, bytes, length);
}

/* The same in a section: {flags, section u16, size u16 (0: right), bytes}. */
void raw_op_section(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint8_t flags = fuzz_u8(arguments), bytes[256], payload[NVS_BYTES] = {0};
	uint32_t section = fuzz_u16(arguments), size = fuzz_u16(arguments),
		 length = (uint32_t)arguments->left;
	struct nvs_rndis nvs = {NVS_TYPE_RNDIS, flags & 1u ? NVS_CHANNEL_CONTROL : NVS_CHANNEL_DATA, section,
				size != 0 ? size : length};

	memcpy(bytes, arguments->bytes, length);
	if ((flags & 2u) && length >= 8)
		memcpy(bytes + 4, &length, 4);
	raw_write(guest, RAW_SEND * HVK_PAGE_SIZE + section % 5u * RAW_SECTION, bytes, length);
	memcpy(payload, &nvs, sizeof(nvs));
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, payload, sizeof(payload));
}

/* The network has frames for the guest: {length u16, count}. */
void raw_op_frames(struct raw_guest *guest, struct fuzz_input *arguments)
{
	static const uint8_t frame[FRAME_MAX] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t length = fuzz_u16(arguments) % FRAME_MAX, count = fuzz_u8(arguments);

	for (uint32_t i = 0; guest->nic != NULL && i <= count; i++)
		(void)hvh_nic_receive(guest->nic, guest->now, frame, length);
}

/* RNDIS messages as a test has them made up: {count u16, length u16 of each, bytes u8 of all}.
 * Taken or refused, it says so, and holds on to nothing. */
void raw_op_inject(struct raw_guest *guest, struct fuzz_input *arguments)
{
	uint32_t sizes[INJECTED_MAX], count = fuzz_u16(arguments) % (INJECTED_MAX + 1u), total = 0;
	uint8_t *bytes;

	for (uint32_t i = 0; i < count; i++) {
		sizes[i] = fuzz_u16(arguments);
		total += sizes[i];
	}
	bytes = malloc(total + 1u);
	FUZZ_CHECK(bytes != NULL);
	memset(bytes, fuzz_u8(arguments), total + 1u);
	memcpy(bytes, arguments->bytes, arguments->left < total ? arguments->left : total);
	if (guest->nic != NULL)
		(void)hvh_nic_inject(guest->nic, guest->now, bytes, sizes, count);
	free(bytes);
}

/* Whatever state things are in, it can be shown. */
void raw_op_dump(struct raw_guest *guest, struct fuzz_input *arguments)
{
	(void)arguments;
	hvh_dump(guest->host, line, NULL);
}
