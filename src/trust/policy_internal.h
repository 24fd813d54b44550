/* SPDX-License-Identifier: Apache-2.0 */
/* policy_internal.h - what a policy is made of, between reading, choosing and checking */
#ifndef SKIFF_TRUST_POLICY_INTERNAL_H
#define SKIFF_TRUST_POLICY_INTERNAL_H

#include "base/json.h"
#include "base/strv.h"
#include "trust/policy.h"

/* signedIdentity: what a signature must say that the image is called. */
enum identity_rule_kind {
	IDENTITY_REPO_DIGEST_OR_EXACT, /* the default */
	IDENTITY_EXACT,
	IDENTITY_REPOSITORY,
	IDENTITY_EXACT_REFERENCE,  /* name */
	IDENTITY_EXACT_REPOSITORY, /* name */
	IDENTITY_REMAP,            /* name is the prefix, replacement the signed prefix */
};

#define IDENTITY_RULE_COUNT 6

struct identity_rule {
	enum identity_rule_kind kind;
	char *name, *replacement;
};

enum requirement_kind {
	REQUIREMENT_ACCEPT,
	REQUIREMENT_REJECT,
	REQUIREMENT_SIGSTORE,
	REQUIREMENT_UNSUPPORTED, /* `why` says what cannot be checked */
};

struct requirement {
	enum requirement_kind kind;
	struct strv key_files; /* PEM public keys, read when they are needed */
	struct strv key_texts; /* the same, from the policy itself */
	struct identity_rule identity;
	char *why;
};

/* All of them must hold. */
struct requirements {
	struct requirement *items;
	size_t count;
};

struct policy_scope {
	char *transport, *scope; /* scope "": the transport's default */
	struct requirements requirements;
};

struct policy {
	char *what; /* for messages: the file */
	struct requirements otherwise;
	struct policy_scope *scopes;
	size_t count;
};

/* Those of the most specific scope that matches; borrowed. */
const struct requirements *policy_find(const struct policy *policy,
				       const struct policy_image *image);

/* "docker://docker.io/library/alpine:latest", for messages; caller frees. */
char *policy_image_name(const struct policy_image *image);

/* Whether a signature that names the image `signed_name` speaks of `image`. */
bool identity_rule_holds(const struct identity_rule *rule, const struct policy_image *image,
			 const char *signed_name);

/*
 * Whether `signature` (not base64) was made over the payload with the private half of the key: 1, 0,
 * or an error when the key is unusable. skiff-verify finds out (verify/protocol.h).
 */
int signature_check(const char *key_pem, const char *what, const char *payload, size_t payload_len,
		    const char *signature, size_t signature_len, struct error *err);

/* What a payload claims. */
struct signature_claim {
	char *digest, *name;
};

/* ERR_INVALID when it is not exactly what cosign writes; call it for verified payloads only. */
int signature_claim_parse(const char *payload, size_t len, struct signature_claim *ret_claim,
			  struct error *err);
void signature_claim_release(struct signature_claim *claim);

DEFINE_CLEANUP_VALUE(struct signature_claim, signature_claim_release);

#endif
