/* SPDX-License-Identifier: MIT */
#include "host/hypervisor/device_interrupts.h"

#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

#define MSI_ADDRESS 0xfee00000u
#define MSI_ADDRESS_SHIFT 12u /* a destination's place: here it means nothing */

/* GUID bytes as on the wire. */
uint32_t hvh_interrupt_device_id(const uint8_t instance[16])
{
	return (uint32_t)instance[5] << 24 | (uint32_t)instance[4] << 16 | (uint32_t)instance[7] << 8 |
	       (instance[6] & 0xf8u);
}

bool hvh_interrupt_device_id_taken(const struct hvh_partition *partition, uint32_t device_id)
{
	const struct hvh_interrupt_source *source = partition->hypervisor->interrupt_sources;

	while (source != NULL && source->device_id != device_id)
		source = source->next;
	return source != NULL;
}

void hvh_interrupt_source_add(struct hvh_partition *partition, struct hvh_interrupt_source *source,
			      uint32_t device_id)
{
	source->partition = partition;
	source->device_id = device_id;
	source->next = partition->hypervisor->interrupt_sources;
	partition->hypervisor->interrupt_sources = source;
}

void hvh_interrupt_source_remove(struct hvh_interrupt_source *source)
{
	struct hvh_interrupt_source **link;

	if (source->partition == NULL)
		return;
	link = &source->partition->hypervisor->interrupt_sources;
	while (*link != NULL && *link != source)
		link = &(*link)->next;
	if (*link != NULL)
		*link = source->next;
	source->partition = NULL;
}

/* --- Making and deleting ------------------------------------------------------------------------- */

static bool data_taken(const struct hvh_interrupt_source *source, uint32_t data, uint32_t count)
{
	for (uint32_t n = 0; n < HVH_DEVICE_INTERRUPTS_MAX; n++) {
		const struct hvh_device_interrupt *other = &source->interrupts[n];

		if (other->count != 0 && data < other->data + other->count && other->data < data + count)
			return true;
	}
	return false;
}

/* Whatever it is, it is not the vector: guests are to take it as it comes. Low bits count a group's. */
static uint32_t new_data(struct hvh_interrupt_source *source, uint32_t count)
{
	uint32_t data;

	do
		data = (uint32_t)hvh_random(source->partition) & 0x7fffffe0u;
	while (data_taken(source, data, count));
	return data;
}

uint64_t hvh_device_interrupt_address(const struct hvh_interrupt_source *source)
{
	return MSI_ADDRESS | (source->device_id >> 16 & 0xffu) << MSI_ADDRESS_SHIFT;
}

const struct hvh_device_interrupt *hvh_device_interrupt_create(struct hvh_interrupt_source *source,
							       uint8_t vector, uint16_t count, uint64_t vps)
{
	struct hvh_device_interrupt *free = NULL;

	for (uint32_t n = 0; n < HVH_DEVICE_INTERRUPTS_MAX && free == NULL; n++)
		if (source->interrupts[n].count == 0)
			free = &source->interrupts[n];
	if (free == NULL)
		return NULL;
	free->data = new_data(source, count);
	free->count = count;
	free->vector = vector;
	free->multicast = false;
	free->vps = vps;
	return free;
}

static struct hvh_device_interrupt *find(struct hvh_interrupt_source *source, uint64_t address, uint32_t data)
{
	if (address != hvh_device_interrupt_address(source))
		return NULL;
	for (uint32_t n = 0; n < HVH_DEVICE_INTERRUPTS_MAX; n++) {
		struct hvh_device_interrupt *interrupt = &source->interrupts[n];

		if (interrupt->count != 0 && data - interrupt->data < interrupt->count)
			return interrupt;
	}
	return NULL;
}

bool hvh_device_interrupt_delete(struct hvh_interrupt_source *source, uint64_t address, uint32_t data)
{
	struct hvh_device_interrupt *interrupt = find(source, address, data);

	if (interrupt == NULL || interrupt->data != data)
		return false;
	memset(interrupt, 0, sizeof *interrupt);
	return true;
}

void hvh_device_interrupts_clear(struct hvh_interrupt_source *source)
{
	memset(source->interrupts, 0, sizeof source->interrupts);
}

uint32_t hvh_device_interrupts_count(const struct hvh_interrupt_source *source)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < HVH_DEVICE_INTERRUPTS_MAX; n++)
		count += source->interrupts[n].count != 0;
	return count;
}

/* --- Raising ------------------------------------------------------------------------------------- */

/* Without multicast to one of them, any. */
static uint64_t targets(struct hvh_partition *partition, const struct hvh_device_interrupt *interrupt)
{
	uint32_t count = (uint32_t)__builtin_popcountll(interrupt->vps), chosen;
	uint64_t vps = interrupt->vps;

	if (interrupt->multicast || count <= 1)
		return vps;
	for (chosen = hvh_choose(partition, count); chosen > 0; chosen--)
		vps &= vps - 1;
	return vps & ~(vps - 1);
}

bool hvh_device_interrupt_raise(struct hvh_interrupt_source *source, uint64_t now, uint64_t address,
				uint32_t data)
{
	const struct hvh_device_interrupt *interrupt = find(source, address, data);
	uint64_t vps;

	if (interrupt == NULL)
		return false;
	vps = targets(source->partition, interrupt);
	for (uint32_t vp = 0; vp < source->partition->vps; vp++)
		if ((vps >> vp & 1) != 0)
			hvh_raise(source->partition, now, vp,
				  (uint8_t)(interrupt->vector + (data - interrupt->data)));
	return true;
}

/* --- HvCallRetargetDeviceInterrupt --------------------------------------------------------------- */

#define WORDS_MAX 65u /* banks valid, and 64 banks */
#define BANK_VPS 64u

struct retarget {
	struct hv_retarget_input input;
	uint64_t set[WORDS_MAX];
};

static uint32_t refuse(struct hvh_partition *partition, uint32_t vp, const struct retarget *call,
		       uint32_t status, const char *what)
{
	hvh_violate(partition, HVH_V_HYPERCALL, partition->now, vp, 0, &call->input, sizeof call->input,
		    "retarget: %s (status %#x)", what, status);
	return status;
}

static uint64_t all_vps(const struct hvh_partition *partition)
{
	return partition->vps == BANK_VPS ? UINT64_MAX : (1ull << partition->vps) - 1;
}

/* The variable header: a bit for each bank that follows. */
static uint32_t read_set(struct hvh_partition *partition, uint32_t vp, const struct retarget *call,
			 uint32_t words, uint64_t *vps)
{
	uint64_t banks = call->set[0];

	if (call->input.processors == HV_PROCESSOR_SET_ALL) {
		*vps = all_vps(partition);
		return HV_STATUS_SUCCESS;
	}
	if (call->input.processors != HV_PROCESSOR_SET_SPARSE)
		return refuse(partition, vp, call, HV_STATUS_INVALID_PARAMETER,
			      "format of the processor set; 0 (sparse) or 1 (all) would be right");
	if (words == 0 || words != 1u + (uint32_t)__builtin_popcountll(banks))
		return refuse(partition, vp, call, HV_STATUS_INVALID_HYPERCALL_INPUT,
			      "the variable header is to have a word of bits, and one for each of them");
	if ((banks & ~1ull) != 0)
		return refuse(partition, vp, call, HV_STATUS_INVALID_VP_INDEX, "no such virtual processor");
	*vps = (banks & 1) != 0 ? call->set[1] : 0;
	return HV_STATUS_SUCCESS;
}

static uint32_t read_targets(struct hvh_partition *partition, uint32_t vp, const struct retarget *call,
			     uint32_t words, uint64_t *vps)
{
	uint32_t status = HV_STATUS_SUCCESS;

	if ((call->input.flags & HV_INTERRUPT_PROCESSOR_SET) != 0)
		status = read_set(partition, vp, call, words, vps);
	else if (words != 0)
		return refuse(partition, vp, call, HV_STATUS_INVALID_HYPERCALL_INPUT,
			      "a variable header without a processor set");
	else
		*vps = call->input.processors;
	if (status != HV_STATUS_SUCCESS)
		return status;
	if ((*vps & ~all_vps(partition)) != 0)
		return refuse(partition, vp, call, HV_STATUS_INVALID_VP_INDEX, "no such virtual processor");
	if (*vps == 0)
		return refuse(partition, vp, call, HV_STATUS_INVALID_PARAMETER,
			      "no virtual processor at all");
	return HV_STATUS_SUCCESS;
}

static const char *wrong(const struct hv_retarget_input *input)
{
	if (input->partition != HV_PARTITION_SELF)
		return "the partition is to be all ones, the caller's own";
	if (input->source != HV_INTERRUPT_SOURCE_MSI)
		return "source of the interrupt; 1 (MSI) would be right";
	if (input->reserved != 0 || input->reserved2 != 0)
		return "reserved fields are to be 0";
	if ((input->flags & ~(HV_INTERRUPT_MULTICAST | HV_INTERRUPT_PROCESSOR_SET)) != 0)
		return "flags; 1 (multicast) and 2 (processor set) there are";
	if (input->vector < HV_SINT_VECTOR_MIN || input->vector > UINT8_MAX)
		return "vector; 16 to 255 would be right";
	return NULL;
}

static uint32_t fetch(struct hvh_partition *partition, uint32_t vp, uint64_t gpa, uint32_t words,
		      struct retarget *call)
{
	uint32_t size = (uint32_t)(sizeof call->input + words * sizeof(uint64_t));

	if (words > WORDS_MAX)
		return refuse(partition, vp, call, HV_STATUS_INVALID_HYPERCALL_INPUT,
			      "variable header longer than 65 words");
	if (gpa % 8u != 0 || gpa % HVK_PAGE_SIZE + size > HVK_PAGE_SIZE)
		return refuse(partition, vp, call, HV_STATUS_INVALID_ALIGNMENT,
			      "input is to be 8-byte aligned and inside one page");
	if (!hvh_memory_read(partition, gpa, call, size))
		return refuse(partition, vp, call, HV_STATUS_INVALID_ALIGNMENT, "input is not in RAM");
	return HV_STATUS_SUCCESS;
}

/* A group's vectors follow one another; it is named by any of its messages, with the vector of that one. */
static bool move(struct hvh_device_interrupt *interrupt, const struct hv_retarget_input *input)
{
	uint32_t offset = input->data - interrupt->data, first = input->vector - offset;

	if (input->vector < HV_SINT_VECTOR_MIN + offset || first + interrupt->count > UINT8_MAX + 1u)
		return false;
	interrupt->vector = (uint8_t)first;
	return true;
}

uint32_t hvh_retarget_device_interrupt(struct hvh_partition *partition, uint32_t vp, uint64_t gpa,
				       uint32_t words)
{
	struct hvh_interrupt_source *source = partition->hypervisor->interrupt_sources;
	struct hvh_device_interrupt *interrupt;
	struct retarget call = {0};
	uint64_t vps = 0;
	uint32_t status = fetch(partition, vp, gpa, words, &call);

	if (status != HV_STATUS_SUCCESS)
		return status;
	if (wrong(&call.input) != NULL)
		return refuse(partition, vp, &call, HV_STATUS_INVALID_PARAMETER, wrong(&call.input));
	status = read_targets(partition, vp, &call, words, &vps);
	if (status != HV_STATUS_SUCCESS)
		return status;
	while (source != NULL && source->device_id != call.input.device_id)
		source = source->next;
	if (source == NULL)
		return refuse(partition, vp, &call, HV_STATUS_INVALID_PARAMETER, "no such device");
	/* 32 bits of the address: the rest is 0 on a PC. */
	interrupt = find(source, call.input.address, call.input.data);
	if (interrupt == NULL)
		return refuse(partition, vp, &call, HV_STATUS_INVALID_PARAMETER,
			      "the device has no interrupt with that address and data");
	if (!move(interrupt, &call.input))
		return refuse(partition, vp, &call, HV_STATUS_INVALID_PARAMETER,
			      "vector; one would be right with which those of the whole group are 16 to 255");
	interrupt->vps = vps;
	interrupt->multicast = (call.input.flags & HV_INTERRUPT_MULTICAST) != 0;
	source->retargets++;
	hvh_note(partition, partition->now, 0,
		 "device %#x: interrupt %#x goes to vector %#x of processors %#llx", source->device_id,
		 interrupt->data, interrupt->vector, (unsigned long long)vps);
	return HV_STATUS_SUCCESS;
}
