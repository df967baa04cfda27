/* SPDX-License-Identifier: MIT */
/* What the machine itself can do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "apps/hvkit/doctor.h"
#include "ports/hosted/hosted.h"

#define NEEDED_MB 300u /* a guest's 256 MiB, and the program */
#define KB_PER_MB 1024u

static bool build_machine(enum hosted_mode mode)
{
	const struct hosted_config config = {.mode = mode, .cpus = 1, .profile = hvh_profile_find("ws2022")};
	struct hosted *machine = config.profile ? hosted_create(&config) : NULL;

	if (machine)
		hosted_destroy(machine);
	return machine != NULL;
}

void doctor_machine(struct doctor_finding *finding)
{
	struct utsname name;

	(void)uname(&name);
	if (build_machine(HOSTED_THREADS) && build_machine(HOSTED_DETERMINISTIC)) {
		doctor_say(finding, DOCTOR_OK, "a guest machine can be built on this %s (%s %.60s)",
			   name.machine, name.sysname, name.release);
		return;
	}
	doctor_say(finding, DOCTOR_BROKEN,
		   "a guest machine cannot be built: its memory of 256 MiB is refused");
	doctor_advise(finding, "see ulimit -v, and the memory limit of the container");
}

/* MemAvailable, in kB; 0 if it is not told. */
static uint64_t available_kb(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long value = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu kB", &value) == 1)
			break;
	}
	if (file)
		fclose(file);
	return value;
}

void doctor_memory(struct doctor_finding *finding)
{
	uint64_t mb = available_kb() / KB_PER_MB;

	if (mb == 0) {
		doctor_say(finding, DOCTOR_NOTE, "how much is free is not told here");
	} else if (mb >= NEEDED_MB) {
		doctor_say(finding, DOCTOR_OK, "%llu MB free; a guest takes 256 at most",
			   (unsigned long long)mb);
	} else {
		doctor_say(finding, DOCTOR_MISSING, "%llu MB free; a guest may take 256",
			   (unsigned long long)mb);
		doctor_advise(finding, "end something else first");
	}
}

void doctor_loopback(struct doctor_finding *finding)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (file >= 0 && bind(file, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(file, 1) == 0) {
		doctor_say(finding, DOCTOR_OK, "ports of 127.0.0.1 can be bound (--nic user,tcp=PORT)");
	} else {
		doctor_say(finding, DOCTOR_MISSING, "no port of 127.0.0.1 can be bound: %s", strerror(errno));
		doctor_advise(finding, "ip link set lo up; without it use --nic sim");
	}
	if (file >= 0)
		(void)close(file);
}

/* --- The processor ---------------------------------------------------------------------- */

#if defined(__x86_64__)
#define LEAF_FEATURES 1u
#define LEAF_EXTENDED 0x80000001u
#define LEAF_BRAND 0x80000002u
#define LEAF_POWER 0x80000007u
#define LEAF_HYPERVISOR 0x40000000u
#define ECX_VMX (1u << 5)
#define ECX_RDRAND (1u << 30)
#define ECX_HYPERVISOR (1u << 31)
#define ECX_SVM (1u << 2)
#define EDX_INVARIANT_TSC (1u << 8)

static void leaf(uint32_t number, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	/* The maximum is not asked for hypervisor leaves: it is another one. */
	if (number == LEAF_HYPERVISOR)
		__cpuid(number, out[0], out[1], out[2], out[3]);
	else
		(void)__get_cpuid(number, &out[0], &out[1], &out[2], &out[3]);
}

static void brand(char text[49])
{
	char *from = text;

	for (uint32_t n = 0; n < 3; n++) {
		uint32_t out[4];

		leaf(LEAF_BRAND + n, out);
		memcpy(text + n * 16, out, 16);
	}
	text[48] = '\0';
	while (*from == ' ')
		from++;
	memmove(text, from, strlen(from) + 1);
}

void doctor_processor(struct doctor_finding *finding)
{
	uint32_t features[4], power[4];
	char name[49];

	leaf(LEAF_FEATURES, features);
	leaf(LEAF_POWER, power);
	brand(name);
	doctor_say(finding, DOCTOR_NOTE, "%s; invariant TSC: %s; RDRAND: %s", name[0] ? name : "x86-64",
		   power[3] & EDX_INVARIANT_TSC ? "yes" : "no", features[2] & ECX_RDRAND ? "yes" : "no");
}

void doctor_hypervisor(struct doctor_finding *finding)
{
	uint32_t features[4], out[4];
	char name[13];

	leaf(LEAF_FEATURES, features);
	if (!(features[2] & ECX_HYPERVISOR)) {
		doctor_say(finding, DOCTOR_NOTE, "none below us: this is a real machine, or looks like one");
		return;
	}
	leaf(LEAF_HYPERVISOR, out);
	memcpy(name, &out[1], 12);
	name[12] = '\0';
	for (char *c = name; *c; c++) {
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	}
	doctor_say(finding, DOCTOR_NOTE, "'%s' below us%s", name,
		   strcmp(name, "Microsoft Hv") == 0 ? ": this is Hyper-V itself" : "");
}

static const char *extension(void)
{
	uint32_t features[4], extended[4];

	leaf(LEAF_FEATURES, features);
	leaf(LEAF_EXTENDED, extended);
	return features[2] & ECX_VMX ? "VMX" : extended[2] & ECX_SVM ? "SVM" : NULL;
}
#else
void doctor_processor(struct doctor_finding *finding)
{
	doctor_say(finding, DOCTOR_NOTE, "not an x86-64: threads and --seed run here all the same");
}

void doctor_hypervisor(struct doctor_finding *finding)
{
	doctor_say(finding, DOCTOR_NOTE, "not looked for on this processor");
}

static const char *extension(void)
{
	return NULL;
}
#endif

/* A virtual machine with one CPU, if it can be had. */
static bool try_kvm(int kvm)
{
	int machine = ioctl(kvm, KVM_CREATE_VM, 0), cpu = -1;

	if (machine >= 0) {
		cpu = ioctl(machine, KVM_CREATE_VCPU, 0);
		if (cpu >= 0)
			(void)close(cpu);
		(void)close(machine);
	}
	return cpu >= 0;
}

static void open_kvm(struct doctor_finding *finding, int kvm)
{
	int version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	const char *name = extension();

	if (version != KVM_API_VERSION)
		doctor_say(finding, DOCTOR_MISSING, "/dev/kvm speaks version %d, not %d", version,
			   KVM_API_VERSION);
	else if (try_kvm(kvm))
		doctor_say(finding, DOCTOR_OK, "/dev/kvm makes virtual machines (%s)",
			   name ? name : "though the processor shows neither VMX nor SVM");
	else
		doctor_say(finding, DOCTOR_MISSING, "/dev/kvm opens, but makes no virtual machine: %s",
			   strerror(errno));
}

void doctor_kvm(struct doctor_finding *finding)
{
	const char *name = extension();
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), error = errno;

	if (kvm >= 0) {
		open_kvm(finding, kvm);
		(void)close(kvm);
		return;
	}
	doctor_say(finding, DOCTOR_MISSING, "/dev/kvm: %s; the processor %s%s", strerror(error),
		   name ? "has " : "shows neither VMX nor SVM", name ? name : "");
	if (error == EACCES)
		doctor_advise(finding, "join the group that owns /dev/kvm; hvkit run needs none");
	else if (name)
		doctor_advise(finding, "load kvm_intel or kvm_amd; hvkit run needs none");
	else
		doctor_advise(finding, "virtualization is switched off, or this machine is nested; hvkit run "
				       "needs none");
}
