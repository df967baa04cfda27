/* SPDX-License-Identifier: MIT */
#ifndef HVK_INSTANCE_CHECK_H
#define HVK_INSTANCE_CHECK_H

#include "hvkit/hvkit.h"

/* May there be an instance on that port, with that configuration? HVK_EINVAL or HVK_ELEVEL, and one
 * line by port.log why not. */
hvk_status hvk_check(const struct hvk_port *port, const struct hvk_config *config);

#endif
