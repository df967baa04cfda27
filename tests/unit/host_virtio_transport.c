/* SPDX-License-Identifier: MIT */
/* Registers, bring-up and queues of a virtio device: what a driver may do, and what it may not. */
#include "host_virtio_driver.h"

#define RX 0u
#define TX 1u

static const struct virtio_net_header plain;

static void select_queue(struct hvh_partition *p, uint32_t queue)
{
	reg_write(p, COMMON(queue_select), 2, queue);
}

/* --- What there is ---------------------------------------------------------------------------------- */

static void test_capabilities_point_into_the_register_bar(void **state)
{
	struct hvh_partition *p = scene_create(0);
	const struct hvh_pci_model *model = &p->bus.model;
	uint32_t at = 0, kinds = 0;

	(void)state;
	assert_int_equal(model->vendor_id, 0x1af4);
	assert_int_equal(model->device_id, 0x1041);
	while (at < model->capabilities_size) {
		struct virtio_pci_capability capability;

		memcpy(&capability, model->capabilities + at, sizeof capability);
		assert_int_equal(capability.id, PCI_CAPABILITY_VENDOR);
		assert_int_equal(capability.bar, 0);
		assert_true(capability.size != 0);
		assert_true(capability.offset + capability.size <= model->bars[0].size);
		kinds |= 1u << capability.kind;
		at += capability.length;
	}
	assert_int_equal(kinds, 1u << VIRTIO_PCI_COMMON | 1u << VIRTIO_PCI_NOTIFY | 1u << VIRTIO_PCI_ISR |
					1u << VIRTIO_PCI_DEVICE_CONFIG);
	assert_true(model->bars[model->msix_bar].size / 2 >= model->interrupts * 16u);
	scene_destroy(p);
}

static void test_configuration_has_what_the_card_is(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	for (uint32_t n = 0; n < 6; n++)
		assert_int_equal(reg_read(p, CONFIG_AT + n, 1), own_address[n]);
	assert_int_equal(reg_read(p, CONFIG_AT + 6, 2), VIRTIO_NET_STATUS_LINK_UP);
	assert_int_equal(reg_read(p, CONFIG_AT + 8, 2), 8);
	assert_int_equal(reg_read(p, CONFIG_AT + 10, 2), 9000);
	assert_int_equal(reg_read(p, CONFIG_AT + 12, 4), 10000);
	assert_int_equal(reg_read(p, COMMON(queue_count), 2), 17);
	expect_lawful(p);
	assert_int_equal(reg_read(p, CONFIG_AT + 24, 1), 0);
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, CONFIG_AT, 1, 2);
	expect_violation(p, HVH_V_VIRTIO);
	scene_destroy(p);
}

static void test_what_a_card_lacks_is_not_offered(void **state)
{
	static const struct {
		uint32_t without;
		uint64_t features;
	} cases[] = {
		{HVH_NIC_NO_TX_CHECKSUM, VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6},
		{HVH_NIC_NO_RX_CHECKSUM, VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 |
						 VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS},
		{HVH_NIC_NO_LSO, VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6},
		{HVH_NIC_NO_RSC, VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6},
		{HVH_NIC_NO_IPV6, VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_GUEST_TSO6},
	};
	struct hvh_partition *whole = scene_create(0);

	(void)state;
	for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
		struct hvh_partition *p = scene_create(cases[n].without);

		assert_true((offered(whole) & cases[n].features) == cases[n].features);
		assert_true(offered(p) == (offered(whole) & ~cases[n].features));
		scene_destroy(p);
	}
	scene_destroy(whole);
}

/* --- Bring-up --------------------------------------------------------------------------------------- */

static void test_features_that_do_not_go_together_are_refused(void **state)
{
	static const uint64_t wrong[] = {
		0, /* no VERSION_1 */
		VIRTIO_F_VERSION_1 | VIRTIO_NET_F_HOST_TSO4,
		VIRTIO_F_VERSION_1 | VIRTIO_NET_F_GUEST_TSO6,
		VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MQ,
		VIRTIO_F_VERSION_1 | VIRTIO_NET_F_CTRL_RX,
	};

	(void)state;
	for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
		struct hvh_partition *p = scene_create(0);

		assert_false(negotiate(p, wrong[n]));
		expect_violation(p, HVH_V_VIRTIO);
		scene_destroy(p);
	}
}

static void test_feature_that_is_not_offered_is_refused(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	assert_false(negotiate(p, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_RSS));
	expect_violation(p, HVH_V_VIRTIO);
	set_status(p, 0);
	assert_true(negotiate(p, VIRTIO_F_VERSION_1));
	expect_lawful(p);
	scene_destroy(p);
}

static void test_status_is_written_in_order(void **state)
{
	static const uint8_t wrong[][2] = {
		/* before, written */
		{0, VIRTIO_STATUS_DRIVER},
		{0, VIRTIO_STATUS_ACKNOWLEDGE | 0x10},
		{VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_FEATURES_OK},
		{VIRTIO_STATUS_ACKNOWLEDGE, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_NEEDS_RESET},
		{VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER,
		 VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK},
		{VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER, VIRTIO_STATUS_ACKNOWLEDGE},
	};

	(void)state;
	for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
		struct hvh_partition *p = scene_create(0);

		set_status(p, wrong[n][0]);
		expect_lawful(p);
		set_status(p, wrong[n][1]);
		expect_violation(p, HVH_V_VIRTIO);
		assert_int_equal(reg_read(p, COMMON(status), 1), wrong[n][0]);
		scene_destroy(p);
	}
}

static void test_reset_forgets_everything(void **state)
{
	struct hvh_partition *p = scene_create(0);
	uint8_t frame[100] = {0};

	(void)state;
	bring_up(p, VIRTIO_NET_F_MRG_RXBUF, 1, 256);
	assert_true(virtio_net_receive(p->net, p->now, frame, sizeof frame));
	assert_true(virtio_net_is_running(p->net));
	set_status(p, 0);
	assert_int_equal(reg_read(p, COMMON(status), 1), 0);
	assert_false(virtio_net_is_running(p->net));
	select_queue(p, RX);
	assert_int_equal(reg_read(p, COMMON(queue_enable), 2), 0);
	assert_int_equal(reg_read(p, COMMON(queue_vector), 2), VIRTIO_NO_VECTOR);
	assert_true(reg_read(p, COMMON(queue_descriptors), 8) == 0);
	memset(p->memory, 0, MEMORY_SIZE);
	memset(p->queues, 0, sizeof p->queues);
	bring_up(p, VIRTIO_NET_F_MRG_RXBUF, 1, 256);
	post_buffers(p, RX, 0, 4, 2048, 256);
	assert_int_equal(used_index(p, RX), 0); /* what waited before is gone */
	scene_destroy(p);
}

static void test_registers_have_widths_of_their_own(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	reg_read(p, COMMON(device_feature), 2);
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, COMMON(status), 4, 1);
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, COMMON(queue_count), 2, 1);
	expect_violation(p, HVH_V_VIRTIO);
	reg_read(p, NOTIFY_AT, 2);
	expect_violation(p, HVH_V_VIRTIO);
	assert_int_equal(reg_read(p, ISR_AT, 1), 0);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_queue_that_cannot_be_is_not_enabled(void **state)
{
	enum { SIZE, ALIGNMENT, NO_RAM, TWICE, NOT_THERE, LATE, CHOICES };

	(void)state;
	for (unsigned n = 0; n < CHOICES; n++) {
		struct hvh_partition *p = scene_create(0);

		assert_true(negotiate(p, VIRTIO_F_VERSION_1));
		select_queue(p, n == NOT_THERE ? 17 : 1);
		if (n == NOT_THERE)
			assert_int_equal(reg_read(p, COMMON(queue_size), 2), 0);
		else if (n != NO_RAM)
			set_up_queue(p, 1, 256);
		if (n == TWICE) {
			reg_write(p, COMMON(queue_enable), 2, 1);
		} else if (n == LATE) {
			set_status(p, READY_STATUS);
			set_up_queue(p, 3, 16);
		} else if (n == SIZE) {
			select_queue(p, 3);
			reg_write(p, COMMON(queue_size), 2, 24);
		} else if (n == ALIGNMENT) {
			select_queue(p, 3);
			reg_write(p, COMMON(queue_descriptors), 8, queue_gpa(3) + 8);
			reg_write(p, COMMON(queue_driver), 8, queue_gpa(3) + AVAILABLE_AT);
			reg_write(p, COMMON(queue_device), 8, queue_gpa(3) + USED_AT);
			reg_write(p, COMMON(queue_enable), 2, 1);
			assert_int_equal(reg_read(p, COMMON(queue_enable), 2), 0);
		} else {
			reg_write(p, COMMON(queue_enable), 2, 1);
		}
		expect_violation(p, HVH_V_VIRTIO);
		scene_destroy(p);
	}
}

static void test_vector_that_there_is_not_reads_as_none(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	reg_write(p, COMMON(config_vector), 2, 18);
	assert_int_equal(reg_read(p, COMMON(config_vector), 2), VIRTIO_NO_VECTOR);
	select_queue(p, 2);
	reg_write(p, COMMON(queue_vector), 2, 17);
	assert_int_equal(reg_read(p, COMMON(queue_vector), 2), 17);
	reg_write(p, COMMON(queue_vector), 2, 18);
	assert_int_equal(reg_read(p, COMMON(queue_vector), 2), VIRTIO_NO_VECTOR);
	expect_lawful(p);
	scene_destroy(p);
}

/* --- Queues ----------------------------------------------------------------------------------------- */

static void test_notification_of_what_is_not_running_is_a_violation(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	assert_true(negotiate(p, VIRTIO_F_VERSION_1));
	set_up_queue(p, RX, 16);
	reg_write(p, NOTIFY_AT, 2, 0);
	expect_violation(p, HVH_V_VIRTIO);
	set_status(p, READY_STATUS);
	reg_write(p, NOTIFY_AT + 4, 2, 1); /* not enabled */
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, NOTIFY_AT, 2, 1); /* the wrong place */
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, NOTIFY_AT, 4, 0);
	expect_violation(p, HVH_V_VIRTIO);
	reg_write(p, NOTIFY_AT, 2, 0);
	expect_lawful(p);
	scene_destroy(p);
}

/* Each of these in the transmit queue breaks the device. */
enum corruption {
	NO_SUCH_HEAD,
	TOO_FAR,
	TWICE_AVAILABLE,
	CIRCLE,
	NEXT_OUTSIDE,
	UNKNOWN_FLAG,
	READ_BEHIND_WRITE,
	INDIRECT_UNASKED,
	BUFFER_NO_RAM,
	CORRUPTIONS
};

static void corrupt(struct hvh_partition *p, enum corruption kind)
{
	describe(p, TX, 0, buffer(0), 12, VIRTQ_DESCRIPTOR_NEXT, 1);
	describe(p, TX, 1, buffer(4096), 60, 0, 0);
	switch (kind) {
	case CIRCLE:
		describe(p, TX, 1, buffer(4096), 60, VIRTQ_DESCRIPTOR_NEXT, 0);
		break;
	case NEXT_OUTSIDE:
		describe(p, TX, 0, buffer(0), 12, VIRTQ_DESCRIPTOR_NEXT, 16);
		break;
	case UNKNOWN_FLAG:
		describe(p, TX, 1, buffer(4096), 60, 8, 0);
		break;
	case READ_BEHIND_WRITE:
		describe(p, TX, 0, buffer(0), 12, VIRTQ_DESCRIPTOR_NEXT | VIRTQ_DESCRIPTOR_WRITE, 1);
		break;
	case INDIRECT_UNASKED:
		describe(p, TX, 0, buffer(0), 32, VIRTQ_DESCRIPTOR_INDIRECT, 0);
		break;
	case BUFFER_NO_RAM:
		describe(p, TX, 1, MEMORY_BASE - 8, 60, 0, 0);
		break;
	default:
		break;
	}
	show(p, TX, kind == NO_SUCH_HEAD ? 16 : 0, 16);
	if (kind == TWICE_AVAILABLE)
		show(p, TX, 0, 16);
	if (kind == TOO_FAR)
		*half_at(p, queue_gpa(TX) + AVAILABLE_AT + 2) = 17;
}

static void test_corrupt_queue_breaks_the_device_until_it_is_reset(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < CORRUPTIONS; kind++) {
		struct hvh_partition *p = scene_create(0);

		bring_up(p, 0, 1, 16);
		corrupt(p, (enum corruption)kind);
		ring_bell(p, TX);
		expect_violation(p, HVH_V_VIRTQ);
		assert_int_equal(p->sent, 0);
		assert_int_equal(reg_read(p, COMMON(status), 1), READY_STATUS | VIRTIO_STATUS_NEEDS_RESET);
		assert_int_equal(p->interrupts[17], 1);
		assert_false(virtio_net_is_running(p->net));
		ring_bell(p, TX); /* nothing any more */
		expect_lawful(p);
		set_status(p, 0);
		memset(p->memory, 0, MEMORY_SIZE);
		memset(p->queues, 0, sizeof p->queues);
		bring_up(p, 0, 1, 256);
		send_buffer(p, TX, 0, &plain, p->memory, 60);
		assert_int_equal(p->sent, 1);
		scene_destroy(p);
	}
}

static void test_indirect_table_is_a_chain(void **state)
{
	struct hvh_partition *p = scene_create(0);
	struct virtq_descriptor table[2] = {{buffer(0), 12, VIRTQ_DESCRIPTOR_NEXT, 1},
					    {buffer(4096), 60, 0, 0}};

	(void)state;
	bring_up(p, VIRTIO_F_INDIRECT, 1, 16);
	memset(memory_at(p, buffer(4096), 60), 0x5a, 60);
	memcpy(memory_at(p, queue_gpa(TX) + INDIRECT_AT, sizeof table), table, sizeof table);
	describe(p, TX, 3, queue_gpa(TX) + INDIRECT_AT, sizeof table, VIRTQ_DESCRIPTOR_INDIRECT, 0);
	show(p, TX, 3, 16);
	ring_bell(p, TX);
	expect_lawful(p);
	assert_int_equal(p->sent, 1);
	assert_int_equal(p->sent_length[0], 60);
	assert_int_equal(p->sent_bytes[0][59], 0x5a);
	assert_int_equal(take_used(p, TX, 16).id, 3);
	table[0].flags = VIRTQ_DESCRIPTOR_INDIRECT; /* a table in a table */
	memcpy(memory_at(p, queue_gpa(TX) + INDIRECT_AT, sizeof table), table, sizeof table);
	show(p, TX, 3, 16);
	ring_bell(p, TX);
	expect_violation(p, HVH_V_VIRTQ);
	scene_destroy(p);
}

static void test_interrupts_are_held_back_as_the_driver_says(void **state)
{
	struct hvh_partition *p = scene_create(0);
	uint64_t available = queue_gpa(TX) + AVAILABLE_AT;
	uint8_t frame[60] = {0};

	(void)state;
	bring_up(p, 0, 1, 256);
	*half_at(p, available) = VIRTQ_AVAILABLE_NO_INTERRUPT;
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	assert_int_equal(p->interrupts[TX], 0);
	*half_at(p, available) = 0;
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	assert_int_equal(p->interrupts[TX], 1);
	assert_int_equal(reg_read(p, ISR_AT, 1), VIRTIO_ISR_QUEUE);
	assert_int_equal(reg_read(p, ISR_AT, 1), 0);
	scene_destroy(p);

	p = scene_create(0);
	bring_up(p, VIRTIO_F_EVENT_IDX, 1, 256);
	*half_at(p, available + 4 + 512) = 1; /* after the second */
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	assert_int_equal(p->interrupts[TX], 0);
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	assert_int_equal(p->interrupts[TX], 1);
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	assert_int_equal(p->interrupts[TX], 1);
	/* And the device wants to be told of the next. */
	assert_int_equal(*half_at(p, queue_gpa(TX) + USED_AT + 4 + 2048), 3);
	scene_destroy(p);
}

static void test_device_that_is_no_bus_master_touches_no_memory(void **state)
{
	struct hvh_partition *p = scene_create(0);
	const struct hvh_pci_model *model = &p->bus.model;
	uint8_t frame[60] = {0};

	(void)state;
	bring_up(p, 0, 1, 256);
	model->enabled(model->context, p->now, true, false);
	assert_false(virtio_net_is_running(p->net));
	send_buffer(p, TX, 0, &plain, frame, sizeof frame);
	expect_violation(p, HVH_V_VIRTIO);
	assert_int_equal(p->sent, 0);
	assert_int_equal(used_index(p, TX), 0);
	model->enabled(model->context, p->now, true, true);
	settle(p);
	assert_int_equal(p->sent, 1); /* it was shown */
	scene_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capabilities_point_into_the_register_bar),
		cmocka_unit_test(test_configuration_has_what_the_card_is),
		cmocka_unit_test(test_what_a_card_lacks_is_not_offered),
		cmocka_unit_test(test_features_that_do_not_go_together_are_refused),
		cmocka_unit_test(test_feature_that_is_not_offered_is_refused),
		cmocka_unit_test(test_status_is_written_in_order),
		cmocka_unit_test(test_reset_forgets_everything),
		cmocka_unit_test(test_registers_have_widths_of_their_own),
		cmocka_unit_test(test_queue_that_cannot_be_is_not_enabled),
		cmocka_unit_test(test_vector_that_there_is_not_reads_as_none),
		cmocka_unit_test(test_notification_of_what_is_not_running_is_a_violation),
		cmocka_unit_test(test_corrupt_queue_breaks_the_device_until_it_is_reset),
		cmocka_unit_test(test_indirect_table_is_a_chain),
		cmocka_unit_test(test_interrupts_are_held_back_as_the_driver_says),
		cmocka_unit_test(test_device_that_is_no_bus_master_touches_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
