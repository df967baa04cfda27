/* SPDX-License-Identifier: MIT */
/*
 * What every proof uses. nondet_*() is any value at all; PROOF_ASSUME narrows it down to
 * what the precondition allows, PROVE must hold for all that is left.
 */
#ifndef TESTS_PROOFS_PROOF_H
#define TESTS_PROOFS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
bool nondet_bool(void);

#define PROOF_ASSUME(condition) __CPROVER_assume(condition)

/* PROOF_END is the last statement of every harness: the second run shows that it can be
 * reached, see tests/proofs/run. */
#ifdef PROOF_MUST_FAIL
#define PROVE(condition) ((void)0)
#define PROOF_END() __CPROVER_assert(0, "proof_end")
#else
#define PROVE(condition) __CPROVER_assert(condition, #condition)
#define PROOF_END() ((void)0)
#endif

void harness(void);

#endif
