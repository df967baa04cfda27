/* SPDX-License-Identifier: MIT */
/* Lists by links inside their members: any member leaves in one step. */
#ifndef HVK_CORE_LIST_H
#define HVK_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hvkit/vmbus.h"

/* The structure whose member item points to. */
#define HVK_OWNER(type, member, item) \
	((struct type *)(void *)((uint8_t *)(uintptr_t)(item)-offsetof(struct type, member)))

static inline bool hvk_list_has(const struct hvk_link *link)
{
	return link->at != NULL;
}

/* In front. */
static inline void hvk_list_add(struct hvk_link **first, struct hvk_link *link)
{
	link->next = *first;
	link->at = first;
	if (link->next)
		link->next->at = &link->next;
	*first = link;
}

/* Nothing to do for a link that is in no list. */
static inline void hvk_list_remove(struct hvk_link *link)
{
	if (!link->at)
		return;
	*link->at = link->next;
	if (link->next)
		link->next->at = link->at;
	*link = (struct hvk_link){NULL, NULL};
}

#endif
