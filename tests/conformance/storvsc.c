/* SPDX-License-Identifier: MIT */
/*
 * The storage driver on the host model's controller, on hosts of every age, with one CPU and with
 * several: what was written is in the image after a flush, reads back the same, and the host finds
 * nothing to complain about. Disks come and go, and the controller is taken back with requests in
 * flight, each of which ends once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/storvsc.h"
#include "hvkit_host/storage.h"
#include "ports/hosted/hosted.h"

#define REQUEST_MS 60000u
#define LIMIT_MS 600000u
#define DISK_BYTES (4u << 20)
#define PAGES 96u /* of the guest's memory for data */
#define REQUESTS 24u
#define VECTOR 0x98u

struct request {
	struct hvk_block_request block;
	struct hvk_buffer pieces[3];
	hvk_status status;
	uint32_t done;
	struct guest *guest;
};

struct guest {
	struct hosted *machine;
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_storvsc *controller;
	struct hvk_storvsc_unit *unit;
	struct hvh_storage *storage;
	struct hvh_image image; /* what is under the write cache */
	struct hvk_request request;
	struct hvk_pages pages;
	struct request requests[REQUESTS];
	uint32_t finished, added, gone, unit_gone, cpus;
	uint32_t violations;
	char violation[160];
	const char *wrong;
	void (*session)(struct guest *guest);
};

static void complain(struct guest *guest, const char *wrong)
{
	if (!guest->wrong)
		guest->wrong = wrong;
}

/* --- Requests ---------------------------------------------------------------------------------- */

static void request_done(struct hvk_block_request *block, hvk_status status, void *context)
{
	struct request *request = context;

	(void)block;
	request->done++;
	request->status = status;
	request->guest->finished++;
}

static uint8_t *data(struct guest *guest)
{
	return guest->pages.address;
}

static struct hvk_buffer piece(struct guest *guest, uint32_t offset, uint32_t length, bool direct)
{
	const struct hvk_port *port = hosted_port(guest->machine);
	uint8_t *address = data(guest) + offset;
	uint64_t page = port->page_gpa(port->context, address - offset % HVK_PAGE_SIZE);

	return (struct hvk_buffer){address, direct ? page + offset % HVK_PAGE_SIZE : 0, length};
}

static hvk_status submit(struct guest *guest, uint32_t n, enum hvk_block_operation operation, uint64_t block,
			 uint64_t count, uint32_t pieces)
{
	struct request *request = &guest->requests[n];

	request->guest = guest;
	request->done = 0;
	request->status = HVK_EINPROGRESS;
	request->block = (struct hvk_block_request){.operation = operation,
						    .block = block,
						    .count = count,
						    .pieces = request->pieces,
						    .piece_count = pieces,
						    .done = request_done,
						    .context = request,
						    .cpu_hint = n % 4};
	return hvk_block_submit(hvk_storvsc_block(guest->unit), &request->block);
}

static bool await(struct guest *guest, uint32_t finished)
{
	for (uint32_t i = 0; i < 1000000 && guest->finished < finished; i++) {
		if (!hvk_poll(guest->hvk, 0))
			hosted_wait(guest->machine, 1000000);
	}
	return guest->finished >= finished;
}

static void do_one(struct guest *guest, enum hvk_block_operation operation, uint64_t block, uint64_t count,
		   uint32_t pieces)
{
	if (submit(guest, 0, operation, block, count, pieces) != HVK_OK)
		complain(guest, "not taken");
	else if (!await(guest, guest->finished + 1))
		complain(guest, "not finished");
	else if (guest->requests[0].status != HVK_OK)
		complain(guest, hvk_status_name(guest->requests[0].status));
}

static void fill(struct guest *guest, uint32_t offset, uint32_t length, uint32_t seed)
{
	for (uint32_t i = 0; i < length; i++)
		data(guest)[offset + i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static void check_image(struct guest *guest, uint64_t block, uint32_t offset, uint32_t length)
{
	uint8_t *bytes = malloc(length);

	hosted_lock(guest->machine);
	if (!guest->image.read(guest->image.context, block * 512, bytes, length) ||
	    memcmp(bytes, data(guest) + offset, length) != 0)
		complain(guest, "other bytes are in the image");
	hosted_unlock(guest->machine);
	free(bytes);
}

/* --- Sessions ------------------------------------------------------------------------------------- */

/* Page by page, copied, and cut at the limit of a transfer; to the image by a flush. */
static void write_and_read(struct guest *guest)
{
	struct hvk_buffer *pieces = guest->requests[0].pieces;
	uint8_t *copy = malloc(300 * 1024);

	fill(guest, 0, 300 * 1024, 1);
	memcpy(copy, data(guest), 300 * 1024);
	for (uint32_t i = 0; i < 2; i++) {
		bool direct = i == 0;
		uint64_t block = 100 + i * 2000;

		/* A port's pages need not follow one another: whole pages in several pieces. */
		pieces[0] = piece(guest, 512, 3584, direct);
		pieces[1] = piece(guest, 4096, 4096, direct);
		pieces[2] = piece(guest, 8192, direct ? 512 : 290 * 1024 - 8192 + 512, direct);
		do_one(guest, HVK_BLOCK_WRITE, block,
		       (pieces[0].length + pieces[1].length + pieces[2].length) / 512, 3);
		do_one(guest, HVK_BLOCK_FLUSH, 0, 0, 0);
		check_image(guest, block, 512, pieces[0].length + pieces[1].length + pieces[2].length);
		memset(data(guest), 0, 300 * 1024);
		do_one(guest, HVK_BLOCK_READ, block,
		       (pieces[0].length + pieces[1].length + pieces[2].length) / 512, 3);
		if (memcmp(data(guest) + 512, copy + 512,
			   pieces[0].length + pieces[1].length + pieces[2].length) != 0)
			complain(guest, "other bytes came back");
		memcpy(data(guest), copy, 300 * 1024);
	}
	free(copy);
}

static void many_at_once(struct guest *guest)
{
	uint32_t before = guest->finished;

	fill(guest, 0, REQUESTS * 4096, 5);
	for (uint32_t n = 0; n < REQUESTS; n++) {
		guest->requests[n].pieces[0] = piece(guest, n * 4096, 4096, true);
		if (submit(guest, n, HVK_BLOCK_WRITE, n * 64, 8, 1) != HVK_OK)
			complain(guest, "not taken");
	}
	if (!await(guest, before + REQUESTS))
		complain(guest, "not finished");
	for (uint32_t n = 0; n < REQUESTS; n++) {
		if (guest->requests[n].status != HVK_OK || guest->requests[n].done != 1)
			complain(guest, "one of many");
	}
	do_one(guest, HVK_BLOCK_FLUSH, 0, 0, 0);
	for (uint32_t n = 0; n < REQUESTS; n++)
		check_image(guest, n * 64, n * 4096, 4096);
}

static void zeroes_and_discard(struct guest *guest)
{
	const struct hvk_block_info *info = &hvk_storvsc_block(guest->unit)->info;

	fill(guest, 0, 65536, 9);
	guest->requests[0].pieces[0] = piece(guest, 0, 65536, false);
	do_one(guest, HVK_BLOCK_WRITE, 0, 128, 1);
	do_one(guest, HVK_BLOCK_WRITE_ZEROES, 8, 100, 0);
	if (info->flags & HVK_BLOCK_CAN_DISCARD)
		do_one(guest, HVK_BLOCK_DISCARD, 256, 512, 0);
	memset(data(guest) + 8 * 512, 0, 100 * 512);
	do_one(guest, HVK_BLOCK_FLUSH, 0, 0, 0);
	check_image(guest, 0, 0, 65536);
}

static void work(struct guest *guest)
{
	if (!guest->unit) {
		complain(guest, "no unit");
		return;
	}
	write_and_read(guest);
	many_at_once(guest);
	zeroes_and_discard(guest);
}

static void poll_for(struct guest *guest, uint32_t ms)
{
	uint64_t end = hosted_now(guest->machine) + ms * 10000ull;

	while (hosted_now(guest->machine) < end) {
		(void)hvk_poll(guest->hvk, 0);
		hosted_wait(guest->machine, 1000000);
	}
}

/* A second disk comes and goes; the first one becomes smaller. */
static void coming_and_going(struct guest *guest)
{
	const struct hvh_unit_config config = {.serial = "SECOND"};
	struct hvh_image image;

	hosted_lock(guest->machine);
	if (!hvh_image_memory(1 << 20, &image) ||
	    !hvh_storage_add(guest->storage, hosted_now(guest->machine), 0, 5, &config, &image))
		complain(guest, "hvh_storage_add");
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	poll_for(guest, 500);
	if (guest->added != 2)
		complain(guest, "a disk that came was not seen");
	hosted_lock(guest->machine);
	if (!hvh_storage_remove(guest->storage, hosted_now(guest->machine), 0, 5))
		complain(guest, "hvh_storage_remove");
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	poll_for(guest, 500);
	if (guest->unit_gone != 1)
		complain(guest, "a disk that went was not missed");
	work(guest);
}

/* Requests in flight when the controller is taken back: each ends once. */
static void taken_back(struct guest *guest)
{
	const struct hvh_storage_trouble slow = {.delay_max = 100000000};
	uint32_t before = guest->finished;

	hosted_lock(guest->machine);
	hvh_storage_set_trouble(guest->storage, &slow);
	hosted_unlock(guest->machine);
	for (uint32_t n = 0; n < REQUESTS; n++) {
		guest->requests[n].pieces[0] = piece(guest, n * 4096, 4096, true);
		if (submit(guest, n, HVK_BLOCK_READ, n * 64, 8, 1) != HVK_OK)
			complain(guest, "not taken");
	}
	hosted_lock(guest->machine);
	hvh_storage_rescind(guest->storage, hosted_now(guest->machine));
	hosted_kick(guest->machine);
	hosted_unlock(guest->machine);
	if (!await(guest, before + REQUESTS))
		complain(guest, "not finished");
	poll_for(guest, 2000);
	for (uint32_t n = 0; n < REQUESTS; n++) {
		if (guest->requests[n].done != 1)
			complain(guest, "not once");
	}
	if (guest->gone != 1 || guest->unit_gone != 1)
		complain(guest, "nobody was told");
}

/* --- The machine ------------------------------------------------------------------------------------ */

static void unit_gone(void *context, struct hvk_block *block)
{
	struct guest *guest = context;

	if (guest->unit && hvk_storvsc_block(guest->unit) == block)
		guest->unit = NULL;
	guest->unit_gone++;
}

static void added(void *context, struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit)
{
	struct guest *guest = context;

	(void)controller;
	guest->added++;
	hvk_storvsc_block(unit)->hooks = (struct hvk_block_hooks){.gone = unit_gone, .context = guest};
	if (!guest->unit)
		guest->unit = unit;
}

static void gone(void *context, struct hvk_storvsc *controller)
{
	(void)controller;
	((struct guest *)context)->gone++;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid type = VMBUS_GUID_STORVSC;
	struct guest *guest = context;

	(void)again;
	if (memcmp(&hvk_channel_offer(channel)->type, &type, sizeof(type)) == 0)
		guest->channel = channel;
}

static bool finish(struct guest *guest, const char *what)
{
	hvk_status status = hvk_wait(guest->hvk, &guest->request, REQUEST_MS);

	if (status == HVK_OK)
		return true;
	complain(guest, what);
	return false;
}

static void with_controller(struct guest *guest)
{
	const struct hvk_storvsc_config config = {
		.queues = guest->cpus, .added = added, .gone = gone, .context = guest, .bounce_pages = 16};
	uint32_t pages;

	if (hvk_storvsc_create(guest->channel, &config, &guest->controller) != HVK_OK) {
		complain(guest, "create");
		return;
	}
	hvk_storvsc_attach(guest->controller, &guest->request);
	if (finish(guest, "attach")) {
		guest->session(guest);
		hvk_storvsc_detach(guest->controller, &guest->request);
		(void)finish(guest, "detach");
	}
	/* Once more, for memory that stays somewhere: vmbus keeps a channel's, once it has any; that of
	 * a sub-channel until the host has taken it back. */
	poll_for(guest, 100);
	pages = hosted_pages_in_use(guest->machine);
	hvk_storvsc_attach(guest->controller, &guest->request);
	(void)hvk_wait(guest->hvk, &guest->request, REQUEST_MS); /* fails where it was taken back */
	hvk_storvsc_detach(guest->controller, &guest->request);
	(void)finish(guest, "second detach");
	poll_for(guest, 100);
	if (hosted_pages_in_use(guest->machine) != pages)
		complain(guest, "memory that was not given back");
	if (hvk_storvsc_destroy(guest->controller) != HVK_OK)
		complain(guest, "destroy of the controller");
}

static void with_bus(struct guest *guest)
{
	const struct hvk_vmbus_config bus = {.offered = offered, .context = guest};

	hvk_vmbus_connect(guest->hvk, &bus, &guest->request);
	if (!finish(guest, "connect"))
		return;
	if (guest->channel)
		with_controller(guest);
	else
		complain(guest, "no channel");
	hvk_vmbus_disconnect(guest->hvk, &guest->request);
	(void)finish(guest, "disconnect");
}

static void boot_cpu(void *context)
{
	struct guest *guest = context;
	const struct hvk_port *port = hosted_port(guest->machine);

	if (port->pages_alloc(port->context, PAGES, HVK_PAGE_HOST_WRITES, &guest->pages) != HVK_OK ||
	    hvk_start(guest->hvk) != HVK_OK || hvk_cpu_start(guest->hvk) != HVK_OK) {
		complain(guest, "start");
		return;
	}
	poll_for(guest, 10); /* the other CPUs start */
	with_bus(guest);
	port->pages_free(port->context, &guest->pages);
}

struct cpu {
	struct guest *guest;
	uint32_t index;
};

static void other_cpu(void *context)
{
	struct cpu *cpu = context;
	struct guest *guest = cpu->guest;

	hosted_wait(guest->machine, 1000000); /* hvk_start comes first */
	if (hvk_cpu_start(guest->hvk) != HVK_OK)
		complain(guest, "start of another CPU");
	while (!hosted_stopping(guest->machine)) {
		if (!hvk_poll(guest->hvk, cpu->index))
			hosted_wait(guest->machine, 1000000);
	}
	(void)hvk_cpu_stop(guest->hvk);
}

static void interrupt(void *context, uint32_t cpu)
{
	hvk_interrupt(((struct guest *)context)->hvk, cpu);
}

static void violation(void *context, const struct hvh_violation *found)
{
	struct guest *guest = context;

	if (guest->violations++ == 0)
		snprintf(guest->violation, sizeof(guest->violation), "%s", found->text);
}

static void run(const char *profile, uint32_t cpus, uint64_t seed, void (*session)(struct guest *guest))
{
	struct guest *guest = calloc(1, sizeof(*guest));
	const struct hosted_config config = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = cpus,
					     .profile = hvh_profile_find(profile),
					     .seed = seed,
					     .violation = violation,
					     .context = guest};
	const struct hvk_config hvk_config = {.cpus = cpus, .interrupts = true, .vector = VECTOR};
	const struct hvh_storage_config storage = {.class_ = HVH_STORAGE_SCSI};
	const struct hvh_unit_config unit = {.serial = "FIRST"};
	struct cpu others[HVK_CPUS_MAX];
	struct hvh_image cached;

	guest->machine = hosted_create(&config);
	guest->session = session;
	guest->cpus = cpus;
	assert_non_null(guest->machine);
	assert_int_equal(hvk_create(hosted_port(guest->machine), &hvk_config, &guest->hvk), HVK_OK);
	guest->storage = hvh_storage_create(hosted_partition(guest->machine), &storage);
	assert_non_null(guest->storage);
	assert_true(hvh_image_memory(DISK_BYTES, &guest->image));
	assert_non_null(hvh_write_cache_create(&guest->image, 512, seed, &cached));
	assert_true(hvh_storage_add(guest->storage, 0, 0, 0, &unit, &cached));
	hosted_set_interrupt(guest->machine, interrupt, guest);
	hosted_set_program(guest->machine, 0, boot_cpu, guest);
	for (uint32_t i = 1; i < cpus; i++) {
		others[i] = (struct cpu){guest, i};
		hosted_set_program(guest->machine, i, other_cpu, &others[i]);
	}
	if (!hosted_run(guest->machine, LIMIT_MS))
		fail_msg("%s, %u CPUs: never at its end", profile, cpus);
	if (guest->wrong)
		fail_msg("%s, %u CPUs, seed %u: %s", profile, cpus, (unsigned)seed, guest->wrong);
	if (guest->violations != 0)
		fail_msg("%s, %u CPUs: %s", profile, cpus, guest->violation);
	assert_int_equal(hosted_writes_to_free_memory(guest->machine), 0);
	hosted_destroy(guest->machine);
	free(guest);
}

static void every_host(void **state)
{
	static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2",
					       "ws2016",   "ws2022", "openvmm"};

	(void)state;
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (!hvh_profile_find(profiles[i]))
			continue;
		run(profiles[i], 1, 1, work);
		if (i != 0)
			run(profiles[i], 4, 2, work);
	}
}

static void disks_come_and_go(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++)
		run("ws2022", 2, seed, coming_and_going);
}

static void the_controller_goes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		run(seed % 2 ? "ws2022" : "ws2012r2", 1 + seed % 4, seed, taken_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host),
		cmocka_unit_test(disks_come_and_go),
		cmocka_unit_test(the_controller_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
