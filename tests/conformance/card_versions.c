/* SPDX-License-Identifier: MIT */
/*
 * What card and host agree on: each version of NVS that a host knows, one queue and four, offloads
 * wanted and not (docs/netvsc.md, "What is agreed on"). And that frames pass with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "hvkit/wire/nvs.h"
#include "hvkit_host/quirk.h"
#include "tests/support/flow_card.h"

static const uint32_t versions[] = {NVS_VERSION_1, NVS_VERSION_2, NVS_VERSION_4,
				    NVS_VERSION_5, NVS_VERSION_6, NVS_VERSION_6_1};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

#define TCP                                                                                  \
	(HVK_NETDEV_TX_IPV4 | HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TX_TCP6 | HVK_NETDEV_RX_IPV4 | \
	 HVK_NETDEV_RX_TCP4 | HVK_NETDEV_RX_TCP6)
#define UDP (HVK_NETDEV_TX_UDP4 | HVK_NETDEV_TX_UDP6 | HVK_NETDEV_RX_UDP4 | HVK_NETDEV_RX_UDP6)
#define TSO (HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6)
#define TAGS (HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN)

struct agreed {
	struct hvk_netdev_info info;
	uint32_t nvs_version;
};

static void look(void *context, struct card *card)
{
	struct agreed *agreed = context;

	agreed->info = card->netdev->info;
	agreed->nvs_version = hvk_netvsc_nvs_version(card->nic);
	card_traffic(card, 40);
}

/* By the profile alone, and the version. */
static uint32_t capabilities(const struct hvh_profile *profile, uint32_t version)
{
	uint32_t can = TCP;

	can |= profile->udp_checksum && version >= NVS_VERSION_5 ? UDP : 0; /* NDIS 6.30 */
	can |= profile->lso ? TSO : 0;
	can |= version >= NVS_VERSION_2 ? TAGS : 0; /* NDIS_CONFIG */
	can |= profile->rss && version >= NVS_VERSION_5 ? HVK_NETDEV_RSS : 0;
	can |= profile->rsc && version >= NVS_VERSION_6_1 ? HVK_NETDEV_LRO : 0;
	return can;
}

static uint32_t compare(const char *what, const char *name, uint32_t is, uint32_t should)
{
	if (is != should)
		print_error("%s: %s 0x%x, not 0x%x\n", what, name, is, should);
	return is != should;
}

static uint32_t run(const struct hvh_profile *profile, uint32_t version, uint32_t queues, uint32_t offloads)
{
	struct agreed agreed = {0};
	struct card_plan plan = {
		.config = {.ring_pages = 4, .queues = queues, .offloads = offloads, .nvs_newest = version},
		.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true},
		.seed = version + queues,
		.bad_sums = true,
		.script = look,
		.context = &agreed,
	};
	struct rig_config machine = {.mode = HOSTED_DETERMINISTIC, .custom = profile, .seed = 3, .cpus = 2};
	uint32_t can = capabilities(profile, version), got, failed = 0;
	uint32_t enabled = can & (offloads | (queues > 1 ? HVK_NETDEV_RSS : 0));
	struct rig_result result;
	const char *wrong = card_run(&plan, &machine, &result, NULL, NULL);
	char what[80];

	(void)snprintf(what, sizeof(what), "%s, NVS 0x%x, %u queues, offloads 0x%x", profile->name, version,
		       queues, offloads);
	if (wrong)
		print_error("%s: %s\n", what, wrong);
	got = agreed.info.queues;
	failed += wrong != NULL;
	failed += compare(what, "version", agreed.nvs_version, version);
	failed += compare(what, "capabilities", agreed.info.capabilities, can);
	failed += compare(what, "enabled", agreed.info.enabled, enabled);
	failed += compare(what, "queues", got, can & HVK_NETDEV_RSS ? queues : 1);
	failed += compare(what, "segmentation", agreed.info.tso_bytes_max != 0, (can & TSO) != 0);
	failed += compare(what, "a table", agreed.info.rss_table_size != 0, (can & HVK_NETDEV_RSS) != 0);
	return failed != 0;
}

static void each_version_on_each_host(void **state)
{
	const struct hvh_profile *profile;
	uint32_t failed = 0, cells = 0;

	(void)state;
	for (uint32_t n = 0; (profile = hvh_profile_get(n)) != NULL; n++) {
		for (uint32_t v = 0; v < VERSIONS && versions[v] <= profile->nvs_newest; v++) {
			for (uint32_t cell = 0; cell < 4; cell++, cells++)
				failed += run(profile, versions[v], cell % 2 ? 4 : 1,
					      cell / 2 ? HVK_NETDEV_ALL_OFFLOADS : 0);
		}
	}
	print_message("did: %u cells\n", cells);
	assert_int_equal(failed, 0);
}

/* A card that lacks something: it is not offered, and all passes without. */
static void cards_that_lack_something(void **state)
{
	static const struct {
		uint32_t without, missing;
	} rows[] = {
		{HVH_NIC_NO_TX_CHECKSUM, HVK_NETDEV_TX_CHECKSUMS},
		{HVH_NIC_NO_RX_CHECKSUM, HVK_NETDEV_RX_CHECKSUMS},
		{HVH_NIC_NO_LSO, TSO},
		{HVH_NIC_NO_RSC, HVK_NETDEV_LRO},
		{HVH_NIC_NO_RSS, HVK_NETDEV_RSS},
		{HVH_NIC_NO_UDP, UDP},
		{HVH_NIC_NO_IPV6, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_TX_UDP6 | HVK_NETDEV_RX_TCP6 |
					  HVK_NETDEV_RX_UDP6 | HVK_NETDEV_TSO6},
		{HVH_NIC_NO_OFFLOADS, HVK_NETDEV_ALL_OFFLOADS & ~TAGS},
	};
	uint32_t failed = 0;

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct agreed agreed = {0};
		struct card_plan plan = {
			.config = {.ring_pages = 4, .queues = 4, .offloads = HVK_NETDEV_ALL_OFFLOADS},
			.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3},
				 .link_up = true,
				 .without = rows[i].without},
			.seed = i,
			.script = look,
			.context = &agreed,
		};
		struct rig_config machine = {.mode = HOSTED_DETERMINISTIC, .profile = "ws2022", .cpus = 2};
		struct rig_result result;
		const char *wrong = card_run(&plan, &machine, &result, NULL, NULL);

		if (wrong)
			print_error("without 0x%x: %s\n", rows[i].without, wrong);
		failed += wrong != NULL;
		failed += compare("a card without", "capabilities",
				  agreed.info.capabilities & rows[i].missing, 0);
		failed += compare("a card without", "enabled", agreed.info.enabled, agreed.info.capabilities);
	}
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_on_each_host),
		cmocka_unit_test(cards_that_lack_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
