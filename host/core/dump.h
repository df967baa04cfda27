/* SPDX-License-Identifier: MIT */
/*
 * The state tree that hvh_dump shows (its form is told in hvkit_host/host.h). Each part of
 * the model writes its own members. Private to host/.
 */
#ifndef HVH_CORE_DUMP_H
#define HVH_CORE_DUMP_H

#include "hvkit_host/host.h"

#define HVH_DUMP_NAME_MAX 40u

struct hvh_dump {
	hvh_dump_line line;
	void *context;
	uint32_t depth;
};

/* What follows until the end stands below "name:". */
void hvh_dump_begin(struct hvh_dump *dump, const char *name);
/* ... below "name-7:" or, for addresses and ids, "name-e1e10:". */
void hvh_dump_begin_number(struct hvh_dump *dump, const char *name, uint32_t number);
void hvh_dump_begin_hex(struct hvh_dump *dump, const char *name, uint32_t number);
void hvh_dump_end(struct hvh_dump *dump);

void hvh_dump_text(struct hvh_dump *dump, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void hvh_dump_number(struct hvh_dump *dump, const char *name, uint64_t value);
void hvh_dump_hex(struct hvh_dump *dump, const char *name, uint64_t value);
void hvh_dump_flag(struct hvh_dump *dump, const char *name, bool value);    /* yes, no */
void hvh_dump_time(struct hvh_dump *dump, const char *name, uint64_t time); /* seconds, or never */
void hvh_dump_guid(struct hvh_dump *dump, const char *name, const uint8_t guid[16]);

#endif
