/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/guest_user.h"

#include "hvkit/wire/ring.h"

#define RECEIVES_MAX 32u

static bool in_progress(const struct hvk_request *request)
{
	return request->status == HVK_EINPROGRESS;
}

static bool busy(const struct user_channel *slot)
{
	bool found = in_progress(&slot->open) || in_progress(&slot->close) || in_progress(&slot->move);

	for (uint32_t i = 0; i < USER_GPADLS; i++)
		found = found || in_progress(&slot->gpadls[i].create) ||
			in_progress(&slot->gpadls[i].teardown);
	return found;
}

/* --- Callbacks ---------------------------------------------------------------------- */

static struct user_channel *find(struct user *user, const struct hvk_channel *channel)
{
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		if (user->channels[i].channel == channel)
			return &user->channels[i];
	}
	return NULL;
}

static void keep(struct user *user, struct hvk_channel *channel, struct hvk_channel *primary)
{
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		struct user_channel *slot = &user->channels[i];

		if (slot->channel != NULL || busy(slot))
			continue;
		*slot = (struct user_channel){.channel = channel, .primary = primary};
		return;
	}
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct user *user = context;
	const struct user_channel *slot = find(user, channel);

	user->offered++;
	FUZZ_CHECK(hvk_channel_primary(channel) == channel);
	FUZZ_CHECK(slot == NULL || again);
	if (slot == NULL)
		keep(user, channel, NULL);
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct user *user = context;

	user->gone++;
	FUZZ_CHECK(user->gone <= user->offered);
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		struct user_channel *slot = &user->channels[i];

		if (slot->channel != channel)
			continue;
		FUZZ_CHECK(!slot->claimed);
		for (uint32_t j = 0; j < USER_GPADLS; j++)
			FUZZ_CHECK(slot->gpadls[j].gpadl.id == 0);
		slot->channel = NULL;
	}
}

/* Once more for those that are known, whenever the hooks are set. */
static void subchannel_offered(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	struct user *user = context;

	FUZZ_CHECK(channel != primary && hvk_channel_primary(channel) == primary);
	FUZZ_CHECK(find(user, primary) != NULL && find(user, primary)->claimed);
	if (find(user, channel) == NULL)
		keep(user, channel, primary);
}

static void subchannel_gone(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	struct user *user = context;
	struct user_channel *slot = find(user, channel);

	FUZZ_CHECK(find(user, primary) != NULL); /* its own turn comes after this */
	if (slot == NULL)
		return;
	FUZZ_CHECK(slot->primary == primary && !slot->claimed);
	for (uint32_t i = 0; i < USER_GPADLS; i++)
		FUZZ_CHECK(slot->gpadls[i].gpadl.id == 0);
	slot->channel = NULL;
}

static void look_at(struct user *user, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		user->sum = (uint8_t)(user->sum + bytes[i]);
}

/* Each comes back once, and only while it is out. */
static void take_back(struct user_channel *slot, void *cookie)
{
	bool *outstanding = cookie;

	FUZZ_CHECK(slot != NULL && outstanding >= slot->outstanding &&
		   outstanding < slot->outstanding + USER_REQUESTS);
	FUZZ_CHECK(*outstanding);
	*outstanding = false;
}

static void received(struct user *user, struct hvk_channel *channel, const struct hvk_packet *packet)
{
	FUZZ_CHECK((packet->cookie != NULL) == (packet->type == VMBUS_PACKET_COMPLETION));
	if (packet->cookie != NULL)
		take_back(find(user, channel), packet->cookie);
	look_at(user, packet->extension, packet->extension_length);
	look_at(user, packet->payload, packet->payload_length);
	if (packet->answer_wanted)
		(void)hvk_channel_complete(channel, packet->transaction_id, packet->payload,
					   packet->payload_length < 64 ? packet->payload_length : 64);
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct user *user = context;
	uint8_t *buffer = malloc(user->receive_size); /* its own block: exact bounds */
	hvk_status status = HVK_OK;
	struct hvk_packet packet;
	uint32_t i = 0;

	FUZZ_CHECK(buffer != NULL);
	for (; i < RECEIVES_MAX && status != HVK_EEMPTY; i++) {
		status = hvk_channel_receive(channel, buffer, user->receive_size, &packet);
		if (status == HVK_OK)
			received(user, channel, &packet);
		else if (status != HVK_ETOOBIG && status != HVK_EHOST_TRANSACTION)
			break;
	}
	free(buffer);
	return i == RECEIVES_MAX;
}

/* --- Life ------------------------------------------------------------------------------ */

struct user *user_create(struct hostile *machine)
{
	struct user *user = calloc(1, sizeof(*user));

	FUZZ_CHECK(user != NULL);
	user->machine = machine;
	user->receive_size = USER_PACKET_MAX;
	machine->user = user;
	return user;
}

void user_config(struct user *user, uint8_t flags, struct hvk_vmbus_config *config)
{
	*config = (struct hvk_vmbus_config){
		.mode = flags & 1u ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.offered = offered,
		.gone = gone,
		.context = user,
	};
}

/* After the close: what was never answered. */
static void take_rest(struct user_channel *slot)
{
	void *cookie;

	if (slot->channel == NULL || hvk_channel_state(slot->channel) != HVK_CHANNEL_CLOSED)
		return;
	while ((cookie = hvk_channel_take_request(slot->channel, NULL)) != NULL)
		take_back(slot, cookie);
	for (uint32_t i = 0; i < USER_REQUESTS; i++)
		FUZZ_CHECK(!slot->outstanding[i]);
}

static void begin_open(struct user *user, struct user_channel *slot, uint32_t pages)
{
	struct hvk_channel_config config = {
		.tx_pages = pages,
		.rx_pages = pages,
		.requests_max = USER_REQUESTS,
		.ready = ready,
		.context = user,
	};

	if (slot->channel == NULL || in_progress(&slot->open) || in_progress(&slot->close))
		return;
	take_rest(slot); /* of the last time */
	hvk_channel_open(slot->channel, &config, &slot->open);
}

static void begin_close(struct user_channel *slot)
{
	if (slot->channel == NULL || in_progress(&slot->open) || in_progress(&slot->close))
		return;
	hvk_channel_close(slot->channel, &slot->close);
}

void user_open(struct user *user, uint32_t n, uint32_t pages)
{
	begin_open(user, &user->channels[n], pages);
	hostile_wait(user->machine, &user->channels[n].open);
}

/* --- Sub-channels ------------------------------------------------------------------------ */

static const struct hvk_subchannel_hooks *hooks_of(struct user *user, struct hvk_subchannel_hooks *hooks)
{
	*hooks = (struct hvk_subchannel_hooks){subchannel_offered, subchannel_gone, user};
	return hooks;
}

/* Nothing is told of them any more: so nothing may be in use, and they are forgotten. */
static bool forget_subchannels(struct user *user, const struct hvk_channel *primary)
{
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		const struct user_channel *slot = &user->channels[i];

		if (slot->channel == NULL || slot->primary != primary)
			continue;
		if (busy(slot) || slot->claimed || hvk_channel_state(slot->channel) != HVK_CHANNEL_CLOSED ||
		    slot->gpadls[0].gpadl.id != 0 || slot->gpadls[1].gpadl.id != 0)
			return false;
	}
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		if (user->channels[i].primary == primary)
			user->channels[i].channel = NULL;
	}
	return true;
}

static void set_hooks(struct user *user, struct user_channel *slot, bool some)
{
	struct hvk_subchannel_hooks hooks;
	hvk_status status;

	if (slot->primary != NULL || !slot->claimed) {
		status = hvk_channel_set_subchannel_hooks(slot->channel, hooks_of(user, &hooks));
		FUZZ_CHECK(status == (slot->primary != NULL ? HVK_EINVAL : HVK_ESTATE));
	} else if (some) {
		status = hvk_channel_set_subchannel_hooks(slot->channel, hooks_of(user, &hooks));
		FUZZ_CHECK(status == HVK_OK);
	} else if (forget_subchannels(user, slot->channel)) {
		FUZZ_CHECK(hvk_channel_set_subchannel_hooks(slot->channel, NULL) == HVK_OK);
	}
}

static void walk_subchannels(struct user_channel *slot)
{
	struct hvk_channel *primary = hvk_channel_primary(slot->channel), *subchannel = NULL;
	uint32_t index = 0;

	while ((subchannel = hvk_channel_next_subchannel(primary, subchannel)) != NULL) {
		FUZZ_CHECK(hvk_channel_offer(subchannel)->subchannel_index > index);
		index = hvk_channel_offer(subchannel)->subchannel_index;
	}
}

static void begin_move(struct user_channel *slot, uint32_t cpu)
{
	if (!in_progress(&slot->move))
		hvk_channel_set_cpu(slot->channel, cpu, &slot->move);
}

/* --- The end ------------------------------------------------------------------------------- */

static void leave_channel(struct user *user, struct user_channel *slot)
{
	hostile_wait(user->machine, &slot->open);
	hostile_wait(user->machine, &slot->move);
	for (uint32_t i = 0; i < USER_GPADLS; i++)
		hostile_wait(user->machine, &slot->gpadls[i].create);
	begin_close(slot);
	hostile_wait(user->machine, &slot->close);
	for (uint32_t i = 0; i < USER_GPADLS; i++) {
		struct user_gpadl *gpadl = &slot->gpadls[i];

		if (gpadl->gpadl.id != 0 && !in_progress(&gpadl->teardown))
			hvk_gpadl_teardown(&gpadl->gpadl, &gpadl->teardown);
		hostile_wait(user->machine, &gpadl->teardown);
		FUZZ_CHECK(gpadl->gpadl.id == 0 ||
			   hvk_vmbus_state(user->machine->hvk) == HVK_VMBUS_ABANDONED);
	}
	take_rest(slot);
	if (slot->claimed) {
		slot->claimed = false;
		FUZZ_CHECK(slot->primary != NULL || forget_subchannels(user, slot->channel));
		hvk_channel_unclaim(slot->channel);
	}
}

void user_leave(struct user *user)
{
	hostile_wait(user->machine, &user->machine->connect);
	hostile_wait(user->machine, &user->machine->leave);
	if (hvk_vmbus_state(user->machine->hvk) == HVK_VMBUS_ABANDONED)
		return; /* nothing but the end may be called */
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		if (user->channels[i].primary != NULL)
			leave_channel(user, &user->channels[i]);
	}
	for (uint32_t i = 0; i < USER_CHANNELS; i++) {
		if (user->channels[i].primary == NULL)
			leave_channel(user, &user->channels[i]);
	}
}

/* --- Operations --------------------------------------------------------------------------- */

static struct user_channel *slot_of(struct hostile *machine, uint8_t n)
{
	struct user *user = machine->user;

	return &user->channels[n % USER_CHANNELS];
}

static bool abandoned(const struct hostile *machine)
{
	return hvk_vmbus_state(machine->hvk) == HVK_VMBUS_ABANDONED;
}

static void toggle_claim(struct user *user, struct user_channel *slot)
{
	if (slot->claimed) {
		if (slot->primary == NULL && !forget_subchannels(user, slot->channel))
			return;
		slot->claimed = false;
		hvk_channel_unclaim(slot->channel);
	} else {
		slot->claimed = hvk_channel_claim(slot->channel) == HVK_OK;
	}
}

void user_op_channel(struct hostile *machine, struct fuzz_input *arguments)
{
	struct user_channel *slot = slot_of(machine, fuzz_u8(arguments));
	uint8_t what = fuzz_u8(arguments);
	struct user *user = machine->user;

	if (slot->channel == NULL || abandoned(machine))
		return;
	switch (what % 7) {
	case 0:
		begin_open(user, slot, 1 + fuzz_u8(arguments) % 4u);
		break;
	case 1:
		begin_close(slot);
		break;
	case 2:
		toggle_claim(user, slot);
		break;
	case 4:
		begin_move(slot, fuzz_u8(arguments) % 3u); /* 2: there is none */
		break;
	case 5:
		set_hooks(user, slot, (fuzz_u8(arguments) & 1u) == 0);
		break;
	case 6:
		walk_subchannels(slot);
		break;
	default:
		user->receive_size = 16u + fuzz_u8(arguments) * 8u;
		break;
	}
}

void user_op_gpadl(struct hostile *machine, struct fuzz_input *arguments)
{
	struct user_channel *slot = slot_of(machine, fuzz_u8(arguments));
	uint8_t what = fuzz_u8(arguments);
	struct user_gpadl *gpadl = &slot->gpadls[(what >> 1) % USER_GPADLS];
	uint32_t pages = 1u + fuzz_u8(arguments);

	if (slot->channel == NULL || abandoned(machine) || in_progress(&gpadl->create) ||
	    in_progress(&gpadl->teardown))
		return;
	if ((what & 1u) && gpadl->gpadl.id != 0)
		hvk_gpadl_teardown(&gpadl->gpadl, &gpadl->teardown);
	else if (!(what & 1u) && gpadl->gpadl.id == 0)
		hvk_gpadl_create(slot->channel, pages, &gpadl->gpadl, &gpadl->create);
}

void user_op_bus(struct hostile *machine, struct fuzz_input *arguments)
{
	struct hvk_vmbus_config config;
	uint8_t what = fuzz_u8(arguments);

	if (abandoned(machine) || in_progress(&machine->connect) || in_progress(&machine->leave))
		return;
	switch (what % 5) {
	case 0:
		hvk_vmbus_suspend(machine->hvk, &machine->leave);
		break;
	case 1:
		hvk_vmbus_resume(machine->hvk, &machine->connect);
		break;
	case 2:
		hvk_vmbus_disconnect(machine->hvk, &machine->leave);
		break;
	case 3:
		user_config(machine->user, fuzz_u8(arguments), &config);
		hvk_vmbus_connect(machine->hvk, &config, &machine->connect);
		break;
	default:
		if (fuzz_u8(arguments) == 0xab)
			(void)hvk_vmbus_abandon(machine->hvk, HOSTILE_TIMEOUT_MS);
		break;
	}
}

/* A request's cookie, or NULL: all are out. */
static bool *free_cookie(struct user_channel *slot)
{
	for (uint32_t i = 0; i < USER_REQUESTS; i++) {
		if (!slot->outstanding[i])
			return &slot->outstanding[i];
	}
	return NULL;
}

static void send_one(struct user_channel *slot, uint8_t what, uint32_t length)
{
	struct hvk_buffer buffer = {NULL, 0x1000u + what, 1u + what * 16u};
	uint8_t payload[HVK_PAGE_SIZE] = {0};
	bool *cookie = what & 3u ? free_cookie(slot) : NULL;
	hvk_status status;

	if ((what & 3u) && cookie == NULL)
		return;
	if (what & 1u)
		status = hvk_channel_send_buffers(slot->channel, &buffer, 1, payload, length, cookie);
	else
		status = hvk_channel_send(slot->channel, payload, length, cookie != NULL, cookie);
	if (status != HVK_OK || cookie == NULL)
		return;
	*cookie = true;
	if ((what & 4u) && hvk_channel_take_request(slot->channel, cookie) != NULL)
		take_back(slot, cookie);
}

/* {channel, what, length / 16, count}; 1: by page list, 2: answered, 4: forgotten at once. */
void user_op_send(struct hostile *machine, struct fuzz_input *arguments)
{
	struct user_channel *slot = slot_of(machine, fuzz_u8(arguments));
	uint8_t what = fuzz_u8(arguments);
	uint32_t length = fuzz_u8(arguments) * 16u, count = 1u + fuzz_u8(arguments) % 32u;

	if (slot->channel == NULL || abandoned(machine) ||
	    hvk_channel_state(slot->channel) != HVK_CHANNEL_OPEN)
		return;
	(void)hvk_channel_room(slot->channel);
	for (; count > 0; count--)
		send_one(slot, what, length);
}
