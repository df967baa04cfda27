/* SPDX-License-Identifier: MIT */
/* The second part of the bench: a lawful host with disks in memory, and rules that break its law. */
#ifndef GUEST_STORVSC_DISKS_H
#define GUEST_STORVSC_DISKS_H

static uint32_t le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void put_le32(uint8_t *bytes, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(word >> 8 * i);
}

static uint64_t be(const uint8_t *bytes, uint32_t length)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < length; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void put_be(uint8_t *bytes, uint32_t length, uint64_t value)
{
	for (uint32_t i = 0; i < length; i++)
		bytes[length - 1 - i] = (uint8_t)(value >> 8 * i);
}

/* --- The ring ------------------------------------------------------------------------------ */

static struct fake_packet *fake_post(struct hvk_channel *channel, uint16_t type, const void *bytes,
				     uint32_t length)
{
	struct fake_packet *packet;

	assert_true(channel->inbox_count < FAKE_INBOX_MAX && length <= sizeof(packet->payload));
	packet = &channel->inbox[(channel->inbox_first + channel->inbox_count++) % FAKE_INBOX_MAX];
	memset(packet, 0, sizeof(*packet));
	packet->type = type;
	packet->length = length;
	memcpy(packet->payload, bytes, length);
	return packet;
}

static void fake_complete(struct hvk_channel *channel, struct fake_sent *sent, const void *bytes,
			  uint32_t length)
{
	sent->answered = true;
	if (!sent->cookie)
		return; /* late: vmbus keeps it from the driver */
	fake_post(channel, VMBUS_PACKET_COMPLETION, bytes, length)->cookie = sent->cookie;
	sent->cookie = NULL;
}

static void fake_notice(uint32_t operation)
{
	uint8_t bytes[64] = {0};

	put_le32(bytes, operation);
	fake_post(&bench.channel[0], VMBUS_PACKET_IN_BAND, bytes, sizeof(bytes));
}

/* Bytes of a packet's memory, by its page list. */
static void fake_move(const struct fake_sent *sent, uint32_t at, void *bytes, uint32_t length, bool to_guest)
{
	uint8_t *other = bytes;

	assert_true(at + length <= sent->data_length);
	for (uint32_t i = 0; i < length; i++) {
		uint32_t place = sent->offset + at + i;
		uint8_t *guest = (uint8_t *)(uintptr_t)(sent->pages[place / 4096] * 4096 + place % 4096);

		if (to_guest)
			*guest = other[i];
		else
			other[i] = *guest;
	}
}

/* --- SCSI ------------------------------------------------------------------------------------- */

struct fake_result {
	uint8_t srb, scsi, sense[18];
	uint32_t transferred;
};

static struct fake_disk *fake_disk_at(uint8_t target, uint8_t lun)
{
	for (uint32_t i = 0; i < FAKE_DISKS; i++) {
		if (bench.disks[i].present && bench.disks[i].target == target && bench.disks[i].lun == lun)
			return &bench.disks[i];
	}
	return NULL;
}

static void fake_sense(struct fake_result *result, uint8_t key, uint16_t code)
{
	result->srb = 0x84;
	result->scsi = 2;
	result->sense[0] = 0x70;
	result->sense[2] = key;
	result->sense[7] = 10;
	result->sense[12] = (uint8_t)(code >> 8);
	result->sense[13] = (uint8_t)code;
}

static void fake_data_in(const struct fake_sent *sent, struct fake_result *result, void *bytes,
			 uint32_t length)
{
	if (length > sent->data_length)
		length = sent->data_length;
	fake_move(sent, 0, bytes, length, true);
	result->transferred = length;
}

static void fake_vpd(const struct fake_sent *sent, const struct fake_disk *disk, uint8_t page,
		     struct fake_result *result)
{
	uint8_t bytes[64] = {disk->cdrom ? 5 : 0, page};
	static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
	static const uint8_t naa[] = {1, 3, 0, 8, 0x60, 0x02, 0x24, 0x80, 1, 2, 3, 4};
	uint32_t length = 60;

	if (page == 0x00) {
		length = sizeof(pages);
		memcpy(bytes + 4, pages, length);
	} else if (page == 0x80) {
		length = (uint32_t)strlen(disk->serial);
		memcpy(bytes + 4, disk->serial, length);
	} else if (page == 0x83) {
		length = sizeof(naa);
		memcpy(bytes + 4, naa, length);
		bytes[4 + length - 1] = disk->lun;
	} else if (page == 0xb0) {
		put_be(bytes + 12, 4, 128);
		put_be(bytes + 20, 4, disk->thin ? disk->unmap_max : 0);
		put_be(bytes + 24, 4, 1);
		put_be(bytes + 28, 4, 8);
		put_be(bytes + 36, 8, disk->write_same_max);
	} else if (page == 0xb1) {
		put_be(bytes + 4, 2, 1);
	} else if (page == 0xb2) {
		length = 4;
		bytes[5] = disk->thin ? 0xc4 : 0;
	}
	put_be(bytes + 2, 2, length);
	fake_data_in(sent, result, bytes, 4 + length);
}

static void fake_inquiry(const struct fake_sent *sent, const struct fake_disk *disk, const uint8_t *cdb,
			 struct fake_result *result)
{
	uint8_t bytes[36] = {0x7f, 0, 5, 2, 31};

	if (disk && (cdb[1] & 1)) {
		if (disk->no_vpd)
			fake_sense(result, 5, 0x2400);
		else
			fake_vpd(sent, disk, cdb[2], result);
		return;
	}
	if (disk) {
		bytes[0] = disk->cdrom ? 5 : 0;
		bytes[1] = disk->cdrom ? 0x80 : 0;
		bytes[2] = disk->version;
		bytes[3] = disk->format;
		bytes[7] = 2;
		memcpy(bytes + 8, "                            ", 28);
		memcpy(bytes + 8, disk->vendor, strlen(disk->vendor));
		memcpy(bytes + 16, "Virtual Disk", 12);
		memcpy(bytes + 32, "1.0", 3);
	}
	fake_data_in(sent, result, bytes, sizeof(bytes));
}

static void fake_luns(const struct fake_sent *sent, uint8_t target, struct fake_result *result)
{
	uint8_t bytes[8 + 8 * FAKE_DISKS] = {0};
	uint32_t count = 0;

	for (uint32_t i = 0; i < FAKE_DISKS; i++) {
		if (bench.disks[i].present && bench.disks[i].target == target)
			bytes[8 + 8 * count++ + 1] = bench.disks[i].lun;
	}
	put_be(bytes, 4, count * 8);
	fake_data_in(sent, result, bytes, 8 + 8 * count);
}

static void fake_capacity(const struct fake_sent *sent, const struct fake_disk *disk, bool longer,
			  struct fake_result *result)
{
	uint8_t bytes[32] = {0};

	if (longer) {
		put_be(bytes, 8, disk->blocks - 1);
		put_be(bytes + 8, 4, disk->block_size);
		bytes[13] = disk->block_size == 512 ? 3 : 0;
		bytes[14] = disk->thin ? 0xc0 : 0;
	} else {
		put_be(bytes, 4, disk->blocks > UINT32_MAX ? UINT32_MAX : disk->blocks - 1);
		put_be(bytes + 4, 4, disk->block_size);
	}
	fake_data_in(sent, result, bytes, longer ? 32 : 8);
}

static void fake_modes(const struct fake_sent *sent, const struct fake_disk *disk, struct fake_result *result)
{
	uint8_t bytes[24] = {23, 0, 0, 0, 8, 18, 0};

	bytes[2] = (uint8_t)((disk->read_only ? 0x80 : 0) | 0x10);
	bytes[6] = disk->no_cache ? 0 : 4;
	fake_data_in(sent, result, bytes, sizeof(bytes));
}

static void fake_transfer(const struct fake_sent *sent, struct fake_disk *disk, const uint8_t *cdb,
			  struct fake_result *result)
{
	bool longer = cdb[0] >= 0x80, out = cdb[0] == 0x2a || cdb[0] == 0x8a;
	uint64_t block = longer ? be(cdb + 2, 8) : be(cdb + 2, 4);
	uint32_t count = (uint32_t)(longer ? be(cdb + 10, 4) : be(cdb + 7, 2));
	uint32_t bytes = count * disk->block_size;

	if (block + count > disk->blocks) {
		fake_sense(result, 5, 0x2100);
		return;
	}
	assert_int_equal(sent->data_length, bytes);
	assert_int_equal(sent->payload[22], out ? 0 : 1);
	assert_true(bytes <= bench.transfer_max);
	fake_move(sent, 0, disk->data + block * disk->block_size, bytes, !out);
	disk->fua_writes += out && (cdb[1] & 8);
	result->transferred = bytes;
}

static void fake_write_same(const struct fake_sent *sent, struct fake_disk *disk, const uint8_t *cdb,
			    struct fake_result *result)
{
	bool longer = cdb[0] >= 0x80;
	uint64_t block = longer ? be(cdb + 2, 8) : be(cdb + 2, 4);
	uint32_t count = (uint32_t)(longer ? be(cdb + 10, 4) : be(cdb + 7, 2));

	if (disk->write_same_max == 0) {
		fake_sense(result, 5, 0x2000);
		return;
	}
	assert_int_equal(sent->data_length, disk->block_size);
	assert_true(count <= disk->write_same_max && block + count <= disk->blocks);
	for (uint32_t i = 0; i < count; i++)
		fake_move(sent, 0, disk->data + (block + i) * disk->block_size, disk->block_size, false);
	disk->write_sames++;
	result->transferred = sent->data_length;
}

static void fake_unmap(const struct fake_sent *sent, struct fake_disk *disk, struct fake_result *result)
{
	uint8_t list[24];
	uint64_t block;
	uint32_t count;

	fake_move(sent, 0, list, sizeof(list), false);
	assert_int_equal(be(list, 2), 22);
	assert_int_equal(be(list + 2, 2), 16);
	block = be(list + 8, 8);
	count = (uint32_t)be(list + 16, 4);
	assert_true(count <= disk->unmap_max && block + count <= disk->blocks);
	memset(disk->data + block * disk->block_size, 0, count * disk->block_size);
	disk->unmaps++;
	result->transferred = sent->data_length;
}

static void fake_command(const struct fake_sent *sent, struct fake_disk *disk, const uint8_t *cdb,
			 struct fake_result *result)
{
	switch (cdb[0]) {
	case 0x00:
		break;
	case 0x25:
		fake_capacity(sent, disk, false, result);
		break;
	case 0x9e:
		if (disk->no_capacity_16)
			fake_sense(result, 5, 0x2000);
		else
			fake_capacity(sent, disk, true, result);
		break;
	case 0x1a:
		fake_modes(sent, disk, result);
		break;
	case 0x28:
	case 0x2a:
	case 0x88:
	case 0x8a:
		fake_transfer(sent, disk, cdb, result);
		break;
	case 0x35:
		disk->flushes++;
		break;
	case 0x41:
	case 0x93:
		fake_write_same(sent, disk, cdb, result);
		break;
	case 0x42:
		fake_unmap(sent, disk, result);
		break;
	default:
		fake_sense(result, 5, 0x2000);
	}
}

static void fake_scsi(const struct fake_sent *sent, struct fake_result *result)
{
	const uint8_t *request = sent->payload + 12, *cdb = request + 16;
	struct fake_disk *disk = fake_disk_at(request[6], request[7]);

	*result = (struct fake_result){.srb = 1};
	assert_int_equal(le32(request + 12), sent->data_length);
	if (cdb[0] == 0x12) {
		fake_inquiry(sent, disk, cdb, result);
	} else if (cdb[0] == 0xa0 && !bench.no_report_luns) {
		fake_luns(sent, request[6], result);
	} else if (!disk || cdb[0] == 0xa0) {
		result->srb = 0x20;
		result->scsi = 2;
	} else if (disk->no_medium) {
		fake_sense(result, 2, 0x3a00);
	} else {
		fake_command(sent, disk, cdb, result);
	}
}

/* --- vstor ---------------------------------------------------------------------------------------- */

static struct fake_rule *fake_find_rule(uint8_t operation)
{
	for (uint32_t i = 0; i < FAKE_RULES; i++) {
		struct fake_rule *rule = &bench.rules[i];

		if (rule->count != 0 && (rule->operation == operation || rule->operation == 0xff))
			return rule;
	}
	return NULL;
}

static void fake_add_rule(struct fake_rule rule)
{
	for (uint32_t i = 0; i < FAKE_RULES; i++) {
		if (bench.rules[i].count == 0) {
			bench.rules[i] = rule;
			return;
		}
	}
	fail_msg("too many rules");
}

static void fake_answer_srb(struct hvk_channel *channel, struct fake_sent *sent)
{
	uint8_t bytes[64] = {1};
	struct fake_rule *rule = fake_find_rule(sent->payload[28]);
	struct fake_result result = {.srb = 1};
	uint32_t length = bench.answer_length ? bench.answer_length : sent->length;

	fake_log("%02x", sent->payload[28]);
	if (rule) {
		rule->count--;
		if (rule->held)
			return; /* fake_release */
		sent->answered = true;
		if (rule->silent)
			return;
		result.srb = rule->srb;
		result.scsi = rule->scsi;
		if (rule->srb & 0x80)
			fake_sense(&result, rule->key, rule->code);
		result.transferred = rule->transferred;
		if (rule->malformed)
			length = 20;
	} else {
		fake_scsi(sent, &result);
	}
	bytes[14] = result.srb;
	bytes[15] = result.scsi;
	bytes[21] = 18;
	put_le32(bytes + 24, result.transferred);
	memcpy(bytes + 28, result.sense, sizeof(result.sense));
	fake_complete(channel, sent, bytes, length);
}

/* What was held is answered as is lawful, the newest first if wanted. */
static void fake_release(bool newest_first)
{
	for (uint32_t n = 0; n < FAKE_CHANNELS; n++) {
		struct hvk_channel *channel = &bench.channel[n];

		for (uint32_t i = 0; i < channel->seen && !channel->rescinded; i++) {
			struct fake_sent *sent = &channel->sent[newest_first ? channel->seen - 1 - i : i];

			if (!sent->answered && sent->cookie && sent->payload[0] == 3)
				fake_answer_srb(channel, sent);
		}
	}
}

static void fake_offer(uint32_t index)
{
	struct hvk_channel *channel = &bench.channel[index];

	channel->rescinded = false;
	channel->sent_count = channel->seen = 0;
	if (bench.hooks.offered)
		bench.hooks.offered(bench.hooks.context, &bench.channel[0], channel);
}

static void fake_answer_control(struct hvk_channel *channel, struct fake_sent *sent, uint32_t operation)
{
	uint8_t bytes[64] = {1};
	uint32_t version = (uint32_t)sent->payload[12] | (uint32_t)sent->payload[13] << 8;
	uint32_t length = bench.short_operation == operation ? 8 : sent->length;
	bool refused = bench.refuse_operation == operation;

	sent->answered = true;
	if (operation == 9)
		fake_log("v%x", version);
	else
		fake_log("op%u", operation);
	if (bench.mute_operation == operation)
		return;
	if (operation == 9 && version > bench.newest) {
		put_le32(bytes + 8, 0xc0000059);
	} else if (operation == 10) {
		bytes[16] = (uint8_t)bench.subchannels_max;
		bytes[20] = !bench.no_multi_channel;
		put_le32(bytes + 24, bench.transfer_max);
	} else if (operation == 13 && !refused) {
		assert_true(version <= bench.subchannels_max);
		for (uint32_t i = 1; i <= version && i <= bench.granted_offers; i++)
			fake_offer(i);
	}
	if (refused || (bench.reset_refused && (operation == 4 || operation == 5)))
		put_le32(bytes + 8, 0xc000000d);
	fake_complete(channel, sent, bytes, length);
}

static bool fake_answer(void)
{
	bool work = false;

	for (uint32_t n = 0; n < FAKE_CHANNELS && !bench.mute; n++) {
		struct hvk_channel *channel = &bench.channel[n];

		while (channel->open && channel->seen < channel->sent_count) {
			struct fake_sent *sent = &channel->sent[channel->seen++];
			uint32_t operation = le32(sent->payload);

			assert_int_equal(le32(sent->payload + 4), 1);
			work = true;
			if (operation == 3)
				fake_answer_srb(channel, sent);
			else
				fake_answer_control(channel, sent, operation);
		}
	}
	return work;
}

#endif
