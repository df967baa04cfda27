/* SPDX-License-Identifier: MIT */
/*
 * The port with an ear on it: what goes through it to the hypervisor is told to a dialogue. So that no
 * message is missed that is taken without an interrupt, the hypervisor has a message page of our own, and
 * messages go on into hvkit's page, in the hypervisor's own steps, when hvkit is about to look. One CPU.
 */
#ifndef IMAGE_TRACED_PORT_H
#define IMAGE_TRACED_PORT_H

#include "apps/image/dialogue.h"
#include "hvkit/port.h"

/* Like below, which must live as long; what it returns is the same at each call. */
const struct hvk_port *traced_port(const struct hvk_port *below, struct dialogue *dialogue);
/* Passes on what is there: when the slots' interrupt has come, and before a sleep, which is none if it
 * says true: there was something. */
bool traced_port_turn(void);

#endif
