/* SPDX-License-Identifier: MIT */
/* The real-time clock, for reading: an operating system asks once for the time of day. */
#include <time.h>

#include "vmm/private.h"

enum {
	SECONDS = 0x00,
	MINUTES = 0x02,
	HOURS = 0x04,
	WEEKDAY = 0x06,
	DAY = 0x07,
	MONTH = 0x08,
	YEAR = 0x09,
	STATUS_A = 0x0a,
	STATUS_B = 0x0b,
	STATUS_D = 0x0d,
	CENTURY = 0x32
};
#define STATUS_A_DIVIDER 0x26u /* 32 kHz; no update in progress, ever */
#define STATUS_B_24_HOURS 0x02u
#define STATUS_D_VALID 0x80u

static uint8_t bcd(int value)
{
	return (uint8_t)((value / 10) << 4 | value % 10);
}

uint8_t vmm_cmos_read(uint8_t index)
{
	time_t now = time(NULL);
	struct tm utc = {0};

	(void)gmtime_r(&now, &utc);
	switch (index) {
	case SECONDS:
		return bcd(utc.tm_sec < 60 ? utc.tm_sec : 59);
	case MINUTES:
		return bcd(utc.tm_min);
	case HOURS:
		return bcd(utc.tm_hour);
	case WEEKDAY:
		return bcd(utc.tm_wday + 1);
	case DAY:
		return bcd(utc.tm_mday);
	case MONTH:
		return bcd(utc.tm_mon + 1);
	case YEAR:
		return bcd(utc.tm_year % 100);
	case CENTURY:
		return bcd((utc.tm_year + 1900) / 100);
	case STATUS_A:
		return STATUS_A_DIVIDER;
	case STATUS_B:
		return STATUS_B_24_HOURS;
	case STATUS_D:
		return STATUS_D_VALID;
	default:
		return 0;
	}
}
