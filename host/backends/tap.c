/* SPDX-License-Identifier: MIT */
/*
 * A TAP interface behind the card.
 *
 * To the kernel: each frame is written at once, by whoever runs the model, to the descriptor of the
 * guest's queue; the kernel takes it or it is lost, and it takes its time itself, so a guest is
 * never faster than the kernel. From the kernel: a thread reads while the card has room; what it has
 * none for stays in the kernel. The thread sleeps until frames come, or, while the card is full,
 * for some milliseconds (frame_queue.h). An interface that is gone is not looked at again: each look
 * would find it gone.
 *
 * Order of locks: the partition's alone; the thread's own state is only its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "frame_queue.h"
#include "tap_interface.h"

#define FRAME_BYTES 65554u  /* the longest that the kernel can have: 65,535 bytes, Ethernet, a tag */
#define FRAMES_PER_TURN 64u /* read before the card gets them */
#define WAKE TAP_QUEUES_MAX /* epoll's number for the eventfd; the others are queues */

struct hvh_tap {
	struct tap_interface interface;
	struct hvh_slirp_lock lock;
	_Atomic(struct hvh_nic *) nic;
	atomic_bool quit;
	atomic_uint_fast64_t dropped; /* by the kernel's refusal to take them */
	int epoll, wake;
	pthread_t thread;
	/* The thread's own. */
	bool watching; /* the queues */
	bool gone;     /* the interface: somebody has removed it */
	struct hvh_frame_queue to_guest;
	struct hvh_room_wait room_wait;
	uint8_t frame[FRAME_BYTES];
};

static void wake(struct hvh_tap *tap)
{
	const uint64_t one = 1;
	ssize_t written = write(tap->wake, &one, sizeof one);

	(void)written; /* one that is full wakes as well */
}

/* --- The thread ------------------------------------------------------------------------------ */

static bool watch(struct hvh_tap *tap, int fd, uint32_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

	return epoll_ctl(tap->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* While the card has no room the queues are not watched: a frame that waits would wake us for
 * nothing. */
static void watch_queues(struct hvh_tap *tap, bool on)
{
	if (tap->watching == on)
		return;
	tap->watching = on;
	for (uint32_t queue = 0; queue < tap->interface.queues; queue++) {
		int fd = tap->interface.fds[queue];

		if (on)
			(void)watch(tap, fd, queue);
		else
			(void)epoll_ctl(tap->epoll, EPOLL_CTL_DEL, fd, NULL);
	}
}

/* At most so many frames, or the others would wait for a queue that is never empty. */
static void read_queue(struct hvh_tap *tap, uint32_t queue, uint32_t most)
{
	for (uint32_t n = 0; n < most && tap->to_guest.count < FRAMES_PER_TURN;) {
		ssize_t length = read(tap->interface.fds[queue], tap->frame, sizeof tap->frame);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno != EAGAIN)
			tap->gone = true;
		if (length <= 0)
			return;
		n++;
		if (!hvh_frame_queue_push(&tap->to_guest, FRAMES_PER_TURN, tap->frame, (uint32_t)length))
			atomic_fetch_add(&tap->dropped, 1);
	}
}

static void take_events(struct hvh_tap *tap)
{
	struct epoll_event events[TAP_QUEUES_MAX + 1];
	int count = epoll_wait(tap->epoll, events, (int)(tap->interface.queues + 1),
			       tap->room_wait.ms != 0 ? (int)tap->room_wait.ms : -1);
	uint32_t most = count > 1 ? FRAMES_PER_TURN / (uint32_t)count : FRAMES_PER_TURN;
	uint64_t wakes;

	for (int n = 0; n < count; n++) {
		if (events[n].data.u32 != WAKE)
			read_queue(tap, events[n].data.u32, most > 0 ? most : 1);
		else if (read(tap->wake, &wakes, sizeof wakes) < 0)
			continue; /* somebody else's wake-up */
	}
}

static void pull_the_plug(struct hvh_tap *tap, struct hvh_nic *nic)
{
	watch_queues(tap, false);
	tap->lock.lock(tap->lock.context);
	hvh_nic_set_link(nic, tap->lock.now(tap->lock.context), false);
	tap->lock.unlock(tap->lock.context);
}

static void *tap_main(void *context)
{
	struct hvh_tap *tap = context;

	while (!atomic_load(&tap->quit)) {
		struct hvh_nic *nic;

		take_events(tap);
		nic = atomic_load(&tap->nic);
		if (nic == NULL)
			continue;
		hvh_frame_queue_deliver(&tap->to_guest, nic, &tap->lock, &tap->room_wait);
		if (!tap->gone)
			watch_queues(tap, tap->to_guest.count == 0);
		else if (tap->watching)
			pull_the_plug(tap, nic);
	}
	return NULL;
}

/* --- The back end: with the partition's lock held -------------------------------------------- */

static void transmit_from(void *context, uint32_t queue, const void *frame, uint32_t length)
{
	struct hvh_tap *tap = context;
	int fd = tap->interface.fds[queue % tap->interface.queues];
	ssize_t written;

	do
		written = write(fd, frame, length);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)length)
		atomic_fetch_add(&tap->dropped, 1);
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	transmit_from(context, 0, frame, length);
}

static void tell_link(void *context, bool up)
{
	tap_interface_carrier(&((struct hvh_tap *)context)->interface, up);
}

void hvh_tap_backend(struct hvh_tap *tap, struct hvh_backend *out)
{
	*out = (struct hvh_backend){
		.context = tap, .transmit = transmit, .transmit_from = transmit_from, .link = tell_link};
}

/* --- It comes and goes ------------------------------------------------------------------------- */

static void release(struct hvh_tap *tap)
{
	tap_interface_close(&tap->interface);
	if (tap->epoll >= 0)
		close(tap->epoll);
	if (tap->wake >= 0)
		close(tap->wake);
	hvh_frame_queue_clear(&tap->to_guest);
	free(tap);
}

static bool start(struct hvh_tap *tap, char *error, size_t error_size)
{
	int failed;

	tap->epoll = epoll_create1(EPOLL_CLOEXEC);
	tap->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (tap->epoll < 0 || tap->wake < 0 || !watch(tap, tap->wake, WAKE)) {
		snprintf(error, error_size, "TAP interface: no epoll: %s", strerror(errno));
		return false;
	}
	failed = pthread_create(&tap->thread, NULL, tap_main, tap);
	if (failed != 0)
		snprintf(error, error_size, "TAP interface: no thread: %s", strerror(failed));
	return failed == 0;
}

struct hvh_tap *hvh_tap_create(const struct hvh_tap_config *config, const struct hvh_slirp_lock *lock,
			       char *error, size_t error_size)
{
	struct hvh_tap *tap = calloc(1, sizeof *tap);

	if (tap == NULL) {
		snprintf(error, error_size, "TAP interface: out of memory");
		return NULL;
	}
	tap->lock = *lock;
	tap->epoll = tap->wake = -1;
	if (tap_interface_open(&tap->interface, config, error, error_size) && start(tap, error, error_size))
		return tap;
	release(tap);
	return NULL;
}

void hvh_tap_destroy(struct hvh_tap *tap)
{
	if (tap == NULL)
		return;
	atomic_store(&tap->quit, true);
	wake(tap);
	pthread_join(tap->thread, NULL);
	release(tap);
}

void hvh_tap_attach(struct hvh_tap *tap, struct hvh_nic *nic)
{
	atomic_store(&tap->nic, nic);
	wake(tap);
}

const char *hvh_tap_name(const struct hvh_tap *tap)
{
	return tap->interface.name;
}

uint64_t hvh_tap_dropped(const struct hvh_tap *tap)
{
	return atomic_load(&tap->dropped) + tap_interface_dropped(&tap->interface);
}
