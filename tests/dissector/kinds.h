/* SPDX-License-Identifier: MIT */
/* Between the files that write the trace of every kind of record. */
#ifndef TESTS_DISSECTOR_KINDS_H
#define TESTS_DISSECTOR_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define KINDS_CARD 1u /* its channel */
#define KINDS_BODY_MAX 240u
#define KINDS_PACKET_MAX 8192u

struct kinds_writer {
	FILE *file;
	uint64_t time;
	uint32_t count;
	uint32_t random;  /* 0: nothing is changed */
	uint32_t channel; /* of packets */
};

void kinds_message(struct kinds_writer *writer, bool to_guest, const void *bytes, size_t count);
/* A ring packet with that payload, and what it points to. */
void kinds_packet(struct kinds_writer *writer, bool to_guest, uint16_t type, const void *payload,
		  uint32_t size, const void *external, uint32_t external_size);
/* Every message of a protocol: its type, then a pattern that leaves no field zero. */
void kinds_fill(uint8_t *bytes, uint32_t size, uint32_t type);

/* Packets are that channel's from now on. */
void kinds_offer(struct kinds_writer *writer, const char *device, uint32_t channel);
/* A controller's offer, and all that vstor and SCSI have. */
void kinds_storage(struct kinds_writer *writer);
/* A keyboard's, a mouse's and each integration component's. */
void kinds_services(struct kinds_writer *writer);

#endif
