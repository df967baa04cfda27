/* SPDX-License-Identifier: MIT */
/* Messages in and out: what the guest posted waits in a queue of 16 until hvh_run looks
 * at it; answers wait until the guest's slot takes them. */
#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define OUT_CAPACITY_FIRST 64u
#define REPEAT_CERTAIN 65536u

void hvh_vmbus_free(struct hvh_partition *partition)
{
	struct hvh_vmbus *bus = partition->vmbus;

	hvh_gpadls_free(partition, NULL);
	for (uint32_t n = 0; n < bus->channel_count; n++) {
		struct hvh_channel *channel = bus->channels[n];
		if (channel->ops->destroy != NULL && channel->primary == NULL)
			channel->ops->destroy(channel->device);
		free(channel->in_packet);
		free(channel->out_packet);
		free(channel);
	}
	free(bus->channels);
	free(bus->outgoing);
}

static uint32_t message_type(const void *bytes, uint32_t size)
{
	struct vmbus_message_header header = {0, 0};

	if (size >= sizeof(header))
		memcpy(&header, bytes, sizeof(header));
	return header.type;
}

/* --- Out ------------------------------------------------------------------------ */

static bool grow(struct hvh_vmbus *bus)
{
	uint32_t capacity = bus->out_capacity * 2;
	struct hvh_outgoing *larger = calloc(capacity, sizeof(*larger));

	if (larger == NULL)
		return false;
	for (uint32_t n = 0; n < bus->out_count; n++)
		larger[n] = bus->outgoing[(bus->out_head + n) % bus->out_capacity];
	free(bus->outgoing);
	bus->outgoing = larger;
	bus->out_capacity = capacity;
	bus->out_head = 0;
	return true;
}

static void queue(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		  const void *bytes, uint32_t size)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint64_t due = now;

	if (bus->out_count == bus->out_capacity && !grow(bus)) {
		hvh_note(partition, now, 0, "out of memory: a message is lost");
		return;
	}
	if (hvh_fault_strikes(partition, HVH_FAULT_DELAY_MESSAGE))
		due += 1 + hvh_choose(partition, HVH_DELAY_MAX);
	struct hvh_outgoing *out = &bus->outgoing[(bus->out_head + bus->out_count++) % bus->out_capacity];
	out->due = due;
	out->vp = vp;
	out->sint = sint;
	out->size = size < sizeof(out->bytes) ? size : (uint32_t)sizeof(out->bytes);
	memcpy(out->bytes, bytes, out->size);
	hvh_kick(partition);
}

/* What a guest has asked for; not what comes by itself. */
static bool is_answer(uint32_t type)
{
	return type == VMBUS_MSG_VERSION_RESPONSE || type == VMBUS_MSG_UNLOAD_RESPONSE ||
	       type == VMBUS_MSG_ALL_OFFERS_DELIVERED || type == VMBUS_MSG_GPADL_CREATED ||
	       type == VMBUS_MSG_GPADL_TORNDOWN || type == VMBUS_MSG_OPEN_RESULT;
}

void hvh_vmbus_send_to(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		       const void *bytes, uint32_t size)
{
	queue(partition, now, vp, sint, bytes, size);
	if (partition->repeat_chance == 0 || !is_answer(message_type(bytes, size)) ||
	    hvh_choose(partition, REPEAT_CERTAIN) >= partition->repeat_chance)
		return;
	partition->repeat_count++;
	queue(partition, now, vp, sint, bytes, size);
}

void hvh_vmbus_send(struct hvh_partition *partition, uint64_t now, const void *bytes, uint32_t size)
{
	hvh_vmbus_send_to(partition, now, partition->vmbus->vp, VMBUS_SINT, bytes, size);
}

void hvh_vmbus_drop_outgoing(struct hvh_partition *partition)
{
	partition->vmbus->out_count = 0;
}

/* In order: who is delayed delays all behind. */
static void flush(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	while (bus->out_count > 0) {
		const struct hvh_outgoing *out = &bus->outgoing[bus->out_head];
		if (out->due > now ||
		    !hvh_synic_post(partition, now, out->vp, out->sint, out->bytes, out->size))
			return;
		bus->out_head = (bus->out_head + 1) % bus->out_capacity;
		bus->out_count--;
	}
}

/* --- In ---------------------------------------------------------------------------- */

/* Which connections take messages, and what others answer. */
static uint32_t check_connection(struct hvh_partition *partition, uint32_t vp, uint32_t connection,
				 const void *bytes, uint32_t size)
{
	uint32_t status = HV_STATUS_INVALID_CONNECTION_ID;

	if (connection == VMBUS_CONNECTION_MESSAGE)
		return HV_STATUS_SUCCESS;
	if (connection == VMBUS_CONNECTION_MESSAGE_V5) /* asking is how guests find out */
		return partition->profile.connection_4 ? HV_STATUS_SUCCESS : status;
	if (connection == VMBUS_CONNECTION_EVENT)
		status = HV_STATUS_INVALID_PORT_ID;
	hvh_violate(partition, HVH_V_POST, partition->now, vp, 0, bytes, size,
		    "post to connection %u, which takes no messages (status %#x)", connection, status);
	return status;
}

/* By quirk: each message is refused once, and then taken. */
static uint32_t refuse_once(struct hvh_partition *partition, uint32_t type)
{
	static const uint32_t statuses[] = {
		[HVH_POST_INSUFFICIENT] = HV_STATUS_INSUFFICIENT_BUFFERS,
		[HVH_POST_TIMEOUT] = HV_STATUS_TIMEOUT,
		[HVH_POST_THROTTLED] = HV_STATUS_INVALID_CONNECTION_ID,
	};
	struct hvh_vmbus *bus = partition->vmbus;
	enum hvh_post_status wanted = partition->profile.post_status;

	if (wanted < HVH_POST_INSUFFICIENT)
		return HV_STATUS_SUCCESS;
	/* To a contact 0x12 says that there is no such connection. */
	if (wanted == HVH_POST_THROTTLED && (!bus->connected || type == VMBUS_MSG_INITIATE_CONTACT))
		return HV_STATUS_SUCCESS;
	bus->refused = !bus->refused;
	return bus->refused ? statuses[wanted] : HV_STATUS_SUCCESS;
}

static uint32_t post(struct hvh_partition *partition, uint32_t vp, uint32_t connection, const void *bytes,
		     uint32_t size)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint32_t status = check_connection(partition, vp, connection, bytes, size);

	if (status != HV_STATUS_SUCCESS)
		return status;
	if (partition->silence == HVH_SILENCE_POST || hvh_fault_strikes(partition, HVH_FAULT_POST_BUFFERS))
		return HV_STATUS_INSUFFICIENT_BUFFERS;
	if (bus->connected && message_type(bytes, size) != VMBUS_MSG_INITIATE_CONTACT &&
	    hvh_fault_strikes(partition, HVH_FAULT_POST_THROTTLED))
		return HV_STATUS_INVALID_CONNECTION_ID;
	status = refuse_once(partition, message_type(bytes, size));
	if (status != HV_STATUS_SUCCESS)
		return status;
	if (bus->post_count == HVH_POSTS_MAX)
		return HV_STATUS_INSUFFICIENT_BUFFERS;
	struct hvh_post *post = &bus->posts[(bus->post_head + bus->post_count++) % HVH_POSTS_MAX];
	post->vp = vp;
	post->connection = connection;
	post->size = size;
	memset(post->bytes, 0, sizeof(post->bytes));
	memcpy(post->bytes, bytes, size);
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = partition->now,
					  .kind = HVH_TRACE_MESSAGE,
					  .vp = vp,
					  .bytes = post->bytes,
					  .byte_count = size,
				  });
	hvh_kick(partition);
	return HV_STATUS_SUCCESS;
}

static bool reject(struct hvh_partition *partition, const struct hvh_post *post, enum hvh_violation_kind kind,
		   const char *name, const char *what)
{
	hvh_violate(partition, kind, partition->now, post->vp, 0, post->bytes, post->size, "%s: %s", name,
		    what);
	return false;
}

/* Newer versions have a longer form of two messages: no harm in asking for one. */
static bool may_be_longer(const struct hvh_message_rule *rule, const struct hvh_post *post)
{
	struct vmbus_initiate_contact contact;

	if (rule->payload)
		return true;
	memcpy(&contact, post->bytes, sizeof(contact));
	return contact.header.type == VMBUS_MSG_INITIATE_CONTACT && contact.version > VMBUS_VERSION_5_3;
}

static bool check_message(struct hvh_partition *partition, const struct hvh_post *post)
{
	const struct hvh_vmbus *bus = partition->vmbus;
	struct vmbus_message_header header;

	memcpy(&header, post->bytes, sizeof(header));
	if (post->size < sizeof(header))
		return reject(partition, post, HVH_V_MESSAGE_SHORT, "message",
			      "shorter than its 8-byte header");
	const struct hvh_message_rule *rule = hvh_message_rule(header.type);
	if (rule == NULL)
		return reject(partition, post, HVH_V_MESSAGE_TYPE, "message", "no message has this type");
	if (rule->to_guest)
		return reject(partition, post, HVH_V_MESSAGE_DIRECTION, rule->name,
			      "only the host sends this");
	if (post->size < rule->size)
		return reject(partition, post, HVH_V_MESSAGE_SHORT, rule->name, "shorter than its structure");
	if (header.type == VMBUS_MSG_RELID_RELEASED && !bus->connected && bus->contacted)
		return false; /* Linux, whose hv_vmbus is removed; tolerated.md */
	if (rule->first_version != 0 && !bus->connected)
		return reject(partition, post, HVH_V_MESSAGE_STATE, rule->name, "sent while not connected");
	if (bus->connected && bus->version < rule->first_version)
		return reject(partition, post, HVH_V_MESSAGE_VERSION, rule->name,
			      "this version does not have it");
	if (post->size > rule->size && !may_be_longer(rule, post))
		reject(partition, post, HVH_V_MESSAGE_LONG, rule->name, "longer than its structure");
	if (header.zero != 0)
		reject(partition, post, HVH_V_MESSAGE_PADDING, rule->name,
		       "second word of the header is not 0");
	if (bus->connected && header.type != VMBUS_MSG_INITIATE_CONTACT &&
	    post->connection != bus->connection)
		reject(partition, post, HVH_V_POST, rule->name,
		       "not posted to the connection that was agreed on");
	return true;
}

static void handle(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	switch (message_type(post->bytes, post->size)) {
	case VMBUS_MSG_REQUEST_OFFERS:
		hvh_request_offers(partition, now, post);
		break;
	case VMBUS_MSG_OPEN_CHANNEL:
		hvh_open(partition, now, post);
		break;
	case VMBUS_MSG_CLOSE_CHANNEL:
		hvh_close(partition, now, post);
		break;
	case VMBUS_MSG_GPADL_HEADER:
		hvh_gpadl_header(partition, now, post);
		break;
	case VMBUS_MSG_GPADL_BODY:
		hvh_gpadl_body(partition, now, post);
		break;
	case VMBUS_MSG_GPADL_TEARDOWN:
		hvh_gpadl_teardown(partition, now, post);
		break;
	case VMBUS_MSG_RELID_RELEASED:
		hvh_released(partition, now, post);
		break;
	case VMBUS_MSG_INITIATE_CONTACT:
		hvh_contact(partition, now, post);
		break;
	case VMBUS_MSG_UNLOAD:
		hvh_unload(partition, now, post);
		break;
	case VMBUS_MSG_OPEN_RESERVED:
		hvh_open_reserved(partition, now, post);
		break;
	case VMBUS_MSG_CLOSE_RESERVED:
		hvh_close_reserved(partition, now, post);
		break;
	case VMBUS_MSG_TL_CONNECT:
		hvh_tl_connect(partition, now, post);
		break;
	case VMBUS_MSG_MODIFY_CHANNEL:
		hvh_modify(partition, now, post);
		break;
	default:
		break; /* check_message lets no other type through */
	}
}

static void take_posts(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	for (uint32_t n = 0; n < HVH_POSTS_PER_RUN && bus->post_count > 0; n++) {
		struct hvh_post post = bus->posts[bus->post_head];
		if (bus->out_count >= HVH_OUTGOING_HIGH)
			return;
		bus->post_head = (bus->post_head + 1) % HVH_POSTS_MAX;
		bus->post_count--;
		if (check_message(partition, &post))
			handle(partition, now, &post);
	}
}

/* --- Time ------------------------------------------------------------------------------ */

void hvh_vmbus_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	flush(partition, now);
	take_posts(partition, now);
	hvh_offers_run(partition, now);
	hvh_gpadls_run(partition, now);
	hvh_monitor_run(partition, now);
	hvh_channels_run(partition, now);
	hvh_stale_run(partition, now);
	if (bus->spurious_at <= now) {
		bus->spurious_at = HVH_NEVER;
		hvh_synic_interrupt(partition, now, bus->spurious_vp, VMBUS_SINT);
	}
	flush(partition, now);
	hvh_subchannels_run(partition);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t hvh_vmbus_next_event(struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;
	uint64_t next = earlier(bus->spurious_at, bus->stale_due);

	if (bus->post_count > 0 && bus->out_count < HVH_OUTGOING_HIGH)
		next = earlier(next, partition->now);
	if (bus->out_count > 0) {
		const struct hvh_outgoing *out = &bus->outgoing[bus->out_head];
		if (hvh_synic_room(partition, out->vp, out->sint)) /* else the guest's EOM comes first */
			next = earlier(next, out->due);
	}
	next = earlier(next, hvh_gpadls_next_event(partition));
	next = earlier(next, hvh_monitor_next_event(partition));
	return earlier(next, hvh_channels_next_event(partition));
}

/* --- Life -------------------------------------------------------------------------------- */

/* A host that knows no UNLOAD goes on with what it was given once. */
static bool may_write(const struct hvh_partition *partition)
{
	return partition->vmbus->connected || partition->vmbus->stale_due != HVH_NEVER;
}

bool hvh_vmbus_init(struct hvh_partition *partition)
{
	static const struct hvh_ports ports = {post, hvh_vmbus_signal, may_write};
	struct hvh_vmbus *bus = partition->vmbus;

	partition->hypervisor->ports = &ports;
	bus->stale_due = HVH_NEVER;
	bus->monitor_due = HVH_NEVER;
	bus->spurious_at = HVH_NEVER;
	bus->out_capacity = OUT_CAPACITY_FIRST;
	bus->outgoing = calloc(bus->out_capacity, sizeof(*bus->outgoing));
	return bus->outgoing != NULL;
}
