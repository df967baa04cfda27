/* SPDX-License-Identifier: MIT */
/* The control queue: one command at a time, as a step. */
#include "guest/virtio_net/virtio_net_internal.h"

#define CONTROL_QUEUE_SIZE 64u
#define ACKNOWLEDGEMENT_AT (VIRTIO_NET_CONTROL_DATA) /* in a page of its own use */

hvk_status hvk_virtio_net_control_start(struct hvk_virtio_net *device)
{
	struct virtio_net_control_queue *control = &device->control;
	uint16_t index =
		(uint16_t)(2u * device->device_pairs); /* behind all pairs, whether they are used or not */
	hvk_status status;

	control->there = control->busy = false;
	if (!(device->features & VIRTIO_NET_F_CTRL_VQ))
		return HVK_OK;
	status = hvk_virtio_net_create_queue(device, &control->queue, index, CONTROL_QUEUE_SIZE);
	if (status == HVK_OK)
		status = hvk_pages_get(device->hvk, 1, HVK_PAGE_HOST_WRITES, &control->pages);
	control->there = status == HVK_OK;
	return status;
}

void hvk_virtio_net_control_stop(struct hvk_virtio_net *device, bool withhold)
{
	struct virtio_net_control_queue *control = &device->control;

	if (withhold)
		(void)hvk_pages_quarantine(device->hvk, &control->pages);
	else
		hvk_pages_put(device->hvk, &control->pages);
	if (control->queue.size != 0)
		hvk_virtq_destroy(device->hvk, &control->queue, withhold);
	control->there = false;
	control->busy = false;
}

hvk_status hvk_virtio_net_control_send(struct hvk_virtio_net *device, uint8_t class_, uint8_t command,
				       const void *data, uint32_t length)
{
	struct virtio_net_control_queue *control = &device->control;
	const struct virtio_net_control header = {class_, command};
	struct hvk_shared page = hvk_pages_shared(&control->pages);
	uint32_t bytes = (uint32_t)sizeof(header) + length;
	struct hvk_virtq_piece pieces[2];
	uint64_t gpa;

	if (!control->there)
		return HVK_ENOTSUP;
	HVK_ASSERT(bytes <= VIRTIO_NET_CONTROL_DATA);
	if (control->busy) /* one that was never answered */
		return HVK_ETIMEDOUT_VIRTIO;
	gpa = hvk_page_gpa(device->hvk, &control->pages, 0);
	hvk_shared_zero(&page, 0, page.size);
	hvk_shared_write(&page, 0, &header, sizeof(header));
	if (length != 0)
		hvk_shared_write(&page, sizeof(header), data, length);
	hvk_shared_store(&page, ACKNOWLEDGEMENT_AT, VIRTIO_NET_CONTROL_ERROR);
	pieces[0] = (struct hvk_virtq_piece){gpa, bytes, false};
	pieces[1] = (struct hvk_virtq_piece){gpa + ACKNOWLEDGEMENT_AT, 1, true};
	if (hvk_virtq_put(&control->queue, pieces, 2, control) != HVK_OK)
		return HVK_EHOST_VIRTIO;
	control->busy = true;
	device->steps.event = VIRTIO_NET_WAITS_FOR_CONTROL;
	(void)hvk_virtq_await(&control->queue);
	if (hvk_virtq_show(&control->queue))
		hvk_virtio_notify(&device->transport, &control->queue, control->notify);
	return HVK_EINPROGRESS;
}

/* One is out at most, so there is one answer at most: what comes beyond is a contradiction. */
void hvk_virtio_net_control_look(struct hvk_virtio_net *device)
{
	struct virtio_net_control_queue *control = &device->control;
	struct hvk_shared page = hvk_pages_shared(&control->pages);
	struct hvk_answer answer = {HVK_OK, NULL, 0};
	hvk_status status;
	uint32_t written = 0;
	void *cookie = NULL;

	if (!control->there || !hvk_virtq_await(&control->queue))
		return;
	status = hvk_virtq_take(&control->queue, &cookie, &written);
	if (status == HVK_OK && hvk_virtq_await(&control->queue))
		status = hvk_virtq_take(&control->queue, &cookie, &written);
	if (status != HVK_OK) {
		hvk_virtio_net_break(device, "the control queue contradicts itself");
		answer.status = HVK_EHOST_VIRTIO;
	} else if (written < 1 ||
		   (hvk_shared_load(&page, ACKNOWLEDGEMENT_AT) & 0xffu) != VIRTIO_NET_CONTROL_OK) {
		answer.status = HVK_EREFUSED_VIRTIO;
	}
	control->busy = false;
	hvk_steps_answer(&device->steps, VIRTIO_NET_WAITS_FOR_CONTROL, &answer);
}

/* How many pairs the device is to use: one, unless it is told. */
hvk_status hvk_virtio_net_begin_pairs(void *context)
{
	struct hvk_virtio_net *device = context;
	uint16_t pairs = (uint16_t)device->pair_count;

	if (device->pair_count <= 1)
		return HVK_OK;
	return hvk_virtio_net_control_send(device, VIRTIO_NET_CONTROL_MQ, VIRTIO_NET_CONTROL_MQ_PAIRS, &pairs,
					   sizeof(pairs));
}
