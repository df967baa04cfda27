/* SPDX-License-Identifier: MIT */
/* The block function of ChaCha20 (RFC 8439, 2.3), with a nonce of 0 but for its first word: that
 * and the counter together number the blocks. */
#ifndef BARE_CHACHA20_H
#define BARE_CHACHA20_H

#include <stdint.h>

#define CHACHA20_KEY_WORDS 8u
#define CHACHA20_BLOCK_BYTES 64u

void chacha20_block(const uint32_t key[CHACHA20_KEY_WORDS], uint64_t number,
		    uint8_t out[CHACHA20_BLOCK_BYTES]);

#endif
