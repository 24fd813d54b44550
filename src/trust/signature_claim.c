/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature_claim.c - the document that cosign signs
 *
 *	{"critical": {"identity": {"docker-reference": "…"},
 *	              "image": {"docker-manifest-digest": "sha256:…"},
 *	              "type": "cosign container image signature"},
 *	 "optional": null or {…}}
 *
 * Exactly these members (container-signature(5)): a member that is not known may change what is
 * claimed.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "trust/policy_internal.h"

#define CLAIM_TYPE "cosign container image signature"

void signature_claim_release(struct signature_claim *claim)
{
	free(claim->digest);
	free(claim->name);
	*claim = (struct signature_claim){0};
}

/* The object `key` of `object`, which has `size` members; NULL when it is otherwise. */
static const json_t *exact_object(const json_t *object, const char *key, size_t size)
{
	const json_t *value = json_object_get(object, key);

	return json_is_object(value) && json_object_size(value) == size ? value : NULL;
}

int signature_claim_parse(const char *payload, size_t len, struct signature_claim *ret_claim,
			  struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	const json_t *critical, *identity, *image, *optional;
	const char *digest, *name;
	int r;

	r = json_parse(payload, len, "the signature's payload", &root, err);
	if (r < 0)
		return r;
	critical = exact_object(root, "critical", 3);
	identity = exact_object(critical, "identity", 1);
	image = exact_object(critical, "image", 1);
	optional = json_object_get(root, "optional");
	name = json_get_string(identity, "docker-reference", "");
	digest = json_get_string(image, "docker-manifest-digest", "");
	if (json_object_size(root) != 2 || !(json_is_object(optional) || json_is_null(optional)) ||
	    strcmp(json_get_string(critical, "type", ""), CLAIM_TYPE) != 0 || !name[0] ||
	    !digest_is_valid(digest))
		return err_set(err, ERR_INVALID, 0,
			       "the signature's payload is not a \"" CLAIM_TYPE "\"");
	*ret_claim = (struct signature_claim){.digest = xstrdup(digest), .name = xstrdup(name)};
	return 0;
}
