/* SPDX-License-Identifier: MIT */
/*
 * Keyboard and mouse, the guest's drivers and the host's devices, on hosts of every age: what is typed is
 * what is read, by layouts that differ; lights; positions; restarts of the host's side with strokes under
 * way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/input.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/input.h"
#include "tests/support/rig.h"

#define KEYS_MAX 4096u
#define MOVES_MAX 256u
#define OFFER_MS 5000u
#define SETTLE_MS 2000u
#define REQUEST_MS 60000u

struct user {
	struct rig *rig;
	const struct hvk_keyboard_layout *layout;
	bool refuses;
	void (*session)(struct user *user);
	struct hvh_keyboard *host_keyboard;
	struct hvh_mouse *host_mouse;
	struct hvk_channel *keyboard_channel, *mouse_channel;
	struct hvk_keyboard *keyboard;
	struct hvk_mouse *mouse;
	struct hvk_request keyboard_request, mouse_request;
	uint32_t keyboard_gone, mouse_gone;
	uint32_t stroke_count, key_count, move_count, report_count;
	struct hvk_key_event keys[KEYS_MAX]; /* presses and releases */
	struct hvk_mouse_event moves[MOVES_MAX];
	char wrong[160];
};

#define WRONG(user, ...)                                                                 \
	do {                                                                             \
		if ((user)->wrong[0] == '\0')                                            \
			(void)snprintf((user)->wrong, sizeof(user)->wrong, __VA_ARGS__); \
	} while (0)
#define EXPECT(user, right)                          \
	do {                                         \
		if (!(right))                        \
			WRONG(user, "not: " #right); \
	} while (0)

/* --- The guest's user ----------------------------------------------------------------------------- */

static void on_stroke(void *context, struct hvk_keyboard *keyboard, const struct hvk_keystroke *stroke)
{
	struct user *user = context;

	(void)stroke;
	EXPECT(user, keyboard == user->keyboard);
	user->stroke_count++;
}

static void on_key(void *context, struct hvk_keyboard *keyboard, const struct hvk_key_event *event)
{
	struct user *user = context;

	(void)keyboard;
	if (user->key_count == KEYS_MAX)
		WRONG(user, "too many keys");
	else
		user->keys[user->key_count++] = *event;
}

static void on_keyboard_gone(void *context, struct hvk_keyboard *keyboard)
{
	(void)keyboard;
	((struct user *)context)->keyboard_gone++;
}

static void on_report(void *context, struct hvk_mouse *mouse, const uint8_t *report, uint32_t length)
{
	struct user *user = context;

	(void)report;
	EXPECT(user, mouse == user->mouse);
	EXPECT(user, length == 7);
	user->report_count++;
}

static void on_move(void *context, struct hvk_mouse *mouse, const struct hvk_mouse_event *event)
{
	struct user *user = context;

	(void)mouse;
	if (user->move_count == MOVES_MAX)
		WRONG(user, "too many moves");
	else
		user->moves[user->move_count++] = *event;
}

static void on_mouse_gone(void *context, struct hvk_mouse *mouse)
{
	(void)mouse;
	((struct user *)context)->mouse_gone++;
}

static void offered(void *context, struct hvk_channel *channel, bool again)
{
	static const struct vmbus_guid keyboard = VMBUS_GUID_KEYBOARD, mouse = VMBUS_GUID_MOUSE;
	const struct vmbus_guid *type = &hvk_channel_offer(channel)->type;
	struct user *user = context;

	(void)again;
	if (memcmp(type, &keyboard, sizeof *type) == 0)
		user->keyboard_channel = channel;
	if (memcmp(type, &mouse, sizeof *type) == 0)
		user->mouse_channel = channel;
}

static void gone(void *context, struct hvk_channel *channel)
{
	struct user *user = context;

	if (channel == user->keyboard_channel)
		user->keyboard_channel = NULL;
	if (channel == user->mouse_channel)
		user->mouse_channel = NULL;
}

/* --- Steps ------------------------------------------------------------------------------------------ */

static uint64_t host_locked(struct user *user)
{
	hosted_lock(user->rig->machine);
	return hosted_now(user->rig->machine);
}

static void host_unlocked(struct user *user)
{
	hosted_kick(user->rig->machine);
	hosted_unlock(user->rig->machine);
}

static void poll_for(struct user *user, uint32_t ms)
{
	uint64_t end = hvk_time(user->rig->hvk) + ms * HVK_TIME_PER_MS;

	while (hvk_time(user->rig->hvk) < end) {
		(void)hvk_poll(user->rig->hvk, 0);
		hosted_wait(user->rig->machine, 1000000);
	}
}

/* Polls until the condition holds, as long as that can take. */
#define UNTIL(user, ms, condition)                                                       \
	do {                                                                             \
		uint64_t end_ = hvk_time((user)->rig->hvk) + (ms)*HVK_TIME_PER_MS;       \
		while (!(condition) && hvk_time((user)->rig->hvk) < end_)                \
			poll_for(user, 1);                                               \
		if (!(condition))                                                        \
			WRONG(user, "after %u ms not yet: " #condition, (unsigned)(ms)); \
	} while (0)

static void wait_for(struct user *user, struct hvk_request *request, hvk_status wanted, const char *what)
{
	hvk_status status = hvk_wait(user->rig->hvk, request, REQUEST_MS);

	if (status != wanted)
		WRONG(user, "%s: %s", what, hvk_status_name(status));
}

static bool is_there(const struct hvk_channel *channel)
{
	return channel && !hvk_channel_rescinded(channel);
}

static void create_both(struct user *user)
{
	const struct hvk_keyboard_config keyboard = {.layout = user->layout,
						     .stroke = on_stroke,
						     .key = on_key,
						     .gone = on_keyboard_gone,
						     .context = user};
	const struct hvk_mouse_config mouse = {
		.report = on_report, .move = on_move, .gone = on_mouse_gone, .context = user};

	UNTIL(user, OFFER_MS, is_there(user->keyboard_channel) && is_there(user->mouse_channel));
	if (user->wrong[0])
		return;
	user->keyboard_gone = user->mouse_gone = 0;
	EXPECT(user, hvk_keyboard_create(user->mouse_channel, &keyboard, &user->keyboard) == HVK_EINVAL);
	EXPECT(user, hvk_keyboard_create(user->keyboard_channel, &keyboard, &user->keyboard) == HVK_OK);
	EXPECT(user, hvk_mouse_create(user->mouse_channel, &mouse, &user->mouse) == HVK_OK);
}

static void attach_both(struct user *user, hvk_status wanted)
{
	if (!user->keyboard || !user->mouse)
		return;
	hvk_keyboard_attach(user->keyboard, &user->keyboard_request);
	hvk_mouse_attach(user->mouse, &user->mouse_request);
	wait_for(user, &user->keyboard_request, wanted, "attach the keyboard");
	wait_for(user, &user->mouse_request, wanted, "attach the mouse");
}

static void detach_both(struct user *user)
{
	if (!user->keyboard || !user->mouse)
		return;
	hvk_keyboard_detach(user->keyboard, &user->keyboard_request);
	hvk_mouse_detach(user->mouse, &user->mouse_request);
	wait_for(user, &user->keyboard_request, HVK_OK, "detach the keyboard");
	wait_for(user, &user->mouse_request, HVK_OK, "detach the mouse");
}

static void destroy_both(struct user *user)
{
	if (user->keyboard)
		EXPECT(user, hvk_keyboard_destroy(user->keyboard) == HVK_OK);
	if (user->mouse)
		EXPECT(user, hvk_mouse_destroy(user->mouse) == HVK_OK);
	user->keyboard = NULL;
	user->mouse = NULL;
}

static void type(struct user *user, const char *text)
{
	uint64_t now = host_locked(user);

	if (hvh_keyboard_type(user->host_keyboard, now, text) != strlen(text))
		WRONG(user, "not all of '%s' is taken", text);
	host_unlocked(user);
}

static void key(struct user *user, const char *name)
{
	uint64_t now = host_locked(user);

	if (!hvh_keyboard_key(user->host_keyboard, now, name))
		WRONG(user, "there is no key '%s'", name);
	host_unlocked(user);
}

static void stroke(struct user *user, uint16_t code, uint32_t flags)
{
	uint64_t now = host_locked(user);

	EXPECT(user, hvh_keyboard_stroke(user->host_keyboard, now, code, flags));
	EXPECT(user, hvh_keyboard_stroke(user->host_keyboard, now, code, flags | HVH_STROKE_RELEASED));
	host_unlocked(user);
}

/* Keys pressed since the last look, modifiers aside. */
static uint32_t pressed(const struct user *user, uint32_t *out, uint32_t most)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < user->key_count; n++) {
		uint32_t found = user->keys[n].key;

		if (user->keys[n].released || (found >= HVK_KEY_SHIFT_LEFT && found <= HVK_KEY_META_RIGHT))
			continue;
		if (count < most)
			out[count] = found;
		count++;
	}
	return count;
}

/* Exactly these were pressed, and let go of again. */
static void reads(struct user *user, const uint32_t *wanted, uint32_t count, const char *what)
{
	uint32_t found[KEYS_MAX];
	int32_t down = 0;

	for (uint32_t ms = 0; ms < SETTLE_MS && pressed(user, found, KEYS_MAX) < count; ms += 5)
		poll_for(user, 5);
	poll_for(user, 20);
	if (pressed(user, found, KEYS_MAX) != count)
		WRONG(user, "%s: %u keys, not %u", what, pressed(user, found, KEYS_MAX), count);
	for (uint32_t n = 0; n < count && user->wrong[0] == '\0'; n++) {
		if (found[n] != wanted[n])
			WRONG(user, "%s: key %u is %x, not %x", what, n, found[n], wanted[n]);
	}
	for (uint32_t n = 0; n < user->key_count; n++) {
		if (!user->keys[n].stroke.unicode)
			down += user->keys[n].released ? -1 : 1;
	}
	if (down != 0)
		WRONG(user, "%s: %d keys are held", what, (int)down);
	user->key_count = 0;
}

#define READS(user, what, ...)                                                  \
	do {                                                                    \
		const uint32_t wanted_[] = {__VA_ARGS__};                       \
		reads(user, wanted_, sizeof wanted_ / sizeof wanted_[0], what); \
	} while (0)

static void reads_ascii(struct user *user, const char *text)
{
	uint32_t wanted[KEYS_MAX], count = 0;

	while (text[count] != '\0') {
		wanted[count] = (uint8_t)text[count];
		count++;
	}
	reads(user, wanted, count, text);
}

/* --- Sessions: keyboard ------------------------------------------------------------------------------- */

static void text_is_read_as_it_was_typed(struct user *user)
{
	char all['~' - ' ' + 2];

	for (uint32_t n = 0; n + 1 < sizeof all; n++)
		all[n] = (char)(' ' + n);
	all[sizeof all - 1] = '\0';
	type(user, all);
	reads_ascii(user, all);
	type(user, "\tA\n\b\033");
	READS(user, "controls", '\t', 'A', '\n', '\b', 0x1b);
	type(user, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac\xf0\x9f\x98\x80!");
	READS(user, "beyond ASCII", 'g', 'r', 0xfc, 0xdf, ' ', 0x20ac, 0x1f600, '!');
	EXPECT(user, user->stroke_count > 2 * sizeof all);
}

/* What makes a "z" on a US keyboard makes a "y" on a German one. */
static void the_layout_is_the_guests(struct user *user)
{
	type(user, "zy[;'-=/Z@#");
	READS(user, "German", 'y', 'z', 0xfc, 0xf6, 0xe4, 0xdf, 0xb4, '-', 'Y', '"', 0xa7);
	key(user, "AltGr+q");
	key(user, "AltGr+e");
	key(user, "AltGr+7");
	READS(user, "third level", '@', 0x20ac, '{');
	stroke(user, 0x56, 0);
	READS(user, "the key of 102", '<');
}

static void keys_without_a_character(struct user *user)
{
	static const struct {
		const char *name;
		uint32_t key;
	} names[] = {
		{"F1", HVK_KEY_F1},
		{"F10", HVK_KEY_F1 + 9},
		{"F11", HVK_KEY_F1 + 10},
		{"F12", HVK_KEY_F12},
		{"Home", HVK_KEY_HOME},
		{"End", HVK_KEY_END},
		{"Up", HVK_KEY_UP},
		{"Down", HVK_KEY_DOWN},
		{"Left", HVK_KEY_LEFT},
		{"Right", HVK_KEY_RIGHT},
		{"PageUp", HVK_KEY_PAGE_UP},
		{"PageDown", HVK_KEY_PAGE_DOWN},
		{"Insert", HVK_KEY_INSERT},
		{"Delete", HVK_KEY_DELETE},
		{"Pause", HVK_KEY_PAUSE},
		{"Menu", HVK_KEY_MENU},
		{"Print", HVK_KEY_PRINT},
		{"KeypadEnter", '\n'},
		{"Keypad/", '/'},
		{"Keypad*", '*'},
		{"Ctrl+Alt+Delete", HVK_KEY_DELETE},
		{"Ctrl+C", 'c'},
		{"Keypad7", HVK_KEY_HOME},
		{"Break", HVK_KEY_PAUSE},
	};

	for (uint32_t n = 0; n < sizeof names / sizeof names[0]; n++) {
		key(user, names[n].name);
		reads(user, &names[n].key, 1, names[n].name);
	}
	/* E1 alone, and a code that nothing has: raw strokes, and no key. */
	user->stroke_count = 0;
	stroke(user, 0x77, HVH_STROKE_E1);
	poll_for(user, 20);
	EXPECT(user, user->stroke_count == 2);
	for (uint32_t n = 0; n < user->key_count; n++)
		EXPECT(user, user->keys[n].key == HVK_KEY_NONE);
	user->key_count = 0;
}

static uint16_t leds(struct user *user)
{
	uint16_t found;

	(void)host_locked(user);
	found = hvh_keyboard_leds(user->host_keyboard);
	host_unlocked(user);
	return found;
}

static void locks_light_the_leds(struct user *user)
{
	EXPECT(user, leds(user) == 0);
	key(user, "CapsLock");
	READS(user, "CapsLock", HVK_KEY_CAPS_LOCK);
	UNTIL(user, SETTLE_MS, leds(user) == KEYBOARD_LED_CAPS);
	type(user, "aB1");
	reads_ascii(user, "Ab1");
	key(user, "NumLock");
	key(user, "Keypad7");
	READS(user, "NumLock", HVK_KEY_NUM_LOCK, '7');
	UNTIL(user, SETTLE_MS, leds(user) == (KEYBOARD_LED_CAPS | KEYBOARD_LED_NUM));
	EXPECT(user, hvk_keyboard_set_locks(user->keyboard, HVK_MODIFIER_SCROLL) == HVK_OK);
	UNTIL(user, SETTLE_MS, leds(user) == KEYBOARD_LED_SCROLL);
	EXPECT(user, hvk_keyboard_locks(user->keyboard) == HVK_MODIFIER_SCROLL);
	/* They are the guest's: whoever attaches again says them anew. */
	detach_both(user);
	EXPECT(user, leds(user) == 0);
	attach_both(user, HVK_OK);
	UNTIL(user, SETTLE_MS, leds(user) == KEYBOARD_LED_SCROLL);
}

/* More than the rings hold. */
static void a_flood_is_read_whole_and_in_order(struct user *user)
{
	char text[401];

	for (uint32_t n = 0; n < sizeof text - 1; n++)
		text[n] = (char)('a' + n * n % 26);
	text[sizeof text - 1] = '\0';
	type(user, text);
	reads_ascii(user, text);
}

static void what_waits_is_read_after_an_attach(struct user *user)
{
	for (uint32_t n = 0; n < 3; n++) {
		detach_both(user);
		user->key_count = 0;
		type(user, "while away");
		poll_for(user, 20);
		EXPECT(user, user->key_count == 0);
		attach_both(user, HVK_OK);
		reads_ascii(user, "while away");
	}
}

/* --- Sessions: mouse ---------------------------------------------------------------------------------- */

static void report(struct user *user, uint16_t x, uint16_t y, uint32_t buttons, int8_t wheel)
{
	uint64_t now = host_locked(user);

	EXPECT(user, hvh_mouse_report(user->host_mouse, now, x, y, buttons, wheel));
	host_unlocked(user);
}

static void moved(struct user *user, uint32_t n, uint16_t x, uint16_t y, uint32_t buttons, int32_t wheel)
{
	const struct hvk_mouse_event *found = &user->moves[n];

	UNTIL(user, SETTLE_MS, user->move_count > n);
	if (found->x != x || found->y != y || found->buttons != buttons || found->wheel != wheel)
		WRONG(user, "move %u: %u,%u %x %d", n, found->x, found->y, found->buttons, (int)found->wheel);
}

static void the_pointer_is_where_the_host_has_it(struct user *user)
{
	struct hvk_mouse_info info;

	hvk_mouse_get_info(user->mouse, &info);
	EXPECT(user, info.understood && info.vendor == 0x045e && info.product == 0x0621);
	EXPECT(user, info.descriptor_length > 32 && info.descriptor[0] == 0x05);
	report(user, 0, 0, 0, 0);
	moved(user, 0, 0, 0, 0, 0);
	report(user, 32767, 1, 1, 0);
	moved(user, 1, 32767, 1, 1, 0);
	report(user, 256, 32767, 6, -127);
	moved(user, 2, 256, 32767, 6, -127);
	report(user, 255, 128, 0, 127);
	moved(user, 3, 255, 128, 0, 127);
	EXPECT(user, user->move_count == 4 && user->report_count == 4);
}

/* --- Sessions: the host's side goes and comes ----------------------------------------------------------- */

static void restart_both(struct user *user)
{
	uint64_t now = host_locked(user);

	hvh_keyboard_restart(user->host_keyboard, now);
	hvh_mouse_restart(user->host_mouse, now);
	host_unlocked(user);
}

static void restarts_cost_no_stroke_that_waits(struct user *user)
{
	for (uint32_t n = 0; n < 4; n++) {
		report(user, (uint16_t)n, 7, n & 1, 0);
		restart_both(user);
		type(user, "after ");
		UNTIL(user, SETTLE_MS, user->keyboard_gone && user->mouse_gone);
		EXPECT(user, user->keyboard_gone == 1 && user->mouse_gone == 1);
		detach_both(user);
		destroy_both(user);
		user->move_count = user->key_count = 0;
		create_both(user);
		attach_both(user, HVK_OK);
		type(user, "all");
		reads_ascii(user, "after all");
		report(user, (uint16_t)(100 + n), 8, n & 1, 0);
		UNTIL(user, SETTLE_MS, user->move_count > 0 && user->moves[user->move_count - 1].y == 8);
	}
}

/* Whatever was to be typed when it went, a part of it from the front on is missing at most. */
static void a_restart_in_the_middle(struct user *user)
{
	uint32_t found[KEYS_MAX], count;

	type(user, "abcdefghijklmnopqrstuvwxyz");
	(void)hvk_poll(user->rig->hvk, 0);
	restart_both(user);
	UNTIL(user, SETTLE_MS, user->keyboard_gone && user->mouse_gone);
	detach_both(user);
	destroy_both(user);
	create_both(user);
	attach_both(user, HVK_OK);
	type(user, ".");
	UNTIL(user, SETTLE_MS,
	      (count = pressed(user, found, KEYS_MAX)) > 0 && count <= 27 && found[count - 1] == '.');
	for (uint32_t n = 1; n + 1 < count; n++)
		EXPECT(user, found[n] > found[n - 1]);
}

static void never_attached(struct user *user)
{
	poll_for(user, 20);
	EXPECT(user, user->stroke_count == 0);
}

/* --- The machine ---------------------------------------------------------------------------------- */

static void session(void *context, struct rig *rig)
{
	struct user *user = context;
	const struct hvh_input_config config = {.refuses = user->refuses};
	struct hvh_partition *partition = hosted_partition(rig->machine);
	hvk_status wanted = HVK_OK;

	user->rig = rig;
	(void)host_locked(user);
	user->host_keyboard = hvh_keyboard_create(partition, &config);
	user->host_mouse = hvh_mouse_create(partition, &config);
	host_unlocked(user);
	if (user->refuses)
		wanted = HVK_EREFUSED_INPUT;
	else if (rig->config.silence != HVH_SILENCE_NONE)
		wanted = HVK_ETIMEDOUT_INPUT;
	create_both(user);
	if (rig->config.silence == HVH_SILENCE_MOUSE_INFO) { /* that is the mouse's alone */
		hvk_mouse_attach(user->mouse, &user->mouse_request);
		wait_for(user, &user->mouse_request, wanted, "attach the mouse");
	} else {
		attach_both(user, wanted);
	}
	if (user->wrong[0] == '\0')
		user->session(user);
	detach_both(user);
	destroy_both(user);
}

static void run(struct rig_config config, void (*body)(struct user *user),
		const struct hvk_keyboard_layout *layout, bool refuses)
{
	static struct user user;
	struct rig_result result;
	const char *wrong;

	user = (struct user){.layout = layout, .refuses = refuses, .session = body};
	config.mode = HOSTED_DETERMINISTIC;
	config.no_nic = true;
	config.session = session;
	config.offered = offered;
	config.gone = gone;
	config.session_context = &user;
	rig_run(&config, &result);
	wrong = user.wrong[0] ? user.wrong : rig_check(&result, true);
	if (wrong)
		fail_msg("%s, %u CPUs, seed %u: %s", config.custom ? config.custom->name : "ws2022",
			 config.cpus, (unsigned)config.seed, wrong);
}

static void everywhere(struct user *user)
{
	text_is_read_as_it_was_typed(user);
	the_pointer_is_where_the_host_has_it(user);
	locks_light_the_leds(user);
}

static void every_host_at_every_version(void **state)
{
	static const uint32_t versions[] = {
		VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
		VMBUS_VERSION_4_0,  VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_1,
		VMBUS_VERSION_5_2,  VMBUS_VERSION_5_3,
	};
	const struct hvh_profile *profile;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		for (uint32_t v = 0; v < sizeof versions / sizeof versions[0]; v++) {
			const struct rig_config config = {.custom = profile,
							  .accept_newest = versions[v],
							  .seed = 10 * n + v,
							  .cpus = 1 + v % 2};

			if (versions[v] <= profile->newest_version)
				run(config, everywhere, NULL, false);
		}
	}
}

static void run_seeds(void (*body)(struct user *user), const struct hvk_keyboard_layout *layout)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		const struct rig_config config = {
			.seed = seed,
			.cpus = 1 + (uint32_t)seed % 3,
			.fault_chance = seed % 2 ? 0 : 2000,
		};

		run(config, body, layout, false);
	}
}

#define SEEDED(name)                          \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		run_seeds(name, NULL);        \
	}
SEEDED(text_is_read_as_it_was_typed)
SEEDED(keys_without_a_character)
SEEDED(locks_light_the_leds)
SEEDED(a_flood_is_read_whole_and_in_order)
SEEDED(what_waits_is_read_after_an_attach)
SEEDED(the_pointer_is_where_the_host_has_it)
SEEDED(restarts_cost_no_stroke_that_waits)
SEEDED(a_restart_in_the_middle)

static void test_the_layout_is_the_guests(void **state)
{
	(void)state;
	run_seeds(the_layout_is_the_guests, &hvk_keyboard_german);
}

static void a_host_that_refuses(void **state)
{
	const struct rig_config config = {.seed = 1, .cpus = 1};

	(void)state;
	run(config, never_attached, NULL, true);
}

static void a_silent_host(void **state)
{
	struct rig_config config = {.seed = 1, .cpus = 1, .silence = HVH_SILENCE_MOUSE_INFO};

	(void)state;
	run(config, never_attached, NULL, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host_at_every_version),
		cmocka_unit_test(test_text_is_read_as_it_was_typed),
		cmocka_unit_test(test_the_layout_is_the_guests),
		cmocka_unit_test(test_keys_without_a_character),
		cmocka_unit_test(test_locks_light_the_leds),
		cmocka_unit_test(test_a_flood_is_read_whole_and_in_order),
		cmocka_unit_test(test_what_waits_is_read_after_an_attach),
		cmocka_unit_test(test_the_pointer_is_where_the_host_has_it),
		cmocka_unit_test(test_restarts_cost_no_stroke_that_waits),
		cmocka_unit_test(test_a_restart_in_the_middle),
		cmocka_unit_test(a_host_that_refuses),
		cmocka_unit_test(a_silent_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
