/* SPDX-License-Identifier: MIT */
/* What a CD-ROM tells of its disc: one session, one track of data. MMC-6. */
#include "command.h"

#define FORMAT_TOC 0u
#define FORMAT_SESSIONS 1u
#define TRACK_FIRST 1u
#define TRACK_LEAD_OUT 0xaau
#define CONTROL_DATA 0x14u /* a track of data, its position is told */
#define CDB_MSF 0x02u
#define LEAD_IN_FRAMES 150u
#define FRAMES_PER_SECOND 75u
#define DISC_FINISHED 0x0eu /* complete, and so is its last session */
#define TRACK_MODE_DATA 4u
#define DATA_MODE_1 1u
#define PROFILE_CD 0x0008u
#define PROFILE_DVD 0x0010u
#define CD_BLOCKS_MAX 360000u /* 80 minutes */

/* --- READ TOC ------------------------------------------------------------------------------ */

static void put_address(uint8_t *at, uint64_t lba, bool msf)
{
	uint64_t frames = lba + LEAD_IN_FRAMES, minutes = frames / FRAMES_PER_SECOND / 60;

	if (!msf) {
		scsi_put32(at, lba > UINT32_MAX ? UINT32_MAX : (uint32_t)lba);
		return;
	}
	at[0] = 0;
	at[1] = minutes > 255 ? 255 : (uint8_t)minutes; /* a DVD is longer than can be told */
	at[2] = (uint8_t)(frames / FRAMES_PER_SECOND % 60);
	at[3] = (uint8_t)(frames % FRAMES_PER_SECOND);
}

static uint32_t put_track(uint8_t *at, uint8_t track, uint64_t lba, bool msf)
{
	at[1] = CONTROL_DATA;
	at[2] = track;
	put_address(at + 4, lba, msf);
	return 8;
}

/* The format was in the last byte before it got a place of its own; Linux asks for sessions so. */
void scsi_read_toc(struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t data[20] = {0}, old = command->cdb[9] >> 6, first = command->cdb[6];
	uint8_t format = command->cdb[2] != 0 ? command->cdb[2] : old;
	bool msf = (command->cdb[1] & CDB_MSF) != 0;
	uint32_t length = 4;

	if (format > FORMAT_SESSIONS) {
		scsi_bad_field(command, command->cdb[2] != 0 ? 2 : 9);
		return;
	}
	if (format == FORMAT_TOC && first > TRACK_FIRST && first != TRACK_LEAD_OUT) {
		scsi_bad_field(command, 6);
		return;
	}
	data[2] = TRACK_FIRST; /* or session */
	data[3] = TRACK_FIRST;
	if (format == FORMAT_SESSIONS || first <= TRACK_FIRST)
		length += put_track(data + length, TRACK_FIRST, 0, msf);
	if (format == FORMAT_TOC)
		length += put_track(data + length, TRACK_LEAD_OUT, unit->blocks, msf);
	scsi_put16(data, length - 2);
	scsi_answer(command, data, length, scsi_get16(command->cdb + 7));
}

void scsi_disc_information(struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t data[34] = {0};

	(void)unit;
	if ((command->cdb[1] & 7) != 0) { /* resources of tracks, of defects: of discs that are written */
		scsi_bad_field(command, 1);
		return;
	}
	scsi_put16(data, sizeof data - 2);
	data[2] = DISC_FINISHED;
	data[3] = TRACK_FIRST;
	data[4] = 1; /* session */
	data[5] = TRACK_FIRST;
	data[6] = TRACK_FIRST;
	memset(data + 17, 0xff, 7); /* no next lead-in, nor lead-out */
	scsi_answer(command, data, sizeof data, scsi_get16(command->cdb + 7));
}

enum track_by { BY_BLOCK, BY_TRACK, BY_SESSION };

/* Of the one track, however it is named. Linux asks for it after READ DISC INFORMATION. */
void scsi_track_information(struct scsi_unit *unit, struct scsi_command *command)
{
	uint32_t named = scsi_get32(command->cdb + 2);
	enum track_by by = command->cdb[1] & 3;
	uint8_t data[36] = {0};

	if (by > BY_SESSION) {
		scsi_bad_field(command, 1);
		return;
	}
	if (by == BY_BLOCK ? named >= unit->blocks : named != TRACK_FIRST) {
		scsi_bad_field(command, 2);
		return;
	}
	scsi_put16(data, sizeof data - 2);
	data[2] = TRACK_FIRST;
	data[3] = 1; /* session */
	data[5] = TRACK_MODE_DATA;
	data[6] = DATA_MODE_1;
	scsi_put32(data + 24, unit->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)unit->blocks);
	scsi_answer(command, data, sizeof data, scsi_get16(command->cdb + 7));
}

/* --- GET CONFIGURATION ------------------------------------------------------------------------ */

struct feature {
	uint16_t code;
	uint8_t version_current; /* version << 2, persistent 2, current 1 */
	uint16_t profile;        /* current only with this one; 0: as it says */
	uint8_t length;
	uint8_t data[8];
};

static const struct feature features[] = {
	{0x0000, 0x03, 0, 8, {0x00, 0x08, 0, 0, 0x00, 0x10, 0, 0}}, /* profiles: CD-ROM, DVD-ROM */
	{0x0001, 0x0b, 0, 8, {0, 0, 0, 1, 0x01, 0, 0, 0}},          /* core: on SCSI */
	{0x0002, 0x07, 0, 4, {0x02, 0, 0, 0}},                      /* events are polled */
	{0x0003, 0x07, 0, 4, {0x29, 0, 0, 0}},                      /* a tray; ejects and locks */
	{0x0010, 0x00, 1, 8, {0, 0, 0x08, 0, 0, 0x01, 0, 0}},       /* reads anywhere, blocks of 2048 */
	{0x001e, 0x08, PROFILE_CD, 4, {0}},                         /* reads CDs */
	{0x001f, 0x04, PROFILE_DVD, 4, {0}},                        /* reads DVDs */
};
#define FEATURES (sizeof(features) / sizeof(features[0]))

static uint16_t profile_of(const struct scsi_unit *unit)
{
	if (scsi_not_ready(unit) != 0)
		return 0;
	return unit->blocks > CD_BLOCKS_MAX ? PROFILE_DVD : PROFILE_CD;
}

static bool is_current(const struct feature *feature, uint16_t profile)
{
	if (feature->profile == 0)
		return true;
	return feature->profile == 1 ? profile != 0 : feature->profile == profile;
}

static uint32_t put_feature(uint8_t *at, const struct feature *feature, uint16_t profile)
{
	scsi_put16(at, feature->code);
	at[2] = feature->version_current;
	if (is_current(feature, profile))
		at[2] |= 1;
	at[3] = feature->length;
	memcpy(at + 4, feature->data, feature->length);
	if (feature->code == 0) { /* which profile is current */
		at[6] = profile == PROFILE_CD;
		at[10] = profile == PROFILE_DVD;
	}
	return 4u + feature->length;
}

void scsi_get_configuration(struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t data[SCSI_DATA_MAX] = {0}, wanted = command->cdb[1] & 3;
	uint16_t from = scsi_get16(command->cdb + 2), profile = profile_of(unit);
	uint32_t length = 8;

	if (wanted == 3) {
		scsi_bad_field(command, 1);
		return;
	}
	for (uint32_t n = 0; n < FEATURES; n++) {
		if (wanted == 2 ? features[n].code != from : features[n].code < from)
			continue;
		if (wanted == 1 && !is_current(&features[n], profile))
			continue;
		length += put_feature(data + length, &features[n], profile);
	}
	scsi_put32(data, length - 4);
	scsi_put16(data + 6, profile);
	scsi_answer(command, data, length, scsi_get16(command->cdb + 7));
}
