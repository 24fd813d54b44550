/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/policy.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/sha256.h"
#include "trust/host_file.h"
#include "trust/policy_internal.h"

#define KEY_MAX_BYTES ((size_t)64 << 10)

void signature_release(struct signature *signature)
{
	free(signature->payload);
	free(signature->signature);
	*signature = (struct signature){0};
}

char *policy_signature_tag(const char *manifest_digest)
{
	return xasprintf("sha256-%s.sig", manifest_digest + strlen("sha256:"));
}

static int refuse(const struct policy *policy, const struct policy_image *image, const char *why,
		  struct error *err)
{
	auto_free char *name = policy_image_name(image);

	return err_set(err, ERR_DENIED, 0, "'%s' is refused by %s: %s", name, policy->what, why);
}

int policy_judge(const struct policy *policy, const struct policy_image *image, struct error *err)
{
	const struct requirements *requirements = policy_find(policy, image);
	enum policy_verdict verdict = POLICY_ACCEPTED;

	for (size_t i = 0; i < requirements->count; i++) {
		const struct requirement *requirement = &requirements->items[i];
		auto_free char *why = NULL;

		switch (requirement->kind) {
		case REQUIREMENT_ACCEPT:
			break;
		case REQUIREMENT_REJECT:
			return refuse(policy, image, "its policy is \"reject\"", err);
		case REQUIREMENT_SIGSTORE:
			verdict = POLICY_NEEDS_SIGNATURES;
			break;
		case REQUIREMENT_UNSUPPORTED:
			why = xasprintf("it demands %s, which skiff cannot check",
					requirement->why);
			return refuse(policy, image, why, err);
		}
	}
	return (int)verdict;
}

/* One signature with one key, then what it claims: 1 it holds, 0 and *ret_why, or an error. */
static int try_key(const struct requirement *requirement, const struct policy_image *image,
		   const char *manifest_digest, const struct signature *signature, const char *key,
		   const char *key_name, char **ret_why, struct error *err)
{
	auto_(signature_claim_release) struct signature_claim claim = {0};
	auto_(error_release) struct error detail = {0};
	auto_free char *bytes = NULL;
	size_t len;
	int r;

	if (signature->payload_len > SIGNATURE_MAX_PAYLOAD ||
	    base64_decode(signature->signature, strlen(signature->signature), &bytes, &len) < 0) {
		*ret_why = xstrdup("a signature is malformed");
		return 0;
	}
	r = signature_check(key, key_name, signature->payload, signature->payload_len, bytes, len,
			    err);
	if (r < 0)
		return r;
	if (r == 0) {
		*ret_why = xasprintf("no signature was made with the key in %s", key_name);
	} else if (signature_claim_parse(signature->payload, signature->payload_len, &claim,
					 &detail) < 0) {
		*ret_why = xstrdup(err_message(&detail));
	} else if (strcmp(claim.digest, manifest_digest) != 0) {
		*ret_why = xasprintf("the signature is for another image (%s)", claim.digest);
	} else if (!identity_rule_holds(&requirement->identity, image, claim.name)) {
		*ret_why = xasprintf("the signature is for the name '%.300s'", claim.name);
	} else {
		return 1;
	}
	return 0;
}

/* The better a signature was, the more its reason says: the last one that is not about keys wins. */
static void keep_reason(char **why, char *other)
{
	static const char no_key[] = "no signature was made";

	if (!*why || strncmp(*why, no_key, strlen(no_key)) == 0) {
		free(*why);
		*why = other;
	} else {
		free(other);
	}
}

/* All signatures with one key. */
static int try_signatures(const struct requirement *requirement, const struct policy_image *image,
			  const char *manifest_digest, const struct signature *signatures,
			  size_t count, const char *key, const char *key_name, char **why,
			  struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		char *other = NULL;
		int r = try_key(requirement, image, manifest_digest, &signatures[i], key, key_name,
				&other, err);

		if (r != 0)
			return r;
		keep_reason(why, other);
	}
	return 0;
}

/* With all keys of the requirement: 1, 0, or an error. */
static int requirement_holds(const struct requirement *requirement,
			     const struct policy_image *image, const char *manifest_digest,
			     const struct signature *signatures, size_t count, char **why,
			     struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < requirement->key_texts.count && r == 0; i++)
		r = try_signatures(requirement, image, manifest_digest, signatures, count,
				   requirement->key_texts.items[i], "the policy", why, err);
	for (size_t i = 0; i < requirement->key_files.count && r == 0; i++) {
		const char *path = requirement->key_files.items[i];
		auto_free char *key = NULL, *name = xasprintf("'%s'", path);
		size_t len;

		r = host_file_read(path, KEY_MAX_BYTES, &key, &len, err);
		if (r == 0)
			return err_set(err, ERR_NOT_FOUND, ENOENT, "the key %s is missing", name);
		if (r < 0)
			return r;
		r = try_signatures(requirement, image, manifest_digest, signatures, count, key,
				   name, why, err);
	}
	return r;
}

int policy_verify(const struct policy *policy, const struct policy_image *image,
		  const char *manifest_digest, const struct signature *signatures, size_t count,
		  struct error *err)
{
	const struct requirements *requirements = policy_find(policy, image);
	int r;

	r = policy_judge(policy, image, err);
	if (r <= 0)
		return r;
	if (count > POLICY_MAX_SIGNATURES)
		return refuse(policy, image, "it has too many signatures", err);
	if (count == 0)
		return refuse(policy, image, "a signature is required, and it has none", err);
	for (size_t i = 0; i < requirements->count; i++) {
		auto_(error_release) struct error detail = {0};
		auto_free char *why = NULL;

		if (requirements->items[i].kind != REQUIREMENT_SIGSTORE)
			continue;
		r = requirement_holds(&requirements->items[i], image, manifest_digest, signatures,
				      count, &why, &detail);
		if (r < 0)
			return refuse(policy, image, err_message(&detail), err);
		if (r == 0)
			return refuse(policy, image, why, err);
	}
	return 0;
}
