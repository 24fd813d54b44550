/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/registries_conf.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "trust/host_file.h"
#include "trust/registries_internal.h"
#include "trust/trust_paths.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

void registries_conf_free(struct registries_conf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		registry_free(conf->registries[i]);
	free(conf->registries);
	strv_release(&conf->search);
	strv_release(&conf->aliases);
	free(conf);
}

void registry_endpoints_release(struct registry_endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->count; i++)
		reference_release(&endpoints->items[i].reference);
	free(endpoints->items);
	*endpoints = (struct registry_endpoints){0};
}

/* 1 when there is such a file. */
static int merge_file(struct registries_conf *conf, const char *path, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = host_file_read(path, FILE_MAX_BYTES, &text, &len, err);
	if (r <= 0)
		return r;
	r = registries_conf_merge(conf, text, len, path, err);
	return r < 0 ? r : 1;
}

static int merge_directory(struct registries_conf *conf, const char *path, struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	int r;

	r = host_directory_list(path, ".conf", &names, err);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		auto_free char *file = xasprintf("%s/%s", path, names.items[i]);

		r = merge_file(conf, file, err);
	}
	return r;
}

/* The user's file replaces the system's together with its drop-ins. */
static int merge_main_files(struct registries_conf *conf, const struct trust_paths *paths,
			    struct error *err)
{
	auto_free char *host_dir = xasprintf("%s/containers/registries.conf.d", paths->etc);
	auto_free char *host = xasprintf("%s/containers/registries.conf", paths->etc);
	auto_free char *user = NULL;
	int r;

	if (paths->config_home && !paths->registries_conf) {
		user = xasprintf("%s/containers/registries.conf", paths->config_home);
		r = merge_file(conf, user, err);
		if (r != 0)
			return r;
	}
	r = merge_file(conf, paths->registries_conf ? paths->registries_conf : host, err);
	if (r < 0)
		return r;
	return merge_directory(conf, host_dir, err);
}

static int merge_all(struct registries_conf *conf, const struct trust_paths *paths,
		     struct error *err)
{
	auto_free char *user_dir = NULL, *recorded = NULL;
	int r;

	r = merge_main_files(conf, paths, err);
	if (r < 0)
		return r;
	if (paths->config_home) {
		user_dir = xasprintf("%s/containers/registries.conf.d", paths->config_home);
		r = merge_directory(conf, user_dir, err);
		if (r < 0)
			return r;
	}
	if (paths->cache_home) {
		recorded = xasprintf("%s/containers/short-name-aliases.conf", paths->cache_home);
		r = merge_file(conf, recorded, err);
	}
	return r < 0 ? r : 0;
}

int registries_conf_load(const struct trust_paths *paths, struct registries_conf **ret_conf,
			 struct error *err)
{
	auto_(registries_conf_free) struct registries_conf *conf = xcalloc(1, sizeof(*conf));
	int r;

	r = merge_all(conf, paths, err);
	if (r < 0)
		return r;
	if (!conf->search_set)
		strv_add(&conf->search, "docker.io");
	*ret_conf = TAKE_PTR(conf);
	return 0;
}

/*
 * How much of `name` (a whole reference) the prefix covers; 0: it does not match. A prefix ends
 * where a part of the name ends; "*.host" covers the host.
 */
static size_t prefix_match(const char *prefix, const char *name)
{
	size_t len = strlen(prefix), host_len = strcspn(name, "/");

	if (strncmp(prefix, "*.", 2) == 0) {
		size_t suffix_len = len - 1;

		if (host_len > suffix_len &&
		    strncmp(name + host_len - suffix_len, prefix + 1, suffix_len) == 0)
			return host_len;
		return 0;
	}
	if (strncmp(prefix, name, len) != 0 || !strchr("/:@", name[len]))
		return 0;
	return len;
}

/* The one with the longest prefix; NULL when none matches. */
static const struct registry *find_registry(const struct registries_conf *conf, const char *name,
					    size_t *ret_covered)
{
	const struct registry *best = NULL;

	for (size_t i = 0; i < conf->count; i++) {
		const struct registry *registry = conf->registries[i];
		size_t covered = prefix_match(registry->prefix, name);

		if (covered == 0 || (best && strlen(best->prefix) >= strlen(registry->prefix)))
			continue;
		best = registry;
		*ret_covered = covered;
	}
	return best;
}

/* "domain/path:tag", "…@digest", or both: what prefixes are compared with. */
static char *whole_name(const struct reference *reference)
{
	return xasprintf("%s/%s%s%s%s%s", reference->domain, reference->path,
			 reference->tag ? ":" : "", reference->tag ? reference->tag : "",
			 reference->digest ? "@" : "", reference->digest ? reference->digest : "");
}

static int add_endpoint(struct registry_endpoints *endpoints, const char *name, bool insecure,
			bool mirror, struct error *err)
{
	struct registry_endpoint endpoint = {.insecure = insecure, .mirror = mirror};
	int r;

	r = reference_parse(name, &endpoint.reference, err);
	if (r < 0)
		return err_wrap(err, r, "rewritten by registries.conf");
	endpoint.insecure = insecure || domain_is_loopback(endpoint.reference.domain);
	endpoints->items =
		xreallocarray(endpoints->items, endpoints->count + 1, sizeof(*endpoints->items));
	endpoints->items[endpoints->count++] = endpoint;
	return 0;
}

static bool mirror_serves(const struct mirror *mirror, const struct reference *reference)
{
	switch (mirror->pull) {
	case MIRROR_PULL_ALL:
		return true;
	case MIRROR_PULL_DIGEST_ONLY:
		return reference->digest;
	case MIRROR_PULL_TAG_ONLY:
		return !reference->digest;
	}
	return false;
}

static int add_mirrors(const struct registry *registry, const struct reference *reference,
		       const char *rest, struct registry_endpoints *endpoints, struct error *err)
{
	for (size_t i = 0; i < registry->mirror_count; i++) {
		const struct mirror *mirror = &registry->mirrors[i];
		auto_free char *name = xasprintf("%s%s", mirror->location, rest);
		int r;

		if (!mirror_serves(mirror, reference))
			continue;
		r = add_endpoint(endpoints, name, mirror->insecure, /* mirror= */ true, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int registries_conf_endpoints(const struct registries_conf *conf, const struct reference *reference,
			      struct registry_endpoints *ret_endpoints, struct error *err)
{
	auto_(registry_endpoints_release) struct registry_endpoints endpoints = {0};
	auto_free char *name = whole_name(reference);
	auto_free char *moved = NULL;
	size_t covered = 0;
	const struct registry *registry = find_registry(conf, name, &covered);
	int r;

	if (registry && registry->blocked)
		return err_set(err, ERR_DENIED, 0, "'%s' is blocked by registries.conf ('%s')",
			       name, registry->prefix);
	if (registry) {
		r = add_mirrors(registry, reference, name + covered, &endpoints, err);
		if (r < 0)
			return r;
	}
	if (registry && registry->location[0])
		moved = xasprintf("%s%s", registry->location, name + covered);
	r = add_endpoint(&endpoints, moved ? moved : name, registry && registry->insecure,
			 /* mirror= */ false, err);
	if (r < 0)
		return r;
	*ret_endpoints = endpoints;
	endpoints = (struct registry_endpoints){0};
	return 0;
}

int registries_conf_is_insecure(const struct registries_conf *conf, const char *repository,
				struct error *err)
{
	/* So that a prefix that is the whole of it ends where a part ends. */
	auto_free char *name = xasprintf("%s/", repository);
	auto_free char *domain = xstrndup(repository, strcspn(repository, "/"));
	size_t covered;
	const struct registry *registry = find_registry(conf, name, &covered);

	if (registry && registry->blocked)
		return err_set(err, ERR_DENIED, 0, "'%s' is blocked by registries.conf ('%s')",
			       repository, registry->prefix);
	return (registry && registry->insecure) || domain_is_loopback(domain);
}

const struct strv *registries_conf_search_list(const struct registries_conf *conf)
{
	return &conf->search;
}

bool domain_is_loopback(const char *domain)
{
	auto_free char *host = NULL;
	struct in_addr address;

	if (domain[0] == '[')
		return strncmp(domain, "[::1]", 5) == 0 && strchr(":", domain[5]);
	host = xstrndup(domain, strcspn(domain, ":"));
	if (strcmp(host, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool domain_begins(const char *name)
{
	size_t len = strcspn(name, "/");
	auto_free char *first = xstrndup(name, len);

	if (!name[len])
		return false;
	if (strcmp(first, "localhost") == 0 || strpbrk(first, ".:"))
		return true;
	/* A user's name on a registry is in lower case. */
	return strpbrk(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static int add_completed(struct strv *names, const char *name, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	int r;

	r = reference_parse(name, &reference, err);
	if (r < 0)
		return r;
	strv_add_take(names, whole_name(&reference));
	return 0;
}

static int refuse_short_name(const struct registries_conf *conf, const char *text,
			     struct error *err)
{
	auto_free char *list = strv_join(&conf->search, ", ");

	if (conf->search.count == 0)
		return err_set(err, ERR_INVALID, 0,
			       "'%s' names no registry, and registries.conf allows none to be "
			       "assumed",
			       text);
	return err_set(err, ERR_INVALID, 0,
		       "'%s' names no registry, it could be any of %s "
		       "(short-name-mode is \"enforcing\")",
		       text, list);
}

bool registries_conf_asks(const struct registries_conf *conf)
{
	return conf->mode != SHORT_NAME_DISABLED;
}

int registries_conf_complete(const struct registries_conf *conf, const char *text, bool can_ask,
			     struct strv *ret_names, struct error *err)
{
	auto_(reference_release) struct reference checked = {0};
	auto_(strv_release) struct strv names = {0};
	auto_free char *repository = NULL;
	const char *alias, *rest;
	int r;

	/* A message about what was typed, not about what it would become. */
	r = reference_parse(text, &checked, err);
	if (r < 0)
		return r;
	if (domain_begins(text))
		return add_completed(ret_names, text, err);
	rest = text + strcspn(text, ":@");
	repository = xstrndup(text, (size_t)(rest - text));
	alias = strv_env_find(&conf->aliases, repository);
	if (alias) {
		auto_free char *full = xasprintf("%s%s", alias, rest);

		return add_completed(ret_names, full, err);
	}
	if (conf->search.count == 0 ||
	    (conf->search.count > 1 && conf->mode == SHORT_NAME_ENFORCING && !can_ask))
		return refuse_short_name(conf, text, err);
	for (size_t i = 0; i < conf->search.count; i++) {
		auto_free char *full = xasprintf("%s/%s", conf->search.items[i], text);

		r = add_completed(&names, full, err);
		if (r < 0)
			return r;
	}
	strv_add_all(ret_names, &names);
	return 0;
}
