/* SPDX-License-Identifier: MIT */
/*
 * A TAP interface: an existing one of that name, or a new one that goes when its last descriptor
 * is closed. The descriptor belongs to the network namespace that the thread was in when it opened
 * /dev/net/tun, so setns is enough; it changes the calling thread alone, and is taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "tap_interface.h"

#define DEVICE "/dev/net/tun"
#define STATISTICS "/proc/thread-self/net/dev"
#define STATISTICS_BYTES 65536u
#define OWN_NAMESPACE "/proc/thread-self/ns/net"
#define NAMED_NAMESPACES "/run/netns/"
#define PATH_BYTES 300u
#define MTU_MIN 68u
#define MTU_MAX 65521u
/* Frames that the kernel keeps for us in an interface that we make, each queue: a TCP window's. By
 * itself it has 500 or 1000, and drops the rest without a word to the sender. */
#define QUEUE_FRAMES 4096

struct setup {
	const struct hvh_tap_config *config;
	struct tap_interface *interface;
	int control; /* a socket in that namespace */
	bool existed;
	char *error;
	size_t error_size;
};

static bool fail(const struct setup *setup, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(const struct setup *setup, const char *format, ...)
{
	va_list arguments;
	int used = snprintf(setup->error, setup->error_size, "TAP interface: ");

	va_start(arguments, format);
	if (used > 0 && (size_t)used < setup->error_size)
		vsnprintf(setup->error + used, setup->error_size - (size_t)used, format, arguments);
	va_end(arguments);
	return false;
}

/* --- The namespace -------------------------------------------------------------------------- */

static bool enter_namespace(const struct setup *setup, int *home)
{
	const char *netns = setup->config->netns;
	char path[PATH_BYTES];
	int fd, failed;

	*home = -1;
	if (netns == NULL)
		return true;
	snprintf(path, sizeof path, "%s%s", strchr(netns, '/') == NULL ? NAMED_NAMESPACES : "", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fail(setup, "there is no network namespace '%s' (%s): ip netns add makes one", netns,
			    path);
	if (fd < 0)
		return fail(setup, "network namespace '%s' (%s): %s", netns, path, strerror(errno));
	*home = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);
	failed = *home < 0 || setns(fd, CLONE_NEWNET) != 0 ? errno : 0;
	close(fd);
	if (failed == 0)
		return true;
	if (*home >= 0)
		close(*home);
	*home = -1;
	if (failed == EPERM)
		return fail(setup, "to enter the network namespace '%s' takes CAP_SYS_ADMIN (root)", netns);
	if (failed == EINVAL)
		return fail(setup, "'%s' (%s) is no network namespace", netns, path);
	return fail(setup, "network namespace '%s' (%s): %s", netns, path, strerror(failed));
}

static bool leave_namespace(const struct setup *setup, int home)
{
	int failed = home >= 0 && setns(home, CLONE_NEWNET) != 0 ? errno : 0;

	if (home >= 0)
		close(home);
	return failed == 0 ||
	       fail(setup, "the way back into our own network namespace is barred: %s", strerror(failed));
}

/* --- Statistics ------------------------------------------------------------------------------ */

/* "  NAME: 8 figures received, 8 figures sent"; the fourth of each are drops. */
static uint64_t dropped_in(const char *line)
{
	unsigned long long dropped = 0;

	if (sscanf(line, "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", &dropped) != 1)
		return 0;
	return dropped;
}

static uint64_t read_dropped(const struct tap_interface *interface)
{
	char *text = interface->statistics >= 0 ? malloc(STATISTICS_BYTES) : NULL;
	uint64_t dropped = 0;
	char *rest = NULL;
	ssize_t length;

	if (text == NULL)
		return 0;
	length = pread(interface->statistics, text, STATISTICS_BYTES - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *figures = strchr(line, ':');

		line += strspn(line, " ");
		if (figures != NULL && (size_t)(figures - line) == strlen(interface->name) &&
		    memcmp(line, interface->name, (size_t)(figures - line)) == 0)
			dropped = dropped_in(figures + 1);
	}
	free(text);
	return dropped;
}

/* --- The interface -------------------------------------------------------------------------- */

static bool name_is_right(const struct setup *setup)
{
	const char *name = setup->config->name;

	if (name == NULL)
		return true;
	if (strlen(name) >= IFNAMSIZ)
		return fail(setup, "the name '%s' is too long: at most %d characters", name, IFNAMSIZ - 1);
	if (name[0] == '\0' || strpbrk(name, "/: \t\n%") != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return fail(setup, "'%s' is no name for an interface: no blanks, '/', ':' or '%%'", name);
	return true;
}

static struct ifreq request_for(const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof request);
	if (name != NULL)
		memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return request;
}

static bool open_device(const struct setup *setup, int *fd)
{
	*fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0)
		return true;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return fail(setup, "there is no " DEVICE ": modprobe tun, or pass it into the container");
	if (errno == EACCES || errno == EPERM)
		return fail(setup, "no permission for " DEVICE ": it takes read and write access");
	return fail(setup, DEVICE ": %s", strerror(errno));
}

static bool refused(const struct setup *setup, int why)
{
	const char *name = setup->config->name != NULL ? setup->config->name : "hvkit%d";

	if (why == EPERM && setup->existed)
		return fail(setup,
			    "'%s' is not ours to use: that takes CAP_NET_ADMIN (root), or an interface "
			    "made for you: ip tuntap add %s mode tap user NAME",
			    name, name);
	if (why == EPERM)
		return fail(setup, "to make one takes CAP_NET_ADMIN (root); or have one made for you: "
				   "ip tuntap add NAME mode tap user NAME");
	if (why == EBUSY)
		return fail(setup, "'%s' exists, and another program uses it", name);
	if (why == EINVAL && setup->existed && setup->interface->queues == 1)
		return fail(setup, "'%s' exists, and is no TAP interface", name);
	if (why == EINVAL && setup->existed)
		return fail(setup,
			    "'%s' exists, and is no TAP interface, or has one queue where %u are asked "
			    "for: ip tuntap add %s mode tap multi_queue",
			    name, setup->interface->queues, name);
	if (why == E2BIG)
		return fail(setup, "'%s' has no queue left for us, of the %u asked for", name,
			    setup->interface->queues);
	return fail(setup, "'%s': %s", name, strerror(why));
}

/* One queue of the interface; the first one makes it. */
static bool attach_queue(const struct setup *setup, uint32_t queue)
{
	struct tap_interface *interface = setup->interface;
	struct ifreq request = request_for(queue > 0 ? interface->name : setup->config->name);
	short flags = IFF_TAP | IFF_NO_PI;
	int fd, failed;

	if (queue == 0 && setup->config->name == NULL)
		strcpy(request.ifr_name, "hvkit%d");
	if (!open_device(setup, &fd))
		return false;
	request.ifr_flags = (short)(flags | (interface->queues > 1 ? IFF_MULTI_QUEUE : 0));
	failed = ioctl(fd, TUNSETIFF, &request) != 0 ? errno : 0;
	/* One that was made for several programs or queues: one queue of it. */
	if (failed == EINVAL && setup->existed && interface->queues == 1) {
		request.ifr_flags = (short)(flags | IFF_MULTI_QUEUE);
		failed = ioctl(fd, TUNSETIFF, &request) != 0 ? errno : 0;
	}
	/* Whole frames with their checksums, whatever a user before us has switched on. */
	if (failed == 0 && ioctl(fd, TUNSETOFFLOAD, 0) != 0)
		failed = errno;
	if (failed != 0) {
		close(fd);
		return refused(setup, failed);
	}
	interface->fds[queue] = fd;
	memcpy(interface->name, request.ifr_name, sizeof interface->name);
	interface->name[sizeof interface->name - 1] = '\0';
	return true;
}

static bool set_mtu(const struct setup *setup)
{
	struct ifreq request = request_for(setup->interface->name);

	if (setup->config->mtu == 0)
		return true;
	request.ifr_mtu = (int)setup->config->mtu;
	return ioctl(setup->control, SIOCSIFMTU, &request) == 0 ||
	       fail(setup, "'%s': no MTU of %u: %s", setup->interface->name, setup->config->mtu,
		    strerror(errno));
}

/* One of ours is no use while it is down; somebody else's is left as it is. */
static bool bring_up(const struct setup *setup)
{
	struct ifreq request = request_for(setup->interface->name);

	if (setup->existed)
		return true;
	request.ifr_qlen = QUEUE_FRAMES;
	if (ioctl(setup->control, SIOCSIFTXQLEN, &request) != 0)
		return fail(setup, "'%s': no queue of %d frames: %s", setup->interface->name, QUEUE_FRAMES,
			    strerror(errno));
	request = request_for(setup->interface->name);
	if (ioctl(setup->control, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP;
		if (ioctl(setup->control, SIOCSIFFLAGS, &request) == 0)
			return true;
	}
	return fail(setup, "'%s' cannot be brought up: %s", setup->interface->name, strerror(errno));
}

/* In the namespace. */
static bool open_here(struct setup *setup)
{
	struct tap_interface *interface = setup->interface;
	bool right = true;

	setup->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (setup->control < 0)
		return fail(setup, "no socket: %s", strerror(errno));
	setup->existed = setup->config->name != NULL && if_nametoindex(setup->config->name) != 0;
	for (uint32_t queue = 0; right && queue < interface->queues; queue++)
		right = attach_queue(setup, queue);
	right = right && set_mtu(setup) && bring_up(setup);
	close(setup->control);
	if (right)
		interface->statistics = open(STATISTICS, O_RDONLY | O_CLOEXEC);
	interface->dropped_before = read_dropped(interface);
	return right;
}

bool tap_interface_open(struct tap_interface *interface, const struct hvh_tap_config *config, char *error,
			size_t error_size)
{
	struct setup setup = {
		.config = config, .interface = interface, .error = error, .error_size = error_size};
	bool right;
	int home;

	memset(interface, 0, sizeof *interface);
	interface->queues = config->queues != 0 ? config->queues : 1;
	interface->statistics = -1;
	for (uint32_t queue = 0; queue < TAP_QUEUES_MAX; queue++)
		interface->fds[queue] = -1;
	if (interface->queues > TAP_QUEUES_MAX)
		return fail(&setup, "%u queues; there can be at most %u", interface->queues, TAP_QUEUES_MAX);
	if (config->mtu != 0 && (config->mtu < MTU_MIN || config->mtu > MTU_MAX))
		return fail(&setup, "an MTU of %u; it can be %u to %u", config->mtu, MTU_MIN, MTU_MAX);
	if (!name_is_right(&setup) || !enter_namespace(&setup, &home))
		return false;
	right = open_here(&setup);
	right = leave_namespace(&setup, home) && right;
	if (!right)
		tap_interface_close(interface);
	return right;
}

void tap_interface_carrier(const struct tap_interface *interface, bool on)
{
	int carrier = on;

	(void)ioctl(interface->fds[0], TUNSETCARRIER, &carrier);
}

void tap_interface_close(struct tap_interface *interface)
{
	for (uint32_t queue = 0; queue < interface->queues && queue < TAP_QUEUES_MAX; queue++) {
		if (interface->fds[queue] >= 0)
			close(interface->fds[queue]);
		interface->fds[queue] = -1;
	}
	if (interface->statistics >= 0)
		close(interface->statistics);
	interface->statistics = -1;
}

uint64_t tap_interface_dropped(const struct tap_interface *interface)
{
	uint64_t dropped = read_dropped(interface);

	return dropped > interface->dropped_before ? dropped - interface->dropped_before : 0;
}
