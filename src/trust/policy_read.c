/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_read.c - policy.json
 *
 * Strict, as the format demands: whoever mistypes a member's name must not get a weaker policy
 * than was meant.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "trust/host_file.h"
#include "trust/policy_internal.h"
#include "trust/trust_paths.h"

#define MAX_SCOPES 4096
#define MAX_REQUIREMENTS 32
#define MAX_KEYS 32

static const char *const identity_names[] = {
	"matchRepoDigestOrExact", "matchExact",      "matchRepository",
	"exactReference",         "exactRepository", "remapIdentity",
};
static_assert(ARRAY_SIZE(identity_names) == IDENTITY_RULE_COUNT,
	      "one name for each enum identity_rule_kind");

static void requirement_release(struct requirement *requirement)
{
	strv_release(&requirement->key_files);
	strv_release(&requirement->key_texts);
	free(requirement->identity.name);
	free(requirement->identity.replacement);
	free(requirement->why);
}

static void requirements_release(struct requirements *requirements)
{
	for (size_t i = 0; i < requirements->count; i++)
		requirement_release(&requirements->items[i]);
	free(requirements->items);
	*requirements = (struct requirements){0};
}

void policy_free(struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++) {
		free(policy->scopes[i].transport);
		free(policy->scopes[i].scope);
		requirements_release(&policy->scopes[i].requirements);
	}
	free(policy->scopes);
	requirements_release(&policy->otherwise);
	free(policy->what);
	free(policy);
}

static int bad(const struct policy *policy, struct error *err, const char *why)
{
	return err_set(err, ERR_INVALID, 0, "%s: %s", policy->what, why);
}

/* ERR_INVALID when the object has a member that is not in the list (which ends with NULL). */
static int allow_members(const struct policy *policy, json_t *object, const char *const *names,
			 struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return bad(policy, err, "an object is expected");
	json_object_foreach (object, name, value) {
		size_t i = 0;

		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (!names[i])
			return err_set(err, ERR_INVALID, 0, "%s: unknown member '%s'", policy->what,
				       name);
	}
	return 0;
}

/* A member that must be a string and must be there. */
static int take_name(const struct policy *policy, const json_t *object, const char *key,
		     char **ret_text, struct error *err)
{
	const char *text = json_get_string(object, key, "");

	if (!text[0])
		return err_set(err, ERR_INVALID, 0, "%s: '%s' must be a string", policy->what, key);
	*ret_text = xstrdup(text);
	return 0;
}

static int read_identity(const struct policy *policy, json_t *object, struct identity_rule *rule,
			 struct error *err)
{
	static const char *const members[IDENTITY_RULE_COUNT][4] = {
		{"type"},
		{"type"},
		{"type"},
		{"type", "dockerReference"},
		{"type", "dockerRepository"},
		{"type", "prefix", "signedPrefix"},
	};
	const char *type = json_get_string(object, "type", "");
	size_t kind = 0;
	int r;

	while (kind < IDENTITY_RULE_COUNT && strcmp(identity_names[kind], type) != 0)
		kind++;
	if (kind == IDENTITY_RULE_COUNT)
		return err_set(err, ERR_INVALID, 0, "%s: unknown type '%s' of signedIdentity",
			       policy->what, type);
	rule->kind = (enum identity_rule_kind)kind;
	r = allow_members(policy, object, members[kind], err);
	if (r == 0 && members[kind][1])
		r = take_name(policy, object, members[kind][1], &rule->name, err);
	if (r == 0 && members[kind][2])
		r = take_name(policy, object, members[kind][2], &rule->replacement, err);
	return r;
}

/* One string, or a list of them. */
static int add_strings(const struct policy *policy, const json_t *value, struct strv *list,
		       struct error *err)
{
	if (json_is_string(value)) {
		strv_add(list, json_string_value(value));
		return 0;
	}
	if (json_array_size(value) == 0 || json_array_size(value) > MAX_KEYS)
		return bad(policy, err, "keys must be a string, or a list of 1 to 32 of them");
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!json_is_string(json_array_get(value, i)))
			return bad(policy, err, "a key is not a string");
		strv_add(list, json_string_value(json_array_get(value, i)));
	}
	return 0;
}

/* base64 of PEM. */
static int decode_keys(const struct policy *policy, const struct strv *encoded, struct strv *keys,
		       struct error *err)
{
	for (size_t i = 0; i < encoded->count; i++) {
		auto_free char *text = NULL;
		size_t len;

		if (base64_decode(encoded->items[i], strlen(encoded->items[i]), &text, &len) < 0)
			return bad(policy, err, "key data is not base64");
		strv_add(keys, text);
	}
	return 0;
}

static int read_keys(const struct policy *policy, const json_t *object,
		     struct requirement *requirement, struct error *err)
{
	static const char *const sources[] = {"keyPath", "keyPaths", "keyData", "keyDatas"};
	auto_(strv_release) struct strv encoded = {0};
	size_t found = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sources) && r >= 0; i++) {
		const json_t *value = json_object_get(object, sources[i]);

		if (!value)
			continue;
		found++;
		if (json_is_string(value) != (i % 2 == 0))
			return err_set(err, ERR_INVALID, 0, "%s: '%s' has the wrong type",
				       policy->what, sources[i]);
		r = add_strings(policy, value, i < 2 ? &requirement->key_files : &encoded, err);
	}
	if (r < 0)
		return r;
	if (found != 1)
		return bad(policy, err,
			   "sigstoreSigned needs exactly one of keyPath, keyPaths, "
			   "keyData and keyDatas");
	return decode_keys(policy, &encoded, &requirement->key_texts, err);
}

static int read_sigstore(const struct policy *policy, json_t *object,
			 struct requirement *requirement, struct error *err)
{
	static const char *const members[] = {
		"type",
		"keyPath",
		"keyPaths",
		"keyData",
		"keyDatas",
		"signedIdentity",
		"fulcio",
		"pki",
		"rekorPublicKeyPath",
		"rekorPublicKeyPaths",
		"rekorPublicKeyData",
		"rekorPublicKeyDatas",
		NULL,
	};
	json_t *identity = json_object_get(object, "signedIdentity");
	int r;

	r = allow_members(policy, object, members, err);
	if (r < 0)
		return r;
	for (size_t i = 6; members[i]; i++) {
		if (!json_object_get(object, members[i]))
			continue;
		requirement->kind = REQUIREMENT_UNSUPPORTED;
		requirement->why = xasprintf("sigstoreSigned with '%s'", members[i]);
		return 0;
	}
	requirement->kind = REQUIREMENT_SIGSTORE;
	if (identity) {
		r = read_identity(policy, identity, &requirement->identity, err);
		if (r < 0)
			return r;
	}
	return read_keys(policy, object, requirement, err);
}

static int read_requirement(const struct policy *policy, json_t *object,
			    struct requirement *requirement, struct error *err)
{
	static const char *const type_only[] = {"type", NULL};
	const char *type = json_get_string(object, "type", "");

	if (strcmp(type, "insecureAcceptAnything") == 0) {
		requirement->kind = REQUIREMENT_ACCEPT;
		return allow_members(policy, object, type_only, err);
	}
	if (strcmp(type, "reject") == 0) {
		requirement->kind = REQUIREMENT_REJECT;
		return allow_members(policy, object, type_only, err);
	}
	if (strcmp(type, "sigstoreSigned") == 0)
		return read_sigstore(policy, object, requirement, err);
	if (strcmp(type, "signedBy") == 0 || strcmp(type, "signedBaseLayer") == 0) {
		requirement->kind = REQUIREMENT_UNSUPPORTED;
		requirement->why = xasprintf("%s (OpenPGP signatures)", type);
		return 0;
	}
	return err_set(err, ERR_INVALID, 0, "%s: unknown requirement '%s'", policy->what, type);
}

static int read_requirements(const struct policy *policy, const json_t *list,
			     struct requirements *requirements, struct error *err)
{
	size_t count = json_array_size(list);

	if (count == 0 || count > MAX_REQUIREMENTS)
		return bad(policy, err, "requirements must be a list of 1 to 32 objects");
	requirements->items = xcalloc(count, sizeof(*requirements->items));
	requirements->count = count;
	for (size_t i = 0; i < count; i++) {
		int r = read_requirement(policy, json_array_get(list, i), &requirements->items[i],
					 err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Where scopes are paths, one that can never match would be a hole in the policy. */
static int check_scope(const struct policy *policy, const char *transport, const char *scope,
		       struct error *err)
{
	static const char *const with_paths[] = {"dir", "oci", "oci-archive"};

	if (!scope[0])
		return 0;
	if (strcmp(transport, "docker-archive") == 0)
		return err_set(err, ERR_INVALID, 0,
			       "%s: docker-archive has no scopes but \"\", and not '%s'",
			       policy->what, scope);
	for (size_t i = 0; i < ARRAY_SIZE(with_paths); i++)
		if (strcmp(with_paths[i], transport) == 0 && (scope[0] != '/' || !scope[1]))
			return err_set(err, ERR_INVALID, 0,
				       "%s: a scope of %s is an absolute path below '/', and not "
				       "'%s'",
				       policy->what, transport, scope);
	return 0;
}

static int read_transport(struct policy *policy, const char *transport, json_t *object,
			  struct error *err)
{
	const char *scope;
	json_t *list;

	if (!json_is_object(object))
		return bad(policy, err, "a transport must be an object of scopes");
	json_object_foreach (object, scope, list) {
		struct policy_scope *added;
		int r;

		r = check_scope(policy, transport, scope, err);
		if (r < 0)
			return r;
		if (policy->count == MAX_SCOPES)
			return bad(policy, err, "too many scopes");
		policy->scopes =
			xreallocarray(policy->scopes, policy->count + 1, sizeof(*policy->scopes));
		added = &policy->scopes[policy->count++];
		*added = (struct policy_scope){
			.transport = xstrdup(transport),
			.scope = xstrdup(scope),
		};
		r = read_requirements(policy, list, &added->requirements, err);
		if (r < 0)
			return err_wrap(err, r, "scope '%s' of %s", scope, transport);
	}
	return 0;
}

static int read_policy(struct policy *policy, json_t *root, struct error *err)
{
	static const char *const members[] = {"default", "transports", NULL};
	json_t *transports = json_object_get(root, "transports"), *object;
	const char *transport;
	int r;

	r = allow_members(policy, root, members, err);
	if (r < 0)
		return r;
	r = read_requirements(policy, json_object_get(root, "default"), &policy->otherwise, err);
	if (r < 0)
		return err_wrap(err, r, "the default");
	if (transports && !json_is_object(transports))
		return bad(policy, err, "'transports' must be an object");
	json_object_foreach (transports, transport, object) {
		r = read_transport(policy, transport, object, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_parse(const char *text, size_t len, const char *what, struct policy **ret_policy,
		 struct error *err)
{
	auto_(policy_free) struct policy *policy = xcalloc(1, sizeof(*policy));
	auto_(json_decref) json_t *root = NULL;
	int r;

	policy->what = xstrdup(what);
	r = json_parse(text, len, what, &root, err);
	if (r < 0)
		return r;
	r = read_policy(policy, root, err);
	if (r < 0)
		return r;
	*ret_policy = TAKE_PTR(policy);
	return 0;
}

int policy_load(const struct trust_paths *paths, struct policy **ret_policy, struct error *err)
{
	static const char accept_all[] = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}";
	const char *const places[] = {paths->config_home, paths->etc};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		auto_free char *path = NULL, *text = NULL;
		size_t len;
		int r;

		if (!places[i])
			continue;
		path = xasprintf("%s/containers/policy.json", places[i]);
		r = host_file_read(path, POLICY_MAX_BYTES, &text, &len, err);
		if (r > 0)
			return policy_parse(text, len, path, ret_policy, err);
		if (r < 0)
			return r;
	}
	return policy_parse(accept_all, strlen(accept_all), "no policy", ret_policy, err);
}
