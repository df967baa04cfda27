/* SPDX-License-Identifier: MIT */
/* The shell's disks: what they are called, what is written, read, flushed and judged; disks and
 * controllers that come and go. */
#include "tests/unit/shell_guest.h"

#define DISK_BYTES (4u << 20)

static void found_and_listed(void **state)
{
	static const char *const lines[] = {"disk", "disk list", "lsvmbus", "inspect storvsc-0", NULL};
	const struct hvh_unit_config disk = {.serial = "FIRST"},
				     other = {.serial = "OTHER", .block_size = 4096};
	const struct hvh_unit_config cdrom = {.cdrom = true};
	struct guest *guest = guest_create(1, "ws2022", 2);

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &disk, NULL);
	guest_add_disk(guest, 3, 2 * DISK_BYTES, &other, NULL);
	assert_true(hvh_storage_add(guest->storage, 0, 0, 1, &cdrom, NULL));
	guest_run(guest, lines);
	assert_int_equal(guest->shell.results.exit_status, 0);
	assert_string_equal(guest->errors, "");
	assert_says(guest->story, "storage: controller 0: channel 1, protocol 6.2, 2 queues\n");
	assert_says(guest->output, "disk0   4.1 MB     Msft Virtual Disk");
	assert_says(guest->output, "serial FIRST\n");
	assert_says(guest->output, "disk1   8.3 MB ");
	assert_says(guest->output, "channel 1, target 0, LUN 3; 2048 blocks of 4096 bytes (4096 inside)\n");
	assert_says(guest->output, "cd0     no medium ");
	assert_says(guest->output, "    driver      storvsc, protocol 6.2\n");
	assert_says(guest->output, "storvsc-0:\n  state: attached\n");
	assert_says(guest->story, "storage: detached\n");
	guest_destroy(guest);
}

/* What is written is in the image where it should be, and nothing beside it. */
static void written_and_verified(void **state)
{
	static const char *const lines[] = {"disk write disk0 100 1000 --seed 7 --flush-every 300",
					    "disk verify disk0 100 1000 --seed 7",
					    "disk hash disk0 100 1000",
					    "disk hash disk0",
					    "disk verify disk0 100 1000 --seed 8",
					    "disk verify disk0 99 1001 --seed 7",
					    NULL};
	struct guest *guest = guest_create(2, "ws2022", 1);
	const struct hvh_unit_config disk = {.serial = "D", .no_write_cache = true};
	struct hvh_image image;
	uint8_t block[512], zeros[512] = {0};

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &disk, &image);
	guest_run(guest, lines);
	assert_says(guest->output,
		    "flushed 400\nflushed 700\nflushed 1000\nflushed 1100\nwrote 512000 bytes in ");
	assert_says(guest->output, "verified 512000 bytes in ");
	assert_says(guest->output, "hashed 512000 bytes in ");
	assert_says(guest->output, "hashed 4194304 bytes in ");
	assert_says(guest->errors,
		    "disk0: 1000 of 1000 blocks are not what was written, from block 100 to 1099\n");
	assert_says(guest->errors, "disk0: 1 of 1001 blocks are not what was written, from block 99 to 99\n");
	assert_int_equal(guest->shell.results.exit_status, SHELL_FAILED);
	assert_true(image.read(image.context, 99 * 512, block, 512));
	assert_memory_equal(block, zeros, 512);
	assert_true(image.read(image.context, 1100 * 512, block, 512));
	assert_memory_equal(block, zeros, 512);
	guest_destroy(guest);
}

static void shown_in_hexadecimal(void **state)
{
	static const char *const lines[] = {"disk read disk0 2", "disk read disk0 1 3", NULL};
	struct guest *guest = guest_create(3, "ws2012r2", 1);
	struct hvh_image image;

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, &image);
	assert_true(image.write(image.context, 1024, "A block.\x01\xff", 11));
	guest_run(guest, lines);
	assert_int_equal(guest->shell.results.exit_status, 0);
	assert_says(guest->output,
		    "0000000400  41 20 62 6c 6f 63 6b 2e 01 ff 00 00 00 00 00 00  A block.........\n"
		    "0000000410  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
		    "*\n0000000600\n"
		    "0000000200  00 00");
	guest_destroy(guest);
}

static void refused_in_words(void **state)
{
	static const char *const lines[] = {"disk read disk1 0",
					    "disk read disk0 8192",
					    "disk read disk0 0 8193",
					    "disk read disk0 x",
					    "disk read disk0",
					    "disk write disk0 0 1 --sed 3",
					    "disk write disk0 0 1 --seed",
					    "disk write disk0 0 0",
					    "disk verify disk0 0 1 --fua",
					    "disk sideways",
					    "disk list now",
					    "disk read cd0 0",
					    "disk write disk1 0 1",
					    "disk hash disk0 0",
					    NULL};
	const struct hvh_unit_config cdrom = {.cdrom = true};
	struct guest *guest = guest_create(4, "ws2022", 1);

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
	assert_true(hvh_storage_add(guest->storage, 0, 0, 1, &cdrom, NULL));
	guest_run(guest, lines);
	assert_string_equal(guest->output, "");
	assert_says(guest->errors, "disk read: there is no disk 'disk1'; there are: disk0, cd0\n");
	assert_says(guest->errors, "disk0 has 8192 blocks, from 0 on: not 1 from block 8192 on\n");
	assert_says(guest->errors, "not 8193 from block 0 on\n");
	assert_says(guest->errors, "'x' is no block number\n");
	assert_says(guest->errors, "disk read takes DISK BLOCK [COUNT]\n");
	assert_says(guest->errors, "'--sed' is not known; there are: --seed N, ");
	assert_says(guest->errors, "--seed takes a number from 0 on\n");
	assert_says(guest->errors, "'0' is no number of blocks\n");
	assert_says(guest->errors, "'--fua' is not known; there is: --seed N\n");
	assert_says(guest->errors, "'sideways' is not known; there are: list, read, ");
	assert_says(guest->errors, "disk list takes no argument\n");
	assert_says(guest->errors, "cd0: there is no medium in it\n");
	assert_says(guest->errors, "disk hash takes DISK [BLOCK COUNT]");
	for (uint32_t n = 0; n < guest->shell.results.command_count; n++)
		assert_int_not_equal(guest->shell.results.commands[n].status, 0);
	guest_destroy(guest);
}

static void read_only(void **state)
{
	static const char *const lines[] = {"disk write disk0 0 8", "disk hash disk0", NULL};
	const struct hvh_unit_config config = {.read_only = true};
	struct guest *guest = guest_create(5, "ws2022", 1);

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &config, NULL);
	guest_run(guest, lines);
	assert_says(guest->errors, "disk write: disk0, block 0: ereadonly: ");
	assert_int_equal(guest->shell.results.commands[1].status, 0);
	guest_destroy(guest);
}

/* --- Coming and going ---------------------------------------------------------------------------- */

enum { ADD, REMOVE, RESIZE, RESCIND, OFFER, SLOW };

static void act(struct guest *guest, uint32_t n)
{
	const struct hvh_unit_config config = {.serial = "LATER"};
	const struct hvh_storage_trouble slow = {.delay_max = 20000000};
	uint64_t now = hosted_now(guest->machine);

	switch (n) {
	case ADD:
		guest_add_disk(guest, 5, DISK_BYTES, &config, NULL);
		break;
	case REMOVE:
		assert_true(hvh_storage_remove(guest->storage, now, 0, 0));
		break;
	case RESIZE:
		assert_true(hvh_storage_resize(guest->storage, now, 0, 5, 2 * DISK_BYTES));
		break;
	case RESCIND:
		hvh_storage_rescind(guest->storage, now);
		break;
	case OFFER:
		hvh_storage_offer_again(guest->storage, now);
		break;
	default:
		hvh_storage_set_trouble(guest->storage, &slow);
		break;
	}
}

static void disks_come_and_go(void **state)
{
	static const char *const lines[] = {"!0",
					    "expect storvsc-0/unit-0-5/serial LATER",
					    "disk write disk1 0 64",
					    "!1",
					    "expect storvsc-0/requests 0",
					    "disk write disk0 0 1",
					    "!2",
					    "expect storvsc-0/unit-0-5/blocks 16384",
					    "disk write disk1 16000 384",
					    NULL};
	struct guest *guest = guest_create(6, "ws2022", 2);

	(void)state;
	guest->action = act;
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
	guest_run(guest, lines);
	assert_says(guest->story, "storage: disk1: Msft Virtual Disk, 4.1 MB\n");
	assert_says(guest->story, "storage: disk0 has been taken away\n");
	assert_says(guest->story, "storage: disk1 has changed: Msft Virtual Disk, 8.3 MB\n");
	assert_says(guest->errors, "there is no disk 'disk0'; there are: disk1\n");
	guest_destroy(guest);
}

static void controllers_come_and_go(void **state)
{
	static const char *const lines[] = {
		"disk write disk0 0 64",  "!3", "disk list", "!4", "expect storvsc-0/state attached",
		"disk verify disk0 0 64", NULL};
	struct guest *guest = guest_create(7, "ws2022", 2);

	(void)state;
	guest->action = act;
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
	guest_run(guest, lines);
	assert_int_equal(guest->shell.results.exit_status, 0);
	assert_says(guest->output, "no disks\n");
	assert_says(guest->story, "storage: controller 0 has been taken away\n");
	assert_says(guest->output, "verified 32768 bytes");
	guest_destroy(guest);
}

/* More than one controller, each with its own disks. */
static void several_controllers(void **state)
{
	static const char *const lines[] = {"disk write disk1 0 64", "disk verify disk1 0 64",
					    "disk verify disk0 0 64", NULL};
	const struct hvh_storage_config ide = {.class_ = HVH_STORAGE_IDE};
	struct guest *guest = guest_create(8, "ws2012r2", 1);
	struct hvh_storage *first = guest->storage;

	(void)state;
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
	guest->storage = hvh_storage_create(hosted_partition(guest->machine), &ide);
	assert_non_null(guest->storage);
	guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
	guest->storage = first;
	guest_run(guest, lines);
	assert_says(guest->story, "storage: controller 1: ");
	assert_int_equal(guest->shell.results.commands[0].status, 0);
	assert_int_equal(guest->shell.results.commands[1].status, 0);
	assert_int_equal(guest->shell.results.commands[2].status, SHELL_FAILED);
	guest_destroy(guest);
}

/* --- Trouble ---------------------------------------------------------------------------------------- */

#define SEEDS 40u

/* The disk, or its controller, goes at any moment: what uses it ends with an error, once, and all is
 * given back (guest_run sees to that). */
static void taken_away_at_any_moment(void **state)
{
	static const char *const lines[] = {"disk write disk0 0 2000 --flush-every 100",
					    "disk bench disk0 --count 200 --random",
					    "disk hash disk0",
					    "disk verify disk0 0 2000",
					    "disk list",
					    NULL};
	const struct hvh_storage_trouble slow = {.delay_max = 20000};
	uint32_t failed = 0, well = 0, between = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct guest *guest = guest_create(seed, seed % 3 ? "ws2022" : "ws2012r2", 1 + seed % 2);

		guest->action = act;
		guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
		hvh_storage_set_trouble(guest->storage, &slow);
		guest_later(guest, seed * seed * 4000ull, seed % 4 < 2 ? REMOVE : RESCIND);
		guest_run(guest, lines);
		if (guest->shell.results.exit_status == 0)
			well++;
		else if (strstr(guest->errors, "egone"))
			failed++;
		else if (strstr(guest->errors, "there is no disk") || strstr(guest->errors, "no medium"))
			between++; /* before it was found, or while it was looked at */
		else
			fail_msg("seed %u: %s", seed, guest->errors);
		guest_destroy(guest);
	}
	assert_true(failed > 5);
	assert_true(well + between + failed == SEEDS);
}

/* Each request may be busy, fail, or come out of order: a failure is told, and nothing else goes wrong. */
static void trouble_of_all_kinds(void **state)
{
	static const char *const lines[] = {"disk write disk0 0 4000 --flush-every 500",
					    "disk verify disk0 0 4000", "disk hash disk0",
					    "disk bench disk0 --count 300 --write", NULL};
	uint32_t failed = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		const struct hvh_storage_trouble trouble = {.medium_errors = seed % 2 ? 20 : 0,
							    .busy = 50,
							    .unit_attentions = 20,
							    .delay_max = 20000};
		struct guest *guest = guest_create(seed, "ws2022", 2);

		guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
		hvh_storage_set_trouble(guest->storage, &trouble);
		guest_run(guest, lines);
		if (seed % 2 == 0 && guest->shell.results.exit_status != 0)
			fail_msg("seed %u: %s", seed, guest->errors);
		for (uint32_t n = 0; n < guest->shell.results.command_count; n++)
			failed += guest->shell.results.commands[n].status != 0;
		if (guest->errors[0] && !strstr(guest->errors, "eio") &&
		    !strstr(guest->errors, "not what was written"))
			fail_msg("seed %u: %s", seed, guest->errors);
		guest_destroy(guest);
	}
	assert_true(failed > 5);
}

/* Memory that runs out, at each allocation in turn. */
static void no_memory(void **state)
{
	static const char *const lines[] = {"disk write disk0 0 100", "disk verify disk0 0 100", NULL};
	uint32_t failed = 0;
	bool whole = false;

	(void)state;
	for (uint32_t n = 0; n < 60; n++) {
		struct guest *guest = guest_create(1, "ws2022", 1);

		guest_add_disk(guest, 0, DISK_BYTES, &(struct hvh_unit_config){0}, NULL);
		hosted_fail_allocation(guest->machine, n);
		guest_run(guest, lines);
		whole = guest->shell.results.exit_status == 0;
		failed += !whole;
		if (!whole && !guest->errors[0])
			fail_msg("allocation %u: fails without a word", n);
		guest_destroy(guest);
	}
	assert_true(whole); /* the last one does not happen any more */
	assert_true(failed > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_and_listed),
		cmocka_unit_test(written_and_verified),
		cmocka_unit_test(shown_in_hexadecimal),
		cmocka_unit_test(refused_in_words),
		cmocka_unit_test(read_only),
		cmocka_unit_test(disks_come_and_go),
		cmocka_unit_test(controllers_come_and_go),
		cmocka_unit_test(several_controllers),
		cmocka_unit_test(taken_away_at_any_moment),
		cmocka_unit_test(trouble_of_all_kinds),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
