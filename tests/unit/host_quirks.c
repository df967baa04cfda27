/* SPDX-License-Identifier: MIT */
/* The table of quirks: names, values, errors, and when they may be set. What each does:
 * host_quirks_bus.c, host_quirks_hypervisor.c, host_modify.c, host_subchannels.c,
 * host_netvsp_*.c, tests/conformance/profiles.c. */
#include "host_guest.h"
#include "hvkit_host/quirk.h"

static char error[200];

static bool set(struct hvh_profile *profile, const char *name, const char *value)
{
	return hvh_quirk_set(profile, name, value, error, sizeof(error));
}

static void names_and_descriptions_are_good(void **state)
{
	const struct hvh_quirk *quirk, *other;
	(void)state;
	for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
		assert_int_equal(strspn(quirk->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
				 strlen(quirk->name));
		assert_in_range(strlen(quirk->description), 20, 100);
		assert_ptr_equal(hvh_quirk_find(quirk->name), quirk);
		for (uint32_t m = 0; m < n; m++) {
			other = hvh_quirk_get(m);
			assert_string_not_equal(quirk->name, other->name);
		}
	}
	assert_null(hvh_quirk_find("no-such-thing"));
}

/* Every setting of every quirk can be set and reads back, and changes nothing else. */
static void every_value_reads_back(void **state)
{
	const struct hvh_quirk *quirk, *other;
	char text[HVH_QUIRK_VALUE_MAX], before[HVH_QUIRK_VALUE_MAX];
	(void)state;
	for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
		static const char *const switches[] = {"on", "off", NULL};
		const char *const *values = quirk->kind == HVH_QUIRK_SWITCH ? switches : quirk->choices;
		for (uint32_t v = 0; values != NULL && values[v] != NULL; v++) {
			struct hvh_profile profile = *hvh_profile_find("ws2022"), plain = profile;
			assert_true(set(&profile, quirk->name, values[v]));
			hvh_quirk_value(&profile, quirk, text, sizeof(text));
			assert_string_equal(text, values[v]);
			for (uint32_t m = 0; (other = hvh_quirk_get(m)) != NULL; m++) {
				if (m == n)
					continue;
				hvh_quirk_value(&plain, other, before, sizeof(before));
				hvh_quirk_value(&profile, other, text, sizeof(text));
				assert_string_equal(text, before);
			}
		}
	}
}

/* What a profile has can be written down and set again. */
static void every_profile_can_be_written_down(void **state)
{
	const struct hvh_profile *profile;
	const struct hvh_quirk *quirk;
	char text[HVH_QUIRK_VALUE_MAX];
	(void)state;
	for (uint32_t p = 0; (profile = hvh_profile_get(p)) != NULL; p++) {
		struct hvh_profile copy = *profile;
		for (uint32_t n = 0; (quirk = hvh_quirk_get(n)) != NULL; n++) {
			hvh_quirk_value(profile, quirk, text, sizeof(text));
			assert_true(set(&copy, quirk->name, text));
		}
		assert_memory_equal(&copy, profile, sizeof(copy));
	}
}

static void wrong_values_say_what_is_right(void **state)
{
	struct hvh_profile profile = *hvh_profile_find("ws2012r2");
	(void)state;
	assert_false(set(&profile, "no-such", "on"));
	assert_string_equal(error, "there is no quirk 'no-such'; `hvkit hosts` lists them");
	assert_false(set(&profile, "connection-4", "yes"));
	assert_string_equal(error, "connection-4 is on or off, not 'yes'");
	assert_false(set(&profile, "send-section", "65537"));
	assert_string_equal(error, "send-section is a number from 0 to 65536, not '65537'");
	assert_false(set(&profile, "send-section", "-1"));
	assert_false(set(&profile, "send-section", "1024k"));
	assert_false(set(&profile, "send-section", "99999999999999999999999"));
	assert_false(set(&profile, "send-section", ""));
	assert_false(set(&profile, "torndown-withheld", "on"));
	assert_string_equal(error, "torndown-withheld is never, now-and-then or always, not 'on'");
	assert_false(set(&profile, "version-max", "4.0"));
	assert_string_equal(error, "version-max 4.0: ws2012r2 knows nothing newer than 3.0");
	assert_memory_equal(&profile, hvh_profile_find("ws2012r2"), sizeof(profile));
}

static void a_running_guest_has_its_host_fixed(void **state)
{
	struct guest guest;
	(void)state;
	guest_create(&guest, "ws2022");
	guest_start(&guest);
	assert_true(hvh_partition_set_quirk(guest.host, "version-max", "4.0", error, sizeof(error)));
	assert_int_equal(hvh_partition_get_profile(guest.host)->accept_newest, VMBUS_VERSION_4_0);
	assert_int_equal(hvh_profile_find("ws2022")->accept_newest, VMBUS_VERSION_5_3);
	connect_at(&guest, VMBUS_VERSION_4_0);
	assert_false(hvh_partition_set_quirk(guest.host, "version-max", "3.0", error, sizeof(error)));
	assert_string_equal(error,
			    "version-max cannot change any more: the guest has made contact; set it before");
	assert_true(hvh_partition_set_quirk(guest.host, "open-failure", "1", error, sizeof(error)));
	assert_false(hvh_partition_set_quirk(guest.host, "open-failure", "2", error, sizeof(error)));
	assert_string_equal(error, "open-failure is 0x8000ffff or 1, not '2'");
	assert_int_equal(hvh_partition_get_profile(guest.host)->accept_newest, VMBUS_VERSION_4_0);
	guest_destroy(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_descriptions_are_good),
		cmocka_unit_test(every_value_reads_back),
		cmocka_unit_test(every_profile_can_be_written_down),
		cmocka_unit_test(wrong_values_say_what_is_right),
		cmocka_unit_test(a_running_guest_has_its_host_fixed),
	};
	return cmocka_run_group_tests_name("host_quirks", tests, NULL, NULL);
}
