/* SPDX-License-Identifier: MIT */
/* SHA-256 against the examples of FIPS 180-4 and NIST's long message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/sha256.h"

static void hash(const void *data, size_t length, size_t step, char text[SHA256_TEXT])
{
	struct sha256 sha;
	uint8_t digest[SHA256_BYTES];

	sha256_begin(&sha);
	for (size_t at = 0; at < length; at += step)
		sha256_add(&sha, (const uint8_t *)data + at, length - at < step ? length - at : step);
	sha256_end(&sha, digest);
	sha256_text(digest, text);
}

static void known_vectors(void **state)
{
	static const struct {
		const char *message, *digest;
	} vectors[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmn"
		 "opqrs"
		 "mnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	char text[SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		hash(vectors[i].message, strlen(vectors[i].message), 1 << 20, text);
		assert_string_equal(text, vectors[i].digest);
	}
}

static void a_million_letters(void **state)
{
	struct sha256 sha;
	uint8_t digest[SHA256_BYTES], letters[1000];
	char text[SHA256_TEXT];

	(void)state;
	memset(letters, 'a', sizeof(letters));
	sha256_begin(&sha);
	for (int i = 0; i < 1000; i++)
		sha256_add(&sha, letters, sizeof(letters));
	sha256_end(&sha, digest);
	sha256_text(digest, text);
	assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However the bytes are cut, and around the lengths where the padding takes a block more. */
static void pieces_make_no_difference(void **state)
{
	uint8_t data[300];
	char whole[SHA256_TEXT], cut[SHA256_TEXT], shorter[SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + 1);
	for (size_t length = 1; length <= sizeof(data); length++) {
		hash(data, length, sizeof(data), whole);
		for (size_t step = 1; step <= 130; step += 3) {
			hash(data, length, step, cut);
			assert_string_equal(cut, whole);
		}
		hash(data, length - 1, sizeof(data), shorter);
		assert_string_not_equal(shorter, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_vectors),
		cmocka_unit_test(a_million_letters),
		cmocka_unit_test(pieces_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
