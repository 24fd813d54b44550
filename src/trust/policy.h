/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - which images may be taken in (containers-policy.json(5))
 *
 *	policy_load(…)
 *	policy_judge()   with what is known before anything is fetched: refused, accepted, or signatures
 *	                 are needed
 *	policy_verify()  with the manifest's digest and the signatures found
 *
 * The policy is ~/.config/containers/policy.json, else /etc/containers/policy.json. Without either,
 * everything is accepted, as docker does. A file that cannot be read or understood refuses
 * everything: unknown members, types and duplicates are errors, so that a requirement is
 * never overlooked.
 *
 * Requirements are those of the most specific scope that matches; all of them must hold.
 *
 *	insecureAcceptAnything, reject
 *	sigstoreSigned    keyPath, keyPaths, keyData, keyDatas; cosign's signatures made with a key
 *
 * signedBy (OpenPGP), and sigstoreSigned with fulcio, rekor or pki, are understood as requirements
 * that cannot be checked here: images under them are refused, and the message says why.
 */
#ifndef SKIFF_TRUST_POLICY_H
#define SKIFF_TRUST_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct policy;
struct reference;
struct trust_paths;

#define POLICY_MAX_BYTES ((size_t)1 << 20)

int policy_load(const struct trust_paths *paths, struct policy **ret_policy, struct error *err);

/* The same from a text; `what` names it in messages. */
int policy_parse(const char *text, size_t len, const char *what, struct policy **ret_policy,
		 struct error *err);
void policy_free(struct policy *policy);

/* Where an image comes from. */
struct policy_image {
	const char *transport; /* "docker", "oci", "dir", "docker-archive", "oci-archive" */
	const struct reference
		*reference; /* docker: what was asked for, not the mirror; else NULL */
	const char *path;   /* the others: the file or directory, absolute, no links */
	const char *tag;    /* oci: the image in the layout; may be NULL */
};

enum policy_verdict {
	POLICY_ACCEPTED,
	POLICY_NEEDS_SIGNATURES,
};

/* A verdict, or ERR_DENIED. */
int policy_judge(const struct policy *policy, const struct policy_image *image, struct error *err);

/* What a signature says and who says it: the blob, and the annotation beside it. */
struct signature {
	char *payload; /* cosign's "simple signing" document, as it came */
	size_t payload_len;
	char *signature; /* base64, annotation dev.cosignproject.cosign/signature */
};

void signature_release(struct signature *signature);

#define POLICY_MAX_SIGNATURES 32
#define SIGNATURE_MAX_PAYLOAD ((size_t)64 << 10)

/*
 * Whether the image whose manifest (or index) hashes to `manifest_digest` may be taken in. For each
 * requirement one signature must hold: made by a key of it, over a payload that names this digest
 * and an identity that the requirement takes. A payload is parsed only after its signature was found
 * good. 0, or ERR_DENIED with the reason of the signature that came furthest.
 */
int policy_verify(const struct policy *policy, const struct policy_image *image,
		  const char *manifest_digest, const struct signature *signatures, size_t count,
		  struct error *err);

/* "sha256-<hex>.sig": the tag under which cosign stores an image's signatures; caller frees. */
char *policy_signature_tag(const char *manifest_digest);

/* One of the signatures listed in the manifest under that tag; its payload is a blob. */
struct stored_signature {
	char *digest; /* of the payload */
	uint64_t size_bytes;
	char *signature; /* base64 */
};

struct signature_list {
	struct stored_signature *items;
	size_t count; /* at most POLICY_MAX_SIGNATURES: what comes later is not looked at */
};

/* ERR_INVALID when it is not JSON; what is no signature in it is skipped. */
int signature_list_parse(const char *text, size_t len, struct signature_list *ret_list,
			 struct error *err);
void signature_list_release(struct signature_list *list);

/*
 * Whether signatures stored so are to be looked for: use-sigstore-attachments in
 * containers-registries.d(5), most specific scope. 1, 0, or an error. Where nothing is said they
 * are: the format's own default would only refuse what a policy that demands them could accept.
 */
int policy_use_attachments(const struct trust_paths *paths, const struct reference *reference,
			   struct error *err);

DEFINE_CLEANUP(struct policy *, policy_free);
DEFINE_CLEANUP_VALUE(struct signature, signature_release);
DEFINE_CLEANUP_VALUE(struct signature_list, signature_list_release);

#endif
