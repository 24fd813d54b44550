/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include <assert.h>
#include <string.h>

/* The low-level calls link a few kilobytes; EVP would bring all of libcrypto into a static skiff.
 */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

#include "base/hex.h"

static_assert(sizeof(struct sha256) >= sizeof(SHA256_CTX), "room for libcrypto's context");

static SHA256_CTX *context(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->state;
}

void sha256_init(struct sha256 *h)
{
	(void)SHA256_Init(context(h));
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
	(void)SHA256_Update(context(h), data, len);
}

void sha256_digest(struct sha256 *h, char ret_text[DIGEST_TEXT_LEN + 1])
{
	static const char prefix[] = {'s', 'h', 'a', '2', '5', '6', ':'};
	uint8_t bytes[SHA256_DIGEST_LENGTH];

	(void)SHA256_Final(bytes, context(h));
	memcpy(ret_text, prefix, sizeof(prefix));
	hex_format(bytes, sizeof(bytes), ret_text + sizeof(prefix));
}

void sha256_of(const void *data, size_t len, char ret_text[DIGEST_TEXT_LEN + 1])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, data, len);
	sha256_digest(&h, ret_text);
}

bool digest_is_valid(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 && hex_is(text + 7, 64);
}
