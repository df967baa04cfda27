/* SPDX-License-Identifier: MIT */
/*
 * libslirp behind the card, with a card that takes frames down: a lease, a closed
 * port, a full card, two instances in one thread. Nothing leaves this machine.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "host/backends/slirp_filter.h"

#define FRAMES 64u
#define PATIENCE_SECONDS 20

struct hvh_nic {
	pthread_mutex_t mutex; /* the partition's lock */
	pthread_cond_t came;
	uint32_t room, count;
	uint32_t length[FRAMES];
	uint8_t frame[FRAMES][2048];
};

/* Called by the thread, with the lock held. */
bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	if (now != 4711 || pthread_mutex_trylock(&nic->mutex) != EBUSY || nic->count == FRAMES ||
	    length > 2048)
		abort();
	memcpy(nic->frame[nic->count], frame, length);
	nic->length[nic->count++] = length;
	nic->room--;
	pthread_cond_broadcast(&nic->came);
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now)
{
	(void)now;
	return nic->room;
}

static void lock(void *context)
{
	pthread_mutex_lock(&((struct hvh_nic *)context)->mutex);
}

static void unlock(void *context)
{
	pthread_mutex_unlock(&((struct hvh_nic *)context)->mutex);
}

static uint64_t now(void *context)
{
	(void)context;
	return 4711;
}

struct scene {
	struct hvh_nic nic;
	struct hvh_slirp *slirp;
	struct hvh_backend backend;
};

static struct scene *scene_create(uint32_t room)
{
	const struct hvh_slirp_config config = {.restricted = true};
	struct scene *scene = calloc(1, sizeof *scene);
	const struct hvh_slirp_lock guard = {&scene->nic, lock, unlock, now};
	char error[128] = "";

	pthread_mutex_init(&scene->nic.mutex, NULL);
	pthread_cond_init(&scene->nic.came, NULL);
	scene->nic.room = room;
	scene->slirp = hvh_slirp_create(&config, &guard, error, sizeof error);
	if (scene->slirp == NULL)
		fail_msg("%s", error);
	hvh_slirp_backend(scene->slirp, &scene->backend);
	hvh_slirp_attach(scene->slirp, &scene->nic);
	return scene;
}

static void scene_destroy(struct scene *scene)
{
	hvh_slirp_destroy(scene->slirp);
	pthread_mutex_destroy(&scene->nic.mutex);
	pthread_cond_destroy(&scene->nic.came);
	free(scene);
}

static void send_frame(struct scene *scene, const void *frame, uint32_t length)
{
	lock(&scene->nic);
	scene->backend.transmit(scene->backend.context, frame, length);
	scene->backend.flush(scene->backend.context);
	unlock(&scene->nic);
}

/* Waits until that many frames have come. */
static void expect_frames(struct scene *scene, uint32_t count)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECONDS;
	lock(&scene->nic);
	while (scene->nic.count < count)
		assert_int_equal(pthread_cond_timedwait(&scene->nic.came, &scene->nic.mutex, &until), 0);
	unlock(&scene->nic);
}

static const uint8_t guest_mac[] = {0x00, 0x15, 0x5d, 1, 2, 3};
static const uint8_t everybody[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void send_discover(struct scene *scene)
{
	uint8_t frame[342] = {0};
	uint8_t *udp = frame + 34, *bootp = frame + 42;

	memcpy(udp, "\x00\x44\x00\x43\x01\x34", 6); /* 68 to 67, 308 bytes */
	memcpy(bootp, "\x01\x01\x06\x00\xde\xad\xbe\xef", 8);
	memcpy(bootp + 28, guest_mac, sizeof guest_mac);
	memcpy(bootp + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8);
	assert_int_equal(hvh_ipv4_finish(frame, everybody, guest_mac, 0, 0xffffffffu, IPV4_PROTOCOL_UDP, 308),
			 sizeof frame);
	send_frame(scene, frame, sizeof frame);
}

static void expect_offer(struct scene *scene)
{
	const uint8_t *bootp = scene->nic.frame[0] + 42;

	expect_frames(scene, 1);
	assert_true(scene->nic.length[0] > 42 + 243);
	assert_memory_equal(scene->nic.frame[0] + 34, "\x00\x43\x00\x44", 4);
	assert_memory_equal(bootp, "\x02\x01\x06\x00\xde\xad\xbe\xef", 8);
	assert_memory_equal(bootp + 16, "\x0a\x00\x02\x0f", 4); /* 10.0.2.15 */
	assert_memory_equal(bootp + 236, "\x63\x82\x53\x63\x35\x01\x02", 7);
}

static void test_dhcp_offer(void **state)
{
	struct scene *scene = scene_create(FRAMES);

	(void)state;
	send_discover(scene);
	expect_offer(scene);
	assert_int_equal(hvh_slirp_refused(scene->slirp), 0);
	assert_int_equal(hvh_slirp_dropped(scene->slirp), 0);
	scene_destroy(scene);
}

static void test_two_instances_and_again(void **state)
{
	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		struct scene *one = scene_create(FRAMES), *two = scene_create(FRAMES);

		send_discover(two);
		expect_offer(two);
		scene_destroy(two);
		send_discover(one);
		expect_offer(one);
		scene_destroy(one);
	}
}

static void test_closed_port_is_reset(void **state)
{
	struct scene *scene = scene_create(FRAMES);
	uint8_t frame[54] = {0};

	(void)state;
	memcpy(frame + 34, "\x9c\x40\x00\x16\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02", 14);
	hvh_ipv4_finish(frame, everybody, guest_mac, 0x0a00020f, 0x0a000202, IPV4_PROTOCOL_TCP, TCP_HEADER);
	send_frame(scene, frame, sizeof frame);
	expect_frames(scene, 1);
	assert_int_equal(scene->nic.length[0], HVH_SLIRP_RESET_SIZE);
	assert_int_equal(scene->nic.frame[0][47], TCP_RST | TCP_ACK);
	assert_int_equal(hvh_slirp_refused(scene->slirp), 1);
	scene_destroy(scene);
}

/* The card has no room: the frames wait, and none is lost. */
static void test_full_card_is_waited_for(void **state)
{
	struct scene *scene = scene_create(1);

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		send_discover(scene);
	expect_frames(scene, 1);
	lock(&scene->nic);
	assert_int_equal(scene->nic.count, 1);
	scene->nic.room = FRAMES;
	unlock(&scene->nic);
	expect_frames(scene, 10);
	assert_int_equal(hvh_slirp_dropped(scene->slirp), 0);
	scene_destroy(scene);
}

static void test_wrong_directory(void **state)
{
	struct hvh_slirp_config config = {.tftp_directory = "/nonexistent"};
	const struct hvh_slirp_lock guard = {NULL, lock, unlock, now};
	char error[128];

	(void)state;
	assert_null(hvh_slirp_create(&config, &guard, error, sizeof error));
	assert_string_equal(error, "TFTP directory /nonexistent: No such file or directory");
	config.tftp_directory = "/dev/null";
	assert_null(hvh_slirp_create(&config, &guard, error, sizeof error));
	assert_string_equal(error, "TFTP directory /dev/null: not a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_offer),           cmocka_unit_test(test_two_instances_and_again),
		cmocka_unit_test(test_closed_port_is_reset), cmocka_unit_test(test_full_card_is_waited_for),
		cmocka_unit_test(test_wrong_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
