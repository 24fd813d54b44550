/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/registry_access.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "trust/certificates.h"
#include "trust/credentials.h"
#include "trust/registries_conf.h"
#include "trust/short_name_alias.h"
#include "trust/trust_paths.h"

#define HUB "docker.io"
#define HUB_REGISTRY "registry-1.docker.io"
#define HUB_SEARCH "index.docker.io"

struct access {
	const struct registry_options *options;
	struct trust_paths paths;
	struct registries_conf *conf;
	json_t *config;    /* owned */
	json_t *endpoints; /* of config */
};

static void access_release(struct access *access)
{
	if (access->conf)
		registries_conf_free(access->conf);
	trust_paths_release(&access->paths);
	json_decref(access->config);
}

DEFINE_CLEANUP_VALUE(struct access, access_release);

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_set_string(object, key, text);
}

/* ---- the environment ---- */

static const char *either(const char *name, const char *other)
{
	const char *value = getenv(name);

	if (!value || !*value)
		value = getenv(other);
	return value && *value ? value : NULL;
}

static json_t *proxies(void)
{
	json_t *object = json_object();
	const char *all = either("all_proxy", "ALL_PROXY");
	const char *http = either("http_proxy", "HTTP_PROXY");
	const char *https = either("https_proxy", "HTTPS_PROXY");

	set_text(object, "http", http ? http : all);
	set_text(object, "https", https ? https : all);
	set_text(object, "no", either("no_proxy", "NO_PROXY"));
	return object;
}

static void set_number(json_t *config, const char *key, const char *variable)
{
	const char *text = getenv(variable);
	uint32_t value;

	if (text && parse_u32(text, &value) == 0)
		(void)json_object_set_new(config, key, json_integer(value));
}

static void add_environment(json_t *config)
{
	const char *realms = getenv("SKIFF_AUTH_REALMS");

	(void)json_object_set_new(config, "proxies", proxies());
	set_number(config, "backoffMs", "SKIFF_REGISTRY_BACKOFF_MS");
	set_number(config, "stallSeconds", "SKIFF_REGISTRY_STALL_S");
	if (realms) {
		auto_(strv_release) struct strv list = {0};

		strv_split(&list, realms, ',');
		(void)json_object_set_new(config, "realms", json_from_strv(&list));
	}
}

/* ---- endpoints ---- */

static int begin(struct access *access, const char *actions, struct error *err)
{
	trust_paths_init(&access->paths);
	access->config = json_object();
	access->endpoints = json_array();
	json_set_string(access->config, "actions", actions);
	(void)json_object_set_new(access->config, "endpoints", access->endpoints);
	add_environment(access->config);
	return registries_conf_load(&access->paths, &access->conf, err);
}

static int add_credentials(const struct access *access, const char *domain, const char *path,
			   bool mirror, json_t *endpoint, struct error *err)
{
	auto_(credentials_release) struct credentials credentials = {0};
	/* What is typed is meant for the registry that is named, not for its mirrors. */
	const struct credentials_choice choice = {
		.authfile = access->options->authfile,
		.creds = mirror ? NULL : access->options->creds,
	};
	int r;

	r = credentials_find(&access->paths, &choice, domain, path, &credentials, err);
	if (r < 0)
		return r;
	set_text(endpoint, "username", credentials.username);
	set_text(endpoint, "password", credentials.password);
	set_text(endpoint, "identityToken", credentials.identity_token);
	set_text(endpoint, "registryToken", credentials.registry_token);
	return 0;
}

static int add_certificates(const struct access *access, const char *domain, json_t *endpoint,
			    struct error *err)
{
	auto_(certificates_release) struct certificates certificates = {0};
	int r;

	r = certificates_load(&access->paths, access->options->cert_dir, domain, &certificates,
			      err);
	if (r < 0)
		return r;
	set_text(endpoint, "authorities", certificates.authorities);
	set_text(endpoint, "certificate", certificates.client_certificate);
	set_text(endpoint, "key", certificates.client_key);
	return 0;
}

/* `host`: NULL when it is the domain. */
static int add_endpoint(struct access *access, const struct registry_endpoint *from,
			const char *host, struct error *err)
{
	const char *domain = from->reference.domain;
	bool hub = strcmp(domain, HUB) == 0;
	json_t *endpoint = json_object();
	int r;

	(void)json_array_append_new(access->endpoints, endpoint);
	json_set_string(endpoint, "host", host ? host : hub ? HUB_REGISTRY : domain);
	json_set_string(endpoint, "repository", from->reference.path ? from->reference.path : "");
	(void)json_object_set_new(endpoint, "insecure",
				  json_boolean(from->insecure || access->options->skip_tls_verify));
	r = add_credentials(access, domain, from->reference.path, from->mirror, endpoint, err);
	if (r >= 0)
		r = add_certificates(access, domain, endpoint, err);
	return r;
}

int registry_access_names(const char *text, bool can_ask, struct strv *ret_names, bool *ret_ask,
			  struct error *err)
{
	auto_(access_release) struct access access = {0};
	int r;

	r = begin(&access, "", err);
	if (r >= 0)
		r = registries_conf_complete(access.conf, text, can_ask, ret_names, err);
	if (r >= 0 && ret_ask)
		*ret_ask = can_ask && ret_names->count > 1 && registries_conf_asks(access.conf);
	return r;
}

int registry_access_remember(const char *text, const char *chosen, struct error *err)
{
	auto_(trust_paths_release) struct trust_paths paths = {0};

	trust_paths_init(&paths);
	return short_name_alias_record(&paths, text, chosen, err);
}

int registry_access_pull(const struct registry_options *options, const struct reference *reference,
			 json_t **ret_config, struct error *err)
{
	auto_(access_release) struct access access = {.options = options};
	auto_(registry_endpoints_release) struct registry_endpoints endpoints = {0};
	int r;

	r = begin(&access, "pull", err);
	if (r >= 0)
		r = registries_conf_endpoints(access.conf, reference, &endpoints, err);
	for (size_t i = 0; r >= 0 && i < endpoints.count; i++)
		r = add_endpoint(&access, &endpoints.items[i], NULL, err);
	if (r < 0)
		return r;
	*ret_config = TAKE_PTR(access.config);
	return 0;
}

static int add_registry(struct access *access, const char *domain, const char *path,
			const char *host, struct error *err)
{
	/* Borrowed texts. */
	struct registry_endpoint endpoint = {
		.reference = {.domain = (char *)domain, .path = (char *)path},
	};
	auto_free char *name = path ? xasprintf("%s/%s", domain, path) : xstrdup(domain);
	int r;

	r = registries_conf_is_insecure(access->conf, name, err);
	if (r < 0)
		return r;
	endpoint.insecure = r > 0;
	return add_endpoint(access, &endpoint, host, err);
}

int registry_access_push(const struct registry_options *options, const struct reference *reference,
			 const struct strv *mount_from, json_t **ret_config, struct error *err)
{
	auto_(access_release) struct access access = {.options = options};
	int r;

	r = begin(&access, "pull,push", err);
	if (r >= 0)
		r = add_registry(&access, reference->domain, reference->path, NULL, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(access.config, "mountFrom", json_from_strv(mount_from));
	*ret_config = TAKE_PTR(access.config);
	return 0;
}

int registry_access_host(const struct registry_options *options, const char *domain,
			 json_t **ret_config, struct error *err)
{
	auto_(access_release) struct access access = {.options = options};
	const char *host = strcmp(domain, HUB) == 0 ? HUB_SEARCH : NULL;
	int r;

	r = begin(&access, "*", err);
	if (r >= 0)
		r = add_registry(&access, domain, NULL, host, err);
	if (r < 0)
		return r;
	*ret_config = TAKE_PTR(access.config);
	return 0;
}
