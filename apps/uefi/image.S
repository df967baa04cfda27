/* SPDX-License-Identifier: MIT */
/* What is built in: an image (BUILT_IN_IMAGE) and its command line (BUILT_IN_LINE). */
	.section .rdata, "dr"
	.globl built_in_image, built_in_image_end, built_in_line
	.balign 16
built_in_image:
	.incbin BUILT_IN_IMAGE
built_in_image_end:
built_in_line:
	.asciz BUILT_IN_LINE
