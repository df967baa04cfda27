/* SPDX-License-Identifier: MIT */
/* How a layout is written down. */
#ifndef CLI_TRACE_LAYOUTS_H
#define CLI_TRACE_LAYOUTS_H

#include "apps/hvkit/trace/tables.h"

#define SIZE_OF(type, member) ((uint16_t)sizeof(((type *)0)->member))
#define FIELD(type, member, name, form, show)                                         \
	{                                                                             \
		name, offsetof(type, member), SIZE_OF(type, member), form, show, NULL \
	}
#define NAMED(type, member, name, form, show, names)                                   \
	{                                                                              \
		name, offsetof(type, member), SIZE_OF(type, member), form, show, names \
	}
#define AFTER(type, name, form, show)                   \
	{                                               \
		name, sizeof(type), 0, form, show, NULL \
	}
#define LAYOUT(type, name, size_min, fields)                                                   \
	{                                                                                      \
		type, name, size_min, (uint16_t)(sizeof(fields) / sizeof((fields)[0])), fields \
	}
#define BARE(type, name, size_min)            \
	{                                     \
		type, name, size_min, 0, NULL \
	}

#endif
