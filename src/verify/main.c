/* SPDX-License-Identifier: Apache-2.0 */
/* skiff-verify: one signature and one key, in a process that has nothing to lose; see protocol.h. */
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/json.h"
#include "verify/protocol.h"

#define NOBODY 65534

DEFINE_CLEANUP(BIO *, BIO_free_all);
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free);

#ifdef __SANITIZE_ADDRESS__
/* The leak checker looks at a process from another one, which may not be made here. */
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

/*
 * confine() - nothing can be opened, started or written from here on
 *
 * Where:    before the request is read.
 * Needs:    libcrypto initialized, so that it wants no file any more.
 * Leaves:   an unprivileged user, no new descriptors, no new processes, no file grows; standard
 *           input, output and error as they are.
 */
static bool confine(void)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{RLIMIT_NOFILE, 0}, {RLIMIT_NPROC, 0}, {RLIMIT_FSIZE, 0},
		{RLIMIT_CORE, 0},   {RLIMIT_CPU, 30},  {RLIMIT_AS, (rlim_t)256 << 20},
	};

	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit limit = {limits[i].limit, limits[i].limit};

#ifdef __SANITIZE_ADDRESS__
		if (limits[i].resource == RLIMIT_AS)
			continue;
#endif
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
			return false;
	}
	/* Tried, not believed. */
	return open("/dev/null", O_RDONLY | O_CLOEXEC) < 0;
}

/* The hash that goes with the key: Ed25519 has its own. Whether such keys are taken. */
static bool hash_for(const EVP_PKEY *key, const EVP_MD **ret_hash)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_EC:
		*ret_hash = EVP_sha256();
		return true;
	case EVP_PKEY_RSA:
		*ret_hash = EVP_sha256();
		return EVP_PKEY_get_bits(key) >= VERIFY_MIN_RSA_BITS;
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

/* NULL and *ret_good, or what is wrong with the key. */
static const char *check(const char *key_pem, const char *payload, size_t payload_len,
			 const char *signature, size_t signature_len, bool *ret_good)
{
	auto_(BIO_free_all) BIO *text = BIO_new_mem_buf(key_pem, (int)strlen(key_pem));
	auto_(EVP_PKEY_free) EVP_PKEY *key = NULL;
	auto_(EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *hash;

	if (text)
		key = PEM_read_bio_PUBKEY(text, NULL, no_passphrase, NULL);
	if (!key)
		return "there is no public key in PEM";
	if (!hash_for(key, &hash))
		return "the key is neither ECDSA, Ed25519, nor RSA of at least 2048 bits";
	if (!context || EVP_DigestVerifyInit(context, NULL, hash, NULL, key) != 1)
		return "libcrypto cannot use the key";
	*ret_good = EVP_DigestVerify(context, (const unsigned char *)signature, signature_len,
				     (const unsigned char *)payload, payload_len) == 1;
	return NULL;
}

static int decode(const json_t *request, const char *key, char **ret_data, size_t *ret_len)
{
	const char *text = json_get_string(request, key, "");

	return base64_decode(text, strlen(text), ret_data, ret_len);
}

static int answer(const json_t *request)
{
	auto_free char *payload = NULL, *signature = NULL, *text = NULL;
	auto_(json_decref) json_t *object = json_object();
	size_t payload_len, signature_len;
	const char *problem;
	bool good = false;

	if (decode(request, "payload", &payload, &payload_len) < 0 ||
	    decode(request, "signature", &signature, &signature_len) < 0)
		return 1;
	problem = check(json_get_string(request, "key", ""), payload, payload_len, signature,
			signature_len, &good);
	if (problem)
		json_set_string(object, "problem", problem);
	else
		(void)json_object_set_new(object, "good", json_boolean(good));
	text = json_text(object);
	return fd_write_all(STDOUT_FILENO, text, strlen(text)) < 0;
}

int main(void)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *request = NULL;
	auto_free char *text = NULL;
	size_t len;

	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL) !=
	    1)
		return 1;
	if (!confine() || fd_read_text(STDIN_FILENO, VERIFY_MAX_REQUEST, &text, &len) < 0 ||
	    json_parse(text, len, "request", &request, &err) < 0)
		return 1;
	return answer(request);
}
