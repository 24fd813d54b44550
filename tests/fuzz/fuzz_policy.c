/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy.c - policy.json, payloads and lists of signatures, registries.d; the first byte chooses */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "image/reference.h"
#include "trust/policy_internal.h"
#include "trust/yaml_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A policy always says something, and never accepts without signatures what needs them. */
static void try_policy(const char *text, size_t len)
{
	auto_(policy_free) struct policy *policy = NULL;
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	struct policy_image images[] = {
		{.transport = "docker", .reference = &reference},
		{.transport = "oci", .path = "/a/b", .tag = "t"},
		{.transport = "dir", .path = "/a/b"},
	};

	if (policy_parse(text, len, "fuzz", &policy, &err) < 0)
		return;
	if (reference_parse("a.com/x:1", &reference, &err) < 0)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		auto_(error_release) struct error verdict = {0};
		char digest[DIGEST_TEXT_LEN + 1];

		sha256_of("x", 1, digest);
		if (policy_judge(policy, &images[i], &verdict) == POLICY_NEEDS_SIGNATURES &&
		    policy_verify(policy, &images[i], digest, NULL, 0, &verdict) >= 0)
			abort();
	}
}

static void try_claim(const char *text, size_t len)
{
	auto_(signature_claim_release) struct signature_claim claim = {0};
	auto_(error_release) struct error err = {0};
	auto_(reference_release) struct reference reference = {0};
	struct policy_image image = {.transport = "docker", .reference = &reference};
	struct identity_rule rule = {.name = (char *)"a.com", .replacement = (char *)"b.com"};

	if (signature_claim_parse(text, len, &claim, &err) < 0)
		return;
	if (!digest_is_valid(claim.digest) || reference_parse("a.com/x:1", &reference, &err) < 0)
		abort();
	for (int kind = 0; kind < IDENTITY_RULE_COUNT; kind++) {
		rule.kind = (enum identity_rule_kind)kind;
		(void)identity_rule_holds(&rule, &image, claim.name);
	}
}

static void try_list(const char *text, size_t len)
{
	auto_(signature_list_release) struct signature_list list = {0};
	auto_(error_release) struct error err = {0};

	if (signature_list_parse(text, len, &list, &err) < 0)
		return;
	for (size_t i = 0; i < list.count; i++)
		if (!digest_is_valid(list.items[i].digest) ||
		    list.items[i].size_bytes > SIGNATURE_MAX_PAYLOAD)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *root = NULL;
	auto_free char *text = NULL;

	if (size == 0)
		return 0;
	text = xmemdup(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		try_policy(text, size - 1);
		break;
	case 1:
		try_claim(text, size - 1);
		break;
	case 2:
		try_list(text, size - 1);
		break;
	default:
		if (yaml_json_parse(text, size - 1, "fuzz", &root, &err) >= 0 && !root)
			abort();
	}
	return 0;
}
