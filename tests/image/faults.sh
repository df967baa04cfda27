#!/bin/sh
# SPDX-License-Identifier: MIT
# Faults made on purpose: each is stopped, and reported with its cause, the registers and who called
# whom. No page can be both written and executed.
. tests/image/lib.inc

fault() { # TEST LINE FRAME
	boot "test=$1" -m 64
	status_is 70
	says "^\*\*\* CPU 0: $2"
	says "^  #[0-9?]* 0x[0-9a-f]* $3"
	says_not 'nothing happened'
}
page_fault() { # TEST LINE FRAME
	fault "$1" 'page fault (14)' "$3"
	says "$2"
	says '^rax [0-9a-f]\{16\}  rbx '
	says '^rip [0-9a-f]\{16\}  flg .*cr2 '
}
page_fault null 'writing 0x8: a null pointer' null_pointer+
page_fault page-fault 'writing 0x400000000000: there is no such page' page_fault+
page_fault stack 'a stack has overflowed' deeper
page_fault write-text 'the page is not to be written' write_text+
page_fault write-constant 'the page is not to be written' write_constant+
page_fault write-hypercall-page 'the page is not to be written' write_hypercall_page+
page_fault execute-constant 'the page is not to be executed' image_self_test+
page_fault execute-data 'the page is not to be executed' image_self_test+
page_fault execute-stack 'the page is not to be executed' image_self_test+
page_fault execute-page 'the page is not to be executed' image_self_test+
fault ud 'invalid opcode (6)' undefined+
fault gp 'general protection fault (13)' protection+
fault divide 'division error (0)' divide+
fault fatal 'test=fatal was asked for' bare_main+
fault free-twice 'pages given back that were not given out' free_twice+

# On each CPU the same: write protection, no pages of a loader's, machine checks, no-execute.
registers='cr0 0000000080010033  cr4 0000000000000060  efr 0000000000000d00'
boot test=null -m 64
says "$registers"
boot test=other-cpu -m 64 -smp 2
status_is 70
says "$registers"
says '^\*\*\* CPU 1: page fault (14)'
says ' run_elsewhere+'
boot test=stray -m 64
status_is 1
says '^CPU 0: interrupt 0x21, which nobody'
says '^test=stray: nothing happened'
[ "$(grep -c 'interrupt 0x60, ' "$work/out")" = 1 ] || wrong 'not told once'
boot test=nosuch -m 64
status_is 1
says 'there is no such test; there are null, page-fault, '
finish
