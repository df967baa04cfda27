/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4), bytes as they come. */
#ifndef NET_SHA256_H
#define NET_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u
#define SHA256_BLOCK 64u
#define SHA256_TEXT (2u * SHA256_BYTES + 1u) /* lower-case hexadecimal, ended */

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	uint8_t block[SHA256_BLOCK];
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t length);
void sha256_end(struct sha256 *sha, uint8_t digest[SHA256_BYTES]);
void sha256_text(const uint8_t digest[SHA256_BYTES], char text[SHA256_TEXT]);

#endif
