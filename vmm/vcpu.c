/* SPDX-License-Identifier: MIT */
/* A thread for each virtual CPU. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/private.h"

/* Ends KVM_RUN: its handler also makes the next one end at once, so that none is missed. */
#define INTERRUPT_SIGNAL (SIGRTMIN + 2)

static _Thread_local struct vmm_vcpu *current;

static void on_interrupt_signal(int signal)
{
	(void)signal;
	if (current)
		__atomic_store_n(&current->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

static void install_handler(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_interrupt_signal;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(INTERRUPT_SIGNAL, &action, NULL);
}

bool vmm_vcpu_create(struct vmm *vmm, uint32_t index, char *error)
{
	struct vmm_vcpu *vcpu = &vmm->vcpus[index];
	void *run;

	vcpu->vmm = vmm;
	vcpu->index = index;
	vcpu->file = ioctl(vmm->kvm.vm, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->file < 0)
		return vmm_kvm_failed(error, "a virtual CPU cannot be made");
	run = mmap(NULL, vmm->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->file, 0);
	if (run == MAP_FAILED)
		return vmm_kvm_failed(error, "a virtual CPU's page cannot be mapped");
	vcpu->run = run;
	return true;
}

void vmm_vcpu_destroy(struct vmm_vcpu *vcpu)
{
	if (vcpu->run)
		(void)munmap(vcpu->run, vcpu->vmm->kvm.run_size);
	if (vcpu->file >= 0)
		(void)close(vcpu->file);
	vcpu->run = NULL;
	vcpu->file = -1;
}

/* False: this vCPU runs no more. */
static bool run_once(struct vmm_vcpu *vcpu)
{
	if (ioctl(vcpu->file, KVM_RUN, 0) == 0)
		return vmm_exit_handle(vcpu);
	if (errno == EINTR || errno == EAGAIN)
		return true;
	vmm_end(vcpu->vmm, VMM_UNRUNNABLE, vcpu->index, "vCPU %u: KVM_RUN: %s", vcpu->index, strerror(errno));
	return false;
}

static void *vcpu_thread(void *context)
{
	struct vmm_vcpu *vcpu = context;
	sigset_t set;

	current = vcpu;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, INTERRUPT_SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	vmm_await_begin(vcpu->vmm);
	while (!atomic_load(&vcpu->vmm->stopping) && run_once(vcpu))
		continue;
	current = NULL;
	return NULL;
}

bool vmm_vcpu_start(struct vmm_vcpu *vcpu)
{
	install_handler();
	errno = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	vcpu->started = errno == 0;
	return vcpu->started;
}

void vmm_vcpu_interrupt(struct vmm_vcpu *vcpu)
{
	if (vcpu->started)
		(void)pthread_kill(vcpu->thread, INTERRUPT_SIGNAL);
}
