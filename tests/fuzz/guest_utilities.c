/* SPDX-License-Identifier: MIT */
/*
 * An integration component, keyboard or mouse over its whole life with a hostile host: messages of any kind
 * and order, answers in time or not, a ring of the host's making.
 * Header: {kind, flags}; kind: 0 to 5 the components, 6 keyboard, 7 mouse; flags: 2 answers come inside the
 * hypercall.
 */
#include "tests/fuzz/hostile.h"

#include "guest/vmbus/versions.h"
#include "hvkit/input.h"
#include "hvkit/utilities.h"

#define ANSWER_TURNS 4000u
#define BODY_MAX 8192u
#define HEADERS (sizeof(struct pipe_header) + sizeof(struct ic_header))

enum kind { UTILITIES = 6, KEYBOARD = 6, MOUSE = 7 };

struct service {
	struct hostile *machine;
	struct hvk_channel *channel;
	uint32_t kind;
	struct hvk_utility *utility;
	struct hvk_keyboard *keyboard;
	struct hvk_mouse *mouse;
	struct hvk_kvp_store *store;
	struct hvk_request attach, detach;
	bool full; /* the host does not read */
	enum hvk_utility_answer answer;
	/* What the user has been told. */
	bool frozen, copying, starting; /* starting: its answer is to come */
	uint64_t size;
	uint32_t gone;
};

/* --- The user ----------------------------------------------------------------------------------- */

static enum hvk_utility_answer asked(void *context, const struct hvk_shutdown *shutdown)
{
	FUZZ_CHECK(strlen(shutdown->text) <= 1024);
	for (const char *c = shutdown->text; *c != '\0'; c++)
		FUZZ_CHECK((uint8_t)*c >= 0x20);
	return ((struct service *)context)->answer;
}

static void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	(void)context;
	(void)forced;
	FUZZ_CHECK(action <= HVK_SHUTDOWN_HIBERNATE);
}

static uint64_t now(void *context)
{
	return 133500000000000000ull + ((struct service *)context)->answer;
}

static void adjust(void *context, const struct hvk_time_offer *offer, int64_t difference)
{
	FUZZ_CHECK((int64_t)offer->host_time - (int64_t)now(context) == difference);
	FUZZ_CHECK(offer->transit <= offer->host_time);
}

static enum hvk_utility_answer get_ip(void *context, struct hvk_kvp_ip *ip)
{
	strcpy(ip->addresses, "10.0.0.1");
	return ((struct service *)context)->answer;
}

static enum hvk_utility_answer set_ip(void *context, const struct hvk_kvp_ip *ip)
{
	FUZZ_CHECK(strpbrk(ip->addresses, "\n\r") == NULL && strlen(ip->name_servers) <= 1024);
	FUZZ_CHECK(strlen(ip->gateways) <= 512 && strlen(ip->masks) <= 1024);
	return ((struct service *)context)->answer;
}

static void check_pair(uint8_t pool, const struct hvk_kvp_pair *pair)
{
	FUZZ_CHECK(pool < IC_KVP_POOL_AUTO_INTERNAL && pair->key[0] != '\0');
	FUZZ_CHECK(strnlen(pair->key, sizeof(pair->key)) <= 765);
	FUZZ_CHECK(strnlen(pair->value, sizeof(pair->value)) <= 3069);
}

static enum hvk_utility_answer get(void *context, uint8_t pool, struct hvk_kvp_pair *pair)
{
	check_pair(pool, pair);
	return hvk_kvp_store_get(((struct service *)context)->store, pool, pair);
}

static enum hvk_utility_answer set(void *context, uint8_t pool, const struct hvk_kvp_pair *pair)
{
	check_pair(pool, pair);
	return hvk_kvp_store_set(((struct service *)context)->store, pool, pair);
}

static enum hvk_utility_answer remove_key(void *context, uint8_t pool, const char *key)
{
	return hvk_kvp_store_remove(((struct service *)context)->store, pool, key);
}

static enum hvk_utility_answer enumerate(void *context, uint8_t pool, uint32_t index,
					 struct hvk_kvp_pair *pair)
{
	return hvk_kvp_store_enumerate(((struct service *)context)->store, pool, index, pair);
}

static enum hvk_utility_answer freeze(void *context)
{
	struct service *service = context;

	FUZZ_CHECK(!service->frozen);
	service->frozen = service->answer == HVK_UTILITY_DONE || service->answer == HVK_UTILITY_LATER;
	return service->answer;
}

static void thaw(void *context, bool by_itself)
{
	struct service *service = context;

	(void)by_itself;
	FUZZ_CHECK(service->frozen); /* once for each */
	service->frozen = false;
}

static void check_path(const char *path)
{
	FUZZ_CHECK(strchr(path, '\\') == NULL && strchr(path, ':') == NULL && path[0] != '/');
	FUZZ_CHECK(strstr(path, "//") == NULL && strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0);
	FUZZ_CHECK(strstr(path, "/../") == NULL);
	FUZZ_CHECK(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static enum hvk_utility_answer start(void *context, const char *path, const char *name, uint64_t size,
				     bool overwrite, bool create_path)
{
	struct service *service = context;

	(void)overwrite;
	(void)create_path;
	check_path(path);
	check_path(name);
	FUZZ_CHECK(!service->copying && name[0] != '\0' && strchr(name, '/') == NULL && size <= 1u << 20);
	service->copying = service->answer == HVK_UTILITY_DONE || service->answer == HVK_UTILITY_LATER;
	service->starting = service->answer == HVK_UTILITY_LATER;
	service->size = size;
	return service->answer;
}

static enum hvk_utility_answer write_part(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct service *service = context;
	volatile uint8_t sum = 0;

	FUZZ_CHECK(service->copying && length <= IC_FCOPY_FRAGMENT && offset + length <= service->size);
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
	return service->answer;
}

static enum hvk_utility_answer end_copy(void *context, bool ok)
{
	struct service *service = context;

	FUZZ_CHECK(service->copying);
	service->copying = service->starting = false;
	return ok ? service->answer : HVK_UTILITY_DONE;
}

static void utility_gone(void *context, struct hvk_utility *utility)
{
	struct service *service = context;

	(void)utility;
	FUZZ_CHECK(!service->frozen && !service->copying);
	service->gone++;
}

static void key(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event)
{
	(void)context;
	(void)keyboard;
	FUZZ_CHECK(event->key <= HVK_KEY_PAUSE);
}

static void report(void *context, struct hvk_mouse *mouse, const uint8_t *bytes, uint32_t length)
{
	(void)context;
	(void)mouse;
	FUZZ_CHECK(length > 0 && length <= HVK_MOUSE_REPORT_MAX && (bytes[0] | bytes[length - 1]) < 256);
}

static void move(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event)
{
	(void)context;
	(void)mouse;
	FUZZ_CHECK(event->x <= 32767 && event->y <= 32767 && event->buttons < 8);
}

/* --- Life ------------------------------------------------------------------------------------------- */

static void attach(struct service *service)
{
	if (service->utility)
		hvk_utility_attach(service->utility, &service->attach);
	else if (service->keyboard)
		hvk_keyboard_attach(service->keyboard, &service->attach);
	else
		hvk_mouse_attach(service->mouse, &service->attach);
}

static void detach(struct service *service)
{
	if (service->utility)
		hvk_utility_detach(service->utility, &service->detach);
	else if (service->keyboard)
		hvk_keyboard_detach(service->keyboard, &service->detach);
	else
		hvk_mouse_detach(service->mouse, &service->detach);
}

static hvk_status destroy(struct service *service)
{
	if (service->utility)
		return hvk_utility_destroy(service->utility);
	return service->keyboard ? hvk_keyboard_destroy(service->keyboard)
				 : hvk_mouse_destroy(service->mouse);
}

static void dump(struct service *service)
{
	if (service->utility)
		hvk_utility_dump(service->utility, hostile_line, NULL);
	else if (service->keyboard)
		hvk_keyboard_dump(service->keyboard, hostile_line, NULL);
	else
		hvk_mouse_dump(service->mouse, hostile_line, NULL);
}

/* The host reads all that the guest has sent. */
static void step(struct service *service)
{
	uint32_t size, write;
	const uint8_t *control;

	if (service->machine->channel.open && !service->full) {
		control = hostile_place(service->machine, HOSTILE_OUT_CONTROL, &size);
		if (control != NULL) {
			memcpy(&write, control + VMBUS_RING_WRITE_INDEX, sizeof(write));
			service->machine->channel.out_read = write;
			hostile_write(service->machine, HOSTILE_OUT_CONTROL, VMBUS_RING_READ_INDEX, &write,
				      4);
		}
	}
	hostile_step(service->machine);
}

static void await(struct service *service, struct hvk_request *request)
{
	for (uint32_t i = 0; i < ANSWER_TURNS && request->status == HVK_EINPROGRESS; i++) {
		step(service);
		(void)hvk_wait(service->machine->hvk, request, 1);
	}
	FUZZ_CHECK(request->status != HVK_EINPROGRESS);
}

static void op_life(struct hostile *machine, struct fuzz_input *arguments)
{
	struct service *service = machine->user;

	switch (fuzz_u8(arguments) % 4u) {
	case 0:
		if (service->attach.status != HVK_EINPROGRESS)
			attach(service);
		break;
	case 1:
		if (service->detach.status != HVK_EINPROGRESS) {
			detach(service);
			await(service, &service->detach);
			FUZZ_CHECK(!service->frozen && !service->copying);
		}
		break;
	case 2:
		dump(service);
		break;
	default: /* more time than any answer has */
		for (uint32_t i = 0; i < 40; i++) {
			struct hvk_request never = {.status = HVK_EINPROGRESS};

			step(service);
			(void)hvk_wait(machine->hvk, &never, 20);
		}
	}
}

static void op_turn(struct hostile *machine, struct fuzz_input *arguments)
{
	for (uint32_t n = fuzz_u8(arguments) % 16u + 1u; n != 0; n--)
		step(machine->user);
}

/* --- Messages ------------------------------------------------------------------------------------------ */

/* {length u16, and runs of offset u16, count u8, bytes}: the rest is zeros. */
static uint32_t build_body(struct fuzz_input *arguments, uint8_t *body)
{
	uint32_t length = fuzz_u16(arguments) % (BODY_MAX + 1u);

	memset(body, 0, length);
	while (arguments->left >= 4) {
		uint32_t at = fuzz_u16(arguments), count = fuzz_u8(arguments);

		for (uint32_t i = 0; i < count && arguments->left > 0; i++) {
			uint8_t byte = fuzz_u8(arguments);

			if (at + i < length)
				body[at + i] = byte;
		}
	}
	return length;
}

/* A component's message with a lawful header: {type u8, body}; type 255: the component's own. */
static void op_say(struct hostile *machine, struct fuzz_input *arguments)
{
	static const uint8_t own[] = {IC_TYPE_SHUTDOWN, IC_TYPE_TIMESYNC, IC_TYPE_HEARTBEAT,
				      IC_TYPE_KVP,      IC_TYPE_VSS,      IC_TYPE_FCOPY};
	const struct service *service = machine->user;
	uint8_t type = fuzz_u8(arguments), message[HEADERS + BODY_MAX];
	uint32_t length = build_body(arguments, message + HEADERS);
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, (uint32_t)sizeof(struct ic_header) + length};
	struct ic_header header = {.type = type, .size = (uint16_t)length, .flags = 3};

	if (type == 255 && service->kind < UTILITIES)
		header.type = own[service->kind];
	memcpy(message, &pipe, sizeof(pipe));
	memcpy(message + sizeof(pipe), &header, sizeof(header));
	hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, message, (uint32_t)HEADERS + length);
	step(machine->user);
}

/* A message as it is: the keyboard's and, with a pipe's header, the mouse's. */
static void op_raw(struct hostile *machine, struct fuzz_input *arguments)
{
	const struct service *service = machine->user;
	uint8_t message[sizeof(struct pipe_header) + BODY_MAX];
	uint32_t length = build_body(arguments, message + sizeof(struct pipe_header));
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, length};
	uint32_t skip = service->kind == KEYBOARD ? sizeof(pipe) : 0;

	memcpy(message, &pipe, sizeof(pipe));
	hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, message + skip,
		       (uint32_t)sizeof(pipe) + length - skip);
	step(machine->user);
}

/* The host's part of a bring-up, by the rules. */
static void op_lawful(struct hostile *machine, struct fuzz_input *arguments)
{
	static const uint32_t versions[] = {IC_VERSION(3, 2), IC_VERSION(4, 0), IC_VERSION(3, 0),
					    IC_VERSION(4, 0), IC_VERSION(5, 0), IC_VERSION(1, 1)};
	static const uint32_t accepted[] = {KEYBOARD_PROTOCOL_RESPONSE, KEYBOARD_ACCEPTED};
	static const uint32_t approved[] = {1, 16, MOUSE_PROTOCOL_RESPONSE, 8, MOUSE_VERSION_2_0, 1};
	const struct service *service = machine->user;
	uint32_t words[11] = {1, 36, 0, 0, 16u << 16, 0, 3u << 8, 1u | 1u << 16, 0, IC_FRAMEWORK_3_0, 0};

	(void)arguments;
	/* The header's 20 bytes: framework, type and major, minor and size, status, transaction and flags. */
	if (service->kind < UTILITIES) {
		words[10] = versions[service->kind];
		hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, words, sizeof(words));
	} else if (service->kind == KEYBOARD) {
		hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, accepted, sizeof(accepted));
	} else {
		hostile_packet(machine, VMBUS_PACKET_IN_BAND, 0, 0, NULL, 0, approved, sizeof(approved));
	}
	step(machine->user);
}

/* What the callbacks say from now on; and whether the host reads. */
static void op_mood(struct hostile *machine, struct fuzz_input *arguments)
{
	struct service *service = machine->user;

	service->answer = (enum hvk_utility_answer)(fuzz_u8(arguments) % 6u);
	service->full = fuzz_u8(arguments) & 1u;
}

static void op_answer(struct hostile *machine, struct fuzz_input *arguments)
{
	static const struct hvk_kvp_ip ip = {.addresses = "fd00::1"};
	struct service *service = machine->user;
	enum hvk_utility_answer answer = (enum hvk_utility_answer)(fuzz_u8(arguments) % 6u);
	bool later = answer == HVK_UTILITY_LATER;
	hvk_status status;

	if (!service->utility)
		return;
	/* The user who says no has nothing frozen, and no file. */
	status = hvk_utility_answer(service->utility, answer, NULL, &ip);
	FUZZ_CHECK(status == (later ? HVK_EINVAL : HVK_OK) || status == HVK_ESTATE);
	if (status == HVK_OK && answer != HVK_UTILITY_DONE && service->kind == HVK_UTILITY_VSS)
		service->frozen = false;
	if (status == HVK_OK && service->starting) {
		service->copying = answer == HVK_UTILITY_DONE;
		service->starting = false;
	}
	step(service);
}

static void op_locks(struct hostile *machine, struct fuzz_input *arguments)
{
	struct service *service = machine->user;

	if (service->keyboard)
		(void)hvk_keyboard_set_locks(service->keyboard, (uint32_t)fuzz_u8(arguments) << 5);
}

/* --- A run ------------------------------------------------------------------------------------------- */

static const hostile_operation operations[] = {
	op_say,
	op_turn,
	op_lawful,
	op_raw,
	op_mood,
	op_answer,
	op_life,
	op_locks,
	hostile_op_packet,
	hostile_op_completion,
	hostile_op_message,
	hostile_op_ring_word,
	hostile_op_poll,
	hostile_op_pass_time,
	hostile_op_allocation,
	hostile_op_offer,
	hostile_op_answer,
	hostile_op_mute,
	hostile_op_arm,
};

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	struct service *service = context;

	(void)again;
	if (!service->channel)
		service->channel = channel;
}

static void channel_gone(void *context, struct hvk_channel *channel)
{
	struct service *service = context;

	if (service->channel == channel)
		service->channel = NULL;
}

static void create_utility(struct service *service)
{
	struct hvk_utility_config config = {.gone = utility_gone, .context = service, .answer_max_ms = 100};

	switch (service->kind) {
	case HVK_UTILITY_SHUTDOWN:
		config.callbacks.shutdown = (struct hvk_shutdown_callbacks){asked, go_down};
		break;
	case HVK_UTILITY_TIMESYNC:
		config.callbacks.time = (struct hvk_time_callbacks){now, adjust, 0, 0};
		break;
	case HVK_UTILITY_KVP:
		config.callbacks.kvp = (struct hvk_kvp_callbacks){get,       set,    remove_key,
								  enumerate, get_ip, set_ip};
		break;
	case HVK_UTILITY_VSS:
		config.callbacks.vss = (struct hvk_vss_callbacks){freeze, thaw, 200, false};
		break;
	case HVK_UTILITY_FCOPY:
		config.callbacks.fcopy = (struct hvk_fcopy_callbacks){start, write_part, end_copy, 1u << 20};
		break;
	default:
		break;
	}
	FUZZ_CHECK(hvk_utility_create(service->channel, &config, &service->utility) == HVK_OK);
	FUZZ_CHECK(hvk_utility_kind(service->utility) == (enum hvk_utility_kind)service->kind);
}

static void begin(struct service *service, struct fuzz_input *input)
{
	static const struct vmbus_guid types[] = {
		VMBUS_GUID_SHUTDOWN, VMBUS_GUID_TIMESYNC, VMBUS_GUID_HEARTBEAT, VMBUS_GUID_KVP,
		VMBUS_GUID_VSS,      VMBUS_GUID_FCOPY,    VMBUS_GUID_KEYBOARD,  VMBUS_GUID_MOUSE};
	const struct hvk_vmbus_config bus = {.offered = offered, .gone = channel_gone, .context = service};
	const struct hvk_keyboard_config keyboard = {.layout = &hvk_keyboard_german, .key = key};
	const struct hvk_mouse_config mouse = {.report = report, .move = move};
	uint8_t flags;

	service->kind = fuzz_u8(input) % 8u;
	flags = fuzz_u8(input);
	service->machine = hostile_create(VMBUS_VERSION_5_3, 1);
	service->machine->user = service;
	service->machine->type = types[service->kind];
	service->machine->eager = (flags & 2u) != 0;
	hostile_connect(service->machine, &bus);
	FUZZ_CHECK(service->channel != NULL);
	FUZZ_CHECK(hvk_kvp_store_create(service->machine->hvk, 4, &service->store) == HVK_OK);
	if (service->kind < UTILITIES)
		create_utility(service);
	else if (service->kind == KEYBOARD)
		FUZZ_CHECK(hvk_keyboard_create(service->channel, &keyboard, &service->keyboard) == HVK_OK);
	else
		FUZZ_CHECK(hvk_mouse_create(service->channel, &mouse, &service->mouse) == HVK_OK);
	attach(service);
}

static void end(struct service *service)
{
	await(service, &service->attach);
	if (service->detach.status != HVK_EINPROGRESS)
		detach(service);
	await(service, &service->detach);
	FUZZ_CHECK(!service->frozen && !service->copying);
	for (uint32_t i = 0; destroy(service) != HVK_OK; i++) {
		FUZZ_CHECK(i < ANSWER_TURNS);
		step(service);
	}
	hvk_kvp_store_destroy(service->store);
	hostile_destroy(service->machine);
	free(service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct service *service = calloc(1, sizeof(*service));

	FUZZ_CHECK(service != NULL);
	begin(service, &input);
	hostile_run(service->machine, &input, operations, sizeof(operations) / sizeof(operations[0]));
	end(service);
	return 0;
}
