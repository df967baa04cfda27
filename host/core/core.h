/* SPDX-License-Identifier: MIT */
/*
 * What all of the host model uses: violations, faults and choices, trace, guest
 * memory. Private to host/.
 */
#ifndef HVH_CORE_CORE_H
#define HVH_CORE_CORE_H

#include "hvkit_host/host.h"
#include "hvkit_host/quirk.h"

bool hvh_partition_deterministic(const struct hvh_partition *partition);
uint32_t hvh_partition_vps(const struct hvh_partition *partition);

/* Records a violation with the bytes that offended (may be NULL). printf-like text:
 * what was wrong and what would be right. */
void hvh_violate(struct hvh_partition *partition, enum hvh_violation_kind kind, uint64_t now, uint32_t vp,
		 uint32_t channel_id, const void *bytes, uint32_t byte_count, const char *format, ...)
	__attribute__((format(printf, 8, 9)));

/* The seeded source. hvh_choose: 0 to below - 1 (below > 0). hvh_fault_strikes: true by
 * its chance, and then counted. */
uint64_t hvh_random(struct hvh_partition *partition);
uint32_t hvh_choose(struct hvh_partition *partition, uint32_t below);
/* The GUID that was wanted, or if that is all zeros one from the seed. */
void hvh_instance_guid(struct hvh_partition *partition, const uint8_t wanted[16], uint8_t guid[16]);
bool hvh_fault_strikes(struct hvh_partition *partition, enum hvh_fault fault);
enum hvh_silence hvh_silence_get(const struct hvh_partition *partition);

void hvh_trace_emit(struct hvh_partition *partition, const struct hvh_trace_record *record);
bool hvh_trace_wanted(const struct hvh_partition *partition);
void hvh_note(struct hvh_partition *partition, uint64_t now, uint32_t channel_id, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Somebody outside should call hvh_run. */
void hvh_kick(struct hvh_partition *partition);

/* One code point of UTF-8: how many bytes it has, 0 = it is none. Surrogates pass, as three bytes each:
 * half a pair of UTF-16 is kept. The text's end is point 0. */
uint32_t hvh_utf8_decode(const char *text, uint32_t *point);
uint32_t hvh_utf8_encode(uint32_t point, char text[4]);

/* Guest memory. Any length, page by page; false if any byte is not RAM. */
bool hvh_memory_read(struct hvh_partition *partition, uint64_t gpa, void *to, uint32_t length);
bool hvh_memory_write(struct hvh_partition *partition, uint64_t gpa, const void *from, uint32_t length);
/* Words shared with a running guest; aligned. Loads acquire, stores release. */
bool hvh_memory_load32(struct hvh_partition *partition, uint64_t gpa, uint32_t *value);
bool hvh_memory_store32(struct hvh_partition *partition, uint64_t gpa, uint32_t value);
bool hvh_memory_load16(struct hvh_partition *partition, uint64_t gpa, uint16_t *value);
bool hvh_memory_store16(struct hvh_partition *partition, uint64_t gpa, uint16_t value);
/* Sets bits with a sequentially consistent OR and tells what was there. */
bool hvh_memory_or8(struct hvh_partition *partition, uint64_t gpa, uint8_t bits, uint8_t *before);
bool hvh_memory_or32(struct hvh_partition *partition, uint64_t gpa, uint32_t bits, uint32_t *before);
bool hvh_memory_and32(struct hvh_partition *partition, uint64_t gpa, uint32_t bits, uint32_t *before);
/* A full barrier between this side's store and its next load. */
void hvh_memory_barrier(void);

#endif
