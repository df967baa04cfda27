/* SPDX-License-Identifier: MIT */
/*
 * A virtual function beside a card: what the guest is told and when, which way frames take, and how it
 * leaves. The card is the real one on a channel of the test's; the bus is only noted.
 */
#include "host_netvsp_fake.h"

#include "host/core/dump.h"
#include "host/virtio/net.h"
#include "hvkit/wire/virtio.h"
#include "hvkit_host/vf.h"

#define SECOND HVH_TIME_PER_SECOND
#define ASSOCIATION 0x8000000000000000ull
#define MEMORY_BASE 0x100000ull
#define MEMORY_SIZE 0x100000u
#define RECEIVE_BUFFERS 16u

/* --- The bus, and memory -------------------------------------------------------------------------- */

struct hvh_vpci {
	struct hvh_pci_model model;
	bool offered, ejecting;
	uint32_t serial;
	uint32_t offers, ejects, rescinds;
	uint64_t eject_wait;
};

static struct hvh_vpci the_bus;
static uint8_t memory[MEMORY_SIZE];

struct hvh_vpci *hvh_vpci_create(struct hvh_partition *partition, const struct hvh_vpci_config *config,
				 const struct hvh_pci_model *model)
{
	(void)partition;
	assert_true(config->away);
	the_bus = (struct hvh_vpci){.model = *model, .eject_wait = config->eject_wait};
	return &the_bus;
}

bool hvh_vpci_offer(struct hvh_vpci *bus, uint64_t now, uint32_t serial)
{
	(void)now;
	assert_false(bus->offered);
	bus->offered = true;
	bus->ejecting = false;
	bus->serial = serial;
	bus->offers++;
	return true;
}

bool hvh_vpci_is_offered(const struct hvh_vpci *bus)
{
	return bus->offered;
}

bool hvh_vpci_eject(struct hvh_vpci *bus, uint64_t now)
{
	(void)now;
	bus->ejecting = true;
	bus->ejects++;
	return true;
}

bool hvh_vpci_is_leaving(const struct hvh_vpci *bus)
{
	return bus->ejecting;
}

bool hvh_vpci_rescind(struct hvh_vpci *bus, uint64_t now)
{
	(void)now;
	bus->model.reset(bus->model.context, now);
	bus->offered = bus->ejecting = false;
	bus->rescinds++;
	return true;
}

void hvh_vpci_interrupt(struct hvh_vpci *bus, uint64_t now, uint32_t entry)
{
	(void)bus;
	(void)now;
	(void)entry;
}

void hvh_kick(struct hvh_partition *partition)
{
	(void)partition;
}

void hvh_note(struct hvh_partition *partition, uint64_t now, uint32_t channel_id, const char *format, ...)
{
	(void)partition;
	(void)now;
	(void)channel_id;
	(void)format;
}

static uint8_t *memory_at(uint64_t gpa, uint32_t length)
{
	assert_true(gpa >= MEMORY_BASE && gpa - MEMORY_BASE + length <= MEMORY_SIZE);
	return memory + (gpa - MEMORY_BASE);
}

bool hvh_memory_read(struct hvh_partition *partition, uint64_t gpa, void *to, uint32_t length)
{
	(void)partition;
	memcpy(to, memory_at(gpa, length), length);
	return true;
}

bool hvh_memory_write(struct hvh_partition *partition, uint64_t gpa, const void *from, uint32_t length)
{
	(void)partition;
	memcpy(memory_at(gpa, length), from, length);
	return true;
}

bool hvh_memory_load16(struct hvh_partition *partition, uint64_t gpa, uint16_t *value)
{
	return hvh_memory_read(partition, gpa, value, sizeof *value);
}

bool hvh_memory_store16(struct hvh_partition *partition, uint64_t gpa, uint16_t value)
{
	return hvh_memory_write(partition, gpa, &value, sizeof value);
}

bool hvh_memory_load32(struct hvh_partition *partition, uint64_t gpa, uint32_t *value)
{
	return hvh_memory_read(partition, gpa, value, sizeof *value);
}

bool hvh_memory_store32(struct hvh_partition *partition, uint64_t gpa, uint32_t value)
{
	return hvh_memory_write(partition, gpa, &value, sizeof value);
}

void hvh_memory_barrier(void)
{
}

/* --- A driver: one pair of queues ------------------------------------------------------------------ */

static void reg(uint32_t offset, unsigned width, uint64_t value)
{
	the_bus.model.write(the_bus.model.context, 1, 0, offset, width, value);
}

#define CONFIG_AT 0x2000u
#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))

static void start_driver(void)
{
	const uint8_t ready = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK;

	memset(memory, 0, sizeof memory);
	the_bus.model.enabled(the_bus.model.context, 1, true, true);
	reg(COMMON(status), 1, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	reg(COMMON(driver_feature_select), 4, 1);
	reg(COMMON(driver_feature), 4, VIRTIO_F_VERSION_1 >> 32);
	reg(COMMON(status), 1, ready);
	for (uint32_t n = 0; n < 2; n++) {
		uint64_t at = MEMORY_BASE + n * 0x4000;

		reg(COMMON(queue_select), 2, n);
		reg(COMMON(queue_descriptors), 8, at);
		reg(COMMON(queue_driver), 8, at + 0x1000);
		reg(COMMON(queue_device), 8, at + 0x2000);
		reg(COMMON(queue_enable), 2, 1);
	}
	for (uint16_t n = 0; n < RECEIVE_BUFFERS; n++) {
		const struct virtq_descriptor buffer = {MEMORY_BASE + 0x10000 + n * 0x1000ull, 2048,
							VIRTQ_DESCRIPTOR_WRITE, 0};

		memcpy(memory + n * sizeof buffer, &buffer, sizeof buffer);
		memcpy(memory + 0x1004 + 2 * n, &n, sizeof n);
	}
	memory[0x1002] = RECEIVE_BUFFERS;
	reg(COMMON(status), 1, ready | VIRTIO_STATUS_DRIVER_OK);
}

/* Frames that have come by the VF since start_driver. */
static uint32_t by_vf(void)
{
	while (the_bus.model.run(the_bus.model.context, 1))
		;
	return memory[0x2002];
}

/* --- The guest's card ------------------------------------------------------------------------------- */

struct scene {
	struct fake *fake;
	struct hvh_vf *vf;
};

static struct scene begin(const struct hvh_vf_config *config)
{
	struct scene scene = {.fake = fake_create()};

	scene.vf = hvh_vf_create(&scene.fake->partition, scene.fake->nic, config);
	assert_non_null(scene.vf);
	return scene;
}

static void end(struct scene *scene)
{
	fake_expect_lawful(scene->fake);
	the_bus.model.destroy(the_bus.model.context);
	fake_destroy(scene->fake);
}

static void bring_up(struct fake *fake)
{
	struct nvs_ndis_config config = {
		.type = NVS_TYPE_NDIS_CONFIG, .mtu = 1514, .capabilities_low = NVS_NDIS_CAPABILITY_SRIOV};
	const struct nvs_buffer buffers[] = {
		{NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE, NVS_RECEIVE_PAGE_SET_ID, 0},
		{NVS_TYPE_SEND_BUFFER, FAKE_GPADL_SEND, NVS_SEND_PAGE_SET_ID, 0}};

	fake_open(fake);
	fake_init(fake, NVS_VERSION_6_1);
	fake_nvs(fake, &config, sizeof config);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	fake_nvs(fake, &buffers[0], sizeof buffers[0]);
	fake_nvs(fake, &buffers[1], sizeof buffers[1]);
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	fake_initialize(fake);
}

static void wait_for(struct fake *fake, uint64_t time)
{
	const uint64_t until = fake->now + time;
	const struct hvh_channel *channel = fake->on;

	for (uint32_t n = 0; n < 1000; n++) {
		uint64_t next = channel->ops->next_event(channel->device, fake->on);

		fake_run(fake);
		if (next > until)
			break;
		if (next > fake->now)
			fake->now = next;
	}
	fake->now = until;
	fake_run(fake);
}

/* The oldest packet tells of a VF; its serial. */
static uint32_t told(struct fake *fake, bool allocated)
{
	const struct fake_packet *packet = fake_take(fake);
	struct nvs_vf_association association;

	assert_int_equal(packet->type, VMBUS_PACKET_IN_BAND);
	assert_true(packet->transaction_id == ASSOCIATION);
	memcpy(&association, packet->payload, sizeof association);
	assert_int_equal(association.type, NVS_TYPE_VF_ASSOCIATION);
	assert_int_equal(association.allocated, allocated);
	return association.serial;
}

static void switch_to(struct fake *fake, uint32_t active)
{
	const struct nvs_switch_data_path path = {NVS_TYPE_SWITCH_DATA_PATH, active};

	fake_expect_completion(fake, fake_nvs(fake, &path, sizeof path), NULL, 0);
}

/* Attached, driven, with the data path. */
static void make_active(struct scene *scene)
{
	bring_up(scene->fake);
	assert_true(hvh_vf_attach(scene->vf, scene->fake->now));
	wait_for(scene->fake, SECOND);
	told(scene->fake, true);
	start_driver();
	switch_to(scene->fake, 1);
	assert_true(hvh_vf_has_data_path(scene->vf));
}

/* --- Coming and going ------------------------------------------------------------------------------- */

static void test_association_comes_first_and_the_offer_a_second_later(void **state)
{
	const struct hvh_vf_config config = {.serial = 0x1234};
	struct scene scene = begin(&config);

	(void)state;
	bring_up(scene.fake);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_AWAY);
	assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
	assert_false(hvh_vf_attach(scene.vf, scene.fake->now));
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_COMING);
	fake_run(scene.fake);
	assert_int_equal(told(scene.fake, true), 0x1234);
	wait_for(scene.fake, SECOND - 2);
	assert_false(the_bus.offered);
	wait_for(scene.fake, 2);
	assert_true(the_bus.offered);
	assert_int_equal(the_bus.serial, 0x1234);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_THERE);
	assert_int_equal(fake_waiting(scene.fake), 0);
	end(&scene);
}

static void test_vf_waits_for_a_guest_that_can_have_it(void **state)
{
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);

	(void)state;
	assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
	scene.fake->now += 10 * SECOND;
	fake_run(scene.fake);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_COMING);
	bring_up(scene.fake); /* takes the message away */
	wait_for(scene.fake, 1);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_THERE);
	end(&scene);
}

static void test_habits_of_the_seed(void **state)
{
	const struct hvh_vf_config config = {.offer_first = 1000, .association_twice = 1000};
	struct scene scene = begin(&config);

	(void)state;
	bring_up(scene.fake);
	assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
	fake_run(scene.fake);
	assert_true(the_bus.offered);
	assert_int_equal(fake_waiting(scene.fake), 0);
	wait_for(scene.fake, 2 * SECOND);
	assert_int_equal(told(scene.fake, true), the_bus.serial);
	assert_int_equal(told(scene.fake, true), the_bus.serial);
	assert_int_equal(fake_waiting(scene.fake), 0);
	end(&scene);
}

static void test_ejected_vf_falls_back_first_and_leaves_when_let_go(void **state)
{
	const struct hvh_vf_config config = {.eject_wait = 7};
	struct scene scene = begin(&config);

	(void)state;
	assert_int_equal(the_bus.eject_wait, 7);
	make_active(&scene);
	assert_true(hvh_vf_detach(scene.vf, scene.fake->now, true));
	assert_false(hvh_vf_detach(scene.vf, scene.fake->now, true));
	assert_false(hvh_vf_has_data_path(scene.vf));
	assert_int_equal(the_bus.ejects, 1);
	fake_run(scene.fake);
	told(scene.fake, false);
	assert_int_equal(the_bus.ejects, 1);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_LEAVING);
	assert_false(hvh_vf_attach(scene.vf, scene.fake->now));
	switch_to(scene.fake, 0); /* what the guest does too */
	the_bus.offered = false;
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_AWAY);
	assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
	end(&scene);
}

static uint64_t next_event(struct fake *fake)
{
	return fake->on->ops->next_event(fake->on->device, fake->on);
}

static void test_vf_that_is_taken_back_while_it_comes_does_not_come(void **state)
{
	struct hvh_vf_config config = {.association_twice = 1000};
	struct scene scene = begin(&config);

	(void)state;
	bring_up(scene.fake);
	for (uint32_t n = 0; n < 2; n++) {
		uint32_t serial;

		assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
		fake_run(scene.fake);
		serial = told(scene.fake, true);
		assert_true(next_event(scene.fake) > scene.fake->now);
		assert_true(next_event(scene.fake) <= scene.fake->now + SECOND);
		assert_true(hvh_vf_detach(scene.vf, scene.fake->now, n == 0));
		assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_AWAY);
		wait_for(scene.fake, 10 * SECOND);
		assert_int_equal(told(scene.fake, false), serial);
		assert_int_equal(fake_waiting(scene.fake), 0);
		assert_int_equal(the_bus.offers + the_bus.ejects + the_bus.rescinds, 0);
		assert_false(hvh_vf_detach(scene.vf, scene.fake->now, false));
	}
	end(&scene);
}

/* Whoever attaches, or detaches, what is away by a migration has the last word. */
static void test_return_of_a_migration_is_called_off(void **state)
{
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct hvh_vf_counters counters;

	(void)state;
	for (uint32_t detach = 0; detach < 2; detach++) {
		struct scene scene = begin(&config);

		make_active(&scene);
		assert_true(hvh_vf_migrate(scene.vf, scene.fake->now, false, SECOND));
		assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
		wait_for(scene.fake, 1);
		if (detach)
			assert_true(hvh_vf_detach(scene.vf, scene.fake->now, false));
		wait_for(scene.fake, 10 * SECOND);
		hvh_vf_get_counters(scene.vf, &counters);
		assert_int_equal(counters.attaches, 2);
		assert_int_equal(hvh_vf_get_state(scene.vf), detach ? HVH_VF_AWAY : HVH_VF_THERE);
		assert_true(next_event(scene.fake) > scene.fake->now + 10 * SECOND);
		end(&scene);
	}
}

static void test_it_is_as_configured(void **state)
{
	const struct hvh_vf_config config = {.mtu_max = 2000, .queues_max = 99};
	struct scene scene = begin(&config);
	struct virtio_net_config shown;

	(void)state;
	for (uint32_t n = 0; n < sizeof shown; n++)
		((uint8_t *)&shown)[n] = (uint8_t)the_bus.model.read(the_bus.model.context, 1, 0,
								     CONFIG_AT + n, 1);
	assert_int_equal(shown.mtu, 2000);
	assert_int_equal(shown.queue_pairs_max, VIRTIO_NET_QUEUE_PAIRS_MAX);
	assert_int_not_equal(shown.speed, 0);
	assert_int_equal(shown.status, VIRTIO_NET_STATUS_LINK_UP);
	end(&scene);
}

static void test_guest_that_began_anew_is_asked_again(void **state)
{
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);

	(void)state;
	make_active(&scene);
	assert_true(hvh_vf_detach(scene.vf, scene.fake->now, true));
	wait_for(scene.fake, SECOND);
	assert_int_equal(the_bus.ejects, 1);
	the_bus.ejecting = false; /* closed, and opened again */
	wait_for(scene.fake, 1);
	assert_int_equal(the_bus.ejects, 2);
	end(&scene);
}

static void test_each_return_has_another_serial(void **state)
{
	const struct hvh_vf_config config = {.serial = 5, .offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);
	uint32_t last = 0;

	(void)state;
	bring_up(scene.fake);
	for (uint32_t n = 0; n < 10; n++) {
		assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
		wait_for(scene.fake, 1);
		assert_int_not_equal(the_bus.serial, last);
		last = the_bus.serial;
		assert_int_equal(told(scene.fake, true), last);
		assert_true(hvh_vf_detach(scene.vf, scene.fake->now, false));
		fake_run(scene.fake);
		assert_int_equal(told(scene.fake, false), last);
	}
	assert_int_equal(the_bus.rescinds, 10);
	end(&scene);
}

static void test_migration_brings_it_back_after_its_time(void **state)
{
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);
	struct hvh_vf_counters counters;

	(void)state;
	assert_false(hvh_vf_migrate(scene.vf, scene.fake->now, false, SECOND));
	make_active(&scene);
	assert_true(hvh_vf_migrate(scene.vf, scene.fake->now, true, SECOND));
	fake_run(scene.fake);
	told(scene.fake, false);
	wait_for(scene.fake, 2 * SECOND);
	assert_int_equal(the_bus.offers, 1); /* the guest has not let go */
	the_bus.offered = false;
	wait_for(scene.fake, SECOND);
	assert_int_equal(the_bus.offers, 2);
	assert_int_equal(told(scene.fake, true), the_bus.serial);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_THERE);
	hvh_vf_get_counters(scene.vf, &counters);
	assert_int_equal(counters.migrations, 1);
	assert_int_equal(counters.attaches, 2);
	assert_int_equal(counters.switches_to_vf, 1);
	end(&scene);
}

static void test_reattached_card_has_the_data_path_and_is_told_again(void **state)
{
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);

	(void)state;
	make_active(&scene);
	fake_close(scene.fake);
	assert_false(hvh_vf_has_data_path(scene.vf));
	assert_true(the_bus.offered);
	bring_up(scene.fake); /* takes the message away */
	wait_for(scene.fake, 1);
	assert_int_equal(the_bus.offers, 1);
	switch_to(scene.fake, 1);
	assert_true(hvh_vf_has_data_path(scene.vf));
	end(&scene);
}

static void test_bus_that_comes_and_goes_by_itself_is_followed(void **state)
{
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);

	(void)state;
	make_active(&scene);
	the_bus.offered = false;
	wait_for(scene.fake, 1);
	told(scene.fake, false);
	assert_false(hvh_vf_has_data_path(scene.vf));
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_AWAY);
	the_bus.offered = true;
	wait_for(scene.fake, 1);
	told(scene.fake, true);
	assert_int_equal(hvh_vf_get_state(scene.vf), HVH_VF_THERE);
	end(&scene);
}

/* --- Frames ------------------------------------------------------------------------------------------ */

static bool receive(struct scene *scene, const uint8_t to[6], uint8_t from)
{
	uint8_t frame[60] = {0};

	memcpy(frame, to, 6);
	frame[11] = from; /* who sent it is the flow of what is not IP */
	frame[12] = 0x88;
	frame[13] = 0xb5;
	return hvh_nic_receive(scene->fake->nic, scene->fake->now, frame, sizeof frame);
}

/* What came by the card is taken and given back. */
static void drain(struct fake *fake)
{
	fake_run(fake);
	while (fake_waiting(fake) > 0)
		fake_complete(fake, fake_take(fake)->transaction_id);
}

static void test_first_frames_and_groups_come_by_the_card(void **state)
{
	static const uint8_t own[6] = {0x00, 0x15, 0x5d, 1, 2, 3};
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct hvh_vf_config config = {.first_frames = 2};
	struct scene scene = begin(&config);
	struct hvh_vf_counters counters;

	(void)state;
	make_active(&scene);
	for (uint32_t flow = 1; flow <= 2; flow++)
		for (uint32_t n = 0; n < 5; n++)
			assert_true(receive(&scene, own, (uint8_t)flow));
	assert_int_equal(by_vf(), 6);
	receive(&scene, broadcast, 1);
	assert_int_equal(by_vf(), 6);
	hvh_vf_get_counters(scene.vf, &counters);
	assert_int_equal(counters.steered_to_card, 5);
	assert_int_equal(counters.to_guest_frames, 6);
	/* Another switch: each flow is learnt anew. */
	drain(scene.fake);
	switch_to(scene.fake, 0);
	assert_true(receive(&scene, own, 1));
	drain(scene.fake);
	switch_to(scene.fake, 1);
	for (uint32_t n = 0; n < 3; n++)
		assert_true(receive(&scene, own, 1));
	assert_int_equal(by_vf(), 7);
	end(&scene);
}

struct flow {
	uint8_t source, destination, source_port, destination_port, protocol;
};

static void receive_flow(struct scene *scene, const struct flow *flow)
{
	static const uint8_t headers[] = {0x00, 0x15, 0x5d, 1,  2, 3, 2,    0, 0,    0, 0, 1, 0x08, 0,
					  0x45, 0,    0,    28, 0, 0, 0,    0, 64,   0, 0, 0, 10,   0,
					  0,    0,    10,   0,  0, 0, 0x10, 0, 0x20, 0, 0, 8, 0,    0};
	uint8_t frame[60] = {0};

	memcpy(frame, headers, sizeof headers);
	frame[23] = flow->protocol;
	frame[29] = flow->source;
	frame[33] = flow->destination;
	frame[35] = flow->source_port;
	frame[37] = flow->destination_port;
	assert_true(hvh_nic_receive(scene->fake->nic, scene->fake->now, frame, sizeof frame));
}

/* One is known by addresses, ports and protocol, all of them. */
static void test_each_flow_comes_by_the_card_first(void **state)
{
	static const struct flow flows[] = {
		{1, 2, 3, 4, 17}, {9, 2, 3, 4, 17}, {1, 9, 3, 4, 17},
		{1, 2, 9, 4, 17}, {1, 2, 3, 9, 17}, {1, 2, 3, 4, 6},
	};
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);
	struct hvh_vf_counters counters;

	(void)state;
	make_active(&scene);
	for (uint32_t n = 0; n < sizeof flows / sizeof flows[0]; n++) {
		for (uint32_t k = 0; k < 3; k++)
			receive_flow(&scene, &flows[n]);
		hvh_vf_get_counters(scene.vf, &counters);
		assert_int_equal(counters.steered_to_card, n + 1);
		assert_int_equal(by_vf(), 2 * (n + 1));
	}
	hvh_vf_get_counters(scene.vf, &counters);
	assert_int_equal(counters.to_guest_bytes, 60 * counters.to_guest_frames);
	end(&scene);
}

static void test_frames_for_a_vf_that_is_not_up_are_lost(void **state)
{
	static const uint8_t own[6] = {0x00, 0x15, 0x5d, 1, 2, 3};
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);
	struct hvh_vf_counters counters;

	(void)state;
	make_active(&scene);
	reg(COMMON(status), 1, 0);
	assert_true(receive(&scene, own, 1)); /* a first one */
	assert_false(receive(&scene, own, 1));
	hvh_vf_get_counters(scene.vf, &counters);
	assert_int_equal(counters.dropped, 1);
	end(&scene);
}

static void test_link_is_the_cards_and_its_own(void **state)
{
	static const uint8_t own[6] = {0x00, 0x15, 0x5d, 1, 2, 3};
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);

	(void)state;
	assert_false(hvh_vf_set_link(scene.vf, scene.fake->now, false));
	make_active(&scene);
	receive(&scene, own, 1);
	assert_true(receive(&scene, own, 1));
	assert_true(hvh_vf_set_link(scene.vf, scene.fake->now, false));
	assert_false(receive(&scene, own, 1));
	assert_true(hvh_vf_set_link(scene.vf, scene.fake->now, true));
	assert_true(receive(&scene, own, 1));
	hvh_nic_set_link(scene.fake->nic, scene.fake->now, false);
	assert_true(hvh_vf_set_link(scene.vf, scene.fake->now, true)); /* of no use */
	hvh_nic_set_link(scene.fake->nic, scene.fake->now, true);
	assert_true(receive(&scene, own, 1));
	end(&scene);
}

static void test_switch_in_trouble_is_late_or_never(void **state)
{
	const struct nvs_switch_data_path path = {NVS_TYPE_SWITCH_DATA_PATH, 0};
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);
	uint64_t id;

	(void)state;
	make_active(&scene);
	scene.fake->partition.choice = 99;
	hvh_vf_set_switch_trouble(scene.vf, 99, false);
	id = fake_nvs(scene.fake, &path, sizeof path);
	assert_true(hvh_vf_has_data_path(scene.vf));
	wait_for(scene.fake, 98);
	assert_int_equal(fake_waiting(scene.fake), 0);
	wait_for(scene.fake, 1);
	fake_expect_completion(scene.fake, id, NULL, 0);
	assert_false(hvh_vf_has_data_path(scene.vf));
	hvh_vf_set_switch_trouble(scene.vf, 0, true);
	fake_nvs(scene.fake, &path, sizeof path);
	wait_for(scene.fake, 10 * SECOND);
	assert_int_equal(fake_waiting(scene.fake), 0);
	end(&scene);
}

static void test_host_switches_by_itself_for_guests_that_do_not(void **state)
{
	static const uint8_t own[6] = {0x00, 0x15, 0x5d, 1, 2, 3};
	const struct hvh_vf_config config = {.offer_delay = UINT64_MAX};
	struct scene scene = begin(&config);

	(void)state;
	assert_false(hvh_vf_switch(scene.vf, scene.fake->now, true)); /* no card, no VF */
	bring_up(scene.fake);
	assert_false(hvh_vf_switch(scene.vf, scene.fake->now, true));
	assert_true(hvh_vf_attach(scene.vf, scene.fake->now));
	wait_for(scene.fake, 1);
	start_driver();
	assert_true(hvh_vf_switch(scene.vf, scene.fake->now, true));
	assert_true(hvh_vf_has_data_path(scene.vf));
	for (uint32_t n = 0; n < 3; n++)
		assert_true(receive(&scene, own, 1));
	assert_int_equal(by_vf(), 2);
	assert_true(hvh_vf_switch(scene.vf, scene.fake->now, false));
	assert_false(hvh_vf_has_data_path(scene.vf));
	for (uint32_t n = 0; n < 3; n++)
		assert_true(receive(&scene, own, 1));
	assert_int_equal(by_vf(), 2);
	assert_true(hvh_vf_switch(scene.vf, scene.fake->now, true)); /* flows are learnt anew */
	for (uint32_t n = 0; n < 3; n++)
		assert_true(receive(&scene, own, 1));
	assert_int_equal(by_vf(), 4);
	end(&scene);
}

static void test_one_for_each_card(void **state)
{
	const struct hvh_vf_config config = {0};
	struct scene scene = begin(&config);

	(void)state;
	assert_ptr_equal(hvh_vf_of(scene.fake->nic), scene.vf);
	assert_null(hvh_vf_create(&scene.fake->partition, scene.fake->nic, &config));
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_association_comes_first_and_the_offer_a_second_later),
		cmocka_unit_test(test_vf_waits_for_a_guest_that_can_have_it),
		cmocka_unit_test(test_habits_of_the_seed),
		cmocka_unit_test(test_ejected_vf_falls_back_first_and_leaves_when_let_go),
		cmocka_unit_test(test_vf_that_is_taken_back_while_it_comes_does_not_come),
		cmocka_unit_test(test_return_of_a_migration_is_called_off),
		cmocka_unit_test(test_it_is_as_configured),
		cmocka_unit_test(test_guest_that_began_anew_is_asked_again),
		cmocka_unit_test(test_each_return_has_another_serial),
		cmocka_unit_test(test_migration_brings_it_back_after_its_time),
		cmocka_unit_test(test_reattached_card_has_the_data_path_and_is_told_again),
		cmocka_unit_test(test_bus_that_comes_and_goes_by_itself_is_followed),
		cmocka_unit_test(test_first_frames_and_groups_come_by_the_card),
		cmocka_unit_test(test_each_flow_comes_by_the_card_first),
		cmocka_unit_test(test_frames_for_a_vf_that_is_not_up_are_lost),
		cmocka_unit_test(test_link_is_the_cards_and_its_own),
		cmocka_unit_test(test_switch_in_trouble_is_late_or_never),
		cmocka_unit_test(test_host_switches_by_itself_for_guests_that_do_not),
		cmocka_unit_test(test_one_for_each_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
