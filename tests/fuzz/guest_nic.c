/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/guest_nic.h"

#include "guest/vmbus/versions.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/rndis.h"

#define VERSIONS 10u
#define RING_PAGES 2u
#define FRAME_MIN 14u
#define FRAME_MAX 1514u
#define JOINED_MAX (65535u + FRAME_MIN)

static const uint32_t nvs_versions[] = {NVS_VERSION_6_1, NVS_VERSION_6, NVS_VERSION_5,
					NVS_VERSION_4,   NVS_VERSION_2, NVS_VERSION_1};

static bool in_progress(const struct hvk_request *request)
{
	return request->status == HVK_EINPROGRESS;
}

/* --- Frames -------------------------------------------------------------------------- */

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	struct nic_frame *own = context;

	(void)status;
	FUZZ_CHECK(&own->frame == frame && own->memory != NULL); /* once */
	free(own->memory);
	own->memory = NULL;
}

/* In up to three pieces; address or guest-physical address may be missing. */
static void cut(struct nic_frame *own, uint32_t length, uint8_t how)
{
	uint32_t count = 1u + how % NIC_PIECES, at = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t part = i + 1 == count ? length - at : length / count;

		own->pieces[i] = (struct hvk_buffer){own->memory + at,
						     (uint64_t)(uintptr_t)(own->memory + at), part};
		at += part;
	}
	if (how & 0x40u)
		own->pieces[0].gpa = 0;
	if (how & 0x80u)
		own->pieces[0].address = NULL;
	own->frame = (struct hvk_tx_frame){
		.pieces = own->pieces,
		.piece_count = count,
		.length = length,
		.done = frame_done,
		.context = own,
	};
}

/* What a frame asks for: {HVK_TX_* u8, segment size u16, network and transport offset u8, the
 * frame's first bytes}. */
struct wish {
	uint8_t flags, network, transport;
	uint16_t segment;
	struct fuzz_input bytes;
};

static void ask(struct nic_frame *own, const struct wish *wish)
{
	uint32_t length = own->frame.length;

	memcpy(own->memory, wish->bytes.bytes, wish->bytes.left < length ? wish->bytes.left : length);
	own->frame.flags = wish->flags;
	own->frame.hash = wish->segment * 0x10001u;
	own->frame.vlan_tag = wish->segment;
	own->frame.segment_size = wish->segment;
	own->frame.network_offset = wish->network;
	own->frame.transport_offset = wish->transport;
}

static void transmit(struct nic_user *user, uint32_t length, uint8_t how, const struct wish *wish)
{
	struct nic_frame *own = user->frames;

	while (own < user->frames + NIC_FRAMES && own->memory != NULL)
		own++;
	if (own == user->frames + NIC_FRAMES || user->nic == NULL)
		return;
	own->memory = malloc(length);
	FUZZ_CHECK(own->memory != NULL);
	memset(own->memory, 0x5a, length);
	cut(own, length, (how & 0xc0u) == 0xc0u ? how & 0x7fu : how);
	if (wish)
		ask(own, wish);
	if (hvk_netdev_transmit(hvk_netvsc_netdev(user->nic), &own->frame) != HVK_TX_TAKEN) {
		free(own->memory);
		own->memory = NULL;
	}
}

/* --- Hooks ----------------------------------------------------------------------------- */

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct nic_user *user = context;

	FUZZ_CHECK(netdev->info.flags & HVK_NETDEV_UP);
	FUZZ_CHECK(frame->length >= FRAME_MIN);
	FUZZ_CHECK(frame->length <=
		   (frame->flags & HVK_RX_JOINED ? JOINED_MAX : netdev->info.frame_max) + 4u);
	FUZZ_CHECK(frame->segments >= 1 && frame->queue == 0);
	FUZZ_CHECK(!(frame->flags & HVK_RX_TCP_GOOD) || !(frame->flags & HVK_RX_TCP_BAD));
	user->inputs++;
	for (uint32_t i = 0; i < frame->length; i++)
		user->sum = (uint8_t)(user->sum + frame->data[i]);
	if (user->chatty)
		transmit(user, FRAME_MIN + user->inputs % 1500u, user->sum, NULL);
}

static void tx_ready(void *context, struct hvk_netdev *netdev)
{
	struct nic_user *user = context;

	(void)netdev;
	user->tx_ready++;
}

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	(void)context;
	FUZZ_CHECK(netdev->info.link_up == up);
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	struct nic_user *user = context;

	(void)netdev;
	user->gone++;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct nic_user *user = context;

	(void)again;
	if (user->channel == NULL)
		user->channel = channel;
}

static void channel_gone(void *context, struct hvk_channel *channel)
{
	struct nic_user *user = context;

	if (user->channel != channel)
		return;
	FUZZ_CHECK(user->nic == NULL);
	user->channel = NULL;
}

/* --- Life -------------------------------------------------------------------------------- */

static void create_card(struct nic_user *user)
{
	struct hvk_netdev *netdev;

	if (user->nic != NULL || user->channel == NULL ||
	    hvk_netvsc_create(user->channel, &user->config, &user->nic) != HVK_OK)
		return;
	netdev = hvk_netvsc_netdev(user->nic);
	netdev->hooks = (struct hvk_netdev_hooks){.input = input,
						  .tx_ready = tx_ready,
						  .link_changed = link_changed,
						  .gone = gone,
						  .context = user};
}

struct nic_user *nic_create(struct fuzz_input *from)
{
	const struct hvk_version *version = hvk_version_get(fuzz_u8(from) % VERSIONS);
	uint8_t flags = fuzz_u8(from), buffers = fuzz_u8(from), nvs = fuzz_u8(from);
	struct nic_user *user = calloc(1, sizeof(*user));
	struct hvk_vmbus_config config = {.offered = offered, .gone = channel_gone, .context = user};

	FUZZ_CHECK(user != NULL);
	user->machine = hostile_create(version->version, 1);
	user->machine->user = user;
	user->machine->eager = (flags & 2u) != 0;
	user->machine->has_net = true;
	user->machine->net.version_newest = nvs_versions[nvs % 6u];
	user->chatty = (flags & 16u) != 0;
	user->config = (struct hvk_netvsc_config){
		.ring_pages = RING_PAGES,
		.receive_buffer_pages = 16u + buffers % 8u,
		.send_buffer_pages = flags & 8u ? HVK_NETVSC_NO_SEND_BUFFER : 1u + buffers / 8u % 8u,
		.queues = flags & 32u ? 4 : 1,
	};
	hostile_connect(user->machine, &config);
	FUZZ_CHECK(user->machine->connect.status == HVK_OK && user->channel != NULL);
	create_card(user);
	FUZZ_CHECK(user->nic != NULL);
	return user;
}

void nic_up(struct nic_user *user)
{
	hvk_netvsc_attach(user->nic, &user->attach);
	hostile_wait(user->machine, &user->attach);
	FUZZ_CHECK(user->attach.status == HVK_OK);
	hvk_netdev_set_flags(hvk_netvsc_netdev(user->nic), HVK_NETDEV_UP, &user->flags);
	hostile_wait(user->machine, &user->flags);
	FUZZ_CHECK(user->flags.status == HVK_OK);
}

static void destroy_card(struct nic_user *user)
{
	if (user->nic == NULL || hvk_netvsc_destroy(user->nic) != HVK_OK)
		return;
	user->nic = NULL;
	for (uint32_t i = 0; i < NIC_FRAMES; i++)
		FUZZ_CHECK(user->frames[i].memory == NULL);
}

void nic_leave(struct nic_user *user)
{
	struct hvk_netdev_counters counters;

	hostile_wait(user->machine, &user->attach);
	hostile_wait(user->machine, &user->flags);
	hostile_wait(user->machine, &user->control);
	hostile_wait(user->machine, &user->detach);
	if (user->nic != NULL) {
		hvk_netvsc_dump(user->nic, hostile_line, NULL);
		hvk_netdev_get_counters(hvk_netvsc_netdev(user->nic), &counters);
		hvk_netvsc_detach(user->nic, &user->detach);
		hostile_wait(user->machine, &user->detach);
		destroy_card(user);
		FUZZ_CHECK(user->nic == NULL);
	}
	hostile_destroy(user->machine);
	free(user);
}

/* --- What the user does ---------------------------------------------------------------------- */

static void set_flags(struct nic_user *user, uint8_t flags)
{
	if (!in_progress(&user->flags))
		hvk_netdev_set_flags(hvk_netvsc_netdev(user->nic), flags, &user->flags);
}

static void control(struct nic_user *user, uint8_t which, struct fuzz_input *arguments)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(user->nic);
	uint8_t groups[HVK_NETDEV_GROUPS_MAX][6] = {{0}};
	struct hvk_netdev_rss rss;

	switch (which) {
	case 0:
		hvk_netdev_set_enabled(card, fuzz_u16(arguments), &user->control);
		break;
	case 1:
		hvk_netdev_set_mtu(card, fuzz_u16(arguments), &user->control);
		break;
	case 2:
		for (uint32_t i = 0; i < HVK_NETDEV_GROUPS_MAX; i++)
			groups[i][0] = 1;
		hvk_netdev_set_multicast(card, groups, fuzz_u8(arguments) % (HVK_NETDEV_GROUPS_MAX + 2u),
					 &user->control);
		break;
	case 3:
		(void)hvk_netdev_get_rss(card, &rss);
		rss.types ^= fuzz_u16(arguments);
		for (uint32_t i = 0; i < HVK_RSS_TABLE_MAX; i++)
			rss.table[i] = (uint16_t)(fuzz_u8(arguments) % 5u);
		hvk_netdev_set_rss(card, &rss, &user->control);
		break;
	case 4:
		hvk_netvsc_suspend(user->nic, &user->control);
		break;
	default:
		hvk_netvsc_resume(user->nic, &user->control);
		break;
	}
}

/* {what, ...}: 0 to 3 life and flags, 4 to 9 the control operations. */
void nic_op_user(struct hostile *machine, struct fuzz_input *arguments)
{
	struct nic_user *user = machine->user;
	uint8_t what = fuzz_u8(arguments);

	if (user->nic == NULL) {
		create_card(user);
		return;
	}
	if (what % 10 >= 4) {
		if (!in_progress(&user->control))
			control(user, (uint8_t)(what % 10 - 4), arguments);
		return;
	}
	switch (what % 10) {
	case 0:
		if (!in_progress(&user->attach))
			hvk_netvsc_attach(user->nic, &user->attach);
		break;
	case 1:
		if (!in_progress(&user->detach))
			hvk_netvsc_detach(user->nic, &user->detach);
		break;
	case 2:
		set_flags(user, fuzz_u8(arguments) % 8u);
		break;
	default:
		if (!in_progress(&user->attach) && !in_progress(&user->detach) &&
		    !in_progress(&user->flags) && !in_progress(&user->control))
			destroy_card(user);
		break;
	}
}

void nic_op_transmit(struct hostile *machine, struct fuzz_input *arguments)
{
	uint32_t length = FRAME_MIN + fuzz_u16(arguments) % (FRAME_MAX - FRAME_MIN + 1u);
	uint8_t how = fuzz_u8(arguments), count = fuzz_u8(arguments);
	struct wish wish = {.flags = fuzz_u8(arguments)};

	wish.segment = fuzz_u16(arguments);
	wish.network = fuzz_u8(arguments);
	wish.transport = fuzz_u8(arguments);
	wish.bytes = *arguments;
	for (uint32_t i = 0; i <= count % NIC_FRAMES; i++)
		transmit(machine->user, length, how, &wish);
}

/* {HVK_NETDEV_* u16}: offloads as if the host had them, or bit 15: what waits is sent. */
void nic_op_offloads(struct hostile *machine, struct fuzz_input *arguments)
{
	struct nic_user *user = machine->user;
	uint32_t enabled = fuzz_u16(arguments);

	if (user->nic == NULL)
		return;
	hvk_netvsc_netdev(user->nic)->info.enabled = enabled;
	hvk_netvsc_netdev(user->nic)->info.tso_bytes_max = 65535;
	if (enabled & 0x8000u)
		hvk_netdev_flush(hvk_netvsc_netdev(user->nic));
}

/* Parts of a joined packet: {flags and id as the host writes them u32, length u16, count u8}. */
void nic_op_parts(struct hostile *machine, struct fuzz_input *arguments)
{
	struct {
		struct rndis_packet packet;
		struct rndis_per_packet_info info;
		uint32_t id;
		uint8_t data[1600];
	} message = {.packet = {.header = {RNDIS_MSG_PACKET, 0},
				.per_packet_info_offset = sizeof(message.packet) - RNDIS_OFFSET_BASE,
				.per_packet_info_length = 16},
		     .info = {16, RNDIS_INFO_PACKET_ID, sizeof(message.info)}};
	uint32_t length, count;

	message.id = fuzz_u32(arguments);
	length = fuzz_u16(arguments) % (sizeof(message.data) + 1u);
	count = fuzz_u8(arguments);
	message.packet.data_offset = sizeof(message.packet) + 16 - RNDIS_OFFSET_BASE;
	message.packet.data_length = length;
	for (uint32_t i = 0; i <= count % 64u; i++) {
		hostile_net_message(machine, &message, (uint32_t)sizeof(message.packet) + 16 + length);
		hostile_step(machine);
	}
}

void nic_op_dump(struct hostile *machine, struct fuzz_input *arguments)
{
	struct nic_user *user = machine->user;

	hostile_op_dump(machine, arguments);
	if (user->nic != NULL)
		hvk_netvsc_dump(user->nic, hostile_line, NULL);
}

/* --- What its host does ------------------------------------------------------------------------ */

static void set_answer(struct hostile_answer *answer, uint32_t key, const struct fuzz_input *bytes)
{
	*answer = (struct hostile_answer){.set = true, .key = key, .length = (uint32_t)bytes->left};
	memcpy(answer->bytes, bytes->bytes, bytes->left);
}

void nic_op_nvs_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	uint8_t key = fuzz_u8(arguments);

	set_answer(&machine->net.nvs[key % HOSTILE_ANSWERS], key, arguments);
}

void nic_op_rndis_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	static const uint32_t keys[HOSTILE_ANSWERS] = {
		RNDIS_MSG_INITIALIZE,
		RNDIS_MSG_QUERY,
		RNDIS_MSG_SET,
		RNDIS_OID_802_3_PERMANENT_ADDRESS,
		RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE,
		RNDIS_OID_GEN_MEDIA_CONNECT_STATUS,
		RNDIS_OID_GEN_LINK_SPEED,
		RNDIS_OID_GEN_CURRENT_PACKET_FILTER,
	};
	uint32_t which = fuzz_u8(arguments) % HOSTILE_ANSWERS;

	set_answer(&machine->net.rndis[which], keys[which], arguments);
}

void nic_op_mute(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->net.muted = fuzz_u8(arguments);
	machine->net.hold = (fuzz_u8(arguments) & 1u) != 0;
}

void nic_op_geometry(struct hostile *machine, struct fuzz_input *arguments)
{
	machine->net.suballocation = 1u + fuzz_u16(arguments);
	machine->net.section = fuzz_u16(arguments);
}

/* An RNDIS message; bit 0 of the first byte: about the request asked last. */
void nic_op_message(struct hostile *machine, struct fuzz_input *arguments)
{
	uint8_t bytes[256], flags = fuzz_u8(arguments);
	uint32_t length = (uint32_t)arguments->left;

	memcpy(bytes, arguments->bytes, length);
	if ((flags & 1u) && length >= 12)
		memcpy(bytes + 8, &machine->net.request_id, 4);
	hostile_net_message(machine, bytes, length);
}

/* RNDIS PACKET; {data offset, data length, information offset and length, u16 each, range's
 * length u16, bytes behind the header}. */
void nic_op_frame(struct hostile *machine, struct fuzz_input *arguments)
{
	uint8_t bytes[2048] = {0};
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, 0}};
	uint32_t range, length;

	packet.data_offset = fuzz_u16(arguments);
	packet.data_length = fuzz_u16(arguments);
	packet.per_packet_info_offset = fuzz_u16(arguments);
	packet.per_packet_info_length = fuzz_u16(arguments);
	range = fuzz_u16(arguments) % sizeof(bytes);
	length = (uint32_t)arguments->left;
	memcpy(bytes, &packet, sizeof(packet));
	memcpy(bytes + sizeof(packet), arguments->bytes, length);
	hostile_net_message(machine, bytes, range != 0 ? range : (uint32_t)sizeof(packet) + length);
}

/* A transfer-page packet: {page set u16, count u8, flags u8, transaction u8, ranges}; ranges
 * of bytes {length, offset}, u16 each, up to what is there. */
void nic_op_transfer(struct hostile *machine, struct fuzz_input *arguments)
{
	static const struct nvs_rndis rndis = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, NVS_SECTION_NONE, 0};
	uint8_t extension[8 + 64 * 8];
	struct vmbus_transfer_pages_header header = {.page_set_id = fuzz_u16(arguments)};
	uint32_t at = sizeof(header);
	uint8_t flags, transaction;

	header.range_count = fuzz_u8(arguments);
	flags = fuzz_u8(arguments);
	transaction = fuzz_u8(arguments);
	if (flags & 2u)
		header.page_set_id = NVS_RECEIVE_PAGE_SET_ID;
	for (; arguments->left != 0 && at < sizeof(extension); at += 8) {
		struct vmbus_transfer_page_range range = {fuzz_u16(arguments), 0};

		range.byte_offset = fuzz_u16(arguments);
		memcpy(extension + at, &range, sizeof(range));
	}
	if (flags & 4u)
		header.range_count = (at - (uint32_t)sizeof(header)) / 8;
	memcpy(extension, &header, sizeof(header));
	hostile_packet(machine, VMBUS_PACKET_TRANSFER_PAGES, flags & 1u, transaction, extension, at, &rndis,
		       flags & 8u ? 2 : sizeof(rndis));
}
