/* SPDX-License-Identifier: MIT */
/*
 * TFTP client, reading (RFC 1350; options RFC 2347, 2348 blksize, 2349 tsize).
 * A state machine: datagrams and time go in, datagrams and the file's bytes come out
 * through callbacks. Every transfer ends: each packet is sent a bounded number of
 * times, and a server that repeats itself without progress does not count as alive.
 */
#ifndef NET_TFTP_H
#define NET_TFTP_H

#include <stdbool.h>
#include <stdint.h>

#define TFTP_FILE_MAX 400u    /* bytes of a file's name, so that the request fits any server's 512 */
#define TFTP_BLOCK_PLAIN 512u /* without the option */
#define TFTP_BLOCK_MIN 8u
#define TFTP_BLOCK_MAX 65464u
#define TFTP_HEADER 4u
#define TFTP_TIMEOUT_MS 1000u /* before the first repetition; each next one waits twice as long */
#define TFTP_SENDS_MAX 4u     /* of one packet: 1 + 2 + 4 + 8 s, then the server counts as silent */
#define TFTP_REQUEST_MAX 512u
#define TFTP_ERROR_TEXT 160u

enum tftp_state {
	TFTP_REQUESTED, /* no answer yet */
	TFTP_RECEIVING,
	TFTP_DONE,
	TFTP_FAILED
};

struct tftp_config {
	const char *file;     /* borrowed for tftp_start */
	uint16_t server_port; /* where the request goes, 69 */
	uint16_t block_size;  /* asked for; 512 asks for nothing */
	/* A datagram for the server's port; borrowed for the call. */
	void (*send)(void *context, uint16_t port, const void *packet, uint32_t length);
	/* The file's next bytes; each byte comes once, in order. */
	void (*data)(void *context, const void *bytes, uint32_t length);
	void *context;
};

struct tftp {
	struct tftp_config config;
	enum tftp_state state;
	uint16_t peer_port;  /* the server's transfer id; 0 until its first answer */
	uint16_t block_size; /* in use */
	uint16_t last_block; /* the last one taken */
	bool any_block;
	bool size_known;
	uint64_t size;  /* as announced */
	uint64_t bytes; /* taken */
	uint64_t deadline_ms;
	uint32_t sends;      /* of the packet below */
	uint32_t repeats;    /* packets sent more than once, in all */
	uint32_t duplicates; /* blocks that came again */
	uint32_t packet_length;
	uint8_t packet[TFTP_REQUEST_MAX]; /* last one sent */
	char error[TFTP_ERROR_TEXT];      /* TFTP_FAILED: what went wrong */
	bool timed_out;                   /* TFTP_FAILED: because the server was silent */
};

/* Sends the request. Fails at once (TFTP_FAILED) if the name is empty or too long. */
void tftp_start(struct tftp *tftp, const struct tftp_config *config, uint64_t now_ms);

/* A datagram came from this port of the server. */
void tftp_input(struct tftp *tftp, uint16_t port, const void *packet, uint32_t length, uint64_t now_ms);

/* To be called by deadline_ms: repeats the last packet, or gives up. */
void tftp_run(struct tftp *tftp, uint64_t now_ms);

/* Gives up for a reason of the caller's, and tells the server. */
void tftp_cancel(struct tftp *tftp, const char *reason);

static inline bool tftp_finished(const struct tftp *tftp)
{
	return tftp->state == TFTP_DONE || tftp->state == TFTP_FAILED;
}

#endif
