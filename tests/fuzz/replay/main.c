/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target over the files named, without libFuzzer: for scripts/fuzz-coverage. */
#include "tests/fuzz/input.h"

#define INPUT_MAX 65536u

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		static uint8_t bytes[INPUT_MAX];
		FILE *file = fopen(argv[i], "rb");
		size_t size;

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		size = fread(bytes, 1, sizeof(bytes), file);
		(void)fclose(file);
		(void)LLVMFuzzerTestOneInput(bytes, size);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
