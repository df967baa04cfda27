# SPDX-License-Identifier: MIT
# vm: kernels in virtual machines. boot.sh runs them all, in one boot of an outer machine; each of
# the others judges one guest on one host by what it saw.
if(NOT TARGET hvkit-shell.elf)
	return()
endif()
hvkit_script_test(vm boot 470 sh tests/vm/boot.sh)
set_tests_properties(vm.boot PROPERTIES FIXTURES_SETUP vm_boot RUN_SERIAL ON)

function(hvkit_vm_judge name)
	hvkit_script_test(vm ${name} 10 sh tests/vm/judge ${ARGN})
	set_tests_properties(vm.${name} PROPERTIES FIXTURES_REQUIRED vm_boot)
endfunction()
hvkit_vm_judge(image_on_model image kvm image-1-cpu image-2-cpu image-vf image-vf-cycles image-disk)
hvkit_vm_judge(linux_on_model linux kvm linux-2-cpu linux-versions linux-oldest linux-kexec linux-vf
	linux-utilities linux-goes-down)
hvkit_vm_judge(linux_by_tap network kvm linux-tap)
hvkit_vm_judge(linux_on_disks storage kvm linux-disk linux-disk-cut)
hvkit_vm_judge(image_on_qemu image qemu image-qemu)
hvkit_vm_judge(linux_on_qemu linux qemu linux-qemu)
hvkit_vm_judge(netboot_on_model netboot kvm netboot-ws2022-2)
hvkit_vm_judge(ipxe_on_model ipxe kvm ipxe ipxe-ws2012)
hvkit_script_test(vm ipxe_dialogue 20 sh tests/vm/compare ipxe ipxe-ws2012)
set_tests_properties(vm.ipxe_dialogue PROPERTIES FIXTURES_REQUIRED vm_boot)
