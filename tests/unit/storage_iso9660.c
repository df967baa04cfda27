/* SPDX-License-Identifier: MIT */
/* ISO 9660, made here by hand: what no tool makes, or only from gigabytes. Files in several extents,
 * Rock Ridge's continuation areas and directories that were moved, and nonsense of all kinds. */
#include <stdio.h>

#include "apps/storage/iso9660.h"
#include "tests/unit/storage_memory.h"

#define SECTORS 64u
#define SECTOR 2048u
#define ROOT 20u   /* sectors */
#define JOLIET 24u /* its root */
#define SUB 26u
#define MOVED 28u
#define CONTINUATION 30u
#define DATA 40u

static struct memory disc;
static struct iso9660 volume;
static struct iso9660_entry entry;

static uint8_t *sector(uint32_t n)
{
	return disc.bytes + (size_t)n * SECTOR;
}

/* A directory record at that place; returns where the next one begins. */
static uint8_t *put_record(uint8_t *at, uint32_t extent, uint32_t size, uint8_t flags, const char *name,
			   uint8_t name_length, const char *fields, uint8_t fields_length)
{
	uint32_t begin = 33u + name_length + (name_length % 2 ? 0 : 1);

	memset(at, 0, begin + fields_length);
	at[0] = (uint8_t)(begin + fields_length + (begin + fields_length) % 2);
	put_le32(at + 2, extent);
	put_le32(at + 10, size);
	memcpy(at + 18, "\x7e\x0b\x16\x06\x28\x00\x04", 7); /* 2026-11-22 06:40, an hour ahead of UTC */
	at[25] = flags;
	at[32] = name_length;
	memcpy(at + 33, name, name_length);
	memcpy(at + begin, fields, fields_length);
	return at + at[0];
}

static uint8_t *put_file(uint8_t *at, uint32_t extent, uint32_t size, uint8_t flags, const char *name)
{
	return put_record(at, extent, size, flags, name, (uint8_t)strlen(name), "", 0);
}

static uint8_t *put_dots(uint32_t self, uint32_t parent, const char *fields, uint8_t length)
{
	uint8_t *at = put_record(sector(self), self, SECTOR, 2, "\0", 1, fields, length);

	return put_record(at, parent, SECTOR, 2, "\1", 1, "", 0);
}

static void put_descriptor(uint32_t at, uint8_t type, uint32_t root, const char *name)
{
	uint8_t *descriptor = sector(at);

	descriptor[0] = type;
	memcpy(descriptor + 1, "CD001\1", 6);
	memset(descriptor + 40, ' ', 32);
	memcpy(descriptor + 40, name, strlen(name));
	put_le16(descriptor + 128, SECTOR);
	put_record(descriptor + 156, root, SECTOR, 2, "\0", 1, "", 0);
}

/* With an empty root. */
static int create(void **state)
{
	(void)state;
	memory_create(&disc, SECTORS, SECTOR);
	put_descriptor(16, 1, ROOT, "TEST");
	put_descriptor(17, 255, 0, "");
	put_dots(ROOT, ROOT, "", 0);
	for (uint32_t n = DATA; n < SECTORS; n++)
		memset(sector(n), (int)n, SECTOR);
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	memory_destroy(&disc);
	return 0;
}

/* Behind "." and "..". */
static uint8_t *root_end(void)
{
	return sector(ROOT) + sector(ROOT)[0] + sector(ROOT)[sector(ROOT)[0]];
}

static void assert_status(enum iso9660_status status, enum iso9660_status wanted)
{
	if (status != wanted)
		fail_msg("%s, and not: %s", iso9660_text(status), iso9660_text(wanted));
}

static void open_disc(enum iso9660_names names)
{
	assert_status(iso9660_open(&volume, &disc.source, names), ISO9660_OK);
}

static void assert_found(const char *path)
{
	assert_status(iso9660_find(&volume, path, &entry), ISO9660_OK);
}

/* --- Plain ----------------------------------------------------------------------------------------- */

static void plain(void **state)
{
	uint8_t *at = root_end(), data[8];
	struct iso9660_list list;

	(void)state;
	at = put_file(at, DATA, 5000, 0, "FILE.TXT;1");
	at = put_file(at, DATA, 1, 4, "FILE.TXT;1"); /* associated: not a file of its own */
	at = put_file(at, 999999, 0, 0, "EMPTY.;1"); /* may point anywhere */
	at = put_file(at, SUB, SECTOR, 2, "SUB");
	at = put_file(sector(SUB) + (put_dots(SUB, ROOT, "", 0) - sector(SUB)), DATA, 3, 0, "INNER");
	open_disc(ISO9660_ANY_NAMES);
	assert_int_equal(volume.names, ISO9660_PLAIN);
	assert_string_equal(volume.name, "TEST");
	assert_found("//sub//Inner/");
	assert_int_equal(entry.size, 3);
	assert_found("file.txt");
	assert_false(entry.directory);
	assert_int_equal(entry.size, 5000);
	assert_int_equal(entry.year, 2026);
	assert_int_equal(entry.utc_offset, 60);
	assert_status(iso9660_read(&volume, &entry, 2046, data, 4), ISO9660_OK);
	assert_memory_equal(data, "\x28\x28\x29\x29", 4);
	assert_status(iso9660_read(&volume, &entry, 4998, data, 3), ISO9660_CORRUPT);
	assert_status(iso9660_find(&volume, "file.txt/x", &entry), ISO9660_NOT_DIRECTORY);
	assert_status(iso9660_find(&volume, "fil", &entry), ISO9660_NOT_FOUND);
	assert_found("/");
	assert_status(iso9660_read(&volume, &entry, 0, data, 1), ISO9660_NOT_FILE);
	assert_status(iso9660_list(&volume, &entry, &list), ISO9660_OK);
	assert_status(iso9660_next(&list, &entry), ISO9660_OK);
	assert_string_equal(entry.name, "FILE.TXT");
	assert_status(iso9660_next(&list, &entry), ISO9660_OK);
	assert_string_equal(entry.name, "EMPTY");
	assert_status(iso9660_next(&list, &entry), ISO9660_OK);
	assert_true(entry.directory);
	assert_status(iso9660_next(&list, &entry), ISO9660_END);
}

/* What is larger than one record can say, or lies in pieces, is one file. */
static void several_extents(void **state)
{
	uint8_t *at = root_end(), data[SECTOR];

	(void)state;
	at = put_file(at, DATA, SECTOR, 0x80, "BIG;1");
	at = put_file(at, DATA + 1, SECTOR, 0x80, "BIG;1"); /* follows: joined */
	at = put_file(at, DATA + 10, 1000, 0, "BIG;1");
	at = put_file(at, DATA, 7, 0, "NEXT;1");
	open_disc(ISO9660_ANY_NAMES);
	assert_found("BIG");
	assert_int_equal(entry.size, 2 * SECTOR + 1000);
	assert_int_equal(entry.extent_count, 2);
	assert_status(iso9660_read(&volume, &entry, 2 * SECTOR - 1, data, 3), ISO9660_OK);
	assert_memory_equal(data, "\x29\x32\x32", 3);
	assert_status(iso9660_read(&volume, &entry, 2 * SECTOR + 999, data, 1), ISO9660_OK);
	assert_found("NEXT");
	assert_int_equal(entry.size, 7);
}

static void too_many_pieces(void **state)
{
	uint8_t *at = root_end();

	(void)state;
	for (uint32_t n = 0; n <= ISO9660_EXTENTS_MAX; n++)
		at = put_file(at, DATA + n % 2 * 2, SECTOR, n < ISO9660_EXTENTS_MAX ? 0x80 : 0, "BIG");
	open_disc(ISO9660_ANY_NAMES);
	assert_status(iso9660_find(&volume, "BIG", &entry), ISO9660_UNSUPPORTED);
}

/* Records do not cross sectors: zeros fill the rest of one. */
static void directories_of_several_sectors(void **state)
{
	uint8_t *at = root_end();
	char name[16];

	(void)state;
	put_le32(sector(16) + 156 + 10, 3 * SECTOR);
	for (uint32_t n = 0; n < 100; n++) {
		if ((size_t)(at - disc.bytes) % SECTOR > SECTOR - 60)
			at += SECTOR - (size_t)(at - disc.bytes) % SECTOR;
		snprintf(name, sizeof(name), "NAME%04u.EXT", n);
		at = put_file(at, DATA, n, 0, name);
	}
	assert_true(at > sector(ROOT + 2) && at < sector(ROOT + 3));
	open_disc(ISO9660_ANY_NAMES);
	assert_found("NAME0099.EXT");
	assert_int_equal(entry.size, 99);
}

/* --- Joliet ------------------------------------------------------------------------------------------ */

static void put_joliet(void)
{
	static const char name[] = "\0G\0r\0\xf6\0\xdf\0e\x20\xac\xd8\x3d\xde\x00\0;\0001";
	uint8_t *at;

	put_descriptor(17, 2, JOLIET, "");
	memcpy(sector(17) + 40, "\0J\0o", 4);
	for (uint32_t n = 4; n < 32; n += 2)
		memcpy(sector(17) + 40 + n, "\0 ", 2);
	memcpy(sector(17) + 88, "%/E", 3);
	put_descriptor(18, 255, 0, "");
	at = put_dots(JOLIET, JOLIET, "", 0);
	put_record(at, DATA, 9, 0, name, sizeof(name) - 1, "", 0);
}

static void joliet(void **state)
{
	(void)state;
	put_joliet();
	put_file(root_end(), DATA, 8, 0, "GROESSE");
	open_disc(ISO9660_ANY_NAMES);
	assert_int_equal(volume.names, ISO9660_JOLIET);
	assert_string_equal(volume.name, "Jo");
	assert_found("Gr\xc3\xb6\xc3\x9f"
		     "e\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(entry.size, 9);
	open_disc(ISO9660_PLAIN);
	assert_found("groesse");
	assert_int_equal(entry.size, 8);
	assert_status(iso9660_open(&volume, &disc.source, ISO9660_ROCK_RIDGE), ISO9660_NO_VOLUME);
}

/* --- Rock Ridge --------------------------------------------------------------------------------------- */

#define SP "SP\7\1\xbe\xef\0"

/* A field "CE": where more fields are. */
static void put_continuation(char field[28], uint32_t block, uint32_t offset, uint32_t length)
{
	memset(field, 0, 28);
	memcpy(field, "CE\34\1", 4);
	put_le32((uint8_t *)field + 4, block);
	put_le32((uint8_t *)field + 12, offset);
	put_le32((uint8_t *)field + 20, length);
}

static void names_in_continuation_areas(void **state)
{
	char fields[11 + 28], more[5 + 6 + 28];
	uint8_t *at = put_dots(ROOT, ROOT, SP, 7);

	(void)state;
	memcpy(fields, "NM\x0b\1\1a long", 11); /* it goes on */
	put_continuation(fields + 11, CONTINUATION, 100, sizeof(more));
	memcpy(more, "NM\x0b\1\1 name ", 11);
	put_continuation(more + 11, CONTINUATION + 1, 2000, 10);
	memcpy(sector(CONTINUATION) + 100, more, sizeof(more));
	memcpy(sector(CONTINUATION + 1) + 2000, "NM\x0a\1\0ended", 10);
	at = put_record(at, DATA, 5, 0, "A_LONG.;1", 9, fields, sizeof(fields));
	at = put_record(at, DATA, 6, 0, "LINK;1", 6, "PX\x24\1\xff\xa1\0\0\0\0\0\0", 12);
	open_disc(ISO9660_ANY_NAMES);
	assert_int_equal(volume.names, ISO9660_ROCK_RIDGE);
	assert_found("a long name ended");
	assert_int_equal(entry.size, 5);
	assert_status(iso9660_find(&volume, "A LONG NAME ENDED", &entry), ISO9660_NOT_FOUND);
	assert_found("LINK"); /* no name of its own: the plain one */
}

static void areas_that_do_not_end(void **state)
{
	char fields[28];
	uint8_t *at = put_dots(ROOT, ROOT, SP, 7);

	(void)state;
	put_continuation(fields, CONTINUATION, 0, 28);
	memcpy(sector(CONTINUATION), fields, 28); /* itself */
	put_record(at, DATA, 5, 0, "A", 1, fields, sizeof(fields));
	open_disc(ISO9660_ANY_NAMES);
	assert_status(iso9660_find(&volume, "A", &entry), ISO9660_CORRUPT);
	put_continuation(fields, CONTINUATION, 0, SECTOR + 1);
	put_record(at, DATA, 5, 0, "A", 1, fields, sizeof(fields));
	assert_status(iso9660_find(&volume, "A", &entry), ISO9660_CORRUPT);
	put_continuation(fields, SECTORS, 0, 4);
	put_record(at, DATA, 5, 0, "A", 1, fields, sizeof(fields));
	assert_status(iso9660_find(&volume, "A", &entry), ISO9660_READ_ERROR);
}

/* A deep directory lies somewhere else in the plain tree; it is shown where it belongs, only there. */
static void moved_directories(void **state)
{
	uint8_t *at = put_dots(ROOT, ROOT, SP, 7);
	char child[12] = "CL\x0c\1";

	(void)state;
	put_le32((uint8_t *)child + 4, MOVED);
	at = put_record(at, DATA, 4, 0, "DEEP", 4, child, sizeof(child));
	put_record(at, MOVED, SECTOR, 2, "AWAY", 4, "RE\4\1", 4);
	put_file(put_dots(MOVED, ROOT, "", 0), DATA, 11, 0, "INNER");
	open_disc(ISO9660_ANY_NAMES);
	assert_found("DEEP");
	assert_true(entry.directory);
	assert_found("DEEP/INNER");
	assert_int_equal(entry.size, 11);
	assert_status(iso9660_find(&volume, "AWAY", &entry), ISO9660_NOT_FOUND);
	sector(MOVED)[2]++; /* it does not know itself */
	assert_status(iso9660_find(&volume, "DEEP", &entry), ISO9660_CORRUPT);
}

/* Names that would lead somewhere else. */
static void names_that_are_none(void **state)
{
	static const char *const names[] = {"NM\7\1\0..", "NM\6\1\0.", "NM\10\1\0a/b"};
	struct iso9660_list list;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint8_t *at = put_dots(ROOT, ROOT, SP, 7);

		put_record(at, DATA, 5, 0, "PLAIN", 5, names[i], (uint8_t)names[i][2]);
		open_disc(ISO9660_ANY_NAMES);
		assert_status(iso9660_list(&volume, &volume.root, &list), ISO9660_OK);
		assert_status(iso9660_next(&list, &entry), ISO9660_OK);
		assert_string_equal(entry.name, "PLAIN");
	}
}

/* --- Nonsense ------------------------------------------------------------------------------------------ */

static void no_volume(void **state)
{
	(void)state;
	sector(16)[1] = 'X';
	assert_status(iso9660_open(&volume, &disc.source, ISO9660_ANY_NAMES), ISO9660_NO_VOLUME);
	disc.source.blocks = 10;
	assert_status(iso9660_open(&volume, &disc.source, ISO9660_ANY_NAMES), ISO9660_NO_VOLUME);
	disc.source.blocks = SECTORS;
	disc.bad = 16;
	assert_status(iso9660_open(&volume, &disc.source, ISO9660_ANY_NAMES), ISO9660_READ_ERROR);
}

static void wrong_roots(void **state)
{
	static const struct {
		uint32_t at;
		uint8_t value;
	} wrong[] = {{128, 1}, {156, 10}, {156 + 2, SECTORS}, {156 + 25, 0}, {156 + 32, 200}, {156 + 26, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t *byte = sector(16) + wrong[i].at, good = *byte;
		enum iso9660_status status;

		*byte = wrong[i].value;
		status = iso9660_open(&volume, &disc.source, ISO9660_ANY_NAMES);
		if (status != ISO9660_CORRUPT && status != ISO9660_UNSUPPORTED)
			fail_msg("%u: %s", wrong[i].at, iso9660_text(status));
		*byte = good;
	}
}

static void wrong_records(void **state)
{
	uint8_t *at = root_end();

	(void)state;
	open_disc(ISO9660_ANY_NAMES);
	put_file(at, SECTORS - 1, SECTOR + 1, 0, "LONG"); /* beyond the end */
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_CORRUPT);
	put_file(at, DATA, 5, 0x80, "CUT"); /* its last extent is missing */
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_CORRUPT);
	put_file(at, DATA, 5, 0, "INTERLEAVED");
	at[26] = 2;
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_UNSUPPORTED);
	put_file(at, DATA, 5, 0, "SHORT");
	at[0] = 33;
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_CORRUPT);
	put_file(at, DATA, 5, 0, "NAME");
	at[32] = 40;
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_CORRUPT);
	memset(at, 0, 64);
	at = sector(ROOT) + SECTOR - 40; /* over the end of the sector */
	memset(root_end(), 0, 64);
	put_file(at, DATA, 5, 0, "A");
	at[0] = 60;
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_NOT_FOUND); /* zeros before it */
	disc.bad = ROOT;
	assert_status(iso9660_find(&volume, "x", &entry), ISO9660_READ_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain),
		TEST(several_extents),
		TEST(too_many_pieces),
		TEST(directories_of_several_sectors),
		TEST(joliet),
		TEST(names_in_continuation_areas),
		TEST(areas_that_do_not_end),
		TEST(moved_directories),
		TEST(names_that_are_none),
		TEST(no_volume),
		TEST(wrong_roots),
		TEST(wrong_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
