/* SPDX-License-Identifier: MIT */
/*
 * User-mode networking by libslirp.
 *
 * libslirp keeps state of its own per process and knows no locks, so one thread serves
 * all instances; whatever touches libslirp runs in it. That thread is the one global
 * of host/. Order of locks: lifecycle, service, then a partition's or an instance's; a
 * transmit (partition's lock held) takes the instance's alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <slirp/libslirp.h>

#include "frame_queue.h"
#include "slirp_filter.h"

#define CONFIG_VERSION 3u
#define TO_HOST_MAX 2048u  /* frames the guest sent and libslirp has not seen */
#define TO_GUEST_MAX 4096u /* frames for which the card had no room yet */
/* From here on libslirp gets no input, so that the network waits instead of losing. */
#define TO_GUEST_ENOUGH 512u
#define INPUTS_PER_TURN 256u
#define TIMERS 8u
#define NS_PER_MS 1000000

enum state { STARTING, RUNNING, FAILED, STOPPING, GONE };

struct timer {
	bool used, armed;
	SlirpTimerCb callback;
	void *opaque;
	int64_t expires_ms;
};

struct hvh_slirp {
	struct hvh_slirp *next;
	enum state state; /* service.mutex */
	struct hvh_slirp_config config;
	struct hvh_slirp_lock lock;
	pthread_mutex_t mutex; /* nic, to_host and sleeps */
	struct hvh_nic *nic;
	struct hvh_frame_queue to_host;
	bool sleeps; /* or will: it has seen that to_host is empty */
	atomic_uint_fast64_t refused, dropped;
	/* The thread's own. */
	Slirp *slirp;
	struct hvh_frame_queue input; /* what it has taken from to_host */
	struct hvh_frame_queue to_guest;
	struct hvh_room_wait room_wait;
	struct timer timers[TIMERS];
	bool polled; /* its descriptors are in this turn's poll */
};

struct poll_set {
	struct pollfd *fds;
	uint32_t count, room;
};

static struct {
	pthread_mutex_t lifecycle; /* one create or destroy at a time */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	pthread_t thread;
	int wake[2];
	bool quit;
	struct hvh_slirp *first;
	struct poll_set poll; /* the thread's own */
} service = {.lifecycle = PTHREAD_MUTEX_INITIALIZER,
	     .mutex = PTHREAD_MUTEX_INITIALIZER,
	     .changed = PTHREAD_COND_INITIALIZER};

static void wake(void)
{
	ssize_t written = write(service.wake[1], "", 1);

	(void)written; /* a full pipe wakes as well */
}

static void to_guest(struct hvh_slirp *instance, const void *bytes, uint32_t length)
{
	if (!hvh_frame_queue_push(&instance->to_guest, TO_GUEST_MAX, bytes, length))
		atomic_fetch_add(&instance->dropped, 1);
}

/* --- libslirp's callbacks: in the thread ---------------------------------------------------- */

static int64_t clock_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static ssize_t send_packet(const void *bytes, size_t length, void *opaque)
{
	if (length <= UINT16_MAX)
		to_guest(opaque, bytes, (uint32_t)length);
	return (ssize_t)length;
}

static void guest_error(const char *text, void *opaque)
{
	(void)text;
	(void)opaque;
}

static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
	struct hvh_slirp *instance = opaque;

	for (uint32_t i = 0; i < TIMERS; i++) {
		struct timer *timer = &instance->timers[i];

		if (timer->used)
			continue;
		*timer = (struct timer){.used = true, .callback = callback, .opaque = callback_opaque};
		return timer;
	}
	return NULL;
}

static void timer_free(void *timer, void *opaque)
{
	(void)opaque;
	if (timer != NULL)
		memset(timer, 0, sizeof(struct timer));
}

static void timer_mod(void *opaque_timer, int64_t expires_ms, void *opaque)
{
	struct timer *timer = opaque_timer;

	(void)opaque;
	if (timer == NULL)
		return;
	timer->armed = true;
	timer->expires_ms = expires_ms;
}

static void poll_fd_changed(int fd, void *opaque)
{
	(void)fd;
	(void)opaque; /* the set is made anew each turn */
}

static void notify(void *opaque)
{
	(void)opaque;
	wake();
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_fd_changed,
	.unregister_poll_fd = poll_fd_changed,
	.notify = notify,
};

/* --- One instance, in the thread --------------------------------------------------------------- */

static struct in_addr network_address(uint32_t address)
{
	struct in_addr out = {.s_addr = htonl(address)};

	return out;
}

static bool instance_start(struct hvh_slirp *instance)
{
	SlirpConfig config = {
		.version = CONFIG_VERSION,
		.in_enabled = true,
		.vnetwork = network_address(SLIRP_NETWORK),
		.vnetmask = network_address(SLIRP_NETMASK),
		.vhost = network_address(SLIRP_GATEWAY),
		.vdhcp_start = network_address(SLIRP_GUEST),
		.vnameserver = network_address(SLIRP_NAME_SERVER),
		.tftp_path = instance->config.tftp_directory,
		.bootfile = instance->config.boot_file,
	};

	instance->slirp = slirp_new(&config, &callbacks, instance);
	return instance->slirp != NULL;
}

static void instance_stop(struct hvh_slirp *instance)
{
	slirp_cleanup(instance->slirp);
	instance->slirp = NULL;
	hvh_frame_queue_clear(&instance->input);
	hvh_frame_queue_clear(&instance->to_guest);
}

static void input_frame(struct hvh_slirp *instance, const struct hvh_frame *frame)
{
	uint8_t reset[HVH_SLIRP_RESET_SIZE];

	switch (hvh_slirp_judge(&instance->config, frame->bytes, frame->length)) {
	case HVH_SLIRP_PASS:
		slirp_input(instance->slirp, frame->bytes, (int)frame->length);
		break;
	case HVH_SLIRP_IGNORE:
		break;
	case HVH_SLIRP_RESET:
		hvh_slirp_reset(frame->bytes, frame->length, reset);
		to_guest(instance, reset, sizeof reset);
		atomic_fetch_add(&instance->refused, 1);
		break;
	case HVH_SLIRP_REFUSE:
		atomic_fetch_add(&instance->refused, 1);
		break;
	}
}

static void instance_take(struct hvh_slirp *instance)
{
	if (instance->input.count > 0)
		return;
	pthread_mutex_lock(&instance->mutex);
	instance->input = instance->to_host;
	instance->to_host = (struct hvh_frame_queue){0};
	pthread_mutex_unlock(&instance->mutex);
}

/* True if there is more to do at once. */
static bool instance_input(struct hvh_slirp *instance)
{
	instance_take(instance);
	for (uint32_t i = 0; i < INPUTS_PER_TURN && instance->to_guest.count < TO_GUEST_ENOUGH; i++) {
		struct hvh_frame *frame = hvh_frame_queue_pop(&instance->input);

		if (frame == NULL)
			return false;
		input_frame(instance, frame);
		free(frame);
	}
	return instance->to_guest.count < TO_GUEST_ENOUGH;
}

static void instance_deliver(struct hvh_slirp *instance)
{
	struct hvh_nic *nic;

	pthread_mutex_lock(&instance->mutex);
	nic = instance->nic;
	pthread_mutex_unlock(&instance->mutex);
	if (nic != NULL)
		hvh_frame_queue_deliver(&instance->to_guest, nic, &instance->lock, &instance->room_wait);
}

static void instance_timers(struct hvh_slirp *instance, uint32_t *timeout)
{
	int64_t now = clock_ns(NULL) / NS_PER_MS;

	for (uint32_t i = 0; i < TIMERS; i++) {
		struct timer *timer = &instance->timers[i];

		if (timer->used && timer->armed && timer->expires_ms <= now) {
			timer->armed = false;
			timer->callback(timer->opaque);
		}
		if (timer->used && timer->armed && timer->expires_ms - now < (int64_t)*timeout)
			*timeout = timer->expires_ms > now ? (uint32_t)(timer->expires_ms - now) : 0;
	}
}

/* --- Polling --------------------------------------------------------------------------------------- */

static int add_poll(int fd, int events, void *opaque)
{
	struct poll_set *set = opaque;
	struct pollfd *entry;

	if (set->count == set->room) {
		uint32_t room = set->room * 2 + 16;
		struct pollfd *fds = realloc(set->fds, room * sizeof *fds);

		if (fds == NULL)
			return -1;
		set->fds = fds;
		set->room = room;
	}
	entry = &set->fds[set->count];
	entry->fd = fd;
	entry->revents = 0;
	entry->events = (short)(((events & SLIRP_POLL_IN) != 0 ? POLLIN : 0) |
				((events & SLIRP_POLL_OUT) != 0 ? POLLOUT : 0) |
				((events & SLIRP_POLL_PRI) != 0 ? POLLPRI : 0));
	return (int)set->count++;
}

static int get_revents(int index, void *opaque)
{
	const struct poll_set *set = opaque;
	short revents;

	if (index < 0 || (uint32_t)index >= set->count)
		return 0;
	revents = set->fds[index].revents;
	return ((revents & POLLIN) != 0 ? SLIRP_POLL_IN : 0) |
	       ((revents & POLLOUT) != 0 ? SLIRP_POLL_OUT : 0) |
	       ((revents & POLLPRI) != 0 ? SLIRP_POLL_PRI : 0) |
	       ((revents & POLLERR) != 0 ? SLIRP_POLL_ERR : 0) |
	       ((revents & POLLHUP) != 0 ? SLIRP_POLL_HUP : 0);
}

/* False: frames have come since the last look, and libslirp may have them. */
static bool instance_may_sleep(struct hvh_slirp *instance)
{
	bool asleep;

	pthread_mutex_lock(&instance->mutex);
	asleep = instance->to_host.count == 0 || instance->to_guest.count >= TO_GUEST_ENOUGH;
	instance->sleeps = asleep;
	pthread_mutex_unlock(&instance->mutex);
	return asleep;
}

/* Before the sleep: what the guest sent goes in, what is to be watched comes out. */
static void instance_before(struct hvh_slirp *instance, uint32_t *timeout)
{
	if (instance_input(instance))
		*timeout = 0;
	instance_deliver(instance);
	instance_timers(instance, timeout);
	if (instance->room_wait.ms > 0 && *timeout > instance->room_wait.ms)
		*timeout = instance->room_wait.ms;
	instance->polled = instance->to_guest.count < TO_GUEST_ENOUGH;
	if (instance->polled)
		slirp_pollfds_fill(instance->slirp, timeout, add_poll, &service.poll);
	if (!instance_may_sleep(instance))
		*timeout = 0;
}

static void instance_after(struct hvh_slirp *instance, int failed)
{
	if (instance->polled)
		slirp_pollfds_poll(instance->slirp, failed, get_revents, &service.poll);
	instance->polled = false;
	instance_deliver(instance);
}

static void change_states(void)
{
	for (struct hvh_slirp *instance = service.first; instance != NULL; instance = instance->next) {
		if (instance->state == STARTING) {
			instance->state = instance_start(instance) ? RUNNING : FAILED;
		} else if (instance->state == STOPPING) {
			instance_stop(instance);
			instance->state = GONE;
		}
	}
	pthread_cond_broadcast(&service.changed);
}

static void drain_wake(void)
{
	uint8_t bytes[64];

	while (read(service.wake[0], bytes, sizeof bytes) == (ssize_t)sizeof bytes)
		;
}

static void *service_main(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&service.mutex);
	while (!service.quit) {
		uint32_t timeout = UINT32_MAX;
		int ready;

		change_states();
		service.poll.count = 0;
		add_poll(service.wake[0], SLIRP_POLL_IN, &service.poll);
		for (struct hvh_slirp *instance = service.first; instance != NULL; instance = instance->next)
			if (instance->state == RUNNING)
				instance_before(instance, &timeout);
		pthread_mutex_unlock(&service.mutex);
		ready = poll(service.poll.fds, service.poll.count, timeout > INT32_MAX ? -1 : (int)timeout);
		drain_wake();
		pthread_mutex_lock(&service.mutex);
		for (struct hvh_slirp *instance = service.first; instance != NULL; instance = instance->next)
			if (instance->state == RUNNING || instance->state == STOPPING)
				instance_after(instance, ready < 0);
	}
	pthread_mutex_unlock(&service.mutex);
	free(service.poll.fds);
	memset(&service.poll, 0, sizeof service.poll);
	return NULL;
}

/* --- Instances come and go: lifecycle held ------------------------------------------------ */

static bool service_start(char *error, size_t error_size)
{
	int failed;

	if (pipe2(service.wake, O_NONBLOCK | O_CLOEXEC) != 0) {
		snprintf(error, error_size, "user-mode networking: no pipe: %s", strerror(errno));
		return false;
	}
	service.quit = false;
	failed = pthread_create(&service.thread, NULL, service_main, NULL);
	if (failed == 0)
		return true;
	snprintf(error, error_size, "user-mode networking: no thread: %s", strerror(failed));
	close(service.wake[0]);
	close(service.wake[1]);
	return false;
}

static void service_stop(void)
{
	pthread_mutex_lock(&service.mutex);
	service.quit = true;
	pthread_mutex_unlock(&service.mutex);
	wake();
	pthread_join(service.thread, NULL);
	close(service.wake[0]);
	close(service.wake[1]);
}

static void instance_remove(struct hvh_slirp *instance)
{
	struct hvh_slirp **at = &service.first;
	bool last;

	pthread_mutex_lock(&service.mutex);
	while (*at != instance)
		at = &(*at)->next;
	*at = instance->next;
	last = service.first == NULL;
	pthread_mutex_unlock(&service.mutex);
	if (last)
		service_stop();
}

/* Adds it to the thread's and waits until libslirp has it. */
static bool instance_add(struct hvh_slirp *instance, char *error, size_t error_size)
{
	bool running;

	if (service.first == NULL && !service_start(error, error_size))
		return false;
	pthread_mutex_lock(&service.mutex);
	instance->state = STARTING;
	instance->next = service.first;
	service.first = instance;
	wake();
	while (instance->state == STARTING)
		pthread_cond_wait(&service.changed, &service.mutex);
	running = instance->state == RUNNING;
	pthread_mutex_unlock(&service.mutex);
	if (running)
		return true;
	snprintf(error, error_size, "user-mode networking: libslirp refuses the configuration");
	instance_remove(instance);
	return false;
}

static bool directory_exists(const char *path, char *error, size_t error_size)
{
	struct stat status;

	if (path == NULL)
		return true;
	if (stat(path, &status) != 0) {
		snprintf(error, error_size, "TFTP directory %s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(status.st_mode)) {
		snprintf(error, error_size, "TFTP directory %s: not a directory", path);
		return false;
	}
	return true;
}

/* --- The interface --------------------------------------------------------------------------- */

struct hvh_slirp *hvh_slirp_create(const struct hvh_slirp_config *config, const struct hvh_slirp_lock *lock,
				   char *error, size_t error_size)
{
	struct hvh_slirp *instance;
	bool added;

	if (!directory_exists(config->tftp_directory, error, error_size))
		return NULL;
	instance = calloc(1, sizeof *instance);
	if (instance == NULL) {
		snprintf(error, error_size, "user-mode networking: out of memory");
		return NULL;
	}
	instance->config = *config;
	instance->lock = *lock;
	pthread_mutex_init(&instance->mutex, NULL);
	pthread_mutex_lock(&service.lifecycle);
	added = instance_add(instance, error, error_size);
	pthread_mutex_unlock(&service.lifecycle);
	if (added)
		return instance;
	pthread_mutex_destroy(&instance->mutex);
	free(instance);
	return NULL;
}

void hvh_slirp_destroy(struct hvh_slirp *instance)
{
	if (instance == NULL)
		return;
	pthread_mutex_lock(&service.lifecycle);
	pthread_mutex_lock(&service.mutex);
	instance->state = STOPPING;
	wake();
	while (instance->state != GONE)
		pthread_cond_wait(&service.changed, &service.mutex);
	pthread_mutex_unlock(&service.mutex);
	instance_remove(instance);
	pthread_mutex_unlock(&service.lifecycle);
	hvh_frame_queue_clear(&instance->to_host);
	pthread_mutex_destroy(&instance->mutex);
	free(instance);
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	struct hvh_slirp *instance = context;
	bool taken;

	if (length > UINT16_MAX)
		return;
	pthread_mutex_lock(&instance->mutex);
	taken = hvh_frame_queue_push(&instance->to_host, TO_HOST_MAX, frame, length);
	pthread_mutex_unlock(&instance->mutex);
	if (!taken)
		atomic_fetch_add(&instance->dropped, 1);
}

/* A thread that is awake (it may be this one, in instance_deliver) looks before it sleeps. */
static void flush(void *context)
{
	struct hvh_slirp *instance = context;
	bool asleep;

	pthread_mutex_lock(&instance->mutex);
	asleep = instance->sleeps;
	instance->sleeps = false;
	pthread_mutex_unlock(&instance->mutex);
	if (asleep)
		wake();
}

void hvh_slirp_backend(struct hvh_slirp *instance, struct hvh_backend *out)
{
	*out = (struct hvh_backend){.context = instance, .transmit = transmit, .flush = flush};
}

void hvh_slirp_attach(struct hvh_slirp *instance, struct hvh_nic *nic)
{
	pthread_mutex_lock(&instance->mutex);
	instance->nic = nic;
	pthread_mutex_unlock(&instance->mutex);
	wake();
}

uint64_t hvh_slirp_refused(const struct hvh_slirp *instance)
{
	return atomic_load(&instance->refused);
}

uint64_t hvh_slirp_dropped(const struct hvh_slirp *instance)
{
	return atomic_load(&instance->dropped);
}
