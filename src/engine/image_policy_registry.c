/* SPDX-License-Identifier: Apache-2.0 */
/* image_policy_registry.c - policy for images of registries: signatures are fetched when needed */
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/image_policy.h"
#include "engine/registry_helper.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "trust/policy.h"
#include "trust/trust_paths.h"

int image_policy_begin(const struct reference *reference, struct policy **ret_policy,
		       struct error *err)
{
	const struct policy_image image = {.transport = "docker", .reference = reference};
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(policy_free) struct policy *policy = NULL;
	int r;

	trust_paths_init(&paths);
	r = policy_load(&paths, &policy, err);
	if (r < 0)
		return r;
	r = policy_judge(policy, &image, err);
	if (r < 0)
		return r;
	*ret_policy = TAKE_PTR(policy);
	return 0;
}

/* All payloads that were fetched. */
struct signatures {
	struct signature items[POLICY_MAX_SIGNATURES];
	size_t count;
};

static void signatures_release(struct signatures *signatures)
{
	for (size_t i = 0; i < signatures->count; i++)
		signature_release(&signatures->items[i]);
}

DEFINE_CLEANUP_VALUE(struct signatures, signatures_release);

/* 1, or 0 when there is none. */
static int fetch_list(struct registry_helper *helper, int64_t endpoint, const char *digest,
		      struct signature_list *ret_list, struct error *err)
{
	auto_free char *tag = policy_signature_tag(digest), *text = NULL;
	json_t *request = json_pack("{s:s, s:s, s:I}", "op", "manifest", "reference", tag,
				    "endpoint", (json_int_t)endpoint);
	size_t len;
	int r;

	r = registry_helper_fetch(helper, request, MANIFEST_MAX_BYTES, NULL, &text, &len, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	if (r >= 0)
		r = signature_list_parse(text, len, ret_list, err);
	return r < 0 ? r : 1;
}

static int fetch_payload(struct registry_helper *helper, int64_t endpoint,
			 const struct stored_signature *stored, struct signature *ret_signature,
			 struct error *err)
{
	json_t *request = json_pack("{s:s, s:s, s:I, s:I}", "op", "blob", "digest", stored->digest,
				    "size", (json_int_t)stored->size_bytes, "endpoint",
				    (json_int_t)endpoint);
	auto_free char *text = NULL;
	char digest[DIGEST_TEXT_LEN + 1];
	size_t len;
	int r;

	r = registry_helper_fetch(helper, request, SIGNATURE_MAX_PAYLOAD, NULL, &text, &len, err);
	if (r < 0)
		return r;
	sha256_of(text, len, digest);
	if (strcmp(digest, stored->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "a signature hashes to %s, not to %s",
			       digest, stored->digest);
	*ret_signature = (struct signature){
		.payload = TAKE_PTR(text),
		.payload_len = len,
		.signature = xstrdup(stored->signature),
	};
	return 0;
}

static int fetch_signatures(struct registry_helper *helper, int64_t endpoint, const char *digest,
			    struct signatures *signatures, struct error *err)
{
	auto_(signature_list_release) struct signature_list list = {0};
	int r;

	r = fetch_list(helper, endpoint, digest, &list, err);
	for (size_t i = 0; r > 0 && i < list.count; i++) {
		r = fetch_payload(helper, endpoint, &list.items[i],
				  &signatures->items[signatures->count], err);
		if (r < 0)
			break;
		signatures->count++;
		r = 1;
	}
	return r < 0 ? err_wrap(err, r, "the image's signatures") : 0;
}

int image_policy_check(const struct policy *policy, const struct reference *reference,
		       const char *digest, struct registry_helper *helper, int64_t endpoint,
		       struct error *err)
{
	const struct policy_image image = {.transport = "docker", .reference = reference};
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(signatures_release) struct signatures signatures = {0};
	int r;

	r = policy_judge(policy, &image, err);
	if (r <= 0)
		return r;
	trust_paths_init(&paths);
	r = policy_use_attachments(&paths, reference, err);
	if (r > 0)
		r = fetch_signatures(helper, endpoint, digest, &signatures, err);
	if (r < 0)
		return r;
	return policy_verify(policy, &image, digest, signatures.items, signatures.count, err);
}
