/* SPDX-License-Identifier: MIT */
/*
 * What the shell keeps of the keyboard, the mouse and the integration components; a part of struct
 * shell. services.c attaches them as the host offers them, the other files are what each is for:
 * typed.c (lines from the keyboard), power.c, clock.c, pairs.c with addresses.c, backup.c, copies.c.
 */
#ifndef SHELL_SERVICES_H
#define SHELL_SERVICES_H

#include "apps/net/sha256.h"
#include "apps/shell/results.h"
#include "hvkit/block.h"
#include "hvkit/input.h"
#include "hvkit/utilities.h"

struct shell;

enum shell_service_kind {
	SHELL_KEYBOARD,
	SHELL_MOUSE,
	SHELL_SHUTDOWN,
	SHELL_TIMESYNC,
	SHELL_HEARTBEAT,
	SHELL_KVP,
	SHELL_VSS,
	SHELL_FCOPY,
	SHELL_SERVICES
};

enum shell_service_step {
	SHELL_SERVICE_IDLE,
	SHELL_SERVICE_ATTACHING,
	SHELL_SERVICE_UP,
	SHELL_SERVICE_DETACHING,
	SHELL_SERVICE_LEAVING /* detached; its memory is to be given back */
};

struct shell_service {
	enum shell_service_step step;
	struct hvk_request request; /* of the step */
	struct hvk_channel *channel;
	struct hvk_keyboard *keyboard; /* one of the three */
	struct hvk_mouse *mouse;
	struct hvk_utility *utility;
	bool gone;
	uint32_t refused; /* channel id of one that could not be attached; 0: none */
};

/* What the keyboard has typed and nobody has run: whole lines end with '\n', and what is behind the last
 * is being typed. */
#define SHELL_TYPED_BYTES 2048u
struct shell_typed {
	char bytes[SHELL_TYPED_BYTES];
	uint32_t length;
	bool overflowed; /* the line that is being typed is too long */
	uint64_t keys, lost;
	uint32_t last_key; /* as of hvk_key_event */
};

struct shell_pointer {
	struct hvk_mouse_event at;
	uint64_t moves;
};

/* The wall clock, in 100 ns since 1601. */
struct shell_clock {
	bool set;
	uint64_t wall, since; /* wall at hvk_time since */
	int64_t slew;         /* to be added to it little by little */
	int64_t last_difference;
	uint64_t steps, slews, ignored;
};

#define SHELL_PAIRS_MAX 256u
#define SHELL_ADAPTERS_MAX 4u
struct shell_pairs {
	struct hvk_kvp_store *store;
	struct hvk_kvp_pair scratch; /* here, not on a stack */
	uint8_t record[HVK_KVP_RECORD_SIZE];
	struct hvk_kvp_ip adapters[SHELL_ADAPTERS_MAX]; /* as the host has injected them */
	uint32_t adapter_count;
	struct hvk_kvp_ip asked; /* to be set */
	bool ip_asked;
	uint64_t injected;
};

enum shell_backup_state { SHELL_THAWED, SHELL_FREEZING, SHELL_FROZEN };
struct shell_backup {
	enum shell_backup_state state;
	struct hvk_block_request flushes[64]; /* one for each disk */
	bool flushing;
	bool flush_stale; /* what is being flushed is of an older freeze: writes came in between */
	uint32_t flushes_left;
	hvk_status flush_status;
	uint64_t freezes, thaws, thaws_by_itself;
};

#define SHELL_COPIES_MAX 8u
#define SHELL_COPY_NAME 256u
/* Of all that come in one run: a host does not fill the guest's disk, with bytes or with directories. */
#define SHELL_COPIES_BYTES (4ull << 30)
#define SHELL_COPIES_BEGUN 4096u
struct shell_copy {
	char name[SHELL_COPY_NAME]; /* with its path */
	uint64_t size, came;
	bool hashed; /* no part came twice */
	char digest[SHA256_TEXT];
};
struct shell_copies {
	struct shell_copy list[SHELL_COPIES_MAX]; /* the last that came */
	uint32_t count;
	uint32_t begun;      /* since the start, also those that came to nothing */
	uint64_t kept_bytes; /* likewise */
	void *file;          /* under way */
	struct shell_copy now;
	struct sha256 sha;
};

/* Files that the guest keeps, all below one directory; the platform's. Names are relative, components
 * apart by '/', none of them "..". CPU 0, also in hvk_poll. */
enum shell_file_error { SHELL_FILE_EXISTS, SHELL_FILE_NO_DIRECTORY, SHELL_FILE_NO_ROOM, SHELL_FILE_FAILED };
struct shell_files {
	void *context;
	/* Up to size bytes from offset on; 0 past the end, or if there is no such file. */
	size_t (*read)(void *context, const char *name, uint64_t offset, void *data, size_t size);
	/* A new file, which takes its place when it is closed; NULL with *error. create_path: and the
	 * directories above it. */
	void *(*create)(void *context, const char *name, bool overwrite, bool create_path,
			enum shell_file_error *error);
	bool (*write)(void *context, void *file, uint64_t offset, const void *data, size_t length);
	/* False: it is not there. keep false: nothing is left of it. */
	bool (*close)(void *context, void *file, bool keep);
};

/* Files in pages of the port, for a guest that has nothing else. memory_files.c */
struct shell_memory_files;
struct hvk_port;
hvk_status shell_memory_files_create(const struct hvk_port *port, struct shell_memory_files **out,
				     struct shell_files *files);
void shell_memory_files_destroy(struct shell_memory_files *files);

/* What the guest does not do though the host asks. */
#define SHELL_REFUSES_SHUTDOWN (1u << 0)
#define SHELL_REFUSES_FORCED (1u << 1)
#define SHELL_REFUSES_TIME (1u << 2)
#define SHELL_REFUSES_ADDRESSES (1u << 3)
#define SHELL_REFUSES_FILES (1u << 4)
#define SHELL_REFUSES_FREEZE (1u << 5)

struct shell_services {
	struct shell_service service[SHELL_SERVICES];
	bool up;      /* they are wanted */
	bool stirred; /* something is to be looked at */
	uint32_t refuses;
	struct shell_typed typed;
	struct shell_pointer pointer;
	struct shell_clock clock;
	struct shell_pairs pairs;
	struct shell_backup backup;
	struct shell_copies copies;
	struct shell_files files; /* the platform's, or in memory: */
	struct shell_memory_files *memory;
};

#endif
