/* SPDX-License-Identifier: MIT */
/*
 * The virtual function of a machine's card (bench_config.vf) comes and goes: bus, driver and pairing, each
 * step waited for.
 */
#ifndef BENCH_ACCELERATED_H
#define BENCH_ACCELERATED_H

#include "bench/machine.h"

/* From the host's word to the first frame that the function could carry. */
void bench_vf_attach(struct bench_machine *machine, const struct hvk_virtio_net_config *driver);
/* The host asks for it, and has it back. */
void bench_vf_detach(struct bench_machine *machine);

/* The same in two halves each, for who wants to see the data path move between them: paired, its driver still
 * at its attach; the host has asked, and says that none is allocated. */
void bench_vf_pair(struct bench_machine *machine, const struct hvk_virtio_net_config *driver);
void bench_vf_ask_back(struct bench_machine *machine);
void bench_vf_remove(struct bench_machine *machine);

/* A turn of guest and host, by 1 us. */
void bench_vf_turn(struct bench_machine *machine);
/* Ends the program unless it comes to that state. */
void bench_vf_await(struct bench_machine *machine, enum hvk_vf_state state);

#endif
