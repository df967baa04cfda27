/* SPDX-License-Identifier: MIT */
/* What becomes of each operation on the card while a VF follows it, and why. */
#include "guest/vf/vf_internal.h"

static const struct hvk_vf_operation_rule rules[HVK_VF_OPERATIONS] = {
	{HVK_VF_SET_UP, "set up", HVK_VF_MIRRORED,
	 "the card first, so that what the host still sends by it is taken; then the VF, then the data path"},
	{HVK_VF_SET_DOWN, "set down", HVK_VF_MIRRORED,
	 "the data path first, then the VF, then the card: nothing is sent to a device that is down"},
	{HVK_VF_SET_ALL_MULTICAST, "set all-multicast", HVK_VF_MIRRORED, "multicast may come by either path"},
	{HVK_VF_SET_PROMISCUOUS, "set promiscuous", HVK_VF_MIRRORED, "frames may come by either path"},
	{HVK_VF_SET_MULTICAST, "set multicast groups", HVK_VF_MIRRORED,
	 "the card has the groups; any group means all-multicast on the VF, which may have room for none"},
	{HVK_VF_SET_ENABLED, "set offloads", HVK_VF_MIRRORED,
	 "the VF first, whose word counts; the card's frames must look as the VF's do"},
	{HVK_VF_SET_MTU, "set MTU", HVK_VF_MIRRORED,
	 "the VF first, which may refuse; the card is brought up anew, so the data path is switched again"},
	{HVK_VF_SET_RSS, "set RSS", HVK_VF_MIRRORED,
	 "both paths must hash alike, or a flow changes its queue with the path"},
	{HVK_VF_GET_RSS, "get RSS", HVK_VF_ANSWERED, "the card's follows the VF's: it is what both have"},
	{HVK_VF_GET_COUNTERS, "get counters", HVK_VF_ANSWERED,
	 "the card's and those of its VFs added up: for the stack there is one card"},
	{HVK_VF_GET_QUEUE_COUNTERS, "get counters of a queue", HVK_VF_ANSWERED,
	 "queues are the card's; the VF's are its own"},
	{HVK_VF_TRANSMIT, "transmit", HVK_VF_PASSED, "the VF carries the frames"},
	{HVK_VF_TRANSMIT_MANY, "transmit many", HVK_VF_PASSED, "the VF carries the frames"},
	{HVK_VF_FLUSH, "flush", HVK_VF_MIRRORED,
	 "either may hold frames back: the path may just have changed"},
	{HVK_VF_RELEASE, "release", HVK_VF_ANSWERED, "only the card's frames are lent"},
};

const struct hvk_vf_operation_rule *hvk_vf_get_rule(enum hvk_vf_operation operation)
{
	return (uint32_t)operation < HVK_VF_OPERATIONS ? &rules[operation] : NULL;
}
