/* SPDX-License-Identifier: MIT */
/*
 * DHCP's word on what to boot: the first byte is the length of a header's file name, which follows; then
 * options as they come in a message: code, length, bytes. The same bytes are taken for a message of ours
 * that asks.
 */
#include "apps/net/dhcp_boot.h"
#include "apps/net/url.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const uint8_t *bytes, size_t length)
{
	uint8_t message[300], before[300];
	size_t used = length < sizeof(message) ? length : sizeof(message), capacity = used + length % 16, now;

	memset(message, 0, sizeof(message));
	memcpy(message, bytes, used);
	memcpy(before, message, sizeof(before));
	capacity = capacity < sizeof(message) ? capacity : sizeof(message);
	now = net_dhcp_boot_ask(message, used, capacity);
	FUZZ_CHECK(now == used || (now == used + 10 && now <= capacity));
	FUZZ_CHECK(now != used || memcmp(message, before, sizeof(message)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t next[4] = {192, 0, 2, 9}, server[4] = {192, 0, 2, 1};
	struct net_dhcp_boot boot = {.file = ""};
	struct fuzz_input input = {data, size};
	char file[DHCP_BOOT_TEXT_MAX + 1] = "", url[DHCP_BOOT_URL_MAX + 1];
	uint8_t length = fuzz_u8(&input);

	length = length < input.left ? length : (uint8_t)input.left;
	memcpy(file, input.bytes, length);
	input.bytes += length;
	input.left -= length;
	ask(input.bytes, input.left);
	while (input.left >= 2) {
		uint8_t code = fuzz_u8(&input), bytes = fuzz_u8(&input);

		bytes = bytes < input.left ? bytes : (uint8_t)input.left;
		net_dhcp_boot_option(&boot, code, input.bytes, bytes);
		input.bytes += bytes;
		input.left -= bytes;
	}
	if (net_dhcp_boot_url(&boot, file, next, server, url)) {
		FUZZ_CHECK(memchr(url, '\0', sizeof(url)) && strstr(url, "://"));
		for (const char *at = url; *at; at++)
			FUZZ_CHECK(*at > ' ' && *at < 0x7f);
	}
	return 0;
}
