/* SPDX-License-Identifier: Apache-2.0 */
/* policy_scope.c - which requirements are an image's, and what its signatures must call it */
#include <string.h>

#include "base/alloc.h"
#include "image/reference.h"
#include "trust/policy_internal.h"

/* The text and its parents: everything before each slash. "/" itself is no scope. */
static void add_with_parents(struct strv *scopes, const char *text)
{
	auto_free char *scope = xstrdup(text);
	char *slash;

	while (scope[0]) {
		strv_add(scopes, scope);
		slash = strrchr(scope, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

/* Of "a.b.c:5000": "*.b.c", "*.c". */
static void add_wildcards(struct strv *scopes, const char *domain)
{
	auto_free char *host = xstrndup(domain, strcspn(domain, ":"));

	for (const char *dot = strchr(host, '.'); dot; dot = strchr(dot + 1, '.'))
		strv_addf(scopes, "*%s", dot);
}

/* Most specific first. */
static void list_scopes(const struct policy_image *image, struct strv *scopes)
{
	const struct reference *reference = image->reference;

	if (reference) {
		auto_free char *repository = reference_repository(reference);

		if (reference->tag)
			strv_addf(scopes, "%s:%s", repository, reference->tag);
		if (reference->digest)
			strv_addf(scopes, "%s@%s", repository, reference->digest);
		add_with_parents(scopes, repository);
		add_wildcards(scopes, reference->domain);
	} else if (image->path && strcmp(image->transport, "docker-archive") != 0) {
		if (image->tag)
			strv_addf(scopes, "%s:%s", image->path, image->tag);
		add_with_parents(scopes, image->path);
	}
	strv_add(scopes, "");
}

const struct requirements *policy_find(const struct policy *policy,
				       const struct policy_image *image)
{
	auto_(strv_release) struct strv scopes = {0};

	list_scopes(image, &scopes);
	for (size_t i = 0; i < scopes.count; i++)
		for (size_t k = 0; k < policy->count; k++)
			if (strcmp(policy->scopes[k].transport, image->transport) == 0 &&
			    strcmp(policy->scopes[k].scope, scopes.items[i]) == 0)
				return &policy->scopes[k].requirements;
	return &policy->otherwise;
}

char *policy_image_name(const struct policy_image *image)
{
	auto_free char *name = NULL;

	if (!image->reference)
		return xasprintf("%s:%s%s%s", image->transport, image->path ? image->path : "",
				 image->tag ? ":" : "", image->tag ? image->tag : "");
	name = reference_format(image->reference);
	return xasprintf("%s://%s", image->transport, name);
}

/* A name, and whether it says which image of its repository. */
struct identity {
	struct reference reference;
	bool bare; /* neither tag nor digest: "latest" was not said */
};

static void identity_release(struct identity *identity)
{
	reference_release(&identity->reference);
}

DEFINE_CLEANUP_VALUE(struct identity, identity_release);

static bool parse_identity(const char *text, struct identity *ret_identity)
{
	auto_(error_release) struct error ignored = {0};
	const char *slash = strrchr(text, '/');

	if (reference_parse(text, &ret_identity->reference, &ignored) < 0)
		return false;
	ret_identity->bare = !strpbrk(slash ? slash : text, ":@");
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_repository(const struct reference *a, const struct reference *b)
{
	return strcmp(a->domain, b->domain) == 0 && strcmp(a->path, b->path) == 0;
}

static bool same_reference(const struct reference *a, const struct reference *b)
{
	return same_repository(a, b) && same_text(a->tag, b->tag) &&
	       same_text(a->digest, b->digest);
}

/*
 * A tag that was asked for must be the tag that was signed; a digest says itself which image is
 * meant, so the repository suffices. (With both, the digest is checked elsewhere: the tag counts.)
 */
static bool repo_digest_or_exact(const struct reference *wanted, const struct identity *signed_id)
{
	if (!wanted->tag)
		return same_repository(wanted, &signed_id->reference);
	return !signed_id->bare && same_repository(wanted, &signed_id->reference) &&
	       same_text(wanted->tag, signed_id->reference.tag);
}

/* The wanted name with the prefix replaced; unchanged when it is not under the prefix. */
static bool remapped_holds(const struct identity_rule *rule, const struct reference *wanted,
			   const struct identity *signed_id)
{
	auto_(reference_release) struct reference moved = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *repository = reference_repository(wanted);
	auto_free char *name = NULL;
	size_t len = strlen(rule->name);

	if (strncmp(repository, rule->name, len) != 0 ||
	    (repository[len] != '\0' && repository[len] != '/'))
		return repo_digest_or_exact(wanted, signed_id);
	name = xasprintf("%s%s%s%s%s%s", rule->replacement, repository + len,
			 wanted->tag ? ":" : "", wanted->tag ? wanted->tag : "",
			 wanted->digest ? "@" : "", wanted->digest ? wanted->digest : "");
	return reference_parse(name, &moved, &ignored) == 0 &&
	       repo_digest_or_exact(&moved, signed_id);
}

/* exactReference, exactRepository: a name that the policy gives. */
static bool named_holds(const struct identity_rule *rule, const struct identity *signed_id)
{
	auto_(identity_release) struct identity named = {0};

	if (!parse_identity(rule->name, &named))
		return false;
	if (rule->kind == IDENTITY_EXACT_REPOSITORY)
		return same_repository(&named.reference, &signed_id->reference);
	return !named.bare && !signed_id->bare &&
	       same_reference(&named.reference, &signed_id->reference);
}

bool identity_rule_holds(const struct identity_rule *rule, const struct policy_image *image,
			 const char *signed_name)
{
	auto_(identity_release) struct identity signed_id = {0};
	const struct reference *wanted = image->reference;

	if (!parse_identity(signed_name, &signed_id))
		return false;
	switch (rule->kind) {
	case IDENTITY_REPO_DIGEST_OR_EXACT:
		return wanted && repo_digest_or_exact(wanted, &signed_id);
	case IDENTITY_EXACT:
		return wanted && !signed_id.bare && same_reference(wanted, &signed_id.reference);
	case IDENTITY_REPOSITORY:
		return wanted && same_repository(wanted, &signed_id.reference);
	case IDENTITY_REMAP:
		return wanted && remapped_holds(rule, wanted, &signed_id);
	case IDENTITY_EXACT_REFERENCE:
	case IDENTITY_EXACT_REPOSITORY:
		return named_holds(rule, &signed_id);
	}
	return false;
}
