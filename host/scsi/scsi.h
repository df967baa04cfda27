/* SPDX-License-Identifier: MIT */
/*
 * SCSI units: a disk and a CD-ROM as functions of a command and an image. They know nothing of
 * controllers, packets, guest memory or time. Private to host/. Sources: SPC-4, SBC-3, MMC-6 (drafts
 * of T10); what Hyper-V's own disks say where Linux or FreeBSD show it.
 *
 *   execute.c    what every command goes through: its rule, reserved bits, unit attentions, readiness
 *   rules.c      the commands there are, with the bits that each may have set
 *   result.c     data and sense for the answer
 *   unit.c       setting up, resizing, unit attentions
 *   inquiry.c    INQUIRY and its pages          mode.c      MODE SENSE and SELECT
 *   primary.c    TEST UNIT READY, REQUEST SENSE, READ CAPACITY, REPORT LUNS
 *   opcodes.c    REPORT SUPPORTED OPERATION CODES
 *   transfer.c   READ, WRITE, VERIFY, SYNCHRONIZE CACHE
 *   provision.c  UNMAP, WRITE SAME
 *   medium.c     START STOP UNIT, PREVENT ALLOW, GET EVENT STATUS, a medium's comings and goings
 *   disc.c       READ TOC, READ DISC and TRACK INFORMATION, GET CONFIGURATION
 */
#ifndef HVH_SCSI_SCSI_H
#define HVH_SCSI_SCSI_H

#include "hvkit/wire/scsi.h"
#include "hvkit_host/storage.h"

#define SCSI_CDB_MAX 16u
#define SCSI_SERIAL_MAX 64u
#define SCSI_ATTENTIONS_MAX 8u
#define SCSI_PIECE 65536u /* bytes copied at once */
#define SCSI_NO_FAILURE UINT32_MAX
#define SCSI_WRITE_SAME_BYTES_MAX (16u << 20)
#define SCSI_UNMAP_BYTES_MAX (1ull << 30)
#define SCSI_UNMAP_DESCRIPTORS_MAX 256u
#define SCSI_DATA_MAX 512u /* longest answer that is no medium's data, REPORT LUNS and opcodes apart */

/* Additional sense codes that the drivers have no names for. */
#define SCSI_ASC_STOPPED 0x0402u
#define SCSI_ASC_MISCOMPARE 0x1d00u
#define SCSI_ASC_PARAMETER_LENGTH 0x1a00u
#define SCSI_ASC_MODE_PARAMETERS_CHANGED 0x2a01u
#define SCSI_ASC_SAVING_NOT_SUPPORTED 0x3900u
#define SCSI_ASC_NO_MEDIUM_TRAY_CLOSED 0x3a01u
#define SCSI_ASC_NO_MEDIUM_TRAY_OPEN 0x3a02u
#define SCSI_SENSE_MISCOMPARE 0xeu

enum scsi_media_event {
	SCSI_EVENT_NONE,
	SCSI_EVENT_EJECT_REQUEST,
	SCSI_EVENT_NEW_MEDIUM,
	SCSI_EVENT_REMOVAL
};

struct scsi_unit {
	/* What it is */
	bool cdrom, read_only;
	uint32_t block_size, physical_block_size, transfer_max; /* bytes */
	uint8_t version;                                        /* INQUIRY says so */
	bool unmaps, writes_same;                               /* a disk has these commands */
	char vendor[9], product[17], revision[5];
	char serial[SCSI_SERIAL_MAX + 1];
	uint8_t designator[16]; /* NAA, made from the serial number */
	/* What it is like now */
	struct hvh_image image;
	bool medium; /* there is an image; in a tray that may be open */
	bool tray_open, stopped, removal_prevented;
	bool write_cache, write_cache_default;
	uint64_t blocks;
	enum scsi_media_event event;
	uint16_t attentions[SCSI_ATTENTIONS_MAX]; /* additional sense, oldest first */
	uint32_t attention_count;
	uint8_t *piece; /* SCSI_PIECE bytes */
};

enum scsi_outcome {
	SCSI_DONE,      /* status says how */
	SCSI_OVERRUN,   /* the command would move more than the buffer holds: nothing was moved */
	SCSI_BAD_MEMORY /* the buffer is not there */
};

/* What one command did to the image. */
struct scsi_work {
	uint32_t reads, writes, flushes;
	uint64_t read_bytes, write_bytes;
};

struct scsi_command {
	const uint8_t *cdb; /* SCSI_CDB_MAX bytes can be read */
	uint8_t cdb_length;
	uint32_t length; /* of the caller's buffer */
	/* The buffer. False: it is not there. */
	bool (*get)(void *context, uint32_t offset, void *to, uint32_t length);         /* data out */
	bool (*put)(void *context, uint32_t offset, const void *from, uint32_t length); /* data in */
	void *context;
	uint64_t luns; /* of this target, a bit each: for REPORT LUNS */
	/* The medium fails at the n-th block that this command touches, or SCSI_NO_FAILURE. */
	uint32_t fail_at;

	enum scsi_outcome outcome;
	uint8_t status; /* SCSI_STATUS_* */
	uint8_t sense_length;
	struct scsi_sense sense;
	uint32_t transferred;
	struct scsi_work work;
};

/* --- unit.c ------------------------------------------------------------------------------- */

/* False: a size or block size that cannot be, or no memory. */
bool scsi_unit_create(struct scsi_unit *unit, const struct hvh_unit_config *config,
		      const struct hvh_image *image, const char *serial, uint32_t transfer_max);
void scsi_unit_destroy(struct scsi_unit *unit);
/* Said before the next command that heeds it; once, however often it is queued. */
void scsi_unit_attention(struct scsi_unit *unit, uint16_t code);
bool scsi_unit_resize(struct scsi_unit *unit, uint64_t bytes);
/* As after power-on: what the guest has set is forgotten. */
void scsi_unit_reset(struct scsi_unit *unit);
/* By the operator. Eject is false, and asks the guest, if removal is prevented and not forced. */
bool scsi_unit_eject(struct scsi_unit *unit, bool force);
bool scsi_unit_insert(struct scsi_unit *unit, const struct hvh_image *image);

/* --- execute.c ------------------------------------------------------------------------------ */

void scsi_execute(struct scsi_unit *unit, struct scsi_command *command);
/* A logical unit that is not there: INQUIRY and REPORT LUNS, which have answers even so; false: what
 * else it is has none. zeroed: INQUIRY says nothing but that. */
bool scsi_execute_absent(struct scsi_command *command, bool zeroed);

/* Which way the command's data go, by its rule: 0 none, 1 in, 2 out; unknown ones: as told. */
enum scsi_direction { SCSI_NONE, SCSI_IN, SCSI_OUT };
enum scsi_direction scsi_direction(const struct scsi_unit *unit, const uint8_t *cdb,
				   enum scsi_direction told);

#endif
