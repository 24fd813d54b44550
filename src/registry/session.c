/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "registry/protocol.h"

#define DEFAULT_BACKOFF_MS 500
#define DEFAULT_STALL_S 60
#define DEFAULT_RETRIES 5
#define MAX_RETRIES 100

static char *copy_text(const json_t *object, const char *key)
{
	return xstrdup_or_null(json_get_string(object, key, NULL));
}

static char *join_authorities(const char *common, const char *own)
{
	if (common && own)
		return xasprintf("%s\n%s", common, own);
	return xstrdup_or_null(own ? own : common);
}

static int parse_endpoint(const json_t *object, const char *authorities, struct endpoint *endpoint,
			  struct error *err)
{
	*endpoint = (struct endpoint){
		.host = copy_text(object, "host"),
		.repository = copy_text(object, "repository"),
		.insecure = json_get_bool(object, "insecure", false),
		.username = copy_text(object, "username"),
		.password = copy_text(object, "password"),
		.identity_token = copy_text(object, "identityToken"),
		.registry_token = copy_text(object, "registryToken"),
		.authorities =
			join_authorities(authorities, json_get_string(object, "authorities", NULL)),
		.certificate = copy_text(object, "certificate"),
		.key = copy_text(object, "key"),
	};
	(void)pthread_mutex_init(&endpoint->lock, NULL);
	endpoint->token = xstrdup_or_null(endpoint->registry_token);
	if (!endpoint->host || !endpoint->repository)
		return err_set(err, ERR_INVALID, 0, "an endpoint has no host or no repository");
	return 0;
}

static int parse_endpoints(const json_t *array, const char *authorities, struct session *session,
			   struct error *err)
{
	size_t count = json_array_size(array);
	int r;

	if (count == 0 || count > REGISTRY_MAX_ENDPOINTS)
		return err_set(err, ERR_INVALID, 0, "there are %zu endpoints", count);
	session->endpoints = xcalloc(count, sizeof(session->endpoints[0]));
	for (size_t i = 0; i < count; i++) {
		session->endpoint_count = i + 1;
		r = parse_endpoint(json_array_get(array, i), authorities, &session->endpoints[i],
				   err);
		if (r < 0)
			return r;
	}
	return 0;
}

static unsigned int bounded(const json_t *root, const char *key, unsigned int otherwise,
			    unsigned int max)
{
	int64_t value = json_get_int(root, key, otherwise);

	if (value < 0)
		return otherwise;
	return value > max ? max : (unsigned int)value;
}

int session_parse(const char *text, size_t len, const char *authorities,
		  struct session *ret_session, struct error *err)
{
	auto_(session_release) struct session session = {.quit_fd = NO_FD};
	auto_(json_decref) json_t *root = NULL;
	const json_t *proxies;
	int r;

	r = json_parse(text, len, "configuration", &root, err);
	if (r < 0)
		return r;
	proxies = json_object_get(root, "proxies");
	session.actions = xstrdup(json_get_string(root, "actions", "pull"));
	json_get_strv(root, "mountFrom", &session.mount_from);
	json_get_strv(root, "realms", &session.realms);
	session.backoff_ms = bounded(root, "backoffMs", DEFAULT_BACKOFF_MS, 60000);
	session.retries = bounded(root, "retries", DEFAULT_RETRIES, MAX_RETRIES);
	session.http = (struct http_settings){
		.proxy_http = copy_text(proxies, "http"),
		.proxy_https = copy_text(proxies, "https"),
		.no_proxy = copy_text(proxies, "no"),
		.stall_s = (long)bounded(root, "stallSeconds", DEFAULT_STALL_S, 3600),
		.authorities = xstrdup_or_null(authorities),
	};
	r = parse_endpoints(json_object_get(root, "endpoints"), authorities, &session, err);
	if (r < 0)
		return r;
	*ret_session = session;
	session = (struct session){0};
	return 0;
}

void session_release(struct session *session)
{
	for (size_t i = 0; i < session->endpoint_count; i++) {
		struct endpoint *endpoint = &session->endpoints[i];

		free(endpoint->host);
		free(endpoint->repository);
		free(endpoint->username);
		free(endpoint->password);
		free(endpoint->identity_token);
		free(endpoint->registry_token);
		free(endpoint->authorities);
		free(endpoint->certificate);
		free(endpoint->key);
		free(endpoint->token);
	}
	free(session->endpoints);
	free(session->actions);
	strv_release(&session->mount_from);
	strv_release(&session->realms);
	free(session->http.proxy_http);
	free(session->http.proxy_https);
	free(session->http.no_proxy);
	free(session->http.authorities);
	*session = (struct session){.quit_fd = NO_FD};
}
