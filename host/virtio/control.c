/* SPDX-License-Identifier: MIT */
/* The control queue (virtio 1.2, 5.1.6.5), and the filter that it sets. */
#include <string.h>

#include "host/virtio/net_device.h"

#define PER_TURN 16u
#define DATA_MAX 2048u
#define COUNT_SIZE 4u

/* A command; its answer is NULL if all is right, else what is not. */
struct command {
	struct virtio_net_control control;
	uint8_t data[DATA_MAX];
	uint32_t length;
};

static bool is_group(const uint8_t *address)
{
	return (address[0] & 1) != 0;
}

/* --- The filter ------------------------------------------------------------------------------------ */

static bool listed(const struct virtio_net_table *table, const uint8_t *address)
{
	for (uint32_t n = 0; n < table->count; n++)
		if (memcmp(table->addresses[n], address, VIRTIO_NET_ADDRESS) == 0)
			return true;
	return table->all;
}

bool virtio_net_accepts(const struct virtio_net_device *net, const uint8_t *frame)
{
	static const uint8_t broadcast[VIRTIO_NET_ADDRESS] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!virtio_net_is_running(net) || !net->link_up)
		return false;
	if (net->promiscuous || memcmp(frame, broadcast, sizeof broadcast) == 0)
		return true;
	if (is_group(frame)) /* who cannot say which ones has all of them */
		return net->all_multicast || !virtio_has(&net->device, VIRTIO_NET_F_CTRL_RX) ||
		       listed(&net->multicast, frame);
	return memcmp(frame, net->mac, sizeof net->mac) == 0 || listed(&net->unicast, frame);
}

static const char *set_receive(struct virtio_net_device *net, const struct command *command)
{
	bool *flag = command->control.command == VIRTIO_NET_CONTROL_RX_PROMISCUOUS ? &net->promiscuous
										   : &net->all_multicast;

	if (!virtio_has(&net->device, VIRTIO_NET_F_CTRL_RX))
		return "receive mode without CTRL_RX";
	if (command->control.command > VIRTIO_NET_CONTROL_RX_ALL_MULTICAST)
		return "receive mode that was not offered (CTRL_RX_EXTRA)";
	if (command->length != 1 || command->data[0] > 1)
		return "receive mode: one byte, 0 or 1";
	*flag = command->data[0] != 0;
	return NULL;
}

/* One half of the table; *at is behind it then. */
static const char *read_table(const struct command *command, uint32_t *at, bool groups,
			      struct virtio_net_table *table)
{
	uint32_t count;

	memset(table, 0, sizeof *table);
	if (command->length - *at < COUNT_SIZE)
		return "address table: a count is missing";
	memcpy(&count, command->data + *at, sizeof count);
	*at += COUNT_SIZE;
	if (count > (command->length - *at) / VIRTIO_NET_ADDRESS)
		return "address table: shorter than its count";
	for (uint32_t n = 0; n < count; n++, *at += VIRTIO_NET_ADDRESS) {
		if (is_group(command->data + *at) != groups)
			return "address table: unicast addresses, then multicast ones";
		if (n < VIRTIO_NET_TABLE)
			memcpy(table->addresses[table->count++], command->data + *at, VIRTIO_NET_ADDRESS);
		else
			table->all = true;
	}
	return NULL;
}

static const char *set_table(struct virtio_net_device *net, const struct command *command)
{
	struct virtio_net_table unicast, multicast;
	uint32_t at = 0;
	const char *fault;

	if (!virtio_has(&net->device, VIRTIO_NET_F_CTRL_RX))
		return "address table without CTRL_RX";
	fault = read_table(command, &at, false, &unicast);
	if (fault == NULL)
		fault = read_table(command, &at, true, &multicast);
	if (fault != NULL)
		return fault;
	if (at != command->length)
		return "address table: bytes behind it";
	net->unicast = unicast;
	net->multicast = multicast;
	return NULL;
}

static const char *set_address(struct virtio_net_device *net, const struct command *command)
{
	if (!virtio_has(&net->device, VIRTIO_NET_F_CTRL_MAC_ADDR))
		return "hardware address without CTRL_MAC_ADDR";
	if (command->length != VIRTIO_NET_ADDRESS || is_group(command->data))
		return "hardware address: six bytes, and no group's";
	memcpy(net->mac, command->data, sizeof net->mac);
	return NULL;
}

static const char *set_mac(struct virtio_net_device *net, const struct command *command)
{
	switch (command->control.command) {
	case VIRTIO_NET_CONTROL_MAC_TABLE:
		return set_table(net, command);
	case VIRTIO_NET_CONTROL_MAC_ADDRESS:
		return set_address(net, command);
	default:
		return "no such command about addresses";
	}
}

/* --- The rest -------------------------------------------------------------------------------------- */

static const char *set_pairs(struct virtio_net_device *net, const struct command *command)
{
	uint16_t pairs;

	if (!virtio_has(&net->device, VIRTIO_NET_F_MQ))
		return "number of pairs without MQ";
	if (command->control.command != VIRTIO_NET_CONTROL_MQ_PAIRS || command->length != sizeof pairs)
		return "number of pairs: two bytes are all that was agreed on";
	memcpy(&pairs, command->data, sizeof pairs);
	if (pairs == 0 || pairs > net->setup.pairs_max)
		return "number of pairs: 1 to what the configuration has";
	for (uint32_t n = 0; n < pairs; n++)
		if (!virtio_net_rx(net, n)->enabled || !virtio_net_tx(net, n)->enabled)
			return "number of pairs: more than were enabled";
	net->pairs_used = pairs;
	return NULL;
}

static const char *set_offloads(struct virtio_net_device *net, const struct command *command)
{
	uint64_t wanted;

	if (!virtio_has(&net->device, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
		return "offloads without CTRL_GUEST_OFFLOADS";
	if (command->control.command != VIRTIO_NET_CONTROL_OFFLOADS_SET || command->length != sizeof wanted)
		return "offloads: eight bytes";
	memcpy(&wanted, command->data, sizeof wanted);
	if ((wanted & ~(net->device.features & VIRTIO_NET_SWITCHED)) != 0)
		return "offloads that were not agreed on";
	net->offloads = wanted;
	return NULL;
}

static const char *acknowledge(struct virtio_net_device *net, const struct command *command)
{
	if (!virtio_has(&net->device, VIRTIO_NET_F_GUEST_ANNOUNCE))
		return "announcement without GUEST_ANNOUNCE";
	if (command->control.command != VIRTIO_NET_CONTROL_ANNOUNCE_ACKNOWLEDGE || command->length != 0)
		return "announcement: an acknowledgement has no data";
	net->announce = false;
	return NULL;
}

static const char *execute(struct virtio_net_device *net, const struct command *command)
{
	switch (command->control.class_) {
	case VIRTIO_NET_CONTROL_RX:
		return set_receive(net, command);
	case VIRTIO_NET_CONTROL_MAC:
		return set_mac(net, command);
	case VIRTIO_NET_CONTROL_MQ:
		return set_pairs(net, command);
	case VIRTIO_NET_CONTROL_OFFLOADS:
		return set_offloads(net, command);
	case VIRTIO_NET_CONTROL_ANNOUNCE:
		return acknowledge(net, command);
	default:
		return "a class of commands that was not agreed on";
	}
}

/* --- The queue ------------------------------------------------------------------------------------- */

static bool read_command(struct virtio_net_device *net, struct virtio_queue *queue, struct command *command)
{
	const struct virtio_chain *chain = &net->chain;

	if (chain->readable < sizeof command->control ||
	    chain->readable - sizeof command->control > DATA_MAX || chain->writable < 1) {
		VIRTIO_NET_VIOLATE(net,
				   "control queue: %u bytes to read, %u to write: a command of at most %u, "
				   "and a byte for the answer",
				   chain->readable, chain->writable, DATA_MAX);
		virtio_break(&net->device);
		return false;
	}
	command->length = chain->readable - (uint32_t)sizeof command->control;
	return virtio_chain_read(queue, chain, 0, &command->control, sizeof command->control) &&
	       virtio_chain_read(queue, chain, sizeof command->control, command->data, command->length);
}

static bool take_command(struct virtio_net_device *net, struct virtio_queue *queue)
{
	struct command command;
	uint8_t answer = VIRTIO_NET_CONTROL_OK;
	const char *fault;

	if (!virtio_chain_parse(queue, 0, &net->chain) || !read_command(net, queue, &command))
		return false;
	net->counters.controls++;
	fault = execute(net, &command);
	if (fault != NULL) {
		VIRTIO_NET_VIOLATE(net, "control queue, class %u, command %u, %u bytes: %s",
				   command.control.class_, command.control.command, command.length, fault);
		net->counters.refused++;
		answer = VIRTIO_NET_CONTROL_ERROR;
	}
	if (!virtio_chain_write(queue, &net->chain, 0, &answer, sizeof answer))
		return false;
	virtio_queue_use(queue, sizeof answer);
	return true;
}

bool virtio_net_control_run(struct virtio_net_device *net, struct virtio_queue *queue)
{
	uint32_t waiting = virtio_queue_look(queue);

	queue->looked_at = false;
	for (uint32_t n = 0; n < waiting && n < PER_TURN; n++)
		if (!take_command(net, queue))
			break;
	virtio_queue_publish(queue);
	if (!virtio_is_running(&net->device))
		return false;
	if (queue->count == 0)
		virtio_queue_arm(queue);
	else
		queue->looked_at = true;
	return queue->looked_at;
}
