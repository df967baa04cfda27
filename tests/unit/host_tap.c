/* SPDX-License-Identifier: MIT */
/*
 * A TAP interface behind the card, with a card that takes frames down and a packet socket as the
 * kernel's side, in a network namespace of this test's own. Skipped where none can be made.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "host/backends/tap_interface.h"

#define FRAMES 512u
#define PATIENCE_SECONDS 20
#define TYPE 0x88b5u /* for experiments */
#define FRAME 64u
#define UDP 17u
#define FLOWS 16u

struct hvh_nic {
	pthread_mutex_t mutex; /* the partition's lock */
	pthread_cond_t came;
	uint32_t room, count, asked, unplugged;
	uint32_t number[FRAMES];
};

void hvh_nic_set_link(struct hvh_nic *nic, uint64_t now, bool up)
{
	if (now != 4711 || pthread_mutex_trylock(&nic->mutex) != EBUSY || up)
		abort();
	nic->unplugged++;
	pthread_cond_broadcast(&nic->came);
}

/* Called by the thread, with the lock held; the kernel's own frames (IPv6) do not count. */
bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	const uint8_t *bytes = frame;

	if (now != 4711 || pthread_mutex_trylock(&nic->mutex) != EBUSY || nic->room == 0)
		abort();
	uint32_t at = length == FRAME && bytes[12] == TYPE >> 8 && bytes[13] == (TYPE & 0xff) ? 14 : 0;

	if (length == FRAME && bytes[12] == 0x08 && bytes[13] == 0 && bytes[23] == UDP)
		at = 42;
	if (at == 0)
		return false;
	if (nic->count == FRAMES)
		abort();
	memcpy(&nic->number[nic->count++], bytes + at, sizeof nic->number[0]);
	nic->room--;
	pthread_cond_broadcast(&nic->came);
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now)
{
	(void)now;
	((struct hvh_nic *)(uintptr_t)nic)->asked++;
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
	struct hvh_tap *tap;
	struct hvh_backend backend;
	int packets; /* the kernel's side */
	char error[300];
};

static bool create(struct scene *scene, const struct hvh_tap_config *config)
{
	const struct hvh_slirp_lock guard = {&scene->nic, lock, unlock, now};

	memset(scene->error, 0, sizeof scene->error);
	scene->tap = hvh_tap_create(config, &guard, scene->error, sizeof scene->error);
	return scene->tap != NULL;
}

static void listen_to(struct scene *scene)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(TYPE),
				      .sll_ifindex = (int)if_nametoindex(hvh_tap_name(scene->tap))};
	struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	int bytes = 8 << 20;

	assert_true(address.sll_ifindex > 0);
	scene->packets = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(TYPE));
	assert_true(scene->packets >= 0);
	assert_int_equal(bind(scene->packets, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(setsockopt(scene->packets, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	assert_int_equal(setsockopt(scene->packets, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes), 0);
	assert_int_equal(setsockopt(scene->packets, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes), 0);
}

static struct scene *scene_create(const struct hvh_tap_config *config, uint32_t room)
{
	struct scene *scene = calloc(1, sizeof *scene);

	pthread_mutex_init(&scene->nic.mutex, NULL);
	pthread_cond_init(&scene->nic.came, NULL);
	scene->nic.room = room;
	if (!create(scene, config))
		fail_msg("%s", scene->error);
	listen_to(scene);
	hvh_tap_backend(scene->tap, &scene->backend);
	hvh_tap_attach(scene->tap, &scene->nic);
	return scene;
}

static void scene_destroy(struct scene *scene)
{
	hvh_tap_destroy(scene->tap);
	if (scene->packets > 0)
		close(scene->packets);
	pthread_mutex_destroy(&scene->nic.mutex);
	pthread_cond_destroy(&scene->nic.came);
	free(scene);
}

static void make_frame(uint8_t frame[FRAME], uint32_t number)
{
	memset(frame, 0xff, 6);
	memcpy(frame + 6, "\x02\x00\x00\x00\x00\x01\x88\xb5", 8);
	memset(frame + 14, (int)number, FRAME - 14);
	memcpy(frame + 14, &number, sizeof number);
}

static void kernel_sends(struct scene *scene, uint32_t from, uint32_t count)
{
	uint8_t frame[FRAME];

	for (uint32_t number = from; number < from + count; number++) {
		make_frame(frame, number);
		assert_int_equal(send(scene->packets, frame, sizeof frame, 0), FRAME);
	}
}

/* Waits until that many frames have come, in order, and no more. */
static void expect_frames(struct scene *scene, uint32_t count)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECONDS;
	lock(&scene->nic);
	while (scene->nic.count < count)
		assert_int_equal(pthread_cond_timedwait(&scene->nic.came, &scene->nic.mutex, &until), 0);
	assert_int_equal(scene->nic.count, count);
	for (uint32_t n = 0; n < count; n++)
		assert_int_equal(scene->nic.number[n], n);
	unlock(&scene->nic);
}

static void guest_sends(struct scene *scene, uint32_t queue, uint32_t number)
{
	uint8_t frame[FRAME];

	make_frame(frame, number);
	lock(&scene->nic);
	scene->backend.transmit_from(scene->backend.context, queue, frame, sizeof frame);
	unlock(&scene->nic);
}

/* Frames that the kernel itself has from us, not those that it sent. */
static uint32_t kernel_receives(struct scene *scene)
{
	struct sockaddr_ll from;
	socklen_t length = sizeof from;
	uint8_t frame[2048], expected[FRAME];
	uint32_t number;

	do
		assert_int_equal(
			recvfrom(scene->packets, frame, sizeof frame, 0, (struct sockaddr *)&from, &length),
			FRAME);
	while (from.sll_pkttype == PACKET_OUTGOING);
	memcpy(&number, frame + 14, sizeof number);
	make_frame(expected, number);
	assert_memory_equal(frame, expected, FRAME);
	return number;
}

static int ioctl_on(const char *name, unsigned long request, struct ifreq *ifreq)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), result;

	snprintf(ifreq->ifr_name, sizeof ifreq->ifr_name, "%s", name);
	result = ioctl(fd, request, ifreq);
	close(fd);
	return result;
}

/* --- Tests --------------------------------------------------------------------------------- */

static void frames_go_both_ways(void **state)
{
	const struct hvh_tap_config config = {.name = "tap0"};
	struct scene *scene = scene_create(&config, UINT32_MAX);

	(void)state;
	assert_string_equal(hvh_tap_name(scene->tap), "tap0");
	kernel_sends(scene, 0, 300);
	expect_frames(scene, 300);
	for (uint32_t number = 0; number < 100; number++)
		guest_sends(scene, 0, number);
	for (uint32_t number = 0; number < 100; number++)
		assert_int_equal(kernel_receives(scene), number);
	assert_int_equal(hvh_tap_dropped(scene->tap), 0);
	scene_destroy(scene);
	assert_int_equal(if_nametoindex("tap0"), 0); /* it was ours */
}

/* What the card has no room for waits in the kernel; whoever waits does not spin. */
static void a_full_card_loses_nothing(void **state)
{
	const struct hvh_tap_config config = {0};
	struct scene *scene = scene_create(&config, 10);
	uint32_t asked;

	(void)state;
	assert_string_equal(hvh_tap_name(scene->tap), "hvkit0");
	kernel_sends(scene, 0, FRAMES);
	expect_frames(scene, 10);
	usleep(100000);
	lock(&scene->nic);
	assert_int_equal(scene->nic.count, 10);
	asked = scene->nic.asked;
	unlock(&scene->nic);
	usleep(200000);
	lock(&scene->nic);
	assert_in_range(scene->nic.asked - asked, 1, 40);
	scene->nic.room = 90;
	unlock(&scene->nic);
	expect_frames(scene, 100);
	lock(&scene->nic);
	scene->nic.room = UINT32_MAX;
	unlock(&scene->nic);
	expect_frames(scene, FRAMES);
	assert_int_equal(hvh_tap_dropped(scene->tap), 0);
	usleep(50000);
	lock(&scene->nic); /* nothing is due: it sleeps */
	asked = scene->nic.asked;
	unlock(&scene->nic);
	usleep(100000);
	lock(&scene->nic);
	assert_in_range(scene->nic.asked - asked, 0, 5); /* the kernel's own frames */
	unlock(&scene->nic);
	scene_destroy(scene);
}

static uint64_t sum_of(const struct scene *scene, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t n = 0; n < count; n++)
		sum += scene->nic.number[n];
	return sum;
}

static void many_queues(void **state)
{
	const struct hvh_tap_config config = {.name = "many", .queues = 4, .mtu = 9000};
	struct scene *scene = scene_create(&config, UINT32_MAX);
	struct ifreq request;
	struct timespec until;
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(ioctl_on("many", SIOCGIFMTU, &request), 0);
	assert_int_equal(request.ifr_mtu, 9000);
	for (uint32_t number = 0; number < 64; number++)
		guest_sends(scene, number, number); /* queue 4 is queue 0 again */
	for (uint32_t number = 0; number < 64; number++)
		sum += kernel_receives(scene);
	assert_int_equal(sum, 63 * 64 / 2);
	kernel_sends(scene, 0, 200); /* their order is the kernel's to choose */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECONDS;
	lock(&scene->nic);
	while (scene->nic.count < 200)
		assert_int_equal(pthread_cond_timedwait(&scene->nic.came, &scene->nic.mutex, &until), 0);
	assert_int_equal(sum_of(scene, 200), 199 * 200 / 2);
	unlock(&scene->nic);
	scene_destroy(scene);
}

/* Nobody takes a frame while the interface is down: each is counted. */
static void lost_frames_are_counted(void **state)
{
	const struct hvh_tap_config config = {.name = "tap0"};
	struct scene *scene = scene_create(&config, UINT32_MAX);
	struct ifreq request;
	uint64_t before;

	(void)state;
	assert_int_equal(ioctl_on("tap0", SIOCGIFFLAGS, &request), 0);
	assert_true(request.ifr_flags & IFF_UP);
	request.ifr_flags &= ~IFF_UP;
	assert_int_equal(ioctl_on("tap0", SIOCSIFFLAGS, &request), 0);
	before = hvh_tap_dropped(scene->tap);
	for (uint32_t number = 0; number < 7; number++)
		guest_sends(scene, 0, number);
	/* The interface's own count is in it too: reports of IPv6 groups that the kernel had under way. */
	assert_in_range(hvh_tap_dropped(scene->tap) - before, 7, 7 + 4);
	scene_destroy(scene);
}

static int make_persistent(const char *name, short flags)
{
	struct ifreq request = {0};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	request.ifr_flags = flags;
	assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	return fd;
}

/* --- The cable -------------------------------------------------------------------------- */

static bool has_carrier(const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {.ifr_data = (void *)&value};

	assert_int_equal(ioctl_on(name, SIOCETHTOOL, &request), 0);
	return value.data != 0;
}

static void the_link_is_the_carrier(void **state)
{
	const struct hvh_tap_config config = {.name = "cable"};
	struct scene *scene = scene_create(&config, UINT32_MAX);

	(void)state;
	assert_true(has_carrier("cable"));
	scene->backend.link(scene->backend.context, false);
	assert_false(has_carrier("cable"));
	scene->backend.link(scene->backend.context, true);
	assert_true(has_carrier("cable"));
	scene_destroy(scene);
}

static void remove_interface(const char *name)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg interface;
	} request = {
		.header = {.nlmsg_len = sizeof request,
			   .nlmsg_type = RTM_DELLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.interface = {.ifi_index = (int)if_nametoindex(name)},
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	assert_int_equal(send(fd, &request, sizeof request, 0), sizeof request);
	assert_true(recv(fd, &answer, sizeof answer, 0) > 0);
	assert_int_equal(answer.error.error, 0);
	close(fd);
}

static uint64_t busy_us(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
	return (uint64_t)spent.tv_sec * 1000000u + (uint64_t)spent.tv_nsec / 1000u;
}

/* The guest's cable is out, once, and the thread sleeps. */
static void an_interface_that_is_removed(void **state)
{
	const struct hvh_tap_config config = {.name = "goes", .queues = 3};
	struct scene *scene = scene_create(&config, UINT32_MAX);
	struct timespec until;
	uint64_t busy;

	(void)state;
	remove_interface("goes");
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_SECONDS;
	lock(&scene->nic);
	while (scene->nic.unplugged == 0)
		assert_int_equal(pthread_cond_timedwait(&scene->nic.came, &scene->nic.mutex, &until), 0);
	unlock(&scene->nic);
	busy = busy_us();
	usleep(300000);
	assert_true(busy_us() - busy < 100000);
	assert_int_equal(scene->nic.unplugged, 1);
	guest_sends(scene, 1, 0);
	assert_int_equal(hvh_tap_dropped(scene->tap), 1);
	scene->backend.link(scene->backend.context, true); /* as the monitor may have it */
	scene_destroy(scene);
}

/* A datagram of this flow, by which the kernel chooses the queue. */
static void kernel_sends_flow(struct scene *scene, uint32_t flow)
{
	static const uint8_t headers[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0, 0, 0,  0, 1,  0x08, 0,
					  0x45, 0,    0,    50,   0,    0,    0x40, 0, 1, 17, 0, 0,  10,   9,
					  9,    1,    10,   9,    9,    15,   0,    9, 0, 9,  0, 30, 0,    0};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(0x0800),
				 .sll_ifindex = (int)if_nametoindex(hvh_tap_name(scene->tap))};
	uint8_t frame[FRAME] = {0};

	memcpy(frame, headers, sizeof headers);
	frame[35] = (uint8_t)flow;
	memcpy(frame + 42, &flow, sizeof flow);
	assert_int_equal(sendto(scene->packets, frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to),
			 FRAME);
}

/* All are full: each has its turn before the card is. */
static void queues_take_turns(void **state)
{
	const struct hvh_tap_config config = {.name = "turns", .queues = 4};
	struct scene *scene = scene_create(&config, 0);
	uint32_t flows = 0;

	(void)state;
	for (uint32_t n = 0; n < 100; n++)
		for (uint32_t flow = 0; flow < FLOWS; flow++)
			kernel_sends_flow(scene, flow);
	lock(&scene->nic);
	scene->nic.room = 65; /* one frame may have been read before */
	unlock(&scene->nic);
	usleep(200000);
	lock(&scene->nic);
	assert_int_equal(scene->nic.count, 65);
	for (uint32_t n = 0; n < 65; n++)
		flows |= 1u << scene->nic.number[n];
	unlock(&scene->nic);
	assert_int_equal(flows, (1u << FLOWS) - 1);
	scene_destroy(scene);
}

static void one_that_exists_is_used_and_left(void **state)
{
	const struct hvh_tap_config config = {.name = "stays"}, two = {.name = "stays", .queues = 2};
	struct scene *scene = calloc(1, sizeof *scene), *other = calloc(1, sizeof *other);
	int fd = make_persistent("stays", IFF_TAP | IFF_NO_PI);
	struct ifreq request;

	(void)state;
	assert_false(create(scene, &config));
	assert_non_null(strstr(scene->error, "'stays' exists, and another program uses it"));
	close(fd);
	assert_false(create(scene, &two));
	assert_non_null(strstr(scene->error, "multi_queue"));
	assert_true(create(scene, &config));
	assert_false(create(other, &config));
	assert_non_null(strstr(other->error, "another program uses it"));
	assert_int_equal(ioctl_on("stays", SIOCGIFFLAGS, &request), 0);
	assert_false(request.ifr_flags & IFF_UP); /* not ours to bring up */
	hvh_tap_destroy(scene->tap);
	assert_true(if_nametoindex("stays") > 0);

	/* One made for many queues serves a program that wants one. */
	close(make_persistent("wide", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE));
	assert_true(create(scene, &(const struct hvh_tap_config){.name = "wide"}));
	hvh_tap_destroy(scene->tap);
	free(scene);
	free(other);
}

static ino_t own_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

/* The interface is in the other namespace, and this thread is not. */
static void in_another_namespace(void **state)
{
	int *ready = mmap(NULL, sizeof *ready, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct hvh_tap_config config = {.name = "away"};
	struct scene *scene = calloc(1, sizeof *scene);
	ino_t here = own_namespace();
	char path[64];
	pid_t other;

	(void)state;
	other = fork();
	if (other == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should an assertion fail */
		__atomic_store_n(ready, unshare(CLONE_NEWNET) == 0 ? 1 : -1, __ATOMIC_RELEASE);
		for (;;)
			pause();
	}
	while (__atomic_load_n(ready, __ATOMIC_ACQUIRE) == 0)
		usleep(1000);
	assert_int_equal(*ready, 1);
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)other);
	config.netns = path;
	if (!create(scene, &config))
		fail_msg("%s", scene->error);
	assert_int_equal(own_namespace(), here);
	assert_int_equal(if_nametoindex("away"), 0);
	hvh_tap_destroy(scene->tap);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	free(scene);
}

static void refused(const struct hvh_tap_config *config, const char *says)
{
	struct scene *scene = calloc(1, sizeof *scene);
	ino_t here = own_namespace();

	if (create(scene, config))
		fail_msg("taken: it should say \"%s\"", says);
	if (!strstr(scene->error, says))
		fail_msg("\"%s\" does not say \"%s\"", scene->error, says);
	assert_int_equal(own_namespace(), here);
	free(scene);
}

static void what_cannot_be_is_said(void **state)
{
	(void)state;
	refused(&(const struct hvh_tap_config){.name = "sixteen-letters-"}, "at most 15 characters");
	refused(&(const struct hvh_tap_config){.name = ""}, "no name for an interface");
	refused(&(const struct hvh_tap_config){.name = "a/b"}, "no name for an interface");
	refused(&(const struct hvh_tap_config){.name = "tap%d"}, "no name for an interface");
	refused(&(const struct hvh_tap_config){.name = "lo"}, "'lo' exists, and is no TAP interface");
	refused(&(const struct hvh_tap_config){.queues = 65}, "at most 64");
	refused(&(const struct hvh_tap_config){.mtu = 67}, "68 to 65521");
	refused(&(const struct hvh_tap_config){.mtu = 65522}, "68 to 65521");
	refused(&(const struct hvh_tap_config){.netns = "there-is-none"},
		"no network namespace 'there-is-none'");
	refused(&(const struct hvh_tap_config){.netns = "/dev/null"}, "is no network namespace");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_both_ways),
		cmocka_unit_test(a_full_card_loses_nothing),
		cmocka_unit_test(many_queues),
		cmocka_unit_test(lost_frames_are_counted),
		cmocka_unit_test(the_link_is_the_carrier),
		cmocka_unit_test(an_interface_that_is_removed),
		cmocka_unit_test(queues_take_turns),
		cmocka_unit_test(one_that_exists_is_used_and_left),
		cmocka_unit_test(in_another_namespace),
		cmocka_unit_test(what_cannot_be_is_said),
	};

	if (access("/dev/net/tun", R_OK | W_OK) != 0) {
		printf("skipped: no /dev/net/tun\n");
		return 77;
	}
	if (unshare(CLONE_NEWNET) != 0) {
		printf("skipped: no network namespace of our own: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
