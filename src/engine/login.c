/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/login.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/registry_access.h"
#include "engine/registry_helper.h"
#include "image/reference.h"
#include "trust/credentials.h"
#include "trust/trust_paths.h"

#define HUB "docker.io"
#define HUB_URL "https://index.docker.io/v1/"

void login_result_release(struct login_result *result)
{
	free(result->file);
	*result = (struct login_result){0};
}

/* A server as the key of its credentials: "host:port" or "host:port/path". */
static int parse_server(const char *server, char **ret_key, char **ret_domain, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error detail = {0};
	auto_free char *key = NULL, *name = NULL;
	const char *rest;

	if (!server || !server[0])
		server = HUB;
	rest = strstr(server, "://");
	key = rest ? xstrndup(rest + 3, strcspn(rest + 3, "/")) : xstrdup(server);
	if (strcmp(key, "index.docker.io") == 0 || strcmp(key, "registry-1.docker.io") == 0) {
		free(key);
		key = xstrdup(HUB);
	}
	/* A domain has what a user's name has not, or it stands alone. */
	name = xasprintf("%s/x", key);
	if (reference_parse(strpbrk(key, ".:") || strncmp(key, "localhost", 9) == 0 ? name : "",
			    &reference, &detail) < 0)
		return err_set(err, ERR_INVALID, 0, "'%.200s' is no registry", server);
	*ret_key = TAKE_PTR(key);
	*ret_domain = TAKE_PTR(reference.domain);
	return 0;
}

char *registry_display_name(const char *server)
{
	auto_(error_release) struct error ignored = {0};
	auto_free char *key = NULL, *domain = NULL;

	if (parse_server(server, &key, &domain, &ignored) < 0)
		return xstrdup(server);
	assert(key);
	return strcmp(key, HUB) == 0 ? xstrdup(HUB_URL) : TAKE_PTR(key);
}

static struct credentials_choice choice_of(const struct registry_options *options)
{
	return (struct credentials_choice){.authfile = options->authfile};
}

/* Those of the request, or what is remembered. */
static int take_credentials(const struct login_request *request, const struct trust_paths *paths,
			    const char *key, struct credentials *ret_credentials, struct error *err)
{
	const struct credentials_choice choice = choice_of(&request->registry);
	auto_free char *domain = NULL;
	const char *path;
	int r;

	assert(key);
	domain = xstrndup(key, strcspn(key, "/"));
	path = strchr(key, '/');
	if (request->username && strchr(request->username, ':'))
		return err_set(err, ERR_INVALID, 0, "a user name cannot have a colon in it");
	if (request->username && request->password) {
		*ret_credentials = (struct credentials){
			.username = xstrdup(request->username),
			.password = xstrdup(request->password),
		};
		return 0;
	}
	r = credentials_find(paths, &choice, domain, path ? path + 1 : NULL, ret_credentials, err);
	if (r >= 0 && credentials_is_empty(ret_credentials))
		return err_set(err, ERR_NOT_FOUND, 0, "no credentials are remembered for '%s'",
			       key);
	return r;
}

/* 0 when the registry took them; an identity token that it gave stands for the password then. */
static int ask_registry(const struct login_request *request, const char *domain,
			struct credentials *credentials, struct error *err)
{
	auto_(registry_helper_stop) struct registry_helper helper = REGISTRY_HELPER_EMPTY;
	auto_(json_decref) json_t *config = NULL, *done = NULL;
	struct registry_options options = request->registry;
	auto_free char *creds = NULL;
	const char *token;
	int r;

	/* Tokens that are remembered are found again by whoever puts the configuration together. */
	if (credentials->username && !credentials->identity_token)
		creds = xasprintf("%s:%s", credentials->username, credentials->password);
	options.creds = creds;
	r = registry_access_host(&options, domain, &config, err);
	if (creds)
		explicit_bzero(creds, strlen(creds));
	if (r >= 0)
		r = registry_helper_start(config, NO_FD, &helper, err);
	if (r >= 0)
		r = registry_helper_ask(&helper, json_pack("{s:s}", "op", "login"), NULL, 0, &done,
					err);
	if (r < 0)
		return r;
	token = json_get_string(done, "identityToken", "");
	if (token[0] && !credentials->identity_token)
		credentials->identity_token = xstrdup(token);
	return 0;
}

int registry_login(const struct login_request *request, struct login_result *ret_result,
		   struct error *err)
{
	const struct credentials_choice choice = choice_of(&request->registry);
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(credentials_release) struct credentials credentials = {0};
	auto_free char *key = NULL, *domain = NULL;
	enum credentials_place place;
	int r;

	trust_paths_init(&paths);
	r = parse_server(request->server, &key, &domain, err);
	if (r >= 0)
		r = take_credentials(request, &paths, key, &credentials, err);
	if (r >= 0)
		r = ask_registry(request, domain, &credentials, err);
	/* What was remembered already is left as it is. */
	if (r < 0 || !request->password)
		return r;
	r = credentials_store(&paths, &choice, key, &credentials, &place, err);
	if (r < 0)
		return r;
	*ret_result = (struct login_result){
		.file = place == CREDENTIALS_IN_FILE ? credentials_file(&paths, &choice) : NULL,
	};
	return 0;
}

int registry_login_name(const char *server, const struct registry_options *options,
			char **ret_username, struct error *err)
{
	const struct login_request request = {.server = server, .registry = *options};
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(credentials_release) struct credentials credentials = {0};
	auto_free char *key = NULL, *domain = NULL;
	int r;

	trust_paths_init(&paths);
	r = parse_server(server, &key, &domain, err);
	if (r >= 0)
		r = take_credentials(&request, &paths, key, &credentials, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		*ret_username = NULL;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_username = xstrdup(credentials.username ? credentials.username : "<token>");
	return 0;
}

int registry_logout(const char *server, const struct registry_options *options, bool *ret_found,
		    struct error *err)
{
	const struct credentials_choice choice = choice_of(options);
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_free char *key = NULL, *domain = NULL;
	int r;

	trust_paths_init(&paths);
	r = parse_server(server, &key, &domain, err);
	if (r < 0)
		return r;
	return credentials_erase(&paths, &choice, key, ret_found, err);
}

int registry_logout_all(const struct registry_options *options, struct strv *ret_servers,
			struct error *err)
{
	const struct credentials_choice choice = choice_of(options);
	auto_(trust_paths_release) struct trust_paths paths = {0};
	auto_(strv_release) struct strv keys = {0};
	int r;

	trust_paths_init(&paths);
	r = credentials_list(&paths, &choice, &keys, err);
	for (size_t i = 0; r >= 0 && i < keys.count; i++) {
		bool found;

		r = credentials_erase(&paths, &choice, keys.items[i], &found, err);
		if (r >= 0)
			strv_add(ret_servers, keys.items[i]);
	}
	return r;
}
