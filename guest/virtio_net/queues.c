/* SPDX-License-Identifier: MIT */
/* Pairs of queues: their memory, their pollers, their interrupts. */
#include "guest/virtio_net/virtio_net_internal.h"

/* --- Polling ---------------------------------------------------------------------------- */

static bool poll_pair(struct hvk_poller *poller, void *context)
{
	struct virtio_net_pair *pair = context;
	struct hvk_virtio_net *device = pair->device;
	bool more;

	(void)poller;
	if (!virtio_net_is_usable(device))
		return false;
	if (pair->index == 0 && device->config.polled)
		hvk_virtio_net_control_look(device);
	more = hvk_virtio_net_receive(pair);
	more |= hvk_virtio_net_reclaim(pair);
	return more;
}

static void pair_interrupt(void *context, struct hvk_pci_function *function, uint32_t index)
{
	struct virtio_net_pair *pair = context;

	(void)function;
	(void)index;
	hvk_poller_kick(pair->device->hvk, &pair->poller);
}

static bool shares_interrupt(const struct hvk_virtio_net *device)
{
	return hvk_pci_get_info(device->function)->interrupts < 2;
}

static void device_interrupt(void *context, struct hvk_pci_function *function, uint32_t index)
{
	struct hvk_virtio_net *device = context;

	(void)function;
	(void)index;
	if (!virtio_net_is_there(device))
		return;
	if (shares_interrupt(device))
		hvk_poller_kick(device->hvk, &device->pairs[0].poller);
	hvk_virtio_net_control_look(device);
	hvk_virtio_net_link_look(device);
}

/* --- Memory ----------------------------------------------------------------------------- */

/* The n-th started CPU from the device's own, round and round. */
static uint32_t cpu_of(const struct hvk_virtio_net *device, uint32_t index)
{
	uint32_t cpus = hvk_cpu_count(device->hvk), cpu = device->config.cpu, left = index;

	for (uint32_t i = 0; i < HVK_CPUS_MAX * (index + 1u) && left != 0; i++) {
		cpu = (cpu + 1) % cpus;
		if (hvk_cpu_runs(device->hvk, cpu))
			left--;
	}
	return cpu;
}

hvk_status hvk_virtio_net_create_queue(struct hvk_virtio_net *device, struct hvk_virtq *queue, uint16_t index,
				       uint32_t size_max)
{
	uint32_t size = hvk_virtio_queue_size(&device->transport, index);

	if (size < VIRTIO_NET_QUEUE_SIZE_MIN || size > VIRTQ_SIZE_MAX || (size & (size - 1)) != 0)
		return HVK_EHOST_VIRTIO;
	return hvk_virtq_create(device->hvk, queue, index, (uint16_t)hvk_min32(size, size_max),
				(device->features & VIRTIO_F_EVENT_IDX) != 0);
}

static hvk_status create_pair(struct hvk_virtio_net *device, uint32_t index)
{
	struct virtio_net_pair *pair = &device->pairs[index];
	uint32_t size = device->config.queue_size;
	hvk_status status;

	pair->cpu = cpu_of(device, index);
	pair->dead = pair->waits = pair->unshown = false;
	pair->poller = (struct hvk_poller){
		.run = poll_pair, .context = pair, .cpu = pair->cpu, .always = device->config.polled};
	status = hvk_virtio_net_create_queue(device, &pair->rx, (uint16_t)(2u * index), size);
	if (status == HVK_OK)
		status = hvk_virtio_net_create_queue(device, &pair->tx, (uint16_t)(2u * index + 1u), size);
	if (status == HVK_OK)
		status = hvk_virtio_net_receive_start(pair);
	if (status == HVK_OK)
		status = hvk_virtio_net_slots_create(pair);
	return status;
}

hvk_status hvk_virtio_net_begin_queues(void *context)
{
	struct hvk_virtio_net *device = context;
	hvk_status status = hvk_quarantine_check(device->hvk);

	for (uint32_t i = 0; status == HVK_OK && i < device->pair_count; i++)
		status = create_pair(device, i);
	if (status == HVK_OK)
		hvk_virtio_net_limit_segmentation(device);
	return status == HVK_OK ? hvk_virtio_net_control_start(device) : status;
}

void hvk_virtio_net_queues_free(struct hvk_virtio_net *device)
{
	for (uint32_t i = 0; i < device->pair_max; i++) {
		if (device->pairs[i].tx.size != 0 || device->pairs[i].slot_memory.count != 0)
			hvk_virtio_net_transmit_stop(&device->pairs[i], device->withhold);
		if (device->pairs[i].rx.size != 0 || device->pairs[i].buffers.count != 0)
			hvk_virtio_net_receive_stop(&device->pairs[i], device->withhold);
	}
	hvk_virtio_net_control_stop(device, device->withhold);
}

/* --- Interrupts ------------------------------------------------------------------------- */

hvk_status hvk_virtio_net_begin_interrupts(void *context)
{
	struct hvk_virtio_net *device = context;
	uint32_t index = device->interrupts_created;
	struct hvk_request *request;

	if (index == (shares_interrupt(device) ? 1 : VIRTIO_NET_INTERRUPT_PAIR + device->pair_count))
		return HVK_OK;
	request = hvk_steps_request(&device->steps);
	if (index == VIRTIO_NET_INTERRUPT_DEVICE)
		hvk_pci_interrupt_create(device->function, index, device->config.cpu, device_interrupt,
					 device, request);
	else
		hvk_pci_interrupt_create(device->function, index, device->pairs[index - 1].cpu,
					 pair_interrupt, &device->pairs[index - 1], request);
	return HVK_EINPROGRESS;
}

/* One after another. */
hvk_status hvk_virtio_net_take_interrupts(void *context, const struct hvk_answer *answer)
{
	struct hvk_virtio_net *device = context;

	if (answer->status != HVK_OK)
		return answer->status;
	device->interrupts_created++;
	return HVK_EAGAIN;
}

hvk_status hvk_virtio_net_begin_no_interrupts(void *context)
{
	struct hvk_virtio_net *device = context;

	if (device->interrupts_created == 0)
		return HVK_OK;
	hvk_pci_interrupt_delete(device->function, device->interrupts_created - 1,
				 hvk_steps_request(&device->steps));
	return HVK_EINPROGRESS;
}

/* One that cannot be deleted does not keep the others. */
hvk_status hvk_virtio_net_take_no_interrupts(void *context, const struct hvk_answer *answer)
{
	struct hvk_virtio_net *device = context;

	(void)answer;
	device->interrupts_created--;
	return device->interrupts_created == 0 ? HVK_OK : HVK_EAGAIN;
}

/* --- Running ---------------------------------------------------------------------------- */

static uint16_t vector_of(const struct hvk_virtio_net *device, uint32_t interrupt)
{
	if (device->config.polled)
		return VIRTIO_NO_VECTOR;
	return (uint16_t)(shares_interrupt(device) ? VIRTIO_NET_INTERRUPT_DEVICE : interrupt);
}

static hvk_status enable_pair(struct hvk_virtio_net *device, struct virtio_net_pair *pair)
{
	uint16_t vector = vector_of(device, VIRTIO_NET_INTERRUPT_PAIR + pair->index);
	hvk_status status = hvk_virtio_queue_enable(&device->transport, &pair->rx, vector, &pair->rx_notify);

	if (status == HVK_OK)
		status = hvk_virtio_queue_enable(&device->transport, &pair->tx, vector, &pair->tx_notify);
	return status;
}

hvk_status hvk_virtio_net_begin_enable(void *context)
{
	struct hvk_virtio_net *device = context;
	uint16_t vector = vector_of(device, VIRTIO_NET_INTERRUPT_DEVICE);
	hvk_status status = hvk_virtio_set_config_vector(&device->transport, vector);

	for (uint32_t i = 0; status == HVK_OK && i < device->pair_count; i++)
		status = enable_pair(device, &device->pairs[i]);
	if (status == HVK_OK && device->control.there)
		status = hvk_virtio_queue_enable(&device->transport, &device->control.queue, vector,
						 &device->control.notify);
	return status;
}

/* Buffers are filled in before the poller, which is another CPU's, looks at them. */
hvk_status hvk_virtio_net_begin_fill(void *context)
{
	struct hvk_virtio_net *device = context;

	hvk_virtio_set_status(&device->transport, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
							  VIRTIO_STATUS_FEATURES_OK |
							  VIRTIO_STATUS_DRIVER_OK);
	for (uint32_t i = 0; i < device->pair_count; i++) {
		struct virtio_net_pair *pair = &device->pairs[i];
		hvk_status status;

		hvk_virtio_net_receive_fill(pair);
		status = hvk_poller_add(device->hvk, &pair->poller);
		if (status != HVK_OK)
			return status;
		pair->polled = true;
		hvk_poller_kick(device->hvk, &pair->poller);
	}
	return HVK_OK;
}

static struct virtio_net_pair *next_polled(struct hvk_virtio_net *device)
{
	for (uint32_t i = 0; i < device->pair_max; i++) {
		if (device->pairs[i].polled)
			return &device->pairs[i];
	}
	return NULL;
}

hvk_status hvk_virtio_net_begin_no_pollers(void *context)
{
	struct hvk_virtio_net *device = context;
	struct virtio_net_pair *pair = next_polled(device);

	if (!pair)
		return HVK_OK;
	hvk_poller_remove(device->hvk, &pair->poller, hvk_steps_request(&device->steps), device->config.cpu);
	return HVK_EINPROGRESS;
}

hvk_status hvk_virtio_net_take_no_pollers(void *context, const struct hvk_answer *answer)
{
	struct hvk_virtio_net *device = context;

	(void)answer;
	next_polled(device)->polled = false;
	return next_polled(device) ? HVK_EAGAIN : HVK_OK;
}
