/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registries_read.c - one registries.conf over what was read before it
 *
 * Members that are not known are skipped, as every reader of this format does: newer versions add
 * some. Known ones of a wrong type or with a wrong value are errors.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/toml.h"
#include "trust/registries_internal.h"

#define ALIASES_MAX 4096

static const char *const pull_names[] = {"all", "digest-only", "tag-only"};
static_assert(ARRAY_SIZE(pull_names) == MIRROR_PULL_COUNT, "one name for each enum mirror_pull");

static const char *const mode_names[] = {"permissive", "enforcing", "disabled"};
static_assert(ARRAY_SIZE(mode_names) == SHORT_NAME_MODE_COUNT,
	      "one name for each enum short_name_mode");

void registry_free(struct registry *registry)
{
	for (size_t i = 0; i < registry->mirror_count; i++)
		free(registry->mirrors[i].location);
	free(registry->prefix);
	free(registry->location);
	free(registry);
}

static int wrong_type(const char *what, const char *key, const char *type, struct error *err)
{
	return err_set(err, ERR_INVALID, 0, "%s: '%s' must be %s", what, key, type);
}

/* Absent is NULL. */
static int take_string(const json_t *table, const char *key, const char *what,
		       const char **ret_value, struct error *err)
{
	const json_t *value = json_object_get(table, key);

	if (value && !json_is_string(value))
		return wrong_type(what, key, "a string", err);
	*ret_value = value ? json_string_value(value) : NULL;
	return 0;
}

/* Absent is false. */
static int take_bool(const json_t *table, const char *key, const char *what, bool *ret_value,
		     struct error *err)
{
	const json_t *value = json_object_get(table, key);

	if (value && !json_is_boolean(value))
		return wrong_type(what, key, "true or false", err);
	*ret_value = json_is_true(value);
	return 0;
}

/* The index of a word in a list; an absent or empty one is the first. */
static int take_word(const json_t *table, const char *key, const char *const *words, size_t count,
		     const char *what, size_t *ret_index, struct error *err)
{
	const char *text = NULL;
	int r;

	r = take_string(table, key, what, &text, err);
	if (r < 0)
		return r;
	if (!text || !text[0])
		text = words[0];
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], text) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, 0, "%s: '%s' has the unknown value '%s'", what, key, text);
}

/* "*.example.com": the only form in which a prefix may hold an asterisk. */
static bool is_wildcard(const char *prefix)
{
	return strncmp(prefix, "*.", 2) == 0 && prefix[2] && !strpbrk(prefix + 2, "*/@");
}

/*
 * What is prefix or location must be the beginning of a reference (or a whole one): with a
 * component behind it, it parses.
 */
static bool is_location(const char *text)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *whole = NULL;
	const char *slash = strchr(text, '/');
	const char *last = strrchr(text, '/');

	if (slash && strpbrk(last, ":@"))
		whole = xstrdup(text);
	else
		whole = xasprintf("%s/x", text);
	return reference_parse(whole, &reference, &ignored) == 0;
}

/* Without the slashes at its end. */
static int take_location(const json_t *table, const char *key, const char *what, char **ret_text,
			 struct error *err)
{
	auto_free char *copy = NULL;
	const char *text = NULL;
	int r;

	r = take_string(table, key, what, &text, err);
	if (r < 0)
		return r;
	copy = xstrdup(text ? text : "");
	for (size_t len = strlen(copy); len > 0 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	if (strstr(copy, "://"))
		return err_set(err, ERR_INVALID, 0, "%s: '%s' is '%s': a name is wanted, not a URL",
			       what, key, copy);
	if (copy[0] && !(strcmp(key, "prefix") == 0 && is_wildcard(copy)) && !is_location(copy))
		return err_set(err, ERR_INVALID, 0,
			       "%s: '%s' is '%s', which cannot begin an image's name", what, key,
			       copy);
	*ret_text = TAKE_PTR(copy);
	return 0;
}

static int read_mirror(const json_t *table, const char *what, struct mirror *mirror,
		       struct error *err)
{
	size_t pull;
	int r;

	if (!json_is_object(table))
		return wrong_type(what, "mirror", "an array of tables", err);
	r = take_location(table, "location", what, &mirror->location, err);
	if (r < 0)
		return r;
	if (!mirror->location[0])
		return err_set(err, ERR_INVALID, 0, "%s: a mirror has no location", what);
	r = take_word(table, "pull-from-mirror", pull_names, MIRROR_PULL_COUNT, what, &pull, err);
	if (r < 0)
		return r;
	mirror->pull = (enum mirror_pull)pull;
	return take_bool(table, "insecure", what, &mirror->insecure, err);
}

static int read_mirrors(const json_t *table, const char *what, struct registry *registry,
			struct error *err)
{
	const json_t *list = json_object_get(table, "mirror");
	bool digest_only = false;
	int r;

	r = take_bool(table, "mirror-by-digest-only", what, &digest_only, err);
	if (r < 0)
		return r;
	if (list && !json_is_array(list))
		return wrong_type(what, "mirror", "an array of tables", err);
	if (json_array_size(list) > REGISTRY_MAX_MIRRORS)
		return err_set(err, ERR_INVALID, 0, "%s: more than %d mirrors of '%s'", what,
			       REGISTRY_MAX_MIRRORS, registry->prefix);
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct mirror *mirror = &registry->mirrors[registry->mirror_count++];
		const json_t *item = json_array_get(list, i);
		const char *pull = json_get_string(item, "pull-from-mirror", "");

		r = read_mirror(item, what, mirror, err);
		if (r < 0)
			return r;
		if (digest_only && pull[0])
			return err_set(err, ERR_INVALID, 0,
				       "%s: pull-from-mirror and mirror-by-digest-only are both "
				       "set for '%s'",
				       what, registry->prefix);
		if (digest_only)
			mirror->pull = MIRROR_PULL_DIGEST_ONLY;
	}
	return 0;
}

static int read_registry(const json_t *table, const char *what, struct registry *registry,
			 struct error *err)
{
	int r;

	if (!json_is_object(table))
		return wrong_type(what, "registry", "an array of tables", err);
	r = take_location(table, "location", what, &registry->location, err);
	if (r < 0)
		return r;
	r = take_location(table, "prefix", what, &registry->prefix, err);
	if (r < 0)
		return r;
	if (!registry->prefix[0]) {
		free(registry->prefix);
		registry->prefix = xstrdup(registry->location);
	}
	if (!registry->location[0] && !is_wildcard(registry->prefix))
		return err_set(err, ERR_INVALID, 0, "%s: a registry has no location%s%s", what,
			       registry->prefix[0] ? ": " : "", registry->prefix);
	r = take_bool(table, "insecure", what, &registry->insecure, err);
	if (r < 0)
		return r;
	r = take_bool(table, "blocked", what, &registry->blocked, err);
	if (r < 0)
		return r;
	return read_mirrors(table, what, registry, err);
}

/* In the place of one with the same prefix from an earlier file, or at the end. */
static int add_registry(struct registries_conf *conf, size_t first_of_file, const char *what,
			struct registry **registry, struct error *err)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (strcmp(conf->registries[i]->prefix, (*registry)->prefix) != 0)
			continue;
		if (i >= first_of_file)
			return err_set(err, ERR_INVALID, 0, "%s: '%s' is defined twice", what,
				       (*registry)->prefix);
		registry_free(conf->registries[i]);
		conf->registries[i] = TAKE_PTR(*registry);
		return 0;
	}
	if (conf->count == REGISTRIES_MAX)
		return err_set(err, ERR_INVALID, 0, "%s: more than %d registries", what,
			       REGISTRIES_MAX);
	conf->registries =
		xreallocarray(conf->registries, conf->count + 1, sizeof(*conf->registries));
	conf->registries[conf->count++] = TAKE_PTR(*registry);
	return 0;
}

static int read_registries(struct registries_conf *conf, const json_t *root, const char *what,
			   struct error *err)
{
	const json_t *list = json_object_get(root, "registry");
	size_t first = conf->count;
	int r;

	if (list && !json_is_array(list))
		return wrong_type(what, "registry", "an array of tables", err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		auto_(registry_free) struct registry *registry = xcalloc(1, sizeof(*registry));

		r = read_registry(json_array_get(list, i), what, registry, err);
		if (r < 0)
			return r;
		r = add_registry(conf, first, what, &registry, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_search(struct registries_conf *conf, const json_t *root, const char *what,
		       struct error *err)
{
	const json_t *list = json_object_get(root, "unqualified-search-registries");

	if (!list)
		return 0;
	if (!json_is_array(list))
		return wrong_type(what, "unqualified-search-registries", "an array", err);
	strv_release(&conf->search);
	conf->search_set = true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name || !name[0] || !is_location(name))
			return err_set(err, ERR_INVALID, 0,
				       "%s: unqualified-search-registries has '%s', which is no "
				       "registry",
				       what, name ? name : "(not a string)");
		if (conf->search.count == REGISTRY_MAX_MIRRORS)
			return err_set(err, ERR_INVALID, 0,
				       "%s: unqualified-search-registries is too long", what);
		strv_add(&conf->search, name);
	}
	return 0;
}

/* A name without registry, tag and digest; what it stands for has a registry, and no tag either. */
static bool is_alias(const char *name, const char *value)
{
	auto_(reference_release) struct reference short_name = {0}, full = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *as_path = xasprintf("x.invalid/%s", name);
	const char *slash = strchr(value, '/');

	if (strpbrk(name, ":@") || domain_begins(name) ||
	    reference_parse(as_path, &short_name, &ignored) < 0)
		return false;
	if (!value[0])
		return true;
	return domain_begins(value) && !strpbrk(slash, ":@") &&
	       reference_parse(value, &full, &ignored) == 0;
}

static int read_aliases(struct registries_conf *conf, const json_t *root, const char *what,
			struct error *err)
{
	json_t *table = json_object_get(root, "aliases");
	const char *name;
	json_t *item;

	if (table && !json_is_object(table))
		return wrong_type(what, "aliases", "a table", err);
	if (json_object_size(table) > ALIASES_MAX)
		return err_set(err, ERR_INVALID, 0, "%s: more than %d aliases", what, ALIASES_MAX);
	json_object_foreach (table, name, item) {
		const char *value = json_string_value(item);

		if (!value || !is_alias(name, value))
			return err_set(
				err, ERR_INVALID, 0,
				"%s: alias '%s' = '%s' is not a short name and the full name "
				"of a repository",
				what, name, value ? value : "(not a string)");
		if (value[0])
			strv_env_set(&conf->aliases, name, value);
		else
			strv_env_unset(&conf->aliases, name);
	}
	return 0;
}

int registries_conf_merge(struct registries_conf *conf, const char *text, size_t len,
			  const char *what, struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	size_t mode = conf->mode;
	int r;

	r = toml_parse(text, len, what, &root, err);
	if (r < 0)
		return r;
	if (json_object_get(root, "registries"))
		return err_set(err, ERR_UNAVAILABLE, ENOTSUP,
			       "%s is in version 1 of the format; version 2 is needed", what);
	if (json_object_get(root, "short-name-mode")) {
		r = take_word(root, "short-name-mode", mode_names, SHORT_NAME_MODE_COUNT, what,
			      &mode, err);
		if (r < 0)
			return r;
	}
	conf->mode = (enum short_name_mode)mode;
	r = read_search(conf, root, what, err);
	if (r < 0)
		return r;
	r = read_aliases(conf, root, what, err);
	if (r < 0)
		return r;
	return read_registries(conf, root, what, err);
}
