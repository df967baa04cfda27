/* SPDX-License-Identifier: MIT */
/* Disks of the program: what --disk takes, their places, files and spares, the monitor's commands on a host
 * without a guest, and the power. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/hvkit/disk_trouble.h"
#include "apps/hvkit/monitor.h"
#include "apps/hvkit/options.h"
#include "apps/hvkit/storage.h"
#include "apps/shell/shell.h"
#include "ports/hosted/hosted.h"

#define FILES 4u
#define MIB (1u << 20)

struct fixture {
	char files[FILES][40];
	struct hosted *machine;
	struct machine handle;
	struct storage *storage;
	struct monitor monitor;
	uint32_t cuts;
	char out[4096], err[1024], offers[1024];
};

static void show(void *context, bool error, const char *text)
{
	struct fixture *fixture = context;
	char *to = error ? fixture->err : fixture->out;
	size_t size = error ? sizeof(fixture->err) : sizeof(fixture->out);

	assert_true(strlen(to) + strlen(text) < size);
	strcat(to, text);
}

static void count_cut(void *context)
{
	((struct fixture *)context)->cuts++;
}

static int set_up(void **state)
{
	const struct hosted_config config = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = 1,
					     .memory_pages = 1024,
					     .profile = hvh_profile_find("ws2022"),
					     .seed = 1};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	for (uint32_t n = 0; n < FILES; n++) {
		int file;

		strcpy(fixture->files[n], "/tmp/hvkit-cli-disks.XXXXXX");
		file = mkstemp(fixture->files[n]);
		assert_true(file >= 0);
		assert_int_equal(ftruncate(file, (off_t)(n + 1) * MIB), 0);
		close(file);
	}
	fixture->machine = hosted_create(&config);
	assert_non_null(fixture->machine);
	fixture->handle = machine_hosted(fixture->machine);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hosted_destroy(fixture->machine);
	storage_destroy(fixture->storage);
	for (uint32_t n = 0; n < FILES; n++)
		unlink(fixture->files[n]);
	free(fixture);
	return 0;
}

/* Text of --disk for a file; values may begin with a comma. */
static struct cli_disk parse(const char *file, const char *values, bool cdrom)
{
	char text[100], error[CLI_ERROR_MAX] = "";
	struct cli_disk disk;

	snprintf(text, sizeof(text), "%s%s", file, values);
	if (!cli_disk_parse(text, cdrom, &disk, error))
		fail_msg("%s: %s", text, error);
	return disk;
}

/* Those of the command line, on the machine, with a monitor. */
static void begin(struct fixture *fixture, const struct cli_disk *disks, uint32_t count)
{
	char error[CLI_ERROR_MAX] = "";

	fixture->storage = storage_open(disks, count, 1, error);
	if (!fixture->storage)
		fail_msg("%s", error);
	fixture->storage->on_cut = count_cut;
	fixture->storage->context = fixture;
	if (!storage_create(fixture->storage, &fixture->handle, error))
		fail_msg("%s", error);
	fixture->monitor = (struct monitor){
		.machine = fixture->handle, .storage = fixture->storage, .show = show, .context = fixture};
	monitor_create(&fixture->monitor);
}

/* %s in line is the file. */
static void expect(struct fixture *fixture, int status, const char *format, uint32_t file, const char *says)
{
	char line[160];
	int found;

	snprintf(line, sizeof(line), format, fixture->files[file]);
	fixture->out[0] = fixture->err[0] = '\0';
	found = monitor_run(&fixture->monitor, hosted_now(fixture->machine), line);
	monitor_stop_waiting(&fixture->monitor);
	if (found != status)
		fail_msg("%s: status %d: %s%s", line, found, fixture->out, fixture->err);
	if (!strstr(status == SHELL_OK ? fixture->out : fixture->err, says))
		fail_msg("%s: '%s%s' does not say '%s'", line, fixture->out, fixture->err, says);
}

static bool can_be_written(const char *file)
{
	struct hvh_image image;
	char error[200];

	if (!hvh_image_open(file, false, &image, error, sizeof(error)))
		return false;
	image.close(image.context);
	return true;
}

static off_t size_of(const char *file)
{
	struct stat status;

	assert_int_equal(stat(file, &status), 0);
	return status.st_size;
}

/* --- The command line -------------------------------------------------------------------------- */

static void values_are_taken(void **state)
{
	struct cli_disk disk = parse("/a,,b=c", ",ro,4kn,serial=X=1,controller=7,target=1,lun=63,seed=9",
				     false);

	(void)state;
	assert_string_equal(disk.file, "/a,b=c");
	assert_true(disk.read_only && !disk.cdrom && !disk.no_cache && disk.placed && disk.lun_given &&
		    disk.seeded);
	assert_int_equal(disk.block_size, 4096);
	assert_string_equal(disk.serial, "X=1");
	assert_int_equal(disk.controller, 7);
	assert_int_equal(disk.target, 1);
	assert_int_equal(disk.lun, 63);
	assert_int_equal(disk.seed, 9);
	cli_disk_free(&disk);
	disk = parse("-", ",ide", true);
	assert_null(disk.file);
	assert_true(disk.cdrom && disk.read_only && disk.ide);
	cli_disk_free(&disk);
	disk = parse("-", ",512n,cache=none,spare", false);
	assert_string_equal(disk.file, "-");
	assert_true(disk.no_cache && disk.spare);
	assert_int_equal(disk.physical_block_size, 512);
	cli_disk_free(&disk);
}

static void wrong_values_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
		bool cdrom;
	} wrong[] = {
		{"", "needs the name of a file", false},
		{",ro", "needs the name of a file", false},
		{"a,", "'' is not known", false},
		{"a,ro=1", "'ro=1' is not known", false},
		{"a,serial", "'serial' is not known", false},
		{"a,lun=64", "lun must be 0 to 63", false},
		{"a,lun=-1", "lun must be 0 to 63", false},
		{"a,serial=a b", "without blanks", false},
		{"a,seed=x", "seed must be a number", false},
		{"a,ide,target=0", "ide is a controller of its own", false},
		{"-,spare", "a spare needs a file", true},
		{"a,ro", "--cdrom: 'ro' is not known", true},
	};
	char error[CLI_ERROR_MAX], serial[80] = "a,serial=";
	struct cli_disk disk;

	(void)state;
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		if (cli_disk_parse(wrong[n].text, wrong[n].cdrom, &disk, error))
			fail_msg("'%s' was taken", wrong[n].text);
		if (!strstr(error, wrong[n].says))
			fail_msg("'%s': '%s' does not say '%s'", wrong[n].text, error, wrong[n].says);
		cli_disk_free(&disk);
	}
	memset(serial + 9, 'x', 65);
	assert_false(cli_disk_parse(serial, false, &disk, error));
	cli_disk_free(&disk);
	serial[9 + 64] = '\0';
	assert_true(cli_disk_parse(serial, false, &disk, error));
	cli_disk_free(&disk);
}

static void trouble_in_words(void **state)
{
	struct hvh_storage_trouble trouble = {0};
	char text[DISK_TROUBLE_TEXT];
	const char *right;

	(void)state;
	assert_true(disk_trouble_set(&trouble, 0, "5%", &right) && trouble.medium_errors == 50);
	assert_true(disk_trouble_set(&trouble, 1, "1/1", &right) && trouble.busy == 1000);
	assert_true(disk_trouble_set(&trouble, 2, "1/1000", &right) && trouble.unit_attentions == 1);
	assert_true(disk_trouble_set(&trouble, 3, "100%", &right) && trouble.never == 1000);
	assert_true(disk_trouble_set(&trouble, 4, "500us", &right) && trouble.delay_max == 5000);
	disk_trouble_text(&trouble, 2, text);
	assert_string_equal(text, "0.1%");
	disk_trouble_text(&trouble, 4, text);
	assert_string_equal(text, "500us");
	assert_true(disk_trouble_set(&trouble, 4, "20ms", &right) && trouble.delay_max == 200000);
	assert_true(disk_trouble_set(&trouble, 4, "off", &right) && trouble.delay_max == 0);
	assert_true(disk_trouble_set(&trouble, 1, "off", &right) && trouble.busy == 0);
	for (const char *const *wrong = (const char *const[]){"", "5", "101%", "1/0", "1/1001", "2/3", "%",
							      "ms", "5ms", "-1%", NULL};
	     *wrong; wrong++)
		assert_false(disk_trouble_set(&trouble, 0, *wrong, &right));
	assert_false(disk_trouble_set(&trouble, 4, "5", &right));
	assert_false(disk_trouble_set(&trouble, 4, "5%", &right));
	assert_int_equal(trouble.medium_errors, 50);
	assert_null(disk_trouble_name(DISK_TROUBLES));
}

/* --- Places --------------------------------------------------------------------------------------- */

static void who_was_given_a_place_has_it(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disks[FILES] = {
		parse(fixture->files[0], "", false), parse(fixture->files[1], ",lun=0", false),
		parse(fixture->files[2], ",controller=1", false), parse(fixture->files[3], ",ide", false)};
	const struct storage_disk *placed;

	begin(fixture, disks, FILES);
	placed = fixture->storage->disks;
	assert_int_equal(placed[0].lun, 1);
	assert_int_equal(placed[1].lun, 0);
	assert_string_equal(placed[2].controller, "scsi1");
	assert_string_equal(placed[3].controller, "ide0");
	assert_non_null(hvh_storage_find(hosted_partition(fixture->machine), "scsi1"));
	assert_ptr_equal(hvh_storage_find(hosted_partition(fixture->machine), "ide0"), placed[3].on);
	for (uint32_t n = 0; n < FILES; n++)
		cli_disk_free(&disks[n]);
}

static void a_place_is_one_disks(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disks[2] = {parse(fixture->files[0], ",lun=3", false),
				    parse(fixture->files[1], ",lun=3", false)};
	char error[CLI_ERROR_MAX];

	assert_null(storage_open(disks, 2, 1, error));
	assert_non_null(strstr(error, "two are to be at controller 0, target 0, LUN 3"));
	assert_true(can_be_written(fixture->files[0])); /* it was closed again */
	for (uint32_t n = 0; n < 2; n++)
		cli_disk_free(&disks[n]);
}

/* --- The monitor ------------------------------------------------------------------------------------- */

static void disks_come_and_go(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disks[2] = {parse(fixture->files[0], "", false), parse("-", "", true)};

	begin(fixture, disks, 2);
	expect(fixture, SHELL_OK, "disk list", 0, "cd0      scsi0   target 0 LUN 1   cd-rom");
	expect(fixture, SHELL_OK, "disk add %s,4kn", 1, "disk1: scsi0, target 0, LUN 2");
	assert_false(can_be_written(fixture->files[1]));
	expect(fixture, SHELL_FAILED, "disk add %s", 1, "is in use");
	expect(fixture, SHELL_FAILED, "disk add %s,lun=2", 2, "scsi0, target 0, LUN 2 is disk1's place");
	assert_true(can_be_written(fixture->files[2]));
	expect(fixture, SHELL_USAGE, "disk resize disk1 1000", 0, "blocks of 4096");
	expect(fixture, SHELL_OK, "disk resize disk1 3M", 0, "");
	assert_int_equal(size_of(fixture->files[1]), 3 * MIB);
	expect(fixture, SHELL_FAILED, "disk resize disk1 1M", 0, "--shrink");
	expect(fixture, SHELL_OK, "disk resize disk1 1M --shrink", 0, "");
	assert_int_equal(size_of(fixture->files[1]), MIB);
	expect(fixture, SHELL_OK, "disk remove disk1", 0, "");
	assert_true(can_be_written(fixture->files[1]));
	expect(fixture, SHELL_OK, "disk add %s", 2, "disk1: ");
	expect(fixture, SHELL_OK, "disk insert cd0 %s", 3, "");
	expect(fixture, SHELL_FAILED, "disk insert cd0 %s", 1, "has a medium");
	assert_true(can_be_written(fixture->files[1]));
	expect(fixture, SHELL_OK, "disk eject cd0", 0, "");
	assert_true(can_be_written(fixture->files[3]));
	expect(fixture, SHELL_FAILED, "disk eject cd0", 0, "has no medium");
	expect(fixture, SHELL_USAGE, "disk remove disk9", 0, "There are: disk0, cd0, disk1");
	cli_disk_free(&disks[0]);
	cli_disk_free(&disks[1]);
}

static void in_a_sandbox_files_stay_open(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disks[2] = {parse(fixture->files[0], "", false),
				    parse(fixture->files[1], ",spare", false)};

	begin(fixture, disks, 2);
	fixture->storage->sandboxed = true;
	expect(fixture, SHELL_OK, "disk list", 1, fixture->files[1]);
	expect(fixture, SHELL_FAILED, "disk add %s", 2, "the running monitor opens no file to write it");
	expect(fixture, SHELL_FAILED, "disk add %s,ro", 2, "--disk FILE,ro,spare");
	expect(fixture, SHELL_OK, "disk add %s", 1, "disk1: ");
	expect(fixture, SHELL_OK, "disk resize disk1 8M", 0, "");
	expect(fixture, SHELL_OK, "disk remove disk1", 0, "");
	assert_false(can_be_written(fixture->files[1]));
	expect(fixture, SHELL_OK, "disk list", 0, "8388608");
	expect(fixture, SHELL_OK, "disk remove disk0", 0, "");
	expect(fixture, SHELL_OK, "disk add %s,4kn", 0, "disk0: ");
	fixture->storage->may_read = true;
	expect(fixture, SHELL_OK, "disk add %s,ro", 2, "disk1: ");
	cli_disk_free(&disks[0]);
	cli_disk_free(&disks[1]);
}

static void take_offer(void *context, const char *candidate)
{
	struct fixture *fixture = context;

	assert_true(strlen(fixture->offers) + strlen(candidate) + 2 < sizeof(fixture->offers));
	strcat(fixture->offers, candidate);
	strcat(fixture->offers, " ");
}

static void offers(struct fixture *fixture, const char *typed, const char *wanted)
{
	char line[100], *words[8], *rest = NULL;
	uint32_t count = 0;

	strcpy(line, typed);
	for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	fixture->offers[0] = '\0';
	monitor_complete(&fixture->monitor, count, words, take_offer, fixture);
	if (!strstr(fixture->offers, wanted))
		fail_msg("'%s': offers '%s', not '%s'", typed, fixture->offers, wanted);
}

static void completion(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disks[3] = {parse(fixture->files[0], "", false),
				    parse(fixture->files[1], ",spare", false), parse("-", "", true)};

	begin(fixture, disks, 3);
	offers(fixture, "disk x", "list add add-cdrom remove resize eject insert trouble ");
	offers(fixture, "disk remove x", "disk0 cd0 ");
	offers(fixture, "disk eject x", "cd0 ");
	assert_null(strstr(fixture->offers, "disk0"));
	offers(fixture, "disk eject cd0 x", "--force ");
	offers(fixture, "disk insert cd0 x", fixture->files[1]);
	offers(fixture, "disk resize disk0 1M x", "--shrink ");
	offers(fixture, "disk trouble x", "medium-errors busy unit-attentions never delay ");
	offers(fixture, "disk trouble busy off x", "scsi0 ");
	offers(fixture, "cut x", "--after ");
	for (uint32_t n = 0; n < 3; n++)
		cli_disk_free(&disks[n]);
}

/* --- The power ------------------------------------------------------------------------ */

static void write_block(const struct hvh_image *image, uint64_t block, uint8_t value, bool right)
{
	uint8_t bytes[512];

	memset(bytes, value, sizeof(bytes));
	assert_int_equal(image->write(image->context, block * 512, bytes, sizeof(bytes)), right);
}

static uint8_t byte_of(const char *file, uint64_t block)
{
	FILE *stream = fopen(file, "rb");
	int byte;

	assert_non_null(stream);
	assert_int_equal(fseek(stream, (long)block * 512, SEEK_SET), 0);
	byte = fgetc(stream);
	fclose(stream);
	return (uint8_t)byte;
}

static void what_was_flushed_outlives_a_cut(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disk = parse(fixture->files[0], "", false);
	struct storage_image *image;
	struct hvh_image seen;
	char error[CLI_ERROR_MAX];
	uint32_t kept = 0;

	begin(fixture, NULL, 0);
	image = storage_image_get(fixture->storage, fixture->files[0], false, error);
	assert_non_null(image);
	assert_true(storage_image_use(image, &disk, 7, &seen));
	for (uint64_t n = 0; n < 10; n++)
		write_block(&seen, n, 1, true);
	assert_true(seen.flush(seen.context));
	fixture->storage->cut_in = 91;
	for (uint64_t n = 0; n < 100; n++)
		write_block(&seen, 10 + n, 2, n < 90);
	assert_int_equal(fixture->cuts, 1);
	assert_int_equal(fixture->storage->requests, 102);
	assert_int_equal(image->counters.writes, 101);
	assert_false(seen.flush(seen.context));
	storage_cut(fixture->storage); /* it is, already */
	assert_int_equal(fixture->cuts, 1);
	for (uint64_t n = 0; n < 10; n++)
		assert_int_equal(byte_of(fixture->files[0], n), 1);
	for (uint64_t n = 10; n < 101; n++)
		kept += byte_of(fixture->files[0], n) == 2;
	assert_int_equal(kept + fixture->storage->lost, 91);
	assert_true(fixture->storage->lost > 0);
	seen.close(seen.context);
	cli_disk_free(&disk);
}

static void an_orderly_end_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct cli_disk disk = parse(fixture->files[0], "", false);
	struct storage_image *image;
	struct hvh_image seen;
	char error[CLI_ERROR_MAX];

	begin(fixture, NULL, 0);
	image = storage_image_get(fixture->storage, fixture->files[0], false, error);
	assert_true(storage_image_use(image, &disk, 7, &seen));
	write_block(&seen, 3, 9, true);
	assert_int_equal(byte_of(fixture->files[0], 3), 0);
	storage_stop(fixture->storage);
	assert_int_equal(byte_of(fixture->files[0], 3), 9);
	seen.close(seen.context);
	cli_disk_free(&disk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(wrong_values_are_refused),
		cmocka_unit_test(trouble_in_words),
		TEST(who_was_given_a_place_has_it),
		TEST(a_place_is_one_disks),
		TEST(disks_come_and_go),
		TEST(in_a_sandbox_files_stay_open),
		TEST(completion),
		TEST(what_was_flushed_outlives_a_cut),
		TEST(an_orderly_end_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
