/* SPDX-License-Identifier: MIT */
/* Numbered frames there and back, each accounted for. */
#ifndef TESTS_SUPPORT_RIG_TRAFFIC_H
#define TESTS_SUPPORT_RIG_TRAFFIC_H

#include "tests/support/rig.h"

void rig_traffic_create(struct rig *rig);
void rig_traffic_destroy(struct rig *rig);
void rig_traffic_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame);
void rig_traffic_send(struct rig *rig);
/* Gives back what was lent; keep: nothing is kept from now on. */
void rig_traffic_return(struct rig *rig, bool keep);
void rig_traffic_reset(struct rig *rig); /* the card is down: nothing is in flight any more */
bool rig_traffic_done(const struct rig *rig);
bool rig_traffic_stalled(struct rig *rig);
void rig_traffic_collect(struct rig *rig);

#endif
