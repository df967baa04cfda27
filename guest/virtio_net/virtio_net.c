/* SPDX-License-Identifier: MIT */
/* The object: creating it, counters, looking inside. */
#include "guest/core/dump.h"
#include "guest/virtio_net/virtio_net_internal.h"

static void add_counters(struct virtio_net_pair *pair, struct hvk_netdev_counters *out)
{
	const uint64_t *from = (const uint64_t *)&pair->counters;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static void get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;

	*out = (struct hvk_netdev_counters){0};
	for (uint32_t i = 0; i < device->pair_max; i++)
		add_counters(&device->pairs[i], out);
}

static void get_queue_counters(struct hvk_netdev *netdev, uint32_t queue, struct hvk_netdev_counters *out)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;

	*out = (struct hvk_netdev_counters){0};
	if (queue < device->pair_max)
		add_counters(&device->pairs[queue], out);
}

static const struct hvk_netdev_ops ops = {
	.transmit = hvk_virtio_net_transmit,
	.transmit_many = hvk_virtio_net_transmit_many,
	.flush = hvk_virtio_net_flush,
	.outstanding = hvk_virtio_net_outstanding,
	.set_flags = hvk_virtio_net_set_flags,
	.set_enabled = hvk_virtio_net_set_enabled,
	.set_mtu = hvk_virtio_net_set_mtu,
	.set_multicast = hvk_virtio_net_set_multicast,
	.get_counters = get_counters,
	.get_queue_counters = get_queue_counters,
	.refuse = hvk_virtio_net_refuse,
};

/* --- The function's leaving ------------------------------------------------------------- */

/* Nothing is under way there that had to be told, and the device may be destroyed at once. */
static void kick_unless_detached(struct hvk_virtio_net *device)
{
	bool detached;

	hvk_lock(device->hvk, &device->lock);
	detached = device->state == VIRTIO_NET_DETACHED;
	hvk_unlock(device->hvk, &device->lock);
	if (!detached)
		hvk_virtio_net_kick(device);
}

static void leaving(void *context, struct hvk_pci_function *function, bool eject)
{
	struct hvk_virtio_net *device = context;

	(void)function;
	if (!eject) {
		__atomic_store_n(&device->gone, true, __ATOMIC_SEQ_CST);
		__atomic_store_n(&device->open, false, __ATOMIC_SEQ_CST);
		kick_unless_detached(device);
	}
	if (device->config.leaving)
		device->config.leaving(device->config.context, device, eject);
}

/* --- Public ----------------------------------------------------------------------------- */

static hvk_status check(const struct hvk *hvk, struct hvk_pci_function *function,
			struct hvk_virtio_net_config *config)
{
	const struct hvk_pci_info *info = hvk_pci_get_info(function);

	if (info->vendor_id != VIRTIO_PCI_VENDOR || info->device_id != VIRTIO_PCI_DEVICE_NET)
		return HVK_EINVAL;
	if (config->queues == 0)
		config->queues = 1;
	if (config->queue_size == 0)
		config->queue_size = VIRTIO_NET_QUEUE_SIZE_DEFAULT;
	if (config->queues > HVK_VIRTIO_NET_QUEUES_MAX || config->cpu >= hvk_cpu_count(hvk) ||
	    config->queue_size < VIRTIO_NET_QUEUE_SIZE_MIN || config->queue_size > HVK_VIRTQ_SIZE_MAX ||
	    (config->queue_size & (config->queue_size - 1)) != 0 ||
	    (config->offloads & ~HVK_NETDEV_ALL_OFFLOADS) != 0)
		return HVK_EINVAL;
	return HVK_OK;
}

static hvk_status init(struct hvk_virtio_net *device)
{
	hvk_status status = hvk_lock_init(device->hvk, &device->lock);

	for (uint32_t i = 0; status == HVK_OK && i < device->pair_max; i++) {
		device->pairs[i].device = device;
		device->pairs[i].index = (uint16_t)i;
		status = hvk_lock_init(device->hvk, &device->pairs[i].lock);
	}
	hvk_virtio_net_life_init(device);
	return status;
}

hvk_status hvk_virtio_net_create(struct hvk_pci_function *function,
				 const struct hvk_virtio_net_config *config, struct hvk_virtio_net **out)
{
	struct hvk *hvk = hvk_pci_instance(function);
	struct hvk_virtio_net_config checked = *config;
	struct hvk_virtio_net *device;
	struct hvk_pci_hooks hooks;
	struct hvk_pages pages;
	hvk_status status = check(hvk, function, &checked);
	size_t bytes;

	*out = NULL;
	if (status != HVK_OK)
		return status;
	bytes = sizeof(*device) + checked.queues * sizeof(device->pairs[0]);
	status = hvk_pages_get(hvk, (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE), HVK_PAGE_PRIVATE,
			       &pages);
	if (status != HVK_OK)
		return status;
	device = pages.address; /* zeros */
	device->pages = pages;
	device->hvk = hvk;
	device->function = function;
	device->config = checked;
	device->pair_max = checked.queues;
	device->netdev.ops = &ops;
	status = init(device);
	hooks = (struct hvk_pci_hooks){.leaving = leaving, .context = device};
	if (status == HVK_OK)
		status = hvk_pci_claim(function, &hooks);
	if (status != HVK_OK) {
		hvk_pages_put(hvk, &pages);
		return status;
	}
	*out = device;
	return HVK_OK;
}

hvk_status hvk_virtio_net_destroy(struct hvk_virtio_net *device)
{
	struct hvk_pages pages = device->pages;
	bool idle;

	hvk_lock(device->hvk, &device->lock);
	idle = device->state == VIRTIO_NET_DETACHED && !virtio_net_flag(&device->kicked);
	hvk_unlock(device->hvk, &device->lock);
	if (!idle)
		return HVK_ESTATE;
	hvk_pci_release(device->function);
	hvk_pages_put(device->hvk, &pages);
	return HVK_OK;
}

struct hvk_netdev *hvk_virtio_net_netdev(struct hvk_virtio_net *device)
{
	return &device->netdev;
}

struct hvk_pci_function *hvk_virtio_net_function(struct hvk_virtio_net *device)
{
	return device->function;
}

uint64_t hvk_virtio_net_features(const struct hvk_virtio_net *device)
{
	return device->features;
}

static void dump_pair(struct hvk_dump *dump, struct virtio_net_pair *pair)
{
	hvk_dump_begin(dump, "queue-%u", (unsigned)pair->index);
	hvk_dump_number(dump, "cpu", pair->cpu);
	hvk_dump_number(dump, "receive-entries", pair->rx.size);
	hvk_dump_number(dump, "receive-buffers-out", hvk_virtq_outstanding(&pair->rx));
	hvk_dump_number(dump, "transmit-entries", pair->tx.size);
	hvk_dump_number(dump, "transmit-descriptors-out", hvk_virtq_outstanding(&pair->tx));
	hvk_dump_number(dump, "rx-frames", pair->counters.rx_frames);
	hvk_dump_number(dump, "tx-frames", pair->counters.tx_frames);
	hvk_dump_end(dump);
}

void hvk_virtio_net_dump(struct hvk_virtio_net *device, hvk_dump_line line, void *context)
{
	static const char *const states[] = {"detached", "attaching", "attached", "detaching"};
	const struct hvk_netdev_info *info = &device->netdev.info;
	struct hvk_dump dump = {line, context, 0};

	hvk_dump_begin(&dump, "virtio-net");
	hvk_dump_value(&dump, "state", "%s", hvk_dump_name(states, 4, device->state));
	hvk_dump_value(&dump, "step", "%s", hvk_steps_name(&device->steps));
	hvk_dump_value(&dump, "features", "0x%llx", (unsigned long long)device->features);
	hvk_dump_flag(&dump, "there", virtio_net_is_there(device));
	hvk_dump_flag(&dump, "broken", virtio_net_flag(&device->broken));
	hvk_dump_flag(&dump, "polled", device->config.polled);
	hvk_dump_number(&dump, "mtu", info->mtu);
	hvk_dump_flag(&dump, "link", info->link_up);
	hvk_dump_value(&dump, "offloads", "0x%x of 0x%x", info->enabled, info->capabilities);
	for (uint32_t i = 0; i < device->pair_count; i++)
		dump_pair(&dump, &device->pairs[i]);
	hvk_dump_end(&dump);
}
