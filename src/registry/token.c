/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include <curl/curl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "registry/challenge.h"
#include "registry/origin.h"

#define REALM_TIMEOUT_S 60L

/* ---- the answer of a realm ---- */

/* Visible ASCII: it becomes part of a header. */
static bool is_header_text(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

int token_parse(const char *text, size_t len, char **ret_token, struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	auto_(error_release) struct error ignored = {0};
	const char *token;

	/* Not the parser's message: it may quote what it did not understand. */
	if (len > TOKEN_MAX_BYTES || json_parse(text, len, "token", &root, &ignored) < 0)
		return err_set(err, ERR_INVALID, 0, "the answer with the token makes no sense");
	token = json_get_string(root, "token", NULL);
	if (!token || !token[0])
		token = json_get_string(root, "access_token", NULL);
	if (!token || !token[0])
		return err_set(err, ERR_DENIED, 0, "no token was given");
	if (!is_header_text(token))
		return err_set(err, ERR_INVALID, 0, "the token has characters that none may have");
	*ret_token = xstrdup(token);
	return 0;
}

struct collector {
	struct strbuf text;
};

static int collect(void *context, const char *data, size_t len, struct error *err)
{
	struct collector *collector = context;

	if (len > TOKEN_MAX_BYTES - collector->text.len)
		return err_set(err, ERR_INVALID, EMSGSIZE, "the answer with the token is too long");
	strbuf_add(&collector->text, data, len);
	return 0;
}

/* ---- asking a realm ---- */

struct realm_request {
	struct session *session;
	const struct endpoint *endpoint;
	const struct challenge *challenge;
	bool with_password; /* the realm may see it, and there is one */
};

static void add_parameter(struct strbuf *query, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0);

	strbuf_addf(query, "%s%s=%s", query->len ? "&" : "", name, escaped ? escaped : "");
	curl_free(escaped);
}

static void add_scope(struct strv *scopes, const char *scope)
{
	if (scope[0] && !strv_has(scopes, scope))
		strv_add(scopes, scope);
}

/* What we need, what the registry says is needed, and what may be mounted. */
static void list_scopes(const struct realm_request *request, struct strv *scopes)
{
	const struct session *session = request->session;
	const char *repository = request->endpoint->repository;

	if (repository[0]) {
		auto_free char *own = xasprintf("repository:%s:%s", repository, session->actions);

		add_scope(scopes, own);
	}
	if (request->challenge->scope) {
		auto_(strv_release) struct strv asked = {0};

		strv_split(&asked, request->challenge->scope, ' ');
		for (size_t i = 0; i < asked.count && i < CHALLENGES_MAX; i++)
			add_scope(scopes, asked.items[i]);
	}
	for (size_t i = 0; i < session->mount_from.count; i++) {
		auto_free char *other =
			xasprintf("repository:%s:pull", session->mount_from.items[i]);

		add_scope(scopes, other);
	}
}

/* GET with the password as basic authentication, or with nothing. */
static char *get_url(const struct realm_request *request)
{
	const struct challenge *challenge = request->challenge;
	auto_(strbuf_release) struct strbuf query = {0};
	auto_(strv_release) struct strv scopes = {0};

	list_scopes(request, &scopes);
	if (request->with_password)
		add_parameter(&query, "account", request->endpoint->username);
	if (challenge->service)
		add_parameter(&query, "service", challenge->service);
	for (size_t i = 0; i < scopes.count; i++)
		add_parameter(&query, "scope", scopes.items[i]);
	return xasprintf("%s%c%s", challenge->realm, strchr(challenge->realm, '?') ? '&' : '?',
			 strbuf_text(&query));
}

/* OAuth2: the identity token is exchanged for one that is good for the scopes. */
static char *post_body(const struct realm_request *request)
{
	const struct challenge *challenge = request->challenge;
	auto_(strbuf_release) struct strbuf body = {0};
	auto_(strv_release) struct strv scopes = {0};
	auto_free char *scope = NULL;

	list_scopes(request, &scopes);
	scope = strv_join(&scopes, " ");
	add_parameter(&body, "grant_type", "refresh_token");
	add_parameter(&body, "service", challenge->service ? challenge->service : "");
	add_parameter(&body, "client_id", "skiff");
	add_parameter(&body, "scope", scope);
	add_parameter(&body, "refresh_token", request->endpoint->identity_token);
	return strbuf_take(&body);
}

static void realm_tls(const struct endpoint *endpoint, const struct session *session,
		      bool same_host, struct http_tls *ret_tls)
{
	*ret_tls = (struct http_tls){
		.insecure = endpoint->insecure,
		.authorities = endpoint->authorities ? endpoint->authorities
						     : session->http.authorities,
		.certificate = same_host ? endpoint->certificate : NULL,
		.key = same_host ? endpoint->key : NULL,
	};
}

/*
 * The password goes to the realm only if that is the registry's own. A realm that is not gets no
 * request with a password, and none without one either when we have one: the answer could only
 * be less than what was asked for, and the user would not know why.
 */
static int check_realm(struct realm_request *request, const char *url, bool *ret_same_host,
		       struct error *err)
{
	const struct endpoint *endpoint = request->endpoint;
	auto_(origin_release) struct origin registry = {0}, realm = {0};
	bool has_password = endpoint->username || endpoint->identity_token;
	int r;

	r = origin_parse(url, &registry, err);
	if (r >= 0)
		r = origin_parse(request->challenge->realm, &realm, err);
	if (r < 0)
		return err_wrap(err, r, "the registry's authentication realm");
	if (realm.plain && !endpoint->insecure)
		return err_set(err, ERR_DENIED, 0, "the authentication realm %s is not encrypted",
			       realm.host);
	if (host_is_loopback(realm.host) && !host_is_loopback(registry.host))
		return err_set(err, ERR_DENIED, 0,
			       "%s names this machine as its authentication realm", registry.host);
	*ret_same_host = strcmp(registry.host, realm.host) == 0;
	if (has_password &&
	    !host_may_see_password(registry.host, realm.host, &request->session->realms))
		return err_set(err, ERR_DENIED, 0,
			       "%s wants its password to be sent to %s, which is not its own "
			       "(SKIFF_AUTH_REALMS=%s allows it)",
			       registry.host, realm.host, realm.host);
	request->with_password = endpoint->username && !endpoint->identity_token;
	return 0;
}

static int realm_refused(const struct http_response *response, const char *realm, struct error *err)
{
	if (response->status == 401 || response->status == 403)
		return err_set(err, ERR_DENIED, 0, "incorrect username or password");
	return err_set(err, ERR_UNAVAILABLE, 0, "the authentication realm %.200s answered %ld",
		       realm, response->status);
}

static int ask_realm(struct realm_request *request, struct http_client *client, bool same_host,
		     char **ret_token, struct error *err)
{
	const struct endpoint *endpoint = request->endpoint;
	auto_(http_response_release) struct http_response response = {0};
	auto_free char *url = NULL, *body = NULL;
	struct collector collector = {0};
	struct http_request http = {.body_fd = NO_FD, .timeout_s = REALM_TIMEOUT_S};
	enum http_failure failure;
	struct http_tls tls;
	int r;

	realm_tls(endpoint, request->session, same_host, &tls);
	http.tls = &tls;
	http.on_body = collect;
	http.context = &collector;
	if (endpoint->identity_token) {
		body = post_body(request);
		http.method = "POST";
		http.url = request->challenge->realm;
		http.body = body;
		http.body_len = strlen(body);
	} else {
		url = get_url(request);
		http.method = "GET";
		http.url = url;
	}
	if (request->with_password) {
		http.username = endpoint->username;
		http.password = endpoint->password ? endpoint->password : "";
	}
	r = http_perform(client, &http, &response, &failure, err);
	if (r >= 0 && (response.status < 200 || response.status >= 300))
		r = realm_refused(&response, request->challenge->realm, err);
	if (r >= 0)
		r = token_parse(strbuf_text(&collector.text), collector.text.len, ret_token, err);
	strbuf_release(&collector.text);
	return r;
}

/* ---- the registry's question ---- */

static int answer_bearer(struct session *session, struct endpoint *endpoint,
			 struct http_client *client, const char *url,
			 const struct challenge *challenge, struct error *err)
{
	struct realm_request request = {
		.session = session,
		.endpoint = endpoint,
		.challenge = challenge,
	};
	bool same_host = false;
	char *token = NULL;
	int r;

	if (!challenge->realm)
		return err_set(err, ERR_DENIED, 0, "the registry wants a token and names no realm");
	r = check_realm(&request, url, &same_host, err);
	if (r >= 0)
		r = ask_realm(&request, client, same_host, &token, err);
	if (r < 0)
		return r;
	free(endpoint->token);
	endpoint->token = token;
	return 0;
}

static int answer(struct session *session, struct endpoint *endpoint, struct http_client *client,
		  const char *url, const struct http_response *response, struct error *err)
{
	auto_(challenges_release) struct challenges challenges = {0};
	const struct challenge *bearer;

	for (size_t i = 0; i < response->authenticate.count; i++)
		challenges_parse(&challenges, response->authenticate.items[i]);
	bearer = challenges_find(&challenges, CHALLENGE_BEARER);
	if (bearer)
		return answer_bearer(session, endpoint, client, url, bearer, err);
	if (challenges_find(&challenges, CHALLENGE_BASIC) && endpoint->username &&
	    !endpoint->basic) {
		endpoint->basic = true;
		return 0;
	}
	if (endpoint->basic)
		return err_set(err, ERR_DENIED, 0, "incorrect username or password");
	return err_set(err, ERR_DENIED, 0, "authentication required");
}

int token_answer(struct session *session, struct endpoint *endpoint, struct http_client *client,
		 const char *url, const struct http_response *response, unsigned int version,
		 struct error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&endpoint->lock);
	if (endpoint->version == version) {
		r = answer(session, endpoint, client, url, response, err);
		if (r >= 0)
			endpoint->version++;
	}
	(void)pthread_mutex_unlock(&endpoint->lock);
	return r;
}
