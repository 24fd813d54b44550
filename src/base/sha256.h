/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256.h - SHA-256, from libcrypto (which uses the processor's SHA extensions)
 *
 * A digest's text is "sha256:" and 64 lower-case hexadecimal digits.
 */
#ifndef SKIFF_BASE_SHA256_H
#define SKIFF_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT_LEN (7 + 64)

struct sha256 {
	_Alignas(8) uint8_t state[128]; /* libcrypto's context; opaque */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *data, size_t len);
void sha256_digest(struct sha256 *h, char ret_text[DIGEST_TEXT_LEN + 1]);

/* All three at once. */
void sha256_of(const void *data, size_t len, char ret_text[DIGEST_TEXT_LEN + 1]);

/* Well-formed "sha256:…". */
bool digest_is_valid(const char *text);

#endif
