/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "trust/policy_internal.h"

#define MIN_RSA_BITS 2048

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

/* The hash that goes with the key: Ed25519 has its own. Whether such keys are taken. */
static bool hash_for(const EVP_PKEY *key, const EVP_MD **ret_hash)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		*ret_hash = EVP_sha256();
		return true;
	case EVP_PKEY_RSA:
		*ret_hash = EVP_sha256();
		return EVP_PKEY_get_bits(key) >= MIN_RSA_BITS;
	case EVP_PKEY_ED25519:
		*ret_hash = NULL;
		return true;
	default:
		return false;
	}
}

/* A key with a passphrase is not a public key; nobody shall be asked for one. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

int signature_check(const char *key_pem, const char *what, const char *payload, size_t payload_len,
		    const char *signature, size_t signature_len, struct error *err)
{
	auto_(BIO_free_all) BIO *text = BIO_new_mem_buf(key_pem, (int)strlen(key_pem));
	auto_(EVP_PKEY_free) EVP_PKEY *key = NULL;
	auto_(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *hash;

	if (text)
		key = PEM_read_bio_PUBKEY(text, NULL, no_passphrase, NULL);
	if (!key)
		return err_set(err, ERR_INVALID, 0, "%s holds no public key in PEM", what);
	if (!hash_for(key, &hash))
		return err_set(err, ERR_INVALID, 0,
			       "the key in %s is neither ECDSA, Ed25519, nor RSA of at least %d "
			       "bits",
			       what, MIN_RSA_BITS);
	if (!context || EVP_DigestVerifyInit(context, NULL, hash, NULL, key) != 1)
		return err_set(err, ERR_INTERNAL, 0, "libcrypto cannot use the key in %s", what);
	return EVP_DigestVerify(context, (const unsigned char *)signature, signature_len,
				(const unsigned char *)payload, payload_len) == 1;
}
