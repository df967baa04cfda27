/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/shell/private.h"

#define TEXT_MAX 1600u /* of one call */

static void print_arguments(struct shell *shell, enum shell_stream stream, const char *format,
			    va_list arguments)
{
	char text[TEXT_MAX];
	int length = vsnprintf(text, sizeof(text), format, arguments);

	if (length < 0)
		return;
	if ((size_t)length >= sizeof(text)) {
		length = (int)sizeof(text) - 1;
		text[length - 1] = '\n';
	}
	shell->platform.write(shell->platform.context, stream, text, (size_t)length);
}

void shell_print(struct shell *shell, enum shell_stream stream, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_arguments(shell, stream, format, arguments);
	va_end(arguments);
}

void shell_fail(struct shell *shell, const char *step, hvk_status status)
{
	shell_print(shell, SHELL_ERROR, "%s: %s: %s\n", step, hvk_status_name(status),
		    hvk_status_text(status));
	if (shell->results.failed_step)
		return;
	shell->results.failed_step = step;
	shell->results.failed_status = status;
	shell->results.exit_status = SHELL_FAILED;
}

int shell_error(struct shell *shell, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_arguments(shell, SHELL_ERROR, format, arguments);
	va_end(arguments);
	return SHELL_FAILED;
}

int shell_usage(struct shell *shell, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_arguments(shell, SHELL_ERROR, format, arguments);
	va_end(arguments);
	return SHELL_USAGE;
}

void shell_guid_text(const struct vmbus_guid *guid, char text[SHELL_GUID_TEXT])
{
	/* Where each byte of the text comes from: the first three fields are little-endian. */
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	static const char digits[] = "0123456789abcdef";
	char *to = text;

	for (unsigned i = 0; i < 16; i++) {
		uint8_t byte = guid->bytes[order[i]];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[byte >> 4];
		*to++ = digits[byte & 15];
	}
	*to = '\0';
}

void shell_version_text(uint32_t version, char text[SHELL_VERSION_TEXT])
{
	snprintf(text, SHELL_VERSION_TEXT, "%u.%u", version >> 16, version & 0xffff);
}

const char *shell_nvs_name(uint32_t version)
{
	switch (version) {
	case NVS_VERSION_1:
		return "1";
	case NVS_VERSION_2:
		return "2";
	case NVS_VERSION_4:
		return "4";
	case NVS_VERSION_5:
		return "5";
	case NVS_VERSION_6:
		return "6";
	case NVS_VERSION_6_1:
		return "6.1";
	default:
		return "unknown";
	}
}

void shell_size_text(uint64_t bytes, char text[SHELL_SIZE_TEXT])
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	unsigned unit = 0;

	if (bytes < 1000) {
		snprintf(text, SHELL_SIZE_TEXT, "%u bytes", (unsigned)bytes);
		return;
	}
	while (bytes >= 1000000) {
		bytes /= 1000;
		unit++;
	}
	snprintf(text, SHELL_SIZE_TEXT, "%u.%u %s", (unsigned)(bytes / 1000), (unsigned)(bytes % 1000 / 100),
		 units[unit]);
}

void shell_address_text(const uint8_t address[4], char text[SHELL_ADDRESS_TEXT])
{
	snprintf(text, SHELL_ADDRESS_TEXT, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

uint64_t shell_rate(uint64_t bytes, uint64_t time)
{
	if (!time)
		return 0;
	/* bytes * 10^7 overflows past 1.8 TB: then whole seconds are exact enough. */
	if (bytes < UINT64_MAX / HVK_TIME_PER_SECOND)
		return bytes * HVK_TIME_PER_SECOND / time;
	return time < HVK_TIME_PER_SECOND ? 0 : bytes / (time / HVK_TIME_PER_SECOND);
}
